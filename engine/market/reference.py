"""Reference data of the market, decided one command at a time: assets, instruments, states, marks, days.

Does not own matching: that is the compiled pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.emit import Emit, refuse
from engine.market.books import day_orders, forget_day
from engine.market.matching_kernel import remove
from engine.market.order_id_kernel import find_order
from engine.risk.room import LARGEST_HOLDING, LARGEST_VALUE, held_units, is_worth_room
from schemas.codes import (
    AssetClass,
    InstrumentClass,
    InstrumentState,
    RejectReason,
    Side,
)
from schemas.market import (
    AssetRegistered,
    BusinessDayStarted,
    ChangeInstrumentState,
    ConfigureEngine,
    InstrumentListed,
    InstrumentStateChanged,
    ListInstrument,
    MarkChanged,
    OrderExpired,
    RegisterAsset,
    SetMark,
    StartBusinessDay,
)
from schemas.record import record_of

if TYPE_CHECKING:
    from engine.state import State

_CONTRACTS = (InstrumentClass.CFD, InstrumentClass.PERPETUAL)


def configure_again(state: State, command: ConfigureEngine, emit: Emit) -> None:
    """Capacities are fixed for the life of a journal."""
    refuse(emit, command, RejectReason.ALREADY_EXISTS)


def register_asset(state: State, command: RegisterAsset, emit: Emit) -> None:
    """Make an asset known; ids are dense and never change their meaning."""
    if not 1 <= command.asset_id <= state.capacity.asset_count:
        return refuse(emit, command, RejectReason.CAPACITY_REACHED)
    if command.asset_id in state.assets:
        return refuse(emit, command, RejectReason.ALREADY_EXISTS)
    if command.asset_class_code not in set(AssetClass) or not 0 <= command.unit_digits <= 18:
        return refuse(emit, command, RejectReason.BAD_DECLARATION)
    emit(AssetRegistered, **_shared(command, AssetRegistered))


def list_instrument(state: State, command: ListInstrument, emit: Emit) -> None:
    """Make an instrument tradable, if no product of its price and size can overflow."""
    if not 1 <= command.instrument_id <= state.capacity.instrument_count:
        return refuse(emit, command, RejectReason.CAPACITY_REACHED)
    if state.instruments[command.instrument_id]["instrument_id"] != 0:
        return refuse(emit, command, RejectReason.ALREADY_EXISTS)
    if command.base_asset_id not in state.assets or command.quote_asset_id != state.money_asset_id:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    if not _is_sound(state, command):
        return refuse(emit, command, RejectReason.BAD_DECLARATION)
    emit(InstrumentListed, **_shared(command, InstrumentListed))


def _is_sound(state: State, command: ListInstrument) -> bool:
    highest = command.window_floor_ticks + state.capacity.window_count
    is_positive = min(command.lot_units, command.tick_value_minor, command.max_order_lots) >= 1
    return (
        is_positive
        and command.instrument_class_code in set(InstrumentClass)
        and command.window_floor_ticks >= 0
        and highest * command.max_order_lots * command.tick_value_minor <= LARGEST_VALUE
        and command.max_order_lots * command.lot_units <= LARGEST_HOLDING
        and is_worth_room(
            held_units(state, command.base_asset_id),
            command.lot_units,
            highest,
            command.tick_value_minor,
        )
        and all(0 <= bps <= 10_000 for bps in (command.collar_bps, command.margin_bps, command.fee_bps))
        and 0 <= command.settlement_cycle_count <= 2
        and not _is_delivered_twice(state, command)
    )


def _is_delivered_twice(state: State, command: ListInstrument) -> bool:
    """An asset is valued by the one instrument that delivers it."""
    if command.instrument_class_code in _CONTRACTS:
        return False
    listed = state.instruments[state.instruments["instrument_id"] != 0]
    delivers = ~np.isin(listed["instrument_class_code"], _CONTRACTS)
    return bool(np.any(listed["base_asset_id"][delivers] == command.base_asset_id))


def change_instrument_state(state: State, command: ChangeInstrumentState, emit: Emit) -> None:
    """Open, halt or close; resting orders stay and can be cancelled."""
    if not _is_listed(state, command.instrument_id):
        return refuse(emit, command, RejectReason.UNKNOWN_INSTRUMENT)
    if command.instrument_state_code not in set(InstrumentState):
        return refuse(emit, command, RejectReason.UNKNOWN_CODE)
    emit(InstrumentStateChanged, **_shared(command, InstrumentStateChanged))


def set_mark(state: State, command: SetMark, emit: Emit) -> None:
    """Set the price of valuation; it must be one that the book could hold."""
    if not _is_listed(state, command.instrument_id):
        return refuse(emit, command, RejectReason.UNKNOWN_INSTRUMENT)
    floor = int(state.instruments[command.instrument_id]["window_floor_ticks"])
    if not max(floor, 1) <= command.mark_ticks < floor + state.capacity.window_count:
        return refuse(emit, command, RejectReason.BAD_PRICE)
    emit(MarkChanged, **_shared(command, MarkChanged))


def start_business_day(state: State, command: StartBusinessDay, emit: Emit) -> None:
    """Take yesterday's day orders off the book, then begin the day.

    Days only go forward, and yesterday's trades must have been through a settlement cycle.
    """
    days = (command.business_epoch_day, command.next_epoch_day, command.second_epoch_day)
    nets = state.positions
    has_unnetted = nets["day_net_lots"].any() or nets["day_net_minor"].any()
    if has_unnetted or not state.business_epoch_day < days[0] < days[1] < days[2]:
        return refuse(emit, command, RejectReason.WRONG_STATE)
    leaving = day_orders(state.books)
    for order in leaving:
        emit(
            OrderExpired,
            order_id=int(order["order_id"]),
            account_id=int(order["account_id"]),
            client_order_id=int(order["client_order_id"]),
            instrument_id=int(order["instrument_id"]),
            expired_lots=int(order["open_lots"]),
        )
    shared = _shared(command, BusinessDayStarted)
    emit(BusinessDayStarted, **shared, expired_order_count=len(leaving))


def _is_listed(state: State, instrument_id: int) -> bool:
    in_range = 1 <= instrument_id <= state.capacity.instrument_count
    return in_range and state.instruments[instrument_id]["instrument_id"] != 0


def _shared(command: object, event: type) -> dict[str, int]:
    """The columns that a command hands on to its event by name."""
    header = {"sequence", "cause_sequence", "occurred_at_ns"}
    names = [c.name for c in record_of(event).columns if c.name not in header]
    return {n: getattr(command, n) for n in names if hasattr(command, n)}


# Applied --------------------------------------------------------------------------------------


def asset_registered(state: State, event: AssetRegistered) -> None:
    """Know the asset; the first currency is the one that margin is told in."""
    state.assets[event.asset_id] = event
    if state.money_asset_id == 0 and event.asset_class_code == AssetClass.CURRENCY:
        state.money_asset_id = event.asset_id


def instrument_listed(state: State, event: InstrumentListed) -> None:
    """Fill the instrument's row; it opens when told to."""
    row = state.instruments[event.instrument_id]
    for name in state.instruments.dtype.names or ():
        if hasattr(event, name):
            row[name] = getattr(event, name)
    row["instrument_state_code"] = InstrumentState.CLOSED
    _set_settlement_day(state, event.instrument_id)


def _set_settlement_day(state: State, instrument_id: int) -> None:
    days = (state.business_epoch_day, state.next_epoch_day, state.second_epoch_day)
    row = state.instruments[instrument_id]
    row["settlement_epoch_day"] = days[int(row["settlement_cycle_count"])]


def instrument_state_changed(state: State, event: InstrumentStateChanged) -> None:
    """Take the new state."""
    state.instruments[event.instrument_id]["instrument_state_code"] = event.instrument_state_code


def mark_changed(state: State, event: MarkChanged) -> None:
    """Take the new mark."""
    state.instruments[event.instrument_id]["mark_ticks"] = event.mark_ticks


def order_expired(state: State, event: OrderExpired) -> None:
    """Take a day order off the book and out of the account's open quantity."""
    slot = int(find_order(state.books, event.account_id, event.client_order_id))
    order = state.books.orders[slot]
    instrument_id, lots = int(order["instrument_id"]), int(order["open_lots"])
    row = state.positions[event.account_id, instrument_id]
    if order["side_code"] == Side.BUY:
        value = int(state.instruments[instrument_id]["tick_value_minor"])
        row["open_buy_lots"] -= lots
        row["open_buy_minor"] -= lots * int(order["price_ticks"]) * value
    else:
        row["open_sell_lots"] -= lots
    remove(state.books, state.instruments, slot)


def business_day_started(state: State, event: BusinessDayStarted) -> None:
    """Turn the calendar and forget yesterday's client order ids."""
    state.business_epoch_day = event.business_epoch_day
    state.next_epoch_day = event.next_epoch_day
    state.second_epoch_day = event.second_epoch_day
    for instrument_id in np.flatnonzero(state.instruments["instrument_id"]):
        _set_settlement_day(state, int(instrument_id))
    forget_day(state.books)


HANDLERS = {
    ConfigureEngine: configure_again,
    RegisterAsset: register_asset,
    ListInstrument: list_instrument,
    ChangeInstrumentState: change_instrument_state,
    SetMark: set_mark,
    StartBusinessDay: start_business_day,
}
APPLIERS = {
    AssetRegistered: asset_registered,
    InstrumentListed: instrument_listed,
    InstrumentStateChanged: instrument_state_changed,
    MarkChanged: mark_changed,
    OrderExpired: order_expired,
    BusinessDayStarted: business_day_started,
}
