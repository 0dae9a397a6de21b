"""What each pairing gives: its item, its amount, and what is missing to know it.

Owns: the money of Items 2 to 9, 11 and 12 as allocated, with Notes B, C and D. Does not own the pairing
(`allocation.py`) or amounts that come without a row of the stock record (`computation.py`).
Source: 17 CFR 240.15c3-3a.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from engine.errors import BadInput
from engine.reserve.allocation import Pairing
from engine.reserve.exact import Ints, market_values
from engine.reserve.findings import REQUIREMENT, Gap, Note, named
from engine.reserve.matrix import Basis, Cell, Long, Matrix, Short, long_word, short_word
from engine.reserve.policy import CrossFormulaShort, FirmShortCredit, Policy
from engine.reserve.stock import Stock
from engine.reserve.terms import Formula

_VALUED_BY_LOCATION = (Basis.LOCATION_CONTRACT, Basis.LOAN, Basis.OLD_FAIL)
_VALUED_BY_CLAIM = (Basis.CLAIM_CONTRACT, Basis.NET_WORTH_CHARGE)


class Valued(NamedTuple):
    """A pairing with its cell of the matrix, None where it gives nothing, and its cents by issue."""

    pairing: Pairing
    cell: Cell | None
    amount: Ints


class Missing(NamedTuple):
    """What keeps a pair's amounts from being known, and in which issues. Item 0 is no item of the formula."""

    pair: tuple[Long, Short]
    is_identified: bool
    item: int
    told: str
    issues: tuple[str, ...]  # in order


class IssueLines(NamedTuple):
    """What the stock record gives for one formula, issue by issue; no issue looks at another one."""

    valued: list[Valued]  # every pairing; those of the other formula and those that give nothing have zeros
    measures: Ints  # (MEASURES, issues), cents: items 2 to 12 under their numbers, then notes and the charge
    missing: list[Missing]


class StockLines(NamedTuple):
    """What the stock record gives for one formula."""

    valued: list[Valued]
    items: dict[int, int]
    notes: list[Note]
    gaps: list[Gap]
    charge_minor: int | None  # 1 % off net worth; None where a contract value is missing


NO_PRICE = "has no price"
_CHARGE = 0  # what is no item of the formula
_NOTE_B, _NOTE_C, _NOTE_D = REQUIREMENT, REQUIREMENT + 1, REQUIREMENT + 2
MEASURES = REQUIREMENT + 3
_NOTES = (
    ("B", 2, _NOTE_B, "market value of customers' securities on deposit at a qualified clearing agency"),
    ("C", 3, _NOTE_C, "market value of securities loaned over the collateral received"),
    ("D", 4, _NOTE_D, "market value over contract value of fails over 30 calendar days"),
)


def stock_lines(
    stock: Stock,
    pairings: list[Pairing],
    matrix: Matrix,
    formula: Formula,
    policy: Policy,
    *,
    has_prices: bool,
) -> StockLines:
    """Amounts of one formula. Raises BadInput when a price is needed and there is no file of prices."""
    lines = issue_lines(stock, pairings, matrix, formula, policy)
    for missing in lines.missing:
        if missing.told == NO_PRICE and not has_prices:
            raise BadInput(f"prices.csv is missing: {_sentence(missing)}")
    return summed(lines.valued, lines.measures.sum(axis=1), lines.missing)


def issue_lines(
    stock: Stock, pairings: list[Pairing], matrix: Matrix, formula: Formula, policy: Policy
) -> IssueLines:
    """Amounts of one formula by issue, and what is missing to know them."""
    valued: list[Valued] = []
    missing: list[Missing] = []
    measures = np.zeros((MEASURES, len(stock.issues)), np.int64)
    for pairing in pairings:
        cell = matrix.cells.get((pairing.long, pairing.short))
        if cell is None or cell.formula is not formula:
            valued.append(Valued(pairing, cell, np.zeros(len(pairing.issue), np.int64)))
            continue
        amount = _amount(stock, pairing, cell, policy)
        valued.append(Valued(pairing, cell, amount))
        missing += _missing(stock, pairing, cell, policy)
        np.add.at(measures[cell.item], pairing.issue, amount)
        if not cell.item:
            continue
        if pairing.short is Short.TREASURY_CLEARING:
            np.add.at(measures[_NOTE_B], pairing.issue, amount)
        if cell.basis in (Basis.LOAN, Basis.OLD_FAIL):
            note = _NOTE_C if cell.basis is Basis.LOAN else _NOTE_D
            np.add.at(measures[note], pairing.issue, pairing.excess)
    return IssueLines(valued, measures, missing)


def summed(valued: list[Valued], measures: Ints, missing: Iterable[Missing]) -> StockLines:
    """Lines of a formula out of the sums of its measures, shape (MEASURES,)."""
    sums = [int(amount) for amount in measures]
    is_charge_known = True
    gaps: list[Gap] = []
    for found in missing:
        if found.item:
            gaps.append(Gap(found.item, _sentence(found)))
        else:
            is_charge_known = False
    return StockLines(
        valued,
        {item: sums[item] for item in range(1, REQUIREMENT) if sums[item]},
        [Note(note, item, sums[at], basis) for note, item, at, basis in _NOTES if sums[at]],
        gaps,
        sums[_CHARGE] if is_charge_known else None,
    )


def _sentence(missing: Missing) -> str:
    return f"issue {named(missing.issues)} {missing.told}"


def _amount(stock: Stock, pairing: Pairing, cell: Cell, policy: Policy) -> Ints:
    basis = cell.basis
    if basis is Basis.LOCATION_CONTRACT:
        return pairing.location_money
    if basis in (Basis.LOAN, Basis.OLD_FAIL):
        return pairing.location_money + pairing.excess
    if basis is Basis.CLAIM_CONTRACT:
        return pairing.claim_money
    if basis is Basis.NET_WORTH_CHARGE:
        return -(-pairing.claim_money // 100)
    if basis is Basis.OVER_AGE or not is_at_market(cell, policy):
        return pairing.location_money if basis is Basis.FIRM_SHORT else np.zeros(len(pairing.issue), np.int64)
    price = np.maximum(stock.price[pairing.issue], 0)
    return market_values(pairing.quantity, price, is_up=True)


def is_at_market(cell: Cell, policy: Policy) -> bool:
    """Whether the policy values a cell at market value."""
    if cell.basis is Basis.FIRM_SHORT:
        return policy.firm_short_credit is FirmShortCredit.MARKET_VALUE
    if cell.basis is Basis.CROSS_FORMULA:
        return policy.cross_formula_short is CrossFormulaShort.CREDIT
    return cell.basis is Basis.MARKET_VALUE


def _missing(stock: Stock, pairing: Pairing, cell: Cell, policy: Policy) -> Iterator[Missing]:
    """What is missing to know the amounts."""
    is_unpriced = stock.price[pairing.issue] < 0
    basis = cell.basis
    is_location_valued = basis in _VALUED_BY_LOCATION or (
        basis is Basis.FIRM_SHORT and not is_at_market(cell, policy)
    )
    lacks_age = np.zeros(len(pairing.issue), bool)
    if basis is Basis.OVER_AGE:
        lacks_age = pairing.is_claim_undated
    elif basis is Basis.OLD_FAIL:
        lacks_age = pairing.is_location_undated & (pairing.excess > 0)
    elif basis is Basis.MARKET_VALUE:
        lacks_age = pairing.is_location_undated
    needs_price = is_at_market(cell, policy) or basis in (Basis.LOAN, Basis.OLD_FAIL)
    place, owner = short_word(pairing.short), long_word(pairing.long)
    is_identified = bool((pairing.pool >= 0).any())
    for is_missing, told in (
        (is_unpriced & needs_price, NO_PRICE),
        (pairing.is_location_unvalued & is_location_valued, f"has a {place} without contract_value"),
        (pairing.is_claim_unvalued & (basis in _VALUED_BY_CLAIM), f"has a {owner} without contract_value"),
        (lacks_age, f"has a {owner if basis is Basis.OVER_AGE else place} without opened_on"),
    ):
        at = pairing.issue[is_missing]
        if len(at):
            names = tuple(stock.issues[i] for i in np.unique(at))
            yield Missing((pairing.long, pairing.short), is_identified, cell.item, told, names)
