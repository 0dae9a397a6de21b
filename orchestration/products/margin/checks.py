"""What must be true of a day's margin. Runbook: docs/operations/margin-differs.md."""

from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl

from engine.clock import Clock
from engine.config import Home
from engine.projections.lake import read_table
from orchestration.checks import row_check
from orchestration.lake.tables import as_of_epoch_day
from orchestration.products.margin.assets import KEY, record_path
from orchestration.products.margin.record import (
    COMPARED,
    Record,
    account_problems,
    figure_problems,
    held_problems,
    report_of,
    reports,
)
from schemas.days import date_of
from schemas.market import Fill


@row_check(
    asset=KEY.path,
    name="margin_is_recomputed",
    description="Equity, initial and maintenance margin of every account are the engine's, to the last unit.",
)
def margin_is_recomputed(home: Home, clock: Clock) -> list[str]:
    """Figures that differ."""
    return _of_record(home, figure_problems)


@row_check(
    asset=KEY.path,
    name="positions_are_the_ledgers",
    description="Lots and costs that margin was computed of are those of ledger and executions.",
)
def positions_are_the_ledgers(home: Home, clock: Clock) -> list[str]:
    """Positions and marks that differ."""
    return _of_record(home, held_problems)


@row_check(
    asset=KEY.path,
    name="every_account_is_reported",
    description="Every account of ours has a figure in the day's report.",
)
def every_account_is_reported(home: Home, clock: Clock) -> list[str]:
    """Accounts without one."""
    return _of_record(home, account_problems)


@row_check(
    asset=KEY.path,
    name="trading_day_is_reported",
    description="A business day with trading has a report, and nothing traded after it.",
)
def trading_day_is_reported(home: Home, clock: Clock) -> list[str]:
    """What is wrong with the report of the latest business day."""
    day = as_of_epoch_day(home)
    if day is None:
        return []
    fills = read_table(home, Fill).filter(pl.col("trade_epoch_day") == day)
    report = report_of(home, day)
    if report is None:
        return [f"{date_of(day)} had {fills.height} executions and no ReportMargins"] if fills.height else []
    late = fills.filter(pl.col("sequence") > report.first_sequence).height
    return [f"{late} executions of {date_of(day)} came after its last report"] if late else []


@row_check(
    asset=KEY.path,
    name="earlier_days_were_reported",
    description="Business days before it had a report too. It cannot be made up for, so it warns.",
    blocking=False,
)
def earlier_days_were_reported(home: Home, clock: Clock) -> list[str]:
    """Earlier days with trading and no report."""
    last = as_of_epoch_day(home) or 0
    traded = {int(day) for day in read_table(home, Fill)["trade_epoch_day"].unique() if day < last}
    missing = traded - {r.business_epoch_day for r in reports(home)}
    return [f"{date_of(day)} has no report" for day in sorted(missing)]


def _of_record(home: Home, problems_of: Callable[[Record], list[str]]) -> list[str]:
    """What is wrong with the day's record; nothing when there is no report to make one of."""
    day = as_of_epoch_day(home)
    report = report_of(home, day) if day is not None else None
    if report is None:
        return []
    path = record_path(home, str(date_of(report.business_epoch_day)))
    record: Record = json.loads(path.read_bytes()) if path.exists() else {}
    told = {r["account_id"]: {n: r[n] for n in COMPARED} for r in report.accounts.to_dicts()}
    kept = {a["account_id"]: a["reported"] for a in record.get("accounts", []) if a["reported"]}
    if record.get("command_sequence") != report.command_sequence or told != kept:
        return [f"the report at sequence {report.command_sequence} was not recomputed"]
    return problems_of(record)


CHECKS = (
    margin_is_recomputed,
    positions_are_the_ledgers,
    every_account_is_reported,
    trading_day_is_reported,
    earlier_days_were_reported,
)
