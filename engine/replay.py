"""Start-up is recovery: load a snapshot, decide the rest of the journal again, require identical bytes.

Owns: recovery, the check of a whole journal by re-execution, and the taking of snapshots.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from engine.batch import Batch
from engine.config import EngineSettings, Home
from engine.errors import InvariantBroken
from engine.image import arrays_of, state_of, text_of
from engine.journal.ahead import read_ahead
from engine.journal.disk import DISK, Disk
from engine.journal.frame import ZERO_HASH, Frame
from engine.journal.mark import read_mark
from engine.journal.reader import read_frames
from engine.journal.sections import Section, Sections
from engine.journal.sections_kernel import ALL_ALIKE, first_difference
from engine.journal.snapshot import load_snapshot, write_snapshot
from engine.journal.writer import JournalWriter, Staged
from engine.pipeline import Pipeline
from engine.state import State

MANY_FRAMES = 64  # from here on a thread of its own reads them


class Recovered(NamedTuple):
    """The state after the last durable frame."""

    state: State | None  # none while the journal is empty
    frame_count: int
    replayed_count: int  # frames that were decided again
    chain_hash: bytes


class NoJournal:
    """Stands where re-execution needs no journal."""

    def append(self, sections: Sequence[Section], state_hash: bytes = ZERO_HASH) -> Frame:
        """Refuse."""
        raise InvariantBroken("a replay never writes")

    def stage(self, sections: Sequence[Section], state_hash: bytes = ZERO_HASH) -> Staged:
        """Refuse."""
        raise InvariantBroken("a replay never writes")


def recover(home: Home, *, use_snapshot: bool = True, until_index: int | None = None) -> Recovered:
    """The state that the journal leads to, at its mark or at a later frame known as durable.

    Raises InvariantBroken when a frame decided again differs from what was journaled, or a state hash does.
    """
    snapshot = load_snapshot(home.snapshots) if use_snapshot else None
    state, index, chain_hash = None, 0, ZERO_HASH
    if snapshot is not None:
        state = state_of(snapshot.arrays, snapshot.text, snapshot.state_hash)
        index, chain_hash = snapshot.frame_index, snapshot.chain_hash
    pipeline = Pipeline(state, NoJournal())
    replayed = 0
    frames = read_frames(home.journal, index, chain_hash if index else None, until_index)
    if (read_mark(home.journal) or 0) - index > MANY_FRAMES:
        frames = read_ahead(frames)
    for frame in frames:
        redo(pipeline, frame)
        index, chain_hash = frame.index, frame.chain_hash
        replayed += 1
    return Recovered(pipeline.state if index else None, index, replayed, chain_hash)


def redo(pipeline: Pipeline, frame: Frame) -> None:
    """Decide a journaled frame again. Raises InvariantBroken at the first difference."""
    kept = Sections.of(frame.sections)
    again = pipeline.decide(Batch.from_sections(kept))
    differs = first_difference(kept.table, again.table)
    if differs != ALL_ALIKE:
        which = kept[differs] if differs < len(kept) else again[differs]
        raise InvariantBroken(f"frame {frame.index}: {which.record.table} decided again differ")
    if frame.state_hash != ZERO_HASH and pipeline.state.hash() != frame.state_hash:
        raise InvariantBroken(f"frame {frame.index}: the state hash differs")


def take_snapshot(home: Home, state: State, frame: Frame, disk: Disk = DISK) -> Path:
    """Keep the state after `frame`."""
    return write_snapshot(
        home.snapshots, frame.index, frame.chain_hash, state.hash(), arrays_of(state), text_of(state), disk
    )


@contextmanager
def open_book(
    home: Home, settings: EngineSettings, disk: Disk = DISK
) -> Generator[tuple[Pipeline, JournalWriter]]:
    """Recover the engine of a home and hold its journal open for writing."""
    snapshot = load_snapshot(home.snapshots)
    known_index = 0 if snapshot is None else snapshot.frame_index
    writer = JournalWriter.open(
        home.journal, segment_bytes=settings.segment_bytes, known_index=known_index, disk=disk
    )
    try:
        recovered = recover(home)
        pipeline = Pipeline(
            recovered.state,
            writer,
            hash_every=settings.state_hash_frame_count,
            frame_count=recovered.frame_count,
        )
        yield pipeline, writer
    finally:
        writer.close()


@contextmanager
def open_pipeline(home: Home, settings: EngineSettings, disk: Disk = DISK) -> Generator[Pipeline]:
    """Recover the engine of a home for one who has every frame durable before the next is decided."""
    with open_book(home, settings, disk) as (pipeline, _):
        yield pipeline
