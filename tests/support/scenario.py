"""Scenarios as text that an auditor can read: a verb, whom and what, and what comes of it.

    open 7 CUSTOMER_MARGIN                      open an account
    deposit 7 1000.00                           credit US dollars
    transfer 7 ACME 100                         securities arrive
    order 7 #1 BUY 10 ACME @ 100.00 -> accepted | filled 10 | refused REASON
    cancel 7 #1 -> cancelled 10 | refused REASON
    replace 7 #1 5 @ 100.00 [POST|POSTREPRICE] -> replaced | refused REASON
    cancelall [account=7] [session=1] [instrument=ACME] [side=BUY] [DISCONNECT] -> cancelled
    kill ON · kill OFF                          the kill switch
    mark ACME 100.00 · state ACME HALTED · status 7 SUSPENDED · wait 60
    net · day 2026-10-06                        the settlement cycle of the day, then another day
    rules ACME [dynamic=500] [static=1000] [step=0.05]  bands and ladder of prices; while closed
    terms 7 [fees=1] [group=4] [stp=CANCEL_BOTH]        schedule of fees, self-trade group and mode
    fees 1 ACME taker=200 maker=-50             millionths of the notional
    balance 7 USD 1000.00 · balance 7 ACME 10
    expect margin 7 500.00 · expect equity 7 1000.00
    expect position 7 ACMECFD -10               what is held
    expect bids 7 ACME 10 · expect asks 7 ACME 10       lots that the account's orders reserve
    expect bid ACME 10 @ 100.00 · expect ask ACME none  the best price that all can see

An order's price is its limit, of a pegged order its worst price; without one it is a market order. It may say

    IOC · FOK · GTC · GTD 60 (seconds from now) · ATOPEN · ATCLOSE
    POST · POSTREPRICE · REDUCE · MIN 5 · ICEBERG 5 · SESSION 2 · STP CANCEL_RESTING
    STOP 101.00 (with a price a stop-limit order) · TRAIL 0.50 · PEG MID|PRIMARY · OFFSET 0.05
    AWAIT · OCO #1 · ENTRY #1

What comes of a command stands behind `->`: events in order, others may stand between them. Behind `=>` stand
all of them. An event may be cut short: `cancelled 10` for `cancelled 10 7#1 ASKED`, order 1 of account 7.

    accepted @ 100.00 · refused REASON · replaced 5 @ 100.00 kept
    filled 5 @ 100.00 fees 0.10 -0.02           taker's and maker's; with `auction`: buyer's and seller's
    cancelled 5 7#1 WHY · expired 5 7#1 WHY · reduced 5 7#1 WHY · triggered 7#1 WHY
    shown 5 of 20 @ 100.00 7#1 · auction 30 @ 100.00 surplus 5 BUY · state OPEN [WHY] · kill ON

A line that begins with an arrow or a comma goes on with the one before it. Blank lines and lines that begin
with # are passed over. Prices in dollars; a tick is a cent, a lot a share.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from engine.gateway.client import receipt_of
from engine.journal.frame import ZERO_HASH, Frame, Section
from engine.journal.writer import Staged
from engine.pipeline import Pipeline
from engine.risk.account_kernel import held_lots
from schemas.codes import (
    AccountClass,
    AccountStatus,
    AssetClass,
    InstrumentClass,
    InstrumentState,
    LedgerAccountKind,
    MarketEventReason,
    OrderLink,
    OrderType,
    PostOnly,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from schemas.identity import ChangeAccountStatus, OpenAccount, SetTradingTerms
from schemas.market import (
    AuctionUncrossed,
    CancelOrder,
    CancelOrders,
    ChangeInstrumentState,
    CommandRefused,
    ConfigureEngine,
    Fill,
    InstrumentStateChanged,
    KillSwitchSet,
    ListInstrument,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderReduced,
    OrderRefused,
    OrderReplaced,
    OrderShown,
    OrderTriggered,
    PlaceOrder,
    RegisterAsset,
    ReplaceOrder,
    SetFees,
    SetKillSwitch,
    SetMark,
    SetVenueRules,
    StartBusinessDay,
)
from schemas.packed import pack
from schemas.payments import CreditDeposit, TransferSecuritiesIn
from schemas.record import record_of
from schemas.settlement import RunSettlementCycle

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

    is_low = False

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._staged = 0

    def append(self, sections: Sequence[Section], state_hash: bytes = ZERO_HASH) -> Frame:
        return self.commit([self.stage(sections, state_hash)])[0]

    def stage(self, sections: Sequence[Section], state_hash: bytes = ZERO_HASH) -> Staged:
        rows = [s.rows["sequence"] for s in sections]
        first, last = min(int(r[0]) for r in rows), max(int(r[-1]) for r in rows)
        kept = tuple(Section(s.record, s.rows.copy()) for s in sections)
        self._staged += 1
        frame = Frame(self._staged, 1, first, last, kept, state_hash, ZERO_HASH)
        return Staged(self._staged, kept, state_hash, 1, 0, 0, 0, (frame, memoryview(b"")))

    def commit(self, batch: Sequence[Staged]) -> list[Frame]:
        frames = [staged.encoded[0] for staged in batch if staged.encoded]
        self.frames += frames
        return frames


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

    def expect_refused(self, reason: str, cls: type, **columns: int) -> None:
        """Submit one command, by its columns, that must be refused, and change nothing."""
        told = [t for t in map(_told, self.send(cls, **columns)) if t]
        assert told == [f"refused {reason}"], f"{cls.__name__} {columns} came out as: {', '.join(told)}"

    def day(self, text: str) -> tuple[Any, ...]:
        """Start a business day; the next two calendar days count as business days."""
        day = (dt.date.fromisoformat(text) - EPOCH).days
        return self.send(
            StartBusinessDay, business_epoch_day=day, next_epoch_day=day + 1, second_epoch_day=day + 2
        )

    def play(self, text: str) -> World:
        """Run a scenario; raises AssertionError naming the line that came out otherwise."""
        for number, line in _lines(text):
            self._step(line.split(), f"line {number}: {line}")
        self.pipeline.state.balances.check()
        return self

    def attempt(self, line: str) -> list[str]:
        """Run one line that may be refused. Returns what came of it."""
        verb, *rest = line.split()
        return [t for t in map(_told, getattr(self, f"_{verb}")(*rest) or ()) if t]

    def _step(self, words: list[str], where: str) -> None:
        verb, *rest = words
        arrow = next((w for w in ("->", "=>") if w in rest), "")
        wanted: list[str] = []
        if arrow:
            cut = rest.index(arrow)
            rest, wanted = rest[:cut], " ".join(rest[cut + 1 :]).split(", ")
        events = getattr(self, f"_{verb}")(*rest)
        told = [t for t in map(_told, events or ()) if t]
        if arrow:
            is_so = _is_all(wanted, told) if arrow == "=>" else _is_among(wanted, told)
            assert is_so, f"{where}\n  came out as: {', '.join(told) or 'nothing'}"
        else:
            refused = [t for t in told if t.startswith("refused")]
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
        has_price = terms[:1] == ("@",)
        columns = {"price_ticks": cents(terms[1])} if has_price else {}
        columns |= {"order_type_code": OrderType.LIMIT if has_price else OrderType.MARKET}
        columns |= {"session_id": 1, "time_in_force_code": TimeInForce.DAY}
        words = iter(terms[2 * has_price :])
        for word in words:
            columns |= self._option(word, words, has_price)
        return self.send(
            PlaceOrder, account_id=int(account), client_order_id=int(number[1:]),
            instrument_id=_instrument(symbol), side_code=Side[side], quantity_lots=int(lots), **columns,
        )  # fmt: skip

    def _option(self, word: str, words: Iterator[str], has_price: bool) -> dict[str, int]:
        """The columns that one word says, and those that it takes after it."""
        match word:
            case "IOC" | "FOK" | "GTC":
                return {"time_in_force_code": TimeInForce[word]}
            case "ATOPEN" | "ATCLOSE":
                return {"time_in_force_code": TimeInForce[f"AT_{word[2:]}"]}
            case "GTD":
                until = self.now_ns + int(next(words)) * 1_000_000_000
                return {"time_in_force_code": TimeInForce.GTD, "expires_at_ns": until}
            case "POST" | "POSTREPRICE":
                return {"post_only_code": _post_only(word)}
            case "REDUCE":
                return {"is_reduce_only": 1}
            case "MIN":
                return {"minimum_lots": int(next(words))}
            case "ICEBERG":
                return {"display_lots": int(next(words))}
            case "STOP":
                kind = OrderType.STOP_LIMIT if has_price else OrderType.STOP
                return {"order_type_code": kind, "stop_ticks": cents(next(words))}
            case "TRAIL":
                return {"order_type_code": OrderType.TRAILING_STOP, "trail_ticks": cents(next(words))}
            case "PEG":
                return {"order_type_code": OrderType[f"PEGGED_{next(words)}"]}
            case "OFFSET":
                return {"offset_ticks": cents(next(words))}
            case "AWAIT":
                return {"order_link_code": OrderLink.AWAIT}
            case "OCO" | "ENTRY":
                return {"order_link_code": OrderLink[word], "linked_client_order_id": int(next(words)[1:])}
            case "STP":
                return {"self_trade_code": SelfTradePrevention[next(words)]}
            case "SESSION":
                return {"session_id": int(next(words))}
            case _:
                raise AssertionError(f"an order has no option {word}")

    def _cancel(self, account: str, number: str) -> Any:
        return self.send(CancelOrder, session_id=1, account_id=int(account), client_order_id=int(number[1:]))

    def _replace(self, account: str, number: str, lots: str, *rest: str) -> Any:
        has_price = rest[:1] == ("@",)
        return self.send(
            ReplaceOrder, session_id=1, account_id=int(account), client_order_id=int(number[1:]),
            price_ticks=cents(rest[1]) if has_price else 0, quantity_lots=int(lots),
            post_only_code=_post_only(*rest[2 * has_price :]),
        )  # fmt: skip

    def _cancelall(self, *terms: str) -> Any:
        given = dict(t.split("=") for t in terms if "=" in t)
        return self.send(
            CancelOrders, account_id=int(given.get("account", 0)), session_id=int(given.get("session", 0)),
            instrument_id=_instrument(given["instrument"]) if "instrument" in given else 0,
            side_code=Side[given["side"]] if "side" in given else 0,
            is_disconnect=int("DISCONNECT" in terms),
        )  # fmt: skip

    def _kill(self, to: str) -> Any:
        return self.send(SetKillSwitch, is_stopped=int(to == "ON"), operator_id=1)

    def _wait(self, seconds: str) -> None:
        self.now_ns += int(seconds) * 1_000_000_000

    def _rules(self, symbol: str, *terms: str) -> Any:
        given = dict(t.split("=") for t in terms)
        return self.send(
            SetVenueRules, instrument_id=_instrument(symbol), dynamic_bps=int(given.get("dynamic", 0)),
            static_bps=int(given.get("static", 0)), first_step_ticks=cents(given.get("step", "0")),
        )  # fmt: skip

    def _terms(self, account: str, *terms: str) -> Any:
        given = dict(t.split("=") for t in terms)
        return self.send(
            SetTradingTerms, account_id=int(account), fee_group_id=int(given.get("fees", 0)),
            group_id=int(given.get("group", 0)),
            self_trade_code=SelfTradePrevention[given.get("stp", "NONE")],
        )  # fmt: skip

    def _fees(self, group: str, symbol: str, *rates: str) -> Any:
        given = {f"{k}_ppm": int(v) for k, v in (r.split("=") for r in rates)}
        return self.send(SetFees, fee_group_id=int(group), instrument_id=_instrument(symbol), **given)

    def _mark(self, symbol: str, price: str) -> Any:
        return self.send(SetMark, instrument_id=_instrument(symbol), mark_ticks=cents(price))

    def _state(self, symbol: str, state: str) -> Any:
        code, number = InstrumentState[state], _instrument(symbol)
        return self.send(ChangeInstrumentState, instrument_id=number, instrument_state_code=code)

    def _status(self, account: str, status: str) -> Any:
        return self.send(
            ChangeAccountStatus, account_id=int(account),
            account_status_code=AccountStatus[status], operator_id=1,
        )  # fmt: skip

    def _day(self, text: str) -> Any:
        return self.day(text)

    def _net(self) -> Any:
        return self.send(RunSettlementCycle, trade_epoch_day=self.pipeline.state.business_epoch_day)

    def _balance(self, account: str, symbol: str, amount: str) -> None:
        kind = LedgerAccountKind.CLIENT
        has = -self.pipeline.state.balances.balance(kind, int(account), ASSETS[symbol])
        due = cents(amount) if symbol == "USD" else int(amount)
        assert has == due, f"account {account} has {has} of {symbol}, not {due}"

    def _expect(self, what: str, whom: str, *amounts: str) -> None:
        state = self.pipeline.state
        match what:
            case "equity" | "margin":
                has: Any = state.margin_minor(int(whom))[what == "margin"]
                due: Any = cents(amounts[0])
            case "position":
                of = int(whom), _instrument(amounts[0])
                has, due = (
                    held_lots(state.instruments, state.positions, state.balances.amounts, *of),
                    int(amounts[1]),
                )
            case "bids" | "asks":
                row = state.positions[int(whom), _instrument(amounts[0])]
                has, due = row["open_buy_lots" if what == "bids" else "open_sell_lots"], int(amounts[1])
            case "bid" | "ask":
                side = Side.BUY if what == "bid" else Side.SELL
                depth = state.books.depth(_instrument(whom), side, 1)
                has = f"{depth[0].shown_lots} @ {dollars(depth[0].price_ticks)}" if depth else "none"
                due = " ".join(amounts)
            case _:
                raise AssertionError(f"nothing is called {what}")
        assert has == due, f"{what} of {whom} is {has}, not {due}"


def cents(text: str) -> int:
    """Dollars and cents as cents."""
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def dollars(minor: int) -> str:
    """Cents as dollars and cents."""
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02}"


def _lines(text: str) -> list[tuple[int, str]]:
    """Numbered lines; one that begins with an arrow or a comma goes on with the one before it."""
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(map(str.strip, text.strip().splitlines()), 1):
        if line.startswith(("->", "=>", ",")) and lines:
            first, before = lines.pop()
            lines.append((first, before + ("" if line.startswith(",") else " ") + line))
        elif line and not line.startswith("#"):
            lines.append((number, line))
    return lines


def _instrument(symbol: str) -> int:
    return INSTRUMENTS[symbol][0] if symbol in INSTRUMENTS else int(symbol)


def _post_only(word: str = "") -> int:
    return {"": PostOnly.NONE, "POST": PostOnly.REJECT, "POSTREPRICE": PostOnly.REPRICE}[word]


def _is_cut(wanted: str, told: str) -> bool:
    return f"{told} ".startswith(f"{wanted} ")


def _is_all(wanted: Sequence[str], told: Sequence[str]) -> bool:
    seen = told or ["nothing"]
    return len(wanted) == len(seen) and all(map(_is_cut, wanted, seen))


def _is_among(wanted: Sequence[str], told: Sequence[str]) -> bool:
    rest = iter(told or ["nothing"])
    return all(any(_is_cut(want, seen) for seen in rest) for want in wanted)


def _at(price_ticks: int) -> str:
    return f" @ {dollars(price_ticks)}" if price_ticks else ""


def _told(event: Any) -> str:
    """One event as a scenario says it; empty for what a scenario does not tell."""
    match event:
        case OrderAccepted():
            return f"accepted{_at(event.price_ticks)}"
        case Fill():
            fees = f"fees {dollars(event.taker_fee_minor)} {dollars(event.maker_fee_minor)}"
            auction = " auction" if event.is_auction else ""
            return f"filled {event.quantity_lots}{_at(event.price_ticks)} {fees}{auction}"
        case OrderRefused() | CommandRefused():
            return f"refused {RejectReason(event.reject_reason_code).name}"
        case OrderReplaced():
            kept = " kept" if event.is_priority_kept else ""
            return f"replaced {event.quantity_lots}{_at(event.price_ticks)}{kept}"
        case AuctionUncrossed():
            surplus = f" surplus {event.surplus_lots} {Side(event.surplus_side_code).name}"
            found = f"auction {event.quantity_lots}{_at(event.price_ticks)}"
            return found + (surplus if event.surplus_lots else "")
        case InstrumentStateChanged():
            why = MarketEventReason(event.order_end_code)
            state = InstrumentState(event.instrument_state_code).name
            return f"state {state}{'' if why is MarketEventReason.ASKED else f' {why.name}'}"
        case KillSwitchSet():
            return f"kill {'ON' if event.is_stopped else 'OFF'}"
        case OrderCancelled() | OrderExpired() | OrderTriggered() | OrderReduced() | OrderShown():
            return _told_of_order(event, f"{event.account_id}#{event.client_order_id}")
        case _:
            return ""


def _told_of_order(event: Any, order: str) -> str:
    if isinstance(event, OrderShown):
        return f"shown {event.shown_lots} of {event.quantity_lots}{_at(event.price_ticks)} {order}"
    why = MarketEventReason(event.order_end_code).name
    match event:
        case OrderCancelled():
            return f"cancelled {event.cancelled_lots} {order} {why}"
        case OrderExpired():
            return f"expired {event.expired_lots} {order} {why}"
        case OrderReduced():
            return f"reduced {event.reduced_lots} {order} {why}"
        case _:
            return f"triggered {order} {why}"
