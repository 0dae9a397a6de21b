"""Facts that the reserve rests on, as people record them: banks' equity, capital, FOCUS totals, elections.

Owns: what may be put on record. Does not own what follows from it (`engine.reserve`). A fact is never
changed; the next record takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import Emit, refuse, shared_columns
from engine.ledger.chart import BANK_COUNT
from engine.payments.availability import why_not_since
from engine.reserve.calendar import month_end
from schemas.codes import AssetClass, CapitalMethod, RejectReason
from schemas.days import date_of
from schemas.reserve import (
    BankEquityRecorded,
    FirmCapitalRecorded,
    FocusTotalsRecorded,
    QualifiedSecurityRecorded,
    RecordBankEquity,
    RecordFirmCapital,
    RecordFocusTotals,
    RecordQualifiedSecurity,
    RecordReserveElection,
    ReserveElectionRecorded,
)

if TYPE_CHECKING:
    from engine.state import State

_FLAGS = ("is_monthly_customer", "is_monthly_pab", "has_customer_accounts", "has_own_trading")


def record_bank_equity(state: State, command: RecordBankEquity, emit: Emit) -> None:
    """Put a bank's equity capital on record, or say why not. Source: 17 CFR 240.15c3-3(e)(5)."""
    if not 0 < command.bank_id < BANK_COUNT:
        return refuse(emit, command, RejectReason.CAPACITY_REACHED)
    if command.equity_minor < 0:
        return refuse(emit, command, RejectReason.BAD_AMOUNT)
    reason = _why_not_as_of(state, command.as_of_epoch_day)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(BankEquityRecorded, **shared_columns(command, BankEquityRecorded))


def record_firm_capital(state: State, command: RecordFirmCapital, emit: Emit) -> None:
    """Put the firm's net capital computation on record, or say why not. Net capital may be negative."""
    owed = command.aggregate_indebtedness_minor, command.aggregate_debit_items_minor
    if min(*owed, command.customer_funds_minor) < 0:
        return refuse(emit, command, RejectReason.BAD_AMOUNT)
    reason = _why_not_as_of(state, command.as_of_epoch_day)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(FirmCapitalRecorded, **shared_columns(command, FirmCapitalRecorded))


def _why_not_as_of(state: State, epoch_day: int) -> RejectReason:
    return why_not_since(state, epoch_day) if epoch_day else RejectReason.BAD_DECLARATION


def record_focus_totals(state: State, command: RecordFocusTotals, emit: Emit) -> None:
    """Put total credits of a filed FOCUS report on record, or say why not."""
    reason = _why_not_focus(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(FocusTotalsRecorded, **shared_columns(command, FocusTotalsRecorded))


def _why_not_focus(state: State, c: RecordFocusTotals) -> RejectReason:
    if c.is_amended not in (0, 1):
        return RejectReason.UNKNOWN_CODE
    if min(c.customer_credits_minor, c.pab_credits_minor) < 0:
        return RejectReason.BAD_AMOUNT
    month = date_of(c.month_epoch_day)
    if month != month_end(month) or not c.month_epoch_day < c.filed_epoch_day <= state.business_epoch_day:
        return RejectReason.BAD_DECLARATION
    former = state.segregation.focus_filed.get(c.month_epoch_day)
    if not c.is_amended:
        return RejectReason.NONE if former is None else RejectReason.ALREADY_EXISTS
    if former is None:
        return RejectReason.UNKNOWN_REFERENCE
    return RejectReason.NONE if former < c.filed_epoch_day else RejectReason.BAD_DECLARATION


def record_reserve_election(state: State, command: RecordReserveElection, emit: Emit) -> None:
    """Put method, elected frequency and notices on record, or say why not."""
    reason = _why_not_elect(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(ReserveElectionRecorded, **shared_columns(command, ReserveElectionRecorded))


def _why_not_elect(state: State, c: RecordReserveElection) -> RejectReason:
    if c.capital_method_code not in set(CapitalMethod) or any(getattr(c, n) not in (0, 1) for n in _FLAGS):
        return RejectReason.UNKNOWN_CODE
    if max(c.voluntary_notice_epoch_day, c.exit_notice_epoch_day) > state.business_epoch_day:
        return RejectReason.BAD_DECLARATION  # a notice is on file, or it is none
    has_notice = c.voluntary_notice_epoch_day > 0
    if not has_notice and (c.voluntary_begin_epoch_day or c.voluntary_end_epoch_day):
        return RejectReason.BAD_DECLARATION
    return RejectReason.NONE


def record_qualified_security(state: State, command: RecordQualifiedSecurity, emit: Emit) -> None:
    """Put on record that the United States stands behind a security, or say why not."""
    asset = state.assets.get(command.asset_id)
    if asset is None or asset.asset_class_code != AssetClass.SECURITY:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    if command.asset_id in state.segregation.qualified:
        return refuse(emit, command, RejectReason.ALREADY_EXISTS)
    if command.document_id <= 0:
        return refuse(emit, command, RejectReason.BAD_DECLARATION)
    emit(QualifiedSecurityRecorded, **shared_columns(command, QualifiedSecurityRecorded))


def apply_bank_equity_recorded(state: State, event: BankEquityRecorded) -> None:
    """15 % of it bounds the cash that counts there."""
    state.segregation.equity_minor[event.bank_id] = event.equity_minor


def apply_focus_totals_recorded(state: State, event: FocusTotalsRecorded) -> None:
    """The month is reported."""
    state.segregation.focus_filed[event.month_epoch_day] = event.filed_epoch_day


def apply_qualified_security_recorded(state: State, event: QualifiedSecurityRecorded) -> None:
    """It may lie in a reserve account."""
    state.segregation.qualified.add(event.asset_id)
