"""Journal and lake compared: equal where they are, and whatever differs is told with its hour and table."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable, write_deltalake

from engine.config import Home
from engine.errors import JournalDamaged
from orchestration.lake.comparison import ComparisonConfig, compare, compared_records, lake_comparison
from orchestration.lake.totals import HOUR_NS, Totals, _of_words, lake_totals, time_column
from schemas.derive.arrow import arrow_table
from schemas.derive.layout import empty_rows
from schemas.identity import AccountOpened
from schemas.market import BusinessDayStarted, CancelOrder, OrderCancelled
from schemas.record import Role, record_of
from tests.support.lake_home import make_home

HOUR = 20_000 * 24  # 2024-10-04T00Z, in hours since 1970


def cancel(sequence: int, hour: int) -> CancelOrder:
    return CancelOrder(
        sequence=sequence,
        received_at_ns=hour * HOUR_NS + sequence,
        session_id=1,
        account_id=-2,
        client_order_id=sequence,
    )


def cancelled(sequence: int, hour: int) -> OrderCancelled:
    values: dict[str, Any] = {c.name: sequence * 7 for c in record_of(OrderCancelled).columns}
    return OrderCancelled(**values | {"sequence": sequence, "occurred_at_ns": hour * HOUR_NS + 5})


def day_started(sequence: int, hour: int) -> BusinessDayStarted:
    values: dict[str, Any] = {c.name: 0 for c in record_of(BusinessDayStarted).columns}
    return BusinessDayStarted(**values | {"sequence": sequence, "occurred_at_ns": hour * HOUR_NS})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two business days: the first with hours 0 and 1, the second with hour 24."""
    return make_home(
        tmp_path_factory.mktemp("comparison") / "home",
        [day_started(1, HOUR), cancel(2, HOUR), cancelled(3, HOUR)],
        [cancel(4, HOUR + 1), cancel(5, HOUR + 1), cancelled(6, HOUR + 1)],
        [day_started(7, HOUR + 24), cancel(8, HOUR + 24), cancelled(9, HOUR + 24)],
    )


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    """A copy of it, to be spoilt."""
    shutil.copytree(made.root, tmp_path / "home")
    return Home(tmp_path / "home")


def test_what_is_equal_is_told_equal(home: Home) -> None:
    done = compare(home, 0)
    assert (done.first_sequence, done.last_sequence, done.row_count, done.hour_count) == (1, 9, 9, 3)
    assert done.differences == ()


def test_the_newest_business_days_are_compared(home: Home) -> None:
    assert compare(home, 1).first_sequence == 7
    assert compare(home, 2).first_sequence == 1, "with fewer days than asked for it is everything"
    spoil(home, CancelOrder, lambda rows: rows.filter(pc.greater(rows["sequence"], 2)))
    assert compare(home, 1).differences == ()
    assert len(compare(home, 2).differences) == 1


def spoil(home: Home, cls: type, change: Callable[[pa.Table], pa.Table]) -> None:
    """Put other rows in place of a table's, as somebody with another tool might."""
    table = DeltaTable(home.lake / record_of(cls).table)
    rows = table.to_pyarrow_table().sort_by("sequence")
    table.alter.set_table_properties({"delta.appendOnly": "false"})
    write_deltalake(table, change(rows).cast(rows.schema), mode="overwrite")


def with_value(rows: pa.Table, row: int, column: str, value: int) -> pa.Table:
    values = rows[column].to_pylist()
    values[row] = value
    return rows.set_column(rows.schema.names.index(column), column, pa.array(values, pa.int64()))


def swapped(rows: pa.Table) -> pa.Table:
    """The accounts of two orders changed places: count and sum stay."""
    rows = with_value(rows, 1, "account_id", -1)
    return with_value(rows, 2, "account_id", -3)


SPOILT: dict[str, tuple[Callable[[pa.Table], pa.Table], str, str]] = {
    "a row is missing": (lambda rows: rows.slice(0, 3), "24", "rows 1 in the journal, 0 in the lake"),
    "a row is doubled": (
        lambda rows: pa.concat_tables([rows, rows.slice(0, 1)]),
        "00",
        "rows 1 in the journal, 2 in the lake",
    ),
    "a row took the place of another": (
        lambda rows: pa.concat_tables([rows.slice(0, 1), rows.slice(1, 1), rows.slice(1, 1), rows.slice(3)]),
        "01",
        "hash",
    ),
    "a value changed": (lambda rows: with_value(rows, 0, "client_order_id", 3), "00", "sum"),
    "a sign changed": (lambda rows: with_value(rows, 0, "account_id", 2), "00", "sum"),
    "values changed places": (swapped, "01", "hash"),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_whatever_differs_is_told_with_its_hour_and_table(home: Home, spoilt: str) -> None:
    change, hour, told = SPOILT[spoilt]
    spoil(home, CancelOrder, change)
    (difference,) = compare(home, 0).differences
    assert difference.table == "cancel_order"
    assert difference.hour - HOUR == int(hour)
    assert told in difference.line()
    assert f"hour 2024-10-0{4 + int(hour) // 24}T{int(hour) % 24:02}Z" in difference.line()
    if spoilt == "values changed places":
        assert difference.journal[:2] == difference.lake[:2], "only the hash can tell"


def test_a_row_in_another_hour_is_two_differences(home: Home) -> None:
    spoil(home, CancelOrder, lambda rows: with_value(rows, 0, "received_at_ns", (HOUR + 5) * HOUR_NS))
    assert [d.hour - HOUR for d in compare(home, 0).differences] == [0, 5]


def test_rows_of_a_table_that_the_journal_has_none_of_are_found(home: Home) -> None:
    rows = empty_rows(AccountOpened, 1)
    rows["sequence"] = 4
    write_deltalake(home.lake / "accounts", arrow_table(record_of(AccountOpened), rows), mode="append")
    (difference,) = compare(home, 0).differences
    assert (difference.table, difference.journal.row_count) == ("accounts", 0)


def test_a_damaged_journal_is_an_error_and_no_comparison(home: Home) -> None:
    segment = home.journal / "0000000001.segment"
    content = bytearray(segment.read_bytes())
    content[4096 + 200] ^= 1
    segment.write_bytes(content)
    with pytest.raises(JournalDamaged):
        compare(home, 0)


def test_both_computations_do_what_their_description_says(tmp_path: Path) -> None:
    chance = np.random.default_rng(5)
    rows = empty_rows(OrderCancelled, 200)
    for name in rows.dtype.names or ():
        rows[name] = chance.integers(-(1 << 63), (1 << 63) - 1, len(rows))
    rows["sequence"] = np.arange(1, 201)
    rows["occurred_at_ns"] = HOUR * HOUR_NS
    due = naive(rows)
    record = record_of(OrderCancelled)
    assert _of_words(rows.view(np.uint64).reshape(len(rows), -1)) == due
    write_deltalake(tmp_path / "table", arrow_table(record, rows))
    assert lake_totals(tmp_path / "table", record, 1, 200) == {(record.table, HOUR): due}


def naive(rows: Any) -> Totals:
    total = hashes = 0
    for row in rows.tolist():
        h = 0
        for value in row:
            word = value % (1 << 64)
            total += word
            h = (h ^ word) * 0x9E3779B97F4A7C15 % (1 << 64)
            h ^= h >> 32
        hashes += h
    return Totals(len(rows), total % (1 << 64), hashes % (1 << 64))


def test_every_row_says_in_which_hour_it_belongs() -> None:
    for record in compared_records():
        assert record.role in (Role.COMMAND, Role.EVENT)
        assert time_column(record) in [c.name for c in record.columns]


def test_the_check_is_red_and_names_what_differs(home: Home) -> None:
    resources: dict[str, Any] = {"home": home}
    config = dg.RunConfig({"lake_comparison": ComparisonConfig(business_days=0)})
    ran = dg.materialize([lake_comparison], resources=resources, run_config=config)
    assert [e.passed for e in ran.get_asset_check_evaluations()] == [True]
    spoil(home, CancelOrder, lambda rows: rows.slice(1))
    ran = dg.materialize([lake_comparison], resources=resources, run_config=config, raise_on_error=False)
    assert not ran.success, "whatever waits for it does not run"
    (evaluation,) = ran.get_asset_check_evaluations()
    assert not evaluation.passed
    assert "cancel_order in the hour 2024-10-04T00Z" in str(evaluation.metadata["first"].value)
