"""The journal's one writer: a frame is durable when `commit` returns.

    stage    number and encode the frame        on the deciding thread
    commit   chain, write, sync, mirror, mark   in order; another thread may do it, while the next is decided

Owns: order, durability and the lock. Does not own: what a frame says; it reads no clock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from engine.errors import InvariantBroken, JournalError, JournalFailed
from engine.journal.disk import DISK, Disk
from engine.journal.frame import SYNC_FRAME_COUNT, ZERO_HASH, Frame, Raw, Section, encode_frame, seal
from engine.journal.mark import mark_path, write_mark
from engine.journal.recovery import Tail, recover
from engine.journal.segment import (
    PAGE_BYTES,
    Position,
    SegmentHeader,
    create_segment,
    file_bytes_for,
)
from engine.journal.spare import SpareSegments


class Mirror(Protocol):
    """Another place that must have a frame before anyone is told of it."""

    def send(self, segment: SegmentHeader, raw: Raw) -> None:
        """Give it a frame that is about to be written here, with the header of its segment."""
        ...

    def wait(self, index: int) -> None:
        """Return when it has all frames up to `index`, or when they need not be there any more."""
        ...


class NoMirror:
    """This journal stands alone."""

    def send(self, segment: SegmentHeader, raw: Raw) -> None:
        """Nobody is there to get it."""

    def wait(self, index: int) -> None:
        """Nobody is there to wait for."""


class Staged(NamedTuple):
    """A frame on its way to the disk: numbered and placed, and encoded where its segment is there already."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  nobody searches a frame as a tuple
    sections: Sequence[Section]
    state_hash: bytes
    segment_number: int
    file_bytes: int  # of that segment
    offset: int
    frame_bytes: int
    encoded: tuple[Frame, Raw] | None


class JournalWriter:
    """Appends frames. After any failure it is unusable for ever: the process must stop and recover.

    A sync that failed is never tried again, because the retry may succeed over pages that the disk never got.
    """

    def __init__(
        self,
        folder: Path,
        segment_bytes: int,
        term: int,
        disk: Disk,
        lock: int,
        tail: Tail,
        mark: int,
        mirror: Mirror,
    ) -> None:
        """Take over an open journal; use `open`."""
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._term = term
        self._disk = disk
        self._lock = lock
        self._descriptor, self._header, offset, self._last = tail
        self._current = self._header.number, self._header.seed  # together, for the deciding thread
        self._mark = mark
        self._mirror = mirror
        self._spares = SpareSegments(folder, segment_bytes, disk)
        self._unusable = ""
        # Where the next staged frame goes, and what follows it.
        self._next_index = self._last.index + 1
        self._next_sequence = self._last.last_sequence + 1
        self._place = (self._header.number, self._header.file_bytes, offset)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        segment_bytes: int,
        known_index: int = 0,
        term: int = 1,
        disk: Disk = DISK,
        mirror: Mirror | None = None,
        claim: Callable[[Position], None] | None = None,
    ) -> JournalWriter:
        """Lock the folder, recover the journal (made if not there), and stand at its end.

        `segment_bytes` is a multiple of 4096; `known_index` a frame that others know as durable; `term` the
        number of the writer's reign, never lower than before. `claim` is called with the recovered end before
        readers see frames above the mark: what it raises leaves the mark as it was.
        Raises JournalDamaged when durable bytes do not verify, JournalFailed when the disk refuses,
        JournalError when another writer holds the folder.
        """
        if segment_bytes < 2 * PAGE_BYTES or segment_bytes % PAGE_BYTES:
            raise JournalError(f"segment_bytes {segment_bytes} is not a multiple of {PAGE_BYTES} above it")
        with opening(folder, disk) as (lock, descriptors):
            tail = recover(folder, segment_bytes, disk, known_index)
            descriptors.append(tail.descriptor)
            if term < tail.last.term:
                raise JournalError(f"term {term} is over: the journal is in term {tail.last.term}")
            if claim is not None:
                claim(tail.last)
            mark = disk.open(mark_path(folder))
            descriptors.append(mark)
            write_mark(mark, tail.last.index, disk)
            disk.fsync_folder(folder)
        return cls(folder, segment_bytes, term, disk, lock, tail, mark, mirror or NoMirror())

    @property
    def last(self) -> Position:
        """The last durable frame: index, last_sequence, term, chain_hash; all zero in an empty journal."""
        return self._last

    @property
    def is_low(self) -> bool:
        """Whether the disk has no room for another segment: take only what must still be journaled."""
        return self._spares.is_low

    def append(self, sections: Sequence[Section], state_hash: bytes = ZERO_HASH) -> Frame:
        """Write one frame and return it once it is durable; see `stage` and `commit`."""
        return self.commit([self.stage(sections, state_hash)])[0]

    def stage(self, sections: Sequence[Section], state_hash: bytes = ZERO_HASH) -> Staged:
        """Number and encode one frame, to be given to `commit` in this order. Rows are copied.

        The rows' sequences follow the last frame's without a gap. Raises InvariantBroken when the rows cannot
        be a frame, and JournalFailed when the journal cannot be written any more.
        """
        if self._unusable:
            raise JournalFailed(f"the journal cannot be written any more: {self._unusable}")
        (current, seed), (number, file_bytes, offset) = self._current, self._place
        frame, raw = self._encode(self._next_index, sections, state_hash, seed)
        if frame.first_sequence != self._next_sequence:
            raise InvariantBroken(
                f"a frame begins with sequence {frame.first_sequence}, not {self._next_sequence}"
            )
        if offset + len(raw) > file_bytes:
            number, offset = number + 1, PAGE_BYTES
            file_bytes = file_bytes_for(len(raw), self._segment_bytes)
        # The seed of a segment to come follows from a frame that may not be chained yet.
        encoded = (frame, raw) if number == current else None
        staged = Staged(
            frame.index, frame.sections, state_hash, number, file_bytes, offset, len(raw), encoded
        )
        self._place = (number, file_bytes, offset + len(raw))
        self._next_index += 1
        self._next_sequence = frame.last_sequence + 1
        return staged

    def commit(self, batch: Sequence[Staged]) -> list[Frame]:
        """Write staged frames and return them once all are durable; one sync serves them all.

        Raises JournalFailed when the disk refuses, and what the mirror raises.
        """
        if self._unusable:
            raise JournalFailed(f"the journal cannot be written any more: {self._unusable}")
        frames: list[Frame] = []
        last, synced = self._last, self._last.index
        try:
            for staged in batch:
                if staged.index != last.index + 1:
                    raise InvariantBroken(f"frame {staged.index} is committed after frame {last.index}")
                is_rolling = staged.segment_number != self._header.number
                if last.index - synced == SYNC_FRAME_COUNT - 1 or (is_rolling and last.index > synced):
                    self._disk.fdatasync(self._descriptor)  # a segment is whole before another one exists
                    synced = last.index
                if is_rolling:
                    self._begin_segment(staged, last)
                frame, raw = self._sealed(staged, last, synced)
                last = Position(frame.index, frame.last_sequence, frame.term, frame.chain_hash)
                self._mirror.send(self._header, raw)
                self._disk.pwrite(self._descriptor, raw, staged.offset)
                frames.append(frame)
            self._disk.fdatasync(self._descriptor)
            self._mirror.wait(last.index)
            write_mark(self._mark, last.index, self._disk)
        except BaseException as error:  # an interrupt too leaves the outcome unknown
            self._unusable = f"{self._header.name}, frame {last.index + 1}: {error!r}"
            if isinstance(error, OSError):
                raise JournalFailed(self._unusable) from error
            raise
        self._last = last
        return frames

    def prepare(self) -> bool:
        """Go a step towards a segment ahead of need, if one is missing; returns whether there is more to do.

        Beside `commit` on a thread of its own, after a pause of `pause_seconds`. Raises JournalFailed when
        the disk fails otherwise than by being full.
        """
        try:
            return self._spares.make()
        except OSError as error:
            self._unusable = f"{self._folder}: no segment can be made: {error!r}"
            raise JournalFailed(self._unusable) from error

    def pause_seconds(self, *, is_more: bool) -> float:
        """How long to wait until `prepare` again, so that the frames' own syncs find the disk free."""
        return self._spares.pause_seconds(is_more=is_more)

    def close(self) -> None:
        """Release the folder; all that was committed is durable already."""
        if self._lock >= 0:
            self._unusable = self._unusable or "it was closed"
            self._spares.close()
            self._disk.close(self._descriptor)
            self._disk.close(self._mark)
            os.close(self._lock)
            self._lock = -1

    def _encode(
        self, index: int, sections: Sequence[Section], state_hash: bytes, seed: int
    ) -> tuple[Frame, Raw]:
        return encode_frame(index, self._term, sections, state_hash, seed)

    def _sealed(self, staged: Staged, last: Position, synced: int) -> tuple[Frame, Raw]:
        _, seed = self._current
        frame, raw = staged.encoded or self._encode(staged.index, staged.sections, staged.state_hash, seed)
        return seal(frame, raw, last.chain_hash, last.index - synced, seed), raw

    def _begin_segment(self, staged: Staged, last: Position) -> None:
        header = SegmentHeader(staged.segment_number, staged.file_bytes, last)
        spare = self._spares.take(staged.file_bytes)
        descriptor = create_segment(self._folder, header, self._disk, spare)
        self._disk.close(self._descriptor)
        self._descriptor, self._header = descriptor, header
        self._current = header.number, header.seed


@contextmanager
def opening(folder: Path, disk: Disk) -> Generator[tuple[int, list[int]]]:
    """Hold a journal's folder while it is opened: its lock, and a list for the descriptors that are opened.

    A block that fails leaves nothing open. Raises JournalFailed when the disk refuses, JournalError when
    another writer holds the folder.
    """
    lock, descriptors = lock_folder(folder, disk), list[int]()
    try:
        yield lock, descriptors
    except BaseException as error:
        for descriptor in descriptors:
            disk.close(descriptor)
        os.close(lock)
        if isinstance(error, OSError):
            raise JournalFailed(f"{folder}: cannot be opened: {error}") from error
        raise


def lock_folder(folder: Path, disk: Disk) -> int:
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
