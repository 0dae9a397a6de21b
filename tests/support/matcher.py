"""The matching kernel behind the same door as the naive books: declared commands in, outcomes out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.market.books import export_orders, forget_day, make_books, trade_scratch
from engine.market.matching_kernel import find_order, first_order, remove
from engine.market.naive_book import (
    Accepted,
    Cancelled,
    Expired,
    Outcome,
    Refused,
    Replaced,
    Traded,
    TradingCommand,
)
from schemas.codes import RejectReason
from schemas.derive.layout import Rows, dtype_of, empty_rows, row_tuple
from schemas.market import CancelOrder, InstrumentRow, PlaceOrder, ReplaceOrder
from tests.support import drive_kernel as driver


class Matcher:
    """Books of the kernel, one a window; `scratch_count` is how many trades one call of `match` may write."""

    def __init__(
        self,
        floors: dict[int, int],
        window_count: int,
        order_count: int,
        order_id_count: int,
        scratch_count: int = 2,
    ) -> None:
        instrument_count = max(floors)
        self.books = make_books(1, instrument_count, order_count, order_id_count, window_count)
        self.instruments = instrument_rows(floors)
        self.trades = trade_scratch(scratch_count)
        self.outcomes = np.zeros((order_count + 8, driver.OUTCOME_WIDTH), dtype=np.int64)

    def submit(self, command: TradingCommand) -> list[Outcome]:
        """Run one command through the kernel."""
        rows = np.array([row_tuple(command)], dtype=dtype_of(type(command)))
        books, instruments, trades, outcomes = self.books, self.instruments, self.trades, self.outcomes
        if isinstance(command, PlaceOrder):
            count = driver.place(books, instruments, rows[0], trades, outcomes, 0)
        elif isinstance(command, CancelOrder):
            count = driver.cancel(
                books, instruments, command.account_id, command.client_order_id, outcomes, 0
            )
        else:
            count = driver.replace(books, instruments, rows[0], trades, outcomes, 0)
        return [decode(row) for row in outcomes[:count].tolist()]

    def end_day(self) -> list[Outcome]:
        """Expire all orders the way an engine does it: the first of each instrument until none is left."""
        outcomes: list[Outcome] = []
        for instrument_id in range(len(self.instruments)):
            while row := first_order(self.books, self.instruments, instrument_id):
                order_id = int(self.books.orders[row]["order_id"])
                lots = remove(self.books, self.instruments, row)
                outcomes.append(Expired(order_id, lots))
        forget_day(self.books)
        return outcomes

    def find(self, account_id: int, client_order_id: int) -> int:
        """Row of an order, as find_order says."""
        return find_order(self.books, account_id, client_order_id)

    def resting(self) -> Rows:
        """Resting orders in canonical order."""
        return export_orders(self.books)


def instrument_rows(floors: dict[int, int]) -> Rows:
    """InstrumentRow rows of empty books with the given window floors."""
    instruments = empty_rows(InstrumentRow, max(floors) + 1)
    instruments["best_bid_ticks"] = -1
    instruments["best_ask_ticks"] = -1
    for instrument_id, floor in floors.items():
        instruments[instrument_id]["instrument_id"] = instrument_id
        instruments[instrument_id]["window_floor_ticks"] = floor
    return instruments


def decode(row: Sequence[int]) -> Outcome:
    """An outcome from a row that the driver wrote."""
    kind, *fields = row
    if kind == driver.ACCEPTED:
        return Accepted(fields[0])
    if kind == driver.REFUSED:
        return Refused(RejectReason(fields[0]))
    if kind == driver.TRADED:
        return Traded(*fields)
    if kind == driver.REPLACED:
        return Replaced(fields[0], fields[1], fields[2], bool(fields[3]))
    if kind == driver.CANCELLED:
        return Cancelled(fields[0], fields[1])
    return Expired(fields[0], fields[1])


def place(
    order_id: int,
    *,
    account_id: int = 1,
    client_order_id: int | None = None,
    instrument_id: int = 1,
    side: int,
    price: int = 0,
    lots: int,
    order_type: int = 1,
    time_in_force: int = 1,
    is_post_only: bool = False,
) -> PlaceOrder:
    """A PlaceOrder; its client_order_id is the order_id unless given."""
    return PlaceOrder(
        sequence=order_id,
        received_at_ns=0,
        session_id=0,
        account_id=account_id,
        client_order_id=order_id if client_order_id is None else client_order_id,
        instrument_id=instrument_id,
        side_code=side,
        order_type_code=order_type,
        time_in_force_code=time_in_force,
        is_post_only=int(is_post_only),
        price_ticks=price,
        quantity_lots=lots,
    )


def cancel(sequence: int, client_order_id: int, account_id: int = 1) -> CancelOrder:
    """A CancelOrder."""
    return CancelOrder(
        sequence=sequence,
        received_at_ns=0,
        session_id=0,
        account_id=account_id,
        client_order_id=client_order_id,
    )


def replace(
    sequence: int, client_order_id: int, *, price: int, lots: int, account_id: int = 1
) -> ReplaceOrder:
    """A ReplaceOrder."""
    return ReplaceOrder(
        sequence=sequence,
        received_at_ns=0,
        session_id=0,
        account_id=account_id,
        client_order_id=client_order_id,
        price_ticks=price,
        quantity_lots=lots,
    )
