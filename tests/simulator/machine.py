"""A machine: a disk, a clock, and processes that start, stop, pause and die on it.

Owns: what becomes of a process when something ends it, and who starts it again. The operator is here too:
after a halt he asks whether it was right (`rot.judge`) and restores the rotten files from a copy.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from engine.errors import Fenced, InvariantBroken, JournalDamaged, JournalFailed, LakeError
from tests.simulator import rot
from tests.simulator.clock import MS, MachineClock
from tests.simulator.disk import MachineDisk
from tests.simulator.disk_faults import PlannedFaults
from tests.simulator.errors import PowerCut, ProcessGone, ProcessKilled, Violation
from tests.simulator.lake_store import LakeOnDisk
from tests.simulator.plan import FaultPlan
from tests.simulator.schedule import Schedule
from tests.simulator.trace import Trace

RESTART_NS = 8 * MS
LONG_RESTART_NS = 250 * MS  # so long that a standby takes over
LAKE = "lake"
MOST_LAKE_REFUSALS = 12


class Process(Protocol):
    """What a machine runs."""

    name: str

    def start(self) -> None:
        """Recover and be ready. Raises whatever start-up raises."""
        ...

    def end(self) -> None:
        """Forget everything that is not on the disk, as a killed process does."""
        ...


class Machine:
    """One machine with its processes."""

    def __init__(
        self, name: str, root: Path, schedule: Schedule, plan: FaultPlan, trace: Trace, draw: random.Random
    ) -> None:
        self.name = name
        self.schedule = schedule
        self.plan = plan
        self.trace = trace
        self.draw = draw
        self.disk = MachineDisk(root, draw)
        self.rot = rot.Rot(self.disk, draw)
        self.clock = MachineClock(schedule.time)
        self.is_mark_behind: Callable[[], bool] = lambda: False
        self.holds_journal: Callable[[], bool] = lambda: False
        self.lake_refusals = 0  # one after the other, without a good start between
        self.lake = LakeOnDisk(draw)
        self.on_loss: Callable[[], None] = lambda: None  # whenever a process or the power was lost
        self.has_power = True
        self.running: dict[str, Process] = {}
        self._busy: dict[str, object] = {}  # processes in the middle of a step
        self.paused_until: dict[str, int] = {}
        self._all: dict[str, Process] = {}
        self._starts: dict[str, int] = {}

    def add(self, process: Process) -> None:
        """Install a process; it starts with `start`."""
        self._all[process.name] = process

    def hook(self, process: str) -> PlannedFaults:
        """What may go wrong at the disk calls of a process."""
        return PlannedFaults(self.plan, self.trace, process, self.draw)

    def start_all(self) -> None:
        """Start every process for the first time."""
        for name in self._all:
            self.start(name)

    def start(self, name: str) -> None:
        """Start a process."""
        if name in self.running:
            return
        process = self._all[name]
        self.trace.note(name, "starts")
        self.running[name] = process
        self.run(name, process.start)

    def run(self, name: str, step: Callable[[], None]) -> None:
        """Run a step of a process and see to whatever ends it."""
        if name not in self.running:
            return
        if self.is_paused(name) or self.is_busy(name):
            wait_ns = max(self.paused_until.get(name, 0) - self.schedule.now_ns, MS // 4)
            self.schedule.after(wait_ns, lambda: self.run(name, step))
            return
        token = self._busy[name] = object()
        try:
            step()
        except ProcessGone:
            return
        except ProcessKilled:
            self.kill(name)
        except PowerCut:
            self.cut_power()
        except JournalFailed as failure:
            self._failed(name, failure)
        except JournalDamaged as damage:
            self._halted(name, damage)
        except Fenced as fenced:
            self.trace.fault("fenced", name, str(fenced))
            self.kill(name)
        except LakeError as refusal:
            self._lake_stopped(name, refusal)
        except InvariantBroken as broken:
            raise Violation(f"{name} stopped: {broken}") from broken
        finally:
            if self._busy.get(name) is token:
                del self._busy[name]

    def is_busy(self, name: str) -> bool:
        """Whether a step of the process is under way, waiting for something."""
        return name in self._busy

    def is_paused(self, name: str) -> bool:
        """Whether the process does nothing for now."""
        return self.paused_until.get(name, 0) > self.schedule.now_ns

    def kill(self, name: str) -> None:
        """End a process and start it again a little later."""
        self._end(name)
        self.on_loss()
        self._start_later(name)

    def cut_power(self) -> None:
        """End every process and start them again when the power is back."""
        self.has_power = False
        for name in list(self.running):
            self._end(name)
        self.has_power = True
        if self.disk.cut():
            self.trace.fault("torn write", self.name)
        if self.lake.cut():
            self.trace.fault("torn lake version", self.name)
        self.trace.note(self.name, "power is back")
        self.on_loss()
        for name in self._all:
            self._start_later(name)

    def pause(self, name: str, until_ns: int) -> None:
        """Let a process do nothing for a while; it does not know."""
        self.paused_until[name] = until_ns

    def _failed(self, name: str, failure: JournalFailed) -> None:
        cause = failure.__cause__
        if not isinstance(cause, OSError) or cause.errno not in (errno.EIO, errno.ENOSPC):
            raise Violation(f"{name} stopped: {failure}") from failure
        if cause.errno == errno.ENOSPC:
            self.trace.fault("ENOSPC", name)
            self.disk.is_full = False
        self.trace.note(name, f"stops: {errno.errorcode[cause.errno]}")
        self.kill(name)

    def _lake_stopped(self, name: str, refusal: LakeError) -> None:
        """A lake writer ends with any failure; opening the lake again must heal it."""
        self.lake_refusals += not self.is_mark_behind()
        if self.lake_refusals > MOST_LAKE_REFUSALS:
            raise Violation(f"{name} stops again and again: {refusal}") from refusal
        self.trace.note(name, f"stops: {refusal}")
        self.kill(name)

    def _halted(self, name: str, damage: JournalDamaged) -> None:
        reason = rot.judge(self.disk)
        if not reason and name == LAKE and self.is_mark_behind():
            self.trace.note(name, "waits for the engine to renew the mark")
            self.kill(name)
            return
        if not reason:
            raise Violation(f"{name} halted over a journal that is whole: {damage}") from damage
        self._end(name)
        self.trace.fault("halt and restore", name, reason)
        for other in list(self.running):
            self._end(other)
            self._start_later(other)
        for path in self.disk.files(rot.SEGMENT):
            self.disk.restore(path)
        self._start_later(name)

    def _end(self, name: str) -> None:
        process = self.running.pop(name, None)
        self._busy.pop(name, None)
        if process is not None:
            process.end()
        self.paused_until.pop(name, None)

    def _start_later(self, name: str) -> None:
        self._starts[name] = count = self._starts.get(name, 0) + 1

        def start() -> None:
            if self._starts[name] == count:
                self.start(name)

        is_long = not self.plan.is_still and self.draw.random() < 0.15
        longest_ns = LONG_RESTART_NS if is_long else RESTART_NS
        self.schedule.after(self.draw.randint(longest_ns // 4, longest_ns), start)
