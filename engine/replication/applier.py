"""Decides copied frames again on the standby's own state, so that it is ready to reign at any moment.

Owns: the thread that decides, the comparison with what was journaled, the standby's snapshots. Does not own:
when a frame is durable here (standby). A difference ends it for good: a state that is not the primary's never
takes over.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from engine.config import Home
from engine.journal.frame import Frame
from engine.journal.segment import Position
from engine.pipeline import Pipeline
from engine.replay import NoJournal, recover, redo
from engine.snapshot_thread import SnapshotThread

_FULL_FRAMES = 512  # what may wait, so that a takeover need not wait for long


class Applier:
    """One thread that follows the replica's frames."""

    def __init__(self, home: Home, last: Position, snapshot_every: int) -> None:
        """Bring the state to the replica's last frame. Raises InvariantBroken when a frame differs."""
        recovered = recover(home, until_index=last.index) if last.index else None
        self._pipeline = Pipeline(recovered.state if recovered else None, NoJournal())
        self.frame_index = last.index  # the last frame decided again
        self._snapshot_every = snapshot_every
        self._snapshot_index = last.index - recovered.replayed_count if recovered else 0
        self._snapshots = SnapshotThread(home)
        self._waiting: deque[Frame] = deque()
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
        return len(self._waiting) >= _FULL_FRAMES

    def put(self, frames: Iterable[Frame]) -> None:
        """Give it durable frames, in order. Raises what ended it."""
        with self._changed:
            self.check()
            self._waiting.extend(frames)
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
                    self._waiting.popleft()
                    self._changed.notify_all()
        except BaseException as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()
