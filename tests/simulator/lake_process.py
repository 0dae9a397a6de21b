"""The lake writer as a process of the simulation: the real writer and batch log over a simulated store.

Owns: when it reads the journal. Does not own what a reader may expect (`lake_checks.py`).
"""

from __future__ import annotations

from engine.config import EngineSettings, Home
from engine.projections.lake import LakeWriter
from tests.simulator.clock import MS
from tests.simulator.disk import Hook
from tests.simulator.lake_store import LakeOnDisk, SimulatedStore
from tests.simulator.machine import Machine

READING_NS = 6 * MS


class LakeProcess:
    """One lake writer on one machine."""

    def __init__(
        self,
        name: str,
        machine: Machine,
        lake: LakeOnDisk,
        home: Home,
        settings: EngineSettings,
    ) -> None:
        self.name = name
        self._machine = machine
        self._lake = lake
        self._home = home
        self._settings = settings
        self._hook: Hook = machine.hook(name)
        self._disk = machine.disk.process(self._hook)
        self._writer: LakeWriter | None = None
        self._life = 0

    @property
    def frame_count(self) -> int:
        """How many frames are in the lake; zero while the process does not run."""
        return 0 if self._writer is None else self._writer.frame_count

    def start(self) -> None:
        """Open the lake, which finishes what a crash left, and read on from now on."""
        self._life += 1
        store = SimulatedStore(self._lake, self.name, self._hook, self._machine.draw)
        writer = LakeWriter(self._home, self._settings, self._machine.clock, store, self._disk)
        self._writer = writer.open()
        self._machine.lake_refusals = 0
        self._read_later(self._life)

    def end(self) -> None:
        """Lose all that is not on the disk, and the lock."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None
        if self._lake.holder == self.name:
            self._lake.holder = ""
        self._disk.let_go()

    def _read_later(self, life: int) -> None:
        def read() -> None:
            if self._writer is None or life != self._life:
                return
            if count := self._writer.catch_up():
                self._machine.trace.note(self.name, f"{count} frames, to frame {self._writer.frame_count}")
            self._read_later(life)

        delay = self._machine.draw.randint(READING_NS // 2, 2 * READING_NS)
        self._machine.schedule.after(delay, lambda: self._machine.run(self.name, read))
