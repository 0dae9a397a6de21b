"""The journal's one writer: a frame is durable when `append` returns.

Owns: order, durability and the lock. Does not own: what a frame says; it reads no clock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from engine.errors import InvariantBroken, JournalError, JournalFailed
from engine.journal.disk import DISK, Disk
from engine.journal.frame import ZERO_HASH, Frame, Section, encode_frame
from engine.journal.mark import mark_path, write_mark
from engine.journal.recovery import Tail, recover
from engine.journal.segment import (
    PAGE_BYTES,
    Position,
    SegmentHeader,
    create_segment,
    file_bytes_for,
)


class JournalWriter:
    """Appends frames. After any failure it is unusable for ever: the process must stop and recover.

    A sync that failed is never tried again, because the retry may succeed over pages that the disk never got.
    """

    def __init__(
        self, folder: Path, segment_bytes: int, term: int, disk: Disk, lock: int, tail: Tail, mark: int
    ) -> None:
        """Take over an open journal; use `open`."""
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._term = term
        self._disk = disk
        self._lock = lock
        self._descriptor, self._header, self._offset, self._last = tail
        self._seed = self._header.seed
        self._mark = mark
        self._unusable = ""

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        segment_bytes: int,
        known_index: int = 0,
        term: int = 1,
        disk: Disk = DISK,
    ) -> JournalWriter:
        """Lock the folder, recover the journal (made if not there), and stand at its end.

        `segment_bytes` is a multiple of 4096; `known_index` a frame that others know as durable; `term` the
        number of the writer's reign, never lower than before. Raises JournalDamaged when durable bytes do not
        verify, JournalFailed when the disk refuses, JournalError when another writer holds the folder.
        """
        if segment_bytes < 2 * PAGE_BYTES or segment_bytes % PAGE_BYTES:
            raise JournalError(f"segment_bytes {segment_bytes} is not a multiple of {PAGE_BYTES} above it")
        descriptors = [_lock(folder, disk)]
        try:
            tail = recover(folder, segment_bytes, disk, known_index)
            descriptors.append(tail.descriptor)
            if term < tail.last.term:
                raise JournalError(f"term {term} is over: the journal is in term {tail.last.term}")
            mark = disk.open(mark_path(folder))
            descriptors.append(mark)
            write_mark(mark, tail.last.index, disk)
            disk.fsync_folder(folder)
        except BaseException as error:
            for descriptor in descriptors:
                os.close(descriptor)
            if isinstance(error, OSError):
                raise JournalFailed(f"{folder}: cannot be opened: {error}") from error
            raise
        return cls(folder, segment_bytes, term, disk, descriptors[0], tail, mark)

    @property
    def last(self) -> Position:
        """The last durable frame: index, last_sequence, term, chain_hash; all zero in an empty journal."""
        return self._last

    def append(self, sections: Sequence[Section], state_hash: bytes = ZERO_HASH) -> Frame:
        """Write one frame and return it once it is durable. Sections without rows are left out.

        The rows' sequences follow the last frame's without a gap. The frame's rows are read-only copies.
        Raises JournalFailed when the disk refuses; InvariantBroken when the rows cannot be a frame.
        """
        if self._unusable:
            raise JournalFailed(f"the journal cannot be written any more: {self._unusable}")
        index, previous = self._last.index + 1, self._last.chain_hash
        frame, raw = encode_frame(index, self._term, sections, state_hash, previous, self._seed)
        if frame.first_sequence != (due := self._last.last_sequence + 1):
            raise InvariantBroken(f"a frame begins with sequence {frame.first_sequence}, not {due}")
        try:
            if self._offset + len(raw) > self._header.file_bytes:
                self._begin_segment(len(raw))  # whose seed is another
                frame, raw = encode_frame(index, self._term, sections, state_hash, previous, self._seed)
            self._disk.pwrite(self._descriptor, raw, self._offset)
            self._disk.fdatasync(self._descriptor)
            write_mark(self._mark, index, self._disk)
        except BaseException as error:  # an interrupt too leaves the outcome unknown
            self._unusable = f"{self._header.name}, frame {index}: {error!r}"
            if isinstance(error, OSError):
                raise JournalFailed(self._unusable) from error
            raise
        self._offset += len(raw)
        self._last = Position(index, frame.last_sequence, frame.term, frame.chain_hash)
        return frame

    def close(self) -> None:
        """Release the folder; all that was appended is durable already."""
        if self._lock >= 0:
            self._unusable = self._unusable or "it was closed"
            self._disk.close(self._descriptor)
            self._disk.close(self._mark)
            os.close(self._lock)
            self._lock = -1

    def _begin_segment(self, frame_bytes: int) -> None:
        file_bytes = file_bytes_for(frame_bytes, self._segment_bytes)
        header = SegmentHeader(self._header.number + 1, file_bytes, self._last)
        descriptor = create_segment(self._folder, header, self._disk)
        self._disk.close(self._descriptor)
        self._descriptor, self._header, self._offset = descriptor, header, PAGE_BYTES
        self._seed = header.seed


def _lock(folder: Path, disk: Disk) -> int:
    """Hold the folder for one writer; the kernel lets go when the process ends."""
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            disk.fsync_folder(folder.parent)
        lock = os.open(folder / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalFailed(f"{folder}: cannot be locked: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise JournalError(f"{folder}: another process writes this journal") from None
    return lock
