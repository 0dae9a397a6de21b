"""Decides copied frames again on the standby's own state, so that it is ready to reign at any moment.

Owns: the thread that decides, the comparison with what was journaled, the standby's snapshots. Does not own:
when a frame is durable here (standby). A difference ends it for good: a state that is not the primary's never
takes over.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import fields

from engine.batch import Batch
from engine.config import Home
from engine.journal.frame import Frame
from engine.journal.segment import Position
from engine.pipeline import Pipeline
from engine.replay import NoJournal, recover, redo
from engine.snapshot_thread import SnapshotThread
from schemas.market import Capacity, ConfigureEngine, PlaceOrder

_FULL_FRAMES, _FULL_ROWS = 256, 200_000  # what may wait: a takeover waits for it


class Applier:
    """One thread that follows the replica's frames."""

    def __init__(self, home: Home, last: Position, snapshot_every: int) -> None:
        """Bring the state to the replica's last frame. Raises InvariantBroken when a frame differs."""
        _load_kernels()
        recovered = recover(home, until_index=last.index) if last.index else None
        self._pipeline = Pipeline(recovered.state if recovered else None, NoJournal())
        self.frame_index = last.index  # the last frame decided again
        self._snapshot_every = snapshot_every
        self._snapshot_index = last.index - recovered.replayed_count if recovered else 0
        self._snapshots = SnapshotThread(home)
        self._waiting: deque[Frame] = deque()
        self._waiting_rows = 0
        self._changed = threading.Condition()
        self._is_stopping = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="applier", daemon=True)
        self._thread.start()

    @property
    def pipeline(self) -> Pipeline:
        """The state, and what decides on it; to be used after `drain`."""
        return self._pipeline

    @property
    def is_full(self) -> bool:
        """Whether no more frames should be read for now."""
        return len(self._waiting) >= _FULL_FRAMES or self._waiting_rows >= _FULL_ROWS

    def put(self, frames: Iterable[Frame]) -> None:
        """Give it durable frames, in order. Raises what ended it."""
        with self._changed:
            self.check()
            for frame in frames:
                self._waiting.append(frame)
                self._waiting_rows += _rows_of(frame)
            self._changed.notify_all()

    def check(self) -> None:
        """Raise what ended it, InvariantBroken when a frame decided again differs from what was journaled."""
        if self._failure is not None:
            raise self._failure

    def drain(self) -> None:
        """Return when every frame is decided again. Raises what ended it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting or self._failure is not None)
            self.check()

    def close(self) -> None:
        """Stop; what waits is left."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        self._thread.join()

    def finish_snapshot(self) -> None:
        """Return when no snapshot is being written."""
        self._snapshots.finish()

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: bool(self._waiting) or self._is_stopping)
                    if self._is_stopping:
                        return
                    frame = self._waiting[0]
                redo(self._pipeline, frame)
                self.frame_index = frame.index
                if frame.index - self._snapshot_index >= self._snapshot_every:
                    self._snapshot_index = frame.index
                    if not self._snapshots.is_writing:
                        self._snapshots.start(self._pipeline.state, frame)
                with self._changed:
                    self._waiting_rows -= _rows_of(self._waiting.popleft())
                    self._changed.notify_all()
        except BaseException as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()


def _load_kernels() -> None:
    """Decide on a state that is thrown away, so that no order after a takeover waits for a compiler."""
    pipeline = Pipeline(None, NoJournal())
    room = {c.name: 1 for c in fields(Capacity)}
    pipeline.decide(Batch.of([ConfigureEngine(sequence=0, received_at_ns=1, **room)]))
    nobodys = {c.name: 0 for c in fields(PlaceOrder)}
    pipeline.decide(Batch.of([PlaceOrder(**nobodys)]))
    pipeline.state.hash()


def _rows_of(frame: Frame) -> int:
    return frame.last_sequence - frame.first_sequence + 1
