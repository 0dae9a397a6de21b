"""The restore drill: green on a sound book that is written to, red on any difference, evidence each time."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest

from engine.backup.restore import Restored
from engine.clock import FakeClock
from engine.config import Home
from engine.errors import JournalDamaged
from engine.image import arrays_of, text_of
from engine.journal.snapshot import write_snapshot
from engine.projections.lake import LakeWriter
from orchestration import restore_drill
from orchestration.restore_drill import evidence_path, run_drill
from tests.support.played_book import PlayedBook

AT_NS = 1_790_000_000_000_000_000


@pytest.fixture
def book(tmp_path: Path) -> PlayedBook:
    book = PlayedBook(tmp_path / "home")
    book.play(12, snapshot=True)
    book.play(5)
    return book


def _drill(home: Home) -> dg.ExecuteInProcessResult:
    return restore_drill.restore_drill.execute_in_process(
        resources={"home": home, "clock": FakeClock(AT_NS)}, raise_on_error=False
    )


def test_a_sound_book_passes_and_the_evidence_is_kept(book: PlayedBook) -> None:
    with LakeWriter(book.home) as lake:
        lake.catch_up()
    assert _drill(book.home).success  # the writer still holds the journal
    evidence = json.loads(evidence_path(book.home, AT_NS).read_text())
    assert evidence["is_passed"] and evidence["problems"] == []
    assert evidence["state_hash"] == book.pipeline.state.hash().hex()
    assert evidence["recovery_point_sequence"] == book.writer.last.last_sequence
    assert {what: told["differing"] for what, told in evidence["compared"].items()} == {
        "state_hash": 0,
        "positions": 0,
        "balances": 0,
        "lake_balances": 0,
    }
    assert set(evidence["seconds"]) == {"backup", "verify_backup", "restore", "decide_live_book", "compare"}
    book.close()


def test_a_lake_that_is_behind_is_told_and_not_compared(book: PlayedBook) -> None:
    with LakeWriter(book.home) as lake:
        lake.catch_up()
    behind = book.writer.last.last_sequence
    book.play(2)
    evidence = run_drill(book.home, FakeClock(AT_NS))
    assert evidence["is_passed"]
    assert evidence["compared"]["lake_balances"] == f"not compared: the lake is at sequence {behind}"
    book.close()


def test_a_lake_of_other_postings_is_red(book: PlayedBook, monkeypatch: pytest.MonkeyPatch) -> None:
    with LakeWriter(book.home) as lake:
        lake.catch_up()
    true = restore_drill.read_table
    monkeypatch.setattr(restore_drill, "read_table", lambda home, cls: true(home, cls)[1:])
    result = _drill(book.home)
    assert not result.success
    evidence = json.loads(evidence_path(book.home, AT_NS).read_text())
    assert evidence["problems"] == [f"lake_balances: 2 of {book.pipeline.state.balances.amounts.size} differ"]
    book.close()


def test_a_restored_book_that_differs_is_red(book: PlayedBook, monkeypatch: pytest.MonkeyPatch) -> None:
    true = restore_drill.restore

    def other(folder: Path, home: Home, *, is_full: bool) -> Restored:
        restored = true(folder, home, is_full=is_full)
        restored.decided.state.positions["position_lots"][5, 1] += 1
        return restored

    monkeypatch.setattr(restore_drill, "restore", other)
    evidence = run_drill(book.home, FakeClock(AT_NS))
    assert [p.split(":")[0] for p in evidence["problems"]] == ["state_hash", "positions"]
    book.close()


def test_a_snapshot_of_another_state_is_red(book: PlayedBook) -> None:
    """It verifies and stands at the right place of the chain: only deciding all again tells."""
    state, last = book.pipeline.state, book.writer.last
    state.accounts["fee_group_id"][5] += 1
    arrays, text = arrays_of(state), text_of(state)
    write_snapshot(book.home.snapshots, last.index, last.chain_hash, state.hash(), arrays, text)
    evidence = run_drill(book.home, FakeClock(AT_NS))
    assert evidence["problems"] and evidence["problems"][0].startswith("restore: ")
    assert f"the state is not that of {last.index:012d}.snapshot" in evidence["problems"][0]
    book.close()


def test_damage_is_red_and_told(book: PlayedBook, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise JournalDamaged("frame 3: does not verify")

    monkeypatch.setattr(restore_drill, "take_backup", refuse)
    assert not _drill(book.home).success
    evidence = json.loads(evidence_path(book.home, AT_NS).read_text())
    assert evidence["problems"] == ["backup: frame 3: does not verify"] and not evidence["is_passed"]
    book.close()
