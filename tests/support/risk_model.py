"""Risk models for tests: random scenario sets and terms, set by commands in a small world."""

from __future__ import annotations

import random

from engine.risk.vectors import RETURNS
from schemas.codes import ScenarioGroup
from schemas.packed import pack
from schemas.risk import (
    ActivateScenarios,
    ActivateVector,
    AddScenario,
    NameFactor,
    SetAccountMargin,
    SetFactorReturn,
    SetInstrumentRisk,
    SetVectorPart,
)
from tests.support.scenario import World

INDEX, OWN, BASIS = 1, 2, 3
GROUPS = {ScenarioGroup.HISTORICAL: 24, ScenarioGroup.STRESS: 8, ScenarioGroup.EXTREME: 6}
TAILS = {ScenarioGroup.HISTORICAL: 5, ScenarioGroup.STRESS: 2}
MILLION = 1_000_000
# what is drawn to be set for an instrument: from nothing to more than anybody would
TERMS = {
    "half_spread_ppm": (0, 500, 3_000), "impact_ppm": (0, 20_000, 400_000), "daily_lots": (0, 7, 5_000),
    "carry_ppm": (0, 250), "basis_ppm": (0, 5_000, 30_000), "retail_cap_ppm": (0, 50_000, 500_000),
    "haircut_ppm": (0, 100_000, MILLION), "is_single_name": (0, 1),
}  # fmt: skip


def name_factors(world: World) -> None:
    """Three factors: an index, what a share does on its own, and what parts a contract from its share."""
    for number, name in ((INDEX, "INDEX"), (OWN, "OWN"), (BASIS, "BASIS")):
        world.send(NameFactor, factor_id=number, symbol_packed=pack(name))


def put_in_force(world: World, draw: random.Random, set_id: int) -> None:
    """Prepare and activate a random set."""
    number = 0
    for group, count in GROUPS.items():
        for _ in range(count):
            number += 1
            damping = draw.choice((350_000, 777_777, MILLION)) if group is ScenarioGroup.EXTREME else MILLION
            world.send(
                AddScenario, scenario_set_id=set_id, scenario_no=number, scenario_group_code=group,
                damping_ppm=damping,
            )  # fmt: skip
            size = 0.02 if group is ScenarioGroup.HISTORICAL else 0.15
            for factor, part in ((INDEX, 1.0), (OWN, 0.7), (BASIS, 0.05)):
                moved = max(draw.gauss(0, size * part), -0.99)
                world.send(
                    SetFactorReturn, scenario_set_id=set_id, scenario_no=number, factor_id=factor,
                    return_ppb=round(moved * 10**9),
                )  # fmt: skip
    events = world.send(
        ActivateScenarios, scenario_set_id=set_id, scenario_count=number, operator_id=1,
        historical_tail_count=TAILS[ScenarioGroup.HISTORICAL], stress_tail_count=TAILS[ScenarioGroup.STRESS],
    )  # fmt: skip
    assert type(events[0]).__name__ == "ScenariosActivated", events


def random_terms(draw: random.Random) -> dict[str, int]:
    """Terms of an instrument that follows the index and a factor of its own."""
    second, third = draw.choice(((0, 0), (12, 0), (3, 30)))
    drawn = {name: draw.choice(values) for name, values in TERMS.items()}
    least = drawn["haircut_ppm"]
    haircuts = {
        "second_from_lots": second, "second_haircut_ppm": draw.randint(least, MILLION) if second else 0,
        "third_from_lots": third, "third_haircut_ppm": MILLION if third else 0,
    }  # fmt: skip
    return {
        "is_modelled": 1, "first_factor_id": INDEX, "first_beta_ppm": draw.randint(-500_000, 2_000_000),
        "second_factor_id": OWN, "second_beta_ppm": MILLION, "basis_factor_id": draw.choice((0, BASIS)),
        "peg_factor_id": 0, **drawn, **haircuts,
    }  # fmt: skip


def set_terms(world: World, draw: random.Random, instrument_id: int, is_modelled: bool = True) -> None:
    """Set random terms of an instrument."""
    events = world.send(
        SetInstrumentRisk,
        instrument_id=instrument_id,
        **random_terms(draw) | {"is_modelled": int(is_modelled)},
    )
    assert type(events[0]).__name__ == "InstrumentRiskSet", events


def set_retail(world: World, account_id: int, is_retail: bool = True, own_asset_id: int = 0) -> None:
    """Say that an account is a retail client's, and what its owner issues."""
    world.send(SetAccountMargin, account_id=account_id, is_retail=int(is_retail), own_asset_id=own_asset_id)


def give_vector(world: World, draw: random.Random, instrument_id: int) -> None:
    """Value a contract by a random vector from outside in the set in force."""
    state = world.pipeline.state
    active = state.risk.active
    count = len(active.scenarios)
    header = {"instrument_id": instrument_id, "scenario_set_id": active.set_id}
    for first in range(1, count + 1, len(RETURNS)):
        eight = {name: round(draw.gauss(0, 0.2) * 10**9) for name in RETURNS}
        world.send(SetVectorPart, **header, first_scenario_no=first, **eight)
    mark = int(state.instruments[instrument_id]["mark_ticks"])
    events = world.send(
        ActivateVector, **header, scenario_count=count, reference_minor=draw.randint(1, 3 * mark),
        delta_ppm=draw.randint(-MILLION, MILLION),
    )  # fmt: skip
    assert type(events[0]).__name__ == "VectorActivated", events
