"""The reserve: the marts' figures, one filing a figure, one order a filing, nothing on a missing input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.clock import FakeClock
from engine.config import Home
from engine.emit import shared_columns
from engine.gateway.protocol import Receipt
from engine.projections.lake import LakeWriter
from orchestration.lake.tables import DAY_NS, date_of, lake_rows
from orchestration.products.papers import sha256_of
from orchestration.products.reserve.assets import (
    file_reserve,
    filings_of,
    prepare_deposit,
    read_filing,
)
from orchestration.products.reserve.checks import broken_identities
from orchestration.products.reserve.deposit_checks import Approval, approval_of, prepared_otherwise
from orchestration.products.reserve.orders import OrderRefused, filing_sha256, prepare_order
from orchestration.products.reserve.statement import Indeterminate, Statement
from orchestration.settings import PlatformSettings
from orchestration.warehouse.marts import MartMissing, mart_rows
from schemas.codes import AssetClass, RejectReason
from schemas.external import FiledReserve
from schemas.market import AssetRegistered, BusinessDayStarted, CommandRefused
from schemas.packed import pack
from schemas.reserve import (
    PrepareReserveOrder,
    RejectReserveOrder,
    ReserveDepositOrdered,
    ReserveOrderPrepared,
    ReserveOrderRejected,
)
from tests.support.lake_home import NOW_NS, append_frame, make_home
from tests.support.published import publish

DAY = NOW_NS // DAY_NS
SETTINGS = PlatformSettings()


class Desk:
    """An engine that prepares each number once and approves nothing by itself."""

    def __init__(self, home: Home, refusing: RejectReason | None = None) -> None:
        self.home = home
        self.refusing = refusing
        self.asked: list[Any] = []

    def submit(self, commands: Sequence[Any]) -> Receipt:
        events = [self._decided(asked) for asked in commands]
        if decided := [e for e in events if not isinstance(e, CommandRefused)]:
            append_frame(self.home, decided)
        return Receipt(2, 9, tuple(events))

    def _decided(self, asked: Any) -> Any:
        numbers = [a.payment_id for a in self.asked if isinstance(a, PrepareReserveOrder)]
        self.asked.append(asked)
        sequence = 2 + len(self.asked)
        header = {"sequence": sequence, "cause_sequence": sequence, "occurred_at_ns": NOW_NS}
        if isinstance(asked, RejectReserveOrder):
            return ReserveOrderRejected(**header, payment_id=asked.payment_id, operator_id=asked.operator_id)
        reason = self.refusing or (RejectReason.ALREADY_EXISTS if asked.payment_id in numbers else None)
        if reason:
            return CommandRefused(**header, command_type=209, reject_reason_code=reason)
        return ReserveOrderPrepared(**header, **shared_columns(asked, ReserveOrderPrepared))

    def approve(self, number: int, at_ns: int = NOW_NS) -> None:
        """A second person approves, and the lake knows."""
        (order,) = [o for o in lake_rows(self.home, ReserveOrderPrepared) if o.payment_id == number]
        self.asked.append(order)
        approved = ReserveDepositOrdered(
            sequence=2 + len(self.asked),
            cause_sequence=2 + len(self.asked),
            occurred_at_ns=at_ns,
            payment_id=number,
            asset_id=order.asset_id,
            deposit_minor=order.amount_units,
            withdrawal_minor=0,
            as_of_epoch_day=order.as_of_epoch_day,
            preparer_operator_id=order.operator_id,
            approver_operator_id=order.operator_id + 1,
        )
        append_frame(self.home, [approved])
        with LakeWriter(self.home) as writer:
            writer.catch_up()


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


def test_a_second_run_files_nothing_and_prepares_nothing(home: Home) -> None:
    desk, clock = Desk(home), FakeClock(NOW_NS)
    first = file_reserve(home, SETTINGS)
    raw = (home.root / filings_of(home, DAY)[0].path).read_bytes()
    prepare_deposit(home, clock, desk, first)
    _publish(home, held=304_00)  # the marts now see the deposit that this filing asked for
    again = file_reserve(home, SETTINGS)
    prepare_deposit(home, clock, desk, again)
    assert again == first
    assert (home.root / filings_of(home, DAY)[0].path).read_bytes() == raw
    (filed,) = lake_rows(home, FiledReserve)
    (prepared,) = lake_rows(home, ReserveOrderPrepared)
    figures = prepared.amount_units, prepared.required_minor, prepared.eligible_minor
    assert (figures, len(desk.asked)) == ((204_00, 304_00, 100_00), 2)
    assert (prepared.operator_id, filing_sha256(prepared)) == (
        SETTINGS.preparer_operator_id,
        filed.file_sha256,
    )
    assert lake_rows(home, ReserveDepositOrdered) == []  # the product approves nothing


def test_changed_figures_take_the_place_of_an_order_that_waits(home: Home) -> None:
    desk, clock = Desk(home), FakeClock(NOW_NS)
    first = file_reserve(home, SETTINGS)
    prepare_deposit(home, clock, desk, first)
    _publish(home, credit=600_00)
    second = file_reserve(home, SETTINGS)
    prepare_deposit(home, clock, desk, second)
    assert (first["version"], second["version"]) == (1, 2)
    (rejected,) = lake_rows(home, ReserveOrderRejected)
    assert rejected.payment_id == first["deposit"]["payment_id"]
    prepared = {o.payment_id: o.amount_units for o in lake_rows(home, ReserveOrderPrepared)}
    assert prepared[second["deposit"]["payment_id"]] == 304_00
    prepare_deposit(home, clock, desk, second)
    assert len(lake_rows(home, ReserveOrderRejected)) == 1
    assert prepared_otherwise(home) == []


def test_what_a_former_version_deposited_is_not_asked_for_again(home: Home) -> None:
    desk, clock = Desk(home), FakeClock(NOW_NS)
    first = file_reserve(home, SETTINGS)
    prepare_deposit(home, clock, desk, first)
    desk.approve(first["deposit"]["payment_id"])
    _publish(home, credit=600_00)  # held is told by settlement date: the deposit is not there yet
    second = file_reserve(home, SETTINGS)
    assert second["deposit"]["order_minor"] == 304_00
    prepare_deposit(home, clock, desk, second)
    assert lake_rows(home, ReserveOrderPrepared)[-1].amount_units == 100_00
    assert prepared_otherwise(home) == []


def test_an_excess_is_put_on_record_and_moves_nothing(home: Home) -> None:
    _publish(home, held=900_00)
    filed = file_reserve(home, SETTINGS)
    prepare_deposit(home, FakeClock(NOW_NS), Desk(home), filed)
    assert (filed["deposit"]["order_minor"], filed["deposit"]["excess_minor"]) == (0, 596_00)
    (prepared,) = lake_rows(home, ReserveOrderPrepared)
    assert (prepared.amount_units, prepared.required_minor) == (0, 304_00)
    assert approval_of(home, NOW_NS) == Approval()


def test_a_refused_order_is_an_error(home: Home) -> None:
    filed = file_reserve(home, SETTINGS)
    with pytest.raises(OrderRefused, match="NOT_CONFIGURED"):
        prepare_deposit(home, FakeClock(NOW_NS), Desk(home, RejectReason.NOT_CONFIGURED), filed)


def order_is_prepared_problems(home: Home) -> list[str]:
    return prepared_otherwise(home)


#  (approved when, looked at when, is there a problem, is it an error); the deadline is 0
APPROVALS = [
    (None, -1, True, False),
    (None, 0, True, False),
    (None, 1, True, True),
    (-1, 1, False, False),
    (0, 1, False, False),
    (1, 2, True, True),
]


@pytest.mark.parametrize(("approved", "looked", "is_wrong", "is_error"), APPROVALS)
def test_an_approval_is_missed_first_as_a_warning_then_as_an_error(
    home: Home, approved: int | None, looked: int, is_wrong: bool, is_error: bool
) -> None:
    desk, filed = Desk(home), file_reserve(home, SETTINGS)
    prepare_deposit(home, FakeClock(NOW_NS), desk, filed)
    due_at_ns, number = filed["deposit"]["due_at_ns"], filed["deposit"]["payment_id"]
    if approved is not None:
        desk.approve(number, due_at_ns + approved)
    found = approval_of(home, due_at_ns + looked)
    assert (bool(found.problem), found.is_error) == (is_wrong, is_error)


def test_an_order_that_says_otherwise_than_the_filing_is_found(home: Home) -> None:
    filed = file_reserve(home, SETTINGS)
    assert prepared_otherwise(home) == [f"order {filed['deposit']['payment_id']} was not prepared"]
    wrong = json.loads(json.dumps(filed))
    wrong["totals"]["requirement_minor"] += 1
    desk = Desk(home)
    prepare_order(home, FakeClock(NOW_NS), desk, wrong, 1, "00" * 32)
    assert prepared_otherwise(home) == [
        "required_minor: prepared 30401, filed 30400",
        "the order rests on another filing",
    ]


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
    prepare_deposit(home, FakeClock(NOW_NS), Desk(home), file_reserve(home, SETTINGS))
    with LakeWriter(home) as writer:
        assert writer.catch_up() == 0
