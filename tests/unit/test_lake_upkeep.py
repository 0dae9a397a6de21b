"""The lake's upkeep: files become few, rows and former versions stay, nothing goes before its time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from deltalake import DeltaTable
from pydantic import ValidationError

from engine.clock import FakeClock
from engine.config import EngineSettings, Home
from engine.errors import BadInput, LakeError
from engine.projections import lake
from engine.projections.external import append_external
from engine.projections.lake import LakeWriter, read_table
from engine.projections.repair import versions
from engine.projections.sync import locked
from engine.projections.vacuum import vacuum
from orchestration.lake import upkeep
from orchestration.lake.upkeep import lake_upkeep, tend_lake
from orchestration.settings import PlatformSettings
from schemas.external import LakeWatermark, QuarantinedFile
from schemas.record import record_of
from tests.support.lake_journal import CLASSES, RandomJournal, differences

DAY_NS = 86_400 * 1_000_000_000
NOW_NS = 1_790_000_000 * 1_000_000_000
FEW = tuple(record_of(cls) for cls in (*CLASSES, QuarantinedFile, LakeWatermark))
SETTINGS = EngineSettings(lake_batch_frame_count=1)


@pytest.fixture(autouse=True)
def only_few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (lake, upkeep):
        monkeypatch.setattr(module, "in_lake", lambda: FEW)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A lake of six batches and of three appends from outside."""
    home = Home(tmp_path / "home")
    journal = RandomJournal(home, seed=31)
    journal.append(6)
    journal.close()
    with LakeWriter(home, SETTINGS) as writer:
        writer.catch_up()
    for number in range(3):
        append_external(home, QuarantinedFile, [quarantined(number)])
    return home


def quarantined(number: int) -> QuarantinedFile:
    return QuarantinedFile(
        file_sha256=f"{number:064}", file_name="a", reason="é", kept_path="c", ingested_at_ns=number
    )


def files(home: Home, table: str) -> set[str]:
    return {path.name for path in (home.lake / table).glob("*.parquet")}


def rows_at(home: Home, table: str, version: int) -> int:
    return DeltaTable(home.lake / table, version=version).to_pyarrow_table().num_rows


def test_every_table_has_one_file_and_the_same_rows(home: Home) -> None:
    tended = tend_lake(home, FakeClock(NOW_NS), 7, min_file_count=2)
    assert {t.table for t in tended} == {r.table for r in FEW} - {"lake_watermarks"}
    assert {t.compaction.files_after for t in tended} == {1}
    assert {t.vacuumed.file_count for t in tended} == {0}
    assert differences(home) == []
    assert read_table(home, QuarantinedFile)["ingested_at_ns"].sort().to_list() == [0, 1, 2]
    with LakeWriter(home) as writer:
        assert writer.catch_up() == 0
    assert append_external(home, QuarantinedFile, [quarantined(2), quarantined(3)]) == 1


def test_what_is_not_worth_it_is_left_alone(home: Home) -> None:
    before = versions(home.lake / "postings")
    tend_lake(home, FakeClock(NOW_NS), 7, min_file_count=100)
    assert versions(home.lake / "postings") == before


def test_nothing_goes_before_its_time_and_former_versions_read_until_then(home: Home) -> None:
    clock = FakeClock(NOW_NS)
    kept = files(home, "postings")
    counts = {v: rows_at(home, "postings", v) for v in versions(home.lake / "postings")}
    tend_lake(home, clock, 7, min_file_count=2)
    made = files(home, "postings") - kept
    clock.advance(7 * DAY_NS)
    tend_lake(home, clock, 7, min_file_count=2)
    assert files(home, "postings") == kept | made, "seven days old is not older than seven days"
    assert {v: rows_at(home, "postings", v) for v in counts} == counts
    clock.advance(2_000_000)  # instants in the log are whole milliseconds
    gone = next(t.vacuumed for t in tend_lake(home, clock, 7, min_file_count=2) if t.table == "postings")
    assert gone.file_count == len(kept)
    assert files(home, "postings") == made
    assert differences(home) == []
    with LakeWriter(home) as writer:
        assert writer.catch_up() == 0


def test_a_younger_compaction_keeps_its_files_when_an_older_one_loses_them(home: Home) -> None:
    clock = FakeClock(NOW_NS)
    first = files(home, "postings")
    tend_lake(home, clock, 7, min_file_count=2)
    journal = RandomJournal(home, seed=32)
    with LakeWriter(home, SETTINGS) as writer:
        while len(files(home, "postings")) < len(first) + 3:
            journal.append()
            writer.catch_up()
    journal.close()
    clock.advance(5 * DAY_NS)
    second = files(home, "postings") - first
    tend_lake(home, clock, 7, min_file_count=2)
    clock.advance(3 * DAY_NS)
    for _ in range(2):  # the second time from where the first one stopped
        vacuum(home.lake / "postings", clock, 7)
        assert not first & files(home, "postings") and second <= files(home, "postings")
    clock.advance(5 * DAY_NS)
    vacuum(home.lake / "postings", clock, 7)
    assert not second & files(home, "postings")
    assert differences(home) == []


@pytest.mark.parametrize("days", [-1, 0, 6])
def test_a_retention_below_a_week_is_refused(home: Home, days: int) -> None:
    before = files(home, "postings")
    with pytest.raises(BadInput, match="below 7"):
        vacuum(home.lake / "postings", FakeClock(NOW_NS + 10**20), days)
    with pytest.raises(ValidationError, match="lake_retention_days"):
        PlatformSettings(lake_retention_days=days)
    assert files(home, "postings") == before


def test_one_upkeep_at_a_time(home: Home) -> None:
    with locked(home.lake / "_locks" / "upkeep", wait=False), pytest.raises(LakeError, match="upkeep"):
        tend_lake(home, FakeClock(NOW_NS), 7)


def test_the_asset_tells_what_was_done(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "MIN_FILE_COUNT", 2)
    resources: dict[str, Any] = {"home": home, "clock": FakeClock(NOW_NS), "settings": PlatformSettings()}
    ran = dg.materialize([lake_upkeep], resources=resources)
    (made,) = ran.asset_materializations_for_node("lake_upkeep")
    told = {name: value.value for name, value in made.metadata.items()}
    assert told["files_before"] > told["files_after"] == len(FEW) - 1
    assert told["bytes_before"] > 0 and told["seconds"] > 0
    assert "| postings |" in str(told["tables"])
