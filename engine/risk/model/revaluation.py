"""From shocks of risk factors to the profit and loss of one lot, by full revaluation.

Owns: what each style of contract is worth after a shock. Does not own: which shocks there are (scenario
sets), what a case file calls things (case.py).

    held        m (P1 FX1 - P0 FX0)          what is owned: securities, tokens, metal, foreign cash (P = 1)
    contract    m (P1 - P0) FX1              a claim on a difference: CFDs, futures, perpetuals paid in a
    stablecoin inverse     m (1/P0 - 1/P1) C1           a perpetual paid in the coin itself, C the coin's
    price option      m (V1 FX1 - V0 FX0)          Black-76 on the shocked forward, volatility and rate

P1 = P0 (1 + sum of beta x return + sum of beta x basis) + sum of beta x absolute move: basis adds to the
underlying's return, an index times beta to a share's own residual; an absolute move may take a price below
zero. A price made of two factors that multiply says so with `is_product`. FX1 = FX0 (1 + FX return)(1 +
return of each peg). All exact fractions, rounded once at the end; only the option's value is a float.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from engine.errors import BadInput
from engine.risk.model.black76 import option_delta, option_value
from engine.risk.model.scenario_risk import Vector, as_vector

Shocks = Mapping[str, Sequence[Fraction]]
_ONE = Fraction(1)


class Style(StrEnum):
    """How a contract's value follows its price."""

    HELD = "held"
    CONTRACT = "contract"
    INVERSE = "inverse"
    OPTION = "option"


class Kind(StrEnum):
    """What a factor's shocks mean."""

    RETURN = "return"  # a share of the price: 0.05 is five per cent up
    ABSOLUTE = "absolute"  # in the price's own unit, for prices that can go below zero
    BASIS = "basis"  # a share of the price, added to the underlying's return
    PEG = "peg"  # a share of what a contract pays, of a stablecoin that may break
    CURRENCY = "currency"  # a share of an exchange rate
    VOLATILITY = "volatility"  # a share of the implied volatility
    RATE = "rate"  # added to the interest rate


class Exposure(NamedTuple):
    """One factor that moves a price, and how strongly."""

    factor: str
    beta: Fraction = _ONE
    kind: Kind = Kind.RETURN


class Currency(NamedTuple):
    """What one unit of an instrument's currency is worth in the account's, and what moves that."""

    rate: Fraction = _ONE
    factor: str | None = None
    is_inverted: bool = (
        False  # the factor is quoted the other way round: units of the currency for one of ours
    )


class Option(NamedTuple):
    """Terms of an option; the forward is the price of its `Terms`."""

    is_call: bool
    strike: Fraction
    years: Fraction
    volatility: Fraction
    rate: Fraction = Fraction(0)
    volatility_factors: tuple[Exposure, ...] = ()
    rate_factors: tuple[Exposure, ...] = ()

    def value(self, forward: Fraction, volatility: Fraction, rate: Fraction) -> Fraction:
        """Black-76 value of one unit."""
        try:
            found = option_value(
                self.is_call, float(forward), float(self.strike), float(self.years), float(volatility),
                float(rate),
            )  # fmt: skip
            return Fraction(found)
        except (OverflowError, ValueError):  # a rate or a forward beyond what a float can hold
            raise BadInput(
                f"no option value at a forward of {float(forward):g} and a rate of {float(rate):g}"
            ) from None

    def delta(self, forward: Fraction) -> Fraction:
        """How much of a unit of the forward it moves like now."""
        return Fraction(
            option_delta(
                self.is_call, float(forward), float(self.strike), float(self.years), float(self.volatility),
                float(self.rate),
            )
        )  # fmt: skip


class Terms(NamedTuple):
    """Everything that revaluation must know of an instrument."""

    style: Style
    price: Fraction  # the mark; of an option the forward
    multiplier: Fraction = (
        _ONE  # units of the underlying, of an inverse contract units of its face, in one lot
    )
    exposures: tuple[Exposure, ...] = ()
    currency: Currency = Currency()
    pegs: tuple[Exposure, ...] = ()
    is_product: bool = False
    option: Option | None = None

    def factors(self) -> tuple[str, ...]:
        """Every factor that moves its value, each once."""
        named = [e.factor for e in (*self.exposures, *self.pegs)]
        if self.option is not None:
            named += [e.factor for e in (*self.option.volatility_factors, *self.option.rate_factors)]
        if self.currency.factor is not None:
            named.append(self.currency.factor)
        return tuple(dict.fromkeys(named))


def cash_terms(currency: Currency) -> Terms:
    """One unit of a foreign currency: an instrument like any other."""
    return Terms(Style.HELD, _ONE, currency=currency)


def revalue(terms: Terms, shocks: Shocks, count: int) -> list[Fraction]:
    """Profit and loss of one lot in each of `count` scenarios, in the account's currency, not rounded.

    A factor without shocks does not move.
    """
    gain = _GAINS[terms.style]
    known = {f: shocks[f] for f in terms.factors() if f in shocks}
    if not known:
        return [Fraction(0)] * count
    return [gain(terms, {f: moves[s] for f, moves in known.items()}, s) for s in range(count)]


def lot_vector(terms: Terms, shocks: Shocks, count: int, unit_digits: int) -> Vector:
    """The same in whole units of 10**-unit_digits, rounded to the nearest, a half to the even one."""
    scale = 10**unit_digits
    return as_vector([round(value * scale) for value in revalue(terms, shocks, count)])


def shocked_price(terms: Terms, moves: Mapping[str, Fraction], with_basis: bool = True) -> Fraction:
    """The price after one scenario's moves."""
    added, product, absolute = Fraction(0), _ONE, Fraction(0)
    for factor, beta, kind in terms.exposures:
        move = beta * moves.get(factor, 0)
        if kind is Kind.ABSOLUTE:
            absolute += move
        elif kind is Kind.BASIS:
            added += move if with_basis else 0
        elif terms.is_product:
            product *= 1 + move
        else:
            added += move
    return terms.price * (product + added) + absolute


def shocked_rate(terms: Terms, moves: Mapping[str, Fraction]) -> Fraction:
    """What one unit of the instrument's currency is worth after one scenario's moves."""
    rate = terms.currency.rate
    if terms.currency.factor is not None:
        move = 1 + moves.get(terms.currency.factor, Fraction(0))
        if move <= 0 and terms.currency.is_inverted:
            raise BadInput(
                f"{terms.currency.factor} at {float(move):g} times its level: there is no rate left"
            )
        rate = rate / move if terms.currency.is_inverted else rate * move
    for factor, beta, _ in terms.pegs:
        rate *= 1 + beta * moves.get(factor, 0)
    return rate


def _held(terms: Terms, moves: Mapping[str, Fraction], _: int) -> Fraction:
    after = shocked_price(terms, moves) * shocked_rate(terms, moves)
    return terms.multiplier * (after - terms.price * terms.currency.rate)


def _contract(terms: Terms, moves: Mapping[str, Fraction], _: int) -> Fraction:
    return terms.multiplier * (shocked_price(terms, moves) - terms.price) * shocked_rate(terms, moves)


def _inverse(terms: Terms, moves: Mapping[str, Fraction], scenario: int) -> Fraction:
    after = shocked_price(terms, moves)
    if terms.price <= 0 or after <= 0:
        raise BadInput(
            f"an inverse contract has no value at a price of {float(after)} (scenario {scenario + 1})"
        )
    coin = shocked_rate(terms, moves)
    if terms.currency.factor is None:  # the coin moves with the underlying, which has no basis to itself
        coin *= shocked_price(terms, moves, with_basis=False) / terms.price
    return terms.multiplier * (1 / terms.price - 1 / after) * coin


def _option(terms: Terms, moves: Mapping[str, Fraction], _: int) -> Fraction:
    option = terms.option
    if option is None:
        raise BadInput("an option needs its terms")
    volatility, rate = option.volatility, option.rate
    for factor, beta, kind in option.volatility_factors:
        move = beta * moves.get(factor, 0)
        volatility = volatility + move if kind is Kind.ABSOLUTE else volatility * (1 + move)
    for factor, beta, _kind in option.rate_factors:
        rate += beta * moves.get(factor, 0)
    after = option.value(shocked_price(terms, moves), max(volatility, Fraction(0)), rate)
    before = option.value(terms.price, option.volatility, option.rate)
    return terms.multiplier * (after * shocked_rate(terms, moves) - before * terms.currency.rate)


_GAINS: dict[Style, Callable[[Terms, Mapping[str, Fraction], int], Fraction]] = {
    Style.HELD: _held,
    Style.CONTRACT: _contract,
    Style.INVERSE: _inverse,
    Style.OPTION: _option,
}


def unit_value(terms: Terms) -> Fraction:
    """What one lot is worth at the mark, in the account's currency: of an option its Black-76 value."""
    if terms.style is Style.OPTION and terms.option is not None:
        value = terms.option.value(terms.price, terms.option.volatility, terms.option.rate)
        return terms.multiplier * value * terms.currency.rate
    return terms.multiplier * terms.price * terms.currency.rate


def notional(terms: Terms) -> Fraction:
    """How much of the underlying one lot stands for, signed, in the account's currency.

    An inverse contract's face in units of its quote currency at the coin's price, an option's delta times its
    forward.
    """
    if terms.style is Style.INVERSE:
        return terms.multiplier * terms.currency.rate / terms.price
    share = terms.option.delta(terms.price) if terms.option is not None else _ONE
    return terms.multiplier * share * terms.price * terms.currency.rate
