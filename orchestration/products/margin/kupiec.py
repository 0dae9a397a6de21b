"""Whether as many losses exceeded what a model said as it said would.

Owns: the test and its verdict. Does not own: what was said and what happened (series.py). Statistics are
floats; no amount of money is one.
"""

from __future__ import annotations

from enum import StrEnum
from math import erfc, log, sqrt

LEVEL = 0.99
LEAST_OBSERVATIONS = 250
"""Business days of a year: with fewer, the test tells a wrong model from a right one by chance only.
Source: Basel Committee, "Supervisory framework for the use of backtesting" (1996), section II."""
SIGNIFICANCE = 0.05


class Verdict(StrEnum):
    """What a back-test says of a model."""

    TOO_FEW = "too few observations for a verdict"
    KEPT = "not rejected"
    REJECTED = "rejected: more exceptions than the model allows"
    CONSERVATIVE = "asks more than its level: fewer exceptions than the model allows"


def likelihood_ratio(exceptions: int, observations: int, rate: float = 1 - LEVEL) -> float:
    """How much better the observed rate explains the exceptions than the model's does; chi-square, 1 df.

    Source: Kupiec, "Techniques for verifying the accuracy of risk measurement models" (1995), the proportion
    of failures.
    """
    if not 0 <= exceptions <= observations or observations == 0:
        raise ValueError(f"{exceptions} exceptions of {observations} observations")

    def log_likelihood(p: float) -> float:
        kept = observations - exceptions
        return (exceptions * log(p) if exceptions else 0.0) + (kept * log(1 - p) if kept else 0.0)

    return max(0.0, 2 * (log_likelihood(exceptions / observations) - log_likelihood(rate)))


def p_value(ratio: float) -> float:
    """How often chance alone makes the ratio as large: the survival function of chi-square with 1 df."""
    return erfc(sqrt(ratio / 2))


def verdict(exceptions: int, observations: int, rate: float = 1 - LEVEL) -> Verdict:
    """What exceptions say of a model that allows them at a rate."""
    if observations < LEAST_OBSERVATIONS:
        return Verdict.TOO_FEW
    if p_value(likelihood_ratio(exceptions, observations, rate)) >= SIGNIFICANCE:
        return Verdict.KEPT
    return Verdict.REJECTED if exceptions > rate * observations else Verdict.CONSERVATIVE
