"""Messages between clients and machines: each may be lost, doubled, late, or overtaken by a later one."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.simulator.clock import MS
from tests.simulator.plan import FaultPlan
from tests.simulator.schedule import Schedule
from tests.simulator.trace import Trace

USUAL_NS = MS // 5
LATE_NS = 40 * MS


class Network:
    """Carries messages."""

    def __init__(self, schedule: Schedule, plan: FaultPlan, trace: Trace, draw: random.Random) -> None:
        self._schedule = schedule
        self._plan = plan
        self._trace = trace
        self._draw = draw
        self._sent = 0
        self._newest: dict[tuple[str, str], int] = {}  # newest message that arrived, by its way
        self._day = 0

    def send(self, source: str, target: str, deliver: Callable[[], None]) -> None:
        """Call `deliver` later, once; or never, or twice."""
        self._sent += 1
        number = self._sent
        if self._plan.strikes("message dropped"):
            self._trace.fault("message dropped", source, f"to {target}")
            return
        self._carry(source, target, number, deliver)
        if self._plan.strikes("message duplicated"):
            self._trace.fault("message duplicated", source, f"to {target}")
            self._carry(source, target, number, deliver)

    def hang_up_all(self) -> None:
        """End every connection: what is on its way never arrives."""
        self._day += 1

    def _carry(self, source: str, target: str, number: int, deliver: Callable[[], None]) -> None:
        way, day = (source, target), self._day
        delay = self._draw.randint(USUAL_NS // 2, 2 * USUAL_NS)
        if self._plan.strikes("message delayed"):
            self._trace.fault("message delayed", source, f"to {target}")
            delay = self._draw.randint(USUAL_NS, LATE_NS)

        def arrive() -> None:
            if day != self._day:
                return
            if number < self._newest.get(way, 0):
                self._trace.fault("message overtaken", source, f"to {target}")
            self._newest[way] = max(number, self._newest.get(way, 0))
            deliver()

        self._schedule.after(delay, arrive)
