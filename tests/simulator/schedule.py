"""What happens next: one queue of steps in the order of their time, run in one thread.

Owns: true time and the queue. Does not own: what a step does.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from tests.simulator.clock import TrueTime

Step = Callable[[], None]


class Schedule:
    """Steps, earliest first; equal times in the order in which they were asked for."""

    def __init__(self) -> None:
        self.time = TrueTime()
        self._queue: list[tuple[int, int, Step]] = []
        self._count = 0

    @property
    def now_ns(self) -> int:
        """True time."""
        return self.time.now_ns

    def after(self, delay_ns: int, step: Step) -> None:
        """Run a step so much later."""
        self._count += 1
        heapq.heappush(self._queue, (self.now_ns + delay_ns, self._count, step))

    def run_one(self) -> bool:
        """Move to the next step and run it. Returns whether there was one."""
        if not self._queue:
            return False
        at_ns, _, step = heapq.heappop(self._queue)
        self.time.now_ns = max(self.now_ns, at_ns)
        step()
        return True

    def run_until(self, is_met: Callable[[], bool], limit_ns: int) -> bool:
        """Run steps until a condition is met or so much time has passed. Returns whether it is met."""
        end_ns = self.now_ns + limit_ns
        while not is_met():
            if not self._queue or self._queue[0][0] > end_ns:
                self.time.now_ns = max(self.now_ns, end_ns)
                return is_met()
            self.run_one()
        return True
