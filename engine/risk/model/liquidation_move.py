"""The one search for the move that liquidates: used for accounts of the book and for portfolios from outside.

Owns: how far is looked, how finely, and which of several moves is told. Does not own: what a move does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

WHOLE = 10**9  # a move of one hundred per cent: moves are counted in billionths
_PERCENT = WHOLE // 100
_DOWN = (*range(-_PERCENT, -WHOLE, -_PERCENT), -WHOLE + _PERCENT // 10)  # to where nothing is left
_UP = (*range(_PERCENT, WHOLE, _PERCENT), *range(WHOLE, 10 * WHOLE + 1, 10 * _PERCENT))


def first_broken_move(left: Callable[[int], Fraction | int | None]) -> int | None:
    """The first move, in billionths, at which equity is below maintenance margin.

    `left` is equity less maintenance margin after a move, or nothing where a position has no value any more;
    there the search of that side ends. First is nearest to zero, of two as near the one down; 0 where equity
    is below already, nothing where it never is from -99.9 % to +1000 %. Looked for in steps of one per cent,
    of ten beyond the double, then halved to a billionth: what is broken only inside a step is not seen.
    """
    if _is_broken(left(0)):
        return 0
    found = [_first(left, steps) for steps in (_DOWN, _UP)]
    return min((move for move in found if move is not None), key=abs, default=None)


def _is_broken(left: Fraction | int | None) -> bool:
    return left is None or left < 0


def _first(left: Callable[[int], Fraction | int | None], steps: Sequence[int]) -> int | None:
    safe = 0
    for step in steps:
        after = left(step)
        if after is None:
            return None
        if after < 0:
            broken = step
            while abs(broken - safe) > 1:
                middle = (safe + broken) // 2
                safe, broken = (safe, middle) if _is_broken(left(middle)) else (middle, broken)
            return broken
        safe = step
    return None
