"""What must be true of the order that a filing asks for. Runbook: docs/operations/reserve-deposit-missed.md.

Owns: whether the order rests on the filing, and whether a second person approved it in time.
"""

# No postponed annotations here: Dagster reads the annotation of `home` and `clock` as they stand.

from typing import Any, NamedTuple

import dagster as dg

from engine.clock import Clock
from engine.config import Home
from orchestration.checks import row_check
from orchestration.lake.tables import lake_rows
from orchestration.products.papers import instant_text, money_text
from orchestration.products.reserve.assets import KEY, newest_filings, read_filing
from orchestration.products.reserve.orders import (
    due_minor,
    filing_sha256,
    is_nowhere_to_order,
    required_minor,
)
from schemas.external import FiledReserve
from schemas.reserve import ReserveDepositOrdered, ReserveOrderPrepared, ReserveOrderRejected


class Approval(NamedTuple):
    """Where the order of a filing stands: what is wrong, and whether the deadline makes it an error."""

    problem: str = ""
    is_error: bool = False


@row_check(
    asset=KEY.path,
    name="order_is_prepared",
    description="The day's computation is on record in the engine as it was filed, with what it moves.",
)
def order_is_prepared(home: Home, clock: Clock) -> list[str]:
    """What the prepared order says otherwise than the filing."""
    return prepared_otherwise(home)


def prepared_otherwise(home: Home) -> list[str]:
    """What the orders of the day's newest filings say otherwise than they, one line each."""
    return [
        f"{formula.value}: {problem}"
        for formula, filed in newest_filings(home)
        for problem in (["nothing is filed for the day"] if filed is None else _otherwise(home, filed))
    ]


def _otherwise(home: Home, filed: FiledReserve) -> list[str]:
    statement = read_filing(home, filed)
    if is_nowhere_to_order(statement):
        return []
    number = statement["deposit"]["payment_id"]
    prepared = [o for o in lake_rows(home, ReserveOrderPrepared) if o.payment_id == number]
    if not prepared:
        return [f"order {number} was not prepared"]
    (order,) = prepared
    due = {
        "amount_units": due_minor(lake_rows(home, ReserveDepositOrdered), statement),
        "required_minor": required_minor(statement),
        "eligible_minor": statement["deposit"]["held_minor"],
    }
    problems = [
        f"{n}: prepared {getattr(order, n)}, filed {v}" for n, v in due.items() if getattr(order, n) != v
    ]
    if filing_sha256(order) != filed.file_sha256:
        problems.append("the order rests on another filing")
    return problems


@dg.asset_check(
    asset=KEY,
    name="deposit_approved",
    description="A second person approved the day's deposit; an error once its deadline has passed.",
    blocking=False,
)
def deposit_approved(home: dg.ResourceParam[Home], clock: dg.ResourceParam[Any]) -> dg.AssetCheckResult:
    """Whether the orders of the day's newest filings were approved, and in time."""
    found = [approval_of(home, filed, clock.now_ns()) for _, filed in newest_filings(home)]
    is_error = any(approval.is_error for approval in found)
    problems = [approval.problem for approval in found if approval.problem]
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        metadata={"first": problems[0] if problems else "none"},
    )


def approval_of(home: Home, filed: FiledReserve | None, now_ns: int) -> Approval:
    """Where the order of a filing stands. Source: 17 CFR 240.15c3-3(e)(3), (i)."""
    if filed is None:
        return Approval("nothing is filed for the day", True)
    statement = read_filing(home, filed)
    if is_nowhere_to_order(statement):
        return Approval()
    deposit = statement["deposit"]
    number, due_at_ns = deposit["payment_id"], deposit["due_at_ns"]
    order = next((o for o in lake_rows(home, ReserveOrderPrepared) if o.payment_id == number), None)
    if order is not None and order.amount_units == 0:
        return Approval()
    approved = next((o for o in lake_rows(home, ReserveDepositOrdered) if o.payment_id == number), None)
    if approved is not None:
        if approved.occurred_at_ns <= due_at_ns:
            return Approval()
        return Approval(f"order {number} was approved after the deadline {instant_text(due_at_ns)}", True)
    is_rejected = any(o.payment_id == number for o in lake_rows(home, ReserveOrderRejected))
    stands = "was rejected, and none took its place" if is_rejected else "waits for a second person"
    told = f"order {number} of {money_text(deposit['order_minor'])} {stands}; due {instant_text(due_at_ns)}"
    return Approval(told, now_ns > due_at_ns)


CHECKS = (order_is_prepared, deposit_approved)
