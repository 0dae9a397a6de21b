"""What a journal is made of: how many frames and rows, of which records, how large, from when to when.

Owns: counting, in one pass and constant memory. Does not own: how it is shown.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from engine.errors import JournalError
from engine.journal.frame import Frame
from engine.journal.instants import instants_of
from engine.journal.mark import read_mark
from engine.journal.places import places
from engine.journal.reader import SegmentWalk
from engine.journal.segment import segment_paths
from schemas.record import Role


class RecordFigures(NamedTuple):
    """Rows of one record type."""

    record: str
    rows: int
    row_bytes: int  # of the rows alone, without checksums and headers


class Figures(NamedTuple):
    """A journal to its durable end, or to the problem that stopped the reading."""

    segments: int
    segment_file_bytes: int
    frames: int
    rows: int
    frame_bytes: int
    frame_bytes_p50: int
    frame_bytes_p99: int
    first_sequence: int
    last_sequence: int
    first_at_ns: int  # of the first command or event; 0 when there is none
    last_at_ns: int
    terms: dict[int, int]  # term -> its first frame
    durable_mark: int | None  # none where no mark can be read
    end_index: int  # the last whole frame that stands there, also above the mark
    chain_head: str  # of the last frame read, hexadecimal
    records: tuple[RecordFigures, ...]  # most bytes first
    problem: str  # why the reading ended early; empty when it did not


class _Count:
    """The running figures."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        self.row_bytes: Counter[str] = Counter()
        self.sizes: Counter[int] = Counter()
        self.terms: dict[int, int] = {}
        self.times: list[int] = []  # the least and the greatest so far
        self.first_sequence = 0
        self.last: Frame | None = None

    def add(self, frame: Frame, frame_bytes: int) -> None:
        """Count one frame."""
        self.sizes[frame_bytes] += 1
        self.terms.setdefault(frame.term, frame.index)
        self.first_sequence = self.first_sequence or frame.first_sequence
        self.last = frame
        for record, rows in frame.sections:
            self.rows[record.table] += len(rows)
            self.row_bytes[record.table] += rows.nbytes
        for role in (Role.COMMAND, Role.EVENT):
            if len(times := instants_of(frame, role)):
                seen = [*self.times, int(times.min()), int(times.max())]
                self.times = [min(seen), max(seen)]

    def size_at(self, percent: int) -> int:
        """The frame size that `percent` of all frames do not exceed, in bytes; 0 without frames."""
        rank, below = -(-self.sizes.total() * percent // 100), 0
        for size in sorted(self.sizes):
            below += self.sizes[size]
            if below >= rank:
                return size
        return 0


def journal_figures(folder: Path) -> Figures:
    """Count what is durable; damage ends the counting and is told, not raised."""
    count, problem, paths = _Count(), "", list[Path]()
    mark = read_mark(folder)
    try:
        paths = segment_paths(folder)
        if mark is None:
            problem = "no durable mark; opening the journal for writing renews it"
        for place in places(paths, mark or 0):
            count.add(place.frame, place.end - place.offset)
    except (JournalError, OSError) as error:
        problem = str(error)
    last = count.last
    index = last.index if last else 0
    return Figures(
        segments=len(paths),
        segment_file_bytes=sum(p.stat().st_size for p in paths),
        frames=index,
        rows=count.rows.total(),
        frame_bytes=sum(size * n for size, n in count.sizes.items()),
        frame_bytes_p50=count.size_at(50),
        frame_bytes_p99=count.size_at(99),
        first_sequence=count.first_sequence,
        last_sequence=last.last_sequence if last else 0,
        first_at_ns=count.times[0] if count.times else 0,
        last_at_ns=count.times[1] if count.times else 0,
        terms=count.terms,
        durable_mark=mark,
        end_index=index if problem else _end_index(paths, index),
        chain_head=last.chain_hash.hex() if last else "",
        records=tuple(
            RecordFigures(table, count.rows[table], size) for table, size in count.row_bytes.most_common()
        ),
        problem=problem,
    )


def _end_index(paths: list[Path], last_index: int) -> int:
    """The last whole frame of the last segment: what a writer has written and not yet marked counts too."""
    if not paths:
        return last_index
    try:
        with SegmentWalk(paths[-1]) as walk:
            try:
                while walk.next_frame() is not None:
                    pass
            except JournalError:
                pass  # a write under way, or cut short
            return max(last_index, walk.last.index)
    except JournalError:
        return last_index
