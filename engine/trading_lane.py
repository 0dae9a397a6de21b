"""The trading lane: runs of orders through the compiled pass, with room for every event they can cause."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.batch import Batch
from engine.blocks_kernel import Block
from engine.errors import InvariantBroken
from engine.journal.sections import Sections, head_of
from engine.journal.sections_kernel import ADDRESS, COUNT, HEAD, TABLE_COLUMNS, TYPE_MASK, WIDTH
from engine.ledger.posting_kernel import POSTINGS_PER_FILL
from engine.market.day_orders_kernel import DAY_BLOCK
from engine.market.requests import MOST_PEG_MOVES, MOST_SLICES
from engine.pipeline_kernel import COMMAND_BLOCK, COMMAND_CLASSES, run
from engine.state import State
from engine.trading.events_kernel import (
    COUNTS,
    EVENT_BLOCK,
    EVENT_CLASSES,
    FILLED,
    IS_BROKEN,
    KIND_COUNT,
    MARGINED,
    POSTED,
    REDUCED,
    SEQUENCE,
    SHOWN,
    STATE_BLOCK,
    TRIGGERED,
)
from schemas.derive.layout import Rows, dtype_of, empty_rows
from schemas.matching import MarketCommand, OrderTerms
from schemas.record import record_of

MOVING_STEPS = 4  # expiry, two cuts and the command itself: after each of them pegged orders may move
_ORDER_BYTES = 16  # of a row of a batch's order
_COMMAND_NAMES = {record_of(cls).type_code: name for name, cls in COMMAND_CLASSES.items()}
_HEADS = np.array([head_of(record_of(cls)) for cls in EVENT_CLASSES.values()])
_BY_CODE = np.argsort(_HEADS & TYPE_MASK)  # kinds of events in the order of their type codes
_KIND_OF = dict(zip(_HEADS.tolist(), EVENT_CLASSES, strict=True))


class Room(NamedTuple):
    """How many events of each kind one command may cause, while no more orders and slices live."""

    needed: npt.NDArray[np.int64]
    most_live: int
    most_slices: int


class TradingLane:
    """Owns the event rows that the compiled pass writes into."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._rows: dict[str, Rows] = {name: empty_rows(cls, 0) for name, cls in EVENT_CLASSES.items()}
        self._lengths = np.zeros(KIND_COUNT, dtype=np.int64)
        self._counts = np.zeros(COUNTS, dtype=np.int64)
        self._room = np.zeros(KIND_COUNT, dtype=np.int64)
        self._packed = np.zeros(1, dtype=dtype_of(MarketCommand))
        self._terms = empty_rows(OrderTerms, 2)
        self._tables = STATE_BLOCK.fill(
            accounts=state.accounts,
            instruments=state.instruments,
            positions=state.positions,
            amounts=state.balances.amounts,
            offsets=state.balances.offsets,
            fees=state.fees,
            day=DAY_BLOCK.fill(**state.day._asdict()),
            books=state.books.address,
            touched=np.zeros(len(state.accounts), dtype=np.int64),
            touched_ids=np.zeros(len(state.accounts) + 1, dtype=np.int64),
            risk=state.tables.address,
            window_count=state.capacity.window_count,
        )
        self._commands = COMMAND_BLOCK.fill(
            **{name: empty_rows(cls, 0) for name, cls in COMMAND_CLASSES.items()},
            queue=np.empty((0, 2), dtype=np.int64),
            packed=self._packed.ctypes.data,
            most_live=0,
            most_slices=0,
        )
        self._table = np.empty((KIND_COUNT, TABLE_COLUMNS), dtype=np.int64)  # of the events, by type code
        self._events = self._event_block()

    def begin_frame(self) -> None:
        """Forget the events of the frame before."""
        self._counts[:] = 0

    def run(self, batch: Batch, first: int, last: int) -> None:
        """Run the trading commands first..last-1 of a batch; the state moves, the events are kept."""
        state = self._state
        state.books.use_terms(self._terms)
        self._tables.set("risk", state.tables.address)
        self._take(batch, first, last)
        self._counts[SEQUENCE] = state.sequence
        done, count = 0, last - first
        while done < count:
            room = self._make_room(count - done)
            self._commands.set("most_live", room.most_live)
            self._commands.set("most_slices", room.most_slices)
            addresses = self._tables.address, self._commands.address, self._events.address
            done = run(*addresses, state.business_epoch_day, done)
            if self._counts[IS_BROKEN]:
                raise InvariantBroken("a balance would leave its bounds")
        state.sequence = int(self._counts[SEQUENCE])

    def _take(self, batch: Batch, first: int, last: int) -> None:
        """Point the commands' block to the rows of a batch and to a stretch of its order.

        What no command of the batch is points where it did; no row of it is asked for.
        """
        for head, count, _, address in batch.sections().table.tolist():
            name = _COMMAND_NAMES.get(head & TYPE_MASK)
            if name is not None:
                self._commands.point(name, address, count)
        self._commands.point("queue", batch.order.ctypes.data + first * _ORDER_BYTES, last - first)

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
        needed[MARGINED] = min(len(self._state.accounts), fills * 2 + live) + 2
        wanted = self._counts[:KIND_COUNT] + needed
        if (self._lengths <= wanted).any():
            self._widen(wanted + 8 * command_count)
        self._room[:] = self._lengths - needed
        return Room(needed, most_live, most_slices)

    def _widen(self, wanted: npt.NDArray[np.int64]) -> None:
        for kind, (name, cls) in enumerate(EVENT_CLASSES.items()):
            used = int(self._counts[kind])
            if self._lengths[kind] <= wanted[kind]:
                wider = empty_rows(cls, int(wanted[kind]) * 2)
                wider[:used] = self._rows[name][:used]
                self._rows[name] = wider
                self._lengths[kind] = len(wider)
        self._events = self._event_block()

    def _event_block(self) -> Block:
        rows = [self._rows[name] for name in EVENT_CLASSES]
        self._table[:, HEAD] = _HEADS[_BY_CODE]
        self._table[:, WIDTH] = [rows[kind].dtype.itemsize // 8 for kind in _BY_CODE]
        self._table[:, ADDRESS] = [rows[kind].ctypes.data for kind in _BY_CODE]
        return EVENT_BLOCK.fill(**self._rows, counts=self._counts, room=self._room)

    def sections(self) -> Sections:
        """The events of the frame so far. The rows are the lane's own: the next frame writes over them."""
        self._table[:, COUNT] = self._counts[_BY_CODE]
        table = self._table[self._table[:, COUNT] > 0]

        def look(i: int) -> Rows:
            return self._rows[_KIND_OF[int(table[i, HEAD])]][: table[i, COUNT]]

        return Sections(table, look)
