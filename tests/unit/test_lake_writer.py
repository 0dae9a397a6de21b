"""The lake writer: what reaches the tables, a crash at every step of a batch, one writer at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.config import EngineSettings, Home
from engine.errors import JournalError, LakeError
from engine.projections import delta, lake
from engine.projections.batches import BatchLog
from engine.projections.delta import CHECKPOINT_COMMIT_COUNT, LakeTable
from engine.projections.lake import LakeWriter, read_arrow, read_table, watermark
from schemas.derive.arrow import arrow_schema, arrow_table
from schemas.external import LakeWatermark
from schemas.market import Fill
from schemas.record import in_lake, record_of
from tests.support.lake_journal import (
    CLASSES,
    RandomJournal,
    differences,
    journal_rows,
    lake_rows,
    table_of_class,
)

SETTINGS = EngineSettings(lake_batch_frame_count=4)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def only_few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lake of the random journal's classes alone, so that opening it is quick."""
    few = tuple(record_of(cls) for cls in (*CLASSES, LakeWatermark))
    monkeypatch.setattr(lake, "in_lake", lambda: few)


def journal_of(home: Home, frame_count: int, seed: int = 1) -> RandomJournal:
    journal = RandomJournal(home, seed)
    journal.append(frame_count)
    return journal


def test_every_declared_table_is_there_from_the_start(home: Home) -> None:
    with LakeWriter(home):
        for record in in_lake():
            assert read_arrow(home, record.cls).num_rows == 0
            names = LakeTable(home.lake / record.table, record, "any").rows().schema.names
            assert names == arrow_schema(record).names
    assert watermark(home) == 0


@pytest.mark.usefixtures("only_few_tables")
class TestProjecting:
    def test_all_rows_arrive_and_the_watermark_follows(self, home: Home) -> None:
        journal = journal_of(home, 11)
        with LakeWriter(home, SETTINGS) as writer:
            assert writer.catch_up() == 11
            assert differences(home) == []
            last = max(int(rows["sequence"].max()) for rows in journal_rows(home, CLASSES).values())
            assert watermark(home) == last
            journal.append(3)
            assert writer.catch_up() == 3
        assert differences(home) == []
        assert read_table(home, LakeWatermark)["frame_count"].to_list() == [14]

    def test_a_reopened_writer_goes_on_behind_the_last_batch(self, home: Home) -> None:
        journal = journal_of(home, 5)
        for _ in range(3):
            with LakeWriter(home, SETTINGS) as writer:
                writer.catch_up()
            journal.append(5)
        with LakeWriter(home, SETTINGS) as writer:
            assert writer.catch_up() == 5
        assert differences(home) == []

    def test_running_stops_with_all_frames_written(self, home: Home) -> None:
        journal_of(home, 6)
        with LakeWriter(home, SETTINGS) as writer:
            writer.run(lambda: watermark(home) > 0)
        assert differences(home) == []

    def test_readers_see_no_row_above_the_watermark(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = journal_of(home, 4)
        with LakeWriter(home, SETTINGS) as writer:
            writer.catch_up()
            mark = watermark(home)
            journal.append(4)
            monkeypatch.setattr(LakeTable, "replace", failing)
            with pytest.raises(Cut):
                writer.catch_up()
        assert watermark(home) == mark
        assert differences(home, until=mark) == []
        assert sum(table_of_class(home, cls).row_count for cls in CLASSES) > sum(
            len(lake_rows(home, cls)) for cls in CLASSES
        )

    def test_a_checkpoint_loses_nothing(self, home: Home) -> None:
        journal = journal_of(home, 1)
        with LakeWriter(home, EngineSettings(lake_batch_frame_count=1)) as writer:
            for _ in range(CHECKPOINT_COMMIT_COUNT + 3):
                journal.append()
                writer.catch_up()
        assert list((home.lake / "lake_watermarks" / "_delta_log").glob("*.checkpoint*.parquet"))
        assert differences(home) == []
        with LakeWriter(home):
            assert differences(home) == []


@pytest.mark.usefixtures("only_few_tables")
def test_every_file_of_a_batch_is_synced_before_the_watermark_moves(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = journal_of(home, 1)
    with LakeWriter(home, SETTINGS) as writer:
        writer.catch_up()
        journal.append(4)
        before = files_of(home)
        synced: set[int] = set()  # inodes: an entry is synced before it has its name
        real_replace = LakeTable.replace

        def recorded(real: Callable[[int], None]) -> Callable[[int], None]:
            def sync(descriptor: int) -> None:
                real(descriptor)
                synced.add(os.fstat(descriptor).st_ino)

            return sync

        def replace(table: LakeTable, *args: Any) -> None:
            fresh = files_of(home) - before
            assert {p.suffix for p in fresh} == {".json", ".parquet"}
            assert inodes(fresh | {p.parent for p in fresh} | {home.lake / "_batches.jsonl"}) <= synced
            synced.clear()
            real_replace(table, *args)
            fresh = files_of(home) - before - fresh
            assert {p.suffix for p in fresh} == {".json", ".parquet"}
            assert inodes(fresh | {table.folder, table.folder / "_delta_log"}) <= synced

        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, recorded(getattr(os, name)))
        monkeypatch.setattr(LakeTable, "replace", replace)
        assert writer.catch_up() == 4


def files_of(home: Home) -> set[Path]:
    return {path for path in home.lake.rglob("*") if path.suffix in (".json", ".parquet")}


def inodes(paths: set[Path]) -> set[int]:
    return {path.stat().st_ino for path in paths}


class Cut(Exception):
    """Stands for the end of the process."""


def failing(*_: Any, **__: Any) -> None:
    raise Cut


def cut_at(monkeypatch: pytest.MonkeyPatch, step: int) -> Callable[[], int]:
    """Make the n-th step that changes the lake fail, before or after it; returns how many were seen."""
    seen = 0

    def counted(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == step:
                raise Cut
            made = real(*args, **kwargs)
            seen += 1
            if seen == step:
                raise Cut
            return made

        monkeypatch.setattr(owner, name, call)

    counted(BatchLog, "append")
    counted(LakeTable, "_commit")
    counted(delta, "add_entry")
    return lambda: seen


@pytest.mark.usefixtures("only_few_tables")
def test_a_crash_at_every_step_of_a_batch_loses_and_doubles_nothing(home: Home) -> None:
    journal = journal_of(home, 3)
    with LakeWriter(home, SETTINGS) as writer:
        writer.catch_up()
    step = crashes = 0
    while True:
        step += 1
        journal.append(2)
        with pytest.MonkeyPatch.context() as patched, LakeWriter(home, SETTINGS) as writer:
            steps = cut_at(patched, step)
            try:
                writer.catch_up()
            except Cut:
                crashes += 1
            else:
                assert steps() < step
                break
        assert differences(home, until=watermark(home)) == []
    assert crashes > 12, "the sweep has to pass every table"
    assert differences(home) == []


@pytest.mark.usefixtures("only_few_tables")
class TestOneWriter:
    def test_a_second_writer_is_refused_while_the_first_lives(self, home: Home) -> None:
        with LakeWriter(home), pytest.raises(LakeError, match="another process writes the lake"):
            LakeWriter(home).open()
        LakeWriter(home).open().close()

    def test_a_commit_from_a_stale_handle_is_refused(self, home: Home) -> None:
        journal_of(home, 1)
        LakeWriter(home).open().close()
        rows = arrow_table(record_of(Fill), lake_rows(home, Fill))
        living, zombie = table_of_class(home, Fill), table_of_class(home, Fill)
        living.append(rows, 1)
        for number in (1, 2):
            with pytest.raises(LakeError, match=r"fills: version 1 .*: a second writer"):
                zombie.append(rows, number)

    def test_a_lake_of_another_journal_is_refused(self, home: Home, tmp_path: Path) -> None:
        journal_of(home, 2)
        with LakeWriter(home) as writer:
            writer.catch_up()
        other = Home(tmp_path / "other")
        journal_of(other, 4, seed=2).close()
        other.lake.parent.mkdir(exist_ok=True)
        home.lake.rename(other.lake)
        with LakeWriter(other) as writer, pytest.raises(JournalError, match="chain hash"):
            writer.catch_up()
        with LakeWriter(other) as writer, pytest.raises(JournalError, match="chain hash"):
            writer.run(lambda: True)
