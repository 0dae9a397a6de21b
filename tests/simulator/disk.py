"""One machine's disk: what its processes see, and what is left after a power cut.

Files are real (in memory-backed storage), so the real readers read them: they are the machine's page cache.
Beside each stands what the platter holds. A sync moves the one to the other; a power cut puts the other in
the place of the one, with any choice of the sectors and names that were not synced. Rot changes both.
Does not own: when something fails (`disk_faults.py`).
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
_KEPT_VERSIONS = 64  # of one sector between two syncs


class Version(NamedTuple):
    """A sector as it was after one write; `begin` to `end` are the bytes that the write gave."""

    image: bytes
    begin: int
    end: int


@dataclass(eq=False)
class DiskFile:
    """One file's content on the platter; names come and go, the file stays."""

    durable: bytearray = field(default_factory=bytearray)
    dirty: dict[int, list[Version]] = field(
        default_factory=dict[int, list["Version"]]
    )  # by sector, oldest first
    true: dict[int, int] = field(default_factory=dict[int, int])  # what each rotten byte is to be

    def settle(self, sector: int, versions: list[Version]) -> None:
        """Put the last of a sector's versions on the platter."""
        _put(self.durable, sector, versions[-1].image)
        if self.true:
            for version in versions:
                for at in range(sector + version.begin, sector + version.end):
                    self.true.pop(at, None)

    @property
    def true_content(self) -> bytes:
        """The platter's content as it was before any rot."""
        whole = bytearray(self.durable)
        for at, byte in self.true.items():
            whole[at] = byte
        return bytes(whole)


class NameChange(NamedTuple):
    """A change of a folder that was not synced yet."""

    removed: Path | None
    added: Path | None
    file: DiskFile


class Hook:
    """What may go wrong at a call; does nothing here."""

    def before(self, call: str, path: Path) -> None:
        """Before the call has had any effect. May raise."""

    def after(self, call: str, path: Path) -> None:
        """After the call has had its effect. May raise."""

    def cuts_short(self, path: Path, length: int) -> tuple[int, BaseException | None]:
        """How many bytes of a write reach memory, and what ends it there."""
        return length, None

    def syncs(self, path: Path) -> bool:
        """Whether a sync succeeds. A failed one forgets what was to be written."""
        return True


class MachineDisk:
    """All files of one machine."""

    def __init__(self, root: Path, draw: random.Random) -> None:
        self.root = root
        self.is_full = False
        self.names: dict[Path, DiskFile] = {}
        self._durable_names: dict[Path, DiskFile] = {}
        self._pending: dict[Path, list[NameChange]] = {}
        self._draw = draw

    def process(self, hook: Hook) -> ProcessDisk:
        """The disk as one process of the machine uses it."""
        return ProcessDisk(self, hook)

    def files(self, suffix: str) -> list[Path]:
        """Paths in the folders of the root whose name ends so, in order; not what was set aside."""
        return sorted(p for p in self.names if p.name.endswith(suffix) and p.parent.parent == self.root)

    def made(self, path: Path) -> DiskFile:
        """A file that was just made, or the one that is there."""
        if path not in self.names:
            self.names[path] = DiskFile()
            self._change(path.parent, NameChange(None, path, self.names[path]))
        return self.names[path]

    def renamed(self, source: Path, target: Path) -> None:
        """A file got another name, or a folder with all that is in it; the latter is durable at once."""
        if source not in self.names:
            for path in [p for p in self._durable_names if source in p.parents]:
                del self._durable_names[path]
            for path in [p for p in self.names if source in p.parents]:
                moved = target / path.relative_to(source)
                self.names[moved] = self._durable_names[moved] = self.names.pop(path)
            self._pending.pop(source, None)
            return
        file = self.names.pop(source)
        self.names[target] = file
        self._change(target.parent, NameChange(source, target, file))

    def removed(self, path: Path) -> None:
        """A name was taken away."""
        self._change(path.parent, NameChange(path, None, self.names.pop(path)))

    def wrote(self, file: DiskFile, offset: int, length: int, image: bytes) -> None:
        """Bytes changed in memory; `image` is all of their sectors."""
        first = offset - offset % SECTOR
        for at in range(0, len(image), SECTOR):
            begin, end = max(offset - first - at, 0), min(offset + length - first - at, SECTOR)
            versions = file.dirty.setdefault(first + at, [])
            versions.append(Version(image[at : at + SECTOR], begin, end))
            del versions[:-_KEPT_VERSIONS]

    def write_back(self, file: DiskFile) -> None:
        """Bring all of a file to the platter, as a sync does and as the kernel does now and then."""
        for sector, versions in file.dirty.items():
            file.settle(sector, versions)
        file.dirty.clear()

    def sync_names(self, folder: Path) -> None:
        """Make a folder's names durable."""
        for change in self._pending.pop(folder, []):
            _apply(self._durable_names, change)

    # Power ------------------------------------------------------------------------------------

    def cut(self) -> bool:
        """Leave what the platter holds once the power is back. Returns whether a write was torn."""
        files = {id(f): f for f in [*self.names.values(), *self._durable_names.values()]}
        torn = [self._settle_by_chance(file) for file in files.values()]
        for changes in self._pending.values():
            for change in self._survivors(changes):
                _apply(self._durable_names, change)
        self._pending.clear()
        for path in self.names.keys() - self._durable_names.keys():
            path.unlink()
        self.names = dict(self._durable_names)
        for path, file in self.names.items():
            path.write_bytes(file.durable)
        return any(torn)

    def _settle_by_chance(self, file: DiskFile) -> bool:
        """Let sectors that were not synced survive: none, all, or any choice."""
        mode = self._draw.choice(["none", "all", "some", "some", "some"])
        kept: list[bool] = []
        for sector, versions in sorted(file.dirty.items()):
            choice = {"none": 0, "all": len(versions)}.get(mode, self._draw.randint(0, len(versions)))
            kept.append(choice == len(versions))
            if choice:
                file.settle(sector, versions[:choice])
        file.dirty.clear()
        return any(kept) and not all(kept)

    def _survivors(self, changes: list[NameChange]) -> Iterator[NameChange]:
        if self._draw.random() < 0.5:  # a journaling file system keeps the first ones
            yield from changes[: self._draw.randint(0, len(changes))]
        else:
            yield from (change for change in changes if self._draw.random() < 0.5)

    # Rot --------------------------------------------------------------------------------------

    def rot(self, path: Path, offset: int, content: bytes) -> None:
        """Put other bytes into synced sectors of a file, behind the back of whoever wrote them."""
        file = self.names[path]
        for at, byte in enumerate(content, start=offset):
            true = file.true.setdefault(at, file.durable[at])
            file.durable[at] = byte
            if byte == true:
                del file.true[at]
        _overwrite(path, offset, content)

    def restore(self, path: Path) -> None:
        """Put back what a file is to hold, as an operator does from a copy. No process runs."""
        file = self.names[path]
        for at, byte in file.true.items():
            file.durable[at] = byte
            _overwrite(path, at, bytes([byte]))
        file.true.clear()

    def _change(self, folder: Path, change: NameChange) -> None:
        self._pending.setdefault(folder, []).append(change)


class ProcessDisk:
    """The `Disk` protocol for one process: every call may be the one at which things go wrong."""

    def __init__(self, machine: MachineDisk, hook: Hook) -> None:
        self._machine = machine
        self._hook = hook
        self._open: dict[int, tuple[Path, DiskFile]] = {}

    def open(self, path: Path) -> int:
        self._hook.before("open", path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._open[descriptor] = (path, self._machine.made(path))
        return descriptor

    def pwrite(self, descriptor: int, content: bytes | bytearray, offset: int) -> None:
        path, file = self._open[descriptor]
        self._hook.before("pwrite", path)
        length, end = self._hook.cuts_short(path, len(content))
        size = os.fstat(descriptor).st_size
        is_out = self._machine.is_full and offset + length > size
        if is_out:
            length = max(0, size - offset)
        os.pwrite(descriptor, content[:length], offset)
        first = offset - offset % SECTOR
        image = os.pread(descriptor, -(-(offset + length) // SECTOR) * SECTOR - first, first)
        self._machine.wrote(file, offset, length, image)
        if is_out:
            raise OSError(errno.ENOSPC, "no space is left")
        if end is not None:
            raise end
        self._hook.after("pwrite", path)

    def fdatasync(self, descriptor: int) -> None:
        path, file = self._open[descriptor]
        self._hook.before("fdatasync", path)
        if not self._hook.syncs(path):  # the pages count as clean: they are seen, and never written
            file.dirty.clear()
            raise OSError(errno.EIO, "the disk refuses")
        self._machine.write_back(file)
        self._hook.after("fdatasync", path)

    def fsync_folder(self, folder: Path) -> None:
        self._hook.before("fsync_folder", folder)
        self._machine.sync_names(folder)
        self._hook.after("fsync_folder", folder)

    def rename(self, source: Path, target: Path) -> None:
        self._hook.before("rename", target)
        source.rename(target)
        self._machine.renamed(source, target)
        self._open = {d: (target, f) if p == source else (p, f) for d, (p, f) in self._open.items()}
        self._hook.after("rename", target)

    def unlink(self, path: Path) -> None:
        self._hook.before("unlink", path)
        path.unlink()
        self._machine.removed(path)

    def close(self, descriptor: int) -> None:
        self._open.pop(descriptor, None)
        os.close(descriptor)

    def let_go(self) -> None:
        """Close what a process left open when it ended."""
        for descriptor in list(self._open):
            self.close(descriptor)


def _apply(names: dict[Path, DiskFile], change: NameChange) -> None:
    if change.removed is not None:
        names.pop(change.removed, None)
    if change.added is not None:
        names[change.added] = change.file


def _overwrite(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as seen:
        seen.seek(offset)
        seen.write(content)


def _put(held: bytearray, offset: int, content: bytes) -> None:
    held.extend(bytes(max(0, offset + len(content) - len(held))))
    held[offset : offset + len(content)] = content
