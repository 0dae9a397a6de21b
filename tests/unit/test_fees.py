"""What executions cost by group and instrument, in numbers that can be checked by hand."""

from __future__ import annotations

import pytest

from schemas.codes import LedgerAccountKind
from schemas.ledger import Posting
from schemas.market import SetFees
from tests.support.scenario import World

# 7 is on margin, 6 pays cash, 9 is of the street. Notionals are 100.00 a lot.
OPENING = """
open 7 CUSTOMER_MARGIN
open 6 CUSTOMER_CASH
open 9 STREET
deposit 7 10000.00
deposit 6 1000.00
transfer 7 ACME 20
"""

SCENARIOS = {
    "without a schedule the taker pays the listing's rate, here none": """
        order 7 #1 SELL 2 ACME @ 100.00
        order 6 #1 BUY 2 ACME @ 100.00               -> filled 2 @ 100.00 fees 0.00 0.00
    """,
    "taker and maker pay their own group's rates": """
        terms 7 fees=2
        fees 0 ACME taker=300 maker=100
        fees 2 ACME taker=200 maker=50
        order 7 #1 SELL 2 ACME @ 100.00
        order 6 #1 BUY 2 ACME @ 100.00               -> filled 2 @ 100.00 fees 0.06 0.01
        balance 7 USD 10199.99
        balance 6 USD 799.94
        order 6 #2 SELL 1 ACME @ 100.00
        order 7 #2 BUY 1 ACME @ 100.00               -> filled 1 @ 100.00 fees 0.02 0.01
    """,
    "a part of a cent is charged as a whole one, and not paid out": """
        fees 0 ACME taker=1 maker=-180
        order 7 #1 SELL 2 ACME @ 100.00
        order 6 #1 BUY 1 ACME @ 100.00               -> filled 1 @ 100.00 fees 0.01 -0.01
        order 6 #2 BUY 1 ACME @ 100.00 IOC           -> filled 1 @ 100.00 fees 0.01 -0.01
        balance 7 USD 10200.02
        balance 6 USD 799.98
    """,
    "the street pays nothing and is paid nothing": """
        fees 0 ACME taker=300 maker=-100
        order 9 #1 SELL 2 ACME @ 100.00
        order 6 #1 BUY 1 ACME @ 100.00               -> filled 1 @ 100.00 fees 0.03 0.00
        order 7 #1 BUY 1 ACME @ 99.00
        order 9 #2 SELL 1 ACME @ 99.00               -> filled 1 @ 99.00 fees 0.00 0.00
    """,
    "in an auction both sides pay the maker's rate": """
        fees 0 ACME taker=300 maker=100
        state ACME PRE_OPEN
        order 7 #1 SELL 2 ACME @ 100.00
        order 6 #1 BUY 2 ACME @ 100.00
        state ACME OPEN                              -> filled 2 @ 100.00 fees 0.02 0.02 auction
        balance 7 USD 10199.98
        balance 6 USD 799.98
    """,
    "a contract posts its fee and nothing else": """
        open 5 CUSTOMER_MARGIN
        deposit 5 1000.00
        fees 0 ACMECFD taker=300 maker=-100
        order 7 #1 SELL 2 ACMECFD @ 100.00
        order 5 #1 BUY 2 ACMECFD @ 100.00            -> filled 2 @ 100.00 fees 0.06 -0.02
        balance 7 USD 10000.02
        balance 5 USD 999.94
    """,
    "a cash account must have the fee of every lot, whether it takes or rests": """
        fees 0 ACME taker=100 maker=300
        order 6 #1 BUY 10 ACME @ 100.00              => refused INSUFFICIENT_CASH
        order 6 #2 BUY 5 ACME @ 100.00               => accepted
        order 6 #3 BUY 5 ACME @ 99.96                => refused INSUFFICIENT_CASH
        order 6 #4 BUY 5 ACME @ 99.94                => accepted
        fees 0 ACME taker=0 maker=10000
        cancel 6 #2
        cancel 6 #4
        expect bids 6 ACME 0
        order 6 #5 BUY 9 ACME @ 100.00               => accepted
    """,
    "fees change while an order rests, and what it reserved is what it gives back": """
        order 6 #1 BUY 10 ACME @ 100.00              => accepted
        fees 0 ACME taker=100 maker=300
        cancel 6 #1
        order 6 #2 BUY 9 ACME @ 100.00               => accepted
        fees 0 ACME taker=0 maker=0
        cancel 6 #2
        order 6 #3 BUY 10 ACME @ 100.00              => accepted
    """,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_fees(name: str) -> None:
    world = World().play(OPENING).play(SCENARIOS[name])
    assert not world.pipeline.state.positions["open_buy_minor"][
        world.pipeline.state.positions["open_buy_lots"] == 0
    ].any()


def test_a_rebate_is_a_posting_from_fee_income() -> None:
    world = (
        World()
        .play(OPENING)
        .play("""
        fees 0 ACME taker=0 maker=-200
        order 7 #1 SELL 2 ACME @ 100.00
    """)
    )
    order = ("6", "#1", "BUY", "2", "ACME", "@", "100.00")
    paid = [e for e in world._order(*order) if isinstance(e, Posting) and e.amount_units == 4]
    (posting,) = paid
    assert posting.debit_account_kind_code == LedgerAccountKind.FEE_INCOME
    assert (posting.credit_account_kind_code, posting.credit_party_id) == (LedgerAccountKind.CLIENT, 7)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"fee_group_id": 16}, "OUT_OF_RANGE"),
        ({"fee_group_id": -1}, "OUT_OF_RANGE"),
        ({"taker_ppm": 10_001}, "OUT_OF_RANGE"),
        ({"maker_ppm": -10_001}, "OUT_OF_RANGE"),
        ({"instrument_id": 8}, "UNKNOWN_INSTRUMENT"),
        ({"instrument_id": -1}, "UNKNOWN_INSTRUMENT"),
        ({"instrument_id": 1 << 62}, "UNKNOWN_INSTRUMENT"),
    ],
)
def test_a_schedule_out_of_bounds_is_refused(columns: dict[str, int], reason: str) -> None:
    world = World()
    given = {"instrument_id": 1, "taker_ppm": 10_000, "maker_ppm": -10_000} | columns
    world.expect_refused(reason, SetFees, **given)
