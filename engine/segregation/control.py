"""Instructions that bring securities back into possession or control, and their completion.

Owns: the record of what was instructed by whom and until when. Does not own what has to be instructed: the
daily determination says so (`engine.reserve.control`). Source: 17 CFR 240.15c3-3(d).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import OWN_SEQUENCE, Emit, refuse
from engine.reserve.calendar import FIRST_YEAR
from engine.reserve.control import Bucket, possession_by
from schemas.codes import AssetClass, ControlStep, RejectReason
from schemas.days import date_of, epoch_day_of
from schemas.reserve import (
    CompleteControlInstruction,
    ControlInstructionCompleted,
    ControlInstructionRecorded,
    RecordControlInstruction,
)

if TYPE_CHECKING:
    from engine.state import State

BUCKETS = {
    ControlStep.RELEASE_LIEN: Bucket.LIEN,
    ControlStep.RECALL_LOAN: Bucket.LOANED,
    ControlStep.BUY_IN: Bucket.FAIL_TO_RECEIVE,
}


def record_control_instruction(state: State, command: RecordControlInstruction, emit: Emit) -> None:
    """Put an instruction on record with the day by which it is to have worked, or say why not."""
    reason = _why_not_instruct(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        ControlInstructionRecorded,
        item_id=OWN_SEQUENCE,
        asset_id=command.asset_id,
        control_step_code=command.control_step_code,
        instructed_units=command.instructed_units,
        instructed_epoch_day=state.business_epoch_day,
        due_epoch_day=command.due_epoch_day or _last_epoch_day(state, command.control_step_code),
        operator_id=command.operator_id,
    )


def _why_not_instruct(state: State, c: RecordControlInstruction) -> RejectReason:
    if date_of(state.business_epoch_day).year < FIRST_YEAR:
        return RejectReason.NOT_CONFIGURED  # no business day has begun that the calendar knows
    asset = state.assets.get(c.asset_id)
    if asset is None or asset.asset_class_code != AssetClass.SECURITY:
        return RejectReason.UNKNOWN_REFERENCE
    if c.control_step_code not in set(ControlStep):
        return RejectReason.UNKNOWN_CODE
    if c.instructed_units <= 0:
        return RejectReason.BAD_AMOUNT
    last = _last_epoch_day(state, c.control_step_code)
    due = c.due_epoch_day or last
    is_late = last > 0 and due > last
    return RejectReason.BAD_DECLARATION if due < state.business_epoch_day or is_late else RejectReason.NONE


def _last_epoch_day(state: State, step: int) -> int:
    """The last day for possession after an instruction of today; zero where the rule sets none."""
    last = possession_by(BUCKETS[ControlStep(step)], date_of(state.business_epoch_day))
    return epoch_day_of(last) if last is not None else 0


def complete_control_instruction(state: State, command: CompleteControlInstruction, emit: Emit) -> None:
    """Record that an instruction has worked, or say why not."""
    if command.item_id not in state.segregation.instructions:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    emit(
        ControlInstructionCompleted,
        item_id=command.item_id,
        completed_epoch_day=state.business_epoch_day,
        operator_id=command.operator_id,
    )


def apply_control_instruction_recorded(state: State, event: ControlInstructionRecorded) -> None:
    """The instruction is open."""
    state.segregation.instructions.add(event.item_id)


def apply_control_instruction_completed(state: State, event: ControlInstructionCompleted) -> None:
    """The instruction is done."""
    state.segregation.instructions.discard(event.item_id)
