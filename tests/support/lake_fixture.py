"""A small real lake for tests: one Delta table a record, with the rows that a test gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deltalake import DeltaTable, write_deltalake

from schemas.derive.arrow import arrow_schema, arrow_table_of
from schemas.external import LakeWatermark
from schemas.record import in_lake
from schemas.registry import RECORDS


def write_lake(lake: Path, rows: Iterable[Any] = ()) -> None:
    """Write every lake table below a folder; tables without rows are there and have no data file.

    The watermark covers all the rows unless the rows hold a watermark of their own.
    """
    by_class: dict[type, list[Any]] = defaultdict(list)
    for row in rows:
        by_class[type(row)].append(row)
    if not by_class[LakeWatermark]:
        reached = [r.sequence for kept in by_class.values() for r in kept if hasattr(r, "sequence")]
        last = max(reached, default=0)
        by_class[LakeWatermark] = [
            LakeWatermark(table_name="book", watermark_count=last, frame_count=1, written_at_ns=0)
        ]
    for record in in_lake(RECORDS):
        table = DeltaTable.create(lake / record.table, arrow_schema(record))
        if kept := by_class[record.cls]:
            write_deltalake(table, arrow_table_of(record, kept), mode="append")
