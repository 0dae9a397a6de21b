"""One run: a world made from a seed, lived through, healed, and held against the model.

Owns: what is in the world and the three parts of a run. `run_seed` is the one door.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from engine.config import EngineSettings, Home
from engine.journal.mark import read_mark
from engine.replication.fence import MemoryFence
from tests.simulator.client import Client
from tests.simulator.clock import MS
from tests.simulator.copy_process import CopyProcess
from tests.simulator.engine_process import EngineProcess
from tests.simulator.errors import Violation
from tests.simulator.final_checks import check_all
from tests.simulator.lake_checks import check_readers, check_rows
from tests.simulator.lake_process import LakeProcess
from tests.simulator.link import Link
from tests.simulator.machine import Machine
from tests.simulator.network import Network
from tests.simulator.oracle import Oracle
from tests.simulator.orders import ACCOUNTS, FIRST_DAY, Orders, opening, turn
from tests.simulator.plan import FaultPlan
from tests.simulator.schedule import Schedule
from tests.simulator.trace import Trace
from tests.simulator.world_faults import WorldFaults

REQUESTS = 11  # of each client
DAY_REQUESTS = 4  # of the day before the turn
LONGEST_NS = 4_000 * MS  # of the eventful part
STANDBY_SHARE = 0.45
QUIET_NS = 2_000 * MS  # in which all that is owed must come
_SCRATCH = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())


class Outcome(NamedTuple):
    """What a run came to."""

    seed: int
    violation: str  # empty when every promise held
    digest: str  # of the trace
    head: str  # chain hash of the journal's last frame, hexadecimal
    frames: int
    faults: Counter[str]
    last_lines: list[str]


class Simulation:
    """The world of one seed: one machine, or two that hold a copy each."""

    def __init__(self, seed: int, root: Path, trace: Trace) -> None:
        self._seed = seed
        draw = self._stream("world")
        self.trace = trace
        self.schedule = Schedule()
        trace.now_ns = lambda: self.schedule.now_ns
        self.plan = FaultPlan(self._stream("plan"))
        self.oracle = Oracle(trace)
        self.network = Network(self.schedule, self.plan, trace, self._stream("network"))
        self.settings = EngineSettings(
            segment_bytes=draw.choice([8_192, 12_288, 24_576]),
            snapshot_frame_count=draw.choice([5, 11, 40]),
            state_hash_frame_count=draw.choice([1, 3]),
            lake_batch_frame_count=draw.choice([2, 5, 9]),
        )
        self.has_standby = draw.random() < STANDBY_SHARE
        names = ["a", "b"] if self.has_standby else ["a"]
        self.homes = [Home(root / name) for name in names]
        self.machines = [self._machine(name, home) for name, home in zip(names, self.homes, strict=True)]
        self.copies = self._copies()
        self.lake = self._lake()
        self.ways = [(c.name, c.deliver) for c in self.copies]
        drawn = {account: Orders(account, self._stream(f"orders {account}")) for account in ACCOUNTS}
        self.operator = self._client("operator", iter([opening()]))
        self.clients = self._clients(drawn, REQUESTS)
        self.turner = self._client("turner", iter([[turn(FIRST_DAY + 1)]]))
        self.later = self._clients(drawn, DAY_REQUESTS)

    def _stream(self, name: str) -> random.Random:
        return random.Random(f"{self._seed}/{name}")

    def _machine(self, name: str, home: Home) -> Machine:
        for folder in (home.journal, home.snapshots, home.lake):
            folder.mkdir(parents=True)
        draw = self._stream(f"machine {name}")
        return Machine(name, home.root, self.schedule, self.plan, self.trace, draw)

    def _copies(self) -> list[EngineProcess]:
        made: list[EngineProcess] = []
        link = Link(self.network, self.schedule, self.plan, self.trace, self._stream("link"))
        fence = MemoryFence()
        for machine, home in zip(self.machines, self.homes, strict=True):
            name = f"engine {machine.name}"
            shared = (name, machine, self.network, self.oracle, home, self.settings)
            if self.has_standby:
                copy = CopyProcess(*shared, fence, link, is_first=not made)
                link.ends.append(copy)
                made.append(copy)
            else:
                made.append(EngineProcess(*shared))
            machine.add(made[-1])
            self._watch(machine, home, made[-1])
            draw = self._stream(f"faults {machine.name}")
            WorldFaults(machine, self.machines, link, self.schedule, self.plan, self.trace, draw).begin()
        return made

    def _watch(self, machine: Machine, home: Home, copy: EngineProcess) -> None:
        machine.holds_journal = lambda: copy.pipeline is not None
        machine.is_mark_behind = lambda: (read_mark(home.journal) or 0) < self.oracle.last_index

    def _lake(self) -> LakeProcess:
        """The lake follows the first machine's copy, whoever reigns."""
        machine = self.machines[0]
        lake = LakeProcess("lake", machine, machine.lake, self.homes[0], self.settings)
        machine.add(lake)
        machine.on_loss = lambda: check_readers(machine.lake, self.oracle)
        return lake

    def _clients(self, drawn: dict[int, Orders], count: int) -> list[Client]:
        return [
            self._client(f"client {account}", (orders.next_request() for _ in range(count)))
            for account, orders in drawn.items()
        ]

    def _client(self, name: str, requests: Iterator[list[Any]]) -> Client:
        shared = (self.schedule, self.network, self.oracle, self.trace)
        return Client(name, requests, *shared, self._stream(name), self.ways)

    def run(self) -> None:
        """Live through all of it. Raises Violation."""
        self.trace.note("world", f"faults: {self.plan}")
        for machine in self.machines:
            machine.start_all()
        self._wait_for(self.operator)
        self._wait_for(*self.clients)
        self.network.hang_up_all()  # a day's connections end with it
        self._wait_for(self.turner)
        self._wait_for(*self.later)
        self._still()
        self._let_lake_catch_up()
        self.lake.end()
        check_readers(self.machines[0].lake, self.oracle)
        check_rows(self.machines[0].lake, self.oracle)
        reigning = next(c for c in self.copies if c.pipeline is not None)
        if self.has_standby:
            self._compare_copies()
        at = self.copies.index(reigning)
        check_all(self.machines[at], self.homes[at], self.oracle, reigning)

    def _wait_for(self, *clients: Client) -> None:
        """Let clients do all that they have to; faults end when it takes too long."""
        for client in clients:
            client.begin()

        def are_done() -> bool:
            return all(c.is_done for c in clients)

        if not self.schedule.run_until(are_done, LONGEST_NS):
            self._still()
            if not self.schedule.run_until(are_done, QUIET_NS):
                names = ", ".join(c.name for c in clients if not c.is_done)
                raise Violation(f"without any fault {names} gets no answer any more")

    def _still(self) -> None:
        """Let nothing more go wrong, and everything run again."""
        self.plan.is_still = True
        for machine in self.machines:
            machine.disk.is_full = False

        def is_up() -> bool:
            return any(c.pipeline is not None for c in self.copies)

        if not self.schedule.run_until(is_up, QUIET_NS):
            raise Violation("without any fault the engine does not come up")

    def _compare_copies(self) -> None:
        """Without any fault the standby gets in step, and its state is the primary's."""
        copies = [c for c in self.copies if isinstance(c, CopyProcess)]

        def is_level() -> bool:
            followed = [c.followed_index for c in copies if c.standby is not None]
            is_followed = any(c.is_in_step for c in copies) and followed == [self.oracle.last_index]
            return is_followed and not any(c.is_deciding_ahead for c in copies)

        if not self.schedule.run_until(is_level, QUIET_NS):
            raise Violation("without any fault the standby does not get in step")
        if len({c.state_hash() for c in copies}) > 1:
            raise Violation("the standby's state is not the primary's")

    def _let_lake_catch_up(self) -> None:
        if not self.schedule.run_until(lambda: self.lake.frame_count == self.oracle.last_index, QUIET_NS):
            raise Violation("without any fault the lake does not get the whole journal")


def _where(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name} {last.name} line {last.lineno}"


def run_seed(seed: int, echo: Callable[[str], None] | None = None) -> Outcome:
    """Run one seed; the same seed gives the same outcome."""
    trace = Trace(echo)
    root = Path(tempfile.mkdtemp(prefix="simulator-", dir=_SCRATCH))
    simulation = None
    try:
        simulation = Simulation(seed, root, trace)
        try:
            simulation.run()
            violation = ""
        except Violation as broken:
            violation = str(broken)
        except Exception as error:  # whatever else ends a step is a broken promise too
            violation = f"{type(error).__name__}: {error} ({_where(error)})"
        violation = violation.replace(f"{root}/", "")
        trace.note("world", violation or "every promise held")
        for process in (*simulation.copies, simulation.lake):
            process.end()
        promises = simulation.oracle.promises
        head = promises[-1].frame.chain_hash.hex() if promises else ""
        return Outcome(seed, violation, trace.digest, head, len(promises), trace.faults, list(trace.last))
    finally:
        shutil.rmtree(root, ignore_errors=True)
