"""Scenarios as text: five verbs that an auditor can read.

    open 7 CUSTOMER_MARGIN                      open an account
    deposit 7 1000.00                           credit US dollars
    transfer 7 ACME 100                         securities arrive
    order 7 #1 BUY 10 ACME @ 100.00 [IOC|FOK|POST] -> accepted | filled 10 | refused REASON
    cancel 7 #1 -> cancelled 10 | refused REASON
    replace 7 #1 5 @ 100.00 -> replaced | refused REASON
    mark ACME 100.00 · state ACME HALTED · status 7 SUSPENDED · day 2026-10-06
    balance 7 USD 1000.00 · balance 7 ACME 10
    expect margin 7 500.00

Blank lines and lines that begin with # are passed over. Prices in dollars; a tick is a cent, a lot a share.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from engine.gateway.client import receipt_of
from engine.journal.frame import ZERO_HASH, Frame, Section
from engine.pipeline import Pipeline
from schemas.codes import (
    AccountClass,
    AccountStatus,
    AssetClass,
    InstrumentClass,
    InstrumentState,
    LedgerAccountKind,
    OrderType,
    RejectReason,
    Side,
    TimeInForce,
)
from schemas.identity import ChangeAccountStatus, OpenAccount
from schemas.market import (
    CancelOrder,
    ChangeInstrumentState,
    CommandRefused,
    ConfigureEngine,
    Fill,
    ListInstrument,
    OrderAccepted,
    OrderCancelled,
    OrderRefused,
    OrderReplaced,
    PlaceOrder,
    RegisterAsset,
    ReplaceOrder,
    SetMark,
    StartBusinessDay,
)
from schemas.packed import pack
from schemas.payments import CreditDeposit, TransferSecuritiesIn
from schemas.record import record_of

EPOCH = dt.date(1970, 1, 1)
START_NS = 1_790_000_000_000_000_000
INSTRUMENTS = {
    "ACME": (1, InstrumentClass.EQUITY),
    "BETA": (2, InstrumentClass.EQUITY),
    "ACMECFD": (3, InstrumentClass.CFD),
}
ASSETS = {"USD": 1, "ACME": 2, "BETA": 3}


class MemoryJournal:
    """Keeps frames in memory; every frame is numbered as the real journal numbers them."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def append(self, sections: Sequence[Section], state_hash: bytes = ZERO_HASH) -> Frame:
        rows = [s.rows["sequence"] for s in sections]
        first, last = min(int(r[0]) for r in rows), max(int(r[-1]) for r in rows)
        frame = Frame(len(self.frames) + 1, 1, first, last, tuple(sections), state_hash, ZERO_HASH)
        self.frames.append(frame)
        return frame


class World:
    """A configured engine with two shares and a contract, all marked at 100 dollars."""

    def __init__(self, journal: Any = None, hash_every: int = 0, **capacity: int) -> None:
        self.journal = journal or MemoryJournal()
        self.pipeline = Pipeline(None, self.journal, hash_every=hash_every)
        self.now_ns = START_NS
        self.payment_id = 0
        sizes = {
            "account_count": 100, "instrument_count": 8, "asset_count": 8,
            "order_count": 1_000, "order_id_count": 10_000, "window_count": 16_384,
        }  # fmt: skip
        self.send(ConfigureEngine, **(sizes | capacity))
        self.day("2026-10-05")
        for symbol, asset_id in ASSETS.items():
            kind = AssetClass.CURRENCY if symbol == "USD" else AssetClass.SECURITY
            digits = 2 if symbol == "USD" else 0
            self.send(
                RegisterAsset, asset_id=asset_id, asset_class_code=kind,
                symbol_packed=pack(symbol), isin_packed=0, unit_digits=digits,
            )  # fmt: skip
        for symbol, (number, kind) in INSTRUMENTS.items():
            self.send(
                ListInstrument, instrument_id=number, instrument_class_code=kind,
                symbol_packed=pack(symbol), base_asset_id=ASSETS[symbol.removesuffix("CFD")],
                quote_asset_id=1, lot_units=1, tick_value_minor=1, window_floor_ticks=0,
                collar_bps=2_000, max_order_lots=10_000, margin_bps=5_000, fee_bps=0,
                settlement_cycle_count=1,
            )  # fmt: skip
            self.play(f"mark {symbol} 100.00\nstate {symbol} OPEN")

    def send(self, cls: type, **columns: int) -> tuple[Any, ...]:
        """Submit one command; columns left out are zero. Returns its events."""
        self.now_ns += 1_000_000
        names = [c.name for c in record_of(cls).columns]
        values = dict.fromkeys(names, 0) | {"received_at_ns": self.now_ns} | columns
        frame = self.pipeline.submit([cls(**values)])
        return receipt_of(frame).events

    def day(self, text: str) -> tuple[Any, ...]:
        """Start a business day; the next two calendar days count as business days."""
        day = (dt.date.fromisoformat(text) - EPOCH).days
        return self.send(
            StartBusinessDay, business_epoch_day=day, next_epoch_day=day + 1, second_epoch_day=day + 2
        )

    def play(self, text: str) -> World:
        """Run a scenario; raises AssertionError naming the line that came out otherwise."""
        for number, line in enumerate(text.strip().splitlines(), 1):
            words = line.split()
            if words and not words[0].startswith("#"):
                self._step(words, f"line {number}: {line.strip()}")
        self.pipeline.state.balances.check()
        return self

    def _step(self, words: list[str], where: str) -> None:
        verb, *rest = words
        wanted = ""
        if "->" in rest:
            cut = rest.index("->")
            rest, wanted = rest[:cut], " ".join(rest[cut + 1 :])
        events = getattr(self, f"_{verb}")(*rest)
        if wanted:
            seen = [t for t in map(_told, events) if t]
            assert wanted in (seen or ["nothing"]), f"{where}\n  came out as: {', '.join(seen) or 'nothing'}"
        elif events:
            refused = [t for t in map(_told, events) if t.startswith("refused")]
            assert not refused, f"{where}\n  came out as: {refused[0]}"

    def _open(self, account: str, account_class: str, *limits: str) -> tuple[Any, ...]:
        given = dict(limit.split("=") for limit in limits)
        return self.send(
            OpenAccount, account_id=int(account), client_id=int(account) + 1_000,
            account_class_code=AccountClass[account_class],
            max_notional_minor=cents(given.get("max", "10000000")),
            rate_count=int(given.get("rate", "0")),
        )  # fmt: skip

    def _deposit(self, account: str, amount: str) -> tuple[Any, ...]:
        self.payment_id += 1
        return self.send(
            CreditDeposit, payment_id=self.payment_id, account_id=int(account), asset_id=1,
            amount_units=cents(amount),
        )  # fmt: skip

    def _transfer(self, account: str, symbol: str, units: str) -> tuple[Any, ...]:
        self.payment_id += 1
        return self.send(
            TransferSecuritiesIn, payment_id=self.payment_id, account_id=int(account),
            asset_id=ASSETS[symbol], amount_units=int(units),
        )  # fmt: skip

    def _order(self, account: str, number: str, side: str, lots: str, symbol: str, *terms: str) -> Any:
        flags = [t for t in terms if t in ("IOC", "FOK", "POST")]
        price = terms[terms.index("@") + 1] if "@" in terms else None
        force = next((f for f in flags if f != "POST"), "DAY")
        return self.send(
            PlaceOrder, session_id=1, account_id=int(account), client_order_id=int(number[1:]),
            instrument_id=INSTRUMENTS[symbol][0] if symbol in INSTRUMENTS else int(symbol),
            side_code=Side[side],
            order_type_code=OrderType.MARKET if price is None else OrderType.LIMIT,
            time_in_force_code=TimeInForce[force], post_only_code=int("POST" in flags),
            price_ticks=0 if price is None else cents(price), quantity_lots=int(lots),
        )  # fmt: skip

    def _cancel(self, account: str, number: str) -> Any:
        return self.send(CancelOrder, session_id=1, account_id=int(account), client_order_id=int(number[1:]))

    def _replace(self, account: str, number: str, lots: str, _at: str, price: str) -> Any:
        return self.send(
            ReplaceOrder, session_id=1, account_id=int(account), client_order_id=int(number[1:]),
            price_ticks=cents(price), quantity_lots=int(lots),
        )  # fmt: skip

    def _mark(self, symbol: str, price: str) -> Any:
        return self.send(SetMark, instrument_id=INSTRUMENTS[symbol][0], mark_ticks=cents(price))

    def _state(self, symbol: str, state: str) -> Any:
        code = InstrumentState[state]
        number = INSTRUMENTS[symbol][0]
        return self.send(ChangeInstrumentState, instrument_id=number, instrument_state_code=code)

    def _status(self, account: str, status: str) -> Any:
        return self.send(
            ChangeAccountStatus, account_id=int(account),
            account_status_code=AccountStatus[status], operator_id=1,
        )  # fmt: skip

    def _day(self, text: str) -> Any:
        return self.day(text)

    def _balance(self, account: str, symbol: str, amount: str) -> None:
        kind = LedgerAccountKind.CLIENT
        has = -self.pipeline.state.balances.balance(kind, int(account), ASSETS[symbol])
        due = cents(amount) if symbol == "USD" else int(amount)
        assert has == due, f"account {account} has {has} of {symbol}, not {due}"

    def _expect(self, what: str, account: str, amount: str) -> None:
        equity, margin = self.pipeline.state.margin_minor(int(account))
        has = {"equity": equity, "margin": margin}[what]
        assert has == cents(amount), f"{what} of account {account} is {has}, not {cents(amount)}"


def cents(text: str) -> int:
    """Dollars and cents as cents."""
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def _told(event: Any) -> str:
    match event:
        case OrderAccepted():
            return "accepted"
        case Fill():
            return f"filled {event.quantity_lots}"
        case OrderRefused() | CommandRefused():
            return f"refused {RejectReason(event.reject_reason_code).name}"
        case OrderCancelled():
            return f"cancelled {event.cancelled_lots}"
        case OrderReplaced():
            return "replaced"
        case _:
            return ""
