"""Exact shares and products of 64-bit integers, array by array.

Owns: rounding, and the way out of 64 bits where a product does not fit. Nothing here is a float but the guess
whether it fits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import BadInput
from engine.reserve.csv_columns import PRICE_SCALE
from engine.reserve.terms import CENTS

Ints = npt.NDArray[np.int64]
UNITS_PER_CENT = PRICE_SCALE // CENTS  # of a price times a quantity
_SAFE = float(1 << 62)


def shares(whole: Ints, part: Ints, total: Ints, *, is_up: bool) -> Ints:
    """`whole * part / total` of each, rounded up or down to an integer; total is positive."""
    return _ratio(whole, part, total, is_up=is_up)


def market_values(quantity: Ints, price: Ints, *, is_up: bool) -> Ints:
    """Cents that quantities are worth at scaled prices, rounded up or down."""
    return _ratio(quantity, price, np.full(len(quantity), UNITS_PER_CENT, np.int64), is_up=is_up)


def _ratio(left: Ints, right: Ints, below: Ints, *, is_up: bool) -> Ints:
    if not len(left):
        return np.zeros(0, np.int64)
    fits = float(np.abs(left).max()) * float(np.abs(right).max()) + float(below.max()) < _SAFE
    a: Any = left if fits else left.astype(object)
    b: Any = right if fits else right.astype(object)
    product = a * b
    ratio = -(-product // below) if is_up else product // below
    if not fits and any(abs(r) >= 1 << 62 for r in ratio):
        raise BadInput("an amount of the case is too large to be reckoned exactly")
    return ratio.astype(np.int64)


def spread(whole: int, weights: list[int]) -> list[int]:
    """Parts of a whole, one a weight and in proportion, that sum to it exactly.

    Raises ValueError when no weight is positive.
    """
    total = sum(weights)
    if total <= 0:
        raise ValueError("no weight is positive")
    parts: list[int] = []
    reached = given = 0
    for weight in weights:
        reached += weight
        share = whole * reached // total
        parts.append(share - given)
        given = share
    return parts
