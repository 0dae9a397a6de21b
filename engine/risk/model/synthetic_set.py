"""The scenario set that comes with OneBook: made up, for a book that has no history yet.

SYNTHETIC. No figure in it was observed. A seeded generator of whole numbers draws daily moves with clustered
volatility, heavy tails and correlations by group; stress and extreme scenarios are the hypothetical ones.
Whoever trades with real clients builds a set from prices (`onebook risk scenarios build`).

Owns: the generator and the factors of the instruments that are listed on the simulated day.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.risk.model.factor_groups import (
    BASIS,
    COMMODITY,
    CRYPTO,
    EQUITY,
    FX,
    INDEX,
    PEG,
    PER_CENT,
    RATE,
    VOLATILITY,
    Factor,
)
from engine.risk.model.hypothetical import LOWEST, extreme_scenarios, stress_scenarios
from engine.risk.model.scenario_risk import HISTORICAL
from engine.risk.model.scenario_set import MILLION, PROFILES, Scenario, ScenarioSet

SEED = 20_260_930
FACTORS = (
    *(Factor(name, EQUITY) for name in ("QALD", "QBRM", "QCOR", "QDUN", "QELM", "QFIR")),
    Factor("EUR", FX),
    Factor("BTC", CRYPTO),
    Factor("ETH", CRYPTO),
    Factor("QALD_BASIS", BASIS),  # CFD over share
    Factor("BTC_BASIS", BASIS),  # perpetual over coin
)
_DEVIATIONS = {  # of a calm day, ppb
    CRYPTO: 28 * PER_CENT // 10,
    EQUITY: 17 * PER_CENT // 10,
    INDEX: PER_CENT,
    FX: 45 * PER_CENT // 100,
    COMMODITY: 18 * PER_CENT // 10,
    BASIS: 12 * PER_CENT // 100,
    PEG: 5 * PER_CENT // 100,
    VOLATILITY: 5 * PER_CENT,
    RATE: 5 * PER_CENT // 100,
}
_WEIGHTS = {  # per mille of market, group and own draw; their squares add up to a million
    CRYPTO: (400, 800, 447),
    EQUITY: (600, 400, 693),
    INDEX: (900, 300, 316),
    FX: (300, 500, 812),
    COMMODITY: (350, 500, 792),
    BASIS: (150, 400, 904),
    PEG: (100, 500, 860),
    VOLATILITY: (-700, 400, 592),
    RATE: (200, 600, 775),
}
_CALM, _BUSY, _WILD = 800, 1_250, 2_600  # how far a day's draws are stretched, per mille
_MASK = (1 << 64) - 1


class _Draws:
    """Whole numbers from a seed: SplitMix64. Source: Steele, Lea and Flood, OOPSLA 2014."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def bits(self) -> int:
        """64 of them."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def below(self, bound: int) -> int:
        """From 0 up to a bound."""
        return self.bits() % bound

    def bell(self) -> int:
        """About normal with a deviation of a thousand: twelve draws of a thousand, less their mean."""
        return sum(self.below(1_001) for _ in range(12)) - 6_000

    def heavy(self) -> int:
        """The same with heavy tails: one in forty is three times as large."""
        return self.bell() * (3 if self.below(40) == 0 else 1)


def synthetic_set(
    profile: str = "full", factors: Sequence[Factor] = FACTORS, seed: int = SEED
) -> ScenarioSet:
    """Make the set of a profile; the same on every machine."""
    sizes = PROFILES[profile]
    scenarios = [
        *_history(sizes.historical, factors, seed),
        *stress_scenarios(sizes, factors),
        *extreme_scenarios(sizes, factors),
    ]
    return ScenarioSet(tuple(factor.name for factor in factors), tuple(scenarios))


def _history(count: int, factors: Sequence[Factor], seed: int) -> list[Scenario]:
    draws = _Draws(seed)
    stretch = _CALM
    found: list[Scenario] = []
    for day in range(count):
        stretch = _next_stretch(draws, stretch)
        market = draws.heavy()
        groups = {group: draws.heavy() for group in _WEIGHTS}
        moves = (_move(factor, market, groups[factor.group], draws.heavy(), stretch) for factor in factors)
        found.append(Scenario(HISTORICAL, f"synthetic day {day + 1:03d}", MILLION, tuple(moves)))
    return found


def _next_stretch(draws: _Draws, stretch: int) -> int:
    """Volatility comes in clusters: most days are like the day before."""
    turn = draws.below(100)
    if stretch == _CALM:
        return _CALM if turn < 95 else _BUSY
    if stretch == _BUSY:
        return _CALM if turn < 10 else _WILD if turn < 15 else _BUSY
    return _BUSY if turn < 20 else _WILD


def _move(factor: Factor, market: int, group: int, own: int, stretch: int) -> int:
    """One day's move in ppb; draws and weights are per mille, so three thousands are divided away."""
    of_market, of_group, of_own = _WEIGHTS[factor.group]
    drawn = of_market * market + of_group * group + of_own * own
    return max(_DEVIATIONS[factor.group] * stretch * drawn // 10**9, LOWEST) * factor.sign
