"""Which client order ids a business day has used, and the order behind each.

Owns: the arrays, their image in a snapshot, and the turn of the day. Does not own: the books.

An id that was used stays used and in its place until the day turns. So whoever keeps image after image copies
only the ids that are new; and of an order that has ended nothing but its id can matter any more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import InvariantBroken
from engine.market import day_orders_kernel
from schemas.derive.layout import Rows, empty_rows
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


def ids_after(orders: DayOrders, count: int) -> Words:
    """The ids used today but for the first `count`, in order of first use: (n, 2), account and number."""
    new = orders.rows[1 + count : int(orders.meta[0])]
    return np.column_stack((new["account_id"], new["client_order_id"]))


class CopiedIds:
    """The ids of a day, as far as they were copied."""

    def __init__(self) -> None:
        """Begin with none."""
        self._epoch_day = 0
        self._parts: list[Words] = []
        self._count = 0

    def copy_new(self, orders: DayOrders, epoch_day: int) -> None:
        """Copy the ids that were used since the last call; all of them on a new business day."""
        if epoch_day != self._epoch_day:
            self._epoch_day, self._parts, self._count = epoch_day, [], 0
        self._parts.append(ids_after(orders, self._count))
        self._count += len(self._parts[-1])

    def whole(self) -> Words:
        """All of them, (n, 2)."""
        self._parts = [np.concatenate(self._parts)]
        return self._parts[0]


def restore_orders(orders: DayOrders, ids: Words, positions: Words, rows: Rows) -> None:
    """Fill empty day orders: all ids used, and the rows at the positions of those that live.

    Raises InvariantBroken when an id has no room or comes twice, or a row is not at its own id.
    """
    taken = day_orders_kernel.remember_all(orders, np.ascontiguousarray(ids))
    if taken != len(ids):
        account_id, number = ids[taken].tolist()
        raise InvariantBroken(f"id {number} of account {account_id} comes twice or has no room")
    own = orders.rows[positions]
    if np.any(own["account_id"] != rows["account_id"]) or np.any(
        own["client_order_id"] != rows["client_order_id"]
    ):
        raise InvariantBroken("an order does not stand at its own id")
    orders.rows[positions] = rows


def turn_day(orders: DayOrders, books_address: int) -> None:
    """Forget the ids of orders that have ended; those that live stay, in their order of use."""
    day_orders_kernel.turn_day(orders, books_address)
