"""Accounts: opened once, restricted and reinstated, closed for good.

Owns the life of an account. Does not own its money: closing looks at the ledger, never moves it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import Emit, refuse
from engine.ledger.chart import ACCOUNT_KINDS
from schemas.codes import AccountClass, AccountStatus, RejectReason, SelfTradePrevention
from schemas.identity import (
    AccountLinked,
    AccountOpened,
    AccountStatusChanged,
    ChangeAccountStatus,
    LinkAccount,
    OpenAccount,
    SetTradingTerms,
    TradingTermsSet,
)

if TYPE_CHECKING:
    from engine.state import State

REFUSED_BY_STATUS = {
    AccountStatus.ACTIVE: RejectReason.NONE,
    AccountStatus.RESTRICTED: RejectReason.ACCOUNT_RESTRICTED,
    AccountStatus.SUSPENDED: RejectReason.ACCOUNT_SUSPENDED,
    AccountStatus.CLOSED: RejectReason.ACCOUNT_CLOSED,
}
_CLASSES = frozenset(AccountClass)


def is_open(state: State, account_id: int) -> bool:
    """Whether the account was ever opened."""
    return 0 < account_id < len(state.accounts) and bool(state.accounts[account_id]["account_id"])


def is_street(state: State, account_id: int) -> bool:
    """Whether an opened account clears elsewhere, so that no money of ours stands behind it."""
    return int(state.accounts[account_id]["account_class_code"]) == AccountClass.STREET


def status_of(state: State, account_id: int) -> AccountStatus:
    """The status of an opened account."""
    return AccountStatus(int(state.accounts[account_id]["account_status_code"]))


def open_account(state: State, command: OpenAccount, emit: Emit) -> None:
    """Open an account, or say why not."""
    reason = _why_not_open(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        AccountOpened,
        account_id=command.account_id,
        client_id=command.client_id,
        account_class_code=command.account_class_code,
        max_notional_minor=command.max_notional_minor,
        rate_count=command.rate_count,
        identity_document_id=command.identity_document_id,
    )


def _why_not_open(state: State, c: OpenAccount) -> RejectReason:
    if not 0 < c.account_id < len(state.accounts):
        return RejectReason.CAPACITY_REACHED
    if is_open(state, c.account_id):
        return RejectReason.ALREADY_EXISTS
    if c.account_class_code not in _CLASSES:
        return RejectReason.UNKNOWN_CODE
    if c.client_id < 1 or c.max_notional_minor < 0 or c.rate_count < 0:
        return RejectReason.BAD_DECLARATION
    return RejectReason.NONE


def change_account_status(state: State, command: ChangeAccountStatus, emit: Emit) -> None:
    """Change an account's status, or say why not."""
    reason = _why_not_change(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        AccountStatusChanged,
        account_id=command.account_id,
        account_status_code=command.account_status_code,
        operator_id=command.operator_id,
    )


def _why_not_change(state: State, c: ChangeAccountStatus) -> RejectReason:
    if not is_open(state, c.account_id):
        return RejectReason.UNKNOWN_ACCOUNT
    if c.account_status_code not in REFUSED_BY_STATUS:
        return RejectReason.UNKNOWN_CODE
    if status_of(state, c.account_id) is AccountStatus.CLOSED:
        return RejectReason.ACCOUNT_CLOSED
    if c.account_status_code == status_of(state, c.account_id):
        return RejectReason.WRONG_STATE
    if c.account_status_code == AccountStatus.CLOSED and not _is_empty(state, c.account_id):
        return RejectReason.WRONG_STATE
    return RejectReason.NONE


def set_trading_terms(state: State, command: SetTradingTerms, emit: Emit) -> None:
    """Set an account's group and fees, or say why not."""
    if not is_open(state, command.account_id):
        return refuse(emit, command, RejectReason.UNKNOWN_ACCOUNT)
    if command.self_trade_code not in set(SelfTradePrevention):
        return refuse(emit, command, RejectReason.UNKNOWN_CODE)
    emit(
        TradingTermsSet,
        account_id=command.account_id,
        fee_group_id=command.fee_group_id,
        group_id=command.group_id,
        self_trade_code=command.self_trade_code,
    )


def link_account(state: State, command: LinkAccount, emit: Emit) -> None:
    """Record with whom an account counts as one, or say why not.

    No decision of the engine depends on it: the reserve formula reads it from the lake.
    """
    if not is_open(state, command.account_id) or is_street(state, command.account_id):
        return refuse(emit, command, RejectReason.UNKNOWN_ACCOUNT)
    if command.is_affiliate not in (0, 1):
        return refuse(emit, command, RejectReason.UNKNOWN_CODE)
    emit(
        AccountLinked,
        account_id=command.account_id,
        household_id=command.household_id,
        is_affiliate=command.is_affiliate,
        operator_id=command.operator_id,
    )


def _is_empty(state: State, account_id: int) -> bool:
    """Whether nothing is owed, pending, held or open: every ledger account and position is zero."""
    positions = state.positions[account_id]
    is_flat = not any(positions[name].any() for name in positions.dtype.names or ())
    return is_flat and all(state.balances.is_clear(kind, account_id) for kind in ACCOUNT_KINDS)


def apply_account_opened(state: State, event: AccountOpened) -> None:
    """Enter the account in the table that the compiled pass reads."""
    row = state.accounts[event.account_id]
    row["account_id"] = event.account_id
    row["client_id"] = event.client_id
    row["account_class_code"] = event.account_class_code
    row["account_status_code"] = AccountStatus.ACTIVE
    row["max_notional_minor"] = event.max_notional_minor
    row["rate_count"] = event.rate_count


def apply_trading_terms_set(state: State, event: TradingTermsSet) -> None:
    """Let the new terms count from the next command on."""
    row = state.accounts[event.account_id]
    row["fee_group_id"] = event.fee_group_id
    row["group_id"] = event.group_id
    row["self_trade_code"] = event.self_trade_code


def apply_account_status_changed(state: State, event: AccountStatusChanged) -> None:
    """Let the new status count from the next command on."""
    state.accounts[event.account_id]["account_status_code"] = event.account_status_code


def apply_account_linked(state: State, event: AccountLinked) -> None:
    """The event is all there is to it."""
    del state, event
