"""The reserve computation of one formula: from a case to the requirement and the deposit.

Owns: the order of the steps, the items' sums, the reduction, 105 % and what is due. Every step is a module of
its own. Source: 17 CFR 240.15c3-3(e) and 240.15c3-3a; 240.15c3-1(a)(1)(ii)(A).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple

import polars as pl

from engine.errors import BadInput, PlatformError
from engine.reserve.account_balances import credit, omnibus_credit
from engine.reserve.allocation import Allocation, Pairing, allocate
from engine.reserve.case_files import HOLDERS, Case
from engine.reserve.deadline import deposit_due
from engine.reserve.debit_balances import DebitBalances, debit_balances
from engine.reserve.eligible_deposit import (
    Counted,
    DepositOrder,
    ExcessDebits,
    ReserveBalance,
    count_deposits,
    deposit_order,
)
from engine.reserve.findings import REQUIREMENT, Gap, Note
from engine.reserve.firm_facts import FrequencyTold, capital_minimum, frequency_of
from engine.reserve.kinds import CREDIT_ITEMS, DEBIT_ITEMS, FORMULA_OF_HOLDER, Total
from engine.reserve.lines import StockLines, stock_lines
from engine.reserve.matrix import BOX_LAST, Long, Matrix, Short
from engine.reserve.net_capital import Requirement
from engine.reserve.policy import DEFAULT, RULES, Policy
from engine.reserve.possession import Determinations, determinations
from engine.reserve.stock import Stock, stock_of
from engine.reserve.terms import Formula, Frequency, Indeterminate, Method
from engine.reserve.totals import CaseTotals, is_of, totals_of

VERSION = "2026-2"  # of the arithmetic here; a change of outcomes is a new one
MONTHLY_PERCENT = 105
UNBALANCED_TOLD = 50  # issues that are named one by one


class Terms(NamedTuple):
    """What is computed: as of which day, by which method and how often, and for whom."""

    as_of: date
    method: Method
    frequency: Frequency
    formula: Formula = Formula.CUSTOMER


class Reduction(NamedTuple):
    """What is taken off debits. `amount_minor` is None where the debits are not known."""

    percent: int
    of: str
    source: str
    amount_minor: int | None


@dataclass(frozen=True)
class Computation:
    """A reserve computation. An amount is cents, and None where it is INDETERMINATE."""

    terms: Terms
    rule_version: str
    inputs: dict[str, str]
    lines: dict[int, int | None]  # 1 to 16
    notes: list[Note]
    gaps: list[Gap]
    total_credits_minor: int | None
    total_debits_minor: int | None
    reduction: Reduction
    requirement_minor: int | None
    excess_debits_minor: int | None
    eligible_deposit_minor: int | None
    counted_deposits: list[Counted]
    deposit_gap: str
    order: DepositOrder | None
    other_gap: str  # what the other formula would tell, and cannot
    deadline: datetime
    charge_minor: int | None
    aggregate_debits_minor: int | None  # of both formulas, before the reduction
    capital_minimum: Requirement | str | None
    frequency: FrequencyTold | None
    control: Determinations
    stock: Stock
    allocation: Allocation
    stock_lines: StockLines
    totals: CaseTotals
    policy: Policy

    @property
    def is_determinate(self) -> bool:
        """Whether the requirement is known, so that it can be filed."""
        return self.requirement_minor is not None


class Figure(NamedTuple):
    """One formula: lines 1 to 16, what keeps one from being known, and the requirement, in cents."""

    lines: dict[int, int | None]
    notes: list[Note]
    gaps: list[Gap]
    stock_lines: StockLines
    totals: CaseTotals
    credits: int | None
    debits: int | None
    reduction: Reduction
    requirement: int | None
    excess: int | None


class Basis:
    """What both formulas of a case rest on, and their figures, each computed once when it is asked for."""

    def __init__(self, case: Case, terms: Terms, policy: Policy = DEFAULT, matrix: Matrix = BOX_LAST) -> None:
        """Whose formula `terms` name is not looked at."""
        self.case, self.terms, self.policy, self.matrix = case, terms, policy, matrix
        self._figures: dict[Formula, Figure] = {}

    @cached_property
    def stock(self) -> Stock:
        """The stock record as pools."""
        return stock_of(self.case, self.terms.as_of, self.terms.method, self.policy)

    @cached_property
    def allocation(self) -> Allocation:
        """Who gets which unit: one allocation, so that no credit is used twice."""
        return allocate(self.stock, self.matrix)

    @cached_property
    def control(self) -> Determinations:
        """What must be in possession or control."""
        return determinations(self.case, self.terms.as_of)

    def figure(self, formula: Formula) -> Figure:
        """Lines and requirement of one formula. Raises BadInput on a file that is missing."""
        if formula not in self._figures:
            pairings = self.allocation.pairings
            terms = self.terms._replace(formula=formula)
            self._figures[formula] = _formula(
                self.case, terms, self.policy, self.matrix, self.stock, pairings
            )
        return self._figures[formula]


def compute(case: Case, terms: Terms, policy: Policy = DEFAULT, matrix: Matrix = BOX_LAST) -> Computation:
    """Compute one formula. Raises BadInput on terms that do not go together and on a file that is missing."""
    return compute_on(Basis(case, terms, policy, matrix), terms.formula)


def compute_on(basis: Basis, formula: Formula) -> Computation:
    """The same on a basis, which computes nothing twice for the other formula."""
    terms = basis.terms._replace(formula=formula)
    if (terms.formula, terms.method, terms.frequency) == (
        Formula.CUSTOMER,
        Method.ALTERNATIVE,
        Frequency.MONTHLY,
    ):
        raise BadInput(
            "the customer formula is not computed monthly under the alternative method; "
            "17 CFR 240.15c3-1(a)(1)(ii)(A)"
        )
    case, policy, matrix = basis.case, basis.policy, basis.matrix
    told = basis.figure(terms.formula)
    cover, other_gap, both_debits = None, "", told.debits
    other = Formula.CUSTOMER if terms.formula is Formula.PAB else Formula.PAB
    try:
        beside = basis.figure(other)
        both_debits = (
            None if None in (told.debits, beside.debits) else (told.debits or 0) + (beside.debits or 0)
        )
        if terms.formula is Formula.PAB:
            cover, other_gap = _customer_excess(case, terms, beside)
    except PlatformError as error:
        both_debits, other_gap = None, f"the {other.value} formula is not known: {error}"
    balances = reserve_balances(case, terms.formula)
    counted: list[Counted] = []
    order, deposit_gap = None, ""
    try:
        if not case.has("deposits.csv"):
            raise Indeterminate("deposits.csv is missing: what is on deposit is not known")
        counted = count_deposits(balances)
        if told.requirement is not None:
            order = deposit_order(
                terms.formula, terms.as_of, told.requirement, balances, customer_excess=cover
            )
    except Indeterminate as error:
        deposit_gap = str(error)
    return Computation(
        terms,
        rule_version(policy, matrix),
        case.digests,
        told.lines,
        told.notes,
        told.gaps,
        told.credits,
        told.debits,
        told.reduction,
        told.requirement,
        told.excess,
        None if deposit_gap else sum(c.total_minor for c in counted),
        counted,
        deposit_gap,
        order,
        other_gap,
        deposit_due(terms.as_of),
        told.stock_lines.charge_minor if terms.method is Method.ALTERNATIVE else 0,
        both_debits,
        capital_minimum(case, terms.method, both_debits),
        frequency_of(case, terms.formula, terms.method, terms.frequency, terms.as_of, told.lines[1]),
        basis.control,
        basis.stock,
        basis.allocation,
        told.stock_lines,
        told.totals,
        policy,
    )


def reserve_balances(case: Case, formula: Formula) -> list[ReserveBalance]:
    """What banks hold in reserve accounts for a formula; a row that names none is of any."""
    return [
        ReserveBalance(
            row["bank"],
            row["cash"] or 0,
            row["bank_equity"],
            bool(row["affiliate"]),
            row["qualified_securities"] or 0,
        )
        for row in is_of(case.deposits, formula, formula).iter_rows(named=True)
    ]


def rule_version(policy: Policy = DEFAULT, matrix: Matrix = BOX_LAST) -> str:
    """What decides an outcome beside the inputs: the rule, this arithmetic, the matrix and the switches."""
    changed = ", ".join(f"{name}={value}" for name, value in policy.changed.items())
    switches = f"policy {changed or 'default'} {policy.version}"
    return f"{RULES}; computation {VERSION}; matrix {matrix.version}; {switches}"


def inputs_digest(case_digests: dict[str, str]) -> str:
    """One digest over all files of a case."""
    told = "".join(f"{digest}  {name}\n" for name, digest in sorted(case_digests.items()))
    return hashlib.sha256(told.encode()).hexdigest()


def _formula(
    case: Case, terms: Terms, policy: Policy, matrix: Matrix, stock: Stock, pairings: list[Pairing]
) -> Figure:
    formula = terms.formula
    from_stock = stock_lines(stock, pairings, matrix, formula, policy, has_prices=case.has("prices.csv"))
    is_lone = not case.has_customers
    totals = totals_of(case.other, formula, terms.as_of, terms.method, policy, is_lone=is_lone)
    debits = debit_balances(case, formula, totals.amounts.get(Total.MARGIN_DEBITS_DIVERSIFIED, 0), policy)
    credits = credits_of(credit_balances(case, formula))
    return figure_of(terms, credits, from_stock, totals, debits, unbalanced_issues(stock, matrix, formula))


def figure_of(
    terms: Terms,
    credits: Credits,
    from_stock: StockLines,
    totals: CaseTotals,
    debits: DebitBalances,
    unbalanced: list[Unbalanced],
) -> Figure:
    """Lines, reduction and requirement of a formula out of what accounts, stock record and totals give."""
    gaps = [*_unbalanced_gaps(unbalanced), *from_stock.gaps, *totals.gaps, *debits.gaps]
    unknown = {gap.item for gap in gaps}
    from_accounts = {1: credits.amount_minor, 10: debits.amount_minor}
    items: dict[int, int] = {
        item: from_accounts.get(item, 0) + from_stock.items.get(item, 0) + totals.of_item(item)
        for item in (*CREDIT_ITEMS, *DEBIT_ITEMS)
    }
    lines: dict[int, int | None] = {
        item: None if item in unknown else amount for item, amount in items.items()
    }
    total_credits, total_debits = _total(lines, CREDIT_ITEMS), _total(lines, DEBIT_ITEMS)
    reduction = _reduction(terms, lines[10], total_debits)
    requirement = excess = None
    notes = [*totals.notes, *_credit_notes(credits), *from_stock.notes, *debits.notes]
    is_known = not gaps and total_credits is not None and total_debits is not None
    if is_known and reduction.amount_minor is not None:
        net = total_credits - (total_debits - reduction.amount_minor)  # type: ignore[operator]
        requirement, excess = max(net, 0), max(-net, 0)
        if (terms.formula, terms.frequency) == (Formula.CUSTOMER, Frequency.MONTHLY):
            monthly = -(-requirement * MONTHLY_PERCENT // 100)
            if monthly != requirement:
                notes.append(
                    Note("105 %", REQUIREMENT, monthly - requirement, "computed monthly, (e)(3)(i)(C)")
                )
            requirement = monthly
    lines[REQUIREMENT] = requirement
    return Figure(
        lines, notes, gaps, from_stock, totals, total_credits, total_debits, reduction, requirement, excess
    )


def _total(lines: dict[int, int | None], items: range) -> int | None:
    amounts = [lines[item] for item in items]
    return None if None in amounts else sum(amount for amount in amounts if amount is not None)


def _reduction(terms: Terms, item_10: int | None, total_debits: int | None) -> Reduction:
    """What debits are reduced by, rounded up to a cent: nothing may lower the requirement by rounding."""
    if terms.formula is Formula.PAB:
        return Reduction(0, "none", "PAB Note 4: neither Note E(3) nor what stands in its place", 0)
    if terms.method is Method.BASIC:
        percent, of, source, whole = 1, "item 10", "17 CFR 240.15c3-3a Note E(3)", item_10
    else:
        percent = 2 if terms.frequency is Frequency.DAILY else 3
        of, source, whole = "total debits", "17 CFR 240.15c3-1(a)(1)(ii)(A)", total_debits
    return Reduction(percent, of, source, None if whole is None else -(-whole * percent // 100))


class Credits(NamedTuple):
    """Item 1 of accounts, and what of it Note E(2) adds, in cents."""

    amount_minor: int
    omnibus_minor: int


def credits_of(balances: pl.DataFrame) -> Credits:
    """The sums of `credit_balances`."""
    return Credits(int(balances["credit"].sum()), int(balances["omnibus"].sum()))


def credit_balances(case: Case, formula: Formula) -> pl.DataFrame:
    """Item 1: what the firm owes each account in cash; no debit is set against another's credit.

    Columns: account_id, credit, and omnibus, which is what Note E(2) adds to it.
    """
    holders = [n for n, holder in enumerate(HOLDERS) if FORMULA_OF_HOLDER.get(holder) is formula]
    return case.accounts.filter(pl.col("class").is_in(holders)).select(
        "account_id", credit().alias("credit"), omnibus_credit().alias("omnibus")
    )


def _credit_notes(credits: Credits) -> list[Note]:
    basis = "deficits in omnibus accounts, less calls on them, beyond their debits"
    return [Note("E(2)", 1, credits.omnibus_minor, basis)] if credits.omnibus_minor else []


class Unbalanced(NamedTuple):
    """An issue whose sides differ, by claims less locations, and the items that it may therefore change."""

    issue: str
    difference: int
    items: set[int]


def unbalanced_issues(stock: Stock, matrix: Matrix, formula: Formula) -> list[Unbalanced]:
    """Issues whose sides differ, in order."""
    return [
        Unbalanced(
            stock.issues[place],
            int(stock.difference[place]),
            _items_within_reach(stock, matrix, formula, place),
        )
        for place in stock.difference.nonzero()[0].tolist()
    ]


def _unbalanced_gaps(unbalanced: list[Unbalanced]) -> list[Gap]:
    """What issues whose sides differ leave unknown: the requirement, and each item within their reach."""
    gaps: list[Gap] = []
    touched: dict[int, list[str]] = {}
    for issue, difference, items in unbalanced:
        more, less = ("claims", "locations") if difference > 0 else ("locations", "claims")
        if len(gaps) < UNBALANCED_TOLD:
            reason = f"issue {issue} does not balance: {more} exceed {less} by {abs(difference)}"
            gaps.append(Gap(REQUIREMENT, reason))
        for item in items:
            touched.setdefault(item, []).append(issue)
    if len(unbalanced) > UNBALANCED_TOLD:
        gaps.append(Gap(REQUIREMENT, f"{len(unbalanced) - UNBALANCED_TOLD} more issues do not balance"))
    return gaps + [
        Gap(
            item,
            f"{len(names)} issues do not balance" if len(names) > 1 else f"issue {names[0]} does not balance",
        )
        for item, names in sorted(touched.items())
    ]


def _items_within_reach(stock: Stock, matrix: Matrix, formula: Formula, place: int) -> set[int]:
    identified = stock.identified.issue == place
    longs = stock.general.longs.quantity[:, place] + stock.identified.longs.quantity[:, identified].sum(
        axis=1
    )
    shorts = stock.general.shorts.quantity[:, place] + stock.identified.shorts.quantity[:, identified].sum(
        axis=1
    )
    return {
        cell.item
        for (long, short), cell in matrix.cells.items()
        if cell.item and cell.formula is formula and longs[Long(long)] > 0 and shorts[Short(short)] > 0
    }


def _customer_excess(case: Case, terms: Terms, customers: Figure) -> tuple[ExcessDebits | None, str]:
    """Customers' excess debits of the same day, which may cover a PAB deposit. Source: (e)(4)."""
    if not case.has_customers:
        return None, ""
    if customers.excess is None:
        return None, "customers' excess debits are not known: their formula is INDETERMINATE"
    return ExcessDebits(Formula.CUSTOMER, terms.as_of, customers.excess), ""
