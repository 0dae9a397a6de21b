"""The compiled pass: each trading command goes admit -> margin -> match -> post before the next is looked at.

One stage a line; the stages themselves are in `engine/risk`, `engine/market` and `engine/ledger`. Events are
written into preallocated rows of their declared layouts; their sequence puts them in one order.
"""

import numpy as np

from engine.blocks_kernel import WORD, BlockType, at_address, rows_of, words
from engine.compiled_kernel import inner, kernel
from engine.execution_kernel import (
    ACCEPTED,
    DECLINED,
    EVENT_BLOCK,
    KIND_COUNT,
    REFUSED,
    STATE_BLOCK,
    SWITCHED,
    due_lots,
    next_row,
    position_of,
    record,
    reserve,
    reserve_loss,
    tell_margins,
)
from engine.market.day_orders_kernel import (
    find_client_id,
    foresee_row,
    foresee_slot,
    forget_last_client_id,
    has_client_id_left,
    remember_client_id,
    turn_day,
)
from engine.market.matching_kernel import decide, has_event_room
from engine.market.order_id_kernel import find_order
from engine.market.order_kernel import is_on_book, is_taking, order_at
from engine.market.placing_kernel import (
    _reason_against,
    _reason_against_replacing,
    is_priced,
    is_sensible,
)
from engine.market.requests import LARGEST_LOTS
from engine.market.running_kernel import price_that_rests, step_down, step_up
from engine.market.session_kernel import IS_DISCONNECT, ONE_SIDED
from engine.market.words_kernel import (
    C_AT,
    C_CLIENT,
    C_ID,
    C_LOTS,
    C_OWNER,
    C_PRICE,
    C_TERMS,
    IDS,
    LIVE_COUNT,
    NEXT_EXPIRY,
    ORDERS,
    SLICE_COUNT,
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
)
from engine.memory_kernel import load, store
from engine.risk.account_kernel import foresee_account, is_contract
from engine.risk.admission_kernel import (
    admit_account,
    admit_codes,
    admit_instrument,
    admit_margin,
    admit_rate,
    admit_size,
    is_in_window,
    limit_of,
    lots_to_cut,
    reducible_lots,
)
from engine.risk.fee_kernel import lot_cost_minor
from engine.risk.loss_kernel import lot_loss_minor
from engine.risk.margin_kernel import is_cash_account
from schemas.codes import (
    AccountStatus,
    InstrumentState,
    MarketAction,
    OrderLink,
    OrderType,
    PostOnly,
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

FURTHER, NEARER = 12, 6  # commands ahead that memory is asked for: slots of ids first, their rows then
_LIMIT, _MARKET = int(OrderType.LIMIT), int(OrderType.MARKET)
_STOP, _STOP_LIMIT = int(OrderType.STOP), int(OrderType.STOP_LIMIT)
_DAY, _IOC = int(TimeInForce.DAY), int(TimeInForce.IOC)
_BUY, _SELL = int(Side.BUY), int(Side.SELL)
_REPRICE = int(PostOnly.REPRICE)
_RESTRICTED = int(AccountStatus.RESTRICTED)
_AWAIT, _ENTRY_LINK, _OCO = int(OrderLink.AWAIT), int(OrderLink.ENTRY), int(OrderLink.OCO)
_OPEN = int(InstrumentState.OPEN)
_OK = int(RejectReason.NONE)
_DUPLICATE_ID = int(RejectReason.DUPLICATE_ID)
_UNKNOWN_ORDER = int(RejectReason.UNKNOWN_ORDER)
_UNKNOWN_CODE = int(RejectReason.UNKNOWN_CODE)
_ACCOUNT_RESTRICTED = int(RejectReason.ACCOUNT_RESTRICTED)
_BAD_PRICE = int(RejectReason.BAD_PRICE)
_WOULD_TAKE = int(RejectReason.WOULD_TAKE)
_BOOK_FULL = int(RejectReason.BOOK_FULL)
_BAD_LINK = int(RejectReason.BAD_LINK)
_WRONG_SESSION = int(RejectReason.WRONG_SESSION)
_WOULD_INCREASE = int(RejectReason.WOULD_INCREASE)
_A_PLACE, _A_CANCEL = int(MarketAction.PLACE), int(MarketAction.CANCEL)
_A_REPLACE, _A_MASS = int(MarketAction.REPLACE), int(MarketAction.MASS_CANCEL)
_A_STATE, _A_EXPIRE = int(MarketAction.SET_STATE), int(MarketAction.EXPIRE)
_A_END_DAY, _A_SWITCH = int(MarketAction.END_DAY), int(MarketAction.SET_KILL_SWITCH)
_A_CUT = int(MarketAction.CUT_REDUCE_ONLY)


COMMAND_CLASSES: dict[str, type] = {
    "places": PlaceOrder,
    "cancels": CancelOrder,
    "replaces": ReplaceOrder,
    "masses": CancelOrders,
    "switches": SetKillSwitch,
    "phases": ChangeInstrumentState,
    "turns": StartBusinessDay,
}
COMMAND_BLOCK = BlockType(
    "COMMANDS",
    **{name: rows_of(cls) for name, cls in COMMAND_CLASSES.items()},
    queue=words(2),  # (n, 2): kind, row
    packed=WORD,  # address of a MarketCommand
    most_live=WORD,  # as long as no more orders live than this
    most_slices=WORD,  # and no more slices of icebergs
)
"""The trading commands of one run, the order in which they came, and where one is packed for matching."""

_state_at = at_address(STATE_BLOCK)
_commands_at = at_address(COMMAND_BLOCK)
_events_at = at_address(EVENT_BLOCK)


@kernel
def run(state_address, command_address, event_address, trade_epoch_day, first) -> int:
    """Run the queue from `first` on. Returns the first command that was not run, for want of room."""
    state = _state_at(state_address)
    commands = _commands_at(command_address)
    events = _events_at(event_address)
    q = first
    while q < len(commands.queue) and _has_room(state, events, commands):
        _foresee(state, commands, q)
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
            _switch(state, commands.packed, commands.switches[row], events, trade_epoch_day)
        elif kind == PHASE:
            _phase(state, commands.packed, commands.phases[row], events, trade_epoch_day)
        else:
            _turn(state, commands.packed, commands.turns[row], events, trade_epoch_day)
        q += 1
    return q


@inner
def _foresee(state, commands, q):
    """Ask for the memory of orders and accounts that commands to come name, so that it is there then."""
    if q + FURTHER < len(commands.queue):
        account_id, client_order_id = _order_named(commands, q + FURTHER)
        foresee_slot(state.day, account_id, client_order_id)
    if q + NEARER < len(commands.queue):
        account_id, client_order_id = _order_named(commands, q + NEARER)
        foresee_row(state.day, account_id, client_order_id)
        foresee_account(state.risk, account_id, _instrument_named(commands, q + NEARER))


@inner
def _order_named(commands, q):
    """Account and client order id of a command; of others than the common three, any."""
    kind, row = commands.queue[q, 0], commands.queue[q, 1]
    if kind == REPLACE:
        return commands.replaces[row].account_id, commands.replaces[row].client_order_id
    if kind == PLACE:
        return commands.places[row].account_id, commands.places[row].client_order_id
    if kind == CANCEL:
        return commands.cancels[row].account_id, commands.cancels[row].client_order_id
    return np.int64(0), np.int64(0)


@inner
def _instrument_named(commands, q):
    """The instrument of a new order; of other commands, none."""
    is_new = commands.queue[q, 0] == PLACE
    return commands.places[commands.queue[q, 1]].instrument_id if is_new else np.int64(0)


@inner
def _has_room(state, events, commands):
    live, slices = load(state.books, LIVE_COUNT), load(state.books, SLICE_COUNT)
    if live > commands.most_live or slices > commands.most_slices:
        return False
    counts, room = events.counts, events.room
    for kind in range(KIND_COUNT):
        if counts[kind] > room[kind]:
            return False
    return has_event_room(state.books, 0)


@kernel
def _refuse(events, command_type, at, account_id, client_order_id, instrument_id, reason):
    """Refuse a command of one order. `at` is its sequence and instant."""
    i = next_row(events, REFUSED, at[0], at[1], events.refused)
    row = events.refused[i]
    row.command_type = command_type
    row.account_id = account_id
    row.client_order_id = client_order_id
    row.instrument_id = instrument_id
    row.reject_reason_code = reason


@kernel
def _decline(events, command_type, at, reason):
    """Refuse a command that is not of one order."""
    i = next_row(events, DECLINED, at[0], at[1], events.declined)
    events.declined[i].command_type = command_type
    events.declined[i].reject_reason_code = reason


# Packing ----------------------------------------------------------------------------------------------------


@kernel
def _pack(packed, action, side, instrument_id, order_id, price, lots, owner, at_ns, client, session_id):
    store(packed, 0, action | (side << 8) | (instrument_id << 40))
    store(packed, C_ID, order_id)
    store(packed, C_PRICE, price)
    store(packed, C_LOTS, lots)
    store(packed, C_OWNER, owner)
    store(packed, C_AT, at_ns)
    store(packed, C_CLIENT, client)
    store(packed, C_TERMS, session_id << 32)


@kernel
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


@kernel
def _pack_place(state, packed, c, limit, at):
    """A PlaceOrder as matching takes it. A market order carries its protection; it never rests while open."""
    account = state.accounts[c.account_id]
    owner = c.account_id | (account.group_id << 32)
    session_id = min(max(c.session_id, 0), 0x7FFFFFFF)
    _pack(
        packed, _A_PLACE, c.side_code, c.instrument_id, c.sequence, limit, c.quantity_lots, owner,
        c.received_at_ns, at, session_id,
    )  # fmt: skip
    kind, life = c.order_type_code, c.time_in_force_code
    if kind == _MARKET and life == _DAY:
        life = _IOC
    is_reduce_only = _is_reduce_only(state, c, _first_leg(state, c))
    flags = c.post_only_code | (_mode(state, c) << 2) | ((1 if is_reduce_only else 0) << 5)
    store(packed, 0, load(packed, 0) | (kind << 16) | (life << 24) | (flags << 32))
    _pack_terms(state, packed, c, _linked_order_id(state, c))


@kernel
def _mode(state, c):
    """What becomes of an order where it meets its own group."""
    return c.self_trade_code if c.self_trade_code != 0 else state.accounts[c.account_id].self_trade_code


@kernel
def _linked_order_id(state, c):
    """The order that a link names, zero for none, and -1 for one that does not live."""
    if c.linked_client_order_id == 0:
        return 0
    at = _linked(state, c)
    return state.day.rows[at].order_id if at != 0 else -1


# Linked orders ----------------------------------------------------------------------------------------------


@kernel
def _linked(state, c):
    """The position of the order that a link names, zero when it does not live."""
    at = find_client_id(state.day, c.account_id, c.linked_client_order_id)
    return at if at != 0 and state.day.rows[at].open_lots > 0 else 0


@kernel
def _first_leg(state, c):
    """The position of the order that this one becomes the other leg of; zero for none."""
    return _linked(state, c) if c.order_link_code == _OCO else 0


@kernel
def _is_second_leg(state, c, first_at):
    """Whether an order reserves only what its other leg does not, for only one of the two can be filled.

    Not so a bid of a cash account: the second may cost more than the first.
    """
    if first_at == 0 or state.day.rows[first_at].side_code != c.side_code:
        return False
    return c.side_code == _SELL or not is_cash_account(state.accounts[c.account_id])


@kernel
def _is_waiting(state, c, first_at):
    """Whether an order reserves as its entry is filled, for it takes back no more than that.

    Not so a bid of a cash account: it may cost more than its entry brought.
    """
    if c.order_link_code == _AWAIT:
        return c.side_code == _SELL or not is_cash_account(state.accounts[c.account_id])
    return _is_second_leg(state, c, first_at) and state.day.rows[first_at].is_waiting != 0


@kernel
def _is_reduce_only(state, c, first_at):
    """Whether an order gives way to others that take the position away. Exits from a contract always do."""
    if c.is_reduce_only != 0:
        return True
    return _is_waiting(state, c, first_at) and is_contract(state.instruments[c.instrument_id])


@kernel
def _is_entry_of_linked(state, c):
    """Whether the order that waits for this entry closes no more than it opens."""
    exit_order = state.day.rows[_linked(state, c)]
    return exit_order.side_code != c.side_code and exit_order.open_lots <= c.quantity_lots


# Placing ----------------------------------------------------------------------------------------------------


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
    _pack_place(state, packed, c, limit, 0)
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
def _admit_position(state, c, limit):
    """Rungs 4xx. Returns the reason, and the lots that the order adds to what the account has at risk."""
    none, lots = np.int64(0), c.quantity_lots
    link, is_reduce_only = c.order_link_code, c.is_reduce_only != 0
    if link == _ENTRY_LINK and not _is_entry_of_linked(state, c):
        return _BAD_LINK, none
    if (link == _AWAIT or link == _ENTRY_LINK) and (
        state.accounts[c.account_id].account_status_code == _RESTRICTED
    ):
        return _ACCOUNT_RESTRICTED, none  # what an entry closes its exit would open again
    first_at = _first_leg(state, c)
    more = lots
    if _is_second_leg(state, c, first_at):
        first = state.day.rows[first_at]
        more = max(lots - first.open_lots, 0)
        # What stands in for a reduce-only order gives way with it.
        if first.is_waiting != 0 and more > 0:
            return _BAD_LINK, none
        if first.is_waiting == 0 and is_reduce_only and first.is_reduce_only == 0:
            return _BAD_LINK, none
        if not is_reduce_only and first.is_reduce_only != 0 and more > 0:
            return _BAD_LINK, none
    if _is_waiting(state, c, first_at):
        if _is_reduce_only(state, c, first_at):
            return _OK, none
        return _admit_margin(state, c.account_id, c.instrument_id, c.side_code, limit, lots, none), none
    if is_reduce_only and more > reducible_lots(
        state.instruments, state.positions, state.amounts, c.account_id, c.instrument_id, c.side_code
    ):
        return _WOULD_INCREASE, none
    return _admit_margin(state, c.account_id, c.instrument_id, c.side_code, limit, lots, more), more


@kernel
def _admit_margin(state, account_id, instrument_id, side, limit, lots, more):
    return admit_margin(
        state.risk, state.accounts, state.instruments, state.positions, state.amounts, state.fees, account_id,
        instrument_id, side, limit, lots, more,
    )  # fmt: skip


@kernel
def _place(state, packed, c, events, trade_epoch_day):
    now = (c.sequence, c.received_at_ns)
    _expire(state, packed, now, events, trade_epoch_day)
    reason, limit, more = _admit_place(state, packed, c)
    if reason == _OK and _lots_to_cut(state, c.account_id, c.instrument_id, c.side_code, more) > 0:
        # Nothing is cut for an order that matching refuses.
        reason = _reason_against(state.books, packed, load(packed, 0))
        if reason == _OK:
            _cut(
                state, packed, now, c.account_id, c.instrument_id, c.side_code, more, events, trade_epoch_day
            )  # fmt: skip
    if reason == _OK:
        accepted = events.counts[ACCEPTED]
        reason = _match_place(state, packed, c, limit, events, trade_epoch_day)
        if reason == _OK:
            events.accepted[accepted].time_in_force_code = c.time_in_force_code
    if reason != _OK:
        _refuse(events, PLACE, now, c.account_id, c.client_order_id, c.instrument_id, reason)
    tell_margins(state, events, c.sequence, c.received_at_ns, c.account_id)


@kernel
def _match_place(state, packed, c, limit, events, trade_epoch_day):
    """Let matching decide an order that was admitted. Returns its reason, if it refused it."""
    first_at = _first_leg(state, c)
    at = remember_client_id(state.day, c.account_id, c.client_order_id)
    order = state.day.rows[at]
    order.order_id = c.sequence
    order.instrument_id = c.instrument_id
    order.side_code = c.side_code
    order.order_type_code = c.order_type_code
    order.self_trade_code = _mode(state, c)
    order.price_ticks = c.stop_ticks if c.order_type_code == _STOP else 0
    order.reserve_ticks = limit
    order.reserve_minor = 0
    order.loss_minor = 0
    order.open_lots = 0
    order.reserved_lots = 0
    order.freed_lots = 0
    order.is_waiting = 1 if _is_waiting(state, c, first_at) else 0
    order.is_second_leg = 1 if _is_second_leg(state, c, first_at) else 0
    order.is_reduce_only = 1 if _is_reduce_only(state, c, first_at) else 0
    order.partner_order_id = 0
    order.child_order_id = _linked_order_id(state, c) if c.order_link_code == _ENTRY_LINK else 0
    first = state.day.rows[first_at]
    was_second, old_partner_id = first.is_second_leg, first.partner_order_id
    if first_at != 0:
        order.freed_lots = first.freed_lots
        order.partner_order_id = first.order_id
        first.partner_order_id = c.sequence
        first.is_second_leg = 0
    _pack_place(state, packed, c, limit, at)
    decide(state.books, packed)
    reason = record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    if reason != _OK:
        forget_last_client_id(state.day)
        if first_at != 0:
            first.is_second_leg, first.partner_order_id = was_second, old_partner_id
    return reason


@kernel
def _lots_to_cut(state, account_id, instrument_id, side, lots):
    if lots <= 0:
        return np.int64(0)
    return lots_to_cut(
        state.instruments, state.positions, state.amounts, account_id, instrument_id, side, lots
    )


@kernel
def _cut(state, packed, now, account_id, instrument_id, side, lots, events, trade_epoch_day):
    """Shrink the account's reduce-only orders that `lots` more on their side leave nothing to reduce.

    What one leg of two gave up the other one reserves: where that leaves too much, all of them go.
    """
    cut = _lots_to_cut(state, account_id, instrument_id, side, lots)
    for _ in range(2):
        if cut == 0:
            return
        _pack(packed, _A_CUT, side, instrument_id, 0, 0, cut, account_id, now[1], 0, 0)
        decide(state.books, packed)
        record(state, events, trade_epoch_day, now[0], now[1])
        cut = _lots_to_cut(state, account_id, instrument_id, side, lots)
        cut = LARGEST_LOTS if cut > 0 else cut


@kernel
def _expire(state, packed, now, events, trade_epoch_day):
    """End what was good till now, before anything of this instant is decided. `now`: (sequence, instant)."""
    if now[1] >= load(state.books, NEXT_EXPIRY):
        _pack(packed, _A_EXPIRE, 0, 0, 0, 0, 0, 0, now[1], 0, 0)
        decide(state.books, packed)
        record(state, events, trade_epoch_day, now[0], now[1])


# Cancelling and replacing -----------------------------------------------------------------------------------


@kernel
def _admit_known(state, account_id, client_order_id):
    """The position of an order that lives, or the reason why there is none."""
    reason = admit_account(state.accounts, account_id)
    if reason != _OK:
        return reason, 0
    at = find_client_id(state.day, account_id, client_order_id)
    if at == 0 or state.day.rows[at].open_lots == 0:
        return _UNKNOWN_ORDER, 0
    return _OK, at


@kernel
def _cancel(state, packed, c, events, trade_epoch_day):
    now = (c.sequence, c.received_at_ns)
    _expire(state, packed, now, events, trade_epoch_day)
    reason, at = _admit_known(state, c.account_id, c.client_order_id)
    if reason == _OK:
        order_id = state.day.rows[at].order_id
        _pack(packed, _A_CANCEL, 0, 0, order_id, 0, 0, c.account_id, c.received_at_ns, at, 0)
        decide(state.books, packed)
        record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    else:
        _refuse(events, CANCEL, now, c.account_id, c.client_order_id, 0, reason)
    tell_margins(state, events, c.sequence, c.received_at_ns, c.account_id)


@kernel
def _admit_replace(state, c, at):
    """The ladder for a change: the order as it would stand must pass as a new one would.

    Returns the reason, and the lots that the change adds to what the account has at risk.
    """
    order = state.day.rows[at]
    none, lots, kind = np.int64(0), c.quantity_lots, order.order_type_code
    reason = admit_instrument(state.instruments, order.instrument_id)
    if reason != _OK:
        return reason, none
    account, instrument = state.accounts[c.account_id], state.instruments[order.instrument_id]
    limit = c.price_ticks if is_priced(kind) else order.reserve_ticks
    stop = c.price_ticks if kind == _STOP else limit
    reason = admit_size(account, instrument, limit, stop, lots, state.window_count, kind == _LIMIT)
    if reason == _OK and (stop > limit if order.side_code == _BUY else stop < limit):
        reason = _BAD_PRICE  # its protection stays where it was, and a stop beyond it could never trade
    if reason == _OK:
        reason = admit_rate(state.accounts, c.account_id, c.received_at_ns)
    if reason == _OK and c.post_only_code == _REPRICE:
        limit = price_that_rests(state.books, order.instrument_id, order.side_code, limit)
        reason = _OK if is_in_window(instrument, limit, state.window_count) else _WOULD_TAKE
    if reason != _OK:
        return reason, none
    return _admit_larger(state, c.account_id, at, limit, lots)


@kernel
def _admit_larger(state, account_id, at, limit, lots):
    """Rungs 4xx for an order as it would stand. Returns as `_admit_replace` does."""
    order = state.day.rows[at]
    none = np.int64(0)
    partner_at = position_of(state, order.partner_order_id) if order.partner_order_id != 0 else 0
    if order.is_waiting != 0:
        if lots > order.open_lots:
            return _BAD_LINK, none  # it may not outgrow its entry
        return _admit_waiting(state, account_id, at, limit, lots), none
    partner = state.day.rows[partner_at]
    gives_way = order.is_second_leg != 0 and partner_at != 0 and partner.is_reduce_only > order.is_reduce_only
    if gives_way and lots > partner.open_lots:
        return _BAD_LINK, none
    open_lots, reserved = order.open_lots, order.reserved_lots
    # At another price alone an order asks what it asked: where there is enough, nothing is taken off for it.
    if lots == open_lots == reserved and partner_at == 0 and _may_only_move(state, account_id, order):
        reason = _admit_margin(state, account_id, order.instrument_id, order.side_code, limit, lots, none)
        if reason == _OK:
            return _OK, none
    loss = order.loss_minor
    reserve_loss(state, at, none)
    reserve(state, at, -reserved)
    order.open_lots = lots
    more = due_lots(state, at)
    if partner_at != 0:
        more += due_lots(state, partner_at) - state.day.rows[partner_at].reserved_lots
    order.open_lots = open_lots
    if order.is_reduce_only != 0 and more > reducible_lots(
        state.instruments, state.positions, state.amounts, account_id, order.instrument_id, order.side_code
    ):
        reason = _WOULD_INCREASE
    else:
        reason = _admit_margin(
            state, account_id, order.instrument_id, order.side_code, limit, lots, more
        )  # fmt: skip
    reserve(state, at, reserved)
    reserve_loss(state, at, loss)
    return reason, more - reserved


@kernel
def _admit_waiting(state, account_id, at, limit, lots):
    """Rungs 4xx for an exit as it would stand: its lots are its entry's, what it may lose is its own."""
    order = state.day.rows[at]
    account, instrument = state.accounts[account_id], state.instruments[order.instrument_id]
    lot_minor = lot_cost_minor(state.fees, account, instrument, limit)
    loss, none = order.loss_minor, np.int64(0)
    if (
        order.is_reduce_only != 0
        or lots * lot_loss_minor(instrument, order.side_code, limit, lot_minor) <= loss
    ):
        return _OK
    reserve_loss(state, at, none)
    reason = _admit_margin(state, account_id, order.instrument_id, order.side_code, limit, lots, none)
    reserve_loss(state, at, loss)
    return reason


@kernel
def _may_only_move(state, account_id, order):
    """Whether nothing but margin stands against an order at another price."""
    account = state.accounts[account_id]
    is_free = account.account_status_code != _RESTRICTED and order.is_reduce_only == 0
    return is_free and not is_cash_account(account)


@kernel
def _pack_replace(state, packed, c, at):
    """A ReplaceOrder as matching takes it. What has no price keeps its protection."""
    order = state.day.rows[at]
    price = c.price_ticks
    if price == 0 and order.price_ticks == 0:
        price = order.reserve_ticks
    owner = c.account_id | (state.accounts[c.account_id].group_id << 32)
    _pack(
        packed, _A_REPLACE, order.side_code, order.instrument_id, order.order_id, price, c.quantity_lots,
        owner, c.received_at_ns, at, 0,
    )  # fmt: skip
    flags = c.post_only_code | (order.self_trade_code << 2)
    store(packed, 0, load(packed, 0) | (flags << 32))


@kernel
def _reason_against_growing(state, packed, at):
    """What matching would say to a change that is no reduction."""
    order = state.day.rows[at]
    row = find_order(state.books, load(state.books, IDS), load(state.books, ORDERS), order.order_id)
    is_waiting = not is_on_book(order_at(state.books, row))
    return _reason_against_replacing(
        state.books, packed, load(packed, 0), row, order.instrument_id, is_waiting, False
    )


@kernel
def _replace(state, packed, c, events, trade_epoch_day):
    now = (c.sequence, c.received_at_ns)
    _expire(state, packed, now, events, trade_epoch_day)
    reason, at = _admit_known(state, c.account_id, c.client_order_id)
    order = state.day.rows[at]
    instrument_id = order.instrument_id if at != 0 else 0
    more = np.int64(0)
    if reason == _OK and (c.post_only_code < 0 or c.post_only_code > _REPRICE):
        reason = _UNKNOWN_CODE
    # A pure reduction takes no risk on, so it is never refused for want of margin or of an open market.
    if reason == _OK and not (c.price_ticks == order.price_ticks and 0 < c.quantity_lots <= order.open_lots):
        reason, more = _admit_replace(state, c, at)
    if reason == _OK:
        _pack_replace(state, packed, c, at)
        if order.is_reduce_only == 0 and (
            _lots_to_cut(state, c.account_id, instrument_id, order.side_code, more) > 0
        ):
            reason = _reason_against_growing(state, packed, at)
            if reason == _OK:
                _cut(
                    state, packed, now, c.account_id, instrument_id, order.side_code, more, events,
                    trade_epoch_day,
                )  # fmt: skip
                _pack_replace(state, packed, c, at)
    if reason == _OK:
        decide(state.books, packed)
        reason = record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    if reason != _OK:
        _refuse(events, REPLACE, now, c.account_id, c.client_order_id, instrument_id, reason)
    tell_margins(state, events, c.sequence, c.received_at_ns, c.account_id)


# Many orders at once ----------------------------------------------------------------------------------------


@kernel
def _cancel_all(state, packed, c, events, trade_epoch_day):
    """Cancel whatever fits. What cannot fit, because there is no such account or instrument, is nothing."""
    now = (c.sequence, c.received_at_ns)
    _expire(state, packed, now, events, trade_epoch_day)
    side = c.side_code
    is_sound = 0 <= c.account_id < len(state.accounts) and 0 <= c.instrument_id < len(state.instruments)
    if not is_sound or side < 0 or side > _SELL or not 0 <= c.session_id <= 0x7FFFFFFF:
        _decline(events, CANCEL_ALL, now, _UNKNOWN_CODE)
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


@kernel
def _switch(state, packed, c, events, trade_epoch_day):
    _expire(state, packed, (c.sequence, c.received_at_ns), events, trade_epoch_day)
    is_stopped = 1 if c.is_stopped != 0 else 0
    _pack(packed, _A_SWITCH, 0, 0, 0, 0, is_stopped, 0, c.received_at_ns, 0, 0)
    decide(state.books, packed)
    i = next_row(events, SWITCHED, c.sequence, c.received_at_ns, events.switched)
    events.switched[i].is_stopped = is_stopped
    events.switched[i].operator_id = c.operator_id
    tell_margins(state, events, c.sequence, c.received_at_ns, 0)


@kernel
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


@kernel
def _turn(state, packed, c, events, trade_epoch_day):
    """End yesterday's orders, and let the ids of all that ended be used anew."""
    _expire(state, packed, (c.sequence, c.received_at_ns), events, trade_epoch_day)
    _pack(packed, _A_END_DAY, 0, 0, 0, 0, 0, 0, c.received_at_ns, 0, 0)
    decide(state.books, packed)
    record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    tell_margins(state, events, c.sequence, c.received_at_ns, 0)
    turn_day(state.day, state.books)
