"""The lake's benchmark measures what it says: every row once, and the first look that shows a frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.benchmarks import lake as bench
from engine.benchmarks.lake import DAY_MIX, FRAME_ROWS, Seen, day_frames
from engine.config import Home
from engine.errors import PlatformError
from engine.projections import lake
from schemas.external import LakeWatermark
from schemas.record import record_of


def test_frames_number_their_rows_without_a_gap() -> None:
    first, second = (np.sort(np.concatenate([s.rows["sequence"] for s in f])) for f in day_frames(2))
    assert first.tolist() == list(range(1, FRAME_ROWS + 1))
    assert second[0] == FRAME_ROWS + 1
    assert sum(DAY_MIX[cls] for cls in list(DAY_MIX)[:3]) == 1_000, "commands of a frame"


def test_catching_up_is_measured_on_a_lake_that_ends_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = tuple(record_of(cls) for cls in (*DAY_MIX, LakeWatermark))
    monkeypatch.setattr(lake, "in_lake", lambda: few)
    monkeypatch.setattr(bench, "CATCH_UP_ROWS", 3 * FRAME_ROWS)
    told = bench._catch_up(tmp_path, 2, lambda _: None)
    assert told["rows"] == 3 * FRAME_ROWS
    assert len(told["rows_per_second"]) == 2 and told["median"] > 0
    with pytest.raises(PlatformError, match="the lake holds"):
        bench._require_all(Home(tmp_path), 4)


def test_a_frame_is_as_old_as_at_the_first_look_that_shows_it() -> None:
    durable = [ms * 1_000_000 for ms in (0, 100, 200, 300)]  # of the frames 2 to 5
    seen = [Seen(3 * FRAME_ROWS, 150_000_000), Seen(5 * FRAME_ROWS, 500_000_000)]
    told = bench._latencies(durable, seen)["ms_from_durable_to_readable"]
    assert told == {"p50": 175, "p99": 297, "max": 300}
