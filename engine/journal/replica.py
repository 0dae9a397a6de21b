"""A journal that is copied byte for byte: each frame is written into the segment that it came from.

Owns: order, verification and durability of what is copied. Does not own: where frames come from, or when they
may be shown (the mark is moved by who knows that). Like the writer it is unusable after any failure.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import JournalDamaged, JournalFailed
from engine.journal.disk import DISK, Content, Disk
from engine.journal.frame import HEADER_BYTES, Frame, decode_frame, decode_header
from engine.journal.mark import mark_path, read_mark, write_mark
from engine.journal.recovery import recover
from engine.journal.segment import (
    ORIGIN,
    PAGE_BYTES,
    Position,
    SegmentHeader,
    create_segment,
    segment_paths,
    unfinished_paths,
)
from engine.journal.spare import SpareSegments
from engine.journal.writer import opening


class ReplicaJournal:
    """A journal that another's frames are written to. It holds the folder's lock, as a writer does."""

    def __init__(
        self, folder: Path, segment_bytes: int, disk: Disk, lock: int, mark: int, marked_index: int
    ) -> None:
        """Take over an empty folder; use `open`."""
        self._folder = folder
        self._disk = disk
        self._lock = lock
        self._mark = mark
        self._marked_index = marked_index
        self._descriptor = -1
        self._segment: SegmentHeader | None = None
        self._offset = PAGE_BYTES
        self._last = ORIGIN
        self._synced = ORIGIN
        self._spares = SpareSegments(folder, segment_bytes, disk)
        self._unusable = ""

    @classmethod
    def open(
        cls, folder: Path, *, segment_bytes: int, known_index: int = 0, disk: Disk = DISK
    ) -> ReplicaJournal:
        """Lock the folder (made if not there), recover what it holds, stand at its end.

        `segment_bytes` is the usual size of a segment: such are made ahead of need. `known_index` is a frame
        that others know as durable. The mark stays where it was: what lies above it
        is durable here, and whether it may be shown is not known here. Raises JournalDamaged when durable
        bytes do not verify, JournalFailed when the disk refuses, JournalError when another writes the folder.
        """
        with opening(folder, disk) as (lock, descriptors):
            marked = read_mark(folder) or 0
            has_segments = bool(segment_paths(folder))
            if not has_segments and (durable := max(marked, known_index)):
                raise JournalDamaged(f"{folder}: frame {durable} was durable, but there is no segment")
            mark = disk.open(mark_path(folder))
            descriptors.append(mark)
            write_mark(mark, marked, disk)
            replica = cls(folder, segment_bytes, disk, lock, mark, marked)
            if has_segments:
                tail = recover(folder, 2 * PAGE_BYTES, disk, known_index)
                replica._descriptor, replica._segment, replica._offset, replica._last = tail
                replica._synced = tail.last
                descriptors.append(tail.descriptor)
            for path in unfinished_paths(folder):
                disk.unlink(path)
            disk.fsync_folder(folder)
        return replica

    @property
    def last(self) -> Position:
        """The last frame written; durable after `sync`."""
        return self._last

    @property
    def marked_index(self) -> int:
        """The frame to which readers see."""
        return self._marked_index

    def write(self, segment: SegmentHeader, raw: Content) -> Frame:
        """Write the next frame into its segment; it is durable after `sync`. Its rows are views into `raw`.

        Raises JournalDamaged, and writes nothing, when a byte is not as journaled or the frame or its segment
        does not continue this journal; JournalFailed when the disk refuses.
        """
        self._refuse_unusable()
        frame = self._verified(segment, raw)
        if segment != self._segment:
            self._refuse_other_segment(segment)
        if (self._offset if segment == self._segment else PAGE_BYTES) + len(raw) > segment.file_bytes:
            raise JournalDamaged(f"frame {frame.index} is longer than its segment {segment.number}")
        with self._unusable_after_failure(frame.index):
            if segment != self._segment:
                self._begin_segment(segment)
            self._disk.pwrite(self._descriptor, raw, self._offset)
        self._offset += len(raw)
        self._last = Position(frame.index, frame.last_sequence, frame.term, frame.chain_hash)
        return frame

    def sync(self) -> None:
        """Return when all that was written survives a power cut. Raises JournalFailed when it cannot."""
        self._refuse_unusable()
        if self._synced == self._last:
            return
        with self._unusable_after_failure(self._last.index):
            self._disk.fdatasync(self._descriptor)
        self._synced = self._last

    def advance_mark(self, index: int) -> None:
        """Let readers see frames to `index`, as far as they are durable here; the mark never goes back."""
        self._refuse_unusable()
        index = min(index, self._synced.index)
        if index > self._marked_index:
            with self._unusable_after_failure(index):
                write_mark(self._mark, index, self._disk)
            self._marked_index = index

    def prepare(self) -> bool:
        """Go a step towards a segment ahead of need, as the writer's; beside `write`, on its own thread."""
        with self._unusable_after_failure(self._last.index):
            return self._spares.make()

    def pause_seconds(self, *, is_more: bool) -> float:
        """How long to wait until `prepare` again."""
        return self._spares.pause_seconds(is_more=is_more)

    def close(self) -> None:
        """Release the folder."""
        if self._lock >= 0:
            self._unusable = self._unusable or "it was closed"
            self._spares.close()
            if self._descriptor >= 0:
                self._disk.close(self._descriptor)
            self._disk.close(self._mark)
            os.close(self._lock)
            self._lock = -1

    def _verified(self, segment: SegmentHeader, raw: Content) -> Frame:
        header = decode_header(bytes(raw[:HEADER_BYTES]), segment.seed)
        due = self._last.index + 1
        if header.index != due or header.first_sequence != self._last.last_sequence + 1:
            raise JournalDamaged(f"frame {header.index} came where frame {due} is due")
        if header.term < self._last.term:
            raise JournalDamaged(f"frame {due} is of term {header.term}, the one before of {self._last.term}")
        if len(raw) != header.frame_bytes:
            raise JournalDamaged(f"frame {due} came as {len(raw)} bytes and has {header.frame_bytes}")
        return decode_frame(bytes(raw), header, self._last.chain_hash, segment.seed)

    def _refuse_other_segment(self, segment: SegmentHeader) -> None:
        number = self._segment.number + 1 if self._segment else 1
        if segment.number != number or segment.before != self._last:
            raise JournalDamaged(f"segment {segment.number} came where segment {number} is due")
        if segment.file_bytes < 2 * PAGE_BYTES or segment.file_bytes % PAGE_BYTES:
            raise JournalDamaged(f"segment {number} came with {segment.file_bytes} bytes")

    def _begin_segment(self, segment: SegmentHeader) -> None:
        self.sync()
        spare = self._spares.take(segment.file_bytes)
        descriptor = create_segment(self._folder, segment, self._disk, spare)
        if self._descriptor >= 0:
            self._disk.close(self._descriptor)
        self._descriptor, self._segment, self._offset = descriptor, segment, PAGE_BYTES

    def _refuse_unusable(self) -> None:
        if self._unusable:
            raise JournalFailed(f"the replica cannot be written any more: {self._unusable}")

    @contextmanager
    def _unusable_after_failure(self, index: int) -> Generator[None]:
        """A call that changes the disk and does not end well is the last one; nothing is tried again."""
        try:
            yield
        except BaseException as error:  # an interrupt too leaves the outcome unknown
            self._unusable = self._unusable or f"frame {index}: {error!r}"
            if isinstance(error, OSError):
                raise JournalFailed(self._unusable) from error
            raise
