"""The engine as a process of the simulation: the real pipeline over the real journal on a simulated disk.

Owns: gathering requests into frames, answering, snapshots; what `engine/gateway/server.py` and
`engine/processes.py` do with sockets and threads. All that decides or stores is the product's own code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from engine.batch import Batch
from engine.config import EngineSettings, Home
from engine.gateway.client import events_caused, receipt_of_sections
from engine.gateway.protocol import decode_session_request, encode_receipt
from engine.journal.frame import Frame
from engine.journal.reader import read_frames
from engine.journal.snapshot import load_snapshot
from engine.journal.writer import JournalWriter, Staged
from engine.pipeline import Pipeline
from engine.replay import open_book, take_snapshot
from schemas.market import CancelOrder
from tests.simulator.client import Client
from tests.simulator.clock import MS
from tests.simulator.errors import Violation
from tests.simulator.machine import Machine
from tests.simulator.network import Network
from tests.simulator.oracle import Oracle
from tests.simulator.orders import configuration

GATHERING_NS = MS // 2
PREPARING_NS = 6 * MS
LONGEST_SYNC_NS = 3 * MS  # how long the frames before may keep the disk busy
MOST_REQUESTS = 2


class Request(NamedTuple):
    """What a client sent."""

    client: Client
    number: int
    commands: list[Any]


class EngineProcess:
    """One engine on one machine."""

    def __init__(
        self,
        name: str,
        machine: Machine,
        network: Network,
        oracle: Oracle,
        home: Home,
        settings: EngineSettings,
    ) -> None:
        self.name = name
        self._machine = machine
        self._network = network
        self._oracle = oracle
        self._home = home
        self._settings = settings
        self._disk = machine.disk.process(machine.hook(name))
        self._held = ExitStack()
        self._waiting: list[Request] = []
        self._staged: list[tuple[Staged, Sequence[Request]]] = []
        self._is_due = False
        self._is_commit_due = False
        self._since_snapshot = 0
        self._kept_snapshot = 0  # the newest that was reported written
        self.pipeline: Pipeline | None = None
        self._writer: JournalWriter

    @property
    def is_deciding_ahead(self) -> bool:
        """Whether the state is that of frames that are not durable yet."""
        return bool(self._staged)

    def start(self) -> None:
        """Recover, and show the oracle what was found."""
        self._refuse_lost_snapshot()
        self.begin_deciding(*self._held.enter_context(open_book(self._home, self._settings, self._disk)))

    def begin_deciding(self, pipeline: Pipeline, writer: JournalWriter) -> None:
        """Take requests from now on."""
        self.pipeline, self._writer = pipeline, writer
        self._oracle.stands_at(writer.last.index)
        if pipeline.is_configured:
            promised = self._oracle.last_index
            found = list(read_frames(self._home.journal, promised, self._oracle.last_chain_hash))
            last = found[-1] if found else self._oracle.promises[-1].frame
            state_hash = pipeline.state.hash()
            self._oracle.recovered(self.name, found, last.index, last.chain_hash, state_hash)
            self._machine.trace.note(self.name, f"recovered to frame {last.index}")
        else:
            self._oracle.recovered(self.name, [], 0, b"", b"")
            first = configuration(self._machine.clock.now_ns())
            self._oracle.reached([first])
            self._stage([first])
            self._commit()
        self._machine.schedule.after(PREPARING_NS, self._prepare_later)

    def end(self) -> None:
        """Lose all that is not on the disk."""
        self._held.close()
        self._disk.let_go()
        self.pipeline = None
        self._waiting.clear()
        self._staged.clear()
        self._is_due = self._is_commit_due = False

    def deliver(self, client: Client, number: int, line: bytes) -> None:
        """A request comes to the machine; without a running engine it is lost."""
        if self.pipeline is None:
            return
        commands, _ = decode_session_request(line, self._machine.clock.now_ns())
        if self._writer.is_low and not all(isinstance(c, CancelOrder) for c in commands):
            return
        self._oracle.reached(commands)
        self._waiting.append(Request(client, number, commands))
        if not self._is_due:
            self._is_due = True
            self._run_later(GATHERING_NS, self._decide)

    def _run_later(self, delay_ns: int, step: Callable[[], None]) -> None:
        self._machine.schedule.after(delay_ns, lambda: self._machine.run(self.name, step))

    def _decide(self) -> None:
        """Decide what waits in one frame, while frames before it may still be on their way to the disk."""
        self._is_due = False
        batch = self._waiting[:MOST_REQUESTS]
        del self._waiting[:MOST_REQUESTS]
        if self.pipeline is None or not batch:
            return
        self._stage([c for r in batch for c in r.commands], batch)
        if not self._is_commit_due:
            self._is_commit_due = True
            self._run_later(self._machine.draw.randint(0, LONGEST_SYNC_NS), self._commit)
        if self._waiting:
            self._is_due = True
            self._run_later(GATHERING_NS, self._decide)

    def _stage(self, commands: list[Any], batch: Sequence[Request] = ()) -> None:
        if self.pipeline is None:
            raise Violation(f"{self.name} decides without a pipeline")
        staged = self.pipeline.stage(Batch.of(commands))
        self._oracle.decided(self.name, commands, self.pipeline.state.hash())
        self._staged.append((staged, batch))

    def _commit(self) -> None:
        """Bring all staged frames to the disk with one sync, then answer."""
        self._is_commit_due = False
        if not self._staged:
            return
        group, self._staged = self._staged, []
        frames = self._writer.commit([staged for staged, _ in group])
        for frame, (_, batch) in zip(frames, group, strict=True):
            self._oracle.promised(self.name, frame)
            self._machine.trace.note(
                self.name, f"frame {frame.index} durable, to sequence {frame.last_sequence}"
            )
            if not batch:
                continue  # the engine's own first command
            first = frame.first_sequence
            for request in batch:
                events = events_caused(frame, first, len(request.commands))
                self._answer(request, encode_receipt(receipt_of_sections(frame.index, first, events)))
                first += len(request.commands)
        if len(frames) > 1:
            self._machine.trace.fault("several frames in one sync", self.name)
        self._since_snapshot += len(frames)
        if self._since_snapshot >= self._settings.snapshot_frame_count and not self._staged:
            self._since_snapshot = 0
            self._keep_snapshot(frames[-1])

    def _keep_snapshot(self, frame: Frame) -> None:
        if self.pipeline is not None:
            take_snapshot(self._home, self.pipeline.state, frame, self._disk)
            self._kept_snapshot = frame.index
            self._machine.trace.note(self.name, f"snapshot {frame.index}")

    def _prepare_later(self) -> None:
        """Make a segment ahead of need now and then, as the background thread does."""

        def prepare() -> None:
            if self.pipeline is not None:
                self._writer.prepare()
                if self._writer.is_low:
                    self._machine.trace.fault("journal low", self.name)
                self._machine.schedule.after(PREPARING_NS, self._prepare_later)

        self._machine.run(self.name, prepare)

    def _answer(self, request: Request, line: bytes) -> None:
        client, number = request.client, request.number
        self._network.send(self.name, client.name, lambda: client.hear(number, line))

    def _refuse_lost_snapshot(self) -> None:
        """A snapshot that was reported written is there after a restart, unless it rots."""
        snapshots = self._machine.disk.files(".snapshot")
        if self._kept_snapshot and not any(self._machine.disk.names[p].true for p in snapshots):
            loaded = load_snapshot(self._home.snapshots)
            index = 0 if loaded is None else loaded.frame_index
            if index < self._kept_snapshot:
                raise Violation(
                    f"snapshot {self._kept_snapshot} was written; after the restart there is {index}"
                )
