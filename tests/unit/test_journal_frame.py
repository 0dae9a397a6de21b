from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvariantBroken, JournalDamaged, JournalError
from engine.journal import crc32c_kernel, frame
from engine.journal.frame import (
    HEADER_BYTES,
    ZERO_HASH,
    Frame,
    Section,
    crc32c,
    decode_frame,
    decode_header,
    encode_frame,
    seal,
)
from schemas.market import CancelOrder
from schemas.record import record_of
from tests.support.journal_disk import batch, same

SEED = 77
PREVIOUS = hashlib.sha256(b"before").digest()


def _encode(sections: list[Section]) -> tuple[Frame, bytes]:
    made, raw = encode_frame(4, 2, sections, ZERO_HASH, SEED)
    return seal(made, raw, PREVIOUS, 0, SEED), bytes(raw)


def _decode(raw: bytes, seed: int = SEED, previous: bytes = PREVIOUS) -> Frame:
    return decode_frame(raw, decode_header(raw[:HEADER_BYTES], seed), previous, seed)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_crc32c_is_that_of_rfc_3720(content: bytes, expected: int) -> None:
    assert crc32c(content) == expected
    assert crc32c(content[8:], crc32c(content[:8])) == expected  # a seed continues a sum


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=1, max_size=40), st.integers(0, 0xFFFFFFFF))
def test_the_processors_crc32c_is_that_of_the_tables(words: list[int], seed: int) -> None:
    content = np.array(words, dtype=np.int64)
    by_table = crc32c_kernel.sum_by_table(content.ctypes.data, len(content), seed)
    assert crc32c(content.tobytes(), seed) == by_table
    for width in (w for w in range(1, len(words) + 1) if len(words) % w == 0):
        count = len(words) // width
        sums = np.zeros(count, dtype=np.uint32)
        crc32c_kernel.sum_rows(content.ctypes.data, count, width, seed, sums)
        rows = content.reshape(count, width)
        assert sums.tolist() == [crc32c_kernel.sum_by_table(r.ctypes.data, width, seed) for r in rows]


def test_layout_to_the_byte() -> None:
    """The offsets that docs/journal.md states, taken apart by hand."""
    made, raw = _encode(batch(11, 3))
    magic, version, count, index, term, first, last, payload, state, crc = struct.unpack_from(
        "<4sHHQQQQQ32sQ", raw
    )
    assert (magic, version, count, index, term, first, last) == (b"OBFR", 1, 2, 4, 2, 11, 16)
    assert (state, crc) == (ZERO_HASH, crc32c(raw[:80], SEED))
    assert len(raw) == 88 + payload + 32
    cancel = record_of(CancelOrder)
    assert struct.unpack_from("<IIQQ", raw, 88) == (
        cancel.type_code,
        cancel.version,
        3,
        len(cancel.columns) * 8,
    )
    row_bytes = len(cancel.columns) * 8
    rows_at = 88 + 24 + 16  # three sums, padded
    row = raw[rows_at + row_bytes : rows_at + 2 * row_bytes]
    seed = crc32c(struct.pack("<II", cancel.type_code, cancel.version), SEED)
    assert struct.unpack_from("<I", raw, 88 + 24 + 4)[0] == crc32c(row, seed)
    assert row == made.sections[0].rows[1:2].tobytes()
    assert raw[-32:] == made.chain_hash == hashlib.sha256(PREVIOUS + raw[:-32]).digest()
    assert same(_decode(raw), made)


def test_rows_are_read_only_copies() -> None:
    sections = batch(1)
    made, raw = _encode(sections)
    sections[0].rows["order_id"] = 0
    assert made.sections[1].rows["order_id"][0] != 0
    for one in (made, _decode(raw)):
        with pytest.raises(ValueError, match="read-only"):
            one.sections[0].rows["sequence"] = 9


def test_sections_without_rows_are_left_out_and_strided_rows_are_taken() -> None:
    events, commands = batch(1, 4)
    padded = np.repeat(commands.rows, 2)[::2]
    made, raw = _encode([Section(events.record, events.rows), Section(commands.record, padded)])
    assert same(made, _encode([events, commands])[0])
    assert same(_decode(raw), made)
    only = Section(commands.record, commands.rows)
    assert len(_encode([only, Section(events.record, events.rows[:0])])[0].sections) == 1


def _broken(name: str) -> list[Section]:
    events, commands = batch(1, 2)
    rows: Any = commands.rows
    match name:
        case "nothing":
            return []
        case "twice":
            return [commands, commands]
        case "gap":
            rows["sequence"] = [1, 3]
        case "descending":
            rows["sequence"] = [2, 1]
        case "overlap":
            rows["sequence"] = [2, 3]
        case _:
            rows = events.rows
    return [events, Section(commands.record, rows)]


@pytest.mark.parametrize("name", ["nothing", "twice", "gap", "descending", "overlap", "layout"])
def test_rows_that_are_no_frame_are_refused(name: str) -> None:
    with pytest.raises(InvariantBroken):
        _encode(_broken(name))


def test_another_segment_or_history_does_not_verify() -> None:
    _, raw = _encode(batch(1))
    with pytest.raises(JournalDamaged, match="header"):
        _decode(raw, seed=SEED + 1)
    with pytest.raises(JournalDamaged, match="does not continue the chain"):
        _decode(raw, previous=ZERO_HASH)


def test_damage_names_the_row() -> None:
    made, raw = _encode(batch(1, 3))
    at = raw.index(made.sections[0].rows[2:3].tobytes()) + 9
    changed = raw[:at] + bytes([raw[at] ^ 4]) + raw[at + 1 :]
    with pytest.raises(JournalDamaged, match=f"row 2 of record type {record_of(CancelOrder).type_code} "):
        _decode(changed)


def _declared_as(monkeypatch: pytest.MonkeyPatch, version: int, more_columns: int) -> None:
    """Read with a declaration of another version; columns are only ever appended."""
    from schemas.derive.layout import dtype_of
    from schemas.registry import by_type_code

    def wider(cls: type) -> np.dtype[Any]:
        names = list(dtype_of(cls).names or ())
        more = [f"added_{n}" for n in range(more_columns)]
        return np.dtype([(n, np.int64) for n in (names + more)[: len(names) + more_columns]])

    monkeypatch.setattr(frame, "by_type_code", lambda code: by_type_code(code)._replace(version=version))
    monkeypatch.setattr(frame, "dtype_of", wider)


def test_rows_of_an_older_version_are_filled_with_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    made, raw = _encode(batch(1, 3))
    _declared_as(monkeypatch, version=2, more_columns=2)
    read = _decode(raw)
    for old, new in zip(made.sections, read.sections, strict=True):
        for name in old.rows.dtype.names or ():
            assert (old.rows[name] == new.rows[name]).all()
        assert new.rows["added_0"].tolist() == new.rows["added_1"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("version", "more"), [(1, 1), (1, -1), (2, -1), (0, 0)])
def test_a_version_that_cannot_be_read_names_both(
    monkeypatch: pytest.MonkeyPatch, version: int, more: int
) -> None:
    _, raw = _encode(batch(1))
    _declared_as(monkeypatch, version, more)
    with pytest.raises(JournalError, match=rf"version 1 with \d+ columns .* version {version} with"):
        _decode(raw)


def test_a_record_type_not_declared_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _, raw = _encode(batch(1))

    def unknown(code: int) -> None:
        raise KeyError(code)

    monkeypatch.setattr(frame, "by_type_code", unknown)
    with pytest.raises(JournalError, match=r"record type \d+ is not declared here") as caught:
        _decode(raw)
    assert not isinstance(caught.value, JournalDamaged)  # so recovery never takes it for a torn write
