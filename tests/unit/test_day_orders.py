"""The ids of a day are copied once; a snapshot holds them and the orders that live."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import InvariantBroken
from engine.market.day_orders import (
    CopiedIds,
    DayOrders,
    canonical_rows,
    ids_after,
    make_day_orders,
    restore_orders,
)
from engine.market.day_orders_kernel import forget_last_client_id, remember_client_id

Pair = tuple[int, int]


def _used(*ids: Pair, room: int = 16) -> DayOrders:
    orders = make_day_orders(room)
    for account_id, number in ids:
        at = remember_client_id(orders, account_id, number)
        assert at
        orders.rows[at]["open_lots"] = number % 2 * 5  # every other one has ended
        orders.rows[at]["price_ticks"] = 100 + number
    return orders


def test_only_new_ids_are_copied_and_all_are_there() -> None:
    orders, copied = _used((1, 1), (2, 1)), CopiedIds()
    copied.copy_new(orders, 20)
    orders.rows[1]["client_order_id"] = 99  # never happens: it shows that it is not looked at again
    remember_client_id(orders, 1, 2)
    copied.copy_new(orders, 20)
    assert copied.whole().tolist() == [[1, 1], [2, 1], [1, 2]]
    copied.copy_new(orders, 20)
    assert copied.whole().tolist() == [[1, 1], [2, 1], [1, 2]]


def test_an_id_that_was_given_back_is_copied_for_who_got_it() -> None:
    orders, copied = _used((1, 1)), CopiedIds()
    remember_client_id(orders, 3, 7)
    forget_last_client_id(orders)
    copied.copy_new(orders, 20)
    remember_client_id(orders, 4, 7)
    copied.copy_new(orders, 20)
    assert copied.whole().tolist() == [[1, 1], [4, 7]]


def test_a_new_day_begins_anew() -> None:
    copied = CopiedIds()
    copied.copy_new(_used((1, 1), (2, 1)), 20)
    copied.copy_new(_used((2, 1), (5, 5)), 21)
    assert copied.whole().tolist() == [[2, 1], [5, 5]]


def test_ids_and_living_orders_make_the_same_day() -> None:
    orders = _used((1, 1), (1, 2), (2, 1), (7, 3))
    positions = np.array([1, 3, 4])
    again = make_day_orders(16)
    restore_orders(again, ids_after(orders, 0), positions, orders.rows[positions])
    assert canonical_rows(again, positions) == canonical_rows(orders, positions)
    assert np.array_equal(again.slots, orders.slots)
    assert again.rows[2]["account_id"] == 1 and again.rows[2]["price_ticks"] == 0, (
        "of an ended one only its id"
    )


@pytest.mark.parametrize(
    ("ids", "position", "message"),
    [
        ([[1, 1], [2, 1], [1, 1]], 1, "id 1 of account 1 comes twice"),
        ([[n, 1] for n in range(1, 18)], 1, "id 1 of account 17 .* no room"),
        ([[1, 1], [2, 1]], 2, "does not stand at its own id"),
    ],
)
def test_what_cannot_be_is_refused(ids: list[list[int]], position: int, message: str) -> None:
    row = _used((1, 1)).rows[1:2]
    with pytest.raises(InvariantBroken, match=message):
        restore_orders(make_day_orders(16), np.array(ids), np.array([position]), row)
