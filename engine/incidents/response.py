"""Assess and contain: documents, the opening of an incident, whom it affects, its containment.

Owns the first half of an incident's life. Does not own what is concluded: see `determination.py`.
Source: 17 CFR 248.30(a)(3)(i) and (ii).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import Emit, refuse
from engine.incidents.clocks import notice_due, provider_notice_due, retention_due
from engine.incidents.state import Incident
from schemas.codes import (
    AwareSource,
    Conclusion,
    DocumentType,
    IncidentClock,
    IncidentStatus,
    RejectReason,
)
from schemas.incidents import (
    AffectedIdentified,
    ClockStarted,
    ContainIncident,
    DocumentRecorded,
    IdentifyAffected,
    IncidentContained,
    IncidentOpened,
    OpenIncident,
    RecordDocument,
)

if TYPE_CHECKING:
    from engine.state import State

_DOCUMENT_TYPES = frozenset(DocumentType)
_AWARE_SOURCES = frozenset(AwareSource)


def is_on_record(state: State, document_id: int) -> bool:
    """Whether a document's digest was recorded."""
    return document_id in state.incidents.documents


def record_document(state: State, command: RecordDocument, emit: Emit) -> None:
    """Put a document's digest on record, or say why not."""
    reason = _why_not_record(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        DocumentRecorded,
        document_id=command.document_id,
        document_type_code=command.document_type_code,
        operator_id=command.operator_id,
        digest_a_word=command.digest_a_word,
        digest_b_word=command.digest_b_word,
        digest_c_word=command.digest_c_word,
        digest_d_word=command.digest_d_word,
    )


def _why_not_record(state: State, c: RecordDocument) -> RejectReason:
    if is_on_record(state, c.document_id):
        return RejectReason.ALREADY_EXISTS
    if c.document_type_code not in _DOCUMENT_TYPES:
        return RejectReason.UNKNOWN_CODE
    if not any((c.digest_a_word, c.digest_b_word, c.digest_c_word, c.digest_d_word)):
        return RejectReason.BAD_DECLARATION
    return RejectReason.NONE if c.document_id > 0 else RejectReason.BAD_DECLARATION


def open_incident(state: State, command: OpenIncident, emit: Emit) -> None:
    """Open an incident and start its clocks, or say why not.

    Who does not know when the firm became aware counts from the detection.
    """
    reason = _why_not_open(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    aware_at_ns = command.aware_at_ns or command.detected_at_ns
    opened = emit(
        IncidentOpened,
        incident_id=command.incident_id,
        aware_source_code=command.aware_source_code,
        detected_at_ns=command.detected_at_ns,
        aware_at_ns=aware_at_ns,
        provider_id=command.provider_id,
        provider_aware_at_ns=command.provider_aware_at_ns,
        is_sensitive=command.is_sensitive,
        operator_id=command.operator_id,
    )
    clocks = [(IncidentClock.NOTICE_TO_INDIVIDUALS, aware_at_ns, notice_due(aware_at_ns))]
    if command.provider_id:
        knew_at_ns = command.provider_aware_at_ns or command.detected_at_ns
        due_at_ns = provider_notice_due(knew_at_ns)
        clocks.append((IncidentClock.NOTICE_FROM_PROVIDER, knew_at_ns, due_at_ns))
    opened_at_ns = opened.occurred_at_ns
    clocks.append((IncidentClock.RETENTION, opened_at_ns, retention_due(opened_at_ns)))
    for clock, started_at_ns, due_at_ns in clocks:
        emit(
            ClockStarted,
            incident_id=command.incident_id,
            incident_clock_code=int(clock),
            started_at_ns=started_at_ns,
            due_at_ns=due_at_ns,
        )


def _why_not_open(state: State, c: OpenIncident) -> RejectReason:
    if c.incident_id in state.incidents.incidents:
        return RejectReason.ALREADY_EXISTS
    if c.aware_source_code not in _AWARE_SOURCES:
        return RejectReason.UNKNOWN_CODE
    if c.incident_id < 1 or c.detected_at_ns <= 0:
        return RejectReason.BAD_DECLARATION
    if c.aware_at_ns < 0 or c.provider_id < 0 or c.provider_aware_at_ns < 0:
        return RejectReason.BAD_DECLARATION
    return RejectReason.NONE


def identify_affected(state: State, command: IdentifyAffected, emit: Emit) -> None:
    """Name a client as affected, or say why not."""
    reason = _why_not_identify(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        AffectedIdentified,
        incident_id=command.incident_id,
        client_id=command.client_id,
        operator_id=command.operator_id,
    )


def _why_not_identify(state: State, c: IdentifyAffected) -> RejectReason:
    incident = state.incidents.incidents.get(c.incident_id)
    if incident is None:
        return RejectReason.UNKNOWN_REFERENCE
    if incident.status is IncidentStatus.CLOSED:
        return RejectReason.WRONG_STATE
    if c.client_id in incident.affected:
        return RejectReason.ALREADY_EXISTS
    return RejectReason.NONE if c.client_id > 0 else RejectReason.BAD_DECLARATION


def contain_incident(state: State, command: ContainIncident, emit: Emit) -> None:
    """Record that the incident is contained, or say why not. Notices do not wait for it."""
    reason = _why_not_contain(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        IncidentContained,
        incident_id=command.incident_id,
        document_id=command.document_id,
        operator_id=command.operator_id,
    )


def _why_not_contain(state: State, c: ContainIncident) -> RejectReason:
    incident = state.incidents.incidents.get(c.incident_id)
    if incident is None:
        return RejectReason.UNKNOWN_REFERENCE
    if incident.is_contained or incident.status is IncidentStatus.CLOSED:
        return RejectReason.WRONG_STATE
    if c.document_id and not is_on_record(state, c.document_id):
        return RejectReason.UNKNOWN_REFERENCE
    return RejectReason.NONE


def apply_document_recorded(state: State, event: DocumentRecorded) -> None:
    """The document can be referred to from now on."""
    state.incidents.documents[event.document_id] = event.document_type_code


def apply_incident_opened(state: State, event: IncidentOpened) -> None:
    """The incident is being assessed."""
    state.incidents.incidents[event.incident_id] = Incident()


def apply_clock_started(state: State, event: ClockStarted) -> None:
    """A clock is a fact for whoever watches deadlines; no decision here depends on it."""
    del state, event


def apply_affected_identified(state: State, event: AffectedIdentified) -> None:
    """One more client is affected; a no-notice conclusion that did not know of it falls."""
    incident = state.incidents.incidents[event.incident_id]
    incident.affected.add(event.client_id)
    if incident.conclusion is Conclusion.NO_NOTICE:
        incident.conclusion = None
        is_contained = incident.is_contained
        incident.status = IncidentStatus.CONTAINED if is_contained else IncidentStatus.ASSESSING


def apply_incident_contained(state: State, event: IncidentContained) -> None:
    """The incident is contained; a determination under way goes on."""
    incident = state.incidents.incidents[event.incident_id]
    incident.is_contained = True
    if incident.status is IncidentStatus.ASSESSING:
        incident.status = IncidentStatus.CONTAINED
