"""Securities against money: one line a refusal, and what each opening and return moves.

Source of what they are for: 17 CFR 240.15c3-3a, Items 2, 3, 11 and 13 to 15.
"""

from __future__ import annotations

import pytest

from engine.ledger.open_items import OpenItems
from schemas.codes import AccountClass, ClearingAgency, FinancingKind, RejectReason
from schemas.codes import LedgerAccountKind as Kind
from schemas.financing import (
    OpenFinancing,
    PostClearingMargin,
    ReduceFinancing,
    RepayBankLoan,
    ReturnClearingMargin,
)
from schemas.ledger import BorrowFromBank, ContributeCapital, Posting
from schemas.payments import TransferSecuritiesIn
from tests.support.slow_lane import (
    CASH,
    COIN,
    MARGIN,
    MONDAY,
    SHARE,
    STREET,
    UNOPENED,
    USD,
    Firm,
    empty_firm,
    open_firm,
)

BORROW, LOAN, REPO, REVERSE = FinancingKind
OK = RejectReason.NONE


@pytest.fixture
def firm() -> Firm:
    """1,000 USD cents at the bank, 50 shares of MARGIN in custody."""
    made = open_firm()
    made.must(ContributeCapital, asset_id=USD, amount_units=1_000, operator_id=1)
    made.must(TransferSecuritiesIn, payment_id=1, account_id=MARGIN, asset_id=SHARE, amount_units=50)
    return made


def _terms(
    kind: int,
    units: int,
    money: int,
    *,
    counterparty: int = 3,
    asset: int = SHARE,
    currency: int = USD,
    conduit: int = 0,
    day: int = 0,
) -> dict[str, int]:
    return {
        "financing_kind_code": kind,
        "counterparty_id": counterparty,
        "asset_id": asset,
        "financed_units": units,
        "money_asset_id": currency,
        "money_units": money,
        "conduit_item_id": conduit,
        "opened_epoch_day": day,
        "operator_id": 1,
    }


def _open(firm: Firm, kind: int, units: int, money: int, conduit: int = 0) -> int:
    return firm.must(OpenFinancing, **_terms(kind, units, money, conduit=conduit))[0].item_id


def _reduce(firm: Firm, item_id: int, units: int, money: int) -> RejectReason:
    return firm.do(
        ReduceFinancing, item_id=item_id, returned_units=units, returned_money_units=money, operator_id=1
    )


OPENINGS = [
    (_terms(9, 0, 0, counterparty=0, asset=99), RejectReason.UNKNOWN_CODE),
    (_terms(LOAN, 0, 0, counterparty=0, asset=99), RejectReason.CAPACITY_REACHED),
    (_terms(LOAN, 0, 0, counterparty=64, asset=99), RejectReason.CAPACITY_REACHED),
    (_terms(LOAN, 0, 0, asset=99), RejectReason.UNKNOWN_REFERENCE),
    (_terms(LOAN, 0, 0, asset=USD), RejectReason.UNKNOWN_REFERENCE),
    (_terms(LOAN, 0, 0, currency=SHARE), RejectReason.UNKNOWN_REFERENCE),
    (_terms(LOAN, 0, 0, day=MONDAY + 1), RejectReason.BAD_DECLARATION),
    (_terms(LOAN, 0, 5), RejectReason.BAD_AMOUNT),
    (_terms(LOAN, 5, 0), RejectReason.BAD_AMOUNT),
    (_terms(LOAN, 5, 1 << 62), RejectReason.BAD_AMOUNT),  # no room for the money
    (_terms(BORROW, 1 << 62, 5), RejectReason.BAD_AMOUNT),  # no room for the securities
    (_terms(LOAN, 5, 5, conduit=1), RejectReason.UNKNOWN_REFERENCE),
    (_terms(LOAN, 51, 5), RejectReason.INSUFFICIENT_SECURITIES),
    (_terms(REPO, 51, 5), RejectReason.INSUFFICIENT_SECURITIES),
    (_terms(BORROW, 5, 1_001), RejectReason.INSUFFICIENT_CASH),
    (_terms(REVERSE, 5, 1_001), RejectReason.INSUFFICIENT_CASH),
    (_terms(LOAN, 50, 9_999, day=MONDAY - 40), OK),
    (_terms(REPO, 50, 9_999), OK),
    (_terms(BORROW, 999, 1_000), OK),
    (_terms(REVERSE, 999, 1_000), OK),
]


@pytest.mark.parametrize(("asked", "expected"), OPENINGS)
def test_openings_look_in_order(firm: Firm, asked: dict[str, int], expected: RejectReason) -> None:
    assert firm.do(OpenFinancing, **asked) is expected


def test_without_a_business_day_nothing_has_an_age() -> None:
    assert open_firm().do(OpenFinancing, **_terms(BORROW, 5, 5)) is RejectReason.INSUFFICIENT_CASH
    assert empty_firm().do(OpenFinancing, **_terms(BORROW, 5, 5)) is RejectReason.UNKNOWN_REFERENCE
    dayless = open_firm()
    dayless.state.business_epoch_day = 0
    assert dayless.do(OpenFinancing, **_terms(BORROW, 5, 5)) is RejectReason.NOT_CONFIGURED


#  kind, where the securities stand, where the money stands, their signs (a debit is positive)
SIDES = [
    (BORROW, Kind.STOCK_BORROWED, Kind.STOCK_BORROW_RECEIVABLE, -1, 1),
    (REVERSE, Kind.REVERSE_REPO, Kind.REVERSE_REPO_RECEIVABLE, -1, 1),
    (LOAN, Kind.STOCK_LENT, Kind.STOCK_LOAN_PAYABLE, 1, -1),
    (REPO, Kind.REPO_COLLATERAL, Kind.REPO_PAYABLE, 1, -1),
]


@pytest.mark.parametrize(("kind", "securities", "money", "units_sign", "money_sign"), SIDES)
def test_each_kind_moves_both_ways_and_back(
    firm: Firm, kind: FinancingKind, securities: Kind, money: Kind, units_sign: int, money_sign: int
) -> None:
    item_id = _open(firm, kind, 20, 300)
    assert firm.events[0].opened_epoch_day == MONDAY
    assert {p.reference_id for p in firm.of(Posting)} == {item_id}
    assert firm.balance(securities, 3, SHARE) == units_sign * 20
    assert firm.balance(money, 3, USD) == money_sign * 300
    assert firm.balance(Kind.CUSTODY, 0, SHARE) == 50 - units_sign * 20
    assert firm.balance(Kind.NOSTRO, 0, USD) == 1_000 - money_sign * 300
    assert _reduce(firm, item_id, 5, 0) is OK
    assert _reduce(firm, item_id, 0, 100) is OK  # collateral marked down
    assert (firm.balance(securities, 3, SHARE), firm.balance(money, 3, USD)) == (
        units_sign * 15,
        money_sign * 200,
    )
    for units, minor, expected in (
        (0, 0, RejectReason.BAD_AMOUNT),
        (-1, 5, RejectReason.BAD_AMOUNT),
        (16, 0, RejectReason.BAD_AMOUNT),
        (0, 201, RejectReason.BAD_AMOUNT),
        (15, 199, RejectReason.MISMATCH),
        (14, 200, RejectReason.MISMATCH),
        (15, 200, OK),
        (1, 1, RejectReason.WRONG_STATE),
    ):
        assert _reduce(firm, item_id, units, minor) is expected
    assert firm.balance(securities, 3, SHARE) == firm.balance(money, 3, USD) == 0
    assert _reduce(firm, item_id + 1, 1, 1) is RejectReason.UNKNOWN_REFERENCE


def test_a_conduit_passes_on_no_more_than_its_borrow_brought(firm: Firm) -> None:
    borrow = _open(firm, BORROW, 20, 300)
    other = _open(firm, LOAN, 5, 80)
    for asked, expected in (
        (_terms(REPO, 5, 80, conduit=borrow), RejectReason.MISMATCH),
        (_terms(LOAN, 5, 80, conduit=other), RejectReason.MISMATCH),
        (_terms(LOAN, 5, 80, conduit=borrow, asset=COIN), RejectReason.MISMATCH),
        (_terms(LOAN, 21, 80, conduit=borrow), RejectReason.MISMATCH),
        (_terms(LOAN, 15, 80, conduit=borrow), OK),
        (_terms(LOAN, 6, 80, conduit=borrow), RejectReason.MISMATCH),
        (_terms(LOAN, 5, 80, conduit=borrow), OK),
    ):
        assert firm.do(OpenFinancing, **asked) is expected


def test_what_goes_back_must_be_there(firm: Firm) -> None:
    borrow = _open(firm, BORROW, 20, 300)
    loan = _open(firm, LOAN, 60, 900)  # borrowed units among them
    assert _reduce(firm, borrow, 20, 300) is RejectReason.INSUFFICIENT_SECURITIES
    firm.must(OpenFinancing, **_terms(REVERSE, 1, 1_500))
    assert _reduce(firm, loan, 60, 900) is RejectReason.INSUFFICIENT_CASH


def test_a_bank_loan_is_repaid_in_parts_and_its_collateral_released(firm: Firm) -> None:
    """17 CFR 240.15c3-3a, Item 2: what is repaid is not borrowed, what is released not pledged."""
    asked = {"bank_id": 1, "money_asset_id": USD, "pledged_asset_id": SHARE, "operator_id": 1}
    loan = firm.must(BorrowFromBank, loan_units=400, pledged_units=40, **asked)[0].sequence

    def repay(item_id: int, money: int, units: int) -> RejectReason:
        repayment = {"item_id": item_id, "repaid_units": money, "released_units": units}
        return firm.do(RepayBankLoan, operator_id=1, **repayment)

    assert repay(loan + 1, 1, 1) is RejectReason.UNKNOWN_REFERENCE
    assert repay(loan, 401, 40) is RejectReason.BAD_AMOUNT
    assert repay(loan, 400, 39) is RejectReason.MISMATCH  # paid back, and the bank keeps the pledge
    assert repay(loan, 100, 15) is OK
    assert firm.balance(Kind.BANK_LOAN, 1, USD) == -300
    assert firm.balance(Kind.COLLATERAL_AT_BANK, 1, SHARE) == 25
    firm.must(OpenFinancing, **_terms(REVERSE, 1, 1_250))
    assert repay(loan, 300, 25) is RejectReason.INSUFFICIENT_CASH
    assert repay(loan, 50, 0) is OK
    assert firm.balance(Kind.NOSTRO, 0, USD) == 0


def _margin(
    agency: int, held_as: int, account_id: int, asset_id: int, units: int, day: int = 0
) -> dict[str, int]:
    return {
        "clearing_agency_code": agency,
        "account_class_code": held_as,
        "account_id": account_id,
        "asset_id": asset_id,
        "margin_units": units,
        "opened_epoch_day": day,
        "operator_id": 1,
    }


OCC, DCO, TREASURY = ClearingAgency
IS_CASH, IS_MARGIN, FIRM = AccountClass.CUSTOMER_CASH, AccountClass.CUSTOMER_MARGIN, AccountClass.FIRM
MARGINS = [
    (_margin(9, IS_MARGIN, UNOPENED, 99, 0), RejectReason.UNKNOWN_CODE),
    (_margin(OCC, AccountClass.STREET, STREET, 99, 0), RejectReason.UNKNOWN_CODE),
    (_margin(OCC, IS_MARGIN, UNOPENED, 99, 0), RejectReason.UNKNOWN_ACCOUNT),
    (_margin(OCC, IS_MARGIN, -1, 99, 0), RejectReason.UNKNOWN_ACCOUNT),
    (_margin(TREASURY, IS_MARGIN, 0, USD, 1), RejectReason.UNKNOWN_ACCOUNT),  # Note H: gross, by customer
    (_margin(OCC, IS_MARGIN, CASH, 99, 0), RejectReason.MISMATCH),
    (_margin(OCC, IS_MARGIN, 0, COIN, 0), RejectReason.UNKNOWN_REFERENCE),
    (_margin(OCC, IS_MARGIN, 0, USD, 0, MONDAY + 1), RejectReason.BAD_DECLARATION),
    (_margin(OCC, IS_MARGIN, 0, USD, 0), RejectReason.BAD_AMOUNT),
    (_margin(OCC, IS_MARGIN, 0, USD, 1_001), RejectReason.INSUFFICIENT_CASH),
    (_margin(OCC, IS_MARGIN, 0, SHARE, 51), RejectReason.INSUFFICIENT_SECURITIES),
    (_margin(OCC, IS_MARGIN, 0, USD, 1_000), OK),
    (_margin(DCO, IS_MARGIN, MARGIN, SHARE, 50), OK),
    (_margin(TREASURY, IS_CASH, CASH, USD, 1_000), OK),
    (_margin(TREASURY, FIRM, 0, USD, 1_000), OK),
]


@pytest.mark.parametrize(("asked", "expected"), MARGINS)
def test_clearing_margin_looks_in_order(firm: Firm, asked: dict[str, int], expected: RejectReason) -> None:
    assert firm.do(PostClearingMargin, **asked) is expected


@pytest.mark.parametrize(
    ("agency", "kind"),
    [
        (OCC, Kind.MARGIN_AT_OCC),  # Item 13
        (DCO, Kind.MARGIN_AT_DCO),  # Item 14
        (TREASURY, Kind.MARGIN_AT_TREASURY_CLEARING),  # Item 15
    ],
)
@pytest.mark.parametrize(("asset_id", "place"), [(USD, Kind.NOSTRO), (SHARE, Kind.CUSTODY)])
def test_margin_goes_to_its_agency_and_comes_back(
    firm: Firm, agency: ClearingAgency, kind: Kind, asset_id: int, place: Kind
) -> None:
    before = firm.balance(place, 0, asset_id)
    item_id = firm.must(PostClearingMargin, **_margin(agency, IS_MARGIN, MARGIN, asset_id, 30))[0].item_id
    assert firm.balance(kind, 0, asset_id) == 30
    assert firm.balance(place, 0, asset_id) == before - 30
    for number, units, expected in (
        (item_id + 1, 1, RejectReason.UNKNOWN_REFERENCE),
        (item_id, 0, RejectReason.BAD_AMOUNT),
        (item_id, 31, RejectReason.BAD_AMOUNT),
        (item_id, 10, OK),
        (item_id, 20, OK),
        (item_id, 1, RejectReason.WRONG_STATE),
    ):
        asked = {"item_id": number, "returned_units": units, "operator_id": 1}
        assert firm.do(ReturnClearingMargin, **asked) is expected
    assert firm.balance(kind, 0, asset_id) == 0
    assert firm.balance(place, 0, asset_id) == before


def test_open_items_come_back_from_a_snapshot_as_they_were(firm: Firm) -> None:
    _reduce(firm, _open(firm, BORROW, 20, 300), 5, 0)
    firm.must(PostClearingMargin, **_margin(OCC, IS_MARGIN, 0, USD, 10))
    items = firm.state.open_items
    assert OpenItems.load(items.dump()) == items
    assert len(items.items) == 2
