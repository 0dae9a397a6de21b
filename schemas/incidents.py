"""Data incidents under Regulation S-P: found, assessed, contained, determined, notified, kept.

Source: 17 CFR 248.30. No name, address or account detail of a person stands here; a client_id does.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.headers import Command, Event
from schemas.kinds import (
    AwareSourceCode,
    ClientId,
    ConclusionCode,
    DocumentId,
    DocumentTypeCode,
    Flag,
    IncidentClockCode,
    IncidentId,
    Nanos,
    NoDocumentId,
    NoticeChannelCode,
    PersonId,
    ProviderId,
    Word,
)
from schemas.record import Role, field, record


@dataclass(frozen=True, kw_only=True)
class DocumentDigest:
    """A document by its digest."""

    document_id: DocumentId = field("Its number.")
    document_type_code: DocumentTypeCode = field("What it is.")
    operator_id: PersonId = field("Who recorded it.")
    digest_a_word: Word = field("SHA-256, bytes 0 to 7.")
    digest_b_word: Word = field("SHA-256, bytes 8 to 15.")
    digest_c_word: Word = field("SHA-256, bytes 16 to 23.")
    digest_d_word: Word = field("SHA-256, bytes 24 to 31.")


@dataclass(frozen=True, kw_only=True)
class IncidentReport:
    """What is known of an incident when it is reported."""

    incident_id: IncidentId = field("Its number.")
    aware_source_code: AwareSourceCode = field("Who found it first.")
    detected_at_ns: Nanos = field("When it was detected.")
    provider_id: ProviderId = field("The provider where it happened; zero for our own systems.")
    provider_aware_at_ns: Nanos = field("When the provider became aware; zero when not a provider's.")
    is_sensitive: Flag = field("Whether sensitive customer information is or may be affected.")
    operator_id: PersonId = field("Who reported it.")


@record(table="record_document", key="sequence", role=Role.COMMAND, type_code=60)
class RecordDocument(DocumentDigest, Command):
    """Put the digest of a document on record; the document itself is kept outside the journal."""


@record(table="open_incident", key="sequence", role=Role.COMMAND, type_code=61)
class OpenIncident(IncidentReport, Command):
    """Report that customer information may have been accessed without authority."""

    aware_at_ns: Nanos = field("When the firm became aware; zero when not known, then detection counts.")


@record(table="identify_affected", key="sequence", role=Role.COMMAND, type_code=62)
class IdentifyAffected(Command):
    """Name a client whose information was or is likely to have been accessed."""

    incident_id: IncidentId = field("The incident.")
    client_id: ClientId = field("Whose information.")
    operator_id: PersonId = field("Who found so.")


@record(table="contain_incident", key="sequence", role=Role.COMMAND, type_code=63)
class ContainIncident(Command):
    """Report that the incident is contained and controlled."""

    incident_id: IncidentId = field("The incident.")
    document_id: NoDocumentId = field("What was done.")
    operator_id: PersonId = field("Who did it.")


@record(table="propose_determination", key="sequence", role=Role.COMMAND, type_code=64)
class ProposeDetermination(Command):
    """Propose whether individuals must be notified, with the written reasons."""

    incident_id: IncidentId = field("The incident.")
    conclusion_code: ConclusionCode = field("Notify, or no notice.")
    document_id: NoDocumentId = field("Facts and reasoning.")
    operator_id: PersonId = field("Who proposes.")


@record(table="approve_determination", key="sequence", role=Role.COMMAND, type_code=65)
class ApproveDetermination(Command):
    """Approve the proposed determination; must be somebody else."""

    incident_id: IncidentId = field("The incident.")
    operator_id: PersonId = field("Who approves.")


@record(table="send_notice", key="sequence", role=Role.COMMAND, type_code=66)
class SendNotice(Command):
    """Report that a notice went to an affected client."""

    incident_id: IncidentId = field("The incident.")
    client_id: ClientId = field("To whom.")
    notice_channel_code: NoticeChannelCode = field("How.")
    document_id: NoDocumentId = field("The copy on file.")
    operator_id: PersonId = field("Who sent it.")


@record(table="close_incident", key="sequence", role=Role.COMMAND, type_code=67)
class CloseIncident(Command):
    """Close an incident; refused while a notice is unsent."""

    incident_id: IncidentId = field("The incident.")
    operator_id: PersonId = field("Who closes it.")


@record(table="documents", key="document_id", role=Role.EVENT, type_code=170)
class DocumentRecorded(DocumentDigest, Event):
    """A document's digest is on record."""


@record(table="incidents", key="incident_id", role=Role.EVENT, type_code=171)
class IncidentOpened(IncidentReport, Event):
    """An incident is on record and being assessed."""

    aware_at_ns: Nanos = field("When the firm became aware; detection when that was not known.")


@record(table="incident_clocks", key="sequence", role=Role.EVENT, type_code=172)
class ClockStarted(Event):
    """A deadline of Regulation S-P began to run."""

    incident_id: IncidentId = field("The incident.")
    incident_clock_code: IncidentClockCode = field("Which deadline.")
    started_at_ns: Nanos = field("From when it runs.")
    due_at_ns: Nanos = field("When it ends.", cite="17 CFR 248.30(a)(4)(iii)")


@record(table="affected_clients", key="sequence", role=Role.EVENT, type_code=173)
class AffectedIdentified(Event):
    """A client's information was or is likely to have been accessed."""

    incident_id: IncidentId = field("The incident.")
    client_id: ClientId = field("Whose information.")
    operator_id: PersonId = field("Who found so.")


@record(table="containments", key="sequence", role=Role.EVENT, type_code=174)
class IncidentContained(Event):
    """The incident is contained and controlled. Source: 17 CFR 248.30(a)(3)(ii)."""

    incident_id: IncidentId = field("The incident.")
    document_id: NoDocumentId = field("What was done.")
    operator_id: PersonId = field("Who did it.")


@record(table="determination_proposals", key="sequence", role=Role.EVENT, type_code=175)
class DeterminationProposed(Event):
    """One person concluded whether to notify."""

    incident_id: IncidentId = field("The incident.")
    conclusion_code: ConclusionCode = field("Notify, or no notice.")
    document_id: NoDocumentId = field("Facts and reasoning.")
    operator_id: PersonId = field("Who proposes.")


@record(table="determinations", key="sequence", role=Role.EVENT, type_code=176)
class DeterminationApproved(Event):
    """A second person approved the conclusion; it is in force."""

    incident_id: IncidentId = field("The incident.")
    conclusion_code: ConclusionCode = field("Notify, or no notice.")
    proposer_operator_id: PersonId = field("Who proposed.")
    approver_operator_id: PersonId = field("Who approved.")


@record(table="notices", key="sequence", role=Role.EVENT, type_code=177)
class NoticeSent(Event):
    """An affected client was notified. Source: 17 CFR 248.30(a)(4)."""

    incident_id: IncidentId = field("The incident.")
    client_id: ClientId = field("To whom.")
    notice_channel_code: NoticeChannelCode = field("How.")
    document_id: NoDocumentId = field("The copy on file.")
    operator_id: PersonId = field("Who sent it.")


@record(table="incident_closures", key="sequence", role=Role.EVENT, type_code=178)
class IncidentClosed(Event):
    """Nothing is left to do but to keep the record."""

    incident_id: IncidentId = field("The incident.")
    operator_id: PersonId = field("Who closed it.")
