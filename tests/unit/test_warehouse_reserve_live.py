"""The folded book says what the warehouse says, row for row, and the live reserve is the computed one.

The lake of a simulated day is cut at a sequence, the warehouse is built over it, and the journal is folded to
that sequence.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.projections.reserve_view import ReserveRules, ReserveView
from engine.reserve.book_case import Book, case_of_book
from engine.reserve.computation import Terms, compute
from engine.reserve.csv_columns import PRICE_SCALE
from engine.reserve.terms import Formula, Frequency, Method
from schemas.derive.layout import from_row
from schemas.market import BusinessDayStarted
from tests.support.lake_fixture import write_lake
from tests.support.played_day import Played, play
from tests.unit.test_warehouse_build import dbt

RULES = ReserveRules(Method.ALTERNATIVE, Frequency.DAILY)
TABLES = ("accounts", "claims", "locations", "prices", "totals", "deposits", "firm")
MODELS = ("int_reserve_holdings", *(f"int_reserve_{table}" for table in TABLES))
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


@pytest.fixture(scope="module")
def day() -> Played:
    return play(seed=5)


def view_at(day: Played, sequence: int) -> ReserveView:
    """The journal folded to a sequence, with updates on the way as a reader asks for them."""
    view = ReserveView(RULES)
    for number, frame in enumerate(day.frames):
        if frame.first_sequence > sequence:
            break
        view.fold(frame, sequence)
        if number % 7 == 0:
            view.update()
    view.update()
    return view


def built(day: Played, sequence: int, home: Path, **more: str) -> dict[str, Any]:
    """The warehouse's tables over the lake as it is at a sequence."""
    write_lake(
        home / "lake",
        (
            from_row(section.record.cls, row)
            for frame in day.frames
            if frame.first_sequence <= sequence
            for section in frame.sections
            for row in section.rows
            if row["sequence"] <= sequence
        ),
    )
    variables = ", ".join(f"{name}: {value}" for name, value in more.items())
    made = dbt(home, "run", "--select", *(f"+{m}" for m in MODELS), "--vars", f"{{{variables}}}")
    assert made.returncode == 0, made.stdout + made.stderr
    with duckdb.connect(str(home / "warehouse" / "onebook.duckdb"), read_only=True) as warehouse:
        found = warehouse.sql("select table_schema, table_name from information_schema.tables").fetchall()
        places = {name: f"{schema}.{name}" for schema, name in found}
        tables = {t: warehouse.sql(f"select * from {places[f'int_reserve_{t}']}").pl() for t in TABLES}
        (as_of,) = warehouse.sql(f"select as_of_date from {places['int_as_of']}").fetchone() or (None,)
    return {**tables, "as_of": as_of}


def day_of(epoch_day: int | None) -> date | None:
    return None if epoch_day is None else date.fromordinal(EPOCH_ORDINAL + epoch_day)


def same_rows(view: ReserveView, tables: dict[str, Any]) -> None:
    """Every row of every table, as often as it is there."""
    rows, book = view.rows, view.book
    issues = list(book.assets_of_issue)
    accounts = [
        (a.account_id, a.holder.value.replace("noncustomer", "non_customer"), *a[2:])
        for a in rows.accounts(book.account_classes)
    ]
    claims = [(*c[:5], day_of(c[5])) for issue in issues for c in rows.claims(issue)]
    places = [(*c[:5], day_of(c[5])) for issue in issues for c in rows.locations(issue)]
    prices = [(p.issue, Decimal(p.price) / PRICE_SCALE, p.is_exempt) for p in rows.prices(issues)]
    totals = [(t.item, t.formula, t.amount_minor, day_of(t.opened_epoch_day)) for t in rows.totals()]
    firm = [tuple(book.firm_capital.values())] if book.firm_capital else []
    for name, told in (
        ("accounts", accounts), ("claims", claims), ("locations", places), ("prices", prices),
        ("totals", totals), ("deposits", rows.deposits()), ("firm", firm),
    ):  # fmt: skip
        due = Counter(tuple(row) for row in tables[name].iter_rows())
        assert Counter(told) == due, name
        assert due, f"{name}: nothing is compared"


def same_figures(view: ReserveView, tables: dict[str, Any]) -> None:
    as_of = tables.pop("as_of")
    assert view.as_of == as_of
    case = case_of_book(Book(**tables), as_of)
    for formula in Formula:
        due = compute(case, Terms(as_of, RULES.method, RULES.frequency, formula))
        told = view.figure(formula)
        assert told.lines == due.lines
        assert sorted(told.notes) == sorted(due.notes)
        assert sorted(told.gaps) == sorted(due.gaps)
        held = sum(counted.total_minor for counted in view.live.deposits(formula))
        assert held == due.eligible_deposit_minor


@pytest.mark.parametrize("part", [0.45, 1.0])
def test_the_fold_says_what_the_warehouse_says(day: Played, part: float, tmp_path: Path) -> None:
    sequence = int(day.frames[-1].last_sequence * part)
    view, tables = view_at(day, sequence), built(day, sequence, tmp_path)
    same_rows(view, tables)
    same_figures(view, tables)


def test_a_day_that_is_over_can_be_folded_again(day: Played, tmp_path: Path) -> None:
    """The warehouse tells it by `as_of_date` over the whole lake."""
    first, second = day.rows(BusinessDayStarted)[:2]
    last = int(second["sequence"]) - 1
    over = day_of(int(first["business_epoch_day"]))
    view = view_at(day, last)
    tables = built(day, day.frames[-1].last_sequence, tmp_path, as_of_date=str(over))
    assert tables["as_of"] == over
    same_rows(view, tables)
    same_figures(view, tables)
