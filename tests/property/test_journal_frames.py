"""Any valid records of any journaled types come back from a journal to the bit."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.journal.frame import HASH_BYTES, Section
from engine.journal.reader import read_frames
from engine.journal.writer import JournalWriter
from schemas.derive.layout import dtype_of, from_row, row_tuple
from schemas.derive.strategies import records
from schemas.record import journaled
from schemas.registry import DOMAINS
from tests.support.journal_disk import QuickDisk, same

assert DOMAINS  # the registry is whole
Batch = tuple[list[Any], bytes]


def _batches() -> st.SearchStrategy[list[Batch]]:
    declared = st.lists(st.sampled_from(journaled()).flatmap(records), min_size=1, max_size=12)
    state_hash = st.binary(min_size=HASH_BYTES, max_size=HASH_BYTES)
    return st.lists(st.tuples(declared, state_hash), min_size=1, max_size=5)


def _sections(declared: list[Any], first: int) -> list[Section]:
    numbered: dict[type, list[tuple[int, ...]]] = {}
    for sequence, one in enumerate(declared, start=first):
        numbered.setdefault(type(one), []).append((sequence, *row_tuple(one)[1:]))
    by_class = {r.cls: r for r in journaled()}
    return [Section(by_class[cls], np.array(rows, dtype=dtype_of(cls))) for cls, rows in numbered.items()]


@settings(max_examples=60, deadline=None)
@given(_batches())
def test_what_is_journaled_comes_back(batches: list[Batch]) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder, written = Path(root), []
        writer = JournalWriter.open(folder, segment_bytes=8192, disk=QuickDisk())
        for declared, state_hash in batches:
            written.append(writer.append(_sections(declared, writer.last.last_sequence + 1), state_hash))
        writer.close()
        read = list(read_frames(folder))
    assert all(same(a, b) for a, b in zip(read, written, strict=True))
    for one, (declared, state_hash) in zip(read, batches, strict=True):
        found = {int(row["sequence"]): from_row(s.record.cls, row) for s in one.sections for row in s.rows}
        assert [row_tuple(found[n])[1:] for n in sorted(found)] == [row_tuple(d)[1:] for d in declared]
        assert sorted(found) == list(range(one.first_sequence, one.last_sequence + 1))
        assert one.state_hash == state_hash
        codes = [s.record.type_code for s in one.sections]
        assert codes == sorted(codes)
