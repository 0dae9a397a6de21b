"""Scenarios that no price history is needed for: episodes as they are written down, and moves by group.

Owns: the stress group where history does not reach, the extreme group. Integers throughout, so that every
machine makes the same set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.risk.model.factor_groups import BASIS, FX, PEG, RANGES, SHOCKED_TOGETHER, VOLATILITY, Factor
from engine.risk.model.scenario_risk import EXTREME, STRESS
from engine.risk.model.scenario_set import BILLION, MILLION, Profile, Scenario
from engine.risk.model.stress_episodes import EPISODES, Episode

_BP = 100_000  # ppb
LOWEST = -950_000_000  # no hypothetical move leaves less than a twentieth
DAMPING_PPM = 350_000  # of moves of three ranges
VARIANTS = ("day", "mirrored", "two days", "five days")
_PER_CENT_OF_DAY = {"day": 100, "mirrored": -100, "two days": 140, "five days": 180}


def variants(profile: Profile) -> tuple[str, ...]:
    """In how many ways each episode is told: as many as the profile has room for."""
    return VARIANTS[: profile.stress // len(EPISODES)]


def stress_scenario(episode: Episode, variant: str, factors: Sequence[Factor]) -> Scenario:
    """An episode from its written shocks; mirrored, what fell rises, for those who were on the other side."""
    moves = (_episode_move(episode.shocks, _PER_CENT_OF_DAY[variant], factor) for factor in factors)
    return Scenario(STRESS, f"{episode.title}, {variant} (hypothetical)", MILLION, tuple(moves))


def _episode_move(shocks: Mapping[str, int], per_cent: int, factor: Factor) -> int:
    """The move of a factor; of an exchange rate what its two currencies do against the dollar."""

    def scaled(basis_points: int) -> int:
        return max(basis_points * _BP * per_cent // 100, LOWEST)

    if factor.group != FX:
        return scaled(shocks.get(factor.group, 0))
    of, paid_in = (0 if c == "USD" else scaled(shocks.get(c, shocks.get(FX, 0))) for c in factor.pair)
    return (BILLION + of) * BILLION // (BILLION + paid_in) - BILLION


def _turned(move: int) -> int:
    """A rate's move, of the same rate quoted the other way round: 1 / (1 + r) - 1."""
    return BILLION * BILLION // (BILLION + max(move, LOWEST)) - BILLION


def extreme_scenarios(profile: Profile, factors: Sequence[Factor]) -> list[Scenario]:
    """Moves by group, of all groups together, of pegs and bases, and of three ranges with most of it damped.

    In full: each of four groups up and down by a third, two thirds and all of its range, with volatility up
    and down; everything up and down with volatility up and down; pegs half and all of the way down; bases out
    and in; each group up and down by three ranges. The small profile leaves out the thirds.
    """
    sizes = (3,) if profile.extreme < 64 else (1, 2, 3)
    found: list[Scenario] = []

    def add(name: str, thirds: Mapping[str, int], damping_ppm: int = MILLION) -> None:
        moves = (_moved(factor, thirds.get(factor.group, 0)) for factor in factors)
        found.append(Scenario(EXTREME, name, damping_ppm, tuple(moves)))

    turns = ((3, "volatility up"), (-3, "volatility down"))
    for together, groups in SHOCKED_TOGETHER.items():
        for size in sizes:
            for way in (-1, 1):
                for turn, told in turns:
                    thirds = dict.fromkeys(groups, way * size) | {VOLATILITY: turn}
                    share = "" if size == 3 else f" {size}/3 of the range"
                    add(f"{together} {'up' if way > 0 else 'down'}{share}, {told}", thirds)
    priced = [group for groups in SHOCKED_TOGETHER.values() for group in groups]
    for way in (-1, 1):
        for turn, told in turns:
            thirds = dict.fromkeys(priced, 3 * way) | {VOLATILITY: turn}
            add(f"everything {'up' if way > 0 else 'down'}, {told}", thirds)
    add("pegs break", {PEG: -3})
    add("pegs shake", {PEG: -1})
    add("bases widen", {BASIS: 3})
    add("bases narrow", {BASIS: -3})
    for together, groups in SHOCKED_TOGETHER.items():
        for way in (-1, 1):
            thirds = dict.fromkeys(groups, 9 * way) | {VOLATILITY: 6, BASIS: 3 * way}
            add(f"{together} {'up' if way > 0 else 'down'} by three ranges", thirds, DAMPING_PPM)
    return found


def _moved(factor: Factor, thirds: int) -> int:
    move = max(RANGES[factor.group] * thirds // 3, LOWEST)
    return move if factor.sign > 0 else _turned(move)


def stress_scenarios(profile: Profile, factors: Sequence[Factor]) -> list[Scenario]:
    """Every episode in every variant, as it is written down."""
    return [
        stress_scenario(episode, variant, factors) for episode in EPISODES for variant in variants(profile)
    ]
