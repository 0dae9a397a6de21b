"""Amounts of other.csv: which formula they are of, whether they are of age, and their item.

Owns: the totals that come without a row of the stock record. Does not own the ages (`ageing.py`).
Source: 17 CFR 240.15c3-3a Items 1, 6 to 10 and 13 to 15, Note A.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import polars as pl

from engine.reserve.ageing import age_words, last_old_day
from engine.reserve.case_files import FORMULAS, TOTALS
from engine.reserve.csv_columns import LINE
from engine.reserve.findings import Gap, Note
from engine.reserve.kinds import ITEM_OF_TOTAL, Total
from engine.reserve.policy import Policy
from engine.reserve.terms import Formula, Method

AGED_ITEMS = (6, 7, 8, 9)


class CaseTotals(NamedTuple):
    """What other.csv adds to each total of a formula, in cents."""

    amounts: dict[Total, int]
    rows: list[tuple[int, int, int]]  # item, line of other.csv, cents
    notes: list[Note]
    gaps: list[Gap]

    def of_item(self, item: int) -> int:
        """The sum of an item."""
        return sum(amount for total, amount in self.amounts.items() if ITEM_OF_TOTAL[total] == item)


def is_of(table: pl.DataFrame, formula: Formula, default: Formula) -> pl.DataFrame:
    """Rows of a formula; those that name none are of the default one."""
    told = pl.col("formula").fill_null(FORMULAS.index(default))
    return table.filter(told == FORMULAS.index(formula))


def totals_of(
    other: pl.DataFrame, formula: Formula, as_of: date, method: Method, policy: Policy, *, is_lone: bool
) -> CaseTotals:
    """Totals of a formula out of other.csv.

    A row that names no formula is the customers', or where there is no customer (`is_lone`) of the formula
    that is asked for.
    """
    rows = is_of(other, formula, formula if is_lone else Formula.CUSTOMER)
    amounts: dict[Total, int] = {}
    counted: list[tuple[int, int, int]] = []
    notes: list[Note] = []
    gaps: list[Gap] = []
    for line, number, amount, opened_on in rows.select(LINE, "item", "amount", "opened_on").iter_rows():
        total = TOTALS[number]
        item = ITEM_OF_TOTAL[total]
        if amount is None:
            gaps.append(Gap(item, f"other.csv, line {line}: the amount of {total} is missing"))
        elif item not in AGED_ITEMS:
            amounts[total] = amounts.get(total, 0) + amount
            counted.append((item, line, amount))
        elif opened_on is None and amount:
            gaps.append(
                Gap(item, f"other.csv, line {line}: opened_on of {total} is missing, which decides on it")
            )
        elif opened_on is not None and opened_on <= last_old_day(item, as_of, method, policy):
            amounts[total] = amounts.get(total, 0) + amount
            counted.append((item, line, amount))
        elif amount:
            notes.append(
                Note(f"Item {item}", item, 0, f"{total} of {opened_on} is not {age_words(item, method)} old")
            )
    if drafts := amounts.get(Total.DRAFTS, 0):
        notes.append(
            Note(
                "A",
                1,
                drafts,
                "drafts and checks drawn against credit balances or in excess of bank balances",
            )
        )
    return CaseTotals(amounts, counted, notes, gaps)
