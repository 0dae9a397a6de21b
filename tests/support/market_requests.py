"""Random requests to the matching engine: mostly valid, on few prices, so that all features meet."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from engine.market.naive_book import BEFORE_OPEN, CALLS, MAY_REST, PEGS, STOPS, Book, NaiveBooks, Order
from engine.market.requests import LARGEST_LOTS, LARGEST_TICKS, MOST_SLICES, Request, Venue
from schemas.codes import (
    InstrumentState,
    MarketAction,
    OrderLink,
    OrderType,
    PostOnly,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

T = TypeVar("T")
Type, Life, State, Action = OrderType, TimeInForce, InstrumentState, MarketAction

VENUES = {
    1: Venue(),
    2: Venue(tick_bands=((-1_000, 5), (90, 1), (100, 2), (110, 10)), dynamic_bps=400, static_bps=500),
    3: Venue(tick_bands=((-20, 2), (0, 1), (4, 4)), dynamic_bps=9_000),
}
MIDDLES = {1: -1, 2: 101, 3: 3}  # prices lie around it: negative ones, and two bands of ticks
NARROW = 5  # prices to each side of the middle
ACCOUNTS = (1, 2, 3, 4)
GROUPS = {1: 1, 2: 1, 3: 2, 4: 0}
STEP_NS = 1_000  # between two requests
CROWDED = 26  # orders that live: from here on more leave than come
ORDER_COUNT = 34

NEXT_STATES = {
    State.CLOSED: (State.PRE_OPEN,),
    State.PRE_OPEN: (State.OPENING_AUCTION, State.OPEN),
    State.OPENING_AUCTION: (State.OPEN,),
    State.OPEN: (State.CLOSING_AUCTION, State.CLOSING_AUCTION, State.HALTED, State.VOLATILITY_AUCTION),
    State.CLOSING_AUCTION: (State.CLOSED, State.CLOSED, State.OPEN),
    State.HALTED: (State.OPEN, State.VOLATILITY_AUCTION, State.CLOSING_AUCTION),
    State.VOLATILITY_AUCTION: (State.OPEN, State.OPEN, State.CLOSING_AUCTION),
}


def random_books(draw: random.Random) -> NaiveBooks:
    """Fresh books: of the whole venue, or of fewer instruments, where orders meet more."""
    ids = draw.choice([(1, 2, 3), (1,), (2,), (1, 2, 3), (2, 3)])
    return NaiveBooks({i: VENUES[i] for i in ids}, draw.choice([*[ORDER_COUNT] * 4, 16]))


def random_request(draw: random.Random, naive: NaiveBooks, order_id: int) -> Request:
    """One request to books that stand as they do; `order_id` grows from call to call and tells the time."""
    book = draw.choice(list(naive.books.values()))
    now = order_id * STEP_NS
    builders: tuple[tuple[Callable[[random.Random, NaiveBooks, Book, int], Request], float], ...] = (
        (_place, 56 if len(naive.live) < CROWDED else 34),
        (_cancel, 5 if len(naive.live) < CROWDED else 14),
        (_replace, 16),
        (_mass_cancel, 0.8 if len(naive.live) < CROWDED else 2.5),
        (_set_state, 1.6 if book.state == State.OPEN else 9),
        (_set_reference, 6 if book.reference is None else 0.8),
        (_expire, 1.5),
        (_end_day, 0.3),
        (_set_kill_switch, 25 if naive.is_stopped else 0.15),
        (_cut_reduce_only, 2.5),
    )
    build = _one_of(draw, builders)
    request = build(draw, naive, book, order_id)._replace(received_at_ns=now)
    if draw.random() < 0.05:
        request = _spoiled(draw, naive, request)
    return request


def _one_of(draw: random.Random, weighted: Sequence[tuple[T, float]]) -> T:
    return draw.choices([item for item, _ in weighted], [weight for _, weight in weighted])[0]


def _price(draw: random.Random, book: Book) -> int:
    """Mostly near the middle; now and then at a price that somebody has, or at the edge of all prices."""
    venue = book.venue
    if draw.random() < 0.004:
        return draw.choice([venue.step_down(LARGEST_TICKS), venue.step_up(-LARGEST_TICKS)])
    taken = [p for p in (*book.bids, *book.asks) if venue.is_price(p)]
    if taken and draw.random() < 0.35:
        return draw.choice(taken)
    near = MIDDLES[book.instrument_id] + round(draw.triangular(-NARROW, NARROW))
    return draw.choice([venue.step_down(near), venue.step_up(near)])


def _limit(draw: random.Random, book: Book, side: Side) -> int:
    """A limit that leans away from the other side, so that books have depth."""
    price = min(_price(draw, book) for _ in range(2)) if side == Side.BUY else _price(draw, book)
    return max(price, _price(draw, book)) if side == Side.SELL and draw.random() < 0.7 else price


def _lots(draw: random.Random) -> int:
    return draw.choice([1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12, 20])


def _live(draw: random.Random, naive: NaiveBooks, book: Book) -> Order | None:
    """An order that lives: mostly of this book."""
    here = [o for o in naive.live.values() if o.instrument_id == book.instrument_id]
    anywhere = here if here and draw.random() < 0.95 else list(naive.live.values())
    return draw.choice(anywhere) if anywhere else None


def _own(draw: random.Random, account_id: int) -> dict[str, Any]:
    """Who asks; sometimes for a group or a session that is not the account's usual one."""
    group_id = GROUPS[account_id] if draw.random() < 0.85 else draw.randrange(3)
    session_id = account_id if draw.random() < 0.8 else draw.randrange(4)
    return {"account_id": account_id, "group_id": group_id, "session_id": session_id}


# Orders ---------------------------------------------------------------------------


def _place(draw: random.Random, naive: NaiveBooks, book: Book, order_id: int) -> Request:
    side = draw.choice(list(Side))
    order_type = _order_type(draw, book)
    life = _life(draw, book, order_type)
    is_priced = order_type not in (Type.MARKET, Type.STOP, Type.TRAILING_STOP)
    request = Request(
        order_id=order_id,
        instrument_id=book.instrument_id,
        side=side,
        order_type=order_type,
        time_in_force=life,
        price_ticks=_limit(draw, book, side) if is_priced or draw.random() < 0.4 else 0,
        quantity_lots=_lots(draw),
        client_order_id=order_id + 500,
        self_trade=_self_trade(draw),
        is_reduce_only=draw.random() < 0.15,
        **_own(draw, draw.choice(ACCOUNTS)),
    )
    return _linked(draw, naive, book, _with_terms(draw, book, request, order_id))


def _order_type(draw: random.Random, book: Book) -> OrderType:
    is_call = book.state in CALLS
    return _one_of(
        draw,
        (
            (Type.LIMIT, 62),
            (Type.MARKET, 7),
            (Type.STOP, 5),
            (Type.STOP_LIMIT, 5),
            (Type.TRAILING_STOP, 5),
            (Type.PEGGED_PRIMARY, 1 if is_call else 6),
            (Type.PEGGED_MID, 1 if is_call else 9),
        ),
    )


def _life(draw: random.Random, book: Book, order_type: OrderType) -> TimeInForce:
    if order_type in (*STOPS, *PEGS):
        return draw.choice([Life.DAY, Life.GTC, Life.GTD])
    is_call, is_early = book.state in CALLS, book.state in BEFORE_OPEN
    is_market = order_type == Type.MARKET
    return _one_of(
        draw,
        (
            (Life.DAY, 50),
            (Life.IOC, 1 if is_call else 9),
            (Life.FOK, 1 if is_call else 7),
            (Life.GTC, 0.5 if is_market else 20),
            (Life.GTD, 0.5 if is_market else 12),
            (Life.AT_OPEN, 22 if is_early else 1),
            (Life.AT_CLOSE, 7),
        ),
    )


def _self_trade(draw: random.Random) -> SelfTradePrevention:
    return draw.choice(list(SelfTradePrevention)) if draw.random() < 0.6 else SelfTradePrevention.NONE


def _post_only_share(book: Book) -> float:
    """More where somebody stands at the edge of all prices, behind which there is none to rest at."""
    return 0.6 if any(abs(p) == LARGEST_TICKS for p in (*book.bids, *book.asks)) else 0.18


def _with_terms(draw: random.Random, book: Book, r: Request, order_id: int) -> Request:
    """The terms that the order's type and life need, and some that they allow."""
    is_limit, may_rest = r.order_type == Type.LIMIT, r.time_in_force in MAY_REST
    if r.order_type in (Type.STOP, Type.STOP_LIMIT):
        r = r._replace(stop_ticks=_price(draw, book))
    if r.order_type == Type.TRAILING_STOP:
        trail = LARGEST_TICKS if draw.random() < 0.03 else draw.randint(1, NARROW)
        r = r._replace(trail_ticks=trail)
    if r.order_type in PEGS:
        # a limit that mostly does not bind
        away = draw.choice([0, 0, 1, NARROW])
        limit = r.price_ticks + away if r.side == Side.BUY else r.price_ticks - away
        limit = book.venue.step_down(limit) if abs(limit) <= LARGEST_TICKS else r.price_ticks
        offset = LARGEST_TICKS if draw.random() < 0.03 else draw.choice([0, 0, 0, 0, 1, 2])
        r = r._replace(offset_ticks=offset, price_ticks=limit)
    if r.time_in_force == Life.GTD:
        r = r._replace(expires_at_ns=(order_id + draw.randint(1, 80)) * STEP_NS)
    if is_limit and may_rest and draw.random() < 0.3:
        display = draw.choice([1, 2, 2, 3, 4])
        r = r._replace(display_lots=display, quantity_lots=r.quantity_lots + draw.choice([0, 3, 6]))
    if is_limit and may_rest and draw.random() < _post_only_share(book):
        r = r._replace(post_only=draw.choice([PostOnly.REJECT, PostOnly.REPRICE, PostOnly.REPRICE]))
    if r.order_type in (Type.LIMIT, Type.MARKET) and r.time_in_force != Life.FOK and draw.random() < 0.07:
        r = r._replace(minimum_lots=draw.randint(1, r.quantity_lots))
    return r


def _linked(draw: random.Random, naive: NaiveBooks, book: Book, r: Request) -> Request:
    """Sometimes one of a pair, an order that awaits its entry, or that entry."""
    here = [o for o in naive.live.values() if o.instrument_id == book.instrument_id]
    awaiting = [o for o in here if o.is_awaiting]
    single = [o for o in here if o.partner is None and o.child is None]
    may_rest, chance = r.time_in_force in MAY_REST, draw.random()
    if awaiting and chance < 0.14:
        leg = draw.choice(awaiting)
        return r._replace(link=OrderLink.ENTRY, linked_order_id=leg.order_id, **_own(draw, leg.account_id))
    if single and may_rest and chance < 0.27:
        waiting = [o for o in single if o.is_awaiting or o.entry]
        leg = draw.choice(waiting if waiting and draw.random() < 0.5 else single)
        return r._replace(link=OrderLink.OCO, linked_order_id=leg.order_id, **_own(draw, leg.account_id))
    if may_rest and chance < 0.33:
        return r._replace(link=OrderLink.AWAIT)
    return r


def _cancel(draw: random.Random, naive: NaiveBooks, book: Book, order_id: int) -> Request:
    order = _live(draw, naive, book)
    if order is None or draw.random() < 0.08:
        return Request(Action.CANCEL, draw.randint(1, order_id), draw.choice(ACCOUNTS), book.instrument_id)
    return Request(Action.CANCEL, order.order_id, order.account_id, order.instrument_id, order.side)


def _replace(draw: random.Random, naive: NaiveBooks, book: Book, order_id: int) -> Request:
    """A change of a live order: to the same price or another, to fewer lots or more."""
    order = _live(draw, naive, book)
    if order is None or draw.random() < 0.05:
        return Request(
            Action.REPLACE,
            draw.randint(1, order_id),
            draw.choice(ACCOUNTS),
            book.instrument_id,
            price_ticks=_price(draw, book),
            quantity_lots=_lots(draw),
        )
    book = naive.books[order.instrument_id]
    is_stop = order.order_type == Type.STOP
    own = order.stop if is_stop else order.limit
    price = 0 if own is None else own
    if own is not None and draw.random() < 0.65:
        price = _price(draw, book) if is_stop else _limit(draw, book, order.side)
    quantity = draw.randint(1, order.total) if draw.random() < 0.6 else _lots(draw)
    may_be_post_only = order.order_type == Type.LIMIT or draw.random() < 0.05
    is_post_only = may_be_post_only and draw.random() < _post_only_share(book)
    return Request(
        Action.REPLACE,
        order.order_id,
        order.account_id,
        order.instrument_id,
        order.side,
        order.order_type,
        order.life,
        price_ticks=price,
        quantity_lots=quantity,
        client_order_id=order_id + 500,
        post_only=draw.choice([PostOnly.REJECT, PostOnly.REPRICE]) if is_post_only else PostOnly.NONE,
        self_trade=_self_trade(draw),
    )


# All at once, sessions, and the rest ---------------------------------------------------------------


def _mass_cancel(draw: random.Random, naive: NaiveBooks, book: Book, order_id: int) -> Request:
    """Mostly of one account or session in one book, now and then of everything."""
    is_narrow = draw.random() < 0.9
    account_id = draw.choice(ACCOUNTS) if is_narrow and draw.random() < 0.7 else 0
    return Request(
        Action.MASS_CANCEL,
        account_id=account_id,
        session_id=draw.randint(1, 3) if (is_narrow and not account_id) or draw.random() < 0.2 else 0,
        instrument_id=book.instrument_id if draw.random() < 0.7 else 0,
        side=draw.choice(list(Side)),
        is_one_sided=draw.random() < 0.5,
        is_disconnect=draw.random() < 0.3,
    )


def _set_state(draw: random.Random, naive: NaiveBooks, book: Book, order_id: int) -> Request:
    """Mostly the next phase of a session."""
    new = draw.choice(NEXT_STATES[book.state] if draw.random() < 0.88 else list(InstrumentState))
    return Request(Action.SET_STATE, instrument_id=book.instrument_id, quantity_lots=int(new))


def _set_reference(draw: random.Random, naive: NaiveBooks, book: Book, order_id: int) -> Request:
    near = MIDDLES[book.instrument_id] + draw.randint(-3, 3)
    price = draw.choice([near, book.venue.step_down(near)])
    return Request(Action.SET_REFERENCE, instrument_id=book.instrument_id, price_ticks=price)


def _expire(draw: random.Random, naive: NaiveBooks, book: Book, order_id: int) -> Request:
    return Request(Action.EXPIRE)


def _end_day(draw: random.Random, naive: NaiveBooks, book: Book, order_id: int) -> Request:
    return Request(Action.END_DAY)


def _set_kill_switch(draw: random.Random, naive: NaiveBooks, book: Book, order_id: int) -> Request:
    return Request(Action.SET_KILL_SWITCH, quantity_lots=0 if naive.is_stopped else draw.choice([1, 1, -5]))


def _cut_reduce_only(draw: random.Random, naive: NaiveBooks, book: Book, order_id: int) -> Request:
    return Request(
        Action.CUT_REDUCE_ONLY,
        account_id=draw.choice(ACCOUNTS),
        instrument_id=book.instrument_id,
        side=draw.choice(list(Side)),
        quantity_lots=draw.choice([1, 2, 3, 5, 9, 40]),
    )


# What is wrong ---------------------------------------------------------------------------


def _spoiled(draw: random.Random, naive: NaiveBooks, r: Request) -> Request:
    """The request with one thing that is mostly wrong."""
    by_action: dict[MarketAction, Callable[[random.Random, NaiveBooks, Request], dict[str, Any]]] = {
        Action.PLACE: _wrong_order,
        Action.REPLACE: _wrong_change,
        Action.SET_STATE: _wrong_state,
        Action.SET_REFERENCE: _wrong_reference,
    }
    if draw.random() < 0.02:
        return r._replace(action=draw.choice([10, 255]))
    wrong = by_action.get(r.action)
    return r._replace(**wrong(draw, naive, r)) if wrong else r._replace(instrument_id=draw.choice([0, 99]))


def _wrong_order(draw: random.Random, naive: NaiveBooks, r: Request) -> dict[str, Any]:
    far = draw.choice([LARGEST_TICKS + 1, -LARGEST_TICKS - 1, 1 << 62, -(1 << 62)])
    live = list(naive.live) or [0]
    step = naive.books[r.instrument_id].venue.step_at(r.price_ticks)
    wrongs: tuple[dict[str, Any], ...] = (
        {"instrument_id": draw.choice([0, 99, (1 << 19) - 1])},
        {"side": draw.choice([0, 3])},
        {"order_type": draw.choice([0, 8, 255])},
        {"time_in_force": draw.choice([0, 8, 255])},
        {"post_only": draw.choice([PostOnly.REJECT, 3])},
        {"self_trade": draw.choice([5, 6, 7])},
        {"link": draw.choice([*OrderLink, 4])},
        {"order_type": draw.choice(list(OrderType))},
        {"time_in_force": draw.choice(list(TimeInForce))},
        {"quantity_lots": draw.choice([0, -1, LARGEST_LOTS + 1, 1 << 62, -(1 << 62)])},
        {"quantity_lots": LARGEST_LOTS},
        {"price_ticks": draw.choice([far, r.price_ticks + 1, r.price_ticks + step - 1])},
        {"order_id": draw.choice([0, -1, *live])},
        {"stop_ticks": draw.choice([1, far, r.stop_ticks + 1])},
        {"trail_ticks": draw.choice([1, 0, -1, LARGEST_TICKS + 1])},
        {"offset_ticks": draw.choice([1, -1, LARGEST_TICKS + 1])},
        {"display_lots": draw.choice([1, -1])},
        {"display_lots": 1, "quantity_lots": MOST_SLICES + draw.choice([0, 1])},
        {"minimum_lots": draw.choice([1, -1, r.quantity_lots + 1])},
        {"expires_at_ns": draw.choice([0, 1, r.received_at_ns, r.received_at_ns - 1])},
        {
            "link": draw.choice([OrderLink.OCO, OrderLink.ENTRY]),
            "linked_order_id": draw.choice([0, r.order_id, *live]),
        },
        {"linked_order_id": draw.choice(live)},
        {"account_id": draw.choice(ACCOUNTS)},
    )
    return draw.choice(wrongs)


def _wrong_change(draw: random.Random, naive: NaiveBooks, r: Request) -> dict[str, Any]:
    far = draw.choice([LARGEST_TICKS + 1, -LARGEST_TICKS - 1, 1 << 62, -(1 << 62)])
    wrongs: tuple[dict[str, Any], ...] = (
        {"quantity_lots": draw.choice([0, -1, LARGEST_LOTS + 1, 1 << 62, -(1 << 62)])},
        {"quantity_lots": draw.choice([LARGEST_LOTS, MOST_SLICES + 1, 5 * MOST_SLICES])},
        {"price_ticks": draw.choice([far, r.price_ticks + 1, r.price_ticks - 1])},
        {"post_only": draw.choice([PostOnly.REJECT, PostOnly.REPRICE])},
    )
    return draw.choice(wrongs)


def _wrong_state(draw: random.Random, naive: NaiveBooks, r: Request) -> dict[str, Any]:
    return draw.choice([{"quantity_lots": draw.choice([0, -1, 8, 1 << 40])}, {"instrument_id": 99}])


def _wrong_reference(draw: random.Random, naive: NaiveBooks, r: Request) -> dict[str, Any]:
    far = draw.choice([LARGEST_TICKS + 1, -LARGEST_TICKS - 1])
    return draw.choice([{"price_ticks": far}, {"instrument_id": 99}])
