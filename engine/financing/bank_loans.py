"""Bank loans paid back, and their collateral released. Taking one is a matter of `payments/treasury.py`.

Owns the checks of a repayment. Source: 17 CFR 240.15c3-3a, Item 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import Emit, refuse
from engine.financing.returns import why_not_return
from engine.payments.availability import lacks
from schemas.codes import RejectReason
from schemas.financing import BankLoanRepaid, RepayBankLoan
from schemas.ledger import BankLoanTaken

if TYPE_CHECKING:
    from engine.state import State


def repay_bank_loan(state: State, command: RepayBankLoan, emit: Emit) -> None:
    """Book money paid back and securities released, or say why not."""
    reason = _why_not_repay(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    item = state.open_items.items[command.item_id]
    emit(
        BankLoanRepaid,
        item_id=command.item_id,
        repaid_units=command.repaid_units,
        released_units=command.released_units,
        open_units=item.open_units - command.released_units,
        open_money_units=item.open_money_units - command.repaid_units,
        operator_id=command.operator_id,
    )


def _why_not_repay(state: State, c: RepayBankLoan) -> RejectReason:
    item = state.open_items.opened_as(c.item_id, BankLoanTaken)
    reason = why_not_return(item, c.released_units, c.repaid_units)
    if reason is not RejectReason.NONE:
        return reason
    told = state.open_items.opening(c.item_id, BankLoanTaken)
    return lacks(state, told.money_asset_id, c.repaid_units)


def apply_bank_loan_repaid(state: State, event: BankLoanRepaid) -> None:
    """Less is owed and pledged."""
    state.open_items.reduce(event.item_id, event.open_units, event.open_money_units)
