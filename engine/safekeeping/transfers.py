"""Securities at a transfer agent or issuer: sent, acknowledged, come back.

Owns the checks. Does not own ages: unacknowledged for more than 40 calendar days, a transfer is no control
location and a credit of the formula. Source: 17 CFR 240.15c3-3(c)(3) and 240.15c3-3a, Item 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import OWN_SEQUENCE, Emit, refuse
from engine.payments.availability import lacks, since, why_not_since
from engine.payments.clients import has_class
from engine.safekeeping.closing import why_not_close
from schemas.codes import AssetClass, RejectReason
from schemas.safekeeping import (
    AcknowledgeTransfer,
    CompleteTransfer,
    SendToTransfer,
    TransferAcknowledged,
    TransferCompleted,
    TransferSent,
)

if TYPE_CHECKING:
    from engine.state import State

SECURITIES = frozenset({AssetClass.SECURITY})


def send_to_transfer(state: State, command: SendToTransfer, emit: Emit) -> None:
    """Send securities from custody, or say why not."""
    reason = _why_not_send(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        TransferSent,
        item_id=OWN_SEQUENCE,
        asset_id=command.asset_id,
        transfer_units=command.transfer_units,
        opened_epoch_day=since(state, command.opened_epoch_day),
        operator_id=command.operator_id,
    )


def _why_not_send(state: State, c: SendToTransfer) -> RejectReason:
    if not has_class(state, c.asset_id, SECURITIES):
        return RejectReason.UNKNOWN_REFERENCE
    if (reason := why_not_since(state, c.opened_epoch_day)) is not RejectReason.NONE:
        return reason
    return lacks(state, c.asset_id, c.transfer_units) if c.transfer_units > 0 else RejectReason.BAD_AMOUNT


def acknowledge_transfer(state: State, command: AcknowledgeTransfer, emit: Emit) -> None:
    """Record the transfer agent's confirmation, or say why not."""
    item = state.open_items.opened_as(command.item_id, TransferSent)
    if item is None:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    if item.is_closed or item.is_acknowledged:
        return refuse(emit, command, RejectReason.WRONG_STATE)
    emit(TransferAcknowledged, item_id=command.item_id, operator_id=command.operator_id)


def complete_transfer(state: State, command: CompleteTransfer, emit: Emit) -> None:
    """Take securities back into custody, or say why not."""
    item = state.open_items.opened_as(command.item_id, TransferSent)
    reason = why_not_close(item, command.returned_units)
    if item is None or reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        TransferCompleted,
        item_id=command.item_id,
        returned_units=command.returned_units,
        open_units=item.open_units - command.returned_units,
        operator_id=command.operator_id,
    )


def apply_transfer_sent(state: State, event: TransferSent) -> None:
    """Remember what is away until it comes back."""
    state.open_items.open(event, event.transfer_units)


def apply_transfer_acknowledged(state: State, event: TransferAcknowledged) -> None:
    """It is known to be there."""
    state.open_items.items[event.item_id].is_acknowledged = True


def apply_transfer_completed(state: State, event: TransferCompleted) -> None:
    """Less is away."""
    state.open_items.reduce(event.item_id, event.open_units)
