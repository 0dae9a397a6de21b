"""The search for the move that liquidates, where the answer is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.risk.model.liquidation_move import WHOLE, first_broken_move

BP = WHOLE // 10_000  # a basis point


@pytest.mark.parametrize(
    ("told", "left", "move"),
    [
        ("below already", lambda m: -1, 0),
        ("nowhere", lambda m: 0, None),
        ("a fall of 12.34 %", lambda m: m + 1_234 * BP - 1, -1_234 * BP),
        ("a rise to the seven and a half fold", lambda m: 65_000 * BP - m, 65_000 * BP + 1),
        ("equally near on both sides", lambda m: 500 * BP - abs(m), -500 * BP - 1),
        (
            "nearer above, in the same per cent",
            lambda m: 550 * BP + m if m < 0 else 540 * BP - m,
            540 * BP + 1,
        ),
        ("all but all of it", lambda m: 9_990 * BP - 1 + m, -9_990 * BP),
        ("no value below half, and none lost before", lambda m: 1 if m > -5_000 * BP else None, None),
        (
            "no value in the middle of a step",
            lambda m: 1 if m > -50 * BP else None if m > -99 * BP else -1,
            -50 * BP,
        ),
    ],
)  # fmt: skip
def test_the_first_move_that_is_below(told: str, left: Callable[[int], int | None], move: int | None) -> None:
    assert first_broken_move(left) == move, told


@given(down=st.integers(1, 9_990 * BP), up=st.integers(1, 9_999 * BP))
def test_a_loss_on_both_sides_is_found_where_it_begins(down: int, up: int) -> None:
    move = first_broken_move(lambda m: (down - 1 + m) if m < 0 else (up - 1 - m))
    assert move == (-down if down <= up else up)
