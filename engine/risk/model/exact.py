"""Whole numbers out of exact fractions: where something is rounded, which way, and who gets the remainder."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import isqrt


def ceiling(value: Fraction) -> int:
    """The smallest whole number that is not below a value: how charges are rounded."""
    return -(-value.numerator // value.denominator)


def root_ceiling(value: Fraction) -> int:
    """The smallest whole number whose square is not below a value: a square root, rounded up exactly."""
    square = ceiling(value)
    return isqrt(square - 1) + 1 if square > 0 else 0


def shared_out(shares: Mapping[str, Fraction], total: int) -> dict[str, int]:
    """Round shares so that they add up to a total not more than one a share above what they are.

    Each is rounded down; what is missing goes one by one to the largest fractions, of equal ones to the
    first.
    """
    floors = {name: share.numerator // share.denominator for name, share in shares.items()}
    order = sorted(shares, key=lambda name: floors[name] - shares[name])  # stable, the largest fraction first
    for name in order[: total - sum(floors.values())]:
        floors[name] += 1
    return floors


def as_decimal(units: int | Fraction, digits: int) -> Decimal:
    """Units of 10**-digits as a decimal with no zeros behind its last figure."""
    whole = units if isinstance(units, int) else round(units)
    sign, figures = ("-" if whole < 0 else ""), str(abs(whole)).rjust(digits + 1, "0")
    text = figures if digits == 0 else f"{figures[:-digits]}.{figures[-digits:]}".rstrip("0").rstrip(".")
    return Decimal(sign + text) if whole else Decimal(0)
