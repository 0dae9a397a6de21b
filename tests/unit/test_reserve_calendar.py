"""Business days by rule: held to published closing days, and to an independent calendar year by year."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput
from engine.reserve.calendar import (
    BANK,
    EXCHANGE,
    FIRST_YEAR,
    GOVERNMENT,
    POSSESSION,
    VERSION,
    Calendar,
    easter,
    month_end,
    months_after,
    possession_calendar,
    with_closings,
)

YEARS = range(FIRST_YEAR, 2061)
DAYS = st.dates(date(FIRST_YEAR, 1, 8), date(2060, 12, 20))
CALENDARS = st.sampled_from([BANK, EXCHANGE, GOVERNMENT, POSSESSION])


@pytest.mark.parametrize(
    ("day", "bank", "exchange", "government"),
    [
        # (day, open to banks, open to the exchange, open to the government)
        ("2026-10-12", False, True, False),  # Columbus Day
        ("2026-11-11", False, True, False),  # Veterans Day, a Wednesday
        ("2026-04-03", True, False, True),  # Good Friday
        ("2026-07-03", True, False, False),  # Independence Day on a Saturday: banks open on Friday
        ("2023-11-10", True, True, False),  # Veterans Day on a Saturday
        ("2021-12-31", True, True, False),  # New Year's Day 2022 on a Saturday: the exchange ends its year
        ("2023-01-02", False, False, False),  # New Year's Day on a Sunday
        ("2021-07-05", False, False, False),  # Independence Day on a Sunday
        ("2021-06-18", True, True, False),  # the first Juneteenth, a Saturday
        ("2022-06-20", False, False, False),  # Juneteenth on a Sunday, the first that exchanges kept
        ("2025-01-09", True, False, True),  # a day of mourning: the exchange did not open
        ("2012-10-29", True, False, True),  # a storm
        ("2026-11-27", True, True, True),  # the day after Thanksgiving
        ("2026-11-28", False, False, False),  # a Saturday
    ],
)
def test_who_is_open(day: str, bank: bool, exchange: bool, government: bool) -> None:
    on = date.fromisoformat(day)
    assert [c.is_business_day(on) for c in (BANK, EXCHANGE, GOVERNMENT)] == [bank, exchange, government]


@pytest.mark.parametrize("year", YEARS)
def test_an_independent_calendar_closes_on_the_same_days(year: int) -> None:
    legal = holidays.country_holidays("US", years=year, observed=False)
    observed = holidays.country_holidays("US", years=[year, year + 1], observed=True)
    due = {
        EXCHANGE: holidays.financial_holidays("NYSE", years=year),
        BANK: [d + timedelta(days=1) if d.weekday() == 6 else d for d in legal],
        GOVERNMENT: observed,
    }
    for calendar, closed in due.items():
        weekdays = {d for d in closed if d.weekday() < 5 and d.year == year}
        assert set(calendar.holidays(year)) == weekdays, calendar.keeper


def test_the_version_of_the_rules_stands_for_these_days() -> None:
    """Whoever changes a rule sees this fail, and gives the rules a new version."""
    days = "\n".join(
        f"{c.keeper.name} {d}"
        for c in (BANK, EXCHANGE, GOVERNMENT)
        for y in YEARS
        for d in sorted(c.holidays(y))
    )
    assert (VERSION, hashlib.sha256(days.encode()).hexdigest()[:16]) == ("2026-1", "5a214c23b204e30d")


@pytest.mark.parametrize(
    ("year", "sunday"),
    [(1998, "04-12"), (2000, "04-23"), (2008, "03-23"), (2011, "04-24"), (2026, "04-05"), (2038, "04-25")],
)
def test_easter(year: int, sunday: str) -> None:
    assert easter(year) == date.fromisoformat(f"{year}-{sunday}")


def test_years_before_the_rules_are_refused() -> None:
    with pytest.raises(BadInput, match="begin in 1998"):
        BANK.is_business_day(date(1997, 12, 31))


def test_possession_or_control_counts_columbus_and_veterans_day_only_when_told() -> None:
    columbus, veterans, good_friday = date(2026, 10, 12), date(2026, 11, 11), date(2026, 4, 3)
    assert not any(POSSESSION.is_business_day(d) for d in (columbus, veterans, good_friday))
    counting = possession_calendar(counts_columbus_day=True)
    assert counting.is_business_day(columbus) and not counting.is_business_day(veterans)
    assert not possession_calendar(counts_veterans_day=True).is_business_day(columbus)
    assert "Columbus Day" in counting.version and counting.version != POSSESSION.version


def test_a_closing_shows_in_the_version() -> None:
    mourning = with_closings(BANK, [date(2026, 5, 5)])
    assert BANK.is_business_day(date(2026, 5, 5)) and not mourning.is_business_day(date(2026, 5, 5))
    assert mourning.version != BANK.version == f"Federal Reserve Banks, rules {VERSION}"


@pytest.mark.parametrize(
    ("day", "count", "later"),
    [
        ("2025-12-31", 6, "2026-06-30"),
        ("2025-08-31", 6, "2026-02-28"),
        ("2026-02-28", 6, "2026-08-31"),  # the last of a month stays the last
        ("2026-01-30", 1, "2026-02-28"),
        ("2026-01-15", 12, "2027-01-15"),
    ],
)
def test_months_after(day: str, count: int, later: str) -> None:
    assert months_after(date.fromisoformat(day), count) == date.fromisoformat(later)


@given(calendar=CALENDARS, day=DAYS, count=st.integers(0, 40))
def test_following_counts_as_one_counts_on_paper(calendar: Calendar, day: date, count: int) -> None:
    ahead = [d for n in range(1, 120) if calendar.is_business_day(d := day + timedelta(days=n))]
    assert calendar.following(day, count) == ([day, *ahead][count])
    assert calendar.age(day, calendar.following(day, count)) == count
    if calendar.is_business_day(day):
        assert calendar.preceding(calendar.following(day, count), count) == day


@given(calendar=CALENDARS, day=DAYS, days=st.integers(-30, 500))
def test_age_is_the_number_of_business_days_since(calendar: Calendar, day: date, days: int) -> None:
    since = [day + timedelta(days=n) for n in range(1, days + 1)]
    until = day + timedelta(days=days)
    assert calendar.age(day, until) == sum(calendar.is_business_day(d) for d in since)


@given(calendar=CALENDARS, day=DAYS)
def test_the_last_business_days_of_week_and_month(calendar: Calendar, day: date) -> None:
    week = [
        d for n in range(-6, 7) if (d := day + timedelta(days=n)).isocalendar()[:2] == day.isocalendar()[:2]
    ]
    month = [date(day.year, day.month, n) for n in range(1, month_end(day).day + 1)]
    for days, last in ((week, calendar.last_of_week(day)), (month, calendar.last_of_month(day))):
        assert last == max(d for d in days if calendar.is_business_day(d))
