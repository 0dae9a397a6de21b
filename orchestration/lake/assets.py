"""The lake's tables as assets: journal, statements from outside, and what products filed.

Owns: bringing each kind of table up to date and telling how far it is. Does not own: how rows are written
(`engine.projections`, `orchestration.lake.ingest`) nor whether they are sound (`orchestration.checks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from engine.clock import Clock
from engine.config import Home
from orchestration.lake.tables import asset_key, catch_up, row_count
from schemas import external
from schemas.record import RecordType, in_lake, record_of

FILED = tuple(
    record_of(cls) for cls in (external.WrittenMessage, external.FiledReserve, external.EvidenceBundle)
)


def journal_records() -> tuple[RecordType, ...]:
    """Tables that the journal fills, and the watermark that says how far."""
    watermarks = record_of(external.LakeWatermark)
    return (*(r for r in in_lake() if r.is_journaled), watermarks)


def statement_records() -> tuple[RecordType, ...]:
    """Tables that files from outside fill."""
    known = {r.table for r in (*journal_records(), *FILED)}
    return tuple(r for r in in_lake() if r.table not in known)


def _specs(records: Sequence[RecordType]) -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(asset_key(r), description=r.doc, group_name=f"lake_{r.domain}", kinds={"delta"})
        for r in records
    ]


def _told(home: Home, records: Sequence[RecordType], **metadata: Any) -> Iterator[dg.MaterializeResult]:
    for r in records:
        rows = row_count(home, r)
        yield dg.MaterializeResult(asset_key=asset_key(r), metadata={"dagster/row_count": rows, **metadata})


@dg.multi_asset(name="journal_tables", specs=_specs(journal_records()))
def journal_tables(
    home: dg.ResourceParam[Home], clock: dg.ResourceParam[Clock]
) -> Iterator[dg.MaterializeResult]:
    """Bring every journaled table up to the journal's durable end."""
    reached = catch_up(home, clock)
    yield from _told(home, journal_records(), watermark=reached)


@dg.multi_asset(name="statement_tables", specs=_specs(statement_records()))
def statement_tables(
    home: dg.ResourceParam[Home], clock: dg.ResourceParam[Clock]
) -> Iterator[dg.MaterializeResult]:
    """Read every new file of the inbox into its tables; what cannot be read is quarantined."""
    from orchestration.lake.ingest import ingest_inbox

    ingest_inbox(home, clock.now_ns())
    yield from _told(home, statement_records())


@dg.multi_asset(name="filed_tables", specs=_specs(FILED))
def filed_tables(home: dg.ResourceParam[Home]) -> Iterator[dg.MaterializeResult]:
    """Tell what products have filed so far; products append to these tables themselves."""
    yield from _told(home, FILED)


LAKE_ASSETS = (journal_tables, statement_tables, filed_tables)
