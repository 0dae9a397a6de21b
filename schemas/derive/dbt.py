"""RecordType -> dbt: the source's columns, the staging contract, and the staging model itself.

Staging renames and undoes what needs no reference data, one line a column, so it is written from the declaration
too. Everything above staging is written by people.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from schemas.record import Column, RecordType

_SQL = {pa.int64(): "bigint", pa.string(): "varchar"}


def sql_type(column: Column) -> str:
    """The DuckDB type of a lake column."""
    arrow = column.kind.arrow
    if pa.types.is_decimal(arrow):
        return f"decimal({arrow.precision},{arrow.scale})"
    return _SQL[arrow]


def staged_name(column: Column) -> str:
    """What staging calls a column: the machine suffix is replaced where the unit is undone."""
    staged = column.kind.staged
    if staged is None:
        return column.name
    return column.name.removesuffix(column.kind.suffix) + staged.suffix


def staged_type(column: Column) -> str:
    """The DuckDB type of a staged column."""
    return column.kind.staged.data_type if column.kind.staged else sql_type(column)


def source_table(record: RecordType) -> dict[str, Any]:
    """The entry of a lake table under its dbt source."""
    return {
        "name": record.table,
        "description": record.doc,
        "config": {"meta": {"dagster": {"asset_key": ["lake", record.table]}}},
        "columns": [{"name": c.name, "data_type": sql_type(c), "description": c.doc} for c in record.columns],
    }


def staging_contract(record: RecordType) -> dict[str, Any]:
    """The enforced contract of a staging model."""
    return {
        "name": f"stg_{record.table}",
        "description": record.doc,
        "config": {"contract": {"enforced": True}},
        "columns": [
            {"name": staged_name(c), "data_type": staged_type(c), "description": c.doc}
            for c in record.columns
        ],
    }


def domain_yaml(domain: str, records: Iterable[RecordType]) -> dict[str, Any]:
    """The generated YAML of one domain: its part of the source `lake`, and its staging contracts."""
    own = list(records)
    return {
        "version": 2,
        "sources": [
            {
                "name": f"lake_{domain}",
                "description": f"Delta tables of the domain {domain}.",
                "tables": [source_table(r) for r in own],
            }
        ],
        "models": [staging_contract(r) for r in own],
    }


def staging_sql(record: RecordType) -> str:
    """The staging model: names and units for people, and nothing above the lake's watermark."""
    lines = [f"    {_staged_sql(c)}" for c in record.columns]
    guard = "\nwhere sequence <= {{ watermark() }}" if record.is_journaled else ""
    source = f"{{{{ source('lake_{record.domain}', '{record.table}') }}}}"
    return (
        "-- Written by `make generate` from schemas/; edit the declaration, not this file.\n"
        "select\n" + ",\n".join(lines) + f"\nfrom {source}{guard}\n"
    )


def _staged_sql(column: Column) -> str:
    staged = column.kind.staged
    if staged is None:
        return column.name
    return f"{staged.sql.replace('{column}', column.name)} as {staged_name(column)}"
