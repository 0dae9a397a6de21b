"""One incident's evidence: which files, with which bytes.

Owns the content of a bundle; a pure function of journaled events, frames and documents, so that the same
journal gives the same bytes. Does not own signing (`signed_folder.py`) or the folder (`assets.py`).
No name, address or account of a person is in it: clients stand as client_id, copies of notices as digests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.journal.frame import Frame
from orchestration.lake.tables import end_of_day_ns
from orchestration.products import pages
from orchestration.products.incidents.clocks import Entry, clock_statuses, unnotified
from orchestration.products.papers import instant_text, readable_json
from schemas.codes import DocumentType
from schemas.headers import Event
from schemas.incidents import DocumentRecorded
from schemas.record import RecordType, Role, in_lake, record_of

FORMAT_VERSION = 1
HEADER = ("sequence", "cause_sequence", "occurred_at_ns")
NEVER_COPIED = (DocumentType.NOTICE,)  # a copy of a notice names the person it went to


def incident_records() -> list[RecordType]:
    """Every event record that belongs to one incident."""
    return [r for r in in_lake() if r.role is Role.EVENT and "incident_id" in [c.name for c in r.columns]]


def timeline_of(events: Iterable[Event]) -> list[Entry]:
    """Events in their one order, codes by name."""
    return [_entry(e) for e in sorted(events, key=lambda e: e.sequence)]


def _entry(event: Event) -> Entry:
    declared = record_of(type(event))
    fields: dict[str, Any] = {}
    for column in declared.columns:
        value = getattr(event, column.name)
        if column.name in HEADER:
            continue
        fields[column.name] = column.kind.codes(value).name if column.kind.codes else value
    return {
        "record": declared.name,
        "sequence": event.sequence,
        "cause_sequence": event.cause_sequence,
        "occurred_at_ns": event.occurred_at_ns,
        "occurred_at": instant_text(event.occurred_at_ns),
        "fields": fields,
    }


def digest_of(document: DocumentRecorded) -> str:
    """The SHA-256 that four journaled words make."""
    words = (
        document.digest_a_word,
        document.digest_b_word,
        document.digest_c_word,
        document.digest_d_word,
    )
    return b"".join(w.to_bytes(8, "big", signed=True) for w in words).hex()


def proof_of(frames: Sequence[Frame], sequences: Iterable[int]) -> list[dict[str, Any]]:
    """The journal frames that hold the sequences, by index and chain hash."""
    wanted = set(sequences)
    return [
        {
            "frame_index": f.index,
            "first_sequence": f.first_sequence,
            "last_sequence": f.last_sequence,
            "chain_hash": f.chain_hash.hex(),
            "sequences": sorted(s for s in wanted if f.first_sequence <= s <= f.last_sequence),
        }
        for f in frames
        if any(f.first_sequence <= s <= f.last_sequence for s in wanted)
    ]


def as_of_for(events: Sequence[Event], as_of_epoch_day: int) -> int:
    """The day a bundle speaks of: the as-of day, or the day of closing, after which nothing changes."""
    closed = [e.occurred_at_ns for e in events if type(e).__name__ == "IncidentClosed"]
    day_ns = end_of_day_ns(0)
    return min([as_of_epoch_day, *(at_ns // day_ns for at_ns in closed)])


def bundle_files(
    incident_id: int,
    events: Sequence[Event],
    documents: Mapping[str, bytes],
    frames: Sequence[Frame],
    as_of_epoch_day: int,
) -> dict[str, bytes]:
    """The files of one incident's bundle by path, without manifest and signature.

    `events` are the incident's own and those of the documents it names; `documents` are bytes by digest.
    """
    timeline = timeline_of(events)
    day = as_of_for(events, as_of_epoch_day)
    as_of_ns = end_of_day_ns(day)
    statuses = clock_statuses(timeline, as_of_ns)
    clocks = {"incident_id": incident_id, "as_of_ns": as_of_ns, "clocks": statuses}
    papers = _documents(events, documents)
    files = {
        "timeline.json": readable_json({"incident_id": incident_id, "events": timeline}),
        "clocks.json": readable_json(clocks),
        "notices.json": readable_json(_notices(timeline)),
        "documents.json": readable_json([p for p, _ in papers]),
        "journal_proof.json": readable_json(proof_of(frames, [e.sequence for e in events])),
        "index.html": _index(incident_id, timeline, statuses, [p for p, _ in papers]),
    }
    files.update({p["path"]: content for p, content in papers if content is not None})
    return files


def heading_of(incident_id: int) -> dict[str, Any]:
    """What the manifest says that the folder is."""
    return {"format_version": FORMAT_VERSION, "incident_id": incident_id}


def _notices(timeline: Sequence[Entry]) -> dict[str, Any]:
    sent = [
        {"sent_at_ns": e["occurred_at_ns"], "sequence": e["sequence"], **e["fields"]}
        for e in timeline
        if e["record"] == "NoticeSent"
    ]
    return {"sent": sent, "unnotified_client_ids": unnotified(timeline)}


def _documents(
    events: Sequence[Event], documents: Mapping[str, bytes]
) -> list[tuple[dict[str, Any], bytes | None]]:
    papers: list[tuple[dict[str, Any], bytes | None]] = []
    for event in sorted(events, key=lambda e: e.sequence):
        if not isinstance(event, DocumentRecorded):
            continue
        digest = digest_of(event)
        kind = DocumentType(event.document_type_code)
        content = None if kind in NEVER_COPIED else documents.get(digest)
        paper = {
            "document_id": event.document_id,
            "document_type": kind.name,
            "sha256": digest,
            "recorded_sequence": event.sequence,
            "path": f"documents/{digest}" if content is not None else "",
        }
        papers.append((paper, content))
    return papers


def _index(
    incident_id: int,
    timeline: Sequence[Entry],
    clocks: Sequence[Mapping[str, Any]],
    papers: Sequence[Mapping[str, Any]],
) -> bytes:
    def told(fields: Mapping[str, Any]) -> str:
        shown = {k: instant_text(v) if k.endswith("_at_ns") and v else v for k, v in fields.items()}
        return ", ".join(f"{k} {v}" for k, v in shown.items() if k != "incident_id")

    return pages.page(
        f"Incident {incident_id}: evidence",
        "Every line is an event of the journal. Check this folder with `onebook verify evidence`.",
        pages.table(
            "Deadlines of Regulation S-P",
            ("Clock", "Started", "Due", "Done", "Status"),
            [
                (
                    c["clock"],
                    instant_text(c["started_at_ns"]),
                    instant_text(c["due_at_ns"]),
                    instant_text(c["ended_at_ns"]) if c["ended_at_ns"] else "",
                    c["status"],
                )
                for c in clocks
            ],
        ),
        pages.table(
            "Timeline",
            ("Sequence", "When", "Event", "What"),
            [(str(e["sequence"]), e["occurred_at"], e["record"], told(e["fields"])) for e in timeline],
            numbers=(0,),
        ),
        pages.table(
            "Documents on record",
            ("Number", "Type", "SHA-256", "In this folder"),
            [
                (str(p["document_id"]), p["document_type"], p["sha256"], p["path"] or "kept elsewhere")
                for p in papers
            ],
            numbers=(0,),
        ),
    )
