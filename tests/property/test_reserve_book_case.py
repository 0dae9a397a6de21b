"""Whatever a book holds, its files read as the same case, and rows in any order are the same files."""

from __future__ import annotations

import datetime as dt
import random
import tempfile
from decimal import Decimal
from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from engine.reserve.book_case import Book, book_files, case_of_book, write_case
from engine.reserve.case_files import read_case
from engine.reserve.kinds import Claim, Holder, Location, Total
from engine.reserve.terms import Formula
from tests.support.reserve_marts import table

AS_OF = dt.date(2026, 10, 2)
MINOR = st.integers(0, 10**14)
DAY = st.none() | st.dates(dt.date(2020, 1, 1), AS_OF)
ISSUE = st.sampled_from(["US0000000001", 'Q"A', "B,C", "D E"])
NAME = st.none() | st.sampled_from(["loan 1", "stock_borrow 2", 'x,"y'])
UNOWNED = [c for c in Claim if "customer" not in c.value and c is not Claim.PAB]
PLACES = [p for p in Location if p not in (Location.CUSTOMER_SHORT, Location.PAB_SHORT)]


@st.composite
def books(draw: st.DrawFn) -> Book:
    """A book of any content; positions of customers and PAB accounts name no account."""
    value = st.none() | MINOR
    count = draw(st.integers(0, 4))
    accounts = [
        (
            str(n), draw(st.sampled_from(list(Holder))).value, draw(st.integers(-(10**12), 10**14)),
            draw(MINOR), draw(st.none() | st.just("9")), draw(st.booleans()),
        )
        for n in range(count)
    ]  # fmt: skip
    units = st.integers(1, 10**9)
    claims = st.tuples(ISSUE, st.sampled_from(UNOWNED).map(str), NAME, units, value, DAY)
    locations = st.tuples(ISSUE, st.sampled_from(PLACES).map(str), NAME, units, value, DAY)
    formula = st.none() | st.sampled_from([f.value for f in Formula])
    totals = st.tuples(st.sampled_from(list(Total)).map(str), formula, value, DAY)
    price = st.decimals(0, 10**6, places=8).map(Decimal)
    prices = st.tuples(ISSUE, price, st.booleans())
    deposits = st.tuples(
        st.just("1"), st.sampled_from(["customer", "pab"]), MINOR, value, st.booleans(), MINOR
    )
    some = {"max_size": 5}
    return Book(
        accounts=table("accounts", *accounts),
        claims=table("claims", *draw(st.lists(claims, **some))),
        locations=table("locations", *draw(st.lists(locations, **some))),
        prices=table("prices", *draw(st.lists(prices, max_size=4, unique_by=lambda p: p[0]))),
        totals=table("totals", *draw(st.lists(totals, **some))),
        deposits=table("deposits", *draw(st.lists(deposits, **some))),
        breaks=table("totals", *draw(st.lists(totals, **some))),
    )


@given(books())
def test_the_files_of_a_book_read_as_its_case(book: Book) -> None:
    made = case_of_book(book, AS_OF)
    with tempfile.TemporaryDirectory() as folder:
        write_case(book, Path(folder))
        read = read_case(Path(folder), AS_OF)
    for name in ("accounts", "claims", "locations", "prices", "other", "deposits"):
        assert getattr(read, name).equals(getattr(made, name)), name
    assert (read.firm, read.digests) == (made.firm, made.digests)


@given(books(), st.randoms(use_true_random=False))
def test_rows_in_any_order_are_the_same_files(book: Book, rng: random.Random) -> None:
    seed = rng.randrange(1 << 30)
    turned = Book(
        *(t.sample(fraction=1, shuffle=True, seed=seed) if isinstance(t, pl.DataFrame) else t for t in book)
    )
    assert book_files(turned) == book_files(book)
