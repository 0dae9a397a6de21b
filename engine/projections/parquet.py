"""Rows as one Parquet file, durable before any table names it.

Owns the file's encoding and the statistics by which readers pass it over. Does not own the commit.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import LakeError
from engine.projections.delta_log import Action
from engine.projections.sync import sync_file, sync_folder

# Most columns are whole numbers that move in small steps: as differences they take half the room of a
# dictionary, a third of its time to write and a fifth to read.
_INTEGERS = "DELTA_BINARY_PACKED"
_COMPRESSION, _LEVEL = "zstd", 1
ROW_GROUP_ROWS = 1 << 19


class ParquetFile:
    """A new Parquet file of a table, written a piece at a time."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        """Begin a file under a name that nobody else uses."""
        self._folder = folder
        self.name = f"part-{uuid.uuid4()}.parquet"
        self._schema = pa.schema([pa.field(f.name, f.type, f.nullable) for f in schema])
        self._metadata: list[Any] = []
        integers = [f.name for f in schema if pa.types.is_integer(f.type)]
        others: Any = [f.name for f in schema if not pa.types.is_integer(f.type)]
        self._writer = pq.ParquetWriter(
            folder / self.name,
            self._schema,
            compression=_COMPRESSION,
            compression_level=_LEVEL,
            use_dictionary=others,
            column_encoding=dict.fromkeys(integers, _INTEGERS),
            store_schema=False,
            metadata_collector=self._metadata,
        )

    def add(self, rows: pa.Table) -> None:
        """Write rows behind those before."""
        plain = pa.Table.from_arrays(rows.columns, schema=self._schema)
        self._writer.write_table(plain, row_group_size=ROW_GROUP_ROWS)

    def finish(self, *, is_change: bool) -> Action:
        """Make the file durable and return the action that names it.

        `is_change` says that its rows are new, not the rows of other files put together.
        """
        self._writer.close()
        path = self._folder / self.name
        sync_file(path)
        sync_folder(self._folder)
        told = path.stat()
        statistics = _statistics(self._metadata[0])
        added = {
            "path": self.name,
            "partitionValues": {},
            "size": told.st_size,
            "modificationTime": told.st_mtime_ns // 1_000_000,
            "dataChange": is_change,
            "stats": json.dumps(statistics, separators=(",", ":")),
        }
        return {"add": added}

    def discard(self) -> None:
        """Remove the file; nothing names it."""
        self._writer.close()
        (self._folder / self.name).unlink(missing_ok=True)


@contextmanager
def new_parquet(folder: Path, schema: pa.Schema) -> Generator[ParquetFile]:
    """A new file of a table, removed if it cannot be written whole. Raises LakeError if the disk refuses."""
    file = ParquetFile(folder, schema)
    try:
        yield file
    except (OSError, pa.ArrowException) as error:
        file.discard()
        raise LakeError(f"{folder.name}: cannot write a file: {' '.join(str(error).split())}") from error


def _statistics(metadata: Any) -> dict[str, Any]:
    """What Delta tells readers of a file: its rows, and the least and greatest of each column of numbers."""
    least: dict[str, int] = {}
    greatest: dict[str, int] = {}
    nulls: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        of_group = metadata.row_group(group)
        for position in range(metadata.num_columns):
            column = of_group.column(position)
            name, told = column.path_in_schema, column.statistics
            if told is None:
                continue
            nulls[name] = nulls.get(name, 0) + (told.null_count or 0)
            if column.physical_type == "INT64" and told.logical_type.type == "NONE" and told.has_min_max:
                least[name] = min(told.min, least.get(name, told.min))
                greatest[name] = max(told.max, greatest.get(name, told.max))
    return {"numRecords": metadata.num_rows, "minValues": least, "maxValues": greatest, "nullCount": nulls}
