from __future__ import annotations

import struct
import threading
from pathlib import Path

import pytest

from engine.errors import InvariantBroken, JournalDamaged, JournalError, JournalFailed
from engine.journal import frame
from engine.journal.frame import ZERO_HASH
from engine.journal.mark import mark_path
from engine.journal.reader import follow, read_frames
from engine.journal.verify import verify_journal
from engine.journal.writer import JournalWriter
from tests.support.journal_disk import FaultyDisk, QuickDisk, batch, same

SEGMENT_BYTES = 8192


def _open(folder: Path, **more: int) -> JournalWriter:
    return JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES, disk=QuickDisk(), **more)


def _append(writer: JournalWriter, count: int = 1) -> None:
    writer.append(batch(writer.last.last_sequence + 1, count))


def test_what_is_appended_is_read_back_across_segments_and_openings(tmp_path: Path) -> None:
    written = []
    for counts in ((1, 30, 200), (1,), (), (40, 2)):
        writer = _open(tmp_path / "new" / "journal")
        for count in counts:
            state_hash = bytes([count]) * 32
            written.append(writer.append(batch(writer.last.last_sequence + 1, count), state_hash))
        writer.close()
    read = list(read_frames(tmp_path / "new" / "journal"))
    assert all(same(a, b) for a, b in zip(read, written, strict=True))
    assert [f.chain_hash for f in read] == [f.chain_hash for f in written]
    assert [f.index for f in read] == [1, 2, 3, 4, 5, 6]
    sizes = [p.stat().st_size for p in sorted((tmp_path / "new" / "journal").glob("*.segment"))]
    assert len(sizes) > 2 and max(sizes) > SEGMENT_BYTES  # a large frame has a segment of its own size
    report = verify_journal(tmp_path / "new" / "journal")
    assert report[:6] == (6, 548, 1, 548, read[-1].chain_hash.hex(), ())


def test_the_same_frames_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        writer = _open(tmp_path / name)
        for count in (1, 50, 3):
            _append(writer, count)
        writer.close()
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_reading_from_the_middle(tmp_path: Path) -> None:
    writer = _open(tmp_path)
    for _ in range(9):
        _append(writer, 12)
    chains = [ZERO_HASH, *(f.chain_hash for f in read_frames(tmp_path))]
    for after, known in enumerate(chains):
        assert [f.index for f in read_frames(tmp_path, after, known)] == list(range(after + 1, 10))
    with pytest.raises(JournalDamaged, match="another chain hash"):
        list(read_frames(tmp_path, 4, chains[5]))
    with pytest.raises(JournalDamaged, match="ends at frame 9, before frame 10"):
        list(read_frames(tmp_path, 10))
    mark_path(tmp_path).unlink()
    with pytest.raises(JournalDamaged, match="no durable mark"):
        list(read_frames(tmp_path))
    writer.close()
    _open(tmp_path).close()
    assert len(list(read_frames(tmp_path))) == 9


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    writer = _open(tmp_path)
    with pytest.raises(JournalError, match="another process writes this journal"):
        _open(tmp_path)
    _append(writer)  # and the first is not disturbed
    writer.close()
    _open(tmp_path).close()


def test_a_closed_writer_is_of_no_use(tmp_path: Path) -> None:
    writer = _open(tmp_path)
    writer.close()
    writer.close()
    with pytest.raises(JournalFailed, match="closed"):
        _append(writer)


def test_sequences_go_on_without_a_gap_and_a_refused_frame_leaves_the_writer_usable(tmp_path: Path) -> None:
    writer = _open(tmp_path)
    _append(writer)
    for first in (1, 2, 4):
        with pytest.raises(InvariantBroken):
            writer.append(batch(first))
    _append(writer)
    assert writer.last[:2] == (2, 4)
    writer.close()


def test_terms_never_go_down(tmp_path: Path) -> None:
    writer = _open(tmp_path, term=3)
    _append(writer)
    writer.close()
    with pytest.raises(JournalError, match="term 2 is over"):
        _open(tmp_path, term=2)
    writer = _open(tmp_path, term=4)
    _append(writer)
    writer.close()
    assert [f.term for f in read_frames(tmp_path)] == [3, 4]


def test_a_frame_that_others_know_must_be_there(tmp_path: Path) -> None:
    writer = _open(tmp_path)
    _append(writer)
    writer.close()
    mark_path(tmp_path).unlink()
    with pytest.raises(JournalDamaged, match="ends at frame 1, but frame 2 was durable"):
        _open(tmp_path, known_index=2)
    _open(tmp_path, known_index=1).close()
    for path in tmp_path.glob("*.segment"):
        path.unlink()
    with pytest.raises(JournalDamaged, match="there is no segment"):
        _open(tmp_path)


def test_an_undeclared_record_is_no_torn_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = _open(tmp_path)
    _append(writer)
    writer.close()
    mark_path(tmp_path).unlink()
    before = (tmp_path / "0000000001.segment").read_bytes()

    def unknown(code: int) -> None:
        raise KeyError(code)

    monkeypatch.setattr(frame, "by_type_code", unknown)
    with pytest.raises(JournalError, match="segment at byte 4096, frame 1: record type"):
        _open(tmp_path)
    assert (tmp_path / "0000000001.segment").read_bytes() == before


@pytest.mark.parametrize("segment_bytes", [0, 4096, 8193])
def test_a_bad_segment_size_is_refused(tmp_path: Path, segment_bytes: int) -> None:
    with pytest.raises(JournalError, match="not a multiple of 4096"):
        JournalWriter.open(tmp_path, segment_bytes=segment_bytes)


def test_an_interrupt_in_a_write_ends_the_writer(tmp_path: Path) -> None:
    class Interrupted(FaultyDisk):
        def _fail(self) -> None:
            raise KeyboardInterrupt

    disk = Interrupted()
    writer = JournalWriter.open(tmp_path, segment_bytes=SEGMENT_BYTES, disk=disk)
    disk.fail_at = len(disk.calls) + 2
    with pytest.raises(KeyboardInterrupt):
        _append(writer)
    with pytest.raises(JournalFailed, match="any more"):
        _append(writer)
    writer.close()


def test_following_a_writer_at_work(tmp_path: Path) -> None:
    seen: list[int] = []
    done = threading.Event()

    def run() -> None:
        for one in follow(tmp_path / "journal", 3, done.is_set, poll_seconds=0.0005):
            seen.append(one.index)

    reader = threading.Thread(target=run)
    reader.start()  # before there is a journal
    writer = _open(tmp_path / "journal")
    for _ in range(60):
        _append(writer, 7)
    done.set()
    reader.join(timeout=30)
    late = [f.index for f in follow(tmp_path / "journal", max(seen, default=3), lambda: True)]
    assert seen + late == list(range(4, 61))
    writer.close()


def test_following_a_copy_that_is_set_aside_and_made_again(tmp_path: Path) -> None:
    """A follower that has the old files open must not read on in them."""
    folder = tmp_path / "journal"
    writer = _open(folder)
    for _ in range(4):
        _append(writer)
    writer.close()
    frames, seen, answers = list(read_frames(folder)), list[int](), iter([False, True])
    following = follow(folder, 0, lambda: next(answers), poll_seconds=0.0005)
    mark = mark_path(folder).read_bytes()
    mark_path(folder).write_bytes(struct.pack("<QQ", 3, 3 ^ ((1 << 64) - 1)))  # frame 4 is nobody's
    seen += [next(following).index for _ in range(3)]
    folder.rename(tmp_path / "aside")
    again = _open(folder)
    for one in frames[:3]:
        again.append(one.sections, one.state_hash)
    again.append(batch(again.last.last_sequence + 1, 9))
    again.append(batch(again.last.last_sequence + 1, 1))
    assert mark_path(tmp_path / "aside").read_bytes() != mark
    (fourth, fifth) = following
    assert (seen, fourth.index, fifth.index) == ([1, 2, 3], 4, 5)
    assert fourth.last_sequence - fourth.first_sequence == 17  # the new one
    again.close()


def test_following_a_copy_of_another_history_ends(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    for name, count in (("journal", 1), ("other", 2)):
        writer = _open(tmp_path / name)
        for _ in range(3):
            _append(writer, count)
        writer.close()
    following = follow(folder, 0, lambda: False, poll_seconds=0.0005)
    assert next(following).index == 1
    assert [next(following).index for _ in range(2)] == [2, 3]
    folder.rename(tmp_path / "aside")
    (tmp_path / "other").rename(folder)
    other = _open(folder)
    _append(other)
    with pytest.raises(JournalDamaged, match="frame 3 has another chain hash than known"):
        next(following)
    other.close()
