"""The engine's long-running processes: the engine itself, its standby, the lake writer, the live views.

Each recovers when it starts, ends on SIGTERM or Ctrl-C, and is stopped by whatever breaks its promise.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from engine.clock import Clock, WallClock
from engine.config import EngineSettings, Home
from engine.errors import Fenced, JournalFailed
from engine.gateway.server import EngineServer
from engine.journal.frame import Frame
from engine.journal.writer import JournalWriter
from engine.pipeline import Pipeline
from engine.projections.lake import LakeWriter
from engine.projections.reserve_view import ReserveRules, reserve_writer
from engine.projections.views import view_writer
from engine.replay import open_book
from engine.replication.following import Takeover
from engine.replication.identity import read_identity
from engine.replication.mirror import MirrorServer
from engine.replication.reigning import begin_reign, follower_of, reign_after
from engine.snapshot_thread import SnapshotThread
from schemas.market import ConfigureEngine

LOG = logging.getLogger(__name__)
_RARELY = 10  # times as many frames between the snapshots of a primary with a standby in step
SWITCH_SECONDS = 0.0005  # one thread decides, others sync, answer a primary, write snapshots


class Stopping:
    """Turns SIGTERM and SIGINT into a question that a loop can ask."""

    def __init__(self) -> None:
        self._is_stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def __call__(self) -> bool:
        """Whether the process was told to stop."""
        return self._is_stopping

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True


def default_capacity(received_at_ns: int) -> ConfigureEngine:
    """The capacities of a journal that nobody configured otherwise."""
    return ConfigureEngine(
        sequence=0,
        received_at_ns=received_at_ns,
        account_count=4_095,
        instrument_count=63,
        asset_count=63,
        order_count=1 << 18,
        order_id_count=1 << 21,
        window_count=1 << 16,
    )


def serve_engine(home: Home, settings: EngineSettings) -> None:
    """Recover, listen at the home's socket, decide until told to stop, then leave a snapshot.

    With a fence in the settings, frames are mirrored to a standby. Raises Fenced when another copy reigns.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    is_stopping, clock = Stopping(), WallClock()
    if settings.fence is None:
        if identity := read_identity(home.journal):
            raise Fenced(f"{identity} has a fence: start it with it (--fence or ENGINE_FENCE)")
        with open_book(home, settings) as (pipeline, journal):
            keeper = _SnapshotKeeper(home, pipeline, settings.snapshot_frame_count)
            _decide(home, pipeline, journal, clock, is_stopping, keeper)
            keeper.finish()
    else:
        with begin_reign(home, settings, clock) as (pipeline, journal, mirror):
            keeper = _SnapshotKeeper(home, pipeline, settings.snapshot_frame_count, mirror)
            _decide(home, pipeline, journal, clock, mirror.until(is_stopping), keeper)
            mirror.close()  # a standby need not wait for the snapshot
            keeper.finish()
    LOG.info("engine stopped")


def serve_standby(home: Home, primary: Home, settings: EngineSettings) -> None:
    """Follow the primary's journal, ready to take over; once it has, decide until told to stop.

    Clients that were served at the primary's socket are served there again.
    """
    is_stopping, clock = Stopping(), WallClock()
    sys.setswitchinterval(SWITCH_SECONDS)
    taken = follower_of(home, primary.replication_socket, settings, clock).run(is_stopping)
    if taken is None:
        LOG.info("standby stopped")
        return
    with reign_after(taken, home, settings) as (pipeline, journal, mirror):
        keeper = _SnapshotKeeper(home, pipeline, settings.snapshot_frame_count, mirror, taken)
        _decide(home, pipeline, journal, clock, mirror.until(is_stopping), keeper, primary.socket)
        mirror.close()
        keeper.finish()
    LOG.info("engine stopped")


def _decide(
    home: Home,
    pipeline: Pipeline,
    journal: JournalWriter,
    clock: Clock,
    is_stopping: Callable[[], bool],
    keeper: _SnapshotKeeper,
    former_socket: Path | None = None,
) -> None:
    """Serve clients until told to stop; `former_socket` is where clients of the one before look for it."""
    if not pipeline.is_configured:
        pipeline.submit([default_capacity(clock.now_ns())])
    server = EngineServer(pipeline, journal, home.socket, clock, keeper)
    if former_socket is not None:
        _lead_to(home.socket, former_socket)
    LOG.info("engine listens at sequence %d", pipeline.state.sequence)
    with segments_ahead(journal):
        server.run(is_stopping)


def _lead_to(socket: Path, former: Path) -> None:
    """Let `former` lead to `socket`, in one step. Where the former place is gone, clients must be told."""
    unnamed = former.with_name(f".{former.name}-link")
    try:
        unnamed.unlink(missing_ok=True)
        unnamed.symlink_to(socket)
        unnamed.rename(former)
    except OSError as error:
        LOG.error("clients find nobody at %s (%s): the engine listens at %s", former, error, socket)


@contextmanager
def segments_ahead(journal: JournalWriter) -> Generator[None]:
    """Make segments on a thread of its own while the block runs; a failure makes the journal unusable."""
    is_over = threading.Event()

    def prepare() -> None:
        was_low = False
        with suppress(JournalFailed):  # the deciding thread is told by its next frame
            while not is_over.wait(journal.pause_seconds(is_more=journal.prepare())):
                if journal.is_low != was_low:
                    was_low = journal.is_low
                    LOG.warning("the journal's disk is %s", "full" if was_low else "no longer full")

    thread = threading.Thread(target=prepare, name="segments", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


class _SnapshotKeeper:
    """Takes a snapshot every so many frames, so that recovery stays short.

    While a standby is in step it takes them more rarely: the standby takes its own, and would take over.
    """

    def __init__(
        self,
        home: Home,
        pipeline: Pipeline,
        every: int,
        mirror: MirrorServer | None = None,
        taken: Takeover | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._every = every
        self._mirror = mirror
        self._taken = taken
        self._thread = SnapshotThread(home)
        self._last: Frame | None = None
        self._count = 0

    @property
    def is_due(self) -> bool:
        """Whether so many frames were decided since the last snapshot, and that one is written."""
        is_in_step = self._mirror is not None and self._mirror.is_in_step
        wanted = self._every * (_RARELY if is_in_step else 1)
        return self._count >= wanted and not self._thread.is_writing

    def on_frame(self, frame: Frame) -> None:
        """Count a durable frame."""
        self._last, self._count = frame, self._count + 1

    def keep(self) -> None:
        """Begin a snapshot of the state after the last frame, unless there is one."""
        if self._taken is not None:
            self._taken.finish_snapshot()  # the one that the standby was writing
        if self._last is not None:
            self._thread.start(self._pipeline.state, self._last)
            self._last, self._count = None, 0

    def finish(self) -> None:
        """Keep what was decided last, and return when that is written."""
        self.keep()
        self._thread.finish()


def serve_lake(home: Home) -> None:
    """Bring every frame to the lake, exactly once, until told to stop."""
    is_stopping = Stopping()
    with LakeWriter(home) as writer:
        LOG.info("lake writer is at frame %d", writer.frame_count)
        writer.run(is_stopping)
    LOG.info("lake writer stopped")


def serve_view(home: Home) -> None:
    """Keep the live view behind the journal by less than a tenth of a second, until told to stop."""
    view_writer(home).run(Stopping())


def serve_reserve(home: Home, rules: ReserveRules) -> None:
    """Keep the live reserve, at most a second and its computation behind the journal, until told to stop."""
    reserve_writer(home, rules).run(Stopping())
