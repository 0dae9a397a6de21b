"""The journal as files for other tools: one Parquet or CSV file a record type, each whole or not there.

Owns: the files. Does not own: the lake, which follows the journal; an export is a copy of a moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pyarrow import csv, parquet

from engine.errors import JournalError
from engine.journal.disk import DISK
from engine.journal.reader import read_frames
from schemas.derive.arrow import arrow_schema, arrow_table
from schemas.derive.layout import Rows
from schemas.record import RecordType

_GROUP_ROWS = 1 << 16  # rows of one type that wait in memory


class Exported(NamedTuple):
    """What was written."""

    frames: int
    last_sequence: int
    rows: Mapping[str, int]  # file name -> rows
    problem: str  # why the reading ended early; empty when it did not


def export_journal(folder: Path, out: Path, *, as_csv: bool = False) -> Exported:
    """Write every durable row, one file a record type that has any; files of an earlier export are replaced.

    Each file is written under another name, synced and renamed at the end. Damage ends the reading: what was
    read before it is written and the problem told. Raises OSError when the disk refuses.
    """
    out.mkdir(parents=True, exist_ok=True)
    files: dict[str, _File] = {}
    frames, last_sequence, problem = 0, 0, ""
    with ExitStack() as opened:
        try:
            for frame in read_frames(folder):
                for record, rows in frame.sections:
                    if record.table not in files:
                        files[record.table] = opened.enter_context(_File(out, record, as_csv=as_csv))
                    files[record.table].add(rows)
                frames, last_sequence = frame.index, frame.last_sequence
        except JournalError as error:
            problem = str(error)
        for file in files.values():
            file.finish()
    DISK.fsync_folder(out)
    return Exported(frames, last_sequence, {f.path.name: f.count for f in files.values()}, problem)


class _File:
    """One file of an export, under another name until it is finished."""

    def __init__(self, out: Path, record: RecordType, *, as_csv: bool) -> None:
        self.path = out / f"{record.table}.{'csv' if as_csv else 'parquet'}"
        self.count = 0
        self._unfinished = self.path.with_name(self.path.name + ".unfinished")
        self._record = record
        self._waiting: list[Rows] = []
        self._waiting_count = 0
        kind = csv.CSVWriter if as_csv else parquet.ParquetWriter
        self._writer: Any = kind(str(self._unfinished), arrow_schema(record))

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        """Close, and leave no half of a file behind."""
        self._writer.close()
        self._unfinished.unlink(missing_ok=True)

    def add(self, rows: Rows) -> None:
        """Take rows; they are written in groups."""
        self._waiting.append(rows)
        self._waiting_count += len(rows)
        if self._waiting_count >= _GROUP_ROWS:
            self._flush()

    def finish(self) -> None:
        """Give the file its name, synced."""
        self._flush()
        self._writer.close()
        descriptor = DISK.open(self._unfinished)
        try:
            DISK.fdatasync(descriptor)
        finally:
            DISK.close(descriptor)
        DISK.rename(self._unfinished, self.path)

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(arrow_table(self._record, np.concatenate(self._waiting)))
            self.count += self._waiting_count
            self._waiting, self._waiting_count = [], 0
