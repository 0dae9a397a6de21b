"""Cut and flip a small journal everywhere: no altered record is ever taken for a true one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import JournalDamaged
from engine.journal import recovery
from engine.journal.frame import Frame
from engine.journal.mark import mark_path, read_mark
from engine.journal.reader import SegmentWalk, read_frames
from engine.journal.segment import PAGE_BYTES
from engine.journal.verify import verify_journal
from engine.journal.writer import JournalWriter
from tests.support.journal_disk import QuickDisk, batch, same

SEGMENT_BYTES = 8192
FRAMES = 3
HEADER_BYTES = 112  # of a segment; zeros follow to the end of the page


class Journal:
    """One closed segment of a few frames, and where each begins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        writer = JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES, disk=QuickDisk())
        for _ in range(FRAMES):
            writer.append(batch(writer.last.last_sequence + 1))
        writer.close()
        self.path = folder / "0000000001.segment"
        self.good = self.path.read_bytes()
        self.frames = list(read_frames(folder))
        with SegmentWalk(self.path) as walk:
            self.starts: list[int] = []
            for _ in range(FRAMES):
                self.starts.append(walk.offset)
                walk.next_frame()
            self.end = walk.offset

    def put(self, content: bytes, *, mark: bool) -> None:
        _overwrite(self.path, content)
        if mark:
            _overwrite(mark_path(self.folder), self.mark)
        else:  # an empty one would be read again and again, in case that it is being written
            mark_path(self.folder).unlink(missing_ok=True)

    @property
    def mark(self) -> bytes:
        return FRAMES.to_bytes(8, "little") + (FRAMES ^ ((1 << 64) - 1)).to_bytes(8, "little")

    def reopen(self) -> list[Frame]:
        """What recovery keeps. Raises JournalDamaged."""
        JournalWriter.open(self.folder, segment_bytes=SEGMENT_BYTES, disk=QuickDisk()).close()
        return list(read_frames(self.folder))

    def assert_prefix(self, found: list[Frame]) -> None:
        assert all(same(a, b) for a, b in zip(found, self.frames, strict=False))
        assert len(found) <= FRAMES


def _overwrite(path: Path, content: bytes) -> None:
    """In place: a file emptied and written anew is flushed by the file system, which takes long."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.write(descriptor, content)
    os.ftruncate(descriptor, len(content))
    os.close(descriptor)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def _flip(content: bytes, bit: int) -> bytes:
    flipped = bytearray(content)
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)


def _bits(journal: Journal) -> list[int]:
    """Every bit of the segment header and of the frames, and one of each byte of zeros between them."""
    said = [*range(HEADER_BYTES), *range(PAGE_BYTES, journal.end)]
    zeros = [place * 8 + place % 8 for place in range(HEADER_BYTES, PAGE_BYTES)]
    return [place * 8 + bit for place in said for bit in range(8)] + zeros


def test_every_flip_below_the_mark_is_damage(journal: Journal) -> None:
    for bit in _bits(journal):
        flipped = _flip(journal.good, bit)
        journal.put(flipped, mark=True)
        with pytest.raises(JournalDamaged):
            list(read_frames(journal.folder))
        if bit % 5 == 0:  # opening goes the same way
            with pytest.raises(JournalDamaged):
                journal.reopen()
            assert journal.path.read_bytes() == flipped  # and touches nothing


def test_a_flip_behind_the_last_frame_is_wiped_and_no_frame(journal: Journal) -> None:
    for place in range(journal.end, SEGMENT_BYTES, 3):
        journal.put(_flip(journal.good, place * 8 + place % 8), mark=bool(place % 2))
        assert len(journal.reopen()) == FRAMES
        assert journal.path.read_bytes() == journal.good


def test_a_flip_or_a_cut_of_the_mark_is_never_another_mark(journal: Journal) -> None:
    journal.put(journal.good, mark=True)
    good = mark_path(journal.folder).read_bytes()
    for content in [_flip(good, bit) for bit in range(len(good) * 8)] + [good[:n] for n in range(len(good))]:
        _overwrite(mark_path(journal.folder), content)
        assert read_mark(journal.folder) is None
        assert len(journal.reopen()) == FRAMES
        assert mark_path(journal.folder).read_bytes() == good


def _flips_without_mark(journal: Journal) -> None:
    for bit in _bits(journal):
        flipped = _flip(journal.good, bit)
        journal.put(flipped, mark=False)
        if bit // 8 < journal.starts[-1]:
            with pytest.raises(JournalDamaged):
                journal.reopen()
            assert journal.path.read_bytes() == flipped
        else:  # the last frame, unmarked, cannot be told from a write cut short
            found = journal.reopen()
            assert len(found) == FRAMES - 1
            journal.assert_prefix(found)


def test_every_flip_before_the_last_frame_is_damage_without_a_mark_too(journal: Journal) -> None:
    _flips_without_mark(journal)


def test_a_recovery_that_cuts_in_the_middle_is_found(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "_torn_bytes", lambda walk, durable, damage: walk.rest())
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        _flips_without_mark(journal)


def test_a_file_cut_at_any_byte_is_damage(journal: Journal) -> None:
    for length in range(len(journal.good)):
        journal.put(journal.good[:length], mark=bool(length % 2))
        with pytest.raises(JournalDamaged):
            journal.reopen()


def test_a_write_cut_at_any_byte_leaves_the_frames_before_it(journal: Journal) -> None:
    for at in range(PAGE_BYTES, journal.end):
        torn = journal.good[:at].ljust(SEGMENT_BYTES, b"\0")
        ends = [*journal.starts[1:], journal.end]
        whole = sum(torn[:end] == journal.good[:end] for end in ends)
        journal.put(torn, mark=False)
        found = journal.reopen()
        assert len(found) == whole
        journal.assert_prefix(found)
        kept = journal.path.read_bytes()
        end = [*journal.starts, journal.end][len(found)]
        assert kept == journal.good[:end].ljust(SEGMENT_BYTES, b"\0")  # no byte of the torn frame is left
        journal.put(torn, mark=True)
        if whole < FRAMES:
            with pytest.raises(JournalDamaged):
                journal.reopen()


def test_a_frame_from_elsewhere_is_refused(journal: Journal) -> None:
    first, second, third = (
        journal.good[a:b] for a, b in zip(journal.starts, [*journal.starts[1:], journal.end], strict=True)
    )
    head, rest = journal.good[:PAGE_BYTES], journal.good[journal.end :]
    for order in (
        (second, first, third),
        (first, first, third),
        (first, third, second),
        (first, second, second),
    ):
        journal.put(head + b"".join(order) + rest, mark=True)
        assert verify_journal(journal.folder).problems
        journal.put(head + b"".join(order) + rest, mark=False)
        with pytest.raises(JournalDamaged):
            journal.reopen()


def test_missing_and_foreign_segments_are_damage(tmp_path: Path) -> None:
    folder, other = tmp_path / "a", tmp_path / "b"
    for place, count in ((folder, 20), (other, 21)):
        writer = JournalWriter.open(place, segment_bytes=SEGMENT_BYTES, disk=QuickDisk())
        while writer.last.index < 12:
            writer.append(batch(writer.last.last_sequence + 1, count))
        writer.close()
    paths = sorted(folder.glob("*.segment"))
    assert len(paths) > 4
    second = paths[1].read_bytes()
    paths[1].write_bytes((other / paths[1].name).read_bytes())
    assert len(verify_journal(folder).problems) == 1
    paths[1].unlink()
    with pytest.raises(JournalDamaged, match="segment 2 is missing"):
        list(read_frames(folder))
    paths[1].write_bytes(second)
    assert verify_journal(folder).problems == ()
    os.truncate(paths[-1], 0)
    with pytest.raises(JournalDamaged, match="cut off"):
        JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES, disk=QuickDisk())
