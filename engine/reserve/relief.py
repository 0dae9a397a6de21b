"""Days on which staff would not object to a daily firm leaving the computation out. GUIDANCE, not a rule.

Owns the days. Does not own whether a firm makes use of them: that is a switch of the firm, off unless it is
turned on, and a statement that rests on it says so.
Source: SEC Division of Trading and Markets, FAQ on Rule 15c3-3 daily reserve computations, question 6,
of 8 December 2025. The staff's answers have no legal force.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from engine.reserve.calendar import (
    BANK,
    CHRISTMAS,
    COLUMBUS,
    GOOD_FRIDAY,
    GOVERNMENT,
    INDEPENDENCE,
    JUNETEENTH,
    KING,
    LABOR,
    MEMORIAL,
    NEW_YEAR,
    ONE_DAY,
    PRESIDENTS,
    THANKSGIVING,
    THURSDAY,
)

SOURCE = "SEC staff FAQ on Rule 15c3-3 daily reserve computations, question 6, 2025-12-08"
SWEEP_SOURCE = "SEC staff FAQ on Rule 15c3-3 daily reserve computations, question 5, 2025-12-08"
FIRST_DAY = date(2025, 12, 8)  # the day of the answer; nobody could rest on it before
FRIDAY_BEFORE = (KING, PRESIDENTS, MEMORIAL, LABOR, COLUMBUS)  # each on a Monday
DAY_BEFORE = (JUNETEENTH, INDEPENDENCE, CHRISTMAS)
MONDAY_TO_FRIDAY = timedelta(days=3)


class Label(StrEnum):
    """What stands behind a permission."""

    RULE = "RULE"
    GUIDANCE = "GUIDANCE"


class Relief(NamedTuple):
    """Why a day may pass without a computation."""

    day: date
    reason: str
    label: Label = Label.GUIDANCE
    source: str = SOURCE


def relief_on(day: date) -> Relief | None:
    """The relief of a day, or None. Only banking days need relief: on others nothing is computed anyway."""
    return relief_days(day.year).get(day)


def relief_days(year: int) -> dict[date, Relief]:
    """Every weekday of a year with relief, in order."""
    found: dict[date, str] = {}
    for observed in sorted(GOVERNMENT.holidays(year)):
        found[observed] = "a federal holiday"
    good_friday = GOOD_FRIDAY.day(year)
    found[good_friday] = GOOD_FRIDAY.name
    additional = {h.day(year) - MONDAY_TO_FRIDAY: f"the Friday before {h.name}" for h in FRIDAY_BEFORE}
    additional[good_friday - ONE_DAY] = "the Thursday before Good Friday"
    additional[THANKSGIVING.day(year) + ONE_DAY] = "the Friday after Thanksgiving Day"
    for holiday in DAY_BEFORE:
        its_day = holiday.day(year)
        if its_day.weekday() == THURSDAY:
            additional[its_day + ONE_DAY] = f"the Friday after {holiday.name}"
        else:
            additional[BANK.preceding(its_day)] = f"the business day before {holiday.name}"
    additional[BANK.preceding(NEW_YEAR.day(year + 1))] = f"the business day before {NEW_YEAR.name}"
    for its_day, reason in additional.items():
        found.setdefault(its_day, reason)
    return {day: Relief(day, found[day]) for day in sorted(found) if day >= FIRST_DAY}


def deposit_after_sweep(deposit_minor: int, swept_minor: int) -> int:
    """A deposit less the credits that were swept on the next business day, never below zero.

    GUIDANCE. For a deposit only: a withdrawal may not count on swept credits. Source: SWEEP_SOURCE.
    """
    return max(deposit_minor - swept_minor, 0)
