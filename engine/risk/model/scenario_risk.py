"""Scenario risk of a profit-and-loss vector: expected shortfall by group, the worst group counts.

Owns: groups and their tails, expected shortfall, the tail set, Euler contributions, diversification. Does not
own: where vectors come from (revaluation.py), what is charged on top (charges.py).

A vector holds one whole number a scenario, groups one after the other. Vectors are arrays of Python integers,
which cannot overflow; arrays of numpy integers are taken in with `as_vector`.
Source: Acerbi and Tasche, On the coherence of expected shortfall (2002); a maximum of coherent measures is
coherent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from engine.errors import BadInput
from engine.risk.model.exact import ceiling, shared_out

Vector: TypeAlias = npt.NDArray[np.object_]

HISTORICAL, STRESS, EXTREME = "historical", "stress", "extreme"
GROUP_NAMES = (HISTORICAL, STRESS, EXTREME)
TAIL_SHARES = {
    HISTORICAL: Fraction(25, 1_000),
    STRESS: Fraction(5, 100),
}  # of a group's scenarios, rounded up


class Group(NamedTuple):
    """Scenarios that are looked at together: where they lie in a vector, how many of the worst count."""

    name: str
    start: int
    tail: int
    weights: tuple[int, ...]  # one a scenario: how many `weight_unit`ths of its loss count
    weight_unit: int
    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many scenarios it has."""
        return len(self.weights)

    def damping(self, scenario: int) -> Fraction:
        """The share of a scenario's loss that counts."""
        return Fraction(self.weights[scenario - self.start], self.weight_unit)

    @property
    def scenarios(self) -> range:
        """Their places in a vector."""
        return range(self.start, self.start + self.size)


class Tail(NamedTuple):
    """What a group says of a vector: its expected shortfall and the scenarios that make it, worst first."""

    shortfall: int
    scenarios: tuple[int, ...]


class ScenarioRisk(NamedTuple):
    """Scenario risk, and how it comes about."""

    total: int
    by_group: dict[str, int]  # a group in which nothing is lost has a shortfall below zero
    decided_by: Group | None  # nobody where nothing is lost
    tail: tuple[int, ...]  # of the group that decides


def default_tail(name: str, count: int) -> int:
    """How many of a group's scenarios count where nobody says: 2.5 % historical, 5 % stress, 1 extreme."""
    return max(1, ceiling(TAIL_SHARES.get(name, Fraction(0)) * count))


def make_group(
    name: str,
    start: int,
    count: int,
    tail: int | None = None,
    damping: Sequence[Fraction | int] | None = None,
    names: Sequence[str] = (),
) -> Group:
    """Put a group together; without damping losses count in full, without names they are numbered."""
    tail = default_tail(name, count) if tail is None else tail
    if count < 1:
        raise BadInput(f"{name}: a group needs at least one scenario")
    if not 1 <= tail <= count:
        raise BadInput(f"{name}: a tail of {tail} does not fit {count} scenarios")
    shares = tuple(Fraction(d) for d in damping) if damping is not None else (Fraction(1),) * count
    if len(shares) != count or any(d < 0 for d in shares):
        raise BadInput(f"{name}: damping needs {count} shares of zero or more, one a scenario")
    told = tuple(names) or tuple(f"{name} {n + 1}" for n in range(count))
    if len(told) != count:
        raise BadInput(f"{name}: {len(told)} names for {count} scenarios")
    unit = lcm(*(share.denominator for share in shares))
    return Group(name, start, tail, tuple(int(share * unit) for share in shares), unit, told)


def as_vector(values: Iterable[int] | npt.NDArray[Any]) -> Vector:
    """Whole numbers as a vector that cannot overflow; anything else is refused."""
    # numpy, left to choose, would make floats of a list that mixes signs with more than 63 bits
    known = values if isinstance(values, np.ndarray) else np.array(list(values), dtype=object)
    exact = known.astype(object)
    if any(type(v) is not int for v in exact):
        raise BadInput("a vector holds whole numbers only")
    return exact


def portfolio_vector(lots: Mapping[str, int], vectors: Mapping[str, Vector], count: int) -> Vector:
    """A = sum of lots x vector, one value a scenario."""
    total = np.zeros(count, dtype=object)
    for name, held in lots.items():
        total = total + held * vectors[name]
    return total


def reservation(orders: Iterable[tuple[int, Vector]], count: int) -> Vector:
    """W = sum over open orders (signed lots, vector) of min(0, lots x vector): no fills are worse."""
    total = np.zeros(count, dtype=object)
    for lots, vector in orders:
        total = total + np.minimum(lots * vector, 0)
    return total


def tail_of(group: Group, outcome: Vector) -> Tail:
    """Expected shortfall = the `tail` largest damped losses / tail, rounded up; of equals the earlier.

    All scenarios of the group compete, gains as losses below zero: a mean over losses only would not be
    sub-additive.
    """
    gains = [(outcome[s] * w, s) for s, w in zip(group.scenarios, group.weights, strict=True)]
    worst = sorted(gains)[: group.tail]
    mean = Fraction(-sum(gain for gain, _ in worst), group.weight_unit * group.tail)
    return Tail(ceiling(mean), tuple(s for _, s in worst))


def scenario_risk(groups: Sequence[Group], outcome: Vector) -> ScenarioRisk:
    """The largest expected shortfall of the groups, zero at least; of equal groups the first decides."""
    tails = [(group, tail_of(group, outcome)) for group in groups]
    by_group = {group.name: tail.shortfall for group, tail in tails}
    total = max(0, *by_group.values()) if by_group else 0
    if total == 0:
        return ScenarioRisk(0, by_group, None, ())
    decided_by, tail = next(pair for pair in tails if pair[1].shortfall == total)
    return ScenarioRisk(total, by_group, decided_by, tail.scenarios)


def tail_losses(risk: ScenarioRisk, parts: Mapping[str, Vector]) -> dict[str, Fraction]:
    """What each part loses on average over the tail of the group that decides, not rounded."""
    group = risk.decided_by
    if group is None:
        return dict.fromkeys(parts, Fraction(0))
    return {
        name: Fraction(
            -sum(int(v[s]) * group.weights[s - group.start] for s in risk.tail),
            group.weight_unit * group.tail,
        )
        for name, v in parts.items()
    }


def contributions(risk: ScenarioRisk, parts: Mapping[str, Vector]) -> dict[str, int]:
    """Euler contributions of parts that add up to the vector: they add up to the total exactly.

    Expected shortfall is homogeneous, so its derivative along a part is that part's mean loss over the tail.
    The total was rounded up; what rounding left over goes to the largest fractions, of equal ones to the
    first.
    Source: Tasche, Capital allocation to business units and sub-portfolios: the Euler principle (2008).
    """
    return shared_out(tail_losses(risk, parts), risk.total)


def diversification(groups: Sequence[Group], risk: ScenarioRisk, parts: Mapping[str, Vector]) -> int:
    """What the parts would need one by one beyond what they need together: never below zero."""
    return sum(scenario_risk(groups, part).total for part in parts.values()) - risk.total


def worst_scenarios(
    groups: Sequence[Group], outcome: Vector, count: int = 3
) -> list[tuple[Fraction, int, Group]]:
    """The largest damped losses over all groups: (loss, scenario, group), worst first."""
    found = [(-int(outcome[s]) * group.damping(s), s, group) for group in groups for s in group.scenarios]
    return sorted(found, key=lambda loss: (-loss[0], loss[1]))[:count]
