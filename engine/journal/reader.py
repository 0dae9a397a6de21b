"""Read durable frames in order, each verified: once through, or as they come.

Owns: finding and walking segments. Does not own: what lies above the durable mark (recovery).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from engine.errors import JournalDamaged, JournalError
from engine.journal.frame import HEADER_BYTES, Frame, decode_frame, decode_header
from engine.journal.mark import read_mark
from engine.journal.segment import (
    PAGE_BYTES,
    Position,
    SegmentHeader,
    read_segment_header,
    segment_path,
    segment_paths,
)


class SegmentWalk:
    """One open segment and the place in it where the next frame is due."""

    def __init__(self, path: Path) -> None:
        """Open a segment at its first frame. Raises JournalDamaged when its header does not verify."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.header: SegmentHeader = read_segment_header(self._descriptor, path.name)
        except BaseException:
            self.close()
            raise
        self.path = path
        self.offset = PAGE_BYTES
        self.last_frame_at = PAGE_BYTES
        self.last: Position = self.header.before

    def __enter__(self) -> SegmentWalk:
        """Use as a context that closes the file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def next_frame(self) -> Frame | None:
        """The frame that is due here, or None where the segment holds only zeros from here on.

        Raises JournalDamaged when bytes do not verify, JournalError when a whole frame cannot be understood.
        """
        head = os.pread(self._descriptor, HEADER_BYTES, self.offset)
        if not any(head):
            if any(self.rest()):
                raise JournalDamaged(self._at("the frame header is blank, bytes follow it"))
            return None
        try:
            return self._frame(head)
        except JournalError as error:
            raise type(error)(self._at(str(error))) from None

    def rest(self) -> bytes:
        """All bytes from here to the segment's end."""
        return os.pread(self._descriptor, self.header.file_bytes - self.offset, self.offset)

    def written(self, offset: int) -> bytes:
        """The bytes from `offset` to here."""
        return os.pread(self._descriptor, self.offset - offset, offset)

    def _frame(self, head: bytes) -> Frame:
        seed = self.header.seed
        header = decode_header(head, seed)
        due = self.last.index + 1
        if header.index != due or header.first_sequence != self.last.last_sequence + 1:
            raise JournalDamaged(f"frame {header.index} stands where frame {due} is due")
        if self.offset + header.frame_bytes > self.header.file_bytes:
            raise JournalDamaged("the frame is longer than its segment")
        raw = os.pread(self._descriptor, header.frame_bytes, self.offset)
        frame = decode_frame(raw, header, self.last.chain_hash, seed)
        self.last_frame_at, self.offset = self.offset, self.offset + header.frame_bytes
        self.last = Position(frame.index, frame.last_sequence, frame.term, frame.chain_hash)
        return frame

    def _at(self, what: str) -> str:
        return f"{self.path.name} at byte {self.offset}, frame {self.last.index + 1}: {what}"


class JournalWalk:
    """Frames one after the other, from a segment to the next. Every frame asked for must be durable."""

    def __init__(self, folder: Path, after_index: int) -> None:
        """Stand behind frame `after_index`. Raises JournalDamaged when the way to it does not verify."""
        self._folder = folder
        self._place = folder.stat().st_ino
        self._segment = _segment_of(folder, after_index)
        try:
            while self.last.index < after_index:
                self.next_frame()
        except BaseException:
            self.close()
            raise

    @property
    def last(self) -> Position:
        """The last frame read, or the one before the first."""
        return self._segment.last

    def close(self) -> None:
        """Close the segment."""
        self._segment.close()

    def next_frame(self) -> Frame:
        """The next frame. Raises JournalDamaged when it is not there or does not verify."""
        while (frame := self._segment.next_frame()) is None:
            last = self._segment.last
            path = segment_path(self._folder, self._segment.header.number + 1)
            if not path.exists():
                raise JournalDamaged(
                    f"frame {last.index + 1} was durable and is missing after {self._segment.path.name}"
                )
            following = SegmentWalk(path)
            if following.last != last:
                following.close()
                raise JournalDamaged(
                    f"{path.name}: follows frame {following.last.index}, not frame {last.index} before it"
                )
            self._segment.close()
            self._segment = following
        return frame

    def is_of(self, folder: Path) -> bool:
        """Whether the files that are read here are still those of the folder."""
        try:
            return folder.stat().st_ino == self._place
        except FileNotFoundError:
            return False

    def raw(self) -> tuple[SegmentHeader, bytes]:
        """The bytes of the frame read last, and the header of the segment that holds it."""
        return self._segment.header, self._segment.written(self._segment.last_frame_at)


def durable_index(folder: Path) -> int:
    """The index of the last durable frame. Raises JournalDamaged when nothing tells it."""
    mark = read_mark(folder)
    if mark is None:
        raise JournalDamaged(f"{folder}: no durable mark; opening the journal for writing renews it")
    return mark


def read_frames(
    folder: Path,
    after_index: int = 0,
    after_chain_hash: bytes | None = None,
    until_index: int | None = None,
) -> Iterator[Frame]:
    """Every durable frame after `after_index`, verified.

    With `after_chain_hash` (of a snapshot, say) the frame `after_index` must have that chain hash.
    Whoever knows that frames above the mark are durable gives the last of them as `until_index`.
    Raises JournalDamaged when bytes do not verify, JournalError when a record is not declared here.
    """
    until = durable_index(folder) if until_index is None else until_index
    if after_index > until:
        raise JournalDamaged(f"{folder}: ends at frame {until}, before frame {after_index}")
    walk = JournalWalk(folder, after_index)
    try:
        if after_chain_hash not in (None, walk.last.chain_hash):
            raise JournalDamaged(f"{folder}: frame {after_index} has another chain hash than known")
        for _ in range(after_index, until):
            yield walk.next_frame()
    finally:
        walk.close()


def follow(
    folder: Path,
    after_index: int,
    stop: Callable[[], bool],
    poll_seconds: float = 0.005,
) -> Iterator[Frame]:
    """Durable frames after `after_index` as they come, until `stop` says so.

    Waits for a journal that is not there yet, and for a mark that is behind `after_index`.
    `stop` is asked whenever no frame is waiting. Raises JournalDamaged, JournalError as `read_frames`.
    """
    walk: JournalWalk | None = None
    known: Position | None = None
    try:
        while True:
            until = read_mark(folder)
            if walk is not None and not walk.is_of(folder):  # a standby's journal was set aside
                walk.close()
                walk = None
                continue
            if until is None or until < after_index or (walk and until == after_index):
                if stop():
                    return
                time.sleep(poll_seconds)
                continue
            if walk is None:
                walk = JournalWalk(folder, after_index)
                if known not in (None, walk.last):
                    raise JournalDamaged(f"{folder}: frame {after_index} has another chain hash than known")
            while walk.last.index < until:
                yield walk.next_frame()
                after_index, known = walk.last.index, walk.last
            if stop():
                return
    finally:
        if walk:
            walk.close()


def _segment_of(folder: Path, after_index: int) -> SegmentWalk:
    """The last segment that begins at or before the frame after `after_index`."""
    for path in reversed(segment_paths(folder)):
        segment = SegmentWalk(path)
        if segment.last.index <= after_index:
            return segment
        segment.close()
    raise JournalDamaged(f"{folder}: the first segment is missing")
