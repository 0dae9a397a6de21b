"""The reserve: the marts' figures, one filing a figure, one order a filing, nothing on a missing input."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import dagster as dg
import polars as pl
import pytest

from engine.canonical import canonical_json
from engine.clock import FakeClock
from engine.config import Home
from engine.emit import shared_columns
from engine.gateway.protocol import Receipt
from engine.projections.lake import LakeWriter
from engine.reserve.book_case import book_files
from engine.reserve.case_files import read_case
from engine.reserve.computation import Terms, compute
from engine.reserve.filing import broken_identities
from engine.reserve.terms import Formula, Frequency, Method
from orchestration.lake.tables import DAY_NS, lake_rows
from orchestration.products.papers import sha256_of
from orchestration.products.reserve import checks
from orchestration.products.reserve.assets import (
    file_reserve,
    filing_path,
    filings_of,
    prepare_deposit,
    read_filing,
    reserve,
)
from orchestration.products.reserve.bundle import bundle_files, verify_bundle, write_bundle
from orchestration.products.reserve.chart import history_of, requirement_svg
from orchestration.products.reserve.deposit_checks import (
    Approval,
    approval_of,
    order_is_prepared,
    prepared_otherwise,
)
from orchestration.products.reserve.orders import OrderRefused, filing_sha256, prepare_order
from orchestration.products.reserve.statement import (
    Indeterminate,
    Statement,
    due_formulas,
    figures_of,
    source_rows_of,
)
from orchestration.settings import PlatformSettings
from orchestration.warehouse.marts import MartMissing, Row, mart_rows
from schemas.codes import AssetClass, RejectReason, ReserveFormula
from schemas.days import date_of
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
from tests.support.reserve_marts import publish_reserve, small_book

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


def _publish(home: Home, **told: int) -> None:
    publish_reserve(home, small_book(**told), date_of(DAY))


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
    required = next(r for r in mart_rows(home, "reserve_requirement") if r["formula"] == "customer")
    lines = [r for r in mart_rows(home, "reserve_lines") if r["formula"] == "customer"]
    assert {x["item_number"]: x["amount_minor"] for x in filed["lines"]} == {
        r["item_number"]: r["amount_minor"] for r in lines
    }
    assert filed["totals"] == {name: required[name] for name in filed["totals"]}
    assert filed["totals"]["requirement_minor"] == 500_00 - (200_00 - 4_00)
    assert filed["deposit"]["order_minor"] == 304_00 - 100_00
    assert broken_identities(filed) == []
    (row,) = lake_rows(home, FiledReserve)
    assert row.file_sha256 == sha256_of((home.root / row.path).read_bytes())
    html = (home.root / row.path).with_suffix(".html").read_text()
    assert "304.00" in html and "204.00" in html and filed["deposit"]["due_at"] in html
    assert "account 1" in html and "account 2" in html


def test_the_reduction_is_rounded_up(home: Home) -> None:
    _publish(home, debit=149)
    assert file_reserve(home, SETTINGS)["totals"]["reduction_minor"] == 3  # 2 % of 149 cents is 2.98


def test_pab_is_filed_beside_the_customers_with_its_own_bank_and_payment(home: Home) -> None:
    _publish(home, pab=70_00)
    desk, clock = Desk(home), FakeClock(NOW_NS)
    assert due_formulas(home, date_of(DAY)) == [Formula.CUSTOMER, Formula.PAB]
    filed = [file_reserve(home, SETTINGS, formula) for formula in Formula]
    for statement in filed:
        prepare_deposit(home, clock, desk, statement)
    assert [s["filing_reference"] for s in filed] == [f"{date_of(DAY)}-1", f"{date_of(DAY)}-pab-1"]
    assert filed[1]["totals"] == {
        "credits_minor": 70_00,
        "debits_minor": 0,
        "reduction_minor": 0,
        "requirement_minor": 70_00,
    }
    assert [(a.amount_units, a.bank_id, a.reserve_formula_code) for a in desk.asked] == [
        (204_00, 1, ReserveFormula.CUSTOMER),
        (70_00, 1, ReserveFormula.PAB),
    ]
    assert len({a.payment_id for a in desk.asked}) == 2
    assert [len(filings_of(home, DAY, formula)) for formula in Formula] == [1, 1]
    assert _problems(home) == {}


def test_customers_excess_debits_cover_a_pab_requirement(home: Home) -> None:
    _publish(home, credit=0, debit=200_00, held=0, pab=190_00)
    filed = file_reserve(home, SETTINGS, Formula.PAB)
    assert filed["deposit"]["covered_minor"] == 190_00  # of 196.00
    assert filed["deposit"]["order_minor"] == 0


def test_without_pab_accounts_nothing_is_due_for_them(home: Home) -> None:
    assert due_formulas(home, date_of(DAY)) == [Formula.CUSTOMER]
    with pytest.raises(Indeterminate, match="nothing that the pab formula protects"):
        file_reserve(home, SETTINGS, Formula.PAB)


def test_a_filing_is_computed_again_from_its_folder(home: Home) -> None:
    filed = file_reserve(home, SETTINGS)
    folder = filing_path(home, filed).parent
    assert verify_bundle(folder) == []
    told = compute(
        read_case(folder / "inputs", date_of(DAY)),
        Terms(date_of(DAY), Method.ALTERNATIVE, Frequency.DAILY),
    )
    assert told.requirement_minor == filed["totals"]["requirement_minor"]
    assert told.inputs == filed["inputs"]["files"]


def test_a_figure_that_its_inputs_do_not_come_to_is_found(home: Home) -> None:
    filed = file_reserve(home, SETTINGS)
    figures = figures_of(home, Formula.CUSTOMER)
    poorer = small_book(credit=499_99)
    inputs = book_files(poorer)
    filed["inputs"]["files"] = {name: sha256_of(content) for name, content in inputs.items()}
    filed["inputs"]["sha256"] = sha256_of(canonical_json(filed["inputs"]["files"]))
    folder = home.root / "elsewhere"
    write_bundle(home, folder, bundle_files(filed, source_rows_of(figures), inputs))
    assert verify_bundle(folder) == [
        "item 1 is 50000, its inputs come to 49999",
        "item 16 is 30400, its inputs come to 30399",
    ]


def _problems(home: Home) -> dict[str, list[str]]:
    """What each check of the product finds wrong; those that find nothing are left out.

    Whether the journal folds to what is filed is asked in test_products_reserve_live.py.
    """
    told: dict[str, list[str]] = {}
    for check in (*checks.CHECKS, order_is_prepared):
        if check is checks.live_equals_filed:
            continue
        result = check(home=home, clock=FakeClock(NOW_NS))
        if not result.passed:
            told[check.check_key.name] = str(result.metadata["first"].value).splitlines()
    return told


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
    assert approval_of(home, filings_of(home, DAY)[-1], NOW_NS) == Approval()


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
    found = approval_of(home, filings_of(home, DAY)[-1], due_at_ns + looked)
    assert (bool(found.problem), found.is_error) == (is_wrong, is_error)


def test_an_order_that_says_otherwise_than_the_filing_is_found(home: Home) -> None:
    filed = file_reserve(home, SETTINGS)
    assert prepared_otherwise(home) == [f"customer: order {filed['deposit']['payment_id']} was not prepared"]
    wrong = json.loads(json.dumps(filed))
    wrong["totals"]["requirement_minor"] += 1
    desk = Desk(home)
    prepare_order(home, FakeClock(NOW_NS), desk, wrong, 1, "00" * 32)
    assert prepared_otherwise(home) == [
        "customer: required_minor: prepared 30401, filed 30400",
        "customer: the order rests on another filing",
    ]


def _drop_line(home: Home) -> None:
    publish(home, "reserve_lines", [r for r in mart_rows(home, "reserve_lines") if r["item_number"] != 4])


def _blank_amount(home: Home) -> None:
    rows = [r for r in mart_rows(home, "reserve_lines") if r["formula"] == "customer"]
    rows[3]["amount_minor"] = None
    publish(home, "reserve_lines", rows)


def _yesterday(home: Home) -> None:
    publish_reserve(home, small_book(), date_of(DAY - 1))


def _unpublished(home: Home) -> None:
    (home.warehouse / "marts" / "reserve_requirement.parquet").unlink()


def _unbalanced(home: Home) -> None:
    _publish(home, located=99)


def _unknown_equity(home: Home) -> None:
    book = small_book()
    unknown = book.deposits.with_columns(bank_equity_minor=pl.lit(None, pl.Int64))
    publish_reserve(home, book._replace(deposits=unknown), date_of(DAY))


def _contradiction(home: Home) -> None:
    book = small_book()
    publish_reserve(home, book._replace(prices=pl.concat([book.prices, book.prices])), date_of(DAY))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_drop_line, "does not have each of its items"),
        (_blank_amount, "no value of amount_minor"),
        (_yesterday, "the marts are as of"),
        (_unpublished, "was not published"),
        (_unbalanced, "requirement: issue A0 does not balance: claims exceed locations by 1"),
        (_unknown_equity, "eligible deposit: the equity capital of 1"),
        (_contradiction, "requirement: prices.csv, line 3"),
    ],
)
def test_a_missing_input_files_nothing_and_says_why(home: Home, damage: Any, reason: str) -> None:
    damage(home)
    with pytest.raises((Indeterminate, MartMissing), match=reason):
        file_reserve(home, SETTINGS)
    assert lake_rows(home, FiledReserve) == []
    assert not home.reserve.exists()


def test_every_reason_is_told(home: Home) -> None:
    book = small_book(located=99)
    unknown = book.deposits.with_columns(bank_equity_minor=pl.lit(None, pl.Int64))
    publish_reserve(home, book._replace(deposits=unknown), date_of(DAY))
    with pytest.raises(Indeterminate, match=r"does not balance.*; eligible deposit: the equity"):
        file_reserve(home, SETTINGS)


def _planted(home: Home, mart: str, change: Callable[[Row], Row]) -> None:
    publish(home, mart, [change(row) for row in mart_rows(home, mart)])


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (
            lambda h: _planted(h, "reserve_issues", lambda r: r | {"located_units": r["located_units"] + 1}),
            {"stock_record_balances"},
        ),
        (
            lambda h: _planted(h, "reserve_issues", lambda r: r | {"allocated_units": 99}),
            {"allocation_conserves"},
        ),
        (
            lambda h: publish(h, "reserve_inputs", mart_rows(h, "reserve_inputs")[1:]),
            {"inputs_complete"},
        ),
        (_unknown_equity, {"inputs_complete", "statement_equals_marts"}),
        (lambda h: _publish(h, credit=501_00), {"statement_equals_marts"}),
        (lambda h: _changed_byte(h, "sources.json"), {"filing_verifies"}),
    ],
)
def test_each_check_finds_what_is_planted(home: Home, plant: Any, found: set[str]) -> None:
    prepare_deposit(home, FakeClock(NOW_NS), Desk(home), file_reserve(home, SETTINGS))
    assert _problems(home) == {}
    plant(home)
    assert set(_problems(home)) == found


def _changed_byte(home: Home, name: str) -> None:
    (filed,) = filings_of(home, DAY)
    path = (home.root / filed.path).with_name(name)
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))


def test_a_filed_line_that_does_not_add_up_is_found(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    filed = file_reserve(home, SETTINGS)
    prepare_deposit(home, FakeClock(NOW_NS), Desk(home), filed)
    filed["lines"][0]["amount_minor"] += 1
    monkeypatch.setattr(checks, "read_filing", lambda *_: filed)
    found = _problems(home)
    assert found["statement_equals_marts"] == ["customer item 1: filed 50001, mart 50000"]
    assert found["arithmetic_holds"] == ["customer: credits_minor is 50000, not 50001"]


def test_a_deposit_that_nobody_ordered_is_found(home: Home) -> None:
    filed = file_reserve(home, SETTINGS)
    assert _problems(home) == {
        "order_is_prepared": [f"customer: order {filed['deposit']['payment_id']} was not prepared"]
    }


def test_an_order_needs_a_reserve_account(home: Home) -> None:
    book = small_book()
    publish_reserve(home, book._replace(deposits=book.deposits.clear()), date_of(DAY))
    desk = Desk(home)
    with pytest.raises(OrderRefused, match="no customer reserve account is open"):
        prepare_deposit(home, FakeClock(NOW_NS), desk, file_reserve(home, SETTINGS))
    assert desk.asked == []


def _materialized(home: Home, desk: Desk, day: str = "") -> dg.MaterializeResult:
    context = dg.build_asset_context(partition_key=day or date_of(DAY).isoformat())
    return reserve(context, home=home, clock=FakeClock(NOW_NS), engine=desk, settings=SETTINGS)


def test_another_day_than_the_books_is_not_filed(home: Home) -> None:
    with pytest.raises(dg.Failure, match="asked for 2026-01-02, and the lake is as of"):
        _materialized(home, Desk(home), "2026-01-02")
    assert lake_rows(home, FiledReserve) == []


def test_the_catalogue_shows_lines_of_both_formulas_and_a_plot_of_each(home: Home) -> None:
    _publish(home, pab=70_00)
    told = _materialized(home, Desk(home)).metadata or {}
    records = [record.data for record in told["lines"].records]
    assert [record["item"] for record in records] == list(range(1, 17))
    assert records[15]["customer"] == "304.00" and records[15]["pab"] == "70.00"
    assert told["customer_asked"] == "204.00" and told["pab_asked"] == "70.00"
    assert all("image/svg+xml" in told[f"{formula}_plot"].value for formula in ("customer", "pab"))


def test_both_filings_tell_of_the_same_journal(home: Home) -> None:
    _publish(home, pab=70_00)
    _materialized(home, Desk(home))
    filed = [
        read_filing(home, f) for formula in Formula for f in filings_of(home, DAY, formula)
    ]  # the customers' deposit is journaled, and lies behind both
    assert [s["inputs"]["journal_sequence"] for s in filed] == [2, 2]
    assert filed[0]["inputs"]["files"] == filed[1]["inputs"]["files"]


def test_a_formula_that_is_not_known_does_not_hold_the_other(home: Home) -> None:
    book = small_book(pab=70_00)
    is_pab = pl.col("formula") == "pab"
    unknown = book.deposits.with_columns(
        cash_minor=pl.when(is_pab).then(1).otherwise(pl.col("cash_minor")),
        bank_equity_minor=pl.when(~is_pab).then(pl.col("bank_equity_minor")),
    )
    publish_reserve(home, book._replace(deposits=unknown), date_of(DAY))
    desk = Desk(home)
    with pytest.raises(dg.Failure) as failed:
        _materialized(home, desk)
    assert "pab: eligible deposit: the equity capital of 1" in str(failed.value.description)
    assert f"{date_of(DAY)}-1 was filed" in str(failed.value.description)
    assert [a.reserve_formula_code for a in desk.asked] == [ReserveFormula.CUSTOMER]


def test_the_plot_shows_what_was_last_filed_for_a_day(home: Home) -> None:
    file_reserve(home, SETTINGS)
    _publish(home, credit=600_00)
    file_reserve(home, SETTINGS)
    (day,) = history_of(home, Formula.CUSTOMER)
    assert (day.required_minor, day.held_minor) == (404_00, 100_00)
    drawn = requirement_svg("customer", [day])
    assert ElementTree.fromstring(drawn).tag.endswith("svg")
    assert "404.00" in drawn and str(date_of(DAY)) in drawn
    assert history_of(home, Formula.PAB) == []
    assert ElementTree.fromstring(requirement_svg("pab", [])).tag.endswith("svg")


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
