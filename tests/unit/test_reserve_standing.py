"""Where a firm stands with its reserve, folded from records. One line a case; times are New York's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.clock import FakeClock
from engine.reserve.calendar import month_end, months_after
from engine.reserve.deadline import NEW_YORK, focus_due, instant_ns
from engine.reserve.frequency import State
from engine.reserve.terms import Formula
from engine.segregation.standing import ReserveRecords, reserve_standing
from orchestration.products.reserve.notices import file_notices, notice_folder, unfiled
from orchestration.products.reserve.orders import reserve_records
from orchestration.products.reserve.standing_text import standing_lines
from orchestration.products.signed_folder import verify_folder
from schemas.codes import CapitalMethod, ControlStep, ReserveFormula
from schemas.days import epoch_day_of
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
from tests.support.lake_home import make_home

CUSTOMER, PAB = ReserveFormula
AS_OF = date(2026, 10, 2)  # a Friday; its deposit is due on Tuesday 6 October, 10:00
BILLION = 100_000_000_000  # in cents


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=NEW_YORK)


def _day(day: date) -> int:
    return epoch_day_of(day)


def _head(sequence: int, at: datetime | None = None) -> dict[str, int]:
    at_ns = instant_ns(at or _at(2, 18))
    return {"sequence": sequence, "cause_sequence": sequence, "occurred_at_ns": at_ns}


def _prepared(number: int, units: int, required: int, **changed: Any) -> ReserveOrderPrepared:
    told = {
        **_head(number, changed.pop("at", None)),
        "payment_id": number,
        "asset_id": 1,
        "amount_units": units,
        "as_of_epoch_day": _day(AS_OF),
        "required_minor": required,
        "eligible_minor": 0,
        "operator_id": 1,
    }
    return ReserveOrderPrepared(**(told | changed))


def _deposited(number: int, minor: int, at: datetime, **changed: Any) -> ReserveDepositOrdered:
    told = {
        **_head(100 + number, at),
        "payment_id": number,
        "asset_id": 1,
        "deposit_minor": max(minor, 0),
        "withdrawal_minor": max(-minor, 0),
        "as_of_epoch_day": _day(AS_OF),
        "preparer_operator_id": 1,
        "approver_operator_id": 2,
    }
    return ReserveDepositOrdered(**(told | changed))


def _election(sequence: int = 1, **changed: int) -> ReserveElectionRecorded:
    days = ("voluntary_notice", "voluntary_begin", "voluntary_end", "exit_notice", "required_begin")
    flags = ("is_monthly_customer", "is_monthly_pab")
    told = {f"{name}_epoch_day": 0 for name in days} | dict.fromkeys(flags, 0)
    told |= {"has_customer_accounts": 1, "has_own_trading": 1, "operator_id": 1}
    told |= {"capital_method_code": CapitalMethod.ALTERNATIVE} | _head(sequence)
    return ReserveElectionRecorded(**(told | changed))


def _capital(**changed: int) -> FirmCapitalRecorded:
    told = {
        "tentative_net_capital_minor": 60_000_000,
        "net_capital_minor": 50_000_000,
        "aggregate_indebtedness_minor": 100,
        "aggregate_debit_items_minor": 100_000_000,
        "customer_funds_minor": 100,
        "as_of_epoch_day": _day(AS_OF),
        "operator_id": 1,
    }
    return FirmCapitalRecorded(**(_head(5) | told | changed))


def _reports(customer_minor: int, until: date = date(2026, 8, 31)) -> list[FocusTotalsRecorded]:
    months = [months_after(until, n - 11) for n in range(12)]
    return [
        FocusTotalsRecorded(
            **_head(10 + n),
            month_epoch_day=_day(month_end(month)),
            filed_epoch_day=_day(focus_due(month_end(month))),
            customer_credits_minor=customer_minor,
            pab_credits_minor=0,
            operator_id=1,
            is_amended=0,
        )
        for n, month in enumerate(months)
    ]


ACCOUNTS = [
    ReserveAccountOpened(
        **_head(1),
        bank_id=1,
        reserve_formula_code=whose,
        is_affiliate=0,
        letter_document_id=1,
        operator_id=1,
    )
    for whose in ReserveFormula
]
EQUITY = [
    BankEquityRecorded(**_head(1), bank_id=1, equity_minor=10_000, as_of_epoch_day=1, operator_id=1)
]  # 1,500 cents of cash count there
KNOWN = ReserveRecords(accounts=ACCOUNTS, equities=EQUITY, elections=[_election()])


# Frequency. Released in 2025: an average of $500 million or more asks for daily computation.
#  (records, looked at, customers' state, as of which day next, deadline and its day)
FREQUENCIES = [
    (KNOWN, _at(2, 18), State.WEEKLY, date(2026, 10, 2), (_at(6, 10), date(2026, 10, 2))),
    (KNOWN, _at(6, 10), State.WEEKLY, date(2026, 10, 9), (_at(6, 10), date(2026, 10, 2))),
    (KNOWN, _at(6, 10, 1), State.WEEKLY, date(2026, 10, 9), (_at(14, 10), date(2026, 10, 9))),
    (
        KNOWN._replace(elections=[_election(voluntary_notice_epoch_day=_day(date(2026, 9, 2)))]),
        _at(2, 18),
        State.DAILY_VOLUNTARY,
        date(2026, 10, 2),
        (_at(5, 10), date(2026, 10, 1)),
    ),
    (
        KNOWN._replace(elections=[_election(voluntary_notice_epoch_day=_day(date(2026, 9, 3)))]),
        _at(2, 18),
        State.WEEKLY,  # 30 days are not over
        date(2026, 10, 2),
        (_at(6, 10), date(2026, 10, 2)),
    ),
    (
        KNOWN._replace(focus=_reports(BILLION, date(2026, 3, 31))),  # six months ago
        _at(2, 18),
        State.DAILY_REQUIRED,
        date(2026, 10, 2),
        (_at(5, 10), date(2026, 10, 1)),
    ),
    (
        KNOWN._replace(
            elections=[_election(capital_method_code=CapitalMethod.BASIC, is_monthly_customer=1)],
            capitals=[_capital()],
        ),
        _at(2, 18),
        State.MONTHLY_CUSTOMER,
        date(2026, 10, 30),
        (_at(2, 10).replace(month=11, day=3), date(2026, 10, 30)),
    ),
]


@pytest.mark.parametrize(("records", "now", "state", "next_as_of", "deadline"), FREQUENCIES)
def test_frequency_and_deadline_follow_from_the_records(
    records: ReserveRecords,
    now: datetime,
    state: State,
    next_as_of: date,
    deadline: tuple[datetime, date],
) -> None:
    stands = reserve_standing(records, now)
    (customers,) = [f for f in stands.formulas if f.formula is Formula.CUSTOMER]
    assert customers.frequency.state is state
    assert customers.next_as_of == next_as_of
    assert (customers.deadline, customers.deadline_as_of) == deadline
    assert stands.gaps == []


def test_without_an_election_the_frequency_is_not_known() -> None:
    stands = reserve_standing(KNOWN._replace(elections=[]), _at(2, 18))
    assert stands.formulas == []
    assert [gap.split(":")[0] for gap in stands.gaps] == ["frequency, customer", "frequency, pab"]


def test_a_later_election_takes_the_place_of_the_first() -> None:
    leaving = _election(2, voluntary_notice_epoch_day=_day(date(2026, 6, 1)))
    stands = reserve_standing(KNOWN._replace(elections=[_election(), leaving]), _at(2, 18))
    assert stands.formulas[0].frequency.state is State.DAILY_VOLUNTARY


# A computation of 900 as of Friday. Deposits of so much when; looked at one minute after the deadline.
#  (deposits, missing)
IN_TIME, LATE = _at(6, 10), _at(6, 10, 1)
DEPOSITS = [
    ([], 900),
    ([_deposited(9, 900, IN_TIME)], 0),
    ([_deposited(9, 900, LATE)], 900),  # heals the account, not the failure
    ([_deposited(9, 500, IN_TIME), _deposited(10, 399, IN_TIME)], 1),
    ([_deposited(9, 900, _at(1, 9)), _deposited(10, -100, _at(5, 9))], 100),  # taken out again
    ([_deposited(9, 900, IN_TIME, reserve_formula_code=PAB)], 900),  # another formula's
    ([_deposited(9, 2_000, IN_TIME)], 0),
]


@pytest.mark.parametrize(("deposits", "missing"), DEPOSITS)
def test_a_deposit_that_is_missing_at_the_deadline_makes_notices_due(
    deposits: list[ReserveDepositOrdered], missing: int
) -> None:
    records = KNOWN._replace(prepared=[_prepared(9, 900, 900)], deposits=deposits)
    assert reserve_standing(records, IN_TIME).notices == []
    found = reserve_standing(records, LATE).notices
    assert [n.name for n in found] == (["missed-customer-2026-10-02"] if missing else [])
    for due in found:
        assert due.notices[0].told.startswith(f"{missing} of 900 cents")
        assert {n.due_at for n in due.notices} == {IN_TIME}


def test_cash_beyond_15_percent_of_the_banks_equity_covers_nothing() -> None:
    records = KNOWN._replace(prepared=[_prepared(9, 2_000, 2_000)], deposits=[_deposited(9, 2_000, IN_TIME)])
    (due,) = reserve_standing(records, LATE).notices
    assert due.notices[0].told.startswith("500 of 2000 cents")
    unknown = reserve_standing(records._replace(equities=[]), LATE)
    assert unknown.notices == []
    assert unknown.gaps[0].startswith("deposit, customer, 2026-10-02: ")


def test_securities_cover_at_their_value() -> None:
    moved = ReserveSecuritiesMoved(
        **_head(7, IN_TIME),
        payment_id=8,
        asset_id=11,
        moved_units=3,
        market_value_minor=300,
        as_of_epoch_day=_day(AS_OF),
        preparer_operator_id=1,
        approver_operator_id=2,
        bank_id=1,
        reserve_formula_code=CUSTOMER,
    )
    records = KNOWN._replace(
        prepared=[_prepared(9, 600, 900)], deposits=[_deposited(9, 600, IN_TIME)], securities=[moved]
    )
    assert reserve_standing(records, LATE).notices == []


def test_a_rejected_computation_that_nobody_made_again_is_still_missed() -> None:
    rejected = [ReserveOrderRejected(**_head(20), payment_id=9, operator_id=2)]
    records = KNOWN._replace(prepared=[_prepared(9, 900, 900)], rejected=rejected)
    assert len(reserve_standing(records, LATE).notices) == 1
    again = records._replace(prepared=[*records.prepared, _prepared(10, 0, 0)])
    assert reserve_standing(again, LATE).notices == []


def test_a_restated_day_is_missed_in_hindsight_only() -> None:
    """What was first asked for was there; the notice runs from now, not from the deadline."""
    records = KNOWN._replace(
        prepared=[_prepared(9, 500, 500), _prepared(10, 400, 900)], deposits=[_deposited(9, 500, IN_TIME)]
    )
    (due,) = reserve_standing(records, _at(8, 12)).notices
    assert {n.due_at for n in due.notices} == {_at(8, 12)}


#  (figures, notices); the alternative minimum is the greater of $250,000 and 2 % of debit items
CAPITALS = [
    ({}, 0),
    ({"net_capital_minor": 29_999_999}, 1),  # below 120 % of 250,000 dollars
    ({"net_capital_minor": 24_999_999}, 2),  # and below the minimum
    ({"aggregate_debit_items_minor": 1_000_000_001}, 1),  # below 5 % of debit items
]


@pytest.mark.parametrize(("changed", "count"), CAPITALS)
def test_net_capital_warnings_are_notices(changed: dict[str, int], count: int) -> None:
    stands = reserve_standing(KNOWN._replace(capitals=[_capital(**changed)]), _at(2, 18))
    assert sum(len(due.notices) for due in stands.notices) == count


def test_orders_and_instructions_wait_until_they_are_done_or_overdue() -> None:
    told = ControlInstructionRecorded(
        **_head(30),
        item_id=30,
        asset_id=5,
        control_step_code=ControlStep.RECALL_LOAN,
        instructed_units=50,
        instructed_epoch_day=_day(AS_OF),
        due_epoch_day=_day(date(2026, 10, 9)),
        operator_id=1,
    )
    records = KNOWN._replace(
        prepared=[_prepared(9, 900, 900), _prepared(10, 0, 900), _prepared(11, 7, 900)],
        rejected=[ReserveOrderRejected(**_head(20), payment_id=11, operator_id=2)],
        instructions=[told],
    )
    early, late = reserve_standing(records, _at(2, 18)), reserve_standing(records, _at(10, 0))
    assert [(w.order.payment_id, w.is_overdue) for w in early.waiting] == [(9, False)]
    assert [(w.order.payment_id, w.is_overdue) for w in late.waiting] == [(9, True)]
    assert [(i.step, i.is_overdue) for i in early.instructions] == [(ControlStep.RECALL_LOAN, False)]
    assert [i.is_overdue for i in reserve_standing(records, _at(9, 23)).instructions] == [False]
    assert [i.is_overdue for i in late.instructions] == [True]
    back = ControlInstructionCompleted(**_head(40), item_id=30, completed_epoch_day=1, operator_id=1)
    done = records._replace(completed=[back], deposits=[_deposited(9, 900, IN_TIME)])
    assert reserve_standing(done, _at(10, 0)).waiting == []
    assert reserve_standing(done, _at(10, 0)).instructions == []
    lines = "\n".join(standing_lines(late, {"missed-customer-2026-10-02"}, 1))
    assert "order 9: deposit of 9.00, customer, bank 1, as of 2026-10-02" in lines
    assert "OVERDUE, due 2026-10-06 10:00 New York" in lines
    assert "RECALL_LOAN, 50 of asset 5, by operator 1; OVERDUE, due 2026-10-09" in lines
    assert "reserve deposit not made: 900 of 900 cents" in lines and "not filed yet" in lines


def test_notices_are_filed_once_signed_and_not_due_any_more(tmp_path: Path) -> None:
    numbered = [ACCOUNTS[0], replace(EQUITY[0], sequence=2), _prepared(9, 900, 900, sequence=3)]
    home = make_home(tmp_path, numbered)
    before, after = FakeClock(instant_ns(IN_TIME)), FakeClock(instant_ns(LATE))
    assert file_notices(home, before)[0] == []
    assert file_notices(home, after)[0] == [notice_folder(home, "missed-customer-2026-10-02")]
    (folder,) = [notice_folder(home, "missed-customer-2026-10-02")]
    assert verify_folder(folder, 1)[1] == []
    told = json.loads((folder / "notices.json").read_text())
    assert [n["notice"] for n in told["notices"]] == [
        "reserve deposit not made",
        "written confirmation of the notice",
    ]
    assert file_notices(home, after)[0] == []
    assert unfiled(home, reserve_standing(reserve_records(home), LATE).notices) == []
