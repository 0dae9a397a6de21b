"""A writer whose lock is gone and who wakes up beside another one is refused wherever it was."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from engine.config import EngineSettings, Home
from engine.errors import LakeError
from engine.projections import delta, lake
from engine.projections.batches import BatchLog
from engine.projections.delta_store import DeltaStore
from engine.projections.lake import LakeWriter, watermark
from schemas.external import LakeWatermark
from schemas.record import record_of
from tests.support.lake_journal import CLASSES, RandomJournal, differences

SETTINGS = EngineSettings(lake_batch_frame_count=4)


class LockIsGone(DeltaStore):
    """A store whose lock holds nobody back, as on another machine."""

    def lock(self) -> AbstractContextManager[object]:
        return nullcontext()


@pytest.fixture(autouse=True)
def only_few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    few = tuple(record_of(cls) for cls in (*CLASSES, LakeWatermark))
    monkeypatch.setattr(lake, "in_lake", lambda: few)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def writer_of(home: Home, settings: EngineSettings = SETTINGS) -> LakeWriter:
    return LakeWriter(home, settings, store=LockIsGone(home, thread_count=1))


def asleep_at(monkeypatch: pytest.MonkeyPatch, step: int, meanwhile: Callable[[], None]) -> Callable[[], int]:
    """Before the n-th step that changes the lake, let something else happen; returns how many were seen."""
    seen = 0

    def slept(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == step:
                meanwhile()
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)

    slept(BatchLog, "append")
    slept(delta, "add_entry")
    return lambda: seen


def test_a_writer_that_slept_at_any_step_is_refused_and_harms_nothing(home: Home) -> None:
    journal = RandomJournal(home, seed=11)
    journal.append(2)
    writer_of(home).open().close()
    step = refused = 0
    while True:
        step += 1
        journal.append(4)

        def live() -> None:
            journal.append(2)  # so that the same number would not name the same frames
            with writer_of(home, EngineSettings()) as living:
                living.catch_up()

        with pytest.MonkeyPatch.context() as patched, writer_of(home) as zombie:
            steps = asleep_at(patched, step, live)
            try:
                zombie.catch_up()
            except LakeError:
                refused += 1
                with pytest.raises(LakeError, match="open it again"):
                    zombie.catch_up()
            else:
                assert steps() < step, "the writer slept, was overtaken and went on"
                break
        assert differences(home) == [], "the one that was awake wrote everything"
        with writer_of(home) as next_one:
            assert next_one.catch_up() == 0
    assert refused == step - 1 > 5, "the sweep has to pass every table"
    assert differences(home) == []


def test_two_that_never_slept_take_turns_at_being_refused(home: Home) -> None:
    journal = RandomJournal(home, seed=12)
    journal.append(4)
    one, other = writer_of(home).open(), writer_of(home).open()
    one.catch_up()
    journal.append(2)
    with pytest.raises(LakeError, match="a second writer"):
        other.catch_up()
    assert one.catch_up() == 2
    one.close()
    other.close()
    assert differences(home, until=watermark(home)) == []


def test_a_version_by_another_tool_stops_the_writer(home: Home) -> None:
    journal = RandomJournal(home, seed=13)
    journal.append(4)
    with writer_of(home) as writer:
        writer.catch_up()
        table = delta.LakeTable(home.lake / "postings", record_of(CLASSES[-1]), "another")
        table.append(table.rows(), 1)
        journal.append(8)
        with pytest.raises(LakeError, match=r"postings: version \d+ changes rows: a second writer"):
            writer.catch_up()
