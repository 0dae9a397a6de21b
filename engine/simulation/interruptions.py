"""Instruments that a price band took out of continuous trading, and how they are led back.

Owns: how long a call or a halt lasts, and which are on. Does not own: the bands (venue.py), halts that
somebody asked for (day.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.simulation.business_days import MINUTE_NS
from schemas.codes import InstrumentState, MarketEventReason
from schemas.headers import Command
from schemas.market import ChangeInstrumentState, InstrumentStateChanged

if TYPE_CHECKING:
    from engine.journal.frame import Frame

CALL_NS = 5 * MINUTE_NS
HALT_NS = 10 * MINUTE_NS


class Interruptions:
    """Follows every change of a phase. A call ends in an auction; a halt by the circuit breaker in a call."""

    def __init__(self) -> None:
        self._ends: dict[int, tuple[int, InstrumentState]] = {}  # when, and what comes then

    def see(self, frame: Frame) -> None:
        """Take in the changes of a frame."""
        names = ["instrument_id", "instrument_state_code", "order_end_code", "occurred_at_ns"]
        for section in frame.sections:
            if section.record.cls is not InstrumentStateChanged:
                continue
            for instrument_id, state, why, at_ns in section.rows[names].tolist():
                self._ends.pop(instrument_id, None)
                if state == InstrumentState.VOLATILITY_AUCTION:
                    self._ends[instrument_id] = at_ns + CALL_NS, InstrumentState.OPEN
                elif why == MarketEventReason.CIRCUIT_BREAKER:
                    self._ends[instrument_id] = at_ns + HALT_NS, InstrumentState.VOLATILITY_AUCTION

    def ending(self, at_ns: int) -> list[Command]:
        """Lead every instrument on whose call or halt is over."""
        over = sorted((i, then) for i, (ends_at_ns, then) in self._ends.items() if ends_at_ns <= at_ns)
        return [phase(instrument_id, then, at_ns) for instrument_id, then in over]


def phase(instrument_id: int, state: InstrumentState, at_ns: int) -> ChangeInstrumentState:
    """Lead an instrument to a phase of its session."""
    return ChangeInstrumentState(
        sequence=0,
        received_at_ns=at_ns,
        instrument_id=instrument_id,
        instrument_state_code=state,
    )
