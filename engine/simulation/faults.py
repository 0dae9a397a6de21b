"""Labelled faults: what goes wrong on the simulated day, and the breaks that must come of each.

Owns: the choice of faults by seed and their labels. Does not own: how bank, clearing house and
custodian carry a fault out. Products never read the labels; only the summary of a day compares.

A reference carries one fault at most, and a security either a custody fault or one faulty
confirmation, so that no fault hides or doubles another.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from engine.errors import BadInput
from engine.simulation.bank import Bank, Distortion
from engine.simulation.custodian import Custodian
from engine.simulation.obligations import Obligation
from engine.simulation.world import SECURITIES
from schemas.codes import ObligationSide

SMALL_DAY = 12  # obligations; a larger day may have a class of bank faults twice
SMALLEST_FAULTY_UNITS = 10  # so that a tenth is at least one unit


class Fault(Enum):
    """Every class of fault; the value is its label."""

    CONFIRMATION_MISSING = "confirmation_missing"
    CONFIRMATION_DUPLICATED = "confirmation_duplicated"
    CONFIRMATION_QUANTITY = "confirmation_quantity"
    CONFIRMATION_UNKNOWN = "confirmation_unknown"
    BANK_LINE_MISSING = "bank_line_missing"
    BANK_LINE_AMOUNT = "bank_line_amount"
    BANK_LINE_DUPLICATED = "bank_line_duplicated"
    BANK_FEE = "bank_fee"
    UNIDENTIFIED_RECEIPT = "unidentified_receipt"
    CUSTODY_QUANTITY = "custody_quantity"
    CUSTODY_MISSING = "custody_missing"


class Break(NamedTuple):
    """One break that reconciliation must find."""

    stage: str
    cause: str
    reference: str


class Label(NamedTuple):
    """One fault and every break that follows from it."""

    fault: Fault
    breaks: tuple[Break, ...]


DISTORTIONS = {
    Fault.BANK_LINE_MISSING: (Distortion.OMIT, "MISSING_THEIRS"),
    Fault.BANK_LINE_AMOUNT: (Distortion.SHORT, "AMOUNT"),
    Fault.BANK_LINE_DUPLICATED: (Distortion.TWICE, "DUPLICATE"),
}


class Faults:
    """The faults of one day: chosen once, labelled as they are chosen or carried out."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(f"{seed}:faults")
        self.labels: list[Label] = []
        self.of_confirmation: dict[int, Fault] = {}  # by obligation_id
        self._of_bank_line: set[str] = set()  # references

    def choose(
        self,
        due: Sequence[Obligation],
        payment_references: Sequence[str],
        bank: Bank,
        custodian: Custodian,
    ) -> None:
        """Choose the faults of the day among obligations that are due and payments that will come.

        Raises BadInput when the day is too small to hold one fault of every class.
        """
        sound = self._choose_by_security(due, custodian)
        pools = [[o.reference for o in sound], list(payment_references)]
        if sum(len(pool) for pool in pools) <= len(DISTORTIONS):
            raise BadInput("the simulated day is too small to hold one fault of every class")
        for fault, (how, cause) in DISTORTIONS.items():
            for _ in range(self._rng.randint(1, 2) if len(sound) > SMALL_DAY else 1):
                pool = self._rng.choice([p for p in pools if p])
                reference = pool.pop(self._rng.randrange(len(pool)))
                bank.distort(reference, how)
                self._of_bank_line.add(reference)
                self.note(fault, Break("cash", cause, reference))

    def _choose_by_security(self, due: Sequence[Obligation], custodian: Custodian) -> list[Obligation]:
        """Choose securities for the faults that move custody; return untouched obligations."""
        able = [o for o in due if _can_carry_fault(o)]
        by_isin: dict[str, list[Obligation]] = {s.isin: [] for s in SECURITIES}
        for obligation in able:
            by_isin[obligation.isin].append(obligation)
        shuffled = self._rng.sample(SECURITIES, len(SECURITIES))
        traded = [s for s in shuffled if by_isin[s.isin]]
        if len(traded) < 3:
            raise BadInput("the simulated day is too small to hold one fault of every class")
        missing, quantity = traded[:2]
        others = [s for s in shuffled if s not in (missing, quantity)]
        misstated, left_out = [s for s in others if s is not traded[2]][:2]
        for security, fault, cause in (
            (missing, Fault.CONFIRMATION_MISSING, "MISSING_THEIRS"),
            (quantity, Fault.CONFIRMATION_QUANTITY, "QUANTITY"),
        ):
            chosen = self._rng.choice(by_isin[security.isin])
            reference = chosen.reference
            self.of_confirmation[chosen.obligation_id] = fault
            self.note(
                fault,
                Break("settlement", cause, reference),
                Break("cash", "MISSING_OURS", reference),
                Break("custody", "QUANTITY", security.isin),
            )
        custodian.misstate(misstated.asset_id, self._rng.choice((-7, 11, 25)))
        self.note(Fault.CUSTODY_QUANTITY, Break("custody", "QUANTITY", misstated.isin))
        custodian.leave_out(left_out.asset_id)
        self.note(Fault.CUSTODY_MISSING, Break("custody", "MISSING_THEIRS", left_out.isin))
        duplicated = self._rng.choice(by_isin[traded[2].isin])
        self.of_confirmation[duplicated.obligation_id] = Fault.CONFIRMATION_DUPLICATED
        self.note(
            Fault.CONFIRMATION_DUPLICATED,
            Break("settlement", "DUPLICATE", duplicated.reference),
        )
        return [o for o in able if o.obligation_id not in self.of_confirmation]

    def touches(self, obligation: Obligation) -> bool:
        """Whether a fault was chosen for the obligation; it must then settle in one piece."""
        return obligation.obligation_id in self.of_confirmation or obligation.reference in self._of_bank_line

    def note(self, fault: Fault, *breaks: Break) -> None:
        """Label a fault with the breaks that follow."""
        self.labels.append(Label(fault, breaks))

    def unknown_obligation_id(self, highest: int) -> int:
        """A number of an obligation that is not ours."""
        return 900_000_000 + highest + self._rng.randint(1, 99_999)

    def bank_fee_minor(self) -> int:
        """What the bank charges us without being asked."""
        return self._rng.randint(1_500, 9_900)

    def receipt_minor(self) -> int:
        """Money of an unknown payer."""
        return self._rng.randint(10_000, 900_000)

    def write(self, path: Path) -> None:
        """Write the labels as JSON, in the order in which they were noted."""
        path.parent.mkdir(parents=True, exist_ok=True)
        told = [{"fault": x.fault.value, "breaks": [b._asdict() for b in x.breaks]} for x in self.labels]
        path.write_text(json.dumps(told, indent=1) + "\n")


def _can_carry_fault(obligation: Obligation) -> bool:
    return (
        obligation.side is ObligationSide.RECEIVE
        and obligation.isin != ""
        and obligation.units >= SMALLEST_FAULTY_UNITS
        and obligation.minor >= 1_000
    )
