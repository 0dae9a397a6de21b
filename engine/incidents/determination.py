"""Determine, notify, close: whether individuals are told, by two people, and that all were told.

Owns the second half of an incident's life. The presumption is notice: only a documented conclusion
that a second person approved lets it be left out. Source: 17 CFR 248.30(a)(3)(iii) and (a)(4)(i).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.emit import Emit, refuse
from engine.incidents.response import is_on_record
from schemas.codes import Conclusion, IncidentStatus, NoticeChannel, RejectReason
from schemas.incidents import (
    ApproveDetermination,
    CloseIncident,
    DeterminationApproved,
    DeterminationProposed,
    IncidentClosed,
    NoticeSent,
    ProposeDetermination,
    SendNotice,
)

if TYPE_CHECKING:
    from engine.state import State

_CONCLUSIONS = frozenset(Conclusion)
_CHANNELS = frozenset(NoticeChannel)
_DETERMINED = (IncidentStatus.NOTIFYING, IncidentStatus.NO_NOTICE)
_NOT_TO_PROPOSE = (IncidentStatus.NOTIFYING, IncidentStatus.CLOSED)


def propose_determination(state: State, command: ProposeDetermination, emit: Emit) -> None:
    """Propose a conclusion, or say why not.

    A proposal replaces one that nobody approved, and may turn a no-notice in force; a conclusion
    to notify stands.
    """
    reason = _why_not_propose(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        DeterminationProposed,
        incident_id=command.incident_id,
        conclusion_code=command.conclusion_code,
        document_id=command.document_id,
        operator_id=command.operator_id,
    )


def _why_not_propose(state: State, c: ProposeDetermination) -> RejectReason:
    incident = state.incidents.incidents.get(c.incident_id)
    if incident is None:
        return RejectReason.UNKNOWN_REFERENCE
    if incident.status in _NOT_TO_PROPOSE:
        return RejectReason.WRONG_STATE
    if c.conclusion_code not in _CONCLUSIONS:
        return RejectReason.UNKNOWN_CODE
    needs_document = c.document_id != 0 or c.conclusion_code == Conclusion.NO_NOTICE
    if needs_document and not is_on_record(state, c.document_id):
        return RejectReason.UNKNOWN_REFERENCE
    return RejectReason.NONE


def approve_determination(state: State, command: ApproveDetermination, emit: Emit) -> None:
    """Put the proposed conclusion in force, or say why not."""
    incident = state.incidents.incidents.get(command.incident_id)
    if incident is None:
        return refuse(emit, command, RejectReason.UNKNOWN_REFERENCE)
    conclusion = incident.conclusion
    if incident.status is not IncidentStatus.DETERMINATION_PROPOSED or conclusion is None:
        return refuse(emit, command, RejectReason.WRONG_STATE)
    if command.operator_id == incident.proposer_operator_id:
        return refuse(emit, command, RejectReason.SAME_PERSON)
    emit(
        DeterminationApproved,
        incident_id=command.incident_id,
        conclusion_code=int(conclusion),
        proposer_operator_id=incident.proposer_operator_id,
        approver_operator_id=command.operator_id,
    )


def send_notice(state: State, command: SendNotice, emit: Emit) -> None:
    """Record that an affected client was notified, or say why not."""
    reason = _why_not_send(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(
        NoticeSent,
        incident_id=command.incident_id,
        client_id=command.client_id,
        notice_channel_code=command.notice_channel_code,
        document_id=command.document_id,
        operator_id=command.operator_id,
    )


def _why_not_send(state: State, c: SendNotice) -> RejectReason:
    incident = state.incidents.incidents.get(c.incident_id)
    if incident is None:
        return RejectReason.UNKNOWN_REFERENCE
    if incident.status is not IncidentStatus.NOTIFYING:
        return RejectReason.WRONG_STATE
    if c.client_id not in incident.affected:
        return RejectReason.UNKNOWN_REFERENCE
    if c.client_id in incident.notified:
        return RejectReason.ALREADY_EXISTS
    if c.notice_channel_code not in _CHANNELS:
        return RejectReason.UNKNOWN_CODE
    if c.document_id and not is_on_record(state, c.document_id):
        return RejectReason.UNKNOWN_REFERENCE
    return RejectReason.NONE


def close_incident(state: State, command: CloseIncident, emit: Emit) -> None:
    """Close an incident, or say why not."""
    reason = _why_not_close(state, command)
    if reason is not RejectReason.NONE:
        return refuse(emit, command, reason)
    emit(IncidentClosed, incident_id=command.incident_id, operator_id=command.operator_id)


def _why_not_close(state: State, c: CloseIncident) -> RejectReason:
    incident = state.incidents.incidents.get(c.incident_id)
    if incident is None:
        return RejectReason.UNKNOWN_REFERENCE
    if incident.status is IncidentStatus.CLOSED:
        return RejectReason.WRONG_STATE
    if incident.owes_notice():
        return RejectReason.UNSENT_NOTICE
    if incident.status not in _DETERMINED or not incident.is_contained:
        return RejectReason.WRONG_STATE
    return RejectReason.NONE


def apply_determination_proposed(state: State, event: DeterminationProposed) -> None:
    """The conclusion waits for a second person."""
    incident = state.incidents.incidents[event.incident_id]
    incident.status = IncidentStatus.DETERMINATION_PROPOSED
    incident.conclusion = Conclusion(event.conclusion_code)
    incident.proposer_operator_id = event.operator_id


def apply_determination_approved(state: State, event: DeterminationApproved) -> None:
    """The conclusion is in force."""
    incident = state.incidents.incidents[event.incident_id]
    is_notify = event.conclusion_code == Conclusion.NOTIFY
    incident.status = IncidentStatus.NOTIFYING if is_notify else IncidentStatus.NO_NOTICE


def apply_notice_sent(state: State, event: NoticeSent) -> None:
    """One notice less is owed."""
    state.incidents.incidents[event.incident_id].notified.add(event.client_id)


def apply_incident_closed(state: State, event: IncidentClosed) -> None:
    """Nothing more can happen to the incident."""
    state.incidents.incidents[event.incident_id].status = IncidentStatus.CLOSED
