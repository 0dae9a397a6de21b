"""The lake as orchestration sees it: rows for checks and products, catching up, and the as-of day.

Does not own how tables are written; that is `engine.projections`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, TypeVar

import pyarrow as pa
from deltalake import DeltaTable

from engine.clock import Clock
from engine.config import Home
from engine.errors import LakeError
from engine.journal.reader import durable_index
from engine.projections.external import append_external
from engine.projections.lake import LakeWriter, read_arrow, watermark
from schemas.external import LakeWatermark
from schemas.market import BusinessDayStarted
from schemas.record import RecordType, record_of

T = TypeVar("T")
DAY_NS = 86_400 * 1_000_000_000
WAIT_SECONDS = 120.0
POLL_SECONDS = 0.1


def asset_key(record: RecordType) -> list[str]:
    """What Dagster and dbt call a lake table."""
    return ["lake", record.table]


def lake_table(home: Home, record: RecordType) -> pa.Table:
    """Rows of a lake table, of the journal's no further than the watermark. Raises LakeError without one."""
    return read_arrow(home, record.cls)


def lake_rows(home: Home, cls: type[T]) -> list[T]:
    """Rows of a lake table as declared objects, in the order of their key."""
    record = record_of(cls)
    rows: list[dict[str, Any]] = lake_table(home, record).sort_by(record.key).to_pylist()
    return [cls(**row) for row in rows]


def row_count(home: Home, record: RecordType) -> int:
    """Rows of a lake table, told by its log."""
    return DeltaTable(home.lake / record.table).count()


def append_new(home: Home, rows: Sequence[Any]) -> int:
    """Append declared objects of one class whose key the table does not have; returns how many were new.

    A row that is there keeps the instant of its first writing.
    """
    if not rows:
        return 0
    cls = type(rows[0])
    key = record_of(cls).key
    known = set(lake_table(home, record_of(cls)).column(key).to_pylist())
    return append_external(home, cls, [r for r in rows if getattr(r, key) not in known])


def catch_up(home: Home, clock: Clock, *, wait_seconds: float = WAIT_SECONDS) -> int:
    """Bring the lake up to the journal's durable end and return the watermark.

    Where another process writes the lake, wait until it has done so. Raises LakeError when it does not.
    """
    due = durable_index(home.journal)
    try:
        with LakeWriter(home, clock=clock) as writer:
            writer.catch_up()
    except LakeError as held:
        deadline = time.monotonic() + wait_seconds
        while _frame_count(home) < due:
            if time.monotonic() > deadline:
                raise LakeError(f"the lake stays behind frame {due} of the journal: {held}") from held
            time.sleep(POLL_SECONDS)
    return watermark(home)


def as_of_epoch_day(home: Home) -> int | None:
    """The latest business day that the lake knows; None when it knows none."""
    days = lake_table(home, record_of(BusinessDayStarted)).column("business_epoch_day")
    return max(days.to_pylist(), default=None)


def end_of_day_ns(epoch_day: int) -> int:
    """The first instant after a day, in UTC."""
    return (epoch_day + 1) * DAY_NS


def _frame_count(home: Home) -> int:
    rows = lake_table(home, record_of(LakeWatermark)).column("frame_count").to_pylist()
    return max(rows, default=0)
