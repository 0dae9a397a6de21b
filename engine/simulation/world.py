"""The reference set of the simulated world: assets, instruments, accounts and their set-up commands.

Owns: what can be owned and traded, who has which account, opening prices. Does not own: names and
addresses of clients (people.py), what anybody does (clients.py, market_makers.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from engine.simulation.business_days import following
from engine.simulation.identifiers import with_isin_check
from schemas.codes import AccountClass, AssetClass, InstrumentClass
from schemas.days import epoch_day_of
from schemas.headers import Command
from schemas.identity import OpenAccount
from schemas.market import (
    ConfigureEngine,
    ListInstrument,
    RegisterAsset,
    StartBusinessDay,
)
from schemas.packed import pack
from schemas.risk import ReportMargins

WINDOW_COUNT = 8192  # wide enough for the collar around any opening price
COLLAR_BPS = 500
BANK_ID = 1  # the bank that keeps our accounts and lends


class Asset(NamedTuple):
    """One thing that can be owned."""

    asset_id: int
    asset_class: AssetClass
    symbol: str
    isin: str
    unit_digits: int


class Listing(NamedTuple):
    """One contract that can be traded, with the price that its random walk starts from."""

    instrument_id: int
    instrument_class: InstrumentClass
    symbol: str
    base_asset_id: int
    lot_units: int
    margin_bps: int
    fee_bps: int
    cycle_count: int
    opening_ticks: int
    max_order_lots: int
    tick_noise: int  # standard deviation of the mid a step, in ticks
    half_spread_ticks: int
    typical_lots: int


class Holder(NamedTuple):
    """One account and who owns it."""

    account_id: int
    client_id: int
    account_class: AccountClass


USD, EUR = 1, 2
TICKERS = ("QALD", "QBRM", "QCOR", "QDUN", "QELM", "QFIR")
OPENING_CENTS = (18_450, 4_210, 9_975, 31_260, 5_640, 7_725)
FIRST_EQUITY_ASSET = 3
BTC, ETH = 9, 10
TREASURY = 11  # a bond of the United States, which nobody holds and nothing trades

ASSETS: tuple[Asset, ...] = (
    Asset(USD, AssetClass.CURRENCY, "USD", "", 2),
    Asset(EUR, AssetClass.CURRENCY, "EUR", "", 2),
    *(
        Asset(
            FIRST_EQUITY_ASSET + n,
            AssetClass.SECURITY,
            ticker,
            with_isin_check(f"US9OB{n + 1:05d}0"),
            0,
        )
        for n, ticker in enumerate(TICKERS)
    ),
    Asset(BTC, AssetClass.TOKEN, "BTC", "", 8),
    Asset(ETH, AssetClass.TOKEN, "ETH", "", 8),
    Asset(TREASURY, AssetClass.SECURITY, "UST31", with_isin_check("US9OB000070"), 0),
)
ASSET_BY_ID = {a.asset_id: a for a in ASSETS}
SECURITIES = tuple(ASSET_BY_ID[FIRST_EQUITY_ASSET + n] for n in range(len(TICKERS)))  # that trade

EQUITIES: tuple[Listing, ...] = tuple(
    Listing(n + 1, InstrumentClass.EQUITY, ticker, FIRST_EQUITY_ASSET + n, 1, 5_000, 2, 1, cents,
            20_000, 1 + cents // 12_000, 1 + cents // 10_000, 40)
    for n, (ticker, cents) in enumerate(zip(TICKERS, OPENING_CENTS, strict=True))
)  # fmt: skip
EURUSD = Listing(7, InstrumentClass.FX_SPOT, "EURUSD", EUR, 100_000, 500, 1, 2, 108_500,
                 2_000, 2, 3, 8)  # fmt: skip
BTCUSD = Listing(8, InstrumentClass.CRYPTO_SPOT, "BTCUSD", BTC, 1_000_000, 10_000, 10, 0, 61_200,
                 1_000, 6, 6, 6)  # fmt: skip
ETHUSD = Listing(9, InstrumentClass.CRYPTO_SPOT, "ETHUSD", ETH, 10_000_000, 10_000, 10, 0, 24_300,
                 2_000, 3, 3, 8)  # fmt: skip
EQUITY_CFD = Listing(10, InstrumentClass.CFD, "QALDCFD", FIRST_EQUITY_ASSET, 1, 2_000, 3, 1, 18_450,
                     20_000, 2, 3, 60)  # fmt: skip
BTC_PERPETUAL = Listing(11, InstrumentClass.PERPETUAL, "BTCPERP", BTC, 1_000_000, 1_000, 5, 1,
                        61_200, 1_000, 6, 8, 6)  # fmt: skip
LISTINGS: tuple[Listing, ...] = (
    *EQUITIES, EURUSD, BTCUSD, ETHUSD, EQUITY_CFD, BTC_PERPETUAL
)  # fmt: skip
LISTING_BY_ID = {listing.instrument_id: listing for listing in LISTINGS}

CUSTOMER_COUNT = 40
PAB_ACCOUNT = 41
DIRECTOR_ACCOUNT = 42
FIRM_ACCOUNT = 43
MAKER_ACCOUNTS = (44, 45, 46, 47)
FIRM_CLIENT = 900
NO_LIMIT_MINOR = 10**13


class World(NamedTuple):
    """The accounts of one seed; everything else of the reference set is the same for every seed."""

    holders: tuple[Holder, ...]

    def customers(self) -> tuple[Holder, ...]:
        """Cash and margin accounts of customers."""
        kinds = (AccountClass.CUSTOMER_CASH, AccountClass.CUSTOMER_MARGIN)
        return tuple(h for h in self.holders if h.account_class in kinds)

    def traders(self) -> tuple[Holder, ...]:
        """Everybody who takes prices: customers, the PAB account and the director."""
        return tuple(h for h in self.holders if h.account_id <= DIRECTOR_ACCOUNT)

    def client_ids(self) -> tuple[int, ...]:
        """Every natural or legal person with an account, ascending."""
        return tuple(sorted({h.client_id for h in self.holders}))


def make_world(seed: int) -> World:
    """Give accounts to clients; some clients own a cash and a margin account."""
    rng = random.Random(f"{seed}:world")
    client_ids = rng.sample(range(1_001, 2_000), CUSTOMER_COUNT + 2 + len(MAKER_ACCOUNTS))
    holders: list[Holder] = []
    for account_id in range(1, CUSTOMER_COUNT + 1):
        is_margin = account_id % 2 == 0
        is_second_account = account_id % 10 == 0  # the owner of the account before
        owner = holders[-1].client_id if is_second_account else client_ids[account_id - 1]
        held_as = AccountClass.CUSTOMER_MARGIN if is_margin else AccountClass.CUSTOMER_CASH
        holders.append(Holder(account_id, owner, held_as))
    holders.append(Holder(PAB_ACCOUNT, client_ids[40], AccountClass.PAB))
    holders.append(Holder(DIRECTOR_ACCOUNT, client_ids[41], AccountClass.NON_CUSTOMER))
    holders.append(Holder(FIRM_ACCOUNT, FIRM_CLIENT, AccountClass.FIRM))
    for account_id, client_id in zip(MAKER_ACCOUNTS, client_ids[42:], strict=True):
        holders.append(Holder(account_id, client_id, AccountClass.STREET))
    return World(tuple(holders))


def reference_commands(at_ns: int) -> Iterator[Command]:
    """Capacities, assets and instruments: the first commands of a journal."""
    yield ConfigureEngine(
        sequence=0, received_at_ns=at_ns, account_count=64, instrument_count=16, asset_count=16,
        order_count=16_384, order_id_count=131_072, window_count=WINDOW_COUNT,
    )  # fmt: skip
    for asset in ASSETS:
        yield RegisterAsset(
            sequence=0,
            received_at_ns=at_ns,
            asset_id=asset.asset_id,
            asset_class_code=asset.asset_class,
            symbol_packed=pack(asset.symbol),
            isin_packed=pack(asset.isin),
            unit_digits=asset.unit_digits,
        )
    for listing in LISTINGS:
        yield ListInstrument(
            sequence=0,
            received_at_ns=at_ns,
            instrument_id=listing.instrument_id,
            instrument_class_code=listing.instrument_class,
            symbol_packed=pack(listing.symbol),
            base_asset_id=listing.base_asset_id,
            quote_asset_id=USD,
            lot_units=listing.lot_units,
            tick_value_minor=1,
            window_floor_ticks=listing.opening_ticks - WINDOW_COUNT // 2,
            collar_bps=COLLAR_BPS,
            max_order_lots=listing.max_order_lots,
            margin_bps=listing.margin_bps,
            fee_bps=listing.fee_bps,
            settlement_cycle_count=listing.cycle_count,
        )


def start_day(day: date, at_ns: int) -> StartBusinessDay:
    """Begin a business day with the two that follow it."""
    return StartBusinessDay(
        sequence=0,
        received_at_ns=at_ns,
        business_epoch_day=epoch_day_of(day),
        next_epoch_day=epoch_day_of(following(day)),
        second_epoch_day=epoch_day_of(following(day, 2)),
    )


def report_margins(day: date, at_ns: int) -> ReportMargins:
    """Report every account's margin for the record of a business day."""
    return ReportMargins(sequence=0, received_at_ns=at_ns, business_epoch_day=epoch_day_of(day))


def account_commands(world: World, at_ns: int) -> Iterator[Command]:
    """Open every account; makers have no rate limit, clients a few commands a second."""
    for holder in world.holders:
        is_maker = holder.account_class is AccountClass.STREET
        yield OpenAccount(
            sequence=0,
            received_at_ns=at_ns,
            account_id=holder.account_id,
            client_id=holder.client_id,
            account_class_code=holder.account_class,
            max_notional_minor=NO_LIMIT_MINOR if is_maker else 50_000_000,
            rate_count=0 if is_maker else 5,
            identity_document_id=10_000 + holder.client_id,
        )
