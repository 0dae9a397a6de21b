"""A case put into vectors: positions, foreign cash, open orders, their risk, requirement and equity.

Owns: `Valuation`, everything that the explanation (explain.py) tells as figures. Does not own: how it is
told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from engine.errors import BadInput
from engine.risk.model.case import Case, Order
from engine.risk.model.case_instruments import Instrument
from engine.risk.model.charges import Holding, Product
from engine.risk.model.requirement import (
    Balance,
    Equity,
    Haircut,
    Requirement,
    State,
    equity_of,
    initial_margin,
    maintenance_margin,
    state_of,
)
from engine.risk.model.revaluation import Terms, cash_terms, lot_vector
from engine.risk.model.scenario_risk import ScenarioRisk, Vector, as_vector, scenario_risk


class Valuation(NamedTuple):
    """What an account comes to: vectors in units of 10**-digits, amounts in the same."""

    case: Case
    scale: int
    vectors: dict[str, Vector]  # of one smallest part of a lot
    parts: dict[str, Vector]  # positions by instrument, foreign cash by currency: they add up to A
    part_terms: dict[str, Terms]  # of parts that were revalued: the whole part as one lot
    positions: Vector  # A
    reserved: Vector  # W
    risk: ScenarioRisk  # SR(A)
    reserved_risk: ScenarioRisk  # SR(A + W)
    maintenance: Requirement
    initial: Requirement
    retail_initial: int  # of positions alone, where the account is a retail one
    equity: Equity
    state: State


def value(case: Case) -> Valuation:
    """Value a case."""
    scale = 10**case.digits
    count = case.scenarios.size
    vectors = {name: _vector(case, instrument) for name, instrument in case.instruments.items()}
    lots = {name: held for name, held in case.lots().items() if held != 0}
    parts = {name: whole_lots(case, held) * vectors[name] for name, held in lots.items()}
    part_terms: dict[str, Terms] = {}
    for name, held in lots.items():
        terms = case.instruments[name].terms
        if terms is not None:
            part_terms[name] = terms._replace(multiplier=terms.multiplier * held)
    for currency, amount in case.cash.items():
        rate = case.currencies.known()[currency]
        if amount and rate.factor is not None:
            part = f"cash {currency}"
            part_terms[part] = cash_terms(rate)._replace(multiplier=amount)
            parts[part] = lot_vector(part_terms[part], case.scenarios.shocks, count, case.digits)
    positions = np.zeros(count, dtype=object)
    for part in parts.values():
        positions = positions + part
    reserved = reserved_of(case, vectors, case.orders)
    groups = case.scenarios.groups
    risk = scenario_risk(groups, positions)
    reserved_risk = scenario_risk(groups, positions + reserved)
    maintenance, initial = requirements(case, lots, case.orders, risk.total, reserved_risk.total)
    retail_initial = requirements(case, lots, (), risk.total, risk.total)[1].total
    equity = _equity(case)
    return Valuation(
        case=case,
        scale=scale,
        vectors=vectors,
        parts=parts,
        part_terms=part_terms,
        positions=positions,
        reserved=reserved,
        risk=risk,
        reserved_risk=reserved_risk,
        maintenance=maintenance,
        initial=initial,
        retail_initial=retail_initial if case.parameters.is_retail else 0,
        equity=equity,
        state=state_of(
            equity.total,
            maintenance.total,
            initial.total,
            case.parameters.thresholds,
            retail_initial if case.parameters.is_retail else 0,
        ),
    )


def _vector(case: Case, instrument: Instrument) -> Vector:
    """Of one lot in units of 10**-vector_digits, or of its smallest part in units of 10**-digits."""
    if instrument.terms is None:
        return as_vector([round(v * 10**case.vector_digits) for v in instrument.given or ()])
    try:
        return lot_vector(instrument.terms, case.scenarios.shocks, case.scenarios.size, case.vector_digits)
    except BadInput as error:
        raise BadInput(f"{instrument.instrument_id}: {error}") from None


def whole_lots(case: Case, lots: Fraction) -> int:
    """Lots in the smallest parts of a lot that the case counts in."""
    return int(lots * 10**case.lot_digits)


def reserved_of(case: Case, vectors: dict[str, Vector], orders: Iterable[Order]) -> Vector:
    """W: every order at the worse of filled and not, of linked orders the worst one."""
    total = np.zeros(case.scenarios.size, dtype=object)
    linked: dict[str, Vector] = {}
    for order in orders:
        term = np.minimum(whole_lots(case, order.lots) * vectors[order.instrument_id], 0)
        if order.linked is None:
            total = total + term
        else:
            known = linked.get(order.linked)
            linked[order.linked] = term if known is None else np.minimum(known, term)
    for term in linked.values():
        total = total + term
    return total


def requirements(
    case: Case, lots: dict[str, Fraction], orders: Sequence[Order], risk: int, reserved_risk: int
) -> tuple[Requirement, Requirement]:
    """MM and IM of lots and orders, given SR(A) and SR(A + W)."""
    holdings = holdings_of(case, lots, orders)
    products = {name: instrument.product for name, instrument in case.instruments.items()}
    parameters, scale = case.parameters, 10**case.digits
    return (
        maintenance_margin(risk, products, holdings, parameters.rates, scale),
        initial_margin(
            reserved_risk, products, holdings, parameters.rates, scale, parameters.kappa, parameters.is_retail
        ),
    )


def holdings_of(case: Case, lots: dict[str, Fraction], orders: Sequence[Order]) -> dict[str, Holding]:
    """Net lots, what orders may add, and what they lose as they fill, by instrument."""
    found = {name: Holding(held) for name, held in lots.items()}
    for order in orders:
        held = found.get(order.instrument_id, Holding(Fraction(0)))
        if order.lots > 0:
            held = held._replace(bids=held.bids + order.lots)
        else:
            held = held._replace(asks=held.asks - order.lots)
        found[order.instrument_id] = held._replace(crossing=held.crossing + _crossing(case, order))
    return found


def _crossing(case: Case, order: Order) -> Fraction:
    """What an order loses from its limit to the mark as it fills, in the account's currency."""
    if order.limit is None:
        return Fraction(0)
    instrument = case.instruments[order.instrument_id]
    gain = instrument.gain(order.limit, case.currency) or Fraction(0)
    return max(-order.lots * gain, Fraction(0)) * instrument.rate


def _equity(case: Case) -> Equity:
    amounts: dict[str, list[Fraction]] = {case.currency: [Fraction(0)] * 4}
    for currency, cash in case.cash.items():
        amounts.setdefault(currency, [Fraction(0)] * 4)[0] += cash
    rates = {currency: rate.rate for currency, rate in case.currencies.known().items()}
    for name, lots, entry in case.positions:
        instrument = case.instruments[name]
        row = amounts.setdefault(instrument.currency, [Fraction(0)] * 4)
        rates.setdefault(instrument.currency, instrument.rate)
        worth = instrument.lot_value()
        if instrument.is_option:
            row[2] += lots * (worth or 0)
        elif instrument.is_paid:
            row[3] += lots * (worth or 0)
        elif entry is not None:
            row[1] += lots * (instrument.gain(entry, case.currency) or 0)
    parameters = case.parameters
    balances = [
        Balance(
            currency,
            rates[currency],
            *row,
            haircut=parameters.haircuts.get(currency, Haircut()),
            is_own_token=currency in parameters.own_tokens,
        )
        for currency, row in amounts.items()
    ]
    doubts: list[tuple[Product, Holding, Fraction]] = []
    for name, held in case.lots().items():
        confidence = case.instruments[name].confidence
        if confidence is not None:
            doubts.append((case.instruments[name].product, Holding(held), confidence))
    return equity_of(
        balances, doubts, parameters.rates, 10**case.digits, parameters.thresholds.oracle_confidence
    )
