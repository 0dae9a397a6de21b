"""What was filed is what the journal alone says, folded again event by event to the sequence of the filing.

Owns the comparison. The live reserve shares the formula with what is filed, and no row: its rows are folded
from events, those of the filing are SQL over the lake. Runbook: docs/operations/reserve-not-filed.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.clock import Clock
from engine.config import Home
from engine.errors import PlatformError
from engine.projections.reserve_rows import TotalRow
from engine.projections.reserve_view import ReserveView, folded
from engine.reserve.case_files import TOTALS, read_case
from engine.reserve.findings import REQUIREMENT
from engine.reserve.terms import Formula, Frequency, Method
from orchestration.checks import row_check
from orchestration.lake.tables import lake_rows
from orchestration.products.reserve.assets import KEY, newest_filings, read_filing
from orchestration.products.reserve.bundle import INPUTS
from orchestration.products.reserve.statement import FIGURES, Statement, as_of_epoch_day_of
from orchestration.warehouse.reserve_rules import reserve_rules
from schemas.days import date_of, epoch_day_of
from schemas.external import FiledReserve
from schemas.market import BusinessDayStarted


@row_check(
    asset=KEY.path,
    name="live_equals_filed",
    description="Lines and requirement that the journal folds to, with unrecorded breaks, are those filed.",
    shown=len(Formula) * (REQUIREMENT + len(FIGURES) + 1),  # all that there can be
)
def live_equals_filed(home: Home, clock: Clock) -> list[str]:
    """Every line and total of the newest filings that the journal does not fold to."""
    problems: list[str] = []
    views: dict[Any, ReserveView] = {}  # formulas that were filed together looked at the same
    for formula, filed in newest_filings(home):
        if filed is None:
            problems.append(f"nothing is filed for {formula.value} accounts")
            continue
        try:
            statement = read_filing(home, filed)
            looked_at = statement["as_of_date"], statement["rule"]["method"], statement["rule"]["frequency"]
            key = (*looked_at, statement["inputs"]["sha256"], statement["inputs"]["journal_sequence"])
            if key not in views:
                views[key] = live_as_filed(home, filed, statement)
            problems += [f"{formula.value} {p}" for p in _differences(views[key], formula, statement)]
        except PlatformError as error:
            problems.append(f"{formula.value}: {error}")
    return problems


def live_as_filed(home: Home, filed: FiledReserve, statement: Statement) -> ReserveView:
    """The journal folded as far as a filing looked, with the breaks that it counts and no event records."""
    rule = statement["rule"]
    rules = reserve_rules()._replace(method=Method(rule["method"]), frequency=Frequency(rule["frequency"]))
    view = folded(home, rules, _last_sequence(home, statement))
    as_of = date_of(as_of_epoch_day_of(statement))
    other = read_case((home.root / filed.path).parent / INPUTS, as_of).other
    # rows of the book name their formula; whose a break is nobody knows
    breaks = other.filter(other["formula"].is_null()).select("item", "amount", "opened_on")
    view.add_breaks(
        TotalRow(TOTALS[item], amount, None if opened_on is None else epoch_day_of(opened_on), None)
        for item, amount, opened_on in breaks.iter_rows()
    )
    return view


def _differences(view: ReserveView, formula: Formula, statement: Statement) -> Iterator[str]:
    if view.as_of != date_of(as_of_epoch_day_of(statement)):
        yield f"day: filed {statement['as_of_date']}, live {view.as_of}"
    figure, totals = view.figure(formula), statement["totals"]
    lines = {line["item_number"]: line["amount_minor"] for line in statement["lines"]}
    for item in sorted(lines.keys() | figure.lines.keys()):
        if lines.get(item) != figure.lines.get(item):
            yield f"item {item}: filed {lines.get(item)}, live {figure.lines.get(item)}"
    amounts = (figure.credits, figure.debits, figure.reduction.amount_minor, figure.requirement)
    for name, amount in zip(FIGURES, amounts, strict=True):
        if totals[name] != amount:
            yield f"{name}: filed {totals[name]}, live {amount}"


def _last_sequence(home: Home, statement: Statement) -> int:
    """The last event that a filing looks at: of its day, and not beyond what the lake held."""
    day = as_of_epoch_day_of(statement)
    later = [d.sequence - 1 for d in lake_rows(home, BusinessDayStarted) if d.business_epoch_day > day]
    return min([statement["inputs"]["journal_sequence"], *later])
