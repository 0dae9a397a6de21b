"""Transfers, suspense, count differences, distributions: one line a refusal, and what each moves.

Source of what they are for: 17 CFR 240.15c3-3a, Items 6 to 9.
"""

from __future__ import annotations

import pytest

from schemas.codes import LedgerAccountKind as Kind
from schemas.codes import RejectReason, SuspenseSide
from schemas.ledger import ContributeCapital, Posting
from schemas.payments import CreditDeposit, TransferSecuritiesIn
from schemas.safekeeping import (
    AcknowledgeTransfer,
    ClearSuspense,
    CompleteTransfer,
    DeclareDistribution,
    DistributionCredited,
    OpenSuspense,
    ReceiveDistribution,
    RecordCountDifference,
    ResolveCountDifference,
    SendToTransfer,
)
from tests.support.slow_lane import (
    CASH,
    CLOSED,
    COIN,
    MARGIN,
    MONDAY,
    SHARE,
    STOCK,
    STREET,
    UNOPENED,
    USD,
    Firm,
    open_firm,
    trade,
)

OK = RejectReason.NONE
LONG, SHORT = SuspenseSide


@pytest.fixture
def firm() -> Firm:
    """1,000 USD cents of the firm and 200 of CASH; 50 shares of MARGIN and 31 of CASH."""
    made = open_firm()
    made.must(ContributeCapital, asset_id=USD, amount_units=1_000, operator_id=1)
    made.must(CreditDeposit, payment_id=3, account_id=CASH, asset_id=USD, amount_units=200)
    made.must(TransferSecuritiesIn, payment_id=1, account_id=MARGIN, asset_id=SHARE, amount_units=50)
    made.must(TransferSecuritiesIn, payment_id=2, account_id=CASH, asset_id=SHARE, amount_units=31)
    return made


#  command, column of the amount, location: Item 9 and Item 7
AWAY = [
    (SendToTransfer, "transfer_units", Kind.IN_TRANSFER, CompleteTransfer, "returned_units"),
    (RecordCountDifference, "missing_units", Kind.COUNT_DIFFERENCE, ResolveCountDifference, "found_units"),
]


@pytest.mark.parametrize(("opens", "amount", "kind", "closes", "back"), AWAY)
def test_what_is_away_was_in_custody_and_comes_back(
    firm: Firm, opens: type, amount: str, kind: Kind, closes: type, back: str
) -> None:
    for asset_id, units, day, expected in (
        (99, 0, 0, RejectReason.UNKNOWN_REFERENCE),
        (USD, 0, 0, RejectReason.UNKNOWN_REFERENCE),
        (SHARE, 0, MONDAY + 1, RejectReason.BAD_DECLARATION),
        (SHARE, 0, 0, RejectReason.BAD_AMOUNT),
        (SHARE, 82, 0, RejectReason.INSUFFICIENT_SECURITIES),
        (SHARE, 30, MONDAY - 41, OK),
    ):
        asked = {"asset_id": asset_id, amount: units, "opened_epoch_day": day, "operator_id": 1}
        assert firm.do(opens, **asked) is expected
    opened = firm.events[0]
    assert opened.opened_epoch_day == MONDAY - 41
    assert firm.balance(kind, 0, SHARE) == 30
    assert firm.balance(Kind.CUSTODY, 0, SHARE) == 51
    for number, units, expected in (
        (opened.item_id + 1, 1, RejectReason.UNKNOWN_REFERENCE),
        (opened.item_id, 0, RejectReason.BAD_AMOUNT),
        (opened.item_id, 31, RejectReason.BAD_AMOUNT),
        (opened.item_id, 29, OK),
        (opened.item_id, 1, OK),
        (opened.item_id, 1, RejectReason.WRONG_STATE),
    ):
        assert firm.do(closes, item_id=number, operator_id=1, **{back: units}) is expected
    assert firm.balance(kind, 0, SHARE) == 0
    assert firm.balance(Kind.CUSTODY, 0, SHARE) == 81


def test_a_transfer_is_acknowledged_once(firm: Firm) -> None:
    asked = {"asset_id": SHARE, "transfer_units": 5, "opened_epoch_day": 0, "operator_id": 1}
    item_id = firm.must(SendToTransfer, **asked)[0].item_id
    assert firm.do(AcknowledgeTransfer, item_id=item_id + 1, operator_id=1) is RejectReason.UNKNOWN_REFERENCE
    assert firm.do(AcknowledgeTransfer, item_id=item_id, operator_id=1) is OK
    assert not firm.of(Posting)
    assert firm.do(AcknowledgeTransfer, item_id=item_id, operator_id=1) is RejectReason.WRONG_STATE
    other = firm.must(SendToTransfer, **asked)[0].item_id
    firm.must(CompleteTransfer, item_id=other, returned_units=5, operator_id=1)
    assert firm.do(AcknowledgeTransfer, item_id=other, operator_id=1) is RejectReason.WRONG_STATE


def _suspense(side: int, asset_id: int, units: int, day: int = 0) -> dict[str, int]:
    return {
        "suspense_side_code": side,
        "asset_id": asset_id,
        "suspense_units": units,
        "opened_epoch_day": day,
        "operator_id": 1,
    }


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (_suspense(3, 99, 0), RejectReason.UNKNOWN_CODE),
        (_suspense(LONG, 99, 0), RejectReason.UNKNOWN_REFERENCE),
        (_suspense(LONG, USD, 0, MONDAY + 1), RejectReason.BAD_DECLARATION),
        (_suspense(LONG, USD, 0), RejectReason.BAD_AMOUNT),
        (_suspense(LONG, USD, 1 << 62), RejectReason.BAD_AMOUNT),
        (_suspense(SHORT, USD, 1_201), RejectReason.INSUFFICIENT_CASH),
        (_suspense(SHORT, SHARE, 82), RejectReason.INSUFFICIENT_SECURITIES),
        (_suspense(LONG, COIN, 7), OK),
        (_suspense(SHORT, SHARE, 81), OK),
    ],
)
def test_suspense_looks_in_order(firm: Firm, asked: dict[str, int], expected: RejectReason) -> None:
    assert firm.do(OpenSuspense, **asked) is expected


def test_a_long_and_a_short_entry_stand_side_by_side(firm: Firm) -> None:
    """17 CFR 240.15c3-3a, Item 8: "not to be offset by longs or by debits"."""
    firm.must(OpenSuspense, **_suspense(LONG, SHARE, 20))
    firm.must(OpenSuspense, **_suspense(SHORT, SHARE, 20))
    assert firm.balance(Kind.SUSPENSE, 0, SHARE) == -20
    assert firm.balance(Kind.SUSPENSE_SHORT, 0, SHARE) == 20
    assert firm.balance(Kind.CUSTODY, 0, SHARE) == 81


#  side, asset, units of 40, account, expected
CLEARINGS = [
    (LONG, USD, 0, UNOPENED, RejectReason.BAD_AMOUNT),
    (LONG, USD, 41, UNOPENED, RejectReason.BAD_AMOUNT),
    (LONG, USD, 40, UNOPENED, RejectReason.UNKNOWN_ACCOUNT),
    (LONG, USD, 40, -1, RejectReason.UNKNOWN_ACCOUNT),
    (LONG, USD, 40, STREET, RejectReason.UNKNOWN_ACCOUNT),
    (LONG, USD, 40, CLOSED, RejectReason.ACCOUNT_CLOSED),
    (LONG, USD, 40, MARGIN, OK),
    (LONG, USD, 40, 0, OK),  # sent back
    (SHORT, USD, 40, 0, OK),  # came back
    (SHORT, USD, 40, CASH, OK),  # who got it gives it back
    (SHORT, USD, 40, MARGIN, RejectReason.INSUFFICIENT_CASH),
    (SHORT, SHARE, 31, CASH, OK),
    (SHORT, SHARE, 32, CASH, RejectReason.INSUFFICIENT_SECURITIES),
]


@pytest.mark.parametrize(("side", "asset_id", "units", "account_id", "expected"), CLEARINGS)
def test_clearings_look_in_order(
    firm: Firm, side: int, asset_id: int, units: int, account_id: int, expected: RejectReason
) -> None:
    item_id = firm.must(OpenSuspense, **_suspense(side, asset_id, 40))[0].item_id
    asked = {"cleared_units": units, "account_id": account_id, "operator_id": 1}
    assert firm.do(ClearSuspense, item_id=item_id, **asked) is expected
    assert firm.do(ClearSuspense, item_id=item_id + 1, **asked) is RejectReason.UNKNOWN_REFERENCE


def test_what_was_explained_is_its_owners(firm: Firm) -> None:
    item_id = firm.must(OpenSuspense, **_suspense(LONG, USD, 40))[0].item_id
    firm.must(ClearSuspense, item_id=item_id, cleared_units=30, account_id=MARGIN, operator_id=1)
    assert firm.balance(Kind.CLIENT, MARGIN, USD) == -30
    assert firm.balance(Kind.SUSPENSE, 0, USD) == -10
    firm.must(ClearSuspense, item_id=item_id, cleared_units=10, account_id=0, operator_id=1)
    assert firm.balance(Kind.NOSTRO, 0, USD) == 1_230
    asked = {"cleared_units": 1, "account_id": 0, "operator_id": 1}
    assert firm.do(ClearSuspense, item_id=item_id, **asked) is RejectReason.WRONG_STATE


def _declared(distributed: int, units: int, per: int, day: int = 0, held: int = SHARE) -> dict[str, int]:
    return {
        "asset_id": held,
        "distributed_asset_id": distributed,
        "distributed_units": units,
        "per_units": per,
        "opened_epoch_day": day,
        "operator_id": 1,
    }


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (_declared(SHARE, 1, 10, held=USD), RejectReason.UNKNOWN_REFERENCE),
        (_declared(99, 1, 10), RejectReason.UNKNOWN_REFERENCE),
        (_declared(SHARE, 1, 0, MONDAY + 1), RejectReason.BAD_DECLARATION),
        (_declared(SHARE, 1, 0), RejectReason.BAD_AMOUNT),
        (_declared(SHARE, 0, 1), RejectReason.BAD_AMOUNT),
        (_declared(SHARE, 1, 51), RejectReason.BAD_AMOUNT),  # nobody holds enough for one
        (_declared(SHARE, 1 << 62, 1), RejectReason.BAD_AMOUNT),
        (_declared(COIN, 1, 1, held=COIN), RejectReason.BAD_AMOUNT),  # nobody holds any
        (_declared(SHARE, 1, 10, MONDAY - 31), OK),
        (_declared(USD, 3, 1), OK),
    ],
)
def test_distributions_look_in_order(firm: Firm, asked: dict[str, int], expected: RejectReason) -> None:
    assert firm.do(DeclareDistribution, **asked) is expected


def test_owners_are_credited_at_once_and_the_issuer_owes(firm: Firm) -> None:
    """17 CFR 240.15c3-3a, Item 6. 50 and 31 shares at one for ten are 5 and 3; the rest is dropped."""
    item_id = firm.must(DeclareDistribution, **_declared(SHARE, 1, 10))[0].item_id
    assert {e.account_id: e.credited_units for e in firm.of(DistributionCredited)} == {CASH: 3, MARGIN: 5}
    assert firm.balance(Kind.CLIENT, CASH, SHARE) == -34
    assert firm.balance(Kind.DISTRIBUTION_RECEIVABLE, 0, SHARE) == 8
    for units, expected in (
        (9, RejectReason.BAD_AMOUNT),
        (5, OK),
        (3, OK),
        (1, RejectReason.WRONG_STATE),
    ):
        assert firm.do(ReceiveDistribution, item_id=item_id, received_units=units, operator_id=1) is expected
    assert firm.balance(Kind.DISTRIBUTION_RECEIVABLE, 0, SHARE) == 0
    assert firm.balance(Kind.CUSTODY, 0, SHARE) == 89


def test_who_is_short_owes_the_distribution(firm: Firm) -> None:
    trade(firm, CASH, STOCK, -46, 100)  # 31 less 46: 15 short, which owe two
    firm.must(DeclareDistribution, **_declared(SHARE, 1, 10))
    assert {e.account_id: e.credited_units for e in firm.of(DistributionCredited)} == {CASH: -2, MARGIN: 5}
    assert firm.events[0].receivable_units == firm.balance(Kind.DISTRIBUTION_RECEIVABLE, 0, SHARE) == 3
    assert firm.balance(Kind.CLIENT, CASH, SHARE) == 17


def test_a_dividend_in_money_comes_to_the_bank(firm: Firm) -> None:
    item_id = firm.must(DeclareDistribution, **_declared(USD, 3, 2))[0].item_id
    assert firm.balance(Kind.CLIENT, MARGIN, USD) == -75
    firm.must(ReceiveDistribution, item_id=item_id, received_units=75 + 46, operator_id=1)
    assert firm.balance(Kind.NOSTRO, 0, USD) == 1_200 + 121
