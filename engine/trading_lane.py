"""The trading lane: runs of orders through the compiled pass, with room for every event they can cause."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine.batch import TRADING, TURN, Batch
from engine.errors import InvariantBroken
from engine.execution_kernel import (
    ACCEPTED,
    CANCELLED,
    COUNTS,
    DECLINED,
    EXPIRED,
    FILLED,
    IS_BROKEN,
    KIND_COUNT,
    MARGINED,
    PHASED,
    POSTED,
    REDUCED,
    REFUSED,
    REPLACED,
    SEQUENCE,
    SHOWN,
    SWITCHED,
    TRIGGERED,
    UNCROSSED,
    Events,
    Tables,
)
from engine.journal.frame import Section
from engine.ledger.posting_kernel import POSTINGS_PER_FILL
from engine.market.requests import MOST_PEG_MOVES, MOST_SLICES
from engine.pipeline_kernel import Commands, run
from engine.state import State
from schemas.derive.layout import Rows, dtype_of, empty_rows
from schemas.ledger import Posting
from schemas.market import (
    AuctionUncrossed,
    CommandRefused,
    Fill,
    InstrumentStateChanged,
    KillSwitchSet,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderReduced,
    OrderRefused,
    OrderReplaced,
    OrderShown,
    OrderTriggered,
)
from schemas.matching import MarketCommand, OrderTerms
from schemas.record import record_of
from schemas.risk import MarginChanged

_CLASSES: dict[int, type] = {
    ACCEPTED: OrderAccepted,
    REFUSED: OrderRefused,
    CANCELLED: OrderCancelled,
    REPLACED: OrderReplaced,
    EXPIRED: OrderExpired,
    TRIGGERED: OrderTriggered,
    REDUCED: OrderReduced,
    SHOWN: OrderShown,
    UNCROSSED: AuctionUncrossed,
    PHASED: InstrumentStateChanged,
    SWITCHED: KillSwitchSet,
    DECLINED: CommandRefused,
    FILLED: Fill,
    POSTED: Posting,
    MARGINED: MarginChanged,
}
assert list(_CLASSES) == list(range(KIND_COUNT))
MOVING_STEPS = 4  # expiry, two cuts and the command itself: after each of them pegged orders may move


class Room(NamedTuple):
    """How many rows of each kind of event one command may write, while no more orders and slices live."""

    needed: np.ndarray[Any, np.dtype[np.int64]]
    most_live: int
    most_slices: int


class TradingLane:
    """Owns the event rows that the compiled pass writes into."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._rows: dict[int, Rows] = {kind: empty_rows(cls, 0) for kind, cls in _CLASSES.items()}
        self._counts = np.zeros(COUNTS, dtype=np.int64)
        self._touched = np.zeros(len(state.accounts), dtype=np.int64)
        self._touched_ids = np.zeros(len(state.accounts) + 1, dtype=np.int64)
        self._packed = np.zeros(1, dtype=dtype_of(MarketCommand))
        self._terms = empty_rows(OrderTerms, 2)

    def begin_frame(self) -> None:
        """Forget the events of the frame before."""
        self._counts[:] = 0

    def run(self, batch: Batch, first: int, last: int) -> None:
        """Run the trading commands first..last-1 of a batch; the state moves, the events are kept."""
        state = self._state
        state.books.use_terms(self._terms)
        tables = Tables(
            state.accounts,
            state.instruments,
            state.positions,
            state.balances.amounts,
            state.balances.offsets,
            state.fees,
            state.day,
            state.books.address,
            self._touched,
            self._touched_ids,
            state.money_asset_id,
            state.capacity.window_count,
        )
        queue = batch.order[first:last]
        self._counts[SEQUENCE] = state.sequence
        done = 0
        while done < len(queue):
            needed, most_live, most_slices = self._make_room(len(queue) - done)
            rows = [batch.trading_rows(code) for code in (*TRADING, TURN)]
            commands = Commands(
                *rows,
                queue=queue,
                packed=self._packed.ctypes.data,
                needed=needed,
                most_live=most_live,
                most_slices=most_slices,
            )
            events = Events(*self._rows.values(), counts=self._counts)
            done = int(run(tables, commands, events, np.int64(state.business_epoch_day), done))
            if self._counts[IS_BROKEN]:
                raise InvariantBroken("a balance would leave its bounds")
        state.sequence = int(self._counts[SEQUENCE])

    def _make_room(self, command_count: int) -> Room:
        """Room for what one command can cause at most, and for what many usually do.

        A fill ends an order or a slice of an iceberg, so no command causes more of them than there are; and
        what a fill or an order brings about is counted below.
        """
        books = self._state.books
        most_live = min(books.live_count + command_count, books.order_count)
        most_slices = 2 * books.slice_count + 4 * MOST_SLICES
        books.make_room(command_count, most_slices - books.slice_count)
        live = most_live + 2
        fills = live + most_slices + MOST_SLICES
        needed = np.full(KIND_COUNT, live + 4, dtype=np.int64)
        needed[FILLED] = fills
        needed[POSTED] = fills * POSTINGS_PER_FILL
        needed[TRIGGERED] = 2 * live  # by its entry, then by its stop
        needed[REDUCED] = 2 * (fills + live)  # the other legs of both sides; an exit by its entry; a cut
        needed[SHOWN] = fills + 2 * live + 2 * MOST_PEG_MOVES * MOVING_STEPS
        needed[MARGINED] = min(len(self._touched), fills * 2 + live) + 2
        for kind, cls in _CLASSES.items():
            used = int(self._counts[kind])
            room = used + int(needed[kind]) + 8 * command_count
            if len(self._rows[kind]) < used + int(needed[kind]) + 1:
                wider = empty_rows(cls, room * 2)
                wider[:used] = self._rows[kind][:used]
                self._rows[kind] = wider
        return Room(needed, most_live, most_slices)

    def sections(self) -> list[Section]:
        """The events of the frame so far. The rows are copies: the lane writes over its own."""
        return [
            Section(record_of(cls), self._rows[kind][: self._counts[kind]].copy())
            for kind, cls in _CLASSES.items()
            if self._counts[kind]
        ]
