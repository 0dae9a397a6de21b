"""The map: what there is, what it waits for, and which checks hold it up. A change here is a decision."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

import dagster as dg
import pytest

from engine.reserve.calendar import BANK, EXCHANGE
from engine.reserve.deadline import NEW_YORK, deposit_due
from orchestration.business_days import closing
from schemas.record import in_lake

MARGIN = {
    "lake/account_margins",
    "lake/accounts",
    "lake/assets",
    "lake/command_refusals",
    "lake/factor_returns",
    "lake/fills",
    "lake/instrument_risks",
    "lake/instrument_vectors",
    "lake/instruments",
    "lake/margin_models",
    "lake/margin_report_positions",
    "lake/margin_reports",
    "lake/marks",
    "lake/postings",
    "lake/report_margins",
    "lake/scenario_sets",
    "lake/scenarios",
    "lake/takeovers",
    "lake/variations",
    "lake/vector_parts",
}
PRODUCTS = {
    "products/reconciliation": {
        "marts/book_position",
        "marts/reconciliation_matches",
        "marts/reconciliation_breaks",
    },
    "products/reserve": {
        "marts/reserve_allocation",
        "marts/reserve_control",
        "marts/reserve_gaps",
        "marts/reserve_inputs",
        "marts/reserve_issues",
        "marts/reserve_lines",
        "marts/reserve_notes",
        "marts/reserve_requirement",
        "marts/reserve_sources",
        "products/reconciliation",
        "lake/filed_reserves",
    },
    "products/reserve_notices": {
        "products/reserve",
        "lake/bank_equities",
        "lake/completed_control_instructions",
        "lake/control_instructions",
        "lake/firm_capitals",
        "lake/focus_totals",
        "lake/prepared_reserve_orders",
        "lake/qualified_securities",
        "lake/rejected_reserve_orders",
        "lake/reserve_accounts",
        "lake/reserve_deposits",
        "lake/reserve_elections",
        "lake/reserve_securities",
    },
    "products/settlement_messages": {"marts/pending_instructions", "lake/written_messages"},
    "products/payment_messages": {
        "marts/pending_payments",
        "products/reserve",
        "lake/written_messages",
    },
    "products/incidents": {
        "lake/affected_clients",
        "lake/containments",
        "lake/determination_proposals",
        "lake/determinations",
        "lake/documents",
        "lake/evidence_bundles",
        "lake/incident_clocks",
        "lake/incident_closures",
        "lake/incidents",
        "lake/notices",
    },
    "products/margin_recomputation": {"marts/reported_margins", "marts/reported_margin_positions"} | MARGIN,
    "products/margin_backtest": {"products/margin_recomputation", "lake/business_days"} | MARGIN,
}
CHECKS = {
    "products/reconciliation": {
        "breaks_are_the_unmatched": True,
        "differences_are_explained": True,
        "no_breaks_open": False,
    },
    "products/reserve": {
        "statement_equals_marts": True,
        "arithmetic_holds": True,
        "filing_verifies": True,
        "live_equals_filed": True,
        "order_is_prepared": True,
        "deposit_approved": False,
    },
    "products/reserve_notices": {},
    "products/settlement_messages": {"every_instruction_has_one_message": True},
    "products/payment_messages": {"every_payment_has_one_message": True},
    "products/incidents": {
        "bundles_verify": True,
        "no_clock_overdue": True,
        "no_clock_met_late": False,
    },
    "products/margin_recomputation": {
        "margin_is_recomputed": True,
        "positions_are_the_ledgers": True,
        "every_account_is_reported": True,
        "trading_day_is_reported": True,
        "earlier_days_were_reported": False,
    },
    "products/margin_backtest": {},
}


MART_CHECKS = {  # beside the tests of dbt
    "marts/reserve_issues": {"stock_record_balances", "allocation_conserves"},
    "marts/reserve_requirement": {"inputs_complete"},
}


@cache
def _definitions() -> dg.Definitions:
    from orchestration.definitions import defs

    return defs


def _graph() -> Any:
    return _definitions().resolve_asset_graph()


@pytest.mark.parametrize("product", PRODUCTS)
def test_what_each_product_waits_for(product: str) -> None:
    node = _graph().get(dg.AssetKey(product.split("/")))
    assert {key.to_user_string() for key in node.parent_keys} == PRODUCTS[product] | {"lake_comparison"}
    assert node.group_name == "products"
    assert node.owners and node.description
    assert node.freshness_policy_or_from_metadata is not None


@pytest.mark.parametrize("product", CHECKS)
def test_which_checks_each_product_has(product: str) -> None:
    graph = _graph()
    key = dg.AssetKey(product.split("/"))
    specs = [graph.get_check_spec(k) for k in graph.asset_check_keys if k.asset_key == key]
    assert {s.name: s.blocking for s in specs} == CHECKS[product]


@pytest.mark.parametrize("mart", MART_CHECKS)
def test_which_checks_hold_up_whoever_reads_a_mart(mart: str) -> None:
    graph = _graph()
    specs = [graph.get_check_spec(k) for k in graph.asset_check_keys]
    blocking = {s.name for s in specs if s.asset_key.to_user_string() == mart and s.blocking}
    assert blocking >= MART_CHECKS[mart]


def test_every_product_is_in_the_snapshot() -> None:
    found = {k.to_user_string() for k in _graph().get_all_asset_keys() if k.path[0] == "products"}
    assert found == set(PRODUCTS)


def test_every_lake_table_is_checked_before_the_warehouse_reads_it() -> None:
    graph = _graph()
    checked = {k.asset_key.path[1] for k in graph.asset_check_keys if k.asset_key.path[0] == "lake"}
    assert checked == {r.table for r in in_lake()}
    for record in in_lake():
        staged = graph.get(dg.AssetKey(["staging", f"stg_{record.table}"]))
        assert dg.AssetKey(["lake", record.table]) in staged.parent_keys


def test_every_mart_that_a_product_reads_exists() -> None:
    known = {k.to_user_string() for k in _graph().get_all_asset_keys()}
    read = {d for deps in PRODUCTS.values() for d in deps if d.startswith("marts/")}
    assert read <= known


def test_jobs_schedules_and_sensors() -> None:
    repository = _definitions().get_repository_def()
    assert {j.name for j in repository.get_all_jobs()} >= {
        "lake",
        "upkeep",
        "full_comparison",
        "reconcile",
        "backtest",
        "business_day",
        "approved_orders",
        "notices",
        "restore_drill",
    }
    assert {s.name for s in repository.schedule_defs} == {
        "close_of_business",
        "deposit_deadline",
        "hourly_upkeep",
        "monthly_backtest",
        "weekly_comparison",
        "weekly_restore_drill",
    }
    assert {s.name for s in repository.sensor_defs} == {
        "statements_arrived",
        "journal_grew",
        "reserve_order_approved",
    }
    day = {k.to_user_string() for k in repository.get_job("business_day").asset_layer.executable_asset_keys}
    assert set(PRODUCTS) - {"products/margin_backtest"} <= day and "products/margin_backtest" not in day
    assert "lake_comparison" in day and "lake_upkeep" not in day
    often = {k.to_user_string() for k in repository.get_job("reconcile").asset_layer.executable_asset_keys}
    assert "products/reconciliation" in often and "lake_comparison" not in often


def test_a_difference_between_journal_and_lake_holds_up_every_product() -> None:
    graph = _graph()
    (check,) = [k for k in graph.asset_check_keys if k.asset_key == dg.AssetKey(["lake_comparison"])]
    assert graph.get_check_spec(check).blocking
    below = {k.to_user_string() for k in graph.get(dg.AssetKey(["lake_comparison"])).child_keys}
    assert below >= set(PRODUCTS)


def _schedule(name: str) -> Any:
    (found,) = [s for s in _definitions().get_repository_def().schedule_defs if s.name == name]
    return found


def test_the_evening_files_every_business_day_long_before_its_deposit_is_due() -> None:
    schedule = _schedule("close_of_business")
    minute, hour, *_, weekdays = schedule.cron_schedule.split()
    assert weekdays == "1-5" and schedule.execution_timezone == NEW_YORK.key
    first = date(2024, 1, 1)
    for day in (first + timedelta(days=n) for n in range(3_650)):
        if EXCHANGE.is_business_day(day) or BANK.is_business_day(day):
            assert day.isoweekday() <= 5
            runs = datetime.combine(day, time(int(hour), int(minute)), NEW_YORK)
            assert deposit_due(day) - runs > timedelta(hours=24), day


@pytest.mark.parametrize(
    ("day", "is_closed"),
    [
        (date(2026, 10, 6), True),
        (date(2026, 10, 12), True),  # Columbus Day: banks are shut, the exchange is not
        (date(2026, 4, 3), True),  # Good Friday: the other way round
        (date(2026, 12, 25), False),
    ],
)
def test_the_evening_closes_the_partition_of_its_business_day(day: date, is_closed: bool) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        told = closing(instance, day)
        assert instance.get_dynamic_partitions("business_day") == ([day.isoformat()] if is_closed else [])
        assert getattr(told, "partition_key", None) == (day.isoformat() if is_closed else None)


def test_the_freshness_of_the_reserve_asks_for_the_evening_before() -> None:
    minute, hour, *_ = _schedule("close_of_business").cron_schedule.split()
    policy = _graph().get(dg.AssetKey(["products", "reserve"])).freshness_policy_or_from_metadata
    looked_minute, looked_hour, *_, looked = policy.deadline_cron.split()
    at_hour = time(int(looked_hour), int(looked_minute))
    for weekday in range(int(looked[0]), int(looked[-1]) + 1):
        day = date(2026, 10, 4) + timedelta(days=weekday)  # counted from a Sunday
        at = datetime.combine(day, at_hour, NEW_YORK)
        ran = datetime.combine(day - timedelta(days=1), time(int(hour), int(minute)), NEW_YORK)
        assert at - policy.lower_bound_delta < ran < at and ran.isoweekday() <= 5
