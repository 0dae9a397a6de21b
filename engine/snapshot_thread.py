"""Snapshots written beside the deciding thread, which waits only while the state is copied.

Of the ids used today only those are copied that came since the snapshot before.
Owns: the copy and the thread. Does not own: when a snapshot is due, or its file (`journal/snapshot.py`).
"""

from __future__ import annotations

import logging
import threading

from engine.config import Home
from engine.image import IDS, arrays_but_ids, text_of
from engine.journal.frame import Frame
from engine.journal.snapshot import write_snapshot
from engine.market.day_orders import CopiedIds
from engine.state import State

LOG = logging.getLogger(__name__)


class SnapshotThread:
    """Writes one snapshot at a time. A disk that refuses costs a longer start, no more."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._ids = CopiedIds()
        self._thread: threading.Thread | None = None

    @property
    def is_writing(self) -> bool:
        """Whether one is being written."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, state: State, frame: Frame) -> None:
        """Copy the state, which is that after `frame`, and write it; waits for the one before."""
        self.finish()
        self._ids.copy_new(state.day, state.business_epoch_day)
        arrays = {name: array.copy() for name, array in arrays_but_ids(state).items()}
        text, state_hash = text_of(state), state.hash()

        def write() -> None:
            try:
                arrays[IDS] = self._ids.whole()
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
