"""Worked cases of `onebook reserve compute`, reckoned by hand from the rule, in files of another firm.

A case is files in the columns that every reader of docs/reserve.md has, what is asked, and what the rule
gives. An item that is not named is zero. X costs $100 a unit, G is exempt at $100.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

HEADERS = {
    "accounts.csv": "account_id,class,cash_balance,margin_debit,household_id,affiliate",
    "claims.csv": "issue,claim,account_id,quantity,contract_value,opened_on",
    "locations.csv": "issue,location,account_id,quantity,contract_value,opened_on",
    "prices.csv": "issue,price,exempt",
    "other.csv": "item,amount,opened_on",
    "deposits.csv": "bank,cash,bank_equity,affiliate,qualified_securities",
}
UNKNOWN = "INDETERMINATE"


class Asked(NamedTuple):
    """The options of the command."""

    as_of: str = "2026-10-02"
    method: str = "alternative"
    frequency: str = "daily"
    is_pab: bool = False


class WorkedCase(NamedTuple):
    """One case: its name with the paragraph, its files without headers, what is asked, what is due."""

    name: str
    asked: Asked
    files: dict[str, str]
    lines: dict[int, float | str]
    told: dict[str, Any]


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write a case's files as they stand, under the header of each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        header = [HEADERS[name]] if name in HEADERS else []
        text = "\n".join([*header, *(row.strip() for row in rows.strip().splitlines())]) + "\n"
        (folder / name).write_text(text, encoding="utf-8")
    return folder


PRICES = "X,100,no\nG,100,yes"
MARGIN = "M1,customer_margin,0,0,,no"

# A whole book as of 2 October 2026. G: the bank loan takes 600 of 1,200 margin units, the loan 500, the old
# fail 100 of its 200 and P1's 100 the rest. X: S1's short position of 350 takes the borrow of 200, the old
# fail to deliver of 100 (no debit) and 50 of the young one's 100. G is exempt: Note E(1) has nothing to cut.
#  1  C1 100,000 + M2 25,000 + S1 55,000 + drafts 500
#  2  50,000      3  48,000 + Note C (50,000 - 48,000)     4  9,500 + Note D (20,000 - 19,000) / 2
# 10  C2 2,000 against 1,500: 1,500; M1 60,000 and M2 40,000 against 30,000 share a household: 90,000, of
#     which 25 % of 300,000 count; M3 is an affiliate's
# 11  21,000     12  9,900 / 2     13  1,000
BOOK = {
    "accounts.csv": """
        C1,customer_cash,100000.00,,,no
        C2,customer_cash,-2000.00,,,no
        M1,customer_margin,0,60000,H1,no
        M2,customer_margin,25000,40000,H1,no
        M3,customer_margin,0,10000,,yes
        S1,customer_margin,55000,0,,no
        P1,pab,30000,0,,no
        N1,noncustomer,9999,5000,,no
        F1,firm,0,0,,no""",
    "claims.csv": """
        G,customer_fully_paid,C1,200,,
        G,customer_fully_paid,C2,15,,
        G,customer_margin,M1,800,,
        G,customer_margin,M2,300,,
        G,customer_margin,M3,100,,
        G,pab,P1,100,,
        G,noncustomer,N1,50,,
        G,firm,F1,135,,
        X,borrow,BB,200,21000,
        X,fail_to_deliver,DD,100,9900,2026-09-30
        X,fail_to_deliver,DD2,100,9000,2026-08-01
        X,customer_fully_paid,C1,100,,""",
    "locations.csv": """
        G,bank_loan,BK,600,50000,
        G,loan,L1,500,48000,
        G,fail_to_receive,R1,200,19000,2026-08-20
        G,box,,400,,
        X,customer_short,S1,350,,
        X,box,,150,,""",
    "prices.csv": PRICES,
    "firm.json": '{"tentative_net_capital": 300000}',
    "other.csv": "drafts,500,\nocc_margin,1000,",
    "deposits.csv": "First,20000,100000,no,5000",
}
BOOK_LINES: dict[int, float | str] = {
    1: 180_500, 2: 50_000, 3: 50_000, 4: 10_000, 10: 76_500, 11: 21_000, 12: 4_950, 13: 1_000,
}  # fmt: skip

CASES = [
    WorkedCase(
        "Item 10, Notes C, D, E(4), E(5): a whole book, alternative method, daily: 2 % of all debits",
        Asked(),
        BOOK,
        BOOK_LINES,
        {
            "total_credits": 290_500,
            "total_debits": 103_450,
            "reduction": 2_069,
            "requirement": 189_119,
            "eligible_deposit": 20_000,  # 15 % of 100,000, and securities
            "deposit_due": 169_119,
            "deadline": "2026-10-06T10:00:00-04:00",
        },
    ),
    WorkedCase(
        "Note E(3): the same book, basic method: 1 % of Item 10 alone, though computed daily",
        Asked(method="basic"),
        BOOK,
        BOOK_LINES,
        {"reduction": 765, "requirement": 187_815},
    ),
    WorkedCase(
        "15c3-1(a)(1)(ii)(A): the same book, weekly: 3 %",
        Asked(frequency="weekly"),
        BOOK,
        BOOK_LINES,
        {"reduction": 3_103.50, "requirement": 190_153.50},
    ),
    WorkedCase(
        "PAB Notes 2 and 4: the same book for PAB accounts: what customers left of the fail, no reduction",
        Asked(is_pab=True),
        BOOK,
        {1: 30_000, 4: 10_000},
        {"reduction": 0, "requirement": 40_000},
    ),
    WorkedCase(
        "Items 2 and 3: customers' margin securities before the firm's, fully paid ones last, the box last",
        Asked(),
        {
            "accounts.csv": f"{MARGIN}\nC1,customer_cash,0,,,",
            "claims.csv": "X,customer_margin,M1,500,,\nX,firm,,500,,\nX,customer_fully_paid,C1,100,,",
            "locations.csv": "X,bank_loan,,300,24000,\nX,loan,,300,30600,\nX,box,,500,,",
            "prices.csv": PRICES,
        },
        {2: 24_000, 3: 20_400},  # 200 of the 300 lent
        {"requirement": 44_400},
    ),
    WorkedCase(
        "Item 2: one bank loan over customers' and the firm's securities of one issue, pro rata",
        Asked(),
        {
            "accounts.csv": MARGIN,
            "claims.csv": "X,customer_margin,M1,300,,\nX,firm,,300,,",
            "locations.csv": "X,bank_loan,,450,30000,\nX,box,,150,,",
        },
        {2: 20_000},
        {"requirement": 20_000},
    ),
    WorkedCase(
        "Notes B and C: treasury clearing at market value; each loan's excess for itself",
        Asked(),
        {
            "accounts.csv": MARGIN,
            "claims.csv": "X,customer_margin,M1,200,,\nG,customer_margin,M1,50,,",
            "locations.csv": "X,loan,B1,100,10200,\nX,loan,B2,100,9000,\nG,treasury_clearing,,50,,",
            "prices.csv": PRICES,
        },
        {2: 5_000, 3: 20_200},  # 10,200 and 9,000 + 1,000
        {"requirement": 25_200},
    ),
    WorkedCase(
        "Note D and Item 12: 31 calendar days are over 30, 30 are not",
        Asked(),
        {
            "accounts.csv": f"{MARGIN}\nS1,customer_margin,60000,,,",
            "claims.csv": """
                X,customer_margin,M1,540,,
                G,fail_to_deliver,A,100,10000,2026-09-01
                G,fail_to_deliver,B,100,10000,2026-09-02""",
            "locations.csv": """
                X,fail_to_receive,A,270,24800,2026-09-01
                X,fail_to_receive,B,270,24800,2026-09-02
                G,customer_short,S1,200,,""",
            "prices.csv": PRICES,
        },
        {1: 60_000, 4: 27_000 + 24_800, 12: 10_000},
        {"reduction": 200, "requirement": 102_000},
    ),
    WorkedCase(
        "Items 4 and 12: a fail to receive against a fail to deliver gives neither, and 1 % off net worth",
        Asked(),
        {
            "accounts.csv": MARGIN,
            "claims.csv": "X,fail_to_deliver,,400,40000,2026-10-01\nX,customer_margin,M1,600,,",
            "locations.csv": "X,fail_to_receive,,700,70000,2026-10-01\nX,box,,300,,",
            "prices.csv": PRICES,
        },
        {4: 30_000},
        {"requirement": 30_000, "net_worth_charge": 400},
    ),
    WorkedCase(
        "Item 5: customers' securities that cover a short position of the firm, at market value",
        Asked(),
        {
            "accounts.csv": f"{MARGIN}\nC1,customer_cash,0,,,",
            "claims.csv": "X,customer_margin,M1,60,,\nX,firm,,10,,\nX,customer_fully_paid,C1,100,,",
            "locations.csv": "X,firm_short,,60,,\nX,noncustomer_short,,30,,\nX,box,,80,,",
            "prices.csv": PRICES,
        },
        {5: 8_000},  # 60 of margin securities; the firm's 10 cover 10 of the other 30, fully paid ones 20
        {"requirement": 8_000},
    ),
    WorkedCase(
        "Items 6 to 9 over Labor Day, alternative method: 7 business days for breaks; 30 and 40 days",
        Asked(as_of="2026-09-14"),
        {
            "accounts.csv": MARGIN,
            "claims.csv": "X,customer_margin,M1,800,,",
            "locations.csv": """
                X,dividend_receivable,,100,,2026-08-14
                X,dividend_receivable,,100,,2026-08-15
                X,count_difference,,100,,2026-09-01
                X,count_difference,,100,,2026-09-02
                X,suspense,,100,,2026-09-01
                X,suspense,,100,,2026-09-02
                X,transfer,,100,,2026-08-04
                X,transfer,,100,,2026-08-05""",
            "prices.csv": PRICES,
            "other.csv": "suspense_short,5,2026-09-01\ncount_differences_short,7,2026-09-02",
        },
        {6: 10_000, 7: 10_000, 8: 10_005, 9: 10_000},
        {"requirement": 40_005},
    ),
    WorkedCase(
        "Items 7 and 8, basic method: 30 calendar days",
        Asked(method="basic", frequency="weekly"),
        {
            "accounts.csv": MARGIN,
            "claims.csv": "X,customer_margin,M1,200,,",
            "locations.csv": "X,count_difference,,100,,2026-09-01\nX,suspense,,100,,2026-09-02",
            "prices.csv": PRICES,
        },
        {7: 10_000},
        {"requirement": 10_000},
    ),
    WorkedCase(
        "Note E(1): X counts 100,000 of an aggregate of 420,000, limit 63,000",
        Asked(),
        {
            "accounts.csv": "M1,customer_margin,,100000,,\nM2,customer_margin,,200000,,",
            "claims.csv": """
                X,customer_margin,M1,1000,,
                G,customer_margin,M1,400,,
                G,customer_margin,M2,3000,,""",
            "locations.csv": "X,box,,1000,,\nG,depository,,3400,,",
            "prices.csv": PRICES,
            "firm.json": '{"tentative_net_capital": 100000000}',
        },
        {10: 263_000},
        {"reduction": 5_260, "requirement": 0, "excess_debits": 257_740},
    ),
    WorkedCase(
        "Note E(5): a margin account's negative balance and its debit are one customer's debit",
        Asked(),
        {
            "accounts.csv": "M1,customer_margin,-500000.00,400000.00,,",
            "claims.csv": "G,customer_margin,M1,20000,,",
            "locations.csv": "G,box,,20000,,",
            "prices.csv": PRICES,
            "firm.json": '{"tentative_net_capital": 3000000}',
        },
        {10: 750_000},
        {"excess_debits": 735_000},
    ),
    WorkedCase(
        "Items 11 and 12: a short position takes the borrow first, then fails; a cent is lost on a debit",
        Asked(),
        {
            "accounts.csv": "S1,customer_margin,60000,,,",
            "claims.csv": "X,borrow,,500,51000,\nX,fail_to_deliver,,300,29000,2026-10-01",
            "locations.csv": "X,customer_short,S1,600,,\nX,box,,200,,",
        },
        {1: 60_000, 11: 51_000, 12: 9_666.66},
        {"reduction": 1_213.34, "requirement": 546.68},
    ),
    WorkedCase(
        "Item 3: a loan of customers' securities, unless borrow and loan name one counterparty: a conduit",
        Asked(),
        {
            "accounts.csv": MARGIN,
            "claims.csv": """
                X,borrow,K1,1000,100000,
                X,borrow,,1000,100000,
                X,customer_margin,M1,1000,,""",
            "locations.csv": "X,loan,K1,1000,100000,\nX,loan,,1000,100000,\nX,box,,1000,,",
            "prices.csv": PRICES,
        },
        {3: 100_000},
        {"requirement": 100_000},
    ),
    WorkedCase(
        "Item 16, (e)(3)(i)(C): 105 % of the customers' monthly requirement",
        Asked("2026-09-30", "basic", "monthly"),
        {
            "accounts.csv": "C1,customer_cash,10000000,,,",
            "other.csv": "margin_debits_diversified,8000000,",
        },
        {1: 10_000_000, 10: 8_000_000},
        {"reduction": 80_000, "requirement": 2_184_000, "deadline": "2026-10-02T10:00:00-04:00"},
    ),
    WorkedCase(
        "(e)(5): banks at 15 % of their equity, a sister's cash not at all; due after Columbus Day",
        Asked("2026-10-08"),
        {
            "accounts.csv": "C1,customer_cash,5000,,,",
            "deposits.csv": """
                First,1000,5000,no,
                First,,,no,100
                Second,200,10000,no,
                Sister,5000,,yes,50""",
        },
        {1: 5_000},
        {
            "eligible_deposit": 750 + 100 + 200 + 50,
            "deposit_due": 3_900,
            "deadline": "2026-10-13T10:00:00-04:00",
        },
    ),
    WorkedCase(
        "Note C: without a price the loan is not known; the rest is, and nothing is required on a guess",
        Asked(),
        {
            "accounts.csv": f"{MARGIN}\nC1,customer_cash,7,,,",
            "claims.csv": "X,customer_margin,M1,100,,\nG,customer_margin,M1,100,,",
            "locations.csv": "X,loan,,100,10000,\nG,bank_loan,,100,5000,",
            "prices.csv": "G,100,yes",
        },
        {1: 7, 2: 5_000, 3: UNKNOWN},
        {"requirement": UNKNOWN, "total_debits": 0},
    ),
]
