"""The trading floor: where the world's commands meet the engine, counted and seen by everybody.

Owns: handing batches to the pipeline, the clock's hand, and the tally. Does not own: who asks what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.clock import FakeClock
from engine.risk.desk import RiskDesk
from engine.simulation.interruptions import Interruptions
from engine.simulation.letters import Letter
from engine.simulation.obligations import Obligation, instructed
from engine.simulation.order_watch import OrderWatch
from schemas.codes import MarketEventReason, RejectReason
from schemas.market import (
    AuctionUncrossed,
    CommandRefused,
    OrderCancelled,
    OrderExpired,
    OrderReduced,
    OrderRefused,
    PlaceOrder,
)
from schemas.record import Role

if TYPE_CHECKING:
    from engine.journal.frame import Frame
    from engine.state import State

Progress = Callable[[str], None]


class Engine(Protocol):
    """What the floor needs of a pipeline."""

    def submit(self, commands: Sequence[Any]) -> Frame:
        """Decide a batch; durable when this returns."""
        ...

    @property
    def state(self) -> State:
        """The state after the last frame."""
        ...


@dataclass
class Tally:
    """What happened so far."""

    frame_count: int = 0
    command_count: int = 0
    order_count: int = 0
    event_count: int = 0
    auction_count: int = 0
    refused: dict[str, int] = field(default_factory=dict[str, int])  # by reason
    ended: dict[str, int] = field(default_factory=dict[str, int])  # orders cut or ended unfilled, by reason

    def count(self, frame: Frame) -> None:
        """Add one frame."""
        self.frame_count += 1
        for section in frame.sections:
            number = len(section.rows)
            if section.record.role is Role.COMMAND:
                self.command_count += number
            else:
                self.event_count += number
            if section.record.cls is PlaceOrder:
                self.order_count += number
            elif section.record.cls is AuctionUncrossed:
                self.auction_count += number
            elif section.record.cls in (OrderRefused, CommandRefused):
                _count(self.refused, RejectReason, section.rows["reject_reason_code"].tolist())
            elif section.record.cls in (OrderCancelled, OrderExpired, OrderReduced):
                _count(self.ended, MarketEventReason, section.rows["order_end_code"].tolist())


def _count(counts: dict[str, int], codes: type[IntEnum], values: list[int]) -> None:
    for code in values:
        name = codes(code).name
        counts[name] = counts.get(name, 0) + 1


class Floor:
    """Submits batches; what comes back moves the watch, the tally and the obligations."""

    def __init__(self, engine: Engine, clock: FakeClock, inbox: Path, progress: Progress) -> None:
        self.clock = clock
        self.watch = OrderWatch()
        self.interruptions = Interruptions()
        self.tally = Tally()
        self.obligations: list[Obligation] = []
        self.progress = progress
        self._engine = engine
        self._desk: RiskDesk | None = None
        self._inbox = inbox

    def submit(self, commands: Sequence[Any]) -> Frame | None:
        """Hand in a batch and move the clock to its last command; nothing is no batch."""
        if not commands:
            return None
        self.clock.set(max(self.clock.now_ns(), commands[-1].received_at_ns))
        frame = self._decide(commands)
        self._desk = self._desk or RiskDesk(self._engine.state)
        while steps := self._desk.due(self.clock.now_ns()):
            self._decide(steps)
        return frame

    def _decide(self, commands: Sequence[Any]) -> Frame:
        frame = self._engine.submit(commands)
        self.watch.see(frame)
        self.interruptions.see(frame)
        self.tally.count(frame)
        self.obligations += instructed(frame)
        return frame

    def now_or(self, at_ns: int) -> int:
        """The instant asked for, or now where the clock is past it."""
        return max(at_ns, self.clock.now_ns())

    def receive(self, letter: Letter) -> None:
        """Put a file from outside into the inbox, whole or not at all."""
        self._inbox.mkdir(parents=True, exist_ok=True)
        arriving = self._inbox / f".{letter.name}.part"
        arriving.write_bytes(letter.content)
        arriving.replace(self._inbox / letter.name)
