"""The margin product: each account's margin at the end of the day, computed a second time.

Owns: the steps, and where their papers lie. Does not own: margin itself (the engine decides), or what was
asked to be reported: ReportMargins is a closing command like the settlement cycle.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import dagster as dg

from engine.config import Home
from engine.errors import BadInput
from orchestration.lake.tables import as_of_epoch_day
from orchestration.products.margin.book import lake_keys
from orchestration.products.margin.record import (
    Record,
    figure_problems,
    held_problems,
    make_record,
    record_html,
    record_json,
    report_of,
)
from orchestration.products.papers import write_whole
from orchestration.warehouse.marts import mart_key
from schemas.days import date_of

KEY = dg.AssetKey(["products", "margin_recomputation"])
MARTS = ("reported_margins", "reported_margin_positions")
REPORTED = [
    ["lake", table]
    for table in ("report_margins", "command_refusals", "margin_reports", "margin_report_positions")
]


@dg.asset(
    key=KEY,
    deps=[*(mart_key(m) for m in MARTS), *REPORTED, *lake_keys()],
    group_name="products",
    kinds={"json", "html"},
    owners=["team:risk"],
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=1)),
    description="Every account's equity and margin at the end of the day, recomputed from the lake.",
)
def margin_recomputation(home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
    """Recompute the last report of the lake's latest business day."""
    record = write_record(home)
    if record is None:
        return dg.MaterializeResult(metadata={"reported": False})
    path = record_path(home, record["as_of_date"])
    return dg.MaterializeResult(
        metadata={
            "reported": True,
            "accounts": len(record["accounts"]),
            "positions": len(record["positions"]),
            "scenarios": record["scenario_count"],
            "differences": len(figure_problems(record)) + len(held_problems(record)),
            "record": dg.MetadataValue.path(str(path.with_suffix(".html"))),
        }
    )


def record_path(home: Home, as_of: str) -> Path:
    """Where a day's record lies; its HTML lies beside it."""
    return home.root / "margin" / as_of / "margins.json"


def write_record(home: Home) -> Record | None:
    """Write the record of the day's last report; None when nobody asked for one.

    Raises BadInput when no business day has started.
    """
    day = as_of_epoch_day(home)
    if day is None:
        raise BadInput("no business day has started")
    report = report_of(home, day)
    if report is None:
        return None
    record = make_record(home, report)
    path = record_path(home, str(date_of(day)))
    write_whole(path, record_json(record))
    write_whole(path.with_suffix(".html"), record_html(record))
    return record
