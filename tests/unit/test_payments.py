"""Payments and the firm's own money: one line a case, and what each moves."""

from __future__ import annotations

import json

import pytest

from schemas.codes import LedgerAccountKind as Kind
from schemas.codes import RejectReason
from schemas.ledger import (
    BorrowFromBank,
    ContributeCapital,
    Posting,
)
from schemas.payments import (
    ConfirmDraft,
    ConfirmWithdrawal,
    CreditDeposit,
    IssueDraft,
    RequestWithdrawal,
    TransferSecuritiesIn,
)
from tests.support.slow_lane import (
    CASH,
    CFD,
    CLOSED,
    COIN,
    EUR,
    FX,
    MARGIN,
    RESTRICTED,
    SHARE,
    STREET,
    SUSPENDED,
    UNOPENED,
    USD,
    Firm,
    deposit,
    open_firm,
    trade,
)

USED = 1


@pytest.fixture
def firm() -> Firm:
    """CASH has 1,000 USD cents that came as payment 1, and 50 shares that came as payment 2."""
    made = open_firm()
    made.must(CreditDeposit, payment_id=USED, account_id=CASH, asset_id=USD, amount_units=1_000)
    made.must(TransferSecuritiesIn, payment_id=2, account_id=CASH, asset_id=SHARE, amount_units=50)
    return made


#  (command, payment_id, account_id, asset_id, amount_units, expected)
CASES = [
    # the number comes first: asked again, the answer is the same whatever else has changed
    (CreditDeposit, USED, UNOPENED, 99, 0, RejectReason.ALREADY_EXISTS),
    (CreditDeposit, 9, UNOPENED, 99, 0, RejectReason.UNKNOWN_ACCOUNT),
    (CreditDeposit, 9, STREET, 99, 0, RejectReason.UNKNOWN_ACCOUNT),
    (CreditDeposit, 9, CLOSED, 99, 0, RejectReason.ACCOUNT_CLOSED),
    (CreditDeposit, 9, SUSPENDED, 99, 0, RejectReason.UNKNOWN_REFERENCE),
    (CreditDeposit, 9, SUSPENDED, SHARE, 0, RejectReason.UNKNOWN_REFERENCE),
    (CreditDeposit, 9, SUSPENDED, USD, 0, RejectReason.BAD_AMOUNT),
    (CreditDeposit, 9, SUSPENDED, USD, -1, RejectReason.BAD_AMOUNT),
    (CreditDeposit, 9, SUSPENDED, USD, 1, RejectReason.NONE),
    (CreditDeposit, 9, CASH, COIN, 1, RejectReason.NONE),
    (TransferSecuritiesIn, USED, UNOPENED, 99, 0, RejectReason.ALREADY_EXISTS),
    (TransferSecuritiesIn, 9, UNOPENED, 99, 0, RejectReason.UNKNOWN_ACCOUNT),
    (TransferSecuritiesIn, 9, CLOSED, USD, 0, RejectReason.ACCOUNT_CLOSED),
    (TransferSecuritiesIn, 9, CASH, USD, 0, RejectReason.UNKNOWN_REFERENCE),
    (TransferSecuritiesIn, 9, CASH, SHARE, 0, RejectReason.BAD_AMOUNT),
    (TransferSecuritiesIn, 9, CASH, SHARE, 5, RejectReason.NONE),
    (RequestWithdrawal, 2, UNOPENED, 99, 0, RejectReason.ALREADY_EXISTS),
    (RequestWithdrawal, 9, UNOPENED, 99, 0, RejectReason.UNKNOWN_ACCOUNT),
    (RequestWithdrawal, 9, RESTRICTED, 99, 0, RejectReason.ACCOUNT_RESTRICTED),
    (RequestWithdrawal, 9, SUSPENDED, 99, 0, RejectReason.ACCOUNT_SUSPENDED),
    (RequestWithdrawal, 9, CLOSED, 99, 0, RejectReason.ACCOUNT_CLOSED),
    (RequestWithdrawal, 9, CASH, SHARE, 0, RejectReason.UNKNOWN_REFERENCE),
    (RequestWithdrawal, 9, CASH, USD, 0, RejectReason.BAD_AMOUNT),
    (RequestWithdrawal, 9, CASH, USD, -1, RejectReason.BAD_AMOUNT),
    (RequestWithdrawal, 9, CASH, USD, 1_001, RejectReason.INSUFFICIENT_CASH),
    (RequestWithdrawal, 9, CASH, EUR, 1, RejectReason.INSUFFICIENT_CASH),
    (RequestWithdrawal, 9, CASH, USD, 1_000, RejectReason.NONE),
]


@pytest.mark.parametrize(("cls", "payment_id", "account_id", "asset_id", "units", "expected"), CASES)
def test_client_payments_look_in_order(
    firm: Firm,
    cls: type,
    payment_id: int,
    account_id: int,
    asset_id: int,
    units: int,
    expected: RejectReason,
) -> None:
    before, amounts = firm.state.payments.canonical(), firm.state.balances.amounts.copy()
    reason = firm.do(cls, payment_id=payment_id, account_id=account_id, asset_id=asset_id, amount_units=units)
    assert reason is expected
    assert (len(firm.of(Posting)) == 1) is (expected is RejectReason.NONE)
    if expected is not RejectReason.NONE:
        assert firm.state.payments.canonical() == before
        assert (firm.state.balances.amounts == amounts).all()


def test_a_deposit_asked_twice_credits_once(firm: Firm) -> None:
    again = {"payment_id": 9, "account_id": CASH, "asset_id": USD, "amount_units": 70}
    assert firm.do(CreditDeposit, **again) is RejectReason.NONE
    assert firm.do(CreditDeposit, **again) is RejectReason.ALREADY_EXISTS
    assert firm.balance(Kind.CLIENT, CASH, USD) == -1_070
    assert firm.balance(Kind.NOSTRO, 0, USD) == 1_070


def test_a_token_lies_in_custody_and_a_currency_at_the_bank(firm: Firm) -> None:
    deposit(firm, CASH, COIN, 3)
    deposit(firm, CASH, EUR, 4)
    assert firm.balance(Kind.CUSTODY, 0, COIN) == 3
    assert firm.balance(Kind.NOSTRO, 0, EUR) == 4


def test_a_withdrawal_is_held_then_paid(firm: Firm) -> None:
    firm.must(RequestWithdrawal, payment_id=9, account_id=CASH, asset_id=USD, amount_units=400)
    assert firm.balance(Kind.CLIENT, CASH, USD) == -600
    assert firm.balance(Kind.WITHDRAWAL_PAYABLE, CASH, USD) == -400
    assert firm.balance(Kind.NOSTRO, 0, USD) == 1_000
    firm.must(ConfirmWithdrawal, payment_id=9)
    assert firm.balance(Kind.WITHDRAWAL_PAYABLE, CASH, USD) == 0
    assert firm.balance(Kind.NOSTRO, 0, USD) == 600
    assert firm.do(ConfirmWithdrawal, payment_id=9) is RejectReason.WRONG_STATE
    assert firm.do(ConfirmWithdrawal, payment_id=USED) is RejectReason.UNKNOWN_REFERENCE
    assert firm.do(ConfirmWithdrawal, payment_id=77) is RejectReason.UNKNOWN_REFERENCE


def test_margin_money_cannot_be_withdrawn(firm: Firm) -> None:
    deposit(firm, MARGIN, USD, 1_000)
    trade(firm, MARGIN, CFD, 10, 100)  # notional 1,000 at 50 % initial margin
    ask = {"account_id": MARGIN, "asset_id": USD}
    assert firm.do(RequestWithdrawal, payment_id=9, amount_units=501, **ask) is RejectReason.INSUFFICIENT_CASH
    assert firm.do(RequestWithdrawal, payment_id=9, amount_units=500, **ask) is RejectReason.NONE


def test_money_of_another_currency_counts_for_what_it_is_worth(firm: Firm) -> None:
    """100 EUR units are one lot worth 100 cents, charged at half of that."""
    deposit(firm, MARGIN, EUR, 1_000)
    trade(firm, MARGIN, CFD, 8, 100)  # needs 400 of equity 1,000 less 500 for the EUR itself
    ask = {"account_id": MARGIN, "asset_id": EUR}
    assert firm.do(RequestWithdrawal, payment_id=9, amount_units=300, **ask) is RejectReason.INSUFFICIENT_CASH
    assert firm.do(RequestWithdrawal, payment_id=9, amount_units=200, **ask) is RejectReason.NONE
    assert firm.state.instruments[FX]["base_asset_id"] == EUR


#  (bank_id, money, loan, pledged asset, pledged units, expected)
LOANS = [
    (0, SHARE, 0, USD, 0, RejectReason.CAPACITY_REACHED),
    (64, SHARE, 0, USD, 0, RejectReason.CAPACITY_REACHED),
    (1, SHARE, 0, USD, 0, RejectReason.UNKNOWN_REFERENCE),
    (1, USD, 0, USD, 0, RejectReason.UNKNOWN_REFERENCE),
    (1, USD, 0, SHARE, 51, RejectReason.BAD_AMOUNT),
    (1, USD, 10, SHARE, 0, RejectReason.BAD_AMOUNT),
    (1, USD, 10, SHARE, 51, RejectReason.INSUFFICIENT_SECURITIES),
    (63, USD, 10, SHARE, 50, RejectReason.NONE),
]


@pytest.mark.parametrize(("bank", "money", "loan", "pledged", "units", "expected"), LOANS)
def test_bank_loans_look_in_order(
    firm: Firm, bank: int, money: int, loan: int, pledged: int, units: int, expected: RejectReason
) -> None:
    reason = firm.do(
        BorrowFromBank,
        bank_id=bank,
        money_asset_id=money,
        loan_units=loan,
        pledged_asset_id=pledged,
        pledged_units=units,
        operator_id=1,
    )
    assert reason is expected
    if expected is RejectReason.NONE:
        assert firm.balance(Kind.BANK_LOAN, bank, USD) == -loan
        assert firm.balance(Kind.NOSTRO, 0, USD) == 1_000 + loan
        assert firm.balance(Kind.COLLATERAL_AT_BANK, bank, SHARE) == units
        assert firm.balance(Kind.CUSTODY, 0, SHARE) == 50 - units
        assert {p.reference_id for p in firm.of(Posting)} == {firm.events[0].sequence}


def test_capital_is_booked_for_the_owners(firm: Firm) -> None:
    give = {"operator_id": 1}
    assert (
        firm.do(ContributeCapital, asset_id=SHARE, amount_units=0, **give) is RejectReason.UNKNOWN_REFERENCE
    )
    assert firm.do(ContributeCapital, asset_id=USD, amount_units=0, **give) is RejectReason.BAD_AMOUNT
    firm.must(ContributeCapital, asset_id=USD, amount_units=500, **give)
    assert firm.balance(Kind.FIRM_CAPITAL, 0, USD) == -500
    (posting,) = firm.of(Posting)
    assert posting.reference_id == posting.cause_sequence


def test_payments_survive_a_dump(firm: Firm) -> None:
    firm.must(RequestWithdrawal, payment_id=9, account_id=CASH, asset_id=USD, amount_units=400)
    payments = firm.state.payments
    again = type(payments).load(json.loads(json.dumps(payments.dump())))
    assert again == payments
    assert again.canonical() == payments.canonical()


def test_a_draft_is_payable_until_the_bank_paid_it(firm: Firm) -> None:
    """17 CFR 240.15c3-3a, Note A: outstanding drafts stay a credit."""
    firm.must(IssueDraft, payment_id=9, account_id=CASH, asset_id=USD, amount_units=400)
    assert firm.balance(Kind.CLIENT, CASH, USD) == -600
    assert firm.balance(Kind.WITHDRAWAL_PAYABLE, CASH, USD) == -400
    assert firm.do(ConfirmWithdrawal, payment_id=9) is RejectReason.UNKNOWN_REFERENCE
    assert firm.do(ConfirmDraft, payment_id=10) is RejectReason.UNKNOWN_REFERENCE
    firm.must(ConfirmDraft, payment_id=9)
    assert firm.balance(Kind.WITHDRAWAL_PAYABLE, CASH, USD) == 0
    assert firm.balance(Kind.NOSTRO, 0, USD) == 600
    assert firm.do(ConfirmDraft, payment_id=9) is RejectReason.WRONG_STATE
    assert firm.do(IssueDraft, payment_id=9, account_id=CASH, asset_id=USD, amount_units=1) is (
        RejectReason.ALREADY_EXISTS
    )
    assert firm.do(IssueDraft, payment_id=11, account_id=CASH, asset_id=USD, amount_units=601) is (
        RejectReason.INSUFFICIENT_CASH
    )
