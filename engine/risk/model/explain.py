"""What a client is told of a margin: every figure, what it comes from, what drives it, what would change it.

Owns: the answer to a case. Does not own: any figure (valuation.py).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from engine.risk.model.case import Case
from engine.risk.model.charges import Line
from engine.risk.model.exact import as_decimal, shared_out
from engine.risk.model.liquidation_price import liquidation_prices
from engine.risk.model.requirement import Requirement
from engine.risk.model.revaluation import revalue
from engine.risk.model.scenario_risk import (
    ScenarioRisk,
    Vector,
    contributions,
    diversification,
    tail_losses,
    worst_scenarios,
)
from engine.risk.model.valuation import Valuation, reserved_of, value
from engine.risk.model.what_if import what_if

GIVEN, CROSS = "given vectors", "cross"
_FIGURES = 12  # of a number that has no end


def explain(case: Case) -> dict[str, Any]:
    """Everything about a case's margin, in the order in which it is asked for; amounts are exact decimals."""
    valued = value(case)
    digits = case.digits
    risk, orders = valued.risk, {f"order {o.order_id}": o for o in case.orders}
    answer: dict[str, Any] = {
        "currency": case.currency,
        "unit": as_decimal(1, digits),
        **_risk(risk, digits),
        "add_ons": _add_ons(valued),
        "IM": as_decimal(valued.initial.total, digits),
        "MM": as_decimal(valued.maintenance.total, digits),
        "equity": as_decimal(valued.equity.total, digits),
        "state": valued.state.value,
        "requirement": {
            "MM": _requirement(valued.maintenance, digits),
            "IM": _requirement(valued.initial, digits),
        },
        "equity_by_currency": {c: as_decimal(v, digits) for c, v in valued.equity.by_currency.items()},
        "free_equity": as_decimal(valued.equity.total - valued.initial.total, digits),
        "equity_to_MM": _ratio(valued.equity.total, valued.maintenance.total),
        "negative_balance": as_decimal(max(0, -valued.equity.total), digits),
        "contributions": {
            "by_position": _amounts(contributions(risk, valued.parts), digits),
            "by_factor": _amounts(by_factor(valued), digits),
        },
        "diversification": as_decimal(diversification(case.scenarios.groups, risk, valued.parts), digits),
        "worst_scenarios": _worst(case, valued.positions),
        "liquidation_prices": liquidation_prices(valued),
        "what_if": what_if(valued),
    }
    if orders:
        whole = dict(valued.parts) | _order_parts(valued)
        answer["with_orders"] = {
            **_risk(valued.reserved_risk, digits),
            "contributions": {"by_position": _amounts(contributions(valued.reserved_risk, whole), digits)},
            "worst_scenarios": _worst(case, valued.positions + valued.reserved),
        }
    answer["notes"] = list(case.notes)
    answer["ignored"] = list(case.ignored)
    return answer


def by_factor(valued: Valuation) -> dict[str, int]:
    """What the tail's loss is with one factor moving alone; what is left when all move together is `cross`.

    Negative where a factor helps. Instruments that came with a vector have no factors: they are told apart.
    """
    case, risk = valued.case, valued.risk
    group = risk.decided_by
    exact = tail_losses(risk, valued.parts)
    shares: dict[str, Fraction] = {}
    explained = Fraction(0)
    for name, loss in exact.items():
        terms = valued.part_terms.get(name)
        if terms is None:
            shares[GIVEN] = shares.get(GIVEN, Fraction(0)) + loss
            explained += loss
            continue
        for factor in terms.factors():
            shares.setdefault(factor, Fraction(0))
            if group is None:
                continue
            moves = case.scenarios.shocks.get(factor)
            if moves is None:
                continue
            on_tail = {factor: [moves[s] for s in risk.tail]}
            gains = revalue(terms, on_tail, len(risk.tail))
            damped = (-gain * group.damping(s) for gain, s in zip(gains, risk.tail, strict=True))
            share = sum(damped, Fraction(0)) * valued.scale / group.tail
            shares[factor] += share
            explained += share
    shares[CROSS] = sum(exact.values(), Fraction(0)) - explained
    return shared_out(shares, risk.total)


def _order_parts(valued: Valuation) -> dict[str, Vector]:
    """What each order adds to W: linked ones together."""
    case = valued.case
    found: dict[str, Vector] = {}
    for order in case.orders:
        name = f"order {order.order_id}" if order.linked is None else f"linked orders {order.linked}"
        if name not in found:
            together = [o for o in case.orders if o is order or (o.linked == order.linked is not None)]
            found[name] = reserved_of(case, valued.vectors, together)
    return found


def _risk(risk: ScenarioRisk, digits: int) -> dict[str, Any]:
    by_group = {name: as_decimal(shortfall, digits) for name, shortfall in risk.by_group.items()}
    return {
        "scenario_risk": {"total": as_decimal(risk.total, digits), **by_group},
        "decided_by": risk.decided_by.name if risk.decided_by is not None else None,
        "tail": [risk.decided_by.names[s - risk.decided_by.start] for s in risk.tail]
        if risk.decided_by is not None
        else [],
    }


def _requirement(requirement: Requirement, digits: int) -> dict[str, Any]:
    return {
        "total": as_decimal(requirement.total, digits),
        "kappa": told(requirement.kappa),
        "scenario_risk": as_decimal(requirement.scenario_risk, digits),
        "scenario_risk_or_floor": as_decimal(requirement.floored_risk, digits),
        **{name: as_decimal(part, digits) for name, part in requirement.parts().items()},
    }


def _add_ons(valued: Valuation) -> list[dict[str, Any]]:
    """Every line of either requirement, and what comes off equity."""
    digits = valued.case.digits
    lines: dict[tuple[str, str], tuple[Line | None, Line | None]] = {}
    for line in valued.maintenance.lines:
        lines[line.add_on, line.subject] = (line, None)
    for line in valued.initial.lines:
        lines[line.add_on, line.subject] = (lines.get((line.add_on, line.subject), (None, None))[0], line)
    found: list[dict[str, Any]] = []
    for (add_on, subject), (held, ordered) in lines.items():
        shown = held or ordered
        if shown is None:
            continue
        row: dict[str, Any] = {
            "add_on": add_on,
            "subject": subject,
            "MM": as_decimal(held.charge if held is not None else 0, digits),
            "IM": as_decimal(ordered.charge if ordered is not None else 0, digits),
            "inputs": {name: told(given) for name, given in shown.inputs.items()},
        }
        if held is not None and ordered is not None and held.inputs != ordered.inputs:
            row["inputs_with_orders"] = {name: told(given) for name, given in ordered.inputs.items()}
        found.append(row)
    for line in valued.equity.lines:
        inputs = {name: told(given) for name, given in line.inputs.items()}
        found.append(
            {
                "add_on": line.add_on,
                "subject": line.subject,
                "off_equity": as_decimal(line.charge, digits),
                "inputs": inputs,
            }
        )
    return found


def _worst(case: Case, outcome: Vector) -> list[dict[str, Any]]:
    rows = worst_scenarios(case.scenarios.groups, outcome)
    return [
        {
            "name": group.names[s - group.start],
            "group": group.name,
            "number": s - group.start + 1,
            "loss": as_decimal(-int(outcome[s]), case.digits),
            "damping": told(group.damping(s)),
            "counted_loss": told(loss / 10**case.digits),
        }
        for loss, s, group in rows
    ]


def _amounts(units: dict[str, int], digits: int) -> dict[str, Decimal]:
    return {name: as_decimal(amount, digits) for name, amount in units.items()}


def _ratio(equity: int, requirement: int) -> Decimal | None:
    return told(Fraction(equity, requirement), 6) if requirement else None


def told(value: Fraction | str | None, figures: int = _FIGURES) -> Any:
    """A number as a decimal, rounded only where it has no end or more figures than anybody reads."""
    if not isinstance(value, Fraction):
        return value
    return as_decimal(round(value * 10**figures), figures)
