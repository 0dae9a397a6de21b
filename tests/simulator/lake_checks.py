"""What a reader of the lake may expect: up to the watermark every row of the journal, once."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from engine.errors import LakeError
from schemas.derive.arrow import arrow_table
from schemas.derive.layout import Rows
from schemas.external import LakeWatermark
from schemas.record import journaled, record_of
from tests.simulator.errors import Violation
from tests.simulator.lake_store import LakeOnDisk
from tests.simulator.oracle import Oracle

_WATERMARKS = record_of(LakeWatermark).table


def watermark(lake: LakeOnDisk) -> tuple[int, int]:
    """The watermark that a reader finds: sequence and frame; zero where there is none or it is torn."""
    table = lake.tables.get(_WATERMARKS)
    try:
        versions = table.live() if table is not None else []
    except LakeError:
        return 0, 0  # a reader waits for the writer to repair it
    if not versions:
        return 0, 0
    row = versions[-1].rows.to_pylist()[0]
    return row["watermark_count"], row["frame_count"]


def check_readers(lake: LakeOnDisk, oracle: Oracle) -> None:
    """Sequences up to the watermark are those of the journal. Raises Violation."""
    mark, last_frame = watermark(lake)
    if oracle.last_index < last_frame <= oracle.reachable_index:
        return  # the next start of an engine tells whether these frames stay
    if last_frame > oracle.last_index:
        raise Violation(f"the lake has frame {last_frame}, the journal ends at frame {oracle.last_index}")
    due: defaultdict[str, list[Rows]] = defaultdict(list)
    for promise in oracle.promises[:last_frame]:
        for section in promise.frame.sections:
            due[section.record.table].append(section.rows["sequence"])
    for record in journaled():
        if record.table not in lake.tables or lake.tables[record.table].is_torn:
            continue  # a reader meets the torn version, and waits for the writer to drop it
        found = np.sort(lake.sequences(record.table))
        found = found[found <= mark]
        parts = due[record.table]
        wanted = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
        if not np.array_equal(found, wanted):
            raise Violation(
                f"{record.table} has {len(found)} rows up to watermark {mark}, the journal {len(wanted)}"
            )


def check_rows(lake: LakeOnDisk, oracle: Oracle) -> None:
    """Every row of every table, to the last column. Raises Violation."""
    parts: defaultdict[str, list[Rows]] = defaultdict(list)
    for promise in oracle.promises:
        for section in promise.frame.sections:
            parts[section.record.table].append(section.rows)
    for record in journaled():
        found = lake.rows(record.table)
        if record.table not in parts:
            if found is not None and found.num_rows:
                raise Violation(f"{record.table} has rows that the journal has not")
            continue
        wanted = arrow_table(record, np.concatenate(parts[record.table]))
        if found is None or not found.equals(wanted):
            raise Violation(f"{record.table}: the lake has other rows than the journal")
