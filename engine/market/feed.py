"""Market data and drop copies: what all may see of matching, and what a group may see of its own orders.

Owns: how happenings become messages and their numbers, when snapshots come, and what a drop copy tells.
Does not own: any rule of matching; the messages themselves and their receiver (`feed_book.py`).

Both follow the happenings of one command at a time, from the first command on, and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from engine.market.feed_book import (
    AuctionUncrossed,
    FeedBook,
    FeedMessage,
    Level,
    LevelChanged,
    NumberedMessage,
    OrderAdded,
    OrderDeleted,
    OrderExecuted,
    OrderMessage,
    OrderMoved,
    OrderReduced,
    ShownOrder,
    Snapshot,
    StateChanged,
    Top,
    TopChanged,
    TradeMade,
)
from engine.market.requests import LARGEST_TICKS, Happening
from schemas.codes import InstrumentState, MarketEventKind, MarketEventReason, Side

Kind = MarketEventKind
COPIED = frozenset(
    {
        Kind.ACCEPTED,
        Kind.REFUSED,
        Kind.CANCELLED,
        Kind.REPLACED,
        Kind.EXPIRED,
        Kind.TRIGGERED,
        Kind.REDUCED,
    }
)  # to the order's own account; a trade to both


class Feed:
    """The public feed of all instruments: every order in its queue, every level, the best prices, trades.

    An order without a price, which is a market order in a call, stands in no queue that is shown.
    """

    def __init__(self, snapshot_every: int = 0) -> None:
        """Tell a snapshot once so many messages of an instrument came since its last one; zero tells none."""
        self.snapshot_every = snapshot_every
        self.books: dict[int, FeedBook] = {}
        self.snapshot_numbers: dict[int, int] = {}
        self.messages: list[FeedMessage] = []
        self.touched: dict[int, dict[tuple[Side, int], None]] = {}  # prices by instrument, in this command
        self.coming: tuple[int, ShownOrder] | None = None  # what rests unless more is told of it
        self.moving: tuple[int, int] | None = None  # an order off its place that may rest again

    def book(self, instrument_id: int) -> FeedBook:
        """What was told of an instrument."""
        return self.books.setdefault(instrument_id, FeedBook(instrument_id))

    def snapshot(self, instrument_id: int) -> Snapshot:
        """Everything shown of an instrument, for whoever joins late."""
        return self.book(instrument_id).snapshot()

    def follow(self, happenings: Iterable[Happening]) -> list[FeedMessage]:
        """The messages about everything that one command did.

        First orders, trades and states as they happened; then of each instrument levels, top and snapshot.
        """
        self.messages, self.touched = [], {}
        for happening in happenings:
            self._see(happening)
        self._come_to_rest()
        for instrument_id, prices in self.touched.items():
            self._tell_levels(instrument_id, prices)
            self._tell_snapshot(instrument_id)
        return self.messages

    # What happened ---------------------------------------------------------------------------

    def _see(self, h: Happening) -> None:
        match h.kind:
            case Kind.ACCEPTED:
                self._expect(h)
            case Kind.REPLACED if h.reason == MarketEventReason.PRIORITY_KEPT:
                self._show_less(h)
            case Kind.REPLACED:
                self._leave(h)
                if self.moving:  # else it has no price, and is not shown
                    self._expect(h)
            case Kind.REPRICED:
                self._come_to_rest()
                self._leave(h)
            case Kind.TRIGGERED:
                self._come_to_rest()
            case Kind.RESTED | Kind.REFILLED:
                self._rest(h.instrument_id, _as_shown(h))
            case Kind.TRADED | Kind.PAIRED:
                self._trade(h)
            case Kind.REDUCED:
                self._reduce(h)
            case Kind.CANCELLED | Kind.EXPIRED:
                self._end(h)
            case Kind.STATE_CHANGED:
                state = InstrumentState(h.quantity_lots)
                self._tell(StateChanged(h.instrument_id, self._next(h), state, h.reason))
            case Kind.UNCROSSED:
                self._tell(
                    AuctionUncrossed(
                        h.instrument_id, self._next(h), h.price_ticks, h.quantity_lots, h.open_lots
                    )
                )
            case Kind.REFUSED:
                pass

    def _expect(self, h: Happening) -> None:
        if h.open_lots:
            self.coming = h.instrument_id, _as_shown(h)

    def _leave(self, h: Happening) -> None:
        if h.order_id in self.book(h.instrument_id).shown.orders:
            self.moving = h.instrument_id, h.order_id

    def _is_coming(self, order_id: int) -> bool:
        return self.coming is not None and self.coming[1].order_id == order_id

    def _is_moving(self, order_id: int) -> bool:
        return self.moving is not None and self.moving[1] == order_id

    def _is_in_place(self, h: Happening, order_id: int) -> bool:
        return order_id in self.book(h.instrument_id).shown.orders and not self._is_moving(order_id)

    def _take_from_coming(self, lots: int) -> None:
        if self.coming is not None:
            instrument_id, order = self.coming
            left = order.shown_lots - lots
            self.coming = (instrument_id, order._replace(shown_lots=left)) if left else None

    def _come_to_rest(self) -> None:
        """What is left of a plain order that ran rests now; what moved off without resting is gone."""
        if self.coming is not None:
            self._rest(*self.coming)
        if self.moving is not None:
            instrument_id, order_id = self.moving
            self._tell(OrderDeleted(instrument_id, self.book(instrument_id).sequence + 1, order_id))
        self.coming = self.moving = None

    def _rest(self, instrument_id: int, order: ShownOrder) -> None:
        number = self.book(instrument_id).sequence + 1
        if abs(order.price_ticks) > LARGEST_TICKS:
            return
        if self._is_moving(order.order_id):
            self.moving = None
            self._tell(OrderMoved(instrument_id, number, order.order_id, order.price_ticks, order.shown_lots))
        else:
            self._tell(OrderAdded(instrument_id, number, *order))

    def _trade(self, h: Happening) -> None:
        """Of an auction's trade PAIRED tells the buyer's part, and TRADED everything else."""
        is_auction = h.reason == MarketEventReason.AUCTION
        if self._is_coming(h.order_id):
            self._take_from_coming(h.quantity_lots)
        resting_id = h.order_id if h.kind == Kind.PAIRED else h.other_order_id
        if h.kind == Kind.TRADED:
            aggressor = None if is_auction else Side(h.side)
            self._tell(
                TradeMade(
                    h.instrument_id, self._next(h), h.price_ticks, h.quantity_lots, aggressor, is_auction
                )
            )
        if self._is_in_place(h, resting_id):
            self._tell(
                OrderExecuted(h.instrument_id, self._next(h), resting_id, h.quantity_lots, h.open_lots)
            )

    def _reduce(self, h: Happening) -> None:
        if self._is_coming(h.order_id):
            self._take_from_coming(h.quantity_lots)
        else:
            self._show_less(h)

    def _show_less(self, h: Happening) -> None:
        if not self._is_in_place(h, h.order_id):
            return
        if not h.open_lots:
            self._tell(OrderDeleted(h.instrument_id, self._next(h), h.order_id))
        elif h.open_lots != self.book(h.instrument_id).shown.orders[h.order_id].shown_lots:
            self._tell(OrderReduced(h.instrument_id, self._next(h), h.order_id, h.open_lots))

    def _end(self, h: Happening) -> None:
        if self._is_coming(h.order_id):
            self.coming = None
        if self._is_moving(h.order_id):
            self.moving = None
        if h.order_id in self.book(h.instrument_id).shown.orders:
            self._tell(OrderDeleted(h.instrument_id, self._next(h), h.order_id))

    # What is told ---------------------------------------------------------------------------

    def _next(self, h: Happening) -> int:
        return self.book(h.instrument_id).sequence + 1

    def _tell(self, message: NumberedMessage) -> None:
        book = self.book(message.instrument_id)
        prices = self.touched.setdefault(message.instrument_id, {})
        if isinstance(message, OrderMessage):
            before = book.shown.orders.get(message.order_id)
            book.take(message)
            after = book.shown.orders.get(message.order_id)
            prices.update({(o.side, o.price_ticks): None for o in (before, after) if o})
        else:
            book.take(message)
        self.messages.append(message)

    def _tell_levels(self, instrument_id: int, prices: Iterable[tuple[Side, int]]) -> None:
        book = self.book(instrument_id)
        for side, price in prices:
            level = book.shown.level(side, price)
            if level != book.levels[side].get(price, Level(side, price, 0, 0)):
                self._tell(LevelChanged(instrument_id, book.sequence + 1, *level))
        top = _top(book)
        if top != book.top:
            self._tell(TopChanged(instrument_id, book.sequence + 1, top))

    def _tell_snapshot(self, instrument_id: int) -> None:
        number = self.book(instrument_id).sequence
        last = self.snapshot_numbers.get(instrument_id, 0)
        if self.snapshot_every and number - last >= self.snapshot_every:
            self.snapshot_numbers[instrument_id] = number
            self.messages.append(self.snapshot(instrument_id))


def _as_shown(h: Happening) -> ShownOrder:
    return ShownOrder(h.order_id, Side(h.side), h.price_ticks, h.open_lots)


def _top(book: FeedBook) -> Top:
    bids, asks = book.levels[Side.BUY], book.levels[Side.SELL]
    bid = bids[max(bids)] if bids else Level(Side.BUY, 0, 0, 0)
    ask = asks[min(asks)] if asks else Level(Side.SELL, 0, 0, 0)
    return Top(bid.price_ticks, bid.shown_lots, ask.price_ticks, ask.shown_lots)


# Drop copy ---------------------------------------------------------------------------


class Part(IntEnum):
    """Which part an order had in a trade."""

    NONE = 0  # it is no trade that is told
    TAKER = 1
    MAKER = 2
    AUCTION = 3


class DropCopied(NamedTuple):
    """One thing that happened to an order of a supervised account."""

    sequence: int
    account_id: int
    kind: MarketEventKind  # ACCEPTED, REFUSED, TRADED, CANCELLED, REPLACED, EXPIRED, TRIGGERED or REDUCED
    reason: int  # MarketEventReason; of a refusal RejectReason
    part: Part
    instrument_id: int
    order_id: int
    client_order_id: int
    side: int  # of this order
    price_ticks: int
    quantity_lots: int
    open_lots: int  # left of it afterwards, shown or not; of a refusal zero


class DropCopy:
    """Everything that happens to the orders of a group of accounts, under one row of numbers.

    The other account of a trade is not told. Where both are of the group, each is told its own part.
    """

    def __init__(self, account_ids: Iterable[int]) -> None:
        self.account_ids = frozenset(account_ids)
        self.sequence = 0
        self.orders: dict[int, tuple[int, int]] = {}  # of the group: open lots, client_order_id

    def follow(self, happenings: Iterable[Happening]) -> list[DropCopied]:
        """What one command did to orders of the group."""
        messages: list[DropCopied] = []
        for h in happenings:
            messages += self._about(h)
        return messages

    def _about(self, h: Happening) -> list[DropCopied]:
        if h.kind == Kind.TRADED:
            is_auction = h.reason == MarketEventReason.AUCTION
            opposite = Side.SELL if h.side == Side.BUY else Side.BUY
            taker, maker = (Part.AUCTION, Part.AUCTION) if is_auction else (Part.TAKER, Part.MAKER)
            return [
                *self._told(h, h.account_id, h.order_id, h.side, taker),
                *self._told(h, h.other_account_id, h.other_order_id, opposite, maker),
            ]
        if h.kind in COPIED:
            return self._told(h, h.account_id, h.order_id, h.side, Part.NONE)
        return []

    def _told(self, h: Happening, account_id: int, order_id: int, side: int, part: Part) -> list[DropCopied]:
        if account_id not in self.account_ids:
            return []
        left, client_order_id = self._left_of(h, order_id)
        self.sequence += 1
        return [
            DropCopied(
                self.sequence,
                account_id,
                h.kind,
                h.reason,
                part,
                h.instrument_id,
                order_id,
                client_order_id,
                side,
                h.price_ticks,
                h.quantity_lots,
                left,
            )
        ]

    def _left_of(self, h: Happening, order_id: int) -> tuple[int, int]:
        """What is open of an order after this happened to it, and its client's id."""
        if h.kind == Kind.REFUSED:
            return 0, h.client_order_id
        left, client_order_id = self.orders.get(order_id, (0, h.client_order_id))
        match h.kind:
            case Kind.ACCEPTED | Kind.REPLACED:
                left = h.quantity_lots
            case Kind.TRADED | Kind.REDUCED:
                left -= h.quantity_lots
            case Kind.CANCELLED | Kind.EXPIRED:
                left = 0
            case _:
                pass
        if left:
            self.orders[order_id] = left, client_order_id
        else:
            self.orders.pop(order_id, None)
        return left, client_order_id
