"""The engine's long-running processes: the engine itself, the lake writer, the live view.

Each recovers when it starts, ends on SIGTERM or Ctrl-C, and is stopped by whatever breaks its promise.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import FrameType

from engine.clock import WallClock
from engine.config import EngineSettings, Home
from engine.errors import JournalFailed
from engine.gateway.server import EngineServer
from engine.journal.frame import Frame
from engine.journal.writer import JournalWriter
from engine.pipeline import Pipeline
from engine.projections.lake import LakeWriter
from engine.projections.views import ViewWriter
from engine.replay import open_book, take_snapshot
from schemas.market import ConfigureEngine

LOG = logging.getLogger(__name__)
_PREPARING_SECONDS = 0.05  # how soon a segment that was taken is made again


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
    """Recover, listen at the home's socket, decide until told to stop, then leave a snapshot."""
    is_stopping, clock = Stopping(), WallClock()
    with open_book(home, settings) as (pipeline, journal):
        if not pipeline.is_configured:
            pipeline.submit([default_capacity(clock.now_ns())])
        keeper = _SnapshotKeeper(home, pipeline, settings.snapshot_frame_count)
        server = EngineServer(pipeline, journal, home.socket, clock, keeper)
        LOG.info("engine listens at sequence %d", pipeline.state.sequence)
        with _segments_ahead(journal):
            server.run(is_stopping)
        keeper.keep()
    LOG.info("engine stopped")


@contextmanager
def _segments_ahead(journal: JournalWriter) -> Generator[None]:
    """Make segments on a thread of its own while the block runs; a failure makes the journal unusable."""
    is_over = threading.Event()

    def prepare() -> None:
        was_low = False
        with suppress(JournalFailed):  # the deciding thread is told by its next frame
            while not is_over.wait(0 if journal.prepare() else _PREPARING_SECONDS):
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
    """Takes a snapshot every so many frames, so that recovery stays short."""

    def __init__(self, home: Home, pipeline: Pipeline, every: int) -> None:
        self._home = home
        self._pipeline = pipeline
        self._every = every
        self._last: Frame | None = None
        self._count = 0

    @property
    def is_due(self) -> bool:
        """Whether so many frames were decided since the last snapshot."""
        return self._count >= self._every

    def on_frame(self, frame: Frame) -> None:
        """Count a durable frame."""
        self._last, self._count = frame, self._count + 1

    def keep(self) -> None:
        """Take a snapshot of the state after the last frame, unless there is one."""
        if self._last is not None:
            take_snapshot(self._home, self._pipeline.state, self._last)
            self._last, self._count = None, 0


def serve_lake(home: Home) -> None:
    """Bring every frame to the lake, exactly once, until told to stop."""
    is_stopping = Stopping()
    with LakeWriter(home) as writer:
        LOG.info("lake writer is at frame %d", writer.frame_count)
        writer.run(is_stopping)
    LOG.info("lake writer stopped")


def serve_view(home: Home) -> None:
    """Keep the live view behind the journal by less than a tenth of a second, until told to stop."""
    ViewWriter(home).run(Stopping())
