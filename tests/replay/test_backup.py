"""A backup is the journal's durable prefix to the byte; restored it decides the same; damage shows."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from engine.backup.check import verify_backup
from engine.backup.manifest import BackupDamaged, Manifest, read_manifest
from engine.backup.redecide import decide_again
from engine.backup.restore import restore
from engine.backup.take import take_backup
from engine.batch import Batch
from engine.clock import FakeClock
from engine.config import EngineSettings, Home
from engine.errors import BadInput, InvariantBroken, JournalError
from engine.journal.frame import Frame, Section
from engine.journal.mark import mark_path
from engine.journal.reader import SegmentWalk, read_frames
from engine.journal.segment import segment_paths
from engine.journal.writer import JournalWriter
from engine.projections.lake import LakeWriter
from engine.replay import open_pipeline
from schemas.market import OrderAccepted
from tests.support.journal_disk import FaultyDisk, PowerCut, QuickDisk, batch
from tests.support.lake_journal import RandomJournal
from tests.support.played_book import SEGMENT_BYTES, PlayedBook, files_of

CLOCK = FakeClock(1_790_000_000_000_000_000)
QUICK = QuickDisk()


class ReplacingDisk(FaultyDisk):
    """Knows that a rename that did not survive leaves what it would have replaced."""

    def __init__(self, fail_at: int) -> None:
        super().__init__(fail_at)
        self._replaced: dict[Path, bytes] = {}

    def rename(self, source: Path, target: Path) -> None:
        if target.exists():
            self._replaced[target] = target.read_bytes()
        super().rename(source, target)

    def cut(self, choice: random.Random) -> None:
        super().cut(choice)
        for target, content in self._replaced.items():
            if not target.exists():
                target.write_bytes(content)


def _small_journal(home: Home, frame_count: int) -> JournalWriter:
    writer = JournalWriter.open(home.journal, segment_bytes=8192, disk=QUICK)
    for _ in range(frame_count):
        writer.append(batch(writer.last.last_sequence + 1, 9))
    return writer


def _sequences_before(frames: list[Frame], frame: Frame) -> tuple[int, int]:
    """The sequences for which `frame` is the last whole one."""
    return frame.last_sequence, frames[frame.index].last_sequence - 1


def back_up(home: Home, folder: Path) -> Manifest:
    return take_backup(home, folder, CLOCK, disk=QUICK).manifest


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PlayedBook:
    """Some closed segments, two snapshots, frames behind them; nobody appends to it any more."""
    book = PlayedBook(tmp_path_factory.mktemp("book") / "home")
    book.play(12, snapshot=True)
    book.play(12, snapshot=True)
    book.play(9)
    book.close()
    return book


@pytest.fixture(scope="module")
def folder(book: PlayedBook, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backup") / "b"
    back_up(book.home, folder)
    return folder


@pytest.mark.parametrize("is_full", [False, True])
def test_a_restored_book_is_the_book_to_the_byte(
    book: PlayedBook, folder: Path, tmp_path: Path, is_full: bool
) -> None:
    assert len(list(book.home.journal.glob("*.segment"))) >= 3
    restored = restore(folder, Home(tmp_path / "new"), is_full=is_full, disk=QUICK)
    assert files_of(tmp_path / "new") == files_of(book.home.root)
    assert restored.is_whole and restored.decided.state.hash() == book.pipeline.state.hash()
    assert restored.last_sequence == book.writer.last.last_sequence
    assert (restored.decided.from_frame > 0) is not is_full
    assert restored.decided.compared_count >= (4 if is_full else 1)
    assert set(restored.seconds) == {"verify_files", "rebuild_journal", "verify_chain", "decide_again"}


def test_a_book_goes_on_where_it_was_restored_and_its_lake_is_made(folder: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "new")
    restored = restore(folder, home, disk=QUICK)
    with LakeWriter(home) as lake:
        assert lake.catch_up() == restored.frames
    with open_pipeline(home, EngineSettings(segment_bytes=SEGMENT_BYTES)) as pipeline:
        assert pipeline.state.sequence == restored.last_sequence


def test_to_any_sequence_the_last_frame_is_the_last_that_ends_by_then(
    book: PlayedBook, folder: Path, tmp_path: Path
) -> None:
    frames = list(read_frames(book.home.journal))
    rng = random.Random(3)
    for number, frame in enumerate([frames[0], *rng.sample(frames[1:-1], 3), frames[-1]]):
        is_last = frame.index == len(frames)
        until = frame.last_sequence if is_last else rng.randint(*_sequences_before(frames, frame))
        home = Home(tmp_path / str(number))
        restored = restore(folder, home, to_sequence=until, disk=QUICK)
        assert [f.chain_hash for f in read_frames(home.journal)] == [
            f.chain_hash for f in frames[: frame.index]
        ]
        assert restored.last_sequence == frame.last_sequence <= until
        assert restored.decided.state.sequence == frame.last_sequence
        assert restored.decided.state.hash() == decide_again(book.home, frame.index).state.hash()
        path = segment_paths(home.journal)[-1]
        last, theirs = path.read_bytes(), (book.home.journal / path.name).read_bytes()
        end = len(last.rstrip(b"\0"))
        assert last[:end] == theirs[:end] and not any(last[end:])


@pytest.mark.parametrize(("until", "told"), [(1, "before the end of the first"), (10**9, "ends at sequence")])
def test_a_sequence_that_is_not_in_the_backup_is_refused(
    folder: Path, tmp_path: Path, until: int, told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        restore(folder, Home(tmp_path / "new"), to_sequence=until, disk=QUICK)
    assert not (tmp_path / "new" / "journal").exists()


def test_only_an_empty_place_takes_a_backup(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "restore.unfinished").mkdir()  # of a restore that was stopped
    (tmp_path / "note").write_text("mine")
    with pytest.raises(BadInput, match="not empty"):
        restore(folder, Home(tmp_path), disk=QUICK)
    (tmp_path / "note").unlink()
    restore(folder, Home(tmp_path), disk=QUICK)
    with pytest.raises(BadInput, match="not empty"):
        restore(folder, Home(tmp_path), disk=QUICK)


def test_a_flipped_bit_anywhere_in_a_backup_is_found(folder: Path) -> None:
    rng = random.Random(5)
    paths = [p for p in folder.rglob("*") if p.is_file() and p.name != "backup.lock"]
    assert {p.suffix for p in paths} == {".segment", ".snapshot", ".json"}
    assert not verify_backup(folder).problems
    for path in paths:
        good = path.read_bytes()
        places = range(len(good)) if path.suffix == ".json" else rng.sample(range(len(good)), 2)
        for place in places:
            put(path, place, good[place] ^ 1 << rng.randrange(8))
            assert verify_backup(folder).problems, f"{path.name}, byte {place}"
            put(path, place, good[place])
        path.write_bytes(good[:-1])
        assert verify_backup(folder).problems
        path.unlink()
        assert verify_backup(folder).problems
        path.write_bytes(good)
    assert not verify_backup(folder).problems


def put(path: Path, place: int, value: int) -> None:
    """Change one byte in place: a file emptied and written anew is flushed by the file system."""
    with path.open("r+b") as file:
        file.seek(place)
        file.write(bytes([value]))


def test_a_damaged_backup_is_not_restored(folder: Path, tmp_path: Path) -> None:
    path = next((folder / "snapshots").iterdir())
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(BackupDamaged, match="its digest is not"):
        restore(folder, Home(tmp_path / "new"), disk=QUICK)
    path.write_bytes(good)
    assert not (tmp_path / "new").exists()


def test_a_journal_of_another_decision_is_found_though_every_byte_verifies(tmp_path: Path) -> None:
    """The chain of a forger is whole; only deciding again tells."""
    book = PlayedBook(tmp_path / "home")
    book.play(3)
    sections = book.pipeline.decide(Batch.of([book.order() for _ in range(10)]))
    forged = [Section(s.record, s.rows.copy()) for s in sections]
    next(s for s in forged if s.record.cls is OrderAccepted).rows["account_id"][0] += 1
    book.writer.append(forged)
    book.close()
    back_up(book.home, tmp_path / "b")
    assert not verify_backup(tmp_path / "b").problems
    with pytest.raises(InvariantBroken, match="decided again differ"):
        restore(tmp_path / "b", Home(tmp_path / "new"), disk=QUICK)
    assert not (tmp_path / "new" / "journal").exists()


def test_what_is_there_is_not_copied_again_and_what_rotted_is(tmp_path: Path) -> None:
    book = PlayedBook(tmp_path / "home")
    book.play(20, snapshot=True)
    first = take_backup(book.home, tmp_path / "b", CLOCK, disk=QUICK)
    book.play(20, snapshot=True)
    second = take_backup(book.home, tmp_path / "b", CLOCK, disk=QUICK)
    closed = [f for f in first.manifest.of("segment") if f.path.startswith("journal/")]
    assert first.kept_count == 0 and second.kept_count == len(closed) >= 1
    assert not verify_backup(tmp_path / "b").problems
    assert len(list((tmp_path / "b" / "open").iterdir())) == 1  # the former open segment is gone
    rotten = tmp_path / "b" / closed[0].path
    rotten.write_bytes(rotten.read_bytes()[:-1] + b"\1")
    third = take_backup(book.home, tmp_path / "b", CLOCK, disk=QUICK)
    assert third.kept_count < len([f for f in second.manifest.of("segment") if "journal/" in f.path])
    assert not verify_backup(tmp_path / "b").problems
    book.close()


def test_a_folder_of_another_book_is_refused(tmp_path: Path) -> None:
    for name, frames, sizes in (("a", 6, 3), ("b", 9, 4), ("c", 40, 5)):
        home = Home(tmp_path / name)
        journal = RandomJournal(home, seed=sizes)
        journal.append(frames)
        journal.close()
    back_up(Home(tmp_path / "a"), tmp_path / "backup")
    before = files_of(tmp_path / "backup")
    for name in ("b", "c"):
        with pytest.raises(BadInput, match="another book"):
            back_up(Home(tmp_path / name), tmp_path / "backup")
        manifest = read_manifest(tmp_path / "backup")
        assert {n: b for n, b in files_of(tmp_path / "backup").items() if "taking" not in n} == before
        assert manifest.last_frame == 6


def test_a_backup_while_the_engine_writes(tmp_path: Path) -> None:
    book = PlayedBook(tmp_path / "home")
    book.play(2)
    is_over = threading.Event()

    def grow() -> None:
        while not is_over.is_set():
            book.play(3, snapshot=True)

    growing = threading.Thread(target=grow)
    growing.start()
    try:
        ends = []
        for _ in range(6):
            ends.append(back_up(book.home, tmp_path / "b").last_frame)
            assert not verify_backup(tmp_path / "b").problems
    finally:
        is_over.set()
        growing.join()
        book.close()
    assert ends == sorted(ends) and ends[0] < ends[-1]
    restore(tmp_path / "b", Home(tmp_path / "new"), disk=QUICK)
    ours = [f.chain_hash for f in read_frames(book.home.journal)]
    assert [f.chain_hash for f in read_frames(tmp_path / "new" / "journal")] == ours[: ends[-1]]


def test_a_power_cut_at_any_call_leaves_the_backup_before_or_the_new_one(tmp_path: Path) -> None:
    for fail_at in range(1, 200):
        home, folder = Home(tmp_path / f"h{fail_at}"), tmp_path / f"b{fail_at}"
        writer = _small_journal(home, 8)
        back_up(home, folder)
        before = read_manifest(folder)
        for _ in range(12):
            writer.append(batch(writer.last.last_sequence + 1, 20))
        writer.close()
        disk = ReplacingDisk(fail_at)
        try:
            take_backup(home, folder, CLOCK, disk=disk)
        except PowerCut:
            disk.cut(random.Random(fail_at))
            manifest = read_manifest(folder)
            assert not verify_backup(folder).problems
            assert manifest.last_frame in (before.last_frame, 20)
            assert back_up(home, folder).last_frame == 20
            assert not verify_backup(folder).problems
        else:
            assert fail_at > 20
            return
    raise AssertionError("the backup never ended")


def test_what_stands_behind_the_mark_is_not_backed_up(tmp_path: Path) -> None:
    """The writer has written a frame and not yet synced it: nobody was told of it."""
    home = Home(tmp_path / "home")
    writer = _small_journal(home, 2)
    mark = mark_path(home.journal).read_bytes()
    writer.append(batch(writer.last.last_sequence + 1, 3))
    writer.close()
    mark_path(home.journal).write_bytes(mark)
    manifest = back_up(home, tmp_path / "b")
    assert manifest.last_frame == 2 and not verify_backup(tmp_path / "b").problems
    (segment,) = manifest.of("segment")
    content = (tmp_path / "b" / segment.path).read_bytes()
    with SegmentWalk(tmp_path / "b" / segment.path) as walk:
        while walk.next_frame() is not None:
            pass
        assert walk.last.index == 2 and not any(content[walk.offset :])


def test_a_segment_that_holds_no_frame_is_kept_too(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    writer = _small_journal(home, 0)
    writer.append(batch(1, 200))  # larger than the first segment
    writer.append(batch(401, 1))
    writer.close()
    back_up(home, tmp_path / "b")
    assert not verify_backup(tmp_path / "b").problems
    assert len(read_manifest(tmp_path / "b").of("segment")) == 2
    back_up(home, tmp_path / "b")
    assert not verify_backup(tmp_path / "b").problems


def test_keys_and_vault_are_copied_only_when_asked_for(book: PlayedBook, tmp_path: Path) -> None:
    home = book.home
    home.keys.mkdir()
    home.vault.mkdir()
    (home.keys / "signing.key").write_bytes(b"secret")
    (home.vault / "keys.jsonl").write_bytes(b"wrapped")
    try:
        back_up(home, tmp_path / "plain")
        assert not any(b"secret" in content for content in files_of(tmp_path / "plain").values())
        take_backup(home, tmp_path / "all", CLOCK, with_private=True, disk=QUICK)
        restore(tmp_path / "all", Home(tmp_path / "new"), disk=QUICK)
        assert (tmp_path / "new" / "keys" / "signing.key").read_bytes() == b"secret"
        assert (tmp_path / "new" / "keys" / "signing.key").stat().st_mode & 0o77 == 0
        assert (tmp_path / "new" / "vault" / "keys.jsonl").read_bytes() == b"wrapped"
    finally:
        for path in (home.keys / "signing.key", home.vault / "keys.jsonl", home.vault / "lock"):
            path.unlink()
        home.keys.rmdir()
        home.vault.rmdir()


def test_nothing_to_back_up_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no journal"):
        back_up(Home(tmp_path / "nowhere"), tmp_path / "b")
    _small_journal(Home(tmp_path / "empty"), 0).close()
    with pytest.raises((BadInput, JournalError)):
        back_up(Home(tmp_path / "empty"), tmp_path / "b")
    with pytest.raises(BadInput, match="no finished backup"):
        read_manifest(tmp_path / "b")
