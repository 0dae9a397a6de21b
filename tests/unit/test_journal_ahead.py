"""Frames read on another thread: the same ones, the same errors, and no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import JournalDamaged
from engine.journal.ahead import DEPTH, read_ahead
from engine.journal.frame import Frame
from engine.journal.reader import read_frames
from engine.journal.writer import JournalWriter
from tests.support.journal_disk import QuickDisk, batch


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    writer = JournalWriter.open(tmp_path, segment_bytes=8_192, disk=QuickDisk())
    for _ in range(3 * DEPTH):
        writer.append(batch(writer.last.last_sequence + 1, 9))
    writer.close()
    return tmp_path


def test_the_same_frames(journal: Path) -> None:
    read = list(read_ahead(read_frames(journal)))
    assert [f.chain_hash for f in read] == [f.chain_hash for f in read_frames(journal)]
    assert list(read_ahead(iter(()))) == []


def test_an_error_comes_after_the_frames_before_it(journal: Path) -> None:
    def broken() -> Iterator[Frame]:
        for frame in read_frames(journal):
            if frame.index == 30:
                raise JournalDamaged("frame 30")
            yield frame

    seen: list[int] = []
    with pytest.raises(JournalDamaged, match="frame 30"):
        seen.extend(f.index for f in read_ahead(broken()))
    assert seen == list(range(1, 30))


def test_who_stops_early_leaves_no_thread(journal: Path) -> None:
    before = threading.active_count()
    frames = read_ahead(read_frames(journal))
    assert next(frames).index == 1
    frames.close()
    assert threading.active_count() == before
