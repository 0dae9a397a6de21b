"""Several frames in one sync: a cut or a refusal anywhere in it loses nothing told and halts nobody."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from engine.errors import JournalDamaged, JournalFailed
from engine.journal.reader import read_frames
from engine.journal.writer import JournalWriter
from tests.support.journal_disk import FaultyDisk, PowerCut, batch

SEGMENT_BYTES = 8192
GROUPS = ((1, 3, 1), (20, 2), (1, 30, 1, 1), (5,))  # rolls over inside a group


def _write(folder: Path, disk: FaultyDisk) -> list[int]:
    """Commit what is still missing, group by group; the index of the last frame that was told after each."""
    told: list[int] = []
    first, index = 1, 0
    writer = JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES, disk=disk)
    begin = writer.last.index
    try:
        for group in GROUPS:
            staged = []
            for count in group:
                index += 1
                if index > begin:
                    staged.append(writer.stage(batch(first, count)))
                first += 2 * count
            if staged:
                told.append(writer.commit(staged)[-1].index)
                disk.told = told[-1]  # type: ignore[attr-defined]  # survives the stop
    finally:
        writer.close()
    return told


LAST = sum(len(group) for group in GROUPS)


def _calls(root: Path) -> int:
    whole = FaultyDisk()
    assert _write(root / "whole", whole)[-1] == LAST
    return len(whole.calls)


def _told(disk: FaultyDisk) -> int:
    return getattr(disk, "told", 0)


def test_power_cut_at_every_call(tmp_path: Path) -> None:
    for fail_at in range(1, _calls(tmp_path) + 1):
        for seed in range(5):
            folder, disk = tmp_path / f"{fail_at}-{seed}", FaultyDisk(fail_at)
            with pytest.raises(PowerCut):
                _write(folder, disk)
            disk.cut(random.Random(fail_at * 1000 + seed))
            writer = JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES)
            assert writer.last.index >= _told(disk)
            writer.close()
            _write(folder, FaultyDisk())
            assert [f.index for f in read_frames(folder)] == list(range(1, LAST + 1))


def test_refused_call_then_restart_then_power_cut(tmp_path: Path) -> None:
    for fail_at in range(1, _calls(tmp_path) + 1):
        folder, disk = tmp_path / str(fail_at), FaultyDisk(fail_at, power_cut=False)
        with pytest.raises(JournalFailed):
            _write(folder, disk)
        _write(folder, disk)  # the process starts anew on the same machine
        disk.cut(random.Random(fail_at))
        JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES).close()
        assert [f.index for f in read_frames(folder)] == list(range(1, LAST + 1))


def test_a_frame_that_was_durable_when_a_later_one_was_written_is_never_cut(tmp_path: Path) -> None:
    """Without the mark, frames of another sync behind the bad one still say that it was durable."""
    writer = JournalWriter.open(tmp_path, segment_bytes=65_536)
    for first in (1, 3):
        writer.commit([writer.stage(batch(first))])
    writer.commit([writer.stage(batch(5)), writer.stage(batch(7))])
    writer.close()
    path = tmp_path / "0000000001.segment"
    content = bytearray(path.read_bytes())
    content[content.index(b"OBFR", 4096 + 8) + 40] ^= 1  # in frame 2, which had a sync of its own
    path.write_bytes(content)
    (tmp_path / "durable.mark").unlink()
    with pytest.raises(JournalDamaged, match="still follows it"):
        JournalWriter.open(tmp_path, segment_bytes=65_536)
