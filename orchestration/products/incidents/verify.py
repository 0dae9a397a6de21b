"""Check an evidence bundle from its folder alone, without journal, lake or network.

Owns: the list of what can be wrong with a bundle. Does not own: whether the journal is sound; with a journal
at hand `onebook verify` tells whether the frames of `journal_proof.json` are in it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestration.products.incidents.bundle import FORMAT_VERSION, MANIFEST, PUBLIC_KEY, SIGNATURE
from orchestration.products.incidents.clocks import clock_statuses
from orchestration.products.papers import canonical_json, sha256_of
from orchestration.signing import fingerprint, is_signed


def verify_bundle(path: Path, *, expected_fingerprint: str | None = None) -> list[str]:
    """What is wrong with the bundle in a folder, one line a problem; an empty list is a sound bundle.

    Without `expected_fingerprint` the signature proves that nothing changed since signing, not who signed.
    """
    try:
        manifest_bytes = (path / MANIFEST).read_bytes()
        written = (path / SIGNATURE).read_text("ascii")
        signature = bytes.fromhex(written)
        public_pem = (path / PUBLIC_KEY).read_bytes()
        signer = fingerprint(public_pem)
        is_sound = is_signed(manifest_bytes, signature, public_pem)
    except (OSError, ValueError) as failed:
        return [f"the signature cannot be checked: {failed}"]
    if not is_sound or written != signature.hex():
        return ["the manifest or its signature changed since signing"]
    if expected_fingerprint not in (None, signer):
        return [f"signed by key {signer}, not by {expected_fingerprint}"]
    manifest = json.loads(manifest_bytes)
    if manifest.get("format_version") != FORMAT_VERSION:
        return [f"format version {manifest.get('format_version')} is not known here"]
    problems = _wrong_files(path, manifest)
    if signer != manifest["key_fingerprint"]:
        problems.append("the public key is not the one that the manifest names")
    return problems or _contradictions(path, manifest)


def _wrong_files(path: Path, manifest: dict[str, Any]) -> list[str]:
    problems: list[str] = []
    if canonical_json(manifest) != (path / MANIFEST).read_bytes():
        problems.append("the manifest is not canonical")
    listed = {**manifest["files"]}
    for file in sorted(p for p in path.rglob("*") if not p.is_dir()):
        name = file.relative_to(path).as_posix()
        if name in (MANIFEST, SIGNATURE):
            continue
        due = listed.pop(name, None)
        if due is None:
            problems.append(f"{name}: not in the manifest")
        elif file.is_symlink() or sha256_of(file.read_bytes()) != due:
            problems.append(f"{name}: its bytes changed since signing")
    return problems + [f"{name}: missing" for name in sorted(listed)]


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
