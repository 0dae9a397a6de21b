"""Marts as a sound dbt run publishes them, from plain rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from engine.config import Home
from orchestration.warehouse.marts import mart_path


def publish(home: Home, name: str, rows: list[dict[str, Any]], schema: pa.Schema | None = None) -> None:
    """Publish the rows of a mart."""
    path = mart_path(home, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
