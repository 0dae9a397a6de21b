"""What is charged beside scenario risk: a line for each subject, with what it came from.

Owns: liquidity (LQ), basis (BF), concentration (CJ), funding and fees (FP), minimum (MC), retail leverage
(RF). Does not own: how they become a requirement, or what comes off equity (requirement.py).

All are zero or more, on the net lots of each instrument, rounded up to the unit. With open orders each looks
at the worst that they can leave: lots may end anywhere between `lots - asks` and `lots + bids`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from engine.risk.model.exact import ceiling, root_ceiling

LIQUIDITY, BASIS, CONCENTRATION, FUNDING = "LQ", "BF", "CJ", "FP"
MINIMUM, RETAIL, WRONG_WAY, ORACLE = "MC", "RF", "WW", "OC"
ADD_ONS = (LIQUIDITY, BASIS, CONCENTRATION, FUNDING, MINIMUM, RETAIL, WRONG_WAY, ORACLE)

FX, CRYPTO, EQUITY, INDEX, COMMODITY, OTHER = "fx", "crypto", "equity", "index", "commodity", "other"
ASSET_CLASSES = (FX, CRYPTO, EQUITY, INDEX, COMMODITY, OTHER)


class Rates(NamedTuple):
    """Rates of the charges. Every one can be given; these are the defaults."""

    impact: Fraction = Fraction(1, 10)  # lambda of LQ
    basis: Mapping[str, Fraction] = {
        FX: Fraction(1, 1_000),
        CRYPTO: Fraction(5, 1_000),
        EQUITY: Fraction(5, 1_000),
        INDEX: Fraction(5, 1_000),
        COMMODITY: Fraction(5, 1_000),
        OTHER: Fraction(5, 1_000),
    }
    concentration: Fraction = Fraction(5, 100)  # of every name
    concentration_largest: Fraction = Fraction(25, 100)  # of the largest names, on top
    largest_count: int = 2
    add_ons: frozenset[str] = frozenset(ADD_ONS)


class Product(NamedTuple):
    """What the charges must know of an instrument. Shares are fractions of one, money is the account's."""

    instrument_id: str
    asset_class: str
    underlying: str
    notional: Fraction  # of one lot, signed: a put's is negative
    spread: Fraction = Fraction(0)  # whole spread, as a share of the price
    deviation: Fraction | None = None  # of one day's return
    volume: Fraction | None = None  # notional traded on an average day
    fee: Fraction = Fraction(0)  # to close, as a share of the notional
    funding: Fraction = Fraction(
        0
    )  # a long position pays it over the next interval, as a share of the notional
    basis: Fraction | None = None  # in place of its asset class's
    minimum: Fraction = Fraction(0)  # money a lot
    is_name: bool = False  # a single name, whose concentration counts
    leverage_cap: Fraction | None = None  # retail; where there is none it is paid for in full


class Holding(NamedTuple):
    """Net lots of an instrument, and what its open orders may add to either side."""

    lots: Fraction
    bids: Fraction = Fraction(0)
    asks: Fraction = Fraction(0)

    @property
    def worst(self) -> Fraction:
        """The most lots that may be held on either side."""
        if not (self.bids or self.asks):
            return abs(self.lots)
        return max(abs(self.lots + self.bids), abs(self.lots - self.asks))


class Line(NamedTuple):
    """One charge, in units, and what it was computed from."""

    add_on: str
    subject: str
    charge: int
    inputs: dict[str, Fraction | str | None]


def total(lines: Sequence[Line], add_on: str) -> int:
    """What the lines of one kind come to."""
    return sum(line.charge for line in lines if line.add_on == add_on)


def charge_lines(
    products: Mapping[str, Product], holdings: Mapping[str, Holding], rates: Rates, scale: int
) -> list[Line]:
    """Every charge but the retail one, which needs the rest of IM; `scale` units are one of money."""
    lines: list[Line] = []
    if not rates.add_ons:
        return lines
    held = {name: holding for name, holding in holdings.items() if holding.worst != 0}
    if LIQUIDITY in rates.add_ons:
        lines += [
            _liquidity(products[name], holding.worst, rates.impact, scale) for name, holding in held.items()
        ]
    if BASIS in rates.add_ons:
        lines += _basis(products, held, rates, scale)
    if CONCENTRATION in rates.add_ons:
        lines += _concentration(products, held, rates, scale)
    if FUNDING in rates.add_ons:
        lines += [_funding(products[name], holding, scale) for name, holding in held.items()]
    if MINIMUM in rates.add_ons:
        lines += [_minimum(products[name], h, scale) for name, h in held.items() if products[name].minimum]
    return lines


@lru_cache(4_096)
def _liquidity(product: Product, lots: Fraction, impact: Fraction, scale: int) -> Line:
    """LQ = |N| (spread / 2 + lambda sigma sqrt(|N| / ADV)): closing costs, and moves the market.

    Doubling a position more than doubles it, on purpose: it is the one charge that is not sub-additive.
    Source: Almgren et al., Direct estimation of equity market impact (2005), with its square root form.
    """
    size = abs(lots * product.notional)
    charge = ceiling(size * product.spread / 2 * scale)
    if product.deviation and product.volume:
        share = impact * product.deviation * size
        charge += root_ceiling(share * share * size / product.volume * scale * scale)
    return Line(
        LIQUIDITY,
        product.instrument_id,
        charge,
        {
            "lots": lots,
            "notional": size,
            "spread": product.spread,
            "sigma": product.deviation,
            "adv": product.volume,
            "lambda": impact,
        },
    )


@lru_cache(4_096)
def _sides(product: Product, holding: Holding) -> tuple[Fraction, Fraction]:
    """The lowest and highest notional that the holding may come to."""
    ends = (
        (holding.lots - holding.asks) * product.notional,
        (holding.lots + holding.bids) * product.notional,
    )
    return min(ends), max(ends)


def _by_underlying(
    products: Mapping[str, Product], held: Mapping[str, Holding], only_names: bool
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in held:
        if products[name].is_name or not only_names:
            found.setdefault(products[name].underlying, []).append(name)
    return found


def _basis(
    products: Mapping[str, Product], held: Mapping[str, Holding], rates: Rates, scale: int
) -> list[Line]:
    """BF = beta min(long, short) over different instruments of one underlying: a hedge is cheap, never free.

    With open orders the largest instrument can be on one side only, so the other side is at most the rest.
    """
    lines: list[Line] = []
    for underlying, names in _by_underlying(products, held, only_names=False).items():
        if len(names) < 2:
            continue
        ends = [_sides(products[name], held[name]) for name in names]
        long = sum((max(high, Fraction(0)) for _, high in ends), Fraction(0))
        short = sum((max(-low, Fraction(0)) for low, _ in ends), Fraction(0))
        sizes = [max(abs(low), abs(high)) for low, high in ends]
        offset = min(long, short, sum(sizes, Fraction(0)) - max(sizes))
        if offset == 0:
            continue
        rate = max(_basis_rate(products[name], rates) for name in names)
        inputs: dict[str, Fraction | str | None] = {
            "instruments": ", ".join(names), "long": long, "short": short, "offset": offset, "beta": rate,
        }  # fmt: skip
        lines.append(Line(BASIS, underlying, ceiling(rate * offset * scale), inputs))
    return lines


def _basis_rate(product: Product, rates: Rates) -> Fraction:
    return product.basis if product.basis is not None else rates.basis[product.asset_class]


def _concentration(
    products: Mapping[str, Product], held: Mapping[str, Holding], rates: Rates, scale: int
) -> list[Line]:
    """CJ = 5 % of every single name and 25 % more of the two largest: a floor under scenario risk.

    The same as moving the two largest names by 30 % against the account and all others by 5 %.
    """
    sizes: dict[str, Fraction] = {}
    for underlying, names in _by_underlying(products, held, only_names=True).items():
        ends = [_sides(products[name], held[name]) for name in names]
        low = sum((end[0] for end in ends), Fraction(0))
        high = sum((end[1] for end in ends), Fraction(0))
        sizes[underlying] = max(abs(low), abs(high))
    largest = sorted(sizes, key=lambda name: -sizes[name])[: rates.largest_count]
    lines: list[Line] = []
    for name, size in sizes.items():
        rate = rates.concentration + (rates.concentration_largest if name in largest else 0)
        inputs: dict[str, Fraction | str | None] = {"notional": size, "rate": rate}
        lines.append(Line(CONCENTRATION, name, ceiling(size * rate * scale), inputs))
    return lines


@lru_cache(4_096)
def _funding(product: Product, holding: Holding, scale: int) -> Line:
    """FP = funding that the position must expect to pay over the next interval, and the fee to close it.

    Funding that would be received is not counted.
    """
    low, high = _sides(product, holding)
    due = max(low * product.funding, high * product.funding, Fraction(0))
    size = abs(holding.worst * product.notional)
    inputs: dict[str, Fraction | str | None] = {
        "notional": size,
        "funding_rate": product.funding,
        "funding": due,
        "fee": product.fee,
    }
    return Line(FUNDING, product.instrument_id, ceiling((due + size * product.fee) * scale), inputs)


def _minimum(product: Product, holding: Holding, scale: int) -> Line:
    """MC = a minimum of money for every lot: like CJ a floor under scenario risk."""
    inputs: dict[str, Fraction | str | None] = {"lots": holding.worst, "minimum_per_lot": product.minimum}
    return Line(MINIMUM, product.instrument_id, ceiling(holding.worst * product.minimum * scale), inputs)


def leverage_lines(
    products: Mapping[str, Product], holdings: Mapping[str, Holding], rates: Rates, rest: int, scale: int
) -> list[Line]:
    """RF = max(0, sum of |N| / cap - the rest of the initial margin): a line an instrument, then the charge.

    Source: ESMA product intervention decision (EU) 2019/679 and its national successors: initial margin of at
    least 3.33 % of major currency pairs, 5 % of other pairs, gold and major indices, 10 % of other
    commodities and indices, 20 % of shares, 50 % of cryptocurrencies.
    """
    if RETAIL not in rates.add_ons:
        return []
    lines: list[Line] = []
    needed = Fraction(0)
    for name, holding in holdings.items():
        cap = products[name].leverage_cap
        if cap is None or holding.worst == 0:
            continue
        size = abs(holding.worst * products[name].notional)
        needed += size / cap
        lines.append(Line(RETAIL, name, 0, {"notional": size, "cap": cap, "leverage_margin": size / cap}))
    charge = max(0, ceiling(needed * scale) - rest)
    inputs: dict[str, Fraction | str | None] = {
        "leverage_margin": needed,
        "rest_of_initial_margin": Fraction(rest, scale),
    }
    return [*lines, Line(RETAIL, "account", charge, inputs)]
