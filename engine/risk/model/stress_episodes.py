"""Days that a margin must have an answer to, and what they were like where no price history reaches.

Owns: names and dates of episodes, and for each a hypothetical shock of every group in basis points. The
figures are rounded orders of magnitude of what those markets did, written down to be stressful: they are not
a price record. What is not named did not move. A history that covers the date is used instead
(scenario_build.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple


class Episode(NamedTuple):
    """One day, its name, and hypothetical shocks in basis points by group or, before that, by currency."""

    day: date
    name: str
    shocks: Mapping[str, int]

    @property
    def title(self) -> str:
        """How the scenario is called."""
        return f"{self.day.isoformat()} {self.name}"


def _episode(day: str, name: str, **shocks: int) -> Episode:
    return Episode(date.fromisoformat(day), name, shocks)


EPISODES = (
    _episode("2008-10-15", "credit crisis", equity=-1_300, index=-900, fx=-150, commodity=-750,
             crypto=-2_000, basis=-120, volatility=2_500, rate=-25),
    _episode("2010-05-06", "flash crash", equity=-1_100, index=-650, fx=-120, commodity=-300, crypto=-1_200,
             basis=-100, volatility=3_000, JPY=280),
    _episode("2011-08-08", "downgrade", equity=-950, index=-670, fx=-80, commodity=-500, crypto=-1_500,
             basis=-60, volatility=5_000, CHF=180),
    _episode("2015-01-15", "franc let go", equity=-300, index=-100, fx=-130, commodity=100,
             crypto=-1_400, basis=-40, volatility=1_500, CHF=1_900),
    _episode("2015-08-24", "China devalues", equity=-700, index=-395, fx=150, commodity=-550, crypto=-900,
             basis=-80, volatility=4_500, JPY=290),
    _episode("2016-06-24", "Brexit vote", equity=-600, index=-360, fx=-240, commodity=-300, crypto=600,
             basis=-50, volatility=4_900, GBP=-810, JPY=400),
    _episode("2018-02-05", "volatility funds unwind", equity=-600, index=-410, fx=-60, commodity=-200,
             crypto=-1_600, basis=-60, volatility=11_500),
    _episode("2020-03-12", "pandemic", equity=-1_400, index=-950, fx=-90, commodity=-800, crypto=-3_900,
             basis=-300, peg=150, volatility=4_000, rate=-50),
    _episode("2020-03-16", "pandemic, second fall", equity=-1_700, index=-1_200, fx=-60, commodity=-950,
             crypto=-1_400, basis=-150, volatility=4_300, rate=-75),
    _episode("2020-04-20", "oil below zero", equity=-250, index=-180, commodity=-4_500, crypto=-450,
             basis=-50, volatility=1_500),
    _episode("2021-05-19", "crypto deleveraging", equity=-150, index=-30, fx=-30, commodity=-300,
             crypto=-2_900, basis=-350, peg=-80, volatility=1_000),
    _episode("2022-05-12", "stablecoin collapse", equity=-300, index=-15, fx=-130, commodity=-100,
             crypto=-1_800, basis=-200, peg=-500, volatility=700),
    _episode("2022-11-09", "exchange failure", equity=-350, index=-210, fx=-60, commodity=-300,
             crypto=-1_600, basis=-250, peg=-150, volatility=600),
    _episode("2024-08-05", "carry unwind", equity=-700, index=-300, fx=40, commodity=-150, crypto=-1_500,
             basis=-120, volatility=6_500, JPY=160),
    _episode("2025-04-04", "tariffs announced", equity=-900, index=-600, fx=-90, commodity=-700, crypto=-500,
             basis=-100, volatility=5_000, JPY=60),
    _episode("2025-10-10", "cascade of liquidations", equity=-500, index=-270, fx=40, commodity=-400,
             crypto=-1_700, basis=-500, peg=-60, volatility=3_200),
)  # fmt: skip
