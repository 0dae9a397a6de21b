"""Every kind of order through the whole pipeline: what it does, what it reserves, what it costs."""

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

SCENARIOS = {
    # Limit and market -----------------------------------------------------------------------------
    "a limit order crosses at the resting order's price, then rests": """
        order 9 #1 SELL 3 ACME @ 100.00              => accepted @ 100.00
        order 9 #2 SELL 3 ACME @ 99.00               => accepted @ 99.00
        order 7 #1 BUY 8 ACME @ 100.50
            => accepted, filled 3 @ 99.00, filled 3 @ 100.00
        expect bid ACME 2 @ 100.50
        expect bids 7 ACME 2
        balance 7 USD 9403.00
        balance 7 ACME 26
    """,
    "a market order trades no further than the collar and never rests": """
        order 9 #1 SELL 3 ACME @ 119.00
        order 9 #2 SELL 3 ACME @ 120.00
        mark ACME 99.50
        order 7 #1 BUY 8 ACME
            => accepted, filled 3 @ 119.00, expired 5 7#1 UNFILLED
        order 7 #2 BUY 8 ACME @ 0.00 IOC             => refused BAD_PRICE
    """,
    "an immediate order takes what there is, a fill or kill order all or nothing": """
        order 9 #1 SELL 3 ACME @ 100.00
        order 7 #1 BUY 5 ACME @ 100.00 FOK           => refused CANNOT_FILL
        order 7 #2 BUY 5 ACME @ 100.00 IOC           => accepted, filled 3, expired 2 7#2 UNFILLED
        order 7 #3 BUY 5 ACME IOC                    => accepted, expired 5 7#3 UNFILLED
        expect bids 7 ACME 0
    """,
    "an order with a minimum is refused unless so much is had at once": """
        order 9 #1 SELL 4 ACME @ 100.00
        order 7 #1 BUY 10 ACME @ 100.00 MIN 5        => refused CANNOT_FILL
        order 7 #2 BUY 10 ACME @ 100.00 MIN 4        => accepted, filled 4
        expect bid ACME 6 @ 100.00
    """,
    # Stops ----------------------------------------------------------------------------------------
    "a stop becomes a market order with the trade that reaches it": """
        order 7 #1 SELL 5 ACME STOP 98.00            => accepted
        expect asks 7 ACME 5
        order 8 #1 BUY 1 ACME @ 98.50
        order 9 #1 SELL 1 ACME @ 98.50               => accepted, filled 1 @ 98.50
        order 8 #2 BUY 1 ACME @ 98.00
        order 8 #3 BUY 9 ACME @ 97.00
        order 9 #2 SELL 1 ACME @ 98.00
            => accepted, filled 1 @ 98.00, triggered 7#1 STOP, filled 5 @ 97.00
        expect asks 7 ACME 0
        balance 7 ACME 15
    """,
    "a stop is protected by the collar around its stop, not around the mark": """
        order 9 #1 SELL 1 ACME @ 110.00
        order 9 #2 SELL 1 ACME @ 119.00
        mark ACME 110.00
        order 9 #3 SELL 1 ACME @ 131.99
        order 9 #4 SELL 1 ACME @ 132.00
        mark ACME 112.00
        order 9 #5 SELL 1 ACME @ 133.00
        mark ACME 100.00
        order 7 #1 BUY 5 ACME STOP 110.00            => accepted
        order 8 #1 BUY 1 ACME @ 110.00
            -> filled 1 @ 110.00, triggered 7#1 STOP, filled 1 @ 119.00
        expect bids 7 ACME 0
        expect position 7 ACME 23
        expect ask ACME 1 @ 133.00
    """,
    "a stop-limit order rests at its limit once it is set off": """
        order 7 #1 BUY 5 ACME @ 101.00 STOP 100.00   => accepted @ 101.00
        expect bid ACME none
        order 9 #1 SELL 1 ACME @ 100.00
        order 8 #1 BUY 1 ACME @ 100.00
            -> filled 1, triggered 7#1 STOP, shown 5 of 5 @ 101.00 7#1
        expect bid ACME 5 @ 101.00
        expect bids 7 ACME 5
    """,
    "a trailing stop follows the best trade and never moves back": """
        order 8 #1 BUY 3 ACME @ 100.00
        order 9 #1 SELL 1 ACME @ 100.00              -> filled 1
        order 7 #1 SELL 4 ACME TRAIL 2.00            => accepted
        order 9 #2 SELL 1 ACME @ 105.00
        order 8 #2 BUY 1 ACME @ 105.00               -> filled 1 @ 105.00
        order 8 #3 BUY 1 ACME @ 103.50
        order 9 #3 SELL 1 ACME @ 103.50              => accepted, filled 1 @ 103.50
        order 8 #4 BUY 9 ACME @ 103.00
        order 9 #4 SELL 1 ACME @ 103.00
            -> filled 1 @ 103.00, triggered 7#1 STOP, filled 4 @ 103.00
        expect asks 7 ACME 0
    """,
    "the stop of a stop order moves within its protection, its quantity as any other": """
        order 7 #1 SELL 5 ACME STOP 98.00            => accepted
        replace 7 #1 5 @ 95.00                       => replaced 5 @ 95.00
        replace 7 #1 5 @ 70.00                       => refused BAD_PRICE
        replace 7 #1 21 @ 95.00                      => refused INSUFFICIENT_SECURITIES
        replace 7 #1 20 @ 95.00                      => replaced 20 @ 95.00
        expect asks 7 ACME 20
        state ACME HALTED
        replace 7 #1 2 @ 95.00                       => replaced 2 @ 95.00 kept
        replace 7 #1 2 @ 94.00                       => refused INSTRUMENT_HALTED
        expect asks 7 ACME 2
    """,
    "a trailing stop can only shrink": """
        order 7 #1 SELL 5 ACME TRAIL 2.00            => accepted
        replace 7 #1 3                               => replaced 3 kept
        replace 7 #1 3 @ 99.00                       => refused NOT_AMENDABLE
        replace 7 #1 4                               => refused NOT_AMENDABLE
        expect asks 7 ACME 3
    """,
    # What others see ------------------------------------------------------------------------------
    "an iceberg shows a slice at a time and stands behind with the next": """
        order 7 #1 SELL 12 ACME @ 100.00 ICEBERG 5   => accepted, shown 5 of 12 @ 100.00 7#1
        order 9 #1 SELL 5 ACME @ 100.00
        expect ask ACME 10 @ 100.00
        expect asks 7 ACME 12
        order 8 #1 BUY 7 ACME @ 100.00
            => accepted, filled 5, shown 5 of 7 @ 100.00 7#1, filled 2
        order 8 #2 BUY 5 ACME @ 100.00               -> filled 3, filled 2
        expect asks 7 ACME 5
        replace 7 #1 4 @ 100.00                      => replaced 4 @ 100.00 kept
        expect ask ACME 3 @ 100.00
        cancel 7 #1                                  => cancelled 4 7#1 ASKED
    """,
    "a pegged order follows the best price of its side, behind its limit": """
        order 9 #1 BUY 1 ACME @ 99.00
        order 9 #2 SELL 1 ACME @ 101.00
        order 7 #1 BUY 5 ACME @ 99.50 PEG PRIMARY OFFSET 0.10
            -> accepted, shown 5 of 5 @ 98.90 7#1
        order 9 #3 BUY 1 ACME @ 99.40                -> shown 5 of 5 @ 99.30 7#1
        order 9 #4 BUY 1 ACME @ 99.80                -> shown 5 of 5 @ 99.50 7#1
        order 9 #5 SELL 3 ACME @ 99.50               -> filled 1 @ 99.80, filled 2 @ 99.50
        expect bids 7 ACME 3
    """,
    "a pegged order follows the middle, and waits where there is none": """
        order 9 #1 BUY 1 ACME @ 99.00
        order 9 #2 SELL 1 ACME @ 101.00
        order 7 #1 SELL 5 ACME @ 90.00 PEG MID       -> accepted, shown 5 of 5 @ 100.00 7#1
        cancel 9 #1                                  -> cancelled 1, shown 0 of 5 7#1
        expect ask ACME 1 @ 101.00
        order 9 #3 BUY 1 ACME @ 100.00               -> shown 5 of 5 @ 100.50 7#1
        expect asks 7 ACME 5
        state ACME VOLATILITY_AUCTION
        order 7 #2 SELL 5 ACME @ 90.00 PEG MID       => refused WRONG_SESSION
    """,
    # Post-only and reduce-only --------------------------------------------------------------------
    "a post-only order is refused, or moved to where it does not take": """
        order 9 #1 SELL 5 ACME @ 100.00
        order 7 #1 BUY 5 ACME @ 100.00 POST          => refused WOULD_TAKE
        order 7 #2 BUY 5 ACME @ 99.99 POST           => accepted @ 99.99
        order 7 #3 BUY 5 ACME @ 102.00 POSTREPRICE   => accepted @ 99.99
        replace 7 #2 5 @ 100.00 POST                 => refused WOULD_TAKE
        replace 7 #2 5 @ 100.00 POSTREPRICE          => replaced 5 @ 99.99
        expect bid ACME 10 @ 99.99
    """,
    "a post-only order has no place where there is no price that does not take": """
        mark ACME 0.01
        order 9 #1 SELL 5 ACME @ 0.01
        order 8 #1 BUY 5 ACME @ 0.01 POSTREPRICE     => refused WOULD_TAKE
    """,
    "a reduce-only order is refused beyond what the position and other orders leave": """
        order 7 #1 SELL 5 ACMECFD @ 100.00 REDUCE    => refused WOULD_INCREASE
        order 9 #1 SELL 10 ACMECFD @ 100.00
        order 7 #2 BUY 10 ACMECFD @ 100.00           -> filled 10
        order 7 #3 BUY 1 ACMECFD @ 99.00 REDUCE      => refused WOULD_INCREASE
        order 7 #4 SELL 4 ACMECFD @ 105.00           => accepted
        order 7 #5 SELL 7 ACMECFD @ 110.00 REDUCE    => refused WOULD_INCREASE
        order 7 #6 SELL 6 ACMECFD @ 110.00 REDUCE    -> accepted
        replace 7 #6 7 @ 110.00                      => refused WOULD_INCREASE
    """,
    "a reduce-only order gives way to orders that come later, so that no fill turns the position": """
        order 9 #1 SELL 10 ACMECFD @ 100.00
        order 7 #1 BUY 10 ACMECFD @ 100.00           -> filled 10
        order 7 #2 SELL 10 ACMECFD @ 110.00 REDUCE   -> accepted
        order 7 #3 SELL 3 ACMECFD @ 111.00           => reduced 3 7#2 REDUCE_ONLY, accepted
        replace 7 #3 5 @ 111.00
            => reduced 2 7#2 REDUCE_ONLY, replaced 5 @ 111.00
        expect asks 7 ACMECFD 10
        order 8 #1 BUY 99 ACMECFD @ 111.00
            => accepted, filled 5 @ 110.00, filled 5 @ 111.00
        expect position 7 ACMECFD 0
    """,
    "nothing is cut for an order that matching refuses": """
        order 9 #1 SELL 10 ACMECFD @ 100.00
        order 7 #1 BUY 10 ACMECFD @ 100.00           -> filled 10
        order 7 #2 SELL 10 ACMECFD @ 110.00 REDUCE   -> accepted
        order 7 #3 SELL 3 ACMECFD @ 100.00 FOK       => refused CANNOT_FILL
        order 7 #4 SELL 3 ACMECFD @ 100.00 STOP 99.00 MIN 1    => refused BAD_TERMS
        order 8 #1 BUY 1 ACMECFD @ 99.00
        order 7 #5 SELL 3 ACMECFD @ 99.00 POST       => refused WOULD_TAKE
        kill ON
        order 7 #6 SELL 3 ACMECFD @ 100.00           => refused TRADING_STOPPED
        expect asks 7 ACMECFD 10
    """,
    "of two reduce-only orders that are linked both give way": """
        order 9 #1 SELL 10 ACMECFD @ 100.00
        order 7 #1 BUY 10 ACMECFD @ 100.00           -> filled 10
        order 7 #2 SELL 10 ACMECFD @ 110.00 REDUCE   -> accepted
        order 7 #3 SELL 10 ACMECFD STOP 90.00 REDUCE OCO #2    -> accepted
        expect asks 7 ACMECFD 10
        order 7 #4 SELL 10 ACMECFD @ 111.00          -> accepted
        expect asks 7 ACMECFD 10
        order 8 #1 BUY 99 ACMECFD @ 111.00           => accepted, filled 10 @ 111.00
        expect position 7 ACMECFD 0
    """,
    "a short position is reduced by bids, linked ones too": """
        order 9 #1 BUY 10 ACMECFD @ 100.00
        order 7 #1 SELL 10 ACMECFD @ 100.00          -> filled 10
        order 7 #2 BUY 10 ACMECFD @ 90.00 REDUCE     -> accepted
        order 7 #3 BUY 10 ACMECFD STOP 110.00 REDUCE OCO #2    -> accepted
        expect bids 7 ACMECFD 10
        order 7 #4 BUY 1 ACMECFD @ 90.00 REDUCE      => refused WOULD_INCREASE
        order 8 #1 SELL 4 ACMECFD @ 90.00
            => accepted, filled 4 @ 90.00, reduced 4 7#3 LINKED
        expect bids 7 ACMECFD 6
        expect position 7 ACMECFD -6
    """,
    "one that may reduce only cannot be covered by one that may do more": """
        order 7 #1 SELL 10 ACMECFD @ 110.00          => accepted
        order 7 #2 SELL 10 ACMECFD STOP 90.00 REDUCE OCO #1    => refused BAD_LINK
    """,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_orders(name: str) -> None:
    World().play(OPENING).play(SCENARIOS[name])
