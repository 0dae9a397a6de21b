"""The marts of the reserve as dbt publishes them: a small book, the engine's formula, the marts' own SQL."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from engine.config import Home
from engine.reserve.book_case import Book
from engine.reserve.book_figures import book_figures
from engine.reserve.computation import Terms
from engine.reserve.terms import Frequency, Method
from orchestration.settings import DBT_PROJECT
from orchestration.warehouse.marts import mart_path

MARTS = DBT_PROJECT / "models" / "marts" / "reserve"
SCHEMAS: dict[str, dict[str, Any]] = {
    "accounts": {
        "account_id": pl.String,
        "class": pl.String,
        "cash_balance_minor": pl.Int64,
        "margin_debit_minor": pl.Int64,
        "household_id": pl.String,
        "is_affiliate": pl.Boolean,
    },
    "claims": {
        "issue": pl.String,
        "claim": pl.String,
        "account_id": pl.String,
        "quantity": pl.Int64,
        "contract_value_minor": pl.Int64,
        "opened_on": pl.Date,
    },
    "locations": {
        "issue": pl.String,
        "location": pl.String,
        "account_id": pl.String,
        "quantity": pl.Int64,
        "contract_value_minor": pl.Int64,
        "opened_on": pl.Date,
    },
    "prices": {"issue": pl.String, "price": pl.Decimal(18, 8), "is_exempt": pl.Boolean},
    "totals": {
        "item": pl.String,
        "formula": pl.String,
        "amount_minor": pl.Int64,
        "opened_on": pl.Date,
    },
    "deposits": {
        "bank": pl.String,
        "formula": pl.String,
        "cash_minor": pl.Int64,
        "bank_equity_minor": pl.Int64,
        "is_affiliate": pl.Boolean,
        "qualified_securities_minor": pl.Int64,
    },
}
EQUITY = 10**12


def table(name: str, *rows: tuple[Any, ...]) -> pl.DataFrame:
    """Rows of a table of a book; a short row is filled up with nothing."""
    schema = SCHEMAS[name]
    filled = [row + (None,) * (len(schema) - len(row)) for row in rows]
    return pl.DataFrame(filled, schema=schema, orient="row")


def small_book(
    credit: int = 500_00, debit: int = 200_00, held: int = 100_00, pab: int = 0, located: int = 100
) -> Book:
    """One cash customer with a credit, one on margin with a debit, and a PAB account when it has money.

    The debit is backed by ten issues of equal worth, so that Notes E(1) and E(5) cut nothing.
    """
    issues = [f"A{n}" for n in range(10)]
    accounts = [
        ("1", "customer_cash", credit, 0, None, False),
        ("2", "customer_margin", 0, debit, None, False),
    ]
    accounts += [("3", "pab", pab, 0, None, False)] if pab else []
    deposits = [("1", "customer", held, EQUITY, False, 0)]
    deposits += [("1", "pab", 0, EQUITY, False, 0)] if pab else []
    return Book(
        accounts=table("accounts", *accounts),
        claims=table("claims", *((i, "customer_margin", "2", 100) for i in issues)),
        locations=table(
            "locations", *((i, "depository", None, located if i == "A0" else 100) for i in issues)
        ),
        prices=table("prices", *((i, Decimal(1), False) for i in issues)),
        totals=table("totals"),
        deposits=table("deposits", *deposits),
        breaks=table("totals"),
    )


def publish_reserve(
    home: Home, book: Book, as_of: dt.date, method: str = "alternative", frequency: str = "daily"
) -> None:
    """Compute a book and publish what the marts make of it."""
    told = book_figures(book, Terms(as_of, Method(method), Frequency(frequency)))
    with duckdb.connect() as connection:
        connection.register("int_reserve_computed", told.to_arrow())
        for name in ("claims", "locations", "prices"):
            connection.register(f"int_reserve_{name}", getattr(book, name).to_arrow())
        waiting = {path.stem: _sql(path) for path in sorted(MARTS.glob("*.sql"))}
        while waiting:  # a mart that reads another one comes after it
            name = next(n for n, sql in waiting.items() if not any(o in sql for o in waiting if o != n))
            connection.execute(f"create table {name} as {waiting.pop(name)}")
            path = mart_path(home, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(f"copy {name} to '{path}' (format parquet)")


def _sql(path: Path) -> str:
    return re.sub(r"\{\{ ref\('(\w+)'\) \}\}", r"\1", path.read_text(encoding="utf-8"))
