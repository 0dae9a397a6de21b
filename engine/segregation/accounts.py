"""Special reserve bank accounts: one a bank for customers, and one for brokers and dealers.

Owns: when one may be opened. Does not own what lies there (`on_deposit.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import Emit, refuse, shared_columns
from engine.ledger.chart import BANK_COUNT
from schemas.codes import RejectReason, ReserveFormula
from schemas.reserve import OpenReserveAccount, ReserveAccountOpened

if TYPE_CHECKING:
    from engine.state import State


def open_reserve_account(state: State, command: OpenReserveAccount, emit: Emit) -> None:
    """Record a reserve account on which the bank's letter is on file, or say why not.

    Source: 17 CFR 240.15c3-3(e)(1) and (f).
    """
    reason = _why_not_open(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(ReserveAccountOpened, **shared_columns(command, ReserveAccountOpened))


def _why_not_open(state: State, c: OpenReserveAccount) -> RejectReason:
    if not 0 < c.bank_id < BANK_COUNT:
        return RejectReason.CAPACITY_REACHED
    if c.reserve_formula_code not in set(ReserveFormula) or c.is_affiliate not in (0, 1):
        return RejectReason.UNKNOWN_CODE
    if (c.bank_id, c.reserve_formula_code) in state.segregation.accounts:
        return RejectReason.ALREADY_EXISTS
    return RejectReason.NONE if c.letter_document_id > 0 else RejectReason.BAD_DECLARATION


def apply_reserve_account_opened(state: State, event: ReserveAccountOpened) -> None:
    """From now on money may lie there."""
    state.segregation.accounts[event.bank_id, event.reserve_formula_code] = event.is_affiliate
