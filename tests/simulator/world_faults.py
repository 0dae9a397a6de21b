"""Faults that come between steps: kills, power cuts, pauses, clocks set wrong, full disks, rot."""

from __future__ import annotations

import random

from engine.errors import JournalError
from engine.journal.writer import JournalWriter
from tests.simulator.clock import MS
from tests.simulator.disk import Hook
from tests.simulator.errors import Violation
from tests.simulator.link import Link
from tests.simulator.machine import LAKE, Machine
from tests.simulator.plan import FaultPlan
from tests.simulator.schedule import Schedule
from tests.simulator.trace import Trace

TURN_NS = 5 * MS
SECOND = 1_000 * MS


class WorldFaults:
    """Strikes one machine every few milliseconds, if the plan says so."""

    def __init__(
        self,
        machine: Machine,
        machines: list[Machine],
        link: Link,
        schedule: Schedule,
        plan: FaultPlan,
        trace: Trace,
        draw: random.Random,
    ) -> None:
        self._machine = machine
        self._all = machines
        self._link = link
        self._schedule = schedule
        self._plan = plan
        self._trace = trace
        self._draw = draw

    def begin(self) -> None:
        """Strike from now on."""
        self._schedule.after(TURN_NS, self._turn)

    def _turn(self) -> None:
        if self._plan.is_still:
            return
        machine, plan = self._machine, self._plan
        if plan.strikes("clock set forward"):
            self._set_clock("clock set forward", self._draw.randint(1, 3_600) * SECOND)
        if plan.strikes("clock set back"):
            self._set_clock("clock set back", -self._draw.randint(1, 3_600) * SECOND)
        if plan.strikes("disk full"):
            self._fill()
        if plan.strikes("write-back"):
            for file in machine.disk.names.values():
                if self._draw.random() < 0.5:
                    machine.disk.write_back(file)
        for kind, strike in (
            ("bit flip", machine.rot.flip_bit),
            ("misdirected write", machine.rot.misdirect),
            ("stray copy", machine.rot.stray_copy),
        ):
            if plan.strikes(kind) and (what := strike()) is not None:
                self._trace.fault(kind, machine.name, what)
        for name in list(machine.running):
            if plan.strikes("process paused"):
                self._pause(name)
            if name != LAKE and machine.holds_journal() and plan.strikes("second engine"):
                self._start_second(name)
            if plan.strikes("kill"):
                self._trace.fault("kill", name)
                machine.kill(name)
        if len(self._link.ends) > 1 and plan.strikes("link broken"):
            span_ns = self._draw.randint(5, 150) * MS
            self._trace.fault("link broken", machine.name, f"for {span_ns // MS} ms")
            self._link.break_for(span_ns)
        if len(self._link.ends) > 1 and plan.strikes("power cut of both"):
            self._trace.fault("power cut of both", machine.name)
            for each in self._all:
                each.cut_power()
        if plan.strikes("power cut"):
            self._trace.fault("power cut", machine.name)
            machine.cut_power()
        self._schedule.after(TURN_NS, self._turn)

    def _start_second(self, name: str) -> None:
        """Somebody takes a process for dead and starts another one beside it."""
        self._trace.fault("second engine", name)
        folder = self._machine.disk.root / "journal"
        try:
            writer = JournalWriter.open(folder, segment_bytes=8_192, disk=self._machine.disk.process(Hook()))
        except JournalError:
            return
        writer.close()
        raise Violation("two processes write one journal")

    def _set_clock(self, kind: str, by_ns: int) -> None:
        self._trace.fault(kind, self._machine.name, f"by {by_ns // SECOND} s")
        self._machine.clock.error_ns += by_ns

    def _fill(self) -> None:
        self._trace.fault("disk full", self._machine.name)
        self._machine.disk.is_full = True

        def free() -> None:
            self._machine.disk.is_full = False

        self._schedule.after(self._draw.randint(5, 60) * MS, free)

    def _pause(self, name: str) -> None:
        pause_ns = self._draw.randint(5, 120) * MS
        self._trace.fault("process paused", name, f"for {pause_ns // MS} ms")
        self._machine.pause(name, self._schedule.now_ns + pause_ns)
