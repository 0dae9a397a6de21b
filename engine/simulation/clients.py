"""Clients: orders that take or rest, cancels, and the mistakes that clients make.

Owns: what traders ask for. Does not own: whether they get it; the engine decides that.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from engine.simulation.mids import Mids
from engine.simulation.order_watch import OrderWatch
from engine.simulation.world import (
    BTCUSD,
    EQUITIES,
    EQUITY_CFD,
    LISTINGS,
    Holder,
    Listing,
)
from schemas.codes import AccountClass, InstrumentClass, OrderType, Side, TimeInForce
from schemas.headers import Command
from schemas.market import CancelOrder, PlaceOrder, ReplaceOrder

MISTAKE_SHARE = 0.05
BURST_SHARE = 0.004
ACTIONS = ("market", "ioc", "resting", "fok", "post_only", "cancel", "replace")
WEIGHTS = (28, 22, 24, 5, 5, 10, 6)


class Client:
    """One trading account and the person who uses it."""

    def __init__(self, holder: Holder, seed: int, watch: OrderWatch, mids: Mids) -> None:
        self.holder = holder
        self.account_id = holder.account_id
        self._rng = random.Random(f"{seed}:client:{holder.account_id}")
        self._watch = watch
        self._mids = mids
        self._next_number = 1
        self._menu = _menu(holder)
        self._mistakes: tuple[Callable[[int], Iterator[Command]], ...] = (
            self._far_price,
            self._no_price,
            self._too_large,
            self._too_much_money,
            self._nothing,
            self._unknown_instrument,
            self._unknown_code,
            self._same_number_twice,
            self._cancel_of_nothing,
            self._sell_what_is_not_there,
            self._crossing_post_only,
            self._impossible_fill_or_kill,
            self._foreign_account,
        )

    def start_day(self) -> None:
        """Order numbers may be used anew."""
        self._next_number = 1

    def act(self, at_ns: int) -> Iterator[Command]:
        """Do one thing: mostly sensible, sometimes a mistake, rarely a burst."""
        draw = self._rng.random()
        if draw < MISTAKE_SHARE:
            yield from self._rng.choice(self._mistakes)(at_ns)
        elif draw < MISTAKE_SHARE + BURST_SHARE:
            for _ in range(8):
                yield from self._trade("ioc", at_ns)
        else:
            yield from self._trade(self._rng.choices(ACTIONS, WEIGHTS)[0], at_ns)

    def _trade(self, action: str, at_ns: int) -> Iterator[Command]:
        if action in ("cancel", "replace"):
            resting = self._watch.open_orders(self.account_id)
            if not resting:
                action = "resting"
            elif action == "cancel":
                order = self._rng.choice(resting)
                yield self._cancel(order.client_order_id, at_ns)
                return
            else:
                order = self._rng.choice(resting)
                yield self._replace(order.client_order_id, order.price_ticks, 1 + order.open_lots // 2, at_ns)
                return
        listing = self._rng.choice(self._menu)
        side, lots = self._wish(listing)
        mid, spread = self._mids.ticks(listing.instrument_id), listing.half_spread_ticks
        toward = 1 if side is Side.BUY else -1
        if action == "market":
            yield self._place(at_ns, listing, side, lots, 0, OrderType.MARKET, TimeInForce.IOC)
        elif action == "ioc":
            price = mid + toward * spread * self._rng.randint(1, 4)
            yield self._place(at_ns, listing, side, lots, price, life=TimeInForce.IOC)
        elif action == "fok":
            price = mid + toward * spread * 6
            yield self._place(at_ns, listing, side, lots, price, life=TimeInForce.FOK)
        else:
            price = mid - toward * spread * self._rng.randint(1, 5)
            post_only_code = action == "post_only"
            yield self._place(at_ns, listing, side, lots, price, post_only_code=post_only_code)

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

    def _place(
        self,
        at_ns: int,
        listing: Listing,
        side: int,
        lots: int,
        price_ticks: int,
        order_type: int = OrderType.LIMIT,
        life: int = TimeInForce.DAY,
        *,
        post_only_code: bool = False,
        number: int = 0,
        instrument_id: int = 0,
        account_id: int = 0,
    ) -> PlaceOrder:
        if not number:
            number = self._next_number
            self._next_number += 1
        return PlaceOrder(
            sequence=0,
            received_at_ns=at_ns,
            session_id=self.account_id,
            account_id=account_id or self.account_id,
            client_order_id=number,
            instrument_id=instrument_id or listing.instrument_id,
            side_code=side,
            order_type_code=order_type,
            time_in_force_code=life,
            post_only_code=int(post_only_code),
            price_ticks=price_ticks,
            quantity_lots=lots,
        )

    def _cancel(self, number: int, at_ns: int) -> CancelOrder:
        return CancelOrder(
            sequence=0,
            received_at_ns=at_ns,
            session_id=self.account_id,
            account_id=self.account_id,
            client_order_id=number,
        )

    def _replace(self, number: int, price_ticks: int, lots: int, at_ns: int) -> ReplaceOrder:
        return ReplaceOrder(
            sequence=0,
            received_at_ns=at_ns,
            session_id=self.account_id,
            account_id=self.account_id,
            client_order_id=number,
            price_ticks=price_ticks,
            quantity_lots=lots,
        )

    # Mistakes, each for one reason ----------------------------------------------------------------

    def _far_price(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(EQUITIES)
        price = self._mids.ticks(listing.instrument_id) * 106 // 100
        yield self._place(at_ns, listing, Side.BUY, 1, price)

    def _no_price(self, at_ns: int) -> Iterator[Command]:
        yield self._place(at_ns, self._rng.choice(self._menu), Side.BUY, 1, 0)

    def _too_large(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(self._menu)
        price = self._mids.ticks(listing.instrument_id)
        yield self._place(at_ns, listing, Side.BUY, listing.max_order_lots + 1, price)

    def _too_much_money(self, at_ns: int) -> Iterator[Command]:
        price = self._mids.ticks(EQUITIES[3].instrument_id) - 5
        yield self._place(at_ns, EQUITIES[3], Side.BUY, 15_000, price)

    def _nothing(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(self._menu)
        price = self._mids.ticks(listing.instrument_id)
        yield self._place(at_ns, listing, Side.BUY, self._rng.choice((0, -5)), price)

    def _unknown_instrument(self, at_ns: int) -> Iterator[Command]:
        number = LISTINGS[-1].instrument_id + 1
        yield self._place(at_ns, EQUITIES[0], Side.BUY, 1, 100, instrument_id=number)

    def _unknown_code(self, at_ns: int) -> Iterator[Command]:
        price = self._mids.ticks(EQUITIES[0].instrument_id)
        yield self._place(at_ns, EQUITIES[0], 3, 1, price)

    def _same_number_twice(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(EQUITIES)
        price = self._mids.ticks(listing.instrument_id) - 20
        first = self._place(at_ns, listing, Side.BUY, 1, price)
        yield first
        yield self._place(at_ns, listing, Side.BUY, 1, price, number=first.client_order_id)

    def _cancel_of_nothing(self, at_ns: int) -> Iterator[Command]:
        yield self._cancel(9_000_000 + self._rng.randint(0, 999), at_ns)

    def _sell_what_is_not_there(self, at_ns: int) -> Iterator[Command]:
        held = max(self._watch.position(self.account_id, BTCUSD.instrument_id), 0)
        price = self._mids.ticks(BTCUSD.instrument_id) + 40
        yield self._place(at_ns, BTCUSD, Side.SELL, held + 200, price)

    def _crossing_post_only(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(EQUITIES)
        price = self._mids.ticks(listing.instrument_id) + 20 * listing.half_spread_ticks
        yield self._place(at_ns, listing, Side.BUY, 1, price, post_only_code=True)

    def _impossible_fill_or_kill(self, at_ns: int) -> Iterator[Command]:
        price = self._mids.ticks(EQUITIES[1].instrument_id) - 30
        yield self._place(at_ns, EQUITIES[1], Side.BUY, 10, price, life=TimeInForce.FOK)

    def _foreign_account(self, at_ns: int) -> Iterator[Command]:
        price = self._mids.ticks(EQUITIES[2].instrument_id)
        yield self._place(at_ns, EQUITIES[2], Side.BUY, 1, price, account_id=63)


def _menu(holder: Holder) -> tuple[Listing, ...]:
    """What an account trades: contracts and currencies only on margin."""
    if holder.account_class is AccountClass.CUSTOMER_MARGIN:
        return (*EQUITIES, *LISTINGS[len(EQUITIES) :])
    if holder.account_class is AccountClass.CUSTOMER_CASH:
        return (*EQUITIES, BTCUSD)
    return tuple(EQUITIES) if holder.account_class is AccountClass.PAB else (*EQUITIES, EQUITY_CFD)
