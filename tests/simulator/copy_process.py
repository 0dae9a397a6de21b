"""One copy of the book as a process: the engine while it reigns, a standby while the other does.

Owns: in which role it starts, and what the shells of `engine/replication` do with sockets and threads. The
rules of both sides, the fence, the copied journal and the writer are the product's own.
"""

from __future__ import annotations

from typing import Any

from engine.config import EngineSettings, Home
from engine.errors import Fenced, JournalDamaged
from engine.journal.disk import Content
from engine.journal.replica import ReplicaJournal
from engine.journal.segment import SegmentHeader
from engine.journal.snapshot import load_snapshot
from engine.journal.writer import JournalWriter
from engine.pipeline import Pipeline
from engine.replay import NoJournal, recover, redo, take_snapshot
from engine.replication import reigning
from engine.replication.fence import Fence, Reign
from engine.replication.history import JournalHistory
from engine.replication.identity import identity_of, next_reign, read_identity, set_aside
from engine.replication.limits import Limits
from engine.replication.messages import Message
from engine.replication.primary import Mode, PrimarySide
from engine.replication.standby import StandbySide
from tests.simulator.clock import MS
from tests.simulator.engine_process import EngineProcess
from tests.simulator.errors import ProcessGone, Violation
from tests.simulator.link import Link
from tests.simulator.machine import Machine
from tests.simulator.network import Network
from tests.simulator.oracle import Oracle

LIMITS = Limits.of_silence(64 * MS)
TURN_NS = LIMITS.pulse_ns // 2


class CopyProcess(EngineProcess):
    """One copy on one machine."""

    def __init__(
        self,
        name: str,
        machine: Machine,
        network: Network,
        oracle: Oracle,
        home: Home,
        settings: EngineSettings,
        fence: Fence,
        link: Link,
        *,
        is_first: bool,
    ) -> None:
        """`is_first`: begins to reign where nobody has reigned yet."""
        super().__init__(name, machine, network, oracle, home, settings)
        self.connection = 0
        self.primary: PrimarySide | None = None
        self.standby: StandbySide | None = None
        self._fence = fence
        self._link = link
        self._is_first = is_first
        self._life = 0
        self._failure: BaseException | None = None
        self._is_settle_due = False
        self._follower: Pipeline | None = None  # the standby's state
        self.followed_index = 0

    # Roles ------------------------------------------------------------------------------------

    def start(self) -> None:
        self._life += 1
        reign, identity = self._fence.read(), read_identity(self._home.journal)
        is_holder = reign is not None and bool(identity) and reign.holder == identity
        if is_holder or (reign is None and self._is_first):
            self._begin_reign(reign, identity)
        else:
            self._stand_by(reign, identity)
        self._turn_later(self._life)

    def end(self) -> None:
        self._life += 1
        self._link.ended(self, is_seen=self._machine.has_power)
        self.connection = 0
        self.primary = self.standby = self._follower = None
        self._failure = None
        self._is_settle_due = False
        super().end()

    @property
    def is_in_step(self) -> bool:
        """Whether this copy decides and the other has all that was acknowledged."""
        return self.primary is not None and self.primary.mode is Mode.IN_STEP

    def state_hash(self) -> bytes:
        """The hash of the state that this copy has."""
        pipeline = self.pipeline or self._follower
        return pipeline.state.hash() if pipeline is not None and pipeline.is_configured else b""

    def _begin_reign(self, found: Reign | None, identity: str) -> None:
        is_new = not identity
        identity = identity or identity_of(self._home, self._machine.clock, self._disk)
        reign = next_reign(
            found, identity, is_new or found is None, reigning._marked_term(self._home.journal)
        )
        snapshot = load_snapshot(self._home.snapshots)
        known = 0 if snapshot is None else snapshot.frame_index
        self._refuse_lost_snapshot()
        writer = self._open_writer(reign, known)
        if not self._fence.swap(found, reign):
            raise Fenced("another took the reign in this moment")
        recovered = recover(self._home)
        self._decide_with(reign, writer, recovered.state, recovered.frame_count)

    def _open_writer(self, reign: Reign, known_index: int) -> JournalWriter:
        writer = JournalWriter.open(
            self._home.journal,
            segment_bytes=self._settings.segment_bytes,
            known_index=known_index,
            term=reign.term,
            disk=self._disk,
            mirror=self,
        )
        self._held.callback(writer.close)
        return writer

    def _decide_with(self, reign: Reign, writer: JournalWriter, state: Any, frame_count: int) -> None:
        pipeline = Pipeline(
            state, writer, hash_every=self._settings.state_hash_frame_count, frame_count=frame_count
        )
        history = JournalHistory(self._home.journal)
        self._held.callback(history.close)
        self.primary = PrimarySide(reign, self._fence, history, writer.last, LIMITS)
        self._machine.trace.note(self.name, f"reigns in term {reign.term} after frame {writer.last.index}")
        self.begin_deciding(pipeline, writer)

    def _stand_by(self, reign: Reign | None, identity: str) -> None:
        size = self._settings.segment_bytes
        journal = self._home.journal
        try:
            replica = ReplicaJournal.open(journal, segment_bytes=size, disk=self._disk)
        except JournalDamaged:
            if reign is not None and identity and reign.standby == identity:
                raise
            self._set_aside()
            replica = ReplicaJournal.open(journal, segment_bytes=size, disk=self._disk)
        self._held.callback(replica.close)
        last = replica.last
        recovered = recover(self._home, until_index=last.index) if last.index else None
        self._follower = Pipeline(recovered.state if recovered else None, NoJournal())
        self.followed_index = last.index
        holder = identity_of(self._home, self._machine.clock, self._disk)
        self.standby = StandbySide(holder, replica, self._fence, self._machine.schedule.now_ns, LIMITS)
        self._machine.trace.note(self.name, f"stands by with {last.index} frames")

    def _set_aside(self) -> None:
        aside = set_aside(self._home, self._disk)
        self._kept_snapshot = 0
        self._machine.trace.fault("set aside", self.name, aside.name)

    # The writer's mirror ----------------------------------------------------------------------

    def send(self, segment: SegmentHeader, raw: Content) -> None:
        self._side().send(segment, bytes(raw), self._machine.schedule.now_ns)
        self._flush()

    def wait(self, index: int) -> None:
        """Let the world go on until a frame may be acknowledged, or until this process is no more."""
        life, schedule = self._life, self._machine.schedule
        self._flush()
        while True:
            if life != self._life:
                raise ProcessGone
            if self._failure is not None:
                raise self._failure
            if not self._machine.is_paused(self.name) and self._side().is_released(index):
                break
            if not schedule.run_one():
                raise Violation(f"{self.name} waits for frame {index}, and nothing happens any more")
        self._side().commit(index)

    def _side(self) -> PrimarySide:
        if self.primary is None:
            raise ProcessGone
        return self.primary

    # The link ---------------------------------------------------------------------------------

    def is_listening(self) -> bool:
        is_up = self.primary is not None and self.primary.mode is not Mode.FENCED
        return is_up and not self._machine.is_paused(self.name)

    def greeted(self, connection: int) -> None:
        now = self._machine.schedule.now_ns
        if self.primary is not None and self.connection:
            self.primary.hung_up(now)
            self._flush()
        self.connection = connection
        if self.standby is not None:
            self.standby.connected(now)
            self._flush()

    def hear(self, connection: int, message: Message) -> None:
        if connection == self.connection:
            self._serve(lambda: self._take(connection, message))

    def hung_up(self, connection: int) -> None:
        if connection == self.connection:
            self._serve(lambda: self._hang_up(connection))

    def _serve(self, step: Any) -> None:
        """Run a step, also in the middle of another one that waits for it."""
        machine = self._machine
        if not machine.is_busy(self.name) or machine.is_paused(self.name):
            machine.run(self.name, step)
            return
        try:
            step()
        except Exception as error:
            self._failure = error

    def _take(self, connection: int, message: Message) -> None:
        now = self._machine.schedule.now_ns
        if connection != self.connection:
            return
        if self.primary is not None:
            self.primary.receive(message, now)
        elif self.standby is not None:
            self.standby.receive(message, now)
            if not self._is_settle_due:
                self._is_settle_due = True
                self._run_later(MS // 5, self._settle)
        self._flush()

    def _hang_up(self, connection: int) -> None:
        if connection != self.connection:
            return
        self.connection = 0
        side = self.primary or self.standby
        if side is not None:
            side.hung_up(self._machine.schedule.now_ns)
            self._flush()

    def _flush(self) -> None:
        if self.primary is not None:
            messages: list[Message] = self.primary.take_messages()
            self._link.send(self, messages)
            if self.primary.take_hang_up() and self.connection:
                self._link.ended(self, is_seen=True)
                self.connection = 0
        elif self.standby is not None:
            self._link.send(self, self.standby.take_messages())

    # Time -------------------------------------------------------------------------------------

    def _turn_later(self, life: int) -> None:
        def turn() -> None:
            if life != self._life:
                return
            if self.primary is not None:
                self.primary.tick(self._machine.schedule.now_ns)
                self._flush()
                self._side_must_reign()
            elif self.standby is not None:
                self._follow(self.standby)

        def later() -> None:
            if life == self._life:
                self._serve(turn)
                self._turn_later(life)

        self._machine.schedule.after(TURN_NS, later)

    def _side_must_reign(self) -> None:
        if self.primary is not None and self.primary.mode is Mode.FENCED:
            raise Fenced(self.primary.why_fenced)

    def _settle(self) -> None:
        self._is_settle_due = False
        if self.standby is not None:
            self.standby.settle(self._machine.schedule.now_ns)
            self._apply(self.standby)
            self._flush()

    def _apply(self, standby: StandbySide) -> None:
        """Decide again what is durable here, and show the oracle the state."""
        follower = self._follower
        for frame in standby.take_frames():
            if follower is None:
                raise ProcessGone
            redo(follower, frame)
            self.followed_index = frame.index
            self._oracle.followed(frame, follower.state.hash())
            if frame.index % self._settings.snapshot_frame_count == 0:
                take_snapshot(self._home, follower.state, frame, self._disk)

    def _follow(self, standby: StandbySide) -> None:
        now = self._machine.schedule.now_ns
        if not self.connection:
            self._link.connect(self)
        standby.tick(now)
        self._apply(standby)
        self._flush()
        if standby.is_diverged:
            self._copy_again()
        elif standby.is_primary_lost(now):
            self._apply(standby)
            reign = standby.take_over(now)
            if reign is not None:
                self._machine.trace.fault("takeover", self.name, f"in term {reign.term}")
                self._reign_after(reign)

    def _copy_again(self) -> None:
        self._link.ended(self, is_seen=True)
        self.connection = 0
        self.standby = self._follower = None
        self._held.close()
        self._set_aside()
        self._stand_by(self._fence.read(), "")

    def _reign_after(self, reign: Reign) -> None:
        """Decide on with the state that followed."""
        follower, self._follower, self.standby = self._follower, None, None
        self._link.ended(self, is_seen=True)
        self.connection = 0
        self._held.close()
        state = follower.state if follower is not None and follower.is_configured else None
        self._decide_with(reign, self._open_writer(reign, self.followed_index), state, self.followed_index)
