"""Two lake writers at once, in two processes whose locks hold nobody back: readers never see a wrong row."""

from __future__ import annotations

import multiprocessing
import time
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from engine.config import EngineSettings, Home
from engine.errors import LakeError
from engine.projections import lake
from engine.projections.delta_store import DeltaStore
from engine.projections.lake import LakeWriter, watermark
from engine.projections.rebuild import rebuild_lake
from schemas.external import LakeWatermark
from schemas.record import RecordType, record_of
from tests.support.lake_journal import CLASSES, RandomJournal, differences, journal_rows, lake_rows

REFUSAL_COUNT = 5
SECONDS = 60.0
SETTINGS = EngineSettings(lake_batch_frame_count=2)


class LockIsGone(DeltaStore):
    """A store whose lock holds nobody back, as on another machine."""

    def lock(self) -> AbstractContextManager[object]:
        return nullcontext()


def _few() -> tuple[RecordType, ...]:
    return tuple(record_of(cls) for cls in (*CLASSES, LakeWatermark))


def _write_again_and_again(root: str, is_over: Event, refusals: Synchronized[int]) -> None:
    lake.in_lake = _few  # type: ignore[assignment]
    home = Home(Path(root))
    while not is_over.is_set():
        try:
            with LakeWriter(home, SETTINGS, store=LockIsGone(home)) as writer:
                while not is_over.is_set():
                    writer.catch_up()
        except LakeError:
            with refusals.get_lock():
                refusals.value += 1


def test_two_writers_without_a_lock_show_readers_no_wrong_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "in_lake", _few)
    home = Home(tmp_path / "home")
    journal = RandomJournal(home, seed=41)
    journal.append()
    LakeWriter(home, SETTINGS).open().close()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["engine.projections.lake"])
    is_over, refusals = context.Event(), context.Value("i", 0)
    children = [
        context.Process(target=_write_again_and_again, args=(str(home.root), is_over, refusals))
        for _ in range(2)
    ]
    marks: list[int] = []
    try:
        for child in children:
            child.start()
        deadline = time.monotonic() + SECONDS
        while refusals.value < REFUSAL_COUNT and time.monotonic() < deadline:
            journal.append(2, row_count=10)
            marks.append(watermark(home))
            assert wrong_tables(home, marks[-1]) == []
            time.sleep(0.02)
        assert all(child.is_alive() for child in children), "a writer failed otherwise than by a refusal"
    finally:
        is_over.set()
        for child in children:
            child.join(30)
            child.kill()
        journal.close()
    assert refusals.value >= REFUSAL_COUNT and marks[-1] > marks[0], "they never met, which proves nothing"
    assert marks == sorted(marks), "the watermark never goes back"
    assert differences(home, until=watermark(home)) == []
    try:
        LakeWriter(home, SETTINGS).open().close()
    except LakeError as error:
        assert "rebuild the lake" in str(error)
        rebuild_lake(home)
    with LakeWriter(home, SETTINGS) as writer:
        writer.catch_up()
    assert differences(home) == []


def wrong_tables(home: Home, mark: int) -> list[str]:
    """Tables of which a reader who read a watermark before sees other rows up to it than the journal has."""
    found: list[str] = []
    for cls, due in journal_rows(home, CLASSES, mark).items():
        got = lake_rows(home, cls)
        if got[got["sequence"] <= mark].tobytes() != due.tobytes():
            found.append(cls.__name__)
    return found
