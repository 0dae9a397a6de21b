"""Orders that hang together, through the whole pipeline: one cancels the other, entries and their exits."""

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
transfer 7 ACME 10
"""

ONE_CANCELS_THE_OTHER = {
    "what fills one reduces the other, and the end of one is the end of the other": """
        order 7 #1 SELL 10 ACME @ 110.00             => accepted
        order 7 #2 SELL 10 ACME STOP 90.00 OCO #1    => accepted
        order 8 #1 BUY 4 ACME @ 110.00               -> filled 4, reduced 4 7#2 LINKED
        expect asks 7 ACME 6
        order 8 #2 BUY 1 ACME @ 90.00
        order 8 #3 BUY 9 ACME @ 89.00
        order 9 #1 SELL 1 ACME @ 90.00
            -> triggered 7#2 STOP, filled 6 @ 89.00, cancelled 6 7#1 LINKED
        expect asks 7 ACME 0
        balance 7 ACME 0
    """,
    "a cancel ends both": """
        order 7 #1 SELL 10 ACME @ 110.00             => accepted
        order 7 #2 SELL 10 ACME STOP 90.00 OCO #1    => accepted
        cancel 7 #2
            => cancelled 10 7#2 ASKED, cancelled 10 7#1 LINKED
        expect asks 7 ACME 0
    """,
    "two asks that are linked reserve once, for only one of them can be filled": """
        order 7 #1 SELL 10 ACME @ 110.00             => accepted
        order 7 #2 SELL 1 ACME STOP 90.00            => refused INSUFFICIENT_SECURITIES
        order 7 #3 SELL 11 ACME STOP 90.00 OCO #1    => refused INSUFFICIENT_SECURITIES
        order 7 #4 SELL 10 ACME STOP 90.00 OCO #1    => accepted
        expect asks 7 ACME 10
        replace 7 #4 11 @ 90.00                      => refused INSUFFICIENT_SECURITIES
    """,
    "the larger of the two is what they reserve, whichever changes": """
        order 7 #1 SELL 6 ACME @ 110.00              => accepted
        order 7 #2 SELL 8 ACME STOP 90.00 OCO #1     => accepted
        expect asks 7 ACME 8
        replace 7 #1 2 @ 110.00                      => replaced 2 @ 110.00 kept
        expect asks 7 ACME 8
        order 7 #3 SELL 3 ACME @ 120.00              => refused INSUFFICIENT_SECURITIES
        replace 7 #2 4 @ 90.00                       => replaced 4 @ 90.00 kept
        expect asks 7 ACME 4
        replace 7 #1 11 @ 110.00                     => refused INSUFFICIENT_SECURITIES
        replace 7 #1 10 @ 110.00                     -> replaced 10 @ 110.00
        expect asks 7 ACME 10
    """,
    "a leg that is left alone reserves for itself, and may be linked anew": """
        order 7 #1 SELL 4 ACME @ 110.00              => accepted
        order 7 #2 SELL 10 ACME @ 105.00 OCO #1      -> accepted
        order 8 #1 BUY 4 ACME @ 105.00               -> filled 4, cancelled 4 7#1 LINKED
        expect asks 7 ACME 6
        order 7 #3 SELL 6 ACME STOP 90.00 OCO #2     => accepted
        expect asks 7 ACME 6
        cancel 7 #2
            => cancelled 6 7#2 ASKED, cancelled 6 7#3 LINKED
        expect asks 7 ACME 0
    """,
    "a third leg is refused and leaves the two as they were": """
        order 7 #1 SELL 10 ACME @ 110.00             => accepted
        order 7 #2 SELL 10 ACME STOP 90.00 OCO #1    => accepted
        order 7 #3 SELL 10 ACME @ 112.00 OCO #1      => refused BAD_LINK
        order 7 #3 SELL 10 ACME @ 112.00 OCO #2      => refused BAD_LINK
        order 8 #1 BUY 4 ACME @ 110.00               -> filled 4, reduced 4 7#2 LINKED
        expect asks 7 ACME 6
    """,
    "a bid and an ask that are linked reserve both": """
        order 7 #1 SELL 10 ACME @ 110.00             => accepted
        order 7 #2 BUY 10 ACME @ 90.00 OCO #1        -> accepted
        expect asks 7 ACME 10
        expect bids 7 ACME 10
    """,
    "linked bids of a cash account both reserve their money, for the second may cost more": """
        order 6 #1 BUY 5 ACME @ 90.00                => accepted
        order 6 #2 BUY 5 ACME STOP 110.00 OCO #1     => refused INSUFFICIENT_CASH
        order 6 #3 BUY 4 ACME STOP 110.00 OCO #1     => accepted
        expect bids 6 ACME 9
    """,
    "linked bids of a margin account reserve once": """
        order 7 #1 BUY 10 ACMECFD @ 90.00            => accepted
        order 7 #2 BUY 10 ACMECFD STOP 110.00 OCO #1 => accepted
        expect bids 7 ACMECFD 10
        # 1000 for ten lots, and 320 for a stop that may buy at 132
        expect margin 7 1320.00
    """,
    "self-trade prevention may shrink one leg alone": """
        open 5 CUSTOMER_MARGIN
        deposit 5 10000.00
        terms 7 group=1
        terms 5 group=1 stp=DECREMENT
        order 7 #1 SELL 10 ACME @ 110.00             => accepted
        order 7 #2 SELL 10 ACME STOP 90.00 OCO #1    => accepted
        order 5 #1 BUY 4 ACME @ 110.00
            -> accepted, reduced 4 5#1 SELF_TRADE, reduced 4 7#1 SELF_TRADE
        expect asks 7 ACME 10
        order 7 #3 SELL 1 ACME @ 120.00              => refused INSUFFICIENT_SECURITIES
    """,
    "a link names an order of the same account and instrument that lives": """
        transfer 7 BETA 10
        order 7 #1 SELL 10 BETA @ 110.00             => accepted
        order 7 #2 SELL 10 ACME @ 110.00 OCO #1      => refused BAD_LINK
        order 6 #1 SELL 10 ACME @ 110.00 OCO #1      => refused INSUFFICIENT_SECURITIES
        cancel 7 #1                                  => cancelled
        order 7 #3 SELL 10 BETA @ 110.00 OCO #1      => refused BAD_LINK
        order 7 #4 SELL 10 BETA @ 110.00 OCO #77     => refused BAD_LINK
    """,
}

BRACKETS = {
    "exits wait for their entry, reserve as it is filled, and close as much as it was": """
        order 7 #1 SELL 8 ACME @ 110.00 AWAIT        => accepted
        order 7 #2 SELL 8 ACME STOP 90.00 OCO #1     => accepted
        expect asks 7 ACME 0
        order 7 #3 BUY 8 ACME @ 100.00 ENTRY #1      -> accepted, shown 8 of 8 @ 100.00 7#3
        order 9 #1 SELL 3 ACME @ 100.00              -> filled 3
        expect asks 7 ACME 3
        order 9 #2 SELL 2 ACME @ 100.00              -> filled 2
        expect asks 7 ACME 5
        cancel 7 #3
            -> cancelled 3 7#3 ASKED, reduced 3 7#1 ENTRY, reduced 3 7#2 ENTRY, triggered 7#1 ENTRY
            , shown 5 of 5 @ 110.00 7#1, triggered 7#2 ENTRY
        expect asks 7 ACME 5
        order 8 #1 BUY 5 ACME @ 110.00               -> filled 5, cancelled 5 7#2 LINKED
        expect asks 7 ACME 0
        balance 7 ACME 10
    """,
    "exits of an entry that trades at once are there with the same command": """
        order 7 #1 SELL 8 ACME @ 110.00 AWAIT        => accepted
        order 7 #2 SELL 8 ACME STOP 90.00 OCO #1     => accepted
        order 9 #1 SELL 8 ACME @ 100.00
        order 7 #3 BUY 8 ACME ENTRY #1
            -> accepted, filled 8, triggered 7#1 ENTRY, triggered 7#2 ENTRY
        expect asks 7 ACME 8
        expect ask ACME 8 @ 110.00
    """,
    "what an exit will take is promised to nothing else": """
        order 7 #1 SELL 8 ACME @ 110.00 AWAIT        => accepted
        order 7 #2 BUY 8 ACME @ 100.00 ENTRY #1      -> accepted
        order 9 #1 SELL 5 ACME @ 100.00              -> filled 5
        order 7 #3 SELL 11 ACME @ 105.00             => refused INSUFFICIENT_SECURITIES
        order 7 #4 SELL 10 ACME @ 105.00             => accepted
        cancel 7 #2                                  -> triggered 7#1 ENTRY
        order 8 #1 BUY 99 ACME @ 110.00              -> filled 10 @ 105.00, filled 5 @ 110.00
        balance 7 ACME 0
    """,
    "exits end with an entry that was not filled": """
        order 7 #1 SELL 8 ACME @ 110.00 AWAIT        => accepted
        order 7 #2 SELL 8 ACME STOP 90.00 OCO #1     => accepted
        order 7 #3 BUY 8 ACME @ 99.00 IOC ENTRY #1
            => accepted, expired 8 7#3 UNFILLED, cancelled 8 7#1 LINKED, cancelled 8 7#2 LINKED
        expect asks 7 ACME 0
    """,
    "an exit closes no more than its entry opens, on the other side": """
        order 7 #1 SELL 8 ACME @ 110.00 AWAIT        => accepted
        order 7 #2 SELL 9 ACME STOP 90.00 OCO #1     => refused BAD_LINK
        order 7 #3 BUY 7 ACME @ 100.00 ENTRY #1      => refused BAD_LINK
        order 7 #4 SELL 8 ACME @ 100.00 ENTRY #1     => refused BAD_LINK
        order 7 #5 BUY 8 ACME @ 100.00 ENTRY #77     => refused BAD_LINK
        order 9 #1 BUY 8 ACME @ 100.00 ENTRY #1      => refused BAD_LINK
        replace 7 #1 9 @ 110.00                      => refused BAD_LINK
        replace 7 #1 6 @ 112.00                      => replaced 6 @ 112.00
        order 7 #6 BUY 7 ACME @ 100.00 ENTRY #1      -> accepted
        order 7 #7 BUY 8 ACME @ 100.00 ENTRY #1      => refused BAD_LINK
    """,
    "an exit that can never rest is none": """
        order 7 #1 SELL 8 ACME @ 110.00 IOC AWAIT    => refused BAD_LINK
        order 7 #2 SELL 8 ACME AWAIT                 => refused BAD_LINK
    """,
    "exits that are set free in a halt take their turn when trading opens": """
        order 7 #1 SELL 8 ACME @ 110.00 AWAIT        => accepted
        order 7 #2 BUY 8 ACME @ 100.00 ENTRY #1      -> accepted
        order 9 #1 SELL 3 ACME @ 100.00              -> filled 3
        state ACME HALTED
        cancel 7 #2                                  => cancelled 5 7#2 ASKED, reduced 5 7#1 ENTRY
        expect asks 7 ACME 3
        expect ask ACME none
        state ACME OPEN
            -> state OPEN, triggered 7#1 ENTRY, shown 3 of 3 @ 110.00 7#1
        expect asks 7 ACME 3
    """,
    "a leg on the other side than the exit is an order of its own": """
        order 7 #1 SELL 8 ACMECFD @ 110.00 AWAIT     => accepted
        order 7 #2 BUY 8 ACMECFD STOP 115.00 OCO #1  => accepted
        expect bids 7 ACMECFD 8
        order 9 #1 SELL 8 ACMECFD @ 100.00
        order 7 #3 BUY 8 ACMECFD @ 100.00 ENTRY #1
            -> filled 8, triggered 7#1 ENTRY, triggered 7#2 ENTRY
        expect bids 7 ACMECFD 8
        expect asks 7 ACMECFD 8
    """,
    "exits from a contract give way when the position is closed otherwise": """
        order 9 #1 SELL 8 ACMECFD @ 100.00
        order 7 #1 SELL 8 ACMECFD @ 110.00 AWAIT     => accepted
        order 7 #2 SELL 8 ACMECFD STOP 90.00 OCO #1  => accepted
        order 7 #3 BUY 8 ACMECFD @ 100.00 ENTRY #1   -> filled 8
        order 9 #2 BUY 8 ACMECFD @ 99.00
        order 7 #4 SELL 8 ACMECFD
            => cancelled 8 7#1 REDUCE_ONLY, cancelled 8 7#2 LINKED, accepted, filled 8
        expect asks 7 ACMECFD 0
        expect position 7 ACMECFD 0
    """,
    "exits from a short contract are bids, and reserve once": """
        order 9 #1 BUY 8 ACMECFD @ 100.00
        order 7 #1 BUY 8 ACMECFD @ 90.00 AWAIT       => accepted
        order 7 #2 BUY 8 ACMECFD STOP 110.00 OCO #1  => accepted
        order 7 #3 SELL 8 ACMECFD @ 100.00 ENTRY #1
            -> filled 8, triggered 7#1 ENTRY, triggered 7#2 ENTRY
        expect bids 7 ACMECFD 8
        expect margin 7 900.00
    """,
    "an exit that buys for a cash account reserves at once, for it may cost more than its entry brought": """
        order 9 #1 SELL 8 ACME @ 100.00
        order 6 #1 BUY 8 ACME @ 100.00               -> filled 8
        order 6 #2 BUY 3 ACME @ 90.00 AWAIT          => refused INSUFFICIENT_CASH
        order 6 #3 BUY 2 ACME @ 90.00 AWAIT          => accepted
        expect bids 6 ACME 2
        order 6 #4 SELL 8 ACME @ 100.00 ENTRY #3     -> accepted
    """,
    "a restricted account opens no bracket, for the exit would open what the entry closed": """
        status 7 RESTRICTED
        order 7 #1 BUY 5 ACME @ 90.00 AWAIT          => refused ACCOUNT_RESTRICTED
        status 7 ACTIVE
        order 7 #2 BUY 5 ACME @ 90.00 AWAIT          => accepted
        status 7 RESTRICTED
        order 7 #3 SELL 5 ACME @ 110.00 ENTRY #2     => refused ACCOUNT_RESTRICTED
        order 7 #4 SELL 5 ACME @ 110.00              => accepted
    """,
    "brackets that are good till cancelled outlive the day": """
        order 7 #1 SELL 8 ACME @ 110.00 GTC AWAIT    => accepted
        order 7 #2 SELL 8 ACME STOP 90.00 GTC OCO #1 => accepted
        order 7 #3 BUY 8 ACME @ 100.00 GTC ENTRY #1  -> accepted
        order 7 #4 BUY 1 ACME @ 90.00                => accepted
        day 2026-10-06                               => expired 1 7#4 DAY_END
        order 9 #1 SELL 3 ACME @ 100.00              -> filled 3
        expect asks 7 ACME 3
        cancel 7 #3
            -> cancelled 5, triggered 7#1 ENTRY, triggered 7#2 ENTRY
        expect asks 7 ACME 3
        cancel 7 #1
            => cancelled 3 7#1 ASKED, cancelled 3 7#2 LINKED
        expect asks 7 ACME 0
    """,
}


@pytest.mark.parametrize("name", ONE_CANCELS_THE_OTHER)
def test_one_cancels_the_other(name: str) -> None:
    World().play(OPENING).play(ONE_CANCELS_THE_OTHER[name])


@pytest.mark.parametrize("name", BRACKETS)
def test_brackets(name: str) -> None:
    World().play(OPENING).play(BRACKETS[name])
