"""When a reserve deposit, a FOCUS report and an annual report are due.

Owns the arithmetic of these dates. Does not own which days are business days (`calendar.py`), or how often a
formula is computed (`frequency.py`): the deadline is the same for daily, weekly and monthly computations.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.errors import BadInput
from engine.reserve.calendar import BANK, GOVERNMENT, Calendar, month_end

NEW_YORK = ZoneInfo("America/New_York")
GRACE = timedelta(hours=1)
DEPOSIT_BUSINESS_DAYS = 2
FOCUS_BUSINESS_DAYS = 17
ANNUAL_REPORT_DAYS = 60
SECOND_NS = 1_000_000_000


class Opening(NamedTuple):
    """When the bank that holds the reserve account opens for business, in its own clock time."""

    at: time = time(9)  # the usual opening; the rule names none
    zone: ZoneInfo = NEW_YORK


def deposit_date(as_of: date, calendar: Calendar = BANK) -> date:
    """The second following business day after the day computed for.

    Banking days, for a deposit needs an open bank. Source: 17 CFR 240.15c3-3(e)(3)(i).
    """
    return calendar.following(as_of, DEPOSIT_BUSINESS_DAYS)


def deposit_due(as_of: date, opening: Opening | None = None, calendar: Calendar = BANK) -> datetime:
    """The last instant for the deposit: one hour after banking opens on that day, in the bank's zone.

    Source: 17 CFR 240.15c3-3(e)(3)(i).
    """
    opening = opening or Opening()
    opens = datetime.combine(deposit_date(as_of, calendar), opening.at, opening.zone)
    return after(opens, GRACE)


def after(at: datetime, span: timedelta) -> datetime:
    """The instant a span of time after another, in its zone. Raises BadInput on one without a zone.

    Added in UTC: an hour that a change of clocks skips or repeats is still an hour.
    """
    if at.tzinfo is None:
        raise BadInput(f"{at} names no time zone")
    return (at.astimezone(UTC) + span).astimezone(at.tzinfo)


def instant_ns(at: datetime) -> int:
    """A zoned instant in nanoseconds since 1970-01-01T00:00Z. Raises BadInput on one without a zone."""
    if at.tzinfo is None:
        raise BadInput(f"{at} names no time zone")
    since = at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1_000


def focus_due(month: date, calendar: Calendar = GOVERNMENT) -> date:
    """The day by which the FOCUS report of a month end is filed: the 17th business day after it.

    Federal holidays count, on the weekdays on which they are observed. Source: 17 CFR 240.17a-5(a)(1).
    Raises BadInput on a day that ends no month.
    """
    if month != month_end(month):
        raise BadInput(f"{month} is not the end of a month")
    return calendar.following(month, FOCUS_BUSINESS_DAYS)


def annual_report_due(fiscal_year_end: date, calendar: Calendar = GOVERNMENT) -> date:
    """The day by which annual reports are filed: 60 calendar days on, or the next business day.

    Source: 17 CFR 240.17a-5(d)(5).
    """
    return calendar.on_or_after(fiscal_year_end + timedelta(days=ANNUAL_REPORT_DAYS))
