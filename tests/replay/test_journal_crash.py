"""Stop the journal at every call that changes the disk: nothing acknowledged is lost, nothing is altered."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import JournalError, JournalFailed
from engine.journal.frame import Frame
from engine.journal.reader import read_frames
from engine.journal.verify import verify_journal
from engine.journal.writer import JournalWriter
from tests.support.journal_disk import FaultyDisk, PowerCut, QuickDisk, batch

SEGMENT_BYTES = 8192
BATCHES = (1, 3, 1, 20, 2, 60, 1)  # rolls over twice, once into a segment larger than usual
Rows = list[bytes]


def _rows(frame: Frame) -> Rows:
    return [s.rows.tobytes() for s in frame.sections]


def _expected() -> Iterator[Rows]:
    first = 1
    for count in BATCHES:
        yield [s.rows.tobytes() for s in sorted(batch(first, count), key=lambda s: s.record.type_code)]
        first += 2 * count


EXPECTED = list(_expected())


def _write(folder: Path, disk: FaultyDisk, acknowledged: list[Rows]) -> None:
    """Append what is still missing of BATCHES; what is acknowledged stands in the list, even after a stop."""
    writer = JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES, disk=disk)
    try:
        for count in BATCHES[writer.last.index :]:
            acknowledged.append(_rows(writer.append(batch(writer.last.last_sequence + 1, count))))
    finally:
        writer.close()


def _check(folder: Path, acknowledged: int) -> None:
    """After the power is back: a valid prefix with all that was acknowledged, that can be appended to."""
    JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES, disk=QuickDisk()).close()
    found = [_rows(f) for f in read_frames(folder)]
    assert acknowledged <= len(found) <= acknowledged + 1
    assert found == EXPECTED[: len(found)]
    _write(folder, FaultyDisk(), [])
    JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES, disk=QuickDisk()).close()
    assert [_rows(f) for f in read_frames(folder)] == EXPECTED
    assert verify_journal(folder).problems == ()


def _sweep(root: Path, disk_type: type[FaultyDisk], seeds: range) -> int:
    """Cut the power at each call in turn; returns how many points there were."""
    whole = disk_type()
    _write(root / "whole", whole, [])
    for fail_at in range(1, len(whole.calls) + 1):
        for seed in seeds:
            folder, disk, acknowledged = root / f"{fail_at}-{seed}", disk_type(fail_at), []
            with pytest.raises(PowerCut):
                _write(folder, disk, acknowledged)
            disk.cut(random.Random(fail_at * 1000 + seed))
            _check(folder, len(acknowledged))
    return len(whole.calls)


def test_power_cut_at_every_call(tmp_path: Path) -> None:
    assert _sweep(tmp_path, FaultyDisk, range(6)) > 30


def test_the_sweep_finds_an_acknowledgement_before_the_sync(tmp_path: Path) -> None:
    class Lying(FaultyDisk):
        def fdatasync(self, descriptor: int) -> None:
            if self._call("fdatasync"):
                self._fail()

    with pytest.raises((AssertionError, JournalError)):
        _sweep(tmp_path, Lying, range(6))


def test_refused_call_then_restart_then_power_cut(tmp_path: Path) -> None:
    """A failed sync leaves pages that look written: what is acknowledged later must not rest on them."""
    whole = FaultyDisk()
    _write(tmp_path / "whole", whole, [])
    for fail_at in range(1, len(whole.calls) + 1):
        folder, disk = tmp_path / str(fail_at), FaultyDisk(fail_at, power_cut=False)
        acknowledged: list[Rows] = []
        with pytest.raises(JournalFailed):
            _write(folder, disk, acknowledged)
        _write(folder, disk, acknowledged)  # the process starts anew on the same machine
        assert len(BATCHES) - 1 <= len(acknowledged) <= len(BATCHES)  # one may have an unknown outcome
        assert [rows for rows in EXPECTED if rows in acknowledged] == acknowledged
        disk.cut(random.Random(fail_at))
        _check(folder, len(BATCHES))


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_after_a_failure_no_call_is_tried_again(tmp_path: Path, call: str) -> None:
    disk = FaultyDisk(power_cut=False)
    writer = JournalWriter.open(tmp_path, segment_bytes=SEGMENT_BYTES, disk=disk)
    writer.append(batch(1))
    disk.fail_at = len(disk.calls) + (1 if call == "pwrite" else 2)
    with pytest.raises(JournalFailed):
        writer.append(batch(3))
    assert disk.calls[-1] == call
    made = len(disk.calls)
    for _ in range(3):
        with pytest.raises(JournalFailed, match="any more"):
            writer.append(batch(3))
    assert len(disk.calls) == made
    assert writer.last.index == 1
    assert [f.index for f in read_frames(tmp_path)] == [1]  # a reader never sees what was not synced
    writer.close()
