"""Settlement: netting, delivery against payment in parts, fails, late settlement, variation."""

from __future__ import annotations

import json

import pytest

from engine.settlement.cycle import Leg, has_open_trades, net_legs
from schemas.codes import LedgerAccountKind as Kind
from schemas.codes import ObligationSide, ObligationStatus, RejectReason
from schemas.market import SetMark, StartBusinessDay
from schemas.settlement import (
    ConfirmSettlement,
    ReportSettlementFailure,
    RunSettlementCycle,
    SettlementCycleCompleted,
    SettlementInstructed,
    VariationSettled,
)
from tests.support.slow_lane import (
    CASH,
    CFD,
    COIN,
    CRYPTO,
    EUR,
    FX,
    MARGIN,
    MONDAY,
    SHARE,
    STOCK,
    STREET,
    USD,
    Firm,
    deposit,
    open_firm,
    trade,
)

RECEIVE, DELIVER = ObligationSide.RECEIVE, ObligationSide.DELIVER
PAY, COLLECT = ObligationSide.PAY_CASH, ObligationSide.COLLECT_CASH


@pytest.fixture
def firm() -> Firm:
    made = open_firm()
    deposit(made, CASH, USD, 100_000)
    deposit(made, MARGIN, USD, 100_000)
    return made


def _net(firm: Firm) -> list[SettlementInstructed]:
    firm.must(RunSettlementCycle, trade_epoch_day=MONDAY)
    return firm.of(SettlementInstructed)


#  (units bought less sold, money paid less received, obligations)
NETS = [
    (0, 0, ()),
    (10, 70, (Leg(RECEIVE, 10, 70),)),
    (-10, -70, (Leg(DELIVER, 10, 70),)),
    (10, 0, (Leg(RECEIVE, 10, 0),)),
    (-10, 0, (Leg(DELIVER, 10, 0),)),
    (0, 5, (Leg(PAY, 0, 5),)),
    (0, -5, (Leg(COLLECT, 0, 5),)),
    (10, -5, (Leg(RECEIVE, 10, 0), Leg(COLLECT, 0, 5))),
    (-10, 5, (Leg(DELIVER, 10, 0), Leg(PAY, 0, 5))),
]


@pytest.mark.parametrize(("units", "minor", "legs"), NETS)
def test_units_go_against_money_that_runs_the_other_way(
    units: int, minor: int, legs: tuple[Leg, ...]
) -> None:
    assert net_legs(units, minor) == legs


def test_a_day_nets_per_account_and_instrument_in_order(firm: Firm) -> None:
    trade(firm, MARGIN, STOCK, 4, 100)
    trade(firm, CASH, FX, 2, 90)
    trade(firm, CASH, STOCK, 10, 100)
    trade(firm, CASH, STOCK, -3, 110)
    trade(firm, CASH, CRYPTO, 1, 50)
    trade(firm, CASH, CRYPTO, -1, 60)
    told = [
        (
            o.account_id,
            o.instrument_id,
            o.obligation_side_code,
            o.asset_id,
            o.obligation_units,
            o.obligation_minor,
            o.settlement_epoch_day - MONDAY,
        )
        for o in _net(firm)
    ]
    assert told == [
        (CASH, STOCK, RECEIVE, SHARE, 7, 670, 1),
        (CASH, FX, RECEIVE, EUR, 200, 180, 2),
        (CASH, CRYPTO, COLLECT, 0, 0, 10, 0),
        (MARGIN, STOCK, RECEIVE, SHARE, 4, 400, 1),
    ]
    (done,) = firm.of(SettlementCycleCompleted)
    assert (done.obligation_count, done.variation_count) == (4, 0)
    assert firm.state.instruments[CRYPTO]["base_asset_id"] == COIN


def test_an_obligation_is_named_by_its_own_sequence(firm: Firm) -> None:
    trade(firm, CASH, STOCK, 1, 100)
    (told,) = _net(firm)
    assert told.obligation_id == told.sequence
    assert list(firm.state.settlement.obligations) == [told.sequence]


def test_the_street_has_no_obligations(firm: Firm) -> None:
    firm.state.positions[STREET, STOCK]["day_net_lots"] = 5
    firm.state.positions[STREET, CFD]["position_lots"] = 5
    assert _net(firm) == []


#  (days from the business day, is a trade open, did a cycle run before, expected)
CYCLES = [
    (1, True, False, RejectReason.WRONG_STATE),
    (-1, True, False, RejectReason.WRONG_STATE),
    (0, False, False, RejectReason.NONE),
    (0, True, False, RejectReason.NONE),
    (0, False, True, RejectReason.ALREADY_EXISTS),
    (-1, True, True, RejectReason.ALREADY_EXISTS),
    (0, True, True, RejectReason.NONE),
]


@pytest.mark.parametrize(("days", "is_traded", "is_again", "expected"), CYCLES)
def test_a_cycle_runs_once_unless_somebody_traded_since(
    firm: Firm, days: int, is_traded: bool, is_again: bool, expected: RejectReason
) -> None:
    if is_again:
        firm.must(RunSettlementCycle, trade_epoch_day=MONDAY)
    if is_traded:
        trade(firm, CASH, STOCK, 1, 100)
    assert firm.do(RunSettlementCycle, trade_epoch_day=MONDAY + days) is expected
    assert has_open_trades(firm.state) is (is_traded and expected is not RejectReason.NONE)


def _confirm(firm: Firm, obligation_id: int, units: int, minor: int) -> RejectReason:
    return firm.do(ConfirmSettlement, obligation_id=obligation_id, settled_units=units, settled_minor=minor)


#  (units, minor) of an obligation to receive 7 against 100
CONFIRMATIONS = [
    (7, 100, RejectReason.NONE),
    (7, 99, RejectReason.MISMATCH),
    (7, 101, RejectReason.MISMATCH),
    (8, 114, RejectReason.MISMATCH),
    (3, 42, RejectReason.NONE),
    (3, 43, RejectReason.MISMATCH),
    (3, 100, RejectReason.MISMATCH),
    (0, 0, RejectReason.MISMATCH),
    (0, 100, RejectReason.MISMATCH),
    (-7, -100, RejectReason.MISMATCH),
]


@pytest.mark.parametrize(("units", "minor", "expected"), CONFIRMATIONS)
def test_money_must_be_what_the_units_cost(
    firm: Firm, units: int, minor: int, expected: RejectReason
) -> None:
    trade(firm, CASH, STOCK, 6, 10)
    trade(firm, CASH, STOCK, 1, 40)
    (told,) = _net(firm)
    assert (told.obligation_units, told.obligation_minor) == (7, 100)
    assert _confirm(firm, told.obligation_id, units, minor) is expected


@pytest.mark.parametrize("cls", [ConfirmSettlement, ReportSettlementFailure])
def test_an_unknown_obligation_is_named_so(firm: Firm, cls: type) -> None:
    amounts = {"settled_units": 1, "settled_minor": 1} if cls is ConfirmSettlement else {}
    assert firm.do(cls, obligation_id=99, **amounts) is RejectReason.UNKNOWN_REFERENCE


@pytest.mark.parametrize("lots", [7, -7])
def test_partial_then_fail_then_late_settlement_leaves_nothing_pending(firm: Firm, lots: int) -> None:
    """The balances after each step; `sign` is that of a receiver."""
    sign = 1 if lots > 0 else -1
    nostro = firm.balance(Kind.NOSTRO, 0, USD)
    trade(firm, CASH, STOCK, lots, 10)
    (told,) = _net(firm)
    number = told.obligation_id
    assert firm.balance(Kind.STREET_PENDING, CASH, SHARE) == 7 * sign
    assert firm.balance(Kind.STREET_PENDING, CASH, USD) == -70 * sign

    assert _confirm(firm, number, 3, 30) is RejectReason.NONE
    obligation = firm.state.settlement.obligations[number]
    assert obligation.status is ObligationStatus.PARTIALLY_SETTLED
    assert firm.balance(Kind.CUSTODY, 0, SHARE) == 3 * sign
    assert firm.balance(Kind.NOSTRO, 0, USD) == nostro - 30 * sign
    assert firm.balance(Kind.STREET_PENDING, CASH, SHARE) == 4 * sign

    assert firm.do(ReportSettlementFailure, obligation_id=number) is RejectReason.NONE
    assert obligation.status is ObligationStatus.FAILED
    assert firm.balance(Kind.STREET_PENDING, CASH, SHARE) == 0
    assert firm.balance(Kind.STREET_PENDING, CASH, USD) == 0
    assert firm.balance(Kind.FAIL, CASH, SHARE) == 4 * sign
    assert firm.balance(Kind.FAIL, CASH, USD) == -40 * sign
    assert firm.do(ReportSettlementFailure, obligation_id=number) is RejectReason.WRONG_STATE

    assert _confirm(firm, number, 1, 10) is RejectReason.NONE
    assert obligation.status is ObligationStatus.FAILED
    assert firm.balance(Kind.FAIL, CASH, SHARE) == 3 * sign
    assert _confirm(firm, number, 3, 30) is RejectReason.NONE
    assert obligation.status is ObligationStatus.SETTLED
    assert not firm.pending(CASH)
    assert firm.balance(Kind.CUSTODY, 0, SHARE) == 7 * sign
    assert firm.balance(Kind.NOSTRO, 0, USD) == nostro - 70 * sign
    assert _confirm(firm, number, 3, 30) is RejectReason.WRONG_STATE
    assert firm.do(ReportSettlementFailure, obligation_id=number) is RejectReason.WRONG_STATE


def test_currency_bought_comes_to_the_bank(firm: Firm) -> None:
    trade(firm, CASH, FX, 2, 90)
    (told,) = _net(firm)
    assert _confirm(firm, told.obligation_id, 200, 180) is RejectReason.NONE
    assert firm.balance(Kind.NOSTRO, 0, EUR) == 200
    assert not firm.pending(CASH)


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize(("first", "second"), [(10, 12), (12, 10)])
def test_money_without_units_settles_alone(firm: Firm, first: int, second: int, is_late: bool) -> None:
    nostro = firm.balance(Kind.NOSTRO, 0, USD)
    trade(firm, CASH, STOCK, 1, first)
    trade(firm, CASH, STOCK, -1, second)
    (told,) = _net(firm)
    if is_late:
        firm.must(ReportSettlementFailure, obligation_id=told.obligation_id)
        assert firm.balance(Kind.FAIL, CASH, USD) == second - first
    assert _confirm(firm, told.obligation_id, 0, 1) is RejectReason.MISMATCH
    assert _confirm(firm, told.obligation_id, 0, 2) is RejectReason.NONE
    assert firm.balance(Kind.NOSTRO, 0, USD) == nostro + second - first
    assert not firm.pending(CASH)


def test_a_buyer_who_is_owed_money_settles_units_and_money_apart(firm: Firm) -> None:
    trade(firm, CASH, STOCK, -3, 20)
    trade(firm, CASH, STOCK, 5, 10)
    units, money = _net(firm)
    assert (units.obligation_side_code, units.obligation_minor) == (RECEIVE, 0)
    assert (money.obligation_side_code, money.obligation_minor) == (COLLECT, 10)
    assert _confirm(firm, units.obligation_id, 1, 1) is RejectReason.MISMATCH
    assert _confirm(firm, units.obligation_id, 1, 0) is RejectReason.NONE
    assert _confirm(firm, units.obligation_id, 1, 0) is RejectReason.NONE
    assert _confirm(firm, money.obligation_id, 0, 10) is RejectReason.NONE
    assert not firm.pending(CASH)


#  (lots bought at 100, mark, then what the account gains)
MARKS = [(10, 103, 30), (10, 97, -30), (-10, 97, 30), (-1, 101, -1), (1, 101, 1)]


@pytest.mark.parametrize(("lots", "mark", "gain"), MARKS)
def test_variation_moves_the_gain_to_cash_once(firm: Firm, lots: int, mark: int, gain: int) -> None:
    trade(firm, MARGIN, CFD, lots, 100)
    firm.must(SetMark, instrument_id=CFD, mark_ticks=mark)
    equity = firm.state.margin_minor(MARGIN)[0]
    nostro = firm.balance(Kind.NOSTRO, 0, USD)
    (told,) = _net(firm)
    (marked,) = firm.of(VariationSettled)
    assert (marked.variation_minor, marked.position_lots, marked.mark_ticks) == (gain, lots, mark)
    assert (told.asset_id, told.obligation_units, told.obligation_minor) == (0, 0, abs(gain))
    assert told.obligation_side_code == (COLLECT if gain > 0 else PAY)
    assert firm.balance(Kind.CLIENT, MARGIN, USD) == -100_000 - gain
    assert firm.state.margin_minor(MARGIN)[0] == equity
    assert _confirm(firm, told.obligation_id, 0, abs(gain)) is RejectReason.NONE
    assert firm.balance(Kind.NOSTRO, 0, USD) == nostro + gain
    assert not firm.pending(MARGIN)

    _next_day(firm)
    firm.must(RunSettlementCycle, trade_epoch_day=MONDAY + 1)
    assert firm.of(VariationSettled) == []


def _next_day(firm: Firm) -> None:
    days = {"next_epoch_day": MONDAY + 2, "second_epoch_day": MONDAY + 3}
    firm.must(StartBusinessDay, business_epoch_day=MONDAY + 1, **days)


def test_a_contract_closed_within_the_day_pays_its_difference(firm: Firm) -> None:
    trade(firm, MARGIN, CFD, 10, 100)
    trade(firm, MARGIN, CFD, -10, 104)
    (told,) = _net(firm)
    (marked,) = firm.of(VariationSettled)
    assert (marked.position_lots, marked.variation_minor) == (0, 40)
    assert (told.obligation_side_code, told.obligation_minor) == (COLLECT, 40)
    assert firm.state.positions[MARGIN, CFD]["cost_minor"] == 0


def test_a_contract_without_a_mark_stops_the_cycle(firm: Firm) -> None:
    trade(firm, CASH, STOCK, 1, 100)
    trade(firm, MARGIN, CFD, 1, 100)
    firm.state.instruments[CFD]["mark_ticks"] = 0
    assert firm.do(RunSettlementCycle, trade_epoch_day=MONDAY) is RejectReason.NOT_CONFIGURED
    assert has_open_trades(firm.state)
    assert firm.state.settlement.obligations == {}


def test_settlement_survives_a_dump(firm: Firm) -> None:
    trade(firm, CASH, STOCK, 7, 10)
    trade(firm, MARGIN, STOCK, -2, 10)
    received, delivered = _net(firm)
    firm.must(
        ConfirmSettlement,
        obligation_id=received.obligation_id,
        settled_units=3,
        settled_minor=30,
    )
    firm.must(ReportSettlementFailure, obligation_id=delivered.obligation_id)
    settlement = firm.state.settlement
    again = type(settlement).load(json.loads(json.dumps(settlement.dump())))
    assert again == settlement
    assert again.canonical() == settlement.canonical()
