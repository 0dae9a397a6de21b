"""The compiled pass: each trading command goes admit -> margin -> match -> post before the next is looked at.

One stage a line; the stages themselves are in `engine/risk`, `engine/market` and `engine/ledger`. Events are
written into preallocated rows of their declared layouts; their sequence puts them in one order.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from engine.execution_kernel import (
    ACCEPTED,
    DECLINED,
    KIND_COUNT,
    REFUSED,
    SWITCHED,
    next_row,
    record,
    reserve,
    tell_margins,
)
from engine.market.day_orders_kernel import (
    find_client_id,
    forget_last_client_id,
    has_client_id_left,
    remember_client_id,
    turn_day,
)
from engine.market.matching_kernel import decide
from engine.market.placing_kernel import is_sensible
from engine.market.session_kernel import IS_DISCONNECT, ONE_SIDED
from engine.market.words_kernel import (
    C_AT,
    C_CLIENT,
    C_ID,
    C_LOTS,
    C_OWNER,
    C_PRICE,
    C_TERMS,
    NEXT_EXPIRY,
    TERMS,
    TERMS_WORDS,
    X_DISPLAY,
    X_EXPIRES,
    X_LINK,
    X_LINKED,
    X_MINIMUM,
    X_OFFSET,
    X_STOP,
    X_TRAIL,
    load,
    store,
)
from engine.risk.admission_kernel import (
    admit_account,
    admit_codes,
    admit_instrument,
    admit_margin,
    admit_rate,
    admit_size,
    admit_stop,
    is_collared,
    limit_of,
    lots_to_cut,
    reducible_lots,
)
from schemas.codes import (
    InstrumentState,
    MarketAction,
    OrderLink,
    OrderType,
    RejectReason,
    Side,
    TimeInForce,
)
from schemas.market import (
    CancelOrder,
    CancelOrders,
    ChangeInstrumentState,
    PlaceOrder,
    ReplaceOrder,
    SetKillSwitch,
    StartBusinessDay,
)
from schemas.record import record_of

PLACE = record_of(PlaceOrder).type_code
CANCEL = record_of(CancelOrder).type_code
REPLACE = record_of(ReplaceOrder).type_code
CANCEL_ALL = record_of(CancelOrders).type_code
SWITCH = record_of(SetKillSwitch).type_code
PHASE = record_of(ChangeInstrumentState).type_code
TURN = record_of(StartBusinessDay).type_code

_LIMIT, _MARKET = int(OrderType.LIMIT), int(OrderType.MARKET)
_STOP, _TRAILING = int(OrderType.STOP), int(OrderType.TRAILING_STOP)
_DAY = int(TimeInForce.DAY)
_IOC, _FOK = int(TimeInForce.IOC), int(TimeInForce.FOK)
_AT_OPEN, _AT_CLOSE = int(TimeInForce.AT_OPEN), int(TimeInForce.AT_CLOSE)
_SELL = int(Side.SELL)
_AWAIT, _ENTRY_LINK, _OCO = int(OrderLink.AWAIT), int(OrderLink.ENTRY), int(OrderLink.OCO)
_OPEN = int(InstrumentState.OPEN)
_OK = int(RejectReason.NONE)
_DUPLICATE_ID = int(RejectReason.DUPLICATE_ID)
_UNKNOWN_ORDER = int(RejectReason.UNKNOWN_ORDER)
_UNKNOWN_CODE = int(RejectReason.UNKNOWN_CODE)
_BOOK_FULL = int(RejectReason.BOOK_FULL)
_BAD_LINK = int(RejectReason.BAD_LINK)
_WRONG_SESSION = int(RejectReason.WRONG_SESSION)
_WOULD_INCREASE = int(RejectReason.WOULD_INCREASE)
_A_PLACE, _A_CANCEL = int(MarketAction.PLACE), int(MarketAction.CANCEL)
_A_REPLACE, _A_MASS = int(MarketAction.REPLACE), int(MarketAction.MASS_CANCEL)
_A_STATE, _A_EXPIRE = int(MarketAction.SET_STATE), int(MarketAction.EXPIRE)
_A_END_DAY, _A_SWITCH = int(MarketAction.END_DAY), int(MarketAction.SET_KILL_SWITCH)
_A_CUT = int(MarketAction.CUT_REDUCE_ONLY)


class Commands(NamedTuple):
    """The trading commands of one run, the order in which they came, and where one is packed for matching."""

    places: np.ndarray
    cancels: np.ndarray
    replaces: np.ndarray
    masses: np.ndarray
    switches: np.ndarray
    phases: np.ndarray
    turns: np.ndarray
    queue: np.ndarray  # (n, 2): kind, row
    packed: int  # address of a MarketCommand
    needed: np.ndarray  # rows of each kind of event that one command may write


@njit(cache=True, nogil=True)
def run(state, commands, events, trade_epoch_day, first):
    """Run the queue from `first` on. Returns the first command that was not run, for want of room for its events."""
    q = first
    while q < len(commands.queue) and _has_room(events, commands.needed):
        row = commands.queue[q, 1]
        kind = commands.queue[q, 0]
        if kind == PLACE:
            _place(state, commands.packed, commands.places[row], events, trade_epoch_day)
        elif kind == CANCEL:
            _cancel(state, commands.packed, commands.cancels[row], events, trade_epoch_day)
        elif kind == REPLACE:
            _replace(state, commands.packed, commands.replaces[row], events, trade_epoch_day)
        elif kind == CANCEL_ALL:
            _cancel_all(state, commands.packed, commands.masses[row], events, trade_epoch_day)
        elif kind == SWITCH:
            _switch(state, commands.packed, commands.switches[row], events)
        elif kind == PHASE:
            _phase(state, commands.packed, commands.phases[row], events, trade_epoch_day)
        else:
            _turn(state, commands.packed, commands.turns[row], events, trade_epoch_day)
        q += 1
    return q


@njit(cache=True, nogil=True)
def _has_room(events, needed):
    rows = (
        len(events.accepted), len(events.refused), len(events.cancelled), len(events.replaced),
        len(events.expired), len(events.triggered), len(events.reduced), len(events.shown),
        len(events.uncrossed), len(events.phased), len(events.switched), len(events.declined),
        len(events.fills), len(events.postings), len(events.margins),
    )  # fmt: skip
    for kind in range(KIND_COUNT):
        if events.counts[kind] + needed[kind] > rows[kind]:
            return False
    return True


@njit(cache=True, nogil=True)
def _refuse(events, command_type, at, account_id, client_order_id, instrument_id, reason):
    """Refuse a command of one order. `at` is its sequence and instant."""
    i = next_row(events, REFUSED, at[0], at[1], events.refused)
    row = events.refused[i]
    row.command_type = command_type
    row.account_id = account_id
    row.client_order_id = client_order_id
    row.instrument_id = instrument_id
    row.reject_reason_code = reason


@njit(cache=True, nogil=True)
def _decline(events, command_type, at, reason):
    """Refuse a command that is not of one order."""
    i = next_row(events, DECLINED, at[0], at[1], events.declined)
    events.declined[i].command_type = command_type
    events.declined[i].reject_reason_code = reason


# Packing ----------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _pack(packed, action, side, instrument_id, order_id, price, lots, owner, at_ns, client, session_id):
    store(packed, 0, action | (side << 8) | (instrument_id << 40))
    store(packed, C_ID, order_id)
    store(packed, C_PRICE, price)
    store(packed, C_LOTS, lots)
    store(packed, C_OWNER, owner)
    store(packed, C_AT, at_ns)
    store(packed, C_CLIENT, client)
    store(packed, C_TERMS, session_id << 32)


@njit(cache=True, nogil=True)
def _pack_terms(state, packed, c, linked_id):
    """Write the order's terms into the one row that there is, and point at it where there are any."""
    terms = load(state.books, TERMS) + TERMS_WORDS * 8
    store(terms, X_DISPLAY, c.display_lots)
    store(terms, X_MINIMUM, c.minimum_lots)
    store(terms, X_STOP, c.stop_ticks)
    store(terms, X_TRAIL, c.trail_ticks)
    store(terms, X_OFFSET, c.offset_ticks)
    store(terms, X_EXPIRES, c.expires_at_ns)
    store(terms, X_LINKED, linked_id)
    store(terms, X_LINK, c.order_link_code)
    any_term = c.display_lots | c.minimum_lots | c.stop_ticks | c.trail_ticks | c.offset_ticks
    any_term |= c.expires_at_ns | linked_id | c.order_link_code
    if any_term != 0:
        store(packed, C_TERMS, load(packed, C_TERMS) | 1)


@njit(cache=True, nogil=True)
def _pack_place(state, packed, c, limit, at):
    """A PlaceOrder as matching takes it. A market order carries its protection; it never rests while open."""
    account = state.accounts[c.account_id]
    mode = c.self_trade_code if c.self_trade_code != 0 else account.self_trade_code
    owner = c.account_id | (account.group_id << 32)
    session_id = min(max(c.session_id, 0), 0x7FFFFFFF)
    _pack(
        packed, _A_PLACE, c.side_code, c.instrument_id, c.sequence, limit, c.quantity_lots, owner,
        c.received_at_ns, at, session_id,
    )  # fmt: skip
    kind, life = c.order_type_code, c.time_in_force_code
    if kind == _MARKET and life == _DAY:
        life = _IOC
    flags = c.post_only_code | (mode << 2) | ((1 if _is_reduce_only(c) else 0) << 5)
    store(packed, 0, load(packed, 0) | (kind << 16) | (life << 24) | (flags << 32))
    _pack_terms(state, packed, c, _linked_order_id(state, c))


@njit(cache=True, nogil=True)
def _is_reduce_only(c):
    return c.is_reduce_only != 0 or c.order_link_code == _AWAIT


@njit(cache=True, nogil=True)
def _linked_order_id(state, c):
    """The order that a link names, zero for none, and -1 for one that does not live."""
    if c.linked_client_order_id == 0:
        return 0
    at = find_client_id(state.day, c.account_id, c.linked_client_order_id)
    return state.day.rows[at].order_id if at != 0 and state.day.rows[at].open_lots > 0 else -1


# Placing ----------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _admit_place(state, packed, c):
    """The ladder for a new order, and the worst price that it may trade at."""
    window = state.window_count
    reason = admit_account(state.accounts, c.account_id)
    if reason == _OK:
        reason = admit_instrument(state.instruments, c.instrument_id)
    if reason == _OK:
        reason = admit_codes(
            c.side_code, c.order_type_code, c.time_in_force_code, c.post_only_code, c.self_trade_code,
            c.order_link_code,
        )  # fmt: skip
    if reason != _OK:
        return reason, np.int64(0)
    account = state.accounts[c.account_id]
    instrument = state.instruments[c.instrument_id]
    kind = c.order_type_code
    limit = limit_of(instrument, c.side_code, kind, c.price_ticks, c.stop_ticks, c.trail_ticks, window)
    _pack_place(state, packed, c, limit, 0)
    if not is_sensible(state.books, packed, load(packed, 0)):
        return _UNKNOWN_CODE, limit
    reason = admit_size(account, instrument, limit, c.quantity_lots, window, is_collared(kind))
    if reason == _OK:
        reason = admit_stop(instrument, kind, c.stop_ticks, window)
    if reason == _OK and find_client_id(state.day, c.account_id, c.client_order_id) != 0:
        reason = _DUPLICATE_ID
    if reason == _OK:
        reason = admit_rate(state.accounts, c.account_id, c.received_at_ns)
    if reason == _OK and kind == _MARKET and c.time_in_force_code == _DAY:
        if instrument.instrument_state_code != _OPEN:
            reason = _WRONG_SESSION
    if reason == _OK:
        reason = _admit_position(state, c, limit)
    if reason == _OK and not has_client_id_left(state.day):
        reason = _BOOK_FULL
    return reason, limit


@njit(cache=True, nogil=True)
def _admit_position(state, c, limit):
    """Rungs 4xx, for an order that counts by itself: not for an exit that waits, nor for a covered second leg."""
    if c.order_link_code == _AWAIT or _is_covered(state, c):
        return _OK
    if c.order_link_code == _ENTRY_LINK and not _is_exit_of(state, c):
        return _BAD_LINK
    shared = (state.instruments, state.positions, state.amounts)
    if c.is_reduce_only != 0 and c.quantity_lots > reducible_lots(
        shared[0], shared[1], shared[2], c.account_id, c.instrument_id, c.side_code
    ):
        return _WOULD_INCREASE
    return _admit_margin(state, c.account_id, c.instrument_id, c.side_code, limit, c.quantity_lots)


@njit(cache=True, nogil=True)
def _linked_row(state, c):
    return find_client_id(state.day, c.account_id, c.linked_client_order_id)


@njit(cache=True, nogil=True)
def _is_covered(state, c):
    """Whether an order is the second leg of one that reserves, or will reserve, as much: two asks to sell the same
    lots are one risk, and so are two exits that wait. A second bid may cost more than the first.
    """
    if c.order_link_code != _OCO:
        return False
    first = state.day.rows[_linked_row(state, c)]
    if first.side_code != c.side_code or first.open_lots < c.quantity_lots:
        return False
    return c.side_code == _SELL or first.reserved_lots == 0


@njit(cache=True, nogil=True)
def _is_exit_of(state, c):
    """Whether the order that waits for this entry closes no more than it opens."""
    row = state.day.rows[_linked_row(state, c)]
    return row.side_code != c.side_code and row.open_lots <= c.quantity_lots


@njit(cache=True, nogil=True)
def _admit_margin(state, account_id, instrument_id, side, limit, lots):
    return admit_margin(
        state.accounts,
        state.instruments,
        state.positions,
        state.amounts,
        state.fees,
        account_id,
        instrument_id,
        side,
        limit,
        lots,
    )


@njit(cache=True, nogil=True)
def _place(state, packed, c, events, trade_epoch_day):
    _expire(state, packed, (c.sequence, c.received_at_ns), events, trade_epoch_day)
    reason, limit = _admit_place(state, packed, c)
    if reason != _OK:
        _refuse(
            events,
            PLACE,
            (c.sequence, c.received_at_ns),
            c.account_id,
            c.client_order_id,
            c.instrument_id,
            reason,
        )
        tell_margins(state, events, c.sequence, c.received_at_ns, 0)
        return
    is_waiting = c.order_link_code == _AWAIT
    is_second = _is_covered(state, c)
    if not is_waiting and not is_second:
        _cut(
            state,
            packed,
            (c.sequence, c.received_at_ns),
            c.account_id,
            c.instrument_id,
            c.side_code,
            c.quantity_lots,
            events,
            trade_epoch_day,
        )
    at = remember_client_id(state.day, c.account_id, c.client_order_id)
    order = state.day.rows[at]
    order.order_id = c.sequence
    order.instrument_id = c.instrument_id
    order.side_code = c.side_code
    order.reserve_ticks = limit
    order.open_lots = 0
    order.reserved_lots = 0
    kind = c.order_type_code
    order.is_priced = 0 if kind == _MARKET or kind == _STOP or kind == _TRAILING else 1
    order.is_second_leg = 1 if is_second else 0
    order.is_reduce_only = 1 if _is_reduce_only(c) else 0
    if not is_waiting and not is_second:
        # Reserved before matching looks at it, so that its fills find it; given back if matching refuses it.
        reserve(state, at, c.quantity_lots)
    _pack_place(state, packed, c, limit, at)
    decide(state.books, packed)
    accepted = events.counts[ACCEPTED]
    reason = record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    if reason != _OK:
        reserve(state, at, -order.reserved_lots)
        forget_last_client_id(state.day)
        _refuse(
            events,
            PLACE,
            (c.sequence, c.received_at_ns),
            c.account_id,
            c.client_order_id,
            c.instrument_id,
            reason,
        )
    else:
        if order.is_priced == 0:
            events.accepted[accepted].price_ticks = c.price_ticks
        events.accepted[accepted].order_type_code = kind
        events.accepted[accepted].time_in_force_code = c.time_in_force_code
    tell_margins(state, events, c.sequence, c.received_at_ns, c.account_id)


@njit(cache=True, nogil=True)
def _cut(state, packed, at, account_id, instrument_id, side, lots, events, trade_epoch_day):
    """Shrink the account's reduce-only orders that this one leaves nothing to reduce."""
    cut = lots_to_cut(
        state.instruments, state.positions, state.amounts, account_id, instrument_id, side, lots
    )
    if cut > 0:
        _pack(packed, _A_CUT, side, instrument_id, 0, 0, cut, account_id, at[1], 0, 0)
        decide(state.books, packed)
        record(state, events, trade_epoch_day, at[0], at[1])


@njit(cache=True, nogil=True)
def _expire(state, packed, at, events, trade_epoch_day):
    """End what was good till now, before anything of this instant is decided."""
    if at[1] >= load(state.books, NEXT_EXPIRY):
        _pack(packed, _A_EXPIRE, 0, 0, 0, 0, 0, 0, at[1], 0, 0)
        decide(state.books, packed)
        record(state, events, trade_epoch_day, at[0], at[1])


# Cancelling and replacing -----------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _admit_known(state, account_id, client_order_id):
    """The position of an order that lives, or the reason why there is none."""
    reason = admit_account(state.accounts, account_id)
    if reason != _OK:
        return reason, 0
    at = find_client_id(state.day, account_id, client_order_id)
    if at == 0 or state.day.rows[at].open_lots == 0:
        return _UNKNOWN_ORDER, 0
    return _OK, at


@njit(cache=True, nogil=True)
def _cancel(state, packed, c, events, trade_epoch_day):
    _expire(state, packed, (c.sequence, c.received_at_ns), events, trade_epoch_day)
    reason, at = _admit_known(state, c.account_id, c.client_order_id)
    if reason != _OK:
        _refuse(events, CANCEL, (c.sequence, c.received_at_ns), c.account_id, c.client_order_id, 0, reason)
        tell_margins(state, events, c.sequence, c.received_at_ns, 0)
        return
    order = state.day.rows[at]
    _pack(packed, _A_CANCEL, 0, 0, order.order_id, 0, 0, c.account_id, c.received_at_ns, at, 0)
    decide(state.books, packed)
    record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    tell_margins(state, events, c.sequence, c.received_at_ns, c.account_id)


@njit(cache=True, nogil=True)
def _admit_replace(state, c, at):
    """The ladder for a change: the order as it would stand must pass as a new one would."""
    order = state.day.rows[at]
    account = state.accounts[c.account_id]
    reason = admit_instrument(state.instruments, order.instrument_id)
    limit = c.price_ticks if order.is_priced != 0 else order.reserve_ticks
    if reason == _OK:
        instrument = state.instruments[order.instrument_id]
        reason = admit_size(
            account, instrument, limit, c.quantity_lots, state.window_count, order.is_priced != 0
        )
    if reason == _OK:
        reason = admit_rate(state.accounts, c.account_id, c.received_at_ns)
    reserved = order.reserved_lots
    if reason == _OK and reserved > 0:
        reserve(state, at, -reserved)
        free = reducible_lots(
            state.instruments,
            state.positions,
            state.amounts,
            c.account_id,
            order.instrument_id,
            order.side_code,
        )
        if order.is_reduce_only != 0 and c.quantity_lots > free:
            reason = _WOULD_INCREASE
        else:
            reason = _admit_margin(
                state, c.account_id, order.instrument_id, order.side_code, limit, c.quantity_lots
            )
        reserve(state, at, reserved)
    elif reason == _OK and c.quantity_lots > order.open_lots:
        reason = _BAD_LINK  # a leg that reserves nothing by itself may not outgrow what covers it
    return reason


@njit(cache=True, nogil=True)
def _replace(state, packed, c, events, trade_epoch_day):
    _expire(state, packed, (c.sequence, c.received_at_ns), events, trade_epoch_day)
    reason, at = _admit_known(state, c.account_id, c.client_order_id)
    if reason != _OK:
        _refuse(events, REPLACE, (c.sequence, c.received_at_ns), c.account_id, c.client_order_id, 0, reason)
        tell_margins(state, events, c.sequence, c.received_at_ns, 0)
        return
    order = state.day.rows[at]
    # A pure reduction takes no risk on, so it is never refused for want of margin or of an open market.
    is_kept = c.price_ticks == order.reserve_ticks and order.is_priced != 0
    is_kept = is_kept and 0 < c.quantity_lots <= order.open_lots
    if not is_kept:
        reason = _admit_replace(state, c, at)
    if reason == _OK and not is_kept and order.reserved_lots > 0:
        more = c.quantity_lots - order.open_lots
        if more > 0 and order.is_reduce_only == 0:
            _cut(
                state,
                packed,
                (c.sequence, c.received_at_ns),
                c.account_id,
                order.instrument_id,
                order.side_code,
                more,
                events,
                trade_epoch_day,
            )
    if reason == _OK:
        account = state.accounts[c.account_id]
        owner = c.account_id | (account.group_id << 32)
        _pack(
            packed, _A_REPLACE, order.side_code, order.instrument_id, order.order_id, c.price_ticks,
            c.quantity_lots, owner, c.received_at_ns, at, 0,
        )  # fmt: skip
        flags = (c.post_only_code & 3) | (account.self_trade_code << 2)
        store(packed, 0, load(packed, 0) | (flags << 32))
        decide(state.books, packed)
        reason = record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    if reason != _OK:
        _refuse(
            events,
            REPLACE,
            (c.sequence, c.received_at_ns),
            c.account_id,
            c.client_order_id,
            order.instrument_id,
            reason,
        )
    tell_margins(state, events, c.sequence, c.received_at_ns, c.account_id)


# Many orders at once ----------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _cancel_all(state, packed, c, events, trade_epoch_day):
    """Cancel whatever fits. What cannot fit, because there is no such account or instrument, is nothing."""
    _expire(state, packed, (c.sequence, c.received_at_ns), events, trade_epoch_day)
    side = c.side_code
    is_sound = 0 <= c.account_id < len(state.accounts) and 0 <= c.instrument_id < len(state.instruments)
    if not is_sound or side < 0 or side > _SELL or not 0 <= c.session_id <= 0x7FFFFFFF:
        _decline(events, CANCEL_ALL, (c.sequence, c.received_at_ns), _UNKNOWN_CODE)
        tell_margins(state, events, c.sequence, c.received_at_ns, 0)
        return
    _pack(
        packed, _A_MASS, side, c.instrument_id, 0, 0, 0, c.account_id, c.received_at_ns, 0, c.session_id
    )  # fmt: skip
    flags = (ONE_SIDED if side != 0 else 0) | (IS_DISCONNECT if c.is_disconnect != 0 else 0)
    store(packed, 0, load(packed, 0) | flags)
    decide(state.books, packed)
    record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    tell_margins(state, events, c.sequence, c.received_at_ns, 0)


@njit(cache=True, nogil=True)
def _switch(state, packed, c, events):
    is_stopped = 1 if c.is_stopped != 0 else 0
    _pack(packed, _A_SWITCH, 0, 0, 0, 0, is_stopped, 0, c.received_at_ns, 0, 0)
    decide(state.books, packed)
    i = next_row(events, SWITCHED, c.sequence, c.received_at_ns, events.switched)
    events.switched[i].is_stopped = is_stopped
    events.switched[i].operator_id = c.operator_id


@njit(cache=True, nogil=True)
def _phase(state, packed, c, events, trade_epoch_day):
    """Lead an instrument to another phase of its session; entering one may be an auction."""
    _expire(state, packed, (c.sequence, c.received_at_ns), events, trade_epoch_day)
    instrument_id = c.instrument_id if 0 < c.instrument_id < len(state.instruments) else 0
    _pack(
        packed, _A_STATE, 0, instrument_id, 0, 0, c.instrument_state_code, 0, c.received_at_ns, 0, 0
    )  # fmt: skip
    decide(state.books, packed)
    reason = record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    if reason != _OK:
        _decline(events, PHASE, (c.sequence, c.received_at_ns), reason)
    tell_margins(state, events, c.sequence, c.received_at_ns, 0)


@njit(cache=True, nogil=True)
def _turn(state, packed, c, events, trade_epoch_day):
    """End yesterday's orders, and let the ids of all that ended be used anew."""
    _pack(packed, _A_END_DAY, 0, 0, 0, 0, 0, 0, c.received_at_ns, 0, 0)
    decide(state.books, packed)
    record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    tell_margins(state, events, c.sequence, c.received_at_ns, 0)
    turn_day(state.day, state.books)
