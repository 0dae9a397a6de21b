"""The warehouse's arithmetic in SQL against the same in Python."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from schemas.packed import ALPHABET, WIDTH, pack

MACROS = Path(__file__).resolve().parents[2] / "dbt_project" / "macros"
INT64 = 2**63 - 1


def value_of(file: str, call: str) -> Any:
    text = (MACROS / file).read_text(encoding="utf-8")
    sql = Environment(autoescape=False).from_string(text + "{{ " + call + " }}").render()
    found = duckdb.sql(f"select {sql.strip()}").fetchone()
    assert found is not None
    return found[0]


@given(st.text(ALPHABET[1:], max_size=WIDTH))
@settings(max_examples=60, deadline=None)
def test_packed_text_is_unpacked_as_it_was_packed(text: str) -> None:
    assert value_of("unpack_text.sql", f"unpack_text('{pack(text)}::bigint')") == text


@pytest.mark.parametrize("text", ["", "A", "0", "US0378331005", "ZZZZZZZZZZZZ", "EURUSD"])
def test_packed_text_at_its_ends(text: str) -> None:
    assert value_of("unpack_text.sql", f"unpack_text('{pack(text)}::bigint')") == text


@given(st.integers(-INT64, INT64), st.integers(0, 18))
@settings(max_examples=60, deadline=None)
def test_decimals_are_exact(units: int, digits: int) -> None:
    found = value_of("exact.sql", f"as_decimal('{units}::hugeint', '{digits}')")
    assert found == Decimal(units).scaleb(-digits)


@given(st.integers(0, 10**30), st.integers(1, 10**12))
@settings(max_examples=60, deadline=None)
def test_ceilings_round_up(dividend: int, divisor: int) -> None:
    found = value_of("exact.sql", f"ceiling_of('{dividend}::hugeint', '{divisor}::hugeint')")
    assert int(found) == -(-dividend // divisor)


def test_an_amount_comes_to_whole_minor_units() -> None:
    assert value_of("exact.sql", "whole_minor('1234.56::decimal(23,5)', '2')") == 123_456
    assert value_of("exact.sql", "whole_minor('700::decimal(23,5)', '0')") == 700


def test_a_fraction_of_a_minor_unit_is_refused() -> None:
    with pytest.raises(duckdb.Error, match="not in whole minor units"):
        value_of("exact.sql", "whole_minor('0.005::decimal(23,5)', '2')")
