"""The matching engine at its edges: capacities, bounds, bad input, and memory that is never overrun."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import BadInput, InvariantBroken
from engine.market import words_kernel as w
from engine.market.books import LARGEST_ORDER_COUNT, Books
from engine.market.matcher import Matcher
from engine.market.matching_kernel import run
from engine.market.requests import (
    LARGEST_INSTRUMENT_ID,
    LARGEST_LOTS,
    LARGEST_ORDER_ID,
    LARGEST_SMALL_ID,
    LARGEST_TICKS,
    MOST_SLICES,
    Happening,
    Request,
    Venue,
    event_columns,
    pack_requests,
    unpack_events,
)
from schemas.codes import (
    InstrumentState,
    MarketAction,
    MarketEventKind,
    MarketEventReason,
    OrderType,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from schemas.derive.layout import empty_rows
from schemas.matching import MarketCommand, OrderTerms

Kind, Why = MarketEventKind, MarketEventReason


def order(order_id: int, side: Side, price: int, lots: int = 1, **more: object) -> Request:
    return Request(
        order_id=order_id, account_id=1, instrument_id=1, side=side, price_ticks=price, quantity_lots=lots
    )._replace(**more)  # fmt: skip


def kinds(happenings: list[Happening]) -> list[tuple[Kind, int]]:
    return [(h.kind, h.reason) for h in happenings]


def refused(reason: RejectReason) -> list[tuple[Kind, int]]:
    return [(Kind.REFUSED, reason)]


# Capacity ---------------------------------------------------------------------------------------------------


def test_a_full_engine_refuses_what_would_stay_and_takes_what_would_not() -> None:
    matcher = Matcher({1: Venue()}, 3)
    for n in (1, 2, 3):
        assert kinds(matcher.submit(order(n, Side.SELL, 100 + n))) == [(Kind.ACCEPTED, 0)]
    full = refused(RejectReason.BOOK_FULL)
    assert kinds(matcher.submit(order(4, Side.BUY, 90))) == full
    assert kinds(matcher.submit(order(4, Side.BUY, 200))) == full, "even one that would trade"
    stop = order(4, Side.BUY, 0, order_type=OrderType.STOP, stop_ticks=500)
    assert kinds(matcher.submit(stop)) == full
    taking = order(4, Side.BUY, 101, time_in_force=TimeInForce.IOC)
    assert [h.kind for h in matcher.submit(taking)] == [Kind.ACCEPTED, Kind.TRADED]
    assert [h.kind for h in matcher.submit(order(5, Side.BUY, 90))] == [Kind.ACCEPTED]
    assert matcher.books.live_count == 3


def test_prices_that_fill_the_index_expire_with_a_reason_and_break_nothing() -> None:
    """Prices so far apart that each needs seven nodes: the index fills before the order pool."""
    matcher = Matcher({1: Venue()}, 2_000)
    outcomes = []
    for n in range(1, 1_500):
        price = (n * 0x9E3779B9 << 8) % LARGEST_TICKS
        outcomes.append(kinds(matcher.submit(order(n, Side.SELL, price)))[-1])
    assert set(outcomes) == {(Kind.ACCEPTED, 0), (Kind.EXPIRED, Why.NO_ROOM)}
    live = outcomes.count((Kind.ACCEPTED, 0))
    assert matcher.books.live_count == live == len(matcher.depth(1, Side.SELL, 2_000))
    sweep = order(9_999, Side.BUY, LARGEST_TICKS, LARGEST_LOTS, time_in_force=TimeInForce.IOC)
    assert len(matcher.submit(sweep)) == live + 2
    assert matcher.books.live_count == 0
    assert int(matcher.books.meta[w.NODE_COUNT]) == 0
    assert kinds(matcher.submit(order(1, Side.SELL, 5))) == [(Kind.ACCEPTED, 0)]


def test_one_sweep_through_thousands_of_slices_is_told_whole() -> None:
    matcher = Matcher({1: Venue()}, 64)
    count = 60
    for n in range(1, count + 1):
        iceberg = order(n, Side.SELL, 100, MOST_SLICES, display_lots=1)
        assert [h.kind for h in matcher.submit(iceberg)] == [Kind.ACCEPTED, Kind.RESTED]
    too_fine = order(999, Side.SELL, 100, MOST_SLICES + 1, display_lots=1)
    assert kinds(matcher.submit(too_fine)) == refused(RejectReason.BAD_TERMS)
    sweep = matcher.submit(order(1_000, Side.BUY, 100, count * MOST_SLICES))
    assert sum(h.quantity_lots for h in sweep if h.kind is Kind.TRADED) == count * MOST_SLICES
    assert len(sweep) == 1 + count * MOST_SLICES + count * (MOST_SLICES - 1)
    assert matcher.books.slice_count == 0


def test_a_batch_stops_before_its_events_have_no_room_and_goes_on() -> None:
    requests = [order(n, Side(1 + n % 2), 100) for n in range(1, 400)]
    whole = Matcher({1: Venue()}, 8)
    expected = whole.submit_all(requests)
    commands, _ = pack_requests(requests)
    matcher = Matcher({1: Venue()}, 8)
    done, told, stops = 0, list[Happening](), 0
    while done < len(commands):
        matcher.books.meta[w.EVENT_COUNT] = 0
        matcher.books.meta[w.EVENT_ROOM] = 7_200  # the most of one command, and little more
        begun, room = done, 1 << 40
        done = int(run(matcher.books.address, commands.ctypes.data, done, len(commands), room, False))
        assert done > begun
        told += unpack_events(matcher.books.events)
        stops += 1
    assert told == expected
    assert stops > 3


@pytest.mark.parametrize(
    ("instruments", "orders"), [(0, 5), (LARGEST_INSTRUMENT_ID + 1, 5), (1, 0), (1, LARGEST_ORDER_COUNT + 1)]
)
def test_impossible_sizes_are_bad_input(instruments: int, orders: int) -> None:
    with pytest.raises(BadInput):
        Books(instruments, orders)


# Bounds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"quantity_lots": 0}, RejectReason.BAD_QUANTITY),
        ({"quantity_lots": -1}, RejectReason.BAD_QUANTITY),
        ({"quantity_lots": LARGEST_LOTS + 1}, RejectReason.BAD_QUANTITY),
        ({"quantity_lots": (1 << 63) - 1}, RejectReason.BAD_QUANTITY),
        ({"price_ticks": LARGEST_TICKS + 1}, RejectReason.BAD_PRICE),
        ({"price_ticks": -(1 << 63)}, RejectReason.BAD_PRICE),
        ({"order_id": 0}, RejectReason.DUPLICATE_ID),
        ({"order_id": -7}, RejectReason.DUPLICATE_ID),
        ({"order_id": LARGEST_ORDER_ID + 1}, RejectReason.DUPLICATE_ID),
        ({"order_id": 1}, RejectReason.DUPLICATE_ID),
        ({"instrument_id": 0}, RejectReason.UNKNOWN_INSTRUMENT),
        ({"instrument_id": 2}, RejectReason.UNKNOWN_INSTRUMENT),
        ({"instrument_id": LARGEST_INSTRUMENT_ID}, RejectReason.UNKNOWN_INSTRUMENT),
        ({"side": 3}, RejectReason.UNKNOWN_CODE),
        ({"order_type": 200}, RejectReason.UNKNOWN_CODE),
        ({"time_in_force": 9}, RejectReason.UNKNOWN_CODE),
        ({"self_trade": 7}, RejectReason.UNKNOWN_CODE),
        ({"display_lots": 1 << 62}, RejectReason.BAD_TERMS),
        ({"minimum_lots": 1 << 62}, RejectReason.BAD_TERMS),
        ({"action": 77}, RejectReason.UNKNOWN_CODE),
    ],
)  # fmt: skip
def test_hostile_numbers_are_refused_and_change_nothing(
    changed: dict[str, int], reason: RejectReason
) -> None:
    matcher = Matcher({1: Venue()}, 9)
    matcher.submit(order(1, Side.SELL, 100, 5))
    before = matcher.books.image()
    assert kinds(matcher.submit(order(2, Side.BUY, 90, 5)._replace(**changed))) == refused(reason)
    assert matcher.books.image() == before


@pytest.mark.parametrize(
    "changed",
    [
        {"account_id": LARGEST_SMALL_ID + 1},
        {"session_id": -1},
        {"group_id": 1 << 40},
        {"instrument_id": 1 << 19},
        {"side": 256},
        {"post_only": 4},
    ],
)
def test_numbers_without_a_place_in_their_word_are_bad_input(changed: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        pack_requests([order(1, Side.BUY, 100)._replace(**changed)])


def test_the_largest_of_everything_trades_exactly() -> None:
    matcher = Matcher({LARGEST_INSTRUMENT_ID // 1024: Venue()}, 9)
    big = Request(
        order_id=LARGEST_ORDER_ID, account_id=LARGEST_SMALL_ID, instrument_id=LARGEST_INSTRUMENT_ID // 1024,
        side=Side.SELL, price_ticks=LARGEST_TICKS, quantity_lots=LARGEST_LOTS, group_id=LARGEST_SMALL_ID,
        session_id=LARGEST_SMALL_ID, client_order_id=(1 << 63) - 1,
    )  # fmt: skip
    matcher.submit(big)
    other = big._replace(order_id=1, side=Side.BUY, account_id=5, client_order_id=-(1 << 63))
    accepted, traded = matcher.submit(other)
    assert (accepted.client_order_id, accepted.account_id) == (-(1 << 63), 5)
    assert (traded.price_ticks, traded.quantity_lots, traded.other_account_id) == (
        LARGEST_TICKS, LARGEST_LOTS, LARGEST_SMALL_ID,
    )  # fmt: skip
    assert matcher.books.live_count == 0


def test_commands_that_are_not_rows_or_point_nowhere_are_bad_input() -> None:
    matcher = Matcher({1: Venue()}, 9)
    with pytest.raises(BadInput, match="rows of MarketCommand"):
        matcher.run(np.zeros(4))
    commands, _ = pack_requests([order(1, Side.BUY, 100)])
    commands["terms_word"] = 1
    with pytest.raises(BadInput, match="terms that are not there"):
        matcher.run(commands)
    with pytest.raises(BadInput, match="rows of OrderTerms"):
        matcher.books.use_terms(np.zeros((3, 8)))


def test_any_words_at_all_are_decided() -> None:
    """Random bits in every word but the terms': every command is answered, and the books stay whole."""
    draw = np.random.Generator(np.random.PCG64(7))
    matcher = Matcher({1: Venue(), 2: Venue(dynamic_bps=100, static_bps=200)}, 64)
    commands = empty_rows(MarketCommand, 20_000)
    for name in commands.dtype.names or ():
        commands[name] = draw.integers(-(1 << 63), (1 << 63) - 1, len(commands))
    half = len(commands) // 2
    action = draw.integers(0, 12, half) | draw.integers(0, 4, half) << 8 | draw.integers(0, 9, half) << 16
    action |= draw.integers(0, 9, half) << 24 | draw.integers(0, 256, half) << 32
    commands["action_word"][:half] = action | draw.integers(0, 4, half) << 40
    commands["order_id"][:half] = draw.integers(-2, 60, half)
    commands["price_ticks"][:half] = draw.integers(-20, 20, half)
    commands["quantity_lots"][:half] = draw.integers(-1, 8, half)
    terms = empty_rows(OrderTerms, 500)
    for name in terms.dtype.names or ():
        terms[name] = draw.choice([0, 0, 0, 1, 2, 5, -1, 1 << 62, -(1 << 63)], len(terms))
    pick = np.where(draw.random(len(commands)) < 0.3, draw.integers(1, 500, len(commands)), 0)
    commands["terms_word"] = pick | draw.integers(0, 1 << 31, len(commands)) << 32
    done, refusals = 0, 0
    while done < len(commands):
        done = matcher.run(commands, terms, done)
        refusals += int((event_columns(matcher.books.events)["kind"] == Kind.REFUSED).sum())
    assert 0 < refusals < len(commands)
    assert matcher.books.live_count == len(matcher.books.orders())
    fresh = Matcher({1: Venue(), 2: Venue(dynamic_bps=100, static_bps=200)}, 64)
    fresh.books.restore(matcher.books.orders(), matcher.books.phases(), is_stopped=matcher.books.is_stopped)
    assert fresh.books.image() == matcher.books.image()


# Images -----------------------------------------------------------------------------------------------------


def test_the_image_tells_the_place_in_the_queue_and_not_the_row() -> None:
    plain, shuffled = Matcher({1: Venue()}, 9), Matcher({1: Venue()}, 9)
    plain.submit_all([order(n, Side.BUY, 100) for n in (1, 2, 3)])
    shuffled.submit_all([order(7, Side.BUY, 50), order(1, Side.BUY, 100), order(2, Side.BUY, 100)])
    shuffled.submit(Request(MarketAction.CANCEL, order_id=7))
    shuffled.submit(order(3, Side.BUY, 100))
    assert shuffled.books.image() == plain.books.image()
    back = Request(MarketAction.REPLACE, order_id=1, price_ticks=100, quantity_lots=2)
    plain.submit(back)
    plain.submit(back._replace(quantity_lots=1))
    assert shuffled.books.image() != plain.books.image(), "the same orders, the first one now last"


def test_what_does_not_fit_is_a_broken_invariant() -> None:
    full = Matcher({1: Venue()}, 9)
    full.submit_all([order(n, Side.BUY, 100) for n in (1, 2, 3)])
    parts = full.books.orders(), full.books.phases()
    with pytest.raises(InvariantBroken, match="empty books"):
        full.books.restore(*parts, is_stopped=False)
    with pytest.raises(InvariantBroken, match="no room"):
        Matcher({1: Venue()}, 2).books.restore(*parts, is_stopped=False)


# Venues -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "venue",
    [
        Venue(tick_bands=((10, 5), (10, 1))),
        Venue(tick_bands=((0, 0),)),
        Venue(tick_bands=((3, 5),)),
        Venue(tick_bands=((0, 5), (12, 4))),
        Venue(tick_bands=tuple((i, 1) for i in range(9))),
        Venue(dynamic_bps=10_001),
        Venue(static_bps=-1),
    ],
)
def test_bad_ladders_and_bands_are_bad_input(venue: Venue) -> None:
    with pytest.raises(BadInput):
        Matcher({1: venue}, 4)


def test_a_closed_book_keeps_its_orders_and_an_instrument_listed_again_its_new_ladder() -> None:
    matcher = Matcher({1: Venue(tick_bands=((0, 5),))}, 4, InstrumentState.CLOSED)
    assert kinds(matcher.submit(order(1, Side.BUY, 5))) == refused(RejectReason.INSTRUMENT_CLOSED)
    matcher.books.list_instrument(1, Venue())
    assert kinds(matcher.submit(order(1, Side.BUY, 7))) == [(Kind.ACCEPTED, 0)]


def test_self_trade_prevention_needs_a_group() -> None:
    """Without a group an account may trade with itself; with one, each mode does what it says."""
    ends = {
        SelfTradePrevention.NONE: [Kind.TRADED],
        SelfTradePrevention.CANCEL_RESTING: [Kind.CANCELLED],
        SelfTradePrevention.CANCEL_AGGRESSING: [Kind.CANCELLED],
        SelfTradePrevention.CANCEL_BOTH: [Kind.CANCELLED, Kind.CANCELLED],
        SelfTradePrevention.DECREMENT: [Kind.REDUCED, Kind.CANCELLED],
    }
    for mode, expected in ends.items():
        matcher = Matcher({1: Venue()}, 4)
        matcher.submit(order(1, Side.SELL, 100, 5, group_id=3))
        taker = order(2, Side.BUY, 100, 9, group_id=3, self_trade=mode)
        assert [h.kind for h in matcher.submit(taker)][1:] == expected, mode
        ungrouped = Matcher({1: Venue()}, 4)
        ungrouped.submit(order(1, Side.SELL, 100, 5))
        told = ungrouped.submit(order(2, Side.BUY, 100, 9, self_trade=mode))
        assert [h.kind for h in told][1:] == [Kind.TRADED], mode
