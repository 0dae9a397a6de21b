"""No room: a disk that is full for real, and files that may not grow. What was acknowledged stays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import JournalFailed
from engine.journal.reader import read_frames
from engine.journal.verify import verify_journal
from engine.journal.writer import JournalWriter
from tests.support.append_process import COUNTS
from tests.support.appender import Appender, check, sound_chain
from tests.support.journal_disk import batch

SEGMENT_BYTES = 128 * 1024


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB in memory."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    root = tmp_path / "small"
    root.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", root], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted: {mounted.stderr.strip()}")
    yield root
    subprocess.run(["umount", root], check=True)


def test_a_full_disk_is_told_before_it_fails_and_nothing_is_lost(small: Path) -> None:
    folder = small / "journal"
    writer = JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES)
    told, frames_when_low = list[bytes](), 0
    with pytest.raises(JournalFailed, match="No space left"):
        while True:
            told.append(writer.append(batch(writer.last.last_sequence + 1, 40)).chain_hash)
            while writer.prepare():
                pass
            frames_when_low = frames_when_low or (len(told) if writer.is_low else 0)
    writer.close()
    assert 0 < frames_when_low < len(told)
    assert len(told) - frames_when_low >= 20, "what must still be journaled had no room"
    subprocess.run(["mount", "-o", "remount,size=4m", small], check=True)
    writer = JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES)
    assert writer.last.index in (len(told), len(told) + 1)
    while writer.prepare():
        pass
    assert not writer.is_low
    writer.append(batch(writer.last.last_sequence + 1, 40))
    writer.close()
    assert [f.chain_hash for f in read_frames(folder)][: len(told)] == told
    assert not verify_journal(folder).problems


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    chain = sound_chain(tmp_path / "whole")
    appender = Appender()
    try:
        ends: set[str] = set()
        for limit in (0, 1, 15, 16, 100, 4095, 4096, 4097, 8191, 8192, 12_288, 1 << 20):
            folder = tmp_path / str(limit)
            ran = appender.run_limited(folder, limit)
            assert (ran.said[-1] == "done") == (len(ran.acknowledged) == len(COUNTS))
            assert ran.exit_code == (0 if ran.said[-1] == "done" else 1)
            check(folder, ran, chain)
            ends.add(ran.said[-1].split()[0])
        assert ends == {"failed", "done"}
    finally:
        appender.close()
