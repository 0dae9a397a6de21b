"""The lake inside the warehouse: one DuckDB view a lake table, pinned to one version a dbt run.

Owns the views behind the dbt sources `lake_<domain>`. Does not own any table that dbt builds.

dbt-duckdb loads this module as a plugin and calls it once a process, before the first model. Each
view reads the Parquet files of one Delta version, so models and tests of a run see the same rows
even while the lake grows. The watermarks are pinned first: what they promise is then whole in
every table that is pinned after them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from duckdb import DuckDBPyConnection

from engine.config import Home
from engine.errors import LakeError
from schemas.derive.dbt import sql_type
from schemas.record import RecordType, in_lake
from schemas.registry import RECORDS

_PINNED_FIRST = "lake_watermarks"


class Plugin(BasePlugin):
    """The dbt-duckdb plugin; the name is the adapter's."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Remember which book the warehouse is of."""
        self._home = Home(Path(plugin_config["home"]))

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        """Make the warehouse's folders, before DuckDB opens its file there."""
        (self._home.warehouse / "marts").mkdir(parents=True, exist_ok=True)

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Point every source at the lake's newest version."""
        for statement in lake_views(self._home.lake):
            conn.execute(statement)


def lake_views(lake: Path) -> list[str]:
    """The statements that make one view a lake table.

    Raises LakeError when a table is absent or cannot be read.
    """
    records = sorted(in_lake(RECORDS), key=lambda record: record.table != _PINNED_FIRST)
    domains = sorted({record.domain for record in records})
    schemas = [f"create schema if not exists lake_{domain}" for domain in domains]
    return schemas + [lake_view(record, lake / record.table) for record in records]


def lake_view(record: RecordType, folder: Path) -> str:
    """The statement that makes the view of one table, over the files of its newest version."""
    files = _active_files(record, folder)
    columns = ", ".join(f"{c.name}::{sql_type(c)} as {c.name}" for c in record.columns)
    name = f"lake_{record.domain}.{record.table}"
    if files:
        listed = ", ".join(_quoted(path) for path in files)
        return f"create or replace view {name} as select {columns} from read_parquet([{listed}])"
    nothing = ", ".join(f"null::{sql_type(c)} as {c.name}" for c in record.columns)
    return f"create or replace view {name} as select {nothing} where false"


def _active_files(record: RecordType, folder: Path) -> list[str]:
    try:
        table = DeltaTable(folder)
        if table.metadata().partition_columns:
            raise LakeError(f"{record.table}: partitioned tables have columns outside their files")
        return table.file_uris()
    except (DeltaError, OSError) as error:
        line = " ".join(str(error).split())
        raise LakeError(f"{record.table}: no table of the lake {folder.parent}: {line}") from error


def _quoted(path: str) -> str:
    return "'" + path.replace("'", "''") + "'"
