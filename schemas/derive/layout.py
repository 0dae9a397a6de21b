"""RecordType -> numpy layout, for kernels and the journal: int64 little-endian columns, no padding."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.record import INT64, RecordType, record_of

Rows = npt.NDArray[Any]


def numpy_dtype(record: RecordType) -> np.dtype[Any]:
    """The fixed-width layout of a record. Raises TypeError when a column is not 8 bytes wide."""
    if wide := [c.name for c in record.columns if c.kind.arrow != INT64]:
        raise TypeError(f"{record.table} is not fixed-width: {', '.join(wide)}")
    return np.dtype([(c.name, np.int64) for c in record.columns])


@cache
def dtype_of(cls: type) -> np.dtype[Any]:
    """The layout of a declared class."""
    return numpy_dtype(record_of(cls))


def empty_rows(cls: type, count: int) -> Rows:
    """Rows of zeros of a declared class, shape (count,)."""
    return np.zeros(count, dtype=dtype_of(cls))


def row_tuple(declared: Any) -> tuple[int, ...]:
    """The column values of a declared object, in order."""
    return tuple(getattr(declared, c.name) for c in record_of(type(declared)).columns)


def to_row(cls: type, declared: Any) -> Rows:
    """One row of a declared class, shape (1,), of an object that has its columns and may have others."""
    row = empty_rows(cls, 1)
    for column in record_of(cls).columns:
        row[0][column.name] = getattr(declared, column.name)
    return row


def from_row(cls: type, row: Any) -> Any:
    """A declared object from one row of its layout."""
    return cls(**{c.name: int(row[c.name]) for c in record_of(cls).columns})
