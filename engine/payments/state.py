"""What payments must remember: every number used, and what the bank still has to pay."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Payable(NamedTuple):
    """A withdrawal that was approved, or a draft that is out, and not yet paid."""

    account_id: int
    asset_id: int
    amount_units: int


@dataclass
class PaymentState:
    """One set of numbers for deposits, withdrawals, transfers and reserve orders, for ever."""

    used: set[int] = field(default_factory=set[int])
    payable: dict[int, Payable] = field(default_factory=dict[int, Payable])
    paid: set[int] = field(default_factory=set[int])
    drafts: dict[int, Payable] = field(default_factory=dict[int, Payable])
    paid_drafts: set[int] = field(default_factory=set[int])

    def dump(self) -> dict[str, Any]:
        """Plain lists, sorted by payment number."""
        return {
            "used": sorted(self.used),
            "payable": [[number, *self.payable[number]] for number in sorted(self.payable)],
            "paid": sorted(self.paid),
            "drafts": [[number, *self.drafts[number]] for number in sorted(self.drafts)],
            "paid_drafts": sorted(self.paid_drafts),
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> PaymentState:
        """The state that `dump` dumped."""
        payable = {number: Payable(*row) for number, *row in dumped["payable"]}
        drafts = {number: Payable(*row) for number, *row in dumped["drafts"]}
        return cls(set(dumped["used"]), payable, set(dumped["paid"]), drafts, set(dumped["paid_drafts"]))

    def canonical(self) -> bytes:
        """The same bytes for equal states, whatever their history."""
        return json.dumps(self.dump()).encode()
