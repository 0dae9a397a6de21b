"""A book to measure: opened from a file of commands, and that file as requests of traders.

Owns: how a command of `onebook bench flow` becomes one of the gateway. Does not own: any figure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from engine.benchmarks.command_file import COLUMNS
from engine.errors import BadInput, InvariantBroken
from engine.gateway import binary
from engine.gateway.client import events_of
from engine.pipeline import Pipeline
from schemas.codes import AccountClass, AssetClass, InstrumentClass, InstrumentState, OrderType
from schemas.derive.layout import Rows, empty_rows
from schemas.identity import OpenAccount
from schemas.market import (
    CancelOrder,
    ChangeInstrumentState,
    CommandRefused,
    ConfigureEngine,
    ListInstrument,
    OrderRefused,
    PlaceOrder,
    RegisterAsset,
    ReplaceOrder,
    SetMark,
    StartBusinessDay,
)
from schemas.packed import pack
from schemas.payments import CreditDeposit, TransferSecuritiesIn
from schemas.record import record_of

Words = npt.NDArray[np.int64]
MONEY = 1
DAY = (dt.date(2026, 10, 6) - dt.date(1970, 1, 1)).days
START_NS = DAY * 86_400_000_000_000
PLENTY_MINOR, PLENTY_UNITS = 10**12, 10**6
MOST_ACCOUNTS, MOST_INSTRUMENTS = 4_000, 200
_BY_OP = (PlaceOrder, CancelOrder, ReplaceOrder)


class Flow(NamedTuple):
    """The commands of a file, by column, and where each instrument trades."""

    columns: dict[str, Words]
    accounts: list[int]
    marks: dict[int, int]  # instrument -> ticks

    def __len__(self) -> int:
        """How many commands."""
        return len(self.columns["op"])


def read_flow(path: Path) -> Flow:
    """Raises BadInput on a file that a book of this size cannot take."""
    try:
        table = pq.read_table(path, columns=list(COLUMNS))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path.name}: {' '.join(str(error).split())}") from None
    columns: dict[str, Words] = {name: table[name].to_numpy() for name in COLUMNS}
    if len(table) == 0 or columns["op"].max() >= len(_BY_OP) or columns["order_type"].max() > OrderType.LIMIT:
        raise BadInput(f"{path.name}: limit orders, cancels and replacements are expected")
    accounts = np.unique(columns["account_id"]) + 1
    places = columns["op"] == 0
    marks = {
        int(i): int(np.median(columns["price_ticks"][places & (columns["instrument_id"] == i)]))
        for i in np.unique(columns["instrument_id"][places])
    }
    if accounts.max() > MOST_ACCOUNTS or max(marks) > MOST_INSTRUMENTS:
        raise BadInput(f"{path.name}: at most {MOST_ACCOUNTS} accounts and {MOST_INSTRUMENTS} instruments")
    return Flow(columns, accounts.tolist(), marks)


def open_market(pipeline: Pipeline, flow: Flow) -> None:
    """Set the engine up, list what the flow trades, and give every account plenty of all of it."""
    at = {"sequence": 0, "received_at_ns": START_NS}
    highest = max(flow.marks)
    pipeline.submit(
        [
            ConfigureEngine(
                **at,
                account_count=max(flow.accounts),
                instrument_count=highest,
                asset_count=highest + 1,
                order_count=1 << 18,
                order_id_count=len(flow) + 1,
                window_count=1 << 17,
            )
        ]
    )
    day = StartBusinessDay(**at, business_epoch_day=DAY, next_epoch_day=DAY + 1, second_epoch_day=DAY + 2)
    _submit(pipeline, [day, *_listings(flow, at), *_accounts(flow, at)])


def _submit(pipeline: Pipeline, commands: Sequence[Any]) -> None:
    for first in range(0, len(commands), 4_096):
        for section in events_of(pipeline.submit(commands[first : first + 4_096])):
            if section.record.cls in (CommandRefused, OrderRefused):
                raise InvariantBroken(f"the market cannot be opened: {section.rows[0]}")


def _listings(flow: Flow, at: dict[str, int]) -> Iterator[Any]:
    asset = {"isin_packed": 0}
    yield RegisterAsset(
        **at, **asset, asset_id=MONEY, asset_class_code=AssetClass.CURRENCY, symbol_packed=pack("USD"),
        unit_digits=2,
    )  # fmt: skip
    for number, mark in flow.marks.items():
        name = pack(f"S{number}")
        yield RegisterAsset(
            **at, **asset, asset_id=number + 1, asset_class_code=AssetClass.SECURITY, symbol_packed=name,
            unit_digits=0,
        )  # fmt: skip
        yield ListInstrument(
            **at, instrument_id=number, instrument_class_code=InstrumentClass.EQUITY, symbol_packed=name,
            base_asset_id=number + 1, quote_asset_id=MONEY, lot_units=1, tick_value_minor=1,
            window_floor_ticks=0, collar_bps=10_000, max_order_lots=10_000, margin_bps=2_500, fee_bps=1,
            settlement_cycle_count=1,
        )  # fmt: skip
        yield SetMark(**at, instrument_id=number, mark_ticks=mark)
        yield ChangeInstrumentState(**at, instrument_id=number, instrument_state_code=InstrumentState.OPEN)


def _accounts(flow: Flow, at: dict[str, int]) -> Iterator[Any]:
    payment = 0
    for account in flow.accounts:
        yield OpenAccount(
            **at, account_id=account, client_id=account, account_class_code=AccountClass.CUSTOMER_MARGIN,
            max_notional_minor=10**12, rate_count=0, identity_document_id=0,
        )  # fmt: skip
        payment += 1
        yield CreditDeposit(
            **at, payment_id=payment, account_id=account, asset_id=MONEY, amount_units=PLENTY_MINOR
        )
        for number in flow.marks:
            payment += 1
            yield TransferSecuritiesIn(
                **at, payment_id=payment, account_id=account, asset_id=number + 1, amount_units=PLENTY_UNITS
            )


def requests_of(flow: Flow, first: int, last: int, batch: int) -> Iterator[bytes]:
    """The commands first..last-1 as binary requests of `batch` commands."""
    for begin in range(first, last, batch):
        yield _request(flow, begin, min(begin + batch, last))


def _request(flow: Flow, first: int, last: int) -> bytes:
    op = flow.columns["op"][first:last]
    widths = np.array([1 + len(record_of(cls).columns) for cls in _BY_OP])[op]
    starts = np.cumsum(widths) - widths
    body = np.zeros(int(widths.sum()), dtype=np.int64)
    for code, cls in enumerate(_BY_OP):
        at = np.flatnonzero(op == code)
        rows = _rows(flow, cls, first + at)
        body[starts[at]] = record_of(cls).type_code
        for column in range(rows.shape[1]):
            body[starts[at] + 1 + column] = rows[:, column]
    return binary.request_of_body(first, body.tobytes(), last - first)


def _rows(flow: Flow, cls: type, at: Words) -> Words:
    rows: Rows = empty_rows(cls, len(at))
    columns = flow.columns
    rows["session_id"] = 1
    rows["account_id"] = columns["account_id"][at] + 1
    rows["client_order_id"] = columns["order_id"][at]
    if cls is not CancelOrder:
        rows["price_ticks"] = columns["price_ticks"][at]
        rows["quantity_lots"] = columns["quantity_lots"][at]
    if cls is PlaceOrder:
        rows["instrument_id"] = columns["instrument_id"][at]
        rows["side_code"] = columns["side"][at] + 1
        rows["order_type_code"] = OrderType.LIMIT
        rows["time_in_force_code"] = columns["time_in_force"][at]
    return rows.view(np.int64).reshape(len(at), len(record_of(cls).columns))
