"""Reconciliation: the day's breaks as a report that people work from.

Owns: the step and where the report lies. Does not own: matching (dbt) or resolving a break (people).
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import dagster as dg

from engine.config import Home
from engine.errors import BadInput
from orchestration.lake.tables import as_of_epoch_day
from orchestration.products.papers import write_whole
from orchestration.products.reconciliation.report import make_report, report_html, report_json
from orchestration.warehouse.marts import mart_key, mart_rows
from schemas.days import date_of

KEY = dg.AssetKey(["products", "reconciliation"])
COMPARED = ("reconciliation_matches", "reconciliation_breaks")
MARTS = ("book_position", *COMPARED)


@dg.asset(
    key=KEY,
    deps=[mart_key(m) for m in MARTS],
    group_name="products",
    kinds={"json", "html"},
    owners=["team:operations"],
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=1)),
    description="Breaks between our book and others, by stage, cause and age.",
)
def reconciliation(home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
    """Write the report of the lake's latest business day."""
    path = write_report(home)
    breaks = mart_rows(home, "reconciliation_breaks")
    return dg.MaterializeResult(
        metadata={
            "breaks": len(breaks),
            "report": dg.MetadataValue.path(str(path.with_suffix(".html"))),
        }
    )


def report_path(home: Home, as_of: str) -> Path:
    """Where a day's report lies; its HTML lies beside it."""
    return home.root / "reconciliation" / as_of / "breaks.json"


def report_sequence(home: Home) -> int:
    """How far into the journal the newest report was made; zero when there is none."""
    reports = sorted((home.root / "reconciliation").glob("*/breaks.json"))
    return int(json.loads(reports[-1].read_bytes())["journal_sequence"]) if reports else 0


def write_report(home: Home) -> Path:
    """Write the day's report; returns its path. Raises BadInput when no business day has started."""
    day = as_of_epoch_day(home)
    if day is None:
        raise BadInput("no business day has started")
    as_of = str(date_of(day))
    report = make_report(as_of, *(mart_rows(home, m) for m in MARTS))
    path = report_path(home, as_of)
    write_whole(path, report_json(report))
    write_whole(path.with_suffix(".html"), report_html(report))
    return path
