"""A segment: one zero-filled file of frames, with a header that says where it stands in the journal.

Owns: the header, the file's names, its creation. Does not own: frames, or what to do about damage.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import NamedTuple

from engine.errors import JournalDamaged, JournalError
from engine.journal.disk import Disk
from engine.journal.frame import ZERO_HASH, crc32c

MAGIC = b"OBSEGMNT"
SEGMENT_VERSION = 1
PAGE_BYTES = 4096  # the header has a page of its own: no later write touches it
_HEADER = struct.Struct("<8sQ16sQQQQQ32sQ")
_SUMMED_BYTES = _HEADER.size - 8
_FILL_BYTES = 1 << 20
_SUFFIX, _UNFINISHED = ".segment", ".unfinished"


class Position(NamedTuple):
    """Where the journal ends, or where a segment begins: the last frame before it."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  nobody searches a frame as a tuple
    last_sequence: int
    term: int
    chain_hash: bytes


ORIGIN = Position(0, 0, 0, ZERO_HASH)


class SegmentHeader(NamedTuple):
    """What a segment says of itself."""

    number: int
    file_bytes: int
    before: Position  # the last frame of the segments before

    @property
    def uuid(self) -> bytes:
        """Sixteen bytes that no segment of another history shares: made from its number and the chain."""
        name = b"segment" + struct.pack("<Q", self.number) + self.before.chain_hash
        return hashlib.sha256(name).digest()[:16]

    @property
    def seed(self) -> int:
        """The CRC seed of all frames in the segment."""
        return crc32c(self.uuid)

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.number:010d}{_SUFFIX}"


def segment_paths(folder: Path) -> list[Path]:
    """All finished segments in order. Raises JournalDamaged when one is missing."""
    paths = sorted(folder.glob(f"*{_SUFFIX}"))
    for number, path in enumerate(paths, start=1):
        if path.name != f"{number:010d}{_SUFFIX}":
            raise JournalDamaged(f"{folder}: segment {number} is missing, {path.name} stands there")
    return paths


def segment_path(folder: Path, number: int) -> Path:
    """Where the segment of a number lies."""
    return folder / f"{number:010d}{_SUFFIX}"


def unfinished_paths(folder: Path) -> list[Path]:
    """Segments whose creation was cut short; they hold no frame."""
    return sorted(folder.glob(f"*{_UNFINISHED}"))


def file_bytes_for(frame_bytes: int, segment_bytes: int) -> int:
    """The size of a segment that is to take a frame: as set, or the frame's own need if that is more."""
    needed = -(-(PAGE_BYTES + frame_bytes) // PAGE_BYTES) * PAGE_BYTES
    return max(segment_bytes, needed)


def unfinished_path(folder: Path, name: str) -> Path:
    """Where a segment lies that holds no frame yet and may be removed at any time."""
    return folder / f"{name}{_UNFINISHED}"


def fill_with_zeros(descriptor: int, first: int, end: int, disk: Disk) -> None:
    """Write zeros from `first` to `end`, so that no later sync has a file size or an extent to change."""
    zeros = bytes(min(_FILL_BYTES, end - first))
    for offset in range(first, end, _FILL_BYTES):
        disk.pwrite(descriptor, zeros[: end - offset], offset)


def create_segment(
    folder: Path, header: SegmentHeader, disk: Disk, spare: tuple[Path, int] | None = None
) -> int:
    """Make a segment durable under its name, from a spare of its size if there is one.

    A file of zeros becomes a segment by its header, which is synced before the file gets its name.
    Returns the descriptor. Raises OSError.
    """
    path, descriptor = spare or (unfinished_path(folder, f"{header.number:010d}"), -1)
    if spare is None:
        descriptor = disk.open(path)
    try:
        if spare is None:
            fill_with_zeros(descriptor, PAGE_BYTES, header.file_bytes, disk)
        disk.pwrite(descriptor, header_page(header), 0)
        disk.fdatasync(descriptor)
        disk.rename(path, folder / header.name)
        disk.fsync_folder(folder)
    except BaseException:
        disk.close(descriptor)
        raise
    return descriptor


def header_page(header: SegmentHeader) -> bytes:
    """The first page of a segment."""
    before = header.before
    summed = _HEADER.pack(
        MAGIC,
        SEGMENT_VERSION,
        header.uuid,
        header.number,
        header.file_bytes,
        before.index,
        before.last_sequence,
        before.term,
        before.chain_hash,
        0,
    )[:_SUMMED_BYTES]
    return (summed + struct.pack("<Q", crc32c(summed))).ljust(PAGE_BYTES, b"\0")


def read_segment_header(descriptor: int, name: str) -> SegmentHeader:
    """The header of an open segment. Raises JournalDamaged when it does not verify."""
    page = os.pread(descriptor, PAGE_BYTES, 0)
    if len(page) < PAGE_BYTES:
        raise JournalDamaged(f"{name}: the segment header is cut off")
    magic, version, uuid, number, file_bytes, index, sequence, term, chain_hash, crc = _HEADER.unpack_from(
        page
    )
    if magic != MAGIC or crc != crc32c(page[:_SUMMED_BYTES]) or any(page[_HEADER.size :]):
        raise JournalDamaged(f"{name}: the segment header does not verify")
    if version != SEGMENT_VERSION:
        raise JournalError(f"{name}: segment format {version} is not {SEGMENT_VERSION}, the one known here")
    header = SegmentHeader(number, file_bytes, Position(index, sequence, term, chain_hash))
    if header.uuid != uuid or header.name != name:
        raise JournalDamaged(f"{name}: the segment header is that of another segment")
    if (found := os.fstat(descriptor).st_size) != file_bytes:
        raise JournalDamaged(f"{name}: {found} bytes long, its header says {file_bytes}")
    return header
