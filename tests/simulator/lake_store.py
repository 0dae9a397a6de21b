"""A lake that behaves as Delta tables on a local disk do, in memory: versions, numbers, torn ends.

Owns what survives: a version that was synced stays; one that was not may be there, be gone or be torn after
a power cut. A commit through a handle that others have overtaken conflicts. A number that was used before is
not refused: Delta does not, so the writer must look. Does not own rows: they come and go as Arrow tables.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.errors import LakeError
from engine.projections.store import Part
from schemas.record import RecordType
from tests.simulator.disk import Hook


class TableVersion(NamedTuple):
    """One commit."""

    batch: int
    rows: pa.Table
    is_replacement: bool


class TableOnDisk:
    """A table as its machine keeps it."""

    def __init__(self) -> None:
        self.versions: list[TableVersion] = []
        self.durable = 0  # so many of them survive a power cut
        self.is_torn = False  # whether the last one is

    def live(self) -> list[TableVersion]:
        """The versions whose rows a reader sees. Raises LakeError when the last one is torn."""
        if self.is_torn:
            raise LakeError("the last version is torn")
        replaced = [at for at, version in enumerate(self.versions) if version.is_replacement]
        return self.versions[replaced[-1] if replaced else 0 :]


class LakeOnDisk:
    """All tables of one machine, and the lock of their writer."""

    def __init__(self, draw: random.Random) -> None:
        self.tables: dict[str, TableOnDisk] = {}
        self.holder = ""  # the process that holds the lock
        self._draw = draw

    def cut(self) -> bool:
        """Leave what survives a power cut. Returns whether a version was torn."""
        self.holder = ""
        is_torn = False
        for table in self.tables.values():
            kept = self._draw.randint(table.durable, len(table.versions))
            table.is_torn = kept > table.durable and self._draw.random() < 0.4
            del table.versions[kept:]
            table.durable = len(table.versions) - table.is_torn
            is_torn |= table.is_torn
        return is_torn

    def sequences(self, table: str) -> npt.NDArray[np.int64]:
        """The sequences that a reader finds in a table; a doubled row stays doubled."""
        parts = [version.rows["sequence"].to_numpy() for version in self.tables[table].live()]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def rows(self, table: str) -> pa.Table | None:
        """All rows of a table by sequence; none where it has no version."""
        parts = [version.rows for version in self.tables[table].live()]
        return pa.concat_tables(parts).sort_by("sequence") if parts else None


class TableHandle:
    """The `RecordTable` of one writer."""

    def __init__(self, record: RecordType, table: TableOnDisk, hook: Hook) -> None:
        self.record = record
        self._table = table
        self._hook = hook
        self._path = Path(record.table)
        live = table.live()
        self.batch = max((version.batch for version in table.versions), default=0)
        self.row_count = sum(version.rows.num_rows for version in live)
        self._version = len(table.versions)
        self._is_refused = False

    def append(self, rows: pa.Table, batch: int) -> None:
        self._commit(TableVersion(batch, rows, False))
        self.row_count += rows.num_rows

    def replace(self, rows: pa.Table, batch: int) -> None:
        self._commit(TableVersion(batch, rows, True))
        self.row_count = rows.num_rows

    def sync(self) -> None:
        self._hook.before("fdatasync", self._path)
        if not self._hook.syncs(self._path):
            self._is_refused = True
            raise LakeError(f"{self.record.table}: cannot be synced")
        self._table.durable = max(self._table.durable, self._version)
        self._hook.after("fdatasync", self._path)

    def _commit(self, version: TableVersion) -> None:
        self._hook.before("pwrite", self._path)
        kept, end = self._hook.cuts_short(self._path, 2)
        if end is not None and kept == 0:
            raise LakeError(f"{self.record.table}: cannot be written") if isinstance(end, OSError) else end
        if self._is_refused or len(self._table.versions) != self._version or self._table.is_torn:
            self._is_refused = True
            raise LakeError(f"{self.record.table}: another writer has committed")
        self._table.versions.append(version)
        self._version += 1
        self.batch = version.batch
        if end is not None:
            self._is_refused = True
            raise LakeError(f"{self.record.table}: cannot be synced") if isinstance(end, OSError) else end
        self._hook.after("pwrite", self._path)
        self.sync()


class SimulatedStore:
    """The `TableStore` of one process."""

    def __init__(self, lake: LakeOnDisk, process: str, hook: Hook, draw: random.Random) -> None:
        self._lake = lake
        self._process = process
        self._hook = hook
        self._draw = draw

    @contextmanager
    def lock(self) -> Generator[object]:
        if self._lake.holder not in ("", self._process):
            raise LakeError("another process writes the lake")
        self._lake.holder = self._process
        try:
            yield None
        finally:
            if self._lake.holder == self._process:
                self._lake.holder = ""

    def open(self, record: RecordType, durable_batch: int, *, is_replaced: bool = False) -> TableHandle:
        table = self._lake.tables.setdefault(record.table, TableOnDisk())
        if table.is_torn:
            left = max((version.batch for version in table.versions[:-1]), default=0)
            if left < durable_batch:
                raise LakeError(f"{record.table}: durable version {len(table.versions)} is damaged")
            table.versions.pop()
            table.is_torn = False
        handle = TableHandle(record, table, self._hook)
        if table.durable < len(table.versions):
            handle.sync()
        return handle

    def open_outside(self, record: RecordType) -> None:
        pass

    def append_each(self, parts: Sequence[Part], batch: int) -> None:
        for part in self._draw.sample(list(parts), len(parts)):
            part.table.append(part.rows, batch)

    def tend(self) -> None:
        pass
