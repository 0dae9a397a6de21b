"""Item 10 and Note E: which debits count, and how far. Source: 17 CFR 240.15c3-3a, Item 10 and Note E."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import BadInput
from engine.reserve.debit_balances import customer_limit_minor, joint_cut_percent
from engine.reserve.policy import ConcentrationCut, CutOverlap, PartlySecured, Policy
from tests.support.reserve_case import RICH, computed, dollars

# Note E(1): S at $1.00 is 15 % of nothing alone, so other collateral fills the aggregate to 3,000,000
CONCENTRATED = {
    "accounts": "A,customer_margin,,500000\n" + "\n".join(f"O{n},customer_margin,,230000" for n in range(10)),
    "claims": "S,customer_margin,A,900000\n"
    + "\n".join(f"T{n},customer_margin,O{n},230000" for n in range(10)),
    "locations": "S,box,,900000\n" + "\n".join(f"T{n},box,,230000" for n in range(10)),
    "prices": "S,1.00\n" + "\n".join(f"T{n},1.00" for n in range(10)),
}


def cuts(folder: Path, policy: Policy | None = None, **tables: object) -> dict[str, float]:
    """What each note took off Item 10, and what is left of it."""
    told = computed(folder, "basic", policy=policy or Policy(), **tables)  # type: ignore[arg-type]
    notes = {n.note: n.amount_minor / 100 for n in told.notes if n.item == 10}
    return {**notes, "10": dollars(told.lines[10])}  # type: ignore[dict-item]


def test_note_e1_vector(tmp_path: Path) -> None:
    """E(1): 500,000 against 900,000 of S, which count 700,000; the limit is 450,000 of 3,000,000."""
    told = cuts(tmp_path, firm=RICH, **CONCENTRATED)
    assert told == {"E(1)": -250_000, "10": 2_550_000}


def test_note_e1_as_the_debit_behind_the_excess(tmp_path: Path) -> None:
    policy = Policy(concentration_cut=ConcentrationCut.DEBIT_BEHIND_EXCESS)
    assert cuts(tmp_path, policy, firm=RICH, **CONCENTRATED)["E(1)"] == -178_571.43


def test_note_e1_leaves_exempted_securities_alone(tmp_path: Path) -> None:
    exempt = CONCENTRATED | {"prices": CONCENTRATED["prices"].replace("S,1.00", "S,1.00,yes")}
    assert cuts(tmp_path, firm=RICH, **exempt) == {"10": 2_800_000}


def test_note_e1_never_cuts_more_than_the_debit_it_secures(tmp_path: Path) -> None:
    """Alone, a security is 100 % of all collateral: 700 counts, limit 105, but the debit is 500."""
    told = cuts(
        tmp_path,
        accounts="A,customer_margin,,500",
        claims="S,customer_margin,A,100",
        locations="S,box,,100",
        prices="S,10.00",
    )
    assert told == {"E(1)": -500, "10": 0}


def test_diversified_debits_count_whole_and_widen_the_aggregate(tmp_path: Path) -> None:
    """10,000 without securities stand in the aggregate with 14,000: limit (14,000 + 700) x 15 % = 2,205."""
    told = cuts(
        tmp_path,
        accounts="A,customer_margin,,500",
        claims="S,customer_margin,A,100",
        locations="S,box,,100",
        prices="S,10.00",
        other="margin_debits_diversified,10000",
    )
    assert told == {"10": 10_500}


def test_collateral_of_an_account_counts_up_to_140_percent_over_all_its_securities(tmp_path: Path) -> None:
    """S 700 and T 700 of one account with a debit of 500 count 350 each of 700; both are over 105."""
    told = cuts(
        tmp_path,
        accounts="A,customer_margin,,500",
        claims="S,customer_margin,A,70\nT,customer_margin,A,70",
        locations="S,box,,70\nT,box,,70",
        prices="S,10.00\nT,10.00",
    )
    assert told == {"E(1)": -490, "10": 10}


# E(5): a debit of one customer over 25 % of tentative net capital, $50,000 at least
E5 = [
    ("900,000 against 3,000,000: cut 150,000", 900_000, 3_000_000, 150_000),
    ("60,000 against 100,000: the threshold is 50,000", 60_000, 100_000, 10_000),
    ("50,000: never cut", 50_000, 0, 0),
    ("750,000 against 3,000,000: just no more", 750_000, 3_000_000, 0),
]


@pytest.mark.parametrize(("debit", "capital", "cut"), [e[1:] for e in E5], ids=[e[0] for e in E5])
def test_note_e5_vector(tmp_path: Path, debit: int, capital: int, cut: int) -> None:
    told = cuts(
        tmp_path,
        firm={"tentative_net_capital": capital},
        accounts=f"A,customer_margin,,{debit}",
        claims=f"S,customer_margin,A,{debit}",
        locations=f"S,box,,{debit}",
        prices="S,2.00,yes",
    )
    expected = {"10": float(debit - cut)}
    assert told == (expected | {"E(5)": -cut} if cut else expected)


def test_note_e5_takes_a_household_as_one_customer(tmp_path: Path) -> None:
    told = cuts(
        tmp_path,
        firm={"tentative_net_capital": 100_000},
        accounts="A,customer_margin,,30000,H1\nB,customer_margin,,40000,H1\nC,customer_margin,,45000",
        claims="S,customer_margin,A,30000\nS,customer_margin,B,40000\nS,customer_margin,C,45000",
        locations="S,box,,115000",
        prices="S,2.00,yes",
    )
    assert told == {"E(5)": -20_000, "10": 95_000}


@pytest.mark.parametrize(("overlap", "left"), [(CutOverlap.BOTH, 9_000), (CutOverlap.IN_TURN, 450_000)])
def test_notes_e1_and_e5_together(tmp_path: Path, overlap: CutOverlap, left: int) -> None:
    """900,000 with a cut of E(1) and a limit of 450,000.

    S counts 1,260,000 of an aggregate of 5,460,000, limit 819,000: E(1) cuts 441,000. E(5) cuts 450,000 of
    the debit, or 9,000 of what E(1) left.
    """
    told = cuts(
        tmp_path,
        Policy(cut_overlap=overlap),
        firm={"tentative_net_capital": 1_800_000},
        accounts="A,customer_margin,,900000",
        claims="S,customer_margin,A,1800000",
        locations="S,box,,1800000",
        prices="S,1.00",
        other="margin_debits_diversified,3000000",
    )
    assert told["E(1)"] == -441_000
    assert told["10"] == 3_000_000 + left


def test_notes_e1_and_e5_cut_no_debit_twice(tmp_path: Path) -> None:
    """Alone, all 900,000 go by E(1); E(5) would cut 450,000 more, which is added back."""
    told = cuts(
        tmp_path,
        firm={"tentative_net_capital": 1_800_000},
        accounts="A,customer_margin,,900000",
        claims="S,customer_margin,A,1800000",
        locations="S,box,,1800000",
        prices="S,1.00",
    )
    assert told == {"E(1)": -900_000, "E(5)": -450_000, "E": 450_000, "10": 0}


# E(6): what a non-customer shares of an account's debit of 100,000
@pytest.mark.parametrize(
    ("percent", "left"), [("4", 100_000), ("30", 70_000), ("60", 0), ("5", 95_000), ("50", 50_000)]
)
def test_note_e6_vector(tmp_path: Path, percent: str, left: int) -> None:
    told = cuts(
        tmp_path,
        firm=RICH,
        accounts=f"A,customer_margin,,100000,,,{percent}",
        claims="S,customer_margin,A,100000",
        locations="S,box,,100000",
        prices="S,2.00,yes",
    )
    assert told["10"] == left


# E(4): affiliates, and who shares a household with an affiliate, a non-customer or the firm
@pytest.mark.parametrize(
    ("accounts", "left"),
    [
        ("A,customer_margin,,1000,,yes", 0),
        ("A,customer_margin,,1000,H\nB,customer_cash,,,H,yes", 0),
        ("A,customer_margin,,1000,H\nP,noncustomer,,,H", 0),
        ("A,customer_margin,,1000,H\nP,noncustomer,,,G", 1000),
        ("A,customer_margin,,1000,,no", 1000),
    ],
    ids=["affiliate", "household of an affiliate", "household of a principal", "another household", "none"],
)
def test_note_e4(tmp_path: Path, accounts: str, left: int) -> None:
    told = cuts(
        tmp_path,
        accounts=accounts,
        claims="S,customer_margin,A,1000",
        locations="S,box,,1000",
        prices="S,2.00,yes",
    )
    assert told == ({"10": 1000.0} if left else {"E(4)": -1000, "10": 0})


def test_an_unsecured_part_does_not_count(tmp_path: Path) -> None:
    """Item 10 leaves unsecured accounts out; of a debit of 1,000 against 600, 600 count, or nothing."""
    tables = {
        "accounts": "A,customer_margin,,1000\nB,customer_cash,-300",
        "claims": "S,customer_margin,A,300\nS,customer_fully_paid,B,200",
        "locations": "S,box,,500",
        "prices": "S,2.00,yes",
    }
    assert cuts(tmp_path, **tables) == {"Item 10": -400, "10": 900}
    nothing = Policy(partly_secured=PartlySecured.NOTHING)
    assert cuts(tmp_path, nothing, **tables) == {"Item 10": -1000, "10": 300}


def test_a_debit_without_any_security_does_not_count(tmp_path: Path) -> None:
    told = cuts(
        tmp_path,
        accounts="A,customer_margin,,1000",
        claims="S,firm,,1",
        locations="S,box,,1",
    )
    assert told == {"Item 10": -1000, "10": 0}


@pytest.mark.parametrize(
    ("account", "left"),
    [
        ("A,customer_margin,-900000", 750_000),
        ("A,customer_margin,-500000,400000", 750_000),
        ("A,customer_cash,-900000", 900_000),
    ],
    ids=["overdrawn margin account", "overdrawn, with a margin debit", "cash account"],
)
def test_note_e5_asks_of_every_debit_outside_cash_accounts(tmp_path: Path, account: str, left: int) -> None:
    """E(5) cuts "debit balances in margin accounts", in whichever column they stand: 25 % of 3,000,000."""
    kind = "customer_fully_paid" if "cash" in account else "customer_margin"
    told = cuts(
        tmp_path,
        firm={"tentative_net_capital": 3_000_000},
        accounts=account,
        claims=f"S,{kind},A,1000000",
        locations="S,box,,1000000",
        prices="S,2.00,yes",
    )
    assert told["10"] == left


# E(2): an omnibus account's balance of -100,000 or 20,000; deficits, calls on them; what counts
E2 = [
    ("deficits of 30,000", "-100000", "30000,", 70_000, 0),
    ("less calls of five business days or less", "-100000", "30000,12000", 82_000, 0),
    ("calls larger than deficits", "-100000", "30000,40000", 100_000, 0),
    ("deficits larger than the debit", "-100000", "130000,10000", 0, 20_000),
    ("a credit is increased", "20000", "5000,1000", 0, 24_000),
    ("no deficits: nothing is unsecured", "-100000", "0,", 100_000, 0),
]


@pytest.mark.parametrize(
    ("balance", "omnibus", "item_10", "item_1"), [e[1:] for e in E2], ids=[e[0] for e in E2]
)
def test_note_e2(tmp_path: Path, balance: str, omnibus: str, item_10: int, item_1: int) -> None:
    told = computed(
        tmp_path,
        firm={"tentative_net_capital": 0},  # E(5) leaves omnibus accounts alone
        accounts=f"A,customer_margin,{balance},,,,,{omnibus}",
        claims="S,customer_margin,A,40000",
        locations="S,box,,40000",
        prices="S,2.00,yes",
    )
    assert (dollars(told.lines[10]), dollars(told.lines[1])) == (item_10, item_1)
    by_note = {n.item: n.amount_minor / 100 for n in told.notes if n.note == "E(2)"}
    cash = max(float(balance), 0)
    cut = {10: item_10 + float(balance)} if balance.startswith("-") and item_10 < 100_000 else {}
    assert by_note == cut | ({1: item_1 - cash} if item_1 > cash else {})


def test_a_debit_is_not_known_where_margin_securities_name_no_account(tmp_path: Path) -> None:
    """Item 10: it may be secured by them; a missing input is INDETERMINATE, never zero."""
    tables = {"claims": "S,customer_margin,,1000", "locations": "S,box,,1000", "prices": "S,2.00,yes"}
    told = computed(tmp_path, accounts="A,customer_margin,,1000", **tables)
    assert told.lines[10] is None
    assert "customer_margin of S names no account, and the debit of A" in told.gaps[0].reason
    assert computed(tmp_path, accounts="A,customer_margin,5", **tables).lines[10] == 0


def test_pab_accounts_know_no_note_e1(tmp_path: Path) -> None:
    """PAB Note 3."""
    told = computed(
        tmp_path,
        pab=True,
        accounts="A,pab,,500",
        claims="S,pab,A,100",
        locations="S,box,,100",
        prices="S,10.00",
    )
    assert dollars(told.lines[10]) == 500


def test_tentative_net_capital_is_needed_once_a_debit_exceeds_the_floor(tmp_path: Path) -> None:
    tables = {
        "accounts": "A,customer_margin,,50000.01",
        "claims": "S,customer_margin,A,100000",
        "locations": "S,box,,100000",
        "prices": "S,2.00,yes",
    }
    with pytest.raises(BadInput, match=r"firm\.json is missing: account A owes more than"):
        computed(tmp_path, **tables)
    told = computed(tmp_path, firm={"net_capital": 1}, **tables)
    assert told.lines[10] is None and told.requirement_minor is None
    assert "tentative_net_capital is not in firm.json" in told.gaps[0].reason


@pytest.mark.parametrize(
    ("percent", "cut"), [(0, 0), (499, 0), (500, 500), (5000, 5000), (5001, 10000), (10000, 10000)]
)
def test_joint_share(percent: int, cut: int) -> None:
    assert joint_cut_percent(percent) == cut


@pytest.mark.parametrize(
    ("capital", "limit"), [(0, 5_000_000), (20_000_000, 5_000_000), (20_000_004, 5_000_001)]
)
def test_customer_limit(capital: int, limit: int) -> None:
    assert customer_limit_minor(capital) == limit
