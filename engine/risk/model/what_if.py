"""What one more order would change, and whether it would be accepted.

Owns: the change that an order makes, and the test before it. Orders that are asked for are looked at one by
one, each as if it were the only one; where none is asked for, one lot more and one lot less of every
instrument, or of the largest where there are many.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from engine.risk.model.case import Order
from engine.risk.model.exact import as_decimal
from engine.risk.model.requirement import State, state_of
from engine.risk.model.scenario_risk import scenario_risk
from engine.risk.model.valuation import Valuation, requirements, reserved_of, whole_lots

RESTRICTED = (State.NO_NEW_RISK, State.CANCEL, State.LIQUIDATE, State.BANKRUPT)
MOST_INSTRUMENTS = 20  # looked at unasked: an order is a whole portfolio computed anew
INSUFFICIENT, INCREASES = "INSUFFICIENT_MARGIN", "WOULD_INCREASE_RISK"


def what_if(valued: Valuation) -> list[dict[str, Any]]:
    """The change of every order that is asked for, or of one lot either way."""
    asked = valued.case.what_if
    if asked is None:
        asked = tuple(
            Order(f"{'buy' if lots > 0 else 'sell'} 1 {name}", name, Fraction(lots), None)
            for name in _largest(valued)
            for lots in (1, -1)
        )
    return [_change(valued, order) for order in asked]


def _largest(valued: Valuation) -> list[str]:
    """The instruments of which most is held, in the order of the case."""
    products = {name: instrument.product for name, instrument in valued.case.instruments.items()}
    if len(products) <= MOST_INSTRUMENTS:
        return list(products)
    lots = valued.case.lots()
    sizes = {name: abs(lots.get(name, 0) * product.notional) for name, product in products.items()}
    first = set(sorted(sizes, key=lambda name: -sizes[name])[:MOST_INSTRUMENTS])
    return [name for name in products if name in first]


def _change(valued: Valuation, order: Order) -> dict[str, Any]:
    """The requirement with the order open, scenario risk with it filled, the answer, and the largest driver.

    An account that may take no new risk is let through only where filling the order does not raise SR(A):
    that a position gets smaller proves nothing in a hedged book. SR is convex in how much is filled, so the
    whole order speaks for every part of it.
    """
    case = valued.case
    groups, digits = case.scenarios.groups, case.digits
    lots = case.lots()
    term = reserved_of(case, valued.vectors, [order])
    reserved_risk = scenario_risk(groups, valued.positions + valued.reserved + term)
    orders = (*case.orders, order)
    _, initial = requirements(case, lots, orders, valued.risk.total, reserved_risk.total)
    filled = valued.positions + whole_lots(case, order.lots) * valued.vectors[order.instrument_id]
    filled_risk = scenario_risk(groups, filled)
    after = dict(lots) | {order.instrument_id: lots.get(order.instrument_id, Fraction(0)) + order.lots}
    filled_requirement, filled_initial = requirements(case, after, (), filled_risk.total, filled_risk.total)
    reason = None
    if valued.state in RESTRICTED:
        if filled_risk.total > valued.risk.total:
            reason = INCREASES
    elif valued.equity.total < initial.total:
        reason = INSUFFICIENT
    before_parts, after_parts = valued.initial.parts(), initial.parts()
    changes = {name: after_parts[name] - before_parts[name] for name in after_parts}
    driver = max(changes, key=lambda name: abs(changes[name]))
    state = state_of(
        valued.equity.total,
        filled_requirement.total,
        filled_initial.total,
        case.parameters.thresholds,
        filled_initial.total if case.parameters.is_retail else 0,
    )
    return {
        "order": order.order_id,
        "instrument": order.instrument_id,
        "lots": as_decimal(whole_lots(case, order.lots), case.lot_digits),
        "is_accepted": reason is None,
        "reason": reason,
        "IM": as_decimal(initial.total, digits),
        "IM_change": as_decimal(initial.total - valued.initial.total, digits),
        "largest_driver": driver if changes[driver] else None,
        "filled": {
            "scenario_risk": as_decimal(filled_risk.total, digits),
            "scenario_risk_change": as_decimal(filled_risk.total - valued.risk.total, digits),
            "MM": as_decimal(filled_requirement.total, digits),
            "MM_change": as_decimal(filled_requirement.total - valued.maintenance.total, digits),
            "state": state.value,
        },
    }
