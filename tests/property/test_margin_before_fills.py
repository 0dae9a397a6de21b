"""An order that was accepted can be filled: in any part, beside any others, equity stays at or above margin.

Marks stay where they are, orders are at the mark and free of fees, so nothing but fills moves anything.
"""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.risk.margin_kernel import risk_with_at
from tests.support.risk_model import name_factors, put_in_force, set_retail, set_terms
from tests.support.scenario import World

CLIENT, STREET = 7, 9
SYMBOLS = ("ACME", "BETA", "ACMECFD")
reached: Counter[str] = Counter()


class Trial:
    """A client with random positions and a random model, and a street that fills what it likes."""

    def __init__(self, seed: int) -> None:
        self.draw = draw = random.Random(seed)
        self.world = world = World()
        world.play(f"open {CLIENT} CUSTOMER_MARGIN\nopen {STREET} STREET")
        world.play(f"deposit {CLIENT} {draw.choice((300, 1_500, 9_000))}.00")
        for symbol in SYMBOLS[:2]:
            if draw.random() < 0.6:
                world.play(f"transfer {CLIENT} {symbol} {draw.randint(1, 40)}")
        name_factors(world)
        put_in_force(world, draw, 1)
        for instrument_id in (1, 2, 3):
            set_terms(world, draw, instrument_id, draw.random() < 0.8)
        set_retail(world, CLIENT, draw.random() < 0.4)
        self.number = 0

    def step(self) -> int:
        """Ask for an order of the client, or for one of the street that fills what is open. Returns whose."""
        symbol, side = self.draw.choice(SYMBOLS), self.draw.choice(("BUY", "SELL"))
        account = CLIENT if self.draw.random() < 0.6 else STREET
        life = "" if account == CLIENT else " IOC"
        self.number += 1
        order = f"order {account} #{self.number} {side} {self.draw.randint(1, 25)} {symbol} @ 100.00{life}"
        for told in self.world.attempt(order):
            reached[told.split()[0]] += account == CLIENT or told.startswith("filled")
        return account

    def is_covered(self) -> bool:
        """Whether the client has what it needs."""
        equity, needs = self.world.pipeline.state.margin_minor(CLIENT)
        return equity >= needs

    def at_risk(self) -> int:
        """What is at risk of the client's positions."""
        return int(risk_with_at(self.world.pipeline.state.tables.address, CLIENT, 0, 0))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**48), steps=st.integers(5, 50))
def test_whatever_part_of_whatever_orders_fills_equity_covers_margin(seed: int, steps: int) -> None:
    trial = Trial(seed)
    for _ in range(steps):
        was_covered, before = trial.is_covered(), trial.at_risk()
        whose = trial.step()
        if was_covered and not trial.is_covered():
            assert whose == CLIENT, "a fill took away what the order had reserved"
            assert trial.at_risk() <= before, "an order beyond equity did not lower the risk"
            return


def test_the_trials_reach_everything() -> None:
    """Otherwise the property above would say little."""
    reached.clear()
    for seed in range(25):
        trial = Trial(seed)
        for _ in range(30):
            trial.step()
    assert min(reached[what] for what in ("accepted", "filled", "refused")) >= 40, reached
