"""The live view says what the engine's state says, and its file follows the journal closely."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from engine.config import Home
from engine.errors import InvariantBroken
from engine.journal.sections import Section
from engine.journal.writer import JournalWriter
from engine.projections.views import LiveView, view_path, view_writer
from engine.risk.account_kernel import held_lots
from engine.state import State
from schemas.codes import (
    AccountClass,
    InstrumentState,
    LedgerAccountKind,
    OrderType,
    Side,
    TimeInForce,
)
from schemas.ledger import Posting
from schemas.market import (
    BusinessDayStarted,
    ChangeInstrumentState,
    Fill,
    PlaceOrder,
    SetKillSwitch,
)
from schemas.record import record_of
from schemas.risk import MarginChanged
from schemas.settlement import RunSettlementCycle
from tests.support.scenario import World

OPENING = """
    open 1 STREET
    open 7 CUSTOMER_MARGIN
    open 8 CUSTOMER_MARGIN
    deposit 7 50000.00
    deposit 8 40000.00
    transfer 7 ACME 100
"""
TRADES = """
    order 7 #1 SELL 40 ACME @ 100.00 -> accepted
    order 8 #1 BUY 25 ACME @ 100.50 IOC -> filled 25
    order 1 #1 SELL 30 ACMECFD @ 101.00 -> accepted
    order 8 #2 BUY 10 ACMECFD @ 101.00 -> filled 10
    order 7 #2 BUY 5 ACMECFD @ 101.00 -> filled 5
    mark ACME 102.00
    state BETA HALTED
"""


def view_of(world: World) -> LiveView:
    view = LiveView()
    for frame in world.journal.frames:
        view.fold(frame)
    return view


def assert_view_is_state(figures: dict[str, Any], state: State) -> None:
    assert figures["sequence"] == state.sequence
    assert figures["business_epoch_day"] == state.business_epoch_day
    opened = [a for a in range(len(state.accounts)) if state.accounts[a]["account_id"]]
    assert [row["account_id"] for row in figures["accounts"]] == opened
    for row in figures["accounts"]:
        account_id = row["account_id"]
        is_street = state.accounts[account_id]["account_class_code"] == AccountClass.STREET
        margin = (0, 0) if is_street else state.margin_minor(account_id)
        assert (row["equity_minor"], row["initial_margin_minor"]) == margin
        cash = state.balances.balance(LedgerAccountKind.CLIENT, account_id, state.money_asset_id)
        assert row["cash_minor"] == -cash
        held = {
            str(i): int(held_lots(state.instruments, state.positions, state.balances.amounts, account_id, i))
            for i in range(1, len(state.instruments))
            if state.instruments[i]["instrument_id"]
        }
        assert row["position_lots"] == {i: lots for i, lots in held.items() if lots}
    for row in figures["instruments"]:
        instrument = state.instruments[row["instrument_id"]]
        assert row["mark_ticks"] == instrument["mark_ticks"]
        assert row["instrument_state_code"] == instrument["instrument_state_code"]


def test_figures_are_those_of_the_engine_after_trades() -> None:
    world = World().play(OPENING + TRADES)
    figures = view_of(world).figures()
    assert_view_is_state(figures, world.pipeline.state)
    by_symbol = {row["symbol"]: row for row in figures["instruments"]}
    names = ("last_price_ticks", "volume_lots", "day_lots", "fill_count")
    assert [by_symbol["ACME"][n] for n in names] == [10_000, 25, 25, 1]
    assert [by_symbol["ACMECFD"][n] for n in names] == [10_100, 15, 15, 2]
    assert [by_symbol["BETA"][n] for n in names] == [0, 0, 0, 0]
    assert figures["record_counts"]["fills"] == 3
    assert figures["accounts"][1]["position_lots"] == {"1": 75, "3": 5}


def test_phases_auctions_and_the_kill_switch_are_followed() -> None:
    world = World().play(OPENING + TRADES)
    assert view_of(world).figures()["is_stopped"] is False
    world.send(SetKillSwitch, is_stopped=1, operator_id=9)
    assert view_of(world).figures()["is_stopped"] is True
    world.send(SetKillSwitch, is_stopped=0, operator_id=9)
    for state in (InstrumentState.CLOSED, InstrumentState.PRE_OPEN):
        world.send(ChangeInstrumentState, instrument_id=1, instrument_state_code=state)
    for number, account_id, side, price in ((8, 7, Side.SELL, 9_900), (9, 8, Side.BUY, 10_100)):
        world.send(
            PlaceOrder,
            account_id=account_id,
            client_order_id=number,
            instrument_id=1,
            side_code=side,
            order_type_code=OrderType.LIMIT,
            time_in_force_code=TimeInForce.AT_OPEN,
            price_ticks=price,
            quantity_lots=20,
        )
    assert view_of(world).figures()["instruments"][0]["instrument_state_code"] == InstrumentState.PRE_OPEN
    world.send(ChangeInstrumentState, instrument_id=1, instrument_state_code=InstrumentState.OPEN)
    figures = view_of(world).figures()
    assert figures["is_stopped"] is False
    assert figures["record_counts"]["auctions"] == 1
    assert figures["instruments"][0]["volume_lots"] == 25 + 20
    assert_view_is_state(figures, world.pipeline.state)


def test_a_new_day_begins_its_own_volume() -> None:
    world = World().play(OPENING + TRADES)
    world.send(RunSettlementCycle, trade_epoch_day=world.pipeline.state.business_epoch_day)
    assert any(isinstance(event, BusinessDayStarted) for event in world.day("2026-10-06"))
    figures = view_of(world).figures()
    assert [row["day_lots"] for row in figures["instruments"]] == [0, 0, 0]
    world.play("order 1 #9 BUY 3 ACME @ 100.00 -> accepted")
    world.play("order 7 #9 SELL 2 ACME @ 100.00 -> filled 2")
    figures = view_of(world).figures()
    assert figures["instruments"][0]["day_lots"] == 2
    assert figures["instruments"][0]["volume_lots"] == 27
    assert_view_is_state(figures, world.pipeline.state)


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_the_engine_after_random_orders(seed: int) -> None:
    chance = random.Random(seed)
    world = World().play(OPENING)
    for number in range(1, 200):
        world.send(
            PlaceOrder,
            account_id=chance.choice([1, 7, 8]),
            client_order_id=number,
            instrument_id=chance.choice([1, 2, 3]),
            side_code=chance.choice(list(Side)),
            order_type_code=1,
            time_in_force_code=1,
            price_ticks=10_000 + chance.randint(-3, 3),
            quantity_lots=chance.randint(1, 30),
        )
    view = view_of(world)
    assert_view_is_state(view.figures(), world.pipeline.state)
    fills = [
        row
        for frame in world.journal.frames
        for section in frame.sections
        if section.record.cls is Fill
        for row in section.rows
    ]
    assert len(fills) > 20
    for row in view.figures()["instruments"]:
        own = [f for f in fills if f["instrument_id"] == row["instrument_id"]]
        assert row["volume_lots"] == sum(int(f["quantity_lots"]) for f in own)
        assert row["last_price_ticks"] == (int(own[-1]["price_ticks"]) if own else 0)


@pytest.mark.parametrize(
    ("cls", "column", "beyond"),
    [
        (Fill, "instrument_id", 9), (Fill, "taker_account_id", 101), (Fill, "maker_account_id", -1),
        (Posting, "asset_id", 9), (Posting, "debit_party_id", 101), (Posting, "credit_party_id", -1),
        (MarginChanged, "account_id", 101),
    ],
)  # fmt: skip
def test_an_id_beyond_the_capacities_is_refused(cls: type, column: str, beyond: int) -> None:
    """The world has room for 100 accounts, 8 instruments and 8 assets."""
    world = World().play(OPENING + TRADES)
    view = view_of(world)
    rows = next(s.rows for f in world.journal.frames for s in f.sections if s.record.cls is cls).copy()
    for name in ("debit_account_kind_code", "credit_account_kind_code"):
        if name in (rows.dtype.names or ()):
            rows[name] = LedgerAccountKind.CLIENT
            rows[name.replace("account_kind_code", "party_id")] = 7
    frame = world.journal.frames[-1]._replace(sections=[Section(record_of(cls), rows)])
    view.fold(frame)
    rows[column] = beyond
    with pytest.raises(InvariantBroken, match="no room"):
        view.fold(frame)


def test_the_file_follows_the_journal(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    journal = JournalWriter.open(home.journal, segment_bytes=1 << 20)
    world = World(journal).play(OPENING)
    is_over = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            view_writer(home).run(is_over.is_set)
        except BaseException as failure:
            failures.append(failure)

    writer = threading.Thread(target=run)
    writer.start()
    lags: list[float] = []
    try:
        for number in range(1, 21):
            world.send(
                PlaceOrder,
                account_id=8,
                client_order_id=number,
                instrument_id=2,
                side_code=Side.BUY,
                order_type_code=1,
                time_in_force_code=1,
                price_ticks=9_000,
                quantity_lots=1,
            )
            begun = time.monotonic()
            while _sequence(home) < world.pipeline.state.sequence:
                assert time.monotonic() - begun < 30 and not failures
                time.sleep(0.001)
            lags.append(time.monotonic() - begun)
    finally:
        is_over.set()
        writer.join()
        journal.close()
    assert failures == []
    assert sorted(lags)[len(lags) // 2] < 0.1, f"half of the frames took longer: {lags}"
    assert_view_is_state(json.loads(view_path(home).read_text()), world.pipeline.state)
    assert [p.name for p in view_path(home).parent.iterdir()] == ["view.json"]


def _sequence(home: Home) -> int:
    path = view_path(home)
    return int(json.loads(path.read_text())["sequence"]) if path.exists() else 0
