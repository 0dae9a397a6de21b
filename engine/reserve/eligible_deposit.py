"""What on deposit counts toward the reserve, and what has to be put in or may be taken out.

Owns: the eligible part of each bank's balance, the deposit or withdrawal that follows from a requirement, and
the test that a withdrawal has to pass. Does not own the requirement, or the people who order and approve.
Amounts are integers in cents.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from engine.errors import BadInput
from engine.reserve.terms import Formula, Indeterminate

CASH_PERCENT = 15  # of the bank's equity capital, (e)(5)


class ReserveBalance(NamedTuple):
    """What one bank holds in a reserve account.

    `bank_equity_minor` is the equity capital of its latest Call Report, None when it is not known: then its
    cash cannot be judged, unless it has none or is an affiliate. `qualified_securities_minor` is the market
    value of securities issued or guaranteed by the United States.
    """

    bank: str
    cash_minor: int
    bank_equity_minor: int | None = None
    is_affiliate: bool = False
    qualified_securities_minor: int = 0


class Counted(NamedTuple):
    """What counts of one bank's balance, and of its cash what does not, with the reason."""

    bank: str
    cash_minor: int
    securities_minor: int
    excluded_cash_minor: int
    reason: str

    @property
    def total_minor(self) -> int:
        """What counts."""
        return self.cash_minor + self.securities_minor


def count_deposits(balances: Sequence[ReserveBalance]) -> list[Counted]:
    """What counts of each bank's balance, a bank once, in the order of their names.

    No cash at an affiliated bank; of cash at another bank at most 15 % of its equity capital, over all its
    accounts together. Rounded down to a cent. Raises Indeterminate when a bank's equity is needed and
    missing, BadInput on a negative balance or on two descriptions of one bank.
    Source: 17 CFR 240.15c3-3(e)(5).
    """
    return [_counted(bank) for bank in _by_bank(balances)]


def eligible_minor(balances: Sequence[ReserveBalance]) -> int:
    """The sum of what counts. Raises as `count_deposits`."""
    return sum(c.total_minor for c in count_deposits(balances))


def cash_room_minor(balance: ReserveBalance) -> int:
    """How much more cash would count at a bank. Raises Indeterminate when its equity is missing."""
    if balance.is_affiliate:
        return 0
    return max(_cash_limit(balance) - balance.cash_minor, 0)


class Direction(StrEnum):
    """Which way money goes."""

    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    NONE = "NONE"


class DepositOrder(NamedTuple):
    """What follows from a requirement: how much goes which way at least, or at most.

    A deposit is due in full. A withdrawal is what may be taken out of what counts; nobody has to.
    `covered_minor` is the part of a PAB requirement that customers' excess debits cover.
    """

    formula: Formula
    as_of: date
    direction: Direction
    amount_minor: int
    requirement_minor: int
    covered_minor: int
    eligible_minor: int


def deposit_order(
    formula: Formula,
    as_of: date,
    requirement_minor: int,
    balances: Sequence[ReserveBalance],
    *,
    customer_excess: ExcessDebits | None = None,
) -> DepositOrder:
    """The deposit that is missing, or what may be withdrawn.

    `customer_excess` may cover a PAB requirement of the same date, never a customer one.
    Raises as `count_deposits`. Source: 17 CFR 240.15c3-3(e)(1), (e)(4), (g).
    """
    if requirement_minor < 0:
        raise BadInput(f"a requirement of {requirement_minor} cents is no requirement")
    covered = covered_minor(formula, as_of, requirement_minor, customer_excess)
    eligible = eligible_minor(balances)
    missing = requirement_minor - covered - eligible
    direction = Direction.DEPOSIT if missing > 0 else Direction.WITHDRAWAL if missing < 0 else Direction.NONE
    return DepositOrder(formula, as_of, direction, abs(missing), requirement_minor, covered, eligible)


class ExcessDebits(NamedTuple):
    """By how much debits exceeded credits in a computation, and of which formula and day it was."""

    formula: Formula
    as_of: date
    amount_minor: int


def covered_minor(formula: Formula, as_of: date, requirement_minor: int, excess: ExcessDebits | None) -> int:
    """The part of a requirement that excess debits cover: customers' of the same date, for PAB alone.

    Source: 17 CFR 240.15c3-3(e)(4).
    """
    if excess is None or excess.as_of != as_of:
        return 0
    if (formula, excess.formula) != (Formula.PAB, Formula.CUSTOMER):
        return 0
    return min(max(excess.amount_minor, 0), requirement_minor)


class Withdrawal(NamedTuple):
    """What a firm wants to take out of one bank's reserve account."""

    bank: str
    cash_minor: int = 0
    securities_minor: int = 0


class WithdrawalTest(NamedTuple):
    """Whether a withdrawal may be made, what would remain, and why not; it is the record of its day."""

    is_allowed: bool
    remaining_minor: int
    requirement_minor: int
    computed_as_of: date
    withdrawn_on: date
    reason: str


def withdrawal_allowed(
    withdrawals: Sequence[Withdrawal],
    balances: Sequence[ReserveBalance],
    requirement_minor: int,
    *,
    computed_as_of: date,
    withdrawn_on: date,
    is_test_run: bool = False,
) -> WithdrawalTest:
    """Whether what remains is at least what is required at the time of the withdrawal.

    The requirement is that of the supporting computation less what covers it; the answer is to be kept with
    the day's records. Swept credits do not count for a withdrawal, and no withdrawal rests on a test run.
    Raises BadInput on a withdrawal of more than a bank holds. Source: 17 CFR 240.15c3-3(g).
    """
    left = {b.bank: b for b in _by_bank(balances)}
    for wanted in withdrawals:
        held = left.get(wanted.bank)
        if held is None:
            raise BadInput(f"no reserve account is kept with {wanted.bank}")
        cash = held.cash_minor - wanted.cash_minor
        securities = held.qualified_securities_minor - wanted.securities_minor
        if min(wanted.cash_minor, wanted.securities_minor, cash, securities) < 0:
            raise BadInput(f"{wanted.bank} does not hold what is to be withdrawn from it")
        left[wanted.bank] = held._replace(cash_minor=cash, qualified_securities_minor=securities)
    remaining = eligible_minor(list(left.values()))
    reason = ""
    if computed_as_of > withdrawn_on:
        raise BadInput(f"a computation as of {computed_as_of} cannot support a withdrawal on {withdrawn_on}")
    if is_test_run:
        reason = "the computation is a test run"
    elif remaining < requirement_minor:
        reason = f"{remaining} cents would remain, {requirement_minor} are required"
    return WithdrawalTest(not reason, remaining, requirement_minor, computed_as_of, withdrawn_on, reason)


def _by_bank(balances: Sequence[ReserveBalance]) -> list[ReserveBalance]:
    found: dict[str, ReserveBalance] = {}
    for balance in balances:
        if balance.cash_minor < 0 or balance.qualified_securities_minor < 0:
            raise BadInput(f"the balance with {balance.bank} is negative")
        former = found.get(balance.bank)
        if former is None:
            found[balance.bank] = balance
            continue
        equities = {former.bank_equity_minor, balance.bank_equity_minor} - {None}  # one row may tell it
        if len(equities) > 1 or former.is_affiliate != balance.is_affiliate:
            raise BadInput(f"{balance.bank} is described in two ways")
        found[balance.bank] = former._replace(
            bank_equity_minor=next(iter(equities), None),
            cash_minor=former.cash_minor + balance.cash_minor,
            qualified_securities_minor=former.qualified_securities_minor + balance.qualified_securities_minor,
        )
    return [found[name] for name in sorted(found)]


def _cash_limit(balance: ReserveBalance) -> int:
    if balance.bank_equity_minor is None:
        raise Indeterminate(f"the equity capital of {balance.bank} in its latest Call Report is missing")
    return max(balance.bank_equity_minor * CASH_PERCENT // 100, 0)


def _counted(balance: ReserveBalance) -> Counted:
    cash, reason = balance.cash_minor, ""
    if balance.is_affiliate:
        cash, reason = 0, "an affiliated bank's cash does not count"
    elif balance.cash_minor and (limit := _cash_limit(balance)) < balance.cash_minor:
        cash, reason = limit, f"cash over {CASH_PERCENT} % of the bank's equity capital does not count"
    return Counted(balance.bank, cash, balance.qualified_securities_minor, balance.cash_minor - cash, reason)
