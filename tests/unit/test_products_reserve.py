"""The reserve: the marts' figures, one filing a figure, one deposit a filing, nothing on a missing input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.clock import FakeClock
from engine.config import Home
from engine.gateway.protocol import Receipt
from engine.projections.lake import LakeWriter
from orchestration.lake.tables import DAY_NS, date_of, lake_rows
from orchestration.products.papers import sha256_of
from orchestration.products.reserve.assets import (
    DepositRefused,
    file_reserve,
    filings_of,
    order_deposit,
    read_filing,
)
from orchestration.products.reserve.checks import broken_identities
from orchestration.products.reserve.statement import Indeterminate, Statement
from orchestration.settings import PlatformSettings
from orchestration.warehouse.marts import MartMissing, mart_rows
from schemas.codes import AssetClass, RejectReason
from schemas.external import FiledReserve
from schemas.ledger import OrderReserveDeposit, ReserveDepositOrdered
from schemas.market import AssetRegistered, BusinessDayStarted, CommandRefused
from schemas.packed import pack
from tests.support.lake_home import NOW_NS, append_frame, make_home
from tests.support.published import publish

DAY = NOW_NS // DAY_NS
SETTINGS = PlatformSettings()


class Desk:
    """An engine that orders each number once."""

    def __init__(self, home: Home, refusing: RejectReason | None = None) -> None:
        self.home = home
        self.refusing = refusing
        self.asked: list[OrderReserveDeposit] = []

    def submit(self, commands: Sequence[Any]) -> Receipt:
        (asked,) = commands
        is_known = asked.payment_id in [a.payment_id for a in self.asked]
        self.asked.append(asked)
        reason = self.refusing or (RejectReason.ALREADY_EXISTS if is_known else None)
        header = {"sequence": 10 + len(self.asked), "cause_sequence": 9, "occurred_at_ns": NOW_NS}
        if reason:
            event: Any = CommandRefused(**header, command_type=32, reject_reason_code=reason)
            return Receipt(2, 9, (event,))
        event = ReserveDepositOrdered(
            sequence=3,
            cause_sequence=3,
            occurred_at_ns=NOW_NS,
            payment_id=asked.payment_id,
            asset_id=asked.asset_id,
            deposit_minor=asked.amount_units,
            withdrawal_minor=0,
            as_of_epoch_day=asked.as_of_epoch_day,
            preparer_operator_id=asked.preparer_operator_id,
            approver_operator_id=asked.approver_operator_id,
        )
        append_frame(self.home, [event])
        return Receipt(2, 9, (event,))


def _publish(home: Home, credit: int = 500_00, debit: int = 200_00, held: int = 100_00) -> None:
    as_of = date_of(DAY)
    amounts = {1: credit, 10: debit}
    reduction = debit * 200 // 10_000
    requirement = max(credit - (debit - reduction), 0)
    lines = [
        {
            "as_of_date": as_of,
            "item_number": n,
            "side": "CREDIT" if n < 10 else "DEBIT" if n < 16 else "RESULT",
            "name": f"item {n}",
            "focus_box": f"{4330 + n * 10}",
            "amount_minor": requirement if n == 16 else amounts.get(n, 0),
            "source_count": 1,
            "note": "",
        }
        for n in range(1, 17)
    ]
    required = {
        "as_of_date": as_of,
        "currency": "USD",
        "method": "alternative",
        "frequency": "daily",
        "rate_bps": 200,
        "citation": "17 CFR 240.15c3-1(a)(1)(ii)(A)",
        "credits_minor": credit,
        "debits_minor": debit,
        "reduction_minor": reduction,
        "requirement_minor": requirement,
        "deposit_minor": held,
    }
    publish(home, "reserve_lines", lines)
    publish(home, "reserve_requirement", [required])
    sources = [(1, "account 1", credit), (10, "account 2", debit)]
    publish(
        home,
        "reserve_sources",
        [{"item_number": n, "source": source, "amount_minor": amount} for n, source, amount in sources],
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    started = BusinessDayStarted(
        sequence=1,
        cause_sequence=1,
        occurred_at_ns=NOW_NS,
        business_epoch_day=DAY,
        next_epoch_day=DAY + 1,
        second_epoch_day=DAY + 2,
        expired_order_count=0,
    )
    dollar = AssetRegistered(
        sequence=2,
        cause_sequence=2,
        occurred_at_ns=NOW_NS,
        asset_id=1,
        asset_class_code=AssetClass.CURRENCY,
        symbol_packed=pack("USD"),
        isin_packed=0,
        unit_digits=2,
    )
    made = make_home(tmp_path, [started, dollar])
    _publish(made)
    return made


def test_the_statement_says_what_the_marts_say(home: Home) -> None:
    filed = file_reserve(home, SETTINGS)
    (required,) = mart_rows(home, "reserve_requirement")
    due = {r["item_number"]: r["amount_minor"] for r in mart_rows(home, "reserve_lines")}
    assert {x["item_number"]: x["amount_minor"] for x in filed["lines"]} == due
    assert filed["totals"] == {name: required[name] for name in filed["totals"]}
    assert filed["totals"]["requirement_minor"] == 500_00 - (200_00 - 4_00)
    assert filed["deposit"]["order_minor"] == 304_00 - 100_00
    assert broken_identities(filed) == []
    (row,) = lake_rows(home, FiledReserve)
    assert row.file_sha256 == sha256_of((home.root / row.path).read_bytes())
    html = (home.root / row.path).with_suffix(".html").read_text()
    assert "304.00" in html and "204.00" in html and filed["deposit"]["due_at"] in html


@pytest.mark.parametrize(
    ("name", "plant"),
    [
        ("credits_minor", lambda s: s["totals"].update(credits_minor=1)),
        ("requirement_minor", lambda s: s["totals"].update(requirement_minor=1)),
        ("item 16", lambda s: s["lines"][15].update(amount_minor=1)),
        ("debits_minor", lambda s: s["lines"][9].update(amount_minor=1)),
    ],
)
def test_a_planted_wrong_figure_breaks_an_identity(home: Home, name: str, plant: Any) -> None:
    statement: Statement = json.loads(json.dumps(file_reserve(home, SETTINGS)))
    plant(statement)
    assert any(problem.startswith(name) for problem in broken_identities(statement))


def test_a_second_run_files_nothing_and_moves_no_more_money(home: Home) -> None:
    desk, clock = Desk(home), FakeClock(NOW_NS)
    first = file_reserve(home, SETTINGS)
    raw = (home.root / filings_of(home, DAY)[0].path).read_bytes()
    order_deposit(home, clock, desk, first)
    _publish(home, held=304_00)  # the marts now see the deposit that this filing ordered
    again = file_reserve(home, SETTINGS)
    order_deposit(home, clock, desk, again)
    assert again == first
    assert (home.root / filings_of(home, DAY)[0].path).read_bytes() == raw
    assert len(lake_rows(home, FiledReserve)) == 1
    (ordered,) = lake_rows(home, ReserveDepositOrdered)
    assert (ordered.deposit_minor, len(desk.asked)) == (204_00, 2)
    assert desk.asked[0].preparer_operator_id != desk.asked[0].approver_operator_id


def test_changed_figures_make_a_second_version_with_its_own_payment(home: Home) -> None:
    first = file_reserve(home, SETTINGS)
    _publish(home, credit=600_00, held=304_00)
    second = file_reserve(home, SETTINGS)
    assert (first["version"], second["version"]) == (1, 2)
    assert second["deposit"]["order_minor"] == 100_00
    assert second["deposit"]["payment_id"] != first["deposit"]["payment_id"]
    assert len(filings_of(home, DAY)) == 2


def test_an_excess_orders_nothing(home: Home) -> None:
    _publish(home, held=900_00)
    desk = Desk(home)
    filed = file_reserve(home, SETTINGS)
    order_deposit(home, FakeClock(NOW_NS), desk, filed)
    assert (filed["deposit"]["order_minor"], filed["deposit"]["excess_minor"]) == (0, 596_00)
    assert desk.asked == []


def test_a_refused_deposit_is_an_error(home: Home) -> None:
    filed = file_reserve(home, SETTINGS)
    with pytest.raises(DepositRefused, match="INSUFFICIENT_CASH"):
        order_deposit(home, FakeClock(NOW_NS), Desk(home, RejectReason.INSUFFICIENT_CASH), filed)


def _drop_line(home: Home) -> None:
    publish(home, "reserve_lines", [r for r in mart_rows(home, "reserve_lines") if r["item_number"] != 4])


def _blank_amount(home: Home) -> None:
    rows = mart_rows(home, "reserve_lines")
    rows[3]["amount_minor"] = None
    publish(home, "reserve_lines", rows)


def _yesterday(home: Home) -> None:
    rows = [{**r, "as_of_date": date_of(DAY - 1)} for r in mart_rows(home, "reserve_requirement")]
    publish(home, "reserve_requirement", rows)


def _unpublished(home: Home) -> None:
    (home.warehouse / "marts" / "reserve_requirement.parquet").unlink()


@pytest.mark.parametrize("damage", [_drop_line, _blank_amount, _yesterday, _unpublished])
def test_a_missing_input_files_nothing(home: Home, damage: Any) -> None:
    damage(home)
    with pytest.raises((Indeterminate, MartMissing)):
        file_reserve(home, SETTINGS)
    assert lake_rows(home, FiledReserve) == []
    assert not home.reserve.exists()


def test_a_changed_filing_is_not_read(home: Home) -> None:
    file_reserve(home, SETTINGS)
    (row,) = lake_rows(home, FiledReserve)
    path = home.root / row.path
    path.write_bytes(path.read_bytes().replace(b"30400", b"30401"))
    with pytest.raises(Exception, match="not the statement that was filed"):
        read_filing(home, row)


def test_lake_writer_is_free_after_the_order(home: Home) -> None:
    order_deposit(home, FakeClock(NOW_NS), Desk(home), file_reserve(home, SETTINGS))
    with LakeWriter(home) as writer:
        assert writer.catch_up() == 0
