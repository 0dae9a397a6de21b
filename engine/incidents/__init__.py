"""Incidents: what each command does and what each event changes."""

from __future__ import annotations

from engine.emit import Applier, Handler
from engine.incidents.determination import (
    apply_determination_approved,
    apply_determination_proposed,
    apply_incident_closed,
    apply_notice_sent,
    approve_determination,
    close_incident,
    propose_determination,
    send_notice,
)
from engine.incidents.response import (
    apply_affected_identified,
    apply_clock_started,
    apply_document_recorded,
    apply_incident_contained,
    apply_incident_opened,
    contain_incident,
    identify_affected,
    open_incident,
    record_document,
)
from schemas.headers import Command, Event
from schemas.incidents import (
    AffectedIdentified,
    ApproveDetermination,
    ClockStarted,
    CloseIncident,
    ContainIncident,
    DeterminationApproved,
    DeterminationProposed,
    DocumentRecorded,
    IdentifyAffected,
    IncidentClosed,
    IncidentContained,
    IncidentOpened,
    NoticeSent,
    OpenIncident,
    ProposeDetermination,
    RecordDocument,
    SendNotice,
)

HANDLERS: dict[type[Command], Handler] = {
    RecordDocument: record_document,
    OpenIncident: open_incident,
    IdentifyAffected: identify_affected,
    ContainIncident: contain_incident,
    ProposeDetermination: propose_determination,
    ApproveDetermination: approve_determination,
    SendNotice: send_notice,
    CloseIncident: close_incident,
}

APPLIERS: dict[type[Event], Applier] = {
    DocumentRecorded: apply_document_recorded,
    IncidentOpened: apply_incident_opened,
    ClockStarted: apply_clock_started,
    AffectedIdentified: apply_affected_identified,
    IncidentContained: apply_incident_contained,
    DeterminationProposed: apply_determination_proposed,
    DeterminationApproved: apply_determination_approved,
    NoticeSent: apply_notice_sent,
    IncidentClosed: apply_incident_closed,
}
