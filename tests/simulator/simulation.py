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
from tests.simulator.client import Client
from tests.simulator.clock import MS
from tests.simulator.engine_process import EngineProcess
from tests.simulator.errors import Violation
from tests.simulator.final_checks import check_all
from tests.simulator.lake_checks import check_readers, check_rows
from tests.simulator.lake_process import LakeProcess
from tests.simulator.machine import Machine
from tests.simulator.network import Network
from tests.simulator.oracle import Oracle
from tests.simulator.orders import ACCOUNTS, FIRST_DAY, Orders, opening, turn
from tests.simulator.plan import FaultPlan
from tests.simulator.schedule import Schedule
from tests.simulator.trace import Trace
from tests.simulator.world_faults import WorldFaults

REQUESTS = 14  # of each client
DAY_REQUESTS = 5  # of the day before the turn
LONGEST_NS = 4_000 * MS  # of the eventful part
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
    """The world of one seed."""

    def __init__(self, seed: int, root: Path, trace: Trace) -> None:
        def stream(name: str) -> random.Random:
            return random.Random(f"{seed}/{name}")

        draw = stream("world")
        self.trace = trace
        self.schedule = Schedule()
        trace.now_ns = lambda: self.schedule.now_ns
        self.plan = FaultPlan(stream("plan"))
        self.oracle = Oracle(trace)
        self.network = Network(self.schedule, self.plan, trace, stream("network"))
        self.home = Home(root)
        for folder in (self.home.journal, self.home.snapshots, self.home.lake):
            folder.mkdir(parents=True)
        self.machine = Machine("machine", root, self.schedule, self.plan, trace, stream("machine"))
        settings = EngineSettings(
            segment_bytes=draw.choice([8_192, 12_288, 24_576]),
            snapshot_frame_count=draw.choice([5, 11, 40]),
            state_hash_frame_count=draw.choice([1, 3]),
            lake_batch_frame_count=draw.choice([2, 5, 9]),
        )
        self.engine = EngineProcess("engine", self.machine, self.network, self.oracle, self.home, settings)
        self.machine.add(self.engine)
        self.lake = LakeProcess("lake", self.machine, self.machine.lake, self.home, settings)
        self.machine.add(self.lake)
        self.machine.on_loss = lambda: check_readers(self.machine.lake, self.oracle)
        self.machine.holds_journal = lambda: self.engine.pipeline is not None
        self.machine.is_mark_behind = lambda: (read_mark(self.home.journal) or 0) < self.oracle.last_index
        ways = [("machine", self.engine.deliver)]

        def client(name: str, requests: Iterator[list[Any]]) -> Client:
            shared = (self.schedule, self.network, self.oracle, trace)
            return Client(name, requests, *shared, stream(name), ways)

        self.operator = client("operator", iter([opening()]))
        drawn = {account: Orders(account, stream(f"orders {account}")) for account in ACCOUNTS}
        self.clients = [
            client(f"client {account}", (orders.next_request() for _ in range(REQUESTS)))
            for account, orders in drawn.items()
        ]
        self.later = [
            client(f"client {account}", (orders.next_request() for _ in range(DAY_REQUESTS)))
            for account, orders in drawn.items()
        ]
        self.turner = client("turner", iter([[turn(FIRST_DAY + 1)]]))
        self.faults = WorldFaults(self.machine, self.schedule, self.plan, trace, stream("faults"))

    def run(self) -> None:
        """Live through all of it. Raises Violation."""
        self.trace.note("world", f"faults: {self.plan}")
        self.machine.start("engine")
        self.machine.start("lake")
        self.faults.begin()
        self._wait_for(self.operator)
        self._wait_for(*self.clients)
        self.network.hang_up_all()  # a day's connections end with it
        self._wait_for(self.turner)
        self._wait_for(*self.later)
        self._still()
        self._let_lake_catch_up()
        self.lake.end()
        check_readers(self.machine.lake, self.oracle)
        check_rows(self.machine.lake, self.oracle)
        check_all(self.machine, self.home, self.oracle, self.engine)

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
        self.machine.disk.is_full = False

        def is_up() -> bool:
            return self.engine.pipeline is not None

        if not self.schedule.run_until(is_up, QUIET_NS):
            raise Violation("without any fault the engine does not come up")

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
        trace.note("world", violation or "every promise held")
        simulation.engine.end()
        simulation.lake.end()
        promises = simulation.oracle.promises
        head = promises[-1].frame.chain_hash.hex() if promises else ""
        return Outcome(seed, violation, trace.digest, head, len(promises), trace.faults, list(trace.last))
    finally:
        shutil.rmtree(root, ignore_errors=True)
