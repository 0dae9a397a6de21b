"""Which money and securities move when one stands against the other for a time: loans, repo, margin.

Owns the moves of those events. Does not own what of a position is still open: see `open_items.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.ledger.moves import CUSTODY, NOSTRO, Move, Moves, Party, place_of
from schemas.codes import ClearingAgency, FinancingKind, PostingReason
from schemas.codes import LedgerAccountKind as Kind
from schemas.financing import (
    BankLoanRepaid,
    ClearingMarginPosted,
    ClearingMarginReturned,
    FinancingOpened,
    FinancingReduced,
)
from schemas.headers import Event
from schemas.ledger import BankLoanTaken

if TYPE_CHECKING:
    from engine.state import State

# Where the securities of a financing stand, and where its money stands.
FINANCING_KINDS = {
    FinancingKind.STOCK_BORROW: (Kind.STOCK_BORROWED, Kind.STOCK_BORROW_RECEIVABLE),
    FinancingKind.STOCK_LOAN: (Kind.STOCK_LENT, Kind.STOCK_LOAN_PAYABLE),
    FinancingKind.REPO: (Kind.REPO_COLLATERAL, Kind.REPO_PAYABLE),
    FinancingKind.REVERSE_REPO: (Kind.REVERSE_REPO, Kind.REVERSE_REPO_RECEIVABLE),
}
TAKES_SECURITIES = frozenset({FinancingKind.STOCK_BORROW, FinancingKind.REVERSE_REPO})
"""Where securities come and money goes; elsewhere it is the other way round."""

MARGIN_KINDS = {
    ClearingAgency.OCC: Kind.MARGIN_AT_OCC,
    ClearingAgency.DCO: Kind.MARGIN_AT_DCO,
    ClearingAgency.TREASURY: Kind.MARGIN_AT_TREASURY_CLEARING,
}


def _loan_repaid(state: State, e: BankLoanRepaid) -> Moves:
    told = state.open_items.opening(e.item_id, BankLoanTaken)
    loan, pledged = Party(Kind.BANK_LOAN, told.bank_id), Party(Kind.COLLATERAL_AT_BANK, told.bank_id)
    money, security, reference = told.money_asset_id, told.pledged_asset_id, e.item_id
    yield Move(PostingReason.LOAN_REPAYMENT, money, e.repaid_units, loan, NOSTRO, reference)
    yield Move(PostingReason.PLEDGE_RELEASE, security, e.released_units, CUSTODY, pledged, reference)


def _financing(_: State, e: FinancingOpened) -> Moves:
    is_out = FinancingKind(e.financing_kind_code) not in TAKES_SECURITIES
    return _financed(PostingReason.FINANCING, e, (e.financed_units, e.money_units), is_out=is_out)


def _financing_reduced(state: State, e: FinancingReduced) -> Moves:
    told = state.open_items.opening(e.item_id, FinancingOpened)
    is_out = FinancingKind(told.financing_kind_code) in TAKES_SECURITIES
    amounts = e.returned_units, e.returned_money_units
    return _financed(PostingReason.FINANCING_RETURN, told, amounts, is_out=is_out)


def _financed(
    reason: PostingReason, told: FinancingOpened, amounts: tuple[int, int], *, is_out: bool
) -> Moves:
    """Securities leave custody and money comes, or the other way round."""
    kinds = FINANCING_KINDS[FinancingKind(told.financing_kind_code)]
    securities, money = (Party(kind, told.counterparty_id) for kind in kinds)
    (units, minor), reference = amounts, told.item_id
    if is_out:
        yield Move(reason, told.asset_id, units, securities, CUSTODY, reference)
        yield Move(reason, told.money_asset_id, minor, NOSTRO, money, reference)
    else:
        yield Move(reason, told.asset_id, units, CUSTODY, securities, reference)
        yield Move(reason, told.money_asset_id, minor, money, NOSTRO, reference)


def _margin(state: State, e: ClearingMarginPosted) -> Moves:
    agency = Party(MARGIN_KINDS[ClearingAgency(e.clearing_agency_code)])
    place, reason = place_of(state, e.asset_id), PostingReason.CLEARING_MARGIN
    yield Move(reason, e.asset_id, e.margin_units, agency, place, e.item_id)


def _margin_returned(state: State, e: ClearingMarginReturned) -> Moves:
    told = state.open_items.opening(e.item_id, ClearingMarginPosted)
    agency = Party(MARGIN_KINDS[ClearingAgency(told.clearing_agency_code)])
    place, reason = place_of(state, told.asset_id), PostingReason.CLEARING_MARGIN_RETURN
    yield Move(reason, told.asset_id, e.returned_units, place, agency, e.item_id)


FINANCING_MOVES: dict[type[Event], Callable[[Any, Any], Moves]] = {
    BankLoanRepaid: _loan_repaid,
    FinancingOpened: _financing,
    FinancingReduced: _financing_reduced,
    ClearingMarginPosted: _margin,
    ClearingMarginReturned: _margin_returned,
}
