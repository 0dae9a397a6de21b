"""Equity and margin of one account: one number for everything that it holds and has open.

    initial margin     = initial rate x max(scenario risk of positions and orders, names) + add-ons
    maintenance margin = max(scenario risk of positions, names) + add-ons
    scenario risk      = max(mean of worst historical losses, mean of worst stress losses, worst extreme loss)

Compiled, called on every order by the one pass. Money in minor units, charges rounded up. The model and its
sources: docs/margin.md.
"""

import numpy as np

from engine.blocks_kernel import at_address
from engine.compiled_kernel import inner, kernel
from engine.risk.account_kernel import (
    freshen,
    held,
    part_of_instrument,
    part_of_underlying,
)
from engine.risk.charge_kernel import charge_minor, part_up
from engine.risk.risk_block_kernel import (
    BASIS,
    CHARGE,
    GROSS,
    HISTORICAL_LEVEL,
    HOLDINGS,
    NAMES,
    RETAIL,
    RISK_BLOCK,
    RISK_MINOR,
    STRESS_LEVEL,
    UNKNOWN,
)
from engine.risk.vector_kernel import (
    add_scaled,
    clear,
    copy_scaled,
    divided_up,
    excess_over,
    tail_mean,
    worst_loss,
)
from schemas.codes import AccountClass

LARGEST_GROSS = 1 << 49  # minor units: beyond it vectors might not fit their words
_BEYOND_ALL = 1 << 60
_CASH_ACCOUNT = int(AccountClass.CUSTOMER_CASH)
_BYTES = 8
_MILLICENTS = 1_000  # in a minor unit
_MILLION = 1_000_000
_risk_at = at_address(RISK_BLOCK)


@kernel
def is_cash_account(account):
    """Whether the account pays in full and sells only what it has."""
    return account.account_class_code == _CASH_ACCOUNT


@kernel
def open_bids_minor(positions, account_id):
    """What resting bids would cost at their limits, over all instruments."""
    total = np.int64(0)
    for i in range(1, positions.shape[1]):
        total += positions[account_id, i].open_buy_minor
    return total


# Equity and initial margin ----------------------------------------------------------------------------------


@kernel
def equity(risk, account_id):
    """Cash plus positions at their marks, less haircuts, in minor units."""
    freshen(risk, account_id)
    return risk.figures[account_id, HOLDINGS] - risk.amounts[account_id, risk.money_asset_id]


@kernel
def initial_margin(risk, account_id):
    """What an account's positions and open orders require."""
    freshen(risk, account_id)
    figures = risk.figures[account_id]
    if figures[GROSS] > LARGEST_GROSS:
        return np.int64(_BEYOND_ALL)
    at_risk = max(_risk_as_it_is(risk, account_id), _names_minor(risk, account_id, figures[NAMES], 0, 0))
    return _initial(risk, account_id, at_risk, figures[CHARGE] + figures[BASIS], figures[RETAIL])


@inner
def _initial(risk, account_id, at_risk, add_ons, retail):
    total = part_up(at_risk, risk.model[0].initial_ppm) + add_ons
    return max(total, retail) if risk.account_terms[account_id].is_retail != 0 else total


@inner
def _vector(risk, account_id):
    return risk.vectors_address + account_id * risk.scenario_count * _BYTES


@inner
def _row(risk, rows_address, i):
    return rows_address + i * risk.scenario_count * _BYTES


# Scenario risk ----------------------------------------------------------------------------------------------


@kernel
def _scenario_risk(risk, account_id, vector):
    """The scenario risk of a vector, in minor units, rounded up."""
    levels = risk.figures_address + account_id * risk.figures.shape[1] * _BYTES
    scratch = risk.scratch_address + risk.scenario_count * _BYTES
    worst = worst_loss(vector, vector, 0, risk.extreme_from, risk.scenario_count)
    if risk.stress_from > 0:
        mean = tail_mean(vector, 0, risk.stress_from, risk.historical_tail, levels, HISTORICAL_LEVEL, scratch)
        worst = max(worst, mean)
    if risk.extreme_from > risk.stress_from:
        mean = tail_mean(
            vector, risk.stress_from, risk.extreme_from, risk.stress_tail, levels, STRESS_LEVEL, scratch
        )
        worst = max(worst, mean)
    return divided_up(worst, _MILLICENTS)


@kernel
def _risk_as_it_is(risk, account_id):
    """The scenario risk of what an account holds and has open, kept until its vector changes."""
    figures = risk.figures[account_id]
    if figures[RISK_MINOR] == UNKNOWN:
        none = risk.scenario_count == 0
        figures[RISK_MINOR] = 0 if none else _scenario_risk(risk, account_id, _vector(risk, account_id))
    return figures[RISK_MINOR]


@kernel
def _risk_bound(risk, account_id, vector, row, lots):
    """No less than the scenario risk of a vector plus `lots` times a row, in minor units.

    For any level at all, level + mean excess over it of the tail is no less than the tail's mean; the nearer
    the level is to the tail's least loss, the closer.
    Source: Rockafellar and Uryasev, "Optimization of conditional value-at-risk" (2000), theorem 1.
    """
    worst = worst_loss(vector, row, lots, risk.extreme_from, risk.scenario_count)
    if risk.stress_from > 0:
        level = risk.figures[account_id, HISTORICAL_LEVEL]
        excess = excess_over(vector, row, lots, 0, risk.stress_from, level)
        worst = max(worst, level + divided_up(excess, risk.historical_tail))
    if risk.extreme_from > risk.stress_from:
        level = risk.figures[account_id, STRESS_LEVEL]
        excess = excess_over(vector, row, lots, risk.stress_from, risk.extreme_from, level)
        worst = max(worst, level + divided_up(excess, risk.stress_tail))
    return divided_up(worst, _MILLICENTS)


@kernel
def _names_minor(risk, account_id, gross, changed_id, changed):
    """What single names ask: a part of all, and of the two largest. That of `changed_id` is `changed`."""
    if gross == 0:
        return np.int64(0)
    names = risk.names[account_id]
    kept = names[changed_id]
    names[changed_id] = changed if changed_id != 0 else kept
    first = np.int64(0)
    for name_id in range(len(names)):
        first = max(first, names[name_id])
    second, times = np.int64(0), 0
    for name_id in range(len(names)):
        second = max(second, names[name_id] if names[name_id] < first else np.int64(0))
        times += 1 if names[name_id] == first else 0
    names[changed_id] = kept
    return _names_charge(risk, gross, first + (second if times == 1 else first))


@inner
def _names_charge(risk, gross, two_largest):
    return part_up(gross, risk.model[0].names_ppm) + part_up(two_largest, risk.model[0].top_two_ppm)


# Before an order --------------------------------------------------------------------------------------------


@kernel
def can_carry(risk, account_id, i, more, left):
    """Whether `left` minor units are enough for the margin with `more` lots (signed) ordered on top.

    First by a bound that is never too low, then exactly. An account that has not enough may still do what
    lowers its risk.
    """
    freshen(risk, account_id)
    figures = risk.figures[account_id]
    _holding, charge, retail, gross = part_of_instrument(risk, account_id, i, more)
    basis, name, name_id = np.int64(0), np.int64(0), np.int64(0)
    is_modelled = risk.terms[i].is_modelled != 0
    if is_modelled:
        name_id = risk.instruments[i].base_asset_id
        basis, name = part_of_underlying(risk, account_id, i, i, more, 1)
    vector = _vector(risk, account_id)
    row = _row(risk, risk.bid_losses_address if more > 0 else risk.ask_losses_address, i)
    lots = abs(more) if is_modelled and risk.scenario_count != 0 else np.int64(0)
    if lots == 0:
        bound = _risk_as_it_is(risk, account_id)
    else:
        bound = _risk_bound(risk, account_id, vector, row, lots)
    # The instrument's part as it is stands in the figures already: with enough for both, look no closer.
    if figures[GROSS] + gross <= LARGEST_GROSS:
        names = figures[NAMES] + name
        add_ons = figures[CHARGE] + figures[BASIS] + charge + basis
        most = max(bound, _names_charge(risk, names, names))
        if left >= _initial(risk, account_id, most, add_ons, figures[RETAIL] + retail):
            return True
    part = risk.parts[account_id, i]
    if figures[GROSS] + gross - part[3] > LARGEST_GROSS:
        return False
    add_ons = figures[CHARGE] + figures[BASIS] + charge - part[1]
    retail += figures[RETAIL] - part[2]
    names = figures[NAMES]
    if is_modelled:
        add_ons += basis - risk.bases[account_id, name_id]
        names += name - risk.names[account_id, name_id]
    exact = bound
    if lots != 0:
        copy_scaled(risk.scratch_address, vector, row, lots, risk.scenario_count)
        exact = _scenario_risk(risk, account_id, risk.scratch_address)
    exact = max(exact, _names_minor(risk, account_id, names, name_id, name))
    if left >= _initial(risk, account_id, exact, add_ons, retail):
        return True
    return more != 0 and _lowers_risk(risk, account_id, i, more)


# Positions alone --------------------------------------------------------------------------------------------


@kernel
def maintenance_margin(risk, account_id, more_id, more):
    """What an account's positions require with `more` lots of one on top, its open orders left out."""
    add_ons = np.int64(0)
    for i in range(1, len(risk.instruments)):
        if risk.terms[i].is_modelled == 0:
            continue
        lots = held(risk, account_id, i) + (more if i == more_id else 0)
        if lots != 0:
            add_ons += charge_minor(risk.instruments[i], risk.terms[i], abs(lots))
        if is_first_of_ring(risk, i):
            add_ons += _held_of_underlying(risk, account_id, i, more_id, more)[0]
    return _risk_of_positions(risk, account_id, more_id, more) + add_ons


@kernel
def _held_of_underlying(risk, account_id, i, more_id, more):
    """Basis and name of an underlying with `more` lots of an instrument, which need not be one of it."""
    if more_id != 0 and risk.instruments[i].base_asset_id == risk.instruments[more_id].base_asset_id:
        return part_of_underlying(risk, account_id, i, more_id, more, 0)
    return part_of_underlying(risk, account_id, i, 0, 0, 0)


@kernel
def _lowers_risk(risk, account_id, i, more):
    """Whether an order filled in full leaves no more at risk than there is, whatever else fills.

    Risk is convex in what is filled, so no part of the order leaves more either. That an order reduces a
    position does not say it: one leg of a hedge closed leaves the other. The account's other orders are taken
    at their worst, so that of several such orders no fill leaves more than was reserved for. Without a model
    only what closes a position lowers the risk.
    """
    if risk.terms[i].is_modelled == 0:
        row = risk.positions[account_id, i]
        lots = held(risk, account_id, i)
        free = -lots - row.open_buy_lots if more > 0 else lots - row.open_sell_lots
        if abs(more) > free:
            return False
    elif risk.scenario_count != 0:
        vector, target = _vector(risk, account_id), risk.scratch_address
        copy_scaled(target, vector, _row(risk, risk.profits_address, i), more, risk.scenario_count)
        if _scenario_risk(risk, account_id, target) > _scenario_risk(risk, account_id, vector):
            return False
    return _risk_of_positions(risk, account_id, i, more) <= _risk_of_positions(risk, account_id, 0, 0)


@kernel
def _risk_of_positions(risk, account_id, more_id, more):
    """Scenario risk or names of an account's positions, with `more` lots of one; without a model, by rate.

    A rate is of initial margin: of maintenance it asks as much less as scenario risk does.
    """
    count = risk.scenario_count
    vector = risk.scratch_address
    clear(vector, count)
    rates, names, first, second = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for i in range(1, len(risk.instruments)):
        if risk.instruments[i].instrument_id == 0:
            continue
        lots = held(risk, account_id, i) + (more if i == more_id else 0)
        if risk.terms[i].is_modelled == 0:
            rates += charge_minor(risk.instruments[i], risk.terms[i], abs(lots))
            continue
        if lots != 0:
            add_scaled(vector, _row(risk, risk.profits_address, i), lots, count)
        if is_first_of_ring(risk, i):
            value = _held_of_underlying(risk, account_id, i, more_id, more)[1]
            names += value
            if value > first:
                first, second = value, first
            elif value > second:
                second = value
    at_risk = _names_charge(risk, names, first + second)
    if count != 0:
        at_risk = max(at_risk, _scenario_risk(risk, account_id, vector))
    rate = risk.model[0].initial_ppm
    return at_risk + (rates // rate) * _MILLION + divided_up((rates % rate) * _MILLION, rate)


@kernel
def is_first_of_ring(risk, i):
    """Whether no instrument before `i` has the same underlying."""
    j = risk.ring[i]
    while j != i:
        if j < i:
            return False
        j = risk.ring[j]
    return True


# For Python -------------------------------------------------------------------------------------------------


@kernel
def equity_at(address, account_id) -> int:
    """`equity` by the address of a risk block."""
    return equity(_risk_at(address), account_id)


@kernel
def initial_margin_at(address, account_id) -> int:
    """`initial_margin` by the address of a risk block."""
    return initial_margin(_risk_at(address), account_id)


@kernel
def maintenance_with_at(address, account_id, more_id, more) -> int:
    """`maintenance_margin` by the address of a risk block."""
    return maintenance_margin(_risk_at(address), account_id, more_id, more)


@kernel
def risk_with_at(address, account_id, more_id, more) -> int:
    """What is at risk of an account's positions, with `more` lots of one on top."""
    return _risk_of_positions(_risk_at(address), account_id, more_id, more)


@kernel
def charge_at(address, instrument_id, lots) -> int:
    """What an absolute number of lots asks beyond its scenarios."""
    risk = _risk_at(address)
    return charge_minor(risk.instruments[instrument_id], risk.terms[instrument_id], lots)
