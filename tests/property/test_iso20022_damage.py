"""Damaged files end in a refusal or in rows, never in anything else."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import MessageRefused
from orchestration.lake.statements import Reading, read_file
from schemas.iso20022.catalogue import MESSAGES
from schemas.iso20022.writing import render
from tests.support.message_samples import FIELDS
from tests.support.shared import SHARED

BANKS = sorted((SHARED / "iso20022" / "samples" / "bank_statements").glob("*.xml"))
WHOLE = [Path(path).read_bytes() for path in BANKS]
WHOLE += [render(MESSAGES[i], FIELDS[i]) for i in ("sese.024.001.12", "sese.025.001.11", "semt.002.001.11")]
PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [b"<", b"</Ntry>", b"<Ntry>", b"&#0;", b"&x;", b"<![CDATA[", b"<!--", b"0", b"-", b"\xff", b""]
    ),
)


@settings(deadline=None, max_examples=300)
@given(raw=st.sampled_from(WHOLE), at=st.integers(0, 12_000), cut=st.integers(0, 60), piece=PIECES)
def test_damage_is_refused_or_read(raw: bytes, at: int, cut: int, piece: bytes) -> None:
    place = at % len(raw)
    damaged = raw[:place] + piece + raw[place + cut :]
    try:
        found = read_file(damaged, "damaged.xml", 1)
    except MessageRefused as refused:
        assert str(refused)
        assert "\n" not in str(refused)
    else:
        assert isinstance(found, Reading)
        assert found.ingested.row_count == sum(map(len, found.rows.values()))


@settings(deadline=None, max_examples=200)
@given(raw=st.binary(max_size=200))
def test_any_bytes_are_refused(raw: bytes) -> None:
    try:
        read_file(raw, "any", 1)
    except MessageRefused:
        return
    raise AssertionError("random bytes were read as a message")
