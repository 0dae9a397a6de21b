"""What the journal's tools tell: figures, lines and files against the frames themselves; and damage."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from engine.config import Home
from engine.journal import export
from engine.journal.dump import row_lines
from engine.journal.figures import journal_figures
from engine.journal.frame import Frame
from engine.journal.reader import read_frames
from engine.journal.snapshot import snapshot_paths
from engine.journal.verify import verify_journal
from engine.journal.writer import JournalWriter
from orchestration.cli import app
from schemas.codes import Side
from schemas.market import PlaceOrder
from schemas.record import Role
from tests.support.journal_disk import QuickDisk, batch
from tests.support.played_book import PlayedBook

RUN = CliRunner()


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PlayedBook:
    book = PlayedBook(tmp_path_factory.mktemp("book") / "home")
    book.play(15, snapshot=True)
    book.play(15, snapshot=True)
    book.close()
    return book


@pytest.fixture(scope="module")
def frames(book: PlayedBook) -> list[Frame]:
    return list(read_frames(book.home.journal))


def told(book_home: Home, *words: str) -> list[Any]:
    """The JSON lines that a command prints."""
    result = RUN.invoke(app, [*words, "--home", str(book_home.root)])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def damaged_copy(book: PlayedBook, folder: Path, byte: int = 4096 + 500) -> Home:
    """The book with one bit of its last segment flipped."""
    home = Home(folder / "damaged")
    home.journal.mkdir(parents=True)
    for path in book.home.journal.iterdir():
        (home.journal / path.name).write_bytes(path.read_bytes())
    path = sorted(home.journal.glob("*.segment"))[-1]
    content = bytearray(path.read_bytes())
    content[byte] ^= 1
    path.write_bytes(content)
    return home


def test_stat_counts_what_is_there(book: PlayedBook, frames: list[Frame]) -> None:
    (figures,) = told(book.home, "journal", "stat", "--json")
    rows = Counter({s.record.table: 0 for f in frames for s in f.sections})
    for frame in frames:
        rows.update({s.record.table: len(s.rows) for s in frame.sections})
    assert {r["record"]: r["rows"] for r in figures["records"]} == rows
    assert figures["rows"] == rows.total() == figures["last_sequence"]
    assert (figures["frames"], figures["durable_mark"], figures["end_index"]) == (len(frames),) * 3
    assert figures["chain_head"] == frames[-1].chain_hash.hex()
    assert figures["terms"] == {"1": 1} and figures["problem"] == ""
    assert figures["first_at_ns"] <= figures["last_at_ns"] == book.pipeline.state.clock_ns
    used = sum(len(p.read_bytes().rstrip(b"\0")) - 4096 for p in book.home.journal.glob("*.segment"))
    assert abs(figures["frame_bytes"] - used) < 8  # a chain hash may end with zeros
    assert 0 < figures["frame_bytes_p50"] <= figures["frame_bytes_p99"] <= figures["frame_bytes"]
    text = RUN.invoke(app, ["journal", "stat", "--home", str(book.home.root)]).stdout
    assert f"{rows['place_order']:,} rows" in text and "2026-" in text


def test_stat_tells_frames_above_the_mark(tmp_path: Path) -> None:
    writer = JournalWriter.open(tmp_path, segment_bytes=8192, disk=QuickDisk())
    writer.append(batch(1))
    mark = (tmp_path / "durable.mark").read_bytes()
    writer.append(batch(3))
    writer.close()
    (tmp_path / "durable.mark").write_bytes(mark)
    figures = journal_figures(tmp_path)
    assert (figures.frames, figures.durable_mark, figures.end_index) == (1, 1, 2)


def test_dump_gives_every_row_in_order_with_its_codes_by_name(book: PlayedBook, frames: list[Frame]) -> None:
    lines = told(book.home, "journal", "dump")
    assert [line["sequence"] for line in lines] == list(range(1, frames[-1].last_sequence + 1))
    by_sequence = {line["sequence"]: line for line in lines}
    for frame in frames:
        for record, rows in frame.sections:
            for row in rows:
                line = by_sequence[int(row["sequence"])]
                assert (line["frame"], line["record"], line["role"]) == (
                    frame.index,
                    record.table,
                    record.role.value,
                )
                assert {n: line[n] for n in rows.dtype.names or ()} == dict(
                    zip(rows.dtype.names or (), row.tolist(), strict=True)
                )
    accepted = [line for line in lines if line["record"] == "accepted_orders"]
    assert accepted and all(line["side"] == Side(line["side_code"]).name for line in accepted)


def test_dump_of_a_range_of_a_type_and_of_frames(book: PlayedBook, frames: list[Frame]) -> None:
    lines = told(book.home, "journal", "dump", "--from", "400", "--to", "450")
    assert [line["sequence"] for line in lines] == list(range(400, 451))
    for name in ("PlaceOrder", "place_order"):
        orders = told(book.home, "journal", "dump", "--type", name)
        assert len(orders) == sum(
            len(s.rows) for f in frames for s in f.sections if s.record.cls is PlaceOrder
        )
    shown = told(book.home, "journal", "dump", "--frames")
    assert [line["chain_hash"] for line in shown] == [f.chain_hash.hex() for f in frames]
    assert sum(line["state_hash"] is not None for line in shown) == len(frames) // 7
    refused = RUN.invoke(app, ["journal", "dump", "--type", "Nothing", "--home", str(book.home.root)])
    assert refused.exit_code == 2 and "no journaled record is called 'Nothing'" in refused.stderr


def test_dump_from_any_sequence_begins_there(book: PlayedBook, frames: list[Frame]) -> None:
    assert len(list(book.home.journal.glob("*.segment"))) > 2
    for frame in frames:
        for sequence in (frame.first_sequence, frame.last_sequence):
            (line,) = row_lines(book.home.journal, sequence, sequence)
            assert (json.loads(line)["sequence"], json.loads(line)["frame"]) == (sequence, frame.index)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_export_holds_every_row(
    book: PlayedBook, frames: list[Frame], tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_GROUP_ROWS", 40)  # several groups a file
    words = ["journal", "export", "--home", str(book.home.root), "--out", str(tmp_path)]
    for _ in range(2):  # the second replaces the first
        result = RUN.invoke(app, [*words, "--csv"] if kind == "csv" else words)
        assert result.exit_code == 0, result.output
    read = pl.read_csv if kind == "csv" else pl.read_parquet
    expected = {s.record for f in frames for s in f.sections}
    assert {p.name for p in tmp_path.iterdir()} == {f"{r.table}.{kind}" for r in expected}
    for record in expected:
        found = read(tmp_path / f"{record.table}.{kind}")
        assert found.columns == [c.name for c in record.columns]
        assert found.rows() == [
            row for f in frames for s in f.sections if s.record is record for row in s.rows.tolist()
        ]


@pytest.mark.parametrize("words", [["stat"], ["dump"], ["dump", "--frames"], ["export", "--out", "OUT"]])
def test_damage_is_told_in_one_line_after_what_was_read(
    book: PlayedBook, tmp_path: Path, words: list[str]
) -> None:
    home = damaged_copy(book, tmp_path)
    words = [str(tmp_path / "out") if w == "OUT" else w for w in words]
    result = RUN.invoke(app, ["journal", *words, "--home", str(home.root)])
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert "fails its CRC32C" in result.stderr or "does not verify" in result.stderr, result.stderr
    assert len(result.stderr.splitlines()) == 1 and result.stdout
    out = tmp_path / "out"
    assert not out.exists() or (out / "place_order.parquet").exists()
    assert not list(tmp_path.rglob("*.unfinished"))


@pytest.mark.parametrize("words", [["journal", "stat"], ["journal", "dump"], ["verify", "journal"]])
def test_no_journal_is_told(tmp_path: Path, words: list[str]) -> None:
    result = RUN.invoke(app, [*words, "--home", str(tmp_path)])
    assert result.exit_code == 2 and "holds no journal" in result.stderr


def test_verify_tells_segments_and_snapshots(book: PlayedBook, frames: list[Frame]) -> None:
    (report,) = told(book.home, "verify", "journal", "--json")
    assert report["problems"] == [] and report["frames"] == len(frames) and report["snapshots"] == 2
    assert report["segments"] == len(list(book.home.journal.glob("*.segment")))
    assert report["chain_head"] == frames[-1].chain_hash.hex()


def test_verify_finds_a_snapshot_of_another_history_and_a_damaged_one(
    book: PlayedBook, tmp_path: Path
) -> None:
    newest, older = snapshot_paths(book.home.snapshots)
    folder = tmp_path / "snapshots"
    folder.mkdir()
    content = older.read_bytes()
    (folder / older.name).write_bytes(content[:300] + bytes([content[300] ^ 4]) + content[301:])
    (folder / newest.name).write_bytes(newest.read_bytes())
    report = verify_journal(book.home.journal, folder)
    assert report.problems == (f"{older.name}: the snapshot does not verify",) and report.snapshots == 1
    other = JournalWriter.open(tmp_path / "other", segment_bytes=1 << 16, disk=QuickDisk())
    for _ in range(10):
        other.append(batch(other.last.last_sequence + 1))
    (problem,) = verify_journal(tmp_path / "other", book.home.snapshots).problems[:1]
    assert "the journal ends at frame 10" in problem
    for _ in range(40):
        other.append(batch(other.last.last_sequence + 1))
    other.close()
    report = verify_journal(tmp_path / "other", book.home.snapshots)
    assert all("another chain hash than the snapshot" in p for p in report.problems)
    assert len(report.problems) == 2


def test_verify_finds_time_and_term_that_fall(tmp_path: Path) -> None:
    for name, column, told_of in (
        ("commands", "received_at_ns", "the time of commands"),
        ("events", "occurred_at_ns", "the time of events"),
    ):
        writer = JournalWriter.open(tmp_path / name, segment_bytes=8192, disk=QuickDisk())
        writer.append(batch(1, 3))
        sections = batch(7, 3)
        own = next(s for s in sections if (s.record.role is Role.COMMAND) is (name == "commands"))
        own.rows[column][0] = 5
        writer.append(sections)
        writer.close()
        assert verify_journal(tmp_path / name).problems == (f"{told_of} falls in frame 2",)
    writer = JournalWriter.open(tmp_path / "term", segment_bytes=8192, term=3, disk=QuickDisk())
    writer.append(batch(1))
    writer._term = 2  # what `open` refuses
    writer.append(batch(3))
    writer.close()
    assert verify_journal(tmp_path / "term").problems == ("the term falls in frame 2",)


def test_backup_verify_and_restore_by_command(book: PlayedBook, tmp_path: Path) -> None:
    backup, new = tmp_path / "b", tmp_path / "new"
    (taken,) = told(book.home, "backup", "--json", "--to", str(backup))
    assert taken["last_sequence"] == book.writer.last.last_sequence and taken["has_private"] is False
    result = RUN.invoke(app, ["backup", "--verify", str(backup), "--json"])
    assert result.exit_code == 0 and json.loads(result.stdout)["problems"] == []
    result = RUN.invoke(app, ["restore", "--from", str(backup), "--home", str(new), "--json", "--full"])
    report = json.loads(result.stdout)
    assert report["state_hash"] == book.pipeline.state.hash().hex()
    assert report["recovery_point_sequence"] == taken["last_sequence"] and report["is_whole"]
    again = RUN.invoke(app, ["restore", "--from", str(backup), "--home", str(new)])
    assert again.exit_code == 2 and "not empty" in again.stderr
    manifest = backup / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"format": 1', b'"format": 2'))
    result = RUN.invoke(app, ["backup", "--verify", str(backup)])
    assert result.exit_code == 1 and "manifest.json is damaged" in result.stderr


def test_repair_by_command(book: PlayedBook, tmp_path: Path) -> None:
    home = damaged_copy(book, tmp_path)
    result = RUN.invoke(app, ["journal", "repair", "--home", str(home.root), "--from", str(book.home.root)])
    assert result.exit_code == 0, result.output
    assert "1 bytes differ; the chain hash of frame" in result.stdout and "damaged-1" in result.stdout
    assert not verify_journal(home.journal).problems
