"""What goes wrong on the market itself: a fat finger, a crash, a lost session; and a drill for worse.

Owns: who errs and by how much, seen from what everybody's orders are. Does not own: what comes of it; price
bands, circuit breaker and kill switch are the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.simulation.clients import Client
from engine.simulation.floor import Floor
from engine.simulation.venue import VENUES, fitted
from engine.simulation.world import BTC_PERPETUAL, EQUITIES, Listing
from schemas.codes import AccountClass, OrderType, SelfTradePrevention, Side
from schemas.market import CancelOrders, SetKillSwitch

MARKET_OPERATOR = 131
FAT_FINGERED = EQUITIES[1]
CRASHED = BTC_PERPETUAL
BPS = 10_000
SURPLUS_LOTS = 100  # ordered beyond all that stands in the way
LONELY_LOTS = 20  # of the order that stands far away
LARGEST_MINOR = 50_000_000  # no client may order more at once


class Mishaps:
    """The day's mishaps; each is one batch of commands, at the time that the script says."""

    def __init__(self, floor: Floor, clients: Sequence[Client], spared: Sequence[int]) -> None:
        """`spared` are accounts that must not trade, or soon must not."""
        self._floor = floor
        self._clients = [c for c in clients if c.account_id not in spared]
        self._mistaken: tuple[Client, int] | None = None  # who erred last, and the number of the order

    def fat_finger(self, at_ns: int) -> None:
        """Somebody buys twenty times too much: the order sweeps the book, up to an offer outside the band."""
        listing = FAT_FINGERED
        seller = max(self._clients, key=lambda c: c.desk.unsold(listing))
        self._err(listing, Side.BUY, seller, at_ns, VENUES[listing.instrument_id].dynamic_bps * 5 // 3)

    def crash(self, at_ns: int) -> None:
        """Somebody sells a contract at any price: the circuit breaker halts it."""
        listing = CRASHED
        bidder = sorted(self._able(), key=self._excess)[-2]
        self._err(listing, Side.SELL, bidder, at_ns, VENUES[listing.instrument_id].static_bps * 5 // 4)

    def regret(self, at_ns: int) -> None:
        """Whoever erred halves what is left of the order; its place in the queue stays."""
        order = self._left()
        if order is not None:
            client, number, price, lots = order
            self._floor.submit([client.desk.replace(at_ns, number, price, max(lots // 2, 1))])

    def give_up(self, at_ns: int) -> None:
        """Whoever erred takes back what is left of the order; a halt does not keep anybody from that."""
        order = self._left()
        if order is not None:
            client, number, _, _ = order
            self._floor.submit([client.desk.cancel(at_ns, number)])

    def lose_session(self, account_id: int, at_ns: int) -> None:
        """A trader's line goes down, and all its orders with it."""
        self._floor.submit([_cancel_all(at_ns, session_id=account_id, is_disconnect=1)])

    def drill(self, at_ns: int) -> None:
        """Stop trading for a moment: an order is refused, a cancel passes, and trading goes on."""
        client = next(c for c in self._clients if self._floor.watch.open_orders(c.account_id))
        oldest = self._floor.watch.open_orders(client.account_id)[0]
        listing = EQUITIES[0]
        self._floor.submit(
            [
                _switch(True, at_ns),
                client.desk.place(at_ns, listing, Side.BUY, 1, client.desk.behind(listing, Side.BUY, 5)),
                client.desk.cancel(at_ns, oldest.client_order_id),
                _switch(False, at_ns),
            ]
        )

    # How somebody errs ------------------------------------------------------------------------------

    def _err(self, listing: Listing, side: Side, lonely: Client, at_ns: int, away_bps: int) -> None:
        """One client with a lonely order far from the mid, and one who takes all that stands before it."""
        other = Side.SELL if side is Side.BUY else Side.BUY
        sign = 1 if side is Side.BUY else -1
        mid = lonely.desk.mid(listing)
        far = fitted(listing.instrument_id, other, mid + sign * mid * away_bps // BPS)
        limit = fitted(listing.instrument_id, other, mid + sign * mid * (away_bps + 40) // BPS)
        free = [c for c in self._able() if c.holder.client_id != lonely.holder.client_id]
        client = max(free, key=self._excess)
        lots = self._standing_before(listing, other, far) + LONELY_LOTS + SURPLUS_LOTS
        lots = min(lots, LARGEST_MINOR // limit, listing.max_order_lots)
        wrong = client.desk.place(
            at_ns, listing, side, lots, limit, self_trade_code=SelfTradePrevention.CANCEL_RESTING
        )
        self._mistaken = client, wrong.client_order_id
        self._floor.submit([lonely.desk.place(at_ns, listing, other, LONELY_LOTS, far), wrong])

    def _able(self) -> list[Client]:
        """Clients whose margin carries a large mistake."""
        return [c for c in self._clients if c.holder.account_class is AccountClass.CUSTOMER_MARGIN]

    def _excess(self, client: Client) -> int:
        return self._floor.watch.excess_minor.get(client.account_id, 0)

    def _standing_before(self, listing: Listing, side: Side, far: int) -> int:
        """Lots of a side at prices better than `far`."""
        is_better: Callable[[int], bool] = far.__gt__ if side is Side.SELL else far.__lt__
        return sum(
            o.open_lots
            for o in self._floor.watch.all_open()
            if o.instrument_id == listing.instrument_id
            and o.side is side
            and o.order_type is not OrderType.STOP
            and is_better(o.price_ticks)
        )

    def _left(self) -> tuple[Client, int, int, int] | None:
        if self._mistaken is None:
            return None
        client, number = self._mistaken
        order = self._floor.watch.find(client.account_id, number)
        return None if order is None else (client, number, order.price_ticks, order.open_lots)


def _cancel_all(
    at_ns: int, *, account_id: int = 0, session_id: int = 0, is_disconnect: int = 0
) -> CancelOrders:
    return CancelOrders(
        sequence=0,
        received_at_ns=at_ns,
        account_id=account_id,
        session_id=session_id,
        instrument_id=0,
        side_code=0,
        is_disconnect=is_disconnect,
    )


def cancel_account(at_ns: int, account_id: int) -> CancelOrders:
    """Cancel whatever an account has open."""
    return _cancel_all(at_ns, account_id=account_id)


def _switch(is_stopped: bool, at_ns: int) -> SetKillSwitch:
    return SetKillSwitch(
        sequence=0, received_at_ns=at_ns, is_stopped=int(is_stopped), operator_id=MARKET_OPERATOR
    )
