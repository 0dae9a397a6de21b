"""Accounts: one line a case, in the order in which the checks look."""

from __future__ import annotations

import pytest

from schemas.codes import AccountClass, AccountStatus, LedgerAccountKind, RejectReason
from schemas.identity import AccountLinked, ChangeAccountStatus, LinkAccount, OpenAccount
from schemas.payments import RequestWithdrawal
from tests.support.slow_lane import (
    CASH,
    CFD,
    CLOSED,
    MARGIN,
    RESTRICTED,
    SPARE,
    STOCK,
    STREET,
    UNOPENED,
    USD,
    Firm,
    deposit,
    open_firm,
    trade,
)


@pytest.fixture
def firm() -> Firm:
    return open_firm()


#  (account_id, class, client_id, max_notional, expected); each case has all later faults, too
OPENINGS = [
    (0, 99, 0, -1, RejectReason.CAPACITY_REACHED),
    (-1, 99, 0, -1, RejectReason.CAPACITY_REACHED),
    (9, 99, 0, -1, RejectReason.CAPACITY_REACHED),
    (CASH, 99, 0, -1, RejectReason.ALREADY_EXISTS),
    (CLOSED, 99, 0, -1, RejectReason.ALREADY_EXISTS),
    (UNOPENED, 99, 0, -1, RejectReason.UNKNOWN_CODE),
    (UNOPENED, AccountClass.PAB, 0, 1, RejectReason.BAD_DECLARATION),
    (UNOPENED, AccountClass.PAB, 1, -1, RejectReason.BAD_DECLARATION),
    (UNOPENED, AccountClass.PAB, 1, 1, RejectReason.NONE),
]


@pytest.mark.parametrize(("account_id", "kind", "client_id", "most", "expected"), OPENINGS)
def test_opening_looks_in_order(
    firm: Firm, account_id: int, kind: int, client_id: int, most: int, expected: RejectReason
) -> None:
    before = firm.state.accounts.tobytes()
    reason = firm.do(
        OpenAccount,
        account_id=account_id,
        client_id=client_id,
        account_class_code=kind,
        max_notional_minor=most,
        rate_count=5,
        identity_document_id=0,
    )
    assert reason is expected
    if expected is RejectReason.NONE:
        row = firm.state.accounts[account_id]
        assert (row["client_id"], row["account_class_code"], row["rate_count"]) == (1, 3, 5)
        assert row["account_status_code"] == AccountStatus.ACTIVE
    else:
        assert firm.state.accounts.tobytes() == before


#  (account_id, status asked for, expected)
CHANGES = [
    (UNOPENED, 99, RejectReason.UNKNOWN_ACCOUNT),
    (0, 99, RejectReason.UNKNOWN_ACCOUNT),
    (10**9, 99, RejectReason.UNKNOWN_ACCOUNT),
    (CLOSED, 99, RejectReason.UNKNOWN_CODE),
    (CLOSED, AccountStatus.ACTIVE, RejectReason.ACCOUNT_CLOSED),
    (CASH, AccountStatus.ACTIVE, RejectReason.WRONG_STATE),
    (RESTRICTED, AccountStatus.ACTIVE, RejectReason.NONE),
    (CASH, AccountStatus.SUSPENDED, RejectReason.NONE),
    (SPARE, AccountStatus.CLOSED, RejectReason.NONE),
]


@pytest.mark.parametrize(("account_id", "status", "expected"), CHANGES)
def test_status_changes_look_in_order(
    firm: Firm, account_id: int, status: int, expected: RejectReason
) -> None:
    reason = firm.do(ChangeAccountStatus, account_id=account_id, account_status_code=status, operator_id=7)
    assert reason is expected
    if expected is RejectReason.NONE:
        assert firm.state.accounts[account_id]["account_status_code"] == status


def _close(firm: Firm, account_id: int) -> RejectReason:
    return firm.do(
        ChangeAccountStatus,
        account_id=account_id,
        account_status_code=AccountStatus.CLOSED,
        operator_id=7,
    )


def test_an_account_with_money_cannot_close(firm: Firm) -> None:
    deposit(firm, SPARE, USD, 1)
    assert _close(firm, SPARE) is RejectReason.WRONG_STATE


def test_an_account_with_a_withdrawal_on_its_way_cannot_close(firm: Firm) -> None:
    deposit(firm, SPARE, USD, 5)
    firm.must(RequestWithdrawal, payment_id=1, account_id=SPARE, asset_id=USD, amount_units=5)
    assert firm.balance(LedgerAccountKind.CLIENT, SPARE, USD) == 0
    assert _close(firm, SPARE) is RejectReason.WRONG_STATE


@pytest.mark.parametrize("instrument_id", [STOCK, CFD])
def test_an_account_with_a_position_cannot_close(firm: Firm, instrument_id: int) -> None:
    trade(firm, MARGIN, instrument_id, 1, 100)
    assert _close(firm, MARGIN) is RejectReason.WRONG_STATE


def test_an_account_with_a_resting_order_cannot_close(firm: Firm) -> None:
    firm.state.positions[SPARE, STOCK]["open_buy_lots"] = 1
    assert _close(firm, SPARE) is RejectReason.WRONG_STATE


# 17 CFR 240.15c3-3a, Notes E(4) and E(5)
#  (account_id, household, affiliate, expected)
LINKS = [
    (UNOPENED, 1, 2, RejectReason.UNKNOWN_ACCOUNT),
    (-1, 1, 0, RejectReason.UNKNOWN_ACCOUNT),
    (STREET, 1, 0, RejectReason.UNKNOWN_ACCOUNT),
    (CASH, 1, 2, RejectReason.UNKNOWN_CODE),
    (CASH, -1, 0, RejectReason.OUT_OF_RANGE),
    (CASH, 1 << 31, 0, RejectReason.OUT_OF_RANGE),
    (CLOSED, 5, 1, RejectReason.NONE),
    (CASH, 0, 0, RejectReason.NONE),
]


@pytest.mark.parametrize(("account_id", "household_id", "is_affiliate", "expected"), LINKS)
def test_links_look_in_order(
    firm: Firm, account_id: int, household_id: int, is_affiliate: int, expected: RejectReason
) -> None:
    asked = {"account_id": account_id, "household_id": household_id, "is_affiliate": is_affiliate}
    assert firm.do(LinkAccount, operator_id=1, **asked) is expected
    told = [(e.account_id, e.household_id, e.is_affiliate) for e in firm.of(AccountLinked)]
    assert told == ([tuple(asked.values())] if expected is RejectReason.NONE else [])
