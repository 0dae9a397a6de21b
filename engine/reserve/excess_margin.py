"""What of a customer's securities must be in possession or control: fully paid and excess margin securities.

Owns the split of one margin account. Does not own where securities are (`control.py`). Quantities are
integers in an issue's smallest units, money is in cents. Source: 17 CFR 240.15c3-3(a)(3) to (5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import lcm
from typing import NamedTuple

from engine.errors import BadInput
from engine.reserve.terms import Indeterminate

COLLATERAL_PERCENT = 140  # of a customer's total debit, (a)(5)


class Position(NamedTuple):
    """A margin customer's securities of one issue, with the price of `per_units` units in cents, if known.

    `has_loan_value` is false for securities on which no margin loan may rest: those are fully paid.
    """

    issue: str
    units: int
    price_minor: int | None
    per_units: int = 1
    has_loan_value: bool = True


class MustHold(NamedTuple):
    """What a customer's account requires to be in possession or control, by issue."""

    fully_paid: dict[str, int]
    excess_margin: dict[str, int]


def margin_account_must_hold(
    positions: Sequence[Position], debit_minor: int, *, set_apart_first: Sequence[str] = ()
) -> MustHold:
    """What a margin account requires: securities worth more than 140 % of its total debit are excess.

    The debit is what remains without the credits of a bona fide short account, never negative; without a
    debit all is fully paid. The firm chooses which positions are excess: those of `set_apart_first` in that
    order, then the others by issue, each up to the whole position. A unit cannot be divided: the unit in
    which the limit falls is set apart, so that never more than 140 % is left for the firm's use.
    Raises BadInput on a negative figure, Indeterminate on a price that is missing and decides.
    """
    if debit_minor < 0 or any(p.units < 0 or (p.price_minor or 0) < 0 or p.per_units < 1 for p in positions):
        raise BadInput("debit, units and price are never negative")
    fully_paid = _sum_by_issue(
        (p.issue, p.units) for p in positions if not p.has_loan_value or not debit_minor
    )
    lendable = [p for p in positions if p.has_loan_value and debit_minor]
    order = {issue: n for n, issue in reversed(list(enumerate(set_apart_first)))}
    lendable.sort(key=lambda p: (order.get(p.issue, len(order)), p.issue))
    # over the common denominator of prices and of the percentage, so that nothing is rounded on the way
    per = lcm(*(p.per_units for p in lendable))
    worth = [(p, _price_of(p) * (per // p.per_units) * 100) for p in lendable]
    excess = sum(p.units * unit for p, unit in worth) - COLLATERAL_PERCENT * debit_minor * per
    set_apart: list[tuple[str, int]] = []
    for position, unit in worth:
        if excess > 0 and unit:  # setting a worthless unit apart frees nothing
            units = min(position.units, -(-excess // unit))
            set_apart.append((position.issue, units))
            excess -= units * unit
    return MustHold(fully_paid, _sum_by_issue(set_apart))


def _sum_by_issue(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for issue, units in rows:
        if units:
            found[issue] = found.get(issue, 0) + units
    return {issue: found[issue] for issue in sorted(found)}


def _price_of(position: Position) -> int:
    if position.price_minor is None:
        raise Indeterminate(f"the price of {position.issue} is missing")
    return position.price_minor
