"""The clearing house: it settles our obligations against payment, wholly, in part or not at all.

Owns: what really settles, and the messages about it (sese.025, sese.024). Does not own: what the
engine makes of them; it is told by the messages only.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

from engine.simulation.bank import NOSTRO_OF, Bank, Family
from engine.simulation.custodian import Custodian
from engine.simulation.faults import Break, Fault, Faults
from engine.simulation.letters import Letter, confirmation_letter, status_letter
from engine.simulation.obligations import Obligation
from engine.simulation.world import ASSET_BY_ID, EQUITIES, USD
from schemas.codes import AssetClass, ObligationSide
from schemas.days import epoch_day_of

WAVE_COUNT = 3


class Outcome(Enum):
    """How an obligation ends on its settlement date."""

    WHOLE = "whole"
    IN_TWO_PARTS = "in two parts"
    PART_ONLY = "part only"  # the rest fails
    NOTHING = "nothing"


OUTCOMES = (Outcome.WHOLE, Outcome.IN_TWO_PARTS, Outcome.PART_ONLY, Outcome.NOTHING)
WEIGHTS = (84, 5, 5, 6)


Settled = tuple[int, int, int]  # units and money settled now, units still open


@dataclass
class Claim:
    """An obligation and what is still open of it."""

    obligation: Obligation
    open_units: int
    open_minor: int
    outcome: Outcome = Outcome.WHOLE
    wave: int = 0
    has_failed: bool = False


class ClearingHouse:
    """Keeps every claim until it is settled."""

    def __init__(self, seed: int, bank: Bank, custodian: Custodian, faults: Faults) -> None:
        self._rng = random.Random(f"{seed}:clearing")
        self._bank = bank
        self._custodian = custodian
        self._faults = faults
        self._claims: dict[int, Claim] = {}
        self._letter_number = 0

    def accept(self, obligations: Iterable[Obligation]) -> None:
        """Take instructions."""
        for o in obligations:
            self._claims[o.obligation_id] = Claim(o, o.units, o.minor)

    def due(self, day: date) -> list[Obligation]:
        """Obligations due by the day that neither settled nor failed, in the order they came."""
        return [c.obligation for c in self._due_claims(day)]

    def plan(self, day: date) -> None:
        """Decide how each due obligation ends and in which wave of the day it begins to."""
        for claim in self._due_claims(day):
            claim.wave = self._rng.randrange(WAVE_COUNT)
            drawn = self._rng.choices(OUTCOMES, WEIGHTS)[0]
            obligation = claim.obligation
            may_break = obligation.isin != "" and obligation.units >= 4
            if may_break and not self._faults.touches(obligation):
                claim.outcome = drawn
            if claim.outcome is Outcome.IN_TWO_PARTS:
                claim.wave = self._rng.randrange(WAVE_COUNT - 1)

    def settle_wave(self, wave: int, day: date, at_ns: int) -> list[Letter]:
        """Settle what the wave holds: receipts before deliveries, then what is left of parts.

        In the last wave whatever is still open fails.
        """
        letters: list[Letter] = []
        claims = self._due_claims(day)
        begun = [c for c in claims if c.wave == wave and c.outcome is not Outcome.NOTHING]
        rest = [
            c
            for c in claims
            if c.wave < wave and c.outcome is Outcome.IN_TWO_PARTS and c.open_units < c.obligation.units
        ]
        for claim in sorted(begun, key=lambda c: not c.obligation.is_inward):
            in_part = claim.outcome in (Outcome.IN_TWO_PARTS, Outcome.PART_ONLY)
            letters += self._settle(claim, day, at_ns, in_part=in_part)
        for claim in rest:
            letters += self._settle(claim, day, at_ns, in_part=False)
        if wave == WAVE_COUNT - 1:
            for claim in self._due_claims(day):
                letters.append(self._fail(claim, day))
        return letters

    def settle_all(self, day: date, at_ns: int) -> list[Letter]:
        """Settle every due obligation wholly: for what is due on the day of its trade."""
        letters: list[Letter] = []
        for claim in sorted(self._due_claims(day), key=lambda c: not c.obligation.is_inward):
            letters += self._settle(claim, day, at_ns, in_part=False)
        return letters

    def confirm_unknown(self, day: date, at_ns: int) -> Letter:
        """Confirm an obligation that is not ours."""
        number = self._faults.unknown_obligation_id(max(self._claims, default=0))
        traded = self._rng.choice(EQUITIES)
        units = self._rng.randint(10, 400)
        today = epoch_day_of(day)
        stranger = Obligation(
            number, 0, traded.instrument_id, traded.base_asset_id, USD, ObligationSide.RECEIVE,
            units, units * traded.opening_ticks, today, today,
        )  # fmt: skip
        self._faults.note(Fault.CONFIRMATION_UNKNOWN, Break("settlement", "MISSING_OURS", stranger.reference))
        return self._confirm(stranger, (stranger.units, stranger.minor, 0), day, at_ns)

    def _due_claims(self, day: date) -> list[Claim]:
        today = epoch_day_of(day)
        return [c for c in self._claims.values() if c.obligation.due_epoch_day <= today and not c.has_failed]

    def _settle(self, claim: Claim, day: date, at_ns: int, *, in_part: bool) -> list[Letter]:
        obligation = claim.obligation
        units, minor = claim.open_units, claim.open_minor
        if in_part:
            units = max(1, claim.open_units * self._rng.randint(30, 80) // 100)
            minor = claim.open_minor * units // claim.open_units
        if not self._can_move(obligation, units):
            return []  # it stays open, so that the last wave fails it
        self._move(obligation, units, minor, at_ns)
        claim.open_units -= units
        claim.open_minor -= minor
        if not in_part:
            del self._claims[obligation.obligation_id]
        return self._tell(obligation, (units, minor, claim.open_units), day, at_ns)

    def _can_move(self, obligation: Obligation, units: int) -> bool:
        if obligation.side is not ObligationSide.DELIVER:
            return True
        if ASSET_BY_ID[obligation.asset_id].asset_class is AssetClass.CURRENCY:
            return True
        return self._custodian.held(obligation.asset_id) >= units

    def _move(self, obligation: Obligation, units: int, minor: int, at_ns: int) -> None:
        """Delivery against payment, at custodian and bank."""
        quote = ASSET_BY_ID[obligation.quote_asset_id].symbol
        self._bank.pay(
            NOSTRO_OF[quote],
            obligation.money_sign * minor,
            obligation.reference,
            Family.SETTLEMENT,
            at_ns,
        )
        if obligation.asset_id == 0:
            return
        asset = ASSET_BY_ID[obligation.asset_id]
        if asset.asset_class is AssetClass.CURRENCY:
            signed = units if obligation.is_inward else -units
            self._bank.pay(NOSTRO_OF[asset.symbol], signed, obligation.reference, Family.SETTLEMENT, at_ns)
        elif obligation.is_inward:
            self._custodian.receive(obligation.asset_id, units)
        else:
            self._custodian.deliver(obligation.asset_id, units)

    def _tell(self, obligation: Obligation, settled: Settled, day: date, at_ns: int) -> list[Letter]:
        """Confirm as it was, or with the fault that was chosen for it."""
        fault = self._faults.of_confirmation.get(obligation.obligation_id)
        if fault is Fault.CONFIRMATION_MISSING:
            return []
        if fault is Fault.CONFIRMATION_QUANTITY:
            units, minor, open_units = settled
            settled = units - max(1, units // 10), minor, open_units
        times = 2 if fault is Fault.CONFIRMATION_DUPLICATED else 1
        return [self._confirm(obligation, settled, day, at_ns) for _ in range(times)]

    def _confirm(self, obligation: Obligation, settled: Settled, day: date, at_ns: int) -> Letter:
        self._letter_number += 1
        agent_reference = f"CH{day:%Y%m%d}C{self._letter_number:05d}"
        return confirmation_letter(self._letter_number, agent_reference, obligation, *settled, day, at_ns)

    def _fail(self, claim: Claim, day: date) -> Letter:
        self._letter_number += 1
        claim.has_failed = True
        return status_letter(
            self._letter_number,
            f"CH{day:%Y%m%d}F{self._letter_number:05d}",
            claim.obligation,
            claim.open_units,
            claim.open_minor,
            day,
        )
