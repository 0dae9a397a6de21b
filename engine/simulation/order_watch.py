"""What traders know of their orders and holdings, from what the engine published.

Owns: open orders, traded positions and margins as seen from outside. Does not own: the engine's state; this
is a client's own record and may lag by the frame that is being made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.codes import OrderType, Side, TimeInForce
from schemas.market import (
    Fill,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderReduced,
    OrderReplaced,
    OrderTriggered,
)
from schemas.risk import MarginChanged

if TYPE_CHECKING:
    from engine.journal.frame import Frame

ACCEPTED = (
    "order_id",
    "account_id",
    "client_order_id",
    "instrument_id",
    "side_code",
    "order_type_code",
    "time_in_force_code",
    "price_ticks",
    "quantity_lots",
)
FILLED = (
    "instrument_id",
    "taker_side_code",
    "quantity_lots",
    "notional_minor",
    "taker_order_id",
    "taker_account_id",
    "maker_order_id",
    "maker_account_id",
)
WATCHED: dict[type, tuple[str, ...]] = {
    OrderAccepted: ACCEPTED,
    OrderReplaced: ("order_id", "price_ticks", "quantity_lots", "is_priority_kept"),
    Fill: FILLED,
    OrderCancelled: ("order_id",),
    OrderExpired: ("order_id",),
    OrderReduced: ("order_id", "reduced_lots"),
    OrderTriggered: ("order_id",),
    MarginChanged: ("account_id", "equity_minor", "initial_margin_minor"),
}


@dataclass(slots=True)
class OpenOrder:
    """An order that lives, as its owner knows it."""

    order_id: int
    account_id: int
    client_order_id: int
    instrument_id: int
    side: Side
    order_type: OrderType
    life: TimeInForce
    price_ticks: int  # its limit; zero for none
    open_lots: int
    has_triggered: bool = False


class OrderKey(NamedTuple):
    """How an owner names an order."""

    account_id: int
    client_order_id: int


class OrderWatch:
    """Open orders by owner's number, positions in lots and money traded, fed with whole frames."""

    def __init__(self) -> None:
        self._by_order_id: dict[int, OpenOrder] = {}
        self._by_key: dict[OrderKey, OpenOrder] = {}
        self._by_account: dict[int, dict[int, OpenOrder]] = {}
        self.position_lots: dict[tuple[int, int], int] = {}
        self.money_minor: dict[int, int] = {}
        self.excess_minor: dict[int, int] = {}  # equity less initial margin, by account
        self.fill_count = 0

    def find(self, account_id: int, client_order_id: int) -> OpenOrder | None:
        """The order of that number, if it still lives."""
        return self._by_key.get(OrderKey(account_id, client_order_id))

    def open_orders(self, account_id: int) -> list[OpenOrder]:
        """Orders of an account that live, oldest first."""
        return list(self._by_account.get(account_id, {}).values())

    def all_open(self) -> list[OpenOrder]:
        """Everybody's orders that live, oldest first."""
        return list(self._by_order_id.values())

    def add_holding(self, account_id: int, instrument_id: int, lots: int) -> None:
        """Count lots that came in by a transfer."""
        key = (account_id, instrument_id)
        self.position_lots[key] = self.position_lots.get(key, 0) + lots

    def position(self, account_id: int, instrument_id: int) -> int:
        """Lots held, by our own count; negative when short."""
        return self.position_lots.get((account_id, instrument_id), 0)

    def unsold(self, account_id: int, instrument_id: int) -> int:
        """Lots held that no open order of the account is about to sell; both legs of a pair count."""
        asked = sum(
            o.open_lots
            for o in self._by_account.get(account_id, {}).values()
            if o.instrument_id == instrument_id and o.side is Side.SELL
        )
        return max(self.position(account_id, instrument_id) - asked, 0)

    def see(self, frame: Frame) -> None:
        """Take in every event of a frame in the engine's order."""
        for cls, values in _watched_events(frame):
            if cls is OrderAccepted:
                self._accept(values)
            elif cls is Fill:
                self._fill(values)
            elif cls is OrderReplaced:
                self._replace(*values)
            elif cls is OrderReduced:
                self._take(*values)
            elif cls is OrderTriggered:
                self._by_order_id[values[0]].has_triggered = True
            elif cls is MarginChanged:
                account_id, equity, needed = values
                self.excess_minor[account_id] = equity - needed
            else:
                self._drop(values[0])

    def _accept(self, values: tuple[int, ...]) -> None:
        order_id, account_id, number, instrument_id, side, kind, life, price, lots = values
        order = OpenOrder(
            order_id,
            account_id,
            number,
            instrument_id,
            Side(side),
            OrderType(kind),
            TimeInForce(life),
            price,
            lots,
        )
        self._by_order_id[order_id] = order
        self._by_key[OrderKey(account_id, number)] = order
        self._by_account.setdefault(account_id, {})[order_id] = order

    def _replace(self, order_id: int, price_ticks: int, open_lots: int, is_priority_kept: int) -> None:
        """What keeps its place keeps its price; of a stop order the price is its stop, and no limit."""
        order = self._by_order_id[order_id]
        order.open_lots = open_lots
        if not is_priority_kept and order.order_type is not OrderType.STOP:
            order.price_ticks = price_ticks

    def _fill(self, values: tuple[int, ...]) -> None:
        instrument, side, lots, notional, taker_order, taker, maker_order, maker = values
        self.fill_count += 1
        sign = 1 if side == Side.BUY else -1
        self.add_holding(taker, instrument, sign * lots)
        self.add_holding(maker, instrument, -sign * lots)
        self.money_minor[taker] = self.money_minor.get(taker, 0) - sign * notional
        self.money_minor[maker] = self.money_minor.get(maker, 0) + sign * notional
        for order_id in (taker_order, maker_order):
            self._take(order_id, lots)

    def _take(self, order_id: int, lots: int) -> None:
        """Count lots off an order: they were executed, or a rule took them."""
        order = self._by_order_id[order_id]
        order.open_lots -= lots
        if order.open_lots <= 0:
            self._drop(order_id)

    def _drop(self, order_id: int) -> None:
        order = self._by_order_id.pop(order_id)
        del self._by_key[OrderKey(order.account_id, order.client_order_id)]
        del self._by_account[order.account_id][order_id]


def _watched_events(frame: Frame) -> Iterator[tuple[type, tuple[int, ...]]]:
    merged: list[tuple[int, type, tuple[int, ...]]] = []
    for section in frame.sections:
        cls = section.record.cls
        names = WATCHED.get(cls)
        if names is None:
            continue
        rows: Any = section.rows
        columns = [rows["sequence"].tolist(), *(rows[name].tolist() for name in names)]
        merged.extend((row[0], cls, row[1:]) for row in zip(*columns, strict=True))
    merged.sort(key=lambda entry: entry[0])
    for _, cls, values in merged:
        yield cls, values
