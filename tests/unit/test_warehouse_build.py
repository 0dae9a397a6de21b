"""One `dbt build` over a small real lake: the breaks, the reserve and the book that come of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.identity import AccountOpened
from tests.support.book_rows import CASH, ISINS, MARGIN
from tests.support.broken_day import EXPECTED_DEFICITS, EXPECTED_ITEMS, BrokenDay
from tests.support.lake_fixture import write_lake

REPOSITORY = Path(__file__).resolve().parents[2]
WITHOUT_TESTS = ("--exclude", "resource_type:test", "resource_type:unit_test")


def dbt(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    project = REPOSITORY / "dbt_project"
    return subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"),
            *arguments,
            "--quiet",
            "--project-dir",
            str(project),
            "--profiles-dir",
            str(project),
            "--target-path",
            str(home / "target"),
            "--log-path",
            str(home / "logs"),
        ],
        env=os.environ | {"ONEBOOK_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def day() -> BrokenDay:
    return BrokenDay()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, day: BrokenDay) -> Path:
    home = tmp_path_factory.mktemp("home")
    write_lake(home / "lake", day.rows)
    built = dbt(home, "build")
    assert built.returncode == 0, built.stdout + built.stderr
    return home


def rows(home: Path, mart: str, columns: str) -> list[tuple[Any, ...]]:
    path = home / "warehouse" / "marts" / f"{mart}.parquet"
    return duckdb.sql(f"select {columns} from read_parquet('{path}')").fetchall()


def test_every_fault_is_found_and_nothing_else(home: Path, day: BrokenDay) -> None:
    found = rows(home, "reconciliation_breaks", "stage, cause, reference")
    assert set(found) == day.expected_breaks()
    assert len(found) == len(day.expected_breaks())


def test_breaks_state_both_values(home: Path, day: BrokenDay) -> None:
    found = {
        (stage, reference): values
        for stage, reference, *values in rows(
            home, "reconciliation_breaks", "stage, reference, our_value, their_value, difference"
        )
    }
    assert found["cash", "DP4"] == [10_000, 9_900, 100]
    assert found["settlement", f"OB{day.obligations['DDD']}"] == [100, 90, 10]
    assert found["custody", "US0000000010"] == [50, 57, -7]


def test_what_is_too_early_to_tell_stays_open(home: Path, day: BrokenDay) -> None:
    told = rows(home, "reconciliation_matches", "stage, reference, state")
    open_rows = {(stage, reference) for stage, reference, state in told if state == "OPEN"}
    assert open_rows == {
        ("settlement", f"OB{day.obligations['EURUSD']}"),
        ("execution", "1/3/2026-10-02"),
    }


def test_reserve_items_are_those_reckoned_by_hand(home: Path) -> None:
    told = rows(home, "reserve_lines", "formula, item_number, amount_minor")
    lines = {item: amount for formula, item, amount in told if formula == "customer"}
    expected = {item: EXPECTED_ITEMS.get(item, 0) for item in range(1, 16)}
    assert {item: lines[item] for item in range(1, 16)} == expected
    assert lines[16] == 50_289_900  # 502,899.00 of credits, and no debit
    assert [amount for formula, _, amount in told if formula == "pab"] == [0] * 16


def test_reserve_order_is_what_is_not_on_deposit(home: Path) -> None:
    columns = (
        "requirement_minor, eligible_minor, order_minor, deposit_date::varchar, is_filed, is_determinate"
    )
    found = {formula: told for formula, *told in rows(home, "reserve_requirement", f"formula, {columns}")}
    assert found["customer"] == [50_289_900, 10_000_000, 40_289_900, "2026-10-06", True, True]
    assert found["pab"][4] is False  # nobody is a broker or dealer
    assert rows(home, "reserve_gaps", "reason") == []


def test_reserve_notes_say_what_was_cut_and_what_is_too_young(home: Path) -> None:
    told = rows(home, "reserve_notes", "note, amount_minor, basis")
    assert sorted((note, amount) for note, amount, _ in told) == [
        ("E(1)", -994_955),
        ("Item 7", 0),  # 30 HHH of the custodian's
        ("Item 8", 0),
    ]


def test_every_unit_is_allocated_and_deficits_are_told(home: Path) -> None:
    for issue, claimed, located, allocated in rows(
        home, "reserve_issues", "issue, claimed_units, located_units, allocated_units"
    ):
        assert claimed == located == allocated > 0, issue
    told = rows(home, "reserve_control", "issue, required_units, in_control_units, act")
    assert {issue: (required, held) for issue, required, held, _ in told} == {
        ISINS[asset]: units for asset, units in EXPECTED_DEFICITS.items()
    }
    assert {act for *_, act in told} == {""}  # a fail of the day asks for nothing yet


def test_stock_record_names_owner_and_place(home: Path) -> None:
    record = {
        (kind, party): units
        for symbol, kind, party, units in rows(
            home, "stock_record", "symbol, account_kind, party_id, settlement_date_units"
        )
        if symbol == "HHH"
    }
    assert record == {
        ("CLIENT", 1): -40,
        ("CUSTODY", 0): 50,
        ("STREET_PENDING", 1): 0,
        ("FAIL", 1): -10,
    }


def test_orders_say_how_they_were_asked_and_how_they_ended(home: Path, day: BrokenDay) -> None:
    columns = "order_id, order_type, time_in_force, display_lots, stop_ticks, order_link, self_trade"
    terms = {order_id: told for order_id, *told in rows(home, "orders", columns)}
    assert terms[day.orders["iceberg"]] == ["LIMIT", "GTC", 10, 0, "NONE", "DECREMENT"]
    assert terms[day.orders["stop"]] == ["STOP", "DAY", 0, 900, "AWAIT", "DECREMENT"]
    columns = (
        "order_id, status, end_reason, executed_lots, reduced_lots, open_lots, fee_minor, trigger_reason"
    )
    became = {order_id: told for order_id, *told in rows(home, "orders", columns)}
    assert became == {
        day.orders["maker"]: ["FILLED", None, 2, 0, 0, -4, None],
        day.orders["auction"]: ["EXPIRED", "AUCTION", 1, 0, 0, -2, None],
        day.orders["iceberg"]: ["OPEN", None, 0, 15, 25, 0, None],
        day.orders["stop"]: ["CANCELLED", "LINKED", 0, 5, 0, 0, "STOP"],
        day.orders["forever"]: ["OPEN", None, 0, 0, 1, 0, None],
        day.orders["crossed"]: ["CANCELLED", "SELF_TRADE", 0, 7, 0, 0, None],
    }


def test_fees_are_told_by_who_took_and_who_rested(home: Path) -> None:
    amounts = "taker_fee_minor, maker_fee_minor, auction_fee_minor, charged_minor, rebated_minor"
    told = rows(home, "fees", f"account_id, symbol, trade_date::varchar, {amounts}")
    found = {(account, symbol): fees for account, symbol, day, *fees in told if day == "2026-10-01"}
    assert found[CASH, "AAA"] == [100, 0, 0, 100, 0]
    assert found[MARGIN, "GGG"] == [-40, 0, 0, 0, 40]
    assert found[MARGIN, "AAACFD"] == [1, -4, -2, 1, 6]
    assert found[CASH, "BBB"] == [0, 0, 0, 0, 0]
    kinds = rows(home, "balances", "account_kind, trade_date_units::bigint")
    assert [units for kind, units in kinds if kind == "FEE_INCOME"] == [-(111 - 46)]


def test_an_auction_tells_its_price_and_what_traded(home: Path) -> None:
    (found,) = rows(
        home,
        "auctions",
        "symbol, phase, price::varchar, matched_lots, traded_lots, surplus_lots, surplus_side",
    )
    assert found == ("AAACFD", "OPENING_AUCTION", "10.000000000000000000", 1, 1, 2, "BUY")


def test_what_is_in_force_is_told_as_of_the_day(home: Path) -> None:
    schedules = rows(home, "fee_schedules", "fee_group_id, symbol, taker_ppm, maker_ppm")
    assert sorted(schedules) == [(1, "AAA", 1_000, 0), (2, "AAACFD", 100, -2_000), (2, "GGG", -20, 0)]
    listed = {
        symbol: told for symbol, *told in rows(home, "instruments", "symbol, instrument_state, last_ticks")
    }
    assert listed["AAACFD"] == ["OPEN", 1_000]
    assert listed["III"] == ["CLOSED", None]


def test_messages_of_the_day_are_pending(home: Path) -> None:
    assert rows(home, "pending_instructions", "obligation_reference") == []
    payments = rows(home, "pending_payments", "payment_reference, payment_kind, amount_minor")
    assert sorted(payments) == [
        ("RD9", "RESERVE_DEPOSIT", 10_000_000),
        ("WD7", "WITHDRAWAL", 30_000),
    ]


def test_marts_hold_no_floats(home: Path) -> None:
    for path in (home / "warehouse" / "marts").glob("*.parquet"):
        types = duckdb.sql(f"describe select * from read_parquet('{path}')").fetchall()
        assert not [name for name, kind, *_ in types if kind in ("DOUBLE", "FLOAT")], path.name


def test_yesterday_can_be_told_again(day: BrokenDay, tmp_path: Path) -> None:
    write_lake(tmp_path / "lake", day.rows)
    built = dbt(tmp_path, "build", "--vars", "{as_of_date: 2026-10-01}", *WITHOUT_TESTS)
    assert built.returncode == 0, built.stdout + built.stderr
    assert rows(tmp_path, "reconciliation_breaks", "reference") == []
    assert len(rows(tmp_path, "pending_instructions", "obligation_reference")) == 10
    totals = rows(tmp_path, "reserve_requirement", "formula, credits_minor, requirement_minor")
    assert sorted(totals) == [
        ("customer", 50_000_000 + 1_000_000 + 5_000 + 5, 51_005_005),
        ("pab", 0, 0),
    ]


def test_an_empty_lake_builds_and_computes_nothing(tmp_path: Path) -> None:
    write_lake(tmp_path / "lake")
    built = dbt(tmp_path, "build")
    assert built.returncode == 0, built.stdout + built.stderr
    assert rows(tmp_path, "reserve_requirement", "requirement_minor") == []


def test_money_without_an_account_stops_the_publication(day: BrokenDay, tmp_path: Path) -> None:
    kept = [r for r in day.rows if not (isinstance(r, AccountOpened) and r.account_id == 1)]
    write_lake(tmp_path / "lake", kept)
    identity = "assert_client_entries_have_an_account"
    built = dbt(tmp_path, "build", "--select", "+balances", f"+{identity}")
    assert built.returncode != 0
    assert identity in built.stdout
    assert not list((tmp_path / "warehouse" / "marts").glob("*.parquet"))
