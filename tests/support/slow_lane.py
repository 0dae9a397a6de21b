"""A small firm for tests of the slow lane: the real state and emitter, no journal.

Accounts: CASH and MARGIN of clients, CLOSED, SUSPENDED, RESTRICTED, and STREET, a market maker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.batch import Batch
from engine.ledger.posting_kernel import POSTINGS_PER_FILL, post_fill_side
from engine.ledger.stock_record import check_stock_record
from engine.slow_lane import SlowLane
from engine.state import State
from schemas import codes
from schemas.derive.layout import empty_rows, from_row
from schemas.headers import Event
from schemas.identity import ChangeAccountStatus, OpenAccount
from schemas.ledger import Posting
from schemas.market import (
    CommandRefused,
    EngineConfigured,
    ListInstrument,
    RegisterAsset,
    SetMark,
    StartBusinessDay,
)
from schemas.packed import pack
from schemas.payments import CreditDeposit

USD, EUR, SHARE, COIN = 1, 2, 3, 4
STOCK, FX, CRYPTO, CFD = 1, 2, 3, 4
CASH, MARGIN, CLOSED, SUSPENDED, RESTRICTED, STREET, SPARE, UNOPENED = range(1, 9)
MONDAY = 20_000
NOW_NS = MONDAY * 86_400 * 10**9 + 1


@dataclass
class Firm:
    """One state and its slow lane; `do` submits, `events` are those of the last command."""

    state: State
    lane: SlowLane
    events: list[Any]

    def do(self, cls: type, /, **fields: int) -> codes.RejectReason:
        """Submit one command; NONE when it was not refused. The ledger is checked every time."""
        self.state.sequence += 1
        command = cls(sequence=self.state.sequence, received_at_ns=NOW_NS, **fields)
        self.lane.begin_frame()
        self.lane.run(Batch.of([command]), 0, 1)
        self.events = [
            from_row(section.record.cls, row) for section in self.lane.sections() for row in section.rows
        ]
        self.events.sort(key=lambda event: event.sequence)
        self.state.balances.check()
        check_stock_record(self.state.balances)
        refused = self.of(CommandRefused)
        return codes.RejectReason(refused[0].reject_reason_code if refused else 0)

    def must(self, cls: type, /, **fields: int) -> list[Any]:
        """Submit one command that must pass; its events."""
        reason = self.do(cls, **fields)
        if reason is not codes.RejectReason.NONE:
            raise AssertionError(f"{cls.__name__} refused: {reason.name}")
        return self.events

    def of(self, cls: type[Event]) -> list[Any]:
        """The last command's events of one class."""
        return [event for event in self.events if type(event) is cls]

    def balance(self, kind: codes.LedgerAccountKind, party: int, asset_id: int) -> int:
        """Debits less credits."""
        return self.state.balances.balance(kind, party, asset_id)

    def pending(self, account_id: int) -> bool:
        """Whether anything waits on the street side of an account or has failed there."""
        kinds = codes.LedgerAccountKind.STREET_PENDING, codes.LedgerAccountKind.FAIL
        return not all(self.state.balances.is_clear(kind, account_id) for kind in kinds)


def trade(firm: Firm, account_id: int, instrument_id: int, lots: int, price: int) -> list[Any]:
    """Book one side of an execution, as the compiled pass does; sold is negative. Its postings."""
    state, instrument = firm.state, firm.state.instruments[instrument_id]
    notional = abs(lots) * price * int(instrument["tick_value_minor"])
    money = notional if lots > 0 else -notional
    position = state.positions[account_id, instrument_id]
    position["day_net_lots"] += lots
    position["day_net_minor"] += money
    units = abs(lots) * int(instrument["lot_units"])
    if instrument["instrument_class_code"] == codes.InstrumentClass.CFD:
        position["position_lots"] += lots
        position["cost_minor"] += money
        units = notional = 0
    out = empty_rows(Posting, POSTINGS_PER_FILL)
    count = post_fill_side(
        state.balances.amounts,
        state.balances.offsets,
        out,
        0,
        (state.sequence + 1, state.sequence, NOW_NS),
        account_id,
        codes.Side.BUY if lots > 0 else codes.Side.SELL,
        int(instrument["base_asset_id"]),
        units,
        int(instrument["quote_asset_id"]),
        notional,
        0,
        state.sequence,
        int(instrument["settlement_epoch_day"]),
    )
    state.sequence += int(count)
    return [from_row(Posting, row) for row in out[:count]]


def deposit(firm: Firm, account_id: int, asset_id: int, units: int) -> None:
    """Bring money (or a token) into an account."""
    firm.must(
        CreditDeposit,
        payment_id=10_000 + firm.state.sequence,
        account_id=account_id,
        asset_id=asset_id,
        amount_units=units,
    )


def empty_firm() -> Firm:
    """A firm in which nothing is known yet."""
    capacity = EngineConfigured(
        sequence=1,
        cause_sequence=1,
        occurred_at_ns=0,
        account_count=8,
        instrument_count=4,
        asset_count=4,
        order_count=64,
        order_id_count=64,
        window_count=256,
    )
    state = State.of(capacity)
    return Firm(state, SlowLane(state), [])


def open_firm() -> Firm:
    """A firm with its assets, instruments, marks, accounts, on a Monday."""
    firm = empty_firm()
    firm.must(
        StartBusinessDay,
        business_epoch_day=MONDAY,
        next_epoch_day=MONDAY + 1,
        second_epoch_day=MONDAY + 2,
    )
    for asset_id, kind, symbol in (
        (USD, codes.AssetClass.CURRENCY, "USD"),
        (EUR, codes.AssetClass.CURRENCY, "EUR"),
        (SHARE, codes.AssetClass.SECURITY, "SHARE"),
        (COIN, codes.AssetClass.TOKEN, "COIN"),
    ):
        firm.must(
            RegisterAsset,
            asset_id=asset_id,
            asset_class_code=kind,
            symbol_packed=pack(symbol),
            isin_packed=0,
            unit_digits=2,
        )
    for instrument_id, kind, base, lot_units, cycle in (
        (STOCK, codes.InstrumentClass.EQUITY, SHARE, 1, 1),
        (FX, codes.InstrumentClass.FX_SPOT, EUR, 100, 2),
        (CRYPTO, codes.InstrumentClass.CRYPTO_SPOT, COIN, 10, 0),
        (CFD, codes.InstrumentClass.CFD, SHARE, 1, 1),
    ):
        firm.must(
            ListInstrument,
            instrument_id=instrument_id,
            instrument_class_code=kind,
            symbol_packed=pack(f"I{instrument_id}"),
            base_asset_id=base,
            quote_asset_id=USD,
            lot_units=lot_units,
            tick_value_minor=1,
            window_floor_ticks=0,
            collar_bps=1_000,
            max_order_lots=1_000,
            margin_bps=5_000,
            fee_bps=10,
            settlement_cycle_count=cycle,
        )
        firm.must(SetMark, instrument_id=instrument_id, mark_ticks=100)
    for account_id in range(CASH, UNOPENED):
        open_account(firm, account_id)
    for account_id, status in (
        (CLOSED, codes.AccountStatus.CLOSED),
        (SUSPENDED, codes.AccountStatus.SUSPENDED),
        (RESTRICTED, codes.AccountStatus.RESTRICTED),
    ):
        firm.must(ChangeAccountStatus, account_id=account_id, account_status_code=status, operator_id=1)
    return firm


def open_account(firm: Firm, account_id: int) -> None:
    """Open one account of the class that its name says."""
    kinds = {CASH: codes.AccountClass.CUSTOMER_CASH, STREET: codes.AccountClass.STREET}
    firm.must(
        OpenAccount,
        account_id=account_id,
        client_id=100 + account_id,
        account_class_code=kinds.get(account_id, codes.AccountClass.CUSTOMER_MARGIN),
        max_notional_minor=10**9,
        rate_count=0,
        identity_document_id=0,
    )
