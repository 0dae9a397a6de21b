"""The stock record of a case as pools: by issue and bucket, how many units and what money goes with them.

Owns: the way from rows to pools, vectorised over all issues; which rows are identified with each other; and
the balance of both sides. Does not own who gets what (`allocation.py`). Cost is linear in rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import polars as pl

from engine.errors import BadInput
from engine.reserve.ageing import last_old_day
from engine.reserve.case_files import CLAIMS, LOCATIONS, Case, Engine, engine_for
from engine.reserve.csv_columns import LARGEST_SUM, LINE
from engine.reserve.exact import UNITS_PER_CENT, Ints, market_values, spread
from engine.reserve.kinds import Claim, Location
from engine.reserve.matrix import AGED_BY, LONG_OF, SHORT_OF, Long, Short
from engine.reserve.policy import Policy
from engine.reserve.terms import Method

BUCKET, POOL, EXCESS, UNVALUED, UNDATED = "bucket", "pool", "excess", "unvalued", "undated"
MEASURES = ("quantity", "contract_value", EXCESS, UNVALUED, UNDATED)


class Side(NamedTuple):
    """One side of pools, each (buckets, pools).

    `excess` is what Notes C and D add: market value over contract value, row by row. `unvalued` and `undated`
    count rows that lack a contract value or an opening day.
    """

    quantity: Ints
    contract: Ints
    excess: Ints
    unvalued: Ints
    undated: Ints


@dataclass(frozen=True)
class Pools:
    """Claims and locations that may be paired; a pool is one issue, or identified rows of one."""

    issue: Ints  # (pools,) place in `Stock.issues`
    longs: Side
    shorts: Side


@dataclass(frozen=True)
class Stock:
    """Everything that allocation needs.

    `price` is scaled by PRICE_SCALE and -1 where none is known. `difference` is claims less locations.
    """

    issues: list[str]
    price: Ints
    is_exempt: np.ndarray
    identified: Pools
    general: Pools  # without what is identified
    keys: pl.DataFrame  # issue, account_id, number and pool of what is identified
    difference: Ints


def stock_of(case: Case, as_of: date, method: Method, policy: Policy) -> Stock:
    """Pools of every issue of a case, aged as of a day. Raises BadInput where sums do not fit in 64 bits."""
    engine = engine_for(case.claims)
    issues = (
        pl.concat([case.claims.select("issue"), case.locations.select("issue")])
        .lazy()
        .unique()
        .sort("issue")
        .collect(engine=engine)
    )
    prices = issues.join(case.prices, on="issue", how="left", maintain_order="left")
    numbered = prices.select(
        "issue",
        pl.int_range(pl.len(), dtype=pl.Int64).alias("number"),
        pl.col("price").fill_null(-1),
        pl.col("exempt").fill_null(False),
    )
    claims, locations = bucketed_rows(case, as_of, method, policy)
    _require_value(locations, numbered, engine)
    keys = _identified_keys(claims, locations, numbered, engine)
    count = len(issues)
    identity = np.arange(count, dtype=np.int64)
    longs = _side(claims, numbered, None, Long, count, engine)
    shorts = _side(locations, numbered, None, Short, count, engine)
    key_longs = _side(claims, numbered, keys, Long, len(keys), engine)
    key_shorts = _side(locations, numbered, keys, Short, len(keys), engine)
    key_issue = keys["number"].to_numpy().astype(np.int64)
    rest = moved(shorts, key_shorts, key_issue, -1)
    price = numbered["price"].to_numpy().astype(np.int64)
    owed = longs.quantity.sum(axis=0).astype(np.float64) * np.maximum(price, 0)
    if owed.sum() / UNITS_PER_CENT > LARGEST_SUM:
        raise BadInput("claims.csv: its market value is too large to be reckoned exactly")
    return Stock(
        issues["issue"].to_list(),
        price,
        numbered["exempt"].to_numpy(),
        Pools(key_issue, key_longs, key_shorts),
        Pools(
            identity,
            moved(longs, key_longs, key_issue, -1),
            rest._replace(excess=np.maximum(rest.excess, 0)),  # each pool's is rounded up
        ),
        keys,
        longs.quantity.sum(axis=0) - shorts.quantity.sum(axis=0),
    )


def bucketed_rows(
    case: Case, as_of: date, method: Method, policy: Policy
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Rows of claims and of locations with their bucket, and loans shared over their collateral."""
    locations = _loans_shared(case.locations, case.prices)
    return (
        _bucketed(case.claims, "claim", LONG_OF, CLAIMS, as_of, method, policy),
        _bucketed(locations, "location", SHORT_OF, LOCATIONS, as_of, method, policy),
    )


def moved(side: Side, part: Side, issue: Ints, sign: int) -> Side:
    """A side with another one added to its issues, or taken away."""
    result: list[Ints] = []
    for whole, piece in zip(side, part, strict=True):
        changed = whole.copy()
        if len(issue):
            np.add.at(changed.T, issue, sign * piece.T)
        result.append(changed)
    return Side(*result)


def _bucketed(
    table: pl.DataFrame,
    column: str,
    buckets: dict[Claim, tuple[Long, Long]] | dict[Location, tuple[Short, Short]],
    words: tuple[Claim, ...] | tuple[Location, ...],
    as_of: date,
    method: Method,
    policy: Policy,
) -> pl.LazyFrame:
    """Rows with their bucket; a row of an aged kind without an opening day is taken as old, and marked."""
    kind = pl.col(column)
    young = {words.index(k): int(b[0]) for k, b in buckets.items()}  # type: ignore[arg-type]
    bucket = kind.replace_strict(young, return_dtype=pl.UInt8)
    aged: list[int] = []
    for word, (_, old) in buckets.items():
        item = AGED_BY.get(word)
        if item is not None:
            number = words.index(word)  # type: ignore[arg-type]
            aged.append(number)
            last = last_old_day(item, as_of, method, policy)
            is_old = pl.col("opened_on").is_null() | (pl.col("opened_on") <= last)
            bucket = pl.when((kind == number) & is_old).then(pl.lit(int(old), pl.UInt8)).otherwise(bucket)
    is_moved = pl.col("quantity") > 0
    return table.lazy().with_columns(
        bucket.alias(BUCKET),
        (pl.col("contract_value").is_null() & is_moved).cast(pl.Int64).alias(UNVALUED),
        (kind.is_in(aged) & pl.col("opened_on").is_null() & is_moved).cast(pl.Int64).alias(UNDATED),
        pl.col("contract_value").fill_null(0),
    )


def _require_value(locations: pl.LazyFrame, numbered: pl.DataFrame, engine: Engine) -> None:
    """Raise BadInput when the market value of what is located does not fit in 64 bits of cents."""
    value = pl.col("quantity").cast(pl.Float64) * pl.col("price").clip(lower_bound=0) / UNITS_PER_CENT
    priced = locations.group_by("issue").agg(pl.col("quantity").sum()).join(numbered.lazy(), on="issue")
    total = priced.select(value.sum()).collect(engine=engine).item()
    if total is not None and total > LARGEST_SUM:
        raise BadInput("locations.csv: its market value is too large to be reckoned exactly")


def _identified_keys(
    claims: pl.LazyFrame, locations: pl.LazyFrame, numbered: pl.DataFrame, engine: Engine
) -> pl.DataFrame:
    """Issue and account that stand on both sides: (issue, account_id, number, pool), in a fixed order."""
    named = locations.filter(pl.col("account_id").is_not_null()).select("issue", "account_id").unique()
    return (
        named.join(claims.select("issue", "account_id"), on=["issue", "account_id"], how="semi")
        .join(numbered.lazy().select("issue", "number"), on="issue")
        .sort("issue", "account_id")
        .collect(engine=engine)
        .with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(POOL))
    )


def _side(
    rows: pl.LazyFrame,
    numbered: pl.DataFrame,
    keys: pl.DataFrame | None,
    buckets: type[IntEnum],
    count: int,
    engine: Engine,
) -> Side:
    if keys is not None and not len(keys):
        return Side(*(np.zeros((len(buckets), 0), np.int64) for _ in MEASURES))
    if keys is None:
        lookup = numbered.lazy().select("issue", pl.col("number").alias(POOL), "price")
        group, on = ["issue"], ["issue"]
    else:
        prices = numbered.lazy().select("issue", "price")
        lookup = keys.lazy().select("issue", "account_id", POOL).join(prices, on="issue")
        rows = rows.join(keys.lazy().select("issue", "account_id"), on=["issue", "account_id"], how="semi")
        group, on = ["issue", "account_id"], ["issue", "account_id"]
    measures = ("quantity", "contract_value", UNVALUED, UNDATED)
    sums = (
        rows.group_by(*group, BUCKET)
        .agg(pl.col(m).sum() for m in measures)
        .join(lookup.drop("price"), on=on)
        .collect(engine=engine)
    )
    side = {m: np.zeros((len(buckets), count), np.int64) for m in MEASURES}
    place = (sums[BUCKET].to_numpy(), sums[POOL].to_numpy())
    for measure in measures:
        side[measure][place] = sums[measure].to_numpy()
    if buckets is Short:
        over = _excess(rows, lookup, group, on, engine)
        side[EXCESS][over[BUCKET].to_numpy(), over[POOL].to_numpy()] = over[EXCESS].to_numpy()
    return Side(*(side[m] for m in MEASURES))


def _excess(
    rows: pl.LazyFrame, lookup: pl.LazyFrame, group: list[str], on: list[str], engine: Engine
) -> pl.DataFrame:
    """Market value over contract value, row by row, of what Notes C and D look at, rounded up to a cent."""
    chosen = rows.filter(pl.col(BUCKET).is_in([int(Short.LOAN), int(Short.OLD_RECEIVE)]))
    value = pl.col("quantity").cast(pl.Int128) * pl.col("price").clip(lower_bound=0)
    over = (value - pl.col("contract_value").cast(pl.Int128) * UNITS_PER_CENT).clip(lower_bound=0)
    return (
        chosen.join(lookup, on=on)
        .group_by(*group, BUCKET)
        .agg(over.sum().alias(EXCESS), pl.col(POOL).first())
        .with_columns(((pl.col(EXCESS) + (UNITS_PER_CENT - 1)) // UNITS_PER_CENT).cast(pl.Int64))
        .collect(engine=engine)
    )


def _loans_shared(locations: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Spread a loan over its collateral where its amount stands on some of its rows only, by market value.

    Rows of one kind, bank loan or repo, and one account_id are one loan. Where a price is missing the rows
    stay without an amount.
    """
    kinds = [LOCATIONS.index(Location.BANK_LOAN), LOCATIONS.index(Location.REPO)]
    loans = locations.filter(pl.col("location").is_in(kinds) & pl.col("account_id").is_not_null())
    loan = ["location", "account_id"]
    is_open = pl.col("contract_value").is_null() & (pl.col("quantity") > 0)
    partly = loans.group_by(loan).agg(
        is_open.any().alias("is_open"), pl.col("contract_value").is_not_null().any().alias("is_told")
    )
    chosen = loans.join(partly.filter("is_open", "is_told"), on=loan, how="semi").join(
        prices, on="issue", how="left"
    )
    if not len(chosen):
        return locations
    told: dict[int, int] = {}
    for _, rows in chosen.sort("issue", "quantity", LINE).group_by(loan, maintain_order=True):
        if rows["price"].null_count():
            continue
        worth = market_values(rows["quantity"].to_numpy(), rows["price"].to_numpy(), is_up=True).tolist()
        if sum(worth) > 0:
            told |= dict(
                zip(rows[LINE].to_list(), spread(int(rows["contract_value"].sum()), worth), strict=True)
            )
    share = pl.col(LINE).replace_strict(told, default=pl.col("contract_value"), return_dtype=pl.Int64)
    return locations.with_columns(share.alias("contract_value")) if told else locations
