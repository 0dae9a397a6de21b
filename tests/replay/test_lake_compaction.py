"""Compactions beside a writer, killed at random moments: rows stay once, and every former version reads."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from engine.clock import FakeClock, WallClock
from engine.config import EngineSettings, Home
from engine.errors import LakeError
from engine.projections import lake
from engine.projections.compaction import compact
from engine.projections.delta_log import read_entry
from engine.projections.lake import LakeWriter, watermark
from engine.projections.repair import versions
from engine.projections.vacuum import vacuum
from schemas.external import LakeWatermark
from schemas.record import record_of
from tests.support.lake_journal import CLASSES, RandomJournal, differences, log_entry

KILL_COUNT = 3
RECORDS = tuple(record_of(cls) for cls in CLASSES)
SETTINGS = EngineSettings(lake_batch_frame_count=1)


@pytest.fixture(autouse=True)
def only_few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    few = (*RECORDS, record_of(LakeWatermark))
    monkeypatch.setattr(lake, "in_lake", lambda: few)


def _compact_for_ever(root: str) -> None:
    while True:
        for record in RECORDS:
            try:
                compact(Home(Path(root)).lake / record.table, record, WallClock(), min_file_count=2)
            except LakeError:
                time.sleep(0.01)


def test_compactions_that_are_killed_beside_a_writer_lose_and_double_nothing(tmp_path: Path) -> None:
    home, chance = Home(tmp_path / "home"), random.Random(20261006)
    journal = RandomJournal(home, seed=21)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["engine.projections.compaction"])
    with LakeWriter(home, SETTINGS) as writer:
        for kill in range(KILL_COUNT):
            child = context.Process(target=_compact_for_ever, args=(str(home.root),))
            child.start()
            until = compactions(home) + 2
            deadline = time.monotonic() + 60
            while compactions(home) < until and time.monotonic() < deadline:
                for _ in range(3):
                    journal.append(row_count=10)
                    writer.catch_up()
                time.sleep(0.05)
            time.sleep(chance.uniform(0.0, 0.05))
            assert child.is_alive(), "the compaction failed by itself"
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            assert differences(home) == [], f"after kill {kill}"
    assert compactions(home) >= 2 * KILL_COUNT, "too few compactions came in between to prove anything"
    with LakeWriter(home, SETTINGS) as writer:
        assert writer.catch_up() == 0
    assert differences(home) == []
    former_versions_read(home)


def compactions(home: Home) -> int:
    """Compactions in the logs of all tables."""
    found = 0
    for record in RECORDS:
        for version in versions(home.lake / record.table):
            actions = read_entry(home.lake / record.table, version)
            found += actions[0].get("commitInfo", {}).get("operation") == "OPTIMIZE"
    return found


def former_versions_read(home: Home) -> None:
    """Every version of every table still reads, and has at least the rows of the one before."""
    for record in RECORDS:
        before = 0
        for version in versions(home.lake / record.table):
            rows = DeltaTable(home.lake / record.table, version=version).to_pyarrow_table()
            assert rows.num_rows >= before
            assert len(set(rows.column("sequence").to_pylist())) == rows.num_rows
            before = rows.num_rows


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A finished lake whose fills were compacted last, and a checkpoint made of that."""
    home = Home(tmp_path_factory.mktemp("compacted") / "home")
    journal = RandomJournal(home, seed=22)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lake, "in_lake", lambda: (*RECORDS, record_of(LakeWatermark)))
        _filled(home, journal)
    journal.close()
    record = record_of(CLASSES[3])
    done = compact(home.lake / record.table, record, WallClock(), min_file_count=2)
    assert (done.files_before > 2, done.files_after) == (True, 1)
    return home


def _filled(home: Home, journal: RandomJournal) -> None:
    with LakeWriter(home, SETTINGS) as writer:
        for _ in range(4):
            journal.append(2)
            writer.catch_up()


@pytest.fixture
def compacted(made: Home, tmp_path: Path) -> Home:
    """A copy of it, to be torn."""
    shutil.copytree(made.root, tmp_path / "home")
    return Home(tmp_path / "home")


def made_file(home: Home) -> Path:
    entry = read_entry(home.lake / "fills", versions(home.lake / "fills")[-1])
    return home.lake / "fills" / next(a["add"]["path"] for a in entry if "add" in a)


def checkpoint(home: Home) -> Path:
    return next((home.lake / "fills" / "_delta_log").glob("*.checkpoint*.parquet"))


def pointer(home: Home) -> Path:
    return home.lake / "fills" / "_delta_log" / "_last_checkpoint"


def entry(home: Home) -> Path:
    return log_entry(home, "fills")


STATES: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "short": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "without its end": lambda path: path.write_bytes(path.read_bytes()[:-30]),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("torn", "has_checkpoint"),
    [
        (made_file, True),
        (made_file, False),
        (entry, True),
        (entry, False),
        (checkpoint, True),
        (pointer, True),
    ],
)
def test_a_compaction_torn_at_any_step_is_dropped_or_kept_whole(
    compacted: Home, torn: Callable[[Home], Path], state: str, has_checkpoint: bool
) -> None:
    if not has_checkpoint:
        checkpoint(compacted).unlink()
        pointer(compacted).unlink()
    STATES[state](torn(compacted))
    with LakeWriter(compacted, SETTINGS) as writer:
        assert writer.catch_up() == 0
    assert differences(compacted) == []
    journal = RandomJournal(compacted, seed=23)
    journal.append(2)
    journal.close()
    with LakeWriter(compacted, SETTINGS) as writer:
        assert writer.catch_up() == 2
    assert differences(compacted) == []
    assert watermark(compacted) > 0


def test_a_damaged_compaction_is_not_dropped_when_the_former_files_are_gone(
    compacted: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.projections import compaction

    journal = RandomJournal(compacted, seed=26)
    with LakeWriter(compacted, SETTINGS) as writer:
        small = len(versions(compacted.lake / "fills"))
        for row_count in (5, 2_000):  # the last versions name files that are too large to be put together
            while len(versions(compacted.lake / "fills")) < small + 3:
                journal.append(row_count=row_count)
                writer.catch_up()
            small += 3
    journal.close()
    sizes = sorted(path.stat().st_size for path in (compacted.lake / "fills").glob("*.parquet"))
    monkeypatch.setattr(compaction, "SMALL_BYTES", sizes[-3])
    compact(compacted.lake / "fills", record_of(CLASSES[3]), WallClock(), min_file_count=2)
    later = FakeClock(WallClock().now_ns() + 8 * 86_400 * 1_000_000_000)
    assert vacuum(compacted.lake / "fills", later, 7).file_count > 1
    STATES["short"](entry(compacted))
    before = versions(compacted.lake / "fills")
    for _ in range(2):
        with pytest.raises(LakeError, match=r"fills: durable version \d+ is damaged"):
            LakeWriter(compacted, SETTINGS).open()
    assert versions(compacted.lake / "fills") == before


def test_an_old_pointer_to_a_checkpoint_loses_nothing(compacted: Home) -> None:
    old = pointer(compacted).read_bytes()
    journal = RandomJournal(compacted, seed=24)
    with LakeWriter(compacted, SETTINGS) as writer:
        for _ in range(4):
            journal.append(2, row_count=200)
            writer.catch_up()
    journal.close()
    compact(compacted.lake / "fills", record_of(CLASSES[3]), WallClock(), min_file_count=2)
    pointer(compacted).write_bytes(old)
    with LakeWriter(compacted, SETTINGS) as writer:
        assert writer.catch_up() == 0
    assert differences(compacted) == []


def test_a_compaction_damaged_under_later_commits_stops_the_writer(compacted: Home) -> None:
    journal = RandomJournal(compacted, seed=25)
    made = made_file(compacted)
    with LakeWriter(compacted, SETTINGS) as writer:
        while len(versions(compacted.lake / "fills")) < 8:
            journal.append(1)
            writer.catch_up()
            if entry(compacted).stat().st_size and made != made_file(compacted):
                break
    journal.close()
    made.unlink()
    with pytest.raises(LakeError, match=r"fills: durable version \d+ is damaged: .* is missing"):
        LakeWriter(compacted, SETTINGS).open()


def test_a_compaction_that_makes_other_rows_is_refused(
    compacted: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.projections import compaction

    real = compaction._read
    calls = 0

    def losing(*args: object) -> object:
        nonlocal calls
        calls += 1
        rows = real(*args)  # type: ignore[arg-type]
        return rows.slice(1) if calls == 1 else rows

    before = versions(compacted.lake / "postings")
    files = set((compacted.lake / "postings").glob("*.parquet"))
    monkeypatch.setattr(compaction, "_read", losing)
    with pytest.raises(LakeError, match="postings: a compaction made"):
        compact(compacted.lake / "postings", record_of(CLASSES[-1]), WallClock(), min_file_count=2)
    assert versions(compacted.lake / "postings") == before
    assert set((compacted.lake / "postings").glob("*.parquet")) == files
    assert differences(compacted) == []


def test_of_two_compactions_of_one_table_the_later_is_refused(
    compacted: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.projections import compaction

    real, folder, record = compaction._merged, compacted.lake / "postings", record_of(CLASSES[-1])

    def overtaken(*args: object) -> object:
        monkeypatch.setattr(compaction, "_merged", real)
        compact(folder, record, WallClock(), min_file_count=2)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(compaction, "_merged", overtaken)
    with pytest.raises(LakeError, match="takes files away: a second writer"):
        compact(folder, record, WallClock(), min_file_count=2)
    assert differences(compacted) == []
    with LakeWriter(compacted, SETTINGS) as writer:
        assert writer.catch_up() == 0
