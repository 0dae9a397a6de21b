"""RecordType -> Arrow schema; the lake's tables keep the meaning of each column in its metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from schemas.derive.layout import Rows
from schemas.record import RecordType


def arrow_schema(record: RecordType) -> pa.Schema:
    """The Arrow schema of a record's lake table."""
    return pa.schema(
        [
            pa.field(c.name, c.kind.arrow, c.null, {"doc": c.doc, "unit": c.kind.suffix})
            for c in record.columns
        ]
    )


def arrow_table(record: RecordType, rows: Rows) -> pa.Table:
    """Rows of the numpy layout, shape (n,), as an Arrow table."""
    columns = [pa.array(rows[c.name], type=c.kind.arrow) for c in record.columns]
    return pa.Table.from_arrays(columns, schema=arrow_schema(record))


def arrow_table_of(record: RecordType, declared: Sequence[Any]) -> pa.Table:
    """Declared objects of one class as an Arrow table. Raises pyarrow.ArrowInvalid on a value out of range."""
    columns = [pa.array([getattr(d, c.name) for d in declared], type=c.kind.arrow) for c in record.columns]
    return pa.Table.from_arrays(columns, schema=arrow_schema(record))
