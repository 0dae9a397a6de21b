"""The journal in the lake: every row of every command and event once, one Delta table a record.

Owns the one writer of journaled tables and the watermark; and reading a table no further than the watermark.
Does not own Delta commits (`delta.py`), tail repair (`repair.py`) or records from outside (`external.py`).

A batch is a fixed range of frames. Its range is durable in the batch log before a table is touched; then each
table is appended to under the batch's number; the watermark moves last. A crash anywhere leaves one
unfinished batch, which is made again from the journal and skips each table that has its number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from engine.clock import Clock, WallClock
from engine.config import EngineSettings, Home
from engine.errors import LakeError
from engine.journal.disk import DISK, Disk
from engine.journal.mark import read_mark
from engine.journal.reader import follow, read_frames
from engine.projections.batches import NOTHING, Batch, BatchLog, batch_of
from engine.projections.delta import table_of
from engine.projections.delta_log import is_table
from engine.projections.delta_store import SHARD, DeltaStore
from engine.projections.store import Part, RecordTable, TableStore
from schemas.derive.arrow import arrow_table
from schemas.derive.layout import Rows, empty_rows
from schemas.external import LakeWatermark
from schemas.record import Role, in_lake, journaled, record_of

if TYPE_CHECKING:
    from engine.journal.frame import Frame

GATHERING_NS = 200_000_000  # how long frames wait for company before they become a batch

BATCH_LOG = "_batches.jsonl"
WATERMARKS = record_of(LakeWatermark)


class LakeWriter:
    """The one process that brings the journal to the lake."""

    def __init__(
        self,
        home: Home,
        settings: EngineSettings | None = None,
        clock: Clock | None = None,
        store: TableStore | None = None,
        disk: Disk = DISK,
    ) -> None:
        """Prepare a writer; nothing is touched before `open`. The clock dates the watermark."""
        self._home = home
        self._clock = clock or WallClock()
        self._store = store or DeltaStore(home)
        self._disk = disk
        told = settings or EngineSettings()
        self._batch_frame_count = told.lake_batch_frame_count
        self._batch_row_count = told.lake_batch_row_count
        self._held = ExitStack()
        self._tables: dict[str, RecordTable] = {}
        self._log: BatchLog
        self._watermark: RecordTable
        self._is_unusable = False

    def open(self) -> LakeWriter:
        """Take the lake's lock, make missing tables, repair torn tails and finish the last batch.

        Raises LakeError when another process writes the lake, or when the lake is not what its batch log and
        the journal say.
        """
        lake = self._home.lake
        lake.mkdir(parents=True, exist_ok=True)
        self._held.enter_context(self._store.lock())
        try:
            self._log = BatchLog(lake / BATCH_LOG, self._disk)
            self._held.callback(self._log.close)
            self._open_watermark()
            self._open_tables()
            if self._watermark.batch < self._log.last.number:
                self._finish(self._log.last)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Let go of the lake."""
        self._held.close()

    def __enter__(self) -> LakeWriter:
        """Open the writer."""
        return self.open()

    def __exit__(self, *_: object) -> None:
        """Close the writer."""
        self.close()

    @property
    def frame_count(self) -> int:
        """Index of the last frame that is in the lake."""
        return self._log.last.last_frame

    def project(self, frames: Sequence[Frame]) -> Batch:
        """Write the frames that follow the last batch as one batch; durable and readable on return.

        After any failure the writer is unusable: opening the lake again finishes the batch. Raises LakeError.
        """
        self._require_usable()
        self._is_unusable = True
        batch = batch_of(self._log.last.number + 1, frames)
        self._log.append(batch)
        self._write(batch, frames)
        self._store.tend()
        self._is_unusable = False
        return batch

    def catch_up(self) -> int:
        """Write all that is durable in the journal now; returns how many frames."""
        before = self.frame_count
        pending = _Gathering(self._batch_frame_count, self._batch_row_count)
        for frame in self._unread():
            if pending.add(frame):
                self.project(pending.take())
        if pending.frames:
            self.project(pending.take())
        return self.frame_count - before

    def run(self, stop: Callable[[], bool]) -> None:
        """Follow the journal and write it until `stop`; a durable frame is readable half a second later."""
        next(self._unread(), None)  # refuses a journal that the lake was not made from
        pace = WallClock()
        pending = _Gathering(self._batch_frame_count, self._batch_row_count)
        since_ns = 0

        def is_to_stop() -> bool:
            if pending.frames and pace.now_ns() - since_ns >= GATHERING_NS:
                self.project(pending.take())
            return stop()

        for frame in follow(self._home.journal, self.frame_count, is_to_stop):
            if not pending.frames:
                since_ns = pace.now_ns()
            if pending.add(frame):
                self.project(pending.take())
        if pending.frames:
            self.project(pending.take())

    def _unread(self) -> Iterator[Frame]:
        """Durable frames that are not in the lake. Raises JournalDamaged when the journal is another one."""
        self._require_usable()
        journal, last = self._home.journal, self._log.last
        if read_mark(journal) is None and last is NOTHING:
            return iter(())
        return read_frames(journal, last.last_frame, bytes.fromhex(last.chain_hash) or None)

    def _require_usable(self) -> None:
        if self._is_unusable:
            raise LakeError("the lake cannot be written any more: open it again")

    def _open_watermark(self) -> None:
        last = self._log.last.number
        self._watermark = self._store.open(WATERMARKS, max(0, last - 1), is_replaced=True)
        if not max(0, last - 1) <= self._watermark.batch <= last:
            raise LakeError(
                f"the watermark stands at batch {self._watermark.batch}, the batch log at {last}: "
                "rebuild the lake from the journal"
            )

    def _open_tables(self) -> None:
        is_finished = self._watermark.batch == self._log.last.number
        for record in in_lake():
            if record.role is Role.EXTERNAL:
                if record is not WATERMARKS:
                    self._store.open_outside(record)
                continue
            due = self._log.number_of(record.table, finished=not is_finished)
            table = self._store.open(record, due)
            self._refuse_wrong_rows(table, due)
            self._tables[record.table] = table
            # The first call loads modules for most of a second; the first batch shall not wait for it.
            arrow_table(record, empty_rows(record.cls, 0))

    def _refuse_wrong_rows(self, table: RecordTable, durable: int) -> None:
        """Hold a table against the batch log: its newest batch and its rows.

        `durable` is the newest finished batch that gave it rows; of the last one it may have all or none.
        """
        name, last = table.record.table, self._log.last
        newest, due = self._log.number_of(name, finished=False), self._log.row_counts[name]
        if table.batch < newest:
            due -= last.rows[name]
        if not durable <= table.batch <= newest or table.row_count != due:
            raise LakeError(
                f"{name} has {table.row_count} rows to batch {table.batch}, the batch log says {due} to "
                f"batch {newest}: rebuild the lake from the journal"
            )

    def _finish(self, batch: Batch) -> None:
        """Make the last batch again, where it has not reached."""
        frames: list[Frame] = []
        for frame in read_frames(self._home.journal, batch.first_frame - 1):
            frames.append(frame)
            if frame.index == batch.last_frame:
                break
        if not frames or frames[-1].index < batch.last_frame:
            raise LakeError(
                f"batch {batch.number} needs frame {batch.last_frame}, the journal's mark lies before it: "
                "start the engine, which renews the mark"
            )
        if batch_of(batch.number, frames) != batch:
            raise LakeError(
                f"batch {batch.number} (frames {batch.first_frame} to {batch.last_frame}) is not in this "
                "journal: the lake was made from another one"
            )
        self._write(batch, frames)

    def _write(self, batch: Batch, frames: Sequence[Frame]) -> None:
        parts = [
            Part(table, arrow_table(table.record, rows))
            for name, rows in _rows_by_table(frames).items()
            if (table := self._tables[name]).batch < batch.number
        ]
        self._store.append_each(parts, batch.number)
        row = LakeWatermark(
            table_name=SHARD,
            watermark_count=batch.last_sequence,
            frame_count=batch.last_frame,
            written_at_ns=self._clock.now_ns(),
        )
        self._watermark.replace(table_of(WATERMARKS, [row]), batch.number)


class _Gathering:
    """Frames that wait to become a batch."""

    def __init__(self, frame_count: int, row_count: int) -> None:
        self._most_frames, self._most_rows = frame_count, row_count
        self._row_count = 0
        self.frames: list[Frame] = []

    def add(self, frame: Frame) -> bool:
        """Take a frame in; whether they are enough now."""
        self.frames.append(frame)
        self._row_count += frame.last_sequence - frame.first_sequence + 1
        return len(self.frames) >= self._most_frames or self._row_count >= self._most_rows

    def take(self) -> list[Frame]:
        """Hand the frames over and begin anew."""
        taken, self.frames, self._row_count = self.frames, [], 0
        return taken


def watermark(home: Home) -> int:
    """Highest sequence that is whole in every table; zero when nothing was written yet."""
    folder = home.lake / WATERMARKS.table
    if not is_table(folder):
        return 0
    rows = pl.read_delta(str(folder))
    return int(rows["watermark_count"][0]) if rows.height else 0


def read_table(home: Home, cls: type) -> pl.DataFrame:
    """The lake table of a declared class; of a command or event, no further than the watermark.

    Raises LakeError when the lake has no such table.
    """
    record = record_of(cls)
    mark = watermark(home)  # before the table: what is at or below it is whole in every later version
    rows = pl.scan_delta(str(_folder(home, record.table)))
    if record.is_journaled:
        rows = rows.filter(pl.col("sequence") <= mark)
    return rows.collect()


def read_arrow(home: Home, cls: type) -> pa.Table:
    """As `read_table`, as an Arrow table."""
    return read_table(home, cls).to_arrow()


def _folder(home: Home, table: str) -> Path:
    folder = home.lake / table
    if not is_table(folder):
        raise LakeError(f"the lake has no table {table}: start the lake writer once")
    return folder


def _rows_by_table(frames: Sequence[Frame]) -> dict[str, Rows]:
    """Rows of frames by table, in the order of type codes; ascending sequence in each."""
    parts: dict[str, list[Rows]] = {record.table: [] for record in journaled()}
    for frame in frames:
        for section in frame.sections:
            if len(section.rows):
                parts[section.record.table].append(section.rows)
    return {table: np.concatenate(rows) for table, rows in parts.items() if rows}
