"""A data breach at a service provider, from the provider's report to the notices.

Owns: the documents of the simulated incident and the commands about it. Does not own: deadlines
and the order of steps; the engine keeps those. Source of the steps: 17 CFR 248.30(a).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from schemas.codes import AwareSource, Conclusion, DocumentType, NoticeChannel
from schemas.headers import Command
from schemas.incidents import (
    ApproveDetermination,
    ContainIncident,
    IdentifyAffected,
    OpenIncident,
    ProposeDetermination,
    RecordDocument,
    SendNotice,
)

INCIDENT_ID = 1
PROVIDER_ID = 7
REPORTER, INVESTIGATOR, APPROVER = 101, 102, 103
HOUR_NS = 3_600 * 1_000_000_000


class Document(NamedTuple):
    """One document on file."""

    document_id: int
    document_type: DocumentType
    text: str


def _documents(affected: tuple[int, ...]) -> tuple[Document, ...]:
    named = ", ".join(str(client_id) for client_id in affected)
    return (
        Document(
            501,
            DocumentType.PROVIDER_REPORT,
            "Report of provider 7, print and mail service.\n"
            "A file share with account statements was reachable without a password from 03:10 to "
            "05:45 UTC. Access logs show one download from an address that is not ours.\n",
        ),
        Document(
            502,
            DocumentType.CONTAINMENT,
            "Containment of incident 1.\n"
            "The share was closed at 05:45 UTC, its keys were replaced, and the provider confirmed "
            "that no other share was open. The statement feed to the provider is stopped.\n",
        ),
        Document(
            503,
            DocumentType.INVESTIGATION,
            "Investigation of incident 1.\n"
            f"The download held statements of the clients {named}. Each statement names the client "
            "and the account number on file.\n",
        ),
        Document(
            504,
            DocumentType.DETERMINATION,
            "Determination on incident 1.\n"
            "Sensitive customer information was accessed by an unknown person. Misuse that causes "
            "substantial harm or inconvenience cannot be ruled out. Conclusion: notify.\n",
        ),
        Document(
            505,
            DocumentType.NOTICE,
            "Notice to clients about incident 1.\n"
            "What happened, which information it concerns, what we have done, what you can do, and "
            "how to reach us. Please review your account statements and report what you do not "
            "recognise.\n",
        ),
    )


class Breach:
    """The incident of the day: the batches of commands, in order."""

    def __init__(self, folder: Path, client_ids: tuple[int, ...], morning_ns: int) -> None:
        self._folder = folder
        self._affected = client_ids
        self._morning_ns = morning_ns
        self._documents = {d.document_id: d for d in _documents(client_ids)}

    def report(self, at_ns: int) -> list[Command]:
        """The provider's report arrives: a document and an open incident."""
        return [
            self._record(501, at_ns),
            OpenIncident(
                sequence=0,
                received_at_ns=at_ns,
                incident_id=INCIDENT_ID,
                aware_source_code=AwareSource.PROVIDER,
                detected_at_ns=self._morning_ns - 5 * HOUR_NS,
                aware_at_ns=at_ns,
                provider_id=PROVIDER_ID,
                provider_aware_at_ns=self._morning_ns - 4 * HOUR_NS,
                is_sensitive=1,
                operator_id=REPORTER,
            ),
        ]

    def contain(self, at_ns: int) -> list[Command]:
        """The share is closed and the affected clients are known."""
        found: list[Command] = [
            IdentifyAffected(
                sequence=0,
                received_at_ns=at_ns,
                incident_id=INCIDENT_ID,
                client_id=client_id,
                operator_id=INVESTIGATOR,
            )
            for client_id in self._affected
        ]
        contained = ContainIncident(
            sequence=0,
            received_at_ns=at_ns,
            incident_id=INCIDENT_ID,
            document_id=502,
            operator_id=INVESTIGATOR,
        )
        return [self._record(502, at_ns), self._record(503, at_ns), *found, contained]

    def determine(self, at_ns: int) -> list[Command]:
        """One person proposes to notify; who proposes may not approve, another person does."""
        proposed = ProposeDetermination(
            sequence=0,
            received_at_ns=at_ns,
            incident_id=INCIDENT_ID,
            conclusion_code=Conclusion.NOTIFY,
            document_id=504,
            operator_id=INVESTIGATOR,
        )
        approvals: list[Command] = [
            ApproveDetermination(
                sequence=0, received_at_ns=at_ns, incident_id=INCIDENT_ID, operator_id=operator_id
            )
            for operator_id in (INVESTIGATOR, APPROVER)  # the first is refused: same person
        ]
        return [self._record(504, at_ns), proposed, *approvals]

    def notify(self, at_ns: int) -> list[Command]:
        """A notice goes to every affected client. The incident stays open until all is reviewed."""
        notices: list[Command] = [
            SendNotice(
                sequence=0,
                received_at_ns=at_ns,
                incident_id=INCIDENT_ID,
                client_id=client_id,
                notice_channel_code=(NoticeChannel.MAIL, NoticeChannel.ELECTRONIC)[number % 2],
                document_id=505,
                operator_id=REPORTER,
            )
            for number, client_id in enumerate(self._affected)
        ]
        return [self._record(505, at_ns), *notices]

    def _record(self, document_id: int, at_ns: int) -> RecordDocument:
        """Write the document and put its digest on record."""
        document = self._documents[document_id]
        content = document.text.encode()
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{document_id}.txt").write_bytes(content)
        digest = hashlib.sha256(content).digest()
        words = [int.from_bytes(digest[n : n + 8], "big", signed=True) for n in (0, 8, 16, 24)]
        return RecordDocument(
            sequence=0,
            received_at_ns=at_ns,
            document_id=document_id,
            document_type_code=document.document_type,
            operator_id=REPORTER,
            digest_a_word=words[0],
            digest_b_word=words[1],
            digest_c_word=words[2],
            digest_d_word=words[3],
        )
