"""From a line back to the rows of the files: which row gives how many cents of an item.

Owns: spreading what a bucket gives over its rows, so that the rows of an item sum to it exactly. Does not own
any amount. What was allocated out of a bucket is shared by all of its rows, pro rata to what it was reckoned
from: contract value, what Notes C and D add, or units. Source: 17 CFR 240.17a-3(a)(5), 240.17a-5 (records
behind a computation).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from engine.reserve.account_balances import credit
from engine.reserve.allocation import Allocation
from engine.reserve.case_files import HOLDERS, Case
from engine.reserve.computation import Computation, Terms
from engine.reserve.csv_columns import LINE, dollars
from engine.reserve.debit_balances import ITEM, debtors
from engine.reserve.exact import UNITS_PER_CENT
from engine.reserve.findings import REQUIREMENT
from engine.reserve.kinds import FORMULA_OF_HOLDER
from engine.reserve.lines import Valued, is_at_market
from engine.reserve.matrix import Basis, Short
from engine.reserve.policy import Policy
from engine.reserve.stock import POOL, Side, Stock, bucketed_rows

SCHEMA = {"item": pl.Int64, "file": pl.String, LINE: pl.Int64, "note": pl.String, "amount_minor": pl.Int64}
_AT_LOCATION, _AT_CLAIM = "locations.csv", "claims.csv"
_MEASURES = ("contract_value", "excess", "quantity")
_UNIDENTIFIED = -1
_BIG = pl.Int128


def source_rows(case: Case, told: Computation) -> pl.DataFrame:
    """Rows behind each item that is known: (item, file, line, note, amount_minor), in order.

    Cuts of Note E have no file and line, but the note. The rows of an item sum to it. Item 16 is not told.
    """
    stock = StockTold(told.terms, told.policy, told.stock, told.allocation, told.stock_lines.valued)
    parts = [_accounts(case, told), _others(told), stock_source_rows(case, stock)]
    known = [item for item, amount in told.lines.items() if amount is not None and item != REQUIREMENT]
    rows = pl.concat([part.select(pl.col(c).cast(t) for c, t in SCHEMA.items()) for part in parts])
    place = ["item", "file", LINE, "note"]
    summed = rows.filter(pl.col("item").is_in(known)).group_by(place).agg(pl.col("amount_minor").sum())
    return summed.filter(pl.col("amount_minor") != 0).sort(place)


def write_sources(case: Case, told: Computation, path: Path) -> None:
    """Write the rows behind each item as CSV: item, file, line, note, amount in dollars."""
    amount = dollars(pl.col("amount_minor")).alias("amount")
    texts = [pl.col(name).replace("", None) for name in ("file", "note")]
    source_rows(case, told).select("item", texts[0], LINE, texts[1], amount).write_csv(path)


def _accounts(case: Case, told: Computation) -> pl.DataFrame:
    formula = told.terms.formula
    holders = [n for n, holder in enumerate(HOLDERS) if FORMULA_OF_HOLDER.get(holder) is formula]
    file = pl.lit("accounts.csv").alias("file")
    credits = case.accounts.filter(pl.col("class").is_in(holders) & (credit() > 0)).select(
        pl.lit(1).alias("item"),
        file,
        LINE,
        pl.lit("").alias("note"),
        credit().alias("amount_minor"),
    )
    owed = debtors(case, formula, told.policy).select("account_id", "debit")
    debits = case.accounts.join(owed, on="account_id").select(
        pl.lit(ITEM).alias("item"),
        file,
        LINE,
        pl.lit("").alias("note"),
        pl.col("debit").alias("amount_minor"),
    )
    return pl.concat(
        [part.select(pl.col(c).cast(t) for c, t in SCHEMA.items()) for part in (credits, debits)]
    )


def _others(told: Computation) -> pl.DataFrame:
    """Rows of other.csv, and the cuts of Item 10."""
    rows = [(item, "other.csv", line, "", amount) for item, line, amount in told.totals.rows]
    rows += [(ITEM, "", 0, note.note, note.amount_minor) for note in told.notes if note.item == ITEM]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


class _Part(NamedTuple):
    file: str
    measure: str
    bucket: int
    item: int


class StockTold(NamedTuple):
    """What a computation says of the stock record of a case."""

    terms: Terms
    policy: Policy
    stock: Stock
    allocation: Allocation
    valued: list[Valued]


def stock_source_rows(case: Case, told: StockTold) -> pl.DataFrame:
    """Rows of the stock record behind each item: (item, file, line, note, amount_minor), in no order."""
    gathered: dict[_Part, list[pl.DataFrame]] = {}
    for valued in told.valued:
        pairing, cell = valued.pairing, valued.cell
        if cell is None or not cell.item or cell.formula is not told.terms.formula:
            continue
        if cell.basis is Basis.CLAIM_CONTRACT:
            parts = [(_AT_CLAIM, "contract_value", pairing.long, valued.amount)]
        elif is_at_market(cell, told.policy):
            parts = [(_AT_LOCATION, "quantity", pairing.short, valued.amount)]
        else:
            excess = (
                pairing.excess if cell.basis in (Basis.LOAN, Basis.OLD_FAIL) else np.zeros_like(valued.amount)
            )
            parts = [
                (_AT_LOCATION, "contract_value", pairing.short, valued.amount - excess),
                (_AT_LOCATION, "excess", pairing.short, excess),
            ]
        for file, measure, bucket, amount in parts:
            frame = pl.DataFrame({"number": pairing.issue, POOL: pairing.pool, "amount": amount})
            gathered.setdefault(_Part(file, measure, int(bucket), cell.item), []).append(frame)
    terms = told.terms
    claims, locations = bucketed_rows(case, terms.as_of, terms.method, told.policy)
    found = [pl.DataFrame(schema=SCHEMA)]
    for file, rows, left in (
        (_AT_CLAIM, claims, told.allocation.longs_left),
        (_AT_LOCATION, locations, told.allocation.shorts_left),
    ):
        chosen = {part: pl.concat(frames) for part, frames in gathered.items() if part.file == file}
        if chosen:
            table = _measured(rows, told, sorted({part.bucket for part in chosen}))
            found += [_spread_part(table, part, amounts, left, told) for part, amounts in chosen.items()]
    return pl.concat(found)


def _measured(rows: pl.LazyFrame, told: StockTold, buckets: list[int]) -> pl.DataFrame:
    """Rows of some buckets with the number of their issue, their pool and their measures."""
    issues = pl.DataFrame(
        {"issue": told.stock.issues, "number": np.arange(len(told.stock.issues)), "price": told.stock.price},
        schema={"issue": pl.String, "number": pl.Int64, "price": pl.Int64},
    )
    value = pl.col("quantity").cast(_BIG) * pl.col("price").clip(lower_bound=0)
    over = (value - pl.col("contract_value").cast(_BIG) * UNITS_PER_CENT).clip(lower_bound=0)
    is_in_note = pl.col("bucket").is_in([int(Short.LOAN), int(Short.OLD_RECEIVE)])
    return (
        rows.filter(pl.col("bucket").is_in(buckets))
        .join(issues.lazy(), on="issue")
        .join(
            told.stock.keys.lazy().select("issue", "account_id", POOL), on=["issue", "account_id"], how="left"
        )
        .select(
            LINE,
            "bucket",
            "number",
            pl.col(POOL).fill_null(_UNIDENTIFIED),
            "quantity",
            "contract_value",
            pl.when(is_in_note)
            .then((over + (UNITS_PER_CENT - 1)) // UNITS_PER_CENT)
            .otherwise(0)
            .alias("excess"),
        )
        .collect(engine="streaming")
    )


def _spread_part(
    table: pl.DataFrame, part: _Part, amounts: pl.DataFrame, left: Side, told: StockTold
) -> pl.DataFrame:
    """Spread one item's amounts of one bucket: over the issue's rows, then over those of identified pools."""
    rows = table.filter(pl.col("bucket") == part.bucket).with_columns(pl.col(part.measure).alias("weight"))
    measure = {"contract_value": left.contract, "excess": left.excess, "quantity": left.quantity}[
        part.measure
    ]
    pools = told.stock.keys.select("number", POOL, pl.lit(0, pl.UInt32).alias(LINE)).with_columns(
        pl.Series("weight", measure[part.bucket], dtype=pl.Int64)
    )
    of_issue = rows.filter(pl.col(POOL) == _UNIDENTIFIED)
    columns = ["number", POOL, LINE, "weight"]
    whole = amounts.filter(pl.col(POOL) == _UNIDENTIFIED).group_by("number").agg(pl.col("amount").sum())
    first = _spread(
        pl.concat([frame.select(pl.col(c).cast(pl.Int64) for c in columns) for frame in (of_issue, pools)]),
        whole,
        "number",
    )
    identified = pl.concat(
        [
            amounts.filter(pl.col(POOL) != _UNIDENTIFIED).select(POOL, "amount"),
            first.filter(pl.col(POOL) != _UNIDENTIFIED).select(POOL, pl.col("part").alias("amount")),
        ]
    )
    second = _spread(
        rows.filter(pl.col(POOL) != _UNIDENTIFIED).select(pl.col(c).cast(pl.Int64) for c in columns),
        identified.group_by(POOL).agg(pl.col("amount").sum()),
        POOL,
    )
    both = pl.concat([first.filter(pl.col(POOL) == _UNIDENTIFIED), second])
    return both.select(
        pl.lit(part.item, pl.Int64).alias("item"),
        pl.lit(part.file).alias("file"),
        pl.col(LINE),
        pl.lit("").alias("note"),
        pl.col("part").alias("amount_minor"),
    )


def _spread(rows: pl.DataFrame, amounts: pl.DataFrame, key: str) -> pl.DataFrame:
    """Parts of each key's amount, by weight, rounded by running totals so that they sum to it."""
    reached, total = (
        pl.col("weight").cast(_BIG).cum_sum().over(key),
        pl.col("weight").cast(_BIG).sum().over(key),
    )
    return (
        rows.filter(pl.col("weight") > 0)
        .join(amounts, on=key)
        .sort(key, POOL, LINE)
        .with_columns((pl.col("amount").cast(_BIG) * reached // total).cast(pl.Int64).alias("share"))
        .with_columns((pl.col("share") - pl.col("share").shift(1).over(key).fill_null(0)).alias("part"))
    )
