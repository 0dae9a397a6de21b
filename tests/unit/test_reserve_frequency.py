"""How often a firm computes, from what it filed: one table a paragraph of 17 CFR 240.15c3-3(e)(3)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput
from engine.reserve.calendar import month_end, months_after
from engine.reserve.deadline import focus_due
from engine.reserve.frequency import (
    CapitalFigure,
    FiledFacts,
    FocusTotal,
    PabComputation,
    State,
    average_minor,
    latest_as_of,
    requires_computation,
    standing,
)
from engine.reserve.relief import FIRST_DAY, Label, deposit_after_sweep, relief_days, relief_on
from engine.reserve.terms import Formula, Frequency, Indeterminate, Method

MILLION = 1_000_000_00
CUSTOMER, PAB = Formula.CUSTOMER, Formula.PAB


def reports(first: str, millions: list[int], pab: int = 0) -> list[FocusTotal]:
    """One report a month from that month on, filed on the day on which it is due."""
    months = [months_after(month_end(date.fromisoformat(first)), n) for n in range(len(millions))]
    return [
        FocusTotal(m, focus_due(m), credit * MILLION - pab, pab)
        for m, credit in zip(months, millions, strict=True)
    ]


def facts(**given: object) -> FiledFacts:
    return FiledFacts(Method.ALTERNATIVE)._replace(**given)


def at(known: FiledFacts, on: str, formula: Formula = CUSTOMER) -> State:
    return standing(known, formula, date.fromisoformat(on)).state


YEAR_AT = reports("2025-01-01", [500] * 12, pab=20 * MILLION)
YEAR_BELOW = [*YEAR_AT[:11], YEAR_AT[11]._replace(pab_credits_minor=20 * MILLION - 1)]


@pytest.mark.parametrize("formula", [CUSTOMER, PAB])
@pytest.mark.parametrize(
    ("filed", "on", "state"),
    [
        (YEAR_AT, "2026-06-29", State.WEEKLY),
        (YEAR_AT, "2026-06-30", State.DAILY_REQUIRED),  # six months after 31 December 2025
        (YEAR_BELOW, "2026-06-30", State.WEEKLY),  # one cent of credits less, PAB's included
        (YEAR_AT[1:], "2026-06-30", State.WEEKLY),  # eleven reports have no average of twelve
    ],
)
def test_daily_from_500_million_e_3_i_B_1(
    filed: list[FocusTotal], on: str, state: State, formula: Formula
) -> None:
    assert at(facts(reports=filed), on, formula) is state


def test_a_firm_knows_by_when_it_must_be_daily_e_3_i_B_1() -> None:
    told = standing(facts(reports=YEAR_AT), CUSTOMER, date(2026, 2, 2))
    assert (told.state, told.daily_by, told.average_minor) == (State.WEEKLY, date(2026, 6, 30), 500 * MILLION)
    began = facts(reports=YEAR_AT, daily_required_since=date(2026, 3, 2))
    assert at(began, "2026-03-01") is State.WEEKLY
    assert at(began, "2026-03-02") is State.DAILY_REQUIRED


def test_only_reports_filed_by_the_day_count_e_3_i_B_1() -> None:
    late = [*YEAR_AT[:11], YEAR_AT[11]._replace(filed_on=date(2026, 7, 15))]
    assert at(facts(reports=late), "2026-07-14") is State.WEEKLY
    assert at(facts(reports=late), "2026-07-15") is State.DAILY_REQUIRED


def test_an_amended_report_takes_the_place_of_the_former() -> None:
    amended = [*YEAR_AT, YEAR_AT[5]._replace(filed_on=date(2026, 3, 1), customer_credits_minor=0)]
    assert average_minor(amended, date(2026, 2, 28)) == 500 * MILLION
    assert average_minor(amended, date(2026, 3, 1)) == (12 * 500 - 480) * MILLION // 12


def test_averages_before_december_2025_oblige_nobody() -> None:
    early = reports("2024-01-01", [900] * 12 + [10] * 12)
    assert at(facts(reports=early), "2026-12-31") is State.WEEKLY


def test_a_month_missing_in_between_is_indeterminate() -> None:
    with pytest.raises(Indeterminate, match="2025-06-30"):
        at(facts(reports=YEAR_AT[:5] + YEAR_AT[6:] + reports("2026-01-01", [1])), "2026-06-30")
    with pytest.raises(BadInput, match="month end"):
        at(facts(reports=[YEAR_AT[0]._replace(month=date(2025, 1, 30))]), "2026-06-30")
    with pytest.raises(BadInput, match="cannot have been filed"):
        at(facts(reports=[YEAR_AT[0]._replace(filed_on=date(2025, 1, 31))]), "2026-06-30")


FALLEN = YEAR_AT + reports("2026-01-01", [100] * 6)  # the average is below from January's report on
RISEN = FALLEN + reports("2026-07-01", [9_000])


@pytest.mark.parametrize(
    ("filed", "notices", "on", "state"),
    [
        (FALLEN, [], "2026-12-31", State.DAILY_REQUIRED),  # below alone changes nothing
        (FALLEN, ["2026-08-03"], "2026-10-01", State.DAILY_REQUIRED),  # 59 days after notice
        (FALLEN, ["2026-08-03"], "2026-10-02", State.WEEKLY),  # 60
        (FALLEN, ["2026-02-02"], "2026-12-31", State.DAILY_REQUIRED),  # given when not below
        (RISEN, ["2026-08-03"], "2026-10-02", State.DAILY_REQUIRED),  # up again within the 60 days
        (RISEN, ["2026-03-02"], "2026-12-31", State.WEEKLY),  # left; reached again: six months more
        (RISEN, ["2026-03-02"], "2027-01-31", State.DAILY_REQUIRED),
    ],
)
def test_leaving_takes_60_days_of_notice_e_3_i_B_2(
    filed: list[FocusTotal], notices: list[str], on: str, state: State
) -> None:
    given_on = [date.fromisoformat(n) for n in notices]
    assert at(facts(reports=filed, exit_notices=given_on), on) is state


def test_a_firm_daily_before_its_reports_begin_leaves_by_notice_too_e_3_i_B_2() -> None:
    known = facts(reports=reports("2026-01-01", [100] * 12), daily_required_since=date(2026, 6, 30))
    assert at(known, "2027-06-30") is State.DAILY_REQUIRED
    left = known._replace(exit_notices=[date(2027, 3, 1)])
    assert at(left, "2027-04-29") is State.DAILY_REQUIRED
    assert at(left, "2027-04-30") is State.WEEKLY


@pytest.mark.parametrize(
    ("given", "on", "formula", "state"),
    [
        ({}, "2026-03-31", CUSTOMER, State.WEEKLY),  # 29 days after notice: the reduction stays 3 %
        ({}, "2026-04-01", CUSTOMER, State.DAILY_VOLUNTARY),  # 30 days: 2 %
        ({}, "2026-04-01", PAB, State.WEEKLY),  # the election is for the customer formula
        ({"voluntary_since": date(2026, 5, 1)}, "2026-04-30", CUSTOMER, State.WEEKLY),
        ({"voluntary_since": date(2026, 5, 1)}, "2026-05-01", CUSTOMER, State.DAILY_VOLUNTARY),
        ({"voluntary_end_approved_from": date(2026, 9, 1)}, "2026-08-31", CUSTOMER, State.DAILY_VOLUNTARY),
        ({"voluntary_end_approved_from": date(2026, 9, 1)}, "2026-09-01", CUSTOMER, State.WEEKLY),
        ({"exit_notices": [date(2026, 4, 1)]}, "2026-09-01", CUSTOMER, State.DAILY_VOLUNTARY),  # no approval
    ],
)
def test_daily_by_choice_e_3_v(given: dict[str, object], on: str, formula: Formula, state: State) -> None:
    assert at(facts(voluntary_notice_on=date(2026, 3, 2), **given), on, formula) is state


def test_the_lower_reduction_by_choice_begins_on_14_march_2025() -> None:
    known = facts(voluntary_notice_on=date(2025, 1, 2))
    assert at(known, "2025-03-13") is State.WEEKLY
    assert at(known, "2025-03-14") is State.DAILY_VOLUNTARY


def test_leaving_before_beginning_contradicts_itself() -> None:
    known = facts(voluntary_notice_on=date(2026, 3, 2), voluntary_end_approved_from=date(2026, 3, 15))
    with pytest.raises(BadInput, match="before it began"):
        at(known, "2026-06-01")


def capital(*rows: tuple[str, int, int, int]) -> list[CapitalFigure]:
    return [CapitalFigure(date.fromisoformat(day), *figures) for day, *figures in rows]


MILLION_DOLLARS = 1_000_000_00
SOUND = ("2026-03-31", 8 * MILLION_DOLLARS, MILLION_DOLLARS, MILLION_DOLLARS)
OVER = ("2026-04-30", 8 * MILLION_DOLLARS + 1, MILLION_DOLLARS, 0)
WEEKS = ("2026-05-08", "2026-05-15", "2026-05-22", "2026-05-29")
CLEAN = [(day, MILLION_DOLLARS, MILLION_DOLLARS, 0) for day in WEEKS]


@pytest.mark.parametrize(
    ("rows", "on", "state"),
    [
        ([SOUND], "2026-03-31", State.MONTHLY_CUSTOMER),  # both limits exactly met
        ([OVER], "2026-04-30", State.WEEKLY),  # one cent over 800 %
        ([(*SOUND[:3], MILLION_DOLLARS + 1)], "2026-03-31", State.WEEKLY),  # one cent over $1,000,000
        ([SOUND, OVER, *CLEAN[:3]], "2026-05-22", State.WEEKLY),
        ([SOUND, OVER, *CLEAN], "2026-05-28", State.WEEKLY),  # the fourth is not made yet
        ([SOUND, OVER, *CLEAN], "2026-05-29", State.MONTHLY_CUSTOMER),
        ([SOUND, OVER, *CLEAN[:2], CLEAN[3]], "2026-05-29", State.WEEKLY),  # a week without a computation
        ([SOUND, OVER, *CLEAN[:2], CLEAN[3], ("2026-06-05", 0, 1, 0)], "2026-06-05", State.WEEKLY),
        ([SOUND, OVER, *CLEAN[:2], (WEEKS[2], *OVER[1:]), CLEAN[3]], "2026-05-29", State.WEEKLY),
        ([SOUND, OVER, *CLEAN, ("2026-06-30", *OVER[1:])], "2026-06-30", State.WEEKLY),  # over again
        ([("2026-03-31", 1, -5, 0)], "2026-03-31", State.WEEKLY),  # no net capital
    ],
)
def test_monthly_for_customers_e_3_i_C_and_ii(
    rows: list[tuple[str, int, int, int]], on: str, state: State
) -> None:
    known = FiledFacts(Method.BASIC, is_monthly_customer_elected=True, capital=capital(*rows))
    assert at(known, on) is state


def test_monthly_is_not_for_everybody_e_3_i_C() -> None:
    known = facts(is_monthly_customer_elected=True, capital=capital(SOUND))
    assert at(known, "2026-03-31") is State.WEEKLY  # the alternative method
    basic = known._replace(method=Method.BASIC)
    assert at(basic, "2026-03-31", PAB) is State.WEEKLY  # the election is for the customer formula
    assert at(basic._replace(reports=YEAR_AT), "2026-06-30") is State.DAILY_REQUIRED
    with pytest.raises(Indeterminate, match="net capital"):
        at(basic, "2026-03-30")


def pab(*rows: tuple[str, bool]) -> list[PabComputation]:
    return [PabComputation(date.fromisoformat(day), is_needed) for day, is_needed in rows]


NEEDED = ("2026-04-30", True)
NOTHING = [(day, False) for day in WEEKS]


@pytest.mark.parametrize(
    ("given", "on", "state"),
    [
        ({}, "2026-04-30", State.MONTHLY_PAB),
        ({"carries_customer_accounts": True}, "2026-04-30", State.WEEKLY),
        ({"trades_for_own_account": True}, "2026-04-30", State.WEEKLY),
        ({"pab_computations": pab(NEEDED)}, "2026-04-30", State.WEEKLY),
        ({"pab_computations": pab(NEEDED, *NOTHING[:3])}, "2026-05-22", State.WEEKLY),
        ({"pab_computations": pab(NEEDED, *NOTHING)}, "2026-05-29", State.MONTHLY_PAB),
        ({"pab_computations": pab(NEEDED, *NOTHING[:3], (WEEKS[3], True))}, "2026-05-29", State.WEEKLY),
        # two computations in one week, one of which asked for more
        ({"pab_computations": pab(NEEDED, *NOTHING, ("2026-05-20", True))}, "2026-05-29", State.WEEKLY),
    ],
)
def test_monthly_for_pab_e_3_iii(given: dict[str, object], on: str, state: State) -> None:
    known = facts(is_monthly_pab_elected=True, carries_customer_accounts=False, trades_for_own_account=False)
    assert at(known._replace(**given), on, PAB) is state


@pytest.mark.parametrize(
    ("state", "frequency", "day", "is_due"),
    [
        (State.WEEKLY, Frequency.WEEKLY, "2026-10-02", True),  # Friday
        (State.WEEKLY, Frequency.WEEKLY, "2026-10-01", False),
        (State.WEEKLY, Frequency.WEEKLY, "2026-12-24", True),  # Christmas on a Friday
        (State.DAILY_REQUIRED, Frequency.DAILY, "2026-10-01", True),
        (State.DAILY_REQUIRED, Frequency.DAILY, "2026-10-12", False),  # Columbus Day
        (State.DAILY_VOLUNTARY, Frequency.DAILY, "2026-10-03", False),  # Saturday
        (State.MONTHLY_CUSTOMER, Frequency.MONTHLY, "2026-10-30", True),  # the 31st is a Saturday
        (State.MONTHLY_PAB, Frequency.MONTHLY, "2026-10-31", False),
    ],
)
def test_as_of_which_days_e_3_i(state: State, frequency: Frequency, day: str, is_due: bool) -> None:
    assert state.frequency is frequency
    assert requires_computation(state, date.fromisoformat(day)) is is_due


def test_the_latest_day_that_was_due() -> None:
    assert latest_as_of(State.WEEKLY, date(2026, 10, 8)) == date(2026, 10, 2)
    assert latest_as_of(State.MONTHLY_PAB, date(2026, 10, 29)) == date(2026, 9, 30)
    assert latest_as_of(State.DAILY_REQUIRED, date(2026, 10, 12)) == date(2026, 10, 9)
    assert latest_as_of(State.DAILY_REQUIRED, date(2026, 10, 12), uses_relief=True) == date(2026, 10, 8)


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        ("2026-01-16", "the Friday before Birthday of Martin Luther King, Jr."),
        ("2026-02-13", "the Friday before Washington's Birthday"),
        ("2026-04-02", "the Thursday before Good Friday"),
        ("2026-04-03", "Good Friday"),
        ("2026-05-22", "the Friday before Memorial Day"),
        ("2026-06-18", "the business day before Juneteenth"),
        ("2026-07-03", "a federal holiday"),  # observed; banks are open
        ("2026-09-04", "the Friday before Labor Day"),
        ("2026-10-09", "the Friday before Columbus Day"),
        ("2026-11-27", "the Friday after Thanksgiving Day"),
        ("2026-12-24", "the business day before Christmas Day"),
        ("2026-12-31", "the business day before New Year's Day"),
        ("2025-12-26", "the Friday after Christmas Day"),  # Christmas on a Thursday
        ("2030-07-05", "the Friday after Independence Day"),  # and so on
        ("2031-06-20", "the Friday after Juneteenth"),
    ],
)
def test_staff_relief_is_guidance_faq_6(day: str, reason: str) -> None:
    told = relief_on(date.fromisoformat(day))
    assert told is not None and (told.reason, told.label) == (reason, Label.GUIDANCE)
    assert "FAQ" in told.source


@pytest.mark.parametrize("day", ["2025-12-24", "2030-07-03", "2031-06-18", "2026-07-02", "2025-11-28"])
def test_no_relief_faq_6(day: str) -> None:
    """The day before a Thursday's holiday is computed, and nothing was granted before the answer."""
    assert relief_on(date.fromisoformat(day)) is None


@pytest.mark.parametrize("year", range(2026, 2041))
def test_relief_is_used_only_when_told_and_only_by_daily_firms(year: int) -> None:
    banking = [d for d in relief_days(year) if requires_computation(State.DAILY_REQUIRED, d)]
    assert 10 <= len(banking) <= 13
    assert not any(requires_computation(State.DAILY_REQUIRED, d, uses_relief=True) for d in banking)
    fridays = [d for d in banking if requires_computation(State.WEEKLY, d)]
    assert fridays and all(requires_computation(State.WEEKLY, d, uses_relief=True) for d in fridays)
    assert min(relief_days(2025)) >= FIRST_DAY


def test_a_sweep_lowers_a_deposit_never_below_zero_faq_5() -> None:
    assert [deposit_after_sweep(100, swept) for swept in (0, 40, 100, 200)] == [100, 60, 0, 0]


@given(
    millions=st.lists(st.integers(300, 700), min_size=12, max_size=40),
    notices=st.lists(st.dates(date(2026, 1, 1), date(2029, 6, 1)), max_size=3),
)
def test_the_duty_walked_day_by_day_is_the_same_e_3_i_B(millions: list[int], notices: list[date]) -> None:
    """A naive firm looks at its file each day and remembers what it owes."""
    filed = reports("2025-01-01", millions)
    known = facts(reports=filed, exit_notices=notices)
    begins: date | None = None
    below_since: date | None = None
    day = date(2025, 1, 1)
    while day < date(2029, 6, 1):
        shown = [r for r in filed if r.filed_on <= day][-12:]
        total = sum(r.customer_credits_minor for r in shown)
        is_below = len(shown) == 12 and total < 12 * 500 * MILLION
        is_reached = len(shown) == 12 and not is_below and shown[-1].month >= date(2025, 12, 31)
        below_since = (below_since or day) if is_below else None
        is_news = any(r.filed_on == day for r in filed)
        if begins is None and is_reached and is_news:
            begins = months_after(shown[-1].month, 6)
        notice = day - timedelta(days=60)
        if notice in notices and below_since is not None and below_since <= notice:
            begins = None
        if is_news or day.day == 30:
            is_daily = begins is not None and begins <= day
            assert (standing(known, CUSTOMER, day).state is State.DAILY_REQUIRED) is is_daily, day
        day += timedelta(days=1)
