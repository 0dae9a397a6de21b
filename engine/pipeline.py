"""THE MAP: how one batch of commands becomes one durable frame.

    sequence -> [ admit -> margin -> match -> post ] -> journal -> publish

    sequence   Pipeline.stage, submit     numbers the commands, clamps time forward
    admit      engine/risk/admission_kernel.py
    margin     engine/risk/margin_kernel.py      the whole portfolio; a risk desk (engine/risk/desk.py) beside
                                                 the pipeline asks what is done about who cannot carry his
    match      engine/market/matching_kernel.py
    post       engine/ledger/posting_kernel.py
               (the four are called by engine/pipeline_kernel.py and engine/trading)
    slow lane  engine/slow_lane.py        reference data, risk parameters, accounts, payments, financing,
                                          safekeeping, settlement, incidents: decide / apply
    journal    engine/journal/writer.py   durable when committed: at once for `submit`; for `stage` by
                                          engine/journal/committer.py, while the next batch is decided
    publish    engine/projections         views and lake follow the journal

Runs of trading commands go through the compiled pass, all others through the slow lane, in sequence order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Protocol

import numpy as np

from engine.batch import Batch
from engine.errors import InvariantBroken
from engine.journal.frame import ZERO_HASH, Frame
from engine.journal.sections import Section, Sections
from engine.journal.writer import Staged
from engine.slow_lane import SlowLane
from engine.state import State
from engine.trading_lane import TradingLane
from schemas.market import Capacity, ConfigureEngine, EngineConfigured


class Journal(Protocol):
    """What the pipeline needs of a journal writer."""

    def append(self, sections: Sequence[Section], state_hash: bytes = ZERO_HASH) -> Frame:
        """Make one frame durable; only then return it."""
        ...

    def stage(self, sections: Sequence[Section], state_hash: bytes = ZERO_HASH) -> Staged:
        """Take one frame that will be made durable in its turn; its rows are copied."""
        ...


class Pipeline:
    """Decides commands on one state and journals what it decided."""

    def __init__(
        self, state: State | None, journal: Journal, *, hash_every: int = 0, frame_count: int = 0
    ) -> None:
        """Continue on a recovered state, or wait for ConfigureEngine on none.

        `hash_every` n puts the state's hash into every n-th frame; 0 puts none.
        """
        self._journal = journal
        self._hash_every = hash_every
        self._frame_count = frame_count
        self._state = state
        self._lanes: tuple[TradingLane, SlowLane] | None = None
        if state is not None:
            self._lanes = (TradingLane(state), SlowLane(state))

    @property
    def is_configured(self) -> bool:
        """Whether the journal has its first frame."""
        return self._state is not None

    @property
    def state(self) -> State:
        """The state after the last frame. Raises InvariantBroken before the engine is configured."""
        if self._state is None:
            raise InvariantBroken("the first command of a journal is ConfigureEngine")
        return self._state

    def submit(self, commands: Sequence[Any]) -> Frame:
        """Decide declared commands, whose sequence the engine gives, in one durable frame."""
        return self.submit_batch(Batch.of(commands))

    def submit_batch(self, batch: Batch) -> Frame:
        """Decide a batch in one durable frame. Raises JournalFailed; the process must then stop."""
        return self._journal.append(*self._decided(batch))

    def stage(self, batch: Batch) -> Staged:
        """Decide a batch; its frame is durable, and may be told of, once the journal has committed it."""
        return self._journal.stage(*self._decided(batch))

    def _decided(self, batch: Batch) -> tuple[Sections, bytes]:
        """The sections of a batch's frame, and the hash that goes into it."""
        sections = self.decide(batch)
        self._frame_count += 1
        is_hashed = self._hash_every > 0 and self._frame_count % self._hash_every == 0
        return sections, self.state.hash() if is_hashed else ZERO_HASH

    def decide(self, batch: Batch) -> Sections:
        """Sequence a batch and decide it: the sections of its frame, in the order of type codes.

        Their rows are valid until the next batch is decided.
        """
        if self._state is None:
            return self._configure(batch)
        state = self._state
        batch.number(state.sequence + 1, state.clock_ns)
        state.sequence += len(batch)
        state.clock_ns = max(state.clock_ns, batch.last_at_ns)
        trading, slow = self._lanes or (TradingLane(state), SlowLane(state))
        trading.begin_frame()
        slow.begin_frame()
        for is_trading, first, last in batch.runs():
            day = state.business_epoch_day
            (trading if is_trading else slow).run(batch, first, last)
            if state.business_epoch_day != day:
                trading.run(batch, first, last)  # the command that turned the day ends the day's orders
        compiled = Sections.joined(batch.sections(), trading.sections())
        told = slow.sections()
        return _in_order([*compiled, *told]) if told else compiled

    def _configure(self, batch: Batch) -> Sections:
        if len(batch) != 1 or batch.classes() != [ConfigureEngine]:
            raise InvariantBroken("the first frame of a journal is ConfigureEngine alone")
        batch.number(1, 0)
        command: ConfigureEngine = batch.command(0)
        room = {c.name: getattr(command, c.name) for c in fields(Capacity)}
        capacity = EngineConfigured(
            sequence=2, cause_sequence=1, occurred_at_ns=command.received_at_ns, **room
        )
        self._state = State.of(capacity)
        self._state.sequence = 2
        self._state.clock_ns = command.received_at_ns
        self._lanes = (TradingLane(self._state), SlowLane(self._state))
        event = Batch.of([capacity])
        return Sections.joined(batch.sections(), event.sections())


def _in_order(sections: Sequence[Section]) -> Sections:
    """One section a record type, rows by sequence."""
    rows: dict[int, list[Any]] = {}
    records = {s.record.type_code: s.record for s in sections}
    for section in sections:
        rows.setdefault(section.record.type_code, []).append(section.rows)
    merged: list[Section] = []
    for code, parts in rows.items():
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if len(parts) > 1:
            whole = whole[np.argsort(whole["sequence"], kind="stable")]
        merged.append(Section(records[code], whole))
    return Sections.of(merged)
