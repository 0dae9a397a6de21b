"""Money and securities that clients bring and take.

Owns the checks on a client's payment. Does not own whom it goes to: that stands in the vault.
A payment number answers once: asked again, ALREADY_EXISTS stands before every other reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.emit import Emit, refuse
from engine.identity.accounts import REFUSED_BY_STATUS, is_open, is_street, status_of
from engine.payments.state import Payable
from engine.risk.room import has_room
from schemas.codes import (
    CONTRACTS,
    AccountClass,
    AccountStatus,
    AssetClass,
    LedgerAccountKind,
    RejectReason,
)
from schemas.payments import (
    ConfirmDraft,
    ConfirmWithdrawal,
    CreditDeposit,
    DepositCredited,
    DraftIssued,
    DraftPaid,
    IssueDraft,
    RequestWithdrawal,
    SecuritiesTransferredIn,
    TransferSecuritiesIn,
    WithdrawalApproved,
    WithdrawalPaid,
)

if TYPE_CHECKING:
    from engine.state import State

MONEY = frozenset({AssetClass.CURRENCY})
DEPOSITABLE = frozenset({AssetClass.CURRENCY, AssetClass.TOKEN})
TRANSFERABLE = frozenset({AssetClass.SECURITY, AssetClass.TOKEN})


def has_class(state: State, asset_id: int, classes: frozenset[AssetClass]) -> bool:
    """Whether the asset is known and of one of the classes."""
    asset = state.assets.get(asset_id)
    return asset is not None and asset.asset_class_code in classes


def credit_deposit(state: State, command: CreditDeposit, emit: Emit) -> None:
    """Credit a client with money that arrived, or say why not."""
    reason = _why_not_credit(state, command, DEPOSITABLE)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        DepositCredited,
        payment_id=command.payment_id,
        account_id=command.account_id,
        asset_id=command.asset_id,
        amount_units=command.amount_units,
    )


def transfer_securities_in(state: State, command: TransferSecuritiesIn, emit: Emit) -> None:
    """Credit a client with securities that arrived, or say why not."""
    reason = _why_not_credit(state, command, TRANSFERABLE)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        SecuritiesTransferredIn,
        payment_id=command.payment_id,
        account_id=command.account_id,
        asset_id=command.asset_id,
        amount_units=command.amount_units,
    )


def _why_not_credit(
    state: State, c: CreditDeposit | TransferSecuritiesIn, classes: frozenset[AssetClass]
) -> RejectReason:
    """What arrived belongs to the client whatever its status, unless the account is closed."""
    if c.payment_id in state.payments.used:
        return RejectReason.ALREADY_EXISTS
    if not is_open(state, c.account_id) or is_street(state, c.account_id):
        return RejectReason.UNKNOWN_ACCOUNT
    if status_of(state, c.account_id) is AccountStatus.CLOSED:
        return RejectReason.ACCOUNT_CLOSED
    if not has_class(state, c.asset_id, classes):
        return RejectReason.UNKNOWN_REFERENCE
    is_good = c.amount_units > 0 and has_room(state, c.asset_id, c.amount_units)
    return RejectReason.NONE if is_good else RejectReason.BAD_AMOUNT


def request_withdrawal(state: State, command: RequestWithdrawal, emit: Emit) -> None:
    """Hold a client's money for payment, or say why not."""
    reason = _why_not_withdraw(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        WithdrawalApproved,
        payment_id=command.payment_id,
        account_id=command.account_id,
        asset_id=command.asset_id,
        amount_units=command.amount_units,
    )


def issue_draft(state: State, command: IssueDraft, emit: Emit) -> None:
    """Draw a draft against a client's balance, or say why not: as a withdrawal, but the paper is out."""
    reason = _why_not_withdraw(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        DraftIssued,
        payment_id=command.payment_id,
        account_id=command.account_id,
        asset_id=command.asset_id,
        amount_units=command.amount_units,
    )


def _why_not_withdraw(state: State, c: RequestWithdrawal | IssueDraft) -> RejectReason:
    if c.payment_id in state.payments.used:
        return RejectReason.ALREADY_EXISTS
    if not is_open(state, c.account_id) or is_street(state, c.account_id):
        return RejectReason.UNKNOWN_ACCOUNT
    status = REFUSED_BY_STATUS[status_of(state, c.account_id)]
    if status is not RejectReason.NONE:
        return status
    if not has_class(state, c.asset_id, MONEY):
        return RejectReason.UNKNOWN_REFERENCE
    if c.amount_units <= 0:
        return RejectReason.BAD_AMOUNT
    has = -state.balances.balance(LedgerAccountKind.CLIENT, c.account_id, c.asset_id)
    if c.amount_units > has - promised_units(state, c.account_id, c.asset_id):
        return RejectReason.INSUFFICIENT_CASH
    if free_after(state, c) < 0:
        return RejectReason.INSUFFICIENT_CASH
    return RejectReason.NONE


def promised_units(state: State, account_id: int, asset_id: int) -> int:
    """What open orders of an account would deliver of an asset, or pay of it in a cash account."""
    rows, listed = state.positions[account_id], state.instruments
    delivers = (listed["base_asset_id"] == asset_id) & ~np.isin(listed["instrument_class_code"], CONTRACTS)
    units = int((rows["open_sell_lots"] * listed["lot_units"])[delivers].sum())
    if state.accounts[account_id]["account_class_code"] != AccountClass.CUSTOMER_CASH:
        return units
    return units + int(rows["open_buy_minor"][listed["quote_asset_id"] == asset_id].sum())


def free_after(state: State, command: RequestWithdrawal | IssueDraft) -> int:
    """Equity less initial margin as if the money were gone, in the margin currency's minor units.

    The margin model is asked about the ledger as it would be, so that money of any currency counts
    for what it is worth there. The ledger is put back before anyone can look.
    """
    row = state.balances.row_of(LedgerAccountKind.CLIENT, command.account_id)
    amounts = state.balances.amounts
    amounts[row, command.asset_id] += command.amount_units
    try:
        return state.free_cash_minor(command.account_id)
    finally:
        amounts[row, command.asset_id] -= command.amount_units


def confirm_withdrawal(state: State, command: ConfirmWithdrawal, emit: Emit) -> None:
    """Take a paid withdrawal off what is payable, or say why not."""
    if command.payment_id in state.payments.paid:
        return refuse(emit, command, RejectReason.WRONG_STATE)
    payable = state.payments.payable.get(command.payment_id)
    if payable is None:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    emit(WithdrawalPaid, payment_id=command.payment_id, **payable._asdict())


def confirm_draft(state: State, command: ConfirmDraft, emit: Emit) -> None:
    """Take a paid draft off what is payable, or say why not."""
    draft = state.payments.drafts.get(command.payment_id)
    if draft is None:
        is_paid = command.payment_id in state.payments.paid_drafts
        return refuse(emit, command, RejectReason.WRONG_STATE if is_paid else RejectReason.UNKNOWN_REFERENCE)
    emit(DraftPaid, payment_id=command.payment_id, **draft._asdict())


def apply_credited(state: State, event: DepositCredited | SecuritiesTransferredIn) -> None:
    """Remember the number; the posting moves the amount."""
    state.payments.used.add(event.payment_id)


def apply_withdrawal_approved(state: State, event: WithdrawalApproved) -> None:
    """Remember the number and what the bank has to pay."""
    state.payments.used.add(event.payment_id)
    payable = Payable(event.account_id, event.asset_id, event.amount_units)
    state.payments.payable[event.payment_id] = payable


def apply_withdrawal_paid(state: State, event: WithdrawalPaid) -> None:
    """Nothing is payable any more."""
    del state.payments.payable[event.payment_id]
    state.payments.paid.add(event.payment_id)


def apply_draft_issued(state: State, event: DraftIssued) -> None:
    """Remember the number and what the draft is good for."""
    state.payments.used.add(event.payment_id)
    state.payments.drafts[event.payment_id] = Payable(event.account_id, event.asset_id, event.amount_units)


def apply_draft_paid(state: State, event: DraftPaid) -> None:
    """The draft is no longer out."""
    del state.payments.drafts[event.payment_id]
    state.payments.paid_drafts.add(event.payment_id)
