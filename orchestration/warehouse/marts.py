"""Published marts, read by products: rows as plain values, and a digest of what was read.

Owns reading `home.warehouse/marts`. Does not own the marts; those are dbt models.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from engine.config import Home
from engine.errors import BadInput
from orchestration.products.papers import canonical_json, sha256_of

Row = dict[str, Any]


class MartMissing(BadInput):
    """A mart that no sound run has published yet."""


def mart_key(name: str) -> list[str]:
    """The asset key of a mart."""
    return ["marts", name]


def mart_path(home: Home, name: str) -> Path:
    """Where a mart is published."""
    return home.warehouse / "marts" / f"{name}.parquet"


def mart_rows(home: Home, name: str) -> list[Row]:
    """All rows of a mart, in the order of their values. Raises MartMissing when it was not published."""
    path = mart_path(home, name)
    if not path.exists():
        raise MartMissing(f"mart {name} was not published")
    rows = pq.read_table(path).to_pylist()
    return sorted(rows, key=lambda row: canonical_json(_plain(row)))


def rows_sha256(rows: list[Row]) -> str:
    """Digest of rows by value, whatever file they came in."""
    return sha256_of(canonical_json([_plain(row) for row in rows]))


def _plain(row: Row) -> Row:
    return {
        name: str(value) if isinstance(value, date | datetime | Decimal) else value
        for name, value in row.items()
    }
