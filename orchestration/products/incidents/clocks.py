"""Where each Regulation S-P deadline stands, from an incident's timeline alone.

Owns: one rule a clock. Does not own: when a clock starts or is due; the engine journaled that.
The product and the offline verifier use the same function, so a bundle proves its own clocks.

Source: 17 CFR 248.30(a)(4) and (a)(5), 17 CFR 240.17a-4(e)(14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.codes import Conclusion, IncidentClock

Entry = Mapping[str, Any]
"""One event of a timeline: `record`, `sequence`, `occurred_at_ns` and the event's own `fields`."""


def clock_statuses(timeline: Sequence[Entry], as_of_ns: int) -> list[dict[str, Any]]:
    """Each clock that was started: start, due, end, and MET, LATE, RUNNING, OVERDUE or ENDED."""
    started = {e["fields"]["incident_clock_code"]: e for e in timeline if e["record"] == "ClockStarted"}
    delay = started.get(IncidentClock.ATTORNEY_GENERAL_DELAY.name)
    statuses: list[dict[str, Any]] = []
    for clock in IncidentClock:
        if (entry := started.get(clock.name)) is None:
            continue
        fields = entry["fields"]
        due_ns = fields["due_at_ns"]
        if clock is IncidentClock.NOTICE_TO_INDIVIDUALS and delay is not None:
            due_ns = max(due_ns, delay["fields"]["due_at_ns"])
        ended_ns = _ended_at_ns(clock, timeline)
        statuses.append(
            {
                "clock": clock.name,
                "started_at_ns": fields["started_at_ns"],
                "due_at_ns": due_ns,
                "ended_at_ns": ended_ns,
                "status": _status(clock, due_ns, ended_ns, as_of_ns),
            }
        )
    return statuses


def unnotified(timeline: Sequence[Entry]) -> list[int]:
    """Affected clients who were not sent a notice, ascending."""
    affected = {e["fields"]["client_id"] for e in timeline if e["record"] == "AffectedIdentified"}
    noticed = {e["fields"]["client_id"] for e in timeline if e["record"] == "NoticeSent"}
    return sorted(affected - noticed)


def _ended_at_ns(clock: IncidentClock, timeline: Sequence[Entry]) -> int:
    """When the duty behind a clock was done; zero while it is not."""
    if clock is IncidentClock.NOTICE_TO_INDIVIDUALS:
        for entry in timeline:
            decided = entry["record"] == "DeterminationApproved"
            if decided and entry["fields"]["conclusion_code"] == Conclusion.NO_NOTICE.name:
                return int(entry["occurred_at_ns"])
        first: dict[int, int] = {}
        for entry in timeline:
            if entry["record"] == "NoticeSent":
                first.setdefault(entry["fields"]["client_id"], entry["occurred_at_ns"])
        return max(first.values()) if first and not unnotified(timeline) else 0
    if clock is IncidentClock.NOTICE_FROM_PROVIDER:
        opened = next(e for e in timeline if e["record"] == "IncidentOpened")
        return int(opened["fields"]["aware_at_ns"])  # the provider's notice made the firm aware
    return 0


def _status(clock: IncidentClock, due_ns: int, ended_ns: int, as_of_ns: int) -> str:
    if ended_ns:
        return "MET" if ended_ns <= due_ns else "LATE"
    if as_of_ns <= due_ns:
        return "RUNNING"
    is_duty = clock in (IncidentClock.NOTICE_TO_INDIVIDUALS, IncidentClock.NOTICE_FROM_PROVIDER)
    return "OVERDUE" if is_duty else "ENDED"
