"""The admission ladder, a table a rung: what is refused, why, and which reason wins."""

from __future__ import annotations

import pytest

from schemas.codes import InstrumentState, OrderLink, OrderType, RejectReason, Side, TimeInForce
from schemas.market import (
    CancelOrders,
    ChangeInstrumentState,
    OrderAccepted,
    OrderRefused,
    PlaceOrder,
    ReplaceOrder,
    SetVenueRules,
)
from tests.support.scenario import World

OPENING = """
open 6 CUSTOMER_CASH
open 7 CUSTOMER_MARGIN
open 8 CUSTOMER_CASH
open 9 STREET
status 6 CLOSED
deposit 7 1000.00
deposit 8 1000.00
transfer 8 ACME 5
order 9 #900 SELL 20 ACME @ 101.00 -> accepted
order 9 #901 BUY 20 ACME @ 99.00 -> accepted
"""

LADDER = """
order 77 #1 BUY 1 ACME @ 100.00                   -> refused UNKNOWN_ACCOUNT
order 0 #1 BUY 1 ACME @ 100.00                    -> refused UNKNOWN_ACCOUNT
order -5 #1 BUY 1 ACME @ 100.00                   -> refused UNKNOWN_ACCOUNT
order 101 #1 BUY 1 ACME @ 100.00                  -> refused UNKNOWN_ACCOUNT
order 7 #1 BUY 1 6 @ 100.00                       -> refused UNKNOWN_INSTRUMENT
order 7 #1 BUY 1 99 @ 100.00                      -> refused UNKNOWN_INSTRUMENT
order 7 #1 BUY 0 ACME @ 100.00                    -> refused BAD_QUANTITY
order 7 #1 BUY -1 ACME @ 100.00                   -> refused BAD_QUANTITY
order 7 #1 BUY 1 ACME @ 0.00                      -> refused BAD_PRICE
order 7 #1 BUY 1 ACME @ 700.00                    -> refused BAD_PRICE
order 7 #1 BUY 1 ACME @ 120.01                    -> refused PRICE_OUTSIDE_COLLAR
order 7 #1 SELL 1 ACME @ 79.99                    -> refused PRICE_OUTSIDE_COLLAR
order 7 #1 BUY 10001 ACME @ 100.00                -> refused ORDER_TOO_LARGE
order 7 #1 BUY 1 ACME @ 100.00 FOK                -> refused CANNOT_FILL
order 7 #1 BUY 1 ACME @ 101.00 POST               -> refused WOULD_TAKE
order 7 #1 SELL 1 ACME @ 99.00                    -> refused INSUFFICIENT_SECURITIES
order 7 #1 BUY 21 ACME @ 100.00                   -> refused INSUFFICIENT_MARGIN
order 8 #1 BUY 11 ACME @ 100.00                   -> refused INSUFFICIENT_CASH
order 8 #1 SELL 6 ACME @ 100.00                   -> refused INSUFFICIENT_SECURITIES
order 8 #1 BUY 1 ACMECFD @ 100.00                 -> refused INSUFFICIENT_MARGIN
cancel 7 #1                                       -> refused UNKNOWN_ORDER
replace 7 #1 5 @ 100.00                           -> refused UNKNOWN_ORDER
replace 9 #900 20 @ 130.00                        -> refused PRICE_OUTSIDE_COLLAR
order 6 #1 BUY 1 ACME @ 100.00                    -> refused ACCOUNT_CLOSED
order 7 #1 BUY 1 ACME STOP 101.00 IOC             -> refused UNKNOWN_CODE
order 7 #1 BUY 1 ACME GTC                         -> refused UNKNOWN_CODE
order 7 #1 BUY 1 ACME POST                        -> refused UNKNOWN_CODE
order 7 #1 BUY 1 ACME @ 100.00 IOC POST           -> refused UNKNOWN_CODE
order 7 #1 BUY 1 ACME STOP 0.00                   -> refused BAD_PRICE
order 7 #1 BUY 1 ACME STOP 700.00                 -> refused BAD_PRICE
order 7 #1 BUY 1 ACME @ 700.00 STOP 101.00        -> refused BAD_PRICE
order 7 #1 BUY 1 ACME @ 0.00 PEG MID              -> refused BAD_PRICE
order 7 #1 BUY 21 ACME STOP 100.00                -> refused INSUFFICIENT_MARGIN
order 8 #1 BUY 9 ACME STOP 100.00                 -> refused INSUFFICIENT_CASH
order 8 #1 SELL 6 ACME STOP 100.00                -> refused INSUFFICIENT_SECURITIES
order 8 #1 SELL 6 ACME TRAIL 1.00                 -> refused INSUFFICIENT_SECURITIES
order 8 #1 BUY 1 ACME @ 100.00 REDUCE             -> refused WOULD_INCREASE
order 8 #1 SELL 6 ACME @ 100.00 REDUCE            -> refused WOULD_INCREASE
order 7 #1 BUY 1 ACME @ 100.00 ATOPEN             -> refused WRONG_SESSION
order 7 #1 BUY 5 ACME @ 100.00 MIN 6              -> refused BAD_TERMS
order 7 #1 BUY 5 ACME @ 100.00 FOK MIN 5          -> refused BAD_TERMS
order 7 #1 BUY 5 ACME @ 100.00 IOC ICEBERG 1      -> refused BAD_TERMS
order 7 #1 BUY 5 ACME @ 100.00 OFFSET 0.01        -> refused BAD_TERMS
order 7 #1 BUY 5 ACME TRAIL 0.00                  -> refused BAD_TERMS
order 9 #1 BUY 1001 ACME @ 100.00 ICEBERG 1       -> refused BAD_TERMS
order 7 #1 BUY 5 ACME @ 100.00 GTD 0              -> refused BAD_TERMS
order 7 #1 BUY 5 ACME @ 100.00 OCO #9             -> refused BAD_LINK
order 9 #1 BUY 5 ACME @ 100.00 ENTRY #900         -> refused BAD_LINK
kill ON | order 7 #1 BUY 5 ACME @ 100.00          -> refused TRADING_STOPPED
kill ON | replace 9 #900 20 @ 102.00              -> refused TRADING_STOPPED
state ACME PRE_OPEN | order 7 #1 BUY 5 ACME       -> refused WRONG_SESSION
state ACME PRE_OPEN | order 7 #1 BUY 5 ACME @ 100.00 PEG MID     -> refused WRONG_SESSION
order 9 #1 SELL 5 ACME TRAIL 1.00 | replace 9 #1 5 @ 99.00       -> refused NOT_AMENDABLE
order 9 #1 SELL 5 ACME @ 99.50 STOP 98.00 | replace 9 #1 5 @ 99.00 POST    -> refused NOT_AMENDABLE
status 8 RESTRICTED | order 8 #1 BUY 1 ACME @ 100.00             -> refused ACCOUNT_RESTRICTED
"""

# Two things are wrong on each line; the rung that stands higher gives the reason.
PRECEDENCE = """
state ACME HALTED
order 77 #1 BUY 1 ACME @ 100.00                   -> refused UNKNOWN_ACCOUNT
order 7 #1 BUY 0 ACME @ 100.00                    -> refused INSTRUMENT_HALTED
state ACME CLOSED
order 7 #1 BUY 0 ACME @ 100.00                    -> refused INSTRUMENT_CLOSED
state ACME OPEN
order 7 #1 BUY 0 ACME @ 0.00                      -> refused BAD_QUANTITY
order 7 #1 BUY 99999 ACME @ 700.00                -> refused BAD_PRICE
order 7 #1 BUY 99999 ACME @ 125.00                -> refused PRICE_OUTSIDE_COLLAR
order 7 #1 BUY 10 ACME @ 100.00                   -> accepted
order 7 #1 BUY 99 ACME @ 100.00                   -> refused DUPLICATE_ID
order 7 #2 BUY 99 ACME @ 100.00 FOK               -> refused INSUFFICIENT_MARGIN
status 7 SUSPENDED
order 7 #3 BUY 0 99 @ 0.00                        -> refused ACCOUNT_SUSPENDED
"""


@pytest.mark.parametrize("line", [row for row in LADDER.strip().splitlines()])
def test_each_rung_says_its_reason_and_nothing_changes(line: str) -> None:
    *before, last = line.split(" | ")
    world = World().play(OPENING).play("\n".join(before))
    state = world.pipeline.state
    kept = state.books.image(), state.balances.amounts.copy(), state.positions.copy()
    world.play(last)
    assert state.books.image() == kept[0]
    assert (state.balances.amounts == kept[1]).all()
    assert (state.positions == kept[2]).all()


def test_the_higher_rung_gives_the_reason() -> None:
    World().play(OPENING).play(PRECEDENCE)


def test_an_id_is_used_once_a_day_even_when_its_order_is_gone() -> None:
    World().play(OPENING).play("""
        order 7 #1 BUY 1 ACME @ 100.00      -> accepted
        cancel 7 #1                         -> cancelled 1
        order 7 #1 BUY 1 ACME @ 100.00      -> refused DUPLICATE_ID
        order 8 #1 BUY 1 ACME @ 100.00      -> accepted
        day 2026-10-06
        order 7 #1 BUY 1 ACME @ 100.00      -> accepted
    """)


def test_a_restricted_account_may_cancel_and_reduce_only() -> None:
    World().play(OPENING).play("""
        order 8 #1 BUY 1 ACME @ 99.50       -> accepted
        status 8 RESTRICTED
        order 8 #2 BUY 1 ACME @ 100.00      -> refused ACCOUNT_RESTRICTED
        order 8 #3 SELL 3 ACME @ 100.00     -> accepted
        order 8 #4 SELL 3 ACME @ 100.00     -> refused ACCOUNT_RESTRICTED
        cancel 8 #1                         -> cancelled 1
    """)


def test_a_suspended_account_does_nothing_until_it_is_reinstated() -> None:
    World().play(OPENING).play("""
        order 8 #1 BUY 1 ACME @ 100.00      -> accepted
        status 8 SUSPENDED
        order 8 #2 BUY 1 ACME @ 100.00      -> refused ACCOUNT_SUSPENDED
        cancel 8 #1                         -> refused ACCOUNT_SUSPENDED
        status 8 ACTIVE
        cancel 8 #1                         -> cancelled 1
    """)


def test_limits_of_money_and_rate_are_the_accounts_own() -> None:
    world = World().play("""
        open 7 CUSTOMER_MARGIN max=500.00 rate=2
        deposit 7 100000.00
        order 7 #1 BUY 5 ACME @ 100.00      -> accepted
        order 7 #2 BUY 6 ACME @ 100.00      -> refused NOTIONAL_TOO_LARGE
        order 7 #3 BUY 1 ACME @ 100.00      -> accepted
        order 7 #4 BUY 1 ACME @ 100.00      -> refused RATE_EXCEEDED
    """)
    world.now_ns += 1_000_000_000
    world.play("order 7 #5 BUY 1 ACME @ 100.00 -> accepted")


def test_a_full_book_refuses_and_goes_on() -> None:
    World(order_count=2).play("""
        open 9 STREET
        open 7 CUSTOMER_MARGIN
        deposit 7 1000.00
        order 9 #1 BUY 1 ACME @ 99.00       -> accepted
        order 9 #2 BUY 1 ACME @ 98.00       -> accepted
        order 9 #3 BUY 1 ACME @ 97.00       -> refused BOOK_FULL
        order 7 #1 BUY 1 ACME @ 97.00 IOC   -> accepted
        cancel 9 #1                         -> cancelled 1
        order 9 #4 BUY 1 ACME @ 97.00       -> accepted
    """)
    World(order_id_count=1).play("""
        open 9 STREET
        order 9 #1 BUY 1 ACME @ 99.00       -> accepted
        order 9 #2 BUY 1 ACME @ 99.00       -> refused BOOK_FULL
    """)


def test_every_rung_of_the_trading_ladder_has_a_case() -> None:
    told = LADDER + PRECEDENCE + "NOTIONAL_TOO_LARGE RATE_EXCEEDED BOOK_FULL"  # these have tests of their own
    trading = {r.name for r in RejectReason if 100 < r < 600}
    assert not trading - set(told.split())


# One column is not what it should be; all others are those of a good order to buy one share of ACME.
HOSTILE_ORDERS = [
    ({"side_code": 0}, "UNKNOWN_CODE"),
    ({"side_code": 3}, "UNKNOWN_CODE"),
    ({"side_code": 1 << 32 | 1}, "UNKNOWN_CODE"),
    ({"order_type_code": 0}, "UNKNOWN_CODE"),
    ({"order_type_code": 8}, "UNKNOWN_CODE"),
    ({"time_in_force_code": 8}, "UNKNOWN_CODE"),
    ({"post_only_code": 3}, "UNKNOWN_CODE"),
    ({"post_only_code": -1}, "UNKNOWN_CODE"),
    ({"self_trade_code": 5}, "UNKNOWN_CODE"),
    ({"self_trade_code": 1 << 40}, "UNKNOWN_CODE"),
    ({"order_link_code": 4}, "UNKNOWN_CODE"),
    ({"order_link_code": -1}, "UNKNOWN_CODE"),
    ({"order_type_code": OrderType.MARKET, "price_ticks": 10_000}, "BAD_PRICE"),
    ({"order_type_code": OrderType.STOP, "price_ticks": 10_000, "stop_ticks": 10_000}, "BAD_PRICE"),
    ({"order_type_code": OrderType.TRAILING_STOP, "price_ticks": 10_000, "trail_ticks": 1}, "BAD_PRICE"),
    ({"order_type_code": OrderType.STOP_LIMIT, "stop_ticks": -1}, "BAD_PRICE"),
    ({"order_type_code": OrderType.STOP_LIMIT, "stop_ticks": 1 << 62}, "BAD_PRICE"),
    ({"price_ticks": 1 << 62}, "BAD_PRICE"),
    ({"price_ticks": -(1 << 63)}, "BAD_PRICE"),
    ({"stop_ticks": 1}, "BAD_TERMS"),
    ({"trail_ticks": 1}, "BAD_TERMS"),
    ({"offset_ticks": -1}, "BAD_TERMS"),
    ({"display_lots": -1}, "BAD_TERMS"),
    ({"display_lots": 1 << 31}, "BAD_TERMS"),
    ({"minimum_lots": -1}, "BAD_TERMS"),
    ({"expires_at_ns": 1 << 62}, "BAD_TERMS"),
    ({"expires_at_ns": -1}, "BAD_TERMS"),
    ({"linked_client_order_id": 5}, "BAD_LINK"),
    ({"linked_client_order_id": -(1 << 63)}, "BAD_LINK"),
    ({"linked_client_order_id": 2, "order_link_code": OrderLink.AWAIT}, "BAD_LINK"),
    ({"order_link_code": OrderLink.OCO}, "BAD_LINK"),
    ({"order_link_code": OrderLink.ENTRY}, "BAD_LINK"),
]
# Odd, and harmless.
ODD_ORDERS = [
    {"session_id": -(1 << 63)},
    {"session_id": 1 << 62},
    {"client_order_id": -(1 << 63)},
    {"client_order_id": 0},
    {"display_lots": 5},
    {"is_reduce_only": 0, "minimum_lots": 1, "price_ticks": 10_100},
    {"time_in_force_code": TimeInForce.GTD, "expires_at_ns": (1 << 63) - 1},
    {"order_type_code": OrderType.PEGGED_MID, "offset_ticks": 1 << 40},
    {"order_type_code": OrderType.TRAILING_STOP, "price_ticks": 0, "trail_ticks": 1 << 40},
]


def place(world: World, **columns: int) -> list[object]:
    """The order's own events."""
    good = {
        "session_id": 1, "account_id": 7, "client_order_id": 77, "instrument_id": 1, "side_code": Side.BUY,
        "order_type_code": OrderType.LIMIT, "time_in_force_code": TimeInForce.DAY, "price_ticks": 10_000,
        "quantity_lots": 1,
    }  # fmt: skip
    events = world.send(PlaceOrder, **(good | columns))
    return [e for e in events if isinstance(e, OrderAccepted | OrderRefused)]


@pytest.mark.parametrize(("columns", "reason"), HOSTILE_ORDERS)
def test_a_hostile_column_of_an_order_is_refused(columns: dict[str, int], reason: str) -> None:
    (answer,) = place(World().play(OPENING), **columns)
    assert isinstance(answer, OrderRefused)
    assert RejectReason(answer.reject_reason_code).name == reason


@pytest.mark.parametrize("columns", ODD_ORDERS)
def test_an_odd_column_of_an_order_does_no_harm(columns: dict[str, int]) -> None:
    world = World().play(OPENING)
    (answer,) = place(world, **columns)
    assert isinstance(answer, OrderAccepted)
    world.send(CancelOrders, account_id=7)
    state = world.pipeline.state
    assert not state.positions[7]["open_buy_lots"].any()
    assert not state.positions[7]["open_buy_minor"].any()


@pytest.mark.parametrize(
    ("cls", "columns", "reason"),
    [
        (ReplaceOrder, {"post_only_code": 4}, "UNKNOWN_CODE"),
        (ReplaceOrder, {"post_only_code": -1}, "UNKNOWN_CODE"),
        (ReplaceOrder, {"quantity_lots": -1}, "BAD_QUANTITY"),
        (ReplaceOrder, {"quantity_lots": 1 << 62}, "ORDER_TOO_LARGE"),
        (ReplaceOrder, {"price_ticks": -(1 << 63)}, "BAD_PRICE"),
        (CancelOrders, {"account_id": -1}, "UNKNOWN_CODE"),
        (CancelOrders, {"account_id": 1 << 32}, "UNKNOWN_CODE"),
        (CancelOrders, {"session_id": 1 << 31}, "UNKNOWN_CODE"),
        (CancelOrders, {"side_code": 3}, "UNKNOWN_CODE"),
        (CancelOrders, {"instrument_id": 1 << 40}, "UNKNOWN_CODE"),
        (ChangeInstrumentState, {"instrument_state_code": 0}, "UNKNOWN_CODE"),
        (ChangeInstrumentState, {"instrument_state_code": 8}, "UNKNOWN_CODE"),
        (ChangeInstrumentState, {"instrument_state_code": -(1 << 63)}, "UNKNOWN_CODE"),
        (ChangeInstrumentState, {"instrument_id": 8}, "UNKNOWN_INSTRUMENT"),
        (ChangeInstrumentState, {"instrument_id": 1 << 19}, "UNKNOWN_INSTRUMENT"),
        (SetVenueRules, {"instrument_id": 3, "dynamic_bps": -1}, "BAD_DECLARATION"),
        (SetVenueRules, {"instrument_id": 3, "static_bps": 1 << 62}, "BAD_DECLARATION"),
        (SetVenueRules, {"instrument_id": 3, "first_step_ticks": -(1 << 63)}, "BAD_DECLARATION"),
        (SetVenueRules, {"instrument_id": 3, "first_step_ticks": 1 << 62}, "BAD_DECLARATION"),
        (
            SetVenueRules,
            {"instrument_id": 3, "first_step_ticks": 5, "second_from_ticks": 7, "second_step_ticks": 7},
            "BAD_DECLARATION",
        ),
    ],
)
def test_a_hostile_column_of_another_command_is_refused(
    cls: type, columns: dict[str, int], reason: str
) -> None:
    world = World().play(OPENING).play("state ACMECFD CLOSED")
    good: dict[type, dict[str, int]] = {
        ReplaceOrder: {"account_id": 9, "client_order_id": 901, "price_ticks": 9_800, "quantity_lots": 20},
        ChangeInstrumentState: {"instrument_id": 1, "instrument_state_code": InstrumentState.HALTED},
    }
    world.expect_refused(reason, cls, **(good.get(cls, {}) | columns))
