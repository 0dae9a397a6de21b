"""Item 10: which debit balances count, and how far. Notes E(1), E(2) and E(4) to E(6).

Owns: the way from an account's debit to what the formula may use of it. Does not own the 1 % of Note E(3),
which is a reduction (`computation.py`). Source: 17 CFR 240.15c3-3a, Item 10 and Note E; PAB Note 3.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from engine.errors import BadInput
from engine.reserve.account_balances import omnibus_deficit, owed, owed_on_margin
from engine.reserve.case_files import CLAIMS, FIRM, HOLDERS, Case, engine_for, firm_minor
from engine.reserve.exact import UNITS_PER_CENT
from engine.reserve.excess_margin import COLLATERAL_PERCENT
from engine.reserve.findings import Gap, Note, named
from engine.reserve.kinds import FORMULA_OF_HOLDER, Claim, Holder
from engine.reserve.policy import ConcentrationCut, CutOverlap, PartlySecured, Policy
from engine.reserve.terms import CENTS, Formula

ITEM = 10
CONCENTRATION_PERCENT = 15  # of all margin collateral, E(1)
CUSTOMER_PERCENT = 25  # of tentative net capital, E(5)
CUSTOMER_FLOOR_MINOR = 50_000 * CENTS  # E(5)
JOINT_FROM, JOINT_TO = 5_00, 50_00  # hundredths of a percent, E(6)
WHOLE = 100_00

_BIG = pl.Int128


class DebitBalances(NamedTuple):
    """What Item 10 takes from accounts, in cents, the notes that cut it and what is missing."""

    amount_minor: int
    notes: list[Note]
    gaps: list[Gap]


class AccountDebts(NamedTuple):
    """Debits account by account, before what looks at all of them together: Notes E(1) and E(5).

    An account looks at its own securities and at who shares its household, and at nobody else.
    """

    # account_id, group, is_omnibus, debit, related, unsecured, omnibus_cut, joint_cut, base, base_margin
    by_account: pl.DataFrame
    behind: pl.DataFrame  # account_id, issue, exempt, counted, secured: collateral of margin, Note E(1)
    unpriced: pl.DataFrame  # account_id, issue: stands behind a debit and has no price
    nameless: pl.DataFrame  # account_id, issue, claim: margin securities that name no account


def debit_balances(case: Case, formula: Formula, diversified_minor: int, policy: Policy) -> DebitBalances:
    """Debits of accounts that count; `diversified_minor` come as a total, and are not included.

    Raises BadInput naming a file that is needed and not there.
    """
    return item_10(case, account_debts(case, formula, policy), diversified_minor, policy)


def account_debts(case: Case, formula: Formula, policy: Policy) -> AccountDebts:
    """Debits of the accounts of a formula, each with what of it counts and what stands behind it.

    Raises BadInput naming a file that is needed and not there.
    """
    accounts = debtors(case, formula, policy)
    open_accounts = accounts.filter(~pl.col("is_related"))
    if len(open_accounts) and not case.has("claims.csv"):
        account = open_accounts["account_id"].min()
        raise BadInput(
            f"claims.csv is missing: account {account} has a debit, and the securities behind it are needed"
        )
    collateral = _collateral(case, open_accounts, formula)
    unpriced = collateral.filter(pl.col("price").is_null()).select("account_id", "issue")
    if len(unpriced) and not case.has("prices.csv"):
        raise BadInput(f"prices.csv is missing: {_unpriced_told(unpriced)}")
    valued = collateral.with_columns(pl.col("value").fill_null(0).cast(pl.Int64))
    debts = _secured(accounts, valued, policy)
    # PAB Note 3: nothing is concentrated there
    margin = valued.filter("is_margin") if formula is Formula.CUSTOMER else valued.clear()
    return AccountDebts(debts, _behind(debts, margin), unpriced, nameless_claims(case, formula))


def item_10(case: Case, debts: AccountDebts, diversified_minor: int, policy: Policy) -> DebitBalances:
    """Item 10 out of the debits of all accounts; of the case only the firm's capital is looked at.

    Raises BadInput when that is needed and there is no file of it.
    """
    accounts = debts.by_account
    notes: list[Note] = []
    gaps: list[Gap] = []
    if not len(accounts):
        return DebitBalances(0, notes, gaps)
    if len(debts.unpriced):
        gaps.append(Gap(ITEM, _unpriced_told(debts.unpriced)))
    gaps += _uncovered(debts)
    _tell(
        notes,
        "E(4)",
        _sum(accounts, "related"),
        "debits of affiliates, of persons related to principals, and households",
    )
    _tell(notes, "Item 10", _sum(accounts, "unsecured"), "unsecured debits and the unsecured part of others")
    _tell(notes, "E(2)", _sum(accounts, "omnibus_cut"), "deficits in omnibus accounts, less calls on them")
    _tell(notes, "E(6)", _sum(accounts, "joint_cut"), "non-customers' share of joint accounts")
    concentration = _concentration(debts.behind, diversified_minor, policy)
    cuts = _customer_limit(case, accounts.join(concentration.by_account, on="account_id", how="left"), policy)
    _tell(
        notes, "E(1)", concentration.cut_minor, f"over 15 % of collateral of {concentration.aggregate_told}"
    )
    _tell(notes, "E(5)", cuts.cut_minor, cuts.told)
    if cuts.overlap_minor:
        notes.append(Note("E", ITEM, cuts.overlap_minor, "cut by E(1) and E(5) both, and added back once"))
    if cuts.gap:
        gaps.append(Gap(ITEM, cuts.gap))
    return DebitBalances(_sum(accounts, "debit") + sum(n.amount_minor for n in notes), notes, gaps)


def joint_cut_percent(noncustomer_percent: int) -> int:
    """What is excluded of a joint account's debit, both in hundredths of a percent. Source: Note E(6)."""
    if noncustomer_percent < JOINT_FROM:
        return 0
    return noncustomer_percent if noncustomer_percent <= JOINT_TO else WHOLE


def customer_limit_minor(tentative_net_capital_minor: int) -> int:
    """How large one customer's debit may be. Source: Note E(5)."""
    return max(tentative_net_capital_minor * CUSTOMER_PERCENT // 100, CUSTOMER_FLOOR_MINOR)


def _tell(notes: list[Note], note: str, cut_minor: int, basis: str) -> None:
    if cut_minor:
        notes.append(Note(note, ITEM, -cut_minor, basis))


def _up(product: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    """The quotient of what is not negative, rounded up."""
    return (product + divisor - 1) // divisor


def _sum(frame: pl.DataFrame, column: str) -> int:
    return int(frame[column].sum() or 0)


def debtors(case: Case, formula: Formula, policy: Policy) -> pl.DataFrame:
    """Accounts with a debit: what they owe, of it on margin, whether E(4) excludes them, their group.

    Of an omnibus account, the deficit that Note E(2) takes off; E(5) does not ask of it.
    """
    holders = [n for n, holder in enumerate(HOLDERS) if FORMULA_OF_HOLDER.get(holder) is formula]
    kin = pl.col("affiliate").fill_null(False)
    if policy.is_household_of_noncustomer_excluded:
        kin |= pl.col("class").is_in([HOLDERS.index(Holder.NONCUSTOMER), HOLDERS.index(Holder.FIRM)])
    households = case.accounts.filter(kin & pl.col("household_id").is_not_null())["household_id"].unique()
    percent = pl.col("noncustomer_percent").fill_null(0)
    return (
        case.accounts.lazy()
        .filter(pl.col("class").is_in(holders))
        .select(
            "account_id",
            owed_on_margin().alias("margin"),
            owed().alias("debit"),
            pl.col("omnibus_deficit").is_not_null().alias("is_omnibus"),
            omnibus_deficit().alias("deficit"),
            (
                pl.col("affiliate").fill_null(False)
                | pl.col("household_id").is_in(households.implode()).fill_null(False)
            ).alias("is_related"),
            pl.when(percent < JOINT_FROM)
            .then(0)
            .when(percent <= JOINT_TO)
            .then(percent)
            .otherwise(WHOLE)
            .alias("joint"),
            pl.when(pl.col("household_id").is_null())
            .then(pl.lit("account ") + pl.col("account_id"))
            .otherwise(pl.lit("household ") + pl.col("household_id"))
            .alias("group"),
        )
        .filter(pl.col("debit") > 0)
        .sort("account_id")
        .collect(engine=engine_for(case.accounts))
    )


def _unpriced_told(unpriced: pl.DataFrame) -> str:
    names = unpriced["issue"].unique().sort().to_list()
    return f"issue {named(names)} has no price and stands behind a debit"


def _collateral(case: Case, accounts: pl.DataFrame, formula: Formula) -> pl.DataFrame:
    """Long securities behind debits, worth rounded down to a cent, null without a price.

    Columns: account_id, issue, is_margin, price, exempt, value.
    """
    kinds = [Claim.CUSTOMER_FULLY_PAID, Claim.CUSTOMER_MARGIN] if formula is Formula.CUSTOMER else [Claim.PAB]
    numbers = [CLAIMS.index(kind) for kind in kinds]
    prices = case.prices.lazy().select("issue", "price", pl.col("exempt").fill_null(False))
    return (
        case.claims.lazy()
        .filter(pl.col("claim").is_in(numbers) & (pl.col("quantity") > 0))
        .join(accounts.lazy().select("account_id"), on="account_id", how="semi")
        .group_by("account_id", "issue", (pl.col("claim") != numbers[0]).alias("is_margin"))
        .agg(pl.col("quantity").sum())
        .join(prices, on="issue", how="left")
        .with_columns((pl.col("quantity").cast(_BIG) * pl.col("price") // UNITS_PER_CENT).alias("value"))
        .drop("quantity")
        .collect(engine=engine_for(case.claims))
    )


def nameless_claims(case: Case, formula: Formula) -> pl.DataFrame:
    """Margin securities that name no account, so that nobody knows which debit they stand behind.

    Columns: account_id, issue, claim.
    """
    kind = CLAIMS.index(Claim.CUSTOMER_MARGIN if formula is Formula.CUSTOMER else Claim.PAB)
    return case.claims.filter(
        (pl.col("claim") == kind) & pl.col("account_id").is_null() & (pl.col("quantity") > 0)
    ).select("account_id", "issue", "claim")


def _uncovered(debts: AccountDebts) -> list[Gap]:
    """Item 10 is not known where a debit lacks securities and some name no account."""
    bare = debts.by_account.filter(pl.col("unsecured") > 0)["account_id"].sort().to_list()
    if not len(debts.nameless) or not bare:
        return []
    issues, kind = debts.nameless["issue"].unique().sort().to_list(), debts.nameless["claim"][0]
    what = f"{CLAIMS[kind]} of {named(issues)} names no account"
    return [Gap(ITEM, f"{what}, and the debit of {named(bare)} is not covered without it")]


def _secured(accounts: pl.DataFrame, collateral: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """What counts of each debit before E(1) and E(5): `base`, and `base_margin` of it on margin.

    What an omnibus account lacks are the deficits that are told of it, so that nothing else is unsecured.
    """
    worth = collateral.group_by("account_id").agg(pl.col("value").sum().alias("worth"))
    secured = pl.min_horizontal("debit", "worth")
    if policy.partly_secured is PartlySecured.NOTHING:
        secured = pl.when(pl.col("worth") >= pl.col("debit")).then(pl.col("debit")).otherwise(0)
    secured = pl.when("is_omnibus").then(pl.col("debit")).otherwise(secured)
    omnibus_cut = pl.min_horizontal("debit", "deficit")
    cut = _up((pl.col("secured") - pl.col("omnibus_cut")).cast(_BIG) * pl.col("joint"), pl.lit(WHOLE))
    counts = ~pl.col("is_related")
    return (
        accounts.join(worth, on="account_id", how="left", maintain_order="left")
        .with_columns(pl.col("worth").fill_null(0))
        .with_columns((secured * counts).alias("secured"), (omnibus_cut * counts).alias("omnibus_cut"))
        .with_columns(cut.cast(pl.Int64).alias("joint_cut"))
        .with_columns((pl.col("secured") - pl.col("omnibus_cut") - pl.col("joint_cut")).alias("base"))
        .select(
            "account_id",
            "group",
            "is_omnibus",
            "debit",
            (pl.col("debit") * ~counts).alias("related"),
            ((pl.col("debit") - pl.col("secured")) * counts).alias("unsecured"),
            "omnibus_cut",
            "joint_cut",
            "base",
            pl.min_horizontal("base", "margin").alias("base_margin"),
        )
    )


def _behind(debts: pl.DataFrame, margin: pl.DataFrame) -> pl.DataFrame:
    """Securities that collateralize margin: as far as they count, and the debit that each secures."""
    cap = pl.col("base_margin").cast(_BIG) * COLLATERAL_PERCENT // 100
    value, worth = pl.col("value").cast(_BIG), pl.col("margin_worth").cast(_BIG)
    return (
        margin.join(
            debts.filter(pl.col("base_margin") > 0).select("account_id", "base_margin"), on="account_id"
        )
        .with_columns(pl.col("value").sum().over("account_id").alias("margin_worth"))
        .filter(pl.col("value") > 0)
        .select(
            "account_id",
            "issue",
            "exempt",
            pl.when(worth <= cap).then(value).otherwise(value * cap // worth).alias("counted"),
            # the debit that the security secures, as its share of the account's collateral
            _up(pl.col("base_margin").cast(_BIG) * value, worth).alias("secured"),
        )
    )


class _Concentration(NamedTuple):
    cut_minor: int
    by_account: pl.DataFrame  # account_id, concentration: what E(1) takes of its debit
    aggregate_told: str


def _concentration(behind: pl.DataFrame, diversified_minor: int, policy: Policy) -> _Concentration:
    """Note E(1): one security that is not exempt against 15 % of all that collateralizes margin accounts."""
    aggregate = int(behind["counted"].sum() or 0)
    aggregate += diversified_minor * policy.diversified_collateral_percent // 100
    limit = aggregate * CONCENTRATION_PERCENT // 100
    over = (
        behind.filter(~pl.col("exempt"))
        .group_by("issue")
        .agg(pl.col("counted").sum(), pl.col("secured").sum().alias("all_secured"))
        .filter(pl.col("counted") > limit)
        .with_columns((pl.col("counted") - limit).alias("cut"))
    )
    if policy.concentration_cut is ConcentrationCut.DEBIT_BEHIND_EXCESS:
        over = over.with_columns(_up(pl.col("cut") * 100, pl.lit(COLLATERAL_PERCENT)).alias("cut"))
    over = over.with_columns(pl.min_horizontal("cut", "all_secured").alias("cut"))
    shares = (
        behind.join(over.select("issue", "cut", "all_secured"), on="issue")
        .group_by("account_id")
        .agg(
            (pl.col("cut") * pl.col("secured") // pl.col("all_secured"))
            .sum()
            .cast(pl.Int64)
            .alias("concentration")
        )
    )
    told = f"{aggregate // CENTS:,}.{aggregate % CENTS:02}: {named(over['issue'].sort().to_list())}"
    return _Concentration(int(over["cut"].sum() or 0), shares, told)


class _CustomerLimit(NamedTuple):
    cut_minor: int
    overlap_minor: int
    told: str
    gap: str


def _customer_limit(case: Case, debts: pl.DataFrame, policy: Policy) -> _CustomerLimit:
    """Note E(5): debits of one customer, and of all who share a household with it, over the limit.

    Omnibus accounts are left out.
    """
    groups = (
        debts.filter(~pl.col("is_omnibus"))
        .group_by("group")
        .agg(pl.col("base_margin").sum(), pl.col("concentration").fill_null(0).sum())
    )
    debit = pl.col("base_margin")
    if policy.cut_overlap is CutOverlap.IN_TURN:
        debit = (debit - pl.col("concentration")).clip(lower_bound=0)
    groups = groups.with_columns(debit.alias("debit"))
    large = groups.filter(pl.col("debit") > CUSTOMER_FLOOR_MINOR).sort("group")
    capital = firm_minor(case, "tentative_net_capital")
    if len(large) and capital is None:
        who = f"{large['group'][0]} owes more than $50,000"
        if not case.has(FIRM):
            raise BadInput(f"{FIRM} is missing: {who}, and Note E(5) needs tentative_net_capital")
        return _CustomerLimit(0, 0, "", f"tentative_net_capital is not in {FIRM}, and {who} (Note E(5))")
    limit = customer_limit_minor(capital or 0)
    over = groups.filter(pl.col("debit") > limit).with_columns((pl.col("debit") - limit).alias("cut"))
    both = (pl.col("cut") + pl.col("concentration") - pl.col("base_margin")).clip(lower_bound=0)
    told = f"over 25 % of tentative net capital, $50,000 at least: {named(over['group'].sort().to_list())}"
    return _CustomerLimit(_sum(over, "cut"), int(over.select(both.sum()).item() or 0), told, "")
