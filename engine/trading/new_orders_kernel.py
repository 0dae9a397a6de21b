"""A new order: the ladder of admission, then matching, then what the book records.

Owns: the order of the rungs. Does not own: a rung (admission_kernel.py), matching (engine/market).
"""

import numpy as np

from engine.compiled_kernel import kernel
from engine.market.day_orders_kernel import (
    find_client_id,
    forget_last_client_id,
    has_client_id_left,
    remember_client_id,
)
from engine.market.matching_kernel import decide
from engine.market.order_kernel import is_taking
from engine.market.placing_kernel import _reason_against, is_sensible
from engine.market.running_kernel import price_that_rests, step_down, step_up
from engine.market.words_kernel import C_PRICE
from engine.memory_kernel import load, store
from engine.risk.admission_kernel import (
    admit_account,
    admit_codes,
    admit_instrument,
    admit_rate,
    admit_size,
    is_in_window,
    limit_of,
    reducible_lots,
)
from engine.trading.events_kernel import ACCEPTED, PLACE
from engine.trading.linking_kernel import (
    first_leg,
    is_entry_of_linked,
    is_second_leg,
    is_waiting_exit,
    linked_order_id,
    reduces_only,
)
from engine.trading.packing_kernel import pack_place, self_trade_mode
from engine.trading.recording_kernel import record, tell_margins
from engine.trading.steps_kernel import cut_reduce_only, due_cut_lots, expire, margin_reason, refuse_order
from schemas.codes import (
    AccountStatus,
    InstrumentState,
    OrderLink,
    OrderType,
    PostOnly,
    RejectReason,
    Side,
    TimeInForce,
)

_BUY = int(Side.BUY)
_LIMIT, _MARKET = int(OrderType.LIMIT), int(OrderType.MARKET)
_STOP, _STOP_LIMIT = int(OrderType.STOP), int(OrderType.STOP_LIMIT)
_DAY = int(TimeInForce.DAY)
_REPRICE = int(PostOnly.REPRICE)
_RESTRICTED = int(AccountStatus.RESTRICTED)
_AWAIT, _ENTRY_LINK = int(OrderLink.AWAIT), int(OrderLink.ENTRY)
_OPEN = int(InstrumentState.OPEN)
_OK = int(RejectReason.NONE)
_DUPLICATE_ID = int(RejectReason.DUPLICATE_ID)
_UNKNOWN_CODE = int(RejectReason.UNKNOWN_CODE)
_ACCOUNT_RESTRICTED = int(RejectReason.ACCOUNT_RESTRICTED)
_WOULD_TAKE = int(RejectReason.WOULD_TAKE)
_BOOK_FULL = int(RejectReason.BOOK_FULL)
_BAD_LINK = int(RejectReason.BAD_LINK)
_WRONG_SESSION = int(RejectReason.WRONG_SESSION)
_WOULD_INCREASE = int(RejectReason.WOULD_INCREASE)


@kernel
def place(state, packed, c, events, trade_epoch_day):
    """Admit an order and let matching decide it."""
    now = (c.sequence, c.received_at_ns)
    expire(state, packed, now, events, trade_epoch_day)
    reason, limit, more = _admit_place(state, packed, c)
    if reason == _OK and due_cut_lots(state, c.account_id, c.instrument_id, c.side_code, more) > 0:
        # Nothing is cut for an order that matching refuses.
        reason = _reason_against(state.books, packed, load(packed, 0))
        if reason == _OK:
            cut_reduce_only(
                state, packed, now, c.account_id, c.instrument_id, c.side_code, more, events, trade_epoch_day
            )  # fmt: skip
    if reason == _OK:
        accepted = events.counts[ACCEPTED]
        reason = _match_place(state, packed, c, limit, events, trade_epoch_day)
        if reason == _OK:
            events.accepted[accepted].time_in_force_code = c.time_in_force_code
    if reason != _OK:
        refuse_order(events, PLACE, now, c.account_id, c.client_order_id, c.instrument_id, reason)
    tell_margins(state, events, c.sequence, c.received_at_ns, c.account_id)


@kernel
def _admit_place(state, packed, c):
    """The ladder for a new order.

    Returns the reason, the worst price that it may trade at, and the lots that it adds to what is at risk.
    """
    window = state.window_count
    limit, more = np.int64(0), np.int64(0)
    reason = admit_account(state.accounts, c.account_id)
    if reason == _OK:
        reason = admit_instrument(state.instruments, c.instrument_id)
    if reason == _OK:
        reason = admit_codes(
            c.side_code, c.order_type_code, c.time_in_force_code, c.post_only_code, c.self_trade_code,
            c.order_link_code,
        )  # fmt: skip
    if reason != _OK:
        return reason, limit, more
    account = state.accounts[c.account_id]
    instrument = state.instruments[c.instrument_id]
    kind = c.order_type_code
    limit = _worst_price(state, c)
    pack_place(state, packed, c, limit, 0)
    if not is_sensible(state.books, packed, load(packed, 0)):
        return _UNKNOWN_CODE, limit, more
    stop = c.stop_ticks if kind == _STOP or kind == _STOP_LIMIT else limit
    has_collar = kind == _LIMIT or kind == _MARKET
    reason = admit_size(account, instrument, limit, stop, c.quantity_lots, window, has_collar)
    if reason == _OK and find_client_id(state.day, c.account_id, c.client_order_id) != 0:
        reason = _DUPLICATE_ID
    if reason == _OK:
        reason = admit_rate(state.accounts, c.account_id, c.received_at_ns)
    is_to_trade_now = kind == _MARKET and c.time_in_force_code == _DAY
    if reason == _OK and is_to_trade_now and instrument.instrument_state_code != _OPEN:
        reason = _WRONG_SESSION
    if reason == _OK and c.post_only_code == _REPRICE:
        limit = price_that_rests(state.books, c.instrument_id, c.side_code, limit)
        if not is_in_window(instrument, limit, window):
            reason = _WOULD_TAKE
        store(packed, C_PRICE, limit)
    if reason == _OK:
        reason, more = _admit_position(state, c, limit)
    if reason == _OK and not has_client_id_left(state.day):
        reason = _BOOK_FULL
    return reason, limit, more


@kernel
def _worst_price(state, c):
    """The worst price that an order may trade at; where we choose it, one that the instrument has."""
    limit = limit_of(
        state.instruments[c.instrument_id], c.side_code, c.order_type_code, c.price_ticks, c.stop_ticks,
        c.trail_ticks, state.window_count,
    )  # fmt: skip
    if not is_taking(c.order_type_code):
        return limit
    if c.side_code == _BUY:
        return step_down(state.books, c.instrument_id, limit)
    return step_up(state.books, c.instrument_id, limit)


@kernel
def _admit_position(state, c, limit):
    """Rungs 4xx. Returns the reason, and the lots that the order adds to what the account has at risk."""
    none, lots = np.int64(0), c.quantity_lots
    link, is_reduce_only = c.order_link_code, c.is_reduce_only != 0
    if link == _ENTRY_LINK and not is_entry_of_linked(state, c):
        return _BAD_LINK, none
    if (link == _AWAIT or link == _ENTRY_LINK) and (
        state.accounts[c.account_id].account_status_code == _RESTRICTED
    ):
        return _ACCOUNT_RESTRICTED, none  # what an entry closes its exit would open again
    first_at = first_leg(state, c)
    more = lots
    if is_second_leg(state, c, first_at):
        first = state.day.rows[first_at]
        more = max(lots - first.open_lots, 0)
        # What stands in for a reduce-only order gives way with it.
        if first.is_waiting != 0 and more > 0:
            return _BAD_LINK, none
        if first.is_waiting == 0 and is_reduce_only and first.is_reduce_only == 0:
            return _BAD_LINK, none
        if not is_reduce_only and first.is_reduce_only != 0 and more > 0:
            return _BAD_LINK, none
    if is_waiting_exit(state, c, first_at):
        if reduces_only(state, c, first_at):
            return _OK, none
        return margin_reason(state, c.account_id, c.instrument_id, c.side_code, limit, lots, none), none
    if is_reduce_only and more > reducible_lots(
        state.instruments, state.positions, state.amounts, c.account_id, c.instrument_id, c.side_code
    ):
        return _WOULD_INCREASE, none
    return margin_reason(state, c.account_id, c.instrument_id, c.side_code, limit, lots, more), more


@kernel
def _match_place(state, packed, c, limit, events, trade_epoch_day):
    """Let matching decide an order that was admitted. Returns its reason, if it refused it."""
    first_at = first_leg(state, c)
    at = remember_client_id(state.day, c.account_id, c.client_order_id)
    order = state.day.rows[at]
    order.order_id = c.sequence
    order.instrument_id = c.instrument_id
    order.side_code = c.side_code
    order.order_type_code = c.order_type_code
    order.self_trade_code = self_trade_mode(state, c)
    order.price_ticks = c.stop_ticks if c.order_type_code == _STOP else 0
    order.reserve_ticks = limit
    order.reserve_minor = 0
    order.loss_minor = 0
    order.open_lots = 0
    order.reserved_lots = 0
    order.freed_lots = 0
    order.is_waiting = 1 if is_waiting_exit(state, c, first_at) else 0
    order.is_second_leg = 1 if is_second_leg(state, c, first_at) else 0
    order.is_reduce_only = 1 if reduces_only(state, c, first_at) else 0
    order.partner_order_id = 0
    order.child_order_id = linked_order_id(state, c) if c.order_link_code == _ENTRY_LINK else 0
    first = state.day.rows[first_at]
    was_second, old_partner_id = first.is_second_leg, first.partner_order_id
    if first_at != 0:
        order.freed_lots = first.freed_lots
        order.partner_order_id = first.order_id
        first.partner_order_id = c.sequence
        first.is_second_leg = 0
    pack_place(state, packed, c, limit, at)
    decide(state.books, packed)
    reason = record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    if reason != _OK:
        forget_last_client_id(state.day)
        if first_at != 0:
            first.is_second_leg, first.partner_order_id = was_second, old_partner_id
    return reason
