"""Time: one true time that the simulation moves, and on each machine a clock that may be set forward or back.

A machine's clock has no clamp of its own: whatever promises that time in the journal never goes back must
keep that promise itself.
"""

from __future__ import annotations

START_NS = 1_790_000_000_000_000_000
MS = 1_000_000


class TrueTime:
    """The simulation's own time, from zero."""

    def __init__(self) -> None:
        self.now_ns = 0


class MachineClock:
    """A `Clock` that shows true time and an error that changes."""

    def __init__(self, time: TrueTime) -> None:
        self._time = time
        self.error_ns = 0

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01T00:00Z, as the machine believes."""
        return START_NS + self._time.now_ns + self.error_ns
