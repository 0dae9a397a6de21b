"""What each pairing gives: its item, its amount, and what is missing to know it.

Owns: the money of Items 2 to 9, 11 and 12 as allocated, with Notes B, C and D. Does not own the pairing
(`allocation.py`) or amounts that come without a row of the stock record (`computation.py`).
Source: 17 CFR 240.15c3-3a.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.errors import BadInput
from engine.reserve.allocation import Pairing
from engine.reserve.exact import Ints, market_values
from engine.reserve.findings import Gap, Note, named
from engine.reserve.matrix import Basis, Cell, Matrix, Short, long_word, short_word
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


class StockLines(NamedTuple):
    """What the stock record gives for one formula."""

    valued: list[Valued]  # every pairing; those of the other formula and those that give nothing have zeros
    items: dict[int, int]
    notes: list[Note]
    gaps: list[Gap]
    charge_minor: int | None  # 1 % off net worth; None where a contract value is missing


NO_PRICE = "has no price"


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
    valued: list[Valued] = []
    items: dict[int, int] = {}
    gaps: list[Gap] = []
    at_agency = over_collateral = over_contract = charge = 0
    is_charge_known = True
    for pairing in pairings:
        cell = matrix.cells.get((pairing.long, pairing.short))
        if cell is None or cell.formula is not formula:
            valued.append(Valued(pairing, cell, np.zeros(len(pairing.issue), np.int64)))
            continue
        amount = _amount(stock, pairing, cell, policy)
        found = _gaps(stock, pairing, cell, policy)
        if any(told.endswith(NO_PRICE) for told in found) and not has_prices:
            raise BadInput(f"prices.csv is missing: {found[0]}")
        valued.append(Valued(pairing, cell, amount))
        total = int(amount.sum())
        if cell.basis is Basis.NET_WORTH_CHARGE:
            charge += total
            is_charge_known &= not found
            continue
        gaps += [Gap(cell.item, reason) for reason in found]
        items[cell.item] = items.get(cell.item, 0) + total
        at_agency += total if pairing.short is Short.TREASURY_CLEARING else 0
        over_collateral += int(pairing.excess.sum()) if cell.basis is Basis.LOAN else 0
        over_contract += int(pairing.excess.sum()) if cell.basis is Basis.OLD_FAIL else 0
    notes = [
        Note(note, item, amount, basis)
        for note, item, amount, basis in (
            (
                "B",
                2,
                at_agency,
                "market value of customers' securities on deposit at a qualified clearing agency",
            ),
            ("C", 3, over_collateral, "market value of securities loaned over the collateral received"),
            ("D", 4, over_contract, "market value over contract value of fails over 30 calendar days"),
        )
        if amount
    ]
    return StockLines(valued, items, notes, gaps, charge if is_charge_known else None)


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


def _gaps(stock: Stock, pairing: Pairing, cell: Cell, policy: Policy) -> list[str]:
    """What is missing to know the amount, a sentence each."""
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
    found: list[str] = []
    for is_missing, told in (
        (is_unpriced & needs_price, NO_PRICE),
        (pairing.is_location_unvalued & is_location_valued, f"has a {place} without contract_value"),
        (pairing.is_claim_unvalued & (basis in _VALUED_BY_CLAIM), f"has a {owner} without contract_value"),
        (lacks_age, f"has a {owner if basis is Basis.OVER_AGE else place} without opened_on"),
    ):
        at = pairing.issue[is_missing]
        if len(at):
            found.append(f"issue {named([stock.issues[i] for i in np.unique(at)])} {told}")
    return found
