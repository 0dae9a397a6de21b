"""Where a process's calls to its disk go wrong, as the seed's plan has it."""

from __future__ import annotations

import errno
import random
from pathlib import Path

from tests.simulator.disk import Hook
from tests.simulator.errors import PowerCut, ProcessKilled
from tests.simulator.plan import FaultPlan
from tests.simulator.trace import Trace

_ENDS: dict[str, type[BaseException]] = {
    "kill at a call": ProcessKilled,
    "power cut at a call": PowerCut,
}


class PlannedFaults(Hook):
    """Ends the process or the machine before or after a call, and refuses writes and syncs."""

    def __init__(self, plan: FaultPlan, trace: Trace, who: str, draw: random.Random) -> None:
        self._plan = plan
        self._trace = trace
        self._who = who
        self._draw = draw
        self._end: BaseException | None = None  # comes after the call that is under way

    def before(self, call: str, path: Path) -> None:
        self._end = None
        for kind, error in _ENDS.items():
            if self._plan.strikes(kind):
                is_before = call == "open" or self._draw.random() < 0.5
                where = "before" if is_before else "after"
                self._trace.fault(kind, self._who, f"{where} {call} {path.name}")
                if is_before:
                    raise error
                self._end = error()
        if call == "fdatasync" and self._plan.strikes("power cut in a sync"):
            self._trace.fault("power cut in a sync", self._who, path.name)
            raise PowerCut

    def after(self, call: str, path: Path) -> None:
        if self._end is not None:
            raise self._end

    def cuts_short(self, path: Path, length: int) -> tuple[int, BaseException | None]:
        for kind in ("write cut short by a kill", "EIO on write"):
            if length and self._plan.strikes(kind):
                kept = self._draw.randint(0, length - 1)
                self._trace.fault(kind, self._who, f"{path.name}: {kept} of {length} bytes")
                is_kill = kind == "write cut short by a kill"
                return kept, ProcessKilled() if is_kill else OSError(errno.EIO, "the disk refuses")
        return length, None

    def syncs(self, path: Path) -> bool:
        if self._plan.strikes("EIO on sync"):
            self._trace.fault("EIO on sync", self._who, path.name)
            return False
        return True
