"""An order that was accepted can be filled: in any part, beside any others, equity stays at or above margin.

Marks stay where they are, so nothing but orders and fills moves anything. Orders lie on both sides of the
mark, some wait for their entry or for a stop, and every fill may cost a fee. Only what a reduce-only order
loses as it fills is not reserved.
"""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.market.day_orders import used_rows
from engine.risk.margin_kernel import risk_with_at
from tests.support.risk_model import give_vector, name_factors, put_in_force, set_retail, set_terms
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
        world.play(f"deposit {CLIENT} {draw.choice((300, 1_500, 4_000))}.00")
        for symbol in SYMBOLS[:2]:
            if draw.random() < 0.6:
                world.play(f"transfer {CLIENT} {symbol} {draw.randint(1, 40)}")
        name_factors(world)
        put_in_force(world, draw, 1)
        for symbol in SYMBOLS:
            world.play(f"fees 1 {symbol} taker={draw.randint(0, 900)} maker={draw.randint(-400, 900)}")
        world.play(f"terms {CLIENT} fees={draw.choice((0, 1))}")
        for instrument_id in (1, 2, 3):
            set_terms(world, draw, instrument_id, draw.random() < 0.8)
        set_retail(world, CLIENT, draw.random() < 0.4, own_asset_id=draw.choice((0, 0, 2)))
        if draw.random() < 0.3 and world.pipeline.state.instrument_risks[3]["is_modelled"]:
            give_vector(world, draw, 3)
        self.number = 0
        self.own: list[int] = []

    def step(self) -> int:
        """Ask for something of the client, or for an order of the street. Returns whose."""
        account = CLIENT if self.draw.random() < 0.6 else STREET
        for line in self._client() if account == CLIENT else self._street():
            for told in self.world.attempt(line):
                reached[told.split()[0]] += account == CLIENT or told.startswith("filled")
        return account

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _own_next(self) -> int:
        self.own.append(self._next())
        return self.number

    def _price(self) -> str:
        return f"{self.draw.choice((100, self.draw.randint(85, 115)))}.00"

    def _street(self) -> list[str]:
        """An order that takes whatever it meets, or one that waits to be met."""
        symbol, side, lots = (
            self.draw.choice(SYMBOLS),
            self.draw.choice(("BUY", "SELL")),
            self.draw.randint(1, 25),
        )
        taking = f"{120 if side == 'BUY' else 80}.00 IOC"
        price = taking if self.draw.random() < 0.7 else self._price()
        return [f"order {STREET} #{self._next()} {side} {lots} {symbol} @ {price}"]

    def _client(self) -> list[str]:
        """An order, a bracket, another price or size for an order, or its end."""
        symbol, side, lots = (
            self.draw.choice(SYMBOLS),
            self.draw.choice(("BUY", "SELL")),
            self.draw.randint(1, 25),
        )
        of = f"{side} {lots} {symbol}"
        known = self.draw.choice(self.own[-6:] or [1])
        kind = self.draw.choices(("limit", "stop", "bracket", "replace", "cancel"), (8, 2, 2, 3, 1))[0]
        match kind:
            case "limit":
                return [f"order {CLIENT} #{self._own_next()} {of} @ {self._price()}"]
            case "stop":
                only = self.draw.choice(("", " REDUCE"))
                return [f"order {CLIENT} #{self._own_next()} {of} STOP {self._price()}{only}"]
            case "bracket":
                leg, other, entry = self._own_next(), self._own_next(), self._own_next()
                back = f"{'SELL' if side == 'BUY' else 'BUY'} {lots} {symbol}"
                return [
                    f"order {CLIENT} #{leg} {back} @ {self._price()} AWAIT",
                    f"order {CLIENT} #{other} {back} STOP {self._price()} OCO #{leg}",
                    f"order {CLIENT} #{entry} {of} @ {self._price()} ENTRY #{leg}",
                ]
            case "replace":
                return [f"replace {CLIENT} #{known} {lots} @ {self._price()}"]
            case _:
                return [f"cancel {CLIENT} #{known}"]

    def is_covered(self) -> bool:
        """Whether the client has what it needs."""
        equity, needs = self.world.pipeline.state.margin_minor(CLIENT)
        return equity >= needs

    def exit_lots(self) -> int:
        """Open lots of the client's orders that may only reduce."""
        rows = used_rows(self.world.pipeline.state.day)
        return int(rows["open_lots"][(rows["account_id"] == CLIENT) & (rows["is_reduce_only"] != 0)].sum())

    def at_risk(self) -> int:
        """What is at risk of the client's positions."""
        return int(risk_with_at(self.world.pipeline.state.tables.address, CLIENT, 0, 0))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**48), steps=st.integers(5, 50))
def test_whatever_part_of_whatever_orders_fills_equity_covers_margin(seed: int, steps: int) -> None:
    trial = Trial(seed)
    for _ in range(steps):
        was_covered, before, exits = trial.is_covered(), trial.at_risk(), trial.exit_lots()
        whose = trial.step()
        if was_covered and not trial.is_covered():
            if trial.exit_lots() < exits:
                return
            assert whose == CLIENT, "a fill took away what the order had reserved"
            assert trial.at_risk() <= before, "an order beyond equity did not lower the risk"
            return


def test_the_trials_reach_everything() -> None:
    """Otherwise the property above would say little."""
    reached.clear()
    for seed in range(50):
        trial = Trial(seed)
        for _ in range(30):
            trial.step()
    assert min(reached[what] for what in ("accepted", "filled", "refused", "replaced", "cancelled")) >= 40, (
        reached
    )
