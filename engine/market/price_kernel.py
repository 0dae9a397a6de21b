"""Which prices of a book have orders, and which is the best.

Owns: three levels of 64-ary occupancy words for each side of each book, and the best offsets in
InstrumentRow.
Does not own: the queues at the prices (`matching_kernel.py`).

An offset is a price less the floor of its instrument's window. All numbers are int64.
"""

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from schemas.codes import Side

BUY = int(Side.BUY)
SELL = int(Side.SELL)

# Positions in `Books.meta` that this file and its siblings read; `books.py` fills them.
FREE_HEAD = 0  # first free row of the order pool; zero when the pool is full
LIVE_COUNT = 1  # orders that rest
USED_ID_COUNT = 2  # client order ids used since the day began
WINDOW_COUNT = 3  # ticks that a book spans
FIRST_WORD_COUNT = 4  # bitmap words with one bit a tick
SECOND_WORD_COUNT = 5  # bitmap words with one bit a first word
SLOT_MASK = 6  # slots of the id table, less one
SLOT_SHIFT = 7  # how far a hash is shifted to become a slot
META_COUNT = 8

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


@inner
def mark_level(books, book, offset):
    """Say that a level has orders."""
    bits = books.bitmaps[book]
    second = books.meta[FIRST_WORD_COUNT]
    third = second + books.meta[SECOND_WORD_COUNT]
    word = offset >> 6
    bits[word] |= 1 << (offset & 63)
    bits[second + (word >> 6)] |= 1 << (word & 63)
    bits[third] |= 1 << (word >> 6)


@inner
def clear_level(books, book, offset):
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
    """The highest level with orders under an offset, or -1; the window's size asks for the last."""
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
            found = bits[third]
            if group < 64:
                found &= (1 << group) - 1
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


@inner
def is_book(books, instruments, instrument_id, side):
    """Whether there is such a book."""
    book_count = books.bitmaps.shape[0]
    return 0 < instrument_id < len(instruments) and instrument_id * 2 + 1 < book_count and BUY <= side <= SELL


@inner
def best_offset(instruments, instrument_id, side):
    """Offset of the best price of one side, or -1."""
    if side == BUY:
        return instruments[instrument_id].best_bid_ticks
    return instruments[instrument_id].best_ask_ticks


@inner
def set_best_offset(instruments, instrument_id, side, offset):
    """Keep the best price of one side."""
    if side == BUY:
        instruments[instrument_id].best_bid_ticks = offset
    else:
        instruments[instrument_id].best_ask_ticks = offset


@inner
def worse_offset(books, book, side, offset):
    """The next price of a side that is worse than an offset, or -1."""
    if side == BUY:
        return _level_below(books, book, offset)
    return _level_above(books, book, offset)


@inner
def accepts(side, limit_ticks, price_ticks):
    """Whether a taker with this limit trades at a price."""
    if side == BUY:
        return price_ticks <= limit_ticks
    return price_ticks >= limit_ticks
