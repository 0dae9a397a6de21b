"""Market data and drop copies in small tables: what is asked, and every message that others see of it."""

from __future__ import annotations

import pytest

from engine.market.feed import DropCopied, DropCopy, Feed
from engine.market.feed_book import (
    AuctionUncrossed,
    FeedAnswer,
    FeedBook,
    FeedMessage,
    LevelChanged,
    OrderAdded,
    OrderDeleted,
    OrderExecuted,
    OrderMoved,
    OrderReduced,
    ShownOrder,
    Snapshot,
    StateChanged,
    Top,
    TopChanged,
    TradeMade,
)
from engine.market.naive_book import NaiveBooks
from engine.market.requests import Request, Venue
from schemas.codes import (
    InstrumentState,
    MarketAction,
    OrderLink,
    OrderType,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

BUY, SELL = Side.BUY, Side.SELL


def place(order_id: int, side: Side, lots: int, price: int = 0, **more: object) -> Request:
    values = {"account_id": 1, "instrument_id": 1, "client_order_id": order_id + 1_000} | more
    return Request(order_id=order_id, side=side, quantity_lots=lots, price_ticks=price)._replace(**values)


def cancel(order_id: int) -> Request:
    return Request(MarketAction.CANCEL, order_id, 1, 1)


def replace(order_id: int, lots: int, price: int) -> Request:
    return Request(MarketAction.REPLACE, order_id, 1, 1, price_ticks=price, quantity_lots=lots)


def to_state(state: InstrumentState) -> Request:
    return Request(MarketAction.SET_STATE, instrument_id=1, quantity_lots=int(state))


def said(message: FeedMessage) -> str:
    """A message in words, without instrument and number."""
    match message:
        case OrderAdded(_, _, order_id, side, price, lots):
            return f"added {order_id} {side.name} {lots} @ {price}"
        case OrderExecuted(_, _, order_id, lots, left):
            return f"executed {order_id} {lots}, left {left}"
        case OrderReduced(_, _, order_id, left):
            return f"reduced {order_id} to {left}"
        case OrderMoved(_, _, order_id, price, lots):
            return f"moved {order_id} {lots} @ {price}"
        case OrderDeleted(_, _, order_id):
            return f"deleted {order_id}"
        case LevelChanged(_, _, side, price, lots, count):
            return f"level {side.name} {price}: {lots} in {count}"
        case TopChanged(_, _, top):
            return f"top {top.bid_lots} @ {top.bid_ticks} | {top.ask_lots} @ {top.ask_ticks}"
        case TradeMade(_, _, price, lots, aggressor, _):
            return f"trade {lots} @ {price} by {aggressor.name if aggressor else 'auction'}"
        case StateChanged(_, _, state, _):
            return f"state {state.name}"
        case AuctionUncrossed(_, _, price, lots, surplus):
            return f"uncrossed {lots} @ {price}, surplus {surplus}"
        case Snapshot():
            return f"snapshot at {message.sequence}"


class Market:
    """One instrument's book and its feed."""

    def __init__(self, snapshot_every: int = 0) -> None:
        self.books = NaiveBooks({1: Venue()}, 20)
        self.feed = Feed(snapshot_every)

    def ask(self, *requests: Request) -> list[FeedMessage]:
        return [message for r in requests for message in self.feed.follow(self.books.submit(r))]

    def expect(self, request: Request, *words: str) -> None:
        assert [said(m) for m in self.ask(request)] == list(words)


def test_an_order_rests_is_hit_and_leaves() -> None:
    market = Market()
    market.expect(
        place(1, SELL, 5, 101), "added 1 SELL 5 @ 101", "level SELL 101: 5 in 1", "top 0 @ 0 | 5 @ 101"
    )
    market.expect(
        place(2, SELL, 4, 101), "added 2 SELL 4 @ 101", "level SELL 101: 9 in 2", "top 0 @ 0 | 9 @ 101"
    )
    market.expect(place(3, SELL, 1, 102), "added 3 SELL 1 @ 102", "level SELL 102: 1 in 1")
    market.expect(
        place(4, BUY, 6, 101, time_in_force=TimeInForce.IOC),
        "trade 5 @ 101 by BUY",
        "executed 1 5, left 0",
        "trade 1 @ 101 by BUY",
        "executed 2 1, left 3",
        "level SELL 101: 3 in 1",
        "top 0 @ 0 | 3 @ 101",
    )
    market.expect(cancel(2), "deleted 2", "level SELL 101: 0 in 0", "top 0 @ 0 | 1 @ 102")


def test_what_is_left_of_a_taker_rests_after_its_trades() -> None:
    market = Market()
    market.ask(place(1, SELL, 2, 101))
    market.expect(
        place(2, BUY, 5, 101),
        "trade 2 @ 101 by BUY",
        "executed 1 2, left 0",
        "added 2 BUY 3 @ 101",
        "level SELL 101: 0 in 0",
        "level BUY 101: 3 in 1",
        "top 3 @ 101 | 0 @ 0",
    )


def test_what_never_rests_is_never_shown() -> None:
    market = Market()
    market.expect(place(1, BUY, 5, 100, time_in_force=TimeInForce.IOC))
    market.expect(place(2, BUY, 5, order_type=OrderType.MARKET))
    market.expect(place(3, BUY, 5, order_type=OrderType.STOP, stop_ticks=110))
    market.expect(place(4, SELL, 5, 120, link=OrderLink.AWAIT))
    market.expect(place(5, SELL, 5, 120, time_in_force=TimeInForce.AT_CLOSE))
    market.expect(place(6, SELL, 5, 120, order_type=OrderType.PEGGED_PRIMARY))
    market.expect(place(7, SELL, 0, 120))


def test_an_iceberg_shows_a_slice_and_joins_the_end_with_the_next() -> None:
    market = Market()
    market.expect(
        place(1, SELL, 5, 101, display_lots=2),
        "added 1 SELL 2 @ 101",
        "level SELL 101: 2 in 1",
        "top 0 @ 0 | 2 @ 101",
    )
    market.ask(place(2, SELL, 3, 101))
    market.expect(
        place(3, BUY, 2, 101),
        "trade 2 @ 101 by BUY",
        "executed 1 2, left 0",
        "added 1 SELL 2 @ 101",
    )
    assert [o.order_id for o in market.feed.snapshot(1).orders] == [2, 1]


def test_a_smaller_order_keeps_its_place_and_another_price_moves_it() -> None:
    market = Market()
    market.ask(place(1, BUY, 5, 100), place(2, BUY, 5, 100))
    market.expect(replace(1, 3, 100), "reduced 1 to 3", "level BUY 100: 8 in 2", "top 8 @ 100 | 0 @ 0")
    market.expect(replace(1, 4, 100), "moved 1 4 @ 100", "level BUY 100: 9 in 2", "top 9 @ 100 | 0 @ 0")
    market.expect(
        replace(1, 4, 99),
        "moved 1 4 @ 99",
        "level BUY 100: 5 in 1",
        "level BUY 99: 4 in 1",
        "top 5 @ 100 | 0 @ 0",
    )
    market.ask(place(3, SELL, 4, 101))
    market.expect(
        replace(1, 4, 101),
        "trade 4 @ 101 by BUY",
        "executed 3 4, left 0",
        "deleted 1",
        "level SELL 101: 0 in 0",
        "level BUY 99: 0 in 0",
        "top 5 @ 100 | 0 @ 0",
    )


def test_a_peg_follows_after_the_order_that_it_follows() -> None:
    market = Market()
    market.ask(place(1, BUY, 5, 100))
    market.expect(
        place(2, BUY, 2, 110, order_type=OrderType.PEGGED_PRIMARY),
        "added 2 BUY 2 @ 100",
        "level BUY 100: 7 in 2",
        "top 7 @ 100 | 0 @ 0",
    )
    market.expect(
        place(3, BUY, 1, 101),
        "added 3 BUY 1 @ 101",
        "moved 2 2 @ 101",
        "level BUY 101: 3 in 2",
        "level BUY 100: 5 in 1",
        "top 3 @ 101 | 0 @ 0",
    )
    assert [o.order_id for o in market.feed.snapshot(1).orders] == [3, 2, 1]


def test_a_stop_is_told_when_it_trades() -> None:
    market = Market()
    market.ask(
        place(1, SELL, 5, 101),
        place(2, SELL, 5, 102),
        place(3, BUY, 6, 105, order_type=OrderType.STOP_LIMIT, stop_ticks=101),
    )
    market.expect(
        place(4, BUY, 5, 101),
        "trade 5 @ 101 by BUY",
        "executed 1 5, left 0",
        "trade 5 @ 102 by BUY",
        "executed 2 5, left 0",
        "added 3 BUY 1 @ 105",
        "level SELL 101: 0 in 0",
        "level SELL 102: 0 in 0",
        "level BUY 105: 1 in 1",
        "top 1 @ 105 | 0 @ 0",
    )


def test_an_auction_has_no_aggressor_and_market_orders_are_not_shown() -> None:
    market = Market()
    market.expect(to_state(InstrumentState.OPENING_AUCTION), "state OPENING_AUCTION")
    market.expect(place(1, BUY, 5, order_type=OrderType.MARKET))
    market.ask(place(2, BUY, 2, 103))
    market.expect(
        place(3, SELL, 6, 100), "added 3 SELL 6 @ 100", "level SELL 100: 6 in 1", "top 2 @ 103 | 6 @ 100"
    )
    market.expect(
        to_state(InstrumentState.OPEN),
        "uncrossed 6 @ 100, surplus 1",
        "trade 5 @ 100 by auction",
        "executed 3 5, left 1",
        "executed 2 1, left 1",
        "trade 1 @ 100 by auction",
        "executed 3 1, left 0",
        "state OPEN",
        "level SELL 100: 0 in 0",
        "level BUY 103: 1 in 1",
        "top 1 @ 103 | 0 @ 0",
    )


def test_a_snapshot_says_everything() -> None:
    market = Market()
    told = market.ask(
        place(1, BUY, 5, 100, display_lots=3),
        place(2, BUY, 5, 100),
        place(3, SELL, 7, 102),
        place(4, BUY, 4, 102),
        to_state(InstrumentState.HALTED),
    )
    snapshot = market.feed.snapshot(1)
    assert snapshot.sequence == len(told) == told[-1].sequence
    assert snapshot.state == InstrumentState.HALTED
    assert snapshot.orders == (
        ShownOrder(1, BUY, 100, 3),
        ShownOrder(2, BUY, 100, 5),
        ShownOrder(3, SELL, 102, 3),
    )
    assert snapshot.levels == ((BUY, 100, 8, 2), (SELL, 102, 3, 1))
    assert snapshot.top == Top(100, 8, 102, 3)
    assert snapshot.last_trade is not None
    assert snapshot.last_trade[2:] == (102, 4, BUY, False)


def test_a_snapshot_comes_after_the_command_that_fills_its_count() -> None:
    market = Market(snapshot_every=4)
    said_of = [[said(m) for m in market.ask(place(i, BUY, 1, 90 + i))] for i in (1, 2, 3)]
    assert [words[3:] for words in said_of] == [[], ["snapshot at 6"], []]


def test_a_receiver_notices_what_it_missed() -> None:
    market = Market()
    one, two, three, four, *_ = market.ask(place(1, BUY, 1, 100), place(2, BUY, 1, 99), place(3, BUY, 1, 98))
    book = FeedBook(1)
    for message, answer in [
        (one, FeedAnswer.TAKEN),
        (one, FeedAnswer.KNOWN),
        (three, FeedAnswer.GAP),
        (two, FeedAnswer.GAP),  # too late: nothing is taken before a snapshot
        (four, FeedAnswer.GAP),
        (market.feed.snapshot(1), FeedAnswer.TAKEN),
        (four, FeedAnswer.KNOWN),
        (four._replace(instrument_id=2), FeedAnswer.OTHER_INSTRUMENT),
        (market.feed.snapshot(1), FeedAnswer.KNOWN),
    ]:
        assert book.take(message) == answer, message
    assert book.snapshot() == market.feed.snapshot(1)


def test_a_snapshot_older_than_what_a_lost_receiver_knows_does_not_help() -> None:
    market = Market()
    old = market.feed.snapshot(1)
    one, _, three, *_ = market.ask(place(1, BUY, 1, 100))
    book = FeedBook(1)
    assert [book.take(m) for m in (one, three, old)] == [FeedAnswer.TAKEN, FeedAnswer.GAP, FeedAnswer.KNOWN]
    assert book.is_lost


def copied(messages: list[DropCopied]) -> list[str]:
    """Copies in words, without number and instrument."""
    return [
        f"{m.account_id}: {m.kind.name} {m.part.name} {Side(m.side).name} #{m.order_id} "
        f"({m.client_order_id}) {m.quantity_lots} @ {m.price_ticks}, open {m.open_lots}"
        for m in messages
    ]


def test_a_group_sees_its_own_part_of_every_trade() -> None:
    books, one, both = NaiveBooks({1: Venue()}, 20), DropCopy([1]), DropCopy([1, 2])
    told: dict[DropCopy, list[DropCopied]] = {one: [], both: []}
    for request in (
        place(1, SELL, 5, 101, account_id=2),
        place(2, BUY, 3, 101, account_id=1),
        place(3, BUY, 3, 101, account_id=9),
        place(4, BUY, 0, 101, account_id=1),
    ):
        happenings = books.submit(request)
        for copy, messages in told.items():
            messages += copy.follow(happenings)
    assert copied(told[one]) == [
        "1: ACCEPTED NONE BUY #2 (1002) 3 @ 101, open 3",
        "1: TRADED TAKER BUY #2 (1002) 3 @ 101, open 0",
        "1: REFUSED NONE BUY #4 (1004) 0 @ 101, open 0",
    ]
    assert copied(told[both]) == [
        "2: ACCEPTED NONE SELL #1 (1001) 5 @ 101, open 5",
        "1: ACCEPTED NONE BUY #2 (1002) 3 @ 101, open 3",
        "1: TRADED TAKER BUY #2 (1002) 3 @ 101, open 0",
        "2: TRADED MAKER SELL #1 (1001) 3 @ 101, open 2",
        "2: TRADED MAKER SELL #1 (1001) 2 @ 101, open 0",
        "1: REFUSED NONE BUY #4 (1004) 0 @ 101, open 0",
    ]
    assert [m.sequence for m in told[both]] == [1, 2, 3, 4, 5, 6]
    assert told[one][-1].reason == RejectReason.BAD_QUANTITY


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (SelfTradePrevention.NONE, ["TRADED TAKER BUY #2 2, open 1", "TRADED MAKER SELL #1 2, open 0"]),
        (
            SelfTradePrevention.DECREMENT,
            ["REDUCED NONE BUY #2 2, open 1", "CANCELLED NONE SELL #1 2, open 0"],
        ),
        (SelfTradePrevention.CANCEL_RESTING, ["CANCELLED NONE SELL #1 2, open 0"]),
        (SelfTradePrevention.CANCEL_AGGRESSING, ["CANCELLED NONE BUY #2 3, open 0"]),
    ],
)
def test_an_account_that_meets_itself_is_told_of_both_orders(
    mode: SelfTradePrevention, words: list[str]
) -> None:
    books, copy = NaiveBooks({1: Venue()}, 20), DropCopy([1])
    copy.follow(books.submit(place(1, SELL, 2, 101, group_id=7)))
    first, *rest = copy.follow(books.submit(place(2, BUY, 3, 101, group_id=7, self_trade=mode)))
    assert copied([first]) == ["1: ACCEPTED NONE BUY #2 (1002) 3 @ 101, open 3"]
    assert [
        f"{m.kind.name} {m.part.name} {Side(m.side).name} #{m.order_id} {m.quantity_lots}, open {m.open_lots}"
        for m in rest
    ] == words
