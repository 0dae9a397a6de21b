"""Incident evidence: one signed folder an incident, remade when its incident moved on.

Owns: gathering, writing and registering bundles. Does not own: what a bundle says (`bundle.py`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import dagster as dg

from engine.clock import Clock
from engine.config import Home
from engine.journal.frame import Frame
from engine.journal.reader import read_frames
from orchestration.lake.tables import append_new, as_of_epoch_day, lake_rows
from orchestration.products.incidents import bundle
from orchestration.products.papers import sha256_of
from orchestration.products.signed_folder import MANIFEST, is_in_place, put_in_place, seal
from schemas.external import EvidenceBundle
from schemas.headers import Event
from schemas.incidents import DocumentRecorded

KEY = dg.AssetKey(["products", "incidents"])
INPUTS = [["lake", r.table] for r in bundle.incident_records()] + [["lake", "documents"]]


@dg.asset(
    key=KEY,
    deps=[*INPUTS, ["lake", "evidence_bundles"]],
    group_name="products",
    kinds={"json", "html"},
    owners=["team:privacy"],
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=1)),
    description="A signed evidence folder for each data incident. Source: 17 CFR 248.30.",
)
def incidents(home: dg.ResourceParam[Home], clock: dg.ResourceParam[Clock]) -> dg.MaterializeResult:
    """Make the bundle of every incident that the lake knows."""
    made = make_bundles(home, clock)
    return dg.MaterializeResult(
        metadata={"bundles": len(made), "folders": "\n".join(b.path for b in made) or "none"}
    )


def documents_folder(home: Home) -> Path:
    """Where documents lie whose digests are on record."""
    return home.root / "documents"


def bundle_folder(home: Home, incident_id: int) -> Path:
    """Where the newest bundle of an incident lies."""
    return home.evidence / f"incident-{incident_id}"


def make_bundles(home: Home, clock: Clock) -> list[EvidenceBundle]:
    """Write the bundle of each incident as of the lake's latest business day and register what is new."""
    day = as_of_epoch_day(home)
    by_incident = events_by_incident(home)
    if day is None or not by_incident:
        return []
    frames = _frames_of(home, (e.sequence for events in by_incident.values() for e in events))
    documents = _documents_on_file(home)
    made = [
        write_bundle(
            home,
            clock,
            incident_id,
            bundle.bundle_files(incident_id, events, documents, frames, day),
        )
        for incident_id, events in sorted(by_incident.items())
    ]
    append_new(home, made)
    return made


def events_by_incident(home: Home) -> dict[int, list[Event]]:
    """The events of each incident, with the records of the documents that they name."""
    found: dict[int, list[Event]] = {}
    for record in bundle.incident_records():
        for event in lake_rows(home, record.cls):
            found.setdefault(event.incident_id, []).append(event)
    recorded = {d.document_id: d for d in lake_rows(home, DocumentRecorded)}
    for events in found.values():
        named = {getattr(e, "document_id", 0) for e in events}
        events.extend(recorded[n] for n in sorted(named & recorded.keys()))
    return found


def write_bundle(home: Home, clock: Clock, incident_id: int, files: Mapping[str, bytes]) -> EvidenceBundle:
    """Sign a bundle's files and put them in place of the incident's former bundle, which is kept aside."""
    sealed = seal(home, files, bundle.heading_of(incident_id))
    target = bundle_folder(home, incident_id)
    if not is_in_place(target, sealed):
        _put_aside(home, target)
        put_in_place(target, sealed)
    return EvidenceBundle(
        bundle_reference=f"{incident_id}-{sealed.manifest_sha256[:16]}",
        incident_reference=str(incident_id),
        path=str(target.relative_to(home.root)),
        manifest_sha256=sealed.manifest_sha256,
        document_count=len(sealed.files),
        made_at_ns=clock.now_ns(),
    )


def _put_aside(home: Home, target: Path) -> None:
    """Keep the former bundle under its manifest's digest: what was shown to anyone stays showable."""
    if not target.exists():
        return
    manifest = target / MANIFEST
    digest = sha256_of(manifest.read_bytes()) if manifest.exists() else "unsigned"
    former = home.evidence / "former" / f"{target.name}-{digest[:16]}"
    shutil.rmtree(former, ignore_errors=True)
    former.parent.mkdir(parents=True, exist_ok=True)
    target.replace(former)


def _frames_of(home: Home, sequences: Iterable[int]) -> Sequence[Frame]:
    """The journal's frames that hold the sequences, without their rows."""
    wanted = sorted(set(sequences), reverse=True)
    found: list[Frame] = []
    for frame in read_frames(home.journal):
        if not wanted:
            break
        is_wanted = False
        while wanted and wanted[-1] <= frame.last_sequence:
            is_wanted |= wanted.pop() >= frame.first_sequence
        if is_wanted:
            found.append(frame._replace(sections=()))
    return found


def _documents_on_file(home: Home) -> dict[str, bytes]:
    folder = documents_folder(home)
    contents = [p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()]
    return {sha256_of(c): c for c in contents}
