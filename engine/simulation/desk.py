"""A trader's desk: the commands of one account, its own numbers, and prices around the mid.

Owns: how a command of a trader is written. Does not own: which one (clients.py, market_makers.py).
"""

from __future__ import annotations

import random
from collections.abc import Container
from typing import TypedDict, Unpack

from engine.simulation.mids import Mids
from engine.simulation.order_watch import OrderWatch
from engine.simulation.venue import fitted
from engine.simulation.world import Listing
from schemas.codes import OrderType, Side, TimeInForce
from schemas.market import CancelOrder, PlaceOrder, ReplaceOrder


class Terms(TypedDict, total=False):
    """What an order may say beyond side, price and quantity; and, of a mistake, whom and what it names."""

    account_id: int
    instrument_id: int
    client_order_id: int
    post_only_code: int
    self_trade_code: int
    is_reduce_only: int
    display_lots: int
    minimum_lots: int
    stop_ticks: int
    trail_ticks: int
    offset_ticks: int
    expires_at_ns: int
    linked_client_order_id: int
    order_link_code: int


class Desk:
    """What one account trades with: its chance, its sight of the market and its numbers."""

    def __init__(self, account_id: int, seed_text: str, watch: OrderWatch, mids: Mids) -> None:
        self.account_id = account_id
        self.rng = random.Random(seed_text)
        self.watch = watch
        self._mids = mids
        self._next_number = 1
        self._taken: Container[int] = ()

    def start_day(self) -> None:
        """Numbers may be used anew, but for those of orders that live on."""
        self._next_number = 1
        self._taken = {o.client_order_id for o in self.watch.open_orders(self.account_id)}

    def number(self) -> int:
        """The next number for an order."""
        while self._next_number in self._taken:
            self._next_number += 1
        self._next_number += 1
        return self._next_number - 1

    # Prices -----------------------------------------------------------------------------------------

    def mid(self, listing: Listing) -> int:
        """The fair price, which need not be one that an order may have."""
        return self._mids.ticks(listing.instrument_id)

    def behind(self, listing: Listing, side: Side, spreads: int) -> int:
        """A price some half spreads on this side's side of the mid: it rests."""
        away = -spreads if side is Side.BUY else spreads
        return fitted(listing.instrument_id, side, self.mid(listing) + away * listing.half_spread_ticks)

    def beyond(self, listing: Listing, side: Side, spreads: int) -> int:
        """A price some half spreads on the other side of the mid: it takes."""
        away = spreads if side is Side.BUY else -spreads
        other = Side.SELL if side is Side.BUY else Side.BUY
        return fitted(listing.instrument_id, other, self.mid(listing) + away * listing.half_spread_ticks)

    def unsold(self, listing: Listing) -> int:
        """Lots that the account holds and offers nowhere."""
        return self.watch.unsold(self.account_id, listing.instrument_id)

    # Commands ---------------------------------------------------------------------------------------

    def place(
        self,
        at_ns: int,
        listing: Listing,
        side: int,
        lots: int,
        price_ticks: int = 0,
        kind: int = OrderType.LIMIT,
        life: int = TimeInForce.DAY,
        **terms: Unpack[Terms],
    ) -> PlaceOrder:
        """An order under the next number, unless the terms name one."""
        number = terms.get("client_order_id") or self.number()
        named: Terms = {
            "account_id": self.account_id,
            "instrument_id": listing.instrument_id,
            **terms,
            "client_order_id": number,
        }
        return PlaceOrder(
            sequence=0,
            received_at_ns=at_ns,
            session_id=self.account_id,
            side_code=side,
            order_type_code=kind,
            time_in_force_code=life,
            price_ticks=price_ticks,
            quantity_lots=lots,
            **named,
        )

    def cancel(self, at_ns: int, number: int) -> CancelOrder:
        """Take the order of a number back."""
        return CancelOrder(
            sequence=0,
            received_at_ns=at_ns,
            session_id=self.account_id,
            account_id=self.account_id,
            client_order_id=number,
        )

    def replace(
        self, at_ns: int, number: int, price_ticks: int, lots: int, post_only_code: int = 0
    ) -> ReplaceOrder:
        """Change price or open quantity of the order of a number."""
        return ReplaceOrder(
            sequence=0,
            received_at_ns=at_ns,
            session_id=self.account_id,
            account_id=self.account_id,
            client_order_id=number,
            price_ticks=price_ticks,
            quantity_lots=lots,
            post_only_code=post_only_code,
        )
