"""The image of the books: the same for the same books, whatever rows their orders happen to stand in.

Owns: canonical bytes for the state hash, and the orders as a snapshot keeps and restores them.
Does not own: the file of a snapshot (`engine.journal.snapshot`).
"""

from __future__ import annotations

import numpy as np

from engine.errors import InvariantBroken
from engine.market import matching_kernel
from engine.market.books import LIVE_COUNT, USED_ID_COUNT, Books, Words, used_ids
from schemas.derive.layout import Rows


def export_orders(books: Books) -> Rows:
    """All resting orders by instrument, side, price from the best, and time; RestingOrder rows without links."""
    rows = np.zeros(int(books.meta[LIVE_COUNT]), dtype=np.int64)
    matching_kernel.walk(books, rows)
    orders = books.orders[rows]
    orders["previous_count"] = 0
    orders["next_count"] = 0
    return orders


def import_orders(books: Books, instruments: Rows, orders: Rows, ids: Words) -> None:
    """Fill empty books with exported orders (n,) and the day's used ids (m, 2), queues in the order given.

    The best prices in `instruments` are set anew. Raises InvariantBroken when an order or id has no place.
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


def book_bytes(books: Books) -> bytes:
    """The canonical bytes of all books: how many orders, the orders, the used ids in order of use."""
    orders = export_orders(books)
    count = np.array([len(orders)], dtype="<i8")
    return count.tobytes() + orders.tobytes() + used_ids(books).tobytes()
