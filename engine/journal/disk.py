"""The few calls by which the journal changes a disk, so that tests can make them fail.

Owns: `Disk` and the real one. Does not own: when to call them, or reading (which changes nothing).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

Content = bytes | bytearray | memoryview


class Disk(Protocol):
    """Every call raises OSError when the disk refuses."""

    def open(self, path: Path) -> int:
        """Open a file to read and write, made empty if it is not there; returns its descriptor."""
        ...

    def pwrite(self, descriptor: int, content: Content, offset: int) -> None:
        """Write all of `content` at `offset`."""
        ...

    def fdatasync(self, descriptor: int) -> None:
        """Return when all that was written to the file survives a power cut."""
        ...

    def fsync_folder(self, folder: Path) -> None:
        """Return when the folder's entries survive a power cut."""
        ...

    def rename(self, source: Path, target: Path) -> None:
        """Give a file its final name."""
        ...

    def unlink(self, path: Path) -> None:
        """Remove a file."""
        ...

    def close(self, descriptor: int) -> None:
        """Close a file."""
        ...


class RealDisk:
    """The machine's disk."""

    def open(self, path: Path) -> int:
        """Open a file to read and write, made empty if it is not there; returns its descriptor."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def pwrite(self, descriptor: int, content: Content, offset: int) -> None:
        """Write all of `content` at `offset`."""
        rest = memoryview(content)
        while rest:
            written = os.pwrite(descriptor, rest, offset)
            rest = rest[written:]
            offset += written

    def fdatasync(self, descriptor: int) -> None:
        """Return when all that was written to the file survives a power cut."""
        os.fdatasync(descriptor)

    def fsync_folder(self, folder: Path) -> None:
        """Return when the folder's entries survive a power cut."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file its final name."""
        source.rename(target)

    def unlink(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def close(self, descriptor: int) -> None:
        """Close a file."""
        os.close(descriptor)


DISK = RealDisk()
