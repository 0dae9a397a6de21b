"""Reserve orders by two people: a maker prepares, a checker approves, and only then anything moves.

Owns: who may do what with an order, and when. Does not own how large a requirement is: that is computed from
the lake and comes in with the order. Source: 17 CFR 240.15c3-3(e)(1), (g).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import Emit, refuse, shared_columns
from engine.payments.availability import lacks
from engine.risk.room import LARGEST_HOLDING
from engine.segregation.on_deposit import firm_units, market_value_minor, why_not_withdraw
from engine.segregation.state import Computed, Order
from schemas.codes import RejectReason
from schemas.reserve import (
    ApproveReserveOrder,
    PrepareReserveOrder,
    RejectReserveOrder,
    ReserveDepositOrdered,
    ReserveOrderPrepared,
    ReserveOrderRejected,
    ReserveSecuritiesMoved,
)

if TYPE_CHECKING:
    from engine.state import State


def prepare_reserve_order(state: State, command: PrepareReserveOrder, emit: Emit) -> None:
    """Put a computation and the order that follows from it on record, or say why not."""
    reason = _why_not_prepare(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(ReserveOrderPrepared, **shared_columns(command, ReserveOrderPrepared))


def _why_not_prepare(state: State, c: PrepareReserveOrder) -> RejectReason:
    if c.payment_id in state.payments.used:
        return RejectReason.ALREADY_EXISTS
    if c.asset_id not in state.assets:
        return RejectReason.UNKNOWN_REFERENCE
    if c.asset_id != state.money_asset_id and c.asset_id not in state.segregation.qualified:
        return RejectReason.UNKNOWN_REFERENCE
    if (c.bank_id, c.reserve_formula_code) not in state.segregation.accounts:
        return RejectReason.NOT_CONFIGURED
    if not 0 < c.as_of_epoch_day <= state.business_epoch_day:
        return RejectReason.BAD_DECLARATION
    if abs(c.amount_units) > LARGEST_HOLDING or c.required_minor < 0 or c.eligible_minor < 0:
        return RejectReason.BAD_AMOUNT
    return RejectReason.NONE


def approve_reserve_order(state: State, command: ApproveReserveOrder, emit: Emit) -> None:
    """Carry out a prepared order, or say why not."""
    reason = _why_not_waiting(state, command.payment_id)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    order = state.segregation.waiting[command.payment_id]
    reason = _why_not_approve(state, order, command.operator_id)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    shared = {
        "payment_id": command.payment_id,
        "asset_id": order.asset_id,
        "as_of_epoch_day": order.as_of_epoch_day,
        "preparer_operator_id": order.maker_operator_id,
        "approver_operator_id": command.operator_id,
        "bank_id": order.bank_id,
        "reserve_formula_code": order.formula,
    }
    units = order.amount_units
    if order.asset_id == state.money_asset_id:
        emit(ReserveDepositOrdered, deposit_minor=max(units, 0), withdrawal_minor=max(-units, 0), **shared)
    else:
        value = market_value_minor(state, order.asset_id, abs(units))
        emit(ReserveSecuritiesMoved, moved_units=units, market_value_minor=value, **shared)


def _why_not_waiting(state: State, payment_id: int) -> RejectReason:
    kept = state.segregation
    if payment_id in kept.waiting:
        return RejectReason.NONE
    is_known = payment_id in kept.computed or payment_id in kept.rejected
    return RejectReason.WRONG_STATE if is_known else RejectReason.UNKNOWN_REFERENCE


def _why_not_approve(state: State, order: Order, operator_id: int) -> RejectReason:
    if operator_id == order.maker_operator_id:
        return RejectReason.SAME_PERSON
    if order.amount_units < 0:
        return why_not_withdraw(state, order)
    missing = lacks(state, order.asset_id, order.amount_units)
    if missing is not RejectReason.NONE:
        return missing
    if order.asset_id != state.money_asset_id and order.amount_units > firm_units(state, order.asset_id):
        return RejectReason.INSUFFICIENT_SECURITIES  # a customer's securities are no deposit of the firm
    return RejectReason.NONE


def reject_reserve_order(state: State, command: RejectReserveOrder, emit: Emit) -> None:
    """Take an order back or refuse it, or say why that cannot be."""
    reason = _why_not_waiting(state, command.payment_id)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(ReserveOrderRejected, **shared_columns(command, ReserveOrderRejected))


def apply_reserve_order_prepared(state: State, event: ReserveOrderPrepared) -> None:
    """The number is used, the computation counts, and what moves something waits."""
    state.payments.used.add(event.payment_id)
    whose, as_of = event.reserve_formula_code, event.as_of_epoch_day
    state.segregation.computed[event.payment_id] = Computed(
        whose, as_of, event.sequence, event.required_minor
    )
    if event.amount_units:
        state.segregation.waiting[event.payment_id] = Order(
            event.asset_id,
            event.amount_units,
            as_of,
            event.bank_id,
            whose,
            event.required_minor,
            event.operator_id,
        )


def apply_reserve_order_rejected(state: State, event: ReserveOrderRejected) -> None:
    """Neither the order nor the computation counts any longer."""
    del state.segregation.waiting[event.payment_id], state.segregation.computed[event.payment_id]
    state.segregation.rejected.add(event.payment_id)


def apply_order_carried_out(state: State, event: ReserveDepositOrdered | ReserveSecuritiesMoved) -> None:
    """The order waits no longer; the posting moves what it asks for."""
    del state.segregation.waiting[event.payment_id]
