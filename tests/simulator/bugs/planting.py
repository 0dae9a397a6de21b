"""What planting a bug needs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

from engine.journal.disk import Content, Disk
from engine.journal.writer import JournalWriter

Bug = Callable[[], AbstractContextManager[Any]]


class OtherDisk:
    """Passes every call on; a bug overrides the one that it spoils."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.paths: dict[int, Path] = {}

    def open(self, path: Path) -> int:
        descriptor = self.disk.open(path)
        self.paths[descriptor] = path
        return descriptor

    def pwrite(self, descriptor: int, content: Content, offset: int) -> None:
        self.disk.pwrite(descriptor, content, offset)

    def fdatasync(self, descriptor: int) -> None:
        self.disk.fdatasync(descriptor)

    def fsync_folder(self, folder: Path) -> None:
        self.disk.fsync_folder(folder)

    def rename(self, source: Path, target: Path) -> None:
        self.disk.rename(source, target)
        self.paths = {d: target if p == source else p for d, p in self.paths.items()}

    def unlink(self, path: Path) -> None:
        self.disk.unlink(path)

    def close(self, descriptor: int) -> None:
        self.disk.close(descriptor)


def with_disk(other: type[OtherDisk]) -> Bug:
    """The journal's writer uses another disk."""

    def planted() -> AbstractContextManager[Any]:
        original = JournalWriter.open

        def spoilt(folder: Path, *, disk: Disk, **rest: Any) -> JournalWriter:
            return original(folder, disk=other(disk), **rest)

        return mock.patch.object(JournalWriter, "open", spoilt)

    return planted


def replacing(owner: Any, name: str, make: Callable[[Any], Any]) -> Bug:
    """An attribute is replaced by what `make` makes of the original."""

    def planted() -> AbstractContextManager[Any]:
        return mock.patch.object(owner, name, make(owner.__dict__[name]))

    return planted
