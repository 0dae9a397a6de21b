"""The reserve: the marts' figures, one filing a figure, one deposit a filing, nothing on a missing input."""

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
from engine.gateway.protocol import Receipt
from engine.projections.lake import LakeWriter
from engine.reserve.book_case import book_files
from engine.reserve.case_files import read_case
from engine.reserve.computation import Terms, compute
from engine.reserve.filing import broken_identities
from engine.reserve.terms import Formula, Frequency, Method
from orchestration.lake.tables import DAY_NS, date_of, lake_rows
from orchestration.products.papers import sha256_of
from orchestration.products.reserve import checks
from orchestration.products.reserve.assets import (
    DepositRefused,
    file_reserve,
    filing_path,
    filings_of,
    order_deposit,
    read_filing,
    reserve,
)
from orchestration.products.reserve.bundle import bundle_files, verify_bundle, write_bundle
from orchestration.products.reserve.chart import history_of, requirement_svg
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
from schemas.external import FiledReserve
from schemas.ledger import OrderReserveDeposit, ReserveDepositOrdered
from schemas.market import AssetRegistered, BusinessDayStarted, CommandRefused
from schemas.packed import pack
from tests.support.lake_home import NOW_NS, append_frame, make_home
from tests.support.published import publish
from tests.support.reserve_marts import publish_reserve, small_book

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
        number = 2 + len({a.payment_id for a in self.asked})
        event = ReserveDepositOrdered(
            sequence=number,
            cause_sequence=number,
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
        order_deposit(home, clock, desk, statement)
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
    for check in checks.CHECKS:
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
    order_deposit(home, FakeClock(NOW_NS), Desk(home), file_reserve(home, SETTINGS))
    assert _problems(home) == {}
    plant(home)
    assert set(_problems(home)) == found


def _changed_byte(home: Home, name: str) -> None:
    (filed,) = filings_of(home, DAY)
    path = (home.root / filed.path).with_name(name)
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))


def test_a_filed_line_that_does_not_add_up_is_found(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    filed = file_reserve(home, SETTINGS)
    order_deposit(home, FakeClock(NOW_NS), Desk(home), filed)
    filed["lines"][0]["amount_minor"] += 1
    monkeypatch.setattr(checks, "read_filing", lambda *_: filed)
    found = _problems(home)
    assert found["statement_equals_marts"] == ["customer item 1: filed 50001, mart 50000"]
    assert found["arithmetic_holds"] == ["customer: credits_minor is 50000, not 50001"]


def test_a_deposit_that_nobody_ordered_is_found(home: Home) -> None:
    filed = file_reserve(home, SETTINGS)
    assert _problems(home) == {
        "deposit_is_ordered": [f"deposit RD{filed['deposit']['payment_id']} of 20400 was not ordered"]
    }


def test_an_order_needs_a_reserve_account(home: Home) -> None:
    book = small_book()
    publish_reserve(home, book._replace(deposits=book.deposits.clear()), date_of(DAY))
    desk = Desk(home)
    with pytest.raises(DepositRefused, match="no customer reserve account is open"):
        order_deposit(home, FakeClock(NOW_NS), desk, file_reserve(home, SETTINGS))
    assert desk.asked == []


def _materialized(home: Home, desk: Desk) -> dg.MaterializeResult:
    return reserve(home=home, clock=FakeClock(NOW_NS), engine=desk, settings=SETTINGS)


def test_the_catalogue_shows_lines_of_both_formulas_and_a_plot_of_each(home: Home) -> None:
    _publish(home, pab=70_00)
    told = _materialized(home, Desk(home)).metadata or {}
    records = [record.data for record in told["lines"].records]
    assert [record["item"] for record in records] == list(range(1, 17))
    assert records[15]["customer"] == "304.00" and records[15]["pab"] == "70.00"
    assert told["customer_ordered"] == "204.00" and told["pab_ordered"] == "70.00"
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
    order_deposit(home, FakeClock(NOW_NS), Desk(home), file_reserve(home, SETTINGS))
    with LakeWriter(home) as writer:
        assert writer.catch_up() == 0
