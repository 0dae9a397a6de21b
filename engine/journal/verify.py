"""Verify a whole journal: every byte that is durable, from the first frame to the last.

Owns: the report. Does not own: any repair.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import JournalError
from engine.journal.frame import Frame
from engine.journal.instants import instants_of
from engine.journal.reader import SegmentWalk, read_frames
from engine.journal.segment import ORIGIN, Position, segment_paths
from engine.journal.snapshot import read_snapshot, snapshot_paths
from schemas.record import Role


class JournalReport(NamedTuple):
    """What a journal holds up to its end or its first problem."""

    frames: int
    records: int
    first_sequence: int
    last_sequence: int
    chain_head: str  # the last verified frame's chain hash, hexadecimal
    problems: tuple[str, ...]
    segments: int = 0  # headers that verify
    snapshots: int = 0  # those that verify and carry the chain hash of their frame


def verify_journal(folder: Path, snapshots: Path | None = None) -> JournalReport:
    """Read every durable frame and tell what was found; a problem is reported, not raised.

    Checked are the headers of all segments, the CRC of every row, the chain, sequences without a gap, terms
    that never fall, times that never go back, and the mark. With `snapshots`, each snapshot there must verify
    and carry the chain hash of its frame.
    """
    kept = _Snapshots(snapshots)
    order = _Order()
    last, first_sequence = ORIGIN, 0
    damage: list[str] = []
    try:
        for frame in read_frames(folder):
            first_sequence = first_sequence or frame.first_sequence
            last = Position(frame.index, frame.last_sequence, frame.term, frame.chain_hash)
            order.follow(frame)
            kept.meet(frame)
    except (JournalError, OSError) as error:
        damage.append(str(error))
    segments, headers = _verify_headers(folder)
    kept.finish(last.index, is_whole=not damage)
    damage += [problem for problem in headers if problem not in damage]
    records = last.last_sequence - first_sequence + 1 if first_sequence else 0
    return JournalReport(
        last.index,
        records,
        first_sequence,
        last.last_sequence,
        last.chain_hash.hex(),
        (*damage, *order.problems, *kept.problems),
        segments,
        kept.found,
    )


def _verify_headers(folder: Path) -> tuple[int, list[str]]:
    """How many segment headers verify, also those that no durable frame stands behind yet; what is wrong."""
    count, problems = 0, list[str]()
    try:
        for path in segment_paths(folder):
            try:
                SegmentWalk(path).close()
                count += 1
            except JournalError as error:
                problems.append(str(error))
    except (JournalError, OSError) as error:
        problems.append(str(error))
    return count, problems


class _Order:
    """What must never fall from a frame to the next: the term, and the times of commands and of events."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._last: dict[str, int] = {}

    def follow(self, frame: Frame) -> None:
        """Hold a frame against those before it; the first fall of each kind is told."""
        self._climb("the term", frame.index, np.array([frame.term]))
        for role in (Role.COMMAND, Role.EVENT):
            self._climb(f"the time of {role.value}s", frame.index, instants_of(frame, role))

    def _climb(self, what: str, index: int, values: npt.NDArray[np.int64]) -> None:
        if not len(values):
            return
        before = self._last.get(what, int(values[0]))
        self._last[what] = int(values[-1])
        has_fallen = int(values[0]) < before or bool(np.any(values[1:] < values[:-1]))
        if has_fallen and not any(p.startswith(what) for p in self.problems):
            self.problems.append(f"{what} falls in frame {index}")


class _Snapshots:
    """Snapshots beside a journal, each to be found in it."""

    def __init__(self, folder: Path | None) -> None:
        self.problems: list[str] = []
        self.found = 0
        self._due: dict[int, tuple[str, bytes]] = {}  # frame index -> file and chain hash
        for path in snapshot_paths(folder) if folder else ():
            if (snapshot := read_snapshot(path)) is None:
                self.problems.append(f"{path.name}: the snapshot does not verify")
            else:
                self._due[snapshot.frame_index] = (path.name, snapshot.chain_hash)

    def meet(self, frame: Frame) -> None:
        """Compare the snapshot of this frame, if there is one."""
        name, chain_hash = self._due.pop(frame.index, ("", frame.chain_hash))
        if chain_hash != frame.chain_hash:
            self.problems.append(f"{name}: frame {frame.index} has another chain hash than the snapshot")
        elif name:
            self.found += 1

    def finish(self, last_index: int, *, is_whole: bool) -> None:
        """Tell of snapshots that no frame was met for; behind damage nothing can be said of them."""
        for index, (name, _) in self._due.items() if is_whole else ():
            self.problems.append(f"{name}: of frame {index}, the journal ends at frame {last_index}")
