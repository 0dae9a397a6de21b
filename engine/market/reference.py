"""Reference data of the market, decided one command at a time: assets, instruments, states, marks, days.

Does not own matching: that is the compiled pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.emit import Emit, refuse, shared_columns
from engine.errors import BadInput
from engine.market.mark_kernel import count_losses
from engine.market.requests import Venue
from engine.risk.room import LARGEST_HOLDING, LARGEST_VALUE, held_units, is_worth_room
from schemas.codes import (
    CONTRACTS,
    AssetClass,
    InstrumentClass,
    InstrumentState,
    RejectReason,
)
from schemas.market import (
    AssetRegistered,
    BusinessDayStarted,
    ConfigureEngine,
    FeesSet,
    InstrumentListed,
    ListInstrument,
    MarkChanged,
    RegisterAsset,
    SetFees,
    SetMark,
    SetVenueRules,
    StartBusinessDay,
    VenueRules,
    VenueRulesSet,
)

if TYPE_CHECKING:
    from engine.state import State


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
    emit(AssetRegistered, **shared_columns(command, AssetRegistered))


def list_instrument(state: State, command: ListInstrument, emit: Emit) -> None:
    """Make an instrument tradable, if no product of its price and size can overflow."""
    if not 1 <= command.instrument_id <= state.capacity.instrument_count:
        return refuse(emit, command, RejectReason.CAPACITY_REACHED)
    if state.is_listed(command.instrument_id):
        return refuse(emit, command, RejectReason.ALREADY_EXISTS)
    if command.base_asset_id not in state.assets or command.quote_asset_id != state.money_asset_id:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    if not _is_sound(state, command):
        return refuse(emit, command, RejectReason.BAD_DECLARATION)
    emit(InstrumentListed, **shared_columns(command, InstrumentListed))


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
    if command.instrument_class_code in CONTRACTS:
        return False
    listed = state.instruments[state.instruments["instrument_id"] != 0]
    delivers = ~np.isin(listed["instrument_class_code"], CONTRACTS)
    return bool(np.any(listed["base_asset_id"][delivers] == command.base_asset_id))


def set_venue_rules(state: State, command: SetVenueRules, emit: Emit) -> None:
    """Set price bands and steps of an instrument that is closed, where every order that rests still fits."""
    if not state.is_listed(command.instrument_id):
        return refuse(emit, command, RejectReason.UNKNOWN_INSTRUMENT)
    if state.instruments[command.instrument_id]["instrument_state_code"] != InstrumentState.CLOSED:
        return refuse(emit, command, RejectReason.WRONG_STATE)
    try:
        venue_of(command).check()
    except BadInput:
        return refuse(emit, command, RejectReason.BAD_DECLARATION)
    if state.books.has_orders(command.instrument_id):
        return refuse(emit, command, RejectReason.WRONG_STATE)
    emit(VenueRulesSet, **shared_columns(command, VenueRulesSet))


def venue_of(rules: VenueRules) -> Venue:
    """The rules as matching takes them."""
    bands = (
        (rules.first_from_ticks, rules.first_step_ticks),
        (rules.second_from_ticks, rules.second_step_ticks),
        (rules.third_from_ticks, rules.third_step_ticks),
    )
    return Venue(tuple(band for band in bands if band[1]), rules.dynamic_bps, rules.static_bps)


def set_fees(state: State, command: SetFees, emit: Emit) -> None:
    """Set what a group of accounts pays on an instrument."""
    if not state.is_listed(command.instrument_id):
        return refuse(emit, command, RejectReason.UNKNOWN_INSTRUMENT)
    emit(FeesSet, **shared_columns(command, FeesSet))


def set_mark(state: State, command: SetMark, emit: Emit) -> None:
    """Set the price of valuation; it must be one that the book could hold."""
    if not state.is_listed(command.instrument_id):
        return refuse(emit, command, RejectReason.UNKNOWN_INSTRUMENT)
    floor = int(state.instruments[command.instrument_id]["window_floor_ticks"])
    if not max(floor, 1) <= command.mark_ticks < floor + state.capacity.window_count:
        return refuse(emit, command, RejectReason.BAD_PRICE)
    emit(MarkChanged, **shared_columns(command, MarkChanged))


def start_business_day(state: State, command: StartBusinessDay, emit: Emit) -> None:
    """Begin the day; the compiled pass then takes yesterday's orders off the book.

    Days only go forward, and yesterday's trades must have been through a settlement cycle.
    """
    days = (command.business_epoch_day, command.next_epoch_day, command.second_epoch_day)
    nets = state.positions
    has_unnetted = nets["day_net_lots"].any() or nets["day_net_minor"].any()
    if has_unnetted or not state.business_epoch_day < days[0] < days[1] < days[2]:
        return refuse(emit, command, RejectReason.WRONG_STATE)
    shared = shared_columns(command, BusinessDayStarted)
    emit(BusinessDayStarted, **shared, expired_order_count=state.books.day_order_count())


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
    state.books.list_instrument(event.instrument_id, state=InstrumentState.CLOSED)
    _set_settlement_day(state, event.instrument_id)


def _set_settlement_day(state: State, instrument_id: int) -> None:
    days = (state.business_epoch_day, state.next_epoch_day, state.second_epoch_day)
    row = state.instruments[instrument_id]
    row["settlement_epoch_day"] = days[int(row["settlement_cycle_count"])]


def venue_rules_set(state: State, event: VenueRulesSet) -> None:
    """Trade by the new rules."""
    state.books.list_instrument(event.instrument_id, venue_of(event), InstrumentState.CLOSED)


def fees_set(state: State, event: FeesSet) -> None:
    """Charge by the new schedule."""
    row = state.fees[event.fee_group_id, event.instrument_id]
    row["is_set"], row["taker_ppm"], row["maker_ppm"] = 1, event.taker_ppm, event.maker_ppm


def mark_changed(state: State, event: MarkChanged) -> None:
    """Take the new mark. Before trading opens it is what the circuit breaker lies around."""
    instrument_id = event.instrument_id
    row = state.instruments[instrument_id]
    row["mark_ticks"] = event.mark_ticks
    shared = state.day.rows, state.accounts, state.instruments, state.positions
    count_losses(state.books.address, *shared, instrument_id)
    state.tables.remark(event.instrument_id)
    if row["instrument_state_code"] != InstrumentState.OPEN:
        state.books.set_reference(event.instrument_id, event.mark_ticks)


def business_day_started(state: State, event: BusinessDayStarted) -> None:
    """Turn the calendar."""
    state.business_epoch_day = event.business_epoch_day
    state.next_epoch_day = event.next_epoch_day
    state.second_epoch_day = event.second_epoch_day
    for instrument_id in state.listed_ids():
        _set_settlement_day(state, instrument_id)


HANDLERS = {
    ConfigureEngine: configure_again,
    RegisterAsset: register_asset,
    ListInstrument: list_instrument,
    SetVenueRules: set_venue_rules,
    SetFees: set_fees,
    SetMark: set_mark,
    StartBusinessDay: start_business_day,
}
APPLIERS = {
    AssetRegistered: asset_registered,
    InstrumentListed: instrument_listed,
    VenueRulesSet: venue_rules_set,
    FeesSet: fees_set,
    MarkChanged: mark_changed,
    BusinessDayStarted: business_day_started,
}
