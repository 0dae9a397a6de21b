"""The files of a case: which there are, which columns they have, and what must agree between them.

Owns: reading a folder into a Case, and every refusal that a file alone explains. Does not own what the
figures mean. The only module of this package that opens a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

import polars as pl

from engine.errors import BadInput
from engine.reserve.csv_columns import LINE, Column, Form, require_room, scan, type_of
from engine.reserve.kinds import HOLDER_SPELLINGS, Claim, Holder, Location, Total
from engine.reserve.terms import CENTS, Formula

HOLDERS, CLAIMS, LOCATIONS = tuple(Holder), tuple(Claim), tuple(Location)
TOTALS, FORMULAS = tuple(Total), tuple(Formula)
MOST_MINOR = 10**15
STREAMED_FROM = 100_000  # rows
Engine = Literal["streaming", "in-memory"]  # of polars


def _words(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


_FORMULA = Column("formula", Form.WORD, words=_words(FORMULAS))
COLUMNS: dict[str, tuple[Column, ...]] = {
    "accounts.csv": (
        Column("account_id", Form.TEXT, is_needed=True, is_filled=True),
        Column(
            "class",
            Form.WORD,
            is_needed=True,
            is_filled=True,
            words={spelling: HOLDERS.index(h) for spelling, h in HOLDER_SPELLINGS.items()},
        ),
        Column("cash_balance", Form.MONEY),
        Column("margin_debit", Form.POSITIVE),
        Column("household_id", Form.TEXT),
        Column("affiliate", Form.YES_NO),
        Column("noncustomer_percent", Form.PERCENT),
        Column("omnibus_deficit", Form.POSITIVE),
        Column("omnibus_calls", Form.POSITIVE),
    ),
    "claims.csv": (
        Column("issue", Form.TEXT, is_needed=True, is_filled=True),
        Column("claim", Form.WORD, is_needed=True, is_filled=True, words=_words(CLAIMS)),
        Column("account_id", Form.TEXT),
        Column("quantity", Form.QUANTITY, is_needed=True, is_filled=True),
        Column("contract_value", Form.POSITIVE),
        Column("opened_on", Form.DATE),
    ),
    "locations.csv": (
        Column("issue", Form.TEXT, is_needed=True, is_filled=True),
        Column("location", Form.WORD, is_needed=True, is_filled=True, words=_words(LOCATIONS)),
        Column("account_id", Form.TEXT),
        Column("quantity", Form.QUANTITY, is_needed=True, is_filled=True),
        Column("contract_value", Form.POSITIVE),
        Column("opened_on", Form.DATE),
    ),
    "prices.csv": (
        Column("issue", Form.TEXT, is_needed=True, is_filled=True),
        Column("price", Form.PRICE, is_needed=True),
        Column("exempt", Form.YES_NO),
    ),
    "other.csv": (
        Column("item", Form.WORD, is_needed=True, is_filled=True, words=_words(TOTALS)),
        Column("amount", Form.POSITIVE, is_needed=True),
        Column("opened_on", Form.DATE),
        _FORMULA,
    ),
    "deposits.csv": (
        Column("bank", Form.TEXT, is_needed=True, is_filled=True),
        Column("cash", Form.POSITIVE),
        Column("bank_equity", Form.POSITIVE),
        Column("affiliate", Form.YES_NO),
        Column("qualified_securities", Form.POSITIVE),
        _FORMULA,
    ),
}
FIRM = "firm.json"


@dataclass(frozen=True)
class Case:
    """What a folder says, typed. Words are numbers of HOLDERS, CLAIMS, LOCATIONS, TOTALS; money is in cents.

    A file that is not there is an empty table; `has` tells the difference.
    """

    accounts: pl.DataFrame
    claims: pl.DataFrame
    locations: pl.DataFrame
    prices: pl.DataFrame
    other: pl.DataFrame
    deposits: pl.DataFrame
    firm: dict[str, Any]
    digests: dict[str, str]  # SHA-256 of each file that was read, or of the one that holds a book's table

    def has(self, file_name: str) -> bool:
        """Whether the folder holds the file."""
        return file_name in self.digests

    @property
    def has_customers(self) -> bool:
        """Whether a row tells of a customer: an account, a claim or a short position."""
        customers = [HOLDERS.index(Holder.CUSTOMER_CASH), HOLDERS.index(Holder.CUSTOMER_MARGIN)]
        longs = [CLAIMS.index(Claim.CUSTOMER_FULLY_PAID), CLAIMS.index(Claim.CUSTOMER_MARGIN)]
        short = LOCATIONS.index(Location.CUSTOMER_SHORT)
        return bool(
            self.accounts["class"].is_in(customers).any()
            or self.claims["claim"].is_in(longs).any()
            or (self.locations["location"] == short).any()
        )


def engine_for(table: pl.DataFrame) -> Engine:
    """How polars is to work through rows: a stream costs milliseconds to set up, and saves memory on many."""
    return "streaming" if len(table) > STREAMED_FROM else "in-memory"


def read_case(folder: Path, as_of: date) -> Case:
    """Read every file of a case that is there, as of a day.

    Raises BadInput on a file that cannot be used, rows that contradict each other, and a file that another
    one needs and that is not there.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder")
    tables: dict[str, pl.DataFrame] = {}
    digests: dict[str, str] = {}
    for name, columns in COLUMNS.items():
        path = folder / name
        if path.is_file():
            tables[name] = scan(path, columns)
            digests[name] = _digest(path)
        else:
            tables[name] = _empty(columns)
    firm: dict[str, Any] = {}
    if (folder / FIRM).is_file():
        firm = firm_of((folder / FIRM).read_bytes(), FIRM)
        digests[FIRM] = _digest(folder / FIRM)
    if not digests:
        raise BadInput(f"{folder} holds none of {', '.join([*COLUMNS, FIRM])}")
    case = Case(
        tables["accounts.csv"],
        tables["claims.csv"],
        tables["locations.csv"],
        tables["prices.csv"],
        tables["other.csv"],
        tables["deposits.csv"],
        firm,
        digests,
    )
    check_case(case, as_of)
    return case


def _empty(columns: tuple[Column, ...]) -> pl.DataFrame:
    schema: dict[str, type[pl.DataType]] = {LINE: pl.UInt32}
    return pl.DataFrame(schema=schema | {c.name: type_of(c) for c in columns})


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_case(case: Case, as_of: date) -> None:
    """Raise BadInput on rows that contradict each other, are of a day to come, or need a file that is not."""
    require_room(case.accounts, "accounts.csv", ["cash_balance", "margin_debit", "omnibus_deficit"])
    for name, table in (("claims.csv", case.claims), ("locations.csv", case.locations)):
        require_room(table, name, ["quantity", "contract_value"])
    require_room(case.other, "other.csv", ["amount"])
    require_room(case.deposits, "deposits.csv", ["cash", "qualified_securities"])
    for name, table in (
        ("claims.csv", case.claims),
        ("locations.csv", case.locations),
        ("other.csv", case.other),
    ):
        late = table.filter(pl.col("opened_on") > as_of)
        if len(late):
            line, day = late.select(LINE, "opened_on").row(0)
            raise BadInput(f"{name}, line {line}, column opened_on: {day} lies after {as_of}")
    for name, table in (("claims.csv", case.claims), ("locations.csv", case.locations)):
        empty = table.filter((pl.col("quantity") == 0) & (pl.col("contract_value") > 0))
        if len(empty):
            raise BadInput(
                f"{name}, line {empty[LINE][0]}, column quantity: 0 units cannot have a contract value"
            )
    for name, table, key in (
        ("accounts.csv", case.accounts, "account_id"),
        ("prices.csv", case.prices, "issue"),
    ):
        again = table.filter(pl.col(key).is_duplicated())
        if len(again):
            value, lines = again[key][0], again.filter(pl.col(key) == again[key][0])[LINE].to_list()
            raise BadInput(
                f"{name}, line {lines[1]}, column {key}: {value!r} stands on line {lines[0]} already"
            )
    alone = case.accounts.filter(pl.col("omnibus_calls").is_not_null() & pl.col("omnibus_deficit").is_null())
    if len(alone):
        raise BadInput(
            f"accounts.csv, line {alone[LINE][0]}, column omnibus_calls: they need an omnibus_deficit"
        )
    if case.has("claims.csv") != case.has("locations.csv"):
        there, missing = (
            ("claims.csv", "locations.csv") if case.has("claims.csv") else ("locations.csv", "claims.csv")
        )
        raise BadInput(f"{missing} is missing: {there} is one side of the stock record, and both are needed")
    _check_accounts(case)


def _check_accounts(case: Case) -> None:
    """Whoever a customer's or PAB account's row names is in accounts.csv, on the right side of the rule."""
    customer = [HOLDERS.index(Holder.CUSTOMER_CASH), HOLDERS.index(Holder.CUSTOMER_MARGIN)]
    pab = [HOLDERS.index(Holder.PAB)]
    sides = (
        (
            "claims.csv",
            case.claims,
            "claim",
            CLAIMS,
            (Claim.CUSTOMER_FULLY_PAID, Claim.CUSTOMER_MARGIN),
            customer,
        ),
        ("claims.csv", case.claims, "claim", CLAIMS, (Claim.PAB,), pab),
        ("locations.csv", case.locations, "location", LOCATIONS, (Location.CUSTOMER_SHORT,), customer),
        ("locations.csv", case.locations, "location", LOCATIONS, (Location.PAB_SHORT,), pab),
    )
    for name, table, column, words, kinds, holders in sides:
        numbers = [words.index(kind) for kind in kinds]  # type: ignore[arg-type]
        named = table.lazy().filter(pl.col(column).is_in(numbers) & pl.col("account_id").is_not_null())
        allowed = case.accounts.lazy().filter(pl.col("class").is_in(holders)).select("account_id")
        strange = (
            named.join(allowed, on="account_id", how="anti")
            .select(LINE, "account_id", column)
            .collect(engine="streaming")
            .sort(LINE)
            .head(1)
        )
        if len(strange):
            line, account, number = strange.row(0)
            where = f"{name}, line {line}, column account_id"
            if not case.has("accounts.csv"):
                raise BadInput(
                    f"accounts.csv is missing: {where} names {account!r}, whose balances are needed"
                )
            found = case.accounts.filter(pl.col("account_id") == account)["class"].to_list()
            told = f"is {HOLDERS[found[0]]} in accounts.csv" if found else "is not in accounts.csv"
            raise BadInput(f"{where}: {account!r} {told}, and the row is of {words[number]}")


def firm_of(content: bytes, name: str) -> dict[str, Any]:
    """What firm.json says, numbers as decimals. Raises BadInput, with the file's name, on anything else."""
    try:
        told = json.loads(content.decode("utf-8-sig"), parse_float=Decimal, parse_int=Decimal)
    except (ValueError, UnicodeDecodeError, InvalidOperation) as error:
        raise BadInput(f"{name}: it is not JSON that can be read: {error}") from None
    if not isinstance(told, dict):
        raise BadInput(f"{name}: expected an object of names and values")
    named: dict[str, Any] = {}
    for told_name, value in told.items():
        word = told_name.strip().lower().replace(" ", "_").replace("-", "_")
        if word in named:
            raise BadInput(f"{name}: {word} is there twice")
        named[word] = value
    return named


def firm_minor(case: Case, name: str) -> int | None:
    """An amount of firm.json in cents; None where it is not told. Raises BadInput on what is no amount."""
    told = case.firm.get(name)
    return None if told is None else minor_of(told, name)


def minor_of(told: object, name: str) -> int:
    """An amount out of JSON in cents. Raises BadInput on what is no amount of at most two decimals."""
    try:
        amount = told if isinstance(told, Decimal) else Decimal(told) if isinstance(told, str) else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or abs(amount) >= MOST_MINOR:
        raise BadInput(f"{FIRM}, {name}: {told!r} is not {Form.MONEY.value}")
    minor = amount * CENTS
    if minor != minor.to_integral_value():
        raise BadInput(f"{FIRM}, {name}: {told} is not {Form.MONEY.value}")
    return int(minor)
