"""The explanation of an account: lines add up to the kernel's figures, whatever was traded and modelled.

The lines are computed in whole numbers by other code than the kernels', so this is also their oracle.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BadInput
from engine.risk.account_explanation import explain_account, explain_order
from tests.support.pipeline_commands import ACCOUNTS, STREET, Flow, open_world


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**48), steps=st.integers(5, 60))
def test_lines_add_up_to_the_engine_s_margin_and_contributions_to_scenario_risk(
    seed: int, steps: int
) -> None:
    draw = random.Random(seed)
    world = open_world(draw)
    flow = Flow(draw, world)
    for _ in range(steps):
        world.pipeline.submit(flow.commands())
    state = world.pipeline.state
    for account_id in sorted(set(ACCOUNTS) - {STREET}):
        before = state.hash()
        told = explain_account(state, account_id)
        equity, initial = state.margin_minor(account_id)
        assert (told["equity"] * 100, told["IM"] * 100) == (equity, initial)
        assert told["MM"] * 100 == state.maintenance_minor(account_id)
        assert told["MM"] <= told["IM"], "initial margin is never below maintenance"
        total = told["scenario_risk"]["total"]
        assert sum(told["contributions"]["by_position"].values()) in (total, 0)
        assert sum(told["contributions"]["by_factor"].values()) in (total, 0)
        assert told["diversification"] >= 0
        for lots in (-3, 5):
            order = explain_order(state, account_id, 3, lots)
            assert order["IM_after"] >= order["IM_before"]
        assert state.hash() == before, "to explain changes nothing"


def test_an_account_that_was_never_opened_is_said_so() -> None:
    state = open_world(random.Random(1)).pipeline.state
    with pytest.raises(BadInput, match="never opened"):
        explain_account(state, 6)
    with pytest.raises(BadInput, match="at least one lot"):
        explain_order(state, 1, 3, 0)
    with pytest.raises(BadInput, match="listed instrument"):
        explain_order(state, 1, 77, 1)
