"""What the lake writer needs of the place where tables are kept; Delta on a local disk is the one in use.

Owns two protocols and nothing else. A store that keeps their promises can stand in for Delta, which is how a
simulation runs the writer over a disk that fails. `tests/support/store_promises.py` holds any store to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import pyarrow as pa

from schemas.record import RecordType


class RecordTable(Protocol):
    """The open table of one record, for one writer."""

    @property
    def record(self) -> RecordType:
        """The record whose rows it holds."""
        ...

    @property
    def batch(self) -> int:
        """The highest batch number that this table has, as this handle sees it; zero when none."""
        ...

    @property
    def row_count(self) -> int:
        """Rows in the table, as this handle sees it."""
        ...

    def append(self, rows: pa.Table, batch: int) -> None:
        """Add the rows of a batch, all or none, and return when they are durable.

        The caller has compared the number with `batch` before. Raises LakeError when anybody else has changed
        the rows since this handle was opened; then nothing was added. A compaction changes no rows.
        """
        ...

    def replace(self, rows: pa.Table, batch: int) -> None:
        """Put rows in place of all former ones; else as `append`."""
        ...

    def sync(self) -> None:
        """Return when all that this handle sees is durable, whoever wrote it."""
        ...


class Part(NamedTuple):
    """The rows of a batch that one table gets."""

    table: RecordTable
    rows: pa.Table


class TableStore(Protocol):
    """Where the tables of a lake are kept."""

    def lock(self) -> AbstractContextManager[object]:
        """Hold the lake for one writer. Raises LakeError when another one lives."""
        ...

    def open(self, record: RecordType, durable_batch: int, *, is_replaced: bool = False) -> RecordTable:
        """Open the table of a journaled record; make it, durable, when it is not there.

        A commit that a crash tore is dropped if `durable_batch`, the newest batch of this table that was told
        durable, stays whole without it; nothing else is. Raises LakeError otherwise, and changes nothing.
        """
        ...

    def open_outside(self, record: RecordType) -> None:
        """Make and repair the table of a record from outside, which the lake writer does not write."""
        ...

    def append_each(self, parts: Sequence[Part], batch: int) -> None:
        """Append to several tables, in any order or at once; durable in each of them on return.

        Raises the first LakeError; other tables may have their rows then.
        """
        ...

    def tend(self) -> None:
        """Do what keeps the tables quick, between two batches. It changes no row."""
        ...
