"""The files of a reserve case: what is accepted, and what is refused with file, line and column."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from engine.errors import BadInput
from engine.reserve.case_files import read_case
from tests.support.reserve_case import AS_OF, computed, dollars, write

GOOD = {
    "accounts": "M,customer_margin,5,100\nC,customer_cash,7",
    "claims": "S,customer_margin,M,100",
    "locations": "S,box,,100",
    "prices": "S,10.00,yes",
    "other": "free_credits,1",
    "deposits": "B,1,1000",
}
# What is wrong; the table with it; the words of the refusal.
REFUSED = [
    (
        "quantity of 1.5",
        "claims",
        "S,firm,,1.5",
        "claims.csv, line 2, column quantity: '1.5' is not a whole number",
    ),
    ("negative quantity", "claims", "S,firm,,1\nS,firm,,-1", "claims.csv, line 3, column quantity: '-1'"),
    ("empty quantity", "locations", "S,box,,", "locations.csv, line 2, column quantity: '' is not"),
    ("quantity too large", "claims", "S,firm,,1234567890123456", "column quantity"),
    ("exponent", "claims", "S,firm,,1e3", "column quantity: '1e3'"),
    (
        "three decimals",
        "claims",
        "S,borrow,,1,1.005",
        "claims.csv, line 2, column contract_value: '1.005' is not dollars",
    ),
    ("not a number", "accounts", "A,firm,NaN", "accounts.csv, line 2, column cash_balance: 'NaN'"),
    ("infinite", "accounts", "A,firm,inf", "column cash_balance: 'inf'"),
    ("overflow", "accounts", "A,firm,99999999999999", "column cash_balance"),
    (
        "negative debit",
        "accounts",
        "A,customer_margin,,-5",
        "accounts.csv, line 2, column margin_debit: '-5'",
    ),
    (
        "unknown class",
        "accounts",
        "A,client",
        "column class: 'client' is not customer_cash, customer_margin, pab",
    ),
    ("unknown claim", "claims", "S,customer,,1", "column claim: 'customer' is not customer_fully_paid"),
    ("unknown location", "locations", "S,vault,,1", "locations.csv, line 2, column location: 'vault'"),
    ("unknown item", "other", "item_1,5", "other.csv, line 2, column item: 'item_1'"),
    ("unknown affiliate", "accounts", "A,firm,,,,maybe", "column affiliate: 'maybe' is not yes or no"),
    ("no date", "claims", "S,firm,,1,,02.10.2026", "column opened_on: '02.10.2026' is not a date like"),
    ("short date", "claims", "S,firm,,1,,2026-9-1", "column opened_on: '2026-9-1'"),
    ("day that does not exist", "claims", "S,firm,,1,,2026-02-30", "column opened_on: '2026-02-30'"),
    (
        "tomorrow",
        "locations",
        "S,box,,1,,2026-10-03",
        "locations.csv, line 2, column opened_on: 2026-10-03 lies after",
    ),
    ("no issue", "claims", ",firm,,1", "claims.csv, line 2, column issue: ''"),
    (
        "account twice",
        "accounts",
        "A,firm\nB,firm\nA,pab",
        "accounts.csv, line 4, column account_id: 'A' stands on line 2",
    ),
    ("price twice", "prices", "S,1\nS,1", "prices.csv, line 3, column issue: 'S' stands on line 2"),
    ("negative price", "prices", "S,-1", "prices.csv, line 2, column price: '-1'"),
    ("nine decimals", "prices", "S,1.123456789", "column price"),
    (
        "money without units",
        "locations",
        "S,bank_loan,,0,5",
        "locations.csv, line 2, column quantity: 0 units",
    ),
    (
        "unknown account",
        "claims",
        "S,customer_margin,Z,100",
        "claims.csv, line 2, column account_id: 'Z' is not in accounts",
    ),
    (
        "account of another class",
        "claims",
        "S,pab,M,100",
        "'M' is customer_margin in accounts.csv, and the row is of pab",
    ),
    (
        "short of an unknown account",
        "locations",
        "S,customer_short,Z,100",
        "locations.csv, line 2, column account_id: 'Z'",
    ),
    (
        "calls on no omnibus account",
        "accounts",
        "A,customer_cash,,,,,,,5",
        "accounts.csv, line 2, column omnibus_calls: they need an omnibus_deficit",
    ),
    ("percentage of 101", "accounts", "A,customer_cash,,,,,101", "column noncustomer_percent: '101'"),
]


@pytest.mark.parametrize(("table", "rows", "told"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, table: str, rows: str, told: str
) -> None:
    write(tmp_path, **GOOD | {table: rows})
    with pytest.raises(BadInput) as refused:
        read_case(tmp_path, AS_OF)
    assert told in str(refused.value)


@pytest.mark.parametrize("missing", ["claims", "locations", "accounts", "prices"])
def test_a_file_that_is_needed_is_named(tmp_path: Path, missing: str) -> None:
    tables = {name: rows for name, rows in GOOD.items() if name != missing}
    with pytest.raises(BadInput, match=rf"{missing}\.csv is missing"):
        computed(tmp_path, **tables)


@pytest.mark.parametrize("missing", ["other", "deposits"])
def test_a_file_that_is_not_needed_may_be_missing(tmp_path: Path, missing: str) -> None:
    told = computed(tmp_path, **{name: rows for name, rows in GOOD.items() if name != missing})
    assert told.requirement_minor is not None


def test_claims_are_needed_where_somebody_has_a_debit(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"claims\.csv is missing: account M has a debit"):
        computed(tmp_path, accounts=GOOD["accounts"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: the names of the columns are missing"),
        ("issue,claim\nS,firm\n", "line 1: the column quantity is missing; found issue, claim"),
        ("issue,claim,quantity,issue\n", "line 1: the column 'issue' is there twice"),
        ("issue,claim,quantity\nS,firm,1\n\nS,firm,1,2,3\n", "line 4: 5 cells, and the header names 3"),
        (b"issue,claim,quantity\nS\xff,firm,1\n", "claims.csv: it is not a CSV file that can be read"),
    ],
    ids=["empty", "column missing", "column twice", "row too long", "not UTF-8"],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: str | bytes, told: str) -> None:
    write(tmp_path, **GOOD)
    (tmp_path / "claims.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadInput) as refused:
        read_case(tmp_path, AS_OF)
    assert told in str(refused.value)


def test_order_of_columns_blanks_marks_and_further_columns_do_not_matter(tmp_path: Path) -> None:
    write(tmp_path, **GOOD)
    plain = read_case(tmp_path, AS_OF)
    text = 'Quantity , desk,issue,"claim",account_id,,\r\n 100.0,X, S ,Customer_Margin,M,,\r\n\r\n,,,,,,\r\n'
    (tmp_path / "claims.csv").write_bytes(codecs.BOM_UTF8 + text.encode())
    told = read_case(tmp_path, AS_OF)
    assert told.claims.drop("line").equals(plain.claims.drop("line"))


@pytest.mark.parametrize(
    ("spelling", "item_1"),
    [
        ("customer", 5),
        ("cash", 5),
        ("MARGIN", 5),
        ("Customer_Cash", 5),
        ("customer cash", 5),
        ("Customer-Margin", 5),
        ("non-customer", 0),
        ("Non Customer", 0),
        ("firm", 0),
        ("pab", 0),
    ],
)
def test_spellings_of_a_class(tmp_path: Path, spelling: str, item_1: int) -> None:
    (tmp_path / "accounts.csv").write_text(f"account_id,class,cash_balance\nA,{spelling},5\n", "utf-8")
    assert dollars(computed(tmp_path).lines[1]) == item_1


@pytest.mark.parametrize(
    ("cell", "item_1"), [("1234.5", 1234.5), ("1234.5000", 1234.5), (".50", 0.5), ("-0.00", 0)]
)
def test_spellings_of_an_amount(tmp_path: Path, cell: str, item_1: float) -> None:
    """Zeros behind the last decimal change nothing."""
    assert dollars(computed(tmp_path, accounts=f"A,customer_cash,{cell}").lines[1]) == item_1


def test_names_in_firm_json_may_be_spelled_in_words(tmp_path: Path) -> None:
    write(tmp_path, **GOOD)
    told = '{"aggregate indebtedness": 5, "Filed month-end totals": [1]}'
    (tmp_path / "firm.json").write_text(told, encoding="utf-8")
    assert sorted(read_case(tmp_path, AS_OF).firm) == ["aggregate_indebtedness", "filed_month_end_totals"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"net capital": 1, "net_capital": 1}', "net_capital is there twice"),
        ("[1]", "expected an object"),
        ("{", "it is not JSON"),
        ('{"tentative_net_capital": "much"}', "tentative_net_capital: 'much' is not dollars"),
        ('{"tentative_net_capital": 1.001}', "tentative_net_capital: 1.001 is not dollars"),
        ('{"tentative_net_capital": NaN}', "tentative_net_capital"),
    ],
)
def test_firm_json_is_refused_when_it_is_no_figure(tmp_path: Path, text: str, told: str) -> None:
    tables = GOOD | {"accounts": "M,customer_margin,,60000", "prices": "S,1000.00,yes"}
    write(tmp_path, **tables)
    (tmp_path / "firm.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        computed(tmp_path, **tables)
    assert "firm.json" in str(refused.value) and told in str(refused.value)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds none of accounts"):
        read_case(tmp_path, AS_OF)
    with pytest.raises(BadInput, match="is not a folder"):
        read_case(tmp_path / "nowhere", AS_OF)


def test_sums_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    rows = "\n".join(["S,firm,,999999999999999"] * 5_000)
    with pytest.raises(BadInput, match=r"claims.csv, column quantity: its sum is too large"):
        computed(tmp_path, claims=rows, locations="S,box,,1")


@pytest.mark.parametrize("location", ["firm_short", "loan", "box"])
def test_a_value_that_does_not_fit_is_refused(tmp_path: Path, location: str) -> None:
    with pytest.raises(BadInput, match="too large to be reckoned exactly"):
        computed(
            tmp_path,
            claims="S,customer_margin,,999999999999999",
            locations=f"S,{location},,999999999999999,5",
            prices="S,999999999",
        )
