"""The marts of margin, built by dbt over a book that was really played: reports, scenarios, terms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.config import Home
from engine.projections.lake import read_table
from orchestration.products.margin.record import reports
from schemas.risk import AccountMarginSet, AddScenario, FactorReturnSet, InstrumentRiskSet
from tests.support.margin_book import MarginBook
from tests.support.risk_model import GROUPS, TAILS
from tests.unit.test_warehouse_build import dbt

MARTS = ("+path:models/marts/risk", "path:tests/assert_scenario_sets_are_whole.sql")
CAUTIOUS = ("--indirect-selection", "cautious", "--select", *MARTS, "assert_reported_positions_have_a_margin")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two days; two sets, the second dropped once and prepared anew; two reports on the first day."""
    with MarginBook(tmp_path_factory.mktemp("home"), 8) as book:
        book.model(unmodelled=(2,)).trade().report().mark().trade(20).report()
        book.next_day().mark().trade(20)
        for set_id, number in ((2, 1), (2, 2), (9, 1)):
            book.world.send(
                AddScenario, scenario_set_id=set_id, scenario_no=number, scenario_group_code=1,
                damping_ppm=1_000_000,
            )  # fmt: skip
        book.model().report()
        made = book.lake()
    built = dbt(made.root, "build", *CAUTIOUS)
    assert built.returncode == 0, built.stdout + built.stderr
    return made


def rows(home: Home, mart: str, columns: str, more: str = "") -> list[tuple[Any, ...]]:
    path = home.warehouse / "marts" / f"{mart}.parquet"
    return duckdb.sql(f"select {columns} from read_parquet('{path}') {more} order by all").fetchall()


def test_the_last_report_of_each_day_is_told(home: Home) -> None:
    columns = ("business_epoch_day", "account_id", "equity_minor", "initial_margin_minor")
    due = [row for r in reports(home) for row in r.accounts.select(columns).iter_rows()]
    day = "(business_date - date '1970-01-01')::integer"
    told = rows(home, "reported_margins", f"{day}, account_id, equity_minor, initial_margin_minor")
    assert told == sorted(due) and len(told) == 8
    excess = "equity_minor - initial_margin_minor = excess_minor"
    both = f"{excess} and equity_minor - maintenance_margin_minor = maintenance_excess_minor"
    assert rows(home, "reported_margins", both) == [(True,)] * 8
    terms = read_table(home, AccountMarginSet)
    retail = set(terms.filter(terms["is_retail"] != 0)["account_id"].to_list())
    assert {
        a for a, is_retail in rows(home, "reported_margins", "account_id, is_retail") if is_retail
    } == retail


def test_positions_are_told_with_their_value(home: Home) -> None:
    due = {
        (r.business_epoch_day, p["account_id"], p["instrument_id"]): p["held_lots"] * p["mark_ticks"]
        for r in reports(home)
        for p in r.positions.to_dicts()
    }
    day = "(business_date - date '1970-01-01')::integer"
    told = rows(home, "reported_margin_positions", f"{day}, account_id, instrument_id, value_minor")
    assert {row[:3]: row[3] for row in told} == due and len(told) == len(due)


def test_each_day_has_the_set_in_force_at_its_end(home: Home) -> None:
    columns = "business_date::varchar, scenario_set_id, historical_count, stress_count, extreme_count"
    counts = tuple(GROUPS.values())
    assert rows(home, "scenario_sets", columns) == [("2026-10-05", 1, *counts), ("2026-10-06", 2, *counts)]
    tails = rows(home, "scenario_sets", "historical_tail_count, stress_tail_count, scenario_count")
    assert tails == [(*TAILS.values(), sum(counts))] * 2


def test_every_return_of_a_set_is_told_once(home: Home) -> None:
    told = rows(home, "scenario_returns", "scenario_set_id, scenario_no, factor_id, return_ppb")
    due = read_table(home, FactorReturnSet).select(
        "scenario_set_id", "scenario_no", "factor_id", "return_ppb"
    )
    assert told == sorted(due.iter_rows())
    assert {f for (f,) in rows(home, "scenario_returns", "factor")} == {"INDEX", "OWN", "BASIS"}
    exact = "factor_return = return_ppb::decimal(18,0) * 0.000000001::decimal(18,9)"
    assert {f for (f,) in rows(home, "scenario_returns", exact)} == {True}


def test_terms_are_those_in_force(home: Home) -> None:
    latest = {r["instrument_id"]: r for r in read_table(home, InstrumentRiskSet).sort("sequence").to_dicts()}
    told = rows(home, "risk_terms", "instrument_id, sequence, is_modelled, first_factor, haircut_ppm, symbol")
    assert [t[:3] for t in told] == [(i, r["sequence"], True) for i, r in sorted(latest.items())]
    assert [t[4] for t in told] == [r["haircut_ppm"] for _, r in sorted(latest.items())]
    assert {t[3] for t in told} == {"INDEX"} and told[0][5] == "ACME"


def test_a_day_can_be_told_again(home: Home, tmp_path: Path) -> None:
    (tmp_path / "lake").symlink_to(home.lake)
    built = dbt(tmp_path, "build", "--vars", "{as_of_date: 2026-10-05}", *CAUTIOUS)
    assert built.returncode == 0, built.stdout + built.stderr
    again = Home(tmp_path)
    assert {s for (s,) in rows(again, "scenario_returns", "scenario_set_id")} == {1}
    assert len(rows(again, "reported_margins", "account_id")) == 4
    modelled = dict(rows(again, "risk_terms", "instrument_id, is_modelled"))
    assert modelled == {1: True, 2: False, 3: True}
