"""The kernel gives the naive books' outcomes, command by command, and keeps its own structure whole."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import astuple

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.market.books import book_bytes, export_orders, import_orders, make_books, used_ids
from engine.market.naive_book import Accepted, NaiveBooks, Outcome, Traded, TradingCommand
from schemas.codes import OrderType, Side, TimeInForce
from tests.support.matcher import Matcher, cancel, instrument_rows, place, replace

FLOORS = {1: 100, 2: 5_000}
WINDOW = 128
NARROW = 6  # ticks that most prices fall into, so that orders meet
ORDER_COUNT = 12
ORDER_ID_COUNT = 40

# Prices stand in a narrow band around a word boundary of the bitmap, now and then at an edge or outside.
offsets = st.sampled_from([*range(61, 61 + NARROW)] * 3 + [-1, 0, WINDOW - 1, WINDOW])
lots = st.sampled_from([*range(1, 10)] * 2 + [0, -1, 40])
accounts = st.integers(1, 2)
client_ids = st.integers(1, 30)
new_or_used_ids = st.one_of(st.none(), st.none(), st.none(), client_ids)
instruments = st.sampled_from([1, 1, 1, 2])


class SameOutcomes(RuleBasedStateMachine):
    """Both books see every command; the machine looks for one that they decide differently."""

    @initialize(scratch_count=st.integers(1, 3))
    def open(self, scratch_count: int) -> None:
        windows = {i: range(floor, floor + WINDOW) for i, floor in FLOORS.items()}
        self.naive = NaiveBooks(windows, ORDER_COUNT, ORDER_ID_COUNT)
        self.matcher = Matcher(FLOORS, WINDOW, ORDER_COUNT, ORDER_ID_COUNT, scratch_count)
        self.sequence = 0

    def both(self, command: TradingCommand) -> list[Outcome]:
        expected = self.naive.submit(command)
        assert self.matcher.submit(command) == expected, command
        return expected

    def next(self) -> int:
        self.sequence += 1
        return self.sequence

    @rule(
        account_id=accounts,
        client_order_id=new_or_used_ids,
        instrument_id=instruments,
        side=st.sampled_from(Side),
        offset=offsets,
        quantity=lots,
        order_type=st.sampled_from([OrderType.LIMIT, OrderType.LIMIT, OrderType.MARKET]),
        time_in_force=st.sampled_from([TimeInForce.DAY, *TimeInForce]),
        is_post_only=st.sampled_from([False, False, True]),
    )
    def place(
        self,
        account_id: int,
        client_order_id: int | None,
        instrument_id: int,
        side: Side,
        offset: int,
        quantity: int,
        order_type: OrderType,
        time_in_force: TimeInForce,
        is_post_only: bool,
    ) -> None:
        if client_order_id is None:
            client_order_id = 1 + sum(1 for used, _ in self.naive.ids if used == account_id)
        was_used = (account_id, client_order_id) in self.naive.ids
        outcomes = self.both(
            place(
                self.next(),
                account_id=account_id,
                client_order_id=client_order_id,
                instrument_id=instrument_id,
                side=side,
                price=FLOORS[instrument_id] + offset,
                lots=quantity,
                order_type=order_type,
                time_in_force=time_in_force,
                is_post_only=is_post_only,
            )
        )
        accepted = any(isinstance(o, Accepted) for o in outcomes)
        assert not (was_used and accepted), "an id was used twice in a day"
        traded = sum(o.quantity_lots for o in outcomes if isinstance(o, Traded))
        assert traded <= max(quantity, 0)
        if is_post_only:
            assert traded == 0

    @rule(account_id=accounts, client_order_id=client_ids, is_cancel=st.booleans())
    def change_any(self, account_id: int, client_order_id: int, is_cancel: bool) -> None:
        """Mostly ids that are unknown or whose orders have ended."""
        if is_cancel:
            self.both(cancel(self.next(), client_order_id, account_id))
        else:
            self.replace_to(account_id, client_order_id, 61, 1)

    def replace_to(self, account_id: int, client_order_id: int, offset: int, quantity: int) -> None:
        order = self.naive.ids.get((account_id, client_order_id))
        floor = FLOORS[order.instrument_id if order else 1]
        self.both(
            replace(
                self.next(),
                client_order_id,
                account_id=account_id,
                price=floor + offset,
                lots=quantity,
            )
        )

    @precondition(lambda self: self.naive.resting())
    @rule(pick=st.integers(0, ORDER_COUNT - 1), offset=offsets, quantity=lots, is_same=st.booleans())
    def replace_resting(self, pick: int, offset: int, quantity: int, is_same: bool) -> None:
        resting = self.naive.resting()
        order = resting[pick % len(resting)]
        if is_same:
            offset = order.price_ticks - FLOORS[order.instrument_id]
        self.replace_to(order.account_id, order.client_order_id, offset, quantity)

    @precondition(lambda self: self.naive.resting())
    @rule(pick=st.integers(0, ORDER_COUNT - 1))
    def cancel_resting(self, pick: int) -> None:
        resting = self.naive.resting()
        order = resting[pick % len(resting)]
        self.both(cancel(self.next(), order.client_order_id, order.account_id))

    @rule()
    def end_day(self) -> None:
        assert self.matcher.end_day() == self.naive.end_day()
        assert len(used_ids(self.matcher.books)) == 0

    @rule()
    def restore(self) -> None:
        """A snapshot taken and loaded now: the same image, and whatever follows must still agree."""
        old = self.matcher
        fresh = Matcher(FLOORS, WINDOW, ORDER_COUNT, ORDER_ID_COUNT, len(old.trades))
        import_orders(fresh.books, fresh.instruments, export_orders(old.books), used_ids(old.books))
        image = book_bytes(old.books, old.instruments)
        assert book_bytes(fresh.books, fresh.instruments) == image
        self.matcher = fresh

    @invariant()
    def same_queues(self) -> None:
        names = ("order_id", "account_id", "client_order_id", "instrument_id")
        names += ("side_code", "price_ticks", "open_lots")
        assert self.matcher.resting()[list(names)].tolist() == [
            astuple(order) for order in self.naive.resting()
        ]

    @invariant()
    def same_ids(self) -> None:
        assert [tuple(pair) for pair in used_ids(self.matcher.books).tolist()] == list(self.naive.ids)
        for (account_id, client_order_id), order in self.naive.ids.items():
            row = self.matcher.find(account_id, client_order_id)
            if order is None:
                assert row == -1
            else:
                assert self.matcher.books.orders[row]["order_id"] == order.order_id

    @invariant()
    def whole(self) -> None:
        check_structure(self.matcher)


def check_structure(matcher: Matcher) -> None:
    """Levels, links, bests and the free list say the same as the orders themselves."""
    books, instruments = matcher.books, matcher.instruments
    orders = books.orders
    window = len(books.levels) // (2 * len(instruments))
    live = [int(row) for row in np.flatnonzero(orders["order_id"])]
    sums: Counter[int] = Counter()
    lengths: Counter[int] = Counter()
    bests: dict[tuple[int, int], list[int]] = {}
    for row in live:
        order = orders[row]
        instrument_id, side = int(order["instrument_id"]), int(order["side_code"])
        offset = int(order["price_ticks"] - instruments[instrument_id]["window_floor_ticks"])
        at = (instrument_id * 2 + side - 1) * window + offset
        sums[at] += int(order["open_lots"])
        lengths[at] += 1
        bests.setdefault((instrument_id, side), []).append(offset)
        assert order["open_lots"] > 0
    used = [np.flatnonzero(books.levels[name]) for name in books.levels.dtype.names or ()]
    for at in {*np.concatenate(used).tolist(), *lengths}:
        level = books.levels[at]
        assert int(level["open_lots"]) == sums[at]
        assert int(level["order_count"]) == lengths[at]
        queue, row, ahead = [], int(level["head_count"]), 0
        while row:
            assert int(orders[row]["previous_count"]) == ahead
            queue.append(row)
            ahead, row = row, int(orders[row]["next_count"])
        assert len(queue) == lengths[at]
        assert int(level["tail_count"]) == ahead
    for instrument_id in range(1, len(instruments)):
        bid = int(instruments[instrument_id]["best_bid_ticks"])
        ask = int(instruments[instrument_id]["best_ask_ticks"])
        assert bid == max(bests.get((instrument_id, Side.BUY), [-1]))
        assert ask == min(bests.get((instrument_id, Side.SELL), [-1]))
        assert bid < 0 or ask < 0 or bid < ask, "the book is crossed"
    free, row = set(), int(books.meta[0])
    while row:
        assert row not in free
        free.add(row)
        row = int(orders[row]["next_count"])
    assert free | set(live) == set(range(1, len(orders)))
    assert not free & set(live)


SameOutcomes.TestCase.settings = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestSameOutcomes = SameOutcomes.TestCase


WIDE = 64 * 64 * 3  # wide enough for all three levels of the bitmap
EDGES = (0, 63, 64, 4095, 4096, 4159, 8191, 8192, WIDE - 65, WIDE - 64, WIDE - 1)


@given(seed=st.integers(0, 2**32), window=st.sampled_from([64, WINDOW, WIDE]))
@settings(max_examples=40, deadline=None)
def test_long_flows_have_the_same_outcomes(seed: int, window: int) -> None:
    """Hundreds of commands on a busy book: most are valid, most targets rest, prices meet."""
    draw = random.Random(seed)
    floors = {1: 1, 3: 700}
    naive = NaiveBooks({i: range(f, f + window) for i, f in floors.items()}, 60, 400)
    matcher = Matcher(floors, window, 60, 400, scratch_count=draw.choice([1, 2, 50]))
    centre = draw.randrange(window)
    seen: Counter[str] = Counter()
    for sequence in range(1, 401):
        command = _drawn_command(draw, naive, sequence, centre, window)
        expected = naive.submit(command)
        assert matcher.submit(command) == expected, command
        seen.update(type(outcome).__name__ for outcome in expected)
        if sequence % 40 == 0:
            check_structure(matcher)
            assert matcher.resting()["order_id"].tolist() == [o.order_id for o in naive.resting()]
        if draw.random() < 0.004:
            assert matcher.end_day() == naive.end_day()
    assert {"Accepted", "Traded", "Cancelled", "Replaced"} <= set(seen)


def _drawn_command(
    draw: random.Random, naive: NaiveBooks, sequence: int, centre: int, window: int
) -> TradingCommand:
    resting = naive.resting()
    offset = draw.choice(EDGES) if draw.random() < 0.3 else centre + draw.randint(-4, 4)
    offset = min(offset, window - 1) if draw.random() < 0.98 else window
    pick = draw.random()
    if not resting or pick < 0.6:
        instrument_id = draw.choice([1, 1, 3])
        return place(
            sequence,
            account_id=draw.randint(1, 3),
            client_order_id=sequence if draw.random() < 0.95 else draw.randint(1, sequence),
            instrument_id=instrument_id,
            side=draw.choice(list(Side)),
            price=naive.windows[instrument_id].start + offset,
            lots=draw.randint(1, 9),
            order_type=draw.choice([OrderType.LIMIT] * 9 + [OrderType.MARKET]),
            time_in_force=draw.choice([TimeInForce.DAY] * 5 + list(TimeInForce)),
            is_post_only=draw.random() < 0.1,
        )
    order = draw.choice(resting)
    if pick < 0.75:
        return cancel(sequence, order.client_order_id, order.account_id)
    price = naive.windows[order.instrument_id].start + offset
    return replace(
        sequence,
        order.client_order_id,
        account_id=order.account_id,
        price=order.price_ticks if draw.random() < 0.5 else price,
        lots=max(order.open_lots + draw.randint(-3, 2), draw.randint(0, 1)),
    )


@given(
    window=st.sampled_from([64, 128, 4096, 4160, 64 * 64 * 3, 64**3]),
    picks=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(Side)), min_size=1, max_size=30),
)
@settings(max_examples=60, deadline=None)
def test_best_price_is_found_in_windows_of_every_size(window: int, picks: list[tuple[float, Side]]) -> None:
    """Bids lie in the lower half and asks in the upper; taking them one by one gives them sorted."""
    books = make_books(1, 1, 64, 64, window)
    rows = instrument_rows({1: 10})
    matcher = Matcher({1: 10}, 64, 64, 64)
    matcher.books, matcher.instruments = books, rows
    naive = NaiveBooks({1: range(10, 10 + window)}, 64, 64)
    half = window // 2
    for n, (part, side) in enumerate(picks, start=1):
        offset = int(part * (half - 1)) + (half if side == Side.SELL else 0)
        command = place(n, side=side, price=10 + offset, lots=n)
        assert matcher.submit(command) == naive.submit(command)
    assert matcher.resting()["order_id"].tolist() == [o.order_id for o in naive.resting()]
    for n, side in enumerate(Side, start=100):
        sweep = place(n, side=side, lots=10_000, order_type=OrderType.MARKET)
        assert matcher.submit(sweep) == naive.submit(sweep)
    assert len(matcher.resting()) == 0
