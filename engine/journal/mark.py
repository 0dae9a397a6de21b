"""The durable mark: the index of the last frame that was synced, in a file of its own.

It is written after each sync and never synced itself, so it may be too low after a power cut and is never
too high. Readers take nothing above it; recovery cuts nothing below it.
"""

from __future__ import annotations

import struct
from pathlib import Path

from engine.journal.disk import Disk

_MARK = struct.Struct("<QQ")
_INVERTED = (1 << 64) - 1
_READ_ATTEMPTS = 100


def mark_path(folder: Path) -> Path:
    """Where the mark of a journal lies."""
    return folder / "durable.mark"


def read_mark(folder: Path) -> int | None:
    """The marked frame index, or None where no mark can be read.

    A read may meet a write half-way, so a mark that does not verify is read again.
    """
    for _ in range(_READ_ATTEMPTS):
        try:
            content = mark_path(folder).read_bytes()
        except FileNotFoundError:
            return None
        if len(content) == _MARK.size:
            index, check = _MARK.unpack(content)
            if index ^ check == _INVERTED:
                return index
    return None


def write_mark(descriptor: int, index: int, disk: Disk) -> None:
    """Mark a frame as durable. Raises OSError."""
    disk.pwrite(descriptor, _MARK.pack(index, index ^ _INVERTED), 0)
