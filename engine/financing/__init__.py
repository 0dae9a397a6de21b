"""Financing: what each command does and what each event changes."""

from __future__ import annotations

from engine.emit import Applier, Handler
from engine.financing.bank_loans import apply_bank_loan_repaid, repay_bank_loan
from engine.financing.clearing_margin import (
    apply_clearing_margin_posted,
    apply_clearing_margin_returned,
    post_clearing_margin,
    return_clearing_margin,
)
from engine.financing.securities import (
    apply_financing_opened,
    apply_financing_reduced,
    open_financing,
    reduce_financing,
)
from schemas.financing import (
    BankLoanRepaid,
    ClearingMarginPosted,
    ClearingMarginReturned,
    FinancingOpened,
    FinancingReduced,
    OpenFinancing,
    PostClearingMargin,
    ReduceFinancing,
    RepayBankLoan,
    ReturnClearingMargin,
)
from schemas.headers import Command, Event

HANDLERS: dict[type[Command], Handler] = {
    OpenFinancing: open_financing,
    ReduceFinancing: reduce_financing,
    RepayBankLoan: repay_bank_loan,
    PostClearingMargin: post_clearing_margin,
    ReturnClearingMargin: return_clearing_margin,
}

APPLIERS: dict[type[Event], Applier] = {
    FinancingOpened: apply_financing_opened,
    FinancingReduced: apply_financing_reduced,
    BankLoanRepaid: apply_bank_loan_repaid,
    ClearingMarginPosted: apply_clearing_margin_posted,
    ClearingMarginReturned: apply_clearing_margin_returned,
}
