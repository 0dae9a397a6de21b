"""No withdrawal leaves less in a reserve than the latest computation asks for, whatever was done before.

The oracle keeps plain dicts and counts for itself; it knows neither the engine's state nor its rules.
Source: 17 CFR 240.15c3-3(e)(5), (g).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import RejectReason, ReserveFormula
from schemas.ledger import ContributeCapital
from schemas.reserve import (
    ApproveReserveOrder,
    OpenReserveAccount,
    PrepareReserveOrder,
    RecordBankEquity,
    RejectReserveOrder,
    ReserveDepositOrdered,
)
from tests.support.slow_lane import MONDAY, USD, open_firm

BANKS = {1: 0, 2: 0, 3: 1}  # and whether an affiliate's
ORDER = (
    st.sampled_from((1, 1, 2, 3)),  # bank
    st.sampled_from(tuple(ReserveFormula)),
    st.one_of(st.integers(-150, -1), st.integers(0, 300)),  # moved
    st.sampled_from((0, 100, 250, 300, 400)),  # required
    st.integers(0, 2),  # days ago
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), *ORDER),  # prepared, and approved at once
        st.tuples(st.just("prepare"), *ORDER),
        st.tuples(st.sampled_from(("approve", "approve", "reject")), st.integers(0, 9), st.integers(1, 2)),
        st.tuples(st.just("equity"), st.sampled_from((1, 2)), st.sampled_from((500, 1_000, 2_000, 4_000))),
    ),
    min_size=4,
    max_size=30,
)


class Plain:
    """What is where, and what was computed, in the order in which it happened."""

    def __init__(self) -> None:
        self.cash: Counter[tuple[int, int]] = Counter()  # bank, formula
        self.equity: dict[int, int] = {}
        self.computed: list[tuple[int, int, int, int]] = []  # day, number, formula, required

    def counts(self, formula: int) -> int:
        """What counts of one formula's cash."""
        return sum(
            min(cash, self.equity.get(bank, 0) * 15 // 100)
            for (bank, whose), cash in self.cash.items()
            if whose == formula and not BANKS[bank]
        )

    def required(self, formula: int) -> int:
        """The newest day's, and of that day the last prepared."""
        known = [c for c in self.computed if c[2] == formula]
        newest = max((day for day, *_ in known), default=0)
        return [required for day, _, _, required in known if day == newest][-1] if known else 0


class Walk:
    """A firm, and the plain account of it. Each bank begins with 300 cents of each formula."""

    def __init__(self) -> None:
        self.firm, self.plain, self.number = open_firm(), Plain(), 0
        self.firm.must(ContributeCapital, asset_id=USD, amount_units=100_000, operator_id=1)
        for bank, is_affiliate in BANKS.items():
            self.equity(bank, 4_000)
            for formula in ReserveFormula:
                told = {"bank_id": bank, "reserve_formula_code": formula, "is_affiliate": is_affiliate}
                self.firm.must(OpenReserveAccount, letter_document_id=1, operator_id=1, **told)
                self.approve(self.prepare(bank, formula, 300, 0, 3), 2)

    def prepare(self, bank: int, formula: int, amount: int, required: int, days_ago: int) -> int:
        self.number += 1
        self.firm.must(
            PrepareReserveOrder,
            payment_id=self.number,
            asset_id=USD,
            amount_units=amount,
            as_of_epoch_day=MONDAY - days_ago,
            required_minor=required,
            eligible_minor=0,
            operator_id=1,
            bank_id=bank,
            reserve_formula_code=formula,
        )
        self.plain.computed.append((MONDAY - days_ago, self.number, formula, required))
        return self.number

    def approve(self, number: int, operator: int) -> None:
        reason = self.firm.do(ApproveReserveOrder, payment_id=number, operator_id=operator)
        moves = self.firm.of(ReserveDepositOrdered)
        assert (reason is RejectReason.NONE) == bool(moves)
        for moved in moves:
            assert operator != 1, "the maker approved"
            whose = moved.reserve_formula_code
            self.plain.cash[moved.bank_id, whose] += moved.deposit_minor - moved.withdrawal_minor
            if moved.withdrawal_minor:
                assert self.plain.cash[moved.bank_id, whose] >= 0
                assert self.plain.counts(whose) >= self.plain.required(whose)

    def reject(self, number: int, operator: int) -> None:
        if self.firm.do(RejectReserveOrder, payment_id=number, operator_id=operator) is RejectReason.NONE:
            self.plain.computed = [c for c in self.plain.computed if c[1] != number]

    def equity(self, bank: int, minor: int) -> None:
        told = {"equity_minor": minor, "as_of_epoch_day": MONDAY, "operator_id": 1}
        self.firm.must(RecordBankEquity, bank_id=bank, **told)
        self.plain.equity[bank] = minor


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_what_remains_after_a_withdrawal_is_what_is_required(steps: list[tuple[Any, ...]]) -> None:
    walk = Walk()
    for verb, *rest in steps:
        if verb == "order":
            walk.approve(walk.prepare(*rest), 2)
        elif verb == "prepare":
            walk.prepare(*rest)
        elif verb == "equity":
            walk.equity(*rest)
        else:
            back, operator = rest  # one of the last orders
            decide = walk.approve if verb == "approve" else walk.reject
            decide(max(walk.number - back, 1), operator)
