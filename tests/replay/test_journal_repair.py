"""A damaged journal is made whole from another copy only where the chain proves it; nothing is deleted."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from engine.backup import repair as repairing
from engine.backup.repair import repair_journal
from engine.backup.take import take_backup
from engine.clock import FakeClock
from engine.config import Home
from engine.errors import BadInput, JournalError
from engine.journal.reader import SegmentWalk, read_frames
from engine.journal.segment import PAGE_BYTES, segment_paths
from engine.journal.snapshot import write_snapshot
from engine.journal.verify import verify_journal
from engine.journal.writer import JournalWriter
from tests.support.journal_disk import FaultyDisk, PowerCut, QuickDisk, batch
from tests.support.played_book import files_of

QUICK = QuickDisk()
FRAMES = 14


class Book:
    """A journal of a few small segments, and what every byte of it was."""

    def __init__(self, root: Path, *, frames: int = FRAMES, salt: int = 0) -> None:
        self.home = Home(root)
        writer = JournalWriter.open(self.home.journal, segment_bytes=8192, disk=QUICK)
        for index in range(1, frames + 1):
            count = 9 + salt * (index > 5)
            writer.append(batch(writer.last.last_sequence + 1, count))
        writer.close()
        self.paths = segment_paths(self.home.journal)
        self.good = files_of(self.home.journal)

    def flip(self, number: int, place: int, mask: int = 1) -> None:
        path = self.paths[number - 1]
        content = bytearray(path.read_bytes())
        content[place] ^= mask
        path.write_bytes(content)

    def segments(self) -> dict[str, bytes]:
        return {
            n: b for n, b in files_of(self.home.journal).items() if n.endswith(".segment") and "/" not in n
        }

    def is_whole(self) -> bool:
        good = {n: b for n, b in self.good.items() if n.endswith(".segment")}
        return self.segments() == good and not verify_journal(self.home.journal).problems


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "home")


@pytest.fixture
def backup(book: Book, tmp_path: Path) -> Path:
    take_backup(book.home, tmp_path / "b", FakeClock(1), disk=QUICK)
    return tmp_path / "b"


def ends(path: Path) -> list[int]:
    """Where each frame of a segment ends."""
    with SegmentWalk(path) as walk:
        found: list[int] = []
        while walk.next_frame() is not None:
            found.append(walk.offset)
    return found


def test_any_flipped_bits_of_closed_segments_and_of_the_last_are_repaired(book: Book, backup: Path) -> None:
    rng = random.Random(2)
    assert len(book.paths) >= 3
    for round_number in range(40):
        number = rng.randint(1, len(book.paths))
        end = ends(book.paths[number - 1])[-1]
        at = rng.choice([rng.randrange(112), rng.randrange(PAGE_BYTES, end)])
        book.flip(number, at, 1 << rng.randrange(8))
        damaged = book.paths[number - 1].read_bytes()
        told = repair_journal(book.home, backup, disk=QUICK)
        assert [(name, changed) for name, changed, _ in told.segments] == [(book.paths[number - 1].name, 1)]
        assert told.set_aside == book.home.journal / f"damaged-{round_number + 1}"
        assert (told.set_aside / book.paths[number - 1].name).read_bytes() == damaged
        assert book.is_whole()


def test_a_sound_journal_is_left_alone(book: Book, backup: Path) -> None:
    assert repair_journal(book.home, backup, disk=QUICK) == ((), None)
    assert files_of(book.home.journal) == book.good


@pytest.mark.parametrize("what", ["missing", "cut", "emptied"])
def test_a_closed_segment_that_is_gone_comes_back(book: Book, backup: Path, what: str) -> None:
    path = book.paths[1]
    if what == "missing":
        path.unlink()
    else:
        os.truncate(path, 0 if what == "emptied" else 5000)
    told = repair_journal(book.home, backup, disk=QUICK)
    assert "known from a later segment" in told.segments[0][2] and book.is_whole()


def test_a_backup_that_ends_before_the_journal_repairs_what_it_reaches(tmp_path: Path) -> None:
    """Our own frames behind the backup's end prove the chain across."""
    early = Book(tmp_path / "home", frames=FRAMES - 1)
    take_backup(early.home, tmp_path / "b", FakeClock(1), disk=QUICK)
    writer = JournalWriter.open(early.home.journal, segment_bytes=8192, disk=QUICK)
    writer.append(batch(writer.last.last_sequence + 1, 2))
    writer.close()
    whole = files_of(early.home.journal)
    path = segment_paths(early.home.journal)[-1]
    before_last, end = ends(path)[-2:]
    early.paths = segment_paths(early.home.journal)
    early.flip(len(early.paths), before_last - 40)
    repair_journal(early.home, tmp_path / "b", disk=QUICK)
    assert path.read_bytes() == whole[path.name]
    early.flip(len(early.paths), end - 40)  # a frame that the backup does not have
    with pytest.raises(BadInput):
        repair_journal(early.home, tmp_path / "b", disk=QUICK)
    assert path.read_bytes() != whole[path.name]  # and nothing was touched


def test_what_the_other_copy_has_behind_our_mark_is_not_taken(book: Book, tmp_path: Path) -> None:
    other = Book(tmp_path / "other", frames=FRAMES + 1)
    assert len(other.paths) == len(book.paths)
    book.flip(len(book.paths), PAGE_BYTES + 100)
    repair_journal(book.home, other.home.root, disk=QUICK)
    assert book.is_whole()


def test_two_copies_that_are_damaged_at_different_places_heal(book: Book, tmp_path: Path) -> None:
    other = Book(tmp_path / "other")
    book.flip(2, PAGE_BYTES + 100)
    other.flip(3, PAGE_BYTES + 100)
    repair_journal(book.home, other.home.root, disk=QUICK)
    assert book.is_whole()
    repair_journal(other.home, book.home.root, disk=QUICK)
    assert other.is_whole()


def test_a_copy_that_parted_before_the_damage_is_refused(book: Book, tmp_path: Path) -> None:
    other = Book(tmp_path / "other", salt=1)  # the same five frames, then another history
    last = len(book.paths)
    for number, at in ((2, PAGE_BYTES + 200), (last, ends(book.paths[-1])[-1] - 100)):
        book.flip(number, at)
        before = files_of(book.home.journal)
        with pytest.raises(BadInput):
            repair_journal(book.home, other.home.root, disk=QUICK)
        assert files_of(book.home.journal) == before
        book.flip(number, at)


def test_without_the_proof_a_foreign_last_frame_would_be_taken(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last frame is all that differs: it verifies, only our own chain hash tells that it is foreign."""
    other = Home(tmp_path / "other")
    writer = JournalWriter.open(other.journal, segment_bytes=8192, disk=QUICK)
    for index in range(1, FRAMES + 1):
        sections = batch(writer.last.last_sequence + 1, 9)
        if index == FRAMES:
            sections[0].rows["account_id"][0] += 1
        writer.append(sections)
    writer.close()
    end = ends(book.paths[-1])[-1]
    book.flip(len(book.paths), end - 100)
    with pytest.raises(BadInput, match="proves that the other copy"):
        repair_journal(book.home, other.root, disk=QUICK)
    monkeypatch.setattr(repairing, "proof_of", lambda *_: "none asked for")
    repair_journal(book.home, other.root, disk=QUICK)
    assert not verify_journal(book.home.journal).problems and not book.is_whole()


def test_a_snapshot_proves_a_last_frame_of_which_nothing_is_left(book: Book, backup: Path) -> None:
    path = book.paths[-1]
    *_, start, end = [PAGE_BYTES, *ends(path)]
    content = bytearray(path.read_bytes())
    content[start:end] = bytes(end - start)
    path.write_bytes(content)
    with pytest.raises(BadInput, match="proves that the other copy"):
        repair_journal(book.home, backup, disk=QUICK)
    (*_, last) = read_frames(backup_home(backup, path.parent))
    write_snapshot(book.home.snapshots, last.index, last.chain_hash, bytes(32), {}, b"", QUICK)
    repair_journal(book.home, backup, disk=QUICK)
    assert book.is_whole()


def backup_home(backup: Path, ours: Path) -> Path:
    """A folder of the backup's segments that a reader takes for a journal."""
    folder = backup.parent / "as_journal"
    folder.mkdir()
    for path in [*backup.glob("journal/*.segment"), *backup.glob("open/*/*.segment"), ours / "durable.mark"]:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_while_a_writer_runs_nothing_is_repaired(book: Book, backup: Path) -> None:
    writer = JournalWriter.open(book.home.journal, segment_bytes=8192, disk=QUICK)
    with pytest.raises(JournalError, match="another process writes"):
        repair_journal(book.home, backup, disk=QUICK)
    writer.close()


def test_what_is_no_copy_is_refused(book: Book, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(BadInput, match="neither a backup nor a home"):
        repair_journal(book.home, tmp_path / "nothing", disk=QUICK)
    with pytest.raises(BadInput, match="no journal to repair"):
        repair_journal(Home(tmp_path / "nothing"), book.home.root, disk=QUICK)


def test_a_power_cut_at_any_call_loses_no_segment(tmp_path: Path) -> None:
    for fail_at in range(1, 40):
        book, backup = Book(tmp_path / f"h{fail_at}"), tmp_path / f"b{fail_at}"
        take_backup(book.home, backup, FakeClock(1), disk=QUICK)
        book.flip(1, PAGE_BYTES + 50)
        book.flip(2, PAGE_BYTES + 50)
        damaged = {p.name: p.read_bytes() for p in book.paths[:2]}
        disk = FaultyDisk(fail_at)
        try:
            repair_journal(book.home, backup, disk=disk)
        except PowerCut:
            assert set(book.segments()) == {p.name for p in book.paths}
            repair_journal(book.home, backup, disk=QUICK)
        assert book.is_whole()
        kept = {p.name: p.read_bytes() for p in book.home.journal.glob("damaged-*/*.segment")}
        assert kept.keys() == damaged.keys()
        if len(disk.calls) < fail_at:
            return
    raise AssertionError("the repair never ended")
