"""The scenarios by which accounts are margined, and what goes with them, as commands have set them.

Owns: the set in force, the set that is being prepared, names of factors, parameters. Does not own: profits
per lot and account vectors, which follow from these and from the marks (tables.py).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.codes import ScenarioGroup
from schemas.derive.layout import Rows, to_row
from schemas.risk import (
    UNTIL_SET,
    MarginModel,
    MarginModelRow,
    OptionTerms,
    Scenario,
    ScenarioAdded,
)

FACTOR_COUNT = 64
SCENARIO_COUNT = 512
LARGEST_RETURN_PPB = 4_000_000_000
"""What an instrument may gain or lose in a scenario: with more, vectors might not fit their words."""

Words = npt.NDArray[np.int64]
_OPTION = tuple(OptionTerms.__dataclass_fields__)


@dataclass
class ScenarioSetKept:
    """A set of scenarios: their groups and dampings, and what each factor does in each."""

    set_id: int = 0
    scenarios: list[Scenario] = field(default_factory=list[Scenario])
    returns: Words = field(default_factory=lambda: np.zeros((FACTOR_COUNT + 1, SCENARIO_COUNT), np.int64))
    historical_tail_count: int = 0
    stress_tail_count: int = 0

    def count_of(self, group: ScenarioGroup) -> int:
        """Scenarios of a group."""
        return sum(s.scenario_group_code == group for s in self.scenarios)

    def is_ordered(self) -> bool:
        """Whether historical scenarios come first, then stress, then extreme ones."""
        groups = [s.scenario_group_code for s in self.scenarios]
        return groups == sorted(groups)

    def dump(self) -> dict[str, Any]:
        """Plain lists; columns of factors that never move are left out."""
        moving = np.flatnonzero(self.returns.any(axis=1)).tolist()
        count = len(self.scenarios)
        return {
            "set_id": self.set_id,
            "tails": [self.historical_tail_count, self.stress_tail_count],
            "scenarios": [[getattr(s, f.name) for f in fields(Scenario)] for s in self.scenarios],
            "returns": {str(f): self.returns[f, :count].tolist() for f in moving},
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> ScenarioSetKept:
        """The set that `dump` dumped."""
        names = [f.name for f in fields(Scenario)]
        kept = cls(dumped["set_id"])
        kept.historical_tail_count, kept.stress_tail_count = dumped["tails"]
        kept.scenarios = [Scenario(**dict(zip(names, row, strict=True))) for row in dumped["scenarios"]]
        for factor, returns in dumped["returns"].items():
            kept.returns[int(factor), : len(returns)] = returns
        return kept

    def digest(self) -> str:
        """SHA-256 of the set, in hexadecimal."""
        return hashlib.sha256(json.dumps(self.dump()).encode()).hexdigest()


class GivenVector(NamedTuple):
    """A vector that was computed outside: profits of a lot as parts of a reference, by scenario of a set."""

    set_id: int
    reference_minor: int
    delta_ppm: int
    returns_ppb: list[int]

    @property
    def delta_minor(self) -> int:
        """What a lot counts as in charges, signed; rounded away from zero."""
        size = -(-self.reference_minor * abs(self.delta_ppm) // 1_000_000)
        return size if self.delta_ppm >= 0 else -size


@dataclass
class RiskState:
    """What margin depends on besides positions, marks and money."""

    active: ScenarioSetKept = field(default_factory=ScenarioSetKept)
    draft: ScenarioSetKept = field(default_factory=ScenarioSetKept)
    factors: dict[int, int] = field(default_factory=dict[int, int])  # packed name by number
    model: Rows = field(default_factory=lambda: to_row(MarginModelRow, UNTIL_SET))
    options: dict[int, OptionTerms] = field(default_factory=dict[int, OptionTerms])  # by instrument
    vectors: dict[int, GivenVector] = field(default_factory=dict[int, GivenVector])  # in force
    awaiting: dict[int, GivenVector] = field(
        default_factory=dict[int, GivenVector]
    )  # of the set in preparation
    vector_drafts: dict[int, tuple[int, list[int]]] = field(default_factory=dict[int, tuple[int, list[int]]])
    _digests: list[str] = field(default_factory=list[str], repr=False)

    def dump(self) -> dict[str, Any]:
        """Plain lists."""
        return {
            "active": self.active.dump(),
            "draft": self.draft.dump(),
            "factors": [[number, self.factors[number]] for number in sorted(self.factors)],
            "model": self.model[0].tolist(),
            **self._dump_given(),
        }

    def _dump_given(self) -> dict[str, Any]:
        """Options and vectors, by instrument in order."""
        options = {i: [getattr(terms, n) for n in _OPTION] for i, terms in self.options.items()}
        given = {"options": options, "vectors": self.vectors, "awaiting": self.awaiting}
        given |= {"vector_drafts": self.vector_drafts}
        return {name: [[i, list(by[i])] for i in sorted(by)] for name, by in given.items()}

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> RiskState:
        """The state that `dump` dumped."""
        state = cls(ScenarioSetKept.load(dumped["active"]), ScenarioSetKept.load(dumped["draft"]))
        state.factors = {number: name for number, name in dumped["factors"]}
        state.model[0] = tuple(dumped["model"])
        state.options = {i: OptionTerms(**dict(zip(_OPTION, v, strict=True))) for i, v in dumped["options"]}
        state.vectors = {i: GivenVector(*vector) for i, vector in dumped["vectors"]}
        state.awaiting = {i: GivenVector(*vector) for i, vector in dumped["awaiting"]}
        state.vector_drafts = {i: (set_id, returns) for i, (set_id, returns) in dumped["vector_drafts"]}
        return state

    def canonical(self) -> bytes:
        """The same bytes for equal states. The sets count by their digests, kept until one changes."""
        if not self._digests:
            self._digests = [self.active.digest(), self.draft.digest()]
        rest = [self._digests, sorted(self.factors.items()), self.model[0].tolist(), self._dump_given()]
        return json.dumps(rest).encode()

    # Applied --------------------------------------------------------------------------------------

    def set_model(self, model: MarginModel) -> None:
        """Margin by other parameters."""
        self.model[:] = to_row(MarginModelRow, model)

    def add_scenario(self, event: ScenarioAdded) -> None:
        """Prepare one scenario more; the first of another set drops what was prepared."""
        self._digests = []
        if event.scenario_set_id != self.draft.set_id:
            self.draft = ScenarioSetKept(event.scenario_set_id)
            self.awaiting = {}
        self.draft.scenarios.append(Scenario(**{f.name: getattr(event, f.name) for f in fields(Scenario)}))

    def set_return(self, factor_id: int, scenario_no: int, return_ppb: int) -> None:
        """Move a factor in a scenario that is being prepared."""
        self._digests = []
        self.draft.returns[factor_id, scenario_no - 1] = return_ppb

    def activate(self, historical_tail_count: int, stress_tail_count: int) -> None:
        """Put the prepared set in force."""
        self._digests = []
        self.active, self.draft = self.draft, ScenarioSetKept()
        self.vectors = {i: v for i, v in self.awaiting.items() if v.set_id == self.active.set_id}
        self.awaiting, self.vector_drafts = {}, {}
        self.active.historical_tail_count = historical_tail_count
        self.active.stress_tail_count = stress_tail_count


def returns_of(scenarios: ScenarioSetKept, terms: Any) -> list[int]:
    """The return of an instrument in every scenario of a set, in thousand-millionths, rounded down.

    `terms` is its row of InstrumentRiskRow. Computed in whole numbers of any length, so that every machine
    has the same.
    """
    one = 1_000_000_000

    if not terms["is_modelled"]:
        return [0] * len(scenarios.scenarios)

    def moves(factor: str, beta: int) -> list[int]:
        number = int(terms[factor])
        found: list[int] = scenarios.returns[number, : len(scenarios.scenarios)].tolist()
        return [one + (r * beta) // 1_000_000 for r in found] if number else [one] * len(found)

    first = moves("first_factor_id", int(terms["first_beta_ppm"]))
    second = moves("second_factor_id", int(terms["second_beta_ppm"]))
    basis = moves("basis_factor_id", 1_000_000)
    peg = moves("peg_factor_id", 1_000_000)
    return [
        (f * s // one + b - one) * p // one - one
        for f, s, b, p in zip(first, second, basis, peg, strict=True)
    ]
