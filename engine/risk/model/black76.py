"""The value of an option on a forward, and its delta.

Source: Black, The pricing of commodity contracts, Journal of Financial Economics 3 (1976) 167-179.
"""

from __future__ import annotations

from math import erf, exp, log, sqrt

_ROOT_TWO = sqrt(2.0)


def normal_cdf(x: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * (1.0 + erf(x / _ROOT_TWO))


def option_value(
    is_call: bool, forward: float, strike: float, years: float, volatility: float, rate: float
) -> float:
    """e^(-rT) [F N(d1) - K N(d2)] of a call, e^(-rT) [K N(-d2) - F N(-d1)] of a put, for one unit.

    Where nothing is uncertain any more (no time, no volatility, a forward at or below zero) it is what
    exercise would bring, discounted.
    """
    discount = exp(-rate * max(years, 0.0))
    d1, d2 = _distances(forward, strike, years, volatility)
    if d1 is None or d2 is None:
        return discount * max(forward - strike if is_call else strike - forward, 0.0)
    if is_call:
        return discount * (forward * normal_cdf(d1) - strike * normal_cdf(d2))
    return discount * (strike * normal_cdf(-d2) - forward * normal_cdf(-d1))


def option_delta(
    is_call: bool, forward: float, strike: float, years: float, volatility: float, rate: float
) -> float:
    """How much of a unit of the forward an option moves like."""
    discount = exp(-rate * max(years, 0.0))
    d1, _ = _distances(forward, strike, years, volatility)
    share = float(forward > strike) if d1 is None else normal_cdf(d1)
    return discount * (share if is_call else share - 1.0)


def _distances(
    forward: float, strike: float, years: float, volatility: float
) -> tuple[float, float] | tuple[None, None]:
    deviation = volatility * sqrt(years) if years > 0.0 and volatility > 0.0 else 0.0
    if deviation <= 0.0 or forward <= 0.0 or strike <= 0.0:
        return None, None
    d1 = log(forward / strike) / deviation + 0.5 * deviation
    return d1, d1 - deviation
