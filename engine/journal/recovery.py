"""Find the journal's end after a stop of any kind, and make it safe to append there.

A write cut short leaves bytes above the durable mark that nothing follows: they are zeroed and synced.
Anything else that does not verify is damage; nothing is ever cut there.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.errors import JournalDamaged, JournalError
from engine.journal.disk import Disk
from engine.journal.frame import HEADER_BYTES, MAGIC, decode_header
from engine.journal.mark import read_mark
from engine.journal.reader import SegmentWalk
from engine.journal.segment import (
    ORIGIN,
    PAGE_BYTES,
    Position,
    SegmentHeader,
    create_segment,
    segment_paths,
    unfinished_paths,
)


class Tail(NamedTuple):
    """The open last segment and where the next frame goes."""

    descriptor: int
    header: SegmentHeader
    offset: int
    last: Position


def recover(folder: Path, segment_bytes: int, disk: Disk, known_index: int = 0) -> Tail:
    """Verify all segment headers and the last segment's frames, undo a write cut short, sync.

    `known_index` is a frame that others (snapshot, lake) know as durable. The caller holds the folder's lock.
    Raises JournalDamaged when anything durable does not verify; the files are then left as they
    are. Raises OSError.
    """
    for path in unfinished_paths(folder):
        disk.unlink(path)
    durable = max(read_mark(folder) or 0, known_index)
    paths = segment_paths(folder)
    if not paths:
        if durable:
            raise JournalDamaged(f"{folder}: frame {durable} was durable, but there is no segment")
        header = SegmentHeader(1, segment_bytes, ORIGIN)
        return Tail(create_segment(folder, header, disk), header, PAGE_BYTES, ORIGIN)
    _refuse_broken_order(paths)
    with SegmentWalk(paths[-1]) as walk:
        return _recover_last(walk, durable, disk)


def _refuse_broken_order(paths: list[Path]) -> None:
    before = ORIGIN
    for path in paths:
        with SegmentWalk(path) as walk:
            if walk.last.index < before.index or (path == paths[0] and walk.last != ORIGIN):
                raise JournalDamaged(f"{path.name}: follows frame {walk.last.index}, out of order")
            before = walk.last


def _recover_last(walk: SegmentWalk, durable: int, disk: Disk) -> Tail:
    unsure_at = walk.offset  # where the frames above the mark begin
    torn = b""
    try:
        while walk.next_frame() is not None:
            if walk.last.index <= durable:
                unsure_at = walk.offset
    except JournalDamaged as damage:
        torn = _torn_bytes(walk, durable, damage)
    last = walk.last
    if last.index < durable:
        raise JournalDamaged(f"{walk.path.name}: ends at frame {last.index}, but frame {durable} was durable")
    descriptor = disk.open(walk.path)
    try:
        # Frames above the mark may be in memory only, even after a sync that failed: write them again.
        if walk.offset > unsure_at:
            disk.pwrite(descriptor, walk.written(unsure_at), unsure_at)
        if torn:
            disk.pwrite(descriptor, bytes(len(torn)), walk.offset)
        disk.fdatasync(descriptor)
    except BaseException:
        disk.close(descriptor)
        raise
    return Tail(descriptor, walk.header, walk.offset, last)


def _torn_bytes(walk: SegmentWalk, durable: int, damage: JournalDamaged) -> bytes:
    """The bytes of a write cut short; raises the damage when they cannot be that."""
    due = walk.last.index + 1
    if due <= durable:
        raise JournalDamaged(f"{damage}; frame {durable} was durable") from None
    rest = walk.rest()
    for at in _header_places(rest):
        try:
            header = decode_header(rest[at : at + HEADER_BYTES], walk.header.seed)
        except JournalError:
            continue
        is_of_the_write = header.durable_before < due <= header.index  # one sync was to serve them all
        if not is_of_the_write or (header.index == due and at > 0):
            raise JournalDamaged(f"{damage}; frame {header.index} still follows it") from None
    return rest.rstrip(b"\0")


def _header_places(rest: bytes) -> list[int]:
    """Where a frame header may begin, in bytes."""
    words = np.frombuffer(rest, dtype=np.uint32, count=len(rest) // 8 * 2)[::2]
    return (np.flatnonzero(words == np.frombuffer(MAGIC, dtype=np.uint32)[0]) * 8).tolist()
