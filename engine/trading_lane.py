"""The trading lane: runs of orders through the compiled pass, with room for every event they can cause."""

from __future__ import annotations

import numpy as np

from engine.batch import TRADING, Batch
from engine.errors import InvariantBroken
from engine.execution_kernel import (
    ACCEPTED,
    CANCELLED,
    EXPIRED,
    FILLED,
    IS_BROKEN,
    MARGINED,
    POSTED,
    REFUSED,
    REPLACED,
    SEQUENCE,
    Events,
    Tables,
)
from engine.journal.frame import Section
from engine.ledger.posting_kernel import POSTINGS_PER_FILL
from engine.market.books import trade_scratch
from engine.market.price_kernel import LIVE_COUNT
from engine.pipeline_kernel import Commands, run
from engine.state import State
from schemas.derive.layout import Rows, empty_rows
from schemas.ledger import Posting
from schemas.market import (
    Fill,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRefused,
    OrderReplaced,
)
from schemas.record import record_of
from schemas.risk import MarginChanged

_CLASSES = {
    ACCEPTED: OrderAccepted,
    REFUSED: OrderRefused,
    CANCELLED: OrderCancelled,
    REPLACED: OrderReplaced,
    EXPIRED: OrderExpired,
    FILLED: Fill,
    POSTED: Posting,
    MARGINED: MarginChanged,
}
_TRADES_PER_SWEEP = 1024


class TradingLane:
    """Owns the event rows that the compiled pass writes into."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._rows: dict[int, Rows] = {}
        self._counts = np.zeros(IS_BROKEN + 1, dtype=np.int64)
        self._touched = np.zeros(len(state.accounts), dtype=np.int64)
        self._trades = trade_scratch(_TRADES_PER_SWEEP)

    def begin_frame(self, batch: Batch) -> None:
        """Make room. A fill ends a taker or a maker, so no batch can cause more than this."""
        self._counts[:] = 0
        commands = int(np.isin(batch.order[:, 0], TRADING).sum())
        if commands == 0:
            return
        fills = 2 * commands + int(self._state.books.meta[LIVE_COUNT])
        room = dict.fromkeys(_CLASSES, commands)
        room[FILLED] = fills
        room[POSTED] = fills * POSTINGS_PER_FILL
        room[MARGINED] = commands + fills
        for kind, count in room.items():
            if len(self._rows.get(kind, ())) < count:
                self._rows[kind] = empty_rows(_CLASSES[kind], count * 3 // 2)

    def run(self, batch: Batch, first: int, last: int) -> None:
        """Run the trading commands first..last-1 of a batch; the state moves, the events are kept."""
        state = self._state
        tables = Tables(
            state.accounts,
            state.instruments,
            state.positions,
            state.balances.amounts,
            state.balances.offsets,
            state.books,
            self._touched,
            state.money_asset_id,
        )
        places, cancels, replaces = (batch.trading_rows(code) for code in TRADING)
        commands = Commands(places, cancels, replaces, batch.order[first:last])
        self._counts[SEQUENCE] = state.sequence
        events = Events(*[self._rows[k] for k in _CLASSES], trades=self._trades, counts=self._counts)
        run(tables, commands, events, np.int64(state.business_epoch_day))
        if self._counts[IS_BROKEN]:
            raise InvariantBroken("a balance would leave its bounds")
        state.sequence = int(self._counts[SEQUENCE])

    def sections(self) -> list[Section]:
        """The events of the frame so far. The rows are copies: the lane writes over its own."""
        return [
            Section(record_of(cls), self._rows[kind][: self._counts[kind]].copy())
            for kind, cls in _CLASSES.items()
            if self._counts[kind]
        ]
