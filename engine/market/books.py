"""The arrays that hold every order book, and their image in a snapshot.

Owns: `Books` (the arrays), their sizes, the canonical bytes for the state hash, export and import.
Does not own: any rule of matching (`matching_kernel.py`), nor prices of an instrument, which stand in its
`InstrumentRow`: the window's floor and the best bid and ask as offsets above it.

Row zero of the order pool is nobody, so zeroed memory is an empty book. A price is found at
`(instrument_id * 2 + side_index) * window + offset` in the levels; `side_index` is 0 for buy and 1 for sell.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import BadInput
from schemas.derive.layout import Rows, empty_rows
from schemas.market import BookLevel, RestingOrder

Words = npt.NDArray[np.int64]

WORD_BITS = 64
WINDOW_COUNT_MAX = WORD_BITS**3  # what three levels of bitmap words can tell apart

# Positions in `Books.meta`.
FREE_HEAD = 0  # first free row of the order pool; zero when the pool is full
LIVE_COUNT = 1  # orders that rest
USED_ID_COUNT = 2  # client order ids used since the day began
WINDOW_COUNT = 3  # ticks that a book spans
FIRST_WORD_COUNT = 4  # bitmap words with one bit a tick
SECOND_WORD_COUNT = 5  # bitmap words with one bit a first word
SLOT_MASK = 6  # slots of the id table, less one
SLOT_SHIFT = 7  # how far a hash is shifted to become a slot
META_COUNT = 8

# Columns of a trade that `match` writes: the maker as it was, and what it has left.
MAKER_ROW = 0
MAKER_ORDER_ID = 1
MAKER_ACCOUNT_ID = 2
MAKER_CLIENT_ORDER_ID = 3
TRADE_PRICE_TICKS = 4
TRADE_QUANTITY_LOTS = 5
MAKER_LEAVES_LOTS = 6
TRADE_COLUMN_COUNT = 7


class Books(NamedTuple):
    """Every order book of the engine. A numba kernel takes it as it is."""

    orders: Rows  # (order_count + 1,) RestingOrder; free rows are chained through next_count
    levels: Rows  # (books * window,) BookLevel
    bitmaps: (
        Words  # (books, words): which levels have orders, then which words, then which of those
    )
    id_keys: Words  # (order_id_count, 2): account_id and client_order_id in order of first use
    id_rows: Words  # (order_id_count,): the order's row; USED when it has ended
    id_slots: Words  # hash table of positions in id_keys, plus one; zero is empty
    meta: Words  # the counts named above


def make_books(
    account_count: int,
    instrument_count: int,
    order_count: int,
    order_id_count: int,
    window_count: int,
) -> Books:
    """Build empty books.

    Accounts take no room here: an id table is shared by all of them. Raises BadInput on a size that cannot be.
    """
    if min(account_count, instrument_count, order_count, order_id_count) < 1:
        raise BadInput("capacities of accounts, instruments, orders and order ids are at least one")
    if window_count % WORD_BITS or not 0 < window_count <= WINDOW_COUNT_MAX:
        raise BadInput(f"window_count is a multiple of {WORD_BITS} up to {WINDOW_COUNT_MAX}")
    book_count = (instrument_count + 1) * 2
    first = window_count // WORD_BITS
    second = -(-first // WORD_BITS)
    slot_bits = (order_id_count * 2 - 1).bit_length()  # never more than half full
    orders = empty_rows(RestingOrder, order_count + 1)
    orders["next_count"][1:-1] = np.arange(2, order_count + 1)
    meta = np.zeros(META_COUNT, dtype=np.int64)
    meta[FREE_HEAD] = 1
    meta[WINDOW_COUNT] = window_count
    meta[FIRST_WORD_COUNT] = first
    meta[SECOND_WORD_COUNT] = second
    meta[SLOT_MASK] = (1 << slot_bits) - 1
    meta[SLOT_SHIFT] = WORD_BITS - slot_bits
    return Books(
        orders=orders,
        levels=empty_rows(BookLevel, book_count * window_count),
        bitmaps=np.zeros((book_count, first + second + 1), dtype=np.int64),
        id_keys=np.zeros((order_id_count, 2), dtype=np.int64),
        id_rows=np.zeros(order_id_count, dtype=np.int64),
        id_slots=np.zeros(1 << slot_bits, dtype=np.int64),
        meta=meta,
    )


def trade_scratch(count: int) -> Words:
    """Room for `count` trades of one call of `match`, shape (count, TRADE_COLUMN_COUNT)."""
    return np.zeros((count, TRADE_COLUMN_COUNT), dtype=np.int64)


def used_ids(books: Books) -> Words:
    """The (account_id, client_order_id) pairs used today, in order of first use, shape (n, 2)."""
    return books.id_keys[: int(books.meta[USED_ID_COUNT])].copy()
