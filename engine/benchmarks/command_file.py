"""A Parquet file of commands to the matching engine: columns, bounds, and the rows that the kernel takes.

Owns: what a column means, which numbers have no place in a packed word, writing and reading.
Does not own: whether the engine accepts a command; an unknown code is a refusal like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import BadInput
from engine.market.requests import LARGEST_INSTRUMENT_ID, LARGEST_SMALL_ID, Request
from schemas.codes import (
    MarketAction,
    OrderLink,
    OrderType,
    PostOnly,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from schemas.derive.layout import Rows, dtype_of, empty_rows
from schemas.matching import MarketCommand, OrderTerms

Words = npt.NDArray[np.int64]

COLUMNS = (
    "op", "order_id", "account_id", "instrument_id", "side",
    "order_type", "time_in_force", "price_ticks", "quantity_lots",
)  # fmt: skip
FURTHER_COLUMNS = tuple(name for name in Request._fields if name not in (*COLUMNS, "action"))
PREFILL = "onebook.prefill"  # in the file's metadata: how many commands come before the timed ones
BLOCK = 1 << 18  # rows that are read or written at a time

_CODE, _FLAG, _SMALL_ID = (0, 255), (0, 1), (0, LARGEST_SMALL_ID)
_BOUNDS = {
    "op": _CODE,
    "side": _FLAG,
    "order_type": _CODE,
    "time_in_force": _CODE,
    "account_id": _SMALL_ID,
    "group_id": _SMALL_ID,
    "session_id": _SMALL_ID,
    "post_only": (0, 3),
    "self_trade": (0, 7),
    "is_reduce_only": _FLAG,
    "is_one_sided": _FLAG,
    "is_disconnect": _FLAG,
}
_SHIFTS = {
    "op": 0, "order_type": 16, "time_in_force": 24, "post_only": 32, "self_trade": 34, "is_reduce_only": 37,
    "is_one_sided": 38, "is_disconnect": 39, "instrument_id": 40,
}  # fmt: skip
_CODES: dict[str, type[IntEnum]] = {
    "op": MarketAction,
    "order_type": OrderType,
    "time_in_force": TimeInForce,
    "post_only": PostOnly,
    "self_trade": SelfTradePrevention,
    "link": OrderLink,
}
_TERMS = (
    "display_lots", "minimum_lots", "stop_ticks", "trail_ticks",
    "offset_ticks", "expires_at_ns", "linked_order_id", "link",
)  # fmt: skip


def columns_text() -> str:
    """The columns and their codes, for people; a paragraph a column."""
    meanings = {
        "instrument_id": f"1 to {LARGEST_INSTRUMENT_ID}; 0 for all where the op is not of one order",
        "account_id": "of a cancel or replace the owner's",
        "side": ", ".join(f"{side - Side.BUY} {side.name}" for side in Side),
        "quantity_lots": "of a replace the new open quantity",
        **{name: ", ".join(f"{code} {code.name}" for code in codes) for name, codes in _CODES.items()},
    }
    lines = [
        "Columns of the file, all int64:",
        *(f"{name}: {meanings[name]}" if name in meanings else name for name in COLUMNS),
        "Columns that it may have besides, zero where it has not:",
        *(f"{name}: {meanings[name]}" if name in meanings else name for name in FURTHER_COLUMNS),
    ]
    return "\n\n".join(lines)


@dataclass
class CommandFile:
    """Commands of a file, packed, in order."""

    path: Path
    commands: Rows  # MarketCommand (n,)
    terms: Rows  # OrderTerms; row zero is no terms
    instrument_ids: list[int]  # ascending
    metadata: dict[str, str]

    @property
    def prefill(self) -> int:
        """How many commands the file says come before those to be timed."""
        told = self.metadata.get(PREFILL, "0")
        if not told.isdecimal() or int(told) > len(self.commands):
            raise BadInput(f"{self.path.name}: the metadata tells {PREFILL} {told!r}")
        return int(told)


# Writing ----------------------------------------------------------------------------------------


def write_commands(path: Path, blocks: Iterable[Words], metadata: Mapping[str, str]) -> None:
    """Write blocks of rows, shape (n, 9) in the order of COLUMNS, as one file."""
    schema = pa.schema([pa.field(name, pa.int64(), nullable=False) for name in COLUMNS], metadata=metadata)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for block in blocks:
            columns = [pa.array(np.ascontiguousarray(column)) for column in block.T]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


# Reading ----------------------------------------------------------------------------------------


def read_commands(path: Path) -> CommandFile:
    """Read and pack a file. Raises BadInput naming the first column or row that cannot be packed."""
    try:
        with pq.ParquetFile(path) as file:
            return _read(path, file)
    except (pa.ArrowException, MemoryError) as error:
        raise BadInput(f"{path.name} cannot be read: {error}") from None


def _read(path: Path, file: pq.ParquetFile) -> CommandFile:
    names = _columns_of(path, file.schema_arrow)
    count = file.metadata.num_rows
    if count == 0:
        raise BadInput(f"{path.name} holds no commands")
    commands = empty_rows(MarketCommand, count)
    terms = [empty_rows(OrderTerms, 1)]
    is_listed = np.zeros(LARGEST_INSTRUMENT_ID + 1, dtype=np.bool_)
    first = 0
    for batch in file.iter_batches(batch_size=BLOCK, columns=names):
        block = _Block(path, first, {name: batch.column(name) for name in names}, batch.num_rows)
        block.check()
        last = first + batch.num_rows
        terms.append(block.pack(commands[first:last], sum(map(len, terms))))
        is_listed[block["instrument_id"]] = True
        first = last
    if first != count:
        raise BadInput(f"{path.name} has {first} of its {count} rows")
    told = (file.schema_arrow.metadata or {}).items()
    metadata = {key.decode(errors="replace"): text.decode(errors="replace") for key, text in told}
    is_listed[0] = False
    instrument_ids = np.flatnonzero(is_listed).tolist()
    return CommandFile(path, commands, np.concatenate(terms), instrument_ids, metadata)


def _columns_of(path: Path, schema: pa.Schema) -> list[str]:
    """The columns to read. Raises BadInput where one is missing, there twice, or not of integers."""
    names = [name for name in (*COLUMNS, *FURTHER_COLUMNS) if name in schema.names]
    for name in COLUMNS:
        if name not in names:
            raise BadInput(f"{path.name} has no column {name}")
    for name in names:
        if schema.names.count(name) > 1:
            raise BadInput(f"{path.name} has the column {name} more than once")
        kind = schema.field(name).type
        if not pa.types.is_integer(kind) and not pa.types.is_boolean(kind):
            raise BadInput(f"{path.name}: column {name} is {kind}, not int64")
    return names


class _Block:
    """Some rows of a file, one array a column."""

    def __init__(self, path: Path, first: int, columns: dict[str, Any], count: int) -> None:
        self._path, self._first, self._count = path, first, count
        self._none = np.zeros(count, dtype=np.int64)
        self._columns = {name: self._numbers(name, column) for name, column in columns.items()}

    def __getitem__(self, name: str) -> Words:
        """A column; zeros where the file has none of this name."""
        return self._columns.get(name, self._none)

    def _numbers(self, name: str, column: Any) -> Words:
        if column.null_count:
            row = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
            raise self._bad(row, f"{name} is empty")
        try:
            return column.cast(pa.int64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            row = int(np.argmax(column.to_numpy(zero_copy_only=False) >= 1 << 63))
            raise self._bad(row, f"{name} does not fit 64 bits with a sign") from None

    def check(self) -> None:
        """Raise BadInput naming the first row with a number that has no place in its word."""
        of_one_order = self["op"] <= MarketAction.REPLACE
        wrong = {
            name: (self._columns[name] < low) | (self._columns[name] > high)
            for name, (low, high) in _BOUNDS.items()
            if name in self._columns
        }
        ids = self["instrument_id"]
        wrong["instrument_id"] = (ids < of_one_order) | (ids > LARGEST_INSTRUMENT_ID)
        rows = {name: int(np.argmax(is_wrong)) for name, is_wrong in wrong.items() if is_wrong.any()}
        if not rows:
            return
        name = min(rows, key=lambda n: (rows[n], [*COLUMNS, *FURTHER_COLUMNS].index(n)))
        row = rows[name]
        low, high = _BOUNDS.get(name, (int(of_one_order[row]), LARGEST_INSTRUMENT_ID))
        raise self._bad(row, f"{name} {self._columns[name][row]} is not {low} to {high}")

    def pack(self, commands: Rows, term_count: int) -> Rows:
        """Fill MarketCommand rows; returns their OrderTerms rows, numbered from `term_count`."""
        word = self["side"] + Side.BUY << 8
        for name, shift in _SHIFTS.items():
            word |= self[name] << shift
        commands["action_word"] = word
        for name in ("order_id", "price_ticks", "quantity_lots", "received_at_ns", "client_order_id"):
            commands[name] = self[name]
        commands["owner_word"] = self["account_id"] | self["group_id"] << 32
        commands["terms_word"] = self["session_id"] << 32
        if not any(name in self._columns for name in _TERMS):
            return empty_rows(OrderTerms, 0)
        values = np.column_stack([self[name] for name in _TERMS])
        rows = np.flatnonzero(values.any(axis=1))
        commands["terms_word"][rows] |= np.arange(term_count, term_count + len(rows))
        return np.ascontiguousarray(values[rows]).view(dtype_of(OrderTerms)).reshape(-1)

    def _bad(self, row: int, reason: str) -> BadInput:
        return BadInput(f"{self._path.name}: row {self._first + row} (the first is 0): {reason}")
