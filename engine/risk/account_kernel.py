"""The figures of an account that margin is made of, kept with every order and execution.

A change of an instrument puts its new part in the place of the old one; the vector takes the change itself,
for it is linear in lots. What is not up to date is made anew when it is asked for. All are whole numbers, so
that figures kept and figures made anew are the same to the last unit.

Owns: what one instrument, one underlying, one vector adds. Does not own: what margin follows of it
(margin_kernel.py).
"""

import numpy as np

from engine.compiled_kernel import inner, kernel
from engine.memory_kernel import prefetch
from engine.risk.charge_kernel import (
    charge_minor,
    haircut_minor,
    has_haircut,
    lot_gross,
    lot_size,
    lot_value,
    part_up,
)
from engine.risk.risk_block_kernel import (
    BASIS,
    CHANGED,
    CHARGE,
    FIGURE_COUNT,
    GROSS,
    HOLDINGS,
    NAMES,
    NEW_ASKS,
    NEW_BIDS,
    PART_COUNT,
    RETAIL,
    RISK_MINOR,
    UNKNOWN,
    VERSION,
)
from engine.risk.vector_kernel import add_scaled, clear
from schemas.codes import InstrumentClass
from schemas.derive.layout import dtype_of
from schemas.risk import PositionRow

_CFD = int(InstrumentClass.CFD)
_PERPETUAL = int(InstrumentClass.PERPETUAL)
_OPTION = int(InstrumentClass.OPTION)
_BYTES = 8
_LINE = 8  # words
_POSITION_WORDS = dtype_of(PositionRow).itemsize // _BYTES


@kernel
def is_contract(instrument):
    """Whether a position is a claim on a price difference and never delivered."""
    kind = instrument.instrument_class_code
    return kind == _CFD or kind == _PERPETUAL or kind == _OPTION


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


@kernel
def no_collateral(risk, account_id, i, lots):
    """What of so many lots that are held is no collateral: a haircut, or all of what the owner issues."""
    instrument, terms = risk.instruments[i], risk.terms[i]
    if instrument.base_asset_id == risk.account_terms[account_id].own_asset_id:
        return lots * lot_value(instrument)
    return haircut_minor(terms, lots, lot_value(instrument))


# Parts ------------------------------------------------------------------------------------------------------


@kernel
def part_of_instrument(risk, account_id, i, more):
    """What an instrument adds to an account's figures, with `more` lots (signed) ordered on top.

    Returns holdings, charge, retail minimum and gross value, in minor units. Each is for the larger of what
    the position becomes if all bids fill and if all asks fill, so that every partial fill is covered; and for
    what equity falls by as orders fill: the haircut of bids for collateral, losses to the mark, fees.
    """
    instrument = risk.instruments[i]
    row = risk.positions[account_id, i]
    terms = risk.terms[i]
    lots = held(risk, account_id, i)
    value = lot_value(instrument)
    up = lots + row.open_buy_lots + max(more, 0)
    down = lots - row.open_sell_lots + min(more, 0)
    worst = max(abs(up), abs(down))
    holding, cut = lots * value, np.int64(0)
    if is_contract(instrument):
        holding -= row.cost_minor
    elif has_haircut(terms) or risk.account_terms[account_id].own_asset_id != 0:
        off = no_collateral(risk, account_id, i, max(lots, 0))
        holding -= off
        if up > lots:
            cut = no_collateral(risk, account_id, i, max(up, 0)) - off
    falls = cut + row.open_loss_minor
    size, gross = worst * abs(lot_size(instrument, terms)), worst * lot_gross(instrument, terms)
    retail = part_up(size, terms.retail_cap_ppm) if terms.retail_cap_ppm != 0 else np.int64(0)
    return holding, charge_minor(instrument, terms, worst) + falls, retail + falls, gross


@kernel
def part_of_underlying(risk, account_id, i, more_id, more, orders):
    """What the instruments of one underlying, of which `i` is any, add together. Returns basis and name.

    Basis: the floor under what longs of one instrument and shorts of another cancel of each other; with
    orders on both sides, at most the largest against all others. Name: its value if its issuer can fail
    alone. Both for the worst that open orders can make of it, with `more` lots of `more_id` on top; with
    `orders` zero for what is held alone.
    """
    longs, shorts, up, down = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    sizes, largest, rate, is_name = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    j = i
    while True:
        row = risk.positions[account_id, j]
        extra = more if j == more_id else 0
        value = lot_size(risk.instruments[j], risk.terms[j])
        lots = held(risk, account_id, j)
        if_bought = (lots + orders * row.open_buy_lots + max(extra, 0)) * value
        if_sold = (lots - orders * row.open_sell_lots + min(extra, 0)) * value
        high, low = max(if_bought, if_sold), min(if_bought, if_sold)
        longs += max(high, 0)
        shorts += max(-low, 0)
        up += high
        down += low
        size = max(abs(high), abs(low))
        sizes += size
        largest = max(largest, size)
        rate = max(rate, risk.terms[j].basis_ppm)
        is_name |= risk.terms[j].is_single_name
        j = risk.ring[j]
        if j == i:
            break
    basis = part_up(min(min(longs, shorts), sizes - largest), rate) if rate != 0 else np.int64(0)
    return basis, max(abs(up), abs(down)) if is_name != 0 else np.int64(0)


# Ahead ------------------------------------------------------------------------------------------------------


@inner
def foresee_account(risk, account_id, i):
    """Ask for the memory of an account that an order of an instrument will need; zero for any."""
    prefetch(risk.figures_address, account_id * FIGURE_COUNT)
    prefetch(risk.figures_address, account_id * FIGURE_COUNT + _LINE)
    first = account_id * risk.scenario_count
    prefetch(risk.vectors_address, first)
    prefetch(risk.vectors_address, first + _LINE)
    prefetch(risk.vectors_address, first + 2 * _LINE)
    row = account_id * risk.positions.shape[1] + i
    prefetch(risk.positions_address, row * _POSITION_WORDS)
    prefetch(risk.positions_address, row * _POSITION_WORDS + _LINE)
    prefetch(risk.parts_address, row * PART_COUNT)


# Keeping ----------------------------------------------------------------------------------------------------
#
# What changes is noted, and counted when it is asked for: an order that is moved takes its reserve back and
# reserves again, which comes to nothing or little. A lot that is held is a bid more and an ask less to the
# vector, for its profit is what a bid can lose of it less what an ask can.


@inner
def is_fresh(risk, account_id):
    """Whether an account's figures are up to date but for the instrument that is noted."""
    return risk.figures[account_id, VERSION] == risk.version


@kernel
def note(risk, account_id, i, bids, asks):
    """Note that an account has other lots or orders of an instrument, and how many more to reserve for."""
    if not is_fresh(risk, account_id):
        return
    figures = risk.figures[account_id]
    if figures[CHANGED] != i:
        if figures[CHANGED] != 0:
            _settle(risk, account_id)
        figures[CHANGED] = i
    figures[NEW_BIDS] += bids
    figures[NEW_ASKS] += asks


@kernel
def freshen(risk, account_id):
    """Bring an account's figures and vector up to date."""
    if not is_fresh(risk, account_id):
        _make(risk, account_id)
    elif risk.figures[account_id, CHANGED] != 0:
        _settle(risk, account_id)


@kernel
def _settle(risk, account_id):
    figures = risk.figures[account_id]
    i = figures[CHANGED]
    if risk.terms[i].is_modelled != 0:
        _reserve(risk, account_id, i, figures[NEW_BIDS], figures[NEW_ASKS])
    figures[CHANGED], figures[NEW_BIDS], figures[NEW_ASKS] = 0, 0, 0
    _count(risk, account_id, i)


@kernel
def _reserve(risk, account_id, i, bids, asks):
    """Let the vector reserve for so many lots more.

    A bid can only do harm where a lot loses, an ask where it gains: summed over all orders this is the worst
    that any of them, filled in any part, can do in each scenario.
    """
    if (bids | asks) == 0:
        return
    count = risk.scenario_count
    vector, row = risk.vectors_address + account_id * count * _BYTES, i * count * _BYTES
    if bids != 0:
        add_scaled(vector, risk.bid_losses_address + row, bids, count)
    if asks != 0:
        add_scaled(vector, risk.ask_losses_address + row, asks, count)
    risk.figures[account_id, RISK_MINOR] = UNKNOWN


@kernel
def _count(risk, account_id, i):
    """Put what an instrument adds now in the place of what it added."""
    figures, part = risk.figures[account_id], risk.parts[account_id, i]
    holding, charge, retail, gross = part_of_instrument(risk, account_id, i, 0)
    figures[HOLDINGS] += holding - part[0]
    figures[CHARGE] += charge - part[1]
    figures[RETAIL] += retail - part[2]
    figures[GROSS] += gross - part[3]
    part[0], part[1], part[2], part[3] = holding, charge, retail, gross
    if risk.terms[i].is_modelled != 0:
        underlying_id = risk.instruments[i].base_asset_id
        basis, name = part_of_underlying(risk, account_id, i, 0, 0, 1)
        figures[BASIS] += basis - risk.bases[account_id, underlying_id]
        figures[NAMES] += name - risk.names[account_id, underlying_id]
        risk.bases[account_id, underlying_id] = basis
        risk.names[account_id, underlying_id] = name


@kernel
def _make(risk, account_id):
    """Make an account's figures and vector anew."""
    figures = risk.figures[account_id]
    figures[VERSION] = risk.version
    for at in (HOLDINGS, CHARGE, RETAIL, GROSS, BASIS, NAMES, CHANGED, NEW_BIDS, NEW_ASKS):
        figures[at] = 0
    risk.parts[account_id] = 0
    risk.bases[account_id] = 0
    risk.names[account_id] = 0
    figures[RISK_MINOR] = UNKNOWN
    count = risk.scenario_count
    vector = risk.vectors_address + account_id * count * _BYTES
    clear(vector, count)
    for i in range(1, len(risk.instruments)):
        if risk.instruments[i].instrument_id == 0:
            continue
        row = risk.positions[account_id, i]
        lots = held(risk, account_id, i)
        if lots == 0 and (row.open_buy_lots | row.open_sell_lots | row.open_loss_minor | row.cost_minor) == 0:
            continue
        if risk.terms[i].is_modelled != 0:
            if lots != 0:
                add_scaled(vector, risk.profits_address + i * count * _BYTES, lots, count)
            _reserve(risk, account_id, i, row.open_buy_lots, row.open_sell_lots)
        _count(risk, account_id, i)
