"""From lines to the requirement and the deposit: published and computed vectors, and what is missing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from engine.errors import BadInput
from engine.reserve.policy import Policy
from tests.support.reserve_case import RICH, computed, dollars, opened

# Credits 10,000,000 + 2,000,000, debits 8,000,000 + 1,000,000: Items 1, 2, 10 and 11.
X = {
    "claims": "S,customer_margin,,100000\nS,borrow,,100000,1000000",
    "locations": "S,bank_loan,,100000,2000000\nS,customer_short,,100000",
    "prices": "S,10.00",
    "other": "free_credits,10000000\nmargin_debits_diversified,8000000",
}
SMALL = X | {"other": "free_credits,1000000\nmargin_debits_diversified,8000000"}
PAB_X = {
    "accounts": "P,pab,10000000\nQ,pab,,8000000",
    "claims": "S,pab,P,100000\nS,borrow,,100000,1000000\nT,pab,Q,8000000",
    "locations": "S,bank_loan,,100000,2000000\nS,pab_short,,100000\nT,box,,8000000",
    "prices": "S,10.00\nT,2.00",
    "firm": RICH,
}
# paragraph; case; method, frequency, PAB; reduction; requirement; excess debits
VECTORS = [
    ("15c3-1(a)(1)(ii)(A): 3 % weekly", X, "alternative", "weekly", False, 270_000, 3_270_000, 0),
    ("15c3-1(a)(1)(ii)(A): 2 % daily", X, "alternative", "daily", False, 180_000, 3_180_000, 0),
    ("Note E(3): 1 % of Item 10", X, "basic", "weekly", False, 80_000, 3_080_000, 0),
    ("Note E(3): daily too", X, "basic", "daily", False, 80_000, 3_080_000, 0),
    ("(e)(3)(i)(C): 105 % monthly", X, "basic", "monthly", False, 80_000, 3_234_000, 0),
    ("PAB Note 4: no reduction, weekly", PAB_X, "alternative", "weekly", True, 0, 3_000_000, 0),
    ("PAB Note 4: no reduction, daily", PAB_X, "basic", "daily", True, 0, 3_000_000, 0),
    ("(e)(3)(iii): 100 % monthly", PAB_X, "basic", "monthly", True, 0, 3_000_000, 0),
    ("excess debits, alternative", SMALL, "alternative", "weekly", False, 270_000, 0, 5_730_000),
    ("excess debits, basic", SMALL, "basic", "weekly", False, 80_000, 0, 5_920_000),
]


@pytest.mark.parametrize(
    ("case", "method", "frequency", "pab", "reduction", "requirement", "excess"),
    [v[1:] for v in VECTORS],
    ids=[v[0] for v in VECTORS],
)
def test_vectors_of_the_requirement(
    tmp_path: Path,
    case: dict[str, str],
    method: str,
    frequency: str,
    pab: bool,
    reduction: int,
    requirement: int,
    excess: int,
) -> None:
    told = computed(tmp_path, method, frequency, pab=pab, **case)  # type: ignore[arg-type]
    found = (told.reduction.amount_minor, told.requirement_minor, told.excess_debits_minor)
    assert tuple(map(dollars, found)) == (reduction, requirement, excess)
    assert told.lines[16] == told.requirement_minor


# Published arithmetic without a reduction, which is that of PAB accounts: (source, credits, debits, result).
PUBLISHED = [
    ("Solomon Exam Prep, PAB Reserve Bank Account", [16], [7], 9),
    ("SecuritiesExamsMastery 25.2.1, base", [10, 2], [3, 1], 8),
    ("SecuritiesExamsMastery 25.2.1, scenario 1", [15, 2], [4], 13),
    ("SecuritiesExamsMastery 25.2.1, scenario 2", [12], [3], 9),
    ("SecuritiesExamsMastery 25.2.1, quiz", [15], [5], 10),
]


@pytest.mark.parametrize(
    ("credits", "debits", "result"), [p[1:] for p in PUBLISHED], ids=[p[0] for p in PUBLISHED]
)
def test_published_subtractions(tmp_path: Path, credits: list[int], debits: list[int], result: int) -> None:
    """A case of totals alone is of the formula that is asked for."""
    rows = [f"free_credits,{m}000000" for m in credits] + [
        f"margin_debits_diversified,{m}000000" for m in debits
    ]
    told = computed(tmp_path, pab=True, other="\n".join(rows))
    assert dollars(told.requirement_minor) == result * 1_000_000


def test_fails_are_the_right_way_round(tmp_path: Path) -> None:
    """Fails to receive are credits and fails to deliver debits; a page that says otherwise is wrong."""
    told = computed(
        tmp_path,
        "basic",
        claims=f"S,customer_margin,,100\nT,fail_to_deliver,,100,1000,{opened(1)}",
        locations=f"S,fail_to_receive,,100,1000,{opened(1)}\nT,customer_short,,100",
    )
    assert (dollars(told.total_credits_minor), dollars(told.total_debits_minor)) == (1000, 1000)


def test_no_rounding_lowers_the_requirement(tmp_path: Path) -> None:
    """3 % of 0.50 is 0.015, and 105 % of 0.01 is 0.0105: both up."""
    told = computed(tmp_path, other="free_credits,1.00\nmargin_debits_diversified,0.50")
    assert (told.reduction.amount_minor, told.requirement_minor) == (2, 52)
    assert computed(tmp_path, "basic", "monthly", other="free_credits,0.01").requirement_minor == 2


def test_totals_by_item(tmp_path: Path) -> None:
    """Note A adds drafts to Item 1; Items 6 to 9 count what is over age; 13 to 15 count as told."""
    told = computed(
        tmp_path,
        "basic",
        other=f"""
        free_credits,100.00
        drafts,20.50
        dividends_receivable,6.00,{opened(31)}
        dividends_receivable,60.00,{opened(30)}
        count_differences_short,7.00,{opened(31)}
        suspense_short,8.00,{opened(31)}
        transfers_unconfirmed,9.00,{opened(41)}
        transfers_unconfirmed,90.00,{opened(40)}
        margin_debits_diversified,10.00
        occ_margin,13.00
        sfp_margin,14.00
        treasury_margin,15.00
        """,
    )
    expected = {1: 120.5, 6: 6, 7: 7, 8: 8, 9: 9, 10: 10, 13: 13, 14: 14, 15: 15, 16: 98.6}
    assert {n: dollars(a) for n, a in told.lines.items() if a} == expected
    assert ("A", 1, 20_50) in [(n.note, n.item, n.amount_minor) for n in told.notes]


@pytest.mark.parametrize(("opened_on", "item_7"), [("2026-09-22", 5), ("2026-09-23", 0)])
def test_totals_of_breaks_age_by_business_days_under_the_alternative_method(
    tmp_path: Path, opened_on: str, item_7: int
) -> None:
    told = computed(tmp_path, other=f"count_differences_short,5,{opened_on}")
    assert dollars(told.lines[7]) == item_7


def test_credits_are_never_set_against_debits_of_another_account(tmp_path: Path) -> None:
    told = computed(
        tmp_path,
        accounts="A,customer_cash,100.25\nB,customer_margin,50\nC,customer_cash,-30\nN,noncustomer,900\nP,pab,7",
        claims="S,customer_fully_paid,C,30",
        locations="S,box,,30",
        prices="S,1.00,yes",
    )
    assert (dollars(told.lines[1]), dollars(told.lines[10])) == (150.25, 30)


# What is missing; item that it leaves unknown. 100 units of S for customers.
MISSING = [
    (
        "price of Item 3 (Note C)",
        "S,customer_margin,,100",
        "S,loan,,100,900",
        "T,1",
        3,
        "issue S has no price",
    ),
    (
        "price of Item 4 (Note D)",
        "S,customer_margin,,100",
        f"S,fail_to_receive,,100,900,{opened(31)}",
        "T,1",
        4,
        "issue S has no price",
    ),
    ("price of Item 5", "S,customer_margin,,100", "S,firm_short,,100", "T,1", 5, "issue S has no price"),
    ("empty price", "S,customer_margin,,100", "S,firm_short,,100", "S,", 5, "issue S has no price"),
    (
        "price of Item 9",
        "S,customer_margin,,100",
        f"S,transfer,,100,,{opened(41)}",
        "T,1",
        9,
        "issue S has no price",
    ),
    (
        "amount of a loan",
        "S,customer_margin,,100",
        "S,bank_loan,,100",
        "S,1",
        2,
        "bank_loan without contract_value",
    ),
    (
        "amount of a borrow",
        "S,borrow,,100",
        "S,customer_short,,100",
        "S,1",
        11,
        "borrow without contract_value",
    ),
    (
        "age of a fail to deliver",
        "S,fail_to_deliver,,100,90",
        "S,customer_short,,100",
        "S,1",
        12,
        "fail_to_deliver without opened_on",
    ),
    (
        "age of a fail to receive",
        "S,customer_margin,,100",
        "S,fail_to_receive,,100,90",
        "S,1",
        4,
        "fail_to_receive without opened_on",
    ),
    (
        "age of a count difference",
        "S,customer_margin,,100",
        "S,count_difference,,100",
        "S,1",
        7,
        "count_difference without opened_on",
    ),
    (
        "balance of the stock record",
        "S,customer_margin,,100",
        "S,bank_loan,,90,900",
        "S,1",
        2,
        "issue S does not balance: claims exceed locations by 10",
    ),
    (
        "balance, the other way",
        "S,customer_margin,,90",
        "S,bank_loan,,100,900",
        "S,1",
        2,
        "issue S does not balance: locations exceed claims by 10",
    ),
]


@pytest.mark.parametrize(
    ("claims", "locations", "prices", "item", "reason"), [m[1:] for m in MISSING], ids=[m[0] for m in MISSING]
)
def test_a_missing_input_is_indeterminate_and_never_zero(
    tmp_path: Path, claims: str, locations: str, prices: str, item: int, reason: str
) -> None:
    told = computed(tmp_path, claims=claims, locations=locations, prices=prices, other="free_credits,5")
    assert told.lines[item] is None and told.lines[16] is None
    assert told.requirement_minor is None and told.excess_debits_minor is None
    assert any(reason in gap.reason for gap in told.gaps), told.gaps
    assert told.lines[1] == 5_00, "what is known is told"


def test_an_age_that_changes_nothing_is_not_missed(tmp_path: Path) -> None:
    """A fail whose contract value covers the market value has the same credit at any age."""
    told = computed(
        tmp_path, claims="S,customer_margin,,100", locations="S,fail_to_receive,,100,100", prices="S,1.00"
    )
    assert dollars(told.lines[4]) == 100


def test_inputs_that_belong_to_nobody_else_are_not_missed(tmp_path: Path) -> None:
    """The firm's own loan needs no amount, and its own fail no age."""
    told = computed(
        tmp_path, claims="S,firm,,200", locations="S,bank_loan,,100\nS,fail_to_receive,,100", prices="T,1"
    )
    assert told.requirement_minor == 0


@pytest.mark.parametrize(
    ("rows", "item"),
    [("dividends_receivable,5", 6), ("suspense_short,5", 8), ("free_credits,", 1), ("occ_margin,", 13)],
)
def test_an_undated_or_empty_total_is_indeterminate(tmp_path: Path, rows: str, item: int) -> None:
    told = computed(tmp_path, other=rows)
    assert told.lines[item] is None and told.requirement_minor is None
    assert "other.csv, line 2" in told.gaps[0].reason


# Deposits against the X case, alternative and weekly: requirement 3,270,000.
DEPOSITS = [
    (
        "2,000,000 cash and 1,000,000 securities",
        "B,2000000,100000000,no,1000000",
        3_000_000,
        "DEPOSIT",
        270_000,
    ),
    ("(e)(5): cash at an affiliate counts nothing", "B,5000000,,yes", 0, "DEPOSIT", 3_270_000),
    ("(e)(5): 15 % of the bank's equity", "B,5000000,10000000", 1_500_000, "DEPOSIT", 1_770_000),
    ("more than enough", "B,4000000,100000000", 4_000_000, "WITHDRAWAL", 730_000),
]


@pytest.mark.parametrize(
    ("rows", "eligible", "direction", "amount"), [d[1:] for d in DEPOSITS], ids=[d[0] for d in DEPOSITS]
)
def test_deposits(tmp_path: Path, rows: str, eligible: int, direction: str, amount: int) -> None:
    told = computed(tmp_path, deposits=rows, **X)
    assert dollars(told.eligible_deposit_minor) == eligible
    assert told.order is not None
    assert (told.order.direction, dollars(told.order.amount_minor)) == (direction, amount)


def test_a_bank_without_equity_is_indeterminate(tmp_path: Path) -> None:
    told = computed(tmp_path, deposits="B,5", **X)
    assert told.eligible_deposit_minor is None and "B" in told.deposit_gap
    assert told.requirement_minor is not None, "what is required does not depend on what is there"


def test_customers_excess_debits_cover_a_pab_deposit_and_never_the_reverse(tmp_path: Path) -> None:
    """(e)(4). Customers have excess debits of 80, PAB accounts a requirement of 100."""
    tables = {
        "accounts": "P,pab,100\nC,customer_cash",
        "other": "free_credits,20\nmargin_debits_diversified,101.02",
        "deposits": "B,0,100",
    }
    pab = computed(tmp_path, "basic", pab=True, **tables)
    assert pab.order is not None and dollars(pab.requirement_minor) == 100
    assert (dollars(pab.order.covered_minor), dollars(pab.order.amount_minor)) == (80, 20)
    reverse = {
        "accounts": "P,pab,,100\nC,customer_cash,50",
        "claims": "S,pab,P,100",
        "locations": "S,box,,100",
        "prices": "S,5.00",
        "deposits": "B,0,100",
    }
    told = computed(tmp_path, "basic", firm=None, **reverse)
    assert told.order is not None and told.order.covered_minor == 0


def test_monthly_is_not_for_the_alternative_method(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not computed monthly under the alternative method"):
        computed(tmp_path, "alternative", "monthly", **X)


@pytest.mark.parametrize(
    ("as_of", "deadline"),
    [("2026-10-02", "2026-10-06T10:00:00-04:00"), ("2026-10-08", "2026-10-13T10:00:00-04:00")],
)
def test_deadline(tmp_path: Path, as_of: str, deadline: str) -> None:
    """(e)(3)(i): an hour after banks open on the second following business day; 12 October is a holiday."""
    told = computed(tmp_path, as_of=dt.date.fromisoformat(as_of), other="free_credits,5")
    assert told.deadline.isoformat() == deadline


def test_a_switch_shows_in_the_rule_version(tmp_path: Path) -> None:
    told = computed(tmp_path, **X)
    other = computed(tmp_path, policy=Policy(diversified_collateral_percent=100), **X)
    assert "policy default" in told.rule_version and "240.15c3-3a" in told.rule_version
    assert "diversified_collateral_percent=100" in other.rule_version
