"""Where a copy of the book stands, in a small file that anyone may look at: role, term, in step, how far.

It is told every second, for people, and never decides anything.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

_LATE_SECONDS = 5


class Standing(NamedTuple):
    """What a process tells about its copy."""

    role: str  # primary or standby
    term: int
    is_in_step: bool
    frame_count: int  # durable wherever they must be
    behind_count: int  # frames that the standby lacks

    def text(self, age_seconds: int) -> str:
        """One line for people; `age_seconds` is how long ago it was told."""
        if self.role == "primary":
            told = "its standby is in step" if self.is_in_step else "alone"
        else:
            told = "in step" if self.is_in_step else "not in step: it would not take over"
            told += f", {self.behind_count:,} frames behind"
        late = "" if age_seconds <= _LATE_SECONDS else f" ({age_seconds:,} s ago: its process does not run)"
        return f"{self.role}, term {self.term}, {told}{late}"


def write_standing(path: Path, standing: Standing) -> None:
    """Tell it; a disk that refuses does not stop anyone."""
    unfinished = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished.write_text(json.dumps(standing._asdict()), encoding="ascii")
        unfinished.rename(path)
    except OSError:
        return


def told_text(path: Path, now_ns: int) -> str:
    """What was told last, as one line; empty where nobody tells."""
    try:
        age_seconds = max(0, now_ns - path.stat().st_mtime_ns) // 1_000_000_000
    except OSError:
        return ""
    standing = read_standing(path)
    return standing.text(age_seconds) if standing is not None else ""


def read_standing(path: Path) -> Standing | None:
    """What was told last, or None."""
    try:
        return Standing(**json.loads(path.read_text(encoding="ascii")))
    except (OSError, ValueError, TypeError):
        return None
