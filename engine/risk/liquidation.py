"""What is done about an account that has crossed a line: cancel, close in the market, hand over to the house.

    cancelled    open orders are taken away
    liquidated   then positions are closed, each time the one that frees most margin for its cost, in market
                 orders that may only reduce, until equity is back at its target
    otherwise    what cannot be closed in an open market, or a bankrupt account, goes to the house at the
                 marks; a protected client's deficit is written off

Owns: which step is next, and the handlers of the commands that only liquidation asks. Does not own: when one
looks (desk.py), how an order meets the book.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine.emit import Emit, refuse
from engine.identity.accounts import is_open, is_street
from engine.risk.margin_kernel import charge_at, maintenance_with_at, risk_with_at
from engine.risk.margin_states import has_open_orders
from schemas.codes import (
    AccountClass,
    InstrumentState,
    MarginState,
    OrderType,
    RejectReason,
    Side,
    TimeInForce,
)
from schemas.headers import Command
from schemas.market import CancelOrders, PlaceOrder
from schemas.risk import (
    DeficitWrittenOff,
    MarginReviewed,
    PositionTakenOver,
    ReviewMargin,
    TakeOverAccount,
)

if TYPE_CHECKING:
    from engine.state import State

DESK_SESSION = (1 << 31) - 1  # the session of the risk desk's orders
_FIRST_NUMBER = 1 << 61  # of its client order ids, above those that clients use
_MILLION = 1_000_000
_BPS = 10_000


class Closing(NamedTuple):
    """A position, or a part of it, that may be closed."""

    instrument_id: int
    lots: int  # signed: what is ordered
    freed_minor: int  # maintenance margin less
    cost_minor: int  # what closing costs


def next_step(
    state: State, account_id: int, house_account_id: int, tried: set[int], at_ns: int
) -> list[Command]:
    """What to ask next about an account; nothing when it stands well, or must wait for a market to open.

    `tried` are instruments in which an order of this episode found nobody. Equity over maintenance never
    falls by a step before costs, no order turns a position, and each step leaves less to do: so they end.
    """
    stands = MarginState(int(state.account_margins[account_id]["margin_state_code"]))
    if stands < MarginState.CANCELLED:
        return []
    header = {"sequence": 0, "received_at_ns": at_ns}
    review = ReviewMargin(**header, account_id=account_id)
    if has_open_orders(state, account_id):
        return [_cancel_all(account_id, at_ns), review]
    is_bare = not _holdings(state, account_id)
    owes = stands is MarginState.BANKRUPT and is_protected(state, account_id)
    if stands is MarginState.CANCELLED or (is_bare and not owes):
        return []
    if stands is MarginState.LIQUIDATED:
        closing = best_closing(state, account_id, tried)
        if closing is not None:
            return [_close(state, account_id, closing, at_ns), review]
        if any(_is_shut(state, i) for i in _holdings(state, account_id)):
            return []
    take_over = TakeOverAccount(**header, account_id=account_id, house_account_id=house_account_id)
    return [take_over, review] if house_account_id else []


def is_protected(state: State, account_id: int) -> bool:
    """Whether the firm bears what an account owes beyond all that it has."""
    terms = state.account_margins[account_id]
    return bool(terms["is_retail"] or terms["has_protection"])


def best_closing(state: State, account_id: int, tried: set[int]) -> Closing | None:
    """The closing that frees most margin for its cost and raises no risk, no larger than is needed."""
    at = state.tables.address
    now = int(risk_with_at(at, account_id, 0, 0)), int(maintenance_with_at(at, account_id, 0, 0))
    candidates = [
        found
        for instrument_id, lots in _holdings(state, account_id).items()
        if instrument_id not in tried
        and state.instruments[instrument_id]["instrument_state_code"] == InstrumentState.OPEN
        and (found := _closing(state, account_id, instrument_id, -lots, now)) is not None
    ]
    if not candidates:
        return None
    best = max(candidates, key=lambda c: (c.freed_minor / max(c.cost_minor, 1), -c.instrument_id))
    return _no_more_than_needed(state, account_id, best)


def _closing(
    state: State, account_id: int, instrument_id: int, lots: int, now: tuple[int, int]
) -> Closing | None:
    """What an order would do if it was filled, or none where it would raise the risk or free nothing.

    `now` is what is at risk, and what is required, without it.
    """
    at = state.tables.address
    most = int(state.instruments[instrument_id]["max_order_lots"])
    lots = max(min(lots, most), -most)
    at_risk, required = now
    freed = required - int(maintenance_with_at(at, account_id, instrument_id, lots))
    if risk_with_at(at, account_id, instrument_id, lots) > at_risk or freed <= 0:
        return None
    return Closing(instrument_id, lots, freed, _cost_minor(state, instrument_id, abs(lots)))


def _no_more_than_needed(state: State, account_id: int, whole: Closing) -> Closing:
    """The smallest part of a closing that brings equity to its target; the whole when none does."""
    equity, _ = state.margin_minor(account_id)
    target = int(state.risk.model[0]["target_ppm"])
    sign = 1 if whole.lots > 0 else -1

    def is_enough(lots: int) -> bool:
        needs = maintenance_with_at(state.tables.address, account_id, whole.instrument_id, sign * lots)
        left = equity - _cost_minor(state, whole.instrument_id, lots)
        return left * _MILLION >= int(needs) * target

    low, high = 1, abs(whole.lots)
    if not is_enough(high):
        return whole
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle + 1, high)
    return whole._replace(lots=sign * low, cost_minor=_cost_minor(state, whole.instrument_id, low))


def _cost_minor(state: State, instrument_id: int, lots: int) -> int:
    """What closing so many lots is expected to cost: liquidity by the model, and the listing's fee."""
    instrument, terms = state.instruments[instrument_id], state.instrument_risks[instrument_id]
    value = lots * int(instrument["mark_ticks"]) * int(instrument["tick_value_minor"])
    fee = -(-value * int(instrument["fee_bps"]) // _BPS)
    return fee + (int(charge_at(state.tables.address, instrument_id, lots)) if terms["is_modelled"] else 0)


def _holdings(state: State, account_id: int) -> dict[int, int]:
    """Lots held of every instrument, signed, without those that are none."""
    lots = {i: state.held_lots(account_id, i) for i in state.listed_ids()}
    return {i: held for i, held in lots.items() if held}


def _is_shut(state: State, instrument_id: int) -> bool:
    return bool(state.instruments[instrument_id]["instrument_state_code"] != InstrumentState.OPEN)


def _cancel_all(account_id: int, at_ns: int) -> Command:
    return CancelOrders(
        sequence=0, received_at_ns=at_ns, account_id=account_id, session_id=0, instrument_id=0, side_code=0,
        is_disconnect=0,
    )  # fmt: skip


def _close(state: State, account_id: int, closing: Closing, at_ns: int) -> Command:
    return PlaceOrder(
        sequence=0, received_at_ns=at_ns, session_id=DESK_SESSION, account_id=account_id,
        client_order_id=_FIRST_NUMBER + state.sequence, instrument_id=closing.instrument_id,
        side_code=Side.BUY if closing.lots > 0 else Side.SELL, order_type_code=OrderType.MARKET,
        time_in_force_code=TimeInForce.IOC, price_ticks=0, quantity_lots=abs(closing.lots), is_reduce_only=1,
    )  # fmt: skip


# The commands that only liquidation asks ------------------------------------------------------


def review_margin(state: State, command: ReviewMargin, emit: Emit) -> None:
    """Tell where an account stands."""
    if not _is_ours(state, command.account_id):
        return refuse(emit, command, RejectReason.UNKNOWN_ACCOUNT)
    emit(MarginReviewed, account_id=command.account_id)


def take_over_account(state: State, command: TakeOverAccount, emit: Emit) -> None:
    """Hand an account's positions to the house at the marks; write off what a protected client then owes."""
    account_id, house_id = command.account_id, command.house_account_id
    if not _is_ours(state, account_id) or not _is_ours(state, house_id):
        return refuse(emit, command, RejectReason.UNKNOWN_ACCOUNT)
    is_house = state.accounts[house_id]["account_class_code"] == AccountClass.FIRM
    if not is_house or account_id == house_id:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    stands = state.account_margins[account_id]["margin_state_code"]
    if stands < MarginState.LIQUIDATED or has_open_orders(state, account_id):
        return refuse(emit, command, RejectReason.WRONG_STATE)
    for instrument_id, lots in _holdings(state, account_id).items():
        emit(PositionTakenOver, **_terms_of_take_over(state, account_id, house_id, instrument_id, lots))
    equity, _ = state.margin_minor(account_id)
    if equity < 0 and is_protected(state, account_id):
        emit(DeficitWrittenOff, account_id=account_id, deficit_minor=-equity)


def _terms_of_take_over(
    state: State, account_id: int, house_id: int, instrument_id: int, lots: int
) -> dict[str, Any]:
    instrument = state.instruments[instrument_id]
    row = state.positions[account_id, instrument_id]
    cost = int(row["cost_minor"]) if state.is_contract(instrument_id) else 0
    return {
        "account_id": account_id,
        "house_account_id": house_id,
        "instrument_id": instrument_id,
        "taken_lots": lots,
        "mark_ticks": int(instrument["mark_ticks"]),
        "taken_cost_minor": cost,
        "paid_minor": lots * int(instrument["mark_ticks"]) * int(instrument["tick_value_minor"]) - cost,
    }


def position_taken_over(state: State, event: PositionTakenOver) -> None:
    """Move a contract's row; what is delivered moves by its posting."""
    if not state.is_contract(event.instrument_id):
        return
    for account_id, sign in ((event.account_id, -1), (event.house_account_id, 1)):
        row = state.positions[account_id, event.instrument_id]
        row["position_lots"] += sign * event.taken_lots
        row["cost_minor"] += sign * event.taken_cost_minor


def _is_ours(state: State, account_id: int) -> bool:
    return is_open(state, account_id) and not is_street(state, account_id)
