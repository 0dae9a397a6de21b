"""Which days are business days in the United States, computed by rule for every year since 1998.

Owns: the holidays of banks, exchanges and the federal government, and arithmetic over business days. It is
the one calendar of this repository. Does not own deadlines (`deadline.py`) or what the engine takes for
today; that comes in with StartBusinessDay.

A change of rules is a change of outcomes: it takes a new VERSION, and a test holds each version to the
digest of its days.
"""

from __future__ import annotations

import hashlib
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache

from engine.errors import BadInput

VERSION = "2026-1"
FIRST_YEAR = 1998  # the year in which exchanges began to close on Martin Luther King's birthday
MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6
ONE_DAY = timedelta(days=1)


def _nth(month: int, weekday: int, count: int) -> Callable[[int], date]:
    """The count-th such weekday of a month."""

    def of_year(year: int) -> date:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (count - 1))

    return of_year


def _last(month: int, weekday: int) -> Callable[[int], date]:
    """The last such weekday of a month."""

    def of_year(year: int) -> date:
        last = date(year, month, monthrange(year, month)[1])
        return last - timedelta(days=(last.weekday() - weekday) % 7)

    return of_year


def _on(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar. Source: Meeus, Astronomical Algorithms, chapter 8."""
    golden = year % 19
    century, of_century = divmod(year, 100)
    leaps, remainder = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - correction + 15) % 30
    quarter, rest = divmod(of_century, 4)
    shift = (32 + 2 * remainder + 2 * quarter - epact - rest) % 7
    late = (golden + 11 * epact + 22 * shift) // 451
    month, day = divmod(epact + shift - 7 * late + 114, 31)
    return date(year, month, day + 1)


@dataclass(frozen=True)
class Holiday:
    """A day of the year by rule, and the first year of each group of institutions that keeps it."""

    name: str
    day: Callable[[int], date]
    government_since: int | None = FIRST_YEAR
    bank_since: int | None = FIRST_YEAR
    exchange_since: int | None = FIRST_YEAR


# Source: 5 U.S.C. 6103(a); Federal Reserve Regulatory Service 9-1550; NYSE Rule 7.2.
NEW_YEAR = Holiday("New Year's Day", _on(1, 1))
KING = Holiday("Birthday of Martin Luther King, Jr.", _nth(1, MONDAY, 3))
PRESIDENTS = Holiday("Washington's Birthday", _nth(2, MONDAY, 3))
GOOD_FRIDAY = Holiday("Good Friday", lambda year: easter(year) - timedelta(days=2), None, None)
MEMORIAL = Holiday("Memorial Day", _last(5, MONDAY))
JUNETEENTH = Holiday("Juneteenth", _on(6, 19), 2021, 2021, 2022)  # Public Law 117-17, of 17 June 2021
INDEPENDENCE = Holiday("Independence Day", _on(7, 4))
LABOR = Holiday("Labor Day", _nth(9, MONDAY, 1))
COLUMBUS = Holiday("Columbus Day", _nth(10, MONDAY, 2), exchange_since=None)
VETERANS = Holiday("Veterans Day", _on(11, 11), exchange_since=None)
THANKSGIVING = Holiday("Thanksgiving Day", _nth(11, THURSDAY, 4))
CHRISTMAS = Holiday("Christmas Day", _on(12, 25))
HOLIDAYS = (
    NEW_YEAR,
    KING,
    PRESIDENTS,
    GOOD_FRIDAY,
    MEMORIAL,
    JUNETEENTH,
    INDEPENDENCE,
    LABOR,
    COLUMBUS,
    VETERANS,
    THANKSGIVING,
    CHRISTMAS,
)

# Days on which exchanges did not open although it was no holiday: mourning, attack, storm.
EXCHANGE_CLOSINGS = frozenset(
    {
        date(2001, 9, 11),
        date(2001, 9, 12),
        date(2001, 9, 13),
        date(2001, 9, 14),
        date(2004, 6, 11),
        date(2007, 1, 2),
        date(2012, 10, 29),
        date(2012, 10, 30),
        date(2018, 12, 5),
        date(2025, 1, 9),
    }
)


class Keeper(Enum):
    """Whose days a calendar counts, and where they keep a holiday that falls on a weekend."""

    GOVERNMENT = "federal government"  # Saturday's on Friday, Sunday's on Monday. Source: 5 U.S.C. 6103(b)
    BANK = "Federal Reserve Banks"  # Sunday's on Monday; on the Friday before a Saturday's they are open
    EXCHANGE = "New York exchange"  # as the government, but never on the last day of a year. NYSE Rule 7.2
    BOTH = "banks and exchange"  # open only when banks and the exchange are


@dataclass(frozen=True)
class Calendar:
    """Business days of one keeper of holidays.

    `counted` are holidays by name that are business days all the same, `closings` days on which nothing was
    open although the rules say so; both show in `version`.
    """

    keeper: Keeper
    counted: frozenset[str] = frozenset()
    closings: frozenset[date] = frozenset()

    @property
    def version(self) -> str:
        """What a filing names: keeper, version of the rules, and what was set apart from them."""
        parts = [f"{self.keeper.value}, rules {VERSION}"]
        if self.counted:
            parts.append("counting " + ", ".join(sorted(self.counted)))
        if self.closings:
            days = " ".join(str(d) for d in sorted(self.closings))
            parts.append(f"closings {hashlib.sha256(days.encode()).hexdigest()[:12]}")
        return "; ".join(parts)

    def holidays(self, year: int) -> frozenset[date]:
        """Weekdays of a year on which business rests. Raises BadInput on a year before the rules begin."""
        return _holidays(self, year)

    def is_business_day(self, day: date) -> bool:
        """Whether business is done on that day."""
        return day.weekday() < SATURDAY and day not in _holidays(self, day.year)

    def following(self, day: date, count: int = 1) -> date:
        """The business day that is `count` business days after a day; the day itself need not be one."""
        for _ in range(count):
            day = self.on_or_after(day + ONE_DAY)
        return day

    def preceding(self, day: date, count: int = 1) -> date:
        """The business day that is `count` business days before a day."""
        for _ in range(count):
            day = self.on_or_before(day - ONE_DAY)
        return day

    def on_or_after(self, day: date) -> date:
        """The day itself when it is a business day, else the next."""
        while not self.is_business_day(day):
            day += ONE_DAY
        return day

    def on_or_before(self, day: date) -> date:
        """The day itself when it is a business day, else the last one before."""
        while not self.is_business_day(day):
            day -= ONE_DAY
        return day

    def age(self, opened_on: date, as_of: date) -> int:
        """Business days after `opened_on` up to and with `as_of`: zero on the day itself and before it."""
        whole, rest = divmod(max((as_of - opened_on).days, 0), 7)
        day, count = opened_on + timedelta(days=7 * whole), 5 * whole
        for _ in range(rest):
            day += ONE_DAY
            count += day.weekday() < SATURDAY
        years = range(opened_on.year, as_of.year + 1) if as_of > opened_on else ()
        return count - sum(opened_on < d <= as_of for year in years for d in _holidays(self, year))

    def last_of_week(self, day: date) -> date:
        """The last business day of the calendar week, Monday to Sunday, that a day lies in."""
        return self.on_or_before(day + timedelta(days=SUNDAY - day.weekday()))

    def last_of_month(self, day: date) -> date:
        """The last business day of the month that a day lies in."""
        return self.on_or_before(month_end(day))


def month_end(day: date) -> date:
    """The last calendar day of the month that a day lies in."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def months_after(day: date, count: int) -> date:
    """The same day of the month `count` months on; the last of a month stays the last of its month."""
    months = day.year * 12 + day.month - 1 + count
    year, month = divmod(months, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, last if day == month_end(day) else min(day.day, last))


def with_closings(calendar: Calendar, days: Iterable[date]) -> Calendar:
    """A calendar on which nothing was open on those days either."""
    return replace(calendar, closings=calendar.closings | frozenset(days))


def possession_calendar(*, counts_columbus_day: bool = False, counts_veterans_day: bool = False) -> Calendar:
    """Business days for possession or control: banks and the exchange are open.

    The rule does not define them for this. Depositories settle on Columbus Day and Veterans Day while banks
    rest; a firm that counts them as business days sets its own deadlines earlier.
    """
    counted = {COLUMBUS.name: counts_columbus_day, VETERANS.name: counts_veterans_day}
    return Calendar(Keeper.BOTH, frozenset(name for name, is_counted in counted.items() if is_counted))


GOVERNMENT = Calendar(Keeper.GOVERNMENT)
BANK = Calendar(Keeper.BANK)
EXCHANGE = Calendar(Keeper.EXCHANGE)
POSSESSION = possession_calendar()


@lru_cache(maxsize=4096)
def _holidays(calendar: Calendar, year: int) -> frozenset[date]:
    if year < FIRST_YEAR:
        raise BadInput(f"the rules of the calendar begin in {FIRST_YEAR}; {year} lies before them")
    keepers = (Keeper.BANK, Keeper.EXCHANGE) if calendar.keeper is Keeper.BOTH else (calendar.keeper,)
    # a Saturday's New Year's Day is kept on the last day of the year before
    kept = {
        day
        for keeper in keepers
        for holiday in HOLIDAYS
        if holiday.name not in calendar.counted
        for its_year in (year, year + 1)
        if (day := _kept_on(holiday, keeper, its_year)) is not None and day.year == year
    }
    kept |= {d for d in calendar.closings if d.year == year}
    if Keeper.EXCHANGE in keepers:
        kept |= {d for d in EXCHANGE_CLOSINGS if d.year == year}
    return frozenset(d for d in kept if d.weekday() < SATURDAY)


def _kept_on(holiday: Holiday, keeper: Keeper, year: int) -> date | None:
    """The day on which a keeper keeps a holiday of a year; None when it does not."""
    since = {
        Keeper.GOVERNMENT: holiday.government_since,
        Keeper.BANK: holiday.bank_since,
        Keeper.EXCHANGE: holiday.exchange_since,
    }[keeper]
    if since is None or year < since:
        return None
    day = holiday.day(year)
    if day.weekday() == SUNDAY:
        return day + ONE_DAY
    if day.weekday() == SATURDAY:
        if keeper is Keeper.BANK or (keeper is Keeper.EXCHANGE and holiday is NEW_YEAR):
            return None
        return day - ONE_DAY
    return day
