"""Repair a damaged journal from a replica or a backup of the same history.

Owns: finding the damaged segments, replacing them, setting the damaged ones aside.
Does not own: the proof (patch). Nothing is changed before every damaged segment can be made whole and proved;
nothing is ever deleted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from engine.backup.check import segments_of
from engine.backup.copying import make_folder
from engine.backup.manifest import NAME, read_manifest
from engine.backup.patch import Candidate, candidate_of, changed_bytes, proof_of
from engine.config import Home
from engine.errors import BadInput, JournalDamaged, JournalError, PlatformError
from engine.journal.disk import DISK, Disk
from engine.journal.mark import read_mark
from engine.journal.places import Extent, Place, extents, places
from engine.journal.reader import SegmentWalk, durable_index
from engine.journal.segment import ORIGIN, Position, segment_path, segment_paths
from engine.journal.snapshot import read_snapshot, snapshot_paths
from engine.journal.writer import lock_folder

_REPAIRING = "repairing"


class Repaired(NamedTuple):
    """What was replaced; nothing when no durable frame was damaged."""

    segments: tuple[tuple[str, int, str], ...]  # name, bytes changed, proof
    set_aside: Path | None  # where the damaged segments lie


def repair_journal(home: Home, other: Path, disk: Disk = DISK) -> Repaired:
    """Make every damaged segment whole from another home or a backup.

    Raises BadInput when the other copy cannot be proved to be of the same history up to and beyond the
    damage, JournalError while a writer holds the journal, OSError.
    """
    if not home.journal.exists():
        raise BadInput(f"{home.root} holds no journal to repair; restore a backup into a new home instead")
    lock = lock_folder(home.journal, disk)
    try:
        return _repair(home, other, disk)
    finally:
        os.close(lock)


def _repair(home: Home, other: Path, disk: Disk) -> Repaired:
    """Prepare and prove every candidate, then set the damaged segments aside and put the candidates there."""
    theirs = _copy_at(other)
    known = _known(home)
    mark = read_mark(home.journal)
    until = max([*known, mark if mark is not None else theirs[-1].last.index])
    room = home.journal / _REPAIRING
    shutil.rmtree(room, ignore_errors=True)  # of a repair that was stopped
    make_folder(room, disk)
    try:
        candidates = _candidates(home.journal, room, theirs, known, until, disk)
    except PlatformError:
        shutil.rmtree(room)
        raise
    if not candidates:
        room.rmdir()
        return Repaired((), None)
    aside = _set_aside(home.journal, [c.name for c, _ in candidates], disk)
    for candidate, _ in candidates:
        disk.rename(room / candidate.name, home.journal / candidate.name)
    disk.fsync_folder(home.journal)
    room.rmdir()
    return Repaired(tuple((c.name, changed_bytes(c), proof) for c, proof in candidates), aside)


def _copy_at(other: Path) -> list[Extent]:
    """The segments of a backup or of another home, as far as they verify; damage there ends them."""
    try:
        if (other / NAME).exists():
            manifest = read_manifest(other)
            segments, until = segments_of(other, manifest), manifest.last_frame
        elif (journal := Home(other).journal).exists():
            segments, until = segment_paths(journal), durable_index(journal)
        else:
            raise BadInput(f"{other} is neither a backup nor a home with a journal")
    except JournalError as error:
        raise BadInput(f"the other copy cannot be read: {error}") from None
    found: list[Place] = []
    try:
        for place in places(segments, until):
            found = [*(p for p in found if p.path != place.path), place]  # the last of each segment
    except JournalError:
        pass  # what verified before may be enough
    if not (told := extents(segments, found)):
        raise BadInput(f"{other} holds no frame that verifies")
    return told


def _known(home: Home) -> dict[int, bytes]:
    """The chain hashes that our side keeps outside of frames, by frame: segment headers and snapshots."""
    known: dict[int, bytes] = {}
    for path in sorted(home.journal.glob("*.segment")):
        try:
            with SegmentWalk(path) as walk:
                known[walk.last.index] = walk.last.chain_hash
        except JournalError:
            continue
    for path in snapshot_paths(home.snapshots):
        if (snapshot := read_snapshot(path)) is not None:
            known[snapshot.frame_index] = snapshot.chain_hash
    return known


def _candidates(
    folder: Path, room: Path, theirs: list[Extent], known: Mapping[int, bytes], until: int, disk: Disk
) -> list[tuple[Candidate, str]]:
    """A candidate and its proof for each segment that does not verify; they lie synced in `room`."""
    made: list[tuple[Candidate, str]] = []
    last, number = ORIGIN, 1
    while last.index < until or segment_path(folder, number).exists():
        path = segment_path(folder, number)
        following = _header_of(segment_path(folder, number + 1))
        if following is None and number < len(theirs):
            following = theirs[number - 1].last
        try:
            frames = _frames(path, last, until, following)
        except (JournalDamaged, FileNotFoundError) as damage:
            if number > len(theirs):
                what = f"{path.name} is missing" if isinstance(damage, FileNotFoundError) else damage
                raise BadInput(f"{what}; the other copy ends before it") from None
            candidate, frames = _made_whole(path, theirs[number - 1], last, until, following, room, disk)
            made.append((candidate, proof_of(candidate, frames, known)))
        last = _last(frames, last)
        number += 1
    return made


def _made_whole(
    path: Path,
    theirs: Extent,
    last: Position,
    until: int,
    following: Position | None,
    room: Path,
    disk: Disk,
) -> tuple[Candidate, list[Place]]:
    ours = path.read_bytes() if path.exists() else b""
    target = room / path.name
    try:
        end = _end_at(theirs, last, until)
        candidate = candidate_of(path.name, ours, theirs.path.read_bytes(), end)
        target.unlink(missing_ok=True)
        descriptor = disk.open(target)
        try:
            disk.pwrite(descriptor, candidate.content, 0)
            disk.fdatasync(descriptor)
        finally:
            disk.close(descriptor)
        return candidate, _frames(target, last, until, following)
    except JournalDamaged as error:
        raise BadInput(
            f"with the other copy's bytes, {error}: it is of another history, or damaged"
        ) from None


def _end_at(theirs: Extent, last: Position, until: int) -> int:
    """Where the other copy's frames end that were acknowledged here: at frame `until`, or before it."""
    if theirs.last.index > until:
        for place in places([theirs.path], until, last):
            if place.frame.index == until:
                return place.end
    return theirs.end


def _frames(path: Path, last: Position, until: int, following: Position | None) -> list[Place]:
    """The frames of a segment to frame `until`.

    Raises JournalDamaged when they do not continue `last`, or end before `following` or the durable end.
    """
    found: list[Place] = []
    with SegmentWalk(path) as walk:
        if walk.last != last:
            raise JournalDamaged(f"{path.name}: follows frame {walk.last.index}, not frame {last.index}")
        offset = walk.offset
        while walk.last.index < until and (frame := walk.next_frame()) is not None:
            found.append(Place(path, offset, walk.offset, frame))
            offset = walk.offset
        end = walk.last
    if end.index < until and following != end:
        raise JournalDamaged(f"{path.name}: ends at frame {end.index}, and frame {until} was durable")
    return found


def _header_of(path: Path) -> Position | None:
    """What the header of a segment says of the frame before it; none where it cannot be read."""
    try:
        with SegmentWalk(path) as walk:
            return walk.last
    except (JournalError, FileNotFoundError):
        return None


def _last(frames: list[Place], before: Position) -> Position:
    if not frames:
        return before
    frame = frames[-1].frame
    return Position(frame.index, frame.last_sequence, frame.term, frame.chain_hash)


def _set_aside(folder: Path, names: list[str], disk: Disk) -> Path:
    """Keep the damaged segments under a second name, so that none is lost when the first is given away."""
    number = 1
    while (aside := folder / f"damaged-{number}").exists():
        number += 1
    make_folder(aside, disk)
    for name in names:
        if (folder / name).exists():
            os.link(folder / name, aside / name)
    disk.fsync_folder(aside)
    return aside
