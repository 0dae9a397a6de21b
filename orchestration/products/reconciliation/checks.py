"""What must be true of reconciliation, whatever is broken. Runbook: docs/operations/breaks-open.md."""

from __future__ import annotations

from collections import Counter

from engine.clock import Clock
from engine.config import Home
from orchestration.checks import row_check
from orchestration.products.reconciliation.assets import COMPARED, KEY
from orchestration.products.reconciliation.report import contradictions, unexplained
from orchestration.warehouse.marts import mart_rows


@row_check(
    asset=KEY.path,
    name="breaks_are_the_unmatched",
    description="Each broken comparison is one break, and what is matched does not differ.",
)
def breaks_are_the_unmatched(home: Home, clock: Clock) -> list[str]:
    """What the marts say against each other."""
    return contradictions(*(mart_rows(home, m) for m in COMPARED))


@row_check(
    asset=KEY.path,
    name="differences_are_explained",
    description="By stage, place and measure, the breaks add up to the whole difference.",
)
def differences_are_explained(home: Home, clock: Clock) -> list[str]:
    """Differences that no break explains."""
    return unexplained(*(mart_rows(home, m) for m in COMPARED))


@row_check(
    asset=KEY.path,
    name="no_breaks_open",
    description="Nothing differs. A break is work for people, so it warns and holds nothing up.",
    blocking=False,
)
def no_breaks_open(home: Home, clock: Clock) -> list[str]:
    """How many breaks there are, by stage and cause."""
    breaks = mart_rows(home, "reconciliation_breaks")
    counted = Counter((b["stage"], b["cause"]) for b in breaks)
    return [f"{stage} {cause}: {n}" for (stage, cause), n in sorted(counted.items())]


CHECKS = (breaks_are_the_unmatched, differences_are_explained, no_breaks_open)
