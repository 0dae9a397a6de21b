"""Risk models for tests: random scenario sets and terms, set by commands in a small world."""

from __future__ import annotations

import random

from schemas.codes import ScenarioGroup
from schemas.packed import pack
from schemas.risk import (
    ActivateScenarios,
    AddScenario,
    NameFactor,
    SetAccountMargin,
    SetFactorReturn,
    SetInstrumentRisk,
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
    return {
        "is_modelled": 1, "first_factor_id": INDEX, "first_beta_ppm": draw.randint(-500_000, 2_000_000),
        "second_factor_id": OWN, "second_beta_ppm": MILLION, "basis_factor_id": draw.choice((0, BASIS)),
        "peg_factor_id": 0, **{name: draw.choice(values) for name, values in TERMS.items()},
    }  # fmt: skip


def set_terms(world: World, draw: random.Random, instrument_id: int, is_modelled: bool = True) -> None:
    """Set random terms of an instrument."""
    events = world.send(
        SetInstrumentRisk,
        instrument_id=instrument_id,
        **random_terms(draw) | {"is_modelled": int(is_modelled)},
    )
    assert type(events[0]).__name__ == "InstrumentRiskSet", events


def set_retail(world: World, account_id: int, is_retail: bool = True) -> None:
    """Say that an account is a retail client's."""
    world.send(SetAccountMargin, account_id=account_id, is_retail=int(is_retail))
