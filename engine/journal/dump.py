"""The journal as text: one JSON line a row or a frame, in the order in which things were decided.

Owns: the lines. Does not own: where they go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from engine.errors import BadInput
from engine.journal.frame import ZERO_HASH, Frame, Section
from engine.journal.reader import SegmentWalk, read_frames
from engine.journal.segment import segment_paths
from schemas.record import RecordType, journaled

END = (1 << 63) - 1


def record_named(name: str) -> RecordType:
    """The journaled record of a class or table name. Raises BadInput when there is none."""
    for record in journaled():
        if name in (record.name, record.table):
            return record
    raise BadInput(f"no journaled record is called {name!r}; docs/data-model names them")


def frames_with(folder: Path, first: int, last: int) -> Iterator[Frame]:
    """The frames that hold sequences `first` to `last`. Raises JournalDamaged, JournalError."""
    for frame in read_frames(folder, _index_before(folder, first)):
        if frame.first_sequence > last:
            return
        if frame.last_sequence >= first:
            yield frame


def row_lines(folder: Path, first: int = 1, last: int = END, only: RecordType | None = None) -> Iterator[str]:
    """One line a row: its record, its frame, its columns by their declared names, codes by name too."""
    for frame in frames_with(folder, first, last):
        parts = [s for s in frame.sections if only is None or s.record is only]
        for sequence, section, place in sorted(_rows_in(parts), key=lambda row: row[0]):
            if first <= sequence <= last:
                yield json.dumps(_row(frame.index, section, place))


def frame_lines(folder: Path, first: int = 1, last: int = END) -> Iterator[str]:
    """One line a frame: where it stands, what it holds, its hashes."""
    for frame in frames_with(folder, first, last):
        hashed = frame.state_hash.hex() if frame.state_hash != ZERO_HASH else None
        yield json.dumps(
            {
                "frame": frame.index,
                "term": frame.term,
                "first_sequence": frame.first_sequence,
                "last_sequence": frame.last_sequence,
                "rows": {s.record.table: len(s.rows) for s in frame.sections},
                "state_hash": hashed,
                "chain_hash": frame.chain_hash.hex(),
            }
        )


def _index_before(folder: Path, sequence: int) -> int:
    """The last frame before the segment that holds a sequence: what lies before need not be read."""
    index = 0
    for path in segment_paths(folder):
        with SegmentWalk(path) as walk:
            if walk.last.last_sequence >= sequence:
                break
            index = walk.last.index
    return index


def _rows_in(sections: list[Section]) -> Iterator[tuple[int, Section, int]]:
    for section in sections:
        for place, sequence in enumerate(section.rows["sequence"].tolist()):
            yield sequence, section, place


def _row(frame_index: int, section: Section, place: int) -> dict[str, Any]:
    record, values = section.record, section.rows[place].tolist()
    told: dict[str, Any] = {"frame": frame_index, "record": record.table, "role": record.role.value}
    taken: Set[str] = {c.name for c in record.columns}
    for column, value in zip(record.columns, values, strict=True):
        told[column.name] = value
        name = column.name.removesuffix("_code")
        if column.kind.codes is not None and name not in taken:
            told[name] = _code_name(column.kind.codes, value)
    return told


def _code_name(codes: Any, value: int) -> str | None:
    """The name of a code; none for a number that the declaration does not know."""
    try:
        return codes(value).name
    except ValueError:
        return None
