"""Business days and session hours of the simulated venue, from the New York exchange calendar.

Owns: which day follows which, and when the session of a day begins and ends. Does not own: what
the engine takes for today; that comes in with StartBusinessDay.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from engine.errors import BadInput

NEW_YORK = ZoneInfo("America/New_York")
EPOCH = date(1970, 1, 1)
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


def epoch_day(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


@cache
def _closed_days(year: int) -> frozenset[date]:
    return frozenset(holidays.financial_holidays("NYSE", years=year))


def is_business_day(day: date) -> bool:
    """Whether the exchange trades on that day."""
    return day.weekday() < 5 and day not in _closed_days(day.year)


def following(day: date, count: int = 1) -> date:
    """The business day that is `count` business days after a day."""
    for _ in range(count):
        day += timedelta(days=1)
        while not is_business_day(day):
            day += timedelta(days=1)
    return day


def preceding(day: date) -> date:
    """The business day before a day."""
    day -= timedelta(days=1)
    while not is_business_day(day):
        day -= timedelta(days=1)
    return day


def require_business_day(day: date) -> None:
    """Refuse a day on which nothing is traded. Raises BadInput."""
    if not is_business_day(day):
        raise BadInput(f"{day} is not a business day of the New York exchange")


def new_york_ns(day: date, hour: int, minute: int = 0) -> int:
    """An instant of New York clock time in nanoseconds since 1970-01-01T00:00Z."""
    local = datetime.combine(day, time(hour, minute), NEW_YORK).astimezone(UTC)
    return int(local.timestamp()) * SECOND_NS
