"""Where each frame lies: frames with their file and their bytes, verified, over any row of segments.

Owns: the walk over segments that are given one by one, so that a backup is read as the journal is.
Does not own: which segments there are, or how far they are durable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from engine.errors import JournalDamaged
from engine.journal.frame import Frame
from engine.journal.reader import SegmentWalk
from engine.journal.segment import ORIGIN, Position


class Place(NamedTuple):
    """A frame, and the bytes of its segment that it fills."""

    path: Path
    offset: int
    end: int
    frame: Frame


class Extent(NamedTuple):
    """A segment, the end of its last frame, and that frame; without a frame the end of its header."""

    path: Path
    end: int
    last: Position


def places(segments: Sequence[Path], until_index: int, before: Position = ORIGIN) -> Iterator[Place]:
    """The frames after `before` up to frame `until_index`, each verified; nothing behind it is read.

    `segments` are in order and begin behind `before`. Raises JournalDamaged, JournalError.
    """
    last = before
    for path in segments:
        if last.index >= until_index:
            return
        with SegmentWalk(path) as walk:
            if walk.last != last:
                raise JournalDamaged(f"{path.name}: follows frame {walk.last.index}, not frame {last.index}")
            offset = walk.offset
            while walk.last.index < until_index and (frame := walk.next_frame()) is not None:
                yield Place(path, offset, walk.offset, frame)
                offset = walk.offset
            last = walk.last
    if last.index < until_index:
        raise JournalDamaged(f"frame {last.index + 1} was durable and is missing")


def extents(segments: Sequence[Path], found: Iterable[Place]) -> list[Extent]:
    """How far frames that were found fill their segments; none behind the last frame's segment is told.

    A segment may hold no frame: one that was too small for the frame that came next.
    """
    ends: dict[Path, Extent] = {}
    for path, _, end, frame in found:
        last = Position(frame.index, frame.last_sequence, frame.term, frame.chain_hash)
        ends[path] = Extent(path, end, last)
    told: list[Extent] = []
    for path in segments:
        if len(ends) == sum(e.path in ends for e in told):
            break
        with SegmentWalk(path) as walk:
            told.append(ends.get(path, Extent(path, walk.offset, walk.last)))
    return told
