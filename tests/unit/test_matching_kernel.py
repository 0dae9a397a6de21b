"""What the kernel's functions refuse, and what they promise a caller beyond the stream of outcomes."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import BadInput, InvariantBroken
from engine.market.books import (
    WINDOW_COUNT_MAX,
    book_bytes,
    day_orders,
    export_orders,
    import_orders,
    make_books,
    trade_scratch,
    used_ids,
)
from engine.market.matching_kernel import (
    ID_RESTS,
    MARKET_BUY_TICKS,
    MARKET_SELL_TICKS,
    NO_ROOM,
    OUTSIDE_BOOK,
    USED,
    WOULD_CROSS,
    clear_day,
    fillable,
    find_order,
    first_order,
    match,
    reduce,
    remember_id,
    remove,
    rest,
    would_cross,
)
from schemas.codes import Side
from tests.support.matcher import instrument_rows

BUY, SELL = int(Side.BUY), int(Side.SELL)
FLOOR, WINDOW = 1_000, 128


class Venue:
    """One instrument's books with room for four orders and six ids; order_id is also the client's."""

    def __init__(self) -> None:
        self.books = make_books(9, 1, 4, 6, WINDOW)
        self.instruments = instrument_rows({1: FLOOR})

    def rest(self, order_id: int, side: int, price: int, lots: int = 5, instrument_id: int = 1) -> int:
        return rest(self.books, self.instruments, order_id, 1, order_id, instrument_id, side, price, lots)


def test_an_order_that_has_no_place_is_not_rested_and_nothing_changes() -> None:
    venue = Venue()
    empty = [array.tobytes() for array in (*venue.books, venue.instruments)]
    for side, price, lots, instrument_id in [
        (BUY, FLOOR - 1, 5, 1),
        (SELL, FLOOR + WINDOW, 5, 1),
        (BUY, -(1 << 63), 5, 1),
        (SELL, (1 << 63) - 1, 5, 1),
        (BUY, FLOOR, 0, 1),
        (BUY, FLOOR, -5, 1),
        (3, FLOOR, 5, 1),
        (0, FLOOR, 5, 1),
        (BUY, FLOOR, 5, 0),
        (BUY, FLOOR, 5, 2),
        (BUY, FLOOR, 5, -1),
    ]:
        assert venue.rest(1, side, price, lots, instrument_id) == OUTSIDE_BOOK
    assert [array.tobytes() for array in (*venue.books, venue.instruments)] == empty


def test_matching_and_asking_outside_of_every_book_does_nothing() -> None:
    venue = Venue()
    trades = trade_scratch(4)
    assert venue.rest(1, SELL, FLOOR) == 1
    for instrument_id, side in [(0, BUY), (2, BUY), (-1, BUY), (1, 0), (1, 3)]:
        args = (venue.books, venue.instruments, instrument_id, side, MARKET_BUY_TICKS, 5)
        assert match(*args, trades) == (0, 5)
        assert fillable(*args) == 0
        assert not would_cross(venue.instruments, 1, BUY, FLOOR - 1)
    assert match(venue.books, venue.instruments, 1, BUY, MARKET_BUY_TICKS, 0, trades) == (0, 0)
    for row in (0, -1, 2, 5, 1 << 40):
        assert remove(venue.books, venue.instruments, row) == 0
        assert reduce(venue.books, venue.instruments, row, 1) == 0
    assert reduce(venue.books, venue.instruments, 1, 6) == 0
    assert reduce(venue.books, venue.instruments, 1, 0) == 0
    assert [first_order(venue.books, venue.instruments, i) for i in (-1, 0, 1, 2)] == [0, 0, 1, 0]


def test_an_order_that_would_cross_must_match_first() -> None:
    venue = Venue()
    venue.rest(1, SELL, FLOOR + 7)
    assert would_cross(venue.instruments, 1, BUY, FLOOR + 7)
    assert not would_cross(venue.instruments, 1, BUY, FLOOR + 6)
    assert venue.rest(2, BUY, FLOOR + 7) == WOULD_CROSS
    assert venue.rest(2, BUY, FLOOR + 6) > 0
    assert venue.rest(3, SELL, FLOOR + 6) == WOULD_CROSS


def test_a_full_pool_takes_no_order_until_one_leaves() -> None:
    venue = Venue()
    rows = [venue.rest(n, BUY, FLOOR + n) for n in (1, 2, 3, 4)]
    assert sorted(rows) == [1, 2, 3, 4]
    assert venue.rest(5, BUY, FLOOR) == NO_ROOM
    assert find_order(venue.books, 1, 5) == 0
    assert remove(venue.books, venue.instruments, rows[1]) == 5
    assert venue.rest(5, BUY, FLOOR) == rows[1]


def test_an_id_is_used_for_the_day_and_the_day_has_only_so_many() -> None:
    venue = Venue()
    assert venue.rest(1, BUY, FLOOR) > 0
    assert venue.rest(1, BUY, FLOOR) == ID_RESTS
    assert remember_id(venue.books, 1, 1) == 0
    remove(venue.books, venue.instruments, find_order(venue.books, 1, 1))
    assert find_order(venue.books, 1, 1) == USED
    assert remember_id(venue.books, 1, 1) == 0
    assert find_order(venue.books, 2, 1) == 0, "another account's number is another id"
    assert [remember_id(venue.books, 2, n) for n in (1, 2, 3, 4, 5)] == [1] * 5
    assert remember_id(venue.books, 2, 6) == 0
    assert venue.rest(2, BUY, FLOOR) == NO_ROOM
    clear_day(venue.books)
    assert find_order(venue.books, 1, 1) == 0
    assert venue.rest(1, BUY, FLOOR) > 0


def test_a_new_day_keeps_the_ids_of_orders_that_still_rest() -> None:
    venue = Venue()
    for n in (1, 2, 3):
        venue.rest(n, BUY, FLOOR + n)
    remove(venue.books, venue.instruments, find_order(venue.books, 1, 2))
    clear_day(venue.books)
    assert used_ids(venue.books).tolist() == [[1, 1], [1, 3]]
    assert venue.books.orders[find_order(venue.books, 1, 3)]["order_id"] == 3
    assert find_order(venue.books, 1, 2) == 0


def test_a_sweep_through_a_small_scratch_loses_no_trade() -> None:
    venue = Venue()
    for n, price in enumerate((FLOOR + 2, FLOOR + 1, FLOOR + 1, FLOOR), start=1):
        venue.rest(n, BUY, price, lots=n)
    trades = trade_scratch(1)
    met, leaves = [], 100
    while leaves:
        count, leaves = match(venue.books, venue.instruments, 1, SELL, MARKET_SELL_TICKS, leaves, trades)
        met += [tuple(int(x) for x in t) for t in trades[:count].tolist()]
        if count < len(trades):
            break
    assert [(m[1], m[4], m[5], m[6]) for m in met] == [
        (1, FLOOR + 2, 1, 0),
        (2, FLOOR + 1, 2, 0),
        (3, FLOOR + 1, 3, 0),
        (4, FLOOR, 4, 0),
    ]
    assert leaves == 90
    assert int(venue.instruments[1]["best_bid_ticks"]) == -1


def test_the_image_does_not_depend_on_rows() -> None:
    """The same book reached with rows taken in another order, and loaded from its export."""
    plain, shuffled, loaded = Venue(), Venue(), Venue()
    for n in (1, 2, 3):
        plain.rest(n, BUY, FLOOR)
    shuffled.rest(1, BUY, FLOOR)
    for order_id in (2, 3):
        remember_id(shuffled.books, 1, order_id)
    extra = rest(shuffled.books, shuffled.instruments, 9, 1, 2, 1, BUY, FLOOR + 9, 1)
    shuffled.rest(3, BUY, FLOOR + 1)
    remove(shuffled.books, shuffled.instruments, find_order(shuffled.books, 1, 3))
    remove(shuffled.books, shuffled.instruments, extra)
    for n in (2, 3):
        shuffled.rest(n, BUY, FLOOR)
    image = book_bytes(plain.books, plain.instruments)
    assert book_bytes(shuffled.books, shuffled.instruments) == image
    import_orders(loaded.books, loaded.instruments, export_orders(plain.books), used_ids(plain.books))
    assert book_bytes(loaded.books, loaded.instruments) == image
    assert day_orders(plain.books)["order_id"].tolist() == [1, 2, 3]
    # The place in the queue is part of the image.
    remove(plain.books, plain.instruments, find_order(plain.books, 1, 1))
    plain.rest(1, BUY, FLOOR)
    assert book_bytes(plain.books, plain.instruments) != image


def test_an_export_that_does_not_fit_is_a_broken_invariant() -> None:
    venue = Venue()
    venue.rest(1, BUY, FLOOR)
    orders, ids = export_orders(venue.books), used_ids(venue.books)
    with pytest.raises(InvariantBroken, match="empty books"):
        import_orders(venue.books, venue.instruments, orders, ids)
    orders["price_ticks"] = FLOOR - 1
    fresh = Venue()
    with pytest.raises(InvariantBroken, match="order 1 has no place"):
        import_orders(fresh.books, fresh.instruments, orders, ids)
    fresh = Venue()
    with pytest.raises(InvariantBroken, match="id 1 of account 1"):
        import_orders(fresh.books, fresh.instruments, orders, np.concatenate([ids, ids]))


@pytest.mark.parametrize(
    ("orders", "ids", "window"),
    [(0, 6, 64), (4, 0, 64), (4, 6, 0), (4, 6, 65), (4, 6, WINDOW_COUNT_MAX + 64)],
)
def test_impossible_sizes_are_bad_input(orders: int, ids: int, window: int) -> None:
    with pytest.raises(BadInput):
        make_books(1, 1, orders, ids, window)
