"""Bank, custodian, clearing house and check digits, each on its own."""

from __future__ import annotations

from datetime import date

import pytest

from engine.errors import BadInput
from engine.simulation.bank import NOSTRO_USD, Bank, Distortion, Family
from engine.simulation.business_days import following, new_york_ns, preceding
from engine.simulation.clearing_house import WAVE_COUNT, ClearingHouse
from engine.simulation.custodian import Custodian
from engine.simulation.faults import Fault, Faults
from engine.simulation.identifiers import with_iban_check, with_isin_check
from engine.simulation.letters import Letter
from engine.simulation.obligations import Obligation
from engine.simulation.people import make_person
from engine.simulation.rails import told_by
from engine.simulation.world import EQUITY_CFD, FIRST_EQUITY_ASSET, SECURITIES, USD, make_world
from schemas.codes import AccountClass, ObligationSide
from schemas.days import epoch_day_of
from schemas.iso20022.check_digits import is_iban, is_isin
from schemas.settlement import ConfirmSettlement, ReportSettlementFailure

DAY = date(2026, 10, 6)
NOON = new_york_ns(DAY, 12)
EQUITY = FIRST_EQUITY_ASSET


def test_check_digits_of_known_identifiers() -> None:
    assert with_isin_check("US037833100") == "US0378331005"
    assert with_isin_check("DE000716460") == "DE0007164600"
    assert with_iban_check("GB", "WEST12345698765432") == "GB82WEST12345698765432"
    assert with_iban_check("DE", "370400440532013000") == "DE89370400440532013000"
    with pytest.raises(ValueError, match="eleven"):
        with_isin_check("US03783310")


def test_made_up_identifiers_are_well_formed() -> None:
    assert all(is_isin(s.isin) for s in SECURITIES)
    assert len({s.isin for s in SECURITIES}) == len(SECURITIES)
    assert all(is_iban(make_person(client_id, 1).iban) for client_id in make_world(1).client_ids())


def test_world_has_every_class_of_account_and_clients_are_not_accounts() -> None:
    world = make_world(3)
    assert {h.account_class for h in world.holders} == set(AccountClass)
    assert [h.account_id for h in world.holders] == list(range(1, len(world.holders) + 1))
    assert not {h.account_id for h in world.holders} & set(world.client_ids())
    assert len(world.client_ids()) < len(world.holders)  # some clients have two accounts


def test_business_days_step_over_weekends_and_holidays() -> None:
    assert following(date(2026, 11, 25)) == date(2026, 11, 27)  # Thanksgiving between
    assert following(date(2026, 10, 2), 2) == date(2026, 10, 6)
    assert preceding(date(2026, 10, 5)) == date(2026, 10, 2)
    assert new_york_ns(DAY, 9, 30) == (epoch_day_of(DAY) * 86_400 + 13 * 3_600 + 1_800) * 10**9


@pytest.mark.parametrize(
    ("how", "booked"),
    [
        (None, [10_000]),
        (Distortion.OMIT, []),
        (Distortion.TWICE, [10_000, 10_000]),
        (Distortion.SHORT, [9_900]),
    ],
)
def test_bank_books_a_payment_as_it_is_told_to(how: Distortion | None, booked: list[int]) -> None:
    bank = Bank()
    bank.start_day(DAY)
    if how:
        bank.distort("DP7", how)
    bank.pay(NOSTRO_USD, 10_000, "DP7", Family.RECEIPT, NOON)
    entries = bank.accounts[NOSTRO_USD].entries
    assert [e.amount_minor for e in entries] == booked
    assert len({e.entry_reference for e in entries}) == len(booked)
    bank.pay(NOSTRO_USD, -10_000, "DP8", Family.PAYMENT, NOON)
    assert bank.accounts[NOSTRO_USD].closing_minor == sum(booked) - 10_000


def test_custodian_states_what_it_holds_but_for_its_faults() -> None:
    custodian = Custodian()
    for asset_id in (EQUITY, EQUITY + 1, EQUITY + 2):
        custodian.receive(asset_id, 100)
    custodian.deliver(EQUITY, 40)
    custodian.misstate(EQUITY + 1, -7)
    custodian.leave_out(EQUITY + 2)
    assert custodian.stated_units() == {EQUITY: 60, EQUITY + 1: 93}
    assert custodian.held(EQUITY + 1) == 100
    with pytest.raises(ValueError, match="holds 60"):
        custodian.deliver(EQUITY, 61)


def _obligation(number: int, side: ObligationSide, units: int, minor: int) -> Obligation:
    today = epoch_day_of(DAY)
    asset_id = EQUITY if units else 0
    return Obligation(
        number, 1, EQUITY_CFD.instrument_id, asset_id, USD, side, units, minor, today - 1, today
    )


def _settled_day(obligations: list[Obligation], held: int) -> tuple[Bank, Custodian, list[Letter]]:
    bank, custodian = Bank(), Custodian()
    bank.start_day(DAY)
    custodian.receive(EQUITY, held)
    house = ClearingHouse(5, bank, custodian, Faults(5))
    house.accept(obligations)
    house.plan(DAY)
    letters = [x for wave in range(WAVE_COUNT) for x in house.settle_wave(wave, DAY, NOON)]
    assert house.due(DAY) == []
    return bank, custodian, letters


def test_what_the_messages_say_is_what_moved() -> None:
    obligations = [_obligation(n, ObligationSide.RECEIVE, 100 + n, 7_777 * n) for n in range(1, 120)]
    bank, custodian, letters = _settled_day(obligations, 0)
    told = [c for letter in letters for c in told_by(letter, NOON)]
    confirmed = [c for c in told if isinstance(c, ConfirmSettlement)]
    failed = {c.obligation_id for c in told if isinstance(c, ReportSettlementFailure)}
    assert sum(c.settled_units for c in confirmed) == custodian.held(EQUITY)
    assert sum(c.settled_minor for c in confirmed) == -bank.accounts[NOSTRO_USD].closing_minor
    by_obligation: dict[int, list[ConfirmSettlement]] = {}
    for c in confirmed:
        by_obligation.setdefault(c.obligation_id, []).append(c)
    for o in obligations:
        parts = by_obligation.get(o.obligation_id, [])
        if o.obligation_id in failed:
            assert sum(p.settled_units for p in parts) < o.units
        else:
            assert sum(p.settled_units for p in parts) == o.units
            assert sum(p.settled_minor for p in parts) == o.minor
    counts = {len(parts) for parts in by_obligation.values()}
    assert counts == {1, 2}
    assert failed and len(failed) < len(obligations) // 3
    assert failed & set(by_obligation)  # some settled in part before the rest failed
    assert failed - set(by_obligation)


def test_what_is_not_held_is_not_delivered() -> None:
    bank, custodian, letters = _settled_day([_obligation(9, ObligationSide.DELIVER, 50, 100)], 49)
    (failure,) = [c for letter in letters for c in told_by(letter, NOON)]
    assert isinstance(failure, ReportSettlementFailure)
    assert failure.obligation_id == 9
    assert custodian.held(EQUITY) == 49
    assert bank.accounts[NOSTRO_USD].entries == []


@pytest.mark.parametrize(
    ("side", "minor"), [(ObligationSide.PAY_CASH, -345), (ObligationSide.COLLECT_CASH, 345)]
)
def test_money_alone_settles_too(side: ObligationSide, minor: int) -> None:
    bank, _, letters = _settled_day([_obligation(4, side, 0, 345)], 0)
    (confirmed,) = [c for letter in letters for c in told_by(letter, NOON)]
    assert isinstance(confirmed, ConfirmSettlement)
    assert (confirmed.obligation_id, confirmed.settled_units, confirmed.settled_minor) == (4, 0, 345)
    assert bank.accounts[NOSTRO_USD].closing_minor == minor


@pytest.mark.parametrize("seed", range(8))
def test_an_obligation_with_a_fault_settles_in_one_piece(seed: int) -> None:
    bank, custodian, faults = Bank(), Custodian(), Faults(seed)
    bank.start_day(DAY)
    obligations = [
        _obligation(n, ObligationSide.RECEIVE, 100, 5_000)._replace(asset_id=EQUITY + n % len(SECURITIES))
        for n in range(1, 60)
    ]
    house = ClearingHouse(seed, bank, custodian, faults)
    house.accept(obligations)
    faults.choose(house.due(DAY), [], bank, custodian)
    house.plan(DAY)
    letters = [x for wave in range(WAVE_COUNT) for x in house.settle_wave(wave, DAY, NOON)]
    told = [c for letter in letters for c in told_by(letter, NOON)]
    touched = [o for o in obligations if faults.touches(o)]
    assert len(touched) >= 6
    for o in touched:
        about = [c for c in told if isinstance(c, ConfirmSettlement) and c.obligation_id == o.obligation_id]
        expected = {Fault.CONFIRMATION_MISSING: [], Fault.CONFIRMATION_QUANTITY: [90]}
        expected[Fault.CONFIRMATION_DUPLICATED] = [100, 100]
        fault = faults.of_confirmation.get(o.obligation_id)
        assert [c.settled_units for c in about] == (expected[fault] if fault else [100])


def test_too_small_a_day_is_refused() -> None:
    with pytest.raises(BadInput, match="too small"):
        Faults(1).choose([], ["DP1", "DP2"], Bank(), Custodian())
