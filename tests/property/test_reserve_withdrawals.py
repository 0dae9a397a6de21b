"""No withdrawal leaves less in a reserve than the latest computation asks for, whatever was done before.

The oracle keeps plain dicts and counts for itself; it knows neither the engine's state nor its rules.
Source: 17 CFR 240.15c3-3(e)(5), (g).
"""

from __future__ import annotations

from collections import Counter

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
NUMBERS = st.integers(1, 12)
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("prepare"),
            NUMBERS,
            st.sampled_from((1, 2, 3)),
            st.sampled_from((1, 2)),
            st.integers(-400, 400),
            st.one_of(st.just(0), st.integers(0, 500)),
            st.integers(0, 2),
        ),
        st.tuples(st.sampled_from(("approve", "approve", "approve", "reject")), NUMBERS, st.integers(1, 2)),
        st.tuples(st.just("equity"), st.sampled_from((1, 2)), st.integers(0, 4_000)),
    ),
    min_size=6,
    max_size=40,
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


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_what_remains_after_a_withdrawal_is_what_is_required(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    firm, plain = open_firm(), Plain()
    firm.must(ContributeCapital, asset_id=USD, amount_units=100_000, operator_id=1)
    for bank, is_affiliate in BANKS.items():
        for formula in ReserveFormula:
            told = {"bank_id": bank, "reserve_formula_code": formula, "is_affiliate": is_affiliate}
            firm.must(OpenReserveAccount, letter_document_id=1, operator_id=1, **told)
    for verb, number, *rest in steps:
        if verb == "prepare":
            bank, formula, amount, required, days_ago = rest
            as_of = MONDAY - days_ago
            done = firm.do(
                PrepareReserveOrder,
                payment_id=number,
                asset_id=USD,
                amount_units=amount,
                as_of_epoch_day=as_of,
                required_minor=required,
                eligible_minor=0,
                operator_id=1,
                bank_id=bank,
                reserve_formula_code=formula,
            )
            if done is RejectReason.NONE:
                plain.computed.append((as_of, number, formula, required))
        elif verb == "equity":
            fields = {"equity_minor": rest[0], "as_of_epoch_day": MONDAY, "operator_id": 1}
            firm.must(RecordBankEquity, bank_id=number, **fields)
            plain.equity[number] = rest[0]
        elif verb == "reject":
            if firm.do(RejectReserveOrder, payment_id=number, operator_id=rest[0]) is RejectReason.NONE:
                plain.computed = [c for c in plain.computed if c[1] != number]
        else:
            reason = firm.do(ApproveReserveOrder, payment_id=number, operator_id=rest[0])
            for moved in firm.of(ReserveDepositOrdered):
                key = moved.bank_id, moved.reserve_formula_code
                plain.cash[key] += moved.deposit_minor - moved.withdrawal_minor
                assert rest[0] != 1, "the maker approved"
                if moved.withdrawal_minor:
                    whose = moved.reserve_formula_code
                    assert plain.cash[key] >= 0
                    assert plain.counts(whose) >= plain.required(whose)
            assert (reason is RejectReason.NONE) == bool(firm.of(ReserveDepositOrdered))
