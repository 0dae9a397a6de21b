"""Old frames for a standby that catches up, read from the primary's own journal.

Owns: the place in the journal up to which the standby was served. Does not own: what may be shipped.
"""

from __future__ import annotations

from pathlib import Path

from engine.journal.reader import JournalWalk
from engine.replication.primary import Shipped


class JournalHistory:
    """The durable frames of one folder, verified as they are read. Raises JournalDamaged, OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._walk: JournalWalk | None = None

    def chain_hash(self, index: int) -> bytes:
        """The chain hash of a frame; zeros for index 0."""
        return self._behind(index).last.chain_hash

    def frames(self, after_index: int, until_index: int, byte_count: int) -> list[Shipped]:
        """The frames after one, at least one, until `until_index` or about so many bytes."""
        walk, found = self._behind(after_index), list[Shipped]()
        while walk.last.index < until_index and byte_count > 0:
            index = walk.next_frame().index
            segment, raw = walk.raw()
            found.append(Shipped(index, segment, raw))
            byte_count -= len(raw)
        return found

    def close(self) -> None:
        """Close the segment that is being read."""
        if self._walk is not None:
            self._walk.close()
            self._walk = None

    def _behind(self, index: int) -> JournalWalk:
        if self._walk is None or self._walk.last.index != index:
            self.close()
            self._walk = JournalWalk(self._folder, index)
        return self._walk
