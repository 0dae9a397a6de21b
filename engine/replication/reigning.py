"""The writer of a book that has a fence: opened with a reign, mirrored to a standby while it lasts.

Owns: in which order lock, reign and mirror are taken. Does not own: when a standby may take over (standby).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from engine.clock import Clock
from engine.config import EngineSettings, Home
from engine.errors import BadInput, Fenced
from engine.journal.mark import read_mark
from engine.journal.reader import JournalWalk
from engine.journal.segment import Position
from engine.journal.snapshot import load_snapshot
from engine.journal.writer import JournalWriter
from engine.pipeline import Pipeline
from engine.replay import recover
from engine.replication.fence import FolderFence, Reign
from engine.replication.following import Follower, Takeover
from engine.replication.history import JournalHistory
from engine.replication.identity import identity_of, next_reign, read_identity
from engine.replication.limits import Limits
from engine.replication.mirror import MirrorServer
from engine.replication.primary import PrimarySide
from engine.state import State

_NS_PER_MS = 1_000_000


class Reigning(NamedTuple):
    """An engine that decides, and the mirror that its frames go through."""

    pipeline: Pipeline
    journal: JournalWriter
    mirror: MirrorServer


def fence_of(settings: EngineSettings) -> FolderFence:
    """The fence that the settings name. Raises BadInput when they name none, or cannot work with one."""
    if settings.fence is None:
        raise BadInput("a standby needs a fence that both sides reach: --fence, or ENGINE_FENCE")
    if settings.state_hash_frame_count < 1:
        raise BadInput(
            "with a standby ENGINE_STATE_HASH_FRAME_COUNT must be at least 1: it compares the hashes"
        )
    if settings.standby_silence_ms < 1:
        raise BadInput("ENGINE_STANDBY_SILENCE_MS must be at least 1")
    return FolderFence(settings.fence.resolve())


def limits_of(settings: EngineSettings) -> Limits:
    """How long each side waits."""
    return Limits.of_silence(settings.standby_silence_ms * _NS_PER_MS)


def follower_of(home: Home, primary: Path, settings: EngineSettings, clock: Clock) -> Follower:
    """A standby in `home` that follows the primary at a socket."""
    return Follower(home, primary, fence_of(settings), settings, limits_of(settings), clock)


@contextmanager
def begin_reign(home: Home, settings: EngineSettings, clock: Clock) -> Generator[Reigning]:
    """Recover the engine of a home and reign in a new term, at first without a standby.

    Raises Fenced when another copy reigns.
    """
    fence = fence_of(settings)
    found, identity = fence.read(), read_identity(home.journal)
    is_new = not identity
    if is_new:
        identity = identity_of(home, clock) if found is None else f"another copy, in {home.root}"
    reign = next_reign(found, identity, is_new, _marked_term(home.journal))
    snapshot = load_snapshot(home.snapshots)
    known_index = 0 if snapshot is None else snapshot.frame_index
    state: State | None = None

    def claim(last: Position) -> None:
        """With the folder's lock, so that a second start does not end the first one's reign.

        A copy that cannot be recovered leaves the reign to a standby in step, and so does one that is late.
        """
        nonlocal state
        state = recover(home, until_index=last.index).state
        if not fence.swap(found, reign):
            raise Fenced(f"another took the reign in this moment: the fence says {fence.read()}")

    with _open_writer(home, settings, reign, known_index, claim) as (writer, mirror):
        pipeline = _pipeline(state, writer, settings, writer.last.index)
        with _mirrored(home, settings, reign, writer, mirror):
            yield Reigning(pipeline, writer, mirror)


@contextmanager
def reign_after(taken: Takeover, home: Home, settings: EngineSettings) -> Generator[Reigning]:
    """Decide on, with the state of a standby that took the reign over."""
    with _open_writer(home, settings, taken.reign, taken.frame_index) as (writer, mirror):
        state = taken.pipeline.state if taken.pipeline.is_configured else None
        pipeline = _pipeline(state, writer, settings, taken.frame_index)
        with _mirrored(home, settings, taken.reign, writer, mirror):
            yield Reigning(pipeline, writer, mirror)


@contextmanager
def _open_writer(
    home: Home,
    settings: EngineSettings,
    reign: Reign,
    known_index: int,
    claim: Callable[[Position], None] | None = None,
) -> Generator[tuple[JournalWriter, MirrorServer]]:
    mirror = MirrorServer(home.replication_socket, home.standing, limits_of(settings))
    writer = JournalWriter.open(
        home.journal,
        segment_bytes=settings.segment_bytes,
        known_index=known_index,
        term=reign.term,
        mirror=mirror,
        claim=claim,
    )
    try:
        yield writer, mirror
    finally:
        writer.close()


@contextmanager
def _mirrored(
    home: Home, settings: EngineSettings, reign: Reign, writer: JournalWriter, mirror: MirrorServer
) -> Generator[None]:
    history = JournalHistory(home.journal)
    mirror.begin(PrimarySide(reign, fence_of(settings), history, writer.last, limits_of(settings)))
    try:
        yield
    finally:
        mirror.close()
        history.close()


def _pipeline(
    state: State | None, writer: JournalWriter, settings: EngineSettings, frame_count: int
) -> Pipeline:
    return Pipeline(state, writer, hash_every=settings.state_hash_frame_count, frame_count=frame_count)


def _marked_term(journal: Path) -> int:
    """The term of the last frame that readers see, 0 for none."""
    marked = read_mark(journal)
    if not marked:
        return 0
    walk = JournalWalk(journal, marked)
    try:
        return walk.last.term
    finally:
        walk.close()
