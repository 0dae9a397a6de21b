"""Bugs of the lake's writer: what it takes for done, and in which order it does the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

from engine.journal.disk import DISK, Disk
from engine.journal.reader import JournalWalk, read_frames
from engine.projections import lake
from engine.projections.batches import Batch, BatchLog, batch_of
from engine.projections.lake import LakeWriter
from tests.simulator.bugs.planting import Bug, OtherDisk, replacing


class _Blank:
    """A table that says it has no batch."""

    batch = 0

    def __init__(self, table: Any) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)


class _LateSet:
    """A watermark whose replacement came first."""

    def replace(self, rows: Any, batch: int) -> None:
        pass


class _NoSync(OtherDisk):
    def fdatasync(self, descriptor: int) -> None:
        pass


def _unchecked(original: Callable[..., Any]) -> Callable[..., Any]:
    def write(self: LakeWriter, batch: Batch, frames: Sequence[Any]) -> None:
        tables = self._tables
        self._tables = {name: _Blank(table) for name, table in tables.items()}  # type: ignore[misc]
        try:
            original(self, batch, frames)
        finally:
            self._tables = tables

    return write


def _mark_first(original: Callable[..., Any]) -> Callable[..., Any]:
    def write(self: LakeWriter, batch: Batch, frames: Sequence[Any]) -> None:
        row = lake.LakeWatermark(
            table_name=lake.SHARD,
            watermark_count=batch.last_sequence,
            frame_count=batch.last_frame,
            written_at_ns=self._clock.now_ns(),
        )
        if self._watermark.batch < batch.number:
            self._watermark.replace(lake.table_of(lake.WATERMARKS, [row]), batch.number)
        watermark, self._watermark = self._watermark, _LateSet()  # type: ignore[assignment]
        try:
            original(self, batch, frames)
        finally:
            self._watermark = watermark

    return write


def _afresh(original: Callable[..., Any]) -> Callable[..., Any]:
    """After a crash, a batch of all that is durable by now takes the place of the one that was begun."""

    def finish(self: LakeWriter, batch: Batch) -> None:
        frames = list(read_frames(self._home.journal, batch.first_frame - 1))
        again = batch_of(batch.number, frames)
        self._write(again, frames)
        self._log.last = again

    return finish


def _log_not_synced() -> AbstractContextManager[Any]:
    original = BatchLog.__init__

    def begin(self: BatchLog, path: Path, disk: Disk = DISK) -> None:
        original(self, path, _NoSync(disk))

    return mock.patch.object(BatchLog, "__init__", begin)


def _beyond_the_mark(original: Callable[..., Any]) -> Callable[..., Any]:
    """The lake reads whatever it finds, durable or not."""

    def frames(folder: Path, after_index: int = 0, after_chain_hash: bytes | None = None) -> Any:
        walk = JournalWalk(folder, after_index)
        try:
            while True:
                yield walk.next_frame()
        except Exception:  # the end, or what is not whole yet
            return
        finally:
            walk.close()

    return frames


BUGS: dict[str, Bug] = {
    "lake-transaction-not-checked": replacing(LakeWriter, "_write", _unchecked),
    "lake-watermark-before-tables": replacing(LakeWriter, "_write", _mark_first),
    "lake-batch-taken-afresh": replacing(LakeWriter, "_finish", _afresh),
    "lake-batch-log-not-synced": _log_not_synced,
    "lake-reads-beyond-the-mark": replacing(lake, "read_frames", _beyond_the_mark),
}
