"""The first morning: the engine is set up, owners and clients bring money and securities.

Owns: who brings what, the bank loan. Does not own: payment numbering and the bank's side of a payment
(funding.py), or the reserve (reserve_desk.py).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from engine.simulation import venue
from engine.simulation.bank import NOSTRO_USD, Bank, Family
from engine.simulation.custodian import Custodian
from engine.simulation.floor import Floor
from engine.simulation.funding import Funding
from engine.simulation.risk_model import risk_commands
from engine.simulation.world import (
    BANK_ID,
    BTC,
    DIRECTOR_ACCOUNT,
    ETH,
    EUR,
    FIRST_EQUITY_ASSET,
    SECURITIES,
    USD,
    World,
    account_commands,
    reference_commands,
    start_day,
)
from schemas.codes import AccountClass
from schemas.headers import Command
from schemas.ledger import (
    BankLoanTaken,
    BorrowFromBank,
    CapitalContributed,
    ContributeCapital,
)

if TYPE_CHECKING:
    from engine.journal.frame import Frame

UNFUNDED_ACCOUNT = 25  # opened, never funded, closed on the day
TREASURER = 111
CAPITAL_MINOR = 2_500_000_000
LOAN_MINOR = 120_000_000
PLEDGED_UNITS = 12_000
PLEDGED = SECURITIES[1]


def set_up(floor: Floor, world: World, day: date, at_ns: int) -> None:
    """Configure the engine (a frame of its own), then reference set, day, accounts, how they trade, risk."""
    configure, *reference = reference_commands(at_ns)
    floor.submit([configure])
    floor.submit([*reference, start_day(day, at_ns), *account_commands(world, at_ns)])
    floor.submit([*venue.rules(at_ns), *venue.schedules(at_ns), *venue.terms(world, at_ns)])
    floor.submit(list(risk_commands(world, at_ns)))


def bring_capital(floor: Floor, bank: Bank, at_ns: int) -> None:
    """The owners pay in."""
    asked = ContributeCapital(
        sequence=0,
        received_at_ns=at_ns,
        asset_id=USD,
        amount_units=CAPITAL_MINOR,
        operator_id=TREASURER,
    )
    number = _number(floor.submit([asked]), CapitalContributed, "cause_sequence")
    bank.pay(NOSTRO_USD, CAPITAL_MINOR, f"CC{number}", Family.TRANSFER, at_ns)


def fund_clients(floor: Floor, world: World, funding: Funding, at_ns: int) -> None:
    """Everybody but the unfunded account and the street brings money and some securities."""
    rng = funding.rng
    commands: list[Command] = []
    for holder in world.traders():
        if holder.account_id == UNFUNDED_ACCOUNT:
            continue
        is_margin = holder.account_class is AccountClass.CUSTOMER_MARGIN
        # Every third margin client brings securities and little money: what it buys leaves a debit balance.
        most = 4 if is_margin and holder.account_id % 3 == 1 else 250
        money = funding.plan_deposit(holder, USD, rng.randint(min(30, most // 2), most) * 1_000_000)
        commands.append(funding.deposit(money, at_ns))
        chosen = sorted(rng.sample(range(len(SECURITIES)), 3))
        chosen[0] = holder.account_id % len(SECURITIES)  # so that every security is held
        for place in sorted(set(chosen)):
            units = rng.randint(5, 120) * 20
            asset_id = FIRST_EQUITY_ASSET + place
            commands.append(funding.transfer_in(holder, asset_id, units, at_ns))
        if holder.account_id % 3 == 0 and holder.account_id < DIRECTOR_ACCOUNT:
            units = rng.randint(20, 300) * 1_000_000
            commands.append(funding.transfer_in(holder, BTC, units, at_ns))
        if is_margin and holder.account_id % 4 == 0:
            euros = funding.plan_deposit(holder, EUR, rng.randint(20, 200) * 100_000)
            commands.append(funding.deposit(euros, at_ns))
            units = rng.randint(20, 200) * 10_000_000
            commands.append(funding.transfer_in(holder, ETH, units, at_ns))
    floor.submit(commands)


def borrow(floor: Floor, bank: Bank, custodian: Custodian, at_ns: int) -> int:
    """Borrow against margin securities; they leave custody for the bank. The loan's number."""
    units = min(PLEDGED_UNITS, custodian.held(PLEDGED.asset_id) // 2)
    asked = BorrowFromBank(
        sequence=0,
        received_at_ns=at_ns,
        bank_id=BANK_ID,
        money_asset_id=USD,
        loan_units=LOAN_MINOR,
        pledged_asset_id=PLEDGED.asset_id,
        pledged_units=units,
        operator_id=TREASURER,
    )
    number = _number(floor.submit([asked]), BankLoanTaken, "sequence")
    custodian.deliver(PLEDGED.asset_id, units)
    bank.pay(NOSTRO_USD, LOAN_MINOR, f"BL{number}", Family.LOAN, at_ns)
    return number


def _number(frame: Frame | None, cls: type, column: str) -> int:
    """A number of the one event of a class in a frame. Raises ValueError when there is none."""
    for section in frame.sections if frame else ():
        if section.record.cls is cls:
            return int(section.rows[column][0])
    raise ValueError(f"the engine did not answer with {cls.__name__}")
