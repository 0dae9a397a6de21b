"""Fair prices of the simulated market: one mean-reverting random walk an instrument.

Owns: the mid that makers quote around and marks follow. Contracts follow their underlying closely.
"""

from __future__ import annotations

import random

from engine.simulation.world import LISTINGS

REVERSION = 0.004  # part of the distance to the opening price that a step takes back
WIDEST_BPS = 180  # well inside the collar and the book's window


class Mids:
    """Mid prices in ticks by instrument_id."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(f"{seed}:mids")
        self._exact = {x.instrument_id: float(x.opening_ticks) for x in LISTINGS}

    def step(self) -> None:
        """Move every mid once."""
        for listing in LISTINGS:
            moved = self._exact[listing.instrument_id]
            moved += self._rng.gauss(0.0, listing.tick_noise)
            moved += REVERSION * (listing.opening_ticks - moved)
            widest = listing.opening_ticks * WIDEST_BPS / 10_000
            low, high = listing.opening_ticks - widest, listing.opening_ticks + widest
            self._exact[listing.instrument_id] = min(max(moved, low), high)

    def ticks(self, instrument_id: int) -> int:
        """The mid of an instrument, in whole ticks."""
        return round(self._exact[instrument_id])
