"""Business days and session hours of the simulated venue: those of the New York exchange.

Owns: when the session of a day begins and ends, in the units of commands. Does not own which days are
business days (`engine.reserve.calendar`), or what the engine takes for today, which comes in with
StartBusinessDay.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from engine.errors import BadInput
from engine.reserve.calendar import EXCHANGE
from engine.reserve.deadline import NEW_YORK

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


def is_business_day(day: date) -> bool:
    """Whether the exchange trades on that day."""
    return EXCHANGE.is_business_day(day)


def following(day: date, count: int = 1) -> date:
    """The business day that is `count` business days after a day."""
    return EXCHANGE.following(day, count)


def preceding(day: date) -> date:
    """The business day before a day."""
    return EXCHANGE.preceding(day)


def require_business_day(day: date) -> None:
    """Refuse a day on which nothing is traded. Raises BadInput."""
    if not is_business_day(day):
        raise BadInput(f"{day} is not a business day of the New York exchange")


def new_york_ns(day: date, hour: int, minute: int = 0) -> int:
    """An instant of New York clock time in nanoseconds since 1970-01-01T00:00Z."""
    local = datetime.combine(day, time(hour, minute), NEW_YORK).astimezone(UTC)
    return int(local.timestamp()) * SECOND_NS
