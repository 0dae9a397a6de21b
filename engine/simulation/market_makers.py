"""Market makers: two-sided ladders around the mid, kept fresh by replace and cancel.

Owns: how the four makers quote. Does not own: the mid (mids.py), time and batches (session.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.simulation.desk import Desk
from engine.simulation.mids import Mids
from engine.simulation.order_watch import OrderWatch
from engine.simulation.venue import fitted
from engine.simulation.world import LISTINGS, Listing
from schemas.codes import PostOnly, Side
from schemas.headers import Command

LEVEL_COUNT = 3
REPLACE_SHARE = 0.7  # of stale quotes; the others are cancelled and placed anew

Slot = tuple[int, Side, int]  # instrument, side, level


class MarketMaker:
    """One maker account with a ladder of quotes in every instrument.

    Makers with odd numbers let a quote that would take be moved aside, others have it refused.
    """

    def __init__(self, account_id: int, seed: int, watch: OrderWatch, mids: Mids) -> None:
        self.account_id = account_id
        self.desk = Desk(account_id, f"{seed}:maker:{account_id}", watch, mids)
        self._rng = self.desk.rng
        self._watch = watch
        self._slots: dict[Slot, int] = {}
        self._due: list[Listing] = []
        is_moved = account_id % 2 == 1
        self._placed_as = PostOnly.REPRICE if is_moved else PostOnly.REJECT
        self._replaced_as = PostOnly.REPRICE if is_moved else PostOnly.NONE

    def start_day(self) -> None:
        """Forget the quotes of the day before; numbers may be used anew."""
        self._slots.clear()
        self.desk.start_day()

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
        mid = self.desk.mid(listing)
        for side in (Side.BUY, Side.SELL):
            away = -1 if side is Side.BUY else 1
            for level in range(LEVEL_COUNT):
                depth = listing.half_spread_ticks * (level + 1) + shade
                lots = listing.typical_lots * (level + 2) + self._rng.randint(0, 9)
                price = fitted(listing.instrument_id, side, mid + away * depth)
                yield from self._keep((listing.instrument_id, side, level), listing, price, lots, at_ns)

    def _keep(
        self, slot: Slot, listing: Listing, price_ticks: int, lots: int, at_ns: int
    ) -> Iterator[Command]:
        number = self._slots.get(slot)
        resting = None if number is None else self._watch.find(self.account_id, number)
        if number is None or resting is None:
            yield self._place(slot, listing, price_ticks, lots, at_ns)
        elif resting.price_ticks == price_ticks:
            return
        elif self._rng.random() < REPLACE_SHARE:
            yield self.desk.replace(at_ns, number, price_ticks, lots, self._replaced_as)
        else:
            yield self.desk.cancel(at_ns, number)
            yield self._place(slot, listing, price_ticks, lots, at_ns)

    def _place(self, slot: Slot, listing: Listing, price_ticks: int, lots: int, at_ns: int) -> Command:
        placed = self.desk.place(at_ns, listing, slot[1], lots, price_ticks, post_only_code=self._placed_as)
        self._slots[slot] = placed.client_order_id
        return placed
