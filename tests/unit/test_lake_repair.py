"""What a power cut leaves at the end of a table is repaired; damage in what was durable stops the writer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.config import EngineSettings, Home
from engine.errors import BadInput, LakeError
from engine.projections import lake
from engine.projections.batches import BatchLog
from engine.projections.delta import CHECKPOINT_COMMIT_COUNT, LakeTable
from engine.projections.external import append_external
from engine.projections.lake import LakeWriter, read_table, watermark
from engine.projections.rebuild import rebuild_lake
from engine.projections.repair import find_damage, versions
from schemas.external import LakeWatermark, QuarantinedFile
from schemas.market import Fill
from schemas.record import record_of
from tests.support.lake_journal import CLASSES, RandomJournal, differences, log_entry

TABLES = tuple(record_of(cls).table for cls in CLASSES)
SETTINGS = EngineSettings(lake_batch_frame_count=4)
Tear = Callable[[Home, str], None]


class Cut(Exception):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def only_few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    few = tuple(record_of(cls) for cls in (*CLASSES, LakeWatermark))
    monkeypatch.setattr(lake, "in_lake", lambda: few)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A lake with two whole batches and a third that reached every table but not the watermark."""
    home = Home(tmp_path / "home")
    journal = RandomJournal(home, seed=3)
    with LakeWriter(home, SETTINGS) as writer:
        for _ in range(2):
            journal.append(4)
            writer.catch_up()
        journal.append(4)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(LakeTable, "replace", _cut)
            with pytest.raises(Cut):
                writer.catch_up()
    journal.close()
    return home


def _cut(*_: object) -> None:
    raise Cut


def parquet_of(home: Home, table: str, version: int = -1) -> Path:
    actions = [json.loads(line) for line in log_entry(home, table, version).read_text().splitlines()]
    return home.lake / table / next(a["add"]["path"] for a in actions if "add" in a)


def truncate(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def empty_entry(home: Home, table: str) -> None:
    truncate(log_entry(home, table), 0)


def half_entry(home: Home, table: str) -> None:
    truncate(log_entry(home, table), log_entry(home, table).stat().st_size // 2)


def entry_without_its_last_line(home: Home, table: str) -> None:
    content = log_entry(home, table).read_bytes()
    truncate(log_entry(home, table), content.rstrip(b"\n").rfind(b"\n") + 1)


def entry_of_zeros(home: Home, table: str) -> None:
    path = log_entry(home, table)
    path.write_bytes(bytes(path.stat().st_size))


def missing_parquet(home: Home, table: str) -> None:
    parquet_of(home, table).unlink()


def empty_parquet(home: Home, table: str) -> None:
    truncate(parquet_of(home, table), 0)


def parquet_of_zeros(home: Home, table: str) -> None:
    path = parquet_of(home, table)
    path.write_bytes(bytes(path.stat().st_size))


TEARS: tuple[Tear, ...] = (
    empty_entry,
    half_entry,
    entry_without_its_last_line,
    entry_of_zeros,
    missing_parquet,
    empty_parquet,
    parquet_of_zeros,
)


@pytest.mark.parametrize("tear", TEARS)
def test_a_torn_commit_of_the_unfinished_batch_is_made_again(home: Home, tear: Tear) -> None:
    for table in TABLES:
        tear(home, table)
        assert find_damage(home.lake / table) is not None
    mark = watermark(home)
    with LakeWriter(home, SETTINGS) as writer:
        assert watermark(home) > mark, "opening finishes the batch"
        assert writer.catch_up() == 0
    assert differences(home) == []
    assert [find_damage(home.lake / table) for table in TABLES] == [None] * len(TABLES)


@pytest.mark.parametrize("tear", TEARS)
def test_a_torn_watermark_is_written_again(home: Home, tear: Tear) -> None:
    LakeWriter(home, SETTINGS).open().close()
    tear(home, "lake_watermarks")
    with LakeWriter(home, SETTINGS) as writer:
        assert writer.catch_up() == 0
    assert differences(home) == []
    assert watermark(home) > 0


@pytest.mark.parametrize("tear", TEARS)
def test_a_damaged_durable_commit_stops_the_writer_and_is_left_as_it_is(home: Home, tear: Tear) -> None:
    LakeWriter(home, SETTINGS).open().close()
    before = versions(home.lake / "fills")
    tear(home, "fills")
    with pytest.raises(LakeError, match=r"fills: durable version \d+ is damaged"):
        LakeWriter(home, SETTINGS).open()
    assert versions(home.lake / "fills") == before


def test_two_damaged_versions_stop_the_writer(home: Home) -> None:
    missing_parquet(home, "fills")
    parquet_of(home, "fills", -2).unlink()
    with pytest.raises(LakeError, match=r"fills: durable version \d+ is damaged: .* is missing"):
        LakeWriter(home, SETTINGS).open()


def test_a_missing_version_before_the_last_stops_the_writer(home: Home) -> None:
    log_entry(home, "fills", -2).unlink()
    with pytest.raises(LakeError, match=r"durable version \d+ is damaged: it is missing"):
        LakeWriter(home, SETTINGS).open()


def test_rows_that_the_batch_log_does_not_know_stop_the_writer(home: Home) -> None:
    LakeWriter(home, SETTINGS).open().close()
    table = LakeTable(home.lake / "fills", record_of(Fill), "another")
    table.append(table.rows(), 1)
    with pytest.raises(LakeError, match=r"fills has .* rows to batch .*: rebuild the lake from the journal"):
        LakeWriter(home, SETTINGS).open()


def test_a_lost_table_stops_the_writer(home: Home) -> None:
    LakeWriter(home, SETTINGS).open().close()
    (home.lake / "fills").rename(home.root / "elsewhere")
    with pytest.raises(LakeError, match="fills has 0 rows"):
        LakeWriter(home, SETTINGS).open()


@pytest.mark.parametrize("lost", ["pointer", "file", "both torn"])
def test_a_bad_checkpoint_is_dropped_because_the_log_is_whole(home: Home, lost: str) -> None:
    more = Home(home.root / "more")
    journal = RandomJournal(more, seed=4)
    journal.append(CHECKPOINT_COMMIT_COUNT + 1)
    journal.close()
    with LakeWriter(more, EngineSettings(lake_batch_frame_count=1)) as writer:
        writer.catch_up()
    log = more.lake / "lake_watermarks" / "_delta_log"
    (checkpoint,) = log.glob("*.checkpoint*.parquet")
    pointer = log / "_last_checkpoint"
    if lost != "pointer":
        truncate(checkpoint, 100)
    if lost != "file":
        truncate(pointer, 0)
    with LakeWriter(more) as writer:
        assert writer.catch_up() == 0
    assert differences(more) == []
    assert not pointer.exists()


def test_a_rebuilt_lake_holds_the_journal_and_keeps_what_came_from_outside(home: Home) -> None:
    line = QuarantinedFile(file_sha256="ab" * 32, file_name="a", reason="b", kept_path="c", ingested_at_ns=1)
    append_external(home, QuarantinedFile, [line])
    (home.lake / "fills").rename(home.root / "elsewhere")
    aside = rebuild_lake(home)
    assert differences(home) == []
    assert read_table(home, QuarantinedFile).height == 1
    assert (aside / "postings").is_dir() and (aside / "_batches.jsonl").is_file()
    assert rebuild_lake(home) != aside
    assert differences(home) == []


def test_a_rebuild_is_refused_without_a_journal_or_beside_a_writer(home: Home, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no journal"):
        rebuild_lake(Home(tmp_path / "empty"))
    with LakeWriter(home), pytest.raises(LakeError, match="another process writes the lake"):
        rebuild_lake(home)


class TestBatchLog:
    @pytest.mark.parametrize("kept", [1, 20, -1])
    def test_a_torn_last_line_is_blanked(self, home: Home, kept: int) -> None:
        LakeWriter(home, SETTINGS).open().close()
        path = home.lake / "_batches.jsonl"
        whole = path.read_bytes()
        path.write_bytes(whole + whole.splitlines(keepends=True)[-1][:kept])
        with LakeWriter(home, SETTINGS) as writer:
            assert writer.catch_up() == 0
        assert path.read_bytes().rstrip() == whole.rstrip()
        journal = RandomJournal(home, seed=4)
        journal.append(3)
        journal.close()
        with LakeWriter(home, SETTINGS) as writer:
            assert writer.catch_up() == 3
        with LakeWriter(home, SETTINGS):
            assert differences(home) == []

    @pytest.mark.parametrize("torn", [b"\0" * 300, b'{"crc32": 1\n\n', b'\0\0\n{"crc'])
    def test_whatever_a_cut_left_behind_the_last_line_is_blanked(self, home: Home, torn: bytes) -> None:
        LakeWriter(home, SETTINGS).open().close()
        path = home.lake / "_batches.jsonl"
        whole = path.read_bytes()
        path.write_bytes(whole + torn)
        with LakeWriter(home, SETTINGS) as writer:
            assert writer.catch_up() == 0
        assert path.read_bytes().rstrip() == whole.rstrip()

    def test_a_lost_last_batch_stops_the_writer(self, home: Home) -> None:
        path = home.lake / "_batches.jsonl"
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
        with pytest.raises(LakeError, match="rebuild the lake from the journal"):
            LakeWriter(home, SETTINGS).open()

    def test_a_damaged_line_before_the_last_stops_the_writer(self, home: Home) -> None:
        path = home.lake / "_batches.jsonl"
        path.write_bytes(path.read_bytes().replace(b'"last_frame": 4', b'"last_frame": 5', 1))
        with pytest.raises(LakeError, match="line 1 does not verify"):
            BatchLog(path)
