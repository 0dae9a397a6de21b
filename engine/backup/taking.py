"""The copying of one backup, file by file: each is copied aside, verified, and then given its place.

Owns: what of a home goes where in a backup folder. Does not own: the folder's lock, its manifest, its upkeep.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from engine.backup.copying import blank_after, copy_file, make_folder
from engine.backup.manifest import (
    PRIVATE,
    SEGMENT,
    SNAPSHOT,
    Kept,
    Manifest,
    digest_of,
    position_of,
    problem_of,
)
from engine.config import Home
from engine.errors import BadInput, JournalDamaged
from engine.journal.disk import Disk
from engine.journal.places import Extent, Place, extents, places
from engine.journal.reader import SegmentWalk
from engine.journal.segment import ORIGIN, Position, segment_paths
from engine.journal.snapshot import read_snapshot, snapshot_paths

TAKING = "taking"  # files on their way


class Taking:
    """The copying of one backup of a home into a folder."""

    def __init__(self, home: Home, folder: Path, disk: Disk) -> None:
        self.copied_count = self.copied_bytes = self.kept_count = 0
        self._home, self._folder, self._disk = home, folder, disk
        self._taking = folder / TAKING

    def snapshots(self) -> list[Kept]:
        """Copy every snapshot that verifies, oldest first; one that is dropped meanwhile is passed over."""
        found: list[Kept] = []
        for path in reversed(snapshot_paths(self._home.snapshots)):
            copy = self._taking / path.name
            try:
                copy_file(path, copy, self._disk)
            except FileNotFoundError:
                continue
            if (snapshot := read_snapshot(copy)) is not None:
                place = f"snapshots/{path.name}"
                told = Kept(kind=SNAPSHOT, path=place, target=place, frame=snapshot.frame_index)
                found.append(self._put(copy, replace(told, chain_hash=snapshot.chain_hash.hex())))
        return found

    def segments(self, until: int, before: Manifest | None) -> list[Kept]:
        """The segments to frame `until`; the last one counts as open. Closed ones of `before` are kept.

        Raises BadInput when `before` is of another book, JournalDamaged when what was copied does not verify.
        """
        sources = segment_paths(self._home.journal)
        closed = [] if before is None else [f for f in before.of(SEGMENT) if f.path.startswith("journal/")]
        kept = [self._keep(f, sources) for f in closed]
        last = position_of(kept[-1]) if kept else ORIGIN
        copies = self._copies(sources[len(kept) :], until, last)
        found = extents(copies, self._of_the_same_book(places(copies, until, last), before))
        kept += [self._put_segment(e, is_open=e is found[-1]) for e in found]
        return kept

    def private(self, made_at_ns: int) -> list[Kept]:
        """Copy keys and vault as they stand; the vault's lock keeps its writers out meanwhile."""
        found: list[Kept] = []
        with _held(self._home.vault / "lock"):
            for root in (self._home.keys, self._home.vault):
                for path in sorted(p for p in root.rglob("*") if p.is_file() and p.name != "lock"):
                    target = path.relative_to(self._home.root).as_posix()
                    copy = self._taking / path.name
                    copy_file(path, copy, self._disk)
                    place = f"private/{made_at_ns}/{target}"
                    found.append(self._put(copy, Kept(kind=PRIVATE, path=place, target=target)))
        return found

    def _of_the_same_book(self, found: Iterator[Place], before: Manifest | None) -> Iterator[Place]:
        for place in found:
            if before is not None and place.frame.index == before.last_frame:
                _require(place.frame.chain_hash.hex() == before.chain_head, self._folder)
            yield place

    def _copies(self, sources: Sequence[Path], until: int, last: Position) -> list[Path]:
        """Copies of the segments that hold the frames after `last` up to `until`."""
        copies: list[Path] = []
        for path in sources:
            with SegmentWalk(path) as walk:
                _require(bool(copies) or walk.last == last, self._folder)
                if copies and walk.last.index >= until:
                    break
            copies.append(self._taking / path.name)
            copy_file(path, copies[-1], self._disk)
        return copies

    def _keep(self, kept: Kept, sources: Sequence[Path]) -> Kept:
        """A closed segment of an earlier backup; copied again when the copy is no longer as it was."""
        if not problem_of(self._folder, kept):
            self.kept_count += 1
            return kept
        source = next((p for p in sources if p.name == Path(kept.target).name), None)
        if source is None or digest_of(source) != kept.sha256:
            raise JournalDamaged(f"{kept.path} is damaged in the backup and not the same in the journal")
        copy = self._taking / source.name
        copy_file(source, copy, self._disk)
        return self._put(copy, kept)

    def _put_segment(self, extent: Extent, *, is_open: bool) -> Kept:
        copy, last = extent.path, extent.last
        if is_open:
            blank_after(copy, extent.end, self._disk)
        told = Kept(
            kind=SEGMENT,
            path=f"open/{last.index:012d}/{copy.name}" if is_open else f"journal/{copy.name}",
            target=f"journal/{copy.name}",
            frame=last.index,
            last_sequence=last.last_sequence,
            term=last.term,
            chain_hash=last.chain_hash.hex(),
        )
        return self._put(copy, told)

    def _put(self, copy: Path, told: Kept) -> Kept:
        """Give a copy its place, and complete what is told of it."""
        told = replace(told, bytes=copy.stat().st_size, sha256=digest_of(copy))
        place = self._folder / told.path
        make_folder(place.parent, self._disk)
        self._disk.rename(copy, place)
        self._disk.fsync_folder(place.parent)
        self.copied_count += 1
        self.copied_bytes += told.bytes
        return told


def _require(is_same_history: bool, folder: Path) -> None:
    if not is_same_history:
        raise BadInput(f"{folder} holds the backup of another book: the chain hashes differ")


@contextmanager
def _held(path: Path) -> Generator[None]:
    """Hold a lock file while copying; nothing to hold where its folder is not there."""
    if not path.parent.exists():
        yield
        return
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
