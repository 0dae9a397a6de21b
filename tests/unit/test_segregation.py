"""The reserve by two people: who may prepare, approve, reject and record what. One line a case."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import pytest

from engine.gateway.protocol import Receipt
from orchestration.products.reserve.orders import OrderRefused, approve, reject
from schemas import codes
from schemas.codes import CapitalMethod, ControlStep, RejectReason, ReserveFormula
from schemas.codes import LedgerAccountKind as Kind
from schemas.identity import OpenAccount
from schemas.ledger import ContributeCapital, Posting
from schemas.market import StartBusinessDay
from schemas.payments import ConfirmWithdrawal, CreditDeposit, RequestWithdrawal, TransferSecuritiesIn
from schemas.reserve import (
    ApproveReserveOrder,
    CompleteControlInstruction,
    ControlInstructionRecorded,
    FirmCapitalRecorded,
    OpenReserveAccount,
    PrepareReserveOrder,
    RecordBankEquity,
    RecordControlInstruction,
    RecordFirmCapital,
    RecordFocusTotals,
    RecordQualifiedSecurity,
    RecordReserveElection,
    RejectReserveOrder,
    ReserveDepositOrdered,
    ReserveSecuritiesMoved,
)
from tests.support.slow_lane import CASH, COIN, EUR, MONDAY, SHARE, UNOPENED, USD, Firm, empty_firm, open_firm

CUSTOMER, PAB = ReserveFormula
MAKER, CHECKER = 1, 2
HOUSE = UNOPENED  # an account of the firm's own
EPOCH = date(1970, 1, 1).toordinal()
OK = RejectReason.NONE


def _account(
    bank_id: int = 1, formula: int = CUSTOMER, letter: int = 7, is_affiliate: int = 0
) -> dict[str, int]:
    return {
        "bank_id": bank_id,
        "reserve_formula_code": formula,
        "is_affiliate": is_affiliate,
        "letter_document_id": letter,
        "operator_id": MAKER,
    }


def _order(number: int, units: int, required: int = 0, **changed: int) -> dict[str, int]:
    told = {
        "payment_id": number,
        "asset_id": USD,
        "amount_units": units,
        "as_of_epoch_day": MONDAY,
        "required_minor": required,
        "eligible_minor": 0,
        "operator_id": MAKER,
    }
    return told | changed


def _equity(firm: Firm, minor: int, bank_id: int = 1) -> RejectReason:
    return firm.do(
        RecordBankEquity, bank_id=bank_id, equity_minor=minor, as_of_epoch_day=MONDAY, operator_id=MAKER
    )


def _approve(firm: Firm, number: int, operator: int = CHECKER) -> RejectReason:
    return firm.do(ApproveReserveOrder, payment_id=number, operator_id=operator)


def _deposited(firm: Firm, number: int, units: int, required: int = 0, **changed: int) -> None:
    firm.must(PrepareReserveOrder, **_order(number, units, required, **changed))
    firm.must(ApproveReserveOrder, payment_id=number, operator_id=CHECKER)


@pytest.fixture
def firm() -> Firm:
    """The bank holds 1,000 USD cents that came as payment 1. Reserve accounts: customers' at banks 1 and 3,
    that of brokers and dealers at bank 1. 15 % of bank 1's equity is 100,000 cents; bank 3's is unknown."""
    made = open_firm()
    made.must(OpenReserveAccount, **_account())
    made.must(OpenReserveAccount, **_account(1, PAB))
    made.must(OpenReserveAccount, **_account(3))
    made.must(CreditDeposit, payment_id=1, account_id=CASH, asset_id=USD, amount_units=1_000)
    assert _equity(made, 666_667) is OK
    return made


# 17 CFR 240.15c3-3(e)(1), (f). Accounts for customers are open at banks 1 and 3, for brokers at bank 1.
#  (bank, formula, letter, affiliate, expected)
ACCOUNTS = [
    (0, 9, 0, 5, RejectReason.CAPACITY_REACHED),
    (64, 9, 0, 5, RejectReason.CAPACITY_REACHED),
    (1, 9, 0, 0, RejectReason.UNKNOWN_CODE),
    (1, CUSTOMER, 0, 5, RejectReason.UNKNOWN_CODE),
    (1, CUSTOMER, 0, 0, RejectReason.ALREADY_EXISTS),
    (2, CUSTOMER, 0, 0, RejectReason.BAD_DECLARATION),  # (f): no letter of the bank
    (2, CUSTOMER, 8, 1, OK),
    (2, PAB, 8, 0, OK),
]


@pytest.mark.parametrize(("bank_id", "formula", "letter", "is_affiliate", "expected"), ACCOUNTS)
def test_reserve_accounts_look_in_order(
    firm: Firm, bank_id: int, formula: int, letter: int, is_affiliate: int, expected: RejectReason
) -> None:
    assert firm.do(OpenReserveAccount, **_account(bank_id, formula, letter, is_affiliate)) is expected


#  (what differs from a sound order of 500, expected)
PREPARED = [
    ({"payment_id": 1, "asset_id": 99}, RejectReason.ALREADY_EXISTS),  # a deposit's number
    ({"asset_id": 99, "bank_id": 9}, RejectReason.UNKNOWN_REFERENCE),
    ({"asset_id": EUR}, RejectReason.UNKNOWN_REFERENCE),  # a reserve is kept in dollars
    ({"asset_id": SHARE}, RejectReason.UNKNOWN_REFERENCE),  # no security of the United States
    ({"bank_id": 2, "as_of_epoch_day": 0}, RejectReason.NOT_CONFIGURED),  # no account, no letter
    ({"bank_id": 3, "reserve_formula_code": PAB}, RejectReason.NOT_CONFIGURED),  # open for customers only
    ({"reserve_formula_code": 9}, RejectReason.NOT_CONFIGURED),
    ({"as_of_epoch_day": 0, "required_minor": -1}, RejectReason.BAD_DECLARATION),
    ({"as_of_epoch_day": MONDAY + 1}, RejectReason.BAD_DECLARATION),  # a day to come
    ({"required_minor": -1}, RejectReason.BAD_AMOUNT),
    ({"eligible_minor": -1}, RejectReason.BAD_AMOUNT),
    ({"amount_units": -(1 << 63)}, RejectReason.BAD_AMOUNT),
    ({"amount_units": 0}, OK),  # a computation that moves nothing
    ({"amount_units": 1_001}, OK),  # money may come before the approval
    ({}, OK),
]


@pytest.mark.parametrize(("changed", "expected"), PREPARED)
def test_preparing_looks_in_order_and_moves_nothing(
    firm: Firm, changed: dict[str, int], expected: RejectReason
) -> None:
    assert firm.do(PrepareReserveOrder, **(_order(9, 500) | changed)) is expected
    assert firm.of(Posting) == []


#  (order of 500 prepared by 1 as number 9; then number, operator, expected)
APPROVED = [
    (8, CHECKER, RejectReason.UNKNOWN_REFERENCE),
    (1, CHECKER, RejectReason.UNKNOWN_REFERENCE),  # a client's payment is no order
    (9, MAKER, RejectReason.SAME_PERSON),
    (9, CHECKER, OK),
]


@pytest.mark.parametrize(("number", "operator", "expected"), APPROVED)
def test_approving_looks_in_order_and_moves_the_money(
    firm: Firm, number: int, operator: int, expected: RejectReason
) -> None:
    firm.must(PrepareReserveOrder, **_order(9, 500))
    assert _approve(firm, number, operator) is expected
    assert firm.balance(Kind.RESERVE_BANK, 1, USD) == (500 if expected is OK else 0)
    assert firm.balance(Kind.NOSTRO, 0, USD) == (500 if expected is OK else 1_000)


def test_an_order_is_decided_once(firm: Firm) -> None:
    decided = {"approved": 9, "rejected": 10, "moves nothing": 11}
    for number in (9, 10):
        firm.must(PrepareReserveOrder, **_order(number, 100))
    firm.must(PrepareReserveOrder, **_order(11, 0))
    firm.must(ApproveReserveOrder, payment_id=9, operator_id=CHECKER)
    firm.must(RejectReserveOrder, payment_id=10, operator_id=MAKER)
    for number in decided.values():
        assert _approve(firm, number) is RejectReason.WRONG_STATE
        assert firm.do(RejectReserveOrder, payment_id=number, operator_id=3) is RejectReason.WRONG_STATE
        assert firm.do(PrepareReserveOrder, **_order(number, 100)) is RejectReason.ALREADY_EXISTS
    assert firm.do(RejectReserveOrder, payment_id=12, operator_id=3) is RejectReason.UNKNOWN_REFERENCE
    assert firm.balance(Kind.RESERVE_BANK, 1, USD) == 100


def test_an_approved_order_names_both_people(firm: Firm) -> None:
    _deposited(firm, 9, 300)
    (ordered,) = firm.of(ReserveDepositOrdered)
    assert (ordered.preparer_operator_id, ordered.approver_operator_id) == (MAKER, CHECKER)
    assert (ordered.deposit_minor, ordered.withdrawal_minor, ordered.as_of_epoch_day) == (300, 0, MONDAY)


def test_money_that_is_not_there_is_refused_at_approval_and_may_come_later(firm: Firm) -> None:
    firm.must(PrepareReserveOrder, **_order(9, 1_001))
    assert _approve(firm, 9) is RejectReason.INSUFFICIENT_CASH
    firm.must(ContributeCapital, asset_id=USD, amount_units=1, operator_id=MAKER)
    assert _approve(firm, 9) is OK


# Customers' account at bank 1 holds 600 that a computation of 400 asked for. (g): what remains is enough.
#  (withdrawn, required by the order's own computation, expected)
WITHDRAWN = [
    (-601, 0, RejectReason.INSUFFICIENT_CASH),
    (-200, 400, OK),
    (-201, 400, RejectReason.BELOW_REQUIREMENT),
    (-500, 100, OK),  # a later computation asks for less
    (-501, 100, RejectReason.BELOW_REQUIREMENT),
    (-600, 0, OK),
    (-1, 600, RejectReason.BELOW_REQUIREMENT),
]


@pytest.mark.parametrize(("units", "required", "expected"), WITHDRAWN)
def test_a_withdrawal_leaves_what_is_required(
    firm: Firm, units: int, required: int, expected: RejectReason
) -> None:
    _deposited(firm, 9, 600, 400)
    firm.must(PrepareReserveOrder, **_order(10, units, required))
    assert _approve(firm, 10) is expected
    assert firm.balance(Kind.RESERVE_BANK, 1, USD) == (600 + units if expected is OK else 600)


def test_the_latest_computation_counts_whoever_prepared_it(firm: Firm) -> None:
    _deposited(firm, 9, 600, 400)
    firm.must(PrepareReserveOrder, **_order(10, -200, 400))
    firm.must(PrepareReserveOrder, **_order(11, 0, 500))  # asks for more, and moves nothing
    assert _approve(firm, 10) is RejectReason.BELOW_REQUIREMENT
    firm.must(PrepareReserveOrder, **_order(12, 0, 300, as_of_epoch_day=MONDAY - 1))  # of a day before
    assert _approve(firm, 10) is RejectReason.BELOW_REQUIREMENT
    firm.must(PrepareReserveOrder, **_order(13, 0, 300))  # restates the day
    assert _approve(firm, 10) is OK


def test_a_rejected_computation_frees_nothing(firm: Firm) -> None:
    _deposited(firm, 9, 600, 400)
    firm.must(PrepareReserveOrder, **_order(10, -600, 0))
    firm.must(RejectReserveOrder, payment_id=10, operator_id=CHECKER)
    firm.must(PrepareReserveOrder, **_order(11, -300, 0, as_of_epoch_day=MONDAY - 1))
    assert _approve(firm, 11) is RejectReason.BELOW_REQUIREMENT  # 400 of the day before it was rejected


def test_money_of_brokers_never_pays_for_customers(firm: Firm) -> None:
    """(e)(4): neither account is a source of the other, nor counts for it."""
    pab = {"reserve_formula_code": PAB}
    _deposited(firm, 9, 300, 300, **pab)
    _deposited(firm, 10, 200, 200)
    assert firm.balance(Kind.PAB_RESERVE_BANK, 1, USD) == 300
    assert firm.balance(Kind.RESERVE_BANK, 1, USD) == 200
    firm.must(PrepareReserveOrder, **_order(11, -201, 0))
    assert _approve(firm, 11) is RejectReason.INSUFFICIENT_CASH
    firm.must(PrepareReserveOrder, **_order(12, -1, 200))
    assert _approve(firm, 12) is RejectReason.BELOW_REQUIREMENT


# Bank 1 holds 600 of customers. 15 % of its equity counts; an affiliate's cash does not. (e)(5)
#  (equity, required, withdrawn, expected)
COUNTED = [
    (4_000, 599, -1, OK),
    (3_999, 599, 0, OK),
    (3_333, 499, -100, OK),  # 499 count of 500
    (3_333, 500, -100, RejectReason.BELOW_REQUIREMENT),
    (0, 0, -600, OK),
    (0, 1, -1, RejectReason.BELOW_REQUIREMENT),
]


@pytest.mark.parametrize(("equity", "required", "units", "expected"), COUNTED)
def test_what_remains_counts_up_to_the_banks_equity(
    firm: Firm, equity: int, required: int, units: int, expected: RejectReason
) -> None:
    _deposited(firm, 9, 600)
    assert _equity(firm, equity) is OK
    firm.must(PrepareReserveOrder, **_order(10, units, required))
    assert _approve(firm, 10) is (expected if units else RejectReason.WRONG_STATE)


def test_without_the_banks_equity_nothing_is_taken(firm: Firm) -> None:
    _deposited(firm, 9, 500, bank_id=3)
    firm.must(PrepareReserveOrder, **_order(10, -100, 0, bank_id=3))
    assert _approve(firm, 10) is RejectReason.NOT_CONFIGURED
    assert _equity(firm, 10_000, 3) is OK
    assert _approve(firm, 10) is OK


def test_an_affiliates_cash_does_not_count(firm: Firm) -> None:
    firm.must(OpenReserveAccount, **_account(2, CUSTOMER, 8, 1))
    _deposited(firm, 9, 500, bank_id=2)
    firm.must(PrepareReserveOrder, **_order(10, -100, 1, bank_id=2))
    assert _approve(firm, 10) is RejectReason.BELOW_REQUIREMENT


def test_a_withdrawal_helps_an_overdrawn_bank_account(firm: Firm) -> None:
    _deposited(firm, 9, 1_000)
    firm.must(RequestWithdrawal, payment_id=10, account_id=CASH, asset_id=USD, amount_units=900)
    firm.must(ConfirmWithdrawal, payment_id=10)
    assert firm.balance(Kind.NOSTRO, 0, USD) == -900
    firm.must(PrepareReserveOrder, **_order(11, -500))
    assert _approve(firm, 11) is OK


def _house(firm: Firm, units: int) -> None:
    """The firm owns shares in an account of its own; CASH owns 40. The mark is 100 cents."""
    firm.must(
        OpenAccount,
        account_id=HOUSE,
        client_id=900,
        account_class_code=codes.AccountClass.FIRM,
        max_notional_minor=0,
        rate_count=0,
        identity_document_id=0,
    )
    for number, account_id, owned in ((20, HOUSE, units), (21, CASH, 40)):
        firm.must(
            TransferSecuritiesIn, payment_id=number, account_id=account_id, asset_id=SHARE, amount_units=owned
        )
    firm.must(RecordQualifiedSecurity, asset_id=SHARE, document_id=5, operator_id=MAKER)


def test_qualified_securities_go_in_and_out_by_two_people_at_market_value(firm: Firm) -> None:
    _house(firm, 10)
    _deposited(firm, 9, 6, 1_000, asset_id=SHARE)
    (moved,) = firm.of(ReserveSecuritiesMoved)
    assert (moved.moved_units, moved.market_value_minor) == (6, 600)
    assert firm.balance(Kind.RESERVE_BANK, 1, SHARE) == 6
    assert firm.balance(Kind.CUSTODY, 0, SHARE) == 44
    _deposited(firm, 10, 400, 1_000)  # 600 in securities and 400 in cash: just enough
    firm.must(PrepareReserveOrder, **_order(11, -1, 1_000, asset_id=SHARE))
    assert _approve(firm, 11) is RejectReason.BELOW_REQUIREMENT
    firm.must(PrepareReserveOrder, **_order(12, -2, 800, asset_id=SHARE))
    assert _approve(firm, 12) is OK
    assert firm.balance(Kind.RESERVE_BANK, 1, SHARE) == 4
    firm.must(PrepareReserveOrder, **_order(13, -5, 0, asset_id=SHARE))
    assert _approve(firm, 13) is RejectReason.INSUFFICIENT_SECURITIES


def test_customers_securities_are_no_deposit_of_the_firm(firm: Firm) -> None:
    _house(firm, 10)
    firm.must(PrepareReserveOrder, **_order(9, 11, asset_id=SHARE))
    assert _approve(firm, 9) is RejectReason.INSUFFICIENT_SECURITIES
    _deposited(firm, 10, 10, asset_id=SHARE)
    firm.must(PrepareReserveOrder, **_order(11, 1, asset_id=SHARE))
    assert _approve(firm, 11) is RejectReason.INSUFFICIENT_SECURITIES  # all ten lie there already


def _capital(**changed: int) -> dict[str, int]:
    told = dict.fromkeys(
        ("aggregate_indebtedness_minor", "aggregate_debit_items_minor", "customer_funds_minor"), 1
    )
    told |= {"tentative_net_capital_minor": -1, "net_capital_minor": -2}
    return told | {"as_of_epoch_day": MONDAY, "operator_id": MAKER} | changed


def _focus(month: date, filed: date, is_amended: int = 0, minor: int = 5) -> dict[str, int]:
    return {
        "month_epoch_day": month.toordinal() - EPOCH,
        "filed_epoch_day": filed.toordinal() - EPOCH,
        "customer_credits_minor": minor,
        "pab_credits_minor": 0,
        "is_amended": is_amended,
        "operator_id": MAKER,
    }


def _election(**changed: int) -> dict[str, int]:
    days = ("voluntary_notice", "voluntary_begin", "voluntary_end", "exit_notice", "required_begin")
    flags = ("is_monthly_customer", "is_monthly_pab", "has_customer_accounts", "has_own_trading")
    told = {f"{name}_epoch_day": 0 for name in days} | dict.fromkeys(flags, 0)
    return told | {"capital_method_code": CapitalMethod.BASIC, "operator_id": MAKER} | changed


def _bank(**changed: int) -> dict[str, int]:
    told = {"bank_id": 1, "equity_minor": 1, "as_of_epoch_day": MONDAY, "operator_id": MAKER}
    return told | changed


AUGUST, JULY = date(2024, 8, 31), date(2024, 7, 31)  # MONDAY is 4 October 2024; July is on record
#  (command, fields, expected)
FACTS = [
    (RecordBankEquity, _bank(bank_id=0), RejectReason.CAPACITY_REACHED),
    (RecordBankEquity, _bank(bank_id=64), RejectReason.CAPACITY_REACHED),
    (RecordBankEquity, _bank(equity_minor=-1), RejectReason.BAD_AMOUNT),
    (RecordBankEquity, _bank(as_of_epoch_day=0), RejectReason.BAD_DECLARATION),
    (RecordBankEquity, _bank(as_of_epoch_day=MONDAY + 1), RejectReason.BAD_DECLARATION),
    (RecordBankEquity, _bank(equity_minor=0), OK),
    (RecordFirmCapital, _capital(), OK),  # net capital may be negative, and is told
    (RecordFirmCapital, _capital(aggregate_indebtedness_minor=-1), RejectReason.BAD_AMOUNT),
    (RecordFirmCapital, _capital(aggregate_debit_items_minor=-1), RejectReason.BAD_AMOUNT),
    (RecordFirmCapital, _capital(customer_funds_minor=-1), RejectReason.BAD_AMOUNT),
    (RecordFirmCapital, _capital(as_of_epoch_day=MONDAY + 1), RejectReason.BAD_DECLARATION),
    (RecordFocusTotals, _focus(AUGUST, date(2024, 9, 25)), OK),
    (RecordFocusTotals, _focus(AUGUST, date(2024, 9, 25), 2), RejectReason.UNKNOWN_CODE),
    (RecordFocusTotals, _focus(AUGUST, date(2024, 9, 25), 0, -1), RejectReason.BAD_AMOUNT),
    (RecordFocusTotals, _focus(date(2024, 8, 30), date(2024, 9, 25)), RejectReason.BAD_DECLARATION),
    (RecordFocusTotals, _focus(AUGUST, AUGUST), RejectReason.BAD_DECLARATION),  # filed before its end
    (RecordFocusTotals, _focus(AUGUST, date(2024, 10, 5)), RejectReason.BAD_DECLARATION),  # not yet
    (RecordFocusTotals, _focus(AUGUST, date(2024, 9, 25), 1), RejectReason.UNKNOWN_REFERENCE),
    (RecordFocusTotals, _focus(JULY, date(2024, 8, 30)), RejectReason.ALREADY_EXISTS),
    (RecordFocusTotals, _focus(JULY, date(2024, 8, 23), 1), RejectReason.BAD_DECLARATION),  # not later
    (RecordFocusTotals, _focus(JULY, date(2024, 8, 30), 1), OK),
    (RecordReserveElection, _election(capital_method_code=3), RejectReason.UNKNOWN_CODE),
    (RecordReserveElection, _election(has_own_trading=2), RejectReason.UNKNOWN_CODE),
    (RecordReserveElection, _election(voluntary_notice_epoch_day=MONDAY + 1), RejectReason.BAD_DECLARATION),
    (RecordReserveElection, _election(voluntary_end_epoch_day=MONDAY), RejectReason.BAD_DECLARATION),
    (RecordReserveElection, _election(voluntary_notice_epoch_day=MONDAY, is_monthly_pab=1), OK),
]


@pytest.mark.parametrize(("command", "fields", "expected"), FACTS)
def test_facts_look_in_order(
    firm: Firm, command: type, fields: dict[str, int], expected: RejectReason
) -> None:
    firm.must(RecordFocusTotals, **_focus(JULY, date(2024, 8, 23)))
    assert firm.do(command, **fields) is expected


def test_a_capital_computation_is_told_as_it_was_recorded(firm: Firm) -> None:
    firm.must(RecordFirmCapital, **_capital(net_capital_minor=-70))
    (told,) = firm.of(FirmCapitalRecorded)
    assert (told.net_capital_minor, told.tentative_net_capital_minor, told.operator_id) == (-70, -1, MAKER)


def test_before_the_first_business_day_no_fact_has_a_date() -> None:
    firm = empty_firm()
    assert firm.do(RecordBankEquity, **_bank()) is RejectReason.NOT_CONFIGURED
    step = {"control_step_code": 1, "instructed_units": 1, "due_epoch_day": 0, "operator_id": MAKER}
    assert firm.do(RecordControlInstruction, asset_id=SHARE, **step) is RejectReason.NOT_CONFIGURED


#  (asset, document, expected); SHARE is on record
QUALIFIED = [
    (99, 5, RejectReason.UNKNOWN_REFERENCE),
    (COIN, 5, RejectReason.UNKNOWN_REFERENCE),
    (SHARE, 0, RejectReason.BAD_DECLARATION),
    (SHARE, 5, OK),
]


@pytest.mark.parametrize(("asset_id", "document", "expected"), QUALIFIED)
def test_a_qualified_security_needs_a_paper(
    firm: Firm, asset_id: int, document: int, expected: RejectReason
) -> None:
    asked = {"asset_id": asset_id, "document_id": document, "operator_id": MAKER}
    assert firm.do(RecordQualifiedSecurity, **asked) is expected
    if expected is OK:
        assert firm.do(RecordQualifiedSecurity, **asked) is RejectReason.ALREADY_EXISTS


# Instructed on Friday 4 October 2024. (d)(1): a lien is back two business days later, a loan five.
#  (asset, step, units, due day of October, expected, recorded due day of October)
INSTRUCTIONS = [
    (COIN, 9, 0, 0, RejectReason.UNKNOWN_REFERENCE, 0),
    (SHARE, 9, 0, 0, RejectReason.UNKNOWN_CODE, 0),
    (SHARE, ControlStep.RELEASE_LIEN, 0, 0, RejectReason.BAD_AMOUNT, 0),
    (SHARE, ControlStep.RELEASE_LIEN, 5, 0, OK, 8),
    (SHARE, ControlStep.RELEASE_LIEN, 5, 7, OK, 7),
    (SHARE, ControlStep.RELEASE_LIEN, 5, 9, RejectReason.BAD_DECLARATION, 0),
    (SHARE, ControlStep.RELEASE_LIEN, 5, 3, RejectReason.BAD_DECLARATION, 0),  # yesterday
    (SHARE, ControlStep.RECALL_LOAN, 5, 0, OK, 11),
    (SHARE, ControlStep.RECALL_LOAN, 5, 12, RejectReason.BAD_DECLARATION, 0),
    (SHARE, ControlStep.BUY_IN, 5, 0, RejectReason.BAD_DECLARATION, 0),  # the rule sets no day: name one
    (SHARE, ControlStep.BUY_IN, 5, 31, OK, 31),
]


@pytest.mark.parametrize(("asset_id", "step", "units", "due", "expected", "recorded"), INSTRUCTIONS)
def test_an_instruction_is_due_when_the_rule_says(
    firm: Firm, asset_id: int, step: int, units: int, due: int, expected: RejectReason, recorded: int
) -> None:
    first = date(2024, 10, 1).toordinal() - EPOCH - 1
    asked = {"asset_id": asset_id, "control_step_code": step, "instructed_units": units, "operator_id": 1}
    assert firm.do(RecordControlInstruction, due_epoch_day=due and first + due, **asked) is expected
    if expected is OK:
        (told,) = firm.of(ControlInstructionRecorded)
        assert (told.item_id, told.instructed_epoch_day) == (told.sequence, MONDAY)
        assert told.due_epoch_day == first + recorded
        done = {"item_id": told.item_id, "operator_id": CHECKER}
        assert firm.do(CompleteControlInstruction, **done) is OK
        assert firm.do(CompleteControlInstruction, **done) is RejectReason.UNKNOWN_REFERENCE


def test_the_state_survives_a_dump(firm: Firm) -> None:
    _house(firm, 10)
    _deposited(firm, 9, 400, 300)
    firm.must(PrepareReserveOrder, **_order(10, -50, 300))
    firm.must(PrepareReserveOrder, **_order(11, 50, 300))
    firm.must(RejectReserveOrder, payment_id=11, operator_id=MAKER)
    firm.must(RecordFocusTotals, **_focus(JULY, date(2024, 8, 23)))
    step = {"control_step_code": 1, "instructed_units": 1, "due_epoch_day": 0, "operator_id": MAKER}
    firm.must(RecordControlInstruction, asset_id=SHARE, **step)
    kept = firm.state.segregation
    assert all(getattr(kept, name) for name in kept.__dataclass_fields__)
    again = type(kept).load(json.loads(json.dumps(kept.dump())))
    assert again == kept
    assert again.canonical() == kept.canonical()


def test_a_withdrawal_is_judged_on_the_day_of_its_approval(firm: Firm) -> None:
    """An order of yesterday meets today's computation."""
    _deposited(firm, 9, 600, 400)
    firm.must(PrepareReserveOrder, **_order(10, -200, 400))
    firm.must(
        StartBusinessDay,
        business_epoch_day=MONDAY + 3,
        next_epoch_day=MONDAY + 4,
        second_epoch_day=MONDAY + 5,
    )
    firm.must(PrepareReserveOrder, **_order(11, 0, 401, as_of_epoch_day=MONDAY + 3))
    assert _approve(firm, 10) is RejectReason.BELOW_REQUIREMENT


class Desk:
    """A client of a firm's engine, as a person's command line is one."""

    def __init__(self, firm: Firm) -> None:
        self._firm = firm

    def submit(self, commands: Sequence[Any]) -> Receipt:
        events: list[Any] = []
        for c in commands:
            asked = asdict(c)
            del asked["sequence"], asked["received_at_ns"]  # the gateway gives them
            self._firm.do(type(c), **asked)
            events += self._firm.events
        return Receipt(1, 1, tuple(events))


def test_a_person_decides_through_a_client_and_is_told_why_not(firm: Firm) -> None:
    firm.must(PrepareReserveOrder, **_order(9, 500))
    firm.must(PrepareReserveOrder, **_order(10, 5_000))
    desk = Desk(firm)
    with pytest.raises(OrderRefused, match="order 9 was refused: SAME_PERSON"):
        approve(desk, 9, MAKER)
    with pytest.raises(OrderRefused, match="order 10 was refused: INSUFFICIENT_CASH"):
        approve(desk, 10, CHECKER)
    approve(desk, 9, CHECKER)
    assert firm.balance(Kind.RESERVE_BANK, 1, USD) == 500
    reject(desk, 10, CHECKER)
    with pytest.raises(OrderRefused, match="order 10 was refused: WRONG_STATE"):
        approve(desk, 10, CHECKER)
