"""The copied journal: equal to the byte, durable when synced, and nothing that does not continue it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from engine.errors import JournalDamaged, JournalError, JournalFailed
from engine.journal.disk import Content
from engine.journal.mark import read_mark
from engine.journal.reader import read_frames
from engine.journal.replica import ReplicaJournal
from engine.journal.segment import SegmentHeader
from engine.journal.verify import verify_journal
from engine.journal.writer import JournalWriter
from engine.replication.history import JournalHistory
from tests.support.journal_disk import FaultyDisk, PowerCut, QuickDisk, batch

SEGMENT_BYTES = 8192
COUNTS = (1, 3, 1, 20, 2, 60, 1, 9)  # several segments, one of them larger than usual
Frames = list[tuple[SegmentHeader, bytes]]


class Keeping:
    """A mirror that keeps what it is given."""

    def __init__(self) -> None:
        self.frames: Frames = []

    def send(self, segment: SegmentHeader, raw: Content) -> None:
        self.frames.append((segment, bytes(raw)))

    def wait(self, index: int) -> None:
        assert self.frames


def original(folder: Path, counts: tuple[int, ...] = COUNTS, term: int = 1) -> Frames:
    mirror = Keeping()
    writer = JournalWriter.open(
        folder, segment_bytes=SEGMENT_BYTES, disk=QuickDisk(), mirror=mirror, term=term
    )
    for count in counts:
        writer.append(batch(writer.last.last_sequence + 1, count))
    writer.close()
    return mirror.frames


def open_replica(folder: Path, disk: QuickDisk | FaultyDisk | None = None) -> ReplicaJournal:
    return ReplicaJournal.open(folder, segment_bytes=SEGMENT_BYTES, disk=disk or QuickDisk())


def copy(folder: Path, frames: Frames) -> None:
    replica = open_replica(folder)
    for segment, raw in frames[replica.last.index :]:
        replica.write(segment, raw)
        replica.sync()
        replica.advance_mark(replica.last.index)
    replica.close()


def segments(folder: Path) -> list[tuple[str, bytes]]:
    return [(p.name, p.read_bytes()) for p in sorted(folder.glob("*.segment"))]


def test_a_copy_is_equal_to_the_byte_and_can_be_written_on(tmp_path: Path) -> None:
    frames = original(tmp_path / "one")
    copy(tmp_path / "two", frames[:3])
    copy(tmp_path / "two", frames)  # opened again in the middle
    assert len(segments(tmp_path / "two")) > 3
    assert segments(tmp_path / "one") == segments(tmp_path / "two")
    more = [original(tmp_path / name, (5, 40), term=4) for name in ("one", "two")]
    assert more[0] == more[1]
    assert segments(tmp_path / "one") == segments(tmp_path / "two")
    assert verify_journal(tmp_path / "two").problems == ()


def test_the_history_gives_the_frames_that_were_mirrored(tmp_path: Path) -> None:
    frames, history = original(tmp_path), JournalHistory(tmp_path)
    for after in (0, 3, 5, 1, 7):
        found = history.frames(after, len(frames), 1 << 20)
        assert [(s, r) for _, s, r in found] == frames[after:]
        assert [f.index for f in found] == list(range(after + 1, len(frames) + 1))
    assert len(history.frames(0, 8, 1)) == 1
    assert history.chain_hash(2) == frames[1][1][-32:]
    assert history.chain_hash(0) == bytes(32)
    history.close()


def test_readers_see_what_the_mark_says(tmp_path: Path) -> None:
    frames, folder = original(tmp_path / "one"), tmp_path / "two"
    replica = open_replica(folder)
    for at, (segment, raw) in enumerate(frames, start=1):
        replica.write(segment, raw)
        replica.advance_mark(at)  # it is not synced
        assert read_mark(folder) == at - 1
        replica.sync()
        assert read_mark(folder) == at - 1
        if at < len(frames):
            replica.advance_mark(at)
    replica.advance_mark(3)
    assert read_mark(folder) == len(frames) - 1
    replica.close()
    replica = open_replica(folder)  # what is above the mark stays above it
    assert (replica.last.index, replica.marked_index) == (len(frames), len(frames) - 1)
    assert len(list(read_frames(folder))) == len(frames) - 1
    assert len(list(read_frames(folder, until_index=replica.last.index))) == len(frames)
    replica.close()


def damaged(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def test_what_does_not_continue_the_copy_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    frames = original(tmp_path / "one", (1, 1, 1, 60, 1))
    other = original(tmp_path / "other", (2, 1, 1))
    later = original(tmp_path / "later", (1, 1, 1), term=9)
    copy(tmp_path / "two", frames[:2])
    replica = open_replica(tmp_path / "two")
    before = segments(tmp_path / "two")
    (header, raw), (next_header, next_raw) = frames[2], frames[3]
    refused = [
        (frames[1], "frame 2 came where frame 3 is due"),
        (frames[3], "frame 4 came where frame 3 is due"),
        (other[2], "frame 3 came where frame 3 is due"),
        ((header, later[2][1]), "every record verifies, but the frame does not continue the chain"),
        ((header, raw[:-8]), "came as"),
        ((header, raw + bytes(8)), "came as"),
        ((next_header, raw), "the frame header does not verify"),
        ((header._replace(file_bytes=16384), raw), "segment 1 came where segment 2 is due"),
        *(((header, damaged(raw, at)), "") for at in range(0, len(raw), 7)),
    ]
    for (segment, content), words in refused:
        with pytest.raises(JournalDamaged) as refusal:
            replica.write(segment, content)
        assert words in str(refusal.value)
        assert replica.last.index == 2
    assert segments(tmp_path / "two") == before
    replica.write(header, raw)
    with pytest.raises(JournalDamaged, match="came with 12345 bytes"):
        replica.write(next_header._replace(file_bytes=12345), next_raw)
    with pytest.raises(JournalDamaged, match="longer than its segment"):
        replica.write(next_header._replace(file_bytes=8192), next_raw)
    with pytest.raises(JournalDamaged, match="segment 3 came where segment 2 is due"):
        replica.write(next_header._replace(number=3), _with_seed(tmp_path, next_header, frames))
    replica.write(next_header, next_raw)
    replica.close()


def _with_seed(root: Path, header: SegmentHeader, frames: Frames) -> bytes:
    """Frame 4, encoded for a segment of another number."""
    from engine.journal.frame import ZERO_HASH, encode_frame, seal

    before = header.before
    wrong = header._replace(number=3)
    frame, raw = encode_frame(4, 1, batch(before.last_sequence + 1, 60), ZERO_HASH, wrong.seed)
    seal(frame, raw, before.chain_hash, 0, wrong.seed)
    return bytes(raw)


def test_a_term_never_goes_down(tmp_path: Path) -> None:
    frames = original(tmp_path / "one", (1, 1), term=5)
    copy(tmp_path / "two", frames)
    from engine.journal.frame import ZERO_HASH, encode_frame, seal

    segment = frames[1][0]
    frame, raw = encode_frame(3, 4, batch(5, 1), ZERO_HASH, segment.seed)
    seal(frame, raw, frames[1][1][-32:], 0, segment.seed)
    replica = open_replica(tmp_path / "two")
    with pytest.raises(JournalDamaged, match="of term 4, the one before of 5"):
        replica.write(segment, bytes(raw))
    replica.close()


def test_one_process_writes_a_copy(tmp_path: Path) -> None:
    replica = open_replica(tmp_path)
    with pytest.raises(JournalError, match="another process writes"):
        open_replica(tmp_path)
    replica.close()
    replica.close()
    open_replica(tmp_path).close()


def test_a_copy_that_lost_its_segments_is_damaged(tmp_path: Path) -> None:
    frames = original(tmp_path / "one", (1, 1))
    copy(tmp_path / "two", frames)
    for path in (tmp_path / "two").glob("*.segment"):
        path.unlink()
    with pytest.raises(JournalDamaged, match="frame 2 was durable, but there is no segment"):
        open_replica(tmp_path / "two")


def _follow(folder: Path, disk: FaultyDisk, frames: Frames, answered: list[int]) -> None:
    replica = open_replica(folder, disk)
    try:
        for segment, raw in frames[replica.last.index :]:
            replica.prepare()
            replica.write(segment, raw)
            replica.sync()
            answered.append(replica.last.index)
            replica.advance_mark(replica.last.index - 1)
    finally:
        replica.close()


def _sweep(root: Path, disk_type: type[FaultyDisk]) -> int:
    """Cut the power at each call in turn: what was answered is there, and the copy can be finished."""
    frames = original(root / "original")
    whole = disk_type()
    _follow(root / "whole", whole, frames, [])
    for fail_at in range(1, len(whole.calls) + 1):
        folder, disk, answered = root / str(fail_at), disk_type(fail_at), list[int]()
        with pytest.raises(PowerCut):
            _follow(folder, disk, frames, answered)
        disk.cut(random.Random(fail_at))
        replica = open_replica(folder)
        assert replica.last.index in (len(answered), len(answered) + 1)
        replica.close()
        _follow(folder, FaultyDisk(), frames, [])
        assert segments(folder) == segments(root / "original")
    return len(whole.calls)


def test_power_cut_at_every_call(tmp_path: Path) -> None:
    assert _sweep(tmp_path, FaultyDisk) > 30


def test_power_cut_at_every_call_with_syncs_that_serve_several_frames(tmp_path: Path) -> None:
    mirror = Keeping()
    writer = JournalWriter.open(
        tmp_path / "original", segment_bytes=SEGMENT_BYTES, disk=QuickDisk(), mirror=mirror
    )
    first, ends = 1, set[int]()
    for group in ((1, 3), (20, 60, 2), (30, 30, 1), (5,)):  # segments end inside of groups
        staged = []
        for count in group:
            staged.append(writer.stage(batch(first, count)))
            first += 2 * count
        ends.add(writer.commit(staged)[-1].index)
    writer.close()
    assert len(segments(tmp_path / "original")) > 3

    def follow(folder: Path, disk: FaultyDisk, answered: list[int]) -> None:
        replica = open_replica(folder, disk)
        try:
            for segment, raw in mirror.frames[replica.last.index :]:
                replica.write(segment, raw)
                if replica.last.index in ends:
                    replica.sync()
                    answered.append(replica.last.index)
        finally:
            replica.close()

    whole = FaultyDisk()
    follow(tmp_path / "whole", whole, [])
    for fail_at in range(1, len(whole.calls) + 1):
        for seed in range(4):
            folder, disk, answered = tmp_path / f"{fail_at}-{seed}", FaultyDisk(fail_at), list[int]()
            with pytest.raises(PowerCut):
                follow(folder, disk, answered)
            disk.cut(random.Random(fail_at * 10 + seed))
            replica = open_replica(folder)
            assert replica.last.index >= max(answered, default=0)
            replica.close()
            follow(folder, FaultyDisk(), [])
            assert segments(folder) == segments(tmp_path / "original")


def test_the_sweep_finds_an_answer_before_the_sync(tmp_path: Path) -> None:
    class Lying(FaultyDisk):
        def fdatasync(self, descriptor: int) -> None:
            if self._call("fdatasync"):
                self._fail()

    with pytest.raises((AssertionError, JournalError)):
        _sweep(tmp_path, Lying)


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_after_a_failure_no_call_is_tried_again(tmp_path: Path, call: str) -> None:
    frames = original(tmp_path / "one", (1, 1, 1))
    disk = FaultyDisk(power_cut=False)
    replica = open_replica(tmp_path / "two", disk)
    replica.write(*frames[0])
    replica.sync()
    disk.fail_at = len(disk.calls) + (1 if call == "pwrite" else 2)
    with pytest.raises(JournalFailed):
        replica.write(*frames[1])
        replica.sync()
    made = len(disk.calls)
    for _ in range(2):
        with pytest.raises(JournalFailed, match="any more"):
            replica.write(*frames[1])
        with pytest.raises(JournalFailed, match="any more"):
            replica.sync()
        with pytest.raises(JournalFailed, match="any more"):
            replica.advance_mark(1)
    assert len(disk.calls) == made
    replica.close()
