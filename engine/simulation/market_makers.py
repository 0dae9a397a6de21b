"""Market makers: two-sided ladders around the mid, kept fresh by replace and cancel.

Owns: how the four makers quote. Does not own: the mid (mids.py), time and batches (session.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from engine.simulation.mids import Mids
from engine.simulation.order_watch import OrderWatch
from engine.simulation.world import LISTINGS, Listing
from schemas.codes import OrderType, Side, TimeInForce
from schemas.headers import Command
from schemas.market import CancelOrder, PlaceOrder, ReplaceOrder

LEVEL_COUNT = 3
REPLACE_SHARE = 0.7  # of stale quotes; the others are cancelled and placed anew

Slot = tuple[int, Side, int]  # instrument, side, level


class MarketMaker:
    """One maker account with a ladder of quotes in every instrument."""

    def __init__(self, account_id: int, seed: int, watch: OrderWatch, mids: Mids) -> None:
        self.account_id = account_id
        self._rng = random.Random(f"{seed}:maker:{account_id}")
        self._watch = watch
        self._mids = mids
        self._slots: dict[Slot, int] = {}
        self._next_number = 1
        self._due: list[Listing] = []

    def start_day(self) -> None:
        """Forget the quotes of the day before; numbers may be used anew."""
        self._slots.clear()
        self._next_number = 1

    def quote_all(self, at_ns: int) -> Iterator[Command]:
        """Put up or refresh the ladder in every instrument."""
        for listing in LISTINGS:
            yield from self._refresh(listing, at_ns)

    def begin_batch(self) -> None:
        """Plan one refresh of every ladder, in a new order; replies come only after the batch."""
        self._due = self._rng.sample(LISTINGS, len(LISTINGS))

    def act(self, at_ns: int) -> Iterator[Command]:
        """Refresh the next two ladders that are due in this batch."""
        for _ in range(min(2, len(self._due))):
            yield from self._refresh(self._due.pop(), at_ns)

    def _refresh(self, listing: Listing, at_ns: int) -> Iterator[Command]:
        shade = self._rng.randint(0, 1 + listing.half_spread_ticks // 3)
        mid = self._mids.ticks(listing.instrument_id)
        for side in (Side.BUY, Side.SELL):
            away = -1 if side is Side.BUY else 1
            for level in range(LEVEL_COUNT):
                depth = listing.half_spread_ticks * (level + 1) + shade
                lots = listing.typical_lots * (level + 2) + self._rng.randint(0, 9)
                slot = (listing.instrument_id, side, level)
                yield from self._keep(slot, mid + away * depth, lots, at_ns)

    def _keep(self, slot: Slot, price_ticks: int, lots: int, at_ns: int) -> Iterator[Command]:
        number = self._slots.get(slot)
        resting = None if number is None else self._watch.find(self.account_id, number)
        if number is None or resting is None:
            yield self._place(slot, price_ticks, lots, at_ns)
        elif resting.price_ticks == price_ticks:
            return
        elif self._rng.random() < REPLACE_SHARE:
            yield ReplaceOrder(
                sequence=0,
                received_at_ns=at_ns,
                session_id=self.account_id,
                account_id=self.account_id,
                client_order_id=number,
                price_ticks=price_ticks,
                quantity_lots=lots,
            )
        else:
            yield CancelOrder(
                sequence=0,
                received_at_ns=at_ns,
                session_id=self.account_id,
                account_id=self.account_id,
                client_order_id=number,
            )
            yield self._place(slot, price_ticks, lots, at_ns)

    def _place(self, slot: Slot, price_ticks: int, lots: int, at_ns: int) -> Command:
        number = self._next_number
        self._next_number += 1
        self._slots[slot] = number
        instrument_id, side, _ = slot
        return PlaceOrder(
            sequence=0,
            received_at_ns=at_ns,
            session_id=self.account_id,
            account_id=self.account_id,
            client_order_id=number,
            instrument_id=instrument_id,
            side_code=side,
            order_type_code=OrderType.LIMIT,
            time_in_force_code=TimeInForce.DAY,
            post_only_code=1,
            price_ticks=price_ticks,
            quantity_lots=lots,
        )
