"""Clients: orders that take, rest or wait, cancels, and the mistakes that clients make.

Owns: what traders ask for, and how often. Does not own: whether they get it; the engine decides that. Orders
that say more than plain ones stand in client_orders.py, mistakes in client_mistakes.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.simulation.client_mistakes import Mistakes
from engine.simulation.client_orders import SpecialOrders
from engine.simulation.desk import Desk
from engine.simulation.mids import Mids
from engine.simulation.order_watch import OpenOrder, OrderWatch
from engine.simulation.world import (
    BTCUSD,
    EQUITIES,
    EQUITY_CFD,
    LISTING_BY_ID,
    LISTINGS,
    Holder,
    Listing,
)
from schemas.codes import AccountClass, InstrumentClass, OrderType, PostOnly, Side, TimeInForce
from schemas.headers import Command

MISTAKE_SHARE = 0.05
BURST_SHARE = 0.004
PLAIN = {
    "market": 26,
    "ioc": 20,
    "resting": 20,
    "fok": 4,
    "post_only": 4,
    "cancel": 9,
    "replace": 5,
}
SPECIAL = {
    "minimum": 1,
    "iceberg": 2,
    "reduce_only": 1,
    "stop": 2,
    "stop_limit": 1,
    "trailing_stop": 1,
    "pair": 1,
    "bracket": 2,
    "pegged": 2,
    "good_till": 2,
    "at_close": 1,
}
ACTIONS = (*PLAIN, *SPECIAL)
WEIGHTS = (*PLAIN.values(), *SPECIAL.values())
CHANGEABLE = (OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT)
IN_A_CALL = {"limit": 50, "market": 20, "day": 20, "impatient": 5, "cancel": 5}


class Client:
    """One trading account and the person who uses it."""

    def __init__(self, holder: Holder, seed: int, watch: OrderWatch, mids: Mids) -> None:
        self.holder = holder
        self.account_id = holder.account_id
        self.desk = Desk(holder.account_id, f"{seed}:client:{holder.account_id}", watch, mids)
        self._rng = self.desk.rng
        self._watch = watch
        self._menu = _menu(holder)
        self._special = SpecialOrders(self.desk, self._menu)
        self._mistakes = Mistakes(self.desk, self._menu)

    def start_day(self) -> None:
        """Order numbers may be used anew."""
        self.desk.start_day()

    def act(self, at_ns: int) -> Iterator[Command]:
        """Do one thing: mostly sensible, sometimes a mistake, rarely a burst."""
        draw = self._rng.random()
        if draw < MISTAKE_SHARE:
            yield from self._mistakes.make_one(at_ns)
        elif draw < MISTAKE_SHARE + BURST_SHARE:
            for _ in range(8):
                yield from self._take("ioc", at_ns)
        else:
            yield from self._trade(self._rng.choices(ACTIONS, WEIGHTS)[0], at_ns)

    def act_in_call(self, at_ns: int, auction: TimeInForce) -> Iterator[Command]:
        """Ask for something in the auction that is being collected for; prices are all around the mid."""
        action = self._rng.choices(list(IN_A_CALL), list(IN_A_CALL.values()))[0]
        resting = self._watch.open_orders(self.account_id)
        if action == "cancel" and resting:
            yield self.desk.cancel(at_ns, self._rng.choice(resting).client_order_id)
            return
        listing = self._rng.choice(self._menu)
        side, lots = self._wish(listing)
        price = self.desk.behind(listing, side, self._rng.randint(-3, 3))
        if action == "market":
            yield self.desk.place(at_ns, listing, side, lots, 0, OrderType.MARKET, auction)
        elif action == "day":
            yield self.desk.place(at_ns, listing, side, lots, price)
        elif action == "impatient":  # nothing is immediate in a call
            yield self.desk.place(at_ns, listing, side, lots, price, life=TimeInForce.IOC)
        else:
            yield self.desk.place(at_ns, listing, side, lots, price, life=auction)

    def _trade(self, action: str, at_ns: int) -> Iterator[Command]:
        if action in SPECIAL:
            listing = self._rng.choice(self._menu)
            side, lots = self._wish(listing)
            yield from self._special.write(action, at_ns, listing, side, lots)
            return
        living = self._watch.open_orders(self.account_id)
        if action == "replace":
            living = [o for o in living if o.order_type in CHANGEABLE]
        if action not in ("cancel", "replace"):
            yield from self._take(action, at_ns)
        elif not living:
            yield from self._take("resting", at_ns)
        elif action == "cancel":
            yield self.desk.cancel(at_ns, self._rng.choice(living).client_order_id)
        else:
            yield self._change(self._rng.choice(living), at_ns)

    def _take(self, action: str, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(self._menu)
        side, lots = self._wish(listing)
        desk = self.desk
        if action == "market":
            yield desk.place(at_ns, listing, side, lots, 0, OrderType.MARKET, TimeInForce.IOC)
        elif action == "ioc":
            price = desk.beyond(listing, side, self._rng.randint(1, 4))
            yield desk.place(at_ns, listing, side, lots, price, life=TimeInForce.IOC)
        elif action == "fok":
            price = desk.beyond(listing, side, 6)
            yield desk.place(at_ns, listing, side, lots, price, life=TimeInForce.FOK)
        else:
            post_only = PostOnly.REJECT if action == "post_only" else PostOnly.NONE
            price = desk.behind(listing, side, self._rng.randint(1, 5))
            yield desk.place(at_ns, listing, side, lots, price, post_only_code=post_only)

    def _change(self, order: OpenOrder, at_ns: int) -> Command:
        """Mostly ask for less and keep the place; sometimes at another price, which gives it up."""
        listing = LISTING_BY_ID[order.instrument_id]
        price, lots = order.price_ticks, 1 + order.open_lots // 2
        if self._rng.random() < 0.3 and order.order_type is OrderType.LIMIT:
            price = self.desk.behind(listing, order.side, self._rng.randint(1, 5))
        elif order.order_type is OrderType.STOP:  # its price is its stop
            other = Side.SELL if order.side is Side.BUY else Side.BUY
            price = self.desk.behind(listing, other, self._rng.randint(4, 9))
        return self.desk.replace(at_ns, order.client_order_id, price, lots)

    def _wish(self, listing: Listing) -> tuple[Side, int]:
        """A side and a size that the account can usually carry."""
        held = self._watch.position(self.account_id, listing.instrument_id)
        size = 1 + int(self._rng.expovariate(1.0) * listing.typical_lots)
        size = min(size, listing.max_order_lots // 4)
        may_be_short = listing.instrument_class in (InstrumentClass.CFD, InstrumentClass.PERPETUAL) or (
            self.holder.account_class is AccountClass.CUSTOMER_MARGIN and self._rng.random() < 0.05
        )
        wants_sale = self._rng.random() < (0.5 if held >= 0 else 0.3)
        if not wants_sale or (held <= 0 and not may_be_short):
            return Side.BUY, size
        return Side.SELL, size if may_be_short else min(size, held)


def _menu(holder: Holder) -> tuple[Listing, ...]:
    """What an account trades: contracts and currencies only on margin."""
    if holder.account_class is AccountClass.CUSTOMER_MARGIN:
        return (*EQUITIES, *LISTINGS[len(EQUITIES) :])
    if holder.account_class is AccountClass.CUSTOMER_CASH:
        return (*EQUITIES, BTCUSD)
    return tuple(EQUITIES) if holder.account_class is AccountClass.PAB else (*EQUITIES, EQUITY_CFD)
