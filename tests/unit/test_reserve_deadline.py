"""When deposits and reports are due: published tables and worked dates, each with its paragraph."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from engine.errors import BadInput
from engine.reserve.calendar import EXCHANGE, GOVERNMENT
from engine.reserve.deadline import (
    Opening,
    annual_report_due,
    deposit_date,
    deposit_due,
    focus_due,
    instant_ns,
)


@pytest.mark.parametrize(
    ("as_of", "due"),
    [
        ("2026-02-25", "2026-02-27"),
        ("2026-10-02", "2026-10-06"),  # a Friday
        ("2026-10-08", "2026-10-13"),  # Columbus Day is no banking day
        ("2026-07-01", "2026-07-03"),  # Independence Day on a Saturday: banks open on Friday
        ("2026-11-24", "2026-11-27"),  # the day after Thanksgiving is a banking day
        ("2026-12-31", "2027-01-05"),
        ("2026-04-01", "2026-04-03"),  # Good Friday is a banking day
    ],
)
def test_the_second_banking_day_after_15c3_3_e_3_i(as_of: str, due: str) -> None:
    assert deposit_date(date.fromisoformat(as_of)) == date.fromisoformat(due)


@pytest.mark.parametrize(
    ("as_of", "due"),
    [
        ("2026-10-02", "2026-10-06T10:00:00-04:00"),
        ("2026-10-08", "2026-10-13T10:00:00-04:00"),
        ("2026-02-25", "2026-02-27T10:00:00-05:00"),
        ("2026-10-29", "2026-11-02T10:00:00-05:00"),  # the clocks change in between
    ],
)
def test_one_hour_after_opening_15c3_3_e_3_i(as_of: str, due: str) -> None:
    assert deposit_due(date.fromisoformat(as_of)).isoformat() == due


@pytest.mark.parametrize(
    ("opening", "due"),
    [
        (Opening(time(8, 30)), "2026-10-06T09:30:00-04:00"),
        (Opening(time(9), ZoneInfo("America/Chicago")), "2026-10-06T10:00:00-05:00"),
        (Opening(time(23, 30)), "2026-10-07T00:30:00-04:00"),
    ],
)
def test_the_banks_own_opening_counts_15c3_3_e_3_i(opening: Opening, due: str) -> None:
    assert deposit_due(date(2026, 10, 2), opening).isoformat() == due


def test_an_hour_is_an_hour_while_clocks_change() -> None:
    due = deposit_due(date(2026, 10, 28), Opening(time(1, 30)), GOVERNMENT)
    assert due.isoformat() == "2026-10-30T02:30:00-04:00"
    on_sunday = deposit_due(date(2026, 10, 29), Opening(time(1, 30)), _Everyday())  # type: ignore[arg-type]
    assert instant_ns(on_sunday) - instant_ns(datetime(2026, 11, 1, 5, 30, tzinfo=UTC)) == 3_600 * 10**9


class _Everyday:
    """A calendar whose second following business day is the Sunday on which clocks change."""

    def following(self, day: date, count: int) -> date:
        return date(2026, 11, 1)


def test_instants_name_their_zone() -> None:
    assert instant_ns(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005_000
    with pytest.raises(BadInput, match="no time zone"):
        instant_ns(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("month", "due"),
    [
        ("2017-01-31", "2017-02-24"),
        ("2017-02-28", "2017-03-23"),
        ("2017-04-30", "2017-05-23"),
        ("2017-05-31", "2017-06-23"),
        ("2017-07-31", "2017-08-23"),
        ("2017-08-31", "2017-09-26"),
        ("2017-10-31", "2017-11-27"),  # Veterans Day on a Saturday: Friday the 10th does not count
        ("2017-11-30", "2017-12-26"),
    ],
)
def test_focus_is_due_on_the_17th_business_day_17a_5_a(month: str, due: str) -> None:
    """Published schedule of 2017."""
    assert focus_due(date.fromisoformat(month)) == date.fromisoformat(due)


def test_focus_counts_federal_holidays_not_the_exchanges_17a_5_a() -> None:
    assert focus_due(date(2017, 10, 31), EXCHANGE) != focus_due(date(2017, 10, 31))
    with pytest.raises(BadInput, match="not the end of a month"):
        focus_due(date(2017, 10, 30))


@pytest.mark.parametrize(
    ("year_end", "due"),
    [
        ("2016-11-30", "2017-01-30"),
        ("2016-12-31", "2017-03-01"),
        ("2017-01-31", "2017-04-03"),
        ("2017-02-28", "2017-05-01"),
        ("2017-03-31", "2017-05-30"),
        ("2017-04-30", "2017-06-29"),
        ("2017-05-31", "2017-07-31"),
        ("2017-06-30", "2017-08-29"),
        ("2017-07-31", "2017-09-29"),
        ("2017-08-31", "2017-10-30"),
        ("2017-09-30", "2017-11-29"),
        ("2017-10-31", "2018-01-02"),
        ("2017-11-30", "2018-01-29"),
        ("2017-12-31", "2018-03-01"),
    ],
)
def test_annual_reports_are_due_in_60_days_rolled_17a_5_d_5(year_end: str, due: str) -> None:
    """Published schedule of 2016 to 2018."""
    assert annual_report_due(date.fromisoformat(year_end)) == date.fromisoformat(due)
