"""Settlement: what each command does and what each event changes."""

from __future__ import annotations

from engine.emit import Applier, Handler
from engine.settlement.cycle import (
    apply_cycle_completed,
    apply_settlement_instructed,
    apply_variation_settled,
    run_settlement_cycle,
)
from engine.settlement.delivery import (
    apply_settlement_confirmed,
    apply_settlement_failed,
    confirm_settlement,
    report_settlement_failure,
)
from schemas.headers import Command, Event
from schemas.settlement import (
    ConfirmSettlement,
    ReportSettlementFailure,
    RunSettlementCycle,
    SettlementConfirmed,
    SettlementCycleCompleted,
    SettlementFailed,
    SettlementInstructed,
    VariationSettled,
)

HANDLERS: dict[type[Command], Handler] = {
    RunSettlementCycle: run_settlement_cycle,
    ConfirmSettlement: confirm_settlement,
    ReportSettlementFailure: report_settlement_failure,
}

APPLIERS: dict[type[Event], Applier] = {
    SettlementInstructed: apply_settlement_instructed,
    VariationSettled: apply_variation_settled,
    SettlementCycleCompleted: apply_cycle_completed,
    SettlementConfirmed: apply_settlement_confirmed,
    SettlementFailed: apply_settlement_failed,
}
