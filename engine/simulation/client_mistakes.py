"""The mistakes that clients make, each for one reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from engine.simulation.desk import Desk
from engine.simulation.world import BTCUSD, EQUITIES, LISTINGS, Listing
from schemas.codes import OrderLink, OrderType, PostOnly, Side, TimeInForce
from schemas.headers import Command


class Mistakes:
    """What one client does wrong."""

    def __init__(self, desk: Desk, menu: Sequence[Listing]) -> None:
        self._desk = desk
        self._rng = desk.rng
        self._menu = menu
        self._all: tuple[Callable[[int], Iterator[Command]], ...] = (
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
            self._beside_the_ladder,
            self._reduce_nothing,
            self._terms_that_do_not_fit,
            self._link_to_nothing,
            self._follow_another_price,
            self._meet_itself,
        )

    def make_one(self, at_ns: int) -> Iterator[Command]:
        """Make one of them."""
        return self._rng.choice(self._all)(at_ns)

    def _far_price(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(EQUITIES)
        yield self._desk.place(at_ns, listing, Side.BUY, 1, self._desk.mid(listing) * 106 // 100)

    def _no_price(self, at_ns: int) -> Iterator[Command]:
        yield self._desk.place(at_ns, self._rng.choice(self._menu), Side.BUY, 1, 0)

    def _too_large(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(self._menu)
        price = self._desk.mid(listing)
        yield self._desk.place(at_ns, listing, Side.BUY, listing.max_order_lots + 1, price)

    def _too_much_money(self, at_ns: int) -> Iterator[Command]:
        price = self._desk.mid(EQUITIES[3]) - 5
        yield self._desk.place(at_ns, EQUITIES[3], Side.BUY, 15_000, price)

    def _nothing(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(self._menu)
        lots = self._rng.choice((0, -5))
        yield self._desk.place(at_ns, listing, Side.BUY, lots, self._desk.mid(listing))

    def _unknown_instrument(self, at_ns: int) -> Iterator[Command]:
        number = LISTINGS[-1].instrument_id + 1
        yield self._desk.place(at_ns, EQUITIES[0], Side.BUY, 1, 100, instrument_id=number)

    def _unknown_code(self, at_ns: int) -> Iterator[Command]:
        yield self._desk.place(at_ns, EQUITIES[0], 3, 1, self._desk.mid(EQUITIES[0]))

    def _same_number_twice(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(EQUITIES)
        price = self._desk.behind(listing, Side.BUY, 15)
        first = self._desk.place(at_ns, listing, Side.BUY, 1, price)
        yield first
        yield self._desk.place(at_ns, listing, Side.BUY, 1, price, client_order_id=first.client_order_id)

    def _cancel_of_nothing(self, at_ns: int) -> Iterator[Command]:
        yield self._desk.cancel(at_ns, 9_000_000 + self._rng.randint(0, 999))

    def _sell_what_is_not_there(self, at_ns: int) -> Iterator[Command]:
        held = max(self._desk.watch.position(self._desk.account_id, BTCUSD.instrument_id), 0)
        yield self._desk.place(at_ns, BTCUSD, Side.SELL, held + 200, self._desk.mid(BTCUSD) + 40)

    def _crossing_post_only(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(EQUITIES)
        price = self._desk.beyond(listing, Side.BUY, 20)
        yield self._desk.place(at_ns, listing, Side.BUY, 1, price, post_only_code=PostOnly.REJECT)

    def _impossible_fill_or_kill(self, at_ns: int) -> Iterator[Command]:
        price = self._desk.mid(EQUITIES[1]) - 30
        yield self._desk.place(at_ns, EQUITIES[1], Side.BUY, 10, price, life=TimeInForce.FOK)

    def _foreign_account(self, at_ns: int) -> Iterator[Command]:
        price = self._desk.mid(EQUITIES[2])
        yield self._desk.place(at_ns, EQUITIES[2], Side.BUY, 1, price, account_id=63)

    # Of orders that say more -----------------------------------------------------------------------

    def _beside_the_ladder(self, at_ns: int) -> Iterator[Command]:
        dear = EQUITIES[3]  # its step is five cents
        price = self._desk.behind(dear, Side.BUY, 3) - 2
        yield self._desk.place(at_ns, dear, Side.BUY, 1, price)

    def _reduce_nothing(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(EQUITIES)
        price = self._desk.behind(listing, Side.BUY, 3)
        yield self._desk.place(at_ns, listing, Side.BUY, 1, price, is_reduce_only=1)

    def _terms_that_do_not_fit(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(EQUITIES)
        price = self._desk.behind(listing, Side.BUY, 3)
        yield self._desk.place(at_ns, listing, Side.BUY, 1, price, trail_ticks=5)

    def _link_to_nothing(self, at_ns: int) -> Iterator[Command]:
        listing = self._rng.choice(EQUITIES)
        price = self._desk.behind(listing, Side.BUY, 3)
        yield self._desk.place(
            at_ns, listing, Side.BUY, 1, price,
            linked_client_order_id=9_000_000, order_link_code=OrderLink.OCO,
        )  # fmt: skip

    def _follow_another_price(self, at_ns: int) -> Iterator[Command]:
        """A trailing stop follows the market and nobody else."""
        listing = self._rng.choice(EQUITIES)
        trailing = self._desk.place(
            at_ns, listing, Side.BUY, 1, kind=OrderType.TRAILING_STOP, trail_ticks=200
        )
        yield trailing
        yield self._desk.replace(at_ns, trailing.client_order_id, self._desk.mid(listing), 2)
        yield self._desk.cancel(at_ns, trailing.client_order_id)

    def _meet_itself(self, at_ns: int) -> Iterator[Command]:
        """Sell at the price of an own bid, the best there is."""
        listing = self._rng.choice([x for x in EQUITIES if self._desk.unsold(x)] or EQUITIES)
        price = self._desk.behind(listing, Side.BUY, 0)
        yield self._desk.place(at_ns, listing, Side.BUY, 2, price)
        yield self._desk.place(at_ns, listing, Side.SELL, 1, price)
