"""Price-time matching: the best price first, at one price the oldest order first.

Owns: finding, crossing, resting, reducing and removing orders, and which client order ids a day has used.
Does not own: what an order may do (admission, margin), order types, or events. A pass composes these functions:
a market order is a match at an extreme limit, FOK asks `fillable` first, IOC does not `rest`, post-only asks
`would_cross` first, and a replacement that does not `keep_priority` is remove, match, rest.

All numbers are int64. Nothing raises: a function that cannot do what it is asked changes nothing and returns a
code. The arrays are those of `books.py`; `instruments` are InstrumentRow rows, indexed by instrument_id.
"""
# numba caches by this file's own time stamp: a change of a constant in books.py or codes.py needs a fresh cache.

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.market.books import (
    FIRST_WORD_COUNT,
    FREE_HEAD,
    LIVE_COUNT,
    MAKER_ACCOUNT_ID,
    MAKER_CLIENT_ORDER_ID,
    MAKER_LEAVES_LOTS,
    MAKER_ORDER_ID,
    MAKER_ROW,
    SECOND_WORD_COUNT,
    SLOT_MASK,
    SLOT_SHIFT,
    TRADE_PRICE_TICKS,
    TRADE_QUANTITY_LOTS,
    USED_ID_COUNT,
    WINDOW_COUNT,
)
from schemas.codes import Side

BUY = int(Side.BUY)
SELL = int(Side.SELL)

# Limits beyond every window: what a market order gives to `match` and `fillable`.
MARKET_BUY_TICKS = 1 << 62
MARKET_SELL_TICKS = -(1 << 62)

USED = -1  # from find_order: the id was used today and its order has ended

# What `rest` returns instead of a row.
NO_ROOM = 0  # the order pool, or the day's client order ids, are used up
OUTSIDE_BOOK = -1  # no such instrument, side, price in the window, or quantity
WOULD_CROSS = -2  # the book would be crossed: match first
ID_RESTS = -3  # an order with this id rests already

FIBONACCI = -7046029254386353131  # 2**64 over the golden ratio, as int64
MIXER = -4658895280553007687

kernel = numba.njit(cache=True, nogil=True, error_model="numpy")
inner = numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)


def _count_zeros(instruction: str):
    @intrinsic
    def count(_context, _word):
        def build(_target, builder, _signature, args):
            return getattr(builder, instruction)(args[0], ir.Constant(ir.IntType(1), 0))

        return types.int64(types.int64), build

    return count


_zeros_below = _count_zeros("cttz")
_zeros_above = _count_zeros("ctlz")


# Bitmaps: which prices have orders ---------------------------------------------------------------------------


@inner
def _mark_level(books, book, offset):
    """Say that a level has orders."""
    bits = books.bitmaps[book]
    second = books.meta[FIRST_WORD_COUNT]
    third = second + books.meta[SECOND_WORD_COUNT]
    word = offset >> 6
    bits[word] |= 1 << (offset & 63)
    bits[second + (word >> 6)] |= 1 << (word & 63)
    bits[third] |= 1 << (word >> 6)


@inner
def _clear_level(books, book, offset):
    """Say that a level has none any more."""
    bits = books.bitmaps[book]
    second = books.meta[FIRST_WORD_COUNT]
    third = second + books.meta[SECOND_WORD_COUNT]
    word = offset >> 6
    bits[word] &= ~(1 << (offset & 63))
    if bits[word] == 0:
        bits[second + (word >> 6)] &= ~(1 << (word & 63))
        if bits[second + (word >> 6)] == 0:
            bits[third] &= ~(1 << (word >> 6))


@inner
def _level_below(books, book, offset):
    """The highest level with orders under an offset, or -1. The window's size as offset asks for the highest."""
    bits = books.bitmaps[book]
    second = books.meta[FIRST_WORD_COUNT]
    third = second + books.meta[SECOND_WORD_COUNT]
    word = offset >> 6
    found = 0
    if word < second:
        found = bits[word] & ((1 << (offset & 63)) - 1)
    if found == 0:
        group = word >> 6
        if second + group < third:
            found = bits[second + group] & ((1 << (word & 63)) - 1)
        if found == 0:
            if group < 64:
                found = bits[third] & ((1 << group) - 1)
            else:
                found = bits[third]
            if found == 0:
                return -1
            group = 63 - _zeros_above(found)
            found = bits[second + group]
        word = (group << 6) | (63 - _zeros_above(found))
        found = bits[word]
    return (word << 6) | (63 - _zeros_above(found))


@inner
def _level_above(books, book, offset):
    """The lowest level with orders over an offset, or -1. Offset -1 asks for the lowest."""
    bits = books.bitmaps[book]
    second = books.meta[FIRST_WORD_COUNT]
    third = second + books.meta[SECOND_WORD_COUNT]
    start = offset + 1
    word = start >> 6
    if word >= second:
        return -1
    found = bits[word] & ~((1 << (start & 63)) - 1)
    if found == 0:
        start = word + 1
        group = start >> 6
        found = 0
        if second + group < third:
            found = bits[second + group] & ~((1 << (start & 63)) - 1)
        if found == 0:
            if group >= 63:
                return -1
            found = bits[third] & ~((1 << (group + 1)) - 1)
            if found == 0:
                return -1
            group = _zeros_below(found)
            found = bits[second + group]
        word = (group << 6) | _zeros_below(found)
        found = bits[word]
    return (word << 6) | _zeros_below(found)


# Prices ------------------------------------------------------------------------------------------------------


@inner
def _is_book(books, instruments, instrument_id, side):
    """Whether there is such a book."""
    book_count = books.bitmaps.shape[0]
    return (
        0 < instrument_id < len(instruments)
        and instrument_id * 2 + 1 < book_count
        and (side == BUY or side == SELL)
    )


@inner
def _best_offset(instruments, instrument_id, side):
    """Offset of the best price of one side, or -1."""
    if side == BUY:
        return instruments[instrument_id].best_bid_ticks
    return instruments[instrument_id].best_ask_ticks


@inner
def _set_best_offset(instruments, instrument_id, side, offset):
    """Keep the best price of one side."""
    if side == BUY:
        instruments[instrument_id].best_bid_ticks = offset
    else:
        instruments[instrument_id].best_ask_ticks = offset


@inner
def _worse_offset(books, book, side, offset):
    """The next price of a side that is worse than an offset, or -1."""
    if side == BUY:
        return _level_below(books, book, offset)
    return _level_above(books, book, offset)


@inner
def _accepts(side, limit_ticks, price_ticks):
    """Whether a taker with this limit trades at a price."""
    if side == BUY:
        return price_ticks <= limit_ticks
    return price_ticks >= limit_ticks


@kernel
def would_cross(instruments, instrument_id, side, price_ticks):
    """Whether an order at this price would trade at once."""
    best = _best_offset(instruments, instrument_id, BUY + SELL - side)
    floor = instruments[instrument_id].window_floor_ticks
    return best >= 0 and _accepts(side, price_ticks, floor + best)


# Client order ids --------------------------------------------------------------------------------------------


@inner
def _slot_of(books, account_id, client_order_id):
    """The slot that holds an id, or the empty slot where it belongs. The table always has an empty slot."""
    mask = books.meta[SLOT_MASK]
    mixed = (client_order_id ^ (account_id * MIXER)) * FIBONACCI
    slot = ((mixed ^ (mixed >> 32)) * FIBONACCI >> books.meta[SLOT_SHIFT]) & mask
    while books.id_slots[slot] != 0:
        at = books.id_slots[slot] - 1
        if books.id_keys[at, 0] == account_id and books.id_keys[at, 1] == client_order_id:
            break
        slot = (slot + 1) & mask
    return slot


@kernel
def find_order(books, account_id, client_order_id):
    """The row of a resting order; 0 when the id is new today, USED when its order has ended."""
    at = books.id_slots[_slot_of(books, account_id, client_order_id)]
    if at == 0:
        return 0
    return books.id_rows[at - 1]


@kernel
def remember_id(books, account_id, client_order_id):
    """Take an id for the rest of the day. Returns 1; or 0 when the day's ids are used up or this one is taken."""
    slot = _slot_of(books, account_id, client_order_id)
    count = books.meta[USED_ID_COUNT]
    if books.id_slots[slot] != 0 or count == len(books.id_rows):
        return 0
    books.id_keys[count, 0] = account_id
    books.id_keys[count, 1] = client_order_id
    books.id_rows[count] = USED
    books.id_slots[slot] = count + 1
    books.meta[USED_ID_COUNT] = count + 1
    return 1


@kernel
def has_order_room(books):
    """Whether one more order can rest."""
    return books.meta[FREE_HEAD] != 0


@kernel
def has_id_room(books):
    """Whether one more client order id can be used today."""
    return books.meta[USED_ID_COUNT] < len(books.id_rows)


@kernel
def clear_day(books):
    """Forget the ids of orders that have ended; those of resting orders stay, in their order of use."""
    books.id_slots[:] = 0
    used = books.meta[USED_ID_COUNT]
    kept = 0
    for at in range(used):
        row = books.id_rows[at]
        if row == USED:
            continue
        books.id_keys[kept, 0] = books.id_keys[at, 0]
        books.id_keys[kept, 1] = books.id_keys[at, 1]
        books.id_rows[kept] = row
        slot = _slot_of(books, books.id_keys[kept, 0], books.id_keys[kept, 1])
        books.id_slots[slot] = kept + 1
        kept += 1
    books.meta[USED_ID_COUNT] = kept


# Rows --------------------------------------------------------------------------------------------------------


@inner
def _is_order(books, row):
    """Whether a row holds an order."""
    return 0 < row < len(books.orders) and books.orders[row].order_id != 0


@inner
def _free(books, row):
    """Give a row back to the pool; its client order id stays used."""
    order = books.orders[row]
    slot = _slot_of(books, order.account_id, order.client_order_id)
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
    _clear_level(books, book, offset)
    if _best_offset(instruments, instrument_id, side) == offset:
        _set_best_offset(instruments, instrument_id, side, _worse_offset(books, book, side, offset))


# Orders ------------------------------------------------------------------------------------------------------


@kernel
def fillable(books, instruments, instrument_id, side, limit_ticks, quantity):
    """Lots that a taker could get at its limit or better, counted up to the quantity it wants."""
    if not _is_book(books, instruments, instrument_id, side):
        return 0
    other = BUY + SELL - side
    book = instrument_id * 2 + other - BUY
    floor = instruments[instrument_id].window_floor_ticks
    window = books.meta[WINDOW_COUNT]
    offset = _best_offset(instruments, instrument_id, other)
    found = 0
    while offset >= 0 and found < quantity and _accepts(side, limit_ticks, floor + offset):
        found += books.levels[book * window + offset].open_lots
        offset = _worse_offset(books, book, other, offset)
    return min(found, quantity)


@kernel
def match(books, instruments, instrument_id, side, limit_ticks, quantity, trades):
    """Cross a taker with the resting orders that its limit accepts.

    Writes one row of `trades` for each maker and returns (trades written, lots left). When lots are left and
    `trades` is full there may be more to cross: call again with what is left. A maker that is filled has left
    the book and its row is free when this returns.
    """
    written = 0
    if quantity <= 0 or not _is_book(books, instruments, instrument_id, side):
        return written, quantity
    other = BUY + SELL - side
    base = (instrument_id * 2 + other - BUY) * books.meta[WINDOW_COUNT]
    floor = instruments[instrument_id].window_floor_ticks
    offset = _best_offset(instruments, instrument_id, other)
    while offset >= 0 and quantity > 0 and written < len(trades):
        price_ticks = floor + offset
        if not _accepts(side, limit_ticks, price_ticks):
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
            trade[MAKER_ROW] = row
            trade[MAKER_ORDER_ID] = maker.order_id
            trade[MAKER_ACCOUNT_ID] = maker.account_id
            trade[MAKER_CLIENT_ORDER_ID] = maker.client_order_id
            trade[TRADE_PRICE_TICKS] = price_ticks
            trade[TRADE_QUANTITY_LOTS] = lots
            trade[MAKER_LEAVES_LOTS] = maker.open_lots
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
            offset = _best_offset(instruments, instrument_id, other)
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

    Returns its row, or NO_ROOM, OUTSIDE_BOOK, WOULD_CROSS or ID_RESTS. The id is remembered if it is not yet.
    """
    if lots <= 0 or order_id <= 0 or not _is_book(books, instruments, instrument_id, side):
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
    at = books.id_slots[_slot_of(books, account_id, client_order_id)]
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
        _mark_level(books, book, offset)
        best = _best_offset(instruments, instrument_id, side)
        if best < 0 or (offset > best if side == BUY else offset < best):
            _set_best_offset(instruments, instrument_id, side, offset)
    else:
        books.orders[level.tail_count].next_count = row
    level.tail_count = row
    level.open_lots += lots
    level.order_count += 1
    return row


@kernel
def remove(books, instruments, row):
    """Take an order off the book; its id stays used. Returns the lots that were open, 0 when nobody is there."""
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
    """Lower the open quantity of an order in its place. Returns 1, or 0 when that is no reduction."""
    if not _is_order(books, row) or lots <= 0 or lots > books.orders[row].open_lots:
        return 0
    order = books.orders[row]
    offset = order.price_ticks - instruments[order.instrument_id].window_floor_ticks
    book = order.instrument_id * 2 + order.side_code - BUY
    books.levels[book * books.meta[WINDOW_COUNT] + offset].open_lots -= order.open_lots - lots
    order.open_lots = lots
    return 1


# Walking -----------------------------------------------------------------------------------------------------


@kernel
def first_order(books, instruments, instrument_id):
    """The row of the oldest order at the best bid, at the best ask when there is no bid, 0 when there is none.

    Remove it and ask again: so all orders of an instrument leave in the order of side, price and time.
    """
    window = books.meta[WINDOW_COUNT]
    for side in (BUY, SELL):
        if _is_book(books, instruments, instrument_id, side):
            offset = _best_offset(instruments, instrument_id, side)
            if offset >= 0:
                book = instrument_id * 2 + side - BUY
                return books.levels[book * window + offset].head_count
    return 0


@kernel
def walk(books, rows):
    """Write the rows of all resting orders by instrument, side, price from the best, and time; return how many.

    `rows` has room for every resting order.
    """
    window = books.meta[WINDOW_COUNT]
    count = 0
    for book in range(2, books.bitmaps.shape[0]):
        side = BUY + (book & 1)
        offset = _worse_offset(books, book, side, window if side == BUY else -1)
        while offset >= 0:
            row = books.levels[book * window + offset].head_count
            while row != 0:
                rows[count] = row
                count += 1
                row = books.orders[row].next_count
            offset = _worse_offset(books, book, side, offset)
    return count
