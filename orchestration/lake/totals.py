"""What rows of an hour add up to, computed twice: from journal frames with numpy, from Delta with polars.

Owns the meaning of the three figures and two computations that share no code, so that a fault in one of them,
or in what it reads, shows as a difference. Does not own which rows are compared (`comparison.py`).

For a row with the columns v1 … vn, as unsigned 64-bit words in the order of the declaration:

    h = 0;  for each v:  h = (h XOR v) * FACTOR mod 2**64;  h = h XOR (h >> 32)

`hash` is the sum of h over all rows, `sum` that of all words, both mod 2**64. Neither depends on the order of
rows. It guards against faults, not against somebody who computes rows to match.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from schemas.record import RecordType, Role

if TYPE_CHECKING:
    from engine.journal.frame import Frame
    from schemas.derive.layout import Rows

FACTOR = 0x9E3779B97F4A7C15  # odd, so that no two words are multiplied to the same one
HOUR_NS = 3_600 * 1_000_000_000
ROWS_AT_ONCE = 1 << 18
_MODULUS = 1 << 64


class Totals(NamedTuple):
    """What some rows add up to."""

    row_count: int
    sum: int
    hash: int


NONE = Totals(0, 0, 0)
ByHour = dict[tuple[str, int], Totals]  # (table, hours since 1970) -> what its rows add up to


def time_column(record: RecordType) -> str:
    """The column that says in which hour a row belongs."""
    return "received_at_ns" if record.role is Role.COMMAND else "occurred_at_ns"


def journal_totals(frames: Iterable[Frame], first: int, last: int) -> ByHour:
    """The totals of the rows of frames from one sequence to another."""
    totals: ByHour = {}
    for record, rows in _gathered(frames):
        chosen = rows[(rows["sequence"] >= first) & (rows["sequence"] <= last)]
        hours = chosen[time_column(record)] // HOUR_NS
        words = np.ascontiguousarray(chosen).view(np.uint64).reshape(len(chosen), len(record.columns))
        for hour in np.unique(hours).tolist():
            key = (record.table, hour)
            totals[key] = _added(totals.get(key, NONE), _of_words(words[hours == hour]))
    return totals


def lake_totals(folder: Path, record: RecordType, first: int, last: int) -> ByHour:
    """The totals of the rows of a Delta table from one sequence to another."""
    rows = pl.scan_delta(str(folder)).filter(pl.col("sequence") >= first, pl.col("sequence") <= last)
    hour = pl.col(time_column(record)) // HOUR_NS
    steps = rows.with_columns(hour.alias("_hour"), _hash=pl.lit(0, pl.UInt64), _sum=pl.lit(0, pl.UInt64))
    for column in record.columns:
        word = pl.col(column.name).reinterpret(signed=False)
        multiplied = (pl.col("_hash") ^ word) * pl.lit(FACTOR, pl.UInt64)
        steps = steps.with_columns(_hash=multiplied, _sum=pl.col("_sum") + word)
        steps = steps.with_columns(_hash=pl.col("_hash") ^ (pl.col("_hash") // pl.lit(1 << 32, pl.UInt64)))
    by_hour = steps.group_by("_hour").agg(
        pl.len().alias("_rows"), pl.col("_sum").sum(), pl.col("_hash").sum()
    )
    found = by_hour.collect()
    return {
        (record.table, row["_hour"]): Totals(row["_rows"], row["_sum"], row["_hash"])
        for row in found.iter_rows(named=True)
    }


def _gathered(frames: Iterable[Frame]) -> Iterator[tuple[RecordType, Rows]]:
    """Rows of each record, many frames at a time."""
    waiting: dict[str, list[Rows]] = defaultdict(list)
    records: dict[str, RecordType] = {}
    row_count = 0
    for frame in frames:
        for record, rows in frame.sections:
            records[record.table] = record
            waiting[record.table].append(rows)
            row_count += len(rows)
        if row_count >= ROWS_AT_ONCE:
            yield from ((records[table], np.concatenate(parts)) for table, parts in waiting.items())
            waiting.clear()
            row_count = 0
    yield from ((records[table], np.concatenate(parts)) for table, parts in waiting.items())


def _of_words(words: Rows) -> Totals:
    mixed = np.zeros(len(words), dtype=np.uint64)
    for position in range(words.shape[1]):
        mixed = (mixed ^ words[:, position]) * np.uint64(FACTOR)
        mixed ^= mixed >> np.uint64(32)
    return Totals(len(words), int(words.sum(dtype=np.uint64)), int(mixed.sum(dtype=np.uint64)))


def _added(one: Totals, other: Totals) -> Totals:
    return Totals(
        one.row_count + other.row_count,
        (one.sum + other.sum) % _MODULUS,
        (one.hash + other.hash) % _MODULUS,
    )
