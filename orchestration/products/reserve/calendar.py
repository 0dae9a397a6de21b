"""When a reserve deposit is due.

Owns: banking days of the United States and the deadline. Does not own: the venue's business days.
Source: 17 CFR 240.15c3-3(e)(3): no later than one hour after the opening of banking business on the second
following business day.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from zoneinfo import ZoneInfo

import holidays

CALENDAR = f"Federal Reserve holidays by holidays {version('holidays')}"
NEW_YORK = ZoneInfo("America/New_York")
BANKING_OPENS = time(9)  # the usual opening; the rule names none
GRACE = timedelta(hours=1)


@cache
def bank_holidays(year: int) -> frozenset[date]:
    """Days on which Federal Reserve Banks are closed: a Sunday's holiday moves on, a Saturday's does not."""
    legal = holidays.country_holidays("US", years=year, observed=False)
    return frozenset(d + timedelta(days=1) if d.weekday() == 6 else d for d in legal)


def is_banking_day(day: date) -> bool:
    """Whether banks do business on that day."""
    return day.weekday() < 5 and day not in bank_holidays(day.year)


def deposit_date(as_of: date) -> date:
    """The second banking day after the day computed for."""
    day = as_of
    for _ in range(2):
        day += timedelta(days=1)
        while not is_banking_day(day):
            day += timedelta(days=1)
    return day


def due_at_ns(as_of: date) -> int:
    """The deadline of the deposit, in nanoseconds since 1970-01-01T00:00Z."""
    opening = datetime.combine(deposit_date(as_of), BANKING_OPENS, NEW_YORK)
    return int((opening + GRACE).astimezone(UTC).timestamp()) * 1_000_000_000
