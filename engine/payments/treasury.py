"""The firm's own money: capital, bank loans against securities, the special reserve accounts.

Owns the checks. Does not own how large a reserve must be: that is computed from the lake and
comes in as a command of two people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import Emit, refuse
from engine.ledger.chart import BANK_COUNT
from engine.ledger.postings import RESERVE_KINDS
from engine.payments.availability import lacks
from engine.payments.clients import MONEY, TRANSFERABLE, has_class
from engine.risk.room import has_room
from schemas.codes import LedgerAccountKind, RejectReason, ReserveFormula
from schemas.ledger import (
    BankLoanTaken,
    BorrowFromBank,
    CapitalContributed,
    ContributeCapital,
    OpenReserveAccount,
    OrderReserveDeposit,
    ReserveAccountOpened,
    ReserveDepositOrdered,
)

if TYPE_CHECKING:
    from engine.state import State


def contribute_capital(state: State, command: ContributeCapital, emit: Emit) -> None:
    """Book the owners' money, or say why not."""
    if not has_class(state, command.asset_id, MONEY):
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    if command.amount_units <= 0 or not has_room(state, command.asset_id, command.amount_units):
        return refuse(emit, command, RejectReason.BAD_AMOUNT)
    emit(
        CapitalContributed,
        asset_id=command.asset_id,
        amount_units=command.amount_units,
        operator_id=command.operator_id,
    )


def borrow_from_bank(state: State, command: BorrowFromBank, emit: Emit) -> None:
    """Book a loan and its pledge, or say why not."""
    reason = _why_not_borrow(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        BankLoanTaken,
        bank_id=command.bank_id,
        money_asset_id=command.money_asset_id,
        loan_units=command.loan_units,
        pledged_asset_id=command.pledged_asset_id,
        pledged_units=command.pledged_units,
    )


def _why_not_borrow(state: State, c: BorrowFromBank) -> RejectReason:
    if not 0 < c.bank_id < BANK_COUNT:
        return RejectReason.CAPACITY_REACHED
    if not has_class(state, c.money_asset_id, MONEY):
        return RejectReason.UNKNOWN_REFERENCE
    if not has_class(state, c.pledged_asset_id, TRANSFERABLE):
        return RejectReason.UNKNOWN_REFERENCE
    if c.loan_units <= 0 or c.pledged_units <= 0 or not has_room(state, c.money_asset_id, c.loan_units):
        return RejectReason.BAD_AMOUNT
    return lacks(state, c.pledged_asset_id, c.pledged_units)


def open_reserve_account(state: State, command: OpenReserveAccount, emit: Emit) -> None:
    """Record a reserve account on which the bank's letter is on file, or say why not.

    Source: 17 CFR 240.15c3-3(e)(1) and (f).
    """
    reason = _why_not_open_reserve(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        ReserveAccountOpened,
        bank_id=command.bank_id,
        reserve_formula_code=command.reserve_formula_code,
        is_affiliate=command.is_affiliate,
        letter_document_id=command.letter_document_id,
        operator_id=command.operator_id,
    )


def _why_not_open_reserve(state: State, c: OpenReserveAccount) -> RejectReason:
    if not 0 < c.bank_id < BANK_COUNT:
        return RejectReason.CAPACITY_REACHED
    if c.reserve_formula_code not in set(ReserveFormula) or c.is_affiliate not in (0, 1):
        return RejectReason.UNKNOWN_CODE
    if (c.bank_id, c.reserve_formula_code) in state.payments.reserve_accounts:
        return RejectReason.ALREADY_EXISTS
    return RejectReason.NONE if c.letter_document_id > 0 else RejectReason.BAD_DECLARATION


def order_reserve_deposit(state: State, command: OrderReserveDeposit, emit: Emit) -> None:
    """Move money between the bank account and a reserve account, or say why not.

    Source: 17 CFR 240.15c3-3(e)(1) and (g).
    """
    reason = _why_not_reserve(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        ReserveDepositOrdered,
        payment_id=command.payment_id,
        asset_id=command.asset_id,
        deposit_minor=max(command.amount_units, 0),
        withdrawal_minor=max(-command.amount_units, 0),
        as_of_epoch_day=command.as_of_epoch_day,
        preparer_operator_id=command.preparer_operator_id,
        approver_operator_id=command.approver_operator_id,
        bank_id=command.bank_id,
        reserve_formula_code=command.reserve_formula_code,
    )


def _why_not_reserve(state: State, c: OrderReserveDeposit) -> RejectReason:
    if c.payment_id in state.payments.used:
        return RejectReason.ALREADY_EXISTS
    if not has_class(state, c.asset_id, MONEY):
        return RejectReason.UNKNOWN_REFERENCE
    if c.amount_units == 0:
        return RejectReason.BAD_AMOUNT
    if c.preparer_operator_id == c.approver_operator_id:
        return RejectReason.SAME_PERSON
    if (c.bank_id, c.reserve_formula_code) not in state.payments.reserve_accounts:
        return RejectReason.NOT_CONFIGURED
    reserve = RESERVE_KINDS[ReserveFormula(c.reserve_formula_code)]
    source = (LedgerAccountKind.NOSTRO, 0) if c.amount_units > 0 else (reserve, c.bank_id)
    if abs(c.amount_units) > state.balances.balance(*source, c.asset_id):
        return RejectReason.INSUFFICIENT_CASH
    return RejectReason.NONE


def apply_reserve_deposit_ordered(state: State, event: ReserveDepositOrdered) -> None:
    """Remember the number; the posting moves the money."""
    state.payments.used.add(event.payment_id)


def apply_bank_loan_taken(state: State, event: BankLoanTaken) -> None:
    """Remember what is pledged and owed until it is repaid."""
    state.open_items.open(event, event.pledged_units, event.loan_units)


def apply_reserve_account_opened(state: State, event: ReserveAccountOpened) -> None:
    """From now on money may lie there."""
    state.payments.reserve_accounts.add((event.bank_id, event.reserve_formula_code))


def apply_nothing(state: State, event: CapitalContributed) -> None:
    """The posting is all there is to the event."""
    del state, event
