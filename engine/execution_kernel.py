"""From what matching did to what the book records: each event is written, reserved for, posted and margined.

Owns: the rows that events are written into, what open orders reserve, executions. Does not own: who may trade
(pipeline_kernel.py), whom an order meets (engine/market), what moves (engine/ledger).
"""

import numpy as np

from engine.blocks_kernel import WORD, BlockType, block_of, rows_of, words
from engine.compiled_kernel import inner, kernel
from engine.ledger.posting_kernel import BROKEN, post_fill_side
from engine.market.day_orders_kernel import DAY_BLOCK
from engine.market.order_id_kernel import find_order
from engine.market.placing_kernel import is_priced
from engine.market.words_kernel import (
    EVENT_COUNT,
    EVENT_WORDS,
    EVENTS,
    IDS,
    O_CLIENT,
    ORDER_WORDS,
    ORDERS,
)
from engine.memory_kernel import load
from engine.risk.account_kernel import is_contract, note
from engine.risk.fee_kernel import fee_minor, lot_cost_minor
from engine.risk.loss_kernel import count_loss, due_loss_minor, is_street
from engine.risk.margin_kernel import equity, initial_margin
from engine.risk.risk_block_kernel import RISK_BLOCK
from schemas.codes import MarketEventKind, MarketEventReason, OrderType, Side
from schemas.identity import AccountRow
from schemas.ledger import Posting
from schemas.market import (
    AuctionUncrossed,
    CommandRefused,
    FeeRow,
    Fill,
    InstrumentRow,
    InstrumentStateChanged,
    KillSwitchSet,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderReduced,
    OrderRefused,
    OrderReplaced,
    OrderShown,
    OrderTriggered,
)
from schemas.risk import MarginChanged, PositionRow

_BUY = int(Side.BUY)
_SELL = int(Side.SELL)
_KEPT = int(MarketEventReason.PRIORITY_KEPT)
_ENTRY = int(MarketEventReason.ENTRY)
_MARKET, _TRAILING = int(OrderType.MARKET), int(OrderType.TRAILING_STOP)
_M_ACCEPTED = int(MarketEventKind.ACCEPTED)
_M_REFUSED = int(MarketEventKind.REFUSED)
_M_TRADED = int(MarketEventKind.TRADED)
_M_CANCELLED = int(MarketEventKind.CANCELLED)
_M_REPLACED = int(MarketEventKind.REPLACED)
_M_EXPIRED = int(MarketEventKind.EXPIRED)
_M_RESTED = int(MarketEventKind.RESTED)
_M_TRIGGERED = int(MarketEventKind.TRIGGERED)
_M_REFILLED = int(MarketEventKind.REFILLED)
_M_REDUCED = int(MarketEventKind.REDUCED)
_M_REPRICED = int(MarketEventKind.REPRICED)
_M_STATE_CHANGED = int(MarketEventKind.STATE_CHANGED)
_M_UNCROSSED = int(MarketEventKind.UNCROSSED)
_M_PAIRED = int(MarketEventKind.PAIRED)


STATE_BLOCK = BlockType(
    "STATE",
    accounts=rows_of(AccountRow),
    instruments=rows_of(InstrumentRow),
    positions=rows_of(PositionRow, 2),
    amounts=words(2),
    offsets=words(),
    fees=rows_of(FeeRow, 2),
    day=block_of(DAY_BLOCK),
    books=WORD,  # the address of the matching engine's words
    touched=words(),  # per account, the command that last touched it
    touched_ids=words(),  # the accounts that this command touched, in order
    risk=block_of(RISK_BLOCK),
    window_count=WORD,  # how many ticks above its floor a price may lie
)
"""The state that the pass reads and writes."""

EVENT_CLASSES: dict[str, type] = {
    "accepted": OrderAccepted,
    "refused": OrderRefused,
    "cancelled": OrderCancelled,
    "replaced": OrderReplaced,
    "expired": OrderExpired,
    "triggered": OrderTriggered,
    "reduced": OrderReduced,
    "shown": OrderShown,
    "uncrossed": AuctionUncrossed,
    "phased": InstrumentStateChanged,
    "switched": KillSwitchSet,
    "declined": CommandRefused,
    "fills": Fill,
    "postings": Posting,
    "margins": MarginChanged,
}
"""What the pass writes; a kind's number is its place here."""

(
    ACCEPTED, REFUSED, CANCELLED, REPLACED, EXPIRED, TRIGGERED, REDUCED, SHOWN, UNCROSSED, PHASED, SWITCHED,
    DECLINED, FILLED, POSTED, MARGINED,
) = range(len(EVENT_CLASSES))  # fmt: skip
KIND_COUNT = len(EVENT_CLASSES)
SEQUENCE = KIND_COUNT  # behind the counts of rows: the sequence given last
IS_BROKEN = KIND_COUNT + 1  # and whether a balance would have left its bounds
TOUCHED = KIND_COUNT + 2  # and how many accounts the command touched
COUNTS = KIND_COUNT + 3

EVENT_BLOCK = BlockType(
    "EVENTS", **{name: rows_of(cls) for name, cls in EVENT_CLASSES.items()}, counts=words(), room=words()
)
"""Where the pass writes. `counts` holds the rows of each kind, then the words named above; `room` how many
rows of each kind there may be before another command."""


@inner
def next_row(events, kind, cause, at_ns, rows):
    """The next free row of one kind of event, its header filled in."""
    i = events.counts[kind]
    events.counts[kind] = i + 1
    events.counts[SEQUENCE] += 1
    rows[i].sequence = events.counts[SEQUENCE]
    rows[i].cause_sequence = cause
    rows[i].occurred_at_ns = at_ns
    return i


@inner
def order_row(state, events, kind, cause, at_ns, rows, at, order_id, instrument_id):
    """The next free row of an event about one order, filled in with whose it is."""
    i = next_row(events, kind, cause, at_ns, rows)
    order = state.day.rows[at]
    rows[i].order_id = order_id
    rows[i].account_id = order.account_id
    rows[i].client_order_id = order.client_order_id
    rows[i].instrument_id = instrument_id
    return i


# What open orders reserve -----------------------------------------------------------------------------------


#
# What an order reserves follows from its row and its other leg's. So whatever happens to either, both are
# looked at again, and no event has to know how the two hang together. Exits reserve as their entry is filled:
# from then on they can be set free at any time, and what they will take may be promised to nothing else.
# What an order would lose as it fills it reserves by itself, for all of its open lots (loss_kernel.py).


@kernel
def position_of(state, order_id):
    """Where the day has an order that lives; zero when it has ended."""
    orders = load(state.books, ORDERS)
    row = find_order(state.books, load(state.books, IDS), orders, order_id)
    return load(orders, row * ORDER_WORDS + O_CLIENT) if row != 0 else 0


@kernel
def _lots_alone(order):
    """What an order would reserve if it had no other leg."""
    return min(order.open_lots, order.freed_lots) if order.is_waiting != 0 else order.open_lots


@kernel
def due_lots(state, at):
    """What a day's order has to reserve as things are."""
    order = state.day.rows[at]
    lots = _lots_alone(order)
    if order.is_second_leg != 0:
        first_at = position_of(state, order.partner_order_id)
        if first_at != 0:
            lots = max(lots - _lots_alone(state.day.rows[first_at]), 0)
    return lots


@kernel
def reserve(state, at, lots):
    """Count lots of a day's order for margin; negative lots take back."""
    if lots == 0:
        return
    order = state.day.rows[at]
    order.reserved_lots += lots
    row = state.positions[order.account_id, order.instrument_id]
    if order.side_code == _BUY:
        row.open_buy_lots += lots
        row.open_buy_minor += lots * order.reserve_minor
        if order.is_reduce_only != 0:
            row.reduce_buy_lots += lots
    else:
        row.open_sell_lots += lots
        if order.is_reduce_only != 0:
            row.reduce_sell_lots += lots
    is_bid = order.side_code == _BUY
    note(state.risk, order.account_id, order.instrument_id, lots if is_bid else 0, 0 if is_bid else lots)


@kernel
def reserve_loss(state, at, minor):
    """Count what a day's order would lose as it fills."""
    order = state.day.rows[at]
    if minor != order.loss_minor:
        count_loss(state.positions, order, minor)
        note(state.risk, order.account_id, order.instrument_id, 0, 0)


@kernel
def _keep_reserve(state, at):
    """Let an order and its other leg reserve what they have to now."""
    order = state.day.rows[at]
    account, instrument = state.accounts[order.account_id], state.instruments[order.instrument_id]
    reserve_loss(state, at, due_loss_minor(account, instrument, order))
    reserve(state, at, due_lots(state, at) - order.reserved_lots)
    partner_at = position_of(state, order.partner_order_id) if order.partner_order_id != 0 else 0
    if partner_at != 0:
        reserve(state, partner_at, due_lots(state, partner_at) - state.day.rows[partner_at].reserved_lots)


@kernel
def _price(state, at, ticks):
    """Set what an order's price is, and what it reserves at. It reserves nothing now."""
    order = state.day.rows[at]
    kind = order.order_type_code
    if kind != _MARKET and kind != _TRAILING:
        order.price_ticks = ticks
    if is_priced(kind):
        order.reserve_ticks = ticks
    account, instrument = state.accounts[order.account_id], state.instruments[order.instrument_id]
    order.reserve_minor = lot_cost_minor(state.fees, account, instrument, order.reserve_ticks)


@kernel
def _shrink(state, at, lots):
    """Take lots off a day's order, and what it reserves with them."""
    state.day.rows[at].open_lots -= lots
    _keep_reserve(state, at)


@kernel
def _end(state, at):
    _shrink(state, at, state.day.rows[at].open_lots)


@kernel
def _free(state, at, lots):
    """Let an exit reserve what its entry was filled for."""
    state.day.rows[at].freed_lots += lots
    _keep_reserve(state, at)


@kernel
def _take(state, at, lots):
    """Take filled lots off a day's order; its exit's two legs may have to give them back."""
    _shrink(state, at, lots)
    child_id = state.day.rows[at].child_order_id
    child_at = position_of(state, child_id) if child_id != 0 else 0
    if child_at != 0:
        leg_id = state.day.rows[child_at].partner_order_id
        leg_at = position_of(state, leg_id) if leg_id != 0 else 0
        _free(state, child_at, lots)
        if leg_at != 0:
            _free(state, leg_at, lots)


@kernel
def _replace(state, at, price, lots, is_kept):
    """Reserve for an order as it stands now."""
    order = state.day.rows[at]
    reserve(state, at, -order.reserved_lots)
    order.open_lots = lots
    if not is_kept:
        _price(state, at, price)
    _keep_reserve(state, at)


# Margin -----------------------------------------------------------------------------------------------------


@kernel
def _touch(state, events, cause, account_id):
    if state.touched[account_id] != cause:
        state.touched[account_id] = cause
        state.touched_ids[events.counts[TOUCHED]] = account_id
        events.counts[TOUCHED] += 1


@kernel
def tell_margins(state, events, cause, at_ns, last_id):
    """Write the margin of every account that the command touched; that of `last_id` comes last."""
    is_last = False
    for i in range(events.counts[TOUCHED]):
        if state.touched_ids[i] == last_id:
            is_last = True
        else:
            _tell_margin(state, events, cause, at_ns, state.touched_ids[i])
    if is_last:
        _tell_margin(state, events, cause, at_ns, last_id)
    events.counts[TOUCHED] = 0


@kernel
def _tell_margin(state, events, cause, at_ns, account_id):
    """Write what the account's margin is now; the street has none."""
    if is_street(state.accounts[account_id]):
        return
    i = next_row(events, MARGINED, cause, at_ns, events.margins)
    row = events.margins[i]
    row.account_id = account_id
    row.equity_minor = equity(state.risk, account_id)
    row.initial_margin_minor = initial_margin(state.risk, account_id)


# Events -----------------------------------------------------------------------------------------------------


@kernel
def record(state, events, trade_epoch_day, cause, at_ns):
    """Write what the matching engine did with one command. Returns its reason, if it refused it."""
    taker_at, buyer_at = 0, 0
    reason = 0
    base = load(state.books, EVENTS)
    for e in range(load(state.books, EVENT_COUNT)):
        event = base + e * (EVENT_WORDS * 8)
        kind = load(event, 0) & 0xFF
        why = (load(event, 0) >> 8) & 0xFFF
        side = (load(event, 0) >> 20) & 3
        instrument_id = (load(event, 0) >> 24) & 0xFFFFF
        order_id, other_id = load(event, 1), load(event, 2)
        price, lots, shown, at = load(event, 3), load(event, 4), load(event, 5), load(event, 7)
        if kind == _M_TRADED:
            is_auction = why != 0
            first_at = buyer_at if is_auction else taker_at
            _fill(
                state, events, trade_epoch_day, cause, at_ns, order_id, other_id, first_at, at,
                instrument_id, side, price, lots, is_auction,
            )  # fmt: skip
            continue
        if kind == _M_REFUSED:
            reason = why
            continue
        if kind == _M_STATE_CHANGED:
            i = next_row(events, PHASED, cause, at_ns, events.phased)
            events.phased[i].instrument_id = instrument_id
            events.phased[i].instrument_state_code = lots
            events.phased[i].order_end_code = why
            state.instruments[instrument_id].instrument_state_code = lots
            continue
        if kind == _M_UNCROSSED:
            i = next_row(events, UNCROSSED, cause, at_ns, events.uncrossed)
            events.uncrossed[i].instrument_id = instrument_id
            events.uncrossed[i].price_ticks = price
            events.uncrossed[i].quantity_lots = lots
            events.uncrossed[i].surplus_lots = shown
            events.uncrossed[i].surplus_side_code = side
            continue
        if kind == _M_PAIRED:
            buyer_at = at
            continue
        if kind == _M_RESTED or kind == _M_REFILLED or kind == _M_REPRICED:
            taker_at = at if kind == _M_REPRICED else taker_at
            i = order_row(state, events, SHOWN, cause, at_ns, events.shown, at, order_id, instrument_id)
            events.shown[i].side_code = side
            events.shown[i].price_ticks = price
            events.shown[i].quantity_lots = lots
            events.shown[i].shown_lots = 0 if kind == _M_REPRICED else shown
            continue
        _touch(state, events, cause, state.day.rows[at].account_id)
        if kind == _M_ACCEPTED:
            taker_at = at
            _accept(state, events, cause, at_ns, at, order_id, price, lots)
        elif kind == _M_REPLACED:
            taker_at = at
            _replace(state, at, price, lots, why == _KEPT)
            i = order_row(state, events, REPLACED, cause, at_ns, events.replaced, at, order_id, instrument_id)
            events.replaced[i].price_ticks = state.day.rows[at].price_ticks
            events.replaced[i].quantity_lots = lots
            events.replaced[i].is_priority_kept = 1 if why == _KEPT else 0
        elif kind == _M_CANCELLED:
            i = order_row(
                state, events, CANCELLED, cause, at_ns, events.cancelled, at, order_id, instrument_id
            )
            events.cancelled[i].cancelled_lots = lots
            events.cancelled[i].order_end_code = why
            _end(state, at)
        elif kind == _M_EXPIRED:
            i = order_row(state, events, EXPIRED, cause, at_ns, events.expired, at, order_id, instrument_id)
            events.expired[i].expired_lots = lots
            events.expired[i].order_end_code = why
            _end(state, at)
        elif kind == _M_TRIGGERED:
            taker_at = at
            i = order_row(
                state, events, TRIGGERED, cause, at_ns, events.triggered, at, order_id, instrument_id
            )
            events.triggered[i].quantity_lots = lots
            events.triggered[i].order_end_code = why
            if why == _ENTRY:
                state.day.rows[at].is_waiting = 0
                _keep_reserve(state, at)
        elif kind == _M_REDUCED:
            i = order_row(state, events, REDUCED, cause, at_ns, events.reduced, at, order_id, instrument_id)
            events.reduced[i].reduced_lots = lots
            events.reduced[i].order_end_code = why
            _shrink(state, at, lots)
    return reason


@kernel
def _accept(state, events, cause, at_ns, at, order_id, price, lots):
    """An order lives. Its row of the day was filled in when it was admitted."""
    order = state.day.rows[at]
    order.open_lots = lots
    _price(state, at, price if is_priced(order.order_type_code) else order.price_ticks)
    _keep_reserve(state, at)
    i = next_row(events, ACCEPTED, cause, at_ns, events.accepted)
    row = events.accepted[i]
    row.order_id = order_id
    row.account_id = order.account_id
    row.client_order_id = order.client_order_id
    row.instrument_id = order.instrument_id
    row.side_code = order.side_code
    row.order_type_code = order.order_type_code
    row.price_ticks = price if is_priced(order.order_type_code) else 0
    row.quantity_lots = lots


@kernel
def _fill(
    state, events, trade_epoch_day, cause, at_ns, taker_order_id, maker_order_id, taker_at, maker_at,
    instrument_id, side, price, lots, is_auction,
):  # fmt: skip
    """Write one execution and post both of its sides."""
    instrument = state.instruments[instrument_id]
    taker_id = state.day.rows[taker_at].account_id
    maker_id = state.day.rows[maker_at].account_id
    taker, maker = state.accounts[taker_id], state.accounts[maker_id]
    notional = price * lots * instrument.tick_value_minor
    taker_fee, maker_fee = np.int64(0), np.int64(0)
    if not is_street(taker):
        taker_fee = fee_minor(state.fees, taker, instrument, notional, is_auction)
    if not is_street(maker):
        maker_fee = fee_minor(state.fees, maker, instrument, notional, True)
    i = next_row(events, FILLED, cause, at_ns, events.fills)
    row = events.fills[i]
    row.fill_id = row.sequence
    row.instrument_id = instrument_id
    row.taker_side_code = side
    row.price_ticks = price
    row.quantity_lots = lots
    row.notional_minor = notional
    row.taker_fee_minor = taker_fee
    row.maker_fee_minor = maker_fee
    row.is_auction = 1 if is_auction else 0
    row.taker_order_id = taker_order_id
    row.taker_account_id = taker_id
    row.maker_order_id = maker_order_id
    row.maker_account_id = maker_id
    row.trade_epoch_day = trade_epoch_day
    row.settlement_epoch_day = instrument.settlement_epoch_day
    _touch(state, events, cause, maker_id)
    _touch(state, events, cause, taker_id)
    _take(state, taker_at, lots)
    _take(state, maker_at, lots)
    _side(state, events, row, taker_id, instrument, side, taker_fee)
    _side(state, events, row, maker_id, instrument, _SELL if side == _BUY else _BUY, maker_fee)


@kernel
def _side(state, events, fill, account_id, instrument, side, fee):
    """One account's side of an execution: into the position of a contract, or into the ledger."""
    if is_street(state.accounts[account_id]):
        return
    signed = fill.quantity_lots if side == _BUY else -fill.quantity_lots
    money = fill.notional_minor if side == _BUY else -fill.notional_minor
    position = state.positions[account_id, fill.instrument_id]
    position.day_net_lots += signed
    position.day_net_minor += money
    contract = is_contract(instrument)
    if contract:
        position.position_lots += signed
        position.cost_minor += money
    posted = events.counts[POSTED]
    count = post_fill_side(
        state.amounts,
        state.offsets,
        events.postings,
        posted,
        (events.counts[SEQUENCE] + 1 - posted, fill.cause_sequence, fill.occurred_at_ns),
        account_id,
        side,
        instrument.base_asset_id,
        0 if contract else fill.quantity_lots * instrument.lot_units,
        instrument.quote_asset_id,
        0 if contract else fill.notional_minor,
        fee,
        fill.fill_id,
        fill.settlement_epoch_day,
    )
    if count == BROKEN:
        events.counts[IS_BROKEN] = 1
        return
    events.counts[POSTED] = count
    events.counts[SEQUENCE] += count - posted
    note(state.risk, account_id, fill.instrument_id, signed, -signed)
