"""What counts on deposit, and what goes in or out: tables by paragraph of 17 CFR 240.15c3-3(e) and (g)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput
from engine.reserve.eligible_deposit import (
    Direction,
    ExcessDebits,
    ReserveBalance,
    Withdrawal,
    cash_room_minor,
    count_deposits,
    covered_minor,
    deposit_order,
    eligible_minor,
    withdrawal_allowed,
)
from engine.reserve.terms import Formula, Indeterminate

DAY, NEXT = date(2026, 10, 2), date(2026, 10, 5)
DOLLARS = 100


@pytest.mark.parametrize(
    ("balance", "counts"),
    [
        # 5,000,000 cash at an affiliate counts 0
        (ReserveBalance("A", 5_000_000 * DOLLARS, 900_000_000 * DOLLARS, is_affiliate=True), 0),
        # 5,000,000 at a bank with equity of 10,000,000 counts 1,500,000
        (ReserveBalance("B", 5_000_000 * DOLLARS, 10_000_000 * DOLLARS), 1_500_000 * DOLLARS),
        (ReserveBalance("B", 1_500_000 * DOLLARS, 10_000_000 * DOLLARS), 1_500_000 * DOLLARS),
        (ReserveBalance("B", 1_000, 33), 4),  # 4.95 cents, rounded down
        (ReserveBalance("B", 1_000, -50), 0),  # no equity capital
        # an affiliate's securities count, and neither do they need to know equity
        (ReserveBalance("A", 70, None, is_affiliate=True, qualified_securities_minor=500), 500),
        (ReserveBalance("C", 0, None, qualified_securities_minor=500), 500),
    ],
)
def test_what_counts_15c3_3_e_5(balance: ReserveBalance, counts: int) -> None:
    assert eligible_minor([balance]) == counts
    (told,) = count_deposits([balance])
    assert told.cash_minor + told.excluded_cash_minor == balance.cash_minor
    assert bool(told.reason) == bool(told.excluded_cash_minor)


def test_the_limit_is_the_banks_over_all_its_accounts_15c3_3_e_5() -> None:
    twice = [ReserveBalance("B", 100, 1_000), ReserveBalance("B", 100, 1_000, False, 7)]
    assert eligible_minor(twice) == 150 + 7
    securities_apart = [ReserveBalance("B", 100, 500), ReserveBalance("B", 0, None, False, 7)]
    assert eligible_minor(securities_apart) == 75 + 7
    assert cash_room_minor(ReserveBalance("B", 100, 1_000)) == 50
    assert cash_room_minor(ReserveBalance("B", 100, 1_000, is_affiliate=True)) == 0


def test_what_is_not_known_is_not_zero_15c3_3_e_5() -> None:
    with pytest.raises(Indeterminate, match="equity capital of B"):
        eligible_minor([ReserveBalance("B", 1)])
    for contradiction in (ReserveBalance("B", 1, 11), ReserveBalance("B", 1, 10, is_affiliate=True)):
        with pytest.raises(BadInput, match="two ways"):
            eligible_minor([ReserveBalance("B", 1, 10), contradiction])
    with pytest.raises(BadInput, match="negative"):
        eligible_minor([ReserveBalance("B", -1, 10)])


HELD = [ReserveBalance("B", 2_000_000 * DOLLARS, 10**12, False, 1_000_000 * DOLLARS)]


@pytest.mark.parametrize(
    ("requirement", "direction", "amount"),
    [
        (3_270_000, Direction.DEPOSIT, 270_000),  # deposit 2,000,000 cash + 1,000,000 securities
        (3_000_000, Direction.NONE, 0),
        (2_999_999, Direction.WITHDRAWAL, 1),
        (0, Direction.WITHDRAWAL, 3_000_000),
    ],
)
def test_deposit_or_withdrawal_15c3_3_e_1(requirement: int, direction: Direction, amount: int) -> None:
    order = deposit_order(Formula.CUSTOMER, DAY, requirement * DOLLARS, HELD)
    assert (order.direction, order.amount_minor) == (direction, amount * DOLLARS)


@pytest.mark.parametrize(
    ("formula", "excess", "covered"),
    [
        (Formula.PAB, ExcessDebits(Formula.CUSTOMER, DAY, 5_920_000), 3_000_000),
        (Formula.PAB, ExcessDebits(Formula.CUSTOMER, DAY, 1_000_000), 1_000_000),
        (Formula.PAB, ExcessDebits(Formula.CUSTOMER, NEXT, 5_920_000), 0),  # of another date
        (Formula.CUSTOMER, ExcessDebits(Formula.PAB, DAY, 5_920_000), 0),  # never the reverse
        (Formula.PAB, ExcessDebits(Formula.PAB, DAY, 5_920_000), 0),
        (Formula.PAB, ExcessDebits(Formula.CUSTOMER, DAY, -5), 0),
        (Formula.PAB, None, 0),
    ],
)
def test_customer_excess_debits_cover_a_pab_deposit_15c3_3_e_4(
    formula: Formula, excess: ExcessDebits | None, covered: int
) -> None:
    assert covered_minor(formula, DAY, 3_000_000, excess) == covered
    order = deposit_order(formula, DAY, 3_000_000, [], customer_excess=excess)
    assert (order.amount_minor, order.covered_minor) == (3_000_000 - covered, covered)


def _test(withdrawal: Withdrawal, requirement: int = 100, **more: bool) -> tuple[bool, int]:
    held = [ReserveBalance("A", 80, None, True, 40), ReserveBalance("B", 200, 1_000, False, 10)]
    told = withdrawal_allowed([withdrawal], held, requirement, computed_as_of=DAY, withdrawn_on=NEXT, **more)
    assert bool(told.reason) is not told.is_allowed
    return told.is_allowed, told.remaining_minor


@pytest.mark.parametrize(
    ("withdrawal", "requirement", "told"),
    [
        (Withdrawal("A", 80), 200, (True, 200)),  # cash that never counted
        (Withdrawal("B", 50), 200, (True, 200)),  # cash over the limit
        (Withdrawal("B", 51), 200, (False, 199)),
        (Withdrawal("A", 0, 40), 161, (False, 160)),
        (Withdrawal("A", 0, 40), 160, (True, 160)),
    ],
)
def test_what_remains_is_what_is_required_15c3_3_g(
    withdrawal: Withdrawal, requirement: int, told: tuple[bool, int]
) -> None:
    assert _test(withdrawal, requirement) == told


def test_no_withdrawal_rests_on_a_test_run_faq_2() -> None:
    assert _test(Withdrawal("A", 1), 0, is_test_run=True)[0] is False


@pytest.mark.parametrize(
    "withdrawal", [Withdrawal("C", 1), Withdrawal("A", 81), Withdrawal("B", 0, 11), Withdrawal("B", -1)]
)
def test_a_withdrawal_of_what_is_not_there_is_refused(withdrawal: Withdrawal) -> None:
    with pytest.raises(BadInput):
        _test(withdrawal)


def test_a_later_computation_supports_no_earlier_withdrawal_15c3_3_g() -> None:
    with pytest.raises(BadInput, match="cannot support"):
        withdrawal_allowed([], HELD, 0, computed_as_of=NEXT, withdrawn_on=DAY)


BALANCES = st.builds(
    ReserveBalance,
    bank=st.sampled_from("ABCDEFGH"),
    cash_minor=st.integers(0, 10**15),
    bank_equity_minor=st.integers(0, 10**16),
    is_affiliate=st.booleans(),
    qualified_securities_minor=st.integers(0, 10**15),
)


@given(
    balances=st.lists(BALANCES, unique_by=lambda b: b.bank, max_size=8),
    requirement=st.integers(0, 10**16),
)
def test_after_the_order_what_counts_is_what_is_required(
    balances: list[ReserveBalance], requirement: int
) -> None:
    due = sum(
        b.qualified_securities_minor
        + (0 if b.is_affiliate else min(b.cash_minor, b.bank_equity_minor * 15 // 100))
        for b in balances
    )
    order = deposit_order(Formula.CUSTOMER, DAY, requirement, balances)
    sign = {Direction.DEPOSIT: 1, Direction.WITHDRAWAL: -1, Direction.NONE: 0}[order.direction]
    assert order.eligible_minor == due
    assert due + sign * order.amount_minor == requirement
    assert (sign == 0) == (order.amount_minor == 0)
