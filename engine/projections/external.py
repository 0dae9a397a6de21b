"""Records from outside in the lake: what others told us and what products filed, once by key.

Owns appending rows of external records: idempotent, durable, and safe beside other processes.
Does not own the watermark (that is the lake writer's) nor where the rows come from.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from engine.config import Home
from engine.errors import LakeError
from engine.projections.delta import LakeTable, table_of
from engine.projections.delta_log import is_table
from engine.projections.repair import repair, versions
from engine.projections.sync import locked
from schemas.external import LakeWatermark
from schemas.record import RecordType, Role, record_of

SHARD = "external"

_VERSION_BYTES = 20


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
    with locked(_lock_path(home, record), wait=True) as lock:
        table = _opened(home, record, lock)
        if not rows:
            return 0
        fresh = _fresh(record, told, _known(table, record, told))
        if fresh.num_rows:
            table.append(fresh, table.batch + 1)
            if table.is_checkpoint_due:
                table.checkpoint()
            _tell_durable(lock, table.version)
        return fresh.num_rows


def prepare_external(home: Home, record: RecordType) -> None:
    """Make the table of an external record if it is missing, and repair its tail."""
    with locked(_lock_path(home, record), wait=True) as lock:
        _opened(home, record, lock)


@contextmanager
def held(home: Home, record: RecordType) -> Generator[None]:
    """Hold a table against other writers; versions made meanwhile count as told durable at the end."""
    with locked(_lock_path(home, record), wait=True) as lock:
        table = _opened(home, record, lock)
        yield
        _tell_durable(lock, versions(table.folder)[-1])


def _lock_path(home: Home, record: RecordType) -> Path:
    return home.lake / "_locks" / record.table


def _opened(home: Home, record: RecordType, lock: int) -> LakeTable:
    """The table for the holder of its lock; its last version is durable, and the lock file says so.

    A commit begins only when the one before it was told durable, so the last version alone can be torn.
    """
    folder = home.lake / record.table
    durable, last = _durable(lock), max(versions(folder), default=-1)
    if last < durable:
        raise LakeError(f"{record.table}: version {durable} was durable and is missing")
    repair(folder, table=record.table, may_drop=lambda _: last > durable)
    if is_table(folder):
        table = LakeTable(folder, record, SHARD)
        table.sync()
    else:
        table = LakeTable.create(folder, record, SHARD)
    if table.version > durable:
        _tell_durable(lock, table.version)
    return table


def _durable(lock: int) -> int:
    """The newest version that was told durable; -1 when none was."""
    told = os.pread(lock, _VERSION_BYTES, 0)
    return int(told) if told else -1


def _tell_durable(lock: int, version: int) -> None:
    os.pwrite(lock, f"{version:0{_VERSION_BYTES}}".encode(), 0)
    os.fsync(lock)


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
