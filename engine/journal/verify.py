"""Verify a whole journal: every byte that is durable, from the first frame to the last.

Owns: the report. Does not own: any repair.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from engine.errors import JournalError
from engine.journal.reader import read_frames
from engine.journal.segment import ORIGIN, Position


class JournalReport(NamedTuple):
    """What a journal holds up to its end or its first problem."""

    frames: int
    records: int
    first_sequence: int
    last_sequence: int
    chain_head: str  # the last verified frame's chain hash, hexadecimal
    problems: tuple[str, ...]


def verify_journal(folder: Path) -> JournalReport:
    """Read every durable frame and tell what was found; a problem is reported, not raised."""
    last, first_sequence = ORIGIN, 0
    problems: tuple[str, ...] = ()
    try:
        for frame in read_frames(folder):
            first_sequence = first_sequence or frame.first_sequence
            last = Position(frame.index, frame.last_sequence, frame.term, frame.chain_hash)
    except (JournalError, OSError) as error:
        problems = (str(error),)
    records = last.last_sequence - first_sequence + 1 if first_sequence else 0
    return JournalReport(
        last.index, records, first_sequence, last.last_sequence, last.chain_hash.hex(), problems
    )
