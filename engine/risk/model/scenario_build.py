"""A scenario set out of a price history: filtered historical simulation, named days, hypothetical moves.

Owns: what a history says of the next days. Does not own: reading prices (price_history.py), the file of a set
(scenario_set.py). Floats while it estimates; what comes out are whole numbers of billionths.

    sigma_t^2 = lambda sigma_(t-1)^2 + (1 - lambda) r_(t-1)^2,  lambda = 0.97
    r*_t      = r_t sqrt(h) clamp(sigma_T / sigma_t, 0.7, 3)

r are log returns while they are scaled, so that no price falls below zero, and simple ones in the set. All
factors of a scenario are of one date: what moved together, moves together. A price that was ever zero or less
has no return; its moves are taken in shares of its last price.
Source: Barone-Adesi, Giannopoulos and Vosper, VaR without correlations for portfolios of derivative
securities (1999).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import expm1, log, sqrt
from typing import NamedTuple

from engine.errors import BadInput
from engine.risk.model.factor_groups import factors_of
from engine.risk.model.hypothetical import extreme_scenarios, stress_scenario, variants
from engine.risk.model.price_history import PriceHistory
from engine.risk.model.scenario_risk import HISTORICAL, STRESS
from engine.risk.model.scenario_set import BILLION, MILLION, PROFILES, Scenario, ScenarioSet
from engine.risk.model.stress_episodes import EPISODES, Episode

LAMBDA = 0.97
LOWEST_RATIO, HIGHEST_RATIO = 0.7, 3.0
_FIRST_ESTIMATE = 60  # returns that the first variance is the mean of
_NEAR_DAYS = 4  # a day that was no business day is the next one
_SPANS = {"day": 1, "mirrored": 1, "two days": 2, "five days": 5}


class Built(NamedTuple):
    """A set and what is to be known about it."""

    made: ScenarioSet
    notes: tuple[str, ...]


def build_set(
    history: PriceHistory,
    profile: str = "full",
    horizon_days: float = 1.0,
    horizons: Mapping[str, float] | None = None,
    groups: Mapping[str, str] | None = None,
) -> Built:
    """Build the set of a profile; `horizons` gives single factors a liquidation horizon of their own.

    The newest dates make the historical group. An episode that the history covers is taken from it, any other
    as it is written down.
    """
    if profile not in PROFILES:
        raise BadInput(f"expected a profile ({', '.join(PROFILES)}), not {profile!r}")
    sizes, names = PROFILES[profile], tuple(history.prices)
    needed = sizes.historical + 1
    if len(history.dates) < needed:
        raise BadInput(
            f"{history.source}: {len(history.dates)} dates; the profile {profile!r} needs {needed} at least"
        )
    factors = factors_of(names, groups)
    days = {name: (horizons or {}).get(name, horizon_days) for name in names}
    for name in horizons or {}:
        if name not in history.prices:
            raise BadInput(f"{history.source} has no column {name!r} to have a horizon of its own")
    if any(not 0 < h <= 250 for h in days.values()):
        raise BadInput("a horizon is more than 0 and at most 250 days")
    paths = [_Path(history.prices[name], days[name]) for name in names]
    notes = [
        f"{name} was at or below zero: its moves are shares of its last price"
        for name, path in zip(names, paths, strict=True)
        if not path.is_relative
    ]
    first = len(history.dates) - sizes.historical
    scenarios = [
        Scenario(HISTORICAL, history.dates[t].isoformat(), MILLION, tuple(p.filtered_ppb(t) for p in paths))
        for t in range(first, len(history.dates))
    ]
    for episode in EPISODES:
        at = _place(history, episode)
        for variant in variants(sizes):
            if at is None:
                scenarios.append(stress_scenario(episode, variant, factors))
            else:
                scenarios.append(_observed(episode, variant, at, paths))
        if at is None:
            notes.append(f"{episode.title}: not in the history, taken as it is written down")
    scenarios += extreme_scenarios(sizes, factors)
    notes += [f"{f.name} is of group {f.group}" for f in factors]
    return Built(ScenarioSet(names, tuple(scenarios)), tuple(notes))


def _place(history: PriceHistory, episode: Episode) -> int | None:
    """Where the episode's date is in the history, or soon after; all five days must be in it."""
    for at, day in enumerate(history.dates):
        if 0 <= (day - episode.day).days <= _NEAR_DAYS:
            return at if at >= 1 and at + _SPANS["five days"] <= len(history.dates) else None
    return None


def _observed(episode: Episode, variant: str, at: int, paths: Sequence[_Path]) -> Scenario:
    moves = tuple(path.observed_ppb(at, _SPANS[variant], variant == "mirrored") for path in paths)
    return Scenario(STRESS, f"{episode.title}, {variant}", MILLION, moves)


class _Path:
    """The returns of one factor and their volatility as it was seen before each."""

    def __init__(self, prices: Sequence[float], horizon_days: float) -> None:
        self.is_relative = min(prices) > 0
        self._last = abs(prices[-1]) or 1.0
        self._root = sqrt(horizon_days)
        self._returns = [self._return(before, after) for before, after in pairwise(prices)]
        self._variances = _variances(self._returns)

    def _return(self, before: float, after: float) -> float:
        return log(after / before) if self.is_relative else (after - before) / self._last

    def _ppb(self, move: float) -> int:
        return round((expm1(move) if self.is_relative else move) * BILLION)

    def filtered_ppb(self, at: int) -> int:
        """The return of a date as it would be with today's volatility, over the horizon."""
        before, now = self._variances[at - 1], self._variances[-1]
        ratio = sqrt(now / before) if before > 0 else 1.0
        return self._ppb(self._returns[at - 1] * self._root * min(max(ratio, LOWEST_RATIO), HIGHEST_RATIO))

    def observed_ppb(self, at: int, days: int, is_mirrored: bool) -> int:
        """The return over days from a date on, as it was; of one day over the horizon."""
        move = sum(self._returns[at - 1 : at - 1 + days])
        if days == 1:
            move *= max(self._root, 1.0)
        return self._ppb(-move if is_mirrored else move)


def _variances(returns: Sequence[float]) -> list[float]:
    """Before each return, and after the last."""
    first = returns[:_FIRST_ESTIMATE]
    variance = sum(r * r for r in first) / len(first)
    found = [variance]
    for r in returns:
        variance = LAMBDA * variance + (1.0 - LAMBDA) * r * r
        found.append(variance)
    return found
