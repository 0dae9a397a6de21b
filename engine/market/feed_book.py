"""The messages of market data, and a receiver that keeps one instrument's book from them.

Owns: every message, its number's meaning, the snapshot, and what a receiver does with each of them.
Does not own: where messages come from (`feed.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from schemas.codes import InstrumentState, Side


class ShownOrder(NamedTuple):
    """What all can see of one order: of an iceberg the slice that it displays."""

    order_id: int
    side: Side
    price_ticks: int
    shown_lots: int


class Level(NamedTuple):
    """What all can see at one price of one side."""

    side: Side
    price_ticks: int
    shown_lots: int
    order_count: int


class Top(NamedTuple):
    """The best price of each side and what is shown there; without lots there is no price."""

    bid_ticks: int = 0
    bid_lots: int = 0
    ask_ticks: int = 0
    ask_lots: int = 0


# Messages. Each has its instrument's next number; a snapshot has the number of the last message before it.


class OrderAdded(NamedTuple):
    """An order stands at the end of the queue of its price."""

    instrument_id: int
    sequence: int
    order_id: int
    side: Side
    price_ticks: int
    shown_lots: int


class OrderExecuted(NamedTuple):
    """A shown order traded; with nothing left it is gone."""

    instrument_id: int
    sequence: int
    order_id: int
    lots: int
    shown_lots: int  # afterwards


class OrderReduced(NamedTuple):
    """An order shows less and keeps its place."""

    instrument_id: int
    sequence: int
    order_id: int
    shown_lots: int  # afterwards


class OrderMoved(NamedTuple):
    """A shown order left its place and stands at the end of the queue of a price of the same side."""

    instrument_id: int
    sequence: int
    order_id: int
    price_ticks: int
    shown_lots: int


class OrderDeleted(NamedTuple):
    """An order is no longer shown: it ended, or waits."""

    instrument_id: int
    sequence: int
    order_id: int


class LevelChanged(NamedTuple):
    """What a price of one side shows after a command; no orders: the level is gone."""

    instrument_id: int
    sequence: int
    side: Side
    price_ticks: int
    shown_lots: int
    order_count: int


class TopChanged(NamedTuple):
    """The best prices after a command, where they or what they show are not what they were."""

    instrument_id: int
    sequence: int
    top: Top


class TradeMade(NamedTuple):
    """Two orders traded."""

    instrument_id: int
    sequence: int
    price_ticks: int
    lots: int
    aggressor: Side | None  # none in an auction
    is_auction: bool


class StateChanged(NamedTuple):
    """The instrument is in another phase of its session."""

    instrument_id: int
    sequence: int
    state: InstrumentState
    reason: int  # MarketEventReason


class AuctionUncrossed(NamedTuple):
    """The result of an auction; its trades follow."""

    instrument_id: int
    sequence: int
    price_ticks: int
    lots: int
    surplus_lots: int  # what one side had too much


class Snapshot(NamedTuple):
    """Everything shown of one instrument after the message with this number."""

    instrument_id: int
    sequence: int
    state: InstrumentState
    orders: tuple[ShownOrder, ...]  # bids from the best, then asks from the best; at a price the oldest first
    levels: tuple[Level, ...]  # in the same order
    top: Top
    last_trade: TradeMade | None


OrderMessage: TypeAlias = OrderAdded | OrderExecuted | OrderReduced | OrderMoved | OrderDeleted
NumberedMessage: TypeAlias = (
    OrderMessage | LevelChanged | TopChanged | TradeMade | StateChanged | AuctionUncrossed
)
FeedMessage: TypeAlias = NumberedMessage | Snapshot


class FeedAnswer(IntEnum):
    """What a receiver did with a message."""

    TAKEN = 0
    KNOWN = 1  # at or below the number at which it stands: dropped
    GAP = 2  # a message is missing: dropped, and so is every later one until a snapshot comes
    OTHER_INSTRUMENT = 3


class ShownBook:
    """The orders of one instrument that all can see, each in the queue of its price."""

    def __init__(self) -> None:
        self.orders: dict[int, ShownOrder] = {}
        self.queues: dict[Side, dict[int, dict[int, int]]] = {side: {} for side in Side}

    def put(self, order: ShownOrder) -> None:
        """Stand at the end of a queue."""
        self.orders[order.order_id] = order
        queue = self.queues[order.side].setdefault(order.price_ticks, {})
        queue[order.order_id] = order.shown_lots

    def show(self, order_id: int, shown_lots: int) -> None:
        """Show so much at the same place; nothing takes the order away."""
        if not shown_lots:
            self.remove(order_id)
            return
        order = self.orders[order_id]
        self.orders[order_id] = order._replace(shown_lots=shown_lots)
        self.queues[order.side][order.price_ticks][order_id] = shown_lots

    def remove(self, order_id: int) -> ShownOrder:
        """Take an order away."""
        order = self.orders.pop(order_id)
        queues = self.queues[order.side]
        del queues[order.price_ticks][order_id]
        if not queues[order.price_ticks]:
            del queues[order.price_ticks]
        return order

    def apply(self, message: OrderMessage) -> None:
        """Do what a message about an order says."""
        match message:
            case OrderAdded():
                self.put(ShownOrder(message.order_id, message.side, message.price_ticks, message.shown_lots))
            case OrderExecuted() | OrderReduced():
                self.show(message.order_id, message.shown_lots)
            case OrderMoved():
                side = self.remove(message.order_id).side
                self.put(ShownOrder(message.order_id, side, message.price_ticks, message.shown_lots))
            case OrderDeleted():
                self.remove(message.order_id)

    def level(self, side: Side, price: int) -> Level:
        """What is shown at a price."""
        queue = self.queues[side].get(price, {})
        return Level(side, price, sum(queue.values()), len(queue))

    def in_order(self) -> Iterator[ShownOrder]:
        """Every order: bids from the best, then asks from the best; at a price the oldest first."""
        for side, queues in self.queues.items():
            for price in sorted(queues, reverse=side == Side.BUY):
                for order_id in queues[price]:
                    yield self.orders[order_id]


class FeedBook:
    """One instrument as a receiver knows it, from its first message on or from a snapshot."""

    def __init__(self, instrument_id: int) -> None:
        self.instrument_id = instrument_id
        self.sequence = 0
        self.is_lost = False  # a message is missing, and no snapshot has come since
        self.state = InstrumentState.OPEN
        self.shown = ShownBook()
        self.levels: dict[Side, dict[int, Level]] = {side: {} for side in Side}
        self.top = Top()
        self.last_trade: TradeMade | None = None

    def take(self, message: FeedMessage) -> FeedAnswer:
        """Apply the next message, or say why not."""
        if message.instrument_id != self.instrument_id:
            return FeedAnswer.OTHER_INSTRUMENT
        if isinstance(message, Snapshot):
            return self._start_from(message)
        if message.sequence <= self.sequence:
            return FeedAnswer.KNOWN
        if self.is_lost or message.sequence != self.sequence + 1:
            self.is_lost = True
            return FeedAnswer.GAP
        self.sequence = message.sequence
        match message:
            case LevelChanged():
                self._set_level(Level(*message[2:]))
            case TopChanged():
                self.top = message.top
            case TradeMade():
                self.last_trade = message
            case StateChanged():
                self.state = message.state
            case AuctionUncrossed():
                pass
            case _:
                self.shown.apply(message)
        return FeedAnswer.TAKEN

    def snapshot(self) -> Snapshot:
        """Everything that it knows."""
        levels = (
            self.levels[side][price]
            for side in Side
            for price in sorted(self.levels[side], reverse=side == Side.BUY)
        )
        orders = self.shown.in_order()
        return Snapshot(
            self.instrument_id, self.sequence, self.state, (*orders,), (*levels,), self.top, self.last_trade
        )

    def _start_from(self, snapshot: Snapshot) -> FeedAnswer:
        if snapshot.sequence < self.sequence or (snapshot.sequence == self.sequence and not self.is_lost):
            return FeedAnswer.KNOWN
        self.sequence, self.is_lost = snapshot.sequence, False
        self.state, self.top, self.last_trade = snapshot.state, snapshot.top, snapshot.last_trade
        self.shown = ShownBook()
        for order in snapshot.orders:
            self.shown.put(order)
        self.levels = {side: {} for side in Side}
        for level in snapshot.levels:
            self._set_level(level)
        return FeedAnswer.TAKEN

    def _set_level(self, level: Level) -> None:
        if level.order_count:
            self.levels[level.side][level.price_ticks] = level
        else:
            self.levels[level.side].pop(level.price_ticks, None)
