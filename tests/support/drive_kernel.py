"""Runs trading commands through the matching kernel alone, with no gateway, margin or money around it."""

import numba

from engine.market.matching_kernel import (
    MARKET_BUY_TICKS,
    MARKET_SELL_TICKS,
    fillable,
    find_order,
    keeps_priority,
    match,
    reduce,
    remember_id,
    remove,
    rest,
    would_cross,
)
from schemas.codes import OrderType, RejectReason, Side, TimeInForce

PLACE, CANCEL, REPLACE = range(3)
ACCEPTED, REFUSED, TRADED, REPLACED, CANCELLED, EXPIRED = range(6)
OUTCOME_WIDTH = 8  # kind, then the fields of the outcome

BUY = int(Side.BUY)
MARKET = int(OrderType.MARKET)
DAY = int(TimeInForce.DAY)
FOK = int(TimeInForce.FOK)
NONE = int(RejectReason.NONE)
BAD_QUANTITY = int(RejectReason.BAD_QUANTITY)
BAD_PRICE = int(RejectReason.BAD_PRICE)
DUPLICATE_ID = int(RejectReason.DUPLICATE_ID)
UNKNOWN_ORDER = int(RejectReason.UNKNOWN_ORDER)
WOULD_TAKE = int(RejectReason.WOULD_TAKE)
CANNOT_FILL = int(RejectReason.CANNOT_FILL)
BOOK_FULL = int(RejectReason.BOOK_FULL)

kernel = numba.njit(cache=True, nogil=True, error_model="numpy")


@kernel
def _write(outcomes, count, kind, first, second):
    outcomes[count, 0] = kind
    outcomes[count, 1] = first
    outcomes[count, 2] = second
    return count + 1


@kernel
def _cross(books, instruments, order_id, instrument_id, side, limit, lots, trades, outcomes, count):
    """Match until nothing more crosses, however small the scratch is."""
    while lots > 0:
        met, lots = match(books, instruments, instrument_id, side, limit, lots, trades)
        for t in range(met):
            row = outcomes[count]
            row[0] = TRADED
            row[1] = order_id
            row[2] = trades[t].maker_order_id
            row[3] = trades[t].maker_account_id
            row[4] = trades[t].maker_client_order_id
            row[5] = trades[t].price_ticks
            row[6] = trades[t].quantity_lots
            row[7] = trades[t].maker_open_lots
            count += 1
        if met < len(trades):
            break
    return lots, count


@kernel
def _is_outside(books, instruments, instrument_id, price_ticks):
    window = len(books.levels) // (2 * len(instruments))
    offset = price_ticks - instruments[instrument_id].window_floor_ticks
    return offset < 0 or offset >= window


@kernel
def _reason_against(books, instruments, c, limit):
    if c.quantity_lots < 1:
        return BAD_QUANTITY
    is_market = c.order_type_code == MARKET
    if not is_market and _is_outside(books, instruments, c.instrument_id, limit):
        return BAD_PRICE
    if find_order(books, c.account_id, c.client_order_id) != 0:
        return DUPLICATE_ID
    if c.is_post_only != 0 and would_cross(instruments, c.instrument_id, c.side_code, limit):
        return WOULD_TAKE
    if c.time_in_force_code == FOK:
        lots = c.quantity_lots
        if fillable(books, instruments, c.instrument_id, c.side_code, limit, lots) < lots:
            return CANNOT_FILL
    if remember_id(books, c.account_id, c.client_order_id) == 0:
        return BOOK_FULL
    return NONE


@kernel
def place(books, instruments, c, trades, outcomes, count):
    """Place one order (a PlaceOrder row); returns the new count of outcomes."""
    limit = c.price_ticks
    if c.order_type_code == MARKET:
        limit = MARKET_BUY_TICKS if c.side_code == BUY else MARKET_SELL_TICKS
    reason = _reason_against(books, instruments, c, limit)
    if reason != NONE:
        return _write(outcomes, count, REFUSED, reason, 0)
    count = _write(outcomes, count, ACCEPTED, c.sequence, 0)
    lots, count = _cross(
        books,
        instruments,
        c.sequence,
        c.instrument_id,
        c.side_code,
        limit,
        c.quantity_lots,
        trades,
        outcomes,
        count,
    )
    if lots == 0:
        return count
    if c.time_in_force_code == DAY and c.order_type_code != MARKET:
        row = rest(
            books,
            instruments,
            c.sequence,
            c.account_id,
            c.client_order_id,
            c.instrument_id,
            c.side_code,
            limit,
            lots,
        )
        if row > 0:
            return count
    return _write(outcomes, count, EXPIRED, c.sequence, lots)


@kernel
def cancel(books, instruments, account_id, client_order_id, outcomes, count):
    """Cancel one order; returns the new count of outcomes."""
    row = find_order(books, account_id, client_order_id)
    if row <= 0:
        return _write(outcomes, count, REFUSED, UNKNOWN_ORDER, 0)
    order_id = books.orders[row].order_id
    lots = remove(books, instruments, row)
    return _write(outcomes, count, CANCELLED, order_id, lots)


@kernel
def replace(books, instruments, c, trades, outcomes, count):
    """Replace one order (a ReplaceOrder row); returns the new count of outcomes."""
    row = find_order(books, c.account_id, c.client_order_id)
    if row <= 0:
        return _write(outcomes, count, REFUSED, UNKNOWN_ORDER, 0)
    if c.quantity_lots < 1:
        return _write(outcomes, count, REFUSED, BAD_QUANTITY, 0)
    instrument_id = books.orders[row].instrument_id
    side = books.orders[row].side_code
    order_id = books.orders[row].order_id
    if _is_outside(books, instruments, instrument_id, c.price_ticks):
        return _write(outcomes, count, REFUSED, BAD_PRICE, 0)
    is_kept = keeps_priority(books, row, c.price_ticks, c.quantity_lots)
    outcomes[count, 3] = c.quantity_lots
    outcomes[count, 4] = is_kept
    count = _write(outcomes, count, REPLACED, order_id, c.price_ticks)
    if is_kept:
        reduce(books, instruments, row, c.quantity_lots)
        return count
    remove(books, instruments, row)
    lots, count = _cross(
        books,
        instruments,
        order_id,
        instrument_id,
        side,
        c.price_ticks,
        c.quantity_lots,
        trades,
        outcomes,
        count,
    )
    if lots > 0:
        rest(
            books,
            instruments,
            order_id,
            c.account_id,
            c.client_order_id,
            instrument_id,
            side,
            c.price_ticks,
            lots,
        )
    return count


@kernel
def drive(books, instruments, queue, places, cancels, replaces, trades, outcomes):
    """Run a queue (n, 2) of kind and row; returns how many outcomes were written. They must have room."""
    count = 0
    for q in range(len(queue)):
        at = queue[q, 1]
        if queue[q, 0] == PLACE:
            count = place(books, instruments, places[at], trades, outcomes, count)
        elif queue[q, 0] == CANCEL:
            c = cancels[at]
            count = cancel(books, instruments, c.account_id, c.client_order_id, outcomes, count)
        else:
            count = replace(books, instruments, replaces[at], trades, outcomes, count)
    return count
