"""The power goes at any moment, on a real ext4: what was acknowledged is there, the lake is whole again.

Journal and lake writer run on a file system whose device is recorded. Then the device is made as it may be
after a cut at random places of the record, mounted, recovered and compared with what was acknowledged then.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from engine.config import Home
from engine.errors import JournalError, PlatformError
from engine.journal.disk import RealDisk
from engine.journal.reader import read_frames
from engine.journal.snapshot import load_snapshot, write_snapshot
from engine.journal.writer import JournalWriter
from engine.projections import lake as lake_module
from engine.projections.lake import LakeWriter
from schemas.external import LakeWatermark
from schemas.record import record_of
from tests.support import lake_journal
from tests.support.journal_disk import batch
from tests.support.lake_journal import RandomJournal, differences
from tests.support.power_cut import CutDevice, Recorder, Recording, mounted, places_in, recorded, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"no recorded file system: {why_not()}")

SEGMENT_BYTES = 32_768
JOURNAL_DEVICE, LAKE_DEVICE = 16 << 20, 32 << 20  # bytes
JOURNAL_CUTS, LAKE_CUTS, BUG_CUTS, LAKE_BUG_CUTS = 150, 50, 30, 10
SURVIVALS = (0.0, 0.2, 0.5, 0.8, 1.0)  # of blocks that were not flushed
HARD = SURVIVALS[:3]  # where most are lost: for planted bugs, which a kind cut may pass over


class Acknowledged(NamedTuple):
    """A frame that the writer returned, and how far the record was then."""

    index: int
    chain_hash: bytes
    position: int


def write_journal(recorder: Recorder, disk: RealDisk, frame_count: int = 60) -> list[Acknowledged]:
    """Frames of all sizes over many segments, some made ahead, and a snapshot now and then."""
    home, rng, told = Home(recorder.root / "home"), random.Random(4), list[Acknowledged]()
    writer = JournalWriter.open(home.journal, segment_bytes=SEGMENT_BYTES, disk=disk)
    for number in range(1, frame_count + 1):
        frame = writer.append(batch(writer.last.last_sequence + 1, rng.choice((1, 3, 20, 80))))
        told.append(Acknowledged(frame.index, frame.chain_hash, recorder.position()))
        if number % 7 == 0:
            writer.prepare()
        if number % 20 == 0:
            arrays = {"rows": np.arange(2_000)}
            write_snapshot(home.snapshots, frame.index, frame.chain_hash, bytes(32), arrays, b"{}", disk)
    writer.close()
    return told


def cuts(
    recording: Recording, first: int, last: int, count: int, survivals: tuple[float, ...]
) -> list[tuple[int, random.Random, float]]:
    """Random places of a record between two, ascending, each with its own chance."""
    rng = random.Random(count)
    places = places_in(recording.log, first, last)
    return [
        (at, random.Random(n), survivals[n % len(survivals)])
        for n, at in enumerate(sorted(rng.choices(places, k=count)))
    ]


def losses(
    recording: Recording,
    told: list[Acknowledged],
    work: Path,
    count: int,
    survivals: tuple[float, ...] = SURVIVALS,
) -> list[str]:
    """What is wrong after each of so many cuts; empty when nothing is."""
    found: list[str] = []
    device = CutDevice(recording, work)
    for at, choice, survival in cuts(recording, told[0].position, told[-1].position, count, survivals):
        with mounted(device.at(at, choice, survival), work / "root"):
            known = [a for a in told if a.position <= at]
            try:
                problem = _loss(Home(work / "root" / "home"), known)
            except JournalError as error:
                problem = str(error)
            if problem:
                found.append(f"cut at {at}: {problem}")
    return found


def _loss(home: Home, told: list[Acknowledged]) -> str:
    snapshot = load_snapshot(home.snapshots)
    known_index = 0 if snapshot is None else snapshot.frame_index
    JournalWriter.open(home.journal, segment_bytes=SEGMENT_BYTES, known_index=known_index).close()
    chain = [f.chain_hash for f in read_frames(home.journal)]
    lost = [a.index for a in told if len(chain) < a.index or chain[a.index - 1] != a.chain_hash]
    if snapshot is not None and chain[snapshot.frame_index - 1] != snapshot.chain_hash:
        return "the snapshot is of another history"
    return f"frames {lost} were acknowledged and are lost" if lost else ""


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    with recorded(tmp_path, JOURNAL_DEVICE) as recorder:
        told = write_journal(recorder, RealDisk())
    assert losses(recorder.recording, told, tmp_path, JOURNAL_CUTS) == []


class AcknowledgesFirst(RealDisk):
    """Planted bug: says that a sync is done, and does it when the next frame comes."""

    def __init__(self) -> None:
        self._due: list[int] = []

    def pwrite(self, descriptor: int, content: bytes | bytearray | memoryview, offset: int) -> None:
        if descriptor in self._due:
            super().fdatasync(descriptor)
            self._due = []
        super().pwrite(descriptor, content, offset)

    def fdatasync(self, descriptor: int) -> None:
        self._due = [descriptor]

    def close(self, descriptor: int) -> None:
        self._due = [d for d in self._due if d != descriptor]
        super().close(descriptor)


class NeverSyncs(RealDisk):
    """Planted bug: no sync at all."""

    def fdatasync(self, descriptor: int) -> None:
        pass


@pytest.mark.parametrize("bug", [AcknowledgesFirst, NeverSyncs])
def test_planted_bugs_are_found_by_most_cuts(tmp_path: Path, bug: Callable[[], RealDisk]) -> None:
    with recorded(tmp_path, JOURNAL_DEVICE) as recorder:
        told = write_journal(recorder, bug(), frame_count=40)
    found = losses(recorder.recording, told, tmp_path, BUG_CUTS, HARD)
    assert len(found) >= BUG_CUTS / 2, f"{len(found)} of {BUG_CUTS}"


@pytest.fixture
def classes(monkeypatch: pytest.MonkeyPatch) -> tuple[type, ...]:
    """A lake of few tables: the others are of the same make, and each takes its time to open."""
    few = lake_journal.CLASSES[:3]
    own = tuple(record_of(cls) for cls in (*few, LakeWatermark))
    monkeypatch.setattr(lake_module, "in_lake", lambda: own)
    monkeypatch.setattr(lake_journal, "CLASSES", few)
    return few


class LakeRun(NamedTuple):
    """A recorded run of journal and lake writer: frames acknowledged, and frames written to the lake."""

    recording: Recording
    begun: int
    journaled: list[Acknowledged]
    projected: list[Acknowledged]


def write_lake(folder: Path, rounds: int) -> LakeRun:
    with recorded(folder, LAKE_DEVICE) as recorder:
        home = Home(recorder.root / "home")
        journal = RandomJournal(home, seed=3)
        with LakeWriter(home) as lake:
            run = LakeRun(recorder.recording, recorder.position(), [], [])
            for _ in range(rounds):
                journal.append(3)
                last = journal.last
                run.journaled.append(Acknowledged(last.index, last.chain_hash, recorder.position()))
                lake.catch_up()
                run.projected.append(Acknowledged(last.index, last.chain_hash, recorder.position()))
        journal.close()
    return run


def lake_problem(home: Home, run: LakeRun, at: int, classes: tuple[type, ...]) -> tuple[str, int]:
    """What is wrong with the lake after a cut, and how many frames were brought to it again."""
    JournalWriter.open(home.journal, segment_bytes=1 << 20).close()
    chain = [f.chain_hash for f in read_frames(home.journal)]
    if lost := [a.index for a in run.journaled if a.position <= at and a.chain_hash not in chain]:
        return f"frames {lost} are lost", 0
    with LakeWriter(home) as lake:
        due = max((a.index for a in run.projected if a.position <= at), default=0)
        if lake.frame_count < due:
            return f"the lake was at frame {due} and is at {lake.frame_count}", 0
        again = lake.catch_up()
    return "; ".join(differences(home, classes=classes)), again


def lake_losses(
    run: LakeRun,
    work: Path,
    count: int,
    classes: tuple[type, ...],
    survivals: tuple[float, ...] = SURVIVALS,
) -> tuple[list[str], int]:
    """What is wrong after each of so many cuts, and how many frames were brought to the lake again."""
    found, healed = list[str](), 0
    device = CutDevice(run.recording, work)
    for at, choice, survival in cuts(run.recording, run.begun, run.projected[-1].position, count, survivals):
        with mounted(device.at(at, choice, survival), work / "root"):
            try:
                problem, again = lake_problem(Home(work / "root" / "home"), run, at, classes)
            except PlatformError as error:
                problem, again = str(error), 0
        healed += again
        if problem:
            found.append(f"cut at {at}: {problem}")
    return found, healed


def test_the_lake_heals_to_exactly_once(tmp_path: Path, classes: tuple[type, ...]) -> None:
    found, healed = lake_losses(write_lake(tmp_path, rounds=14), tmp_path, LAKE_CUTS, classes)
    assert found == []
    assert healed > 0, "the cuts came too gently to prove anything"


def test_a_lake_that_never_syncs_is_found(
    tmp_path: Path, classes: tuple[type, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    true = LakeWriter.catch_up

    def unsynced(writer: LakeWriter) -> int:
        with pytest.MonkeyPatch.context() as patch:
            for call in ("fsync", "fdatasync"):
                patch.setattr(os, call, lambda descriptor: None)
            return true(writer)

    with monkeypatch.context() as patch:
        patch.setattr(LakeWriter, "catch_up", unsynced)
        run = write_lake(tmp_path, rounds=5)
    found, _ = lake_losses(run, tmp_path, LAKE_BUG_CUTS, classes, HARD)
    assert len(found) >= LAKE_BUG_CUTS / 2, f"{len(found)} of {LAKE_BUG_CUTS}"
