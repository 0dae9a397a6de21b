"""What moves the live reserve: its largest sources now, and what becomes a credit when it comes of age.

Owns: which rows are told, and what a row would change were it over age today. Does not own any amount: rows
of an issue are valued by the functions that value a whole case (`engine.reserve`).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from engine.projections.reserve_rows import PriceRow, ReserveRows, StockRow, TotalRow, stock_case
from engine.reserve.ageing import last_old_day
from engine.reserve.allocation import allocate
from engine.reserve.computation import Figure
from engine.reserve.csv_columns import FIRST_LINE
from engine.reserve.debit_balances import ITEM
from engine.reserve.findings import REQUIREMENT
from engine.reserve.kinds import CREDIT_ITEMS, ITEM_OF_TOTAL
from engine.reserve.lines import issue_lines
from engine.reserve.live import LiveReserve
from engine.reserve.matrix import AGED_BY
from engine.reserve.sources import StockTold, stock_source_rows
from engine.reserve.stock import stock_of
from engine.reserve.terms import Formula
from engine.reserve.totals import AGED_ITEMS
from schemas.days import date_of

LARGEST_TOLD = 5  # sources of a line
AGEING_TOLD = 50  # rows that come of age next
AGEING_DAYS = 10  # calendar days ahead
# what a line adds to the requirement, before debits are reduced
_SIGNS = np.array([0] + [1 if item in CREDIT_ITEMS else -1 for item in range(1, REQUIREMENT)])


class Contributor(NamedTuple):
    """A source row and the cents that it gives to an item; a cut of Note E is negative."""

    item: int
    source: str
    amount_minor: int


class AgeingSoon(NamedTuple):
    """A row that comes of age, and what it would add to credits less debits were it of age today."""

    item: int
    source: str
    opened_on: str
    days_left: int  # calendar days to the first day as of which it counts
    amount_minor: int


def contributors(
    rows: ReserveRows, live: LiveReserve, formula: Formula, figure: Figure, totals: Sequence[TotalRow]
) -> list[Contributor]:
    """The rows that give most to each line of a formula, line by line; `totals` are those of its facts."""
    found = [Contributor(item, f"account {name}", a) for name, item, a in live.account_amounts(formula)]
    found += [Contributor(ITEM, f"Note {n.note}", n.amount_minor) for n in figure.notes if n.item == ITEM]
    found += [
        Contributor(item, totals[line - FIRST_LINE].item.value, amount)
        for item, line, amount in figure.totals.rows
    ]
    largest = _largest([*found, *_stock_contributors(rows, live, formula)])
    return [contributor for item in sorted(largest) for contributor in largest[item]]


def _stock_contributors(rows: ReserveRows, live: LiveReserve, formula: Formula) -> list[Contributor]:
    """The largest rows of the stock record, item by item.

    No row is larger than what its issue gives to the item: issues are looked at from the largest on, until
    none of those that are left can have a row that is told.
    """
    of_items: dict[int, list[tuple[str, int]]] = {}
    for issue, item, amount in live.issue_amounts(formula):
        of_items.setdefault(item, []).append((issue, amount))
    found: dict[int, list[Contributor]] = {}
    told: set[str] = set()
    count = LARGEST_TOLD
    while True:
        issues = {
            issue
            for item, amounts in of_items.items()
            for issue, amount in amounts[:count]
            if issue not in told and amount > _least(found, item)
        }
        known = [contributor for largest in found.values() for contributor in largest]
        if issues:
            told |= issues
            found = _largest([*known, *_source_rows(rows, live, formula, issues)])
        elif all(len(a) <= count or a[count][1] <= _least(found, item) for item, a in of_items.items()):
            return known
        count *= 2


def _least(found: dict[int, list[Contributor]], item: int) -> int:
    """What a row has to give to an item at least to be told."""
    largest = found.get(item, [])
    return largest[-1].amount_minor if len(largest) == LARGEST_TOLD else 0


def _largest(found: Iterable[Contributor]) -> dict[int, list[Contributor]]:
    of_items: dict[int, list[Contributor]] = {}
    for contributor in found:
        of_items.setdefault(contributor.item, []).append(contributor)
    return {
        item: heapq.nsmallest(LARGEST_TOLD, rows, key=lambda c: (-abs(c.amount_minor), c))
        for item, rows in of_items.items()
    }


def _source_rows(
    rows: ReserveRows, live: LiveReserve, formula: Formula, issues: set[str]
) -> list[Contributor]:
    claims = [row for issue in sorted(issues) for row in rows.claims(issue)]
    locations = [row for issue in sorted(issues) for row in rows.locations(issue)]
    case = stock_case(claims, locations, rows.prices(issues))
    stock = stock_of(case, live.as_of, live.method, live.policy)
    allocated = allocate(stock, live.matrix)
    valued = issue_lines(stock, allocated.pairings, live.matrix, formula, live.policy).valued
    told = StockTold(live.terms(formula), live.policy, stock, allocated, valued)
    of_file = {"claims.csv": claims, "locations.csv": locations}
    return [
        Contributor(item, _name(of_file[file][line - FIRST_LINE]), amount)
        for item, file, line, _, amount in stock_source_rows(case, told).iter_rows()
        if amount
    ]


def _name(row: StockRow) -> str:
    owner = f" {row.account_id}" if row.account_id else ""
    return f"{row.issue} {row.kind.value}{owner}"


class _Ageing(NamedTuple):
    days_left: int
    item: int
    row: StockRow
    is_claim: bool

    def order(self) -> tuple[int, str, int]:
        return self.days_left, _name(self.row), self.row.quantity


def about_to_age(
    rows: ReserveRows, live: LiveReserve, totals: Sequence[TotalRow]
) -> dict[Formula, list[AgeingSoon]]:
    """What comes of age within days, soonest first, by formula; what would change nothing is left out."""
    limits = {
        item: [
            last_old_day(item, live.as_of + timedelta(days=days), live.method, live.policy)
            for days in range(AGEING_DAYS + 1)
        ]
        for item in {*AGED_BY.values(), *AGED_ITEMS}
    }
    ageing: list[_Ageing] = []
    for is_claim, opened in ((True, rows.deliveries()), (False, rows.opened_locations())):
        for row in opened:
            item = AGED_BY.get(row.kind)
            if item is not None and (days := _days_left(row.opened_epoch_day, limits[item])):
                ageing.append(_Ageing(days, item, row, is_claim))
    ageing = heapq.nsmallest(AGEING_TOLD, ageing, key=_Ageing.order)
    found: dict[Formula, list[AgeingSoon]] = {formula: [] for formula in Formula}
    for (days, item, row, _), added in zip(ageing, _if_of_age(rows, live, ageing), strict=True):
        for formula, amount in added.items():
            if amount:
                told = _day_told(row.opened_epoch_day)
                found[formula].append(AgeingSoon(item, _name(row), told, days, amount))
    for total in totals:
        item = ITEM_OF_TOTAL[total.item]
        days = _days_left(total.opened_epoch_day, limits[item]) if item in AGED_ITEMS else 0
        if days and total.amount_minor:
            told = _day_told(total.opened_epoch_day)
            soon = AgeingSoon(item, total.item.value, told, days, total.amount_minor)
            found[total.formula or Formula.CUSTOMER].append(soon)
    return {
        formula: sorted(soon, key=lambda s: (s.days_left, -s.amount_minor, s))
        for formula, soon in found.items()
    }


def _days_left(opened_epoch_day: int | None, last_old: list[date]) -> int:
    """In how many days what was opened then is over age; 0 where it is already, or not so soon."""
    if opened_epoch_day is None:
        return 0
    opened_on = date_of(opened_epoch_day)
    return next((days for days, last in enumerate(last_old) if opened_on <= last), 0)


def _day_told(opened_epoch_day: int | None) -> str:
    return date_of(opened_epoch_day or 0).isoformat()


def _if_of_age(rows: ReserveRows, live: LiveReserve, ageing: list[_Ageing]) -> list[dict[Formula, int]]:
    """Credits less debits that each row would add, were it over age and all else as it is.

    Each is tried in a copy of its issue, all copies in one pass.
    """
    if not ageing:
        return []
    claims: list[StockRow] = []
    locations: list[StockRow] = []
    prices: list[PriceRow] = []
    for n, (_, _, row, is_claim) in enumerate(ageing):
        copy = f"{n:06}"
        sides = {True: rows.claims(row.issue), False: rows.locations(row.issue)}
        sides[is_claim].remove(row)
        sides[is_claim].append(row._replace(opened_epoch_day=0))
        claims += [other._replace(issue=copy) for other in sides[True]]
        locations += [other._replace(issue=copy) for other in sides[False]]
        prices += [price._replace(issue=copy) for price in rows.prices([row.issue])]
    stock = stock_of(stock_case(claims, locations, prices), live.as_of, live.method, live.policy)
    pairings = allocate(stock, live.matrix).pairings
    added: list[dict[Formula, int]] = [{} for _ in ageing]
    for formula in Formula:
        aged = issue_lines(stock, pairings, live.matrix, formula, live.policy).measures[:REQUIREMENT]
        for n, soon in enumerate(ageing):
            change = aged[:, n] - live.issue_lines(formula, soon.row.issue)
            added[n][formula] = int((_SIGNS * change).sum())
    return added
