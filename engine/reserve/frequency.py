"""How often a firm computes its reserve, from what it filed and the date. Pure; says why.

Owns: the states of 17 CFR 240.15c3-3(e)(3) and what moves a firm between them. Does not own the reduction
that goes with a frequency, or the deadline of a deposit, which is the same for all (`deadline.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from engine.errors import BadInput
from engine.reserve.calendar import BANK, Calendar, month_end, months_after
from engine.reserve.relief import relief_on
from engine.reserve.terms import CENTS, Formula, Frequency, Indeterminate, Method

DAILY_THRESHOLD_MINOR = 500_000_000 * CENTS
AVERAGED_REPORTS = 12
MONTHS_TO_BEGIN = 6
FIRST_TESTED_MONTH = date(2025, 12, 31)  # Release 34-103320: January to December 2025, daily by 30 June 2026
EXIT_NOTICE = timedelta(days=60)
VOLUNTARY_NOTICE = timedelta(days=30)
FIRST_VOLUNTARY_DAY = date(2025, 3, 14)  # from which the lower reduction may be taken, Release 34-102022
MONTHLY_INDEBTEDNESS_TIMES = 8  # 800 %
MONTHLY_FUNDS_MINOR = 1_000_000 * CENTS
CLEAN_WEEKS = 4


class State(StrEnum):
    """Where a firm stands with one formula."""

    WEEKLY = "WEEKLY"
    DAILY_REQUIRED = "DAILY_REQUIRED"
    DAILY_VOLUNTARY = "DAILY_VOLUNTARY"
    MONTHLY_CUSTOMER = "MONTHLY_CUSTOMER"
    MONTHLY_PAB = "MONTHLY_PAB"

    @property
    def frequency(self) -> Frequency:
        """How often the formula is computed in this state."""
        return {"W": Frequency.WEEKLY, "D": Frequency.DAILY, "M": Frequency.MONTHLY}[self.value[0]]


class FocusTotal(NamedTuple):
    """Total credits of both formulas in one filed month-end FOCUS report, in cents."""

    month: date
    filed_on: date
    customer_credits_minor: int
    pab_credits_minor: int


class CapitalFigure(NamedTuple):
    """What bears on monthly computation, as it stood at a computation; money in cents."""

    as_of: date
    aggregate_indebtedness_minor: int
    net_capital_minor: int
    customer_funds_minor: int


class PabComputation(NamedTuple):
    """A computation for PAB accounts, and whether it asked for more on deposit."""

    as_of: date
    is_deposit_needed: bool


class FiledFacts(NamedTuple):
    """Everything on file that decides a firm's frequency.

    `daily_required_since` is the first day computed daily as required, when the firm began before it had to
    or before the reports given here; it may be left out otherwise.
    """

    method: Method
    reports: Sequence[FocusTotal] = ()
    daily_required_since: date | None = None
    exit_notices: Sequence[date] = ()
    voluntary_notice_on: date | None = None
    voluntary_since: date | None = None
    voluntary_end_approved_from: date | None = None
    is_monthly_customer_elected: bool = False
    capital: Sequence[CapitalFigure] = ()
    is_monthly_pab_elected: bool = False
    carries_customer_accounts: bool = True
    trades_for_own_account: bool = True
    pab_computations: Sequence[PabComputation] = ()


class Standing(NamedTuple):
    """The state of one formula on a day, with the reason and its paragraph.

    `average_minor` is the average of total credits where twelve reports are filed; `daily_by` is the day by
    which a firm that is not yet daily must be.
    """

    state: State
    formula: Formula
    reason: str
    citation: str
    average_minor: int | None = None
    daily_by: date | None = None

    @property
    def frequency(self) -> Frequency:
        """How often the formula is computed."""
        return self.state.frequency


def standing(facts: FiledFacts, formula: Formula, on: date) -> Standing:
    """Where a firm stands with a formula on a day, from what was filed by then.

    Required daily computation comes before everything, then the daily computation it chose, then monthly,
    then weekly. Raises Indeterminate when a report or a figure is missing that decides, BadInput on facts
    that contradict each other.
    """
    reports = _reports_by_month(facts.reports, on)
    average = average_minor(reports, on)
    duty = _daily_duty(facts, on)
    if duty is not None and duty.begins_on <= on:
        return Standing(
            State.DAILY_REQUIRED, formula, duty.reason, "17 CFR 240.15c3-3(e)(3)(i)(B)(1)", average
        )
    due = duty.begins_on if duty is not None else None
    chosen = _monthly_pab(facts, on) if formula is Formula.PAB else _chosen_customer(facts, on)
    return chosen._replace(formula=formula, average_minor=average, daily_by=due)


def average_minor(reports: Iterable[FocusTotal], on: date) -> int | None:
    """The mean of total credits in the 12 most recently filed month-end reports, in cents, rounded down.

    None while fewer than 12 are filed. Raises Indeterminate when a month between them is missing.
    Source: 17 CFR 240.15c3-3(e)(3)(i)(B)(1).
    """
    total = _twelve_total(list(_reports_by_month(reports, on)))
    return None if total is None else total // AVERAGED_REPORTS


def requires_computation(
    state: State, day: date, *, uses_relief: bool = False, calendar: Calendar = BANK
) -> bool:
    """Whether a computation as of the close of that day is required.

    With `uses_relief` a daily firm leaves out the days of `relief.py`, which is staff guidance.
    """
    if not calendar.is_business_day(day):
        return False
    if state.frequency is Frequency.MONTHLY:
        return day == calendar.last_of_month(day)
    if state.frequency is Frequency.WEEKLY:
        return day == calendar.last_of_week(day)
    return not (uses_relief and relief_on(day) is not None)


def latest_as_of(state: State, on: date, *, uses_relief: bool = False, calendar: Calendar = BANK) -> date:
    """The last day on or before `on` as of whose close a computation is required."""
    day = on
    while not requires_computation(state, day, uses_relief=uses_relief, calendar=calendar):
        day -= timedelta(days=1)
    return day


class _Duty(NamedTuple):
    begins_on: date
    reason: str


def _daily_duty(facts: FiledFacts, on: date) -> _Duty | None:
    """The duty to compute daily that is on a firm on a day: when it begins, and why. None when there is none.

    Walks the days on which something was filed or a notice ran out. A firm leaves only when its average was
    below the threshold when it gave notice and stayed below it for the 60 days.
    """
    since = facts.daily_required_since if (facts.daily_required_since or date.max) <= on else None
    duty = None
    filings = sorted({r.filed_on for r in facts.reports if r.filed_on <= on})
    leaving = {notice + EXIT_NOTICE: notice for notice in sorted(facts.exit_notices)}
    for day in sorted({*filings, *(d for d in leaving if d <= on)}):
        if day in filings and duty is None:
            duty = _reached(facts, day)
        if day in leaving and _stayed_below(facts, leaving[day], day, filings):
            duty = None
            since = since if since is not None and since > day else None
    if since is None:
        return duty
    if duty is None:
        return _Duty(since, f"computed daily as required since {since}")
    return _Duty(min(since, duty.begins_on), f"{duty.reason}; begun on {since}")


def _reached(facts: FiledFacts, day: date) -> _Duty | None:
    reports = _reports_by_month(facts.reports, day)
    total = _twelve_total(reports)
    if (
        total is None
        or total < AVERAGED_REPORTS * DAILY_THRESHOLD_MINOR
        or reports[-1].month < FIRST_TESTED_MONTH
    ):
        return None
    month = reports[-1].month
    begins = months_after(month, MONTHS_TO_BEGIN)
    average = _dollars(total // AVERAGED_REPORTS)
    return _Duty(
        begins,
        f"total credits averaged {average} over the 12 reports to {month}, $500,000,000 or more: "
        f"daily from {begins}, six months after",
    )


def _stayed_below(facts: FiledFacts, notice: date, until: date, filings: Sequence[date]) -> bool:
    days = [notice, *(d for d in filings if notice < d <= until)]
    totals = [_twelve_total(_reports_by_month(facts.reports, d)) for d in days]
    return all(t is not None and t < AVERAGED_REPORTS * DAILY_THRESHOLD_MINOR for t in totals)


def _chosen_customer(facts: FiledFacts, on: date) -> Standing:
    """Daily by choice, monthly where allowed, else weekly."""
    notice = facts.voluntary_notice_on
    if notice is not None:
        begins = max(notice + VOLUNTARY_NOTICE, facts.voluntary_since or date.min, FIRST_VOLUNTARY_DAY)
        ended = facts.voluntary_end_approved_from
        cite = "17 CFR 240.15c3-3(e)(3)(v)"
        if ended is not None and ended <= begins:
            raise BadInput(f"leaving daily computation is approved from {ended}, before it began on {begins}")
        if ended is not None and ended <= on:
            return _weekly(f"the examining authority approved leaving daily computation from {ended}", cite)
        if begins <= on:
            return _standing(
                State.DAILY_VOLUNTARY,
                f"notice of {notice}, 30 calendar days or more before daily computation began on {begins}; "
                "it goes on until the examining authority approves a change",
                cite,
            )
        if not facts.is_monthly_customer_elected:
            return _weekly(
                f"notice of {notice} allows daily computation from {notice + VOLUNTARY_NOTICE}", cite
            )
    if facts.is_monthly_customer_elected:
        return _monthly_customer(facts, on)
    return _weekly("no other frequency is required or elected", "17 CFR 240.15c3-3(e)(3)(i)(A)")


def _monthly_customer(facts: FiledFacts, on: date) -> Standing:
    cite = "17 CFR 240.15c3-3(e)(3)(i)(C)"
    if facts.method is Method.ALTERNATIVE:
        return _weekly("a firm on the alternative method computes weekly", "17 CFR 240.15c3-1(a)(1)(ii)(A)")
    known = sorted(f for f in facts.capital if f.as_of <= on)
    if not known:
        raise Indeterminate(f"no figure of indebtedness and net capital on or before {on}")
    clean = _clean_weeks((f.as_of, not _is_overindebted(f)) for f in known)
    last = known[-1]
    if clean is not None and clean < CLEAN_WEEKS:
        return _weekly(
            "aggregate indebtedness exceeded 800 % of net capital; "
            f"{clean} of 4 successive weekly computations below it are made",
            "17 CFR 240.15c3-3(e)(3)(ii)",
        )
    if last.customer_funds_minor > MONTHLY_FUNDS_MINOR:
        return _weekly(
            f"customer funds of {_dollars(last.customer_funds_minor)} at the last computation, {last.as_of}, "
            "exceed $1,000,000",
            cite,
        )
    return _standing(
        State.MONTHLY_CUSTOMER,
        "aggregate indebtedness at most 800 % of net capital and customer funds at most $1,000,000 "
        f"at the last computation, {last.as_of}; 105 % is deposited",
        cite,
    )


def _monthly_pab(facts: FiledFacts, on: date) -> Standing:
    cite = "17 CFR 240.15c3-3(e)(3)(iii)"
    if not facts.is_monthly_pab_elected:
        return _weekly("no other frequency is required or elected", "17 CFR 240.15c3-3(e)(3)(i)(A)")
    kept = [
        told
        for told, is_so in (
            ("carries accounts of customers", facts.carries_customer_accounts),
            ("trades for its own account", facts.trades_for_own_account),
        )
        if is_so
    ]
    if kept:
        return _weekly(f"the firm {' and '.join(kept)}", cite)
    made = sorted(c for c in facts.pab_computations if c.as_of <= on)
    clean = _clean_weeks((c.as_of, not c.is_deposit_needed) for c in made)
    if clean is not None and clean < CLEAN_WEEKS:
        return _weekly(
            "a computation asked for more on deposit; "
            f"{clean} of 4 successive weekly computations without one are made",
            cite,
        )
    return _standing(State.MONTHLY_PAB, "no customer accounts and no proprietary trading", cite)


def _clean_weeks(computations: Iterable[tuple[date, bool]]) -> int | None:
    """Successive clean weeks since the last computation that was not clean; None when all were.

    A week is clean when every computation as of a day in it was. A week without one ends the succession: four
    successive computations are to be made, and that week has none. Four in a row close the matter.
    """
    weeks: dict[int, bool] = {}
    for as_of, is_clean in sorted(computations):
        week = (as_of.toordinal() - 1) // 7  # day 1 of the ordinals is a Monday
        weeks[week] = weeks.get(week, True) and is_clean
    clean: int | None = None
    last_week = 0
    for week, is_clean in weeks.items():
        if not is_clean:
            clean = 0
        elif clean is not None:
            clean = clean + 1 if clean == 0 or week == last_week + 1 else 1
            if clean == CLEAN_WEEKS:
                clean = None
        last_week = week
    return clean


def _is_overindebted(figure: CapitalFigure) -> bool:
    return figure.aggregate_indebtedness_minor > MONTHLY_INDEBTEDNESS_TIMES * figure.net_capital_minor


def _reports_by_month(reports: Iterable[FocusTotal], on: date) -> list[FocusTotal]:
    """Reports filed by a day, one a month; of an amended one, the last filed."""
    found: dict[date, FocusTotal] = {}
    for report in sorted(reports, key=lambda r: (r.month, r.filed_on)):
        if report.month != month_end(report.month):
            raise BadInput(f"a FOCUS report is of a month end, not of {report.month}")
        if report.filed_on <= report.month:
            raise BadInput(f"the report of {report.month} cannot have been filed on {report.filed_on}")
        if report.filed_on <= on:
            found[report.month] = report
    return [found[month] for month in sorted(found)]


def _twelve_total(reports: Sequence[FocusTotal]) -> int | None:
    """Credits of the 12 newest of one report a month, summed; None while there are fewer."""
    last = reports[-AVERAGED_REPORTS:]
    for former, report in pairwise(last):
        if (missing := months_after(former.month, 1)) != report.month:
            raise Indeterminate(f"the FOCUS report of {missing} is missing among those filed")
    if len(last) < AVERAGED_REPORTS:
        return None
    return sum(r.customer_credits_minor + r.pab_credits_minor for r in last)


def _standing(state: State, reason: str, citation: str) -> Standing:
    return Standing(state, Formula.CUSTOMER, reason, citation)


def _weekly(reason: str, citation: str) -> Standing:
    return _standing(State.WEEKLY, reason, citation)


def _dollars(minor: int) -> str:
    whole, part = divmod(abs(minor), CENTS)
    return f"{'-' if minor < 0 else ''}${whole:,}.{part:02}"
