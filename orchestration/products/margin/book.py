"""The book as the lake tells it at one place of the journal: what is in force, and what each account has.

Positions are added up from the ledger's postings, executions and variation, never taken from a report. Owns:
reading the lake up to a sequence. Does not own: what margin follows (model.py).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
import polars.selectors as cs

from engine.config import Home
from engine.projections.lake import read_table
from orchestration.products.margin.model import (
    Instrument,
    MarginRules,
    ScenarioSetInForce,
    Vector,
)
from schemas.codes import CONTRACTS, AccountClass, AssetClass, LedgerAccountKind, ScenarioGroup, Side
from schemas.identity import AccountOpened
from schemas.ledger import Posting
from schemas.market import AssetRegistered, Fill, InstrumentListed, MarkChanged
from schemas.packed import unpack
from schemas.record import record_of
from schemas.risk import (
    UNTIL_SET,
    AccountMarginSet,
    FactorReturnSet,
    InstrumentRisk,
    InstrumentRiskSet,
    MarginModel,
    MarginModelSet,
    PositionTakenOver,
    ScenarioAdded,
    ScenariosActivated,
    VectorActivated,
    VectorPartSet,
)
from schemas.settlement import VariationSettled

READ = (
    AccountOpened, Posting, AssetRegistered, Fill, InstrumentListed, MarkChanged, AccountMarginSet,
    FactorReturnSet, InstrumentRiskSet, MarginModelSet, ScenarioAdded, ScenariosActivated, VariationSettled,
    PositionTakenOver, VectorActivated, VectorPartSet,
)  # fmt: skip

Place = tuple[int, int]  # account and instrument


class Tables:
    """Tables of the lake, each read once."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._read: dict[type, pl.DataFrame] = {}

    def rows(self, cls: type) -> pl.DataFrame:
        """Rows of a journaled class, in order."""
        if cls not in self._read:
            self._read[cls] = read_table(self._home, cls).sort("sequence")
        return self._read[cls]


@dataclass(frozen=True)
class Book:
    """Everything that the lake has of events before a sequence."""

    tables: Tables
    before: int

    def rows(self, cls: type) -> pl.DataFrame:
        """Events of a class, in order."""
        return self.tables.rows(cls).filter(pl.col("sequence") < self.before)

    @cached_property
    def account_ids(self) -> tuple[int, ...]:
        """Accounts of ours, in order; the street has no margin."""
        opened = self.rows(AccountOpened).filter(pl.col("account_class_code") != AccountClass.STREET)
        return tuple(sorted(opened["account_id"].to_list()))

    @cached_property
    def retail_ids(self) -> frozenset[int]:
        """Accounts to which the rules of retail clients apply."""
        latest = _latest(self.rows(AccountMarginSet), "account_id")
        return frozenset(latest.filter(pl.col("is_retail") != 0)["account_id"].to_list())

    @cached_property
    def own_asset_ids(self) -> dict[int, int]:
        """What the owner of an account issues, where there is such a thing."""
        latest = _latest(self.rows(AccountMarginSet), "account_id")
        return dict(latest.select("account_id", "own_asset_id").iter_rows())

    @cached_property
    def vectors(self) -> dict[int, Vector]:
        """By instrument, the vector that was given last for the set in force."""
        of_set = pl.col("scenario_set_id") == self.scenarios.scenario_set_id
        activated = _latest(self.rows(VectorActivated).filter(of_set), "instrument_id")
        found: dict[int, Vector] = {}
        for told in activated.to_dicts():
            mine = (pl.col("instrument_id") == told["instrument_id"]) & (
                pl.col("sequence") < told["sequence"]
            )
            parts = self.rows(VectorPartSet).filter(mine)
            begun = parts.filter(pl.col("first_scenario_no") == 1)["sequence"].max()
            eights = (
                parts.filter(pl.col("sequence") >= begun).select(cs.matches("^return_[1-8]_ppb$")).iter_rows()
            )
            returns = tuple(ppb for eight in eights for ppb in eight)[: told["scenario_count"]]
            found[told["instrument_id"]] = Vector(told["reference_minor"], told["delta_ppm"], returns)
        return found

    @cached_property
    def instruments(self) -> dict[int, Instrument]:
        """Listings with mark and terms."""
        marks = _latest(self.rows(MarkChanged), "instrument_id")
        mark_of = dict(marks.select("instrument_id", "mark_ticks").iter_rows())
        names = [f for f in InstrumentRisk.__dataclass_fields__]
        latest = _latest(self.rows(InstrumentRiskSet), "instrument_id")
        terms = {r["instrument_id"]: InstrumentRisk(**{n: r[n] for n in names}) for r in latest.to_dicts()}
        return {
            r["instrument_id"]: Instrument(
                r["instrument_id"],
                r["instrument_class_code"] in CONTRACTS,
                r["base_asset_id"],
                r["lot_units"],
                r["tick_value_minor"],
                r["margin_bps"],
                mark_of.get(r["instrument_id"], 0),
                terms.get(r["instrument_id"]),
                self.vectors.get(r["instrument_id"]),
            )
            for r in self.rows(InstrumentListed).to_dicts()
        }

    @cached_property
    def model(self) -> MarginModel:
        """The parameters in force."""
        latest = self.rows(MarginModelSet).tail(1).to_dicts()
        if not latest:
            return UNTIL_SET
        return MarginModel(**{name: latest[0][name] for name in MarginModel.__dataclass_fields__})

    @cached_property
    def scenarios(self) -> ScenarioSetInForce:
        """The set that was activated last, as it had been prepared by then."""
        activated = self.rows(ScenariosActivated).tail(1).to_dicts()
        if not activated:
            return ScenarioSetInForce()
        (told,) = activated
        set_id, until = told["scenario_set_id"], told["sequence"]
        of_set = (pl.col("scenario_set_id") == set_id) & (pl.col("sequence") < until)
        added = self.rows(ScenarioAdded).filter(of_set)
        # a preparation that was dropped for another one begins again at the first scenario
        begun = added.filter(pl.col("scenario_no") == 1)["sequence"].max()
        added = added.filter(pl.col("sequence") >= begun).sort("scenario_no")
        moved = self.rows(FactorReturnSet).filter(of_set & (pl.col("sequence") > begun))
        returns: dict[int, list[int]] = {}
        for factor_id, number, ppb in moved.select("factor_id", "scenario_no", "return_ppb").iter_rows():
            returns.setdefault(factor_id, [0] * added.height)[number - 1] = ppb
        return ScenarioSetInForce(
            set_id,
            tuple(ScenarioGroup(code) for code in added["scenario_group_code"]),
            tuple(unpack(name) for name in added["name_packed"]),
            tuple(added["damping_ppm"]),
            returns,
            {
                ScenarioGroup.HISTORICAL: told["historical_tail_count"],
                ScenarioGroup.STRESS: told["stress_tail_count"],
            },
        )

    @cached_property
    def rules(self) -> MarginRules:
        """Margin as it is at this place."""
        return MarginRules(self.model, self.scenarios, self.instruments)

    @cached_property
    def cash_minor(self) -> dict[int, int]:
        """Money of each account in the currency of margin: the first currency that was registered."""
        assets = self.rows(AssetRegistered).filter(pl.col("asset_class_code") == AssetClass.CURRENCY)
        money_id = assets["asset_id"].to_list()[0] if assets.height else 0
        return {account: owed for (account, asset), owed in self._owed.items() if asset == money_id}

    @cached_property
    def held_lots(self) -> dict[Place, int]:
        """Lots held, signed; only those that are not zero."""
        of_ours = set(self.account_ids)
        held: dict[Place, int] = {}
        for instrument_id, x in self.instruments.items():
            if x.is_contract:
                continue
            for (account_id, asset_id), units in self._owed.items():
                if asset_id == x.underlying_id and account_id in of_ours:
                    held[account_id, instrument_id] = units // x.lot_units
        held |= {place: lots for place, (lots, _) in self._contracts.items()}
        return {place: lots for place, lots in held.items() if lots}

    @cached_property
    def cost_minor(self) -> dict[Place, int]:
        """What contract positions cost since the last variation; only what is not zero."""
        return {place: cost for place, (_, cost) in self._contracts.items() if cost}

    @cached_property
    def _owed(self) -> dict[Place, int]:
        """What the ledger owes each client of each asset: credits less debits."""
        postings, client = self.rows(Posting), LedgerAccountKind.CLIENT
        owed: defaultdict[Place, int] = defaultdict(int)
        for side, sign in (("credit", 1), ("debit", -1)):
            of_clients = postings.filter(pl.col(f"{side}_account_kind_code") == client)
            sums = of_clients.group_by(f"{side}_party_id", "asset_id").agg(_exact_sum("amount_units"))
            for party_id, asset_id, units in sums.iter_rows():
                owed[party_id, asset_id] += sign * int(units)
        return dict(owed)

    @cached_property
    def _contracts(self) -> dict[Place, tuple[int, int]]:
        """Lots and cost of contract positions, from executions, variation and what the house took over."""
        contracts = [i for i, x in self.instruments.items() if x.is_contract]
        fills = self.rows(Fill).filter(pl.col("instrument_id").is_in(contracts))
        lots: defaultdict[Place, int] = defaultdict(int)
        cost: defaultdict[Place, int] = defaultdict(int)
        for party, side_of_buyer in (("taker", Side.BUY), ("maker", Side.SELL)):
            of = (f"{party}_account_id", "instrument_id", "taker_side_code")
            sums = fills.group_by(of).agg(_exact_sum("quantity_lots"), _exact_sum("notional_minor"))
            for account_id, instrument_id, side, bought, paid in sums.iter_rows():
                sign = 1 if side == side_of_buyer else -1
                lots[account_id, instrument_id] += sign * int(bought)
                cost[account_id, instrument_id] += sign * int(paid)
        moved = self.rows(VariationSettled).group_by("account_id", "instrument_id")
        for account_id, instrument_id, minor in moved.agg(_exact_sum("variation_minor")).iter_rows():
            cost[account_id, instrument_id] += int(minor)
        taken = self.rows(PositionTakenOver).filter(pl.col("instrument_id").is_in(contracts))
        for row in taken.to_dicts():
            for party, sign in (("account_id", -1), ("house_account_id", 1)):
                lots[row[party], row["instrument_id"]] += sign * row["taken_lots"]
                cost[row[party], row["instrument_id"]] += sign * row["taken_cost_minor"]
        of_ours = set(self.account_ids)
        return {place: (lots[place], cost[place]) for place in lots if place[0] in of_ours}


def lake_keys() -> list[list[str]]:
    """The asset keys of the tables that a book is read from."""
    return [["lake", record_of(cls).table] for cls in READ]


def _latest(rows: pl.DataFrame, by: str) -> pl.DataFrame:
    return rows.group_by(by).agg(pl.all().sort_by("sequence").last())


def _exact_sum(column: str) -> Any:
    """A sum that no number of rows overflows."""
    return pl.col(column).cast(pl.Int128).sum()
