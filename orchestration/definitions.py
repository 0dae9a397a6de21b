"""The map of everything that derives, checks and files, in the order of a business day.

    journal, statements ─▶ lake ─▶ checks ─▶ staging ─▶ intermediate ─▶ marts ─▶ products

Nothing here decides: a product that wants something done submits a command to the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration import restore_drill
from orchestration.business_days import close_of_business
from orchestration.checks import lake_checks
from orchestration.lake.assets import LAKE_ASSETS
from orchestration.lake.comparison import ComparisonConfig, behind_comparison, lake_comparison
from orchestration.lake.sensors import approval_sensor, inbox_sensor, journal_sensor
from orchestration.lake.upkeep import lake_upkeep
from orchestration.products.incidents import assets as incidents
from orchestration.products.incidents import checks as incidents_checks
from orchestration.products.margin import assets as margin
from orchestration.products.margin import backtest as margin_backtest
from orchestration.products.margin import checks as margin_checks
from orchestration.products.payment_messages import assets as payment_messages
from orchestration.products.payment_messages import checks as payment_messages_checks
from orchestration.products.reconciliation import assets as reconciliation
from orchestration.products.reconciliation import checks as reconciliation_checks
from orchestration.products.reserve import assets as reserve
from orchestration.products.reserve import checks as reserve_checks
from orchestration.products.reserve import deposit_checks as reserve_deposit_checks
from orchestration.products.reserve import notices as reserve_notices
from orchestration.products.settlement_messages import assets as settlement_messages
from orchestration.products.settlement_messages import checks as settlement_messages_checks
from orchestration.resources import resources_from_environment
from orchestration.warehouse.assets import warehouse_assets
from schemas.record import in_lake

NEW_YORK = "America/New_York"

# Products, in the order of a business day -------------------------------------------------------------------
PRODUCTS = (
    (reconciliation.reconciliation, reconciliation_checks.CHECKS),
    (reserve.reserve, (*reserve_checks.CHECKS, *reserve_deposit_checks.CHECKS)),
    (reserve_notices.reserve_notices, ()),
    (settlement_messages.settlement_messages, settlement_messages_checks.CHECKS),
    (payment_messages.payment_messages, payment_messages_checks.CHECKS),
    (incidents.incidents, incidents_checks.CHECKS),
    (margin.margin_recomputation, margin_checks.CHECKS),
    (margin_backtest.margin_backtest, ()),
)

# What runs together -----------------------------------------------------------------------------------------
lake = dg.define_asset_job("lake", dg.AssetSelection.assets(*LAKE_ASSETS))
reconcile = dg.define_asset_job(
    "reconcile",
    dg.AssetSelection.assets(["products", "reconciliation"]).upstream().required_multi_asset_neighbors()
    - dg.AssetSelection.assets(lake_comparison),  # too long for every few seconds
)
approved_orders = dg.define_asset_job(  # once a second person has approved: the bank is told
    "approved_orders",
    dg.AssetSelection.assets(payment_messages.payment_messages)
    | dg.AssetSelection.checks(reserve_deposit_checks.deposit_approved),
)
notices = dg.define_asset_job(
    "notices",
    dg.AssetSelection.assets(reserve_notices.reserve_notices)
    | dg.AssetSelection.checks(reserve_deposit_checks.deposit_approved),
)
upkeep = dg.define_asset_job("upkeep", dg.AssetSelection.assets(lake_upkeep))
full_comparison = dg.define_asset_job(
    "full_comparison",
    dg.AssetSelection.assets(lake_comparison),
    config=dg.RunConfig({"lake_comparison": ComparisonConfig(business_days=0)}),
)
backtest = dg.define_asset_job("backtest", dg.AssetSelection.assets(margin_backtest.margin_backtest))
business_day = dg.define_asset_job(
    "business_day",
    dg.AssetSelection.all() - dg.AssetSelection.assets(lake_upkeep, margin_backtest.margin_backtest),
)

# When it runs -----------------------------------------------------------------------------------------------
SENSORS = (inbox_sensor(reconcile), journal_sensor(reconcile), approval_sensor(approved_orders))
SCHEDULES = (
    close_of_business(business_day, NEW_YORK),
    dg.ScheduleDefinition(
        name="deposit_deadline",  # a minute after the last instant: 15c3-3(i) says immediately
        job=notices,
        cron_schedule="1 10 * * 1-5",
        execution_timezone=NEW_YORK,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    ),
    restore_drill.SCHEDULE,
    dg.ScheduleDefinition(
        name="weekly_comparison",
        job=full_comparison,
        cron_schedule="0 6 * * 6",
        execution_timezone=NEW_YORK,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    ),
    dg.ScheduleDefinition(
        name="monthly_backtest",
        job=backtest,
        cron_schedule="0 5 1 * *",  # before the first business day of the month begins
        execution_timezone=NEW_YORK,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    ),
    dg.ScheduleDefinition(
        name="hourly_upkeep",  # a busy hour leaves some ten thousand small files a table
        job=upkeep,
        cron_schedule="20 * * * *",
        execution_timezone=NEW_YORK,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    ),
)


def definitions(resources: Mapping[str, Any]) -> dg.Definitions:
    """All definitions, given the resources of one home."""
    # What is filed comes from the lake, so it waits until the lake is found equal to the journal.
    products = dg.map_asset_specs(behind_comparison, [product for product, _ in PRODUCTS])
    return dg.Definitions(
        assets=[*LAKE_ASSETS, lake_upkeep, lake_comparison, warehouse_assets(), *products],
        asset_checks=[lake_checks(in_lake()), *(c for _, checks in PRODUCTS for c in checks)],
        jobs=[
            lake,
            upkeep,
            full_comparison,
            reconcile,
            backtest,
            business_day,
            approved_orders,
            notices,
            restore_drill.restore_drill,
        ],
        schedules=SCHEDULES,
        sensors=SENSORS,
        resources=dict(resources),
        executor=dg.in_process_executor,
    )


defs = definitions(resources_from_environment())
