"""What must be true of incident evidence. Runbook: docs/operations/incident-clock.md."""

from __future__ import annotations

from engine.clock import Clock
from engine.config import Home
from orchestration.checks import row_check
from orchestration.products.incidents.assets import KEY, bundle_folder, events_by_incident
from orchestration.products.incidents.bundle import timeline_of
from orchestration.products.incidents.clocks import clock_statuses
from orchestration.products.incidents.verify import verify_bundle
from orchestration.products.papers import instant_text
from orchestration.signing import sign


@row_check(
    asset=KEY.path,
    name="bundles_verify",
    description="Every bundle verifies from its folder alone, under the firm's own key.",
)
def bundles_verify(home: Home, clock: Clock) -> list[str]:
    """Problems of all bundles."""
    own = sign(home, b"").fingerprint
    return [
        f"incident {incident_id}: {problem}"
        for incident_id in sorted(events_by_incident(home))
        for problem in verify_bundle(bundle_folder(home, incident_id), expected_fingerprint=own)
    ]


@row_check(
    asset=KEY.path,
    name="no_clock_overdue",
    description="No duty of Regulation S-P is past its deadline and undone at this moment.",
)
def no_clock_overdue(home: Home, clock: Clock) -> list[str]:
    """Clocks that ran out with the duty undone, by the wall clock and not by the as-of day."""
    return [
        f"incident {incident_id}: {c['clock']} was due {instant_text(c['due_at_ns'])}"
        for incident_id, events in sorted(events_by_incident(home).items())
        for c in clock_statuses(timeline_of(events), clock.now_ns())
        if c["status"] == "OVERDUE"
    ]


@row_check(
    asset=KEY.path,
    name="no_clock_met_late",
    description="No duty of Regulation S-P was done after its deadline.",
    blocking=False,
)
def no_clock_met_late(home: Home, clock: Clock) -> list[str]:
    """Clocks whose duty was done too late; done is done, so this holds nothing up."""
    return [
        f"incident {incident_id}: {c['clock']} was due {instant_text(c['due_at_ns'])}"
        for incident_id, events in sorted(events_by_incident(home).items())
        for c in clock_statuses(timeline_of(events), clock.now_ns())
        if c["status"] == "LATE"
    ]


CHECKS = (bundles_verify, no_clock_overdue, no_clock_met_late)
