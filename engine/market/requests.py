"""What matching is asked and what it answers, one field a meaning, and the bounds of both.

Owns: `Request`, `Happening`, `Venue`, and their packed rows (MarketCommand, OrderTerms, MarketEvent).
Does not own: any rule (`naive_book.py` has them all).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.errors import BadInput
from schemas.codes import (
    MarketAction,
    MarketEventKind,
    OrderLink,
    OrderType,
    PostOnly,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from schemas.derive.layout import Rows, empty_rows
from schemas.matching import MarketCommand, MarketEvent, OrderTerms

BPS = 10_000
LARGEST_TICKS = 1 << 40  # of a price, either sign
LARGEST_LOTS = (1 << 31) - 1  # of an order: the sum over 2**31 orders stays in 62 bits
LARGEST_ORDER_ID = (1 << 62) - 1
LARGEST_SMALL_ID = (1 << 31) - 1  # of an account, a session, a group
LARGEST_BATCH = 1 << 18  # commands of one call
LARGEST_INSTRUMENT_ID = (1 << 19) - 1
MOST_SLICES = 1_000  # of an iceberg, so that one sweep has a bound
MOST_PEG_MOVES = 1_000  # in one command; pegged orders that are left move with the next one
MOST_TICK_BANDS = 8

# The most events of one command: of each order that lives traded, paired, reduced, refilled, triggered,
# rested, moved, ended; of each slice that an iceberg shows, and of each move of a pegged order.
EVENTS_OF_AN_ORDER, EVENTS_OF_A_SLICE, EVENTS_OF_A_MOVE, SPARE_EVENTS = 8, 4, 3, 64


class Request(NamedTuple):
    """One request to the matching engine."""

    action: MarketAction = MarketAction.PLACE
    order_id: int = 0
    account_id: int = 0
    instrument_id: int = 0
    side: Side = Side.BUY
    order_type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.DAY
    price_ticks: int = 0
    quantity_lots: int = 0
    group_id: int = 0
    session_id: int = 0
    client_order_id: int = 0
    received_at_ns: int = 0
    post_only: PostOnly = PostOnly.NONE
    self_trade: SelfTradePrevention = SelfTradePrevention.NONE
    is_reduce_only: bool = False
    is_one_sided: bool = False  # a mass cancel of `side` alone
    is_disconnect: bool = False  # a mass cancel because a session ended
    display_lots: int = 0
    minimum_lots: int = 0
    stop_ticks: int = 0
    trail_ticks: int = 0
    offset_ticks: int = 0
    expires_at_ns: int = 0
    linked_order_id: int = 0
    link: OrderLink = OrderLink.NONE


class Happening(NamedTuple):
    """One thing that the matching engine did; see MarketEvent for the columns."""

    kind: MarketEventKind
    reason: int  # MarketEventReason; of a refusal RejectReason
    side: int
    instrument_id: int
    order_id: int
    other_order_id: int
    price_ticks: int
    quantity_lots: int
    open_lots: int
    account_id: int
    other_account_id: int
    client_order_id: int


class Venue(NamedTuple):
    """How one instrument trades: its ladder of ticks and its price bands."""

    tick_bands: tuple[
        tuple[int, int], ...
    ] = ()  # (lowest price, step), ascending; none: every tick is a price
    dynamic_bps: int = 0  # a trade further from the last one starts a volatility auction
    static_bps: int = 0  # a trade further from the reference halts the instrument

    def step_at(self, price: int) -> int:
        """The distance of prices at a price."""
        step = 1
        for lowest, here in self.tick_bands:
            if price >= lowest:
                step = here
        return step

    def is_price(self, price: int) -> bool:
        """Whether an order may have this price."""
        return abs(price) <= LARGEST_TICKS and price % self.step_at(price) == 0

    def step_down(self, price: int) -> int:
        """The highest price at or below."""
        return price - price % self.step_at(price)

    def step_up(self, price: int) -> int:
        """The lowest price at or above."""
        return price + -price % self.step_at(price)

    def next_behind(self, side: Side, price: int) -> int:
        """The best price for an order of this side that does not meet `price`."""
        return self.step_down(price - 1) if side == Side.BUY else self.step_up(price + 1)

    def check(self) -> None:
        """Raise BadInput where the ladder has gaps, steps that do not fit, or bands beyond bounds."""
        if len(self.tick_bands) > MOST_TICK_BANDS:
            raise BadInput(f"a tick table has {MOST_TICK_BANDS} bands at most")
        before, below = None, 1
        for lowest, step in self.tick_bands:
            if abs(lowest) > LARGEST_TICKS or not 1 <= step <= LARGEST_TICKS:
                raise BadInput("a tick band lies outside of the prices that there are")
            if (before is not None and lowest <= before) or lowest % step or lowest % below:
                raise BadInput("tick bands ascend, and each begins at a price of both its neighbours' steps")
            before, below = lowest, step
        if not (0 <= self.dynamic_bps <= BPS and 0 <= self.static_bps <= BPS):
            raise BadInput("price bands are basis points up to 10,000")


def pack_requests(requests: Sequence[Request]) -> tuple[Rows, Rows]:
    """MarketCommand rows (n,) and the OrderTerms rows that they point into; row zero stays empty.

    Raises BadInput where a number has no place in its word.
    """
    commands = empty_rows(MarketCommand, len(requests))
    terms = empty_rows(OrderTerms, len(requests) + 1)
    used = 1
    for row, r in zip(commands, requests, strict=True):
        _check_words(r)
        flags = (
            int(r.post_only)
            | int(r.self_trade) << 2
            | r.is_reduce_only << 5
            | r.is_one_sided << 6
            | r.is_disconnect << 7
        )
        row["action_word"] = (
            int(r.action) | int(r.side) << 8 | int(r.order_type) << 16 | int(r.time_in_force) << 24
            | flags << 32 | r.instrument_id << 40
        )  # fmt: skip
        row["order_id"] = r.order_id
        row["price_ticks"] = r.price_ticks
        row["quantity_lots"] = r.quantity_lots
        row["owner_word"] = r.account_id | r.group_id << 32
        row["received_at_ns"] = r.received_at_ns
        row["client_order_id"] = r.client_order_id
        values = (
            r.display_lots, r.minimum_lots, r.stop_ticks, r.trail_ticks,
            r.offset_ticks, r.expires_at_ns, r.linked_order_id, int(r.link),
        )  # fmt: skip
        if any(values):
            terms[used] = values
            row["terms_word"] = used
            used += 1
        row["terms_word"] |= r.session_id << 32
    return commands, terms[:used]


def _check_words(r: Request) -> None:
    small = (r.account_id, r.group_id, r.session_id)
    codes = (r.action, r.side, r.order_type, r.time_in_force)
    if not all(0 <= n <= LARGEST_SMALL_ID for n in small) or not all(0 <= n < 256 for n in codes):
        raise BadInput("an account, group or session is below 2**31, and a code below 256")
    if not 0 <= r.instrument_id <= LARGEST_INSTRUMENT_ID:
        raise BadInput("an instrument_id is below 2**19")
    if not (0 <= r.post_only < 4 and 0 <= r.self_trade < 8):
        raise BadInput("a flag has no place in its word")


def unpack_events(events: Rows) -> list[Happening]:
    """MarketEvent rows as happenings."""
    return [_unpacked(event) for event in events.tolist()]


def _unpacked(event: Sequence[int]) -> Happening:
    word, order_id, other_id, price, lots, shown, accounts, client_order_id = event
    return Happening(
        MarketEventKind(word & 0xFF),
        word >> 8 & 0xFFF,
        word >> 20 & 3,
        word >> 24 & 0xFFFFF,
        order_id,
        other_id,
        price,
        lots,
        shown,
        accounts & 0xFFFFFFFF,
        accounts >> 32,
        client_order_id,
    )


def event_columns(events: Rows) -> dict[str, np.ndarray]:
    """The packed words of MarketEvent rows, one array a meaning."""
    word, accounts = events["kind_word"], events["accounts_word"]
    return {
        "kind": word & 0xFF,
        "reason": word >> 8 & 0xFFF,
        "side": word >> 20 & 3,
        "instrument_id": word >> 24 & 0xFFFFF,
        "command": word >> 44,
        "account_id": accounts & 0xFFFFFFFF,
        "other_account_id": accounts >> 32,
    }


def new_events(count: int) -> Rows:
    """Room for events."""
    return empty_rows(MarketEvent, count)
