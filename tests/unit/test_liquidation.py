"""From a margin call to the last cent: what is done about an account that has crossed a line, in numbers.

No model of risk is set: contracts ask their listing's rate, 50 % of the value as initial margin and a
thirteenth of ten of that, 38.46 %, as maintenance.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.risk.desk import RiskDesk
from engine.risk.margin_states import margin_state
from schemas.codes import LedgerAccountKind, MarginState
from schemas.market import CancelOrders, PlaceOrder
from schemas.risk import (
    DeficitWrittenOff,
    ReviewMargin,
    SetAccountMargin,
    TakeOverAccount,
)
from tests.support.risk_model import name_factors, put_in_force, set_terms
from tests.support.scenario import World

CLIENT, OTHER, HOUSE, STREET = 7, 6, 5, 9
CONTRACT = 3
OPENING = f"""
open {CLIENT} CUSTOMER_MARGIN
open {OTHER} CUSTOMER_MARGIN
open {HOUSE} FIRM
open {STREET} STREET
deposit {CLIENT} 1000.00
deposit {OTHER} 100000.00
deposit {HOUSE} 100000.00
"""
LONG = f"""
order {OTHER} #1 SELL 15 ACMECFD @ 100.00
order {CLIENT} #1 BUY 15 ACMECFD @ 100.00      -> filled 15
"""


def opened(*, retail: bool = False, more: str = LONG) -> World:
    world = World().play(OPENING)
    if retail:
        world.send(SetAccountMargin, account_id=CLIENT, is_retail=1)
    return world.play(more)


def settle(world: World, most: int = 50) -> list[str]:
    """Let the desk do its work. Returns the names of its commands."""
    desk, asked = RiskDesk(world.pipeline.state), []
    for _ in range(most):
        commands = desk.due(world.now_ns)
        if not commands:
            return asked
        for command in commands:
            world.pipeline.submit([command])
            asked.append(type(command).__name__)
    raise AssertionError(f"the desk does not come to an end: {asked[-6:]}")


def stands(world: World, account_id: int = CLIENT) -> MarginState:
    return MarginState(int(world.pipeline.state.account_margins[account_id]["margin_state_code"]))


@pytest.mark.parametrize(
    ("mark", "equity", "maintenance", "state"),
    [
        ("100.00", 100_000, 57_693, MarginState.FREE),  # 1.73 times
        ("95.00", 92_500, 54_808, MarginState.FREE),
        ("80.00", 70_000, 46_154, MarginState.FREE),  # 1.517
        ("79.00", 68_500, 45_577, MarginState.FREE),
        ("78.00", 67_000, 45_000, MarginState.WARNED),  # 1.489
        ("67.00", 50_500, 38_654, MarginState.WARNED),
        ("66.00", 49_000, 38_077, MarginState.NO_NEW_RISK),  # initial is 49,500
        ("56.00", 34_000, 32_308, MarginState.NO_NEW_RISK),
        ("55.00", 32_500, 31_731, MarginState.CANCELLED),  # 1.024
        ("54.00", 31_000, 31_154, MarginState.LIQUIDATED),
        ("33.00", -500, 19_039, MarginState.BANKRUPT),
    ],
)
def test_the_lines_between_equity_and_maintenance(
    mark: str, equity: int, maintenance: int, state: MarginState
) -> None:
    world = opened()
    world.play(f"mark ACMECFD {mark}")
    has, _ = world.pipeline.state.margin_minor(CLIENT)
    assert (has, world.pipeline.state.maintenance_minor(CLIENT)) == (equity, maintenance)
    assert stands(world) is state


def test_a_retail_client_is_closed_out_at_half_of_initial_margin() -> None:
    """Source: ESMA Decision (EU) 2018/796, article 2."""
    world = opened(retail=True)
    state = world.pipeline.state
    assert margin_state(state, CLIENT, 25_001, 50_000, 20_000) is MarginState.NO_NEW_RISK
    assert margin_state(state, CLIENT, 24_999, 50_000, 20_000) is MarginState.LIQUIDATED
    assert margin_state(state, OTHER, 24_999, 50_000, 20_000) is MarginState.NO_NEW_RISK


@pytest.mark.parametrize("account_class", ["CUSTOMER_CASH", "FIRM"])
def test_who_has_paid_and_the_firm_itself_are_never_closed_out(account_class: str) -> None:
    world = World().play(f"open 8 {account_class}")
    assert margin_state(world.pipeline.state, 8, 10, 50_000, 20_000) is MarginState.FREE


def test_a_take_over_is_asked_once_whatever_comes_of_it() -> None:
    """Otherwise one that is refused would be asked again after every frame, which is a frame."""
    world = opened()
    world.play("mark ACMECFD 33.00")
    desk = RiskDesk(world.pipeline.state)
    assert [type(c).__name__ for c in desk.due(world.now_ns)] == ["TakeOverAccount", "ReviewMargin"]
    assert desk.due(world.now_ns) == []


def test_open_orders_are_taken_away_first_and_may_be_all() -> None:
    world = opened(more=LONG + f"order {CLIENT} #2 BUY 1 ACMECFD @ 85.00 -> accepted\n")
    world.play("mark ACMECFD 55.00")
    assert settle(world) == ["CancelOrders", "ReviewMargin"]
    assert stands(world) is MarginState.CANCELLED
    world.play(f"expect bids {CLIENT} ACMECFD 0\nexpect position {CLIENT} ACMECFD 15")


def test_just_as_much_is_closed_as_brings_equity_back() -> None:
    world = opened()
    world.play("mark ACMECFD 54.00")
    world.play(f"order {STREET} #1 BUY 100 ACMECFD @ 54.00 -> accepted")
    assert settle(world) == ["PlaceOrder", "ReviewMargin"]
    held = world.pipeline.state.held_lots(CLIENT, CONTRACT)
    equity, _ = world.pipeline.state.margin_minor(CLIENT)
    assert (held, equity) == (13, 31_000)
    assert equity * 10 >= world.pipeline.state.maintenance_minor(CLIENT) * 11
    assert stands(world) < MarginState.CANCELLED


def test_where_nobody_buys_the_house_takes_over_and_all_money_stays() -> None:
    world = opened()
    world.play("mark ACMECFD 54.00")
    asked = settle(world)
    assert asked == ["PlaceOrder", "ReviewMargin", "TakeOverAccount", "ReviewMargin"]
    world.play(f"""
        expect position {CLIENT} ACMECFD 0
        expect position {HOUSE} ACMECFD 15
        balance {CLIENT} USD 310.00
        expect equity {HOUSE} 100000.00
    """)
    assert stands(world) is MarginState.FREE


def test_a_shut_market_is_waited_for() -> None:
    world = opened()
    world.play("mark ACMECFD 54.00\nstate ACMECFD HALTED")
    assert settle(world) == []
    world.play("state ACMECFD OPEN")
    assert "PlaceOrder" in settle(world)


@pytest.mark.parametrize(("retail", "balance", "borne"), [(True, "0.00", 12_500), (False, "-125.00", 0)])
def test_the_firm_bears_what_a_retail_client_owes_and_a_professional_owes_it(
    retail: bool, balance: str, borne: int
) -> None:
    """Source: ESMA Decision (EU) 2018/796, article 2 (negative balance protection)."""
    world = opened(retail=retail)
    capital = world.pipeline.state.balances.balance(LedgerAccountKind.FIRM_CAPITAL, 0, 1)
    world.play("mark ACMECFD 25.00")
    assert stands(world) is MarginState.BANKRUPT
    settle(world)
    world.play(f"balance {CLIENT} USD {balance}\nexpect position {HOUSE} ACMECFD 15")
    after = world.pipeline.state.balances.balance(LedgerAccountKind.FIRM_CAPITAL, 0, 1)
    assert after - capital == borne
    told = [s.record.cls for f in world.journal.frames for s in f.sections]
    assert (DeficitWrittenOff in told) == retail


def test_holdings_that_are_delivered_go_to_the_house_by_the_ledger() -> None:
    world = opened(
        more=f"""
        transfer {CLIENT} ACME 10
        order {OTHER} #1 SELL 30 ACMECFD @ 100.00
        order {CLIENT} #1 BUY 30 ACMECFD @ 100.00 -> filled 30
    """
    )
    world.play("mark ACMECFD 60.00\nmark ACME 60.00\nmark ACMECFD 47.00\nmark ACME 47.00")
    settle(world)
    world.play(f"balance {CLIENT} ACME 0\nbalance {HOUSE} ACME 10\nexpect position {CLIENT} ACMECFD 0")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"account_id": 99, "house_account_id": HOUSE}, "UNKNOWN_ACCOUNT"),
        ({"account_id": STREET, "house_account_id": HOUSE}, "UNKNOWN_ACCOUNT"),
        ({"account_id": CLIENT, "house_account_id": OTHER}, "UNKNOWN_REFERENCE"),
        ({"account_id": HOUSE, "house_account_id": HOUSE}, "UNKNOWN_REFERENCE"),
        ({"account_id": CLIENT, "house_account_id": HOUSE}, "WRONG_STATE"),  # it stands well
    ],
)
def test_a_take_over_is_refused_without_cause(columns: dict[str, int], reason: str) -> None:
    opened().expect_refused(reason, TakeOverAccount, **columns)


def test_one_may_ask_where_an_account_stands() -> None:
    world = opened()
    assert [type(e).__name__ for e in world.send(ReviewMargin, account_id=CLIENT)][-1] == "MarginChanged"
    world.expect_refused("UNKNOWN_ACCOUNT", ReviewMargin, account_id=99)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), depth=st.integers(0, 40))
def test_liquidation_ends_turns_no_position_and_lets_no_risk_grow(seed: int, depth: int) -> None:
    """With random models, books and crashes: it ends, and then the account stands well or holds nothing."""
    draw = random.Random(seed)
    world = World().play(OPENING)
    if draw.random() < 0.8:
        name_factors(world)
        put_in_force(world, draw, 1)
        for instrument_id in (1, 2, CONTRACT):
            set_terms(world, draw, instrument_id, draw.random() < 0.8)
    if draw.random() < 0.5:
        world.send(SetAccountMargin, account_id=CLIENT, is_retail=1)
    world.play(f"transfer {CLIENT} ACME {draw.randint(1, 20)}\ntransfer {CLIENT} BETA {draw.randint(1, 20)}")
    side, back = draw.choice((("BUY", "SELL"), ("SELL", "BUY")))
    world.play(f"order {STREET} #9 {back} 400 ACMECFD @ 100.00")
    for number in range(12):
        world.attempt(f"order {CLIENT} #{number} {side} {draw.randint(1, 12)} ACMECFD @ 100.00")
    state = world.pipeline.state
    for symbol in ("ACME", "BETA", "ACMECFD"):
        price = draw.randint(85_00 if symbol == "BETA" else 30_00, 160_00)
        world.play(f"mark {symbol} {price / 100:.2f}")
        if depth:
            for who, at in (("BUY", price - 100), ("SELL", price + 100)):
                number = draw.randint(100, 10**6)
                world.attempt(f"order {STREET} #{number} {who} {depth} {symbol} @ {at / 100:.2f}")
    before = {i: state.held_lots(CLIENT, i) for i in (1, 2, CONTRACT)}
    desk = RiskDesk(state)
    for _ in range(60):
        commands = desk.due(world.now_ns)
        if not commands:
            break
        for command in commands:
            was = {i: state.held_lots(CLIENT, i) for i in before}
            at_risk = state.maintenance_minor(CLIENT)
            frame = world.pipeline.submit([command])
            for i, lots in was.items():
                now = state.held_lots(CLIENT, i)
                assert abs(now) <= abs(lots) and now * lots >= 0, "a position grew or turned"
            if isinstance(command, PlaceOrder):
                assert state.maintenance_minor(CLIENT) <= at_risk
            assert isinstance(command, PlaceOrder | CancelOrders | ReviewMargin | TakeOverAccount), frame
    else:
        raise AssertionError("liquidation does not end")
    state.balances.check()
    is_well = stands(world) < MarginState.LIQUIDATED
    assert is_well or not any(state.held_lots(CLIENT, i) for i in before)
    if state.account_margins[CLIENT]["is_retail"]:
        assert state.margin_minor(CLIENT)[0] >= 0
