"""A LOBSTER message file as a business day: one share, the street that quotes it, one customer who takes.

Owns: the small world that real order flow needs around it; its bank and custodian tell the truth.
Does not own: what a row of the file means (gateway/lobster.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from engine.clock import FakeClock
from engine.config import Home
from engine.errors import BadInput
from engine.gateway.lobster import TICK_PRICE, LobsterCounts, LobsterFlow, messages
from engine.simulation.bank import NOSTRO_USD, Bank, Family
from engine.simulation.business_days import new_york_ns, require_business_day
from engine.simulation.floor import Engine, Floor, Progress
from engine.simulation.identifiers import with_isin_check
from engine.simulation.letters import Letter
from engine.simulation.world import report_margins, start_day
from schemas.codes import AccountClass, AssetClass, InstrumentClass, InstrumentState, ReserveFormula
from schemas.days import epoch_day_of
from schemas.identity import OpenAccount
from schemas.iso20022.codecs import Quantity
from schemas.iso20022.parties import CUSTODIAN, FIRM, SAFEKEEPING_ACCOUNT
from schemas.iso20022.semt_002 import SEMT_002
from schemas.iso20022.writing import render
from schemas.market import (
    ChangeInstrumentState,
    ConfigureEngine,
    Fill,
    ListInstrument,
    RegisterAsset,
    SetMark,
)
from schemas.packed import pack
from schemas.payments import CreditDeposit, TransferSecuritiesIn
from schemas.reserve import MAIN_RESERVE_BANK, OpenReserveAccount, RecordBankEquity
from schemas.settlement import RunSettlementCycle

USD, SHARE, INSTRUMENT = 1, 2, 1
STREET, TAKER = 1, 2
DEPOSIT_MINOR = 100_000_000_000
SHARES = 1_000_000
BANK_EQUITY_MINOR = 2_000_000_000_000
WINDOW_COUNT = 1 << 16
BATCH = 1_024
_NAME = re.compile(r"([A-Z0-9]{1,12})_(\d{4}-\d{2}-\d{2})_")


def made_up_isin(symbol: str) -> str:
    """A well-formed ISIN for a ticker: the file does not tell the true one."""
    return with_isin_check(f"US{symbol[:9]:0>9}")


def symbol_and_day(path: Path) -> tuple[str, date]:
    """What a LOBSTER file's name says: ticker and date. Raises BadInput when it says neither."""
    found = _NAME.match(path.name)
    if found is None:
        raise BadInput(f"{path.name} does not begin with TICKER_YYYY-MM-DD_, so give --date")
    try:
        return found[1], date.fromisoformat(found[2])
    except ValueError:
        raise BadInput(f"{path.name}: {found[2]} is no date") from None


def play_lobster(
    engine: Engine, home: Home, clock: FakeClock, path: Path, day: date, progress: Progress
) -> LobsterCounts:
    """Run a file through the engine as one business day, statements of bank and custodian included.

    Raises BadInput naming file and line on the first row that cannot be used; what came before it stays
    journaled.
    """
    require_business_day(day)
    found = _NAME.match(path.name)
    symbol = found[1] if found else "LOBSTER"
    floor = Floor(engine, clock, home.inbox, progress)
    first = next(messages(path))
    opening = first.price // TICK_PRICE
    at_ns = new_york_ns(day, 6)
    floor.submit([_capacity(at_ns)])
    floor.submit(list(opening_commands(symbol, day, opening, at_ns)))
    flow = LobsterFlow(path, day, 1, INSTRUMENT, STREET, TAKER)
    last_ticks = _play(floor, flow, progress) or opening
    _close(floor, day, last_ticks)
    _statements(floor, symbol, day)
    return flow.counts


def _play(floor: Floor, flow: LobsterFlow, progress: Progress) -> int:
    """Every batch of the file; returns the last trade's price."""
    commands, last_ticks, done = flow.commands(), 0, 0
    while batch := list(islice(commands, BATCH)):
        frame = floor.submit(batch)
        done += len(batch)
        if frame is not None:
            fills = [s.rows for s in frame.sections if s.record.cls is Fill]
            last_ticks = int(fills[0]["price_ticks"][-1]) if fills else last_ticks
        if done % (20 * BATCH) == 0:
            progress(f"{done:,} commands, {floor.watch.fill_count:,} fills")
    progress(f"{done:,} commands, {floor.watch.fill_count:,} fills")
    return last_ticks


def _capacity(at_ns: int) -> ConfigureEngine:
    return ConfigureEngine(
        sequence=0, received_at_ns=at_ns, account_count=8, instrument_count=4, asset_count=4,
        order_count=1 << 17, order_id_count=1 << 22, window_count=WINDOW_COUNT,
    )  # fmt: skip


def opening_commands(symbol: str, day: date, ticks: int, at_ns: int) -> Iterator[Any]:
    """One share, the street, and a customer with money and shares; the first mark is `ticks`."""
    yield start_day(day, at_ns)
    for asset_id, name, kind in ((USD, "USD", AssetClass.CURRENCY), (SHARE, symbol, AssetClass.SECURITY)):
        is_money = kind is AssetClass.CURRENCY
        yield RegisterAsset(
            sequence=0, received_at_ns=at_ns, asset_id=asset_id, asset_class_code=kind,
            symbol_packed=pack(name), isin_packed=0 if is_money else pack(made_up_isin(symbol)),
            unit_digits=2 if is_money else 0,
        )  # fmt: skip
    yield ListInstrument(
        sequence=0, received_at_ns=at_ns, instrument_id=INSTRUMENT,
        instrument_class_code=InstrumentClass.EQUITY, symbol_packed=pack(symbol),
        base_asset_id=SHARE, quote_asset_id=USD, lot_units=1, tick_value_minor=1,
        window_floor_ticks=max(0, ticks - WINDOW_COUNT // 2), collar_bps=5_000,
        max_order_lots=1_000_000, margin_bps=5_000, fee_bps=1, settlement_cycle_count=1,
    )  # fmt: skip
    yield SetMark(sequence=0, received_at_ns=at_ns, instrument_id=INSTRUMENT, mark_ticks=ticks)
    yield _state(InstrumentState.OPEN, at_ns)
    for account_id, kind in ((STREET, AccountClass.STREET), (TAKER, AccountClass.CUSTOMER_MARGIN)):
        yield OpenAccount(
            sequence=0, received_at_ns=at_ns, account_id=account_id, client_id=1_000 + account_id,
            account_class_code=kind, max_notional_minor=DEPOSIT_MINOR, rate_count=0,
            identity_document_id=0,
        )  # fmt: skip
    shared = {"sequence": 0, "received_at_ns": at_ns, "account_id": TAKER}
    yield CreditDeposit(**shared, payment_id=1, asset_id=USD, amount_units=DEPOSIT_MINOR)
    yield TransferSecuritiesIn(**shared, payment_id=2, asset_id=SHARE, amount_units=SHARES)
    yield OpenReserveAccount(
        sequence=0, received_at_ns=at_ns, bank_id=MAIN_RESERVE_BANK, is_affiliate=0,
        reserve_formula_code=ReserveFormula.CUSTOMER, letter_document_id=1, operator_id=1,
    )  # fmt: skip
    yield RecordBankEquity(
        sequence=0, received_at_ns=at_ns, bank_id=MAIN_RESERVE_BANK, equity_minor=BANK_EQUITY_MINOR,
        as_of_epoch_day=epoch_day_of(day), operator_id=1,
    )  # fmt: skip


def _state(state: InstrumentState, at_ns: int) -> ChangeInstrumentState:
    return ChangeInstrumentState(
        sequence=0, received_at_ns=at_ns, instrument_id=INSTRUMENT, instrument_state_code=state
    )


def _close(floor: Floor, day: date, last_ticks: int) -> None:
    at_ns = max(floor.clock.now_ns(), new_york_ns(day, 16, 15))
    closing: Sequence[Any] = (
        _state(InstrumentState.CLOSED, at_ns),
        SetMark(sequence=0, received_at_ns=at_ns, instrument_id=INSTRUMENT, mark_ticks=last_ticks),
        RunSettlementCycle(sequence=0, received_at_ns=at_ns, trade_epoch_day=epoch_day_of(day)),
        report_margins(day, at_ns),
    )
    floor.submit(closing)


def _statements(floor: Floor, symbol: str, day: date) -> None:
    """Bank and custodian confirm what the customer brought; the day's trades settle later."""
    bank = Bank()
    bank.start_day(day)
    bank.pay(NOSTRO_USD, DEPOSIT_MINOR, "DP1", Family.TRANSFER, new_york_ns(day, 6))
    for letter in bank.close_day(new_york_ns(day, 17, 30)):
        floor.receive(letter)
    floor.receive(_holding(symbol, day))
    floor.clock.set(max(floor.clock.now_ns(), new_york_ns(day, 17, 45)))


def _holding(symbol: str, day: date) -> Letter:
    fields = {
        "statement_reference": f"H{day:%Y%m%d}-{SAFEKEEPING_ACCOUNT}",
        "statement_epoch_day": epoch_day_of(day),
        "has_holdings": True,
        "owner_bic": FIRM.bic,
        "custodian_bic": CUSTODIAN.bic,
        "safekeeping_account": SAFEKEEPING_ACCOUNT,
        "holdings": [{"isin": made_up_isin(symbol), "position": "LONG", "quantity": Quantity(SHARES, 0)}],
    }
    return Letter(f"semt.002-{SAFEKEEPING_ACCOUNT}-{day:%Y%m%d}.xml", render(SEMT_002, fields))


def told_by_type(counts: LobsterCounts) -> dict[str, int]:
    """How many rows of each type were read, and how many spoke of orders from before the file."""
    told = {kind.name.lower(): count for kind, count in sorted(counts.read.items())}
    told["of_orders_from_before_the_file"] = sum(counts.unknown.values())
    return told
