"""The settlement cycle: a business day's trades become obligations, contracts are marked to cash.

Owns the netting and the variation. Does not own what becomes of an obligation: see `delivery.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.emit import OWN_SEQUENCE, Emit, refuse
from engine.settlement.state import Obligation
from schemas.codes import AccountClass, ObligationSide, RejectReason
from schemas.settlement import (
    RunSettlementCycle,
    SettlementCycleCompleted,
    SettlementInstructed,
    VariationSettled,
)

if TYPE_CHECKING:
    from engine.state import State


class Leg(NamedTuple):
    """What one account owes or is owed in one instrument."""

    side: ObligationSide
    units: int
    minor: int


class Variation(NamedTuple):
    """What a contract position gained since it was last marked to cash."""

    position_lots: int
    mark_ticks: int
    variation_minor: int


class Due(NamedTuple):
    """All that a cycle does for one account in one instrument; a contract's has a variation."""

    account_id: int
    instrument_id: int
    legs: tuple[Leg, ...]
    variation: Variation | None = None


def run_settlement_cycle(state: State, command: RunSettlementCycle, emit: Emit) -> None:
    """Instruct what the day's trades come to, settle variation, close the cycle; or say why not.

    Accounts in order, in each its instruments in order, so that every replay numbers them alike.
    """
    reason = _why_not_run(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    dues = list(_dues(state))
    for due in dues:
        if due.variation is not None:
            emit(
                VariationSettled,
                account_id=due.account_id,
                instrument_id=due.instrument_id,
                **due.variation._asdict(),
            )
        for leg in due.legs:
            _instruct(state, due, leg, command.trade_epoch_day, emit)
    emit(
        SettlementCycleCompleted,
        trade_epoch_day=command.trade_epoch_day,
        obligation_count=sum(len(due.legs) for due in dues),
        variation_count=sum(due.variation is not None for due in dues),
    )


def has_open_trades(state: State) -> bool:
    """Whether trades of the business day wait for a cycle."""
    nets = state.positions
    return bool(nets["day_net_lots"].any() or nets["day_net_minor"].any())


def _why_not_run(state: State, c: RunSettlementCycle) -> RejectReason:
    is_done = c.trade_epoch_day <= state.settlement.cycle_epoch_day
    is_today = c.trade_epoch_day == state.business_epoch_day
    if is_done and not (is_today and has_open_trades(state)):
        return RejectReason.ALREADY_EXISTS
    if not is_today:
        return RejectReason.WRONG_STATE
    if any(state.is_contract(i) and not _mark(state, i) for _, i in _busy(state)):
        return RejectReason.NOT_CONFIGURED
    return RejectReason.NONE


def _busy(state: State) -> Iterator[tuple[int, int]]:
    """Account and instrument of every net or position that a cycle looks at, in order."""
    rows = state.positions
    columns = ("day_net_lots", "day_net_minor", "position_lots", "cost_minor")
    is_busy = np.any([rows[name] != 0 for name in columns], axis=0)
    is_busy &= (state.accounts["account_class_code"] != AccountClass.STREET)[:, None]
    accounts, instruments = np.nonzero(is_busy)
    yield from zip(accounts.tolist(), instruments.tolist(), strict=True)


def _dues(state: State) -> Iterator[Due]:
    for account_id, instrument_id in _busy(state):
        position = state.positions[account_id, instrument_id]
        if not state.is_contract(instrument_id):
            lots = int(position["day_net_lots"])
            units = lots * int(state.instruments[instrument_id]["lot_units"])
            yield Due(account_id, instrument_id, net_legs(units, int(position["day_net_minor"])))
        elif (variation := _variation(state, account_id, instrument_id)).variation_minor:
            gained = variation.variation_minor
            yield Due(account_id, instrument_id, net_legs(0, -gained), variation)


def net_legs(units: int, minor: int) -> tuple[Leg, ...]:
    """The obligations that a net comes to: `units` bought less sold, `minor` paid less received.

    Units go against the money that runs the other way. Money that runs the same way (a net buyer
    who is owed money) has nothing to go against and is an obligation of its own.
    """
    cash = Leg(ObligationSide.PAY_CASH if minor > 0 else ObligationSide.COLLECT_CASH, 0, abs(minor))
    if units == 0:
        return (cash,) if minor else ()
    side = ObligationSide.RECEIVE if units > 0 else ObligationSide.DELIVER
    if units * minor >= 0:
        return (Leg(side, abs(units), abs(minor)),)
    return Leg(side, abs(units), 0), cash


def _variation(state: State, account_id: int, instrument_id: int) -> Variation:
    position = state.positions[account_id, instrument_id]
    lots, cost = int(position["position_lots"]), int(position["cost_minor"])
    mark = _mark(state, instrument_id)
    tick_value = int(state.instruments[instrument_id]["tick_value_minor"])
    return Variation(lots, mark, lots * mark * tick_value - cost)


def _instruct(state: State, due: Due, leg: Leg, trade_epoch_day: int, emit: Emit) -> None:
    instrument = state.instruments[due.instrument_id]
    emit(
        SettlementInstructed,
        obligation_id=OWN_SEQUENCE,
        account_id=due.account_id,
        instrument_id=due.instrument_id,
        asset_id=int(instrument["base_asset_id"]) if leg.units else 0,
        quote_asset_id=int(instrument["quote_asset_id"]),
        obligation_side_code=int(leg.side),
        obligation_units=leg.units,
        obligation_minor=leg.minor,
        trade_epoch_day=trade_epoch_day,
        settlement_epoch_day=int(instrument["settlement_epoch_day"]),
    )


def _mark(state: State, instrument_id: int) -> int:
    return int(state.instruments[instrument_id]["mark_ticks"])


def apply_settlement_instructed(state: State, event: SettlementInstructed) -> None:
    """Enter the obligation; its units and money already wait on the street side since the trade."""
    state.settlement.obligations[event.obligation_id] = Obligation(
        event, event.obligation_units, event.obligation_minor
    )


def apply_variation_settled(state: State, event: VariationSettled) -> None:
    """From now on the position cost what it is worth at the mark."""
    state.positions["cost_minor"][event.account_id, event.instrument_id] += event.variation_minor


def apply_cycle_completed(state: State, event: SettlementCycleCompleted) -> None:
    """The day's nets are instructed; trades from now on net anew."""
    state.positions["day_net_lots"] = 0
    state.positions["day_net_minor"] = 0
    state.settlement.cycle_epoch_day = event.trade_epoch_day
