"""The reserve desk: facts on record, the special reserve accounts with their first deposits, an instruction.

Owns: what the maker and the checker ask of the engine before the day. Does not own the day's computation and
its order: the product prepares it from the marts, and a second person approves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from engine.reserve.calendar import month_end, months_after
from engine.reserve.deadline import focus_due
from engine.simulation.bank import (
    NOSTRO_USD,
    PAB_RESERVE_USD,
    RESERVE_USD,
    SECOND_RESERVE_USD,
    Bank,
    Family,
)
from engine.simulation.floor import Floor
from engine.simulation.funding import Funding
from engine.simulation.world import TREASURY, USD
from schemas.codes import CapitalMethod, ControlStep, ReserveFormula
from schemas.days import epoch_day_of
from schemas.reserve import (
    ApproveReserveOrder,
    CompleteControlInstruction,
    ControlInstructionRecorded,
    OpenReserveAccount,
    PrepareReserveOrder,
    RecordBankEquity,
    RecordControlInstruction,
    RecordFirmCapital,
    RecordFocusTotals,
    RecordQualifiedSecurity,
    RecordReserveElection,
    RejectReserveOrder,
)

if TYPE_CHECKING:
    from engine.journal.frame import Frame

MAKER, CHECKER = 111, 112
# bank, whose, our account there, the first deposit
RESERVES = (
    (1, ReserveFormula.CUSTOMER, RESERVE_USD, 900_000_000),
    (2, ReserveFormula.CUSTOMER, SECOND_RESERVE_USD, 150_000_000),
    (1, ReserveFormula.PAB, PAB_RESERVE_USD, 100_000_000),
)
EQUITY_MINOR = {1: 2_500_000_000_000, 2: 400_000_000_000}  # of each bank
FIRST_LETTER = 20_001  # documents: the banks' letters, and last the prospectus of the bond
PROSPECTUS = FIRST_LETTER + len(RESERVES)
CAPITAL = {
    "tentative_net_capital_minor": 2_400_000_000,
    "net_capital_minor": 2_100_000_000,
    "aggregate_indebtedness_minor": 9_000_000_000,
    "aggregate_debit_items_minor": 6_000_000_000,
    "customer_funds_minor": 5_000_000_000,
}
REPORTS = 12
VOLUNTARY_NOTICE = timedelta(days=120)  # before the day: daily computation by choice has long begun


class ReserveDesk:
    """Who keeps the reserve; the eve records facts and deposits, the day completes an instruction."""

    def __init__(self, floor: Floor, bank: Bank, funding: Funding) -> None:
        self._floor, self._bank, self._funding = floor, bank, funding
        self._recall = 0  # the instruction that the day completes

    def record_facts(self, day: date, at_ns: int) -> None:
        """Put on record what frequency, deposit and notices rest on."""
        as_of = {"as_of_epoch_day": epoch_day_of(day)}
        facts: list[Any] = [
            RecordBankEquity(**_head(at_ns), bank_id=bank_id, equity_minor=equity, **as_of)
            for bank_id, equity in EQUITY_MINOR.items()
        ]
        facts.append(RecordFirmCapital(**_head(at_ns), **CAPITAL, **as_of))
        facts += _reports(day, at_ns)
        facts.append(
            RecordReserveElection(
                **_head(at_ns),
                capital_method_code=CapitalMethod.ALTERNATIVE,
                voluntary_notice_epoch_day=epoch_day_of(day - VOLUNTARY_NOTICE),
                voluntary_begin_epoch_day=0,
                voluntary_end_epoch_day=0,
                exit_notice_epoch_day=0,
                required_begin_epoch_day=0,
                is_monthly_customer=0,
                is_monthly_pab=0,
                has_customer_accounts=1,
                has_own_trading=1,
            )
        )
        facts.append(RecordQualifiedSecurity(**_head(at_ns), asset_id=TREASURY, document_id=PROSPECTUS))
        self._floor.submit(facts)

    def fill_reserves(self, day: date, at_ns: int) -> None:
        """Open the accounts and make the first deposits, each by two people; one order is taken back.

        Source: 17 CFR 240.15c3-3(e)(1), (f).
        """
        for letter, (bank_id, formula, account, amount_minor) in enumerate(RESERVES, FIRST_LETTER):
            opened = OpenReserveAccount(
                **_head(at_ns),
                bank_id=bank_id,
                reserve_formula_code=formula,
                is_affiliate=0,
                letter_document_id=letter,
            )
            payment_id = self._funding.payment_id()
            asked = _order(payment_id, bank_id, formula, amount_minor, day, at_ns)
            approved = ApproveReserveOrder(**_head(at_ns, CHECKER), payment_id=payment_id)
            self._floor.submit([opened, asked, approved])
            reference = f"RD{payment_id}"
            self._bank.pay(NOSTRO_USD, -amount_minor, reference, Family.TRANSFER, at_ns)
            self._bank.pay(account, amount_minor, reference, Family.TRANSFER, at_ns)
        payment_id = self._funding.payment_id()
        mistaken = _order(payment_id, 1, ReserveFormula.PAB, 1_000_000_000, day, at_ns)
        taken_back = RejectReserveOrder(**_head(at_ns), payment_id=payment_id)
        self._floor.submit([mistaken, taken_back])

    def instruct(self, pledged_asset_id: int, lent_asset_id: int, at_ns: int) -> None:
        """Ask the bank to release a lien, and the borrower to return a loan."""
        steps = ((ControlStep.RELEASE_LIEN, pledged_asset_id), (ControlStep.RECALL_LOAN, lent_asset_id))
        frame = self._floor.submit(
            [
                RecordControlInstruction(
                    **_head(at_ns),
                    asset_id=asset_id,
                    control_step_code=step,
                    instructed_units=50,
                    due_epoch_day=0,
                )
                for step, asset_id in steps
            ]
        )
        self._recall = _items(frame)[0]

    def complete(self, at_ns: int) -> None:
        """The bank has released the lien; the loan is still out."""
        self._floor.submit([CompleteControlInstruction(**_head(at_ns), item_id=self._recall)])


def _reports(day: date, at_ns: int) -> Iterator[RecordFocusTotals]:
    """The twelve month ends whose reports were due by a day, each filed on its last day."""
    last = month_end(day)
    while focus_due(last) > day:
        last = months_after(last, -1)
    for n in range(REPORTS):
        month = months_after(last, n + 1 - REPORTS)
        yield RecordFocusTotals(
            **_head(at_ns),
            month_epoch_day=epoch_day_of(month),
            filed_epoch_day=epoch_day_of(focus_due(month)),
            customer_credits_minor=4_000_000_000 + n * 50_000_000,
            pab_credits_minor=90_000_000 + n * 1_000_000,
            is_amended=0,
        )


def _order(
    payment_id: int, bank_id: int, formula: ReserveFormula, amount_minor: int, day: date, at_ns: int
) -> PrepareReserveOrder:
    return PrepareReserveOrder(
        **_head(at_ns),
        payment_id=payment_id,
        asset_id=USD,
        amount_units=amount_minor,
        as_of_epoch_day=epoch_day_of(day),
        required_minor=sum(minor for _, whose, _, minor in RESERVES if whose is formula),
        eligible_minor=0,
        bank_id=bank_id,
        reserve_formula_code=formula,
    )


def _head(at_ns: int, operator_id: int = MAKER) -> dict[str, int]:
    return {"sequence": 0, "received_at_ns": at_ns, "operator_id": operator_id}


def _items(frame: Frame | None) -> list[int]:
    for section in frame.sections if frame else ():
        if section.record.cls is ControlInstructionRecorded:
            return section.rows["item_id"].tolist()
    raise ValueError("the engine recorded no instruction")
