"""RecordType -> expectations, as plain (type, arguments); the data-quality engine is not imported here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.record import INT64, RecordType, Role

_STAMPED = ("sequence", "received_at_ns")  # of a command, these are the gateway's own
Expectation = tuple[str, dict[str, Any]]


def expectations(record: RecordType) -> Iterator[Expectation]:
    """What must be true of every row of a record's lake table.

    A command is what somebody asked, right or wrong: its columns may hold any number, and the engine's answer
    stands beside it.
    """
    yield "ExpectColumnValuesToBeUnique", {"column": record.key}
    for column in record.columns:
        if not column.null:
            yield "ExpectColumnValuesToNotBeNull", {"column": column.name}
        kind = column.kind
        if record.role is Role.COMMAND and column.name not in _STAMPED:
            continue
        if kind.ge is not None or kind.le is not None:
            bounds = {"min_value": kind.ge, "max_value": kind.le}
            yield "ExpectColumnValuesToBeBetween", {"column": column.name, **bounds}
        if kind.codes is not None:
            values = [int(member) for member in kind.codes]
            yield "ExpectColumnValuesToBeInSet", {"column": column.name, "value_set": values}
        if column.name.endswith("sha256") and kind.arrow != INT64:
            yield "ExpectColumnValuesToMatchRegex", {"column": column.name, "regex": "^[0-9a-f]{64}$"}
