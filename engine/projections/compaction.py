"""Many small files of a table put into few large ones, beside a writer that goes on appending.

Owns which files go together, the proof that they hold the same rows, and the commit that swaps them. Does not
own when it is worth it (`orchestration.lake.upkeep`) nor the removal of the former files (`vacuum.py`).

No row is changed and no file removed: the log names other files from one version on, so every former version
stays readable. The new file is durable and read back before the log names it. A version that comes in between
is another's append, and the swap follows it; a version that takes files away ends this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from engine.clock import Clock
from engine.errors import LakeError
from engine.projections.delta import LakeTable, removal
from engine.projections.delta_log import Action, read_entry
from engine.projections.parquet import ROW_GROUP_ROWS, ParquetFile, new_parquet
from schemas.record import RecordType

SHARD = "upkeep"
SMALL_BYTES = 64 << 20  # a file of this size is left alone
FULL_BYTES = 128 << 20  # a file to be made has about this size at most


class Fingerprint(NamedTuple):
    """What rows add up to, whatever their order: their number, the sum and the XOR of their hashes."""

    row_count: int
    hash_sum: int
    hash_xor: int


class Compaction(NamedTuple):
    """What one compaction did to a table."""

    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    row_count: int  # in the files that were put together


def compact(folder: Path, record: RecordType, clock: Clock, *, min_file_count: int) -> Compaction:
    """Put small files together where there are at least `min_file_count` of them.

    Raises LakeError when the new files do not hold the rows of the former ones, or when another compaction
    came first; nothing is swapped then.
    """
    table = _CompactedTable(folder, record, SHARD)
    table.sync()  # what a writer was killed over must not be built upon before it is durable
    files = table.files()
    bytes_before = sum(int(f["size_bytes"]) for f in files)
    gone: list[Action] = []
    made: list[Action] = []
    row_count = 0
    for group in _groups(files, min_file_count):
        added, proof = _merged(table, group)
        made.append(added)
        gone += [removal(file, clock.now_ns(), is_change=False) for file in group]
        row_count += proof.row_count
    if made:
        table.swap(gone, made)
        table.checkpoint()
    bytes_after = bytes_before - sum(r["remove"]["size"] for r in gone) + sum(a["add"]["size"] for a in made)
    return Compaction(len(files), len(files) - len(gone) + len(made), bytes_before, bytes_after, row_count)


def fingerprint(tables: Iterable[pa.Table]) -> Fingerprint:
    """The fingerprint of all rows of some tables."""
    count = total = xor = 0
    for rows in tables:
        frame = pl.from_arrow(rows)
        assert isinstance(frame, pl.DataFrame)
        hashes = frame.hash_rows().to_numpy()
        count += len(hashes)
        total += int(hashes.sum(dtype=np.uint64))
        xor ^= int(np.bitwise_xor.reduce(hashes)) if len(hashes) else 0
    return Fingerprint(count, total % (1 << 64), xor)


class _CompactedTable(LakeTable):
    """A table beside its writer: others may append, nobody else may swap files."""

    def _what_is_wrong_with(self, version: int) -> str:
        takes = any("remove" in action for action in read_entry(self.folder, version))
        return "takes files away" if takes else ""


def _groups(files: Sequence[dict[str, Any]], min_file_count: int) -> list[list[dict[str, Any]]]:
    """Small files that go together, in the order in which they were written."""
    small = sorted(
        (f for f in files if f["size_bytes"] < SMALL_BYTES), key=lambda f: (f["modification_time"], f["path"])
    )
    groups: list[list[dict[str, Any]]] = []
    room = 0
    for file in small if len(small) >= min_file_count else []:
        if file["size_bytes"] > room:
            groups.append([])
            room = FULL_BYTES
        groups[-1].append(file)
        room -= file["size_bytes"]
    return [group for group in groups if len(group) > 1]


def _merged(table: LakeTable, group: Sequence[dict[str, Any]]) -> tuple[Action, Fingerprint]:
    """One durable file of the rows of a group. Raises LakeError when it does not read back as they do."""
    with new_parquet(table.folder, table.schema) as file:
        due = fingerprint(_written(file, (_read(table, f["path"]) for f in group)))
        added = file.finish(is_change=False)
    found = fingerprint([_read(table, added["add"]["path"])])
    told = sum(int(f["num_records"]) for f in group)
    if found != due or told != due.row_count:
        file.discard()
        raise LakeError(f"{table.record.table}: a compaction made {found} of {due}, the log says {told} rows")
    return added, due


def _written(file: ParquetFile, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Write tables as they pass, small ones together: a file of small pieces is as slow as many files."""
    waiting: list[pa.Table] = []
    row_count = 0
    for rows in tables:
        waiting.append(rows)
        row_count += rows.num_rows
        if row_count >= ROW_GROUP_ROWS:
            row_count = 0
            yield _flushed(file, waiting)
    if waiting:
        yield _flushed(file, waiting)


def _flushed(file: ParquetFile, waiting: list[pa.Table]) -> pa.Table:
    rows = pa.concat_tables(waiting).combine_chunks()
    waiting.clear()
    file.add(rows)
    return rows


def _read(table: LakeTable, name: str) -> pa.Table:
    rows = pq.ParquetFile(table.folder / name).read()
    return rows.cast(pa.schema([pa.field(f.name, f.type, f.nullable) for f in table.schema]))
