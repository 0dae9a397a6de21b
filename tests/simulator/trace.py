"""What happened, one line after the other, and a digest of all of it.

Owns: the lines. Two runs of one seed must give one digest, so a line holds nothing that differs between
runs: no address, no folder, no wall time.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable

KEPT_LINES = 60


class Trace:
    """The lines of one run. `faults` counts what was injected, by kind."""

    def __init__(self, echo: Callable[[str], None] | None = None) -> None:
        self._digest = hashlib.sha256()
        self._echo = echo
        self.now_ns: Callable[[], int] = lambda: 0
        self.last: deque[str] = deque(maxlen=KEPT_LINES)
        self.faults: Counter[str] = Counter()

    def note(self, who: str, what: str) -> None:
        """Add a line, dated with the simulation's time."""
        line = f"{self.now_ns() / 1e6:12.3f} ms  {who:<10} {what}"
        self._digest.update(line.encode())
        self.last.append(line)
        if self._echo is not None:
            self._echo(line)

    def fault(self, kind: str, who: str, what: str = "") -> None:
        """Add the line of a fault and count it."""
        self.faults[kind] += 1
        self.note(who, f"FAULT {kind} {what}".rstrip())

    @property
    def digest(self) -> str:
        """SHA-256 over all lines."""
        return self._digest.hexdigest()
