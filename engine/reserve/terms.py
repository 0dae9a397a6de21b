"""Words that the reserve modules share: method, frequency, formula, and a requirement that is not known.

Owns the names as they stand in files and on the command line. Does not own what follows from them.
"""

from __future__ import annotations

from enum import StrEnum

from engine.errors import PlatformError

CENTS = 100  # minor units of a dollar; every amount of the reserve is in cents


class Method(StrEnum):
    """How net capital is reckoned. Source: 17 CFR 240.15c3-1(a)(1)(i) and (ii)."""

    ALTERNATIVE = "alternative"
    BASIC = "basic"  # aggregate indebtedness


class Frequency(StrEnum):
    """How often a formula is computed. Source: 17 CFR 240.15c3-3(e)(3)."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Formula(StrEnum):
    """For whom a formula is computed: customers, or proprietary accounts of brokers and dealers."""

    CUSTOMER = "customer"
    PAB = "pab"


class Indeterminate(PlatformError):
    """An input is missing; what is not known is not zero, so nothing follows from it and nothing is filed."""
