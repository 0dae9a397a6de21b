"""Epoch days and calendar dates: the machine's day, and a person's."""

from __future__ import annotations

from datetime import date, timedelta

_EPOCH = date(1970, 1, 1)


def date_of(epoch_day: int) -> date:
    """The calendar date of a day counted from 1970-01-01."""
    return _EPOCH + timedelta(days=epoch_day)


def epoch_day_of(day: date) -> int:
    """Days since 1970-01-01 of a calendar date."""
    return (day - _EPOCH).days
