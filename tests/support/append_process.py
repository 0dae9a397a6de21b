"""A real process that appends to a journal and tells of each frame once it is durable.

As a program it is given the name of a disk and reads folders from its input. For each it forks a child that
says `pid N`, waits for a line, then appends the frames that are still missing, making segments ahead and a
snapshot as an engine does:

    ack INDEX CHAIN_HASH     the frame is durable
    low                      the disk has no room for another segment; it goes on
    refused N                the journal failed; N more frames were offered to it, and it took none
    failed MESSAGE           the process stops
    done                     all frames are there

The parent says `exit STATUS` when the child is gone.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.errors import JournalError, JournalFailed
from engine.journal.disk import DISK, Disk, RealDisk
from engine.journal.snapshot import write_snapshot
from engine.journal.writer import JournalWriter
from tests.support.journal_disk import batch

SEGMENT_BYTES = 8192
COUNTS = (1, 3, 1, 20, 2, 30, 1, 9, 9)  # rolls over twice, once into a segment larger than usual
SNAPSHOT_AT = 4
Tell = Callable[[str], None]


class RetryingDisk(RealDisk):
    """Planted bug: a sync that fails is tried again."""

    def fdatasync(self, descriptor: int) -> None:
        try:
            super().fdatasync(descriptor)
        except OSError:
            super().fdatasync(descriptor)


DISKS: dict[str, Disk] = {"real": DISK, "retrying": RetryingDisk()}


def append_all(folder: Path, tell: Tell, disk: Disk = DISK, segment_bytes: int = SEGMENT_BYTES) -> None:
    """Append what is missing of COUNTS, telling of each frame. Raises JournalError."""
    writer = JournalWriter.open(folder / "journal", segment_bytes=segment_bytes, disk=disk)
    for count in COUNTS[writer.last.index :]:
        try:
            frame = writer.append(batch(writer.last.last_sequence + 1, count))
            tell(f"ack {frame.index} {frame.chain_hash.hex()}")
            writer.prepare()
        except JournalFailed:
            tell(f"refused {sum(_is_refused(writer) for _ in range(3))}")
            raise
        if writer.is_low:
            tell("low")
        if frame.index == SNAPSHOT_AT:
            place, arrays = folder / "snapshots", {"rows": np.arange(9)}
            write_snapshot(place, frame.index, frame.chain_hash, bytes(32), arrays, b"", disk)
    writer.close()


def _is_refused(writer: JournalWriter) -> bool:
    try:
        writer.append(batch(writer.last.last_sequence + 1, 1))
    except JournalFailed:
        return True
    return False


def _tell(line: str) -> None:
    os.write(1, line.encode() + b"\n")


def _child(folder: Path) -> int:
    _tell(f"pid {os.getpid()}")
    os.read(0, 1)
    try:
        append_all(folder, _tell, DISKS[sys.argv[1]])
    except JournalError as error:
        _tell(f"failed {' '.join(str(error).split())}")
        return 1
    _tell("done")
    return 0


def main() -> None:
    """Fork a child for each folder that is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        append_all(Path(folder), len)  # whatever is imported late is imported here
    _tell("ready")
    while asked := _line():
        child = os.fork()
        if not child:
            os._exit(_child(Path(asked)))
        _tell(f"exit {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")


def _line() -> str:
    """A line of the input, read byte by byte: what follows is the child's."""
    line = b""
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    return line.decode()


if __name__ == "__main__":
    sys.exit(main())
