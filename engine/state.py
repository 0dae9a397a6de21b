"""The whole state of the engine, in one place: what a snapshot holds and a state hash covers.

It is changed only by the compiled pass and by the `apply` functions of the slow lane.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from engine.incidents.state import IncidentState
from engine.ledger.balances import Balances
from engine.ledger.open_items import OpenItems
from engine.market.books import Books
from engine.market.day_orders import DayOrders, canonical_rows, make_day_orders
from engine.payments.state import PaymentState
from engine.risk.account_kernel import held_lots
from engine.risk.margin_kernel import equity_at, initial_margin_at, maintenance_with_at
from engine.risk.scenarios import RiskState
from engine.risk.tables import RiskTables
from engine.segregation.state import SegregationState
from engine.settlement.state import SettlementState
from schemas.codes import CONTRACTS
from schemas.derive.layout import Rows, dtype_of, empty_rows, row_tuple
from schemas.identity import AccountRow
from schemas.market import AssetRegistered, EngineConfigured, FeeRow, InstrumentRow
from schemas.risk import AccountMarginRow, InstrumentRiskRow, PositionRow

FEE_GROUPS = 16  # schedules of fees that an engine can hold


@dataclass
class State:
    """Everything that the next decision may depend on. Row n of an array belongs to id n."""

    capacity: EngineConfigured
    accounts: Rows  # AccountRow, (account_count + 1,)
    instruments: Rows  # InstrumentRow, (instrument_count + 1,)
    positions: Rows  # PositionRow, (account_count + 1, instrument_count + 1)
    fees: Rows  # FeeRow, (FEE_GROUPS, instrument_count + 1)
    instrument_risks: Rows  # InstrumentRiskRow, (instrument_count + 1,)
    account_margins: Rows  # AccountMarginRow, (account_count + 1,)
    books: Books
    day: DayOrders
    balances: Balances
    risk: RiskState = field(default_factory=RiskState)
    assets: dict[int, AssetRegistered] = field(default_factory=dict[int, AssetRegistered])
    payments: PaymentState = field(default_factory=PaymentState)
    open_items: OpenItems = field(default_factory=OpenItems)
    segregation: SegregationState = field(default_factory=SegregationState)
    settlement: SettlementState = field(default_factory=SettlementState)
    incidents: IncidentState = field(default_factory=IncidentState)
    money_asset_id: int = 0  # the currency of margin: the first currency registered
    business_epoch_day: int = 0
    next_epoch_day: int = 0
    second_epoch_day: int = 0
    sequence: int = 0
    clock_ns: int = 0

    def __post_init__(self) -> None:
        self.tables = RiskTables(self)  # follows from the rest: neither kept in snapshots nor hashed

    @classmethod
    def of(cls, capacity: EngineConfigured) -> State:
        """An empty state of the given capacities."""
        shape = capacity.account_count + 1, capacity.instrument_count + 1
        return cls(
            capacity=capacity,
            accounts=empty_rows(AccountRow, shape[0]),
            instruments=empty_rows(InstrumentRow, shape[1]),
            positions=np.zeros(shape, dtype=dtype_of(PositionRow)),
            fees=np.zeros((FEE_GROUPS, shape[1]), dtype=dtype_of(FeeRow)),
            instrument_risks=empty_rows(InstrumentRiskRow, shape[1]),
            account_margins=empty_rows(AccountMarginRow, shape[0]),
            books=Books(capacity.instrument_count, capacity.order_count),
            day=make_day_orders(capacity.order_id_count),
            balances=Balances.of(capacity.account_count, capacity.asset_count),
        )

    def margin_minor(self, account_id: int) -> tuple[int, int]:
        """Equity and initial margin of an account, in minor units of the margin currency."""
        self.tables.forget_account(account_id)
        at = self.tables.address
        margin = int(equity_at(at, account_id)), int(initial_margin_at(at, account_id))
        self.tables.forget_account(account_id)
        return margin

    def maintenance_minor(self, account_id: int) -> int:
        """Maintenance margin of an account, in minor units of the margin currency."""
        return int(maintenance_with_at(self.tables.address, account_id, 0, 0))

    def listed_ids(self) -> list[int]:
        """The instruments that are listed, in order."""
        return np.flatnonzero(self.instruments["instrument_id"]).tolist()

    def is_listed(self, instrument_id: int) -> bool:
        """Whether there is such an instrument; any number may be asked."""
        in_range = 0 < instrument_id < len(self.instruments)
        return in_range and bool(self.instruments[instrument_id]["instrument_id"])

    def is_contract(self, instrument_id: int) -> bool:
        """Whether an instrument is a claim on a price difference and never delivered."""
        return int(self.instruments[instrument_id]["instrument_class_code"]) in CONTRACTS

    def held_lots(self, account_id: int, instrument_id: int) -> int:
        """What an account holds of an instrument, in lots, signed."""
        shared = self.instruments, self.positions, self.balances.amounts
        return int(held_lots(*shared, account_id, instrument_id))

    def free_cash_minor(self, account_id: int) -> int:
        """What may leave an account without breaking its margin."""
        has, needs = self.margin_minor(account_id)
        return has - needs

    def used_counts(self) -> tuple[int, int, int]:
        """Rows of accounts and instruments, and columns of assets, that something was opened for."""
        accounts = int(self.accounts["account_id"].max()) + 1
        instruments = int(self.instruments["instrument_id"].max()) + 1
        return accounts, instruments, max(self.assets, default=0) + 1

    def hash(self) -> bytes:
        """SHA-256 over the state in canonical form; equal states hash equal on every machine.

        What no account, instrument or asset was opened for is zero, and left out. Of the day's orders those
        that have ended count by their ids only.
        """
        digest = hashlib.sha256()
        accounts, instruments, assets = self.used_counts()
        digest.update(repr((accounts, instruments, assets)).encode())
        for array in (
            self.accounts[:accounts],
            self.instruments[:instruments],
            self.positions[:accounts, :instruments],
            self.fees[:, :instruments],
            self.instrument_risks[:instruments],
            self.account_margins[:accounts],
            self.balances.amounts[:, :assets],
        ):
            digest.update(array.tobytes())
        orders = self.books.orders()
        digest.update(self.books.image(orders))
        digest.update(canonical_rows(self.day, orders["client_order_id"]))
        digest.update(repr([row_tuple(self.assets[a]) for a in sorted(self.assets)]).encode())
        digest.update(repr(row_tuple(self.capacity)).encode())
        for part in (
            self.payments,
            self.segregation,
            self.open_items,
            self.settlement,
            self.incidents,
            self.risk,
        ):
            digest.update(part.canonical())
        scalars = (
            self.money_asset_id,
            self.business_epoch_day,
            self.next_epoch_day,
            self.second_epoch_day,
            self.sequence,
            self.clock_ns,
        )
        digest.update(repr(scalars).encode())
        return digest.digest()
