"""Verify a backup: every byte of it, as files and as a journal.

Owns: the report. Does not own: any repair; a damaged backup is taken again.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from engine.backup.manifest import SEGMENT, SNAPSHOT, Manifest, problem_of, read_manifest
from engine.errors import JournalError, PlatformError
from engine.journal.places import places
from engine.journal.snapshot import read_snapshot


class BackupReport(NamedTuple):
    """What a backup holds, and what is wrong with it."""

    manifest: Manifest | None
    frames: int  # verified
    snapshots: int  # verified, and their chain hash found
    problems: tuple[str, ...]


def verify_backup(folder: Path) -> BackupReport:
    """Verify manifest, files and chain; a problem is reported, not raised.

    Every file must have the size and the digest that the manifest tells, the segments must be one unbroken
    journal to the chain head that it tells, and each snapshot must belong to that journal.
    """
    try:
        manifest = read_manifest(folder)
    except (PlatformError, OSError) as error:
        return BackupReport(None, 0, 0, (str(error),))
    problems = [p for f in manifest.files if (p := problem_of(folder, f))]
    frames, chains = 0, dict[int, str]()
    due = {f.frame for f in manifest.of(SNAPSHOT)}
    try:
        chain_head = ""
        for place in places(segments_of(folder, manifest), manifest.last_frame):
            frames, chain_head = place.frame.index, place.frame.chain_hash.hex()
            if frames in due:
                chains[frames] = chain_head
        if (frames, chain_head) != (manifest.last_frame, manifest.chain_head):
            problems.append(f"the journal ends at frame {frames} with another chain head than the manifest's")
    except (JournalError, OSError) as error:
        problems.append(str(error))
    found = 0
    for kept in manifest.of(SNAPSHOT):
        snapshot = read_snapshot(folder / kept.path)
        is_right = snapshot is not None and snapshot.chain_hash.hex() == chains.get(snapshot.frame_index)
        found += is_right
        if not is_right and frames == manifest.last_frame:
            problems.append(f"{kept.path}: the snapshot is not of this journal")
    return BackupReport(manifest, frames, found, tuple(problems))


def segments_of(folder: Path, manifest: Manifest) -> list[Path]:
    """The segments of a backup, in order."""
    return [folder / f.path for f in manifest.of(SEGMENT)]
