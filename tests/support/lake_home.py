"""A home folder whose journal and lake hold exactly the declared rows of a test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.clock import FakeClock
from engine.config import EngineSettings, Home
from engine.journal.frame import Section
from engine.journal.writer import JournalWriter
from engine.projections.lake import LakeWriter
from schemas.derive.layout import dtype_of, row_tuple
from schemas.record import record_of

NOW_NS = 1_772_000_000 * 1_000_000_000  # 2026-02-25T06:13:20Z


def make_home(root: Path, *frames: Sequence[Any]) -> Home:
    """Journal each list of declared rows as one frame, numbered in order, and bring them to the lake."""
    home = Home(root)
    for rows in frames:
        append_frame(home, rows)
    with LakeWriter(home, clock=FakeClock(NOW_NS)) as lake:
        lake.catch_up()
    return home


def append_frame(home: Home, rows: Sequence[Any]) -> None:
    """Journal declared rows as the next frame; the lake does not know them yet."""
    writer = JournalWriter.open(home.journal, segment_bytes=EngineSettings().segment_bytes)
    writer.append(_sections(rows))
    writer.close()


def _sections(rows: Sequence[Any]) -> list[Section]:
    classes = sorted({type(r) for r in rows}, key=lambda c: record_of(c).type_code)
    return [
        Section(
            record_of(cls),
            np.array([row_tuple(r) for r in rows if type(r) is cls], dtype=dtype_of(cls)),
        )
        for cls in classes
    ]
