"""The firm's own money: capital, and bank loans against securities.

Owns the checks. Does not own the reserve accounts (`engine.segregation`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import Emit, refuse
from engine.ledger.chart import BANK_COUNT
from engine.payments.availability import lacks
from engine.payments.clients import MONEY, TRANSFERABLE, has_class
from engine.risk.room import has_room
from schemas.codes import RejectReason
from schemas.ledger import (
    BankLoanTaken,
    BorrowFromBank,
    CapitalContributed,
    ContributeCapital,
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


def apply_bank_loan_taken(state: State, event: BankLoanTaken) -> None:
    """Remember what is pledged and owed until it is repaid."""
    state.open_items.open(event, event.pledged_units, event.loan_units)


def apply_nothing(state: State, event: CapitalContributed) -> None:
    """The posting is all there is to the event."""
    del state, event
