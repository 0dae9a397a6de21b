"""Disks that fail, and small frames to write on them.

`FaultyDisk` keeps what a real disk would still hold after a power cut: bytes that were synced, and of the
others any choice of 512-byte sectors.
"""

from __future__ import annotations

import errno
import random
from collections import defaultdict
from pathlib import Path

import numpy as np

from engine.journal.disk import Content, RealDisk
from engine.journal.frame import Frame, Section
from schemas.derive.layout import empty_rows
from schemas.market import CancelOrder, OrderCancelled
from schemas.record import record_of

SECTOR = 512


class PowerCut(BaseException):
    """The machine stops here."""


class QuickDisk(RealDisk):
    """The machine's disk without syncs, for tests that never cut the power."""

    def fdatasync(self, descriptor: int) -> None:
        pass

    def fsync_folder(self, folder: Path) -> None:
        pass


class FaultyDisk(RealDisk):
    """Fails at its `fail_at`-th call (from 1): by a power cut, or with EIO and then works on."""

    def __init__(self, fail_at: int = 0, *, power_cut: bool = True) -> None:
        self.calls: list[str] = []
        self.fail_at = fail_at
        self.power_cut = power_cut
        self._paths: dict[int, Path] = {}
        self._durable: dict[Path, bytearray] = {}
        self._dirty: dict[Path, list[tuple[int, bytes]]] = defaultdict(list)
        self._renamed: list[tuple[Path, Path]] = []

    def _call(self, name: str) -> bool:
        """Whether this call is the one that fails."""
        self.calls.append(name)
        return len(self.calls) == self.fail_at

    def _fail(self) -> None:
        if self.power_cut:
            raise PowerCut
        raise OSError(errno.EIO, "the disk refuses")

    def open(self, path: Path) -> int:
        descriptor = super().open(path)
        self._paths[descriptor] = path
        self._durable.setdefault(path, bytearray())
        return descriptor

    def pwrite(self, descriptor: int, content: Content, offset: int) -> None:
        failing = self._call("pwrite")
        written = bytes(content)[: len(content) // 2] if failing and not self.power_cut else bytes(content)
        super().pwrite(descriptor, written, offset)
        self._dirty[self._paths[descriptor]].append((offset, written))
        if failing:
            self._fail()

    def fdatasync(self, descriptor: int) -> None:
        path = self._paths[descriptor]
        failing = self._call("fdatasync")
        if failing and self.power_cut:
            self._fail()
        dirty = self._dirty.pop(path, [])
        if failing:  # the kernel forgets that the pages are dirty: they are seen, and never written
            self._fail()
        for offset, content in dirty:
            _put(self._durable[path], offset, content)

    def fsync_folder(self, folder: Path) -> None:
        if self._call("fsync_folder"):
            self._fail()
        self._renamed.clear()

    def rename(self, source: Path, target: Path) -> None:
        if self._call("rename"):
            self._fail()
        super().rename(source, target)
        self._renamed.append((source, target))
        for state in (self._durable, self._dirty):
            if source in state:
                state[target] = state.pop(source)
        self._paths = {d: target if p == source else p for d, p in self._paths.items()}

    def unlink(self, path: Path) -> None:
        if self._call("unlink"):
            self._fail()
        super().unlink(path)
        self._durable.pop(path, None)
        self._dirty.pop(path, None)

    def cut(self, choice: random.Random) -> None:
        """Make the files what the disk holds after the power comes back."""
        for path, durable in self._durable.items():
            for offset, content in self._dirty.get(path, []):
                for at in range(offset - offset % SECTOR, offset + len(content), SECTOR):
                    begin, end = max(at, offset), min(at + SECTOR, offset + len(content))
                    if choice.random() < 0.5:
                        _put(durable, begin, content[begin - offset : end - offset])
            path.write_bytes(durable)
        for source, target in reversed(self._renamed):
            if choice.random() < 0.5:
                target.rename(source)


def _put(held: bytearray, offset: int, content: bytes) -> None:
    held.extend(bytes(max(0, offset + len(content) - len(held))))
    held[offset : offset + len(content)] = content


def batch(first: int, count: int = 1) -> list[Section]:
    """`count` commands from sequence `first` on, and an event for each."""
    commands, events = empty_rows(CancelOrder, count), empty_rows(OrderCancelled, count)
    for rows in (commands, events):
        for column in rows.dtype.names or ():
            rows[column] = np.arange(count) * 7 + first * 1_000_003
    commands["sequence"] = np.arange(first, first + count)
    events["sequence"] = np.arange(first + count, first + 2 * count)
    return [Section(record_of(OrderCancelled), events), Section(record_of(CancelOrder), commands)]


def same(one: Frame, other: Frame) -> bool:
    """Whether two frames say the same to the byte, wherever they lie."""
    return (one.index, one.first_sequence, one.last_sequence, one.state_hash) == (
        other.index,
        other.first_sequence,
        other.last_sequence,
        other.state_hash,
    ) and [(s.record, s.rows.tobytes()) for s in one.sections] == [
        (s.record, s.rows.tobytes()) for s in other.sections
    ]
