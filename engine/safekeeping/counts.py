"""Count differences: units of the books that a count did not find, until they are found or bought in.

Owns the checks. Units found beyond the books are nobody's yet: a long suspense entry.
Source: 17 CFR 240.17a-13(b)(5) and 240.15c3-3a, Item 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import OWN_SEQUENCE, Emit, refuse
from engine.payments.availability import lacks, since, why_not_since
from engine.payments.clients import TRANSFERABLE, has_class
from engine.safekeeping.closing import why_not_close
from schemas.codes import RejectReason
from schemas.safekeeping import (
    CountDifferenceFound,
    CountDifferenceResolved,
    RecordCountDifference,
    ResolveCountDifference,
)

if TYPE_CHECKING:
    from engine.state import State


def record_count_difference(state: State, command: RecordCountDifference, emit: Emit) -> None:
    """Book what is missing, or say why not."""
    reason = _why_not_record(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        CountDifferenceFound,
        item_id=OWN_SEQUENCE,
        asset_id=command.asset_id,
        missing_units=command.missing_units,
        opened_epoch_day=since(state, command.opened_epoch_day),
        operator_id=command.operator_id,
    )


def _why_not_record(state: State, c: RecordCountDifference) -> RejectReason:
    if not has_class(state, c.asset_id, TRANSFERABLE):
        return RejectReason.UNKNOWN_REFERENCE
    if (reason := why_not_since(state, c.opened_epoch_day)) is not RejectReason.NONE:
        return reason
    return lacks(state, c.asset_id, c.missing_units) if c.missing_units > 0 else RejectReason.BAD_AMOUNT


def resolve_count_difference(state: State, command: ResolveCountDifference, emit: Emit) -> None:
    """Take units that were missing back into custody, or say why not."""
    item = state.open_items.opened_as(command.item_id, CountDifferenceFound)
    reason = why_not_close(item, command.found_units)
    if item is None or reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        CountDifferenceResolved,
        item_id=command.item_id,
        found_units=command.found_units,
        open_units=item.open_units - command.found_units,
        operator_id=command.operator_id,
    )


def apply_count_difference_found(state: State, event: CountDifferenceFound) -> None:
    """Remember what is missing."""
    state.open_items.open(event, event.missing_units)


def apply_count_difference_resolved(state: State, event: CountDifferenceResolved) -> None:
    """Less is missing."""
    state.open_items.reduce(event.item_id, event.open_units)
