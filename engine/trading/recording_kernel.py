"""From what matching did to what the book records: each event is written, reserved for, posted and margined.

Owns: the events of orders and executions, and the margin told after each command. Does not own: who may trade
(new_orders_kernel.py), whom an order meets (engine/market), what moves (engine/ledger).
"""

import numpy as np

from engine.compiled_kernel import kernel
from engine.ledger.posting_kernel import BROKEN, post_fill_side
from engine.market.placing_kernel import is_priced
from engine.market.words_kernel import EVENT_COUNT, EVENT_WORDS, EVENTS
from engine.memory_kernel import load
from engine.risk.account_kernel import is_contract, note
from engine.risk.fee_kernel import fee_minor
from engine.risk.loss_kernel import is_street
from engine.risk.margin_kernel import equity, initial_margin
from engine.trading.events_kernel import (
    ACCEPTED,
    CANCELLED,
    EXPIRED,
    FILLED,
    IS_BROKEN,
    MARGINED,
    PHASED,
    POSTED,
    REDUCED,
    REPLACED,
    SEQUENCE,
    SHOWN,
    TOUCHED,
    TRIGGERED,
    UNCROSSED,
    next_row,
    order_row,
)
from engine.trading.reserving_kernel import end_order, keep_reserve, set_price, shrink, stand_as, take_filled
from schemas.codes import MarketEventKind, MarketEventReason, Side

_BUY = int(Side.BUY)
_SELL = int(Side.SELL)
_KEPT = int(MarketEventReason.PRIORITY_KEPT)
_ENTRY = int(MarketEventReason.ENTRY)
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
            stand_as(state, at, price, lots, why == _KEPT)
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
            end_order(state, at)
        elif kind == _M_EXPIRED:
            i = order_row(state, events, EXPIRED, cause, at_ns, events.expired, at, order_id, instrument_id)
            events.expired[i].expired_lots = lots
            events.expired[i].order_end_code = why
            end_order(state, at)
        elif kind == _M_TRIGGERED:
            taker_at = at
            i = order_row(
                state, events, TRIGGERED, cause, at_ns, events.triggered, at, order_id, instrument_id
            )
            events.triggered[i].quantity_lots = lots
            events.triggered[i].order_end_code = why
            if why == _ENTRY:
                state.day.rows[at].is_waiting = 0
                keep_reserve(state, at)
        elif kind == _M_REDUCED:
            i = order_row(state, events, REDUCED, cause, at_ns, events.reduced, at, order_id, instrument_id)
            events.reduced[i].reduced_lots = lots
            events.reduced[i].order_end_code = why
            shrink(state, at, lots)
    return reason


@kernel
def _accept(state, events, cause, at_ns, at, order_id, price, lots):
    """An order lives. Its row of the day was filled in when it was admitted."""
    order = state.day.rows[at]
    order.open_lots = lots
    set_price(state, at, price if is_priced(order.order_type_code) else order.price_ticks)
    keep_reserve(state, at)
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
    take_filled(state, taker_at, lots)
    take_filled(state, maker_at, lots)
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
