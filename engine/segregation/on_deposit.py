"""What lies in the reserve accounts of a formula, and whether a withdrawal leaves enough there.

Owns: from the ledger to the balances of `engine.reserve.eligible_deposit`. Does not own what counts of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.ledger.postings import RESERVE_KINDS
from engine.reserve.eligible_deposit import ReserveBalance, Withdrawal, withdrawal_allowed
from engine.reserve.terms import Indeterminate
from engine.segregation.state import Order
from schemas.codes import AccountClass, LedgerAccountKind, RejectReason, ReserveFormula
from schemas.days import date_of

if TYPE_CHECKING:
    from engine.state import State


def held_units(state: State, formula: int, bank_id: int, asset_id: int) -> int:
    """How much of an asset lies in one reserve account."""
    return state.balances.balance(RESERVE_KINDS[ReserveFormula(formula)], bank_id, asset_id)


def reserve_balances(state: State, formula: int) -> list[ReserveBalance]:
    """What each bank holds for a formula, in cents; another formula's accounts are no part of it."""
    kept = state.segregation
    return [
        ReserveBalance(
            str(bank_id),
            held_units(state, formula, bank_id, state.money_asset_id),
            kept.equity_minor.get(bank_id),
            bool(is_affiliate),
            sum(
                market_value_minor(state, asset_id, held_units(state, formula, bank_id, asset_id))
                for asset_id in sorted(kept.qualified)
            ),
        )
        for (bank_id, whose), is_affiliate in sorted(kept.accounts.items())
        if whose == formula
    ]


def market_value_minor(state: State, asset_id: int, units: int) -> int:
    """What units of an asset are worth at the mark, in cents, rounded down; zero without a mark.

    An asset that trades as several instruments is valued by the one listed first.
    """
    for instrument_id in state.listed_ids():
        row = state.instruments[instrument_id]
        is_it = row["base_asset_id"] == asset_id and row["quote_asset_id"] == state.money_asset_id
        if is_it and not state.is_contract(instrument_id) and row["mark_ticks"]:
            value = units * int(row["mark_ticks"]) * int(row["tick_value_minor"])
            return value // int(row["lot_units"])
    return 0


def firm_units(state: State, asset_id: int) -> int:
    """What of a security is the firm's own and in no reserve account yet."""
    accounts = state.accounts["account_class_code"] == AccountClass.FIRM
    owned = -int(state.balances.rows_of(LedgerAccountKind.CLIENT)[accounts, asset_id].sum())
    put_by = (state.balances.rows_of(kind)[:, asset_id].sum() for kind in RESERVE_KINDS.values())
    return owned - sum(int(units) for units in put_by)


def why_not_withdraw(state: State, order: Order) -> RejectReason:
    """NONE, or why an order may not take so much out.

    What remains must count as much as the latest computation of the formula asks for, and no less than that
    on which the order rests. A bank's equity that is needed and unknown settles it: nothing is taken.
    Source: 17 CFR 240.15c3-3(e)(5), (g).
    """
    units = -order.amount_units
    is_money = order.asset_id == state.money_asset_id
    held = held_units(state, order.formula, order.bank_id, order.asset_id)
    if units > held:
        return RejectReason.INSUFFICIENT_CASH if is_money else RejectReason.INSUFFICIENT_SECURITIES
    before, after = (market_value_minor(state, order.asset_id, n) for n in (held, held - units))
    cash, securities = (units, 0) if is_money else (0, before - after)
    try:
        tested = withdrawal_allowed(
            [Withdrawal(str(order.bank_id), cash, securities)],
            reserve_balances(state, order.formula),
            max(order.required_minor, state.segregation.required_minor(order.formula)),
            computed_as_of=date_of(order.as_of_epoch_day),
            withdrawn_on=date_of(state.business_epoch_day),
        )
    except Indeterminate:
        return RejectReason.NOT_CONFIGURED
    return RejectReason.NONE if tested.is_allowed else RejectReason.BELOW_REQUIREMENT
