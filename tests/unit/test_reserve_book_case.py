"""The case of a book is the case that is read from its files: rows, types, lines and digests."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.errors import BadInput
from engine.reserve.book_case import Book, book_files, case_of_book, column_of, write_case
from engine.reserve.case_files import COLUMNS, read_case
from engine.reserve.computation import Terms, compute
from engine.reserve.terms import Formula, Frequency, Method

AS_OF = dt.date(2026, 10, 2)
OLD = dt.date(2026, 8, 1)
TERMS = Terms(AS_OF, Method.ALTERNATIVE, Frequency.DAILY)
ACCOUNTS = {
    "account_id": ["1", "2", "3", "9"],
    "class": ["CUSTOMER_CASH", "CUSTOMER_MARGIN", "PAB", "NON_CUSTOMER"],
    "cash_balance_minor": [450_000_07, 0, 120_000_00, -5],
    "margin_debit_minor": [0, 100_000_00, 0, 0],
    "household_id": [None, "1", None, None],
    "is_affiliate": [False, False, False, True],
}
CLAIMS = {
    "issue": ["ACME", "ACME", "ACME", "BOLT"],
    "claim": ["customer_fully_paid", "customer_margin", "pab", "fail_to_deliver"],
    "account_id": ["1", "2", "3", "1"],
    "quantity": [10, 1_400, 5, 7],
    "contract_value_minor": [None, None, None, 700_01],
    "opened_on": [None, None, None, AS_OF],
}
LOCATIONS = {
    "issue": ["ACME", "ACME", "BOLT"],
    "location": ["depository", "bank_loan", "depository"],
    "account_id": [None, "bank_loan 12", None],
    "quantity": [115, 1_300, 7],
    "contract_value_minor": [None, 90_000_00, None],
    "opened_on": [None, OLD, None],
}
PRICES = {
    "issue": ["ACME", "BOLT"],
    "price": [Decimal("100.12345678"), Decimal("50")],
    "is_exempt": [False, True],
}
TOTALS = {
    "item": ["drafts", "occ_margin"],
    "formula": ["customer", "pab"],
    "amount_minor": [12_500_00, 1],
    "opened_on": [AS_OF, OLD],
}
BREAKS = {
    "item": ["suspense_short", "suspense_short"],
    "formula": ["customer", None],
    "amount_minor": [300_00, 400_00],
    "opened_on": [OLD, AS_OF],
}
DEPOSITS = {
    "bank": ["1", "1"],
    "formula": ["customer", "pab"],
    "cash_minor": [50_000_00, 70_000_00],
    "bank_equity_minor": [10**12, None],
    "is_affiliate": [False, False],
    "qualified_securities_minor": [0, 0],
}
FIRM = {
    "tentative_net_capital_minor": [10**10],
    "net_capital_minor": [None],
    "aggregate_indebtedness_minor": [123_45],
}
FOCUS = {
    "month": [dt.date(2026, 8, 31), dt.date(2026, 7, 31)],
    "customer_credits_minor": [100_000_01, 100],
    "pab_credits_minor": [0, 200],
    "filed_date": [dt.date(2026, 9, 24), dt.date(2026, 8, 25)],
}


def frame(columns: dict[str, list[Any]], **types: Any) -> pl.DataFrame:
    return pl.DataFrame(columns, schema_overrides=types)


def book(**changed: pl.DataFrame | None) -> Book:
    told: dict[str, Any] = {
        "accounts": frame(ACCOUNTS),
        "claims": frame(CLAIMS),
        "locations": frame(LOCATIONS),
        "prices": frame(PRICES),
        "totals": frame(TOTALS),
        "deposits": frame(DEPOSITS),
        "breaks": frame(BREAKS),
        "firm": frame(FIRM, net_capital_minor=pl.Int64),
        "focus_totals": frame(FOCUS),
    }
    return Book(**told | changed)


def test_the_files_of_a_book_read_as_its_case(tmp_path: Path) -> None:
    write_case(book(), tmp_path)
    read, made = read_case(tmp_path, AS_OF), case_of_book(book(), AS_OF)
    assert read.digests == made.digests
    assert read.firm == made.firm
    for name in ("accounts", "claims", "locations", "prices", "other", "deposits"):
        assert getattr(read, name).equals(getattr(made, name)), name
        assert getattr(read, name).schema == getattr(made, name).schema, name


@pytest.mark.parametrize("formula", Formula)
def test_both_ways_compute_the_same(tmp_path: Path, formula: Formula) -> None:
    write_case(book(), tmp_path)
    terms = TERMS._replace(formula=formula)
    read, made = compute(read_case(tmp_path, AS_OF), terms), compute(case_of_book(book(), AS_OF), terms)
    assert (read.lines, read.notes, read.gaps) == (made.lines, made.notes, made.gaps)
    assert read.deposit_gap == made.deposit_gap
    assert made.is_determinate


def test_what_the_rows_come_to() -> None:
    told = compute(case_of_book(book(), AS_OF), TERMS)
    assert told.lines[1] == 450_000_07 + 12_500_00
    assert told.lines[2] == 90_000_00
    assert told.lines[8] == 300_00  # the other break is of the day itself
    # ACME alone is worth 140,000 of 140,000: all over 15 %, 119,000, is cut, but no more than the debit
    assert told.lines[10] == 0
    assert told.eligible_deposit_minor == 50_000_00


def test_digests_do_not_know_the_order_of_rows() -> None:
    turned = Book(*(part.reverse() if part is not None else None for part in book()))
    assert case_of_book(turned, AS_OF).digests == case_of_book(book(), AS_OF).digests


@pytest.mark.parametrize("table", ["accounts", "claims", "locations", "prices", "totals", "deposits"])
def test_every_row_changes_a_digest(table: str) -> None:
    less = getattr(book(), table)[1:]
    assert book_files(book(**{table: less})) != book_files(book())


def test_an_empty_book_is_a_case() -> None:
    nothing = Book(*(part[:0] if part is not None else None for part in book()))
    told = compute(case_of_book(nothing, AS_OF), TERMS)
    assert (told.requirement_minor, told.eligible_deposit_minor) == (0, 0)


def test_without_capital_a_large_debit_holds_item_10() -> None:
    told = compute(case_of_book(book(firm=None), AS_OF), TERMS)
    assert told.requirement_minor is None
    assert [g.item for g in told.gaps] == [10]
    assert "tentative_net_capital" in told.gaps[0].reason


def test_money_in_a_currency_without_a_price_is_a_total_without_amount() -> None:
    told = frame(
        {"item": ["free_credits"], "formula": ["customer"], "amount_minor": [None], "opened_on": [None]},
        amount_minor=pl.Int64,
        opened_on=pl.Date,
    )
    found = compute(case_of_book(book(totals=told), AS_OF), TERMS)
    assert [g.item for g in found.gaps] == [1]


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("claims", lambda t: t.drop("contract_value_minor"), "no column contract_value_minor"),
        ("accounts", lambda t: t.drop("is_affiliate"), "no column is_affiliate"),
        ("claims", lambda t: t.with_columns(claim=pl.lit("lost")), "lost"),
        ("claims", lambda t: t.with_columns(quantity=-pl.col("quantity")), "negative quantity"),
        ("prices", lambda t: t.with_columns(issue=pl.lit(None, pl.String)), "without issue"),
        ("prices", lambda t: t.with_columns(issue=pl.lit("ACME")), "stands on line 2 already"),
        ("locations", lambda t: t.with_columns(opened_on=pl.lit(dt.date(2026, 10, 3))), "lies after"),
        ("accounts", lambda t: t.filter(pl.col("account_id") != "2"), "is not in accounts.csv"),
    ],
)
def test_what_a_table_may_not_hold_is_refused(table: str, change: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        case_of_book(book(**{table: change(getattr(book(), table))}), AS_OF)


def test_every_column_of_a_file_has_its_name_in_a_table() -> None:
    names = {column_of(c) for columns in COLUMNS.values() for c in columns}
    assert {"cash_balance_minor", "is_exempt", "quantity", "opened_on", "class"} <= names
