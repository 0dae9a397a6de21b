"""A simulated day played into memory, once a seed, for the tests of the simulation."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from engine.clock import FakeClock
from engine.config import Home
from engine.journal.frame import Frame, Section
from engine.pipeline import ZERO_HASH, Pipeline
from engine.simulation.day import DEFAULT_DAY, DayPlayed, play_day
from engine.state import State
from schemas.derive.layout import row_tuple

SCALE = 0.05


class KeptJournal:
    """A journal that keeps its frames in memory."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def append(self, sections: Sequence[Section], state_hash: bytes = ZERO_HASH) -> Frame:
        sequences = [int(n) for s in sections for n in (s.rows["sequence"][0], s.rows["sequence"][-1])]
        frame = Frame(
            len(self.frames) + 1,
            1,
            min(sequences),
            max(sequences),
            tuple(Section(s.record, s.rows.copy()) for s in sections),
            state_hash,
            ZERO_HASH,
        )
        self.frames.append(frame)
        return frame


class Listened:
    """A pipeline, and every batch that went in."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.batches: list[list[tuple[str, tuple[int, ...]]]] = []

    def submit(self, commands: Sequence[Any]) -> Frame:
        self.batches.append([(type(c).__name__, row_tuple(c)) for c in commands])
        return self.pipeline.submit(commands)

    @property
    def state(self) -> State:
        return self.pipeline.state


class Played(NamedTuple):
    """Everything that a played day left."""

    home: Home
    day: DayPlayed
    batches: list[list[tuple[str, tuple[int, ...]]]]
    frames: list[Frame]
    labels: list[dict[str, Any]]
    state: State  # of the engine, afterwards

    def rows(self, cls: type) -> list[Any]:
        """Every row of a record class, in order."""
        return [r for f in self.frames for s in f.sections if s.record.cls is cls for r in s.rows]

    def inbox(self, beginning: str) -> dict[str, bytes]:
        """The files of a kind that arrived, by name."""
        paths = sorted(self.home.inbox.glob(f"{beginning}*"))
        return {p.name: p.read_bytes() for p in paths}


def play(seed: int, scale: float = SCALE, day: date = DEFAULT_DAY) -> Played:
    """Play a day in a folder of its own."""
    root = tempfile.mkdtemp(prefix="onebook-day-")
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    home = Home(Path(root))
    journal = KeptJournal()
    engine = Listened(Pipeline(None, journal))
    played = play_day(engine, home, FakeClock(0), seed=seed, business_date=day, scale=scale)
    labels = json.loads((home.simulation / "labels.json").read_text())
    return Played(home, played, engine.batches, journal.frames, labels, engine.pipeline.state)


@cache
def played(seed: int) -> Played:
    """The day of a seed, played once for all tests."""
    return play(seed)
