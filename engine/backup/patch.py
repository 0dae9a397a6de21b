"""A damaged segment made whole from another copy of it, and the proof that both are of one history.

Owns: the bytes and the proof. Does not own: files, or which segment is damaged (repair).

The candidate is the other copy's frames, and behind their end what stands here. It must verify as a whole, so
frames of ours behind the other copy's end prove the chain across. And for the last frame whose content
differs, our side must hold, there or later, a chain hash that is the candidate's: in the segment itself, in
the header of the next one, or in a snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import BadInput
from engine.journal.frame import HASH_BYTES
from engine.journal.places import Place


class Candidate(NamedTuple):
    """The bytes of a segment that may replace a damaged one."""

    name: str
    content: bytes
    ours: bytes  # as long as the content; zeros where ours is cut off or missing


def candidate_of(name: str, ours: bytes, theirs: bytes, their_end: int) -> Candidate:
    """The other copy's bytes to the end of its frames there, then ours."""
    ours = ours[: len(theirs)].ljust(len(theirs), b"\0")
    return Candidate(name, theirs[:their_end] + ours[their_end:], ours)


def changed_bytes(candidate: Candidate) -> int:
    """How many bytes of ours the candidate changes."""
    return len(_changes(candidate))


def proof_of(candidate: Candidate, frames: Sequence[Place], known: Mapping[int, bytes]) -> str:
    """What proves that the candidate continues our history behind the damage, in words.

    `frames` are the candidate's, all verified; `known` the chain hashes that our side keeps elsewhere, by
    frame index. Raises BadInput when nothing proves it.
    """
    changes = _changes(candidate)
    last_changed = 0
    for place in frames:
        content_end = place.end - HASH_BYTES
        if np.any((changes >= place.offset) & (changes < content_end)):
            last_changed = place.frame.index
    if not last_changed:
        return "no frame's content differs"
    for _, _, end, frame in frames:
        stored = candidate.ours[end - HASH_BYTES : end]
        if frame.index >= last_changed and stored == frame.chain_hash:
            return f"the chain hash of frame {frame.index} stands in the damaged segment"
        if frame.index >= last_changed and known.get(frame.index) == frame.chain_hash:
            return f"the chain hash of frame {frame.index} is known from a later segment or a snapshot"
    raise BadInput(
        f"{candidate.name}: nothing here, at frame {last_changed} or behind it, proves that the other copy "
        "is of this history; restore a backup into a new home instead"
    )


def _changes(candidate: Candidate) -> npt.NDArray[np.intp]:
    """The offsets at which the candidate differs from ours."""
    content, ours = (np.frombuffer(b, dtype=np.uint8) for b in (candidate.content, candidate.ours))
    return np.flatnonzero(content != ours)
