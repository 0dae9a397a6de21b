"""Orders that say more than side, price and quantity, as clients write them.

Owns: what each kind of such an order looks like. Does not own: who wants one and when (clients.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from engine.simulation.business_days import MINUTE_NS
from engine.simulation.desk import Desk
from engine.simulation.world import Listing
from schemas.codes import CONTRACTS, OrderLink, OrderType, Side, TimeInForce
from schemas.headers import Command

TODAY_MINUTES, TOMORROW_MINUTES = (
    (10, 120),
    (1_100, 1_500),
)  # how long an order that is good till then is good
TOMORROW_SHARE, UNTIL_CANCELLED_SHARE = 0.2, 0.3

Writer = Callable[[int, Listing, Side, int], Iterator[Command]]


class SpecialOrders:
    """What a client writes when a plain order will not do."""

    def __init__(self, desk: Desk, menu: Sequence[Listing]) -> None:
        self._desk = desk
        self._rng = desk.rng
        self._held = [x for x in menu if x.instrument_class not in CONTRACTS]
        self._writers: dict[str, Writer] = {
            "minimum": self._minimum,
            "iceberg": self._iceberg,
            "reduce_only": self._reduce_only,
            "stop": self._stop,
            "stop_limit": self._stop_limit,
            "trailing_stop": self._trailing_stop,
            "pair": self._pair,
            "bracket": self._bracket,
            "pegged": self._pegged,
            "good_till": self._good_till,
            "at_close": self._at_close,
        }

    def write(self, kind: str, at_ns: int, listing: Listing, side: Side, lots: int) -> Iterator[Command]:
        """Write an order of a kind, about the side and size of which the client thought."""
        return self._writers[kind](at_ns, listing, side, lots)

    def _minimum(self, at_ns: int, listing: Listing, side: Side, lots: int) -> Iterator[Command]:
        price = self._desk.beyond(listing, side, 3)
        least = max(lots // 2, 1)
        yield self._desk.place(at_ns, listing, side, lots, price, life=TimeInForce.IOC, minimum_lots=least)

    def _iceberg(self, at_ns: int, listing: Listing, side: Side, lots: int) -> Iterator[Command]:
        price = self._desk.behind(listing, side, self._rng.randint(0, 2))
        whole = lots * 4 if side is Side.BUY else lots
        yield self._desk.place(at_ns, listing, side, whole, price, display_lots=max(whole // 5, 1))

    def _reduce_only(self, at_ns: int, listing: Listing, side: Side, lots: int) -> Iterator[Command]:
        held = self._desk.watch.position(self._desk.account_id, listing.instrument_id)
        side = Side.BUY if held < 0 else Side.SELL
        lots = max(min(lots, abs(held)), 1)
        price = self._desk.behind(listing, side, self._rng.randint(0, 3))
        yield self._desk.place(at_ns, listing, side, lots, price, is_reduce_only=1)

    # Stops ------------------------------------------------------------------------------------------

    def _set_off_at(self, listing: Listing, side: Side, spreads: int) -> int:
        """A price that the market must move to: above the mid for a buyer, below it for a seller."""
        other = Side.SELL if side is Side.BUY else Side.BUY
        return self._desk.behind(listing, other, spreads)

    def _guard(self, listing: Listing, side: Side, lots: int) -> tuple[Side, int]:
        """Side and size of an order that guards what is held, or waits for a rise when nothing is."""
        free = self._desk.unsold(listing)
        return (Side.SELL, min(lots, free)) if side is Side.SELL and free else (Side.BUY, lots)

    def _stop(self, at_ns: int, listing: Listing, side: Side, lots: int) -> Iterator[Command]:
        side, lots = self._guard(listing, side, lots)
        stop = self._set_off_at(listing, side, self._rng.randint(3, 8))
        yield self._desk.place(at_ns, listing, side, lots, kind=OrderType.STOP, stop_ticks=stop)

    def _stop_limit(self, at_ns: int, listing: Listing, side: Side, lots: int) -> Iterator[Command]:
        side, lots = self._guard(listing, side, lots)
        stop = self._set_off_at(listing, side, 4)
        price = self._desk.beyond(listing, side, 9)
        yield self._desk.place(at_ns, listing, side, lots, price, OrderType.STOP_LIMIT, stop_ticks=stop)

    def _trailing_stop(self, at_ns: int, listing: Listing, side: Side, lots: int) -> Iterator[Command]:
        side, lots = self._guard(listing, side, lots)
        trail = listing.half_spread_ticks * self._rng.randint(3, 9)
        yield self._desk.place(at_ns, listing, side, lots, kind=OrderType.TRAILING_STOP, trail_ticks=trail)

    # Linked orders ----------------------------------------------------------------------------------

    def _pair(self, at_ns: int, listing: Listing, side: Side, lots: int) -> Iterator[Command]:
        """A target and a stop for what is held: what fills one takes from the other."""
        free = self._desk.unsold(listing)
        if not free:
            listing = self._rng.choice(self._held)
            free = self._desk.unsold(listing)
        lots = max(min(lots, free), 1)
        target = self._desk.behind(listing, Side.SELL, self._rng.randint(3, 6))
        first = self._desk.place(at_ns, listing, Side.SELL, lots, target)
        yield first
        yield self._stop_beside(at_ns, listing, first.client_order_id, lots)

    def _bracket(self, at_ns: int, listing: Listing, side: Side, lots: int) -> Iterator[Command]:
        """A purchase with its way out: a target and a stop that wait until it has been filled."""
        target = self._desk.behind(listing, Side.SELL, self._rng.randint(4, 8))
        first = self._desk.place(at_ns, listing, Side.SELL, lots, target, order_link_code=OrderLink.AWAIT)
        yield first
        yield self._stop_beside(at_ns, listing, first.client_order_id, lots)
        takes = self._rng.random() < 0.6
        price = self._desk.beyond(listing, Side.BUY, 3) if takes else self._desk.behind(listing, Side.BUY, 2)
        yield self._desk.place(
            at_ns, listing, Side.BUY, lots, price,
            life=TimeInForce.IOC if takes else TimeInForce.DAY,
            linked_client_order_id=first.client_order_id, order_link_code=OrderLink.ENTRY,
        )  # fmt: skip

    def _stop_beside(self, at_ns: int, listing: Listing, first_number: int, lots: int) -> Command:
        stop = self._set_off_at(listing, Side.SELL, self._rng.randint(4, 8))
        return self._desk.place(
            at_ns, listing, Side.SELL, lots, kind=OrderType.STOP, stop_ticks=stop,
            linked_client_order_id=first_number, order_link_code=OrderLink.OCO,
        )  # fmt: skip

    # Prices that follow, and lives that are longer or shorter than the day --------------------------------

    def _pegged(self, at_ns: int, listing: Listing, side: Side, lots: int) -> Iterator[Command]:
        worst = self._desk.beyond(listing, side, 3)
        is_mid = self._rng.random() < 0.4
        kind = OrderType.PEGGED_MID if is_mid else OrderType.PEGGED_PRIMARY
        offset = 0 if is_mid else self._rng.randint(0, 2)
        yield self._desk.place(at_ns, listing, side, lots, worst, kind, offset_ticks=offset)

    def _good_till(self, at_ns: int, listing: Listing, side: Side, lots: int) -> Iterator[Command]:
        price = self._desk.behind(listing, side, self._rng.randint(4, 12))
        if self._rng.random() < UNTIL_CANCELLED_SHARE:
            yield self._desk.place(at_ns, listing, side, lots, price, life=TimeInForce.GTC)
            return
        least, most = TOMORROW_MINUTES if self._rng.random() < TOMORROW_SHARE else TODAY_MINUTES
        ends_at_ns = at_ns + self._rng.randint(least, most) * MINUTE_NS
        yield self._desk.place(
            at_ns, listing, side, lots, price, life=TimeInForce.GTD, expires_at_ns=ends_at_ns
        )

    def _at_close(self, at_ns: int, listing: Listing, side: Side, lots: int) -> Iterator[Command]:
        if self._rng.random() < 0.5:
            yield self._desk.place(
                at_ns, listing, side, lots, kind=OrderType.MARKET, life=TimeInForce.AT_CLOSE
            )
            return
        price = self._desk.behind(listing, side, self._rng.randint(-2, 4))
        yield self._desk.place(at_ns, listing, side, lots, price, life=TimeInForce.AT_CLOSE)
