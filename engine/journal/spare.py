"""Segments made ahead of need, so that no frame waits for one; and one kept back for when the disk is full.

Owns: zero-filled files without a header yet, two of them when all is well. While one is there another is made
in small steps with pauses, so that frames find the disk and a core free. A spare becomes the next segment.
When no other can be made in its place for want of room, the journal is low: the last one takes what must
still be journaled (cancels, the end of the day), and nothing else should be.
"""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import NamedTuple

from engine.journal.disk import Disk
from engine.journal.segment import fill_with_zeros, unfinished_path

WANTED = 2
_STEP_BYTES = 1 << 19  # filled and synced at a time, while a spare is there
_STEP_SECONDS = 0.005  # between two such steps
_HURRIED_BYTES = 1 << 22  # at a time while none is: quicker in all, but frames' syncs wait longer
_IDLE_SECONDS = 0.05  # how soon a spare that was taken is noticed
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class _Begun(NamedTuple):
    """A spare that is not full of zeros yet."""

    path: Path
    descriptor: int
    filled: int  # bytes, synced


class SpareSegments:
    """Zero-filled files of one size. `make` and `take` may run on two threads."""

    def __init__(self, folder: Path, segment_bytes: int, disk: Disk) -> None:
        """Begin with none; recovery removes what an earlier process left."""
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._disk = disk
        self._lock = threading.Lock()
        self._begun: _Begun | None = None
        self._made: list[tuple[Path, int]] = []
        self._count = 0
        self.is_low = False

    def make(self) -> bool:
        """Go a step towards a spare if one is missing; returns whether there is more to do.

        A full disk is no error here: it sets `is_low` until a later call finds room. Raises OSError.
        """
        if len(self._made) >= WANTED:
            return False
        path, descriptor, filled = self._begun or self._begin()
        step_bytes = _STEP_BYTES if self._made else _HURRIED_BYTES
        end = min(filled + step_bytes, self._segment_bytes)
        try:
            fill_with_zeros(descriptor, filled, end, self._disk)
            self._disk.fdatasync(descriptor)
        except OSError as error:
            self._begun = None
            self._disk.close(descriptor)
            if error.errno not in _NO_ROOM:
                raise
            self._disk.unlink(path)
            self.is_low = True
            return False
        if end < self._segment_bytes:
            self._begun = _Begun(path, descriptor, end)
            return True
        self._begun = None
        with self._lock:
            self._made.append((path, descriptor))
            is_missing = len(self._made) < WANTED
        self.is_low = False
        return is_missing

    def pause_seconds(self, *, is_more: bool) -> float:
        """How long to wait until `make` again, which said whether there is more to do.

        Nothing at all while none is made: then a frame may have to wait for it.
        """
        if not is_more:
            return _IDLE_SECONDS
        return _STEP_SECONDS if self._made else 0.0

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
        if self._begun is not None:
            self._disk.close(self._begun.descriptor)
            self._begun = None

    def _begin(self) -> _Begun:
        self._count += 1
        path = unfinished_path(self._folder, f"spare-{self._count}")
        return _Begun(path, self._disk.open(path), 0)
