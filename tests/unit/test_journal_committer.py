"""Frames staged on one thread and committed on another: in order, shared syncs, failures told."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from engine.errors import InvariantBroken, JournalFailed
from engine.journal import committer as committer_module
from engine.journal.committer import DEPTH, Committer
from engine.journal.reader import read_frames
from engine.journal.spare import SpareSegments
from engine.journal.writer import JournalWriter
from tests.support.journal_disk import FaultyDisk, QuickDisk, batch

SEGMENT_BYTES = 16_384
OPEN_FILES = Path("/proc/self/fd")


class GatedDisk(QuickDisk):
    """A disk whose syncs wait until they are let through."""

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.is_gated = False
        self.sync_count = 0

    def fdatasync(self, descriptor: int) -> None:
        if self.is_gated:
            assert self.gate.acquire(timeout=30)
        self.sync_count += 1


def _opened(folder: Path, disk: QuickDisk) -> JournalWriter:
    return JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES, disk=disk)


def test_small_frames_are_held_and_share_a_sync_on_the_deciding_thread(tmp_path: Path) -> None:
    disk = GatedDisk()
    writer = _opened(tmp_path, disk)
    committer = Committer(writer, lambda: None)
    before = disk.sync_count
    for first in range(1, 2 * DEPTH, 2):
        assert committer.has_room and committer.take() == []
        committer.put(writer.stage(batch(first)))
    assert [f.index for f in committer.take()] == list(range(1, DEPTH + 1))
    assert disk.sync_count - before == 1
    committer.put(writer.stage(batch(2 * DEPTH + 1)))
    assert committer.take() == []
    committer.flush()
    assert [f.index for f in committer.take()] == [DEPTH + 1] and disk.sync_count - before == 2
    committer.close()
    writer.close()


def test_what_waits_for_a_sync_shares_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer_module, "SMALL_BYTES", 0)
    disk = GatedDisk()
    writer = _opened(tmp_path, disk)
    told = threading.Semaphore(0)
    committer = Committer(writer, told.release)
    disk.is_gated, before = True, disk.sync_count
    for first in range(1, 2 * DEPTH, 2):
        assert committer.has_room
        committer.put(writer.stage(batch(first)))
    assert not committer.has_room and committer.take() == []
    disk.gate.release(2)
    committer.drain()
    assert [f.index for f in committer.take()] == list(range(1, DEPTH + 1))
    assert disk.sync_count - before <= 2 and told.acquire(timeout=30)
    committer.close()
    writer.close()
    assert [f.index for f in read_frames(tmp_path)] == list(range(1, DEPTH + 1))


def test_frames_across_segments_are_the_same_bytes_staged_ahead_or_not(tmp_path: Path) -> None:
    counts = [1, 40, 3, 90, 2, 200, 1, 1]  # each large one begins a segment, one of them larger than usual
    for name, is_ahead in (("ahead", True), ("in turn", False)):
        writer = _opened(tmp_path / name, QuickDisk())
        staged, first = [], 1
        for count in counts:
            staged.append(writer.stage(batch(first, count)))
            first += 2 * count
            if not is_ahead:
                writer.commit([staged.pop()])
        for frame in staged:
            writer.commit([frame])
        writer.close()
    names = sorted(p.name for p in (tmp_path / "ahead").glob("*.segment"))
    assert len(names) > 3
    for name in names:
        assert (tmp_path / "ahead" / name).read_bytes() == (tmp_path / "in turn" / name).read_bytes()


def test_a_failed_sync_on_the_deciding_thread_is_raised_there(tmp_path: Path) -> None:
    disk = FaultyDisk(power_cut=False)
    writer = JournalWriter.open(tmp_path, segment_bytes=SEGMENT_BYTES, disk=disk)
    committer = Committer(writer, lambda: None)
    disk.fail_at = len(disk.calls) + 2  # the write, then its sync
    committer.put(writer.stage(batch(1)))
    with pytest.raises(JournalFailed):
        committer.flush()
    assert committer.take() == []
    committer.close()
    writer.close()
    assert list(read_frames(tmp_path)) == []


def test_a_failed_sync_is_told_and_nothing_is_committed_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer_module, "SMALL_BYTES", 0)
    disk = FaultyDisk(power_cut=False)
    writer = JournalWriter.open(tmp_path, segment_bytes=SEGMENT_BYTES, disk=disk)
    woken = threading.Event()
    committer = Committer(writer, woken.set)
    disk.fail_at = len(disk.calls) + 2  # the write, then its sync
    committer.put(writer.stage(batch(1)))
    assert woken.wait(30)
    for told in (committer.take, committer.drain):
        with pytest.raises(JournalFailed):
            told()
    with pytest.raises(JournalFailed, match="any more"):
        writer.stage(batch(3))
    committer.close()
    writer.close()
    assert list(read_frames(tmp_path)) == []


def test_frames_are_committed_in_the_order_they_were_staged_in(tmp_path: Path) -> None:
    writer = _opened(tmp_path, QuickDisk())
    first, second = writer.stage(batch(1)), writer.stage(batch(3))
    with pytest.raises(InvariantBroken, match="frame 2 is committed after frame 0"):
        writer.commit([second])
    with pytest.raises(JournalFailed, match="any more"):
        writer.commit([first])
    writer.close()


# Segments made ahead of need ----------------------------------------------------------------


class SmallDisk(QuickDisk):
    """A disk with room for so many more bytes."""

    def __init__(self) -> None:
        self.room = 1 << 30
        self.zero_fills = 0
        self.error = errno.ENOSPC

    def pwrite(self, descriptor: int, content: bytes | bytearray | memoryview, offset: int) -> None:
        if not any(content[:64]):
            self.zero_fills += 1
            if len(content) > self.room:
                raise OSError(self.error, "no room")
            self.room -= len(content)
        super().pwrite(descriptor, content, offset)


def _fill(writer: JournalWriter, count: int) -> None:
    for _ in range(count):
        writer.append(batch(writer.last.last_sequence + 1, 40))


def test_a_segment_that_was_made_ahead_is_used_and_made_again(tmp_path: Path) -> None:
    disk = SmallDisk()
    writer = _opened(tmp_path, disk)
    assert writer.prepare() and not writer.prepare() and not writer.prepare()
    assert len(list(tmp_path.glob("*.unfinished"))) == 2
    made, fills = {p.stat().st_ino for p in tmp_path.glob("*.unfinished")}, disk.zero_fills
    _fill(writer, 6)
    segments = sorted(tmp_path.glob("*.segment"))
    assert len(segments) == 3 and {p.stat().st_ino for p in segments[1:]} == made
    assert disk.zero_fills == fills, "no frame waited for zeros"
    assert writer.prepare() and not writer.prepare()
    writer.close()
    _opened(tmp_path, QuickDisk()).close()
    assert list(tmp_path.glob("*.unfinished")) == [], "what was left over is removed at the next start"
    assert len(list(read_frames(tmp_path))) == 6


def test_a_large_segment_is_made_in_steps_that_leave_the_disk_free(tmp_path: Path) -> None:
    disk, open_before = SmallDisk(), len(list(OPEN_FILES.iterdir()))
    spares = SpareSegments(tmp_path, 9 << 20, disk)
    pauses = list[float]()
    while is_more := spares.make():
        pauses.append(spares.pause_seconds(is_more=is_more))
    assert pauses[:2] == [0, 0], "with none made there is no time to lose, and steps are large"
    assert len(pauses) == 2 + 18 and min(pauses[2:]) > 0, "then they are small, and a pause follows each"
    assert spares.pause_seconds(is_more=False) > max(pauses)
    assert [p.stat().st_size for p in sorted(tmp_path.iterdir())] == [9 << 20, 9 << 20]
    taken = spares.take(9 << 20)
    assert taken is not None and spares.make()  # begun, not made
    disk.close(taken[1])
    spares.close()
    assert len(list(OPEN_FILES.iterdir())) == open_before


def test_a_full_disk_in_the_middle_of_a_segment_leaves_none_of_it(tmp_path: Path) -> None:
    disk = SmallDisk()
    disk.room = 1 << 20
    spares = SpareSegments(tmp_path, 3 << 20, disk)
    while spares.make():
        pass
    assert spares.is_low and list(tmp_path.iterdir()) == []
    disk.room = 1 << 30
    while spares.make():
        pass
    assert not spares.is_low and len(list(tmp_path.iterdir())) == 2
    spares.close()


def test_a_full_disk_leaves_one_segment_for_what_must_be_journaled(tmp_path: Path) -> None:
    disk = SmallDisk()
    writer = _opened(tmp_path, disk)
    writer.prepare(), writer.prepare()
    assert not writer.is_low
    disk.room = SEGMENT_BYTES // 4
    _fill(writer, 3)
    assert len(list(tmp_path.glob("*.segment"))) == 2
    assert not writer.prepare() and writer.is_low
    _fill(writer, 3)  # into the one that was kept back
    assert writer.is_low and len(list(tmp_path.glob("*.segment"))) == 3
    with pytest.raises(JournalFailed, match="no room"):
        _fill(writer, 3)
    writer.close()
    assert len(list(read_frames(tmp_path))) == 6


def test_when_there_is_room_again_the_journal_is_low_no_more(tmp_path: Path) -> None:
    disk = SmallDisk()
    writer = _opened(tmp_path, disk)
    disk.room = 0
    assert not writer.prepare() and writer.is_low
    assert list(tmp_path.glob("*.unfinished")) == []
    disk.room = 1 << 30
    assert writer.prepare() and not writer.is_low
    writer.close()


def test_another_error_than_a_full_disk_stops_the_journal(tmp_path: Path) -> None:
    disk = SmallDisk()
    writer = _opened(tmp_path, disk)
    disk.room, disk.error = 0, errno.EIO
    with pytest.raises(JournalFailed, match="no segment can be made"):
        writer.prepare()
    with pytest.raises(JournalFailed, match="any more"):
        writer.append(batch(1))
    writer.close()
