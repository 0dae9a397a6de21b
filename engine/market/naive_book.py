"""The specification of matching, in plain dictionaries and lists: slow, short, and meant to be read.

Owns: what price-time matching means here, for every kind of order, as a stream of outcomes. The kernel must
give the same stream for the same commands; property tests hold it to that.
Does not own: anything that a running engine uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from schemas.codes import OrderType, RejectReason, Side, TimeInForce
from schemas.market import CancelOrder, PlaceOrder, ReplaceOrder

TradingCommand = PlaceOrder | CancelOrder | ReplaceOrder


class Accepted(NamedTuple):
    """An order goes to the book."""

    order_id: int


class Refused(NamedTuple):
    """A command changes nothing."""

    reason: RejectReason


class Traded(NamedTuple):
    """A taker meets one resting order, at the resting order's price."""

    taker_order_id: int
    maker_order_id: int
    maker_account_id: int
    maker_client_order_id: int
    price_ticks: int
    quantity_lots: int
    maker_open_lots: int


class Replaced(NamedTuple):
    """A resting order has a new price or open quantity."""

    order_id: int
    price_ticks: int
    quantity_lots: int
    is_priority_kept: bool


class Cancelled(NamedTuple):
    """A resting order leaves because its owner asks."""

    order_id: int
    lots: int


class Expired(NamedTuple):
    """What an order could not fill ends."""

    order_id: int
    lots: int


Outcome = Accepted | Refused | Traded | Replaced | Cancelled | Expired


@dataclass
class Order:
    """One order: resting, or on its way through the book."""

    order_id: int
    account_id: int
    client_order_id: int
    instrument_id: int
    side: int
    price_ticks: int
    open_lots: int


Queues = dict[int, list[Order]]  # price -> orders, the oldest first; no queue is empty


def is_acceptable(side: int, limit_ticks: int | None, price_ticks: int) -> bool:
    """Whether a taker trades at a price; without a limit it does at any."""
    if limit_ticks is None:
        return True
    return price_ticks <= limit_ticks if side == Side.BUY else price_ticks >= limit_ticks


class NaiveBooks:
    """All books of a day. `windows` gives each instrument the prices that its book can hold."""

    def __init__(self, windows: dict[int, range], order_count: int, order_id_count: int) -> None:
        self.windows = windows
        self.order_count = order_count
        self.order_id_count = order_id_count
        self.queues: dict[tuple[int, int], Queues] = {(i, side): {} for i in sorted(windows) for side in Side}
        self.ids: dict[tuple[int, int], Order | None] = {}  # None once the order has ended

    # What is asked ------------------------------------------------------------------------------------------

    def submit(self, command: TradingCommand) -> list[Outcome]:
        """Decide one command."""
        if isinstance(command, PlaceOrder):
            return self._place(command)
        order = self.ids.get((command.account_id, command.client_order_id))
        if order is None:
            return [Refused(RejectReason.UNKNOWN_ORDER)]
        if isinstance(command, CancelOrder):
            self._take_off(order)
            return [Cancelled(order.order_id, order.open_lots)]
        return self._replace(order, command.price_ticks, command.quantity_lots)

    def end_day(self) -> list[Outcome]:
        """Expire every order by instrument, side, price from the best, and time; ids may be used anew."""
        left = self.resting()
        for order in left:
            self._take_off(order)
        self.ids.clear()
        return [Expired(order.order_id, order.open_lots) for order in left]

    def _place(self, command: PlaceOrder) -> list[Outcome]:
        is_market = command.order_type_code == OrderType.MARKET
        limit = None if is_market else command.price_ticks
        lots = command.quantity_lots
        if (reason := self._reason_against(command, limit)) is not None:
            return [Refused(reason)]
        order = Order(
            command.sequence,
            command.account_id,
            command.client_order_id,
            command.instrument_id,
            command.side_code,
            command.price_ticks,
            lots,
        )
        self.ids[order.account_id, order.client_order_id] = None
        outcomes: list[Outcome] = [Accepted(order.order_id), *self._cross(order, limit)]
        is_day = command.time_in_force_code == TimeInForce.DAY
        if order.open_lots and is_day and not is_market and len(self.resting()) < self.order_count:
            self._put_on(order)
        elif order.open_lots:
            outcomes.append(Expired(order.order_id, order.open_lots))
        return outcomes

    def _reason_against(self, command: PlaceOrder, limit: int | None) -> RejectReason | None:
        if command.quantity_lots < 1:
            return RejectReason.BAD_QUANTITY
        if limit is not None and limit not in self.windows[command.instrument_id]:
            return RejectReason.BAD_PRICE
        if (command.account_id, command.client_order_id) in self.ids:
            return RejectReason.DUPLICATE_ID
        there = self._lots_within(command.instrument_id, command.side_code, limit)
        if command.is_post_only and there:
            return RejectReason.WOULD_TAKE
        if command.time_in_force_code == TimeInForce.FOK and there < command.quantity_lots:
            return RejectReason.CANNOT_FILL
        if len(self.ids) == self.order_id_count:
            return RejectReason.BOOK_FULL
        return None

    def _replace(self, order: Order, price_ticks: int, lots: int) -> list[Outcome]:
        if lots < 1:
            return [Refused(RejectReason.BAD_QUANTITY)]
        if price_ticks not in self.windows[order.instrument_id]:
            return [Refused(RejectReason.BAD_PRICE)]
        is_kept = price_ticks == order.price_ticks and lots <= order.open_lots
        replaced = Replaced(order.order_id, price_ticks, lots, is_kept)
        if is_kept:
            order.open_lots = lots
            return [replaced]
        self._take_off(order)
        order.price_ticks, order.open_lots = price_ticks, lots
        trades = self._cross(order, price_ticks)
        if order.open_lots:
            self._put_on(order)
        return [replaced, *trades]

    # What happens on the book -------------------------------------------------------------------------------

    def _prices(self, instrument_id: int, side: int) -> list[int]:
        """The prices of one side, the best first."""
        return sorted(self.queues[instrument_id, side], reverse=side == Side.BUY)

    def _lots_within(self, instrument_id: int, side: int, limit: int | None) -> int:
        """What a taker on `side` could get."""
        other = Side.SELL if side == Side.BUY else Side.BUY
        return sum(
            order.open_lots
            for price_ticks in self._prices(instrument_id, other)
            if is_acceptable(side, limit, price_ticks)
            for order in self.queues[instrument_id, other][price_ticks]
        )

    def _cross(self, taker: Order, limit: int | None) -> list[Outcome]:
        """Trade with the best price first, at one price with the oldest order first."""
        other = Side.SELL if taker.side == Side.BUY else Side.BUY
        trades: list[Outcome] = []
        for price_ticks in self._prices(taker.instrument_id, other):
            if not is_acceptable(taker.side, limit, price_ticks):
                break
            for maker in list(self.queues[taker.instrument_id, other][price_ticks]):
                if not taker.open_lots:
                    return trades
                lots = min(taker.open_lots, maker.open_lots)
                taker.open_lots -= lots
                maker.open_lots -= lots
                trades.append(
                    Traded(
                        taker.order_id,
                        maker.order_id,
                        maker.account_id,
                        maker.client_order_id,
                        price_ticks,
                        lots,
                        maker.open_lots,
                    )
                )
                if not maker.open_lots:
                    self._take_off(maker)
        return trades

    def _put_on(self, order: Order) -> None:
        queues = self.queues[order.instrument_id, order.side]
        queues.setdefault(order.price_ticks, []).append(order)
        self.ids[order.account_id, order.client_order_id] = order

    def _take_off(self, order: Order) -> None:
        queues = self.queues[order.instrument_id, order.side]
        queues[order.price_ticks].remove(order)
        if not queues[order.price_ticks]:
            del queues[order.price_ticks]
        self.ids[order.account_id, order.client_order_id] = None

    def resting(self) -> list[Order]:
        """Every resting order by instrument, side, price from the best, and time."""
        return [
            order
            for instrument_id, side in self.queues
            for price_ticks in self._prices(instrument_id, side)
            for order in self.queues[instrument_id, side][price_ticks]
        ]
