"""The commands that say how margin is computed: what is refused, and what is in force at once."""

from __future__ import annotations

import random

import pytest

from engine.image import arrays_of, state_of, text_of
from schemas.codes import ScenarioGroup
from schemas.packed import pack
from schemas.risk import (
    ActivateScenarios,
    ActivateVector,
    AddScenario,
    NameFactor,
    ReportMargins,
    SetAccountMargin,
    SetFactorReturn,
    SetInstrumentRisk,
    SetMarginModel,
    SetOptionTerms,
    SetVectorPart,
)
from tests.support.risk_model import name_factors, put_in_force, random_terms, set_terms
from tests.support.scenario import World

HISTORICAL, STRESS, EXTREME = ScenarioGroup.HISTORICAL, ScenarioGroup.STRESS, ScenarioGroup.EXTREME
MILLION, BILLION = 1_000_000, 1_000_000_000
FIRST = {"scenario_set_id": 1, "scenario_no": 1, "scenario_group_code": HISTORICAL, "damping_ppm": MILLION}
WHOLE = {"scenario_set_id": 1, "scenario_count": 1, "historical_tail_count": 1}
TERMS = random_terms(random.Random(1)) | {"instrument_id": 1}
NO_TIERS = dict.fromkeys(
    ("second_from_lots", "second_haircut_ppm", "third_from_lots", "third_haircut_ppm"), 0
)
TIERS = {
    "haircut_ppm": 100_000, "second_from_lots": 5, "second_haircut_ppm": 200_000, "third_from_lots": 9,
    "third_haircut_ppm": MILLION,
}  # fmt: skip
OPTION = {"instrument_id": 3, "underlying_instrument_id": 1, "underlying_lots": 1, "strike_ticks": 10_000}
PART = {"instrument_id": 3, "scenario_set_id": 1, "first_scenario_no": 1}
VECTOR = {"instrument_id": 3, "scenario_set_id": 1, "scenario_count": 1, "reference_minor": 10_000}
MODEL = {
    "initial_ppm": 1_300_000, "names_ppm": 50_000, "top_two_ppm": 250_000, "warn_ppm": 1_500_000,
    "cancel_ppm": 1_050_000, "target_ppm": 1_100_000, "retail_close_ppm": 500_000,
}  # fmt: skip


def prepared() -> World:
    """Factors have names, and a set of one scenario is being prepared."""
    world = World()
    name_factors(world)
    world.send(AddScenario, **FIRST)
    world.play("open 7 CUSTOMER_MARGIN")
    return world


@pytest.mark.parametrize(
    ("cls", "columns", "reason"),
    [
        (NameFactor, {"factor_id": 1, "symbol_packed": pack("NEW")}, "ALREADY_EXISTS"),
        (NameFactor, {"factor_id": 9, "symbol_packed": pack("INDEX")}, "ALREADY_EXISTS"),
        (NameFactor, {"factor_id": 65, "symbol_packed": pack("NEW")}, "OUT_OF_RANGE"),
        (AddScenario, FIRST, "WRONG_STATE"),  # the first was added
        (AddScenario, FIRST | {"scenario_no": 3}, "WRONG_STATE"),
        (AddScenario, FIRST | {"scenario_set_id": 2, "scenario_no": 2}, "WRONG_STATE"),
        (AddScenario, FIRST | {"scenario_no": 2, "damping_ppm": 350_000}, "BAD_DECLARATION"),
        (AddScenario, FIRST | {"scenario_no": 2, "scenario_group_code": 4}, "BAD_DECLARATION"),
        (AddScenario, FIRST | {"scenario_no": 513}, "OUT_OF_RANGE"),
        (SetFactorReturn, {"scenario_set_id": 2, "scenario_no": 1, "factor_id": 1}, "UNKNOWN_REFERENCE"),
        (SetFactorReturn, {"scenario_set_id": 1, "scenario_no": 2, "factor_id": 1}, "UNKNOWN_REFERENCE"),
        (SetFactorReturn, {"scenario_set_id": 1, "scenario_no": 1, "factor_id": 8}, "UNKNOWN_REFERENCE"),
        (
            SetFactorReturn,
            {"scenario_set_id": 1, "scenario_no": 1, "factor_id": 1, "return_ppb": 2 * BILLION + 1},
            "OUT_OF_RANGE",
        ),
        (ActivateScenarios, WHOLE | {"scenario_set_id": 2}, "MISMATCH"),
        (ActivateScenarios, WHOLE | {"scenario_count": 2}, "MISMATCH"),
        (ActivateScenarios, WHOLE | {"historical_tail_count": 0}, "BAD_DECLARATION"),
        (ActivateScenarios, WHOLE | {"historical_tail_count": 2}, "BAD_DECLARATION"),
        (SetInstrumentRisk, TERMS | {"instrument_id": 7}, "UNKNOWN_INSTRUMENT"),
        (SetInstrumentRisk, TERMS | {"instrument_id": -1}, "UNKNOWN_INSTRUMENT"),
        (SetInstrumentRisk, TERMS | {"peg_factor_id": 9}, "UNKNOWN_REFERENCE"),
        (SetInstrumentRisk, TERMS | {"haircut_ppm": MILLION + 1}, "BAD_DECLARATION"),
        (SetInstrumentRisk, TERMS | {"is_modelled": 2}, "OUT_OF_RANGE"),
        (SetInstrumentRisk, TERMS | NO_TIERS | {"second_haircut_ppm": 1}, "BAD_DECLARATION"),
        (SetInstrumentRisk, TERMS | NO_TIERS | {"third_from_lots": 9}, "BAD_DECLARATION"),
        (SetInstrumentRisk, TERMS | TIERS | {"third_from_lots": 5}, "BAD_DECLARATION"),
        (SetInstrumentRisk, TERMS | TIERS | {"second_haircut_ppm": 99_999}, "BAD_DECLARATION"),
        (SetInstrumentRisk, TERMS | TIERS | {"third_haircut_ppm": MILLION + 1}, "BAD_DECLARATION"),
        (SetInstrumentRisk, TERMS | TIERS | {"third_from_lots": 0}, "BAD_DECLARATION"),
        (SetAccountMargin, {"account_id": 50, "is_retail": 1}, "UNKNOWN_ACCOUNT"),
        (SetAccountMargin, {"account_id": 7, "own_asset_id": 9}, "UNKNOWN_REFERENCE"),
        (SetOptionTerms, OPTION | {"instrument_id": 9}, "UNKNOWN_INSTRUMENT"),
        (SetOptionTerms, OPTION | {"underlying_instrument_id": 9}, "UNKNOWN_REFERENCE"),
        (SetOptionTerms, OPTION | {"volatility_factor_id": 9}, "UNKNOWN_REFERENCE"),
        (SetOptionTerms, OPTION | {"instrument_id": 2}, "BAD_DECLARATION"),  # it is delivered
        (SetOptionTerms, OPTION | {"underlying_instrument_id": 3}, "BAD_DECLARATION"),
        (SetOptionTerms, OPTION | {"strike_ticks": 0}, "BAD_DECLARATION"),
        (SetVectorPart, PART | {"instrument_id": 9}, "UNKNOWN_INSTRUMENT"),
        (SetVectorPart, PART | {"scenario_set_id": 2}, "UNKNOWN_REFERENCE"),
        (SetVectorPart, PART | {"first_scenario_no": 9}, "WRONG_STATE"),
        (SetVectorPart, PART | {"return_8_ppb": 4 * BILLION + 1}, "OUT_OF_RANGE"),
        (ActivateVector, VECTOR, "UNKNOWN_REFERENCE"),  # nothing is prepared
        (SetMarginModel, MODEL | {"initial_ppm": 999_999}, "BAD_DECLARATION"),
        (SetMarginModel, MODEL | {"warn_ppm": 1_050_000}, "BAD_DECLARATION"),
        (SetMarginModel, MODEL | {"cancel_ppm": 1_200_000}, "BAD_DECLARATION"),
        (SetMarginModel, MODEL | {"retail_close_ppm": MILLION + 1}, "BAD_DECLARATION"),
        (ReportMargins, {"business_epoch_day": 1}, "WRONG_STATE"),
    ],
)  # fmt: skip
def test_what_is_not_sound_is_refused_and_changes_nothing(
    cls: type, columns: dict[str, int], reason: str
) -> None:
    world = prepared()
    before = world.pipeline.state.risk.canonical()
    world.expect_refused(reason, cls, **columns)
    assert world.pipeline.state.risk.canonical() == before


def test_groups_come_in_their_order() -> None:
    world = prepared()
    world.send(AddScenario, **FIRST | {"scenario_no": 2, "scenario_group_code": EXTREME})
    world.send(AddScenario, **FIRST | {"scenario_no": 3, "scenario_group_code": STRESS})
    asked = WHOLE | {"scenario_count": 3, "stress_tail_count": 1}
    world.expect_refused("BAD_DECLARATION", ActivateScenarios, **asked)


def test_a_set_by_which_an_instrument_cannot_be_valued_is_refused() -> None:
    """Ten times a move of 100 % is more than a vector has room for."""
    world = prepared()
    world.send(SetFactorReturn, scenario_set_id=1, scenario_no=1, factor_id=1, return_ppb=BILLION)
    steep = TERMS | {"first_factor_id": 1, "first_beta_ppm": 10 * MILLION}
    world.send(SetInstrumentRisk, **steep)
    world.expect_refused("OUT_OF_RANGE", ActivateScenarios, **WHOLE)
    world.send(SetInstrumentRisk, **steep | {"first_beta_ppm": MILLION})
    world.send(ActivateScenarios, **WHOLE)
    world.expect_refused("OUT_OF_RANGE", SetInstrumentRisk, **steep)


def test_one_lot_in_numbers() -> None:
    """A share at 100.00 that loses 20 % in the one scenario: 20.00 of risk, 26.00 of initial margin a lot."""
    world = prepared().play("open 9 STREET\ndeposit 7 1000.00")
    world.send(SetFactorReturn, scenario_set_id=1, scenario_no=1, factor_id=1, return_ppb=-BILLION // 5)
    world.send(SetInstrumentRisk, instrument_id=3, is_modelled=1, first_factor_id=1, first_beta_ppm=MILLION)
    world.send(ActivateScenarios, **WHOLE)
    world.play("""
        order 9 #1 SELL 100 ACMECFD @ 100.00
        order 7 #1 BUY 10 ACMECFD @ 100.00     -> filled 10
        expect margin 7 260.00
        order 7 #2 BUY 29 ACMECFD @ 100.00     -> refused INSUFFICIENT_MARGIN
        order 7 #3 BUY 28 ACMECFD @ 100.00     -> filled 28
        expect margin 7 988.00
    """)
    assert world.pipeline.state.maintenance_minor(7) == 76_000


def test_an_account_that_is_short_of_equity_may_hedge_and_may_not_close_one_leg_of_the_hedge() -> None:
    """Ten shares that may lose 90 % ask 1,170.00 of an account with 1,010.00. A short contract takes that
    away; buying it back reduces a position, and brings all of the risk back.
    """
    world = prepared().play("""
        open 9 STREET
        deposit 7 10.00
        transfer 7 ACME 10
    """)
    world.send(SetFactorReturn, scenario_set_id=1, scenario_no=1, factor_id=1, return_ppb=-BILLION * 9 // 10)
    for instrument_id in (1, 3):
        world.send(
            SetInstrumentRisk,
            instrument_id=instrument_id,
            is_modelled=1,
            first_factor_id=1,
            first_beta_ppm=MILLION,
        )
    world.send(ActivateScenarios, **WHOLE)
    world.play("""
        expect margin 7 1170.00
        order 9 #1 BUY 100 ACMECFD @ 100.00
        order 7 #1 SELL 11 ACMECFD @ 99.00       -> filled 11
        order 7 #2 BUY 1 ACMECFD @ 100.00        -> accepted
        cancel 7 #2
        expect margin 7 0.00
    """)
    world.send(
        SetInstrumentRisk, instrument_id=3, is_modelled=1, first_factor_id=1, first_beta_ppm=MILLION,
        carry_ppm=1_000_000,
    )  # fmt: skip
    world.play("""
        order 9 #2 SELL 100 ACMECFD @ 100.00
        order 7 #3 BUY 10 ACMECFD @ 100.00 REDUCE   -> refused INSUFFICIENT_MARGIN
    """)


def test_a_snapshot_keeps_all_that_margin_depends_on() -> None:
    draw = random.Random(5)
    world = World().play("open 7 CUSTOMER_MARGIN\nopen 9 STREET\ndeposit 7 5000.00")
    name_factors(world)
    put_in_force(world, draw, 1)
    set_terms(world, draw, 3)
    world.send(AddScenario, **FIRST | {"scenario_set_id": 2})
    world.send(SetMarginModel, **MODEL | {"initial_ppm": 1_700_000})
    world.send(SetAccountMargin, account_id=7, is_retail=1)
    world.play("order 9 #1 SELL 9 ACMECFD @ 100.00\norder 7 #1 BUY 9 ACMECFD @ 100.00 -> filled 9")
    state = world.pipeline.state
    arrays = {name: array.copy() for name, array in arrays_of(state).items()}
    again = state_of(arrays, text_of(state), state.hash())
    assert again.margin_minor(7) == state.margin_minor(7) != (0, 0)
    assert again.maintenance_minor(7) == state.maintenance_minor(7)
    assert again.risk.canonical() == state.risk.canonical()


def test_a_report_tells_what_the_margin_is_made_of() -> None:
    world = World().play("open 7 CUSTOMER_MARGIN\nopen 9 STREET\ndeposit 7 5000.00\ntransfer 7 ACME 3")
    world.play("order 7 #1 BUY 2 ACMECFD @ 90.00")
    events = world.send(ReportMargins, business_epoch_day=world.pipeline.state.business_epoch_day)
    reports = [e for e in events if type(e).__name__ == "MarginReported"]
    positions = [e for e in events if type(e).__name__ == "MarginPositionReported"]
    equity, initial = world.pipeline.state.margin_minor(7)
    assert [(r.account_id, r.equity_minor, r.initial_margin_minor) for r in reports] == [(7, equity, initial)]
    held = [(p.instrument_id, p.held_lots, p.open_buy_lots, p.mark_ticks) for p in positions]
    assert held == [(1, 3, 0, 10_000), (3, 0, 2, 10_000)]


def test_haircuts_by_tier_and_own_paper_in_numbers() -> None:
    """Twelve shares at 100.00: five less 10 %, four less 20 %, three less all: 450.00 and 320.00 count."""
    world = prepared().play("open 9 STREET\ndeposit 7 1000.00\ntransfer 7 ACME 12")
    world.send(SetInstrumentRisk, instrument_id=1, is_modelled=1, **TIERS)
    world.play("expect equity 7 1770.00\norder 7 #1 BUY 3 ACME @ 100.00")
    world.play("expect margin 7 300.00\norder 9 #1 SELL 3 ACME @ 100.00 -> filled 3")  # none of them counts
    world.play("expect equity 7 1470.00\nexpect margin 7 0.00")
    world.send(SetAccountMargin, account_id=7, own_asset_id=2)
    world.play("expect equity 7 700.00\nmark ACME 50.00\nexpect equity 7 700.00")
    world.send(SetAccountMargin, account_id=7, own_asset_id=3)
    world.play("expect equity 7 1085.00")  # half of 1470 less 700 of money


def test_a_vector_is_whole_and_of_its_set() -> None:
    world = prepared()
    world.send(SetVectorPart, **PART, return_1_ppb=-BILLION // 10)
    world.expect_refused("BAD_DECLARATION", ActivateVector, **VECTOR)  # the contract has no terms of risk
    world.send(SetInstrumentRisk, instrument_id=3, is_modelled=1)
    for wrong in ({"reference_minor": 0}, {"reference_minor": 1 << 50}, {"delta_ppm": MILLION + 1}):
        world.expect_refused("BAD_DECLARATION", ActivateVector, **VECTOR | wrong)
    world.expect_refused("MISMATCH", ActivateVector, **VECTOR | {"scenario_count": 2})
    world.send(ActivateVector, **VECTOR)
    assert not world.pipeline.state.risk.vectors, "its set is not in force yet"
    world.send(AddScenario, **FIRST | {"scenario_no": 2})
    world.expect_refused(
        "MISMATCH", ActivateScenarios, **WHOLE | {"scenario_count": 2}
    )  # it has one scenario
    world.send(SetVectorPart, **PART, return_1_ppb=-BILLION // 10, return_2_ppb=-BILLION // 20)
    world.send(ActivateVector, **VECTOR | {"scenario_count": 2})
    world.send(ActivateScenarios, **WHOLE | {"scenario_count": 2})
    state = world.pipeline.state
    assert state.tables.profits[3].tolist() == [-1_000_000, -500_000]  # of a reference of 100.00, millicents
    again = state_of({n: a.copy() for n, a in arrays_of(state).items()}, text_of(state), state.hash())
    assert again.risk.vectors == state.risk.vectors
    assert again.tables.profits[3].tolist() == [-1_000_000, -500_000]
    world.send(AddScenario, **FIRST | {"scenario_set_id": 2})
    world.expect_refused("MISMATCH", ActivateScenarios, **WHOLE | {"scenario_set_id": 2})  # none for this set


def test_an_option_in_numbers() -> None:
    """A lot that loses 10 % of a reference of 100.00 and counts as 40 % of it: 13.00 of initial margin."""
    world = prepared().play("open 9 STREET\ndeposit 7 1000.00")
    world.send(SetInstrumentRisk, instrument_id=3, is_modelled=1, carry_ppm=10_000, retail_cap_ppm=500_000)
    world.send(SetVectorPart, **PART, return_1_ppb=-BILLION // 10)
    world.send(ActivateVector, **VECTOR | {"delta_ppm": -400_000})
    world.send(ActivateScenarios, **WHOLE)
    world.play("""
        order 9 #1 SELL 100 ACMECFD @ 100.00
        order 7 #1 BUY 10 ACMECFD @ 100.00     -> filled 10
        expect margin 7 134.00
        mark ACMECFD 90.00
        expect equity 7 900.00
        expect margin 7 134.00
    """)  # 130.00 of risk and one per cent of 10 x 40.00; a mark moves equity, the vector stays
    world.send(SetAccountMargin, account_id=7, is_retail=1)
    world.play("expect margin 7 200.00")  # half of 10 x 40.00
