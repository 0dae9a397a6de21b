"""The deadlines of Regulation S-P, from the instants that start them. Integers only, UTC.

Owns the arithmetic. Does not own when an incident starts a clock: see `response.py`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

NANOS_PER_SECOND = 1_000_000_000
NANOS_PER_HOUR = 3_600 * NANOS_PER_SECOND
NANOS_PER_DAY = 24 * NANOS_PER_HOUR

NOTICE_DAYS = 30
PROVIDER_HOURS = 72
RETENTION_YEARS = 3

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def notice_due(aware_at_ns: int) -> int:
    """The last instant for notices: the end of the 30th calendar day after the firm became aware.

    Calendar days, no roll over weekends. Source: 17 CFR 248.30(a)(4)(iii).
    """
    return _end_of_epoch_day(aware_at_ns // NANOS_PER_DAY + NOTICE_DAYS)


def provider_notice_due(aware_at_ns: int) -> int:
    """The last instant for a provider's report: 72 hours after it became aware, to the nanosecond.

    Source: 17 CFR 248.30(a)(5)(i).
    """
    return aware_at_ns + PROVIDER_HOURS * NANOS_PER_HOUR


def retention_due(opened_at_ns: int) -> int:
    """Until when the record is kept: the end of the same date three years on.

    A 29 February without a counterpart counts as 1 March, never less than three years.
    Source: 17 CFR 240.17a-4(e)(14).
    """
    opened = (_EPOCH + timedelta(days=opened_at_ns // NANOS_PER_DAY)).date()
    year = opened.year + RETENTION_YEARS
    try:
        kept_until = opened.replace(year=year)
    except ValueError:
        kept_until = date(year, 3, 1)
    return _end_of_epoch_day((kept_until - _EPOCH.date()).days)


def _end_of_epoch_day(epoch_day: int) -> int:
    return (epoch_day + 1) * NANOS_PER_DAY - 1
