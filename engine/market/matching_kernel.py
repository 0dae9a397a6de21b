"""Price-time matching: the best price first, at one price the oldest order first.

Owns: crossing, resting, reducing and removing orders, and walking them in their canonical order.
Does not own: what an order may do (admission, margin), order types, or events. A pass composes
these functions: a market order is a match at an extreme limit, FOK asks `fillable` first, IOC does
not `rest`, post-only asks `would_cross` first, and a replacement that loses its place
(`keeps_priority`) is remove, match, rest.

All numbers are int64. Nothing raises: a function that cannot do what it is asked changes nothing
and returns a code. The arrays are those of `books.py`; `instruments` are InstrumentRow rows,
indexed by instrument_id.
"""

from engine.market.order_id_kernel import USED, clear_day, find_order, remember_id, slot_of
from engine.market.price_kernel import (
    BUY,
    FREE_HEAD,
    LIVE_COUNT,
    SELL,
    USED_ID_COUNT,
    WINDOW_COUNT,
    accepts,
    best_offset,
    clear_level,
    inner,
    is_book,
    kernel,
    mark_level,
    set_best_offset,
    worse_offset,
)

__all__ = [
    "ID_RESTS",
    "MARKET_BUY_TICKS",
    "MARKET_SELL_TICKS",
    "NO_ROOM",
    "OUTSIDE_BOOK",
    "USED",
    "WOULD_CROSS",
    "clear_day",
    "fillable",
    "find_order",
    "first_order",
    "keeps_priority",
    "match",
    "reduce",
    "remember_id",
    "remove",
    "rest",
    "walk",
    "would_cross",
]

# Limits beyond every window: what a market order gives to `match` and `fillable`.
MARKET_BUY_TICKS = 1 << 62
MARKET_SELL_TICKS = -(1 << 62)

# What `rest` returns instead of a row.
NO_ROOM = 0  # the order pool, or the day's client order ids, are used up
OUTSIDE_BOOK = -1  # no such instrument, side, price in the window, or quantity
WOULD_CROSS = -2  # the book would be crossed: match first
ID_RESTS = -3  # an order with this id rests already


@inner
def _is_order(books, row):
    """Whether a row holds an order."""
    return 0 < row < len(books.orders) and books.orders[row].order_id != 0


@inner
def _free(books, row):
    """Give a row back to the pool; its client order id stays used."""
    order = books.orders[row]
    slot = slot_of(books, order.account_id, order.client_order_id)
    books.id_rows[books.id_slots[slot] - 1] = USED
    order.order_id = 0
    order.open_lots = 0
    order.previous_count = 0
    order.next_count = books.meta[FREE_HEAD]
    books.meta[FREE_HEAD] = row
    books.meta[LIVE_COUNT] -= 1


@inner
def _close_level(books, instruments, instrument_id, side, offset):
    """A level has run empty: take its bit, and find the next best price if it was the best."""
    book = instrument_id * 2 + side - BUY
    clear_level(books, book, offset)
    if best_offset(instruments, instrument_id, side) == offset:
        set_best_offset(instruments, instrument_id, side, worse_offset(books, book, side, offset))


@kernel
def would_cross(instruments, instrument_id, side, price_ticks):
    """Whether an order at this price would trade at once."""
    best = best_offset(instruments, instrument_id, BUY + SELL - side)
    floor = instruments[instrument_id].window_floor_ticks
    return best >= 0 and accepts(side, price_ticks, floor + best)


@kernel
def fillable(books, instruments, instrument_id, side, limit_ticks, quantity):
    """Lots that a taker could get at its limit or better, counted up to the quantity it wants."""
    if not is_book(books, instruments, instrument_id, side):
        return 0
    other = BUY + SELL - side
    book = instrument_id * 2 + other - BUY
    floor = instruments[instrument_id].window_floor_ticks
    window = books.meta[WINDOW_COUNT]
    offset = best_offset(instruments, instrument_id, other)
    found = 0
    while offset >= 0 and found < quantity and accepts(side, limit_ticks, floor + offset):
        found += books.levels[book * window + offset].open_lots
        offset = worse_offset(books, book, other, offset)
    return min(found, quantity)


@kernel
def match(books, instruments, instrument_id, side, limit_ticks, quantity, trades):
    """Cross a taker with the resting orders that its limit accepts.

    Writes a row of `trades` (Crossing rows) for each maker; returns (rows written, lots left). When
    lots are left and `trades` is full there may be more to cross: call again with what is left. A
    maker that is filled has left the book, and its row is free, when this returns.
    """
    written = 0
    if quantity <= 0 or not is_book(books, instruments, instrument_id, side):
        return written, quantity
    other = BUY + SELL - side
    base = (instrument_id * 2 + other - BUY) * books.meta[WINDOW_COUNT]
    floor = instruments[instrument_id].window_floor_ticks
    offset = best_offset(instruments, instrument_id, other)
    while offset >= 0 and quantity > 0 and written < len(trades):
        price_ticks = floor + offset
        if not accepts(side, limit_ticks, price_ticks):
            break
        level = books.levels[base + offset]
        row = level.head_count
        while row != 0 and quantity > 0 and written < len(trades):
            maker = books.orders[row]
            lots = min(maker.open_lots, quantity)
            quantity -= lots
            level.open_lots -= lots
            maker.open_lots -= lots
            trade = trades[written]
            trade.maker_count = row
            trade.maker_order_id = maker.order_id
            trade.maker_account_id = maker.account_id
            trade.maker_client_order_id = maker.client_order_id
            trade.price_ticks = price_ticks
            trade.quantity_lots = lots
            trade.maker_open_lots = maker.open_lots
            written += 1
            if maker.open_lots == 0:
                behind = maker.next_count
                _free(books, row)
                level.order_count -= 1
                row = behind
        level.head_count = row
        if row == 0:
            level.tail_count = 0
            _close_level(books, instruments, instrument_id, other, offset)
            offset = best_offset(instruments, instrument_id, other)
        else:
            books.orders[row].previous_count = 0
    return written, quantity


@kernel
def rest(
    books,
    instruments,
    order_id,
    account_id,
    client_order_id,
    instrument_id,
    side,
    price_ticks,
    lots,
):
    """Put an order at the end of the queue at its price.

    Returns its row, or NO_ROOM, OUTSIDE_BOOK, WOULD_CROSS or ID_RESTS. Its id is remembered if it
    is not yet.
    """
    if lots <= 0 or order_id <= 0 or not is_book(books, instruments, instrument_id, side):
        return OUTSIDE_BOOK
    window = books.meta[WINDOW_COUNT]
    floor = instruments[instrument_id].window_floor_ticks
    if price_ticks < floor or price_ticks > floor + window - 1:
        return OUTSIDE_BOOK
    if would_cross(instruments, instrument_id, side, price_ticks):
        return WOULD_CROSS
    row = books.meta[FREE_HEAD]
    if row == 0:
        return NO_ROOM
    at = books.id_slots[slot_of(books, account_id, client_order_id)]
    if at == 0:
        if remember_id(books, account_id, client_order_id) == 0:
            return NO_ROOM
        at = books.meta[USED_ID_COUNT]
    elif books.id_rows[at - 1] != USED:
        return ID_RESTS
    books.id_rows[at - 1] = row
    offset = price_ticks - floor
    book = instrument_id * 2 + side - BUY
    level = books.levels[book * window + offset]
    order = books.orders[row]
    books.meta[FREE_HEAD] = order.next_count
    books.meta[LIVE_COUNT] += 1
    order.order_id = order_id
    order.account_id = account_id
    order.client_order_id = client_order_id
    order.instrument_id = instrument_id
    order.side_code = side
    order.price_ticks = price_ticks
    order.open_lots = lots
    order.previous_count = level.tail_count
    order.next_count = 0
    if level.tail_count == 0:
        level.head_count = row
        mark_level(books, book, offset)
        best = best_offset(instruments, instrument_id, side)
        if best < 0 or (offset > best if side == BUY else offset < best):
            set_best_offset(instruments, instrument_id, side, offset)
    else:
        books.orders[level.tail_count].next_count = row
    level.tail_count = row
    level.open_lots += lots
    level.order_count += 1
    return row


@kernel
def remove(books, instruments, row):
    """Take an order off the book; its id stays used. Returns its open lots, 0 for an empty row."""
    if not _is_order(books, row):
        return 0
    order = books.orders[row]
    lots = order.open_lots
    instrument_id = order.instrument_id
    side = order.side_code
    offset = order.price_ticks - instruments[instrument_id].window_floor_ticks
    book = instrument_id * 2 + side - BUY
    level = books.levels[book * books.meta[WINDOW_COUNT] + offset]
    ahead = order.previous_count
    behind = order.next_count
    if ahead == 0:
        level.head_count = behind
    else:
        books.orders[ahead].next_count = behind
    if behind == 0:
        level.tail_count = ahead
    else:
        books.orders[behind].previous_count = ahead
    level.open_lots -= lots
    level.order_count -= 1
    _free(books, row)
    if level.head_count == 0:
        _close_level(books, instruments, instrument_id, side, offset)
    return lots


@kernel
def keeps_priority(books, row, price_ticks, lots):
    """Whether a replacement keeps the order's place: the same price and no more than is open."""
    order = books.orders[row]
    return price_ticks == order.price_ticks and lots <= order.open_lots


@kernel
def reduce(books, instruments, row, lots):
    """Lower the open quantity of an order in its place: 1, or 0 when that is no reduction."""
    if not _is_order(books, row) or lots <= 0 or lots > books.orders[row].open_lots:
        return 0
    order = books.orders[row]
    offset = order.price_ticks - instruments[order.instrument_id].window_floor_ticks
    book = order.instrument_id * 2 + order.side_code - BUY
    books.levels[book * books.meta[WINDOW_COUNT] + offset].open_lots -= order.open_lots - lots
    order.open_lots = lots
    return 1


@kernel
def first_order(books, instruments, instrument_id):
    """The row of the oldest order at the best bid, else at the best ask, else 0.

    Remove it and ask again: so all orders of an instrument leave by side, price and time.
    """
    window = books.meta[WINDOW_COUNT]
    for side in (BUY, SELL):
        if is_book(books, instruments, instrument_id, side):
            offset = best_offset(instruments, instrument_id, side)
            if offset >= 0:
                book = instrument_id * 2 + side - BUY
                return books.levels[book * window + offset].head_count
    return 0


@kernel
def walk(books, rows):
    """Write the rows of all resting orders by instrument, side, price from the best, and time.

    `rows` has room for every resting order. Returns how many were written.
    """
    window = books.meta[WINDOW_COUNT]
    count = 0
    for book in range(2, books.bitmaps.shape[0]):
        side = BUY + (book & 1)
        offset = worse_offset(books, book, side, window if side == BUY else -1)
        while offset >= 0:
            row = books.levels[book * window + offset].head_count
            while row != 0:
                rows[count] = row
                count += 1
                row = books.orders[row].next_count
            offset = worse_offset(books, book, side, offset)
    return count
