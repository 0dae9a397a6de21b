"""What incidents must remember: where each stands, whom it affects, what is on record."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from schemas.codes import Conclusion, IncidentStatus


@dataclass
class Incident:
    """One incident. A conclusion of None is the presumption: notify."""

    status: IncidentStatus = IncidentStatus.ASSESSING
    is_contained: bool = False
    conclusion: Conclusion | None = None
    proposer_operator_id: int = 0
    affected: set[int] = field(default_factory=set[int])  # clients
    notified: set[int] = field(default_factory=set[int])  # a part of the affected

    def owes_notice(self) -> bool:
        """Whether a notice is unsent. Unless a no-notice is in force, notices are owed.

        Concluding to notify and naming nobody leaves all notices unsent.
        """
        if self.status is IncidentStatus.NO_NOTICE:
            return False
        is_nobody_named = self.status is IncidentStatus.NOTIFYING and not self.affected
        return is_nobody_named or self.affected != self.notified


@dataclass
class IncidentState:
    """Incidents by number, and the type of each recorded document by number."""

    incidents: dict[int, Incident] = field(default_factory=dict[int, Incident])
    documents: dict[int, int] = field(default_factory=dict[int, int])

    def dump(self) -> dict[str, Any]:
        """Plain lists, sorted by number."""
        return {
            "incidents": [[n, *_row_of(self.incidents[n])] for n in sorted(self.incidents)],
            "documents": [[n, self.documents[n]] for n in sorted(self.documents)],
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> IncidentState:
        """The state that `dump` dumped."""
        incidents = {number: _incident_of(row) for number, *row in dumped["incidents"]}
        return cls(incidents, {number: kind for number, kind in dumped["documents"]})

    def canonical(self) -> bytes:
        """The same bytes for equal states, whatever their history."""
        return json.dumps(self.dump()).encode()


def _row_of(i: Incident) -> list[Any]:
    conclusion = 0 if i.conclusion is None else int(i.conclusion)
    people = sorted(i.affected), sorted(i.notified)
    return [int(i.status), int(i.is_contained), conclusion, i.proposer_operator_id, *people]


def _incident_of(row: list[Any]) -> Incident:
    status, is_contained, conclusion, proposer, affected, notified = row
    return Incident(
        IncidentStatus(status),
        bool(is_contained),
        Conclusion(conclusion) if conclusion else None,
        proposer,
        set(affected),
        set(notified),
    )
