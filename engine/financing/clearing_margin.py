"""Margin on deposit with clearing agencies, in money or securities.

Owns the checks. Does not own what of it qualifies for Items 13 to 15: Notes F to H ask for more than a ledger
knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import OWN_SEQUENCE, Emit, refuse
from engine.identity.accounts import is_open
from engine.payments.availability import lacks, since, why_not_since
from engine.payments.clients import has_class
from schemas.codes import AccountClass, AssetClass, ClearingAgency, RejectReason
from schemas.financing import (
    ClearingMarginPosted,
    ClearingMarginReturned,
    PostClearingMargin,
    ReturnClearingMargin,
)

if TYPE_CHECKING:
    from engine.state import State

MARGINABLE = frozenset({AssetClass.CURRENCY, AssetClass.SECURITY})
_CUSTOMERS = frozenset({AccountClass.CUSTOMER_CASH, AccountClass.CUSTOMER_MARGIN})
_CLASSES = frozenset(AccountClass) - {AccountClass.STREET}


def post_clearing_margin(state: State, command: PostClearingMargin, emit: Emit) -> None:
    """Book margin that went to a clearing agency, or say why not."""
    reason = _why_not_post(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        ClearingMarginPosted,
        item_id=OWN_SEQUENCE,
        clearing_agency_code=command.clearing_agency_code,
        account_class_code=command.account_class_code,
        account_id=command.account_id,
        asset_id=command.asset_id,
        margin_units=command.margin_units,
        opened_epoch_day=since(state, command.opened_epoch_day),
        operator_id=command.operator_id,
    )


def _why_not_post(state: State, c: PostClearingMargin) -> RejectReason:
    if c.clearing_agency_code not in set(ClearingAgency) or c.account_class_code not in _CLASSES:
        return RejectReason.UNKNOWN_CODE
    # Note H margins cleared Treasury positions gross, customer by customer
    is_gross = c.clearing_agency_code == ClearingAgency.TREASURY and c.account_class_code in _CUSTOMERS
    if c.account_id != 0 or is_gross:
        if not is_open(state, c.account_id):
            return RejectReason.UNKNOWN_ACCOUNT
        if state.accounts[c.account_id]["account_class_code"] != c.account_class_code:
            return RejectReason.MISMATCH
    if not has_class(state, c.asset_id, MARGINABLE):
        return RejectReason.UNKNOWN_REFERENCE
    if (reason := why_not_since(state, c.opened_epoch_day)) is not RejectReason.NONE:
        return reason
    return lacks(state, c.asset_id, c.margin_units) if c.margin_units > 0 else RejectReason.BAD_AMOUNT


def return_clearing_margin(state: State, command: ReturnClearingMargin, emit: Emit) -> None:
    """Book margin that came back, or say why not."""
    item = state.open_items.opened_as(command.item_id, ClearingMarginPosted)
    if item is None:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    if item.is_closed:
        return refuse(emit, command, RejectReason.WRONG_STATE)
    if not 0 < command.returned_units <= item.open_units:
        return refuse(emit, command, RejectReason.BAD_AMOUNT)
    emit(
        ClearingMarginReturned,
        item_id=command.item_id,
        returned_units=command.returned_units,
        open_units=item.open_units - command.returned_units,
        operator_id=command.operator_id,
    )


def apply_clearing_margin_posted(state: State, event: ClearingMarginPosted) -> None:
    """Remember what is on deposit until it comes back."""
    state.open_items.open(event, event.margin_units)


def apply_clearing_margin_returned(state: State, event: ClearingMarginReturned) -> None:
    """Less is on deposit."""
    state.open_items.reduce(event.item_id, event.open_units)
