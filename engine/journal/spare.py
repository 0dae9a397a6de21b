"""Segments made ahead of need, so that no frame waits for one; and one kept back for when the disk is full.

Owns: zero-filled files without a header yet, two of them when all is well. One becomes the next segment. When
no other can be made in its place for want of room, the journal is low: the last one takes what must still be
journaled (cancels, the end of the day), and nothing else should be.
"""

from __future__ import annotations

import errno
import threading
from pathlib import Path

from engine.journal.disk import Disk
from engine.journal.segment import fill_with_zeros, unfinished_path

WANTED = 2
_SYNCED_BYTES = 4 << 20  # at a time, so that no frame's sync has to wait for a whole segment of zeros
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class SpareSegments:
    """Zero-filled files of one size. `make` and `take` may run on two threads."""

    def __init__(self, folder: Path, segment_bytes: int, disk: Disk) -> None:
        """Begin with none; recovery removes what an earlier process left."""
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._disk = disk
        self._lock = threading.Lock()
        self._made: list[tuple[Path, int]] = []
        self._count = 0
        self.is_low = False

    def make(self) -> bool:
        """Make one spare if one is missing; returns whether another one is still missing.

        A full disk is no error here: it sets `is_low` until a later call finds room. Raises OSError.
        """
        if len(self._made) >= WANTED:
            return False
        self._count += 1
        path = unfinished_path(self._folder, f"spare-{self._count}")
        descriptor = self._disk.open(path)
        try:
            for first in range(0, self._segment_bytes, _SYNCED_BYTES):
                end = min(first + _SYNCED_BYTES, self._segment_bytes)
                fill_with_zeros(descriptor, first, end, self._disk)
                self._disk.fdatasync(descriptor)
        except OSError as error:
            self._disk.close(descriptor)
            if error.errno not in _NO_ROOM:
                raise
            self._disk.unlink(path)
            self.is_low = True
            return False
        with self._lock:
            self._made.append((path, descriptor))
            is_missing = len(self._made) < WANTED
        self.is_low = False
        return is_missing

    def take(self, file_bytes: int) -> tuple[Path, int] | None:
        """A spare of this size, or none."""
        with self._lock:
            if file_bytes != self._segment_bytes or not self._made:
                return None
            return self._made.pop(0)

    def close(self) -> None:
        """Close the files; they hold nothing."""
        with self._lock:
            for _, descriptor in self._made:
                self._disk.close(descriptor)
            self._made.clear()
