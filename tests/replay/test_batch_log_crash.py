"""The batch log after a refused call and a power cut: what was acted upon is still there."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from engine.errors import LakeError
from engine.projections.batches import Batch, BatchLog
from tests.support.journal_disk import FaultyDisk

BATCHES = [Batch(n, n, n, 10 * n, "", {"fills": n}) for n in (1, 2, 3, 4)]


def _append(path: Path, disk: FaultyDisk) -> None:
    """Append what is missing."""
    log = BatchLog(path, disk)
    try:
        for batch in BATCHES[log.last.number :]:
            log.append(batch)
    finally:
        log.close()


def test_refused_call_then_restart_then_power_cut(tmp_path: Path) -> None:
    """The restart finds the line and makes its batch: the line must not go with the power."""
    whole = FaultyDisk()
    _append(tmp_path / "whole", whole)
    for fail_at in range(1, len(whole.calls) + 1):
        path, disk = tmp_path / str(fail_at), FaultyDisk(fail_at, power_cut=False)
        with pytest.raises(LakeError):
            _append(path, disk)
        again = BatchLog(path, disk)
        found = again.last
        again.close()
        disk.cut(random.Random(fail_at))
        after = BatchLog(path, FaultyDisk())
        assert after.last == found, f"call {fail_at}"
        after.close()
