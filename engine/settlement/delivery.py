"""What becomes of an obligation: settled in parts or whole, failed, settled late.

Owns the status and what is open. Does not own the netting that made it: see `cycle.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import Emit, refuse
from engine.settlement.state import Obligation
from schemas.codes import ObligationStatus, RejectReason
from schemas.settlement import (
    ConfirmSettlement,
    ReportSettlementFailure,
    SettlementConfirmed,
    SettlementFailed,
)

if TYPE_CHECKING:
    from engine.state import State


def confirm_settlement(state: State, command: ConfirmSettlement, emit: Emit) -> None:
    """Book a delivery against payment, or say why not."""
    obligation = state.settlement.obligations.get(command.obligation_id)
    if obligation is None:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    if obligation.status is ObligationStatus.SETTLED:
        return refuse(emit, command, RejectReason.WRONG_STATE)
    if not _is_against_payment(obligation, command.settled_units, command.settled_minor):
        return refuse(emit, command, RejectReason.MISMATCH)
    emit(
        SettlementConfirmed,
        obligation_id=command.obligation_id,
        settled_units=command.settled_units,
        settled_minor=command.settled_minor,
        open_units=obligation.open_units - command.settled_units,
        open_minor=obligation.open_minor - command.settled_minor,
    )


def _is_against_payment(obligation: Obligation, units: int, minor: int) -> bool:
    """Whether the money is what the units cost: all for all, else the part rounded down.

    The last part pays what is left, so that roundings never add up to a difference.
    """
    if units == obligation.open_units:
        return minor == obligation.open_minor
    is_part = 0 < units < obligation.open_units
    return is_part and minor == obligation.open_minor * units // obligation.open_units


def report_settlement_failure(state: State, command: ReportSettlementFailure, emit: Emit) -> None:
    """Move what is open to the fails, or say why not. An obligation fails once, then it ages."""
    obligation = state.settlement.obligations.get(command.obligation_id)
    if obligation is None:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    if obligation.has_failed or obligation.status is ObligationStatus.SETTLED:
        return refuse(emit, command, RejectReason.WRONG_STATE)
    emit(
        SettlementFailed,
        obligation_id=command.obligation_id,
        failed_units=obligation.open_units,
        failed_minor=obligation.open_minor,
    )


def apply_settlement_confirmed(state: State, event: SettlementConfirmed) -> None:
    """Less is open; nothing open is settled."""
    obligation = state.settlement.obligations[event.obligation_id]
    obligation.open_units, obligation.open_minor = event.open_units, event.open_minor
    if event.open_units == 0 and event.open_minor == 0:
        obligation.status = ObligationStatus.SETTLED
    elif not obligation.has_failed:
        obligation.status = ObligationStatus.PARTIALLY_SETTLED


def apply_settlement_failed(state: State, event: SettlementFailed) -> None:
    """What is open has failed, until it settles late."""
    obligation = state.settlement.obligations[event.obligation_id]
    obligation.status = ObligationStatus.FAILED
    obligation.has_failed = True
