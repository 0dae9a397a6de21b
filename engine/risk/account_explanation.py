"""Why an account of the book must have what it must have: the engine's own figures, taken apart.

Every total is the kernel's; its parts are computed here once more, and the process stops where they do not
add up to it. Owns: the taking apart. Does not own: portfolios from outside (model/case.py).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.errors import BadInput, InvariantBroken
from engine.identity.accounts import is_open
from engine.risk.fee_kernel import lot_cost_minor
from engine.risk.margin_kernel import maintenance_with_at, risk_with_at
from engine.risk.margin_parts import Line, lines_of, no_collateral_minor
from engine.risk.margin_states import margin_state, ordered
from engine.risk.model.exact import as_decimal, shared_out
from engine.risk.model.liquidation_move import WHOLE, first_broken_move
from engine.risk.model.scenario_risk import (
    Group,
    ScenarioRisk,
    Vector,
    as_vector,
    contributions,
    diversification,
    make_group,
    scenario_risk,
    worst_scenarios,
)
from engine.risk.option_vectors import option_returns, reference_minor
from engine.risk.scenarios import ScenarioSetKept, returns_of
from schemas.codes import MarginState, ScenarioGroup
from schemas.packed import unpack

if TYPE_CHECKING:
    from engine.state import State

CENTS, MILLICENTS = 2, 5  # digits of the amounts
_MOVE_DIGITS = 9


class _Account(NamedTuple):
    """An account's vectors, in millicents."""

    state: State
    account_id: int
    lots: dict[int, int]  # held, by modelled instrument
    parts: dict[str, Vector]  # by symbol
    positions: Vector
    reserved: Vector  # positions and the worst of open orders
    groups: tuple[Group, ...]


def explain_account(state: State, account_id: int) -> dict[str, Any]:
    """Everything about an account's margin; amounts are exact decimals of the margin currency.

    Raises BadInput when there is no such account, InvariantBroken when the lines do not add up.
    """
    account = _account(state, account_id)
    equity, initial = state.margin_minor(account_id)
    maintenance = state.maintenance_minor(account_id)
    risk = scenario_risk(account.groups, account.positions)
    reserved_risk = scenario_risk(account.groups, account.reserved)
    stands = margin_state(state, account_id, equity, initial, maintenance)
    held_lines = lines_of(state, account_id, -(-risk.total // 1_000), with_orders=False)
    order_lines = lines_of(state, account_id, -(-reserved_risk.total // 1_000), with_orders=True)
    _require(sum(line.minor for line in held_lines), maintenance, "maintenance margin")
    _require(sum(line.minor for line in order_lines), initial, "initial margin")
    return {
        "account_id": account_id,
        "sequence": state.sequence,
        "currency": unpack(state.assets[state.money_asset_id].symbol_packed),
        "state": MarginState(stands).name.lower(),
        "equity": as_decimal(equity, CENTS),
        "IM": as_decimal(initial, CENTS),
        "MM": as_decimal(maintenance, CENTS),
        "free_equity": as_decimal(equity - initial, CENTS),
        "scenario_risk": _told(risk),
        "scenario_risk_with_orders": _told(reserved_risk),
        "MM_lines": [_line(line) for line in held_lines],
        "IM_lines": [_line(line) for line in order_lines],
        "holdings": _holdings(state, account_id),
        "contributions": {
            "by_position": _amounts(contributions(risk, account.parts)),
            "by_factor": _amounts(_by_factor(account, risk)),
        },
        "diversification": as_decimal(diversification(account.groups, risk, account.parts), MILLICENTS),
        "worst_scenarios": [
            {
                "name": group.names[s - group.start],
                "group": group.name,
                "loss": as_decimal(round(loss), MILLICENTS),
            }
            for loss, s, group in worst_scenarios(account.groups, account.positions)
        ],
        "liquidation_moves": _liquidation_moves(account, equity - maintenance),
    }  # fmt: skip


def explain_order(state: State, account_id: int, instrument_id: int, lots: int) -> dict[str, Any]:
    """What one more order at the mark, signed lots, would change; nothing of the state is changed.

    Raises BadInput when there is no such account or instrument.
    """
    _require_open(state, account_id)
    if not state.is_listed(instrument_id) or lots == 0:
        raise BadInput(
            f"an order is of a listed instrument and of at least one lot, not {instrument_id}: {lots}"
        )
    row = state.positions[account_id, instrument_id]
    side = "open_buy_lots" if lots > 0 else "open_sell_lots"
    account, instrument = state.accounts[account_id], state.instruments[instrument_id]
    mark = int(instrument["mark_ticks"])
    cost = int(lot_cost_minor(state.fees, account, instrument, mark))
    fees = abs(lots) * (cost - mark * int(instrument["tick_value_minor"]))
    equity, before = state.margin_minor(account_id)
    row[side] += abs(lots)
    row["open_loss_minor"] += fees
    try:
        _, after = state.margin_minor(account_id)
    finally:
        row[side] -= abs(lots)
        row["open_loss_minor"] -= fees
    at = state.tables.address
    risk_now, risk_then = (int(risk_with_at(at, account_id, instrument_id, n)) for n in (0, lots))
    return {
        "symbol": _symbol(state, instrument_id),
        "lots": lots,
        "IM_before": as_decimal(before, CENTS),
        "IM_after": as_decimal(after, CENTS),
        "IM_change": as_decimal(after - before, CENTS),
        "MM_if_filled": as_decimal(int(maintenance_with_at(at, account_id, instrument_id, lots)), CENTS),
        "free_equity_after": as_decimal(equity - after, CENTS),
        "fits": equity >= after,
        "lowers_risk": risk_then <= risk_now,
    }


def _require_open(state: State, account_id: int) -> None:
    if not is_open(state, account_id):
        raise BadInput(f"account {account_id} was never opened")


def _account(state: State, account_id: int) -> _Account:
    _require_open(state, account_id)
    listed = np.flatnonzero(state.instrument_risks["is_modelled"]).tolist()
    profits = {i: as_vector(state.tables.profits[i]) for i in listed}
    lots = {i: held for i in listed if (held := state.held_lots(account_id, i))}
    parts = {_symbol(state, i): held * profits[i] for i, held in lots.items()}
    nothing = as_vector([0] * len(state.risk.active.scenarios))
    positions = sum(parts.values(), nothing)
    reserved = positions
    for i in listed:
        row = state.positions[account_id, i]
        reserved = reserved + int(row["open_buy_lots"]) * np.minimum(profits[i], 0)
        reserved = reserved + int(row["open_sell_lots"]) * np.minimum(-profits[i], 0)
    return _Account(state, account_id, lots, parts, positions, reserved, _groups(state.risk.active))


def _groups(active: ScenarioSetKept) -> tuple[Group, ...]:
    """The groups of the set in force. Profits are damped already, so every loss counts in full."""
    tails = {
        ScenarioGroup.HISTORICAL: active.historical_tail_count,
        ScenarioGroup.STRESS: active.stress_tail_count,
        ScenarioGroup.EXTREME: 1,
    }
    found: list[Group] = []
    start = 0
    for code, tail in tails.items():
        names = [
            unpack(s.name_packed) or f"{s.scenario_no}"
            for s in active.scenarios
            if s.scenario_group_code == code
        ]
        if names:
            found.append(make_group(code.name.lower(), start, len(names), tail, names=names))
            start += len(names)
    return tuple(found)


def instrument_of(state: State, symbol: str) -> int:
    """The instrument of a symbol. Raises BadInput when none is listed by it."""
    for i in state.listed_ids():
        if _symbol(state, i) == symbol:
            return i
    raise BadInput(f"no instrument is listed as {symbol}")


# By factor ------------------------------------------------------------------------------------


def _by_factor(account: _Account, risk: ScenarioRisk) -> dict[str, int]:
    """What the tail loses when one factor moves alone; what is left when all move together is `cross`."""
    group = risk.decided_by
    if group is None:
        return {}
    active, factors = account.state.risk.active, account.state.risk.factors
    tail = {n: s for n, s in enumerate(risk.tail)}
    dampings = [active.scenarios[s].damping_ppm for s in tail.values()]
    shares: dict[str, Fraction] = {}
    for factor in _factors_of(account):
        alone = ScenarioSetKept(scenarios=[active.scenarios[s] for s in tail.values()])
        alone.returns[factor, : len(tail)] = active.returns[factor, list(tail.values())]
        gains = _gains(account, alone)
        loss = sum((-gain * d for gain, d in zip(gains, dampings, strict=True)), Fraction(0))
        shares[unpack(factors[factor])] = loss / 1_000_000 / group.tail
    whole = Fraction(-sum(int(account.positions[s]) for s in risk.tail), group.tail)
    shares["cross"] = whole - sum(shares.values(), Fraction(0))
    return shared_out(shares, risk.total)


def _factors_of(account: _Account) -> list[int]:
    """The factors that move what an account holds."""
    names = ("first_factor_id", "second_factor_id", "basis_factor_id", "peg_factor_id")
    terms, options = account.state.instrument_risks, account.state.risk.options
    moved = [options[i].underlying_instrument_id if i in options else i for i in account.lots]
    found = {int(terms[i][name]) for i in moved for name in names}
    found |= {options[i].volatility_factor_id for i in account.lots if i in options}
    return sorted(found - {0})


def _gains(account: _Account, moves: ScenarioSetKept) -> list[Fraction]:
    """What the positions gain in every scenario of a set, in millicents, before rounding and damping."""
    total = [Fraction(0)] * len(moves.scenarios)
    for i, lots in account.lots.items():
        value, returns = _measured(account.state, i, moves)
        value *= lots * 1_000
        total = [t + Fraction(value * r, WHOLE) for t, r in zip(total, returns, strict=True)]
    return total


def _measured(state: State, i: int, moves: ScenarioSetKept) -> tuple[int, list[int]]:
    """What a lot's returns are parts of, and its returns; of a vector whose terms nobody told, none."""
    row, option = state.instruments[i], state.risk.options.get(i)
    if option is not None:
        return reference_minor(state, option), option_returns(state, option, moves)
    if state.instrument_risks[i]["reference_minor"]:
        return 0, [0] * len(moves.scenarios)
    value = int(row["mark_ticks"]) * int(row["tick_value_minor"])
    return value, returns_of(moves, state.instrument_risks[i])


def _liquidation_moves(account: _Account, cushion_minor: int) -> dict[str, Decimal | None]:
    """By factor, the first move of it alone at which equity is below maintenance, as a share."""
    found: dict[str, Decimal | None] = {}
    for factor in _factors_of(account):
        name = unpack(account.state.risk.factors[factor])
        scenario = account.state.risk.active.scenarios[0]

        def left(move: int, factor: int = factor, scenario: Any = scenario) -> Fraction:
            alone = ScenarioSetKept(scenarios=[scenario])
            alone.returns[factor, 0] = move
            return cushion_minor * 1_000 + _gains(account, alone)[0]

        move = first_broken_move(left)
        found[name] = None if move is None else as_decimal(move, _MOVE_DIGITS)
    return found


# Telling --------------------------------------------------------------------------------------


def _holdings(state: State, account_id: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for i in state.listed_ids():
        row, instrument = state.positions[account_id, i], state.instruments[i]
        held = state.held_lots(account_id, i)
        if not (held or ordered(row)):
            continue
        value = held * int(instrument["mark_ticks"]) * int(instrument["tick_value_minor"])
        no_collateral = no_collateral_minor(state, account_id, i, held)
        found.append(
            {
                "symbol": _symbol(state, i),
                "lots": held,
                "value": as_decimal(value, CENTS),
                "no_collateral": as_decimal(no_collateral, CENTS),
                "open_buy_lots": int(row["open_buy_lots"]),
                "open_sell_lots": int(row["open_sell_lots"]),
                "loss_of_orders": as_decimal(int(row["open_loss_minor"]), CENTS),
            }
        )
    return found


def _told(risk: ScenarioRisk) -> dict[str, Any]:
    group = risk.decided_by
    return {
        "total": as_decimal(risk.total, MILLICENTS),
        **_amounts(risk.by_group),
        "decided_by": None if group is None else group.name,
        "tail": [] if group is None else [group.names[s - group.start] for s in risk.tail],
    }


def _line(line: Line) -> dict[str, Any]:
    return {"what": line.what, "of": line.subject, "amount": as_decimal(line.minor, CENTS)}


def _amounts(parts: dict[str, int]) -> dict[str, Decimal]:
    return {name: as_decimal(part, MILLICENTS) for name, part in parts.items()}


def _symbol(state: State, instrument_id: int) -> str:
    return unpack(int(state.instruments[instrument_id]["symbol_packed"]))


def _require(parts: int, whole: int, what: str) -> None:
    if parts != whole:
        raise InvariantBroken(f"the lines of {what} add up to {parts}, not to {whole}")
