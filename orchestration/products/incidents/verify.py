"""Check an evidence bundle from its folder alone, without journal, lake or network.

Owns: the list of what can be wrong with a bundle. Does not own: whether the journal is sound; with a journal
at hand `onebook verify` tells whether the frames of `journal_proof.json` are in it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestration.products.incidents.bundle import FORMAT_VERSION
from orchestration.products.incidents.clocks import clock_statuses
from orchestration.products.papers import sha256_of
from orchestration.products.signed_folder import verify_folder


def verify_bundle(path: Path, *, expected_fingerprint: str | None = None) -> list[str]:
    """What is wrong with the bundle in a folder, one line a problem; an empty list is a sound bundle.

    Without `expected_fingerprint` the signature proves that nothing changed since signing, not who signed.
    """
    manifest, problems = verify_folder(path, FORMAT_VERSION, expected_fingerprint=expected_fingerprint)
    return problems or _contradictions(path, manifest)


def _contradictions(path: Path, manifest: dict[str, Any]) -> list[str]:
    """What signed files say against each other: nothing that tampering makes, but a product's bug may."""
    problems: list[str] = []
    timeline = json.loads((path / "timeline.json").read_bytes())
    clocks = json.loads((path / "clocks.json").read_bytes())
    events = timeline["events"]
    if {manifest["incident_id"]} != {timeline["incident_id"], clocks["incident_id"]}:
        problems.append("the files are of different incidents")
    if clock_statuses(events, clocks["as_of_ns"]) != clocks["clocks"]:
        problems.append("clocks.json does not follow from the timeline")
    sequences = [e["sequence"] for e in events]
    if sequences != sorted(set(sequences)):
        problems.append("the timeline is not in the journal's order")
    proof = json.loads((path / "journal_proof.json").read_bytes())
    if sorted(s for frame in proof for s in frame["sequences"]) != sequences:
        problems.append("journal_proof.json does not hold every event exactly once")
    for paper in json.loads((path / "documents.json").read_bytes()):
        if paper["path"] and sha256_of((path / paper["path"]).read_bytes()) != paper["sha256"]:
            problems.append(f"{paper['path']}: not the document on record")
    return problems
