"""Where an account stands between its equity and what it needs.

Owns: the lines. Does not own: the figures, nor what is done about an account that has crossed one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.codes import AccountClass, MarginState

if TYPE_CHECKING:
    from engine.state import State

_MILLION = 1_000_000
_NEVER_CALLED = (AccountClass.CUSTOMER_CASH, AccountClass.FIRM)  # it has paid for all; nobody calls the firm


def margin_state(
    state: State, account_id: int, equity: int, initial_margin: int, maintenance_margin: int
) -> MarginState:
    """The worst state whose line the equity is below; amounts in minor units.

    An account without positions and orders needs nothing and is free, unless it owes money. A retail account
    is closed out below its part of what its positions ask as initial margin too.
    Source: ESMA Decision (EU) 2018/796, article 2 (margin close-out protection).
    """
    if state.accounts[account_id]["account_class_code"] in _NEVER_CALLED:
        return MarginState.FREE
    model = state.risk.model[0]
    if equity < 0:
        return MarginState.BANKRUPT
    is_retail = bool(state.account_margins[account_id]["is_retail"])
    is_closed_out = is_retail and equity * _MILLION < initial_margin * int(model["retail_close_ppm"])
    if equity < maintenance_margin or (is_closed_out and not has_open_orders(state, account_id)):
        return MarginState.LIQUIDATED
    if is_closed_out:
        return MarginState.CANCELLED  # without its orders it may need less
    if equity * _MILLION < maintenance_margin * int(model["cancel_ppm"]):
        return MarginState.CANCELLED
    if equity < initial_margin:
        return MarginState.NO_NEW_RISK
    if maintenance_margin > 0 and equity * _MILLION <= maintenance_margin * int(model["warn_ppm"]):
        return MarginState.WARNED
    return MarginState.FREE


def has_open_orders(state: State, account_id: int) -> bool:
    """Whether an account has orders that ask for margin, if only for what they would lose."""
    return bool(ordered(state.positions[account_id]).any())


def ordered(rows: Any) -> Any:
    """What is not zero for those of some positions, or for the one, whose orders ask for margin."""
    return rows["open_buy_lots"] | rows["open_sell_lots"] | rows["open_loss_minor"]
