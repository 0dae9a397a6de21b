"""LOBSTER files as commands: what each row becomes, what is refused, what matching makes of real flow."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import pytest

from engine.errors import BadInput
from engine.gateway.lobster import (
    FIRST_TAKER_ORDER_ID,
    LobsterFlow,
    MessageType,
    messages,
)
from engine.market.matcher import Matcher
from engine.market.naive_book import NaiveBooks
from engine.market.requests import Happening, Request, Venue
from schemas.codes import (
    InstrumentState,
    MarketAction,
    MarketEventKind,
    MarketEventReason,
    OrderType,
    Side,
    TimeInForce,
)
from schemas.market import CancelOrder, ChangeInstrumentState, PlaceOrder, ReplaceOrder
from tests.support.shared import SHARED

LOBSTER = SHARED / "data" / "lobster"
FIRST_ROWS = LOBSTER / "AAPL_2012-06-21_message_10_first1000.csv"
FIRST_HOUR = LOBSTER / "AAPL_2012-06-21_message_50_0930_1030.csv"
DAY = date(2012, 6, 21)
MAKER, TAKER = 1, 2


def flow_of(path: Path) -> LobsterFlow:
    return LobsterFlow(path, DAY, 7, 1, MAKER, TAKER)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "rows.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_each_type_of_row_becomes_its_command(tmp_path: Path) -> None:
    flow = flow_of(
        written(
            tmp_path,
            "34200.000000001,1,11,300,5853300,1\n"
            "34200.5,2,11,100,5853300,1\n"
            "34201,4,11,50,5853300,1\n"
            "34201,5,0,50,5853350,1\n"
            "34201,6,-1,50,5853300,-1\n"
            "34202,7,0,0,-1,-1\n"
            "34202,7,0,0,0,-1\n"
            "34203,7,0,0,1,-1\n"
            "34204,3,11,150,5853300,1\r\n"
            "34204,3,99,150,5853300,1\n"
            "34204,4,98,150,5853300,1\n",
        )
    )
    new, less, taker, halt, resume, gone = flow.commands()
    opened = int(datetime(2012, 6, 21, 13, 30, tzinfo=UTC).timestamp()) * 1_000_000_000
    assert isinstance(new, PlaceOrder)
    assert new.received_at_ns == opened + 1
    assert (new.session_id, new.instrument_id, new.account_id) == (7, 1, MAKER)
    assert (new.client_order_id, new.side_code, new.time_in_force_code) == (
        11,
        Side.BUY,
        TimeInForce.DAY,
    )
    assert (new.price_ticks, new.quantity_lots) == (58533, 300)
    assert isinstance(less, ReplaceOrder)
    assert (less.client_order_id, less.price_ticks, less.quantity_lots) == (11, 58533, 200)
    assert less.received_at_ns == opened + 500_000_000
    assert isinstance(taker, PlaceOrder)
    assert (taker.account_id, taker.client_order_id) == (TAKER, FIRST_TAKER_ORDER_ID)
    assert (taker.side_code, taker.time_in_force_code) == (Side.SELL, TimeInForce.IOC)
    assert (taker.price_ticks, taker.quantity_lots) == (58533, 50)
    assert isinstance(halt, ChangeInstrumentState)
    assert halt.instrument_state_code == InstrumentState.HALTED
    assert isinstance(resume, ChangeInstrumentState)
    assert resume.instrument_state_code == InstrumentState.OPEN
    assert isinstance(gone, CancelOrder)
    assert gone.client_order_id == 11
    assert flow.counts.read == {
        MessageType.NEW: 1,
        MessageType.PARTIAL_CANCEL: 1,
        MessageType.DELETE: 2,
        MessageType.EXECUTION: 2,
        MessageType.HIDDEN_EXECUTION: 1,
        MessageType.AUCTION: 1,
        MessageType.HALT: 3,
    }
    assert flow.counts.unknown == {MessageType.DELETE: 1, MessageType.EXECUTION: 1}


GOOD = "34200,1,11,300,5853300,1\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "rows.csv:1: the file is empty"),
        ("\n", "rows.csv:1: 6 columns"),
        (GOOD + "34200,1,12,300,5853300\n", "rows.csv:2: 6 columns are expected, not 5"),
        (GOOD + "34200,1,12,300,5853300,1,9\n", "rows.csv:2: 6 columns are expected, not 7"),
        ("34200,1,12,three,5853300,1\n", "rows.csv:1: 'three' is not a whole number"),
        ("34200,1,12,1_0,5853300,1\n", "'1_0' is not a whole number"),
        ("34200,1,12, 10,5853300,1\n", "' 10' is not a whole number"),
        ("34200,1,12,1.5,5853300,1\n", "'1.5' is not a whole number"),
        ("34200,1,12," + "9" * 19 + ",5853300,1\n", "is not a whole number"),
        ("34200,1,12,-5,5853300,1\n", "size and price are above zero"),
        ("34200,1,12,5,-5853300,1\n", "size and price are above zero"),
        ("34200,1,-12,5,5853300,1\n", "order id -12 is out of range"),
        (f"34200,1,{FIRST_TAKER_ORDER_ID},5,5853300,1\n", "is out of range"),
        ("34200,8,12,5,5853300,1\n", "type 8 is unknown"),
        ("34200,1,12,5,5853300,0\n", "direction 0"),
        ("34200,7,0,0,2,-1\n", "halt 2"),
        ("-1,1,12,5,5853300,1\n", "time '-1'"),
        ("nan,1,12,5,5853300,1\n", "time 'nan'"),
        ("86400,1,12,5,5853300,1\n", "time '86400'"),
        (GOOD + "34199,1,12,5,5853300,1\n", "rows.csv:2: time runs backwards"),
        (GOOD + "34200,1,12,5,5853350,1\n", "rows.csv:2: price 5853350 is not a whole cent"),
        (GOOD + GOOD, "rows.csv:2: order 11 is open already"),
        (GOOD + "34200,2,11,300,5853300,1\n", "rows.csv:2: nothing is left of order 11"),
        (GOOD + "34200,4,11,301,5853300,1\n", "rows.csv:2: order 11 has only 300 open"),
        (GOOD + "34200,4,11,30,5853400,1\n", "rows.csv:2: order 11 was placed at another price"),
        (b"\x1f\x8b\x08\x00" + bytes(range(256)) * 9, "rows.csv:1: not a row of text"),
        (b"7" * 100_000, "rows.csv:1: not a row of text"),
    ],
)
def test_a_malformed_row_is_named_by_file_and_line(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        list(flow_of(written(tmp_path, text)).commands())
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.csv: No such file"):
        list(messages(tmp_path / "none.csv"))


def test_a_time_finer_than_nanoseconds_is_rounded(tmp_path: Path) -> None:
    path = written(tmp_path, "35821.088778456004,1,1,1,100,1\n35821.9999999997,1,2,1,100,1\n")
    first, second = messages(path)
    assert first.since_midnight_ns == 35_821_088_778_456
    assert second.since_midnight_ns == 35_822_000_000_000


def test_the_first_rows_are_read_whole() -> None:
    flow = flow_of(FIRST_ROWS)
    sent = Counter(type(command).__name__ for command in flow.commands())
    unknown = flow.counts.unknown
    assert sum(flow.counts.read.values()) == 999
    assert sent["CancelOrder"] == flow.counts.read[MessageType.DELETE] - unknown[MessageType.DELETE]
    takers = flow.counts.read[MessageType.EXECUTION] - unknown[MessageType.EXECUTION]
    assert sent["PlaceOrder"] == flow.counts.read[MessageType.NEW] + takers


def asked(command: object) -> Request:
    """A command of the flow as matching takes it; orders go by the file's numbers."""
    assert isinstance(command, PlaceOrder | CancelOrder | ReplaceOrder)
    shared = {
        "order_id": command.client_order_id,
        "account_id": command.account_id,
        "client_order_id": command.client_order_id,
        "received_at_ns": command.received_at_ns,
    }
    match command:
        case PlaceOrder():
            return Request(
                MarketAction.PLACE,
                instrument_id=1,
                side=Side(command.side_code),
                order_type=OrderType(command.order_type_code),
                time_in_force=TimeInForce(command.time_in_force_code),
                price_ticks=command.price_ticks,
                quantity_lots=command.quantity_lots,
                **shared,
            )
        case ReplaceOrder():
            price, lots = command.price_ticks, command.quantity_lots
            return Request(MarketAction.REPLACE, price_ticks=price, quantity_lots=lots, **shared)
        case CancelOrder():
            return Request(MarketAction.CANCEL, **shared)


def trades_of(happened: list[Happening]) -> list[Happening]:
    return [h for h in happened if h.kind == MarketEventKind.TRADED]


def test_real_flow_has_the_same_outcomes_in_both_books() -> None:
    matcher = Matcher({1: Venue()}, 4_000)
    naive = NaiveBooks({1: Venue()}, 4_000)
    trades = 0
    for command in islice(flow_of(FIRST_HOUR).commands(), 3_000):
        expected = naive.submit(asked(command))
        assert matcher.submit(asked(command)) == expected
        trades += len(trades_of(expected))
    assert trades > 200


class Queues:
    """Who stands where, by the file's numbers: enough to know whether an order is the first at its price."""

    def __init__(self) -> None:
        self.at: dict[tuple[Side, int], list[int]] = {}
        self.of: dict[int, tuple[Side, int]] = {}
        self.lots: dict[int, int] = {}

    def see(self, happened: list[Happening]) -> None:
        for h in happened:
            if h.kind == MarketEventKind.ACCEPTED and h.open_lots:
                self.of[h.order_id] = Side(h.side), h.price_ticks
                self.at.setdefault(self.of[h.order_id], []).append(h.order_id)
                self.lots[h.order_id] = h.quantity_lots
            elif h.kind == MarketEventKind.TRADED:
                self._shrink(h.order_id, h.quantity_lots)
                self._shrink(h.other_order_id, h.quantity_lots)
            elif h.kind == MarketEventKind.REPLACED:
                assert h.reason == MarketEventReason.PRIORITY_KEPT
                self.lots[h.order_id] = h.quantity_lots
            elif h.kind == MarketEventKind.CANCELLED:
                self._shrink(h.order_id, h.quantity_lots)

    def _shrink(self, order_id: int, lots: int) -> None:
        if order_id in self.lots:
            self.lots[order_id] -= lots
            if self.lots[order_id] == 0:
                del self.lots[order_id]
                self.at[self.of.pop(order_id)].remove(order_id)

    def is_first(self, order_id: int) -> bool:
        return self.at[self.of[order_id]][0] == order_id


def test_real_executions_hit_the_order_that_lobster_names() -> None:
    """Every execution whose named order stands first in our queue must hit that order and no other.

    A few rows name an order behind an older one at the same price. There the size is taken out of the named
    order by hand, so that one such row does not shift every later one.
    """
    matcher, queues, flow = Matcher({1: Venue()}, 20_000), Queues(), flow_of(FIRST_HOUR)
    hits = out_of_turn = 0
    for message in islice(messages(FIRST_HOUR), 20_000):
        command = flow.translate(message)
        if command is None:
            continue
        request = asked(command)
        is_in_turn = True
        if message.message_type == MessageType.EXECUTION:
            is_in_turn = queues.is_first(message.order_id)
            left = queues.lots[message.order_id] - message.size
            if not is_in_turn:
                price = queues.of[message.order_id][1]
                action = MarketAction.REPLACE if left else MarketAction.CANCEL
                request = Request(action, message.order_id, price_ticks=price, quantity_lots=left)
        happened = matcher.submit(request)
        assert not [h for h in happened if h.kind == MarketEventKind.REFUSED]
        queues.see(happened)
        if message.message_type != MessageType.EXECUTION:
            continue
        if is_in_turn:
            (trade,) = trades_of(happened)
            assert (trade.other_order_id, trade.quantity_lots) == (message.order_id, message.size)
            hits += 1
        else:
            out_of_turn += 1
    known = flow.counts.read[MessageType.EXECUTION] - flow.counts.unknown[MessageType.EXECUTION]
    assert hits + out_of_turn == known
    assert out_of_turn == 18
