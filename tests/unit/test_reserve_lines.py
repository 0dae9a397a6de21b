"""Every line of Exhibit A that comes out of the stock record, pair by pair. Source: 17 CFR 240.15c3-3a."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.reserve.matrix import BOX_LAST, Long, Short
from engine.reserve.policy import CrossFormulaShort, FirmShortCredit, Policy
from tests.support.reserve_case import computed, dollars, opened

PRICE = "S,10.00"
MARGIN = "S,customer_margin,,1000"

# paragraph; claims; locations; item; amount. 1,000 units of S at $10.00, method basic.
PAIRS = [
    ("box: nothing", MARGIN, "S,box,,1000", None, 0),
    ("OCC: nothing (Note F: not the customer's own securities)", MARGIN, "S,occ,,1000", None, 0),
    ("Item 2, bank loan", MARGIN, "S,bank_loan,,1000,7000", 2, 7000),
    ("Item 2, repo", MARGIN, "S,repo,,1000,9800", 2, 9800),
    ("Item 2, Note B: clearing agency at market", MARGIN, "S,treasury_clearing,,1000", 2, 10000),
    ("Item 3", MARGIN, "S,loan,,1000,10200", 3, 10200),
    ("Item 3, Note C: market value over collateral", MARGIN, "S,loan,,1000,9900", 3, 10000),
    ("Item 4", MARGIN, f"S,fail_to_receive,,1000,9500,{opened(30)}", 4, 9500),
    ("Item 4, Note D: age 31", MARGIN, f"S,fail_to_receive,,1000,9500,{opened(31)}", 4, 10000),
    (
        "Item 4, Note D: never less than the contract",
        MARGIN,
        f"S,fail_to_receive,,1000,11000,{opened(31)}",
        4,
        11000,
    ),
    ("Item 5, firm short", MARGIN, "S,firm_short,,1000,8000", 5, 10000),
    ("Item 5, non-customer short", MARGIN, "S,noncustomer_short,,1000,8000", 5, 10000),
    ("Item 5, short of a PAB account: cross formula", MARGIN, "S,pab_short,,1000", 5, 10000),
    ("Item 6, age 31", MARGIN, f"S,dividend_receivable,,1000,,{opened(31)}", 6, 10000),
    ("Item 6, age 30: not yet", MARGIN, f"S,dividend_receivable,,1000,,{opened(30)}", 6, 0),
    ("Item 7, age 31, basic", MARGIN, f"S,count_difference,,1000,,{opened(31)}", 7, 10000),
    ("Item 7, age 30, basic: not yet", MARGIN, f"S,count_difference,,1000,,{opened(30)}", 7, 0),
    ("Item 8, age 31, basic", MARGIN, f"S,suspense,,1000,,{opened(31)}", 8, 10000),
    ("Item 8, not offset by longs", "S,suspense,,1000", f"S,suspense,,1000,,{opened(31)}", 8, 10000),
    ("Item 9, age 41", MARGIN, f"S,transfer,,1000,,{opened(41)}", 9, 10000),
    ("Item 9, age 40: not yet", MARGIN, f"S,transfer,,1000,,{opened(40)}", 9, 0),
    ("customer short against customer long: Item 1 has it", MARGIN, "S,customer_short,,1000", None, 0),
    ("Item 11", "S,borrow,,1000,10200", "S,customer_short,,1000", 11, 10200),
    ("Item 12, age 30", f"S,fail_to_deliver,,1000,10000,{opened(30)}", "S,customer_short,,1000", 12, 10000),
    ("Item 12, age 31", f"S,fail_to_deliver,,1000,10000,{opened(31)}", "S,customer_short,,1000", 12, 0),
    (
        "fails against fails: excluded",
        f"S,fail_to_deliver,,1000,10000,{opened(5)}",
        f"S,fail_to_receive,,1000,9500,{opened(31)}",
        None,
        0,
    ),
    ("borrow against loan: a conduit", "S,borrow,,1000,10200", "S,loan,,1000,10200", None, 0),
    ("firm's own securities in a bank loan", "S,firm,,1000", "S,bank_loan,,1000,7000", None, 0),
    ("non-customer's securities lent", "S,noncustomer,,1000", "S,loan,,1000,7000", None, 0),
    ("PAB securities in a bank loan: not the customers'", "S,pab,,1000", "S,bank_loan,,1000,7000", None, 0),
]


@pytest.mark.parametrize(
    ("claims", "locations", "item", "amount"), [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS]
)
def test_exhibit_a_pair_by_pair(
    tmp_path: Path, claims: str, locations: str, item: int | None, amount: float
) -> None:
    told = computed(tmp_path, "basic", claims=claims, locations=locations, prices=PRICE)
    expected = dict.fromkeys(range(1, 16), 0.0)
    if item is not None:
        expected[item] = amount
    assert {n: dollars(told.lines[n]) for n in range(1, 16)} == expected
    units = sum(int(v.pairing.quantity.sum()) for v in told.stock_lines.valued)
    assert units == 1000, "each unit once"


# PAB Notes: the same lines, read for PAB accounts
PAB_PAIRS = [
    ("PAB 2", "S,pab,,1000", "S,bank_loan,,1000,7000", 2, 7000),
    ("PAB 3 with Note C", "S,pab,,1000", "S,loan,,1000,9900", 3, 10000),
    ("PAB 4 with Note D", "S,pab,,1000", f"S,fail_to_receive,,1000,9500,{opened(31)}", 4, 10000),
    ("PAB 5", "S,pab,,1000", "S,firm_short,,1000", 5, 10000),
    ("PAB 5: a customer's short, cross formula", "S,pab,,1000", "S,customer_short,,1000", 5, 10000),
    ("PAB short against PAB long", "S,pab,,1000", "S,pab_short,,1000", None, 0),
    ("PAB 9", "S,pab,,1000", f"S,transfer,,1000,,{opened(41)}", 9, 10000),
    ("PAB 11", "S,borrow,,1000,10200", "S,pab_short,,1000", 11, 10200),
    ("PAB 12", f"S,fail_to_deliver,,1000,10000,{opened(30)}", "S,pab_short,,1000", 12, 10000),
    ("PAB Note 2: what customers use is theirs", MARGIN, "S,bank_loan,,1000,7000", None, 0),
]


@pytest.mark.parametrize(
    ("claims", "locations", "item", "amount"), [p[1:] for p in PAB_PAIRS], ids=[p[0] for p in PAB_PAIRS]
)
def test_pab_pair_by_pair(
    tmp_path: Path, claims: str, locations: str, item: int | None, amount: float
) -> None:
    told = computed(tmp_path, "basic", pab=True, claims=claims, locations=locations, prices=PRICE)
    expected = dict.fromkeys(range(1, 16), 0.0)
    if item is not None:
        expected[item] = amount
    assert {n: dollars(told.lines[n]) for n in range(1, 16)} == expected


# Items 7 and 8 under the alternative method: more than 7 business days. 2 October 2026 is a Friday.
@pytest.mark.parametrize(
    ("opened_on", "amount"),
    [("2026-09-22", 10000), ("2026-09-23", 0), ("2026-09-21", 10000), ("2026-09-07", 10000)],
    ids=["8 business days", "7 business days", "9", "Labor Day"],
)
@pytest.mark.parametrize(("location", "item"), [("count_difference", 7), ("suspense", 8)])
def test_breaks_age_by_business_days_under_the_alternative_method(
    tmp_path: Path, location: str, item: int, opened_on: str, amount: float
) -> None:
    told = computed(tmp_path, claims=MARGIN, locations=f"S,{location},,1000,,{opened_on}", prices=PRICE)
    assert dollars(told.lines[item]) == amount


def test_note_c_vector(tmp_path: Path) -> None:
    """Note C: market value 105,000 against cash of 102,000 gives 105,000, and the note tells the 3,000."""
    told = computed(
        tmp_path, claims="S,customer_margin,,1000", locations="S,loan,,1000,102000.00", prices="S,105.00"
    )
    assert dollars(told.lines[3]) == 105_000
    assert [(n.note, n.item, n.amount_minor) for n in told.notes] == [("C", 3, 3_000_00)]


@pytest.mark.parametrize(("days", "amount"), [(31, 27_000), (30, 24_800)])
def test_note_d_vector(tmp_path: Path, days: int, amount: float) -> None:
    """Note D: contract 24,800, market value 27,000: age 31 gives 27,000, age 30 gives 24,800."""
    told = computed(
        tmp_path,
        claims="S,customer_margin,,1000",
        locations=f"S,fail_to_receive,,1000,24800,{opened(days)}",
        prices="S,27.00",
    )
    assert dollars(told.lines[4]) == amount


# 1.8, who comes first. Claims; locations; what each pair gets, in order.
ORDERS = [
    (
        "bank loan takes customers' margin securities before PAB, non-customers and firm, the box is last",
        "S,customer_margin,,400\nS,customer_fully_paid,,300\nS,pab,,100\nS,noncustomer,,100\nS,firm,,100",
        "S,bank_loan,,650,6500\nS,box,,350",
        [
            ("MARGIN", "BANK_LOAN", 400),
            ("PAB", "BANK_LOAN", 100),
            ("NONCUSTOMER", "BANK_LOAN", 100),
            ("FIRM", "BANK_LOAN", 50),
            ("FIRM", "BOX", 50),
            ("FULLY_PAID", "BOX", 300),
        ],
    ),
    (
        "fully paid securities only when nothing else is left",
        "S,customer_margin,,400\nS,customer_fully_paid,,300",
        "S,bank_loan,,500,5000\nS,box,,200",
        [("MARGIN", "BANK_LOAN", 400), ("FULLY_PAID", "BANK_LOAN", 100), ("FULLY_PAID", "BOX", 200)],
    ),
    (
        "fails against fails first; then loans and fails against customers",
        f"S,customer_margin,,500\nS,fail_to_deliver,,200,2000,{opened(3)}",
        f"S,fail_to_receive,,300,3000,{opened(3)}\nS,loan,,300,3060\nS,box,,100",
        [
            ("DELIVER", "RECEIVE", 200),
            ("MARGIN", "LOAN", 300),
            ("MARGIN", "RECEIVE", 100),
            ("MARGIN", "BOX", 100),
        ],
    ),
    (
        "a customer's short takes the borrow, then the fail, then margin securities",
        f"S,borrow,,100,1000\nS,fail_to_deliver,,200,2000,{opened(3)}\nS,customer_margin,,300",
        "S,customer_short,,400\nS,box,,200",
        [
            ("BORROW", "CUSTOMER_SHORT", 100),
            ("DELIVER", "CUSTOMER_SHORT", 200),
            ("MARGIN", "CUSTOMER_SHORT", 100),
            ("MARGIN", "BOX", 200),
        ],
    ),
    (
        "customers before PAB accounts at a borrow",
        "S,borrow,,100,1000\nS,pab,,100",
        "S,customer_short,,60\nS,pab_short,,60\nS,box,,80",
        [
            ("BORROW", "CUSTOMER_SHORT", 60),
            ("BORROW", "PAB_SHORT", 40),
            ("PAB", "PAB_SHORT", 20),
            ("PAB", "BOX", 80),
        ],
    ),
    (
        "of fails, those over age go to customers, and the young ones are excluded first",
        f"S,customer_margin,,100\nS,fail_to_deliver,,100,900,{opened(3)}",
        f"S,fail_to_receive,,100,900,{opened(3)}\nS,fail_to_receive,,100,900,{opened(40)}",
        [("DELIVER", "RECEIVE", 100), ("MARGIN", "OLD_RECEIVE", 100)],
    ),
]


@pytest.mark.parametrize(
    ("claims", "locations", "pairs"), [o[1:] for o in ORDERS], ids=[o[0] for o in ORDERS]
)
def test_the_order_of_allocation(
    tmp_path: Path, claims: str, locations: str, pairs: list[tuple[str, str, int]]
) -> None:
    told = computed(tmp_path, claims=claims, locations=locations, prices=PRICE)
    found = [
        (v.pairing.long.name, v.pairing.short.name, v.pairing.quantity.tolist())
        for v in told.stock_lines.valued
    ]
    assert found == [(long, short, [units]) for long, short, units in pairs]


def test_identified_rows_come_before_the_order(tmp_path: Path) -> None:
    """1.8 (1): a row that names the account of another one is paired with it; the rest as always."""
    told = computed(
        tmp_path,
        accounts="C1,customer_cash\nM1,customer_margin",
        claims="S,customer_margin,M1,400\nS,customer_fully_paid,C1,300\nS,borrow,BROKER,100,1000",
        locations="S,fail_to_receive,C1,200,1800,2026-10-01\nS,loan,BROKER,100,1000\nS,box,,500",
        prices=PRICE,
    )
    found = [
        (v.pairing.long.name, v.pairing.short.name, v.pairing.quantity.tolist())
        for v in told.stock_lines.valued
    ]
    assert found == [
        ("BORROW", "LOAN", [100]),
        ("FULLY_PAID", "RECEIVE", [200]),
        ("MARGIN", "BOX", [400]),
        ("FULLY_PAID", "BOX", [100]),
    ]
    assert dollars(told.lines[4]) == 1_800


def test_two_positions_of_one_account_are_not_identified_with_each_other(tmp_path: Path) -> None:
    """That the firm is long as well does not keep its short position from customers' securities."""
    told = computed(
        tmp_path,
        accounts="F,firm",
        claims="S,customer_margin,,100\nS,firm,F,100",
        locations="S,firm_short,F,100\nS,box,,100",
        prices=PRICE,
    )
    assert dollars(told.lines[5]) == 1_000


@pytest.mark.parametrize(("given", "taken", "customers"), [(1000, 400, 400), (999, 333, 333)])
def test_money_goes_pro_rata_to_units(tmp_path: Path, given: int, taken: int, customers: int) -> None:
    told = computed(
        tmp_path,
        claims=f"S,customer_margin,,{taken}\nS,firm,,{given - taken}",
        locations=f"S,bank_loan,,{given},{given}.00",
        prices=PRICE,
    )
    assert dollars(told.lines[2]) == customers


def test_a_cent_that_cannot_be_divided_is_the_customers(tmp_path: Path) -> None:
    told = computed(
        tmp_path, claims="S,customer_margin,,1\nS,firm,,2", locations="S,bank_loan,,3,1.00", prices=PRICE
    )
    assert dollars(told.lines[2]) == 0.34
    assert sum(int(v.pairing.location_money.sum()) for v in told.stock_lines.valued) == 100


def test_one_loan_over_several_issues_is_shared_by_market_value(tmp_path: Path) -> None:
    """Item 2: a loan whose amount stands on one row belongs to all collateral of the same lender."""
    told = computed(
        tmp_path,
        claims="S,customer_margin,,100\nT,firm,,100",
        locations="S,bank_loan,BANK,100,2000\nT,bank_loan,BANK,100",
        prices="S,10.00\nT,30.00",
    )
    assert dollars(told.lines[2]) == 500


def test_a_tenth_of_a_dollar_cent_of_price_is_rounded_against_the_firm(tmp_path: Path) -> None:
    told = computed(
        tmp_path, claims="S,customer_margin,,3", locations="S,firm_short,,3", prices="S,0.33333333"
    )
    assert dollars(told.lines[5]) == 1.00


def test_the_charge_of_one_percent_off_net_worth(tmp_path: Path) -> None:
    """15c3-1(a)(1)(ii)(A): of fails to deliver and borrows allocated to fails to receive."""
    tables = {
        "claims": f"S,fail_to_deliver,,100,1000,{opened(3)}\nS,borrow,,100,1100",
        "locations": f"S,fail_to_receive,,200,2000,{opened(3)}",
        "prices": PRICE,
    }
    assert computed(tmp_path, **tables).charge_minor == 21_00
    assert computed(tmp_path, "basic", **tables).charge_minor == 0


def test_policy_switches_of_item_5(tmp_path: Path) -> None:
    firm_short = {"claims": MARGIN, "locations": "S,firm_short,,1000,8000", "prices": PRICE}
    at_contract = Policy(firm_short_credit=FirmShortCredit.CONTRACT_VALUE)
    assert dollars(computed(tmp_path, policy=at_contract, **firm_short).lines[5]) == 8_000
    cross = {"claims": MARGIN, "locations": "S,pab_short,,1000", "prices": PRICE}
    nothing = Policy(cross_formula_short=CrossFormulaShort.NOTHING)
    assert dollars(computed(tmp_path, policy=nothing, **cross).lines[5]) == 0


def test_the_matrix_pairs_everything_once_and_the_box_last() -> None:
    pairs = list(BOX_LAST.pairs())
    assert len(pairs) == len(set(pairs)) == len(Long) * len(Short)
    assert all(short in (Short.BOX, Short.DEPOSITORY) for _, short in pairs[-2 * len(Long) :])
