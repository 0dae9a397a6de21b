"""How far each factor alone must move until an account is liquidated.

Owns: what is told by factor. Does not own: the search (liquidation_move.py). Equity moves as the positions
are worth after the move, fully revalued; the maintenance margin and haircuts stay what they are, and so do
all other factors.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

from engine.errors import BadInput
from engine.risk.model.exact import as_decimal
from engine.risk.model.liquidation_move import WHOLE, first_broken_move
from engine.risk.model.revaluation import Kind, Style, Terms, revalue
from engine.risk.model.valuation import Valuation

_RATE_SHARE = Fraction(1, 10)  # an interest rate moves by tenths of that


def liquidation_prices(valued: Valuation) -> dict[str, dict[str, Any]]:
    """By factor: the first move at which equity is below the maintenance margin, and the level there.

    The move is found to a billionth of the factor's level, of a rate to a tenth of that. A price is told
    where the factor has a level: declared, or that of an instrument that moves exactly with it.
    """
    found: dict[str, dict[str, Any]] = {}
    moved = dict.fromkeys(f for terms in valued.part_terms.values() for f in terms.factors())
    for factor in moved:
        terms = [t for t in valued.part_terms.values() if factor in t.factors()]
        level = _level(valued, factor)
        kind = valued.case.scenarios.kinds[factor]
        size = _size(kind, level, terms)
        cushion = Fraction(valued.equity.total - valued.maintenance.total, valued.scale)
        move = first_broken_move(partial(_left, factor, terms, cushion, size))
        found[factor] = _told(kind, level, None if move is None else size * Fraction(move, WHOLE), cushion)
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
    return {"price": price, "move": as_decimal(round(move * WHOLE), 9)}


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


def _left(factor: str, terms: list[Terms], cushion: Fraction, size: Fraction, move: int) -> Fraction | None:
    """Equity less maintenance margin after a move in billionths of `size`."""
    gain = _gain(factor, terms, size * Fraction(move, WHOLE))
    return None if gain is None else cushion + gain


def _gain(factor: str, terms: list[Terms], move: Fraction) -> Fraction | None:
    """What the positions gain; nothing where one of them has no value any more."""
    try:
        return sum((revalue(t, {factor: [move]}, 1)[0] for t in terms), Fraction(0))
    except BadInput:
        return None
