"""How long orders live, phases, auctions, bands, self-trade prevention, and what ends many orders at once."""

from __future__ import annotations

import pytest

from tests.support.scenario import World

# 7 is on margin and has shares; 6 pays cash; 8 and 9 are of the street.
OPENING = """
open 7 CUSTOMER_MARGIN
open 6 CUSTOMER_CASH
open 8 STREET
open 9 STREET
deposit 7 10000.00
deposit 6 1000.00
transfer 7 ACME 20
"""

LIVES = {
    "a day order ends with the day, its number may be used anew": """
        order 7 #1 BUY 2 ACME @ 99.00                => accepted
        day 2026-10-06                               => expired 2 7#1 DAY_END
        expect bids 7 ACME 0
        cancel 7 #1                                  => refused UNKNOWN_ORDER
        order 7 #1 BUY 2 ACME @ 99.00                => accepted
    """,
    "an order that is good till cancelled keeps its number and its place over days": """
        order 9 #1 BUY 1 ACME @ 99.00                => accepted
        order 7 #1 BUY 5 ACME @ 99.00 GTC            => accepted
        order 8 #1 BUY 5 ACME @ 99.00 GTC            => accepted
        order 7 #2 BUY 1 ACME @ 98.00                => accepted
        day 2026-10-06                               => expired 1 9#1 DAY_END, expired 1 7#2 DAY_END
        expect bids 7 ACME 5
        order 7 #1 BUY 5 ACME @ 99.00                => refused DUPLICATE_ID
        replace 7 #1 4 @ 99.00                       => replaced 4 @ 99.00 kept
        order 9 #1 SELL 3 ACME @ 99.00               => accepted, filled 3
        expect bids 7 ACME 1
        cancel 7 #1                                  => cancelled 1 7#1 ASKED
        net
        day 2026-10-07                               => nothing
        order 7 #1 BUY 5 ACME @ 99.00                => accepted
    """,
    "an order that is good till an instant ends with the first command at or after it": """
        order 7 #1 BUY 2 ACME @ 99.00 GTD 60         -> accepted
        day 2026-10-06                               => nothing
        order 7 #2 BUY 2 ACME @ 99.00 GTD 0          => refused BAD_TERMS
        wait 61
        cancel 7 #1                                  => expired 2 7#1 TIME, refused UNKNOWN_ORDER
        expect bids 7 ACME 0
    """,
    "a day that begins ends what was good till an instant before it, before anything else": """
        order 7 #1 BUY 2 ACME @ 99.00 GTD 60         -> accepted
        order 7 #2 BUY 2 ACME @ 98.00                -> accepted
        wait 60
        day 2026-10-06                               => expired 2 7#1 TIME, expired 2 7#2 DAY_END
        order 7 #1 BUY 2 ACME @ 99.00 GTD 60         -> accepted
        wait 60
        kill ON                                      => expired 2 7#1 TIME, kill ON
    """,
}

SESSIONS = {
    "orders are collected before the opening, and all trade at one price": """
        fees 0 ACME taker=300 maker=-100
        state ACME PRE_OPEN                          => state PRE_OPEN
        order 7 #1 BUY 10 ACME @ 101.00              => accepted
        order 9 #1 SELL 4 ACME @ 99.00               => accepted
        order 9 #2 SELL 4 ACME @ 100.00              => accepted
        order 7 #2 BUY 5 ACME                        => refused WRONG_SESSION
        order 7 #3 BUY 5 ACME @ 101.00 IOC           => refused WRONG_SESSION
        order 7 #4 BUY 5 ACME @ 101.00 MIN 5         => refused WRONG_SESSION
        state ACME OPENING_AUCTION                   => state OPENING_AUCTION
        state ACME OPEN
            => auction 8 @ 100.00 surplus 2 BUY, filled 4 @ 100.00 fees -0.04 0.00 auction
            , filled 4 @ 100.00 fees -0.04 0.00 auction, state OPEN
        expect bid ACME 2 @ 101.00
        balance 7 ACME 28
        balance 7 USD 9200.08
    """,
    "an order at the open takes part in that auction only": """
        state ACME PRE_OPEN
        order 7 #1 BUY 5 ACME @ 100.00 ATOPEN        -> accepted
        order 7 #2 BUY 5 ACME ATOPEN                 -> accepted
        order 9 #1 SELL 7 ACME @ 100.00
        expect bids 7 ACME 10
        state ACME OPEN
            -> auction 7 @ 100.00, filled 5 @ 100.00, filled 2 @ 100.00, state OPEN
            , expired 3 7#1 AUCTION
        order 7 #3 BUY 5 ACME @ 100.00 ATOPEN        => refused WRONG_SESSION
        expect bids 7 ACME 0
    """,
    "an order at the close waits for that auction unseen": """
        order 7 #1 SELL 5 ACME @ 99.00 ATCLOSE       => accepted
        order 7 #2 SELL 5 ACME ATCLOSE               => accepted
        order 8 #1 BUY 1 ACME @ 100.00               => accepted
        expect ask ACME none
        expect asks 7 ACME 10
        state ACME CLOSING_AUCTION                   -> triggered 7#1 AUCTION, triggered 7#2 AUCTION
        order 9 #1 BUY 7 ACME @ 99.50                => accepted
        state ACME CLOSED
            -> auction 8 @ 99.50, filled 1, filled 4, filled 3, state CLOSED, expired 2 7#1 AUCTION
        expect asks 7 ACME 0
        balance 7 ACME 12
    """,
    "a market order in an auction stands at the edge of the collar": """
        state ACME PRE_OPEN
        order 7 #1 BUY 5 ACME ATOPEN                 -> shown 5 of 5 @ 120.00 7#1
        replace 7 #1 3                               => replaced 3 kept
        replace 7 #1 3 @ 119.00                      => refused NOT_AMENDABLE
        replace 7 #1 4                               -> replaced 4, shown 4 of 4 @ 120.00 7#1
        expect bids 7 ACME 4
    """,
    "what is for the close cannot be replaced away from what it is": """
        order 7 #1 SELL 5 ACME @ 99.00 ATCLOSE       => accepted
        replace 7 #1 3 @ 99.00                       => replaced 3 @ 99.00 kept
        replace 7 #1 6 @ 98.00                       => replaced 6 @ 98.00
        expect asks 7 ACME 6
        expect ask ACME none
    """,
    "a halt refuses orders, not cancels and reductions": """
        order 7 #1 BUY 5 ACME @ 99.00                => accepted
        state ACME HALTED                            => state HALTED
        order 7 #2 BUY 5 ACME @ 99.00                => refused INSTRUMENT_HALTED
        replace 7 #1 5 @ 98.00                       => refused INSTRUMENT_HALTED
        replace 7 #1 4 @ 99.00                       => replaced 4 @ 99.00 kept
        cancel 7 #1                                  => cancelled 4
    """,
    "a phase that is none, or of an instrument that is none, is refused": """
        state 8 OPEN                                 => refused UNKNOWN_INSTRUMENT
        state 99 OPEN                                => refused UNKNOWN_INSTRUMENT
        state -1 OPEN                                => refused UNKNOWN_INSTRUMENT
    """,
}

BANDS = {
    "a trade too far from the last one starts a volatility auction": """
        state ACME CLOSED
        rules ACME dynamic=100
        state ACME OPEN
        order 9 #1 SELL 1 ACME @ 100.50
        order 9 #2 SELL 5 ACME @ 102.00
        order 7 #1 BUY 4 ACME @ 103.00
            -> filled 1 @ 100.50, state VOLATILITY_AUCTION PRICE_BAND
        expect bid ACME 3 @ 103.00
        expect bids 7 ACME 3
        order 8 #1 SELL 1 ACME @ 101.00              => accepted
        state ACME OPEN
            -> auction 3 @ 102.00, filled 1 @ 102.00, filled 2 @ 102.00, state OPEN
        expect bids 7 ACME 0
    """,
    "a trade too far from the reference halts the instrument": """
        state ACME CLOSED
        rules ACME static=500
        state ACME OPEN
        order 9 #1 SELL 1 ACME @ 105.01
        order 7 #1 BUY 1 ACME @ 106.00               -> accepted, state HALTED CIRCUIT_BREAKER
        order 7 #2 BUY 1 ACME @ 100.00               => refused INSTRUMENT_HALTED
        cancel 7 #1                                  => cancelled 1
    """,
    "a market order ends at the band": """
        state ACME CLOSED
        rules ACME dynamic=100
        state ACME OPEN
        order 9 #1 SELL 5 ACME @ 102.00
        order 7 #1 BUY 4 ACME
            => accepted, state VOLATILITY_AUCTION PRICE_BAND, expired 4 7#1 UNFILLED
        expect bids 7 ACME 0
    """,
    "prices keep to the ladder, and so does what a market order is protected by": """
        state ACME CLOSED
        rules ACME step=0.07
        state ACME OPEN
        order 9 #1 SELL 5 ACME @ 100.00              => refused BAD_PRICE
        order 9 #2 SELL 5 ACME @ 100.03              => accepted
        order 7 #1 BUY 2 ACME                        => accepted, filled 2 @ 100.03
        order 7 #2 BUY 2 ACME STOP 100.03
            => accepted, triggered 7#2 STOP, filled 2 @ 100.03
        order 7 #3 SELL 2 ACME STOP 100.00           => refused BAD_TERMS
        order 7 #4 SELL 2 ACME TRAIL 1.00            => accepted
        order 7 #5 SELL 2 ACME                       => accepted, expired 2 7#5 UNFILLED
    """,
    "a ladder too steep for any price within the collar lets no market order in": """
        state ACME CLOSED
        rules ACME step=163.00
        state ACME OPEN
        order 7 #1 BUY 2 ACME                        => refused BAD_PRICE
        order 7 #2 SELL 2 ACME                       => refused PRICE_OUTSIDE_COLLAR
    """,
    "rules change only while an instrument is closed and has no orders": """
        rules ACME dynamic=100                       => refused WRONG_STATE
        order 9 #1 SELL 5 ACME @ 102.00
        state ACME CLOSED
        rules ACME dynamic=100                       => refused WRONG_STATE
        cancel 9 #1
        rules ACME dynamic=10001                     => refused BAD_DECLARATION
        rules ACME step=-1.00                        => refused BAD_DECLARATION
        rules 9 dynamic=100                          => refused UNKNOWN_INSTRUMENT
        rules ACME dynamic=100                       => nothing
    """,
}

MANY = {
    "a mass cancel takes what fits account, session, instrument and side": """
        order 7 #1 BUY 1 ACME @ 99.00 SESSION 3
        order 7 #2 BUY 2 BETA @ 99.00 SESSION 3
        order 7 #3 SELL 3 ACME @ 110.00 SESSION 4
        order 6 #1 BUY 4 ACME @ 98.00 SESSION 3
        order 7 #4 SELL 5 ACME STOP 90.00 SESSION 4
        cancelall account=7 instrument=ACME side=BUY => cancelled 1 7#1 MASS_CANCEL
        cancelall session=4 side=BUY                 => nothing
        cancelall session=4
            => cancelled 3 7#3 MASS_CANCEL, cancelled 5 7#4 MASS_CANCEL
        cancelall session=3 DISCONNECT
            => cancelled 4 6#1 DISCONNECT, cancelled 2 7#2 DISCONNECT
        expect bids 7 BETA 0
        expect asks 7 ACME 0
        expect bids 6 ACME 0
        order 7 #5 BUY 1 ACME @ 99.00
        cancelall                                    => cancelled 1 7#5 MASS_CANCEL
    """,
    "a mass cancel of what cannot be is refused": """
        cancelall account=-1                         => refused UNKNOWN_CODE
        cancelall account=101                        => refused UNKNOWN_CODE
        cancelall session=-1                         => refused UNKNOWN_CODE
        cancelall instrument=-1                      => refused UNKNOWN_CODE
        cancelall account=55 instrument=8            => nothing
    """,
    "a suspended account's orders can be cancelled by others": """
        order 7 #1 BUY 1 ACME @ 99.00                => accepted
        status 7 SUSPENDED
        cancel 7 #1                                  => refused ACCOUNT_SUSPENDED
        cancelall account=7                          => cancelled 1
    """,
    "the kill switch refuses what is new, and lets cancels and reductions pass": """
        order 7 #1 BUY 5 ACME @ 99.00                => accepted
        order 7 #2 BUY 5 ACME @ 98.00                => accepted
        kill ON                                      => kill ON
        order 7 #3 BUY 5 ACME @ 98.00                => refused TRADING_STOPPED
        order 9 #3 BUY 5 ACME @ 98.00                => refused TRADING_STOPPED
        replace 7 #1 5 @ 98.00                       => refused TRADING_STOPPED
        replace 7 #1 4 @ 99.00                       => replaced 4 @ 99.00 kept
        cancel 7 #1                                  => cancelled 4
        cancelall account=7                          => cancelled 5
        kill OFF                                     => kill OFF
        order 7 #3 BUY 5 ACME @ 98.00                => accepted
    """,
}

SELF_TRADE = """
    open 5 CUSTOMER_MARGIN
    deposit 5 10000.00
    transfer 5 ACME 10
    terms 5 group=1
    order 5 #1 SELL 5 ACME @ 100.00                  => accepted
    order 9 #1 SELL 5 ACME @ 100.00                  => accepted
"""

PREVENTION = {
    "nothing where no mode is asked for": """
        terms 7 group=1
        order 7 #1 BUY 7 ACME @ 100.00               => accepted, filled 5, filled 2
    """,
    "nothing between two groups": """
        terms 7 group=2 stp=CANCEL_BOTH
        order 7 #1 BUY 7 ACME @ 100.00               => accepted, filled 5, filled 2
    """,
    "cancel the resting order": """
        terms 7 group=1 stp=CANCEL_RESTING
        order 7 #1 BUY 7 ACME @ 100.00
            => accepted, cancelled 5 5#1 SELF_TRADE, filled 5
        expect asks 5 ACME 0
        expect bids 7 ACME 2
    """,
    "cancel the aggressing order": """
        terms 7 group=1 stp=CANCEL_AGGRESSING
        order 7 #1 BUY 7 ACME @ 100.00               => accepted, cancelled 7 7#1 SELF_TRADE
        expect bids 7 ACME 0
    """,
    "cancel both": """
        terms 7 group=1 stp=CANCEL_BOTH
        order 7 #1 BUY 7 ACME @ 100.00
            => accepted, cancelled 5 5#1 SELF_TRADE, cancelled 7 7#1 SELF_TRADE
    """,
    "reduce both by the smaller": """
        terms 7 group=1 stp=DECREMENT
        order 7 #1 BUY 7 ACME @ 100.00
            => accepted, reduced 5 7#1 SELF_TRADE, cancelled 5 5#1 SELF_TRADE, filled 2
        expect bids 7 ACME 0
    """,
    "an order's own mode stands before its account's, also after it was replaced": """
        terms 7 group=1 stp=CANCEL_AGGRESSING
        order 7 #1 BUY 7 ACME @ 100.00 STP CANCEL_RESTING
            => accepted, cancelled 5 5#1 SELF_TRADE, filled 5
        order 5 #2 SELL 5 ACME @ 101.00              => accepted
        replace 7 #1 3 @ 101.00
            => replaced 3 @ 101.00, cancelled 5 5#2 SELF_TRADE
        expect bid ACME 3 @ 101.00
    """,
}


@pytest.mark.parametrize("name", LIVES)
def test_lives(name: str) -> None:
    World().play(OPENING).play(LIVES[name])


@pytest.mark.parametrize("name", SESSIONS)
def test_phases_and_auctions(name: str) -> None:
    World().play(OPENING).play(SESSIONS[name])


@pytest.mark.parametrize("name", BANDS)
def test_bands_and_ladders(name: str) -> None:
    World().play(OPENING).play(BANDS[name])


@pytest.mark.parametrize("name", MANY)
def test_many_orders_at_once(name: str) -> None:
    World().play(OPENING).play(MANY[name])


@pytest.mark.parametrize("name", PREVENTION)
def test_self_trade_prevention(name: str) -> None:
    World().play(OPENING).play(SELF_TRADE).play(PREVENTION[name])
