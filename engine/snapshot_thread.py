"""Snapshots written beside the deciding thread, which waits only while the state is copied.

Owns: the copy and the thread. Does not own: when a snapshot is due, or its file (`journal/snapshot.py`).
"""

from __future__ import annotations

import logging
import threading

from engine.config import Home
from engine.image import arrays_of, text_of
from engine.journal.frame import Frame
from engine.journal.snapshot import write_snapshot
from engine.state import State

LOG = logging.getLogger(__name__)


class SnapshotThread:
    """Writes one snapshot at a time. A disk that refuses costs a longer start, no more."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._thread: threading.Thread | None = None

    @property
    def is_writing(self) -> bool:
        """Whether one is being written."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, state: State, frame: Frame) -> None:
        """Copy the state, which is that after `frame`, and write it; waits for the one before."""
        self.finish()
        arrays = {name: array.copy() for name, array in arrays_of(state).items()}
        text, state_hash = text_of(state), state.hash()

        def write() -> None:
            try:
                write_snapshot(self._home.snapshots, frame.index, frame.chain_hash, state_hash, arrays, text)
            except Exception as error:
                LOG.warning("no snapshot at frame %d: %s", frame.index, error)

        self._thread = threading.Thread(target=write, name="snapshot", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Return when none is being written."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
