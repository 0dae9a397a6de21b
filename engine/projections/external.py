"""Records from outside in the lake: what others told us and what products filed, once by key.

Owns appending rows of external records: idempotent, durable, and safe beside other processes.
Does not own the watermark (that is the lake writer's) nor where the rows come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from engine.config import Home
from engine.errors import LakeError
from engine.projections.delta import LakeTable, is_table, locked, table_of
from engine.projections.repair import repair
from schemas.external import LakeWatermark
from schemas.record import RecordType, Role, record_of

SHARD = "external"


def append_external(home: Home, cls: type, rows: Sequence[Any]) -> int:
    """Append declared objects whose key the table does not have; returns how many were new, durable.

    Rows that are there already, value for value, are skipped. Raises LakeError when a key is there with other
    values, when a value does not fit its column, or when the table is damaged; then nothing was appended.
    """
    record = record_of(cls)
    if record.role is not Role.EXTERNAL or cls is LakeWatermark:
        raise LakeError(f"{record.table} is written by the lake writer only")
    if strange := [r for r in rows if type(r) is not cls]:
        raise LakeError(f"{record.table} holds {cls.__name__}, not {type(strange[0]).__name__}")
    told = table_of(record, rows)
    with _lock(home, record):
        table = _opened(home, record)
        if not rows:
            return 0
        fresh = _fresh(record, told, _known(table, record, told))
        if fresh.num_rows:
            table.append(fresh, table.batch + 1)
        return fresh.num_rows


def prepare_external(home: Home, record: RecordType) -> None:
    """Make the table of an external record if it is missing, and repair its tail."""
    with _lock(home, record):
        _opened(home, record)


def _lock(home: Home, record: RecordType) -> Any:
    return locked(home.lake / "_locks" / record.table, wait=True)


def _opened(home: Home, record: RecordType) -> LakeTable:
    """The table for the holder of its lock.

    A commit begins only when the one before it was synced, so the last version alone can be torn; nobody was
    told that it is durable.
    """
    folder = home.lake / record.table
    repair(folder, table=record.table, droppable=True)
    if not is_table(folder):
        return LakeTable.create(folder, record, SHARD)
    table = LakeTable(folder, record, SHARD)
    table.sync_last()
    return table


def _known(table: LakeTable, record: RecordType, told: pa.Table) -> dict[Any, dict[str, Any]]:
    """Rows of the table that have one of the told keys, by key."""
    if not table.row_count:
        return {}
    keys = pl.Series(told.column(record.key).to_pylist())
    found = pl.scan_delta(str(table.folder)).filter(pl.col(record.key).is_in(keys.implode()))
    return {row[record.key]: row for row in found.collect().iter_rows(named=True)}


def _fresh(record: RecordType, told: pa.Table, known: dict[Any, dict[str, Any]]) -> pa.Table:
    """The told rows that are not known yet, each key once."""
    chosen: list[int] = []
    seen = dict(known)
    for position, row in enumerate(told.to_pylist()):
        key = row[record.key]
        if key not in seen:
            seen[key] = row
            chosen.append(position)
        elif seen[key] != row:
            column = next(name for name in row if row[name] != seen[key][name])
            raise LakeError(
                f"{record.table}: {record.key} {key!r} is there with another {column}: "
                f"{seen[key][column]!r}, not {row[column]!r}"
            )
    return told.take(pa.array(chosen, type=pa.int64()))
