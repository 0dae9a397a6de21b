"""How far each factor alone must move until an account is liquidated.

Owns: the search. Equity moves as the positions are worth after the move, fully revalued; the maintenance
margin and haircuts stay what they are, and so do all other factors.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from engine.errors import BadInput
from engine.risk.model.exact import as_decimal
from engine.risk.model.revaluation import Kind, Style, Terms, revalue
from engine.risk.model.valuation import Valuation

_BILLION = 10**9
_STEPS_DOWN = (*range(-10, -1_000, -10), -999)  # thousandths: one per cent each, to where nothing is left
_STEPS_UP = (*range(10, 1_000, 10), *range(1_000, 10_001, 100))
_RATE_SHARE = Fraction(1, 10)  # an interest rate moves by tenths of that


def liquidation_prices(valued: Valuation) -> dict[str, dict[str, Any]]:
    """By factor: the nearest move beyond which equity is below the maintenance margin, and the level there.

    A price is told where the factor has a level: declared, or that of an instrument that moves exactly with
    it.
    """
    found: dict[str, dict[str, Any]] = {}
    moved = dict.fromkeys(f for terms in valued.part_terms.values() for f in terms.factors())
    for factor in moved:
        terms = [t for t in valued.part_terms.values() if factor in t.factors()]
        level = _level(valued, factor)
        kind = valued.case.scenarios.kinds[factor]
        size = _size(kind, level, terms)
        cushion = Fraction(valued.equity.total - valued.maintenance.total, valued.scale)
        found[factor] = _told(kind, level, _nearest(factor, terms, cushion, size), cushion)
    return found


def _told(kind: Kind, level: Fraction | None, move: Fraction | None, cushion: Fraction) -> dict[str, Any]:
    if cushion < 0:
        price = None if level is None else as_decimal(round(level * 10**8), 8)
        return {
            "price": price,
            "move": as_decimal(0, 0),
            "note": "equity is below the maintenance margin now",
        }
    if move is None:
        return {
            "price": None,
            "move": None,
            "note": "no move of this factor alone between -99.9 % and +1000 %",
        }
    price = None
    if level is not None:
        after = level + move if kind in (Kind.ABSOLUTE, Kind.RATE) else level * (1 + move)
        price = as_decimal(round(after * 10**8), 8)
    return {"price": price, "move": as_decimal(round(move * _BILLION), 9)}


def _size(kind: Kind, level: Fraction | None, terms: list[Terms]) -> Fraction:
    """What a move of one hundred per cent is in the factor's own terms."""
    if kind is Kind.RATE:
        return _RATE_SHARE
    if kind is Kind.ABSOLUTE:
        return abs(level if level is not None else max(abs(t.price) for t in terms)) or Fraction(1)
    return Fraction(1)


def _level(valued: Valuation, factor: str) -> Fraction | None:
    case = valued.case
    if factor in case.scenarios.levels:
        return case.scenarios.levels[factor]
    named = [
        i.terms for i in case.instruments.values() if i.product.underlying == factor and i.terms is not None
    ]
    for terms in sorted(named, key=lambda t: t.style is Style.OPTION):
        moved = [e for e in terms.exposures if e.kind is not Kind.BASIS]
        if len(moved) == 1 and moved[0].factor == factor and moved[0].beta == 1:
            return terms.price
    for rate in case.currencies.known().values():
        if rate.factor == factor:
            return 1 / rate.rate if rate.is_inverted else rate.rate
    return None


def _gain(factor: str, terms: list[Terms], move: Fraction) -> Fraction | None:
    """What the positions gain; nothing where one of them has no value any more."""
    try:
        return sum((revalue(t, {factor: [move]}, 1)[0] for t in terms), Fraction(0))
    except BadInput:
        return None


def _nearest(factor: str, terms: list[Terms], cushion: Fraction, size: Fraction) -> Fraction | None:
    """The smallest move on either side beyond which the cushion is gone; of equal ones the one down."""
    if cushion < 0:
        return Fraction(0)
    found = [_first(factor, terms, cushion, size, steps) for steps in (_STEPS_DOWN, _STEPS_UP)]
    return min((move for move in found if move is not None), key=abs, default=None)


def _first(
    factor: str, terms: list[Terms], cushion: Fraction, size: Fraction, steps: Iterable[int]
) -> Fraction | None:
    """Walk until the cushion is gone, then halve the last step to a billionth: the last move that is safe."""
    before = 0
    for step in steps:
        gain = _gain(factor, terms, size * Fraction(step, 1_000))
        if gain is None:
            return None
        if cushion + gain < 0:
            safe, gone = before * _BILLION // 1_000, step * _BILLION // 1_000
            while abs(gone - safe) > 1:
                middle = (safe + gone) // 2
                gain = _gain(factor, terms, size * Fraction(middle, _BILLION))
                if gain is not None and cushion + gain >= 0:
                    safe = middle
                else:
                    gone = middle
            return size * Fraction(safe, _BILLION)
        before = step
    return None
