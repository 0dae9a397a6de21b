"""Market data says what the books are, to whoever was there and to whoever joins late."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from engine.market.feed import DropCopied, DropCopy, Feed, Part
from engine.market.feed_book import (
    FeedAnswer,
    FeedBook,
    FeedMessage,
    Level,
    LevelChanged,
    OrderExecuted,
    OrderReduced,
    ShownOrder,
    Snapshot,
    Top,
    TopChanged,
)
from engine.market.naive_book import Book
from engine.market.requests import LARGEST_TICKS, Happening, Request
from schemas.codes import MarketEventKind, MarketEventReason, Side
from tests.support.market_requests import ACCOUNTS, VENUES, random_books, random_request

Kind, Why = MarketEventKind, MarketEventReason
NOT_COPIED = (Kind.RESTED, Kind.REFILLED, Kind.REPRICED, Kind.PAIRED)
COMMANDS = 350
SEEDS = range(36)


def shown_by(book: Book) -> tuple[ShownOrder, ...]:
    """What the book shows, best price first, at a price in the order of the queue."""
    return tuple(
        ShownOrder(order.order_id, side, price, order.shown)
        for side, queues in ((Side.BUY, book.bids), (Side.SELL, book.asks))
        for price in sorted(queues, reverse=side == Side.BUY)
        if abs(price) <= LARGEST_TICKS
        for order in queues[price]
    )


def levels_of(orders: tuple[ShownOrder, ...]) -> tuple[Level, ...]:
    lots, counts = Counter[tuple[Side, int]](), Counter[tuple[Side, int]]()
    for order in orders:
        lots[order.side, order.price_ticks] += order.shown_lots
        counts[order.side, order.price_ticks] += 1
    return tuple(Level(*at, lots[at], counts[at]) for at in counts)


def top_of(levels: tuple[Level, ...]) -> Top:
    bid = next((x for x in levels if x.side == Side.BUY), Level(Side.BUY, 0, 0, 0))
    ask = next((x for x in levels if x.side == Side.SELL), Level(Side.SELL, 0, 0, 0))
    return Top(bid.price_ticks, bid.shown_lots, ask.price_ticks, ask.shown_lots)


def is_news(book: FeedBook, message: FeedMessage) -> bool:
    """Whether a message changes what its receiver knows."""
    match message:
        case LevelChanged():
            before = book.levels[message.side].get(message.price_ticks)
            return (message.order_count > 0 or before is not None) and before != message[2:]
        case TopChanged():
            return message.top != book.top
        case OrderReduced() | OrderExecuted():
            left = book.shown.orders[message.order_id].shown_lots - message.shown_lots
            is_gone = isinstance(message, OrderReduced) and not message.shown_lots
            return left > 0 and not is_gone
        case _:
            return True


@pytest.mark.parametrize("seed", SEEDS)
def test_the_feed_shows_what_the_books_show(seed: int) -> None:
    draw = random.Random(seed)
    naive, feed = random_books(draw), Feed()
    receivers: dict[int, FeedBook] = {}
    for order_id in range(1, COMMANDS + 1):
        request = random_request(draw, naive, order_id)
        happenings = naive.submit(request)
        for message in feed.follow(happenings):
            receiver = receivers.setdefault(message.instrument_id, FeedBook(message.instrument_id))
            assert message.sequence == receiver.sequence + 1, "numbers without gaps"
            assert is_news(receiver, message), message
            assert receiver.take(message) == FeedAnswer.TAKEN
        for instrument_id, book in naive.books.items():
            told = feed.snapshot(instrument_id)
            assert told.orders == shown_by(book), request
            assert told.levels == levels_of(told.orders), request
            assert told.top == top_of(told.levels), request
            assert told.state == book.state
            last = next(
                (
                    h
                    for h in reversed(happenings)
                    if h.kind == Kind.TRADED and h.instrument_id == instrument_id
                ),
                None,
            )
            if last is not None:
                assert told.last_trade is not None
                assert told.last_trade[2:4] == (last.price_ticks, last.quantity_lots)


def messages_of(seed: int, snapshot_every: int) -> tuple[Feed, list[FeedMessage]]:
    """Everything that a feed tells of one stream, and the feed at its end."""
    draw = random.Random(seed)
    naive, feed = random_books(draw), Feed(snapshot_every)
    told = [
        message
        for order_id in range(1, COMMANDS + 1)
        for message in feed.follow(naive.submit(random_request(draw, naive, order_id)))
    ]
    return feed, told


@pytest.mark.parametrize("seed", SEEDS)
def test_who_joins_late_knows_what_those_know_who_were_there(seed: int) -> None:
    draw = random.Random(-1 - seed)
    feed, told = messages_of(seed, draw.choice([1, 5, 20]))
    for instrument_id in feed.books:
        mine = [m for m in told if m.instrument_id == instrument_id]
        starts = [at for at, m in enumerate(mine) if isinstance(m, Snapshot)]
        picked = draw.sample(starts, min(6, len(starts)))
        joins = [(0, 0), *((at, max(0, at - draw.randrange(9))) for at in picked)]
        for snapshot_at, listens_from in joins:
            late = FeedBook(instrument_id)
            if snapshot_at:
                late.take(mine[snapshot_at])
            for message in mine[listens_from:]:
                answer = late.take(message)
                is_news = message.sequence > (mine[snapshot_at].sequence if snapshot_at else 0)
                is_next = is_news and not isinstance(message, Snapshot)
                assert answer == (FeedAnswer.TAKEN if is_next else FeedAnswer.KNOWN)
                if isinstance(message, Snapshot) and message.sequence == late.sequence:
                    assert late.snapshot() == message
            assert late.snapshot() == feed.snapshot(instrument_id)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lost_message_is_always_noticed_and_a_snapshot_heals(seed: int) -> None:
    draw = random.Random(-100 - seed)
    feed, told = messages_of(seed, 10)
    for instrument_id in feed.books:
        mine = [m for m in told if m.instrument_id == instrument_id]
        numbered = [at for at, m in enumerate(mine) if not isinstance(m, Snapshot)]
        for lost in draw.sample(numbered, min(8, len(numbered))):
            healed = next((at for at in range(lost, len(mine)) if isinstance(mine[at], Snapshot)), len(mine))
            book = FeedBook(instrument_id)
            for at, message in enumerate(mine):
                if at == lost:
                    continue
                answer = book.take(message)
                if lost < at < healed:
                    assert answer == FeedAnswer.GAP
                elif isinstance(message, Snapshot):
                    assert answer == (FeedAnswer.TAKEN if at == healed else FeedAnswer.KNOWN)
                    assert book.snapshot() == message
                else:
                    assert answer == FeedAnswer.TAKEN
            assert book.is_lost == (lost + 1 < healed == len(mine))
            if healed < len(mine):
                assert book.snapshot() == feed.snapshot(instrument_id)


def expected_copies(
    placed: dict[int, Request], group: frozenset[int], happenings: list[Happening]
) -> list[DropCopied]:
    """What a drop copy must tell, from the orders as they were placed; without numbers and open lots."""
    told: list[DropCopied] = []

    def tell(h: Happening, part: Part, account_id: int, order_id: int, client_id: int, side: int) -> None:
        head = 0, account_id, h.kind, h.reason, part, h.instrument_id
        told.append(DropCopied(*head, order_id, client_id, side, h.price_ticks, h.quantity_lots, 0))

    for h in happenings:
        if h.kind == Kind.TRADED:
            is_auction = h.reason == Why.AUCTION
            for order_id, part in ((h.order_id, Part.TAKER), (h.other_order_id, Part.MAKER)):
                own = placed[order_id]
                if own.account_id in group:
                    part = Part.AUCTION if is_auction else part
                    tell(h, part, own.account_id, order_id, own.client_order_id, own.side)
        elif h.account_id in group and h.kind not in NOT_COPIED:
            tell(h, Part.NONE, h.account_id, h.order_id, h.client_order_id, h.side)
    return told


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drop_copy_tells_each_account_of_the_group_its_own_part(seed: int) -> None:
    draw = random.Random(seed)
    naive = random_books(draw)
    group = frozenset[int](draw.sample(ACCOUNTS, draw.choice([1, 2, 3])))
    copy, placed = DropCopy(group), dict[int, Request]()
    number, left = 0, dict[int, int]()
    for order_id in range(1, COMMANDS + 1):
        request = random_request(draw, naive, order_id)
        happenings = naive.submit(request)
        if any(h.kind == Kind.ACCEPTED for h in happenings):
            placed[order_id] = request
        told = copy.follow(happenings)
        plain = [m._replace(sequence=0, open_lots=0) for m in told]
        assert plain == expected_copies(placed, group, happenings)
        for message in told:
            number += 1
            assert message.sequence == number
            if message.kind != Kind.REFUSED:
                left[message.order_id] = message.open_lots
        open_lots = {o.order_id: o.total for o in naive.live.values() if o.account_id in group}
        assert {i: lots for i, lots in left.items() if lots} == open_lots, request
        assert copy.orders.keys() == open_lots.keys(), "nothing is kept of orders that ended"


def test_the_venues_are_sound() -> None:
    for venue in VENUES.values():
        venue.check()
