"""Suspense: what arrived and is nobody's, what is gone and nobody has; and how each was explained.

Owns the checks. A long and a short entry are never set against each other.
Source: 17 CFR 240.15c3-3a, Item 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import OWN_SEQUENCE, Emit, refuse
from engine.identity.accounts import is_open, is_street, status_of
from engine.payments.availability import lacks, since, why_not_since
from engine.payments.clients import MONEY, has_class, promised_units
from engine.risk.room import has_room
from engine.safekeeping.closing import why_not_close
from schemas.codes import AccountStatus, AssetClass, LedgerAccountKind, RejectReason, SuspenseSide
from schemas.safekeeping import ClearSuspense, OpenSuspense, SuspenseCleared, SuspenseOpened

if TYPE_CHECKING:
    from engine.state import State

_ANYTHING = frozenset(AssetClass)


def open_suspense(state: State, command: OpenSuspense, emit: Emit) -> None:
    """Book what cannot be explained, or say why not."""
    reason = _why_not_open(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        SuspenseOpened,
        item_id=OWN_SEQUENCE,
        suspense_side_code=command.suspense_side_code,
        asset_id=command.asset_id,
        suspense_units=command.suspense_units,
        opened_epoch_day=since(state, command.opened_epoch_day),
        operator_id=command.operator_id,
    )


def _why_not_open(state: State, c: OpenSuspense) -> RejectReason:
    if c.suspense_side_code not in set(SuspenseSide):
        return RejectReason.UNKNOWN_CODE
    if not has_class(state, c.asset_id, _ANYTHING):
        return RejectReason.UNKNOWN_REFERENCE
    if (reason := why_not_since(state, c.opened_epoch_day)) is not RejectReason.NONE:
        return reason
    if c.suspense_units <= 0:
        return RejectReason.BAD_AMOUNT
    if c.suspense_side_code == SuspenseSide.SHORT:
        return lacks(state, c.asset_id, c.suspense_units)
    has = has_room(state, c.asset_id, c.suspense_units)
    return RejectReason.NONE if has else RejectReason.BAD_AMOUNT


def clear_suspense(state: State, command: ClearSuspense, emit: Emit) -> None:
    """Give what was explained to whom it belongs, or say why not."""
    reason = _why_not_clear(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    item = state.open_items.items[command.item_id]
    emit(
        SuspenseCleared,
        item_id=command.item_id,
        cleared_units=command.cleared_units,
        account_id=command.account_id,
        open_units=item.open_units - command.cleared_units,
        operator_id=command.operator_id,
    )


def _why_not_clear(state: State, c: ClearSuspense) -> RejectReason:
    reason = why_not_close(state.open_items.opened_as(c.item_id, SuspenseOpened), c.cleared_units)
    if reason is not RejectReason.NONE:
        return reason
    told = state.open_items.opening(c.item_id, SuspenseOpened)
    is_short = told.suspense_side_code == SuspenseSide.SHORT
    if c.account_id == 0:
        return RejectReason.NONE if is_short else lacks(state, told.asset_id, c.cleared_units)
    if not is_open(state, c.account_id) or is_street(state, c.account_id):
        return RejectReason.UNKNOWN_ACCOUNT
    if status_of(state, c.account_id) is AccountStatus.CLOSED:
        return RejectReason.ACCOUNT_CLOSED
    return _why_not_charge(state, c, told.asset_id) if is_short else RejectReason.NONE


def _why_not_charge(state: State, c: ClearSuspense, asset_id: int) -> RejectReason:
    """Who has it gives it back out of what is there and not promised to somebody else."""
    has = -state.balances.balance(LedgerAccountKind.CLIENT, c.account_id, asset_id)
    if c.cleared_units <= has - promised_units(state, c.account_id, asset_id):
        return RejectReason.NONE
    is_money = has_class(state, asset_id, MONEY)
    return RejectReason.INSUFFICIENT_CASH if is_money else RejectReason.INSUFFICIENT_SECURITIES


def apply_suspense_opened(state: State, event: SuspenseOpened) -> None:
    """Remember what is unexplained."""
    state.open_items.open(event, event.suspense_units)


def apply_suspense_cleared(state: State, event: SuspenseCleared) -> None:
    """Less is unexplained."""
    state.open_items.reduce(event.item_id, event.open_units)
