"""Initial and maintenance margin, equity after haircuts, and the state that they put an account in.

Owns: how scenario risk and charges become a requirement, what collateral counts for, the thresholds. Does not
own: the charges themselves (charges.py), what is done about a state (the engine).

    MM = max(SR(A), CJ, MC) + LQ + BF + FP                    on positions
    IM = kappa max(SR(A+W), CJ, MC) + LQ + BF + FP + RF + XL  with open orders at their worst
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from engine.errors import BadInput
from engine.risk.model.charges import (
    BASIS,
    CONCENTRATION,
    CROSSING,
    FUNDING,
    LIQUIDITY,
    MINIMUM,
    ORACLE,
    RETAIL,
    WRONG_WAY,
    Holding,
    Line,
    Product,
    Rates,
    charge_lines,
    crossing_lines,
    leverage_lines,
    total,
)
from engine.risk.model.exact import ceiling

KAPPA = Fraction(13, 10)


class State(StrEnum):
    """What an account may do, from all to nothing."""

    FREE = "free"
    WARN = "warn"
    NO_NEW_RISK = "no_new_risk"
    CANCEL = "cancel"
    LIQUIDATE = "liquidate"
    BANKRUPT = "bankrupt"


class Thresholds(NamedTuple):
    """Where states begin: ratios of equity to maintenance margin, for retail to initial margin too."""

    warn: Fraction = Fraction(3, 2)
    cancel: Fraction = Fraction(105, 100)
    liquidate: Fraction = Fraction(1)
    liquidate_to: Fraction = Fraction(11, 10)
    retail_close_out: Fraction = Fraction(1, 2)
    oracle_confidence: Fraction = Fraction(55, 100)


THRESHOLDS = Thresholds()


class Requirement(NamedTuple):
    """A requirement in units, with the lines that it is made of."""

    total: int
    scenario_risk: int
    kappa: Fraction
    lines: tuple[Line, ...]

    @property
    def floored_risk(self) -> int:
        """Scenario risk, or the floor of concentration or minimum charges where that is higher."""
        return max(self.scenario_risk, total(self.lines, CONCENTRATION), total(self.lines, MINIMUM))

    def parts(self) -> dict[str, int]:
        """What the total is the sum of."""
        risk = ceiling(self.kappa * self.floored_risk)
        added = {name: total(self.lines, name) for name in (LIQUIDITY, BASIS, FUNDING, RETAIL, CROSSING)}
        return {"risk": risk, **added}


def maintenance_margin(
    risk: int, products: Mapping[str, Product], holdings: Mapping[str, Holding], rates: Rates, scale: int
) -> Requirement:
    """MM of positions alone: `risk` is SR(A), open orders do not count."""
    held = {name: Holding(holding.lots) for name, holding in holdings.items()}
    return _required(risk, Fraction(1), tuple(charge_lines(products, held, rates, scale)))


def initial_margin(
    risk: int,
    products: Mapping[str, Product],
    holdings: Mapping[str, Holding],
    rates: Rates,
    scale: int,
    kappa: Fraction = KAPPA,
    is_retail: bool = False,
) -> Requirement:
    """IM of positions and open orders: `risk` is SR(A+W)."""
    if kappa < 1:
        raise BadInput(
            f"kappa is {kappa}; below one the initial margin would be less than the maintenance margin"
        )
    lines = tuple(charge_lines(products, holdings, rates, scale))
    if is_retail:
        rest = _required(risk, kappa, lines).total
        lines = (*lines, *leverage_lines(products, holdings, rates, rest, scale))
    return _required(risk, kappa, (*lines, *crossing_lines(holdings, rates, scale)))


def _required(risk: int, kappa: Fraction, lines: tuple[Line, ...]) -> Requirement:
    requirement = Requirement(0, risk, kappa, lines)
    return requirement._replace(total=sum(requirement.parts().values()))


class Tier(NamedTuple):
    """A haircut on the part of a balance up to a size, in the balance's own currency; no size: the rest."""

    up_to: Fraction | None
    share: Fraction


class Haircut(NamedTuple):
    """What is taken off a balance, and put on a debt."""

    tiers: tuple[Tier, ...] = ()
    debt: Fraction = Fraction(0)

    def counted(self, amount: Fraction) -> Fraction:
        """g(x) = x less each tier's share of the part in it, if x > 0, else x (1 + debt haircut)."""
        if amount <= 0:
            return amount * (1 + self.debt)
        left, begun = amount, Fraction(0)
        for up_to, share in self.tiers:
            end = amount if up_to is None else min(amount, up_to)
            left -= share * max(end - begun, Fraction(0))
            begun = max(begun, end)
        return left


class Balance(NamedTuple):
    """What an account has in one currency, in that currency."""

    currency: str
    rate: Fraction  # of one unit in the account's currency
    cash: Fraction = Fraction(0)
    unrealised: Fraction = Fraction(0)  # profit or loss of open contracts
    options: Fraction = Fraction(0)  # market value
    holdings: Fraction = Fraction(0)  # market value of what is paid for
    haircut: Haircut = Haircut()
    is_own_token: bool = False  # worth nothing when it is needed

    def value(self, scale: int) -> int:
        """FX g(B + UPL + options + holdings) in units, rounded down."""
        amount = self.cash + self.unrealised + self.options + self.holdings
        return -ceiling(-self.rate * self.haircut.counted(amount) * scale)


class Equity(NamedTuple):
    """Equity in units, by currency, less what wrong-way collateral and doubtful prices take off."""

    total: int
    by_currency: dict[str, int]
    lines: tuple[Line, ...]


def equity_of(
    balances: Sequence[Balance],
    doubts: Sequence[tuple[Product, Holding, Fraction]],
    rates: Rates,
    scale: int,
    confidence_floor: Fraction = THRESHOLDS.oracle_confidence,
) -> Equity:
    """E = sum over currencies of FX g(B + UPL + options) less WW and OC.

    WW takes all of a positive balance in the account's own token. OC takes (1 - confidence) |N| of positions
    whose price (product, holding, confidence) is less sure than the floor.
    """
    values = {balance.currency: balance.value(scale) for balance in balances}
    lines: list[Line] = []
    if WRONG_WAY in rates.add_ons:
        for b in balances:
            if b.is_own_token and values[b.currency] > 0:
                lines.append(Line(WRONG_WAY, b.currency, values[b.currency], {"haircut": Fraction(1)}))
    if ORACLE in rates.add_ons:
        for product, holding, confidence in doubts:
            if confidence < confidence_floor and holding.lots != 0:
                size = abs(holding.lots * product.notional)
                charge = ceiling((1 - confidence) * size * scale)
                lines.append(
                    Line(ORACLE, product.instrument_id, charge, {"notional": size, "confidence": confidence})
                )
    return Equity(sum(values.values()) - sum(line.charge for line in lines), values, tuple(lines))


def state_of(
    equity: int,
    maintenance: int,
    initial: int,
    thresholds: Thresholds = THRESHOLDS,
    retail_initial: int = 0,
) -> State:
    """The worst state that equity is in; `retail_initial` is a retail account's IM of its positions.

    Source of the close-out at half of the initial margin: ESMA decision (EU) 2019/679, article 2(b).
    """
    if equity < 0:
        return State.BANKRUPT
    if equity < maintenance * thresholds.liquidate or equity < retail_initial * thresholds.retail_close_out:
        return State.LIQUIDATE
    if equity < maintenance * thresholds.cancel:
        return State.CANCEL
    if equity < initial:
        return State.NO_NEW_RISK
    if maintenance > 0 and equity <= maintenance * thresholds.warn:
        return State.WARN
    return State.FREE
