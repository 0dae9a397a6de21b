"""A CSV file as typed columns: exact integers, and an error that names the cell.

Owns: what a number, a date, a word or a yes looks like, how a file is scanned and how a cell is written. Does
not own which columns a file has (`case_files.py`). Money is parsed to cents, prices to hundred-millionths of
a dollar, never through a binary fraction.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import polars as pl
from polars.exceptions import PolarsError

from engine.errors import BadInput
from engine.reserve.terms import CENTS

PRICE_DECIMALS = 8
PRICE_SCALE = 10**PRICE_DECIMALS
LARGEST_SUM = float(1 << 62)
DATE_LENGTH = 10
LINE = "line"  # of the row in its file
FIRST_LINE = 2  # after the names of the columns
_TRUE, _FALSE = ("yes", "y", "true", "t", "1"), ("no", "n", "false", "f", "0")


class Form(Enum):
    """What a cell may hold, in words for whoever has to correct it."""

    TEXT = "text"
    WORD = "one of the words of its column"
    QUANTITY = "a whole number of units, zero or more, of at most 15 digits"
    MONEY = "dollars with at most two decimals, like -1234.50, and at most 13 digits before them"
    POSITIVE = "dollars, zero or more, with at most two decimals and at most 13 digits before them"
    PRICE = f"dollars, zero or more, with at most {PRICE_DECIMALS} decimals and 9 digits before them"
    PERCENT = "a percentage from 0 to 100 with at most two decimals"
    DATE = "a date like 2026-10-02"
    YES_NO = "yes or no"


_TYPES: dict[Form, type[pl.DataType]] = {
    Form.TEXT: pl.String,
    Form.WORD: pl.UInt8,
    Form.YES_NO: pl.Boolean,
    Form.DATE: pl.Date,
}
_PATTERNS = {
    Form.QUANTITY: r"^\d{1,15}(\.0+)?$",
    # zeros behind the last decimal change nothing
    Form.MONEY: r"^-?(\d{1,13}(\.\d{1,2}0*)?|\.\d{1,2}0*)$",
    Form.POSITIVE: r"^-?0{1,13}(\.0+)?$|^(\d{1,13}(\.\d{1,2}0*)?|\.\d{1,2}0*)$",
    Form.PRICE: rf"^(\d{{1,9}}(\.\d{{1,{PRICE_DECIMALS}}}0*)?|\.\d{{1,{PRICE_DECIMALS}}}0*)$",
    Form.PERCENT: r"^(100(\.0+)?|\d{1,2}(\.\d{1,2}0*)?)$",
}


class Column(NamedTuple):
    """A column of a file: its form, whether it must be there, whether a cell of it must hold something."""

    name: str
    form: Form
    is_needed: bool = False  # the column
    is_filled: bool = False  # every cell of it
    words: Mapping[str, int] = {}


def scan(path: Path, columns: Sequence[Column]) -> pl.DataFrame:
    """The columns of a file, typed, and `line`; others are left out, a column that is absent is null.

    Words become their numbers, texts become strings, all cells are stripped. Raises BadInput naming file,
    line, column and what was expected.
    """
    try:
        header = _header(path)
        missing = [c.name for c in columns if c.is_needed and c.name not in header]
        if missing:
            raise BadInput(
                f"{path.name}, line 1: the column {missing[0]} is missing; found {', '.join(header)}"
            )
        lines = pl.scan_csv(
            path, infer_schema=False, new_columns=header, row_index_name=LINE, row_index_offset=FIRST_LINE
        )
        there = [c for c in columns if c.name in header]
        raw = lines.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in header)).select(
            LINE, *(_stripped(pl.col(c.name)).alias(f"raw {c.name}") for c in there)
        )
        typed = raw.with_columns(
            _typed(c, pl.col(f"raw {c.name}")) if c in there else _absent(c) for c in columns
        )
        bad = pl.coalesce(
            *(pl.when(_is_bad(c)).then(pl.lit(columns.index(c), pl.Int16)) for c in there),
            pl.lit(-1, pl.Int16),
        )
        frame = typed.select(LINE, *(c.name for c in columns), bad.alias("bad")).collect(engine="streaming")
        worst = frame.filter(pl.col("bad") >= 0).select(LINE, "bad").sort(LINE).head(1)
        if len(worst):
            line, number = worst.row(0)
            column = columns[number]
            cell = lines.filter(pl.col(LINE) == line).select(column.name).collect().item()
            first_spellings = {number: word for word, number in reversed(column.words.items())}
            expected = ", ".join(first_spellings[n] for n in sorted(first_spellings)) or column.form.value
            raise BadInput(
                f"{path.name}, line {line}, column {column.name}: {cell or ''!r} is not {expected}"
            )
    except (PolarsError, UnicodeDecodeError) as error:
        _refuse_long_row(path)
        raise BadInput(
            f"{path.name}: it is not a CSV file that can be read: {str(error).splitlines()[0]}"
        ) from None
    return frame.drop("bad")


def require_room(frame: pl.DataFrame, file_name: str, columns: Sequence[str]) -> None:
    """Raise BadInput when the sum of a column does not fit in 64 bits."""
    for name in columns:
        total = frame.select(pl.col(name).cast(pl.Float64).abs().sum()).item()
        if total is not None and total > LARGEST_SUM:
            raise BadInput(f"{file_name}, column {name}: its sum is too large to be reckoned exactly")


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig") as file:
        first = file.readline().strip("\r\n")
    if not first.strip():
        raise BadInput(f"{path.name}, line 1: the names of the columns are missing")
    cells = (cell.strip().strip('"').strip().lower() for cell in first.split(","))
    names = [cell or f"unnamed {number}" for number, cell in enumerate(cells, start=1)]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(f"{path.name}, line 1: the column {name!r} is there twice")
    return names


def _refuse_long_row(path: Path) -> None:
    """Raise BadInput naming the first row of a file with more cells than its header has names, if any."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(file)
        width = len(next(rows))
        for row in rows:
            if len(row) > width:
                raise BadInput(
                    f"{path.name}, line {rows.line_num}: {len(row)} cells, and the header names {width}"
                )


def _stripped(cell: pl.Expr) -> pl.Expr:
    """A cell without the blanks around it; null when nothing is left."""
    bare = cell.str.strip_chars()
    return pl.when(bare.str.len_bytes() > 0).then(bare)


def _typed(column: Column, cell: pl.Expr) -> pl.Expr:
    form = column.form
    if form is Form.TEXT:
        typed = cell
    elif form is Form.WORD:
        spellings = [str(word) for word in column.words]
        typed = cell.str.to_lowercase().cast(pl.Enum(spellings), strict=False).to_physical().cast(pl.UInt8)
        numbers = list(column.words.values())
        if numbers != list(range(len(numbers))):  # several spellings of one word
            typed = typed.replace_strict(list(range(len(numbers))), numbers, return_dtype=pl.UInt8)
    elif form is Form.YES_NO:
        lower = cell.str.to_lowercase()
        typed = pl.when(lower.is_in(_TRUE)).then(pl.lit(True)).when(lower.is_in(_FALSE)).then(pl.lit(False))
    elif form is Form.DATE:
        whole = pl.when(cell.str.len_bytes() == DATE_LENGTH).then(cell)
        typed = whole.str.to_date("%Y-%m-%d", strict=False)
    elif form is Form.QUANTITY:
        typed = _matching(form, cell).cast(pl.Decimal(20, 0), strict=False).cast(pl.Int64)
    elif form is Form.PRICE:
        typed = (_matching(form, cell).cast(pl.Decimal(30, PRICE_DECIMALS)) * PRICE_SCALE).cast(pl.Int64)
    else:  # money and percentages, to hundredths
        typed = (_matching(form, cell).cast(pl.Decimal(20, 2)) * CENTS).cast(pl.Int64)
    return typed.alias(column.name)


def _matching(form: Form, cell: pl.Expr) -> pl.Expr:
    return pl.when(cell.str.contains(_PATTERNS[form])).then(cell)


def type_of(column: Column) -> type[pl.DataType]:
    """The type of a column once it is read."""
    return _TYPES.get(column.form, pl.Int64)


def written(column: Column) -> pl.Expr:
    """A typed column as the text that reads as the same."""
    cell = pl.col(column.name)
    if column.form is Form.WORD:
        spelled: dict[int, str] = {}
        for word, number in column.words.items():
            spelled.setdefault(number, word)
        text = cell.replace_strict(spelled, return_dtype=pl.String)
    elif column.form is Form.YES_NO:
        text = pl.when(cell).then(pl.lit(_TRUE[0])).when(~cell).then(pl.lit(_FALSE[0]))
    elif column.form is Form.PRICE:
        text = _decimal(cell, PRICE_SCALE, PRICE_DECIMALS)
    elif column.form in (Form.MONEY, Form.POSITIVE, Form.PERCENT):
        text = dollars(cell)
    else:
        text = cell.cast(pl.String)
    return text.alias(column.name)


def dollars(cents: pl.Expr) -> pl.Expr:
    """Cents as the text of dollars with two decimals."""
    return _decimal(cents, CENTS, 2)


def _decimal(whole: pl.Expr, scale: int, digits: int) -> pl.Expr:
    sign = pl.when(whole < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    part = (whole.abs() % scale).cast(pl.String).str.zfill(digits)
    return pl.when(whole.is_not_null()).then(pl.format("{}{}.{}", sign, whole.abs() // scale, part))


def _absent(column: Column) -> pl.Expr:
    return pl.lit(None, type_of(column)).alias(column.name)


def _is_bad(column: Column) -> pl.Expr:
    typed = pl.col(column.name)
    return (
        typed.is_null() if column.is_filled else typed.is_null() & pl.col(f"raw {column.name}").is_not_null()
    )
