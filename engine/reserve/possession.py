"""The daily determination of possession or control out of a case: what each issue needs, and its deficits.

Owns: the way from a case to what must be held, vectorised over all accounts, and which issues fall short.
Does not own what is in control, acts and deadlines (`control.py`) or the rule of one account
(`excess_margin.py`), of which this is the same arithmetic for all. Source: 17 CFR 240.15c3-3(a)(3) to (5),
(b), (d).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from engine.reserve import control
from engine.reserve.account_balances import owed
from engine.reserve.case_files import CLAIMS, LOCATIONS, Case
from engine.reserve.control import Holding, IssueDetermination, determine
from engine.reserve.exact import UNITS_PER_CENT
from engine.reserve.excess_margin import COLLATERAL_PERCENT
from engine.reserve.kinds import Claim, Location
from engine.reserve.terms import Indeterminate

_CONTROL = (
    Location.BOX,
    Location.DEPOSITORY,
    Location.TRANSFER,
)  # what an old transfer loses, `control` tells
_AGED = [
    number
    for number, location in enumerate(LOCATIONS)
    if location is Location.TRANSFER
    or (
        (rule := control.RULES.get(control.PLACES[control.Location(location.value)][0])) is not None
        and rule.over_days is not None
    )
]
_OLDEST_LIMIT = max(control.TRANSFER_DAYS, *(rule.over_days or 0 for rule in control.RULES.values()))


class Determinations(NamedTuple):
    """Issues that fall short, and what kept one from being determined, by issue."""

    deficits: list[IssueDetermination]
    unknown: dict[str, str]


def determinations(case: Case, as_of: date) -> Determinations:
    """Issues of which less is in control than customers' fully paid and excess margin securities need."""
    required, unknown = _required(case)
    kinds = [LOCATIONS.index(kind) for kind in _CONTROL]
    in_control = (
        case.locations.lazy()
        .filter(pl.col("location").is_in(kinds))
        .group_by("issue")
        .agg(
            pl.col("quantity").sum().alias("held"),
            (pl.col("location") == LOCATIONS.index(Location.TRANSFER)).any().alias("has_transfer"),
        )
    )
    short = (
        required.join(in_control, on="issue", how="left")
        .filter((pl.col("required") > pl.col("held").fill_null(0)) | pl.col("has_transfer").fill_null(False))
        .sort("issue")
        .collect(engine="streaming")
    )
    needed = dict(short.select("issue", "required").iter_rows())
    deficits: list[IssueDetermination] = []
    for issue, holdings in _holdings(case, short, as_of):
        try:
            found = determine(issue, needed[issue], holdings, as_of)
        except Indeterminate as error:
            unknown[issue] = str(error)
        else:
            if found.deficit_units:
                deficits.append(found)
    return Determinations(deficits, unknown)


def _holdings(case: Case, short: pl.DataFrame, as_of: date) -> list[tuple[str, list[Holding]]]:
    # what is older than every limit is equally old, and where age decides nothing it is left out
    since = pl.when(pl.col("location").is_in(_AGED)).then(
        pl.col("opened_on").clip(lower_bound=as_of - timedelta(days=_OLDEST_LIMIT + 1))
    )
    gathered = (
        case.locations.lazy()
        .join(short.lazy().select("issue"), on="issue", how="semi")
        .group_by("issue", "location", since.alias("since"))
        .agg(pl.col("quantity").sum())
        .sort("issue", "location", "since")
        .collect(engine="streaming")
    )
    places = [control.Location(location.value) for location in LOCATIONS]
    found: dict[str, list[Holding]] = {issue: [] for issue in short["issue"]}
    for issue, number, opened_on, units in gathered.iter_rows():
        found[issue].append(Holding(places[number], units, opened_on))
    return list(found.items())


def _required(case: Case) -> tuple[pl.LazyFrame, dict[str, str]]:
    """Units of each issue that customers' accounts need, and what is not known for want of a price.

    An account's margin securities are taken by issue, each up to the whole position, until no more than 140 %
    of its debit is left; without a debit all of them are fully paid. Rows that name no account are as they
    say.
    """
    paid, margin = CLAIMS.index(Claim.CUSTOMER_FULLY_PAID), CLAIMS.index(Claim.CUSTOMER_MARGIN)
    fully_paid = (
        case.claims.lazy()
        .filter(pl.col("claim") == paid)
        .group_by("issue")
        .agg(pl.col("quantity").sum().alias("required"))
    )
    debts = case.accounts.lazy().select("account_id", owed().alias("debit"))
    held = (
        case.claims.lazy()
        .filter((pl.col("claim") == margin) & pl.col("account_id").is_not_null() & (pl.col("quantity") > 0))
        .group_by("account_id", "issue")
        .agg(pl.col("quantity").sum())
        .join(debts, on="account_id")
        .join(case.prices.lazy().select("issue", "price"), on="issue", how="left")
    )
    unpriced = (
        held.filter((pl.col("debit") > 0) & pl.col("price").is_null())
        .select(pl.col("issue").unique().sort())
        .collect(engine="streaming")["issue"]
        .to_list()
    )
    # in hundredths of a percent of a price unit, so that nothing is rounded on the way
    worth = pl.col("quantity").cast(pl.Int128) * pl.col("price").fill_null(0) * 100
    debit = pl.col("debit").cast(pl.Int128) * UNITS_PER_CENT * COLLATERAL_PERCENT
    unit = pl.col("price").cast(pl.Int128) * 100
    left = pl.col("total") - debit - (pl.col("reached") - pl.col("worth"))
    units = (
        pl.when(pl.col("debit") == 0)
        .then(pl.col("quantity"))
        .when(pl.col("price") > 0)
        .then(((left + unit - 1) // unit).clip(0, pl.col("quantity")))
    )
    excess = (
        held.sort("account_id", "issue")
        .with_columns(worth.alias("worth"))
        .with_columns(
            pl.col("worth").sum().over("account_id").alias("total"),
            pl.col("worth").cum_sum().over("account_id").alias("reached"),
        )
        .select("issue", units.fill_null(0).cast(pl.Int64).alias("required"))
        .filter(pl.col("required") > 0)
    )
    both = pl.concat([fully_paid, excess]).group_by("issue").agg(pl.col("required").sum())
    return both, {issue: f"the price of {issue} is missing" for issue in unpriced}
