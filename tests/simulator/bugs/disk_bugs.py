"""Bugs of the journal's writer and of snapshots: syncs that are missing, late, or tried again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.journal import snapshot, writer
from engine.journal.disk import Content, Disk
from engine.journal.mark import write_mark
from engine.journal.writer import JournalWriter
from tests.simulator.bugs.planting import Bug, OtherDisk, replacing, with_disk


class _NoSync(OtherDisk):
    def fdatasync(self, descriptor: int) -> None:
        pass


class _LateSync(OtherDisk):
    """The sync of a frame is done when the next one comes."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk)
        self._owed: int | None = None

    def pwrite(self, descriptor: int, content: Content, offset: int) -> None:
        if self._owed is not None and self.paths.get(descriptor, Path()).suffix == ".segment":
            self.disk.fdatasync(self._owed)
            self._owed = None
        self.disk.pwrite(descriptor, content, offset)

    def fdatasync(self, descriptor: int) -> None:
        if self.paths[descriptor].suffix == ".segment":
            self._owed = descriptor
        else:
            self.disk.fdatasync(descriptor)

    def close(self, descriptor: int) -> None:
        self._owed = None if self._owed == descriptor else self._owed
        self.disk.close(descriptor)


class _NoFolderSync(OtherDisk):
    def fsync_folder(self, folder: Path) -> None:
        pass


class _SegmentNotSynced(OtherDisk):
    """A segment gets its name before its header and zeros are on the platter."""

    def fdatasync(self, descriptor: int) -> None:
        if self.paths[descriptor].suffix != ".unfinished":
            self.disk.fdatasync(descriptor)


class _Stubborn(OtherDisk):
    def fdatasync(self, descriptor: int) -> None:
        try:
            self.disk.fdatasync(descriptor)
        except OSError:
            self.disk.fdatasync(descriptor)


def _mark_first(original: Callable[..., Any]) -> Callable[..., Any]:
    def commit(self: JournalWriter, batch: Sequence[Any]) -> Any:
        write_mark(self._mark, batch[-1].index, self._disk)
        return original(self, batch)

    return commit


def _without_folder_sync(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda path, parts, disk: original(path, parts, _NoFolderSync(disk))


def _without_sync(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda path, parts, disk: original(path, parts, _NoSync(disk))


def _without_lock(original: Callable[..., Any]) -> Callable[..., Any]:
    def opened(folder: Path, disk: Disk) -> int:
        folder.mkdir(parents=True, exist_ok=True)
        return writer.os.open(folder / "writer.lock", writer.os.O_RDWR | writer.os.O_CREAT)

    return opened


BUGS: dict[str, Bug] = {
    "acknowledge-before-sync": with_disk(_LateSync),
    "no-sync": with_disk(_NoSync),
    "no-folder-sync-of-segments": with_disk(_NoFolderSync),
    "segment-named-before-its-sync": with_disk(_SegmentNotSynced),
    "retry-after-eio": with_disk(_Stubborn),
    "mark-before-sync": replacing(JournalWriter, "commit", _mark_first),
    "no-folder-sync-of-snapshots": replacing(snapshot, "_write_durably", _without_folder_sync),
    "no-sync-of-snapshots": replacing(snapshot, "_write_durably", _without_sync),
    "journal-not-locked": replacing(writer, "lock_folder", _without_lock),
}
