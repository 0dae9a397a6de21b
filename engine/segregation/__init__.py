"""Segregation: the customer protection reserve as commands. What each does and what each event changes."""

from __future__ import annotations

from engine.emit import Applier, Handler
from engine.segregation.accounts import apply_reserve_account_opened, open_reserve_account
from engine.segregation.control import (
    apply_control_instruction_completed,
    apply_control_instruction_recorded,
    complete_control_instruction,
    record_control_instruction,
)
from engine.segregation.facts import (
    apply_bank_equity_recorded,
    apply_focus_totals_recorded,
    apply_qualified_security_recorded,
    record_bank_equity,
    record_firm_capital,
    record_focus_totals,
    record_qualified_security,
    record_reserve_election,
)
from engine.segregation.orders import (
    apply_order_carried_out,
    apply_reserve_order_prepared,
    apply_reserve_order_rejected,
    approve_reserve_order,
    prepare_reserve_order,
    reject_reserve_order,
)
from schemas.headers import Command, Event
from schemas.reserve import (
    ApproveReserveOrder,
    BankEquityRecorded,
    CompleteControlInstruction,
    ControlInstructionCompleted,
    ControlInstructionRecorded,
    FocusTotalsRecorded,
    OpenReserveAccount,
    PrepareReserveOrder,
    QualifiedSecurityRecorded,
    RecordBankEquity,
    RecordControlInstruction,
    RecordFirmCapital,
    RecordFocusTotals,
    RecordQualifiedSecurity,
    RecordReserveElection,
    RejectReserveOrder,
    ReserveAccountOpened,
    ReserveDepositOrdered,
    ReserveOrderPrepared,
    ReserveOrderRejected,
    ReserveSecuritiesMoved,
)

HANDLERS: dict[type[Command], Handler] = {
    OpenReserveAccount: open_reserve_account,
    PrepareReserveOrder: prepare_reserve_order,
    ApproveReserveOrder: approve_reserve_order,
    RejectReserveOrder: reject_reserve_order,
    RecordBankEquity: record_bank_equity,
    RecordFirmCapital: record_firm_capital,
    RecordFocusTotals: record_focus_totals,
    RecordReserveElection: record_reserve_election,
    RecordQualifiedSecurity: record_qualified_security,
    RecordControlInstruction: record_control_instruction,
    CompleteControlInstruction: complete_control_instruction,
}

APPLIERS: dict[type[Event], Applier] = {
    ReserveAccountOpened: apply_reserve_account_opened,
    ReserveOrderPrepared: apply_reserve_order_prepared,
    ReserveOrderRejected: apply_reserve_order_rejected,
    ReserveDepositOrdered: apply_order_carried_out,
    ReserveSecuritiesMoved: apply_order_carried_out,
    BankEquityRecorded: apply_bank_equity_recorded,
    FocusTotalsRecorded: apply_focus_totals_recorded,
    QualifiedSecurityRecorded: apply_qualified_security_recorded,
    ControlInstructionRecorded: apply_control_instruction_recorded,
    ControlInstructionCompleted: apply_control_instruction_completed,
}
