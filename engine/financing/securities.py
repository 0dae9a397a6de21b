"""Securities against money for a time: stock borrowed and lent, repo and reverse repo.

Owns the checks. Does not own whose securities they are: the formula tells customers' from others.
Source: 17 CFR 240.15c3-3a, Items 2, 3 and 11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import OWN_SEQUENCE, Emit, refuse
from engine.financing.returns import why_not_return
from engine.ledger.chart import BANK_COUNT
from engine.ledger.financing_moves import TAKES_SECURITIES
from engine.payments.availability import lacks, since, why_not_since
from engine.payments.clients import MONEY, TRANSFERABLE, has_class
from engine.risk.room import has_room
from schemas.codes import FinancingKind, RejectReason
from schemas.financing import FinancingOpened, FinancingReduced, OpenFinancing, ReduceFinancing

if TYPE_CHECKING:
    from engine.state import State


def open_financing(state: State, command: OpenFinancing, emit: Emit) -> None:
    """Book securities against money, or say why not."""
    reason = _why_not_open(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        FinancingOpened,
        item_id=OWN_SEQUENCE,
        financing_kind_code=command.financing_kind_code,
        counterparty_id=command.counterparty_id,
        asset_id=command.asset_id,
        financed_units=command.financed_units,
        money_asset_id=command.money_asset_id,
        money_units=command.money_units,
        conduit_item_id=command.conduit_item_id,
        opened_epoch_day=since(state, command.opened_epoch_day),
        operator_id=command.operator_id,
    )


def _why_not_open(state: State, c: OpenFinancing) -> RejectReason:
    if c.financing_kind_code not in set(FinancingKind):
        return RejectReason.UNKNOWN_CODE
    if not 0 < c.counterparty_id < BANK_COUNT:
        return RejectReason.CAPACITY_REACHED
    if not has_class(state, c.asset_id, TRANSFERABLE) or not has_class(state, c.money_asset_id, MONEY):
        return RejectReason.UNKNOWN_REFERENCE
    if (reason := why_not_since(state, c.opened_epoch_day)) is not RejectReason.NONE:
        return reason
    security, money = (c.asset_id, c.financed_units), (c.money_asset_id, c.money_units)
    takes = FinancingKind(c.financing_kind_code) in TAKES_SECURITIES
    comes, goes = (security, money) if takes else (money, security)
    if c.financed_units <= 0 or c.money_units <= 0 or not has_room(state, *comes):
        return RejectReason.BAD_AMOUNT
    if (reason := _why_no_conduit(state, c)) is not RejectReason.NONE:
        return reason
    return lacks(state, *goes)


def _why_no_conduit(state: State, c: OpenFinancing) -> RejectReason:
    """A conduit lends on what one borrow brought, and no more than is left of it."""
    if c.conduit_item_id == 0:
        return RejectReason.NONE
    borrow = state.open_items.opened_as(c.conduit_item_id, FinancingOpened)
    if borrow is None or borrow.is_closed:
        return RejectReason.UNKNOWN_REFERENCE
    told = state.open_items.opening(c.conduit_item_id, FinancingOpened)
    is_passed_on = (
        c.financing_kind_code == FinancingKind.STOCK_LOAN
        and told.financing_kind_code == FinancingKind.STOCK_BORROW
        and told.asset_id == c.asset_id
    )
    passed_on = sum(
        item.open_units
        for item in state.open_items.items.values()
        if isinstance(item.opened, FinancingOpened) and item.opened.conduit_item_id == c.conduit_item_id
    )
    fits = is_passed_on and c.financed_units <= borrow.open_units - passed_on
    return RejectReason.NONE if fits else RejectReason.MISMATCH


def reduce_financing(state: State, command: ReduceFinancing, emit: Emit) -> None:
    """Book what went back both ways, or say why not."""
    reason = _why_not_reduce(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    item = state.open_items.items[command.item_id]
    emit(
        FinancingReduced,
        item_id=command.item_id,
        returned_units=command.returned_units,
        returned_money_units=command.returned_money_units,
        open_units=item.open_units - command.returned_units,
        open_money_units=item.open_money_units - command.returned_money_units,
        operator_id=command.operator_id,
    )


def _why_not_reduce(state: State, c: ReduceFinancing) -> RejectReason:
    item = state.open_items.opened_as(c.item_id, FinancingOpened)
    reason = why_not_return(item, c.returned_units, c.returned_money_units)
    if reason is not RejectReason.NONE:
        return reason
    told = state.open_items.opening(c.item_id, FinancingOpened)
    if FinancingKind(told.financing_kind_code) in TAKES_SECURITIES:
        return lacks(state, told.asset_id, c.returned_units)
    return lacks(state, told.money_asset_id, c.returned_money_units)


def apply_financing_opened(state: State, event: FinancingOpened) -> None:
    """Remember what is out and in until it goes back."""
    state.open_items.open(event, event.financed_units, event.money_units)


def apply_financing_reduced(state: State, event: FinancingReduced) -> None:
    """Less is open."""
    state.open_items.reduce(event.item_id, event.open_units, event.open_money_units)
