"""The compiled pass: each trading command goes admit -> margin -> match -> post before the next is looked at.

One stage a line; the stages themselves are in `engine/risk`, `engine/market` and `engine/ledger`. Events are
written into preallocated rows of their declared layouts; their sequence puts them in one order.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from engine.execution_kernel import (
    ACCEPTED,
    CANCELLED,
    EXPIRED,
    REFUSED,
    REPLACED,
    execute,
    next_row,
    reserve,
    tell_margin,
)
from engine.market.matching_kernel import fillable, reduce, remove, rest, would_cross
from engine.market.order_id_kernel import find_order, remember_id
from engine.market.price_kernel import FREE_HEAD, WINDOW_COUNT
from engine.risk.admission_kernel import (
    admit_account,
    admit_codes,
    admit_instrument,
    admit_margin,
    admit_rate,
    admit_size,
    limit_of,
)
from schemas.codes import OrderType, RejectReason, TimeInForce
from schemas.market import CancelOrder, PlaceOrder, ReplaceOrder
from schemas.record import record_of

PLACE = record_of(PlaceOrder).type_code
CANCEL = record_of(CancelOrder).type_code
REPLACE = record_of(ReplaceOrder).type_code

_MARKET = int(OrderType.MARKET)
_DAY = int(TimeInForce.DAY)
_FOK = int(TimeInForce.FOK)
_OK = int(RejectReason.NONE)
_DUPLICATE_ID = int(RejectReason.DUPLICATE_ID)
_UNKNOWN_ORDER = int(RejectReason.UNKNOWN_ORDER)
_WOULD_TAKE = int(RejectReason.WOULD_TAKE)
_CANNOT_FILL = int(RejectReason.CANNOT_FILL)
_BOOK_FULL = int(RejectReason.BOOK_FULL)


class Commands(NamedTuple):
    """The trading commands of one run, and the order in which they came."""

    places: np.ndarray
    cancels: np.ndarray
    replaces: np.ndarray
    queue: np.ndarray  # (n, 2): kind, row


@njit(cache=True, nogil=True)
def run(state, commands, events, trade_epoch_day):
    """Run every command of the queue, in order. Only `counts` says what was written."""
    for q in range(len(commands.queue)):
        row = commands.queue[q, 1]
        if commands.queue[q, 0] == PLACE:
            _place(state, commands.places[row], events, trade_epoch_day)
        elif commands.queue[q, 0] == CANCEL:
            _cancel(state, commands.cancels[row], events)
        else:
            _replace(state, commands.replaces[row], events, trade_epoch_day)


@njit(cache=True, nogil=True)
def _refuse(events, command_type, command, instrument_id, reason):
    i = next_row(events, REFUSED, command.sequence, command.received_at_ns, events.refused)
    row = events.refused[i]
    row.command_type = command_type
    row.account_id = command.account_id
    row.client_order_id = command.client_order_id
    row.instrument_id = instrument_id
    row.reject_reason_code = reason


@njit(cache=True, nogil=True)
def _admit_place(state, c):
    """The ladder for a new order, and the worst price that it may trade at."""
    window = state.books.meta[WINDOW_COUNT]
    reason = admit_account(state.accounts, c.account_id)
    if reason == _OK:
        reason = admit_instrument(state.instruments, c.instrument_id)
    if reason == _OK:
        reason = admit_codes(c.side_code, c.order_type_code, c.time_in_force_code, c.is_post_only)
    if reason != _OK:
        return reason, np.int64(0)
    account = state.accounts[c.account_id]
    instrument = state.instruments[c.instrument_id]
    limit = limit_of(instrument, c.side_code, c.order_type_code, c.price_ticks, window)
    reason = admit_size(account, instrument, limit, c.quantity_lots, window)
    if reason == _OK and find_order(state.books, c.account_id, c.client_order_id) != 0:
        reason = _DUPLICATE_ID
    if reason == _OK:
        reason = admit_rate(state.accounts, c.account_id, c.received_at_ns)
    if reason == _OK:
        reason = _admit_margin(state, c.account_id, c.instrument_id, c.side_code, limit, c.quantity_lots)
    if reason == _OK:
        reason = _admit_match(state, c, limit)
    return reason, limit


@njit(cache=True, nogil=True)
def _admit_margin(state, account_id, instrument_id, side, limit, lots):
    return admit_margin(
        state.accounts,
        state.instruments,
        state.positions,
        state.amounts,
        account_id,
        instrument_id,
        side,
        limit,
        lots,
    )


@njit(cache=True, nogil=True)
def _admit_match(state, c, limit):
    """Rungs 5xx: what the book must allow before the order may enter it."""
    crosses = would_cross(state.instruments, c.instrument_id, c.side_code, limit)
    if c.is_post_only != 0 and crosses:
        return _WOULD_TAKE
    if c.time_in_force_code == _FOK:
        there = fillable(state.books, state.instruments, c.instrument_id, c.side_code, limit, c.quantity_lots)
        if there < c.quantity_lots:
            return _CANNOT_FILL
    if c.time_in_force_code == _DAY and state.books.meta[FREE_HEAD] == 0:
        return _BOOK_FULL
    if remember_id(state.books, c.account_id, c.client_order_id) == 0:
        return _BOOK_FULL
    return _OK


@njit(cache=True, nogil=True)
def _place(state, c, events, trade_epoch_day):
    reason, limit = _admit_place(state, c)
    if reason != _OK:
        _refuse(events, PLACE, c, c.instrument_id, reason)
        return
    i = next_row(events, ACCEPTED, c.sequence, c.received_at_ns, events.accepted)
    row = events.accepted[i]
    row.order_id = c.sequence
    row.account_id = c.account_id
    row.client_order_id = c.client_order_id
    row.instrument_id = c.instrument_id
    row.side_code = c.side_code
    row.order_type_code = c.order_type_code
    row.time_in_force_code = c.time_in_force_code
    row.price_ticks = c.price_ticks
    row.quantity_lots = c.quantity_lots
    leaves = execute(
        state,
        events,
        trade_epoch_day,
        c.sequence,
        c.received_at_ns,
        c.sequence,
        c.account_id,
        c.instrument_id,
        c.side_code,
        limit,
        c.quantity_lots,
    )
    if leaves > 0:
        may_rest = c.time_in_force_code == _DAY and c.order_type_code != _MARKET
        if may_rest:
            may_rest = _rest(
                state,
                c.sequence,
                c.account_id,
                c.client_order_id,
                c.instrument_id,
                c.side_code,
                limit,
                leaves,
            )
        if not may_rest:
            _expire(events, c, c.sequence, c.account_id, c.client_order_id, c.instrument_id, leaves)
    tell_margin(state, events, c.sequence, c.received_at_ns, c.account_id)


@njit(cache=True, nogil=True)
def _rest(state, order_id, account_id, client_order_id, instrument_id, side, price, lots):
    """Put what is left on the book; False when the order pool is full."""
    slot = rest(
        state.books,
        state.instruments,
        order_id,
        account_id,
        client_order_id,
        instrument_id,
        side,
        price,
        lots,
    )
    if slot > 0:
        reserve(state, account_id, instrument_id, side, price, lots)
    return slot > 0


@njit(cache=True, nogil=True)
def _expire(events, c, order_id, account_id, client_order_id, instrument_id, lots):
    i = next_row(events, EXPIRED, c.sequence, c.received_at_ns, events.expired)
    row = events.expired[i]
    row.order_id = order_id
    row.account_id = account_id
    row.client_order_id = client_order_id
    row.instrument_id = instrument_id
    row.expired_lots = lots


@njit(cache=True, nogil=True)
def _cancel(state, c, events):
    reason = admit_account(state.accounts, c.account_id)
    slot = find_order(state.books, c.account_id, c.client_order_id) if reason == _OK else 0
    if reason == _OK and slot <= 0:
        reason = _UNKNOWN_ORDER
    if reason != _OK:
        _refuse(events, CANCEL, c, 0, reason)
        return
    order = state.books.orders[slot]
    i = next_row(events, CANCELLED, c.sequence, c.received_at_ns, events.cancelled)
    row = events.cancelled[i]
    row.order_id = order.order_id
    row.account_id = order.account_id
    row.client_order_id = order.client_order_id
    row.instrument_id = order.instrument_id
    row.cancelled_lots = order.open_lots
    reserve(
        state,
        order.account_id,
        order.instrument_id,
        order.side_code,
        order.price_ticks,
        -order.open_lots,
    )
    remove(state.books, state.instruments, slot)
    tell_margin(state, events, c.sequence, c.received_at_ns, c.account_id)


@njit(cache=True, nogil=True)
def _admit_replace(state, c, slot):
    """The ladder for a change: the order as it would stand must pass as a new one would."""
    window = state.books.meta[WINDOW_COUNT]
    order = state.books.orders[slot]
    account = state.accounts[c.account_id]
    reason = admit_instrument(state.instruments, order.instrument_id)
    if reason == _OK:
        instrument = state.instruments[order.instrument_id]
        reason = admit_size(account, instrument, c.price_ticks, c.quantity_lots, window)
    if reason == _OK:
        reason = admit_rate(state.accounts, c.account_id, c.received_at_ns)
    if reason == _OK:
        reserve(
            state,
            c.account_id,
            order.instrument_id,
            order.side_code,
            order.price_ticks,
            -order.open_lots,
        )
        reason = _admit_margin(
            state,
            c.account_id,
            order.instrument_id,
            order.side_code,
            c.price_ticks,
            c.quantity_lots,
        )
        reserve(
            state,
            c.account_id,
            order.instrument_id,
            order.side_code,
            order.price_ticks,
            order.open_lots,
        )
    return reason


@njit(cache=True, nogil=True)
def _replace(state, c, events, trade_epoch_day):
    reason = admit_account(state.accounts, c.account_id)
    slot = find_order(state.books, c.account_id, c.client_order_id) if reason == _OK else 0
    if reason == _OK and slot <= 0:
        reason = _UNKNOWN_ORDER
    if reason != _OK:
        _refuse(events, REPLACE, c, 0, reason)
        return
    order = state.books.orders[slot]
    order_id = order.order_id
    instrument_id = order.instrument_id
    side = order.side_code
    price = order.price_ticks
    open_lots = order.open_lots
    # A pure reduction takes no risk on, so it is never refused for want of margin or of an open market.
    is_kept = c.price_ticks == price and 0 < c.quantity_lots <= open_lots
    if not is_kept:
        reason = _admit_replace(state, c, slot)
        if reason != _OK:
            _refuse(events, REPLACE, c, instrument_id, reason)
            return
    i = next_row(events, REPLACED, c.sequence, c.received_at_ns, events.replaced)
    row = events.replaced[i]
    row.order_id = order_id
    row.account_id = c.account_id
    row.client_order_id = c.client_order_id
    row.instrument_id = instrument_id
    row.price_ticks = c.price_ticks
    row.quantity_lots = c.quantity_lots
    row.is_priority_kept = 1 if is_kept else 0
    reserve(state, c.account_id, instrument_id, side, price, -open_lots)
    if is_kept:
        reduce(state.books, state.instruments, slot, c.quantity_lots)
        reserve(state, c.account_id, instrument_id, side, price, c.quantity_lots)
    else:
        remove(state.books, state.instruments, slot)
        leaves = execute(
            state,
            events,
            trade_epoch_day,
            c.sequence,
            c.received_at_ns,
            order_id,
            c.account_id,
            instrument_id,
            side,
            c.price_ticks,
            c.quantity_lots,
        )
        if leaves > 0:
            # The row just freed is there, so the order cannot find the pool full.
            _rest(
                state,
                order_id,
                c.account_id,
                c.client_order_id,
                instrument_id,
                side,
                c.price_ticks,
                leaves,
            )
    tell_margin(state, events, c.sequence, c.received_at_ns, c.account_id)
