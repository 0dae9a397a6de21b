"""Payments: what each command does and what each event changes."""

from __future__ import annotations

from engine.emit import Applier, Handler
from engine.payments.clients import (
    apply_credited,
    apply_withdrawal_approved,
    apply_withdrawal_paid,
    confirm_withdrawal,
    credit_deposit,
    request_withdrawal,
    transfer_securities_in,
)
from engine.payments.treasury import (
    apply_nothing,
    apply_reserve_deposit_ordered,
    borrow_from_bank,
    contribute_capital,
    order_reserve_deposit,
)
from schemas.headers import Command, Event
from schemas.ledger import (
    BankLoanTaken,
    BorrowFromBank,
    CapitalContributed,
    ContributeCapital,
    OrderReserveDeposit,
    ReserveDepositOrdered,
)
from schemas.payments import (
    ConfirmWithdrawal,
    CreditDeposit,
    DepositCredited,
    RequestWithdrawal,
    SecuritiesTransferredIn,
    TransferSecuritiesIn,
    WithdrawalApproved,
    WithdrawalPaid,
)

HANDLERS: dict[type[Command], Handler] = {
    CreditDeposit: credit_deposit,
    TransferSecuritiesIn: transfer_securities_in,
    RequestWithdrawal: request_withdrawal,
    ConfirmWithdrawal: confirm_withdrawal,
    ContributeCapital: contribute_capital,
    BorrowFromBank: borrow_from_bank,
    OrderReserveDeposit: order_reserve_deposit,
}

APPLIERS: dict[type[Event], Applier] = {
    DepositCredited: apply_credited,
    SecuritiesTransferredIn: apply_credited,
    WithdrawalApproved: apply_withdrawal_approved,
    WithdrawalPaid: apply_withdrawal_paid,
    CapitalContributed: apply_nothing,
    BankLoanTaken: apply_nothing,
    ReserveDepositOrdered: apply_reserve_deposit_ordered,
}
