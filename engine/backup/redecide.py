"""Decide a journal again up to a frame, and compare state hashes wherever one was kept.

Owns: re-execution to a place that is not the end. Does not own: starting an engine (`engine.replay`).
"""

from __future__ import annotations

from typing import NamedTuple

from engine.config import Home
from engine.errors import BadInput, InvariantBroken
from engine.image import state_of
from engine.journal.frame import ZERO_HASH
from engine.journal.reader import read_frames
from engine.journal.snapshot import Snapshot, read_snapshot, snapshot_paths
from engine.pipeline import Pipeline
from engine.replay import NoJournal, redo
from engine.state import State


class Decided(NamedTuple):
    """The state after a frame, and what proved it."""

    state: State
    frame_index: int
    from_frame: int  # the snapshot it began with; 0 for the first frame
    replayed_count: int  # frames
    compared_count: int  # state hashes that were kept and are equal


def decide_again(home: Home, until_index: int, *, use_snapshot: bool = True) -> Decided:
    """The state after frame `until_index`, from the newest snapshot before it or from the first frame.

    From the first frame, the state hash of each snapshot on the way is compared too.
    Raises InvariantBroken at the first difference, BadInput when there is no frame, JournalDamaged.
    """
    kept = _snapshots(home, until_index)
    state, begin, chain_hash, compared = None, 0, None, 0
    if use_snapshot and kept:
        begin = max(kept)
        first = kept.pop(begin)
        state = state_of(first.arrays, first.text, first.state_hash)  # raises when it hashes otherwise
        chain_hash, compared = first.chain_hash, 1
    pipeline, replayed = Pipeline(state, NoJournal()), 0
    for frame in read_frames(home.journal, begin, chain_hash) if begin < until_index else ():
        redo(pipeline, frame)
        replayed += 1
        compared += frame.state_hash != ZERO_HASH
        if (snapshot := kept.get(frame.index)) is not None:
            if snapshot.state_hash != pipeline.state.hash():
                raise InvariantBroken(f"frame {frame.index}: the state is not that of {snapshot.path.name}")
            compared += 1
        if frame.index == until_index:
            break
    if not pipeline.is_configured:
        raise BadInput(f"{home.journal} holds no frame to decide again")
    return Decided(pipeline.state, begin + replayed, begin, replayed, compared)


def _snapshots(home: Home, until_index: int) -> dict[int, Snapshot]:
    """The snapshots that verify and are not newer than a frame, by frame."""
    found = (read_snapshot(path) for path in snapshot_paths(home.snapshots))
    return {s.frame_index: s for s in found if s is not None and s.frame_index <= until_index}
