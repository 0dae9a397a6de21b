"""Vectors of options: Black-76 beside the engine, whole numbers in the journal, margin without a formula."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from engine.pipeline import Pipeline
from engine.replay import redo
from engine.risk.account_explanation import explain_account
from engine.risk.desk import REVALUE_BPS, RiskDesk
from engine.risk.model.black76 import option_value
from engine.risk.option_vectors import all_vectors, option_delta_ppm, option_returns
from schemas.codes import InstrumentClass, ScenarioGroup
from schemas.headers import Command
from schemas.market import ListInstrument
from schemas.packed import pack
from schemas.risk import (
    ActivateScenarios,
    ActivateVector,
    AddScenario,
    NameFactor,
    SetFactorReturn,
    SetInstrumentRisk,
    SetOptionTerms,
    SetVectorPart,
)
from tests.support.scenario import MemoryJournal, World

CLIENT, STREET, SHARE, CALL, PUT = 7, 9, 1, 4, 5
INDEX, VOLATILITY = 1, 2
MILLION, BILLION = 1_000_000, 1_000_000_000
MOVES = ((-0.2, 0.5), (-0.1, 0.2), (0.0, 0.0), (0.1, -0.1), (0.2, 0.4))  # of the index, of its volatility
YEARS, DEVIATION = 73 / 365, 0.3


def opened() -> World:
    """A share at 100.00, a call and a put on a lot of it at 105.00 and 95.00, and five scenarios."""
    world = World().play(f"open {CLIENT} CUSTOMER_MARGIN\nopen {STREET} STREET\ndeposit {CLIENT} 1000.00")
    for number, symbol in ((CALL, "CALL"), (PUT, "PUT")):
        world.send(
            ListInstrument, instrument_id=number, instrument_class_code=InstrumentClass.OPTION,
            symbol_packed=pack(symbol), base_asset_id=2, quote_asset_id=1, lot_units=1, tick_value_minor=1,
            collar_bps=2_000, max_order_lots=1_000, margin_bps=5_000, settlement_cycle_count=1,
        )  # fmt: skip
    for number, name in ((INDEX, "INDEX"), (VOLATILITY, "INDEXVOL")):
        world.send(NameFactor, factor_id=number, symbol_packed=pack(name))
    prepare(world, 1)
    world.send(ActivateScenarios, scenario_set_id=1, scenario_count=len(MOVES), historical_tail_count=1)
    world.send(SetInstrumentRisk, instrument_id=SHARE, is_modelled=1, first_factor_id=INDEX,
               first_beta_ppm=MILLION)  # fmt: skip
    for number, symbol, strike, is_call in ((CALL, "4", 10_500, 1), (PUT, "5", 9_500, 0)):
        world.play(f"mark {symbol} 3.00\nstate {symbol} OPEN")
        world.send(SetInstrumentRisk, instrument_id=number, is_modelled=1)
        world.send(
            SetOptionTerms, instrument_id=number, underlying_instrument_id=SHARE, underlying_lots=1,
            strike_ticks=strike, expiry_epoch_day=world.pipeline.state.business_epoch_day + 73,
            is_call=is_call, volatility_ppm=300_000, volatility_factor_id=VOLATILITY,
        )  # fmt: skip
    return world


def prepare(world: World, set_id: int) -> None:
    """Prepare the five scenarios as a set."""
    for place, (index, volatility) in enumerate(MOVES, 1):
        at = {"scenario_set_id": set_id, "scenario_no": place}
        group = ScenarioGroup.HISTORICAL
        world.send(AddScenario, **at, scenario_group_code=group, damping_ppm=MILLION)
        for factor, move in ((INDEX, index), (VOLATILITY, volatility)):
            world.send(SetFactorReturn, **at, factor_id=factor, return_ppb=round(move * BILLION))


def ask(world: World, desk: RiskDesk) -> list[Command]:
    """Let the desk ask what is due, in one frame."""
    commands = desk.due(world.now_ns)
    if commands:
        world.pipeline.submit(commands)
    return commands


def by_formula(strike: float, is_call: bool, index: float, volatility: float) -> float:
    now, then = (
        option_value(is_call, 100.0 * (1 + i), strike, YEARS, DEVIATION * (1 + v), 0.0)
        for i, v in ((0.0, 0.0), (index, volatility))
    )
    return then - now


def test_a_vector_is_full_revaluation_by_black_76() -> None:
    world = opened()
    state = world.pipeline.state
    ask(world, RiskDesk(state))
    for number, strike, is_call in ((CALL, 105.0, True), (PUT, 95.0, False)):
        found = state.tables.profits[number].tolist()
        due = [by_formula(strike, is_call, *moves) * 100_000 for moves in MOVES]
        assert found == pytest.approx(due, abs=1.0), "millicents a lot"
        assert found[2] == 0
    call = state.risk.options[CALL]
    assert 0 < option_delta_ppm(state, call) < 500_000
    assert option_delta_ppm(state, state.risk.options[PUT]) < 0
    assert option_returns(state, call, state.risk.active) == state.risk.vectors[CALL].returns_ppb


def test_what_is_long_and_short_of_an_option_loses_on_one_side_only() -> None:
    """A call bought cannot lose more than its worth now; one sold loses where the index rises."""
    world = opened()
    ask(world, RiskDesk(world.pipeline.state))
    world.play(f"""
        order {STREET} #1 SELL 50 4 @ 3.00
        order {CLIENT} #1 BUY 10 4 @ 3.00 -> filled 10
    """)
    told = explain_account(world.pipeline.state, CLIENT)
    worth = option_value(True, 100.0, 105.0, YEARS, DEVIATION, 0.0)
    assert 0 < float(told["scenario_risk"]["total"]) <= 10 * worth
    assert set(told["contributions"]["by_factor"]) == {"INDEX", "INDEXVOL", "cross"}
    assert told["liquidation_moves"]["INDEX"] is None, "what it may lose is far less than equity"
    world.play(f"""
        cancel {STREET} #1
        order {STREET} #2 BUY 50 4 @ 3.00
        order {CLIENT} #2 SELL 20 4 @ 3.00 -> filled 20
    """)
    short = explain_account(world.pipeline.state, CLIENT)
    assert float(short["scenario_risk"]["total"]) == pytest.approx(
        10 * by_formula(105.0, True, 0.2, 0.4), abs=1e-4
    )
    move = float(short["liquidation_moves"]["INDEX"])
    cushion = float(short["equity"] - short["MM"])
    assert (
        10 * by_formula(105.0, True, move, 0.0) > cushion >= 10 * by_formula(105.0, True, move - 0.0001, 0.0)
    )


def test_the_desk_values_anew_when_something_changed_and_not_before() -> None:
    world = opened()
    desk = RiskDesk(world.pipeline.state)
    both = [SetVectorPart, ActivateVector, SetVectorPart, ActivateVector]
    assert [type(c) for c in ask(world, desk)] == both
    assert ask(world, desk) == []
    world.play(f"mark ACME {100 + REVALUE_BPS / 100:.2f}")
    assert ask(world, desk) == [], "a mark may move so far"
    world.play(f"mark ACME {100.01 + REVALUE_BPS / 100:.2f}")
    assert [type(c) for c in ask(world, desk)] == both
    terms = asdict(world.pipeline.state.risk.options[PUT])
    world.send(SetOptionTerms, instrument_id=PUT, **terms | {"volatility_ppm": 500_000})
    assert [c.instrument_id for c in ask(world, desk)] == [PUT, PUT]
    world.play("day 2026-10-06")
    assert [type(c) for c in ask(world, desk)] == both, "a day less to expiry"
    world.send(SetInstrumentRisk, instrument_id=CALL, is_modelled=0)
    world.play("mark ACME 90.00")
    assert {c.instrument_id for c in ask(world, desk)} == {PUT}


def test_another_set_comes_in_force_with_its_vectors() -> None:
    world = opened()
    state = world.pipeline.state
    ask(world, RiskDesk(state))
    prepare(world, 2)
    asked = {"scenario_set_id": 2, "scenario_count": len(MOVES), "historical_tail_count": 1}
    world.expect_refused("MISMATCH", ActivateScenarios, **asked)
    before = state.tables.profits[CALL].tolist()
    world.pipeline.submit(list(all_vectors(state, state.risk.draft, world.now_ns)))
    world.send(ActivateScenarios, **asked)
    assert {i: v.set_id for i, v in state.risk.vectors.items()} == {CALL: 2, PUT: 2}
    assert state.tables.profits[CALL].tolist() == before, "the scenarios are the same"


def test_a_replay_needs_neither_desk_nor_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    world = opened()
    ask(world, RiskDesk(world.pipeline.state))
    world.play(f"order {STREET} #1 BUY 50 4 @ 3.00\norder {CLIENT} #1 SELL 10 4 @ 3.00 -> filled 10")

    def forbidden(*_: float) -> float:
        raise AssertionError("a formula took part in a decision")

    monkeypatch.setattr("engine.risk.option_vectors.option_value", forbidden)
    again = Pipeline(None, MemoryJournal())
    for frame in world.journal.frames:
        redo(again, frame)
    assert again.state.hash() == world.pipeline.state.hash()
