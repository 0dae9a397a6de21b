"""What firm.json says beside tentative net capital: which frequency is required, and the net capital minimum.

Owns: reading those facts. Does not own what follows from them (`frequency.py`, `net_capital.py`). A
computation is made as it was asked for; where another frequency is required, that is told beside it.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from engine.errors import BadInput
from engine.reserve.calendar import month_end, months_after
from engine.reserve.case_files import FIRM, Case, firm_minor, minor_of
from engine.reserve.deadline import focus_due
from engine.reserve.frequency import CapitalFigure, FiledFacts, FocusTotal, Standing, standing
from engine.reserve.net_capital import Capital, Requirement, minimum
from engine.reserve.terms import Formula, Frequency, Indeterminate, Method

TOTALS = "filed_month_end_totals"


class FrequencyTold(NamedTuple):
    """Where the firm stands, None where it cannot be told, and whether it may compute as asked."""

    standing: Standing | None
    is_allowed: bool | None
    reason: str


def frequency_of(
    case: Case, formula: Formula, method: Method, asked: Frequency, as_of: date, funds_minor: int | None
) -> FrequencyTold | None:
    """Compare the frequency asked for with what the filed reports require; None when none are told.

    `funds_minor` are customers' funds as this computation finds them, for the test of monthly computation.
    """
    if TOTALS not in case.firm and asked is not Frequency.MONTHLY:
        return None
    indebtedness, capital = firm_minor(case, "aggregate_indebtedness"), firm_minor(case, "net_capital")
    figures: list[CapitalFigure] = []
    if indebtedness is not None and capital is not None and funds_minor is not None:
        figures.append(CapitalFigure(as_of, indebtedness, capital, funds_minor))
    facts = FiledFacts(
        method,
        _reports(case, as_of),
        is_monthly_customer_elected=asked is Frequency.MONTHLY,
        capital=figures,
        is_monthly_pab_elected=asked is Frequency.MONTHLY,
        carries_customer_accounts=case.has_customers,
        trades_for_own_account=False,
    )
    try:
        found = standing(facts, formula, as_of)
    except Indeterminate as error:
        return FrequencyTold(None, None, str(error))
    # to compute more often than required is allowed as of any business day
    rank = [Frequency.MONTHLY, Frequency.WEEKLY, Frequency.DAILY]
    return FrequencyTold(found, rank.index(asked) >= rank.index(found.frequency), found.reason)


def capital_minimum(
    case: Case, method: Method, aggregate_debits_minor: int | None
) -> Requirement | str | None:
    """The net capital that the firm must have, or what is missing; None when its own is not told."""
    held = firm_minor(case, "net_capital")
    if held is None:
        return None
    indebtedness = firm_minor(case, "aggregate_indebtedness")
    try:
        return minimum(Capital(method, held, indebtedness, aggregate_debits_minor))
    except Indeterminate as error:
        return str(error)


def _reports(case: Case, as_of: date) -> list[FocusTotal]:
    """Month-end totals: objects by month, or bare totals of successive months up to the last one due."""
    told = case.firm.get(TOTALS, [])
    if isinstance(told, dict):
        told = [{"month": month, "total_credits": amount} for month, amount in told.items()]
    if not isinstance(told, list):
        raise BadInput(f"{FIRM}, {TOTALS}: expected a list of month-end totals")
    entries: list[Any] = list(told)
    if entries and not any(isinstance(e, dict) for e in entries):
        last = month_end(months_after(month_end(as_of), -1))
        while focus_due(last) > as_of:
            last = month_end(months_after(last, -1))
        months = [months_after(last, number + 1 - len(entries)) for number in range(len(entries))]
        entries = [
            {"month": month.isoformat(), "total_credits": amount}
            for month, amount in zip(months, entries, strict=True)
        ]
    return [_report(entry, number) for number, entry in enumerate(entries, start=1)]


def _report(entry: Any, number: int) -> FocusTotal:
    where = f"{TOTALS}, entry {number}"
    if not isinstance(entry, dict):
        raise BadInput(f"{FIRM}, {where}: expected an object with month and total_credits")
    month = month_end(_day(entry.get("month"), f"{where}, month"))
    filed_on = (
        focus_due(month) if entry.get("filed_on") is None else _day(entry["filed_on"], f"{where}, filed_on")
    )
    if "total_credits" in entry:
        return FocusTotal(month, filed_on, minor_of(entry["total_credits"], f"{where}, total_credits"), 0)
    customers = minor_of(entry.get("customer_credits"), f"{where}, customer_credits")
    pab = minor_of(entry.get("pab_credits", Decimal(0)), f"{where}, pab_credits")
    return FocusTotal(month, filed_on, customers, pab)


def _day(told: object, where: str) -> date:
    try:
        text = str(told)
        return date.fromisoformat(f"{text}-01" if len(text) == len("2026-09") else text)
    except ValueError:
        raise BadInput(
            f"{FIRM}, {where}: {told!r} is not a month like 2026-09 or a day like 2026-09-30"
        ) from None
