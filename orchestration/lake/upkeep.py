"""The lake's upkeep: small files put together, files beyond the retention removed, beside a running book.

Owns: which tables are worth it, one upkeep at a time, and telling what was done. Does not own: how files are
put together without touching a row or removed (`engine.projections.compaction`, `vacuum`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import dagster as dg

from engine.clock import Clock
from engine.config import Home
from engine.projections.compaction import Compaction, compact
from engine.projections.delta_log import is_table
from engine.projections.external import held
from engine.projections.sync import locked
from engine.projections.vacuum import Vacuumed, vacuum
from orchestration.settings import PlatformSettings
from schemas.external import LakeWatermark
from schemas.record import RecordType, in_lake

KEY = dg.AssetKey(["lake_upkeep"])
MIN_FILE_COUNT = 50  # fewer small files cost a reader less than putting them together


class Tended(NamedTuple):
    """What was done to one table."""

    table: str
    compaction: Compaction
    vacuumed: Vacuumed
    seconds: float


def tend_lake(
    home: Home, clock: Clock, retention_days: int, *, min_file_count: int | None = None
) -> list[Tended]:
    """Tend every table but the watermark, whose writer tends it.

    Raises LakeError when another upkeep runs or a table is not what it was after its compaction.
    """
    worth_it = MIN_FILE_COUNT if min_file_count is None else min_file_count
    with locked(home.lake / "_locks" / "upkeep", wait=False):
        return [_tended(home, record, clock, retention_days, worth_it) for record in _tables(home)]


def _tables(home: Home) -> Iterator[RecordType]:
    for record in in_lake():
        if record.cls is not LakeWatermark and is_table(home.lake / record.table):
            yield record


def _tended(home: Home, record: RecordType, clock: Clock, retention_days: int, min_file_count: int) -> Tended:
    began = time.monotonic()
    folder = home.lake / record.table
    # The writer of the journal's tables goes on meanwhile; writers of the others wait.
    beside: AbstractContextManager[None] = nullcontext() if record.is_journaled else held(home, record)
    with beside:
        compaction = compact(folder, record, clock, min_file_count=min_file_count)
    vacuumed = vacuum(folder, clock, retention_days)
    return Tended(record.table, compaction, vacuumed, time.monotonic() - began)


@dg.asset(
    key=KEY,
    group_name="upkeep",
    kinds={"delta"},
    owners=["team:platform"],
    description="Small files of lake tables put together, and files beyond the retention removed.",
)
def lake_upkeep(
    home: dg.ResourceParam[Home],
    clock: dg.ResourceParam[Clock],
    settings: dg.ResourceParam[PlatformSettings],
) -> dg.MaterializeResult:
    """Tend the lake; readers and the writer go on."""
    tended = tend_lake(home, clock, settings.lake_retention_days)
    return dg.MaterializeResult(metadata=_told(tended))


def _told(tended: list[Tended]) -> dict[str, Any]:
    changed = [t for t in tended if t.compaction.row_count or t.vacuumed.file_count]
    lines = [
        f"| {t.table} | {t.compaction.files_before:,} | {t.compaction.files_after:,} | "
        f"{t.compaction.bytes_before:,} | {t.compaction.bytes_after:,} | {t.compaction.row_count:,} | "
        f"{t.vacuumed.file_count:,} | {t.seconds:.1f} |"
        for t in changed
    ]
    head = [
        "| table | files before | after | bytes before | after | rows moved | files removed | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return {
        "files_before": sum(t.compaction.files_before for t in tended),
        "files_after": sum(t.compaction.files_after for t in tended),
        "bytes_before": sum(t.compaction.bytes_before for t in tended),
        "bytes_after": sum(t.compaction.bytes_after for t in tended),
        "files_removed": sum(t.vacuumed.file_count for t in tended),
        "bytes_removed": sum(t.vacuumed.bytes for t in tended),
        "seconds": round(sum(t.seconds for t in tended), 3),
        "tables": dg.MetadataValue.md("\n".join([*head, *lines]) if lines else "nothing was worth it"),
    }
