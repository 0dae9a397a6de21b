"""The live reserve as a reader sees it: what moves it now, its file, its command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.config import Home
from engine.journal.writer import JournalWriter
from engine.projections.reserve_view import ReserveRules, ReserveView, reserve_path, reserve_writer
from engine.reserve.terms import Formula, Frequency, Method
from orchestration.cli import app
from orchestration.warehouse.reserve_rules import reserve_rules
from schemas.codes import ReserveFormula
from schemas.identity import LinkAccount
from schemas.ledger import BorrowFromBank, ContributeCapital
from schemas.market import SetMark
from schemas.reserve import (
    ApproveReserveOrder,
    OpenReserveAccount,
    PrepareReserveOrder,
    RecordQualifiedSecurity,
)
from schemas.safekeeping import OpenSuspense, SendToTransfer
from schemas.settlement import RunSettlementCycle
from tests.support.scenario import World

RULES = ReserveRules(Method.ALTERNATIVE, Frequency.DAILY)
USD, ACME, BETA = 1, 2, 3
OPENING = """
    open 7 CUSTOMER_CASH
    open 8 CUSTOMER_CASH
    open 9 PAB
    deposit 7 5000.00
    deposit 8 3000.00
    transfer 7 ACME 100
"""


def view_of(world: World) -> ReserveView:
    view = ReserveView(RULES)
    for frame in world.journal.frames:
        view.fold(frame)
    return view


def follow(view: ReserveView, world: World) -> dict[int, int | None]:
    """Fold what is new, and the customers' lines then."""
    for frame in world.journal.frames[view.frame_count :]:
        view.fold(frame)
    view.update()
    return view.figure(Formula.CUSTOMER).lines


def indebted() -> World:
    """On Tuesday account 6 owes 4,900.00 and has 58 ACME and 120 BETA; the firm has 100 BETA."""
    world = World().play("""
        open 1 STREET
        open 6 CUSTOMER_MARGIN
        open 7 CUSTOMER_CASH
        open 10 FIRM
        deposit 6 900.00
        transfer 6 BETA 120
        transfer 10 BETA 100
        order 1 #1 SELL 58 ACME @ 100.00 GTC -> accepted
        order 6 #1 BUY 58 ACME @ 100.00 IOC -> filled 58
    """)
    world.send(RunSettlementCycle, trade_epoch_day=since(world, 0))
    world.day("2026-10-06")
    return world


def customers(world: World) -> dict[str, Any]:
    return view_of(world).figures()["formulas"]["customer"]


def since(world: World, days: int) -> int:
    return world.pipeline.state.business_epoch_day - days


def test_the_largest_rows_of_each_line_come_first() -> None:
    told = customers(World().play(OPENING))
    assert told["lines"]["1"] == told["requirement_minor"] == 8_000_00
    assert told["contributors"] == [
        {"item": 1, "source": "account 7", "amount_minor": 5_000_00},
        {"item": 1, "source": "account 8", "amount_minor": 3_000_00},
    ]


def test_change_is_told_since_the_day_began() -> None:
    world = World().play(OPENING)
    world.day("2026-10-06")
    world.play("deposit 8 250.00")
    told = customers(world)
    assert {item: change for item, change in told["since_start_of_day"].items() if change} == {
        "1": 250_00,
        "16": 250_00,
    }


@pytest.mark.parametrize(
    ("age", "days_left"),
    [(41, None), (40, 1), (38, 3), (31, 10), (30, None)],  # over age already; not within ten days
)
def test_a_transfer_comes_of_age_on_its_forty_first_day(age: int, days_left: int | None) -> None:
    """Item 9, over 40 calendar days: 30 ACME of 100.00, of which customers own all."""
    world = World().play(OPENING)
    sent = {"asset_id": ACME, "transfer_units": 30, "operator_id": 1}
    world.send(SendToTransfer, opened_epoch_day=since(world, age), **sent)
    told = customers(world)
    assert told["lines"]["9"] == (3_000_00 if age > 40 else 0)
    ageing = [(a["item"], a["days_left"], a["amount_minor"]) for a in told["about_to_age"]]
    assert ageing == ([] if days_left is None else [(9, days_left, 3_000_00)])


def test_what_ages_adds_what_is_told() -> None:
    """Told on Monday, added when the day has come: 30 ACME in transfer, at a mark that has changed."""
    world = World().play(OPENING)
    sent = {"asset_id": ACME, "transfer_units": 30, "operator_id": 1}
    world.send(SendToTransfer, opened_epoch_day=since(world, 40), **sent)
    world.send(SetMark, instrument_id=1, mark_ticks=90_00)
    view = view_of(world)
    (soon,) = view.figures()["formulas"]["customer"]["about_to_age"]
    before = view.figure(Formula.CUSTOMER).requirement
    world.day("2026-10-06")
    assert soon["amount_minor"] == 2_700_00
    assert follow(view, world)[16] == before + soon["amount_minor"]


def test_another_price_of_one_security_moves_what_is_margin_of_another() -> None:
    """140 % of 4,900.00 are 6,860.00: 58 ACME at 100.00, and of BETA 10; at 80.00, and of BETA 22.

    Of the loan of 5,000.00 on 50 BETA the margin securities take their part, and the firm's the rest: Item 2.
    """
    world = indebted()
    world.send(
        BorrowFromBank, bank_id=1, money_asset_id=USD, loan_units=5_000_00, pledged_asset_id=BETA,
        pledged_units=50, operator_id=1,
    )  # fmt: skip
    view = ReserveView(RULES)
    assert follow(view, world)[2] == 1_000_00
    world.send(SetMark, instrument_id=1, mark_ticks=80_00)
    assert follow(view, world)[2] == 2_200_00


def test_who_joins_a_household_moves_the_debits_of_all_of_it() -> None:
    """Note E(4): the debit of who shares a household with a principal does not count."""
    world, view = indebted(), ReserveView(RULES)
    linked = {"household_id": 4, "operator_id": 1}
    world.send(LinkAccount, account_id=6, is_affiliate=0, **linked)
    follow(view, world)
    assert [n.note for n in view.figure(Formula.CUSTOMER).notes] == ["E(1)"]
    world.send(LinkAccount, account_id=7, is_affiliate=1, **linked)
    assert follow(view, world)[10] == 0
    assert view.figure(Formula.CUSTOMER).notes[0][:3] == ("E(4)", 10, -4_900_00)
    world.send(LinkAccount, account_id=7, household_id=0, is_affiliate=1, operator_id=1)
    follow(view, world)
    assert [n.note for n in view.figure(Formula.CUSTOMER).notes] == ["E(1)"]


def test_money_in_suspense_comes_of_age_after_seven_business_days() -> None:
    world = World().play(OPENING)
    world.send(ContributeCapital, asset_id=USD, amount_units=900_00, operator_id=1)
    suspense = {"suspense_side_code": 1, "asset_id": USD, "suspense_units": 70_00, "operator_id": 1}
    world.send(OpenSuspense, opened_epoch_day=since(world, 7), **suspense)  # Monday, 28 September 2026
    (soon,) = customers(world)["about_to_age"]
    assert (soon["item"], soon["source"], soon["opened_on"]) == (8, "suspense_short", "2026-09-28")
    assert soon["amount_minor"] == 70_00
    assert soon["days_left"] == 3  # of age as of Thursday: the eighth business day


def test_securities_of_the_firm_in_a_reserve_account_count_and_are_located() -> None:
    """(e)(5): six of its own ACME of 100.00, then of 90.00; they stay in the stock record."""
    world = World().play(f"{OPENING}\n    open 10 FIRM\n    transfer 10 ACME 10")
    account = {"bank_id": 1, "reserve_formula_code": ReserveFormula.CUSTOMER}
    order = {"payment_id": 900, "as_of_epoch_day": since(world, 0), "required_minor": 0, "eligible_minor": 0}
    world.send(OpenReserveAccount, **account, is_affiliate=0, letter_document_id=7, operator_id=1)
    world.send(RecordQualifiedSecurity, asset_id=ACME, document_id=5, operator_id=1)
    world.send(PrepareReserveOrder, **account, **order, asset_id=ACME, amount_units=6, operator_id=1)
    world.send(ApproveReserveOrder, payment_id=900, operator_id=2)
    view = view_of(world)
    deposit = view.figures()["formulas"]["customer"]["deposit"]
    assert (deposit["held_minor"], view.figure(Formula.CUSTOMER).gaps) == (600_00, [])
    world.send(SetMark, instrument_id=1, mark_ticks=90_00)
    view.fold(world.journal.frames[-1])
    assert view.figures()["formulas"]["customer"]["deposit"]["held_minor"] == 540_00


def test_nothing_is_told_before_the_first_day() -> None:
    told = ReserveView(RULES).figures()
    assert (told["as_of"], told["formulas"]) == (None, {})


def test_capital_that_is_needed_and_not_told_leaves_the_requirement_unknown() -> None:
    world = World().play("""
        open 6 CUSTOMER_MARGIN
        open 1 STREET
        deposit 6 60000.00
        transfer 6 BETA 2000
        order 1 #1 SELL 1500 ACME @ 100.00 GTC -> accepted
        order 6 #1 BUY 1500 ACME @ 100.00 IOC -> filled 1500
    """)
    world.send(RunSettlementCycle, trade_epoch_day=since(world, 0))
    world.day("2026-10-06")
    view = ReserveView(RULES)
    for frame in world.journal.frames:
        view.fold(frame)
    (gap,) = view.figures()["formulas"]["customer"]["indeterminate"]
    assert gap["item"] == 10 and "Note E(5)" in gap["reason"]


def test_the_file_and_the_command_say_the_same(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    journal = JournalWriter.open(home.journal, segment_bytes=1 << 20)
    world = World(journal).play(OPENING)
    last = world.pipeline.state.sequence
    world.play("deposit 8 1.00")
    journal.close()
    reserve_writer(home, reserve_rules()).run(lambda: True)
    written = json.loads(reserve_path(home).read_text())
    assert written.pop("written_at_ns") > 0
    asked = ["reserve", "live", "--home", str(home.root)]
    whole = CliRunner().invoke(app, asked)
    assert whole.exit_code == 0 and json.loads(whole.stdout) == written
    assert written["formulas"]["customer"]["requirement_minor"] == 8_001_00
    before = CliRunner().invoke(app, [*asked, "--at-sequence", str(last)])
    assert json.loads(before.stdout)["formulas"]["customer"]["requirement_minor"] == 8_000_00
    beyond = CliRunner().invoke(app, [*asked, "--at-sequence", "999999"])
    assert beyond.exit_code == 2 and "before 999999" in beyond.stderr
