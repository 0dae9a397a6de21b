"""Journals of random rows for tests of the lake, and what their tables must hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.config import Home
from engine.journal.frame import Section
from engine.journal.reader import read_frames
from engine.journal.segment import Position
from engine.journal.writer import JournalWriter
from engine.projections.delta import LakeTable
from engine.projections.lake import read_table
from schemas.derive.layout import Rows, dtype_of
from schemas.ledger import Posting
from schemas.market import Fill, OrderAccepted, OrderCancelled, PlaceOrder
from schemas.record import record_of
from schemas.risk import MarginChanged

CLASSES: tuple[type, ...] = (PlaceOrder, OrderAccepted, OrderCancelled, Fill, MarginChanged, Posting)


class RandomJournal:
    """Appends frames of random rows to a home's journal."""

    def __init__(self, home: Home, seed: int) -> None:
        self._writer = JournalWriter.open(home.journal, segment_bytes=1 << 20)
        self._random = np.random.default_rng(seed)
        self._sequence = self._writer.last.last_sequence + 1

    def append(self, frame_count: int = 1, row_count: int = 20) -> None:
        """Append frames, each with up to `row_count` rows of some of the classes."""
        for _ in range(frame_count):
            self._writer.append([self._section(cls, row_count) for cls in self._chosen()])

    @property
    def last(self) -> Position:
        """The last frame."""
        return self._writer.last

    def close(self) -> None:
        self._writer.close()

    def _chosen(self) -> list[type]:
        count = int(self._random.integers(1, len(CLASSES) + 1))
        places = self._random.choice(len(CLASSES), count, replace=False)
        return [CLASSES[place] for place in sorted(places)]

    def _section(self, cls: type, row_count: int) -> Section:
        record = record_of(cls)
        rows = np.zeros(int(self._random.integers(1, row_count + 1)), dtype=dtype_of(cls))
        for column in record.columns:
            rows[column.name] = self._random.integers(-(1 << 62), 1 << 62, len(rows))
        rows["sequence"] = np.arange(self._sequence, self._sequence + len(rows))
        self._sequence += len(rows)
        return Section(record, rows)


def journal_rows(home: Home, classes: Sequence[type], until: int | None = None) -> dict[type, Rows]:
    """Rows of classes in the journal, up to a sequence."""
    parts: dict[type, list[Rows]] = {cls: [np.zeros(0, dtype=dtype_of(cls))] for cls in classes}
    for frame in read_frames(home.journal):
        for section in frame.sections:
            parts[section.record.cls].append(section.rows)
    rows = {cls: np.concatenate(found) for cls, found in parts.items()}
    return {cls: r if until is None else r[r["sequence"] <= until] for cls, r in rows.items()}


def lake_rows(home: Home, cls: type) -> Rows:
    """Rows of a class in the lake as its readers see them, by sequence; a doubled row stays doubled."""
    frame = read_table(home, cls).sort("sequence")
    rows = np.zeros(frame.height, dtype=dtype_of(cls))
    for column in record_of(cls).columns:
        rows[column.name] = frame[column.name].to_numpy()
    return rows


def differences(home: Home, until: int | None = None, classes: Sequence[type] = CLASSES) -> list[str]:
    """Tables whose readers see other rows than the journal has up to a sequence: count, sum and bytes."""
    found: list[str] = []
    for cls, due in journal_rows(home, classes, until).items():
        got = lake_rows(home, cls)
        if len(due) != len(got):
            found.append(f"{cls.__name__}: {len(got)} rows, {len(due)} in the journal")
        elif any(int(due[n].sum()) != int(got[n].sum()) for n in due.dtype.names or ()):
            found.append(f"{cls.__name__}: other sums")
        elif due.tobytes() != got.tobytes():
            found.append(f"{cls.__name__}: other rows")
    return found


def table_of_class(home: Home, cls: type, shard: str = "main") -> LakeTable:
    """The open table of a class."""
    record = record_of(cls)
    return LakeTable(home.lake / record.table, record, shard)


def log_entry(home: Home, table: str, version: int = -1) -> Path:
    """The log entry of a table's version; of the last one for a negative version counted from the end."""
    entries = sorted((home.lake / table / "_delta_log").glob("*.json"))
    return entries[version]
