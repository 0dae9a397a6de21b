"""Where a firm stands with its reserve: records of the book, folded into what `engine.reserve` decides from.

Owns: the fold. Does not own a rule: frequency, deadline, deposit and notices are `engine.reserve`'s.
Pure: records and the present instant come in; what cannot be told yet comes out as a line of `gaps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from engine.reserve import frequency
from engine.reserve.deadline import NEW_YORK, SECOND_NS, deposit_due, instant_ns
from engine.reserve.eligible_deposit import ReserveBalance, eligible_minor
from engine.reserve.frequency import CapitalFigure, FiledFacts, FocusTotal, PabComputation
from engine.reserve.net_capital import Capital, capital_notices
from engine.reserve.notices import DepositMade, Notice, missed_deposit
from engine.reserve.terms import Formula, Indeterminate, Method
from schemas.codes import CapitalMethod, ControlStep, ReserveFormula
from schemas.days import date_of
from schemas.reserve import (
    BankEquityRecorded,
    ControlInstructionCompleted,
    ControlInstructionRecorded,
    FirmCapitalRecorded,
    FocusTotalsRecorded,
    ReserveAccountOpened,
    ReserveDepositOrdered,
    ReserveElectionRecorded,
    ReserveOrderPrepared,
    ReserveOrderRejected,
    ReserveSecuritiesMoved,
)

FORMULAS = {ReserveFormula.CUSTOMER: Formula.CUSTOMER, ReserveFormula.PAB: Formula.PAB}
FORMULA_CODES = {formula: code for code, formula in FORMULAS.items()}
METHODS = {CapitalMethod.ALTERNATIVE: Method.ALTERNATIVE, CapitalMethod.BASIC: Method.BASIC}
LONGEST_WAIT = timedelta(days=14)  # calendar days that no deadline is away from its as-of day


class ReserveRecords(NamedTuple):
    """Every record that a standing is folded from, each in the order of the journal."""

    accounts: Sequence[ReserveAccountOpened] = ()
    prepared: Sequence[ReserveOrderPrepared] = ()
    rejected: Sequence[ReserveOrderRejected] = ()
    deposits: Sequence[ReserveDepositOrdered] = ()
    securities: Sequence[ReserveSecuritiesMoved] = ()
    equities: Sequence[BankEquityRecorded] = ()
    capitals: Sequence[FirmCapitalRecorded] = ()
    focus: Sequence[FocusTotalsRecorded] = ()
    elections: Sequence[ReserveElectionRecorded] = ()
    instructions: Sequence[ControlInstructionRecorded] = ()
    completed: Sequence[ControlInstructionCompleted] = ()


class FormulaStanding(NamedTuple):
    """One formula: how often and why, as of which day next, and the next deadline with the day it is for.

    `is_computed` tells whether a computation as of that day is on record.
    """

    formula: Formula
    frequency: frequency.Standing
    next_as_of: date
    deadline_as_of: date
    deadline: datetime
    is_computed: bool


class WaitingOrder(NamedTuple):
    """An order that a second person has not approved yet."""

    order: ReserveOrderPrepared
    formula: Formula
    as_of: date
    due_at: datetime
    is_overdue: bool


class OpenInstruction(NamedTuple):
    """An instruction that has not brought the securities back yet."""

    told: ControlInstructionRecorded
    step: ControlStep
    due_on: date
    is_overdue: bool


class DueNotice(NamedTuple):
    """What makes notices due, under a name that stays the same, and the notices."""

    name: str
    notices: tuple[Notice, ...]


class ReserveStanding(NamedTuple):
    """Everything that a person in charge of the reserve looks at in the morning."""

    formulas: list[FormulaStanding]
    waiting: list[WaitingOrder]
    instructions: list[OpenInstruction]
    notices: list[DueNotice]
    gaps: list[str]


def reserve_standing(records: ReserveRecords, now: datetime) -> ReserveStanding:
    """Where the firm stands at an instant; `now` names its time zone.

    Raises BadInput on facts that contradict each other.
    """
    gaps: list[str] = []
    formulas: list[FormulaStanding] = []
    for whose in FORMULAS.values():
        try:
            formulas.append(_formula_standing(records, whose, now))
        except Indeterminate as unknown:
            gaps.append(f"frequency, {whose.value}: {unknown}")
    return ReserveStanding(
        formulas,
        waiting_orders(records, now),
        open_instructions(records, now),
        due_notices(records, now, gaps),
        gaps,
    )


def filed_facts(records: ReserveRecords) -> FiledFacts:
    """What is on file that decides the frequency. Raises Indeterminate when no election is on record.

    The last election is in force; a notice of leaving is a notice in whichever of them it stands.
    """
    if not records.elections:
        raise Indeterminate("neither method nor election is on record")
    elected = records.elections[-1]
    notices = {e.exit_notice_epoch_day for e in records.elections if e.exit_notice_epoch_day}
    return FiledFacts(
        METHODS[CapitalMethod(elected.capital_method_code)],
        [
            FocusTotal(
                date_of(r.month_epoch_day),
                date_of(r.filed_epoch_day),
                r.customer_credits_minor,
                r.pab_credits_minor,
            )
            for r in records.focus
        ],
        _day_or_none(elected.required_begin_epoch_day),
        [date_of(day) for day in sorted(notices)],
        _day_or_none(elected.voluntary_notice_epoch_day),
        _day_or_none(elected.voluntary_begin_epoch_day),
        _day_or_none(elected.voluntary_end_epoch_day),
        bool(elected.is_monthly_customer),
        [
            CapitalFigure(
                date_of(c.as_of_epoch_day),
                c.aggregate_indebtedness_minor,
                c.net_capital_minor,
                c.customer_funds_minor,
            )
            for c in records.capitals
        ],
        bool(elected.is_monthly_pab),
        bool(elected.has_customer_accounts),
        bool(elected.has_own_trading),
        [
            PabComputation(date_of(c.as_of_epoch_day), c.required_minor > c.eligible_minor)
            for c in _in_force(records, ReserveFormula.PAB)
        ],
    )


def waiting_orders(records: ReserveRecords, now: datetime) -> list[WaitingOrder]:
    """Orders that wait for a second person, by their number."""
    return [
        WaitingOrder(order, FORMULAS[_formula(order)], as_of, due := deposit_due(as_of), now > due)
        for order in undecided(records)
        for as_of in (date_of(order.as_of_epoch_day),)
    ]


def undecided(records: ReserveRecords) -> list[ReserveOrderPrepared]:
    """Prepared orders that move something and that nobody has approved or rejected."""
    done = {e.payment_id for e in (*records.deposits, *records.securities, *records.rejected)}
    return [o for o in records.prepared if o.amount_units and o.payment_id not in done]


def open_instructions(records: ReserveRecords, now: datetime) -> list[OpenInstruction]:
    """Instructions that are not completed; overdue once their last day is over where the firm is."""
    done, today = {e.item_id for e in records.completed}, now.astimezone(NEW_YORK).date()
    return [
        OpenInstruction(told, ControlStep(told.control_step_code), due, today > due)
        for told in records.instructions
        if told.item_id not in done
        for due in (date_of(told.due_epoch_day),)
    ]


def due_notices(records: ReserveRecords, now: datetime, gaps: list[str]) -> list[DueNotice]:
    """Notices that the records give rise to; `gaps` gets a line for each that cannot be judged."""
    found: list[DueNotice] = []
    for whose in FORMULAS:
        days = {c.as_of_epoch_day for c in records.prepared if _formula(c) is whose}
        for as_of_epoch_day in sorted(days):
            try:
                found += _missed(records, whose, as_of_epoch_day, now)
            except Indeterminate as unknown:
                gaps.append(f"deposit, {FORMULAS[whose].value}, {date_of(as_of_epoch_day)}: {unknown}")
    try:
        found += _capital(records)
    except Indeterminate as unknown:
        gaps.append(f"net capital: {unknown}")
    return found


def balances_at(records: ReserveRecords, whose: ReserveFormula, at: datetime) -> list[ReserveBalance]:
    """What approved orders had put into each bank's account of a formula by an instant, in cents.

    Securities count at the mark of the day on which they moved.
    """
    at_ns = instant_ns(at)
    cash: dict[int, int] = {}
    securities: dict[int, int] = {}
    for e in records.deposits:
        if _formula(e) is whose and e.occurred_at_ns <= at_ns:
            cash[e.bank_id] = cash.get(e.bank_id, 0) + e.deposit_minor - e.withdrawal_minor
    for e in records.securities:
        if _formula(e) is whose and e.occurred_at_ns <= at_ns:
            value = e.market_value_minor if e.moved_units > 0 else -e.market_value_minor
            securities[e.bank_id] = max(securities.get(e.bank_id, 0) + value, 0)
    equity = {e.bank_id: e.equity_minor for e in records.equities}
    return [
        ReserveBalance(
            str(a.bank_id),
            cash.get(a.bank_id, 0),
            equity.get(a.bank_id),
            bool(a.is_affiliate),
            securities.get(a.bank_id, 0),
        )
        for a in records.accounts
        if _formula(a) is whose
    ]


def _formula_standing(records: ReserveRecords, formula: Formula, now: datetime) -> FormulaStanding:
    today = now.astimezone(NEW_YORK).date()
    stands = frequency.standing(filed_facts(records), formula, today)
    days = (today + timedelta(days=n) for n in range(-LONGEST_WAIT.days, 32 + LONGEST_WAIT.days))
    required = [d for d in days if frequency.requires_computation(stands.state, d)]
    deadline_as_of = next(d for d in required if deposit_due(d) >= now)
    next_as_of = next(d for d in required if d >= today)
    known = {date_of(c.as_of_epoch_day) for c in _in_force(records, FORMULA_CODES[formula])}
    due_at = deposit_due(deadline_as_of)
    return FormulaStanding(formula, stands, next_as_of, deadline_as_of, due_at, deadline_as_of in known)


def _missed(
    records: ReserveRecords, whose: ReserveFormula, as_of_epoch_day: int, now: datetime
) -> list[DueNotice]:
    """The notice of a deposit that did not cover the day's computation at its deadline.

    A computation that was rejected and not made again still says what was missing.
    """
    as_of = date_of(as_of_epoch_day)
    deadline = deposit_due(as_of)
    if now <= deadline:
        return []
    of_day = [c for c in records.prepared if _formula(c) is whose and c.as_of_epoch_day == as_of_epoch_day]
    in_force = [c for c in _in_force(records, whose) if c.as_of_epoch_day == as_of_epoch_day] or of_day[-1:]
    there = eligible_minor(balances_at(records, whose, deadline))
    missed = missed_deposit(
        FORMULAS[whose],
        in_force[-1].required_minor,
        [DepositMade(deadline, there)],
        deadline,
        now,
        first_required_minor=in_force[0].required_minor,
    )
    name = f"missed-{FORMULAS[whose].value}-{as_of}"
    return [DueNotice(name, missed.notices)] if missed is not None else []


def _capital(records: ReserveRecords) -> list[DueNotice]:
    """Notices of the last net capital computation; its instant is that of its record."""
    if not records.capitals:
        return []
    told, method = records.capitals[-1], filed_facts(records).method
    capital = Capital(
        method,
        told.net_capital_minor,
        aggregate_indebtedness_minor=told.aggregate_indebtedness_minor,
        aggregate_debit_items_minor=told.aggregate_debit_items_minor,
        tentative_net_capital_minor=told.tentative_net_capital_minor,
    )
    at = datetime.fromtimestamp(told.occurred_at_ns // SECOND_NS, UTC)
    name = f"net-capital-{date_of(told.as_of_epoch_day)}-{told.sequence}"
    notices = tuple(capital_notices(capital, at))
    return [DueNotice(name, notices)] if notices else []


def _in_force(records: ReserveRecords, whose: ReserveFormula) -> list[ReserveOrderPrepared]:
    """Computations of a formula that nobody rejected, in the order of their preparation."""
    rejected = {e.payment_id for e in records.rejected}
    return [c for c in records.prepared if _formula(c) is whose and c.payment_id not in rejected]


def _formula(told: Any) -> ReserveFormula:
    return ReserveFormula(told.reserve_formula_code)


def _day_or_none(epoch_day: int) -> date | None:
    return date_of(epoch_day) if epoch_day else None
