"""Payments: what each command does and what each event changes."""

from __future__ import annotations

from engine.emit import Applier, Handler
from engine.payments.clients import (
    apply_credited,
    apply_draft_issued,
    apply_draft_paid,
    apply_withdrawal_approved,
    apply_withdrawal_paid,
    confirm_draft,
    confirm_withdrawal,
    credit_deposit,
    issue_draft,
    request_withdrawal,
    transfer_securities_in,
)
from engine.payments.treasury import (
    apply_bank_loan_taken,
    apply_nothing,
    borrow_from_bank,
    contribute_capital,
)
from schemas.headers import Command, Event
from schemas.ledger import (
    BankLoanTaken,
    BorrowFromBank,
    CapitalContributed,
    ContributeCapital,
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

HANDLERS: dict[type[Command], Handler] = {
    CreditDeposit: credit_deposit,
    TransferSecuritiesIn: transfer_securities_in,
    RequestWithdrawal: request_withdrawal,
    ConfirmWithdrawal: confirm_withdrawal,
    IssueDraft: issue_draft,
    ConfirmDraft: confirm_draft,
    ContributeCapital: contribute_capital,
    BorrowFromBank: borrow_from_bank,
}

APPLIERS: dict[type[Event], Applier] = {
    DepositCredited: apply_credited,
    SecuritiesTransferredIn: apply_credited,
    WithdrawalApproved: apply_withdrawal_approved,
    WithdrawalPaid: apply_withdrawal_paid,
    DraftIssued: apply_draft_issued,
    DraftPaid: apply_draft_paid,
    CapitalContributed: apply_nothing,
    BankLoanTaken: apply_bank_loan_taken,
}
