"""What must be true of a reserve filing. Runbook: docs/operations/reserve-not-filed.md."""

from __future__ import annotations

from engine.clock import Clock
from engine.config import Home
from engine.reserve.filing import broken_identities
from orchestration.checks import row_check
from orchestration.lake.tables import as_of_epoch_day
from orchestration.products.reserve.assets import KEY, filings_of, read_filing
from orchestration.products.reserve.bundle import verify_bundle
from orchestration.products.reserve.statement import FIGURES, Statement
from orchestration.signing import sign
from orchestration.warehouse.marts import mart_rows


@row_check(
    asset=KEY.path,
    name="statement_equals_marts",
    description="The newest filing of the day says what the marts say, line by line.",
)
def statement_equals_marts(home: Home, clock: Clock) -> list[str]:
    """Lines and totals that differ."""
    statement = _newest(home)
    if statement is None:
        return ["nothing is filed for the day"]
    (required,) = mart_rows(home, "reserve_requirement")
    due = {line["item_number"]: line["amount_minor"] for line in mart_rows(home, "reserve_lines")}
    filed = {line["item_number"]: line["amount_minor"] for line in statement["lines"]}
    problems = [
        f"{n}: filed {statement['totals'][n]}, mart {required[n]}"
        for n in FIGURES
        if statement["totals"][n] != required[n]
    ]
    problems += [
        f"item {n}: filed {filed.get(n)}, mart {due.get(n)}"
        for n in sorted(due.keys() | filed.keys())
        if filed.get(n) != due.get(n)
    ]
    return problems


@row_check(
    asset=KEY.path,
    name="arithmetic_holds",
    description="Items add up to totals, and totals to the requirement.",
)
def arithmetic_holds(home: Home, clock: Clock) -> list[str]:
    """Identities of Exhibit A that the filing breaks."""
    statement = _newest(home)
    return ["nothing is filed for the day"] if statement is None else broken_identities(statement)


@row_check(
    asset=KEY.path,
    name="filing_verifies",
    description="Every filing of the day is signed by this firm, whole, and adds up to its source rows.",
)
def filing_verifies(home: Home, clock: Clock) -> list[str]:
    """What an offline check of the day's folders finds."""
    as_of = as_of_epoch_day(home)
    own = sign(home, b"").fingerprint
    return [
        f"{filed.filing_reference}: {problem}"
        for filed in (filings_of(home, as_of) if as_of is not None else [])
        for problem in verify_bundle((home.root / filed.path).parent, expected_fingerprint=own)
    ]


def _newest(home: Home) -> Statement | None:
    as_of = as_of_epoch_day(home)
    filings = filings_of(home, as_of) if as_of is not None else []
    return read_filing(home, filings[-1]) if filings else None


CHECKS = (statement_equals_marts, arithmetic_holds, filing_verifies)
