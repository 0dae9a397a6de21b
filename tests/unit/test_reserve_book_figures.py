"""Both formulas of a book as rows: which are filed, what holds a filing, what a figure leads back to."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from engine.reserve.book_case import Book
from engine.reserve.book_figures import book_figures, no_figures
from engine.reserve.computation import Terms
from engine.reserve.terms import Frequency, Method
from tests.support.reserve_marts import small_book, table

AS_OF = dt.date(2026, 10, 2)
TERMS = Terms(AS_OF, Method.ALTERNATIVE, Frequency.DAILY)
OLD = dt.date(2026, 8, 3)


def told(book: Book, formula: str = "customer", terms: Terms = TERMS) -> dict[str, Any]:
    rows = {row["formula"]: row for row in book_figures(book, terms).to_dicts()}
    assert set(rows) == {"customer", "pab"}
    return rows[formula]


def holding(book: Book, formula: str = "customer", terms: Terms = TERMS) -> list[str]:
    return [gap["subject"] for gap in told(book, formula, terms)["gaps"] if gap["is_holding"]]


def test_a_book_without_a_day_has_the_columns_and_no_row() -> None:
    assert no_figures().schema == book_figures(small_book(), TERMS).schema
    assert no_figures().is_empty()


def test_an_order_is_positive_to_deposit_and_negative_to_withdraw() -> None:
    found = told(small_book())
    assert (found["requirement_minor"], found["eligible_minor"], found["order_minor"]) == (
        304_00,
        100_00,
        204_00,
    )
    assert told(small_book(held=400_00))["order_minor"] == -96_00
    assert (str(found["deposit_date"]), str(found["due_at"])) == ("2026-10-06", "2026-10-06 14:00:00")


@pytest.mark.parametrize(
    ("changed", "is_filed"),
    [
        ({}, False),
        ({"accounts": [("3", "pab", 0, 0, None, False)]}, True),
        ({"claims": [("A0", "pab", None, 0)]}, True),
        ({"locations": [("A0", "pab_short", None, 0)]}, True),
        ({"totals": [("drafts", "pab", 1, None)]}, True),
        ({"totals": [("drafts", None, 1, None)]}, False),
    ],
)
def test_pab_is_filed_where_it_protects_anybody(changed: dict[str, Any], is_filed: bool) -> None:
    book = small_book()
    more = {name: pl.concat([getattr(book, name), table(name, *rows)]) for name, rows in changed.items()}
    assert told(book._replace(**more), "pab")["is_filed"] is is_filed
    assert told(book._replace(**more))["is_filed"] is True


def test_what_holds_a_filing() -> None:
    book = small_book()
    equity = book.deposits.with_columns(bank_equity_minor=pl.lit(None, pl.Int64))
    unpriced = book.prices.filter(pl.col("issue") != "A0")
    assert holding(book) == []
    assert holding(small_book(located=99)) == ["requirement"]
    assert holding(book._replace(deposits=equity)) == ["eligible deposit"]
    assert holding(book._replace(prices=unpriced)) == ["item 10"]
    assert holding(book, terms=TERMS._replace(frequency=Frequency.MONTHLY)) == ["requirement"]
    assert holding(book._replace(prices=pl.concat([book.prices] * 2))) == ["requirement"]
    # one formula is held by what only it needs
    assert holding(book._replace(prices=unpriced), "pab") == []


def test_a_bank_without_room_is_told_and_holds_nothing() -> None:
    book = small_book()
    small = book.deposits.with_columns(
        bank_equity_minor=pl.lit(1000_00)
    )  # 15 % are 150.00, of which 100.00 lie
    found = told(book._replace(deposits=small))
    (gap,) = found["gaps"]
    assert (gap["subject"], gap["is_holding"]) == ("deposit", False)
    assert "only 5000 would count at bank 1" in gap["reason"]


def test_a_deposit_goes_where_most_would_count() -> None:
    book = small_book()
    banks = table(
        "deposits",
        ("1", "customer", 0, 10**6, False, 0),
        ("2", "customer", 0, 10**7, True, 0),  # an affiliate
        ("3", "customer", 0, 10**6 + 100, False, 0),
        ("4", "customer", 10**6, 10**7, False, 0),
        ("5", "pab", 0, 10**12, False, 0),
    )
    assert told(book._replace(deposits=banks))["deposit_bank"] == "4"


@pytest.mark.parametrize("formula", ["customer", "pab"])
def test_every_item_is_the_sum_of_its_sources(formula: str) -> None:
    found = told(busy_book(), formula)
    sums: dict[int, int] = {}
    for row in found["sources"]:
        sums[row["item_number"]] = sums.get(row["item_number"], 0) + row["amount_minor"]
    due = {line["item_number"]: line["amount_minor"] for line in found["lines"] if line["item_number"] < 16}
    assert sums == {item: amount for item, amount in due.items() if amount or item in sums}
    assert len({(row["item_number"], row["source"]) for row in found["sources"]}) == len(found["sources"])


def busy_book() -> Book:
    """A loan, a fail and a short position beside the small book's positions."""
    book = small_book(pab=70_00)
    claims = table(
        "claims",
        ("B", "customer_fully_paid", "1", 100),
        ("B", "pab", "3", 50),
        ("B", "fail_to_deliver", "1", 10, 900, AS_OF),
    )
    locations = table(
        "locations",
        ("B", "bank_loan", "loan 1", 60, 500_00, OLD),
        ("B", "fail_to_receive", "1", 40, 310_00, OLD),
        ("B", "fail_to_receive", "1", 20, 155_01, OLD),
        ("B", "customer_short", "2", 40),
    )
    return book._replace(
        claims=pl.concat([book.claims, claims]),
        locations=pl.concat([book.locations, locations]),
        prices=pl.concat([book.prices, table("prices", ("B", Decimal("9.5"), False))]),
        totals=table("totals", ("drafts", "customer", 11, AS_OF), ("drafts", "customer", 12, AS_OF)),
        breaks=table("totals", ("suspense_short", None, 13, OLD)),
    )


def test_an_allocated_unit_is_told_once_over_both_formulas() -> None:
    book = busy_book()
    units: dict[str, int] = {}
    for formula in ("customer", "pab"):
        for row in told(book, formula)["allocation"]:
            units[row["issue"]] = units.get(row["issue"], 0) + row["quantity"]
    due = dict(book.claims.group_by("issue").agg(pl.col("quantity").sum()).iter_rows())
    assert units == due


def test_names_of_sources_are_those_of_the_book() -> None:
    sources = {row["source"]: row["amount_minor"] for row in told(busy_book())["sources"]}
    assert sources["account 1"] == 500_00
    assert sources["drafts of 2026-10-02"] == 23  # rows of one name are told as one
    assert sources["suspense_short of 2026-08-03"] == 13
    assert any(name.startswith("B bank_loan loan 1 of 2026-08-03") for name in sources)


def test_the_files_of_the_inputs_have_their_digests() -> None:
    from engine.canonical import sha256_of

    for row in told(small_book())["inputs"]:
        assert sha256_of(row["content"].encode()) == row["sha256"]
    assert len(told(small_book())["inputs"]) == 7
