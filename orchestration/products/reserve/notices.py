"""Notices that are due, as evidence: one signed folder an event, filed once.

Owns: the folder of each event that makes notices due. Does not own what makes them due
(`engine.segregation.standing`), or the sending, which is a person's. Runbook: reserve-deposit-missed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from engine.clock import Clock
from engine.config import Home
from engine.reserve.deadline import SECOND_NS
from engine.segregation.standing import DueNotice, due_notices
from orchestration.lake.tables import catch_up
from orchestration.products.papers import instant_text, readable_json
from orchestration.products.reserve.assets import KEY as RESERVE
from orchestration.products.reserve.orders import reserve_records
from orchestration.products.signed_folder import put_in_place, seal
from schemas.record import Role, in_lake

KEY = dg.AssetKey(["products", "reserve_notices"])
FORMAT_VERSION = 1
INPUTS = [["lake", r.table] for r in in_lake() if r.domain == "reserve" and r.role is Role.EVENT]


@dg.asset(
    key=KEY,
    deps=[RESERVE, *INPUTS],
    group_name="products",
    kinds={"json"},
    owners=["team:finop"],
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=4)),
    description="Notices that are due, each filed once. Source: 17 CFR 240.15c3-3(i), 240.17a-11.",
)
def reserve_notices(home: dg.ResourceParam[Home], clock: dg.ResourceParam[Clock]) -> dg.MaterializeResult:
    """File what is due now and not filed yet."""
    catch_up(home, clock)
    made, gaps = file_notices(home, clock)
    return dg.MaterializeResult(
        metadata={
            "filed_now": len(made),
            "folders": "\n".join(str(path) for path in made) or "none",
            "not_known": "\n".join(gaps) or "none",
        }
    )


def notice_folder(home: Home, name: str) -> Path:
    """Where the notices of an event lie."""
    return home.reserve / "notices" / name


def unfiled(home: Home, found: list[DueNotice]) -> list[DueNotice]:
    """Those that have no folder yet."""
    return [due for due in found if not notice_folder(home, due.name).exists()]


def file_notices(home: Home, clock: Clock) -> tuple[list[Path], list[str]]:
    """Sign and keep the notices of every event that has none filed: folders made, and what is not known."""
    gaps: list[str] = []
    now_ns = clock.now_ns()
    found = due_notices(reserve_records(home), datetime.fromtimestamp(now_ns // SECOND_NS, UTC), gaps)
    made: list[Path] = []
    for due in unfiled(home, found):
        folder = notice_folder(home, due.name)
        files = {"notices.json": readable_json(_paper(due, now_ns))}
        put_in_place(folder, seal(home, files, {"format_version": FORMAT_VERSION, "event": due.name}))
        made.append(folder)
    return made, gaps


def _paper(due: DueNotice, now_ns: int) -> dict[str, Any]:
    return {
        "event": due.name,
        "found_at": instant_text(now_ns),
        "notices": [
            {
                "notice": n.event,
                "told": n.told,
                "recipients": [r.value for r in n.recipients],
                "due_at": n.due_at.isoformat(),
                "citation": n.citation,
            }
            for n in due.notices
        ],
    }
