"""The figures of an account that margin is made of, kept with every order and execution.

A change of an instrument's row takes the instrument's part out (`leave`) and puts it in again (`enter`);
vectors take the change itself, for they are linear in lots. What is not up to date is made anew when it is
asked for. All are whole numbers, so that figures kept and figures made anew are the same to the last unit.

Owns: what one instrument, one underlying, one vector adds. Does not own: what margin follows of it
(margin_kernel.py).
"""

import numpy as np

from engine.compiled_kernel import inner, kernel
from engine.risk.charge_kernel import charge_minor, part_up
from engine.risk.risk_block_kernel import (
    BASIS,
    CHARGE,
    GROSS,
    HOLDINGS,
    NAMES,
    RETAIL,
    VERSION,
)
from engine.risk.vector_kernel import add_scaled, clear
from schemas.codes import InstrumentClass

_CFD = int(InstrumentClass.CFD)
_PERPETUAL = int(InstrumentClass.PERPETUAL)
_BYTES = 8


@kernel
def is_contract(instrument):
    """Whether a position is a claim on a price difference and never delivered."""
    return instrument.instrument_class_code == _CFD or instrument.instrument_class_code == _PERPETUAL


@kernel
def held_lots(instruments, positions, amounts, account_id, instrument_id):
    """Lots held, signed. What can be delivered is read from the ledger, which is its only record."""
    instrument = instruments[instrument_id]
    if is_contract(instrument):
        return positions[account_id, instrument_id].position_lots
    units = -amounts[account_id, instrument.base_asset_id]
    return units // instrument.lot_units


@inner
def held(risk, account_id, i):
    """Lots held of an instrument, signed."""
    return held_lots(risk.instruments, risk.positions, risk.amounts, account_id, i)


@inner
def lot_value(instrument):
    """A lot at the mark, in minor units."""
    return instrument.mark_ticks * instrument.tick_value_minor


# Parts ------------------------------------------------------------------------------------------------------


@kernel
def part_of_instrument(risk, account_id, i, more):
    """What an instrument adds to an account's figures, with `more` lots (signed) ordered on top.

    Returns holdings, charge, retail minimum and gross value, in minor units. Each is for the larger of what
    the position becomes if all bids fill and if all asks fill, so that every partial fill is covered.
    """
    instrument = risk.instruments[i]
    row = risk.positions[account_id, i]
    terms = risk.terms[i]
    lots = held(risk, account_id, i)
    value = lot_value(instrument)
    up = lots + row.open_buy_lots + max(more, 0)
    down = lots - row.open_sell_lots + min(more, 0)
    worst = max(abs(up), abs(down))
    holding = lots * value
    if is_contract(instrument):
        holding -= row.cost_minor
    elif holding > 0 and terms.haircut_ppm != 0:
        holding -= part_up(holding, terms.haircut_ppm)
    retail = part_up(worst * value, terms.retail_cap_ppm) if terms.retail_cap_ppm != 0 else np.int64(0)
    return holding, charge_minor(instrument, terms, worst), retail, worst * value


@kernel
def part_of_underlying(risk, account_id, i, more_id, more, orders):
    """What the instruments of one underlying, of which `i` is any, add together. Returns basis and name.

    Basis: the floor under what its longs and shorts cancel of one another. Name: its value if its issuer can
    fail alone. Both for the worst that open orders can make of it, with `more` lots of `more_id` on top; with
    `orders` zero for what is held alone.
    """
    longs, shorts, up, down = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    rate, is_name = np.int64(0), np.int64(0)
    j = i
    while True:
        row = risk.positions[account_id, j]
        extra = more if j == more_id else 0
        value = lot_value(risk.instruments[j])
        lots = held(risk, account_id, j)
        high = (lots + orders * row.open_buy_lots + max(extra, 0)) * value
        low = (lots - orders * row.open_sell_lots + min(extra, 0)) * value
        longs += max(high, 0)
        shorts += max(-low, 0)
        up += high
        down += low
        rate = max(rate, risk.terms[j].basis_ppm)
        is_name |= risk.terms[j].is_single_name
        j = risk.ring[j]
        if j == i:
            break
    basis = part_up(min(longs, shorts), rate) if rate != 0 else np.int64(0)
    return basis, max(abs(up), abs(down)) if is_name != 0 else np.int64(0)


# Keeping ----------------------------------------------------------------------------------------------------


@inner
def is_fresh(risk, account_id):
    """Whether an account's figures are up to date."""
    return risk.figures[account_id, VERSION] == risk.version


@kernel
def leave(risk, account_id, i):
    """Take out what an instrument adds, before its row or what is held of it changes."""
    if is_fresh(risk, account_id):
        _count(risk, account_id, i, -1)


@kernel
def enter(risk, account_id, i):
    """Put in what an instrument adds, after the change."""
    if is_fresh(risk, account_id):
        _count(risk, account_id, i, 1)


@kernel
def _count(risk, account_id, i, sign):
    holding, charge, retail, gross = part_of_instrument(risk, account_id, i, 0)
    figures = risk.figures
    figures[account_id, HOLDINGS] += sign * holding
    figures[account_id, CHARGE] += sign * charge
    figures[account_id, RETAIL] += sign * retail
    figures[account_id, GROSS] += sign * gross
    if risk.terms[i].is_modelled != 0:
        basis, name = part_of_underlying(risk, account_id, i, 0, 0, 1)
        figures[account_id, BASIS] += sign * basis
        figures[account_id, NAMES] += sign * name
        risk.names[account_id, risk.instruments[i].base_asset_id] = name if sign > 0 else 0


@kernel
def hold(risk, account_id, i, lots):
    """Let an account's vector hold so many lots more."""
    if risk.terms[i].is_modelled != 0 and is_fresh(risk, account_id):
        _add(risk, risk.vectors_address, account_id, risk.profits_address, i, lots)


@kernel
def order(risk, account_id, i, lots, is_bid):
    """Let an account's vector reserve for so many lots more of open orders; negative lots take back.

    A bid can only do harm where a lot loses, an ask where it gains: summed over all orders this is the worst
    that any of them, filled in any part, can do in each scenario.
    """
    if risk.terms[i].is_modelled != 0 and is_fresh(risk, account_id):
        rows = risk.bid_losses_address if is_bid else risk.ask_losses_address
        _add(risk, risk.vectors_address, account_id, rows, i, lots)


@inner
def _add(risk, vectors, account_id, rows, i, lots):
    count = risk.scenario_count
    add_scaled(vectors + account_id * count * _BYTES, rows + i * count * _BYTES, lots, count)


@kernel
def freshen(risk, account_id):
    """Make an account's figures and vector anew, if they are not up to date."""
    if is_fresh(risk, account_id):
        return
    figures = risk.figures
    for at in range(HOLDINGS, GROSS + 1):
        figures[account_id, at] = 0
    risk.names[account_id, :] = 0
    vector = risk.vectors_address + account_id * risk.scenario_count * _BYTES
    clear(vector, risk.scenario_count)
    figures[account_id, VERSION] = risk.version
    for i in range(1, len(risk.instruments)):
        if risk.instruments[i].instrument_id == 0:
            continue
        row = risk.positions[account_id, i]
        lots = held(risk, account_id, i)
        if lots == 0 and row.open_buy_lots == 0 and row.open_sell_lots == 0 and row.cost_minor == 0:
            continue
        holding, charge, retail, gross = part_of_instrument(risk, account_id, i, 0)
        figures[account_id, HOLDINGS] += holding
        figures[account_id, CHARGE] += charge
        figures[account_id, RETAIL] += retail
        figures[account_id, GROSS] += gross
        if risk.terms[i].is_modelled != 0:
            _add(risk, risk.vectors_address, account_id, risk.profits_address, i, lots)
            _add(risk, risk.vectors_address, account_id, risk.bid_losses_address, i, row.open_buy_lots)
            _add(risk, risk.vectors_address, account_id, risk.ask_losses_address, i, row.open_sell_lots)
            if is_first_of_underlying(risk, account_id, i):
                basis, name = part_of_underlying(risk, account_id, i, 0, 0, 1)
                figures[account_id, BASIS] += basis
                figures[account_id, NAMES] += name
                risk.names[account_id, risk.instruments[i].base_asset_id] = name


@kernel
def is_first_of_underlying(risk, account_id, i):
    """Whether no instrument before `i` of the same underlying is held or ordered, but `i` is."""
    if not _is_used(risk, account_id, i):
        return False
    j = risk.ring[i]
    while j != i:
        if j < i and _is_used(risk, account_id, j):
            return False
        j = risk.ring[j]
    return True


@inner
def _is_used(risk, account_id, i):
    row = risk.positions[account_id, i]
    return (row.open_buy_lots | row.open_sell_lots) != 0 or held(risk, account_id, i) != 0
