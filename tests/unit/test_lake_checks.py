"""The declared checks of lake tables: bad rows fail them, and a failure holds up what is behind."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest

from engine.clock import FakeClock
from engine.config import Home
from orchestration.checks import CHECK_NAME, broken_expectations, lake_checks
from orchestration.lake.assets import LAKE_ASSETS
from orchestration.resources import resources_of
from schemas.derive.arrow import arrow_table
from schemas.derive.layout import empty_rows
from schemas.market import BusinessDayStarted
from schemas.record import in_lake, record_of
from schemas.settlement import SettlementInstructed
from tests.support.lake_home import NOW_NS, make_home

OBLIGATIONS = record_of(SettlementInstructed)


def _rows(count: int = 20) -> pa.Table:
    rows = empty_rows(SettlementInstructed, count)
    for name in rows.dtype.names or ():
        rows[name] = 1
    rows["sequence"] = rows["obligation_id"] = np.arange(1, count + 1)
    return arrow_table(OBLIGATIONS, rows)


def _with(column: str, values: list[int | None]) -> pa.Table:
    rows = _rows()
    whole = rows.column(column).to_pylist()
    whole[: len(values)] = values
    position = rows.schema.get_field_index(column)
    return rows.set_column(position, pa.field(column, pa.int64()), pa.array(whole, pa.int64()))


def test_rows_as_declared_break_nothing() -> None:
    assert broken_expectations(OBLIGATIONS, _rows()) == []
    assert broken_expectations(OBLIGATIONS, _rows(0)) == []


@pytest.mark.parametrize(
    ("column", "values", "expectation"),
    [
        ("obligation_id", [2], "expect_column_values_to_be_unique"),
        ("obligation_minor", [-1], "expect_column_values_to_be_between"),
        ("obligation_side_code", [9, 9], "expect_column_values_to_be_in_set"),
        ("account_id", [None], "expect_column_values_to_not_be_null"),
    ],
)
def test_a_planted_row_is_found(column: str, values: list[int | None], expectation: str) -> None:
    (broken,) = broken_expectations(OBLIGATIONS, _with(column, values))
    assert (broken.column, broken.expectation) == (column, expectation)
    assert broken.row_count == (2 if column == "obligation_id" else len(values))


def _started(day: int) -> BusinessDayStarted:
    return BusinessDayStarted(
        sequence=1,
        cause_sequence=1,
        occurred_at_ns=NOW_NS,
        business_epoch_day=day,
        next_epoch_day=2,
        second_epoch_day=3,
        expired_order_count=0,
    )


@pytest.mark.parametrize(("day", "is_sound"), [(1, True), (-1, False)])
def test_a_failing_table_holds_up_what_reads_it(tmp_path: Path, day: int, is_sound: bool) -> None:
    reached: list[bool] = []

    @dg.asset(deps=[["lake", "business_days"]])
    def behind() -> None:
        reached.append(True)

    made = dg.Definitions(
        assets=[*LAKE_ASSETS, behind],
        asset_checks=[lake_checks(in_lake())],
        jobs=[dg.define_asset_job("all_of_it")],
        resources=dict(resources_of(make_home(tmp_path, [_started(day)]), FakeClock(NOW_NS), None)),  # type: ignore[arg-type]
        executor=dg.in_process_executor,
    )
    ran = made.resolve_job_def("all_of_it").execute_in_process(raise_on_error=False)
    failed = [e for e in ran.get_asset_check_evaluations() if not e.passed]
    assert ran.success is is_sound
    assert reached == ([True] if is_sound else [])
    assert [e.asset_key.path for e in failed] == ([] if is_sound else [["lake", "business_days"]])


def test_every_lake_table_has_one_blocking_check() -> None:
    specs = list(lake_checks(in_lake()).check_specs)
    assert sorted(s.asset_key.path[1] for s in specs) == sorted(r.table for r in in_lake())
    assert {(s.name, s.blocking) for s in specs} == {(CHECK_NAME, True)}


def test_every_lake_table_is_an_asset_once(tmp_path: Path) -> None:
    keys = [key.path[1] for asset in LAKE_ASSETS for key in asset.keys]
    assert sorted(keys) == sorted(r.table for r in in_lake())
    assert Home(tmp_path).lake.name == "lake"
