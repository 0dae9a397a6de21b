"""The lake's tables as Delta tables in one folder of a local disk.

Owns where each table lies, the writer's lock, and appending to several tables at once. Does not own a commit
(`delta.py`), tail repair (`repair.py`) or records from outside (`external.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager

from engine.config import Home
from engine.projections.delta import LakeTable
from engine.projections.delta_log import is_table
from engine.projections.external import prepare_external
from engine.projections.repair import is_whole_to, repair
from engine.projections.store import Part
from engine.projections.sync import locked
from schemas.record import RecordType

SHARD = "main"
THREAD_COUNT = 4  # commits of small batches mostly wait for the disk
CHECKPOINTS_AT_ONCE = 2


class DeltaStore:
    """The journal's tables of one home."""

    def __init__(self, home: Home, thread_count: int = THREAD_COUNT) -> None:
        """Prepare; nothing is touched."""
        self._home = home
        self._threads = ThreadPoolExecutor(thread_count, thread_name_prefix="lake")
        self._tables: list[LakeTable] = []

    def lock(self) -> AbstractContextManager[object]:
        """Hold the lake for one writer. Raises LakeError when another one lives."""
        return locked(self._home.lake / "_locks" / "writer", wait=False)

    def open(self, record: RecordType, durable_batch: int, *, is_replaced: bool = False) -> LakeTable:
        """Open the table of a journaled record, repaired; make it, durable, when it is not there."""
        folder = self._home.lake / record.table

        def may_drop(version: int) -> bool:
            return is_whole_to(folder, version - 1, f"{SHARD}/{record.table}", durable_batch)

        repair(folder, table=record.table, may_drop=may_drop)
        if is_table(folder):
            table = LakeTable(folder, record, SHARD)
            table.sync()
        else:
            table = LakeTable.create(folder, record, SHARD, replaced=is_replaced)
        self._tables.append(table)
        return table

    def open_outside(self, record: RecordType) -> None:
        """Make and repair the table of a record from outside."""
        prepare_external(self._home, record)

    def append_each(self, parts: Sequence[Part], batch: int) -> None:
        """Append to several tables at once, the largest first; durable in each of them on return."""
        ordered = sorted(parts, key=_nbytes, reverse=True)
        begun = [self._threads.submit(part.table.append, part.rows, batch) for part in ordered]
        wait(begun)
        for append in begun:
            append.result()

    def tend(self) -> None:
        """Make some of the checkpoints that are due; the next batch waits for them."""
        due = [table for table in self._tables if table.is_checkpoint_due]
        for table in due[:CHECKPOINTS_AT_ONCE]:
            table.checkpoint()


def _nbytes(part: Part) -> int:
    return part.rows.nbytes
