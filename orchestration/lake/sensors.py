"""What starts work without a person: a new file in the inbox, a new frame in the journal, an approval.

Owns: noticing. Does not own: what is done about it; a sensor names a job of `definitions.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from engine.config import Home
from engine.journal.mark import read_mark
from orchestration.lake.tables import lake_table
from schemas.record import record_of
from schemas.reserve import ReserveDepositOrdered

INBOX_SECONDS = 5
JOURNAL_SECONDS = 5
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def inbox_sensor(job: Any) -> dg.SensorDefinition:
    """Run the job when the inbox holds files; the same files ask once."""

    @dg.sensor(
        name="statements_arrived",
        job=job,
        minimum_interval_seconds=INBOX_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="New files from banks, custodians and clearing houses.",
    )
    def statements_arrived(home: dg.ResourceParam[Home]) -> Iterator[dg.RunRequest | dg.SkipReason]:
        files = sorted(p for p in home.inbox.rglob("*") if p.is_file() and not p.name.startswith("."))
        if not files:
            yield dg.SkipReason("the inbox is empty")
            return
        yield dg.RunRequest(run_key=_seen(files), tags={"files": str(len(files))})

    return statements_arrived


def journal_sensor(job: Any) -> dg.SensorDefinition:
    """Run the job when frames became durable since the last look."""

    @dg.sensor(
        name="journal_grew",
        job=job,
        minimum_interval_seconds=JOURNAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="New durable frames of the journal.",
    )
    def journal_grew(
        context: dg.SensorEvaluationContext, home: dg.ResourceParam[Home]
    ) -> dg.SensorResult | dg.SkipReason:
        index = (read_mark(home.journal) if home.journal.exists() else None) or 0
        if index <= int(context.cursor or 0):
            return dg.SkipReason(f"the journal still ends at frame {index}")
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job.name, statuses=UNFINISHED)):
            return dg.SkipReason("a run is under way; the one after it will see the new frames")
        return dg.SensorResult([dg.RunRequest(run_key=f"frame-{index}")], cursor=str(index))

    return journal_grew


def approval_sensor(job: Any) -> dg.SensorDefinition:
    """Run the job when a reserve order was approved since the last look."""

    @dg.sensor(
        name="reserve_order_approved",
        job=job,
        minimum_interval_seconds=JOURNAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Reserve orders that a second person approved.",
    )
    def reserve_order_approved(
        context: dg.SensorEvaluationContext, home: dg.ResourceParam[Home]
    ) -> dg.SensorResult | dg.SkipReason:
        ordered = record_of(ReserveDepositOrdered)
        count = lake_table(home, ordered).num_rows if (home.lake / ordered.table).exists() else 0
        if count <= int(context.cursor or 0):
            return dg.SkipReason(f"{count} orders are approved, as before")
        return dg.SensorResult([dg.RunRequest(run_key=f"orders-{count}")], cursor=str(count))

    return reserve_order_approved


def _seen(files: list[Path]) -> str:
    told = "".join(f"{p.name}:{p.stat().st_size}:{p.stat().st_mtime_ns};" for p in files)
    return hashlib.sha256(told.encode()).hexdigest()
