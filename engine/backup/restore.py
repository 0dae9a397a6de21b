"""A book from a backup, in an empty place, as of its end or an earlier sequence; proved before it stands.

Owns: rebuilding journal and snapshots, and the proof. Does not own: the lake, which its writer makes from the
restored journal, or any place that holds something already.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from engine.backup.check import segments_of
from engine.backup.copying import copy_file, copy_prefix, make_folder
from engine.backup.manifest import (
    PRIVATE,
    SEGMENT,
    SNAPSHOT,
    BackupDamaged,
    Manifest,
    problem_of,
    read_manifest,
)
from engine.backup.redecide import Decided, decide_again
from engine.config import Home
from engine.errors import BadInput
from engine.journal.disk import DISK, Disk
from engine.journal.mark import mark_path, write_mark
from engine.journal.places import Extent, extents, places
from engine.journal.verify import verify_journal

_UNFINISHED = "restore.unfinished"
_NOTHING = {_UNFINISHED, "lost+found"}  # an empty file system has the latter


class Restored(NamedTuple):
    """What was restored, and what proves it."""

    frames: int
    last_sequence: int  # the recovery point: all to this sequence is back, nothing behind it
    chain_head: str
    decided: Decided
    is_whole: bool  # to the end of the backup
    has_private: bool
    seconds: dict[str, float]  # a step -> how long it took


def restore(
    folder: Path, home: Home, *, to_sequence: int | None = None, is_full: bool = False, disk: Disk = DISK
) -> Restored:
    """Restore a backup into an empty or absent home, and decide the journal again.

    With `to_sequence` the last frame is the last one that ends at or before it; a frame is never split.
    `is_full` decides from the first frame instead of from the newest snapshot. Nothing stands in the home
    before all is proved. Raises BadInput when the home holds something or the sequence is not in the backup,
    BackupDamaged and JournalDamaged when a byte is not as written, InvariantBroken when a decision differs.
    """
    _require_empty(home)
    seconds: dict[str, float] = {}
    with _timed(seconds, "verify_files"):
        manifest = _verified(folder)
    place = Home(home.root / _UNFINISHED)
    with _timed(seconds, "rebuild_journal"):
        ends = _ends(folder, manifest, to_sequence)
        _rebuild(folder, manifest, ends, place, disk)
    with _timed(seconds, "verify_chain"):
        report = verify_journal(place.journal, place.snapshots)
        if report.problems or report.chain_head != ends[-1].last.chain_hash.hex():
            raise BackupDamaged(f"what was restored does not verify: {'; '.join(report.problems)}")
    with _timed(seconds, "decide_again"):
        decided = decide_again(place, report.frames, use_snapshot=not is_full)
    for path in sorted(place.root.iterdir(), reverse=True):  # snapshots and vault first, the journal last
        disk.rename(path, home.root / path.name)
    disk.fsync_folder(home.root)
    place.root.rmdir()
    return Restored(
        report.frames,
        report.last_sequence,
        report.chain_head,
        decided,
        report.frames == manifest.last_frame,
        manifest.has_private,
        seconds,
    )


def _require_empty(home: Home) -> None:
    """An interrupted restore may be begun anew; anything else in the home is somebody's."""
    if home.root.exists():
        if not home.root.is_dir() or {p.name for p in home.root.iterdir()} - _NOTHING:
            raise BadInput(f"{home.root} is not empty; a backup is restored into an empty place only")
        shutil.rmtree(home.root / _UNFINISHED, ignore_errors=True)


def _verified(folder: Path) -> Manifest:
    manifest = read_manifest(folder)
    if problems := [p for f in manifest.files if (p := problem_of(folder, f))]:
        raise BackupDamaged("; ".join(problems))
    return manifest


def _ends(folder: Path, manifest: Manifest, to_sequence: int | None) -> list[Extent]:
    """The segments that are restored, each with its last frame."""
    until = manifest.last_sequence if to_sequence is None else to_sequence
    if until > manifest.last_sequence:
        raise BadInput(f"the backup ends at sequence {manifest.last_sequence}, before {until}")
    segments = segments_of(folder, manifest)
    wanted = takewhile(lambda p: p.frame.last_sequence <= until, places(segments, manifest.last_frame))
    if not (found := extents(segments, wanted)):
        raise BadInput(f"sequence {to_sequence} lies before the end of the first frame")
    return found


def _rebuild(folder: Path, manifest: Manifest, ends: list[Extent], place: Home, disk: Disk) -> None:
    """Journal, snapshots and mark to the last end; every byte written and synced."""
    last = ends[-1].last
    for target in (place.root.parent, place.root, place.journal, place.snapshots):
        make_folder(target, disk)
    for kept, end in zip(manifest.of(SEGMENT), ends, strict=False):
        digest = copy_prefix(end.path, place.root / kept.target, end.end, kept.bytes, disk)
        if end.last.index == kept.frame and digest != kept.sha256:
            raise BackupDamaged(f"{kept.path}: bytes changed while they were restored")
    for kept in manifest.of(SNAPSHOT):
        if kept.frame <= last.index:
            copy_file(folder / kept.path, place.root / kept.target, disk)
    for kept in manifest.of(PRIVATE):
        make_folder((place.root / kept.target).parent, disk)
        copy_file(folder / kept.path, place.root / kept.target, disk)
    mark = disk.open(mark_path(place.journal))
    try:
        write_mark(mark, last.index, disk)
        disk.fdatasync(mark)
    finally:
        disk.close(mark)
    for target in (place.journal, place.snapshots, place.root):
        disk.fsync_folder(target)


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Generator[None]:
    begun = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - begun, 3)
