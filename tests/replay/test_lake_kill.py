"""The lake writer is killed again and again while the journal grows; every row arrives once."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import threading
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

from engine.config import EngineSettings, Home
from engine.projections.batches import Batch, BatchLog
from engine.projections.lake import LakeWriter, watermark
from schemas.external import LakeWatermark
from tests.support.lake_journal import CLASSES, RandomJournal, differences, table_of_class

KILL_COUNT = 22
BACKLOG_FRAME_COUNT = 60
SETTINGS = EngineSettings(lake_batch_frame_count=8)


def _write_lake(root: str) -> None:
    with LakeWriter(Home(Path(root)), SETTINGS) as writer:
        writer.run(lambda: False)


def test_every_row_is_in_the_lake_once_after_kills_at_random_moments(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    chance = random.Random(20260105)
    journal = RandomJournal(home, seed=7)
    journal.append()
    LakeWriter(home, SETTINGS).open().close()
    is_over = threading.Event()

    def grow() -> None:
        frames = 1
        while not is_over.is_set():
            if frames - _frames_begun(home) < BACKLOG_FRAME_COUNT:
                journal.append(row_count=10)
                frames += 1
            else:
                time.sleep(0.01)

    growing = threading.Thread(target=grow)
    growing.start()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["engine.projections.lake"])
    unfinished = partly_reached = 0
    marks: list[int] = []
    try:
        for _ in range(KILL_COUNT):
            child = context.Process(target=_write_lake, args=(str(home.root),))
            child.start()
            _wait_for_a_moment_to_kill(home, child, chance)
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            assert child.exitcode == -signal.SIGKILL, "the writer failed by itself"
            marks.append(watermark(home))
            assert differences(home, until=marks[-1]) == [], "readers see other rows than the journal has"
            last = _last_batch(home).number
            if table_of_class(home, LakeWatermark).batch < last:
                unfinished += 1
                reached = [table_of_class(home, cls).batch == last for cls in CLASSES]
                partly_reached += any(reached)
    finally:
        is_over.set()
        growing.join()
        journal.close()
    assert marks == sorted(marks) and marks[-1] > marks[0], "the watermark never goes back"
    assert unfinished >= 5 and partly_reached >= 3, "the kills came too gently to prove anything"
    with LakeWriter(home, SETTINGS) as writer:
        writer.catch_up()
    assert differences(home) == []


def _wait_for_a_moment_to_kill(home: Home, child: BaseProcess, chance: random.Random) -> None:
    """Mostly some batches after the start, at any point of one; now and then while the writer opens."""
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0.0, 0.5))
        return
    log = home.lake / "_batches.jsonl"
    for _ in range(chance.randint(1, 3)):
        size, deadline = log.stat().st_size, time.monotonic() + 60
        while log.stat().st_size == size:
            assert child.is_alive() and time.monotonic() < deadline, "the writer writes nothing"
            time.sleep(0.001)
    time.sleep(chance.uniform(0.0, 0.1))


def _last_batch(home: Home) -> Batch:
    log = BatchLog(home.lake / "_batches.jsonl")
    log.close()
    return log.last


def _frames_begun(home: Home) -> int:
    lines = (home.lake / "_batches.jsonl").read_bytes().splitlines()
    return json.loads(lines[-1])["batch"]["last_frame"] if lines and lines[-1].endswith(b"}}") else 0
