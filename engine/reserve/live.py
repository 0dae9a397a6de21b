"""A computation that is kept: rows of some issues or accounts are replaced, and the figure follows.

Owns: what is kept of each issue and account, and their sums. Does not own any rule: what changed is computed
by the functions that compute a whole case, on the rows that changed. Issues do not look at each other, and an
account looks at its own securities and its household alone; what looks at all of them, Notes E(1) and E(5),
is reckoned anew from kept rows. Source: 17 CFR 240.15c3-3a.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from engine.reserve.allocation import allocate
from engine.reserve.case_files import COLUMNS, FIRM, HOLDERS, Case
from engine.reserve.computation import (
    Credits,
    Figure,
    Terms,
    Unbalanced,
    credit_balances,
    figure_of,
    reserve_balances,
    unbalanced_issues,
)
from engine.reserve.csv_columns import FIRST_LINE, LINE, Form, type_of
from engine.reserve.debit_balances import (
    ITEM,
    AccountDebts,
    DebitBalances,
    account_debts,
    item_10,
    nameless_claims,
)
from engine.reserve.eligible_deposit import Counted, count_deposits
from engine.reserve.exact import Ints
from engine.reserve.findings import REQUIREMENT
from engine.reserve.kinds import FORMULA_OF_HOLDER, Total
from engine.reserve.lines import MEASURES, IssueLines, Missing, issue_lines, summed
from engine.reserve.matrix import BOX_LAST, Matrix
from engine.reserve.policy import DEFAULT, Policy
from engine.reserve.stock import stock_of
from engine.reserve.terms import Formula, Frequency, Method
from engine.reserve.totals import CaseTotals, totals_of

_CUSTOMERS = frozenset(n for n, h in enumerate(HOLDERS) if FORMULA_OF_HOLDER.get(h) is Formula.CUSTOMER)


def case_of_rows(firm: dict[str, Any] | None = None, /, **tables: Iterable[Sequence[Any]]) -> Case:
    """A part of a case out of rows: `accounts`, `claims`, `locations`, `prices`, `other`, `deposits`.

    A row has the columns of its file in their order, words as numbers, money in cents, days since 1970; what
    is left out at its end is None.
    """
    frames = [_frame(name, list(tables.get(name.removesuffix(".csv"), ()))) for name in COLUMNS]
    return Case(*frames, firm=firm or {}, digests=dict.fromkeys([*COLUMNS, FIRM], ""))


def _frame(name: str, rows: list[Sequence[Any]]) -> pl.DataFrame:
    columns = COLUMNS[name]
    given = list(zip(*rows, strict=True)) if rows else []
    series = [
        pl.Series(c.name, given[at], pl.Int32).cast(pl.Date)
        if at < len(given) and c.form is Form.DATE
        else pl.Series(c.name, given[at] if at < len(given) else [None] * len(rows), type_of(c))
        for at, c in enumerate(columns)
    ]
    lines = pl.Series(LINE, np.arange(FIRST_LINE, FIRST_LINE + len(rows)), pl.UInt32)
    return pl.DataFrame([lines, *series])


class _Kept:
    """One formula: its measures by issue, its debits by account."""

    def __init__(self) -> None:
        self.measures: Ints = np.zeros((MEASURES, 0), np.int64)  # (measures, places of issues)
        self.sums: Ints = np.zeros(MEASURES, np.int64)
        self.missing: dict[str, list[Missing]] = {}
        self.unbalanced: dict[str, Unbalanced] = {}
        self.credits: dict[str, Credits] = {}  # every account of the formula
        self.all_credits = Credits(0, 0)
        self.debts: AccountDebts | None = None
        self.nameless: dict[str, pl.DataFrame] = {}  # issue: its claims that name no account
        self.item_10: DebitBalances | None = None  # None where it has to be reckoned anew
        self.totals: CaseTotals | None = None

    def put(self, issues: Collection[str], places: Ints, at: Ints, lines: IssueLines) -> None:
        """Put lines in place of what issues gave; `places` are theirs, `at` those that have lines."""
        if (short := int(places.max(initial=-1)) + 1 - self.measures.shape[1]) > 0:
            room = max(short, self.measures.shape[1])
            self.measures = np.pad(self.measures, ((0, 0), (0, room)))
        self.sums -= self.measures[:, places].sum(axis=1)
        self.measures[:, places] = 0
        self.measures[:, at] = lines.measures
        self.sums += lines.measures.sum(axis=1)
        for issue in issues:
            self.missing.pop(issue, None)
            self.unbalanced.pop(issue, None)
        for missing in lines.missing:
            for issue in missing.issues:
                self.missing.setdefault(issue, []).append(missing._replace(issues=[issue]))

    def put_nameless(self, issues: Collection[str], claims: pl.DataFrame) -> None:
        """Put claims that name no account in place of those of issues."""
        before = [self.nameless.pop(issue, None) for issue in issues]
        self.nameless |= {str(issue): rows for (issue,), rows in claims.group_by("issue")}
        if len(claims) or any(rows is not None for rows in before):
            self.item_10 = None

    def put_credits(self, before: Collection[str], balances: pl.DataFrame) -> None:
        """Put balances in place of what accounts had before."""
        gone = [self.credits.pop(account) for account in before]
        now = {account: Credits(*amounts) for account, *amounts in balances.iter_rows()}
        self.credits |= now
        self.all_credits = Credits(
            *(
                kept + sum(c[at] for c in now.values()) - sum(c[at] for c in gone)
                for at, kept in enumerate(self.all_credits)
            )
        )

    def all_missing(self) -> list[Missing]:
        """What is missing over all issues, told once for each pair and reason."""
        found: dict[Missing, list[str]] = {}
        for issue in sorted(self.missing):
            for missing in self.missing[issue]:
                key = missing._replace(issues=())
                found.setdefault(key, []).append(issue)
        return [missing._replace(issues=tuple(issues)) for missing, issues in found.items()]


class LiveReserve:
    """Both formulas of a case of which parts are replaced."""

    def __init__(
        self, method: Method, frequency: Frequency, policy: Policy = DEFAULT, matrix: Matrix = BOX_LAST
    ) -> None:
        """Begin without an issue or account, on no day."""
        self.method, self.frequency, self.policy, self.matrix = method, frequency, policy, matrix
        self.as_of = date.min
        self.facts = case_of_rows()
        self._places: dict[str, int] = {}
        self._customers: set[str] = set()
        self._kept = {formula: _Kept() for formula in Formula}

    def begin_day(self, as_of: date) -> None:
        """Another day. Issues with rows that age have to be replaced, and totals are aged anew."""
        self.as_of = as_of
        for kept in self._kept.values():
            kept.totals = None

    def replace_issues(self, issues: Collection[str], stock: Case) -> None:
        """Replace all claims and locations of issues by those of a case with their prices, or by none.

        Issues that one loan without contract values lies over have to come together.
        """
        now = stock_of(stock, self.as_of, self.method, self.policy)
        pairings = allocate(now, self.matrix).pairings
        places = np.array([self._place(issue) for issue in issues], np.int64)
        at = np.array([self._place(issue) for issue in now.issues], np.int64)
        for formula, kept in self._kept.items():
            kept.put(issues, places, at, issue_lines(now, pairings, self.matrix, formula, self.policy))
            kept.unbalanced |= {u.issue: u for u in unbalanced_issues(now, self.matrix, formula)}
            kept.put_nameless(issues, nameless_claims(stock, formula))

    def replace_accounts(self, accounts: Collection[str], holders: Case) -> None:
        """Replace accounts by those of a case, with all their claims and the prices of these, or by none.

        Accounts that share a household have to come together.
        """
        named, were_customers = set(accounts), bool(self._customers)
        self._customers -= named
        held = dict(zip(holders.accounts["account_id"], holders.accounts["class"], strict=True))
        self._customers |= {account for account, holder in held.items() if holder in _CUSTOMERS}
        for formula, kept in self._kept.items():
            if were_customers != bool(self._customers):
                kept.totals = None
            before = named & kept.credits.keys()
            credits = credit_balances(holders, formula)
            if not before and not len(credits):
                continue
            kept.put_credits(before, credits)
            debts = account_debts(holders, formula, self.policy)
            if kept.debts is not None:
                stays = ~pl.col("account_id").is_in(pl.Series(sorted(named), dtype=pl.String).implode())
                debts = AccountDebts(
                    *(pl.concat([old.filter(stays), new]) for old, new in zip(kept.debts, debts, strict=True))
                )
            kept.debts, kept.item_10 = debts, None

    def replace_facts(self, facts: Case) -> None:
        """Replace totals, deposits and what the firm says of itself by those of a case."""
        self.facts = facts
        for kept in self._kept.values():
            kept.totals = kept.item_10 = None

    def figure(self, formula: Formula) -> Figure:
        """Lines and requirement of a formula, without pairings.

        Raises BadInput where Note E(5) needs the firm's tentative net capital and it is not told.
        """
        kept = self._kept[formula]
        if kept.totals is None:
            kept.totals = totals_of(
                self.facts.other,
                formula,
                self.as_of,
                self.method,
                self.policy,
                is_lone=not self._customers,
            )
            kept.item_10 = None
        diversified = kept.totals.amounts.get(Total.MARGIN_DEBITS_DIVERSIFIED, 0)
        if kept.debts is None:
            debits = DebitBalances(0, [], [])
        else:
            debts = kept.debts._replace(nameless=pl.concat([kept.debts.nameless, *kept.nameless.values()]))
            debits = kept.item_10 or item_10(self.facts, debts, diversified, self.policy)
            kept.item_10 = debits
        unbalanced = [kept.unbalanced[issue] for issue in sorted(kept.unbalanced)]
        from_stock = summed([], kept.sums, kept.all_missing())
        return figure_of(self.terms(formula), kept.all_credits, from_stock, kept.totals, debits, unbalanced)

    def terms(self, formula: Formula) -> Terms:
        """What is computed."""
        return Terms(self.as_of, self.method, self.frequency, formula)

    def deposits(self, formula: Formula) -> list[Counted]:
        """What counts on deposit. Raises Indeterminate where a bank's equity is needed and not told."""
        return count_deposits(reserve_balances(self.facts, formula))

    def issue_amounts(self, formula: Formula) -> list[tuple[str, int, int]]:
        """What issues give to lines: issue, item and cents, the largest first."""
        kept = self._kept[formula]
        amounts = kept.measures[1:REQUIREMENT]
        items, places = amounts.nonzero()
        order = np.argsort(-np.abs(amounts[items, places]), kind="stable").tolist()
        issues = list(self._places)
        return [(issues[places[n]], int(items[n]) + 1, int(amounts[items[n], places[n]])) for n in order]

    def issue_lines(self, formula: Formula, issue: str) -> Ints:
        """What one issue gives to the lines, shape (REQUIREMENT,), under the numbers of the items."""
        return self._kept[formula].measures[:REQUIREMENT, self._places[issue]]

    def account_amounts(self, formula: Formula) -> list[tuple[str, int, int]]:
        """What accounts give to Items 1 and 10 before the cuts of Note E: account, item and cents."""
        kept = self._kept[formula]
        amounts = [(account, 1, c.amount_minor) for account, c in kept.credits.items() if c.amount_minor]
        if kept.debts is not None:
            debits = kept.debts.by_account.select("account_id", "debit")
            amounts += [(account, ITEM, cents) for account, cents in debits.iter_rows()]
        return amounts

    def _place(self, issue: str) -> int:
        return self._places.setdefault(issue, len(self._places))
