"""A case out of the book: tables in the words of the formula instead of the files of a folder.

Owns: the names that a column of a file has in a table, the canonical order of rows, and the files that hold
the same case. Does not own what the columns are (`case_files.py`) or how the book is put into these words,
which are the dbt models `int_reserve_<table>`. The case of a book is the case that is read from its files, to
the last digest, so that whoever has the files can compute again.
"""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from polars.exceptions import PolarsError

from engine.canonical import readable_json
from engine.errors import BadInput
from engine.reserve.case_files import COLUMNS, FIRM, Case, check_case, firm_of
from engine.reserve.csv_columns import (
    FIRST_LINE,
    LINE,
    PRICE_SCALE,
    Column,
    Form,
    dollars,
    type_of,
    written,
)
from engine.reserve.firm_facts import TOTALS

NO_SOURCE = frozenset({"noncustomer_percent", "omnibus_deficit", "omnibus_calls"})  # no such accounts here
NEVER_NEGATIVE = (Form.POSITIVE, Form.QUANTITY, Form.PRICE)
FIRM_AMOUNTS = ("tentative_net_capital_minor", "net_capital_minor", "aggregate_indebtedness_minor")


class Book(NamedTuple):
    """The tables of a book as of a day; each has the columns of a file, by `column_of`, and may have more.

    `breaks` are rows of `totals` that come from outside the book: differences with a custodian or bank that
    it has not recorded. `firm` has at most one row, `tentative_net_capital_minor`, `net_capital_minor` and
    `aggregate_indebtedness_minor`; `focus_totals` one a filed report: `month`, `customer_credits_minor`,
    `pab_credits_minor`, `filed_date`. What is None is not told.
    """

    accounts: pl.DataFrame
    claims: pl.DataFrame
    locations: pl.DataFrame
    prices: pl.DataFrame
    totals: pl.DataFrame
    deposits: pl.DataFrame
    breaks: pl.DataFrame | None = None
    firm: pl.DataFrame | None = None
    focus_totals: pl.DataFrame | None = None


def column_of(column: Column) -> str:
    """The name of a file's column in a table: money is in cents and says so, a yes or no is asked."""
    if column.form in (Form.MONEY, Form.POSITIVE):
        return f"{column.name}_minor"
    return f"is_{column.name}" if column.form is Form.YES_NO else column.name


def case_of_book(book: Book, as_of: date) -> Case:
    """The case of a book as of a day; a digest of a table is that of its file in `book_files`.

    Raises BadInput on a column that is missing or holds what its file may not, and on what `read_case` does.
    """
    tables = _tables(book)
    files = _written(tables, book)
    case = Case(
        tables["accounts.csv"],
        tables["claims.csv"],
        tables["locations.csv"],
        tables["prices.csv"],
        tables["other.csv"],
        tables["deposits.csv"],
        firm_of(files[FIRM], FIRM),
        {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )
    check_case(case, as_of)
    return case


def book_files(book: Book) -> dict[str, bytes]:
    """The files of a folder that hold the same case, by name."""
    return _written(_tables(book), book)


def write_case(book: Book, folder: Path) -> None:
    """Write the files of a case."""
    for name, content in book_files(book).items():
        (folder / name).write_bytes(content)


def _tables(book: Book) -> dict[str, pl.DataFrame]:
    totals = [book.totals] if book.breaks is None else [book.totals, book.breaks]
    of_file = {
        "accounts.csv": [book.accounts],
        "claims.csv": [book.claims],
        "locations.csv": [book.locations],
        "prices.csv": [book.prices],
        "other.csv": totals,
        "deposits.csv": [book.deposits],
    }
    return {name: _numbered(name, of_file[name], columns) for name, columns in COLUMNS.items()}


def _numbered(name: str, parts: list[pl.DataFrame], columns: tuple[Column, ...]) -> pl.DataFrame:
    """Typed rows in the order of their values, with the line that each has in its file."""
    rows = pl.concat([_typed(name, part, columns) for part in parts])
    ordered = rows.sort([c.name for c in columns], nulls_last=False, maintain_order=False)
    return ordered.with_row_index(LINE, offset=FIRST_LINE).with_columns(pl.col(LINE).cast(pl.UInt32))


def _typed(name: str, table: pl.DataFrame, columns: tuple[Column, ...]) -> pl.DataFrame:
    needed = [c for c in columns if c.name not in NO_SOURCE]
    if missing := [column_of(c) for c in needed if column_of(c) not in table.columns]:
        raise BadInput(f"the book's table of {name} has no column {missing[0]}")
    try:
        typed = table.select(
            _cell(c) if column_of(c) in table.columns else pl.lit(None, type_of(c)).alias(c.name)
            for c in columns
        )
    except PolarsError as error:
        raise BadInput(f"the book's table of {name}: {str(error).splitlines()[0]}") from None
    for column in columns:
        cells, told = typed[column.name], column_of(column)
        if column.form is Form.WORD and (strange := table.filter(cells.is_null())[told].drop_nulls()).len():
            raise BadInput(f"the book's table of {name}: {strange[0]!r} is no {told}")
        if column.is_filled and cells.null_count():
            raise BadInput(f"the book's table of {name} has a row without {told}")
        if column.form in NEVER_NEGATIVE and (cells < 0).any():
            raise BadInput(f"the book's table of {name} has a negative {told}")
    return typed


def _cell(column: Column) -> pl.Expr:
    cell = pl.col(column_of(column))
    if column.form is Form.WORD:
        words = dict(column.words)
        lower = cell.cast(pl.String).str.to_lowercase()
        cell = lower.replace_strict(words, default=None, return_dtype=pl.UInt8)
    elif column.form is Form.PRICE:  # dollars a unit, as a decimal
        cell = cell.cast(pl.Decimal(38, 8)) * PRICE_SCALE
    return cell.cast(type_of(column)).alias(column.name)


def _written(tables: dict[str, pl.DataFrame], book: Book) -> dict[str, bytes]:
    files = {
        name: tables[name].select(written(c) for c in columns).write_csv().encode()
        for name, columns in COLUMNS.items()
    }
    return files | {FIRM: readable_json(_firm(book))}


def _firm(book: Book) -> dict[str, Any]:
    """What firm.json says, amounts as texts of dollars; an object without names where nothing is told."""
    told: dict[str, Any] = {}
    if book.firm is not None:
        if len(book.firm) > 1:
            raise BadInput(f"the book tells {len(book.firm)} versions of the firm's capital")
        amounts = book.firm.select(
            dollars(pl.col(name).cast(pl.Int64)).alias(name.removesuffix("_minor")) for name in FIRM_AMOUNTS
        )
        for row in amounts.iter_rows(named=True):
            told |= {name: amount for name, amount in row.items() if amount is not None}
    if book.focus_totals is not None and len(book.focus_totals):
        reports = book.focus_totals.sort("month", "filed_date").select(
            pl.col("month").cast(pl.String),
            dollars(pl.col("customer_credits_minor").cast(pl.Int64)).alias("customer_credits"),
            dollars(pl.col("pab_credits_minor").cast(pl.Int64)).alias("pab_credits"),
            pl.col("filed_date").cast(pl.String).alias("filed_on"),
        )
        told[TOTALS] = reports.to_dicts()
    return told
