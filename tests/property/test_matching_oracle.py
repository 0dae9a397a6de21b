"""The kernel gives the same events as the naive books, for every kind of order in every phase."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.errors import BadInput
from engine.market import words_kernel as w
from engine.market.books import Books
from engine.market.matcher import Matcher
from engine.market.naive_book import NaiveBooks
from engine.market.price_index_kernel import key_of as price_key
from engine.market.requests import Request, Venue, pack_requests
from schemas.codes import MarketAction, MarketEventKind, OrderType, Side, TimeInForce
from tests.support.market_requests import random_books, random_request

SEEDS = st.integers(0, 2**48)


def matcher_of(naive: NaiveBooks) -> Matcher:
    """The kernel's books of the same venues and the same room."""
    return Matcher({i: book.venue for i, book in naive.books.items()}, naive.order_count)


def has_place(request: Request) -> bool:
    """Whether a request can be packed at all; what cannot is refused before it is one."""
    try:
        pack_requests([request])
    except BadInput:
        return False
    return True


def assert_same_orders(naive: NaiveBooks, books: Books) -> None:
    """The same orders in the same queues at the same places, with the same lots and links."""
    rows = books.orders()
    orders = [order for book in naive.books.values() for order in book.orders()]
    expected = [
        (
            o.order_id,
            o.account_id,
            o.instrument_id,
            int(o.side),
            int(o.order_type),
            int(o.life),
            o.price,
            o.open,
            o.hidden,
            o.partner.order_id if o.partner else 0,
            o.entry.order_id if o.entry else 0,
            o.child.order_id if o.child else 0,
        )
        for o in orders
    ]
    names = [
        "order_id", "account_id", "instrument_id", "side_code", "order_type_code", "time_in_force_code",
        "price_ticks", "open_lots", "hidden_lots", "partner_order_id", "entry_order_id", "child_order_id",
    ]  # fmt: skip
    assert rows[names].tolist() == expected
    assert books.live_count == len(naive.live)


def assert_sound(books: Books) -> None:
    """Levels, pages, nodes and free lists say the same as the orders themselves."""
    levels = books.array(w.LEVELS).reshape(-1, w.LEVEL_WORDS)
    nodes = books.array(w.NODES).reshape(-1, w.NODE_WORDS)
    orders = books.orders()
    shown, hidden, lengths = Counter[int](), Counter[int](), Counter[int]()
    for order in orders:
        book = int(order["instrument_id"]) << w.KIND_BITS | int(order["queue_count"])
        key = int(price_key(int(order["queue_count"]), int(order["price_ticks"])))
        level = books.level_of(book, key)
        shown[level] += int(order["open_lots"])
        hidden[level] += int(order["hidden_lots"])
        lengths[level] += 1
    used = {int(at) for at in np.flatnonzero(levels[:, w.L_COUNT])}
    assert used == set(lengths)
    for level in used:
        row = levels[level]
        assert (row[w.L_LOTS], row[w.L_HIDDEN]) == (shown[level], hidden[level])
        assert row[w.L_COUNT] & w.LOW == lengths[level]
    pages = {level >> 6 for level in used}
    leaves = nodes[(nodes[:, w.N_NODE] != 0) & (nodes[:, w.N_NODE] >> 59 == 0)]
    assert sorted(leaves[:, w.N_PAGE].tolist()) == sorted(pages)
    assert int((nodes[:, w.N_NODE] != 0).sum()) == int(books.meta[w.NODE_COUNT])
    assert int((books.array(w.IDS) != 0).sum()) == len(orders)


class SameEvents(RuleBasedStateMachine):
    """Any requests, one by one."""

    @initialize(seed=SEEDS)
    def begin(self, seed: int) -> None:
        self.naive = random_books(random.Random(seed))
        self.matcher = matcher_of(self.naive)
        self.count = 0

    @rule(seed=SEEDS)
    def ask(self, seed: int) -> None:
        self.count += 1
        request = random_request(random.Random(seed), self.naive, self.count)
        if has_place(request):
            expected = self.naive.submit(request)
            assert self.matcher.submit(request) == expected, request

    @invariant()
    def same(self) -> None:
        if hasattr(self, "naive"):
            assert_same_orders(self.naive, self.matcher.books)


SameEvents.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestSameEvents = SameEvents.TestCase


@given(seed=SEEDS)
@settings(max_examples=120, deadline=None)
def test_long_flows_have_the_same_events(seed: int) -> None:
    draw = random.Random(seed)
    naive = random_books(draw)
    matcher = matcher_of(naive)
    for order_id in range(1, 250):
        request = random_request(draw, naive, order_id)
        if has_place(request):
            expected = naive.submit(request)
            assert matcher.submit(request) == expected, request
    assert_same_orders(naive, matcher.books)
    assert_sound(matcher.books)
    for instrument_id in naive.books:
        assert matcher.books.indicative(instrument_id) == naive.indicative(instrument_id)


@given(seed=SEEDS, batch=st.sampled_from([2, 7, 64, 1_000]), is_large=st.booleans())
@settings(max_examples=40, deadline=None)
def test_batches_have_the_same_events(seed: int, batch: int, is_large: bool) -> None:
    """However commands are cut into calls, and whether memory is foreseen or not."""
    draw = random.Random(seed)
    naive = random_books(draw)
    matcher = matcher_of(naive)
    matcher.small_books = 0 if is_large else 1 << 40
    requests, expected = [], []
    for order_id in range(1, 300):
        request = random_request(draw, naive, order_id)
        if has_place(request):
            requests.append(request)
            expected += naive.submit(request)
    told = []
    for first in range(0, len(requests), batch):
        told += matcher.submit_all(requests[first : first + batch])
    assert told == expected


@given(seed=SEEDS, cut=st.integers(1, 150))
@settings(max_examples=40, deadline=None)
def test_restored_books_go_on_as_if_nothing_had_happened(seed: int, cut: int) -> None:
    """From what a snapshot holds: the same image, and the same events from then on."""
    draw = random.Random(seed)
    naive = random_books(draw)
    first = matcher_of(naive)
    for order_id in range(1, cut):
        request = random_request(draw, naive, order_id)
        if has_place(request):
            naive.submit(request)
            first.submit(request)
    second = matcher_of(naive)
    books = first.books
    second.books.restore(books.orders(), books.phases(), is_stopped=books.is_stopped)
    assert second.books.image() == books.image()
    assert_sound(second.books)
    for order_id in range(cut, cut + 100):
        request = random_request(draw, naive, order_id)
        if has_place(request):
            naive.submit(request)
            assert second.submit(request) == first.submit(request), request
    assert second.books.image() == books.image()


@given(
    offers=st.lists(
        st.tuples(st.integers(-(2**40), 2**40), st.sampled_from(Side)), min_size=1, max_size=40, unique=True
    )
)
@settings(max_examples=60, deadline=None)
def test_best_prices_are_found_however_far_apart(offers: list[tuple[int, Side]]) -> None:
    """Bids below zero and asks above, anywhere among all prices; taking them one by one gives them sorted."""
    requests = [
        Request(
            order_id=n,
            account_id=1,
            instrument_id=1,
            side=side,
            price_ticks=-abs(price) if side == Side.BUY else abs(price) + (price == 0),
            quantity_lots=1,
        )
        for n, (price, side) in enumerate(offers, start=1)
    ]
    matcher = Matcher({1: Venue()}, 64)
    matcher.submit_all(requests)
    for side in Side:
        prices = [r.price_ticks for r in requests if r.side == side]
        best_first = sorted(set(prices), reverse=side == Side.BUY)
        assert [d.price_ticks for d in matcher.depth(1, side, 100)] == best_first
    assert_sound(matcher.books)
    for n, side in enumerate(Side, start=1_000):
        sweep = Request(
            order_id=n, account_id=2, instrument_id=1, side=side, quantity_lots=1_000,
            order_type=OrderType.MARKET, time_in_force=TimeInForce.IOC,
        )  # fmt: skip
        matcher.submit(sweep)
    assert matcher.books.live_count == 0
    assert not matcher.books.array(w.NODES).reshape(-1, w.NODE_WORDS)[:, w.N_NODE].any()


def test_every_kind_of_event_is_met() -> None:
    """The random requests reach everything that matching can say, and everything that it can be asked."""
    kinds, actions = Counter[int](), Counter[int]()
    for seed in range(40):
        draw = random.Random(seed)
        naive = random_books(draw)
        for order_id in range(1, 200):
            request = random_request(draw, naive, order_id)
            actions[int(request.action)] += 1
            kinds.update(h.kind for h in naive.submit(request))
    assert set(MarketEventKind) <= set(kinds)
    assert set(MarketAction) <= set(actions)
