"""Distributions of issuers: owners are credited at once, what the issuer owes is receivable until it arrives.

Owns who is credited with how much: by what each account is owed on the trade-date view when it is declared.
Does not own ages. Source: 17 CFR 240.15c3-3a, Item 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import OWN_SEQUENCE, Emit, refuse
from engine.payments.availability import since, why_not_since
from engine.payments.clients import TRANSFERABLE, has_class
from engine.risk.room import has_room
from engine.safekeeping.closing import why_not_close
from schemas.codes import AssetClass, LedgerAccountKind, RejectReason
from schemas.safekeeping import (
    DeclareDistribution,
    DistributionCredited,
    DistributionDeclared,
    DistributionReceived,
    ReceiveDistribution,
)

if TYPE_CHECKING:
    from engine.state import State

_ANYTHING = frozenset(AssetClass)


def declare_distribution(state: State, command: DeclareDistribution, emit: Emit) -> None:
    """Credit every owner in the order of accounts, or say why not."""
    reason = _why_not_declare(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    credits = _credits(state, command)
    declared = emit(
        DistributionDeclared,
        item_id=OWN_SEQUENCE,
        asset_id=command.asset_id,
        distributed_asset_id=command.distributed_asset_id,
        distributed_units=command.distributed_units,
        per_units=command.per_units,
        receivable_units=sum(credits.values()),
        opened_epoch_day=since(state, command.opened_epoch_day),
        operator_id=command.operator_id,
    )
    for account_id, units in credits.items():
        emit(DistributionCredited, item_id=declared.item_id, account_id=account_id, credited_units=units)


def _why_not_declare(state: State, c: DeclareDistribution) -> RejectReason:
    if not has_class(state, c.asset_id, TRANSFERABLE):
        return RejectReason.UNKNOWN_REFERENCE
    if not has_class(state, c.distributed_asset_id, _ANYTHING):
        return RejectReason.UNKNOWN_REFERENCE
    if (reason := why_not_since(state, c.opened_epoch_day)) is not RejectReason.NONE:
        return reason
    if c.distributed_units <= 0 or c.per_units <= 0:
        return RejectReason.BAD_AMOUNT
    credits = _credits(state, c).values()
    moved = sum(abs(units) for units in credits)
    is_good = sum(credits) > 0 and has_room(state, c.distributed_asset_id, moved)
    return RejectReason.NONE if is_good else RejectReason.BAD_AMOUNT


def _credits(state: State, c: DeclareDistribution) -> dict[int, int]:
    """Units by account, none of them zero; rounded against the account, whether it is long or short."""
    held = -state.balances.rows_of(LedgerAccountKind.CLIENT)[:, c.asset_id]
    shares = {
        account_id: int(held[account_id]) * c.distributed_units // c.per_units
        for account_id in held.nonzero()[0].tolist()
    }
    return {account_id: units for account_id, units in shares.items() if units}


def receive_distribution(state: State, command: ReceiveDistribution, emit: Emit) -> None:
    """Take in what the issuer paid or delivered, or say why not."""
    item = state.open_items.opened_as(command.item_id, DistributionDeclared)
    reason = why_not_close(item, command.received_units)
    if item is None or reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        DistributionReceived,
        item_id=command.item_id,
        received_units=command.received_units,
        open_units=item.open_units - command.received_units,
        operator_id=command.operator_id,
    )


def apply_distribution_declared(state: State, event: DistributionDeclared) -> None:
    """Remember what is receivable."""
    state.open_items.open(event, event.receivable_units)


def apply_distribution_credited(state: State, event: DistributionCredited) -> None:
    """The posting is all there is to the event."""
    del state, event


def apply_distribution_received(state: State, event: DistributionReceived) -> None:
    """Less is receivable."""
    state.open_items.reduce(event.item_id, event.open_units)
