"""What clients ask for: a small market of one share and one contract around a price of 200 ticks.

Owns: the opening of the market and the drawing of requests. A request is repeated with the same numbers.
"""

from __future__ import annotations

import random
from typing import Any

from schemas.codes import (
    AccountClass,
    AssetClass,
    InstrumentClass,
    InstrumentState,
    OrderType,
    Side,
    TimeInForce,
)
from schemas.identity import OpenAccount
from schemas.market import (
    CancelOrder,
    ChangeInstrumentState,
    ConfigureEngine,
    ListInstrument,
    PlaceOrder,
    RegisterAsset,
    ReplaceOrder,
    SetMark,
    StartBusinessDay,
)
from schemas.packed import pack
from schemas.payments import CreditDeposit, RequestWithdrawal, TransferSecuritiesIn
from schemas.record import record_of

USD, ACME = 1, 2
SHARE, CONTRACT = 1, 2
FIRST, SECOND, STREET = 1, 2, 3
ACCOUNTS = (FIRST, SECOND, STREET)
FIRST_DAY = 20_000
MIDDLE = 200
ROOM = {
    "account_count": 4, "instrument_count": 2, "asset_count": 2,
    "order_count": 64, "order_id_count": 512, "window_count": 512,
}  # fmt: skip


def of(cls: type, **columns: int) -> Any:
    """A command; columns left out are zero."""
    names = [c.name for c in record_of(cls).columns]
    return cls(**(dict.fromkeys(names, 0) | columns))


def configuration(received_at_ns: int) -> ConfigureEngine:
    """A book so small that a thousand of them are cheap."""
    return of(ConfigureEngine, received_at_ns=received_at_ns, **ROOM)


def opening() -> list[Any]:
    """The market and its accounts, in one request."""
    commands = [turn(FIRST_DAY)]
    for asset, kind, symbol, digits in (
        (USD, AssetClass.CURRENCY, "USD", 2),
        (ACME, AssetClass.SECURITY, "ACME", 0),
    ):
        commands.append(
            of(
                RegisterAsset,
                asset_id=asset,
                asset_class_code=kind,
                symbol_packed=pack(symbol),
                unit_digits=digits,
            )
        )
    for instrument, kind in ((SHARE, InstrumentClass.EQUITY), (CONTRACT, InstrumentClass.CFD)):
        commands += [
            of(
                ListInstrument, instrument_id=instrument, instrument_class_code=kind,
                symbol_packed=pack(f"I{instrument}"), base_asset_id=ACME, quote_asset_id=USD, lot_units=1,
                tick_value_minor=1, collar_bps=2_000, max_order_lots=100, margin_bps=5_000, fee_bps=10,
                settlement_cycle_count=1,
            ),
            of(SetMark, instrument_id=instrument, mark_ticks=MIDDLE),
            of(ChangeInstrumentState, instrument_id=instrument, instrument_state_code=InstrumentState.OPEN),
        ]  # fmt: skip
    for account in ACCOUNTS:
        kind = AccountClass.STREET if account == STREET else AccountClass.CUSTOMER_MARGIN
        commands.append(
            of(
                OpenAccount, account_id=account, client_id=1_000 + account, account_class_code=kind,
                max_notional_minor=10**9,
            )
        )  # fmt: skip
    for account in (FIRST, SECOND):
        commands += [
            of(CreditDeposit, payment_id=account, account_id=account, asset_id=USD, amount_units=60_000),
            of(
                TransferSecuritiesIn,
                payment_id=10 + account,
                account_id=account,
                asset_id=ACME,
                amount_units=99,
            ),
        ]
    return commands


def turn(day: int) -> StartBusinessDay:
    """The start of a business day."""
    return of(StartBusinessDay, business_epoch_day=day, next_epoch_day=day + 1, second_epoch_day=day + 2)


class Orders:
    """Draws what one client asks for."""

    def __init__(self, account: int, draw: random.Random) -> None:
        self._account = account
        self._draw = draw
        self._numbers = 0
        self._payments = 0

    def next_request(self) -> list[Any]:
        """One command, or a few."""
        count = self._draw.choice([1, 1, 1, 2, 4])
        return [self._next() for _ in range(count)]

    def _next(self) -> Any:
        kinds = [self._place] * 12 + [self._cancel] * 3 + [self._replace] * 2
        kinds += [self._deposit] * (self._account != STREET) + [self._withdraw] * (self._account != STREET)
        return self._draw.choice(kinds)()

    def _place(self) -> Any:
        self._numbers += 1
        side = self._draw.choice([Side.BUY, Side.SELL])
        life = self._draw.choice([TimeInForce.DAY, TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC])
        lean = 1 if side == Side.SELL else -1
        return of(
            PlaceOrder, session_id=self._account, account_id=self._account, client_order_id=self._numbers,
            instrument_id=self._draw.choice([SHARE, CONTRACT]), side_code=side,
            order_type_code=OrderType.LIMIT, time_in_force_code=life,
            price_ticks=MIDDLE + lean * self._draw.randint(-2, 4), quantity_lots=self._draw.randint(1, 8),
        )  # fmt: skip

    def _own(self) -> dict[str, int]:
        number = self._draw.randint(max(1, self._numbers - 6), max(1, self._numbers))
        return {"session_id": self._account, "account_id": self._account, "client_order_id": number}

    def _cancel(self) -> Any:
        return of(CancelOrder, **self._own())

    def _replace(self) -> Any:
        price, lots = MIDDLE + self._draw.randint(-4, 4), self._draw.randint(1, 8)
        return of(ReplaceOrder, **self._own(), price_ticks=price, quantity_lots=lots)

    def _payment(self) -> dict[str, int]:
        self._payments += 1
        number = 1_000 * self._account + self._payments
        units = self._draw.randint(1, 500)
        return {"payment_id": number, "account_id": self._account, "asset_id": USD, "amount_units": units}

    def _deposit(self) -> Any:
        return of(CreditDeposit, **self._payment())

    def _withdraw(self) -> Any:
        return of(RequestWithdrawal, **self._payment())
