"""How the simulated venue trades: ladders of prices, price bands, fees by group, and who belongs together.

Owns: the rules, their set-up commands, and prices that fit a ladder. Does not own: what is listed (world.py),
the phases of a session (session.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from engine.market.requests import Venue
from engine.simulation.world import (
    BTC_PERPETUAL,
    BTCUSD,
    EQUITIES,
    EQUITY_CFD,
    ETHUSD,
    EURUSD,
    LISTINGS,
    Holder,
    World,
)
from schemas.codes import AccountClass, SelfTradePrevention, Side
from schemas.headers import Command
from schemas.identity import SetTradingTerms
from schemas.market import SetFees, SetVenueRules

EQUITY_LADDER = ((0, 1), (10_000, 2), (20_000, 5))  # a cent below 100 dollars, two below 200, then five
EQUITY_VENUE = Venue(EQUITY_LADDER, dynamic_bps=150, static_bps=450)
TOKEN_VENUE = Venue((), dynamic_bps=200, static_bps=450)
CONTRACT_VENUE = Venue((), dynamic_bps=150, static_bps=300)
VENUES: dict[int, Venue] = {
    **{listing.instrument_id: EQUITY_VENUE for listing in EQUITIES},
    BTCUSD.instrument_id: TOKEN_VENUE,
    ETHUSD.instrument_id: TOKEN_VENUE,
    BTC_PERPETUAL.instrument_id: CONTRACT_VENUE,
}
NO_RULES = Venue()

BY_LISTING, CASH_CLIENTS, LIQUIDITY_PROGRAM = 0, 1, 2


class Schedule(NamedTuple):
    """What a group pays on some instruments, in millionths of the notional."""

    fee_group_id: int
    instrument_ids: tuple[int, ...]
    taker_ppm: int
    maker_ppm: int


_SHARES = tuple(listing.instrument_id for listing in EQUITIES)
_TOKENS = (BTCUSD.instrument_id, ETHUSD.instrument_id)
SCHEDULES = (
    Schedule(CASH_CLIENTS, _SHARES, 250, 0),
    Schedule(CASH_CLIENTS, _TOKENS, 1_000, 200),
    Schedule(LIQUIDITY_PROGRAM, _SHARES, 120, -40),
    Schedule(LIQUIDITY_PROGRAM, _TOKENS, 800, -100),
    Schedule(LIQUIDITY_PROGRAM, (EURUSD.instrument_id,), -10, 30),  # inverted: who takes is paid
    Schedule(LIQUIDITY_PROGRAM, (EQUITY_CFD.instrument_id, BTC_PERPETUAL.instrument_id), 250, -50),
)
FEE_GROUPS = {
    AccountClass.CUSTOMER_CASH: CASH_CLIENTS,
    AccountClass.CUSTOMER_MARGIN: LIQUIDITY_PROGRAM,
}
SELF_TRADE_MODES = (
    SelfTradePrevention.CANCEL_RESTING,
    SelfTradePrevention.CANCEL_AGGRESSING,
    SelfTradePrevention.CANCEL_BOTH,
    SelfTradePrevention.DECREMENT,
)


def fitted(instrument_id: int, side: Side, price_ticks: int) -> int:
    """The nearest price of the ladder that is no better for the other side: lower to buy, higher to sell."""
    venue = VENUES.get(instrument_id, NO_RULES)
    return venue.step_down(price_ticks) if side is Side.BUY else venue.step_up(price_ticks)


def rules(at_ns: int) -> Iterator[Command]:
    """Bands and ladders of every instrument that has any; they are set before it first trades."""
    for instrument_id, venue in VENUES.items():
        bands = (*venue.tick_bands, (0, 0), (0, 0), (0, 0))
        yield SetVenueRules(
            sequence=0,
            received_at_ns=at_ns,
            instrument_id=instrument_id,
            dynamic_bps=venue.dynamic_bps,
            static_bps=venue.static_bps,
            first_from_ticks=bands[0][0],
            first_step_ticks=bands[0][1],
            second_from_ticks=bands[1][0],
            second_step_ticks=bands[1][1],
            third_from_ticks=bands[2][0],
            third_step_ticks=bands[2][1],
        )


def schedules(at_ns: int) -> Iterator[Command]:
    """The fees of every group; accounts without one pay as listed."""
    for schedule in SCHEDULES:
        for instrument_id in schedule.instrument_ids:
            yield SetFees(
                sequence=0,
                received_at_ns=at_ns,
                fee_group_id=schedule.fee_group_id,
                instrument_id=instrument_id,
                taker_ppm=schedule.taker_ppm,
                maker_ppm=schedule.maker_ppm,
            )


def terms(world: World, at_ns: int) -> Iterator[Command]:
    """The fee group of every account, and its owner: accounts of one owner do not trade with one another."""
    for holder in world.holders:
        yield SetTradingTerms(
            sequence=0,
            received_at_ns=at_ns,
            account_id=holder.account_id,
            fee_group_id=fee_group(holder),
            group_id=holder.client_id,
            self_trade_code=SELF_TRADE_MODES[holder.account_id % len(SELF_TRADE_MODES)],
        )


def fee_group(holder: Holder) -> int:
    """The group whose schedule an account has."""
    return FEE_GROUPS.get(holder.account_class, BY_LISTING)


assert set(VENUES) < {listing.instrument_id for listing in LISTINGS}
