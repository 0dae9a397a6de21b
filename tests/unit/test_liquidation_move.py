"""The search for the move that liquidates, where the answer is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.risk.model.liquidation_move import first_broken_move


@pytest.mark.parametrize(
    ("told", "left", "move"),
    [
        ("below already", lambda bp: -1, 0),
        ("nowhere", lambda bp: 0, None),
        ("a fall of 12.34 %", lambda bp: bp + 1_233, -1_234),
        ("a rise to the seven and a half fold", lambda bp: 65_000 - bp, 65_001),
        ("equally near on both sides", lambda bp: 500 - abs(bp), -501),
        ("nearer above, in the same per cent", lambda bp: 550 + bp if bp < 0 else 540 - bp, 541),
        ("all but all of it", lambda bp: 9_989 + bp, -9_990),
        ("no value below half, and none lost before", lambda bp: 1 if bp > -5_000 else None, None),
        ("no value in the middle of a step", lambda bp: 1 if bp > -50 else None if bp > -99 else -1, -50),
    ],
)  # fmt: skip
def test_the_first_move_that_is_below(told: str, left: Callable[[int], int | None], move: int | None) -> None:
    assert first_broken_move(left) == move, told


@given(down=st.integers(1, 9_990), up=st.integers(1, 9_999))
def test_a_loss_on_both_sides_is_found_where_it_begins(down: int, up: int) -> None:
    move = first_broken_move(lambda bp: (down - 1 + bp) if bp < 0 else (up - 1 - bp))
    assert move == (-down if down <= up else up)
