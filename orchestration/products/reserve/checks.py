"""What must be true of a reserve filing. Runbook: docs/operations/reserve-not-filed.md."""

from __future__ import annotations

from collections.abc import Sequence

from engine.clock import Clock
from engine.config import Home
from engine.reserve.case_files import COLUMNS, FIRM
from engine.reserve.filing import broken_identities
from engine.reserve.terms import Formula, Indeterminate
from orchestration.checks import row_check
from orchestration.lake.tables import as_of_epoch_day
from orchestration.products.reserve.assets import KEY, filings_of, newest_filings, read_filing
from orchestration.products.reserve.bundle import verify_bundle
from orchestration.products.reserve.live_check import live_equals_filed
from orchestration.products.reserve.statement import (
    FIGURES,
    Statement,
    due_formulas,
    figures_of,
    holding_reasons,
)
from orchestration.signing import sign
from orchestration.warehouse.marts import mart_key, mart_rows
from schemas.days import date_of


@row_check(
    asset=mart_key("reserve_issues"),
    name="stock_record_balances",
    description="Of every security as much is located as is owed. Source: 17 CFR 240.17a-3(a)(5).",
)
def stock_record_balances(home: Home, clock: Clock) -> list[str]:
    """Issues where claims and locations differ."""
    return [
        f"{row['issue']}: {row['claimed_units']} owed, {row['located_units']} located"
        for row in mart_rows(home, "reserve_issues")
        if row["claimed_units"] != row["located_units"]
    ]


@row_check(
    asset=mart_key("reserve_issues"),
    name="allocation_conserves",
    description="Every unit of a security is allocated once.",
)
def allocation_conserves(home: Home, clock: Clock) -> list[str]:
    """Issues of which more or less was allocated than there is on both sides."""
    return [
        f"{row['issue']}: {row['allocated_units']} allocated of {due}"
        for row in mart_rows(home, "reserve_issues")
        if row["allocated_units"] != (due := min(row["claimed_units"], row["located_units"]))
    ]


@row_check(
    asset=mart_key("reserve_requirement"),
    name="inputs_complete",
    description="Nothing that a filing needs is missing.",
)
def inputs_complete(home: Home, clock: Clock) -> list[str]:
    """What is missing, formula by formula, and tables that nothing tells of."""
    as_of = as_of_epoch_day(home)
    if as_of is None:
        return ["no business day has started"]
    try:
        due = due_formulas(home, date_of(as_of))
    except Indeterminate as missing:
        return [str(missing)]
    gaps = mart_rows(home, "reserve_gaps")
    problems = [
        f"{formula.value}: {reason}"
        for formula in due
        for reason in holding_reasons([gap for gap in gaps if gap["formula"] == formula])
    ]
    told = {row["table_name"] for row in mart_rows(home, "reserve_inputs")}
    return problems + [f"{name}: no such table was read" for name in sorted({*COLUMNS, FIRM} - told)]


@row_check(
    asset=KEY.path,
    name="statement_equals_marts",
    description="The newest filing of each formula says what the marts say, line by line.",
)
def statement_equals_marts(home: Home, clock: Clock) -> list[str]:
    """Lines and totals that differ."""
    problems: list[str] = []
    for formula, statement in _newest(home):
        if statement is None:
            problems.append(f"nothing is filed for {formula.value} accounts")
            continue
        try:
            figures = figures_of(home, formula)
        except Indeterminate as missing:
            problems.append(f"{formula.value}: {missing}")
            continue
        required, totals = figures.required, statement["totals"]
        due = {line["item_number"]: line["amount_minor"] for line in figures.lines}
        filed = {line["item_number"]: line["amount_minor"] for line in statement["lines"]}
        problems += [
            f"{formula.value} {n}: filed {totals[n]}, mart {required[n]}"
            for n in FIGURES
            if totals[n] != required[n]
        ]
        problems += [
            f"{formula.value} item {n}: filed {filed.get(n)}, mart {due.get(n)}"
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
    """Identities of Exhibit A that a filing breaks."""
    return [
        f"{formula.value}: {problem}"
        for formula, statement in _newest(home)
        for problem in (
            ["nothing is filed for the day"] if statement is None else broken_identities(statement)
        )
    ]


@row_check(
    asset=KEY.path,
    name="filing_verifies",
    description="Every filing of the day is signed by this firm, whole, and computes again from its inputs.",
)
def filing_verifies(home: Home, clock: Clock) -> list[str]:
    """What an offline check of the day's folders finds."""
    as_of = as_of_epoch_day(home)
    own = sign(home, b"").fingerprint
    return [
        f"{filed.filing_reference}: {problem}"
        for formula in Formula
        for filed in (filings_of(home, as_of, formula) if as_of is not None else [])
        for problem in verify_bundle((home.root / filed.path).parent, expected_fingerprint=own)
    ]


def _newest(home: Home) -> Sequence[tuple[Formula, Statement | None]]:
    return [(formula, filed and read_filing(home, filed)) for formula, filed in newest_filings(home)]


CHECKS = (
    stock_record_balances,
    allocation_conserves,
    inputs_complete,
    statement_equals_marts,
    arithmetic_holds,
    filing_verifies,
    live_equals_filed,
)
