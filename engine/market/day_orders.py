"""Which client order ids a business day has used, and the order behind each.

Owns: the arrays, their image in a snapshot, and the turn of the day. Does not own: the books.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import InvariantBroken
from engine.market import day_orders_kernel
from schemas.derive.layout import Rows, dtype_of, empty_rows
from schemas.market import OrderRow

Words = npt.NDArray[np.int64]


class DayOrders(NamedTuple):
    """The orders of a day, in order of first use of their ids. A numba kernel takes it as it is."""

    rows: Rows  # (order_id_count + 1,) OrderRow; row zero is nobody
    slots: Words  # hash table of positions in rows; zero is empty
    meta: Words  # (2,): how many rows are used, row zero included; all ids used, in order, mixed into a word


def make_day_orders(order_id_count: int) -> DayOrders:
    """Room for so many ids a day."""
    bits = (order_id_count * 2 - 1).bit_length()  # never more than half full
    return DayOrders(
        rows=empty_rows(OrderRow, order_id_count + 1),
        slots=np.zeros(1 << bits, dtype=np.int64),
        meta=np.array([1, 0], dtype=np.int64),
    )


def used_rows(orders: DayOrders) -> Rows:
    """The rows used today, in order of first use."""
    return orders.rows[1 : int(orders.meta[0])].copy()


def canonical_rows(orders: DayOrders, positions: Words) -> bytes:
    """Canonical bytes: the ids used today, and the orders at these positions, which are those that live."""
    return orders.meta.tobytes() + orders.rows[np.sort(positions)].tobytes()


def restore_rows(orders: DayOrders, rows: Rows) -> None:
    """Fill empty day orders with what was read from others. Raises InvariantBroken without room."""
    if len(rows) >= len(orders.rows) or rows.dtype != dtype_of(OrderRow):
        raise InvariantBroken(f"{len(rows)} client order ids have no room")
    for row in rows:
        at = day_orders_kernel.remember_client_id(orders, row["account_id"], row["client_order_id"])
        if at == 0:
            raise InvariantBroken(
                f"id {int(row['client_order_id'])} of account {int(row['account_id'])} twice"
            )
        orders.rows[at] = row


def turn_day(orders: DayOrders, books_address: int) -> None:
    """Forget the ids of orders that have ended; those that live stay, in their order of use."""
    day_orders_kernel.turn_day(orders, books_address)
