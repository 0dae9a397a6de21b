"""The margin product: recomputed to the last unit, whatever the model; a changed figure is found."""

from __future__ import annotations

import dataclasses
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from deltalake import write_deltalake

from engine.clock import FakeClock
from engine.config import Home
from engine.projections.lake import read_table
from engine.risk.scenarios import RiskState
from orchestration.products.margin import checks
from orchestration.products.margin.assets import KEY, margin_recomputation, record_path, write_record
from orchestration.products.margin.model import Instrument, charge, impact_ppm, part, tail_mean
from orchestration.products.margin.record import Record, account_problems, figure_problems, held_problems
from schemas.derive.arrow import arrow_schema
from schemas.record import record_of
from schemas.risk import (
    UNTIL_SET,
    AddScenario,
    InstrumentRisk,
    MarginPositionReported,
    MarginReported,
    PositionTakenOver,
    ReportMargins,
    ReviewMargin,
    TakeOverAccount,
)
from tests.support.margin_book import MarginBook

MODELS: dict[str, Callable[[MarginBook], Any]] = {
    "by the listing's rate": lambda b: b,
    "by rate under other parameters": lambda b: b.parameters(),
    "all modelled": lambda b: b.model(),
    "all modelled, one by a vector from outside": lambda b: b.model().vectors(),
    "one by rate, two modelled": lambda b: b.model(unmodelled=(2,)).parameters(),
    "terms without scenarios": lambda b: b.terms(),
    "another set after the first": lambda b: b.model().trade(20).model().parameters(),
}


def problems(record: Record | None) -> list[str]:
    assert record is not None
    return figure_problems(record) + held_problems(record) + account_problems(record)


@pytest.mark.parametrize("model", MODELS)
def test_every_figure_is_the_engines(tmp_path: Path, model: str) -> None:
    seed = list(MODELS).index(model)
    with MarginBook(tmp_path, seed) as book:
        MODELS[model](book)
        book.trade().mark().settle().next_day().mark().trade(30).report()
        record = write_record(book.lake())
    assert problems(record) == []
    assert record is not None
    figures = [a["recomputed"] for a in record["accounts"]]
    assert any(f["initial_margin_minor"] > f["maintenance_margin_minor"] > 0 for f in figures)
    assert any(p["recomputed"]["cost_minor"] for p in record["positions"])
    is_modelled = model.startswith(("all", "one", "another"))
    assert any(f["at_risk_minor"] for f in figures) == is_modelled


def test_every_rule_binds_somewhere(tmp_path: Path) -> None:
    """What is never the larger of two is not compared; so each rule has to be for some account."""
    seen: set[str] = set()
    for seed in (6, 11):
        with MarginBook(tmp_path / str(seed), seed) as book:
            book.model().trade().mark().settle().trade(20).report()
            record = write_record(book.lake())
        assert problems(record) == []
        assert record is not None
        for account in record["accounts"]:
            f = account["recomputed"]
            seen |= {"names"} if f["names_minor"] > f["at_risk_minor"] else {"scenarios"}
            seen |= {"basis"} if f["basis_minor"] else set()
            seen |= {"orders"} if f["at_risk_minor"] > f["held_at_risk_minor"] else set()
            is_capped = account["is_retail"] and f["initial_margin_minor"] == f["retail_minor"]
            seen |= {"retail"} if is_capped else set()
    assert seen == {"names", "scenarios", "basis", "orders", "retail"}


def test_orders_on_both_sides_of_one_instrument_are_no_hedge(tmp_path: Path) -> None:
    with MarginBook(tmp_path, 4) as book:
        book.model().world.play("""
            open 10 CUSTOMER_MARGIN
            deposit 10 100000.00
            transfer 10 ACME 3
            order 10 #1 BUY 50 ACMECFD @ 95.00
            order 10 #2 SELL 40 ACMECFD @ 105.00
        """)
        terms = book.world.pipeline.state.instrument_risks["basis_ppm"]
        rate = max(int(terms[1]), int(terms[3]))
        record = write_record(book.report().lake())
    assert problems(record) == []
    assert record is not None and rate > 0
    (account,) = [a for a in record["accounts"] if a["account_id"] == 10]
    assert account["recomputed"]["basis_minor"] == part(3 * 10_000, rate)  # three shares against the contract


def test_a_preparation_that_was_dropped_does_not_count(tmp_path: Path) -> None:
    with MarginBook(tmp_path, 2) as book:
        book.model().trade()
        for set_id, number in ((2, 1), (2, 2), (3, 1)):  # the third set drops the second, which begins again
            book.world.send(
                AddScenario, scenario_set_id=set_id, scenario_no=number, scenario_group_code=1,
                damping_ppm=1_000_000,
            )  # fmt: skip
        book.model().report()
        record = write_record(book.lake())
    assert problems(record) == []
    assert record is not None and (record["scenario_set_id"], record["scenario_count"]) == (2, 38)


def test_a_position_that_the_house_took_over_is_the_houses(tmp_path: Path) -> None:
    with MarginBook(tmp_path, 5) as book:
        book.world.play("""
            open 20 FIRM
            open 10 CUSTOMER_MARGIN
            deposit 20 1000000.00
            deposit 10 1000.00
            order 9 #1 SELL 20 ACMECFD @ 100.00
            order 10 #1 BUY 20 ACMECFD @ 100.00   -> filled 20
            mark ACMECFD 60.00
            mark ACMECFD 30.00
        """)
        book.world.send(ReviewMargin, account_id=10)
        taken = book.world.send(TakeOverAccount, account_id=10, house_account_id=20)
        assert isinstance(taken[0], PositionTakenOver), taken
        record = write_record(book.report().lake())
    assert problems(record) == []
    assert record is not None
    held = {(p["account_id"], p["instrument_id"]): p["recomputed"]["held_lots"] for p in record["positions"]}
    assert held[20, 3] == 20 and (10, 3) not in held


# What is found ----------------------------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path: Path) -> Any:
    with MarginBook(tmp_path, 3) as made:
        made.model(unmodelled=(2,)).trade().mark().settle().report()
        yield made


def run(home: Home) -> dict[str, list[str]]:
    """Materialize the product and run its checks; what each that fails says."""
    resources = {"home": home, "clock": FakeClock(0)}
    ran = dg.materialize([margin_recomputation, *checks.CHECKS], resources=resources, raise_on_error=False)
    return {
        e.check_name: str(e.metadata["first"].value).splitlines()
        for e in ran.get_asset_check_evaluations()
        if not e.passed and e.asset_key == KEY
    }


def change(home: Home, cls: type, column: str, by: int) -> None:
    """Change a figure of the last row of a lake table."""
    rows = read_table(home, cls).sort("sequence")
    is_last = pl.int_range(pl.len()) == pl.len() - 1
    changed = rows.with_columns(pl.when(is_last).then(pl.col(column) + by).otherwise(column).alias(column))
    record = record_of(cls)
    table = changed.to_arrow().cast(arrow_schema(record))
    shutil.rmtree(home.lake / record.table)  # a table that is only appended to can be changed in no other way
    write_deltalake(home.lake / record.table, table)


def test_a_sound_day_passes_and_leaves_its_papers(book: MarginBook) -> None:
    home = book.lake()
    assert run(home) == {}
    path = record_path(home, "2026-10-05")
    html = path.with_suffix(".html").read_text()
    assert "Margin as of 2026-10-05" in html and "<td>yes</td>" in html and "<td>NO</td>" not in html
    assert path.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("cls", "column", "check"),
    [
        (MarginReported, "equity_minor", "margin_is_recomputed"),
        (MarginReported, "initial_margin_minor", "margin_is_recomputed"),
        (MarginReported, "maintenance_margin_minor", "margin_is_recomputed"),
        (MarginPositionReported, "held_lots", "positions_are_the_ledgers"),
        (MarginPositionReported, "mark_ticks", "positions_are_the_ledgers"),
        (MarginPositionReported, "cost_minor", "positions_are_the_ledgers"),
    ],
)
@pytest.mark.parametrize("by", [1, -1])
def test_a_figure_changed_by_one_unit_is_found(
    book: MarginBook, cls: type, column: str, check: str, by: int
) -> None:
    home = book.lake()
    change(home, cls, column, by)
    found = run(home)
    assert list(found) == [check]
    (line,) = found[check]
    assert column in line and "reported" in line


def test_an_account_without_a_report_is_found(book: MarginBook) -> None:
    home = book.lake()
    change(home, MarginReported, "account_id", 40)
    found = run(home)
    assert found["every_account_is_reported"] == ["account 8 has no report", "account 48 is none of ours"]


def test_a_trading_day_without_a_report_fails_and_an_earlier_one_warns(book: MarginBook) -> None:
    book.next_day().mark().trade(30)
    assert list(run(book.lake())) == ["trading_day_is_reported"]
    book.report()
    assert run(book.lake()) == {}
    book.next_day().trade(30).next_day().trade(30).report()
    assert run(book.lake()) == {"earlier_days_were_reported": ["2026-10-07 has no report"]}


def test_a_day_without_trading_needs_no_report(book: MarginBook) -> None:
    book.next_day()
    assert run(book.lake()) == {}
    assert write_record(book.home) is None


def test_what_trades_after_the_report_is_told(book: MarginBook) -> None:
    book.trade(30)
    (line,) = run(book.lake())["trading_day_is_reported"]
    assert line.endswith("executions of 2026-10-05 came after its last report")
    book.report()  # the last report of the day counts
    assert run(book.lake()) == {}


def test_a_report_that_was_not_recomputed_fails(book: MarginBook) -> None:
    write_record(book.lake())
    book.report()
    home = book.lake()
    resources = {"home": home, "clock": FakeClock(0)}
    ran = dg.materialize(
        [margin_recomputation, *checks.CHECKS],
        resources=resources,
        selection=dg.AssetSelection.checks(*checks.CHECKS),
        raise_on_error=False,
    )
    failed = {e.check_name for e in ran.get_asset_check_evaluations() if not e.passed}
    assert failed == {"margin_is_recomputed", "positions_are_the_ledgers", "every_account_is_reported"}


def test_a_report_that_was_refused_is_none(book: MarginBook) -> None:
    day = book.day
    book.next_day()
    book.world.expect_refused("WRONG_STATE", ReportMargins, business_epoch_day=day)
    home = book.lake()
    assert run(home) == {}
    assert sorted(read_table(home, ReportMargins)["business_epoch_day"]) == [day, day]


# The rules, by hand -----------------------------------------------------------------------------------------


def test_parameters_until_they_are_set_are_the_engines() -> None:
    kept = [1_300_000, 50_000, 250_000, 1_500_000, 1_050_000, 1_100_000, 500_000]
    assert list(RiskState().model[0].tolist()) == list(dataclasses.astuple(UNTIL_SET)) == kept


def _terms(**given: int) -> InstrumentRisk:
    names = InstrumentRisk.__dataclass_fields__
    return InstrumentRisk(**(dict.fromkeys(names, 0) | {"is_modelled": 1} | given))


@pytest.mark.parametrize(
    ("lots", "daily", "impact", "rate"),
    [
        (100, 100, 20_000, 20_000),  # a day's volume: the whole impact
        (25, 100, 20_000, 10_000),  # a quarter of it: a half
        (400, 100, 20_000, 40_000),
        (1, 3, 20_000, 11_546),  # 20,000 x 0.577350 = 11,547.0 of the root cut to millionths
        (100, 0, 20_000, 0),  # no volume is told: no impact is asked
    ],
)
def test_impact_goes_with_the_root_of_days(lots: int, daily: int, impact: int, rate: int) -> None:
    assert impact_ppm(_terms(impact_ppm=impact, daily_lots=daily), lots) == rate


def test_charges_are_rounded_up_each() -> None:
    terms = _terms(half_spread_ppm=1, carry_ppm=1)
    assert charge(Instrument(1, False, 2, 1, 1, 5_000, 10_000, terms), 1) == 2
    assert charge(Instrument(1, False, 2, 1, 1, 5_000, 10_001, None), 1) == 5_001
    assert part(1, 1) == 1 and part(0, 999_999) == 0


@pytest.mark.parametrize(
    ("losses", "tail", "mean"), [([5, 3, 1], 1, 5), ([5, 2, 1], 2, 4), ([-5, -8], 2, -6)]
)
def test_the_mean_of_the_worst_is_rounded_up(losses: list[int], tail: int, mean: int) -> None:
    random.Random(1).shuffle(losses)
    assert tail_mean(losses, tail) == mean
