"""What settlement must remember: every obligation and where it stands, and the last cycle."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from schemas.codes import ObligationStatus
from schemas.derive.layout import row_tuple
from schemas.record import record_of
from schemas.settlement import SettlementInstructed


@dataclass
class Obligation:
    """One netted obligation: what was instructed, and what of it is still open."""

    instructed: SettlementInstructed
    open_units: int
    open_minor: int
    status: ObligationStatus = ObligationStatus.INSTRUCTED
    has_failed: bool = False  # stays true after a late settlement: what was open lay with the fails


@dataclass
class SettlementState:
    """Obligations by number; trades not yet netted lie with the positions, not here."""

    obligations: dict[int, Obligation] = field(default_factory=dict[int, Obligation])
    cycle_epoch_day: int = 0  # business day of the last completed cycle

    def dump(self) -> dict[str, Any]:
        """Plain lists, sorted by obligation number."""
        return {
            "cycle_epoch_day": self.cycle_epoch_day,
            "obligations": [_row_of(self.obligations[n]) for n in sorted(self.obligations)],
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> SettlementState:
        """The state that `dump` dumped."""
        loaded = [_obligation_of(row) for row in dumped["obligations"]]
        return cls({o.instructed.obligation_id: o for o in loaded}, dumped["cycle_epoch_day"])

    def canonical(self) -> bytes:
        """The same bytes for equal states, whatever their history."""
        return json.dumps(self.dump()).encode()


def _row_of(o: Obligation) -> list[int]:
    own = (o.open_units, o.open_minor, int(o.status), int(o.has_failed))
    return [*own, *(int(value) for value in row_tuple(o.instructed))]


def _obligation_of(row: list[int]) -> Obligation:
    open_units, open_minor, status, has_failed, *told = row
    names = [c.name for c in record_of(SettlementInstructed).columns]
    instructed = SettlementInstructed(**dict(zip(names, told, strict=True)))
    return Obligation(instructed, open_units, open_minor, ObligationStatus(status), bool(has_failed))
