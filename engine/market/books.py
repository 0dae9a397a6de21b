"""The arrays that hold every order book, and their image in a snapshot.

Owns: `Books` (the arrays), their sizes, the canonical bytes for the state hash, export and import.
Does not own: any rule of matching (`matching_kernel.py`), nor the prices of an instrument, which
stand in its `InstrumentRow`: the window's floor, and the best bid and ask as offsets above it.

Row zero of the order pool is nobody, so zeroed memory is an empty book. A price is found at
`(instrument_id * 2 + side_index) * window + offset` in the levels; `side_index` is 0 for buy and
1 for sell.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import BadInput, InvariantBroken
from engine.market import matching_kernel
from engine.market.price_kernel import (
    FIRST_WORD_COUNT,
    FREE_HEAD,
    LIVE_COUNT,
    META_COUNT,
    SECOND_WORD_COUNT,
    SLOT_MASK,
    SLOT_SHIFT,
    USED_ID_COUNT,
    WINDOW_COUNT,
)
from schemas.derive.layout import Rows, empty_rows
from schemas.market import BookLevel, Crossing, RestingOrder

Words = npt.NDArray[np.int64]

WORD_BITS = 64
WINDOW_COUNT_MAX = WORD_BITS**3  # what three levels of bitmap words can tell apart


class Books(NamedTuple):
    """Every order book of the engine. A numba kernel takes it as it is."""

    orders: Rows  # (order_count + 1,) RestingOrder; free rows are chained through next_count
    levels: Rows  # (books * window,) BookLevel
    bitmaps: Words  # (books, words): which levels have orders, then which words, then which of those
    id_keys: Words  # (order_id_count, 2): account_id and client_order_id in order of first use
    id_rows: Words  # (order_id_count,): the order's row; USED when it has ended
    id_slots: Words  # hash table of positions in id_keys, plus one; zero is empty
    meta: Words  # counts, at the positions that price_kernel.py names


def make_books(
    account_count: int,
    instrument_count: int,
    order_count: int,
    order_id_count: int,
    window_count: int,
) -> Books:
    """Build empty books.

    Accounts take no room here: they share one table of ids. Raises BadInput on an impossible size.
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


def trade_scratch(count: int) -> Rows:
    """Room for `count` trades of one call of `match`: Crossing rows."""
    return empty_rows(Crossing, count)


def used_ids(books: Books) -> Words:
    """The (account_id, client_order_id) pairs used today, in order of first use, shape (n, 2)."""
    return books.id_keys[: int(books.meta[USED_ID_COUNT])].copy()


def export_orders(books: Books) -> Rows:
    """Copy all resting orders by instrument, side, price from the best, time; links are zero."""
    rows = np.zeros(int(books.meta[LIVE_COUNT]), dtype=np.int64)
    matching_kernel.walk(books, rows)
    orders = books.orders[rows]
    orders["previous_count"] = 0
    orders["next_count"] = 0
    return orders


def import_orders(books: Books, instruments: Rows, orders: Rows, ids: Words) -> None:
    """Fill empty books with exported orders (n,) and the day's used ids (m, 2), in the order given.

    The best prices in `instruments` are set anew. Raises InvariantBroken when an order or id has
    no place.
    """
    if books.meta[LIVE_COUNT] or books.meta[USED_ID_COUNT]:
        raise InvariantBroken("orders are imported into empty books only")
    instruments["best_bid_ticks"] = -1
    instruments["best_ask_ticks"] = -1
    for account_id, client_order_id in ids.tolist():
        if not matching_kernel.remember_id(books, account_id, client_order_id):
            raise InvariantBroken(f"id {client_order_id} of account {account_id} has no place")
    for order in orders:
        row = matching_kernel.rest(
            books,
            instruments,
            order["order_id"],
            order["account_id"],
            order["client_order_id"],
            order["instrument_id"],
            order["side_code"],
            order["price_ticks"],
            order["open_lots"],
        )
        if row <= 0:
            raise InvariantBroken(f"order {int(order['order_id'])} has no place on the book")


def book_bytes(books: Books, instruments: Rows) -> bytes:
    """Canonical bytes: the same for the same books, whatever rows their orders happen to stand in.

    Best prices by instrument, how many orders, the orders in canonical order, the used ids in order
    of first use.
    """
    best = np.stack([instruments["best_bid_ticks"], instruments["best_ask_ticks"]])
    orders = export_orders(books)
    count = np.array([len(orders)], dtype=np.int64)
    parts = (best, count, orders, used_ids(books))
    return b"".join(part.tobytes() for part in parts)


def day_orders(books: Books) -> Rows:
    """Copy the orders that end with the business day: all of them, for nothing else ever rests."""
    return export_orders(books)


def forget_day(books: Books) -> None:
    """Let the client order ids of ended orders be used anew."""
    matching_kernel.clear_day(books)
