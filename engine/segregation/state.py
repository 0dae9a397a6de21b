"""What the engine remembers of the reserve: accounts, orders, requirements, and the facts of a withdrawal.

Owns the state alone. Facts on which no decision of the engine depends are in the journal and not here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Order(NamedTuple):
    """A prepared order that moves something and waits for a second person."""

    asset_id: int
    amount_units: int  # positive deposits, negative withdraws
    as_of_epoch_day: int
    bank_id: int
    formula: int
    required_minor: int
    maker_operator_id: int


class Computed(NamedTuple):
    """What a computation on record says must be on deposit; those that were rejected are not kept."""

    formula: int
    as_of_epoch_day: int
    sequence: int
    required_minor: int


Account = tuple[int, int]  # bank, formula


@dataclass
class SegregationState:
    """Accounts by bank and formula, orders and computations by payment, facts by what they are of."""

    accounts: dict[Account, int] = field(default_factory=dict[Account, int])  # whether an affiliate's
    waiting: dict[int, Order] = field(default_factory=dict[int, Order])
    computed: dict[int, Computed] = field(default_factory=dict[int, Computed])
    rejected: set[int] = field(default_factory=set[int])
    equity_minor: dict[int, int] = field(default_factory=dict[int, int])  # by bank
    focus_filed: dict[int, int] = field(default_factory=dict[int, int])  # month end -> day of the last filing
    qualified: set[int] = field(default_factory=set[int])  # assets
    instructions: set[int] = field(default_factory=set[int])  # items that are not completed

    def required_minor(self, formula: int) -> int:
        """What must be on deposit by the latest computation of a formula; of one day, the last prepared."""
        known = [c for c in self.computed.values() if c.formula == formula]
        if not known:
            return 0
        return max(known, key=lambda c: (c.as_of_epoch_day, c.sequence)).required_minor

    def dump(self) -> dict[str, Any]:
        """Plain lists, sorted."""
        return {
            "accounts": [[*key, self.accounts[key]] for key in sorted(self.accounts)],
            "waiting": [[number, *self.waiting[number]] for number in sorted(self.waiting)],
            "computed": [[number, *self.computed[number]] for number in sorted(self.computed)],
            "rejected": sorted(self.rejected),
            "equity_minor": [[bank, self.equity_minor[bank]] for bank in sorted(self.equity_minor)],
            "focus_filed": [[month, self.focus_filed[month]] for month in sorted(self.focus_filed)],
            "qualified": sorted(self.qualified),
            "instructions": sorted(self.instructions),
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> SegregationState:
        """The state that `dump` dumped."""
        return cls(
            {(bank, formula): is_affiliate for bank, formula, is_affiliate in dumped["accounts"]},
            {number: Order(*row) for number, *row in dumped["waiting"]},
            {number: Computed(*row) for number, *row in dumped["computed"]},
            set(dumped["rejected"]),
            {bank: equity for bank, equity in dumped["equity_minor"]},
            {month: filed for month, filed in dumped["focus_filed"]},
            set(dumped["qualified"]),
            set(dumped["instructions"]),
        )

    def canonical(self) -> bytes:
        """The same bytes for equal states, whatever their history."""
        return json.dumps(self.dump()).encode()
