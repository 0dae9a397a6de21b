"""A price history from a file: one date a row, one factor a column.

Owns: reading CSV and Parquet, and refusing what is no history. Does not own: what is made of it
(scenario_build.py).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, datetime
from math import isfinite, isnan
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import BadInput

_DATE_COLUMNS = (
    "date",
    "timestamp",
    "__index_level_0__",
)  # the last is an index that a data frame never named


class PriceHistory(NamedTuple):
    """Dates, ascending, and by factor a price at each of them."""

    source: str
    dates: tuple[date, ...]
    prices: dict[str, tuple[float, ...]]


def read_prices(path: Path) -> PriceHistory:
    """Read a history; the column `date`, else the first, is the date; an empty price is the last before it.

    A market that was closed keeps its price, and its next return covers the days between. A column must have
    a price on the first date, no date stands twice, prices are finite numbers. Rows are put in order.
    """
    if path.suffix.lower() == ".parquet":
        names, rows, first = *_parquet(path), 1
    elif path.suffix.lower() == ".csv":
        names, rows, first = *_csv(path), 2
    else:
        raise BadInput(f"{path.name}: expected a name that ends with .parquet or .csv")
    told = {name.strip() for name in names[1:]}
    if len(names) < 2 or len(told) != len(names) - 1 or "" in told or names[0].strip() in told:
        raise BadInput(f"{path.name}: expected a date and one column a factor, each with a name of its own")
    if not rows:
        raise BadInput(f"{path.name}: no dates in it")
    at = next((n for n, name in enumerate(names) if name.strip().lower() in _DATE_COLUMNS), 0)
    dated: dict[date, tuple[str, Sequence[Any]]] = {}
    for line, row in enumerate(rows, first):
        place = f"{path.name}, line {line}"
        if len(row) != len(names):
            raise BadInput(f"{place}: expected {len(names)} values, not {len(row)}")
        day = _date(f"{place}, column {names[at]}", row[at])
        if day in dated:
            raise BadInput(f"{place}, column {names[at]}: {day} stands twice")
        dated[day] = place, row
    dates = tuple(sorted(dated))
    prices: dict[str, tuple[float, ...]] = {}
    for n, name in enumerate(names):
        if n != at:
            column: list[float] = []
            for place, row in (dated[day] for day in dates):
                column.append(_price(f"{place}, column {name}", row[n], column[-1] if column else None))
            prices[name.strip()] = tuple(column)
    return PriceHistory(path.name, dates, prices)


def _csv(path: Path) -> tuple[list[str], list[Sequence[Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows: list[Sequence[Any]] = [row for row in csv.reader(file) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path.name}: not CSV: {error}") from None
    if not rows:
        raise BadInput(f"{path.name}: nothing in it")
    return list(rows[0]), rows[1:]


def _parquet(path: Path) -> tuple[list[str], list[Sequence[Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInput(f"{path.name}: not Parquet: {error}") from None
    rows: list[Sequence[Any]] = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return list(table.column_names), rows


def _date(place: str, value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        raise BadInput(f"{place}: expected a date like 2026-09-30, not {value!r}") from None


def _price(place: str, value: Any, before: float | None) -> float:
    if isinstance(value, float) and isnan(value):  # how a data frame writes a gap
        value = None
    if value is None or (isinstance(value, str) and not value.strip()):
        if before is None:
            raise BadInput(f"{place}: expected a price on the first date")
        return before
    try:
        price = float(value)
    except (TypeError, ValueError):
        price = float("nan")
    if isinstance(value, bool) or not isfinite(price):
        raise BadInput(f"{place}: expected a price, not {value!r}")
    return price
