"""The only place that reads wall time. Decisions never call it: time enters with the command.

Owns: `Clock` and its two kinds. Does not own: calendars or business days.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time at the edge of the system."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01T00:00Z; never less than the time told before."""
        ...


class WallClock:
    """The machine's time, held still while the machine's clock is set back."""

    def __init__(self) -> None:
        self._told_ns = 0

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01T00:00Z; never less than the time told before."""
        self._told_ns = max(self._told_ns, time.time_ns())
        return self._told_ns


class FakeClock:
    """A clock that moves only when told; for simulation and tests."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01T00:00Z, as last set."""
        return self._now_ns

    def advance(self, elapsed_ns: int) -> int:
        """Move on by `elapsed_ns` and tell the new time. Raises ValueError when it is negative."""
        return self.set(self._now_ns + elapsed_ns)

    def set(self, at_ns: int) -> int:
        """Move on to an instant and tell it. Raises ValueError when it lies in the past."""
        if at_ns < self._now_ns:
            raise ValueError(f"a clock never goes back: {at_ns} is before {self._now_ns}")
        self._now_ns = at_ns
        return at_ns
