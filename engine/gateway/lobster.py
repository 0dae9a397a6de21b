"""Real order flow as commands: a LOBSTER message file, read line by line.

Owns: what a row of the file means to the engine. Resting orders belong to one account, their client order
id is LOBSTER's order id; an execution is sent as an immediate-or-cancel order of the other side from a second
account, so that the engine's own matching chooses the resting order.
Does not own: accounts, instrument, or the orders that rested before the file begins. Rows about those are
counted and left out. Columns and types: lobsterdata.com, "Data Structure", message book.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.errors import BadInput
from schemas.codes import InstrumentState, OrderType, Side, TimeInForce
from schemas.market import CancelOrder, ChangeInstrumentState, PlaceOrder, ReplaceOrder

FlowCommand = PlaceOrder | CancelOrder | ReplaceOrder | ChangeInstrumentState

EXCHANGE_ZONE = ZoneInfo("America/New_York")
TICK_PRICE = 100  # prices are dollars times 10,000; a tick is one cent
FIRST_TAKER_ORDER_ID = 1 << 40  # client order ids of executions begin above every LOBSTER order id
SECOND_NS = 1_000_000_000
DAY_SECONDS = 86_400
LINE_BYTES = 200  # no row is longer; a file without line ends is not read into memory
COLUMN_COUNT = 6

_TIME = re.compile(r"(\d{1,5})(?:\.(\d{1,15}))?")
_WHOLE = re.compile(r"-?\d{1,18}")


class MessageType(IntEnum):
    """What a row reports."""

    NEW = 1
    PARTIAL_CANCEL = 2
    DELETE = 3
    EXECUTION = 4
    HIDDEN_EXECUTION = 5
    AUCTION = 6
    HALT = 7


class Message(NamedTuple):
    """One row, checked."""

    line: int
    since_midnight_ns: int
    message_type: MessageType
    order_id: int
    size: int
    price: int  # dollars times 10,000; in a halt row -1 halts, 0 lets quotes and 1 lets trades resume
    side: Side  # of the resting order


@dataclass
class LobsterCounts:
    """How many rows were read, and how many of them spoke of orders that the file never introduced."""

    read: Counter[MessageType] = field(default_factory=Counter[MessageType])
    unknown: Counter[MessageType] = field(default_factory=Counter[MessageType])


@dataclass
class LobsterFlow:
    """Turns the rows of one file into commands for one instrument, in the order of the file."""

    path: Path
    day: date
    session_id: int
    instrument_id: int
    maker_account_id: int
    taker_account_id: int
    counts: LobsterCounts = field(default_factory=LobsterCounts)
    _open: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    _taker_order_id: int = FIRST_TAKER_ORDER_ID

    def commands(self) -> Iterator[FlowCommand]:
        """Every command of the file. Raises BadInput naming file and line on a row that cannot be used."""
        for message in messages(self.path):
            command = self.translate(message)
            if command is not None:
                yield command

    def translate(self, message: Message) -> FlowCommand | None:
        """The command of one row, or None where it changes nothing that can be seen.

        Rows of one file go through one flow, in order: it remembers price and open size of each order.
        """
        self.counts.read[message.message_type] += 1
        match message.message_type:
            case MessageType.NEW:
                return self._new(message)
            case MessageType.HALT:
                return self._halt(message)
            case MessageType.HIDDEN_EXECUTION | MessageType.AUCTION:
                return None
            case _ if message.order_id not in self._open:
                self.counts.unknown[message.message_type] += 1
                return None
            case MessageType.PARTIAL_CANCEL:
                return self._partial_cancel(message)
            case MessageType.DELETE:
                del self._open[message.order_id]
                return CancelOrder(
                    sequence=0,
                    received_at_ns=self._instant(message),
                    session_id=self.session_id,
                    account_id=self.maker_account_id,
                    client_order_id=message.order_id,
                )
            case MessageType.EXECUTION:
                return self._execution(message)

    def _instant(self, message: Message) -> int:
        midnight = datetime(self.day.year, self.day.month, self.day.day, tzinfo=EXCHANGE_ZONE)
        return int(midnight.timestamp()) * SECOND_NS + message.since_midnight_ns

    def _new(self, message: Message) -> PlaceOrder:
        if message.order_id in self._open:
            raise self._bad(message, f"order {message.order_id} is open already")
        if message.order_id >= FIRST_TAKER_ORDER_ID:
            raise self._bad(message, f"order id {message.order_id} is out of range")
        ticks = self._ticks(message)
        self._open[message.order_id] = (ticks, message.size)
        return self._place(
            message,
            self.maker_account_id,
            message.order_id,
            message.side,
            TimeInForce.DAY,
        )

    def _partial_cancel(self, message: Message) -> ReplaceOrder:
        ticks, _ = self._open[message.order_id]
        if self._take(message) == 0:
            raise self._bad(message, f"nothing is left of order {message.order_id}")
        return ReplaceOrder(
            sequence=0,
            received_at_ns=self._instant(message),
            session_id=self.session_id,
            account_id=self.maker_account_id,
            client_order_id=message.order_id,
            price_ticks=ticks,
            quantity_lots=self._open[message.order_id][1],
        )

    def _execution(self, message: Message) -> PlaceOrder:
        self._take(message)
        taker_order_id = self._taker_order_id
        self._taker_order_id += 1
        side = Side.SELL if message.side == Side.BUY else Side.BUY
        return self._place(message, self.taker_account_id, taker_order_id, side, TimeInForce.IOC)

    def _take(self, message: Message) -> int:
        """Take the row's size out of its order; returns what is left and forgets a finished order."""
        ticks, size = self._open[message.order_id]
        if self._ticks(message) != ticks:
            raise self._bad(message, f"order {message.order_id} was placed at another price")
        left = size - message.size
        if left < 0:
            raise self._bad(message, f"order {message.order_id} has only {size} open")
        if left:
            self._open[message.order_id] = (ticks, left)
        else:
            del self._open[message.order_id]
        return left

    def _place(
        self,
        message: Message,
        account_id: int,
        client_order_id: int,
        side: Side,
        time_in_force: TimeInForce,
    ) -> PlaceOrder:
        return PlaceOrder(
            sequence=0,
            received_at_ns=self._instant(message),
            session_id=self.session_id,
            account_id=account_id,
            client_order_id=client_order_id,
            instrument_id=self.instrument_id,
            side_code=side,
            order_type_code=OrderType.LIMIT,
            time_in_force_code=time_in_force,
            post_only_code=0,
            price_ticks=self._ticks(message),
            quantity_lots=message.size,
        )

    def _halt(self, message: Message) -> ChangeInstrumentState | None:
        if message.price == 0:  # quotes resume, trading does not yet
            return None
        state = InstrumentState.HALTED if message.price == -1 else InstrumentState.OPEN
        return ChangeInstrumentState(
            sequence=0,
            received_at_ns=self._instant(message),
            instrument_id=self.instrument_id,
            instrument_state_code=state,
        )

    def _ticks(self, message: Message) -> int:
        if message.price % TICK_PRICE:
            raise self._bad(message, f"price {message.price} is not a whole cent")
        return message.price // TICK_PRICE

    def _bad(self, message: Message, reason: str) -> BadInput:
        return BadInput(f"{self.path.name}:{message.line}: {reason}")


def messages(path: Path) -> Iterator[Message]:
    """The rows of a message file. Raises BadInput naming file and line on the first that is malformed."""
    try:
        with path.open("rb") as rows:
            line, last_ns = 0, 0
            while raw := rows.readline(LINE_BYTES + 1):
                line += 1
                try:
                    message = _parsed(line, raw)
                    if message.since_midnight_ns < last_ns:
                        raise ValueError("time runs backwards")
                except ValueError as error:
                    raise BadInput(f"{path.name}:{line}: {error}") from None
                last_ns = message.since_midnight_ns
                yield message
    except OSError as error:
        raise BadInput(f"{path.name}: {error.strerror}") from error
    if line == 0:
        raise BadInput(f"{path.name}:1: the file is empty")


def _parsed(line: int, raw: bytes) -> Message:
    """One row; ValueError says what is wrong with it."""
    if len(raw) > LINE_BYTES or not raw.isascii() or b"\0" in raw:
        raise ValueError("not a row of text")
    columns = raw.decode("ascii").rstrip("\r\n").split(",")
    if len(columns) != COLUMN_COUNT:
        raise ValueError(f"{COLUMN_COUNT} columns are expected, not {len(columns)}")
    since_midnight_ns = _nanos(columns[0])
    type_code, order_id, size, price, direction = (_whole(column) for column in columns[1:])
    if type_code not in set(MessageType):
        raise ValueError(f"type {type_code} is unknown")
    if direction not in (1, -1):
        raise ValueError(f"direction {direction} is neither 1 nor -1")
    message_type = MessageType(type_code)
    if message_type == MessageType.HALT:
        if price not in (-1, 0, 1):
            raise ValueError(f"halt {price} is none of -1, 0, 1")
    elif message_type != MessageType.AUCTION and min(size, price) < 1:
        raise ValueError("size and price are above zero")
    if message_type <= MessageType.EXECUTION and order_id < 1:
        raise ValueError(f"order id {order_id} is out of range")
    side = Side.BUY if direction == 1 else Side.SELL
    return Message(line, since_midnight_ns, message_type, order_id, size, price, side)


def _nanos(column: str) -> int:
    found = _TIME.fullmatch(column)
    if found is None or int(found[1]) >= DAY_SECONDS:
        raise ValueError(f"time {column[:20]!r} is not seconds after midnight")
    digits = (found[2] or "").ljust(10, "0")  # past nanoseconds stands the noise of floating point
    return int(found[1]) * SECOND_NS + int(digits[:9]) + (digits[9] >= "5")


def _whole(column: str) -> int:
    if _WHOLE.fullmatch(column) is None:
        raise ValueError(f"{column[:20]!r} is not a whole number")
    return int(column)
