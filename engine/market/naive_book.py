"""The specification of matching, in plain dictionaries and lists: slow, and meant to be read.

Owns: what every kind of order and every phase of a session means here, as a stream of happenings. The kernel
must give the same stream for the same requests; property tests hold it to that. Does not own: anything that a
running engine uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from engine.market.requests import (
    BPS,
    LARGEST_LOTS,
    LARGEST_ORDER_ID,
    LARGEST_TICKS,
    MOST_PEG_MOVES,
    MOST_SLICES,
    Happening,
    Request,
    Venue,
)
from schemas.codes import (
    InstrumentState,
    MarketAction,
    MarketEventKind,
    MarketEventReason,
    OrderLink,
    OrderType,
    PostOnly,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

Kind, Why, Type, Life, Mode = (
    MarketEventKind,
    MarketEventReason,
    OrderType,
    TimeInForce,
    SelfTradePrevention,
)
STOPS = (Type.STOP, Type.STOP_LIMIT, Type.TRAILING_STOP)
PEGS = (Type.PEGGED_PRIMARY, Type.PEGGED_MID)
TAKING = (Type.MARKET, Type.STOP, Type.TRAILING_STOP)  # never rest; a price is their protection
CALLS = (
    InstrumentState.PRE_OPEN,
    InstrumentState.OPENING_AUCTION,
    InstrumentState.CLOSING_AUCTION,
    InstrumentState.VOLATILITY_AUCTION,
)
BEFORE_OPEN = (InstrumentState.PRE_OPEN, InstrumentState.OPENING_AUCTION)
MAY_REST = (Life.DAY, Life.GTC, Life.GTD, Life.AT_OPEN, Life.AT_CLOSE)
UNPRICED = {
    Side.BUY: LARGEST_TICKS + 1,
    Side.SELL: -LARGEST_TICKS - 1,
}  # where a market order stands in a call


@dataclass(eq=False)
class Order:
    """An order that lives."""

    order_id: int
    account_id: int
    group_id: int
    session_id: int
    client_order_id: int
    instrument_id: int
    side: Side
    order_type: OrderType
    life: TimeInForce
    limit: int | None  # none takes any price
    open: int  # shown; all of it until it rests
    hidden: int = 0
    display: int = 0
    stop: int | None = None  # of a trailing stop none until something was traded
    trail: int = 0
    offset: int = 0
    expires_at_ns: int = 0
    mode: SelfTradePrevention = Mode.NONE
    is_reduce_only: bool = False
    is_awaiting: bool = False
    is_special: bool = False
    filled: int = 0
    partner: Order | None = None
    entry: Order | None = None
    child: Order | None = None
    queue: list[Order] | None = None  # where it stands now
    price: int = 0  # and at which price
    is_on_book: bool = False  # among the bids or asks, where all can see it

    @property
    def shown(self) -> int:
        """What others see of it."""
        return self.open if self.is_on_book else 0

    @property
    def total(self) -> int:
        """Everything that is still open."""
        return self.open + self.hidden


Queues = dict[int, list[Order]]


@dataclass
class Book:
    """One instrument: six queues, the phase of its session, and its last trade."""

    instrument_id: int
    venue: Venue
    state: InstrumentState = InstrumentState.OPEN
    last: int | None = None
    reference: int | None = None
    bids: Queues = field(default_factory=dict[int, list[Order]])
    asks: Queues = field(default_factory=dict[int, list[Order]])
    buy_stops: Queues = field(default_factory=dict[int, list[Order]])
    sell_stops: Queues = field(default_factory=dict[int, list[Order]])
    parked: Queues = field(
        default_factory=dict[int, list[Order]]
    )  # waits for a close, an entry, a first trade
    ready: Queues = field(default_factory=dict[int, list[Order]])  # set free in this command, not yet run
    ratchet: int | None = None

    def side(self, side: Side) -> Queues:
        """The bids or the asks."""
        return self.bids if side == Side.BUY else self.asks

    def sorted_queues(self) -> Iterator[list[Order]]:
        """Every queue in canonical order: bids, asks, buy stops, sell stops, parked, ready; best first."""
        for queues, is_highest_first in (
            (self.bids, True),
            (self.asks, False),
            (self.buy_stops, False),
            (self.sell_stops, True),
            (self.parked, True),
            (self.ready, True),
        ):
            for price in sorted(queues, reverse=is_highest_first):
                yield queues[price]

    def orders(self) -> list[Order]:
        """Every order that lives, in canonical order."""
        return [order for queue in self.sorted_queues() for order in queue]

    def best(self, side: Side, *, is_pegged_too: bool = True) -> int | None:
        """The best price of a side; pegged orders do not count among the prices that others are pegged to."""
        queues = self.side(side)
        prices = [p for p in queues if is_pegged_too or any(o.order_type not in PEGS for o in queues[p])]
        return None if not prices else max(prices) if side == Side.BUY else min(prices)

    def bands(self, share_bps: int, around: int | None) -> tuple[int, int] | None:
        """Lowest and highest price within a share of a price, the share rounded down."""
        if not share_bps or around is None:
            return None
        reach = abs(around) * share_bps // BPS
        return around - reach, around + reach


def other(side: Side) -> Side:
    """The side that trades with a side."""
    return Side.SELL if side == Side.BUY else Side.BUY


def is_within(side: Side, limit: int | None, price: int) -> bool:
    """Whether an order with this limit trades at a price."""
    return limit is None or (price <= limit if side == Side.BUY else price >= limit)


class NaiveBooks:
    """All books of a venue, and every order by its number."""

    def __init__(self, venues: dict[int, Venue], order_count: int) -> None:
        self.books = {i: Book(i, venues[i]) for i in sorted(venues)}
        self.order_count = order_count
        self.live: dict[int, Order] = {}
        self.is_stopped = False
        self.happenings: list[Happening] = []

    # What is asked ---------------------------------------------------------------------------

    def submit(self, request: Request) -> list[Happening]:
        """Decide one request."""
        self.happenings = []
        match request.action:
            case MarketAction.PLACE:
                self._place(request)
            case MarketAction.CANCEL:
                self._cancel(request)
            case MarketAction.REPLACE:
                self._replace(request)
            case MarketAction.MASS_CANCEL:
                why = Why.DISCONNECT if request.is_disconnect else Why.MASS_CANCEL
                self._end_all(partial(_is_meant, request), Kind.CANCELLED, why)
            case MarketAction.EXPIRE:
                self._end_all(partial(_is_due, request), Kind.EXPIRED, Why.TIME)
            case MarketAction.END_DAY:
                self._end_all(_is_of_the_day, Kind.EXPIRED, Why.DAY_END)
            case MarketAction.SET_STATE:
                self._set_state(request)
            case MarketAction.SET_REFERENCE:
                self._set_reference(request)
            case MarketAction.SET_KILL_SWITCH:
                self.is_stopped = request.quantity_lots != 0
            case MarketAction.CUT_REDUCE_ONLY:
                self._cut_reduce_only(request)
            case _:
                self._refuse(request, RejectReason.UNKNOWN_CODE)
        return self.happenings

    def _tell(
        self,
        kind: MarketEventKind,
        order: Order,
        why: MarketEventReason = Why.NONE,
        *,
        price: int | None = None,
        lots: int,
        shown: int,
        met: Order | None = None,
        of: Order | None = None,
    ) -> None:
        self.happenings.append(
            Happening(
                kind,
                why,
                order.side,
                order.instrument_id,
                order.order_id,
                met.order_id if met else 0,
                order.price if price is None else price,
                lots,
                shown,
                order.account_id,
                met.account_id if met else 0,
                (of or order).client_order_id,
            )
        )

    def _refuse(self, request: Request, reason: RejectReason) -> None:
        self.happenings.append(
            Happening(
                Kind.REFUSED,
                reason,
                request.side & 3,  # what there is room for in an event
                request.instrument_id,
                request.order_id,
                0,
                request.price_ticks,
                request.quantity_lots,
                0,
                request.account_id,
                0,
                request.client_order_id,
            )
        )

    # Placing ---------------------------------------------------------------------------

    def _place(self, r: Request) -> None:
        reason = self._reason_against(r)
        if reason is not RejectReason.NONE:
            return self._refuse(r, reason)
        book = self.books[r.instrument_id]
        limit = None if r.order_type in TAKING and not r.price_ticks else r.price_ticks
        if r.post_only == PostOnly.REPRICE:
            limit = self._price_that_rests(book, r)
        order = Order(
            r.order_id,
            r.account_id,
            r.group_id,
            r.session_id,
            r.client_order_id,
            r.instrument_id,
            r.side,
            r.order_type,
            r.time_in_force,
            limit,
            r.quantity_lots,
            display=r.display_lots,
            stop=r.stop_ticks if r.order_type in (Type.STOP, Type.STOP_LIMIT) else None,
            trail=r.trail_ticks,
            offset=r.offset_ticks,
            expires_at_ns=r.expires_at_ns,
            mode=r.self_trade,
            is_reduce_only=r.is_reduce_only,
            is_special=_is_special(r),
        )
        is_plain = not order.is_special and order.order_type == Type.LIMIT and order.life in MAY_REST
        self.live[order.order_id] = order
        self._tell(
            Kind.ACCEPTED,
            order,
            price=r.price_ticks if limit is None else limit,
            lots=order.open,
            shown=order.open if is_plain else 0,
        )
        if r.link == OrderLink.OCO:
            self._join(order, self.live[r.linked_order_id])
        elif r.link == OrderLink.AWAIT:
            order.is_awaiting = True
        elif r.link == OrderLink.ENTRY:
            child = self.live[r.linked_order_id]
            for leg in (child, child.partner):
                if leg:
                    leg.is_awaiting, leg.entry = False, order
            order.child = child
        self._start(book, order)
        self._settle(book)

    def _join(self, order: Order, leg: Order) -> None:
        order.partner, leg.partner = leg, order
        leg.is_special = True
        order.is_awaiting, order.entry = leg.is_awaiting, leg.entry

    def _reason_against(self, r: Request) -> RejectReason:
        if r.instrument_id not in self.books:
            return RejectReason.UNKNOWN_INSTRUMENT
        book = self.books[r.instrument_id]
        if not _is_sensible(r):
            return RejectReason.UNKNOWN_CODE
        if self.is_stopped:
            return RejectReason.TRADING_STOPPED
        if (reason := _reason_of_session(book, r)) is not RejectReason.NONE:
            return reason
        if not 1 <= r.quantity_lots <= LARGEST_LOTS:
            return RejectReason.BAD_QUANTITY
        is_priced = r.order_type not in TAKING or r.price_ticks != 0
        if is_priced and not book.venue.is_price(r.price_ticks):
            return RejectReason.BAD_PRICE
        if not 1 <= r.order_id <= LARGEST_ORDER_ID or r.order_id in self.live:
            return RejectReason.DUPLICATE_ID
        if not _has_sound_terms(book, r):
            return RejectReason.BAD_TERMS
        if not self._has_sound_link(r):
            return RejectReason.BAD_LINK
        if _takes_room(book, r) and len(self.live) >= self.order_count:
            return RejectReason.BOOK_FULL
        if book.state == InstrumentState.OPEN and r.order_type in (Type.LIMIT, Type.MARKET):
            if r.post_only == PostOnly.REJECT and self._would_take(book, r):
                return RejectReason.WOULD_TAKE
            if r.post_only == PostOnly.REPRICE and not book.venue.is_price(self._price_that_rests(book, r)):
                return RejectReason.WOULD_TAKE
            wanted = r.quantity_lots if r.time_in_force == Life.FOK else r.minimum_lots
            if wanted and self._lots_within(book, r, r.price_ticks if is_priced else None) < wanted:
                return RejectReason.CANNOT_FILL
        return RejectReason.NONE

    def _would_take(self, book: Book, r: Request) -> bool:
        best = book.best(other(r.side))
        return best is not None and is_within(r.side, r.price_ticks, best)

    def _price_that_rests(self, book: Book, r: Request) -> int:
        """The order's limit, or one step behind the best price of the other side where it would take."""
        best = book.best(other(r.side))
        if book.state != InstrumentState.OPEN or best is None or not is_within(r.side, r.price_ticks, best):
            return r.price_ticks
        return book.venue.next_behind(r.side, best)

    def _lots_within(self, book: Book, r: Request, limit: int | None) -> int:
        """What the order is sure to get at once, as it would meet them: best price first, oldest first.

        It gets nothing behind a price outside of the bands, nor behind one of its own group, unless those are
        cancelled. Orders that another one's fill may shrink do not count.
        """
        band, found = self._band(book), 0
        makers = book.side(other(r.side))
        for price in sorted(makers, reverse=r.side == Side.SELL):
            if not is_within(r.side, limit, price) or not _is_in_band(band, price):
                break
            hidden = 0
            for order in makers[price]:
                if r.self_trade != Mode.NONE and r.group_id and order.group_id == r.group_id:
                    if r.self_trade != Mode.CANCEL_RESTING:
                        return found
                elif order.partner is None:
                    found += order.open
                    hidden += order.hidden
            found += hidden
        return found

    def _has_sound_link(self, r: Request) -> bool:
        is_picky = r.post_only != PostOnly.NONE or bool(r.minimum_lots)
        if r.link == OrderLink.NONE:
            return r.linked_order_id == 0
        if r.link == OrderLink.AWAIT:
            return r.linked_order_id == 0 and r.time_in_force in MAY_REST and not is_picky
        linked = self.live.get(r.linked_order_id)
        if linked is None or linked.instrument_id != r.instrument_id or linked.account_id != r.account_id:
            return False
        if r.link == OrderLink.ENTRY:
            return linked.is_awaiting
        is_free = linked.partner is None and linked.child is None
        is_waiting = linked.is_awaiting or linked.entry is not None
        return is_free and r.time_in_force in MAY_REST and not (is_waiting and is_picky)

    # Running an order ---------------------------------------------------------------------------

    def _start(self, book: Book, order: Order) -> None:
        """Let an order wait for its entry, the close or its price, or go to the book."""
        is_early = order.life == Life.AT_CLOSE and book.state != InstrumentState.CLOSING_AUCTION
        if order.is_awaiting or order.entry or is_early:
            self._put(book.parked, 0, order)
        elif order.order_type in STOPS:
            self._arm(book, order)
        elif order.order_type in PEGS:
            self._peg(book, order)
        else:
            self._run(book, order)

    def _arm(self, book: Book, order: Order) -> None:
        if order.order_type == Type.TRAILING_STOP:
            order.stop = None if book.last is None else _behind(order, book.last)
        if order.stop is None:
            self._put(book.parked, 0, order)
        else:
            self._put(book.buy_stops if order.side == Side.BUY else book.sell_stops, order.stop, order)

    def _run(self, book: Book, order: Order, limit: int | None = None) -> None:
        """Cross, then rest or end. Only in continuous trading does anything cross."""
        limit = order.limit if limit is None else limit
        traded, is_killed, breach = 0, False, None
        if book.state == InstrumentState.OPEN:
            traded, is_killed, breach = self._cross(book, order, limit)
        order.filled += traded
        if order.partner and traded:
            self._reduce(order.partner, traded, Why.LINKED)
        if breach:
            self._change_state(book, *breach)
        if not order.open:
            self._end(order)
        elif is_killed:
            self._finish(order, Kind.CANCELLED, Why.SELF_TRADE)
        elif order.life not in MAY_REST or (
            order.order_type in TAKING
            and not (order.order_type == Type.MARKET and book.state in CALLS and not breach)
        ):
            self._finish(order, Kind.EXPIRED, Why.UNFILLED)
        else:
            self._rest(book, order, UNPRICED[order.side] if limit is None else limit)

    def _rest(self, book: Book, order: Order, price: int) -> None:
        if order.display:
            order.hidden = max(order.open - order.display, 0)
            order.open -= order.hidden
        self._put(book.side(order.side), price, order)
        if order.is_special:
            self._tell(Kind.RESTED, order, lots=order.total, shown=order.open)

    @staticmethod
    def _band(book: Book) -> tuple[int, int] | None:
        """The prices at which anything may trade now: within both bands."""
        around = book.reference if book.last is None else book.last
        both = (book.bands(book.venue.dynamic_bps, around), book.bands(book.venue.static_bps, book.reference))
        bands = [band for band in both if band]
        return (max(low for low, _ in bands), min(high for _, high in bands)) if bands else None

    def _cross(
        self, book: Book, taker: Order, limit: int | None
    ) -> tuple[int, bool, tuple[InstrumentState, MarketEventReason] | None]:
        """Trade with the best price first, at one price with the oldest order first.

        Returns the lots traded, whether self-trade prevention ended the taker, and what a price outside of
        the bands leads to.
        """
        makers, band, traded = book.side(other(taker.side)), self._band(book), 0
        while taker.open and makers:
            price = min(makers) if taker.side == Side.BUY else max(makers)
            if not is_within(taker.side, limit, price):
                break
            if not _is_in_band(band, price):
                static = book.bands(book.venue.static_bps, book.reference)
                if not _is_in_band(static, price):
                    return traded, False, (InstrumentState.HALTED, Why.CIRCUIT_BREAKER)
                return traded, False, (InstrumentState.VOLATILITY_AUCTION, Why.PRICE_BAND)
            maker = makers[price][0]
            if maker is taker.partner:
                taker.partner = maker.partner = None
                self._finish(maker, Kind.CANCELLED, Why.LINKED)
            elif taker.mode != Mode.NONE and taker.group_id and maker.group_id == taker.group_id:
                if self._prevent_self_trade(taker, maker):
                    return traded, True, None
            else:
                lots = min(taker.open, maker.open)
                traded += lots
                taker.open -= lots
                maker.open -= lots
                book.last = price
                self._tell(Kind.TRADED, taker, price=price, lots=lots, shown=maker.open, met=maker, of=maker)
                self._after_fill(book, maker, lots)
        return traded, False, None

    def _prevent_self_trade(self, taker: Order, maker: Order) -> bool:
        """Returns whether the taker ends here."""
        if taker.mode == Mode.DECREMENT:
            lots = min(taker.open, maker.open)
            taker.open -= lots
            self._tell(Kind.REDUCED, taker, Why.SELF_TRADE, price=maker.price, lots=lots, shown=0, met=maker)
            self._reduce(maker, lots, Why.SELF_TRADE, is_shown_first=True)
            return False
        if taker.mode in (Mode.CANCEL_RESTING, Mode.CANCEL_BOTH):
            self._finish(maker, Kind.CANCELLED, Why.SELF_TRADE)
        return taker.mode in (Mode.CANCEL_AGGRESSING, Mode.CANCEL_BOTH)

    def _after_fill(self, book: Book, order: Order, lots: int) -> None:
        """What a fill of a resting order brings about: its other leg shrinks, it shows more, it ends."""
        order.filled += lots
        if order.partner:
            self._reduce(order.partner, lots, Why.LINKED)
        if order.open == 0 and order.hidden:
            self._refill(book, order)
        elif order.open == 0:
            self._end(order)

    def _refill(self, book: Book, order: Order) -> None:
        """Show the next slice, behind everybody at the price."""
        order.open = min(order.display, order.hidden)
        order.hidden -= order.open
        self._put(book.side(order.side), order.price, order)
        self._tell(Kind.REFILLED, order, lots=order.total, shown=order.open)

    def _reduce(
        self, order: Order, lots: int, why: MarketEventReason, *, is_shown_first: bool = False
    ) -> None:
        """Take lots off an order, from what is hidden first; one that has none left is cancelled."""
        if lots >= order.total:
            if why == Why.LINKED and order.partner:
                order.partner.partner = order.partner = None  # what fills one leg leaves the rest of it alone
            return self._finish(order, Kind.CANCELLED, why)
        if is_shown_first:
            order.open -= lots
        else:
            from_hidden = min(lots, order.hidden)
            order.hidden -= from_hidden
            order.open -= lots - from_hidden
        self._tell(Kind.REDUCED, order, why, lots=lots, shown=order.shown)
        if order.open == 0:
            self._refill(self.books[order.instrument_id], order)

    # Ending an order ---------------------------------------------------------------------------

    def _finish(self, order: Order, kind: MarketEventKind, why: MarketEventReason) -> None:
        """Tell that an order ends with lots open, and end it."""
        price = order.price if order.queue is not None else order.limit or 0
        self._tell(kind, order, why, price=price, lots=order.total, shown=order.shown)
        self._end(order)

    def _end(self, order: Order) -> None:
        """Take an order away, then its other leg; set free, or cancel, what waits for it."""
        self._take_off(order)
        del self.live[order.order_id]
        if (partner := order.partner) is not None:
            partner.partner = order.partner = None
            self._finish(partner, Kind.CANCELLED, Why.LINKED)
        if order.entry and order.entry.child is order:
            order.entry.child = None
        if (child := order.child) is not None:
            order.child = None
            legs = [leg for leg in (child, child.partner) if leg]
            for leg in legs:
                leg.entry = None
            if not order.filled:
                return self._finish(child, Kind.CANCELLED, Why.LINKED)
            for leg in legs:
                if leg.total > order.filled:
                    cut = leg.total - order.filled
                    leg.open -= cut
                    self._tell(Kind.REDUCED, leg, Why.ENTRY, lots=cut, shown=0)
                self._put(self.books[leg.instrument_id].ready, 0, leg)

    def _take_off(self, order: Order) -> None:
        if order.queue is None:
            return
        book = self.books[order.instrument_id]
        order.queue.remove(order)
        for queues in (book.bids, book.asks, book.buy_stops, book.sell_stops, book.parked, book.ready):
            if queues.get(order.price) is order.queue and not order.queue:
                del queues[order.price]
        order.queue, order.is_on_book = None, False

    def _put(self, queues: Queues, price: int, order: Order) -> None:
        """Stand at the end of a queue."""
        self._take_off(order)
        order.price = price
        book = self.books[order.instrument_id]
        order.is_on_book = queues is book.bids or queues is book.asks
        order.queue = queues.setdefault(price, [])
        order.queue.append(order)

    # After every command ---------------------------------------------------------------------------

    def _settle(self, book: Book) -> None:
        """Run what was set free, then stops that the last trade reached, then pegs, until all is quiet."""
        moves = 0
        self._ratchet(book)  # an auction's trades are followed too
        while book.state == InstrumentState.OPEN:
            self._ratchet(book)
            if book.ready:
                order = book.ready[0][0]
                self._trigger(order, Why.ENTRY)
                self._start(book, order)
            elif (order := self._reached_stop(book)) is not None:
                self._trigger(order, Why.STOP)
                self._run(book, order)
            elif moves == MOST_PEG_MOVES or not self._move_one_peg(book):
                return
            else:
                moves += 1

    def _trigger(self, order: Order, why: MarketEventReason) -> None:
        self._take_off(order)
        self._tell(Kind.TRIGGERED, order, why, price=order.limit or 0, lots=order.open, shown=0)

    def _reached_stop(self, book: Book) -> Order | None:
        if book.last is not None and book.buy_stops and min(book.buy_stops) <= book.last:
            return book.buy_stops[min(book.buy_stops)][0]
        if book.last is not None and book.sell_stops and max(book.sell_stops) >= book.last:
            return book.sell_stops[max(book.sell_stops)][0]
        return None

    def _ratchet(self, book: Book) -> None:
        """Let trailing stops follow the last trade, by order id."""
        if book.last is None or book.last == book.ratchet:
            return
        book.ratchet = book.last
        for order in sorted(book.orders(), key=lambda o: o.order_id):
            if order.order_type != Type.TRAILING_STOP or order.is_awaiting or order.entry:
                continue
            if order.queue is book.ready.get(0):
                continue
            closer = _behind(order, book.last)
            if order.stop is None or (closer < order.stop if order.side == Side.BUY else closer > order.stop):
                order.stop = closer
                self._put(book.buy_stops if order.side == Side.BUY else book.sell_stops, closer, order)

    def _peg(self, book: Book, order: Order) -> None:
        """Go to the price of today's best, or wait where there is none."""
        price = self._pegged_price(book, order)
        if price is None:
            self._put(book.parked, 0, order)
        else:
            self._run(book, order, price)

    def _move_one_peg(self, book: Book) -> bool:
        """Move the pegged order with the lowest id that is not where it belongs; whether there was one."""
        for order in sorted(book.orders(), key=lambda o: o.order_id):
            if order.order_type not in PEGS or order.is_awaiting or order.entry:
                continue
            price = self._pegged_price(book, order)
            if price != (order.price if order.is_on_book else None):
                to = 0 if price is None else price
                self._tell(Kind.REPRICED, order, price=to, lots=order.open, shown=order.shown)
                self._take_off(order)
                self._peg(book, order)
                return True
        return False

    def _pegged_price(self, book: Book, order: Order) -> int | None:
        """The price that a pegged order belongs to, never worse for it than its limit."""
        bid, ask = (book.best(side, is_pegged_too=False) for side in Side)
        if order.order_type == Type.PEGGED_PRIMARY:
            base = bid if order.side == Side.BUY else ask
        elif bid is None or ask is None:
            base = None
        else:
            base = (bid + ask) // 2 if order.side == Side.BUY else -((-bid - ask) // 2)
        if base is None:
            return None
        assert order.limit is not None
        if order.side == Side.BUY:
            price = book.venue.step_down(min(base - order.offset, order.limit))
        else:
            price = book.venue.step_up(max(base + order.offset, order.limit))
        return price if book.venue.is_price(price) else None

    # Cancel and replace ---------------------------------------------------------------------------

    def _cancel(self, r: Request) -> None:
        order = self.live.get(r.order_id)
        if order is None:
            return self._refuse(r, RejectReason.UNKNOWN_ORDER)
        self._finish(order, Kind.CANCELLED, Why.ASKED)
        self._settle(self.books[order.instrument_id])

    def _replace(self, r: Request) -> None:
        order = self.live.get(r.order_id)
        if order is None:
            return self._refuse(r, RejectReason.UNKNOWN_ORDER)
        book = self.books[order.instrument_id]
        is_waiting = not order.is_on_book
        limit = order.stop if is_waiting and order.order_type == Type.STOP else order.limit
        limit = 0 if limit is None else limit
        is_kept = r.price_ticks == limit and 1 <= r.quantity_lots <= order.total
        reason = self._reason_against_replacing(book, order, r, is_waiting, is_kept)
        if reason is not RejectReason.NONE:
            return self._refuse(r, reason)
        if is_kept:
            lots = order.total - r.quantity_lots
            from_hidden = min(lots, order.hidden)
            order.hidden -= from_hidden
            order.open -= lots - from_hidden
            self._tell(
                Kind.REPLACED,
                order,
                Why.PRIORITY_KEPT,
                lots=order.total,
                shown=order.shown,
                price=order.price,
            )
            return None
        self._take_off(order)
        order.open, order.hidden = r.quantity_lots, 0
        order.mode = r.self_trade
        if is_waiting and order.order_type == Type.STOP:
            order.stop = r.price_ticks
        elif order.order_type not in TAKING:
            order.limit = r.price_ticks
        if r.post_only == PostOnly.REPRICE:
            order.limit = self._price_that_rests(book, _as_placed(r, order))
        price = r.price_ticks if order.order_type in TAKING or order.limit is None else order.limit
        shown = 0 if is_waiting or order.is_special else order.open
        self._tell(Kind.REPLACED, order, price=price, lots=order.open, shown=shown)
        if not is_waiting and order.order_type in STOPS:
            self._run(book, order)
        else:
            self._start(book, order)
        self._settle(book)
        return None

    def _reason_against_replacing(
        self, book: Book, order: Order, r: Request, is_waiting: bool, is_kept: bool
    ) -> RejectReason:
        if r.post_only not in set(PostOnly) or r.self_trade not in set(SelfTradePrevention):
            return RejectReason.UNKNOWN_CODE
        if not 1 <= r.quantity_lots <= LARGEST_LOTS:
            return RejectReason.BAD_QUANTITY
        if is_kept:
            return RejectReason.NONE
        if self.is_stopped:
            return RejectReason.TRADING_STOPPED
        if book.state == InstrumentState.HALTED:
            return RejectReason.INSTRUMENT_HALTED
        if book.state == InstrumentState.CLOSED:
            return RejectReason.INSTRUMENT_CLOSED
        if order.order_type == Type.TRAILING_STOP or (
            order.order_type == Type.MARKET and r.price_ticks != (order.limit or 0)
        ):
            return RejectReason.NOT_AMENDABLE
        is_priced = order.order_type not in (Type.MARKET, Type.TRAILING_STOP)
        if is_priced and not book.venue.is_price(r.price_ticks):
            return RejectReason.BAD_PRICE
        if order.display and r.quantity_lots > order.display * MOST_SLICES:
            return RejectReason.BAD_TERMS
        if r.post_only != PostOnly.NONE and (order.order_type != Type.LIMIT or is_waiting):
            return RejectReason.NOT_AMENDABLE
        if order.order_type in PEGS and book.state in CALLS:
            return RejectReason.WRONG_SESSION
        if book.state == InstrumentState.OPEN and r.post_only == PostOnly.REJECT:
            return (
                RejectReason.WOULD_TAKE if self._would_take(book, _as_placed(r, order)) else RejectReason.NONE
            )
        return RejectReason.NONE

    # All at once ---------------------------------------------------------------------------

    def _end_all(
        self, is_meant: Callable[[Order], bool], kind: MarketEventKind, why: MarketEventReason
    ) -> None:
        """End every order that is meant, in canonical order; then let each book settle."""
        for order in [o for book in self.books.values() for o in book.orders() if is_meant(o)]:
            if self.live.get(order.order_id) is order:
                self._finish(order, kind, why)
        for book in self.books.values():
            self._settle(book)

    def _cut_reduce_only(self, r: Request) -> None:
        """Take lots off an account's reduce-only orders of one side, in canonical order."""
        left = r.quantity_lots
        book = self.books.get(r.instrument_id)
        for order in [] if book is None else book.orders():
            is_its = order.account_id == r.account_id and order.side == r.side and order.is_reduce_only
            if left > 0 and is_its and self.live.get(order.order_id) is order:
                lots = min(left, order.total)
                left -= lots
                self._reduce(order, lots, Why.REDUCE_ONLY)
        if book is not None:
            self._settle(book)

    # Sessions and auctions ---------------------------------------------------------------------------

    def _set_reference(self, r: Request) -> None:
        book = self.books.get(r.instrument_id)
        if book is None:
            return self._refuse(r, RejectReason.UNKNOWN_INSTRUMENT)
        if abs(r.price_ticks) > LARGEST_TICKS:
            return self._refuse(r, RejectReason.BAD_PRICE)
        book.reference = r.price_ticks
        return None

    def _set_state(self, r: Request) -> None:
        book = self.books.get(r.instrument_id)
        if book is None:
            return self._refuse(r, RejectReason.UNKNOWN_INSTRUMENT)
        if r.quantity_lots not in set(InstrumentState):
            return self._refuse(r, RejectReason.UNKNOWN_CODE)
        new, old = InstrumentState(r.quantity_lots), book.state
        is_closing = old == InstrumentState.CLOSING_AUCTION and new == InstrumentState.CLOSED
        if new == InstrumentState.OPEN or is_closing:
            while (found := self.indicative(r.instrument_id)) is not None:
                self._uncross(book, *found)
        self._change_state(book, new, Why.ASKED)
        if new == InstrumentState.OPEN or is_closing:
            self._end_of_auction(book, Life.AT_OPEN if new == InstrumentState.OPEN else Life.AT_CLOSE)
        if new == InstrumentState.CLOSING_AUCTION:
            for order in [*book.parked.get(0, []), *book.ready.get(0, [])]:
                is_free = not (order.is_awaiting or order.entry)
                if order.life == Life.AT_CLOSE and is_free:
                    self._trigger(order, Why.AUCTION)
                    self._run(book, order)
        self._settle(book)
        return None

    def _change_state(
        self,
        book: Book,
        new: InstrumentState,
        why: MarketEventReason,
    ) -> None:
        book.state = new
        at = book.instrument_id
        self.happenings.append(
            Happening(Kind.STATE_CHANGED, why, Side.BUY, at, 0, 0, 0, int(new), 0, 0, 0, 0)
        )

    def _end_of_auction(self, book: Book, life: TimeInForce) -> None:
        """End what was for this auction only, and market orders that it left."""
        for order in book.orders():
            is_left = order.is_on_book and (order.order_type == Type.MARKET or order.life == Life.AT_CLOSE)
            is_for_it = order.life == life or is_left
            if is_for_it and self.live.get(order.order_id) is order:
                self._finish(order, Kind.EXPIRED, Why.AUCTION)

    def _uncross(self, book: Book, price: int, left: int, imbalance: int) -> None:
        """Trade what the auction's price lets trade. Self-trade prevention has no part in an auction."""
        at, surplus = book.instrument_id, Side.BUY if imbalance >= 0 else Side.SELL
        self.happenings.append(
            Happening(Kind.UNCROSSED, Why.AUCTION, surplus, at, 0, 0, price, left, abs(imbalance), 0, 0, 0)
        )
        while left and book.bids and book.asks and max(book.bids) >= price >= min(book.asks):
            buyer, seller = book.bids[max(book.bids)][0], book.asks[min(book.asks)][0]
            if buyer.partner is seller:
                buyer.partner = seller.partner = None
                self._finish(seller, Kind.CANCELLED, Why.LINKED)
                continue
            lots = min(buyer.open, seller.open, left)
            left -= lots
            buyer.open -= lots
            seller.open -= lots
            book.last = price
            self._tell(Kind.PAIRED, buyer, Why.AUCTION, lots=lots, shown=buyer.open)
            self._tell(
                Kind.TRADED,
                buyer,
                Why.AUCTION,
                price=price,
                lots=lots,
                shown=seller.open,
                met=seller,
                of=seller,
            )
            self._after_fill(book, buyer, lots)
            if self.live.get(seller.order_id) is seller:
                self._after_fill(book, seller, lots)

    def indicative(self, instrument_id: int) -> tuple[int, int, int] | None:
        """Price, volume and imbalance (bids less asks) of an auction now; none when nothing would trade.

        The largest volume, then the smallest imbalance, then nearest to the last trade or the reference, then
        the lowest price. Any limit on the book can be the price, and so can the reference.
        """
        book = self.books[instrument_id]
        reference = book.reference if book.last is None else book.last
        prices = {p for p in (*book.bids, *book.asks) if abs(p) <= LARGEST_TICKS}
        prices |= {reference} if reference is not None and book.venue.is_price(reference) else set()
        candidates: list[tuple[int, int, int, int, int]] = []
        for price in prices:
            demand = sum(o.total for p, queue in book.bids.items() if p >= price for o in queue)
            supply = sum(o.total for p, queue in book.asks.items() if p <= price for o in queue)
            away = 0 if reference is None else abs(price - reference)
            candidates.append((-min(demand, supply), abs(demand - supply), away, price, demand - supply))
        if not candidates or min(candidates)[0] == 0:
            return None
        volume, _, _, price, imbalance = min(candidates)
        return price, -volume, imbalance


def _behind(order: Order, price: int) -> int:
    """The stop of a trailing order after a trade, kept within the prices that there are."""
    stop = price + order.trail if order.side == Side.BUY else price - order.trail
    return max(-LARGEST_TICKS, min(LARGEST_TICKS, stop))


def _is_in_band(band: tuple[int, int] | None, price: int) -> bool:
    return band is None or band[0] <= price <= band[1]


def _is_meant(r: Request, order: Order) -> bool:
    return (
        r.account_id in (0, order.account_id)
        and r.session_id in (0, order.session_id)
        and r.instrument_id in (0, order.instrument_id)
        and (not r.is_one_sided or r.side == order.side)
    )


def _is_due(r: Request, order: Order) -> bool:
    return 0 < order.expires_at_ns <= r.received_at_ns


def _is_of_the_day(order: Order) -> bool:
    return order.life not in (Life.GTC, Life.GTD)


def _is_special(r: Request) -> bool:
    """Whether an order is more than side, price, quantity and day or good till cancelled."""
    return (
        r.order_type not in (Type.LIMIT, Type.MARKET)
        or r.time_in_force in (Life.GTD, Life.AT_OPEN, Life.AT_CLOSE)
        or r.is_reduce_only
        or bool(r.display_lots)
        or r.link != OrderLink.NONE
        or (r.order_type == Type.MARKET and r.price_ticks != 0)
    )


def _takes_room(book: Book, r: Request) -> bool:
    """Whether the order may come to stay; a market order of the day does not while trading is continuous."""
    is_gone = (
        r.order_type == Type.MARKET
        and r.time_in_force == Life.DAY
        and r.link == OrderLink.NONE
        and book.state == InstrumentState.OPEN
    )
    return r.time_in_force in MAY_REST and not is_gone


def _as_placed(r: Request, order: Order) -> Request:
    return r._replace(side=order.side, instrument_id=order.instrument_id)


def _is_sensible(r: Request) -> bool:
    """Whether the codes make sense together."""
    is_waiting = r.order_type in (*STOPS, *PEGS)
    known = (
        r.side in set(Side)
        and r.order_type in set(OrderType)
        and r.time_in_force in set(TimeInForce)
        and r.post_only in set(PostOnly)
        and r.self_trade in set(SelfTradePrevention)
        and r.link in set(OrderLink)
    )
    if not known:
        return False
    if r.post_only != PostOnly.NONE and (r.order_type != Type.LIMIT or r.time_in_force not in MAY_REST):
        return False
    if r.order_type == Type.MARKET and r.time_in_force in (Life.GTC, Life.GTD):
        return False
    return not (is_waiting and r.time_in_force not in (Life.DAY, Life.GTC, Life.GTD))


def _reason_of_session(book: Book, r: Request) -> RejectReason:
    if book.state == InstrumentState.HALTED:
        return RejectReason.INSTRUMENT_HALTED
    if book.state == InstrumentState.CLOSED:
        return RejectReason.INSTRUMENT_CLOSED
    if book.state in CALLS and (r.time_in_force in (Life.IOC, Life.FOK) or r.order_type in PEGS):
        return RejectReason.WRONG_SESSION
    if book.state in CALLS and r.minimum_lots and r.time_in_force != Life.AT_CLOSE:
        return RejectReason.WRONG_SESSION
    if r.time_in_force == Life.AT_OPEN and book.state not in BEFORE_OPEN:
        return RejectReason.WRONG_SESSION
    return RejectReason.NONE


def _has_sound_terms(book: Book, r: Request) -> bool:
    """Whether every term belongs to the order's type and lies within bounds."""
    needs = {
        "stop_ticks": r.order_type in (Type.STOP, Type.STOP_LIMIT),
        "trail_ticks": r.order_type == Type.TRAILING_STOP,
        "expires_at_ns": r.time_in_force == Life.GTD,
    }
    allows = {
        "offset_ticks": r.order_type in PEGS,
        "display_lots": r.order_type == Type.LIMIT and r.time_in_force in MAY_REST,
        "minimum_lots": r.order_type in (Type.LIMIT, Type.MARKET) and r.time_in_force != Life.FOK,
    }
    if any(not is_needed and getattr(r, name) for name, is_needed in needs.items()):
        return False
    if any(not is_allowed and getattr(r, name) for name, is_allowed in allows.items()):
        return False
    if needs["stop_ticks"] and not book.venue.is_price(r.stop_ticks):
        return False
    if needs["trail_ticks"] and not 1 <= r.trail_ticks <= LARGEST_TICKS:
        return False
    if needs["expires_at_ns"] and r.expires_at_ns <= r.received_at_ns:
        return False
    if (r.post_only != PostOnly.NONE or r.time_in_force == Life.AT_CLOSE) and r.minimum_lots:
        return False
    if r.post_only != PostOnly.NONE and r.time_in_force == Life.AT_CLOSE:
        return False
    if not 0 <= r.offset_ticks <= LARGEST_TICKS or not 0 <= r.minimum_lots <= r.quantity_lots:
        return False
    return 0 <= r.display_lots <= LARGEST_LOTS and (
        not r.display_lots or r.quantity_lots <= r.display_lots * MOST_SLICES
    )
