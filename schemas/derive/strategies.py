"""RecordType -> Hypothesis strategies of valid records. Imported by tests only."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from schemas.record import Kind, RecordType

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Valid values of one kind."""
    if kind.codes is not None:
        return st.sampled_from([int(m) for m in kind.codes])
    if kind.suffix == "sha256":
        return st.binary(min_size=32, max_size=32).map(bytes.hex)
    if pa.types.is_decimal(kind.arrow):
        return st.integers(-(10**15), 10**15).map(lambda n: Decimal(n).scaleb(-kind.arrow.scale))
    if pa.types.is_string(kind.arrow):
        return st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40)
    low = INT64_MIN if kind.ge is None else kind.ge
    high = INT64_MAX if kind.le is None else kind.le
    return st.integers(low, high)


def records(record: RecordType) -> st.SearchStrategy[Any]:
    """Valid objects of a declared class."""
    columns = {c.name: values(c.kind) for c in record.columns}
    return st.builds(record.cls, **columns)
