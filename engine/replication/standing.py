"""Where a copy of the book stands, in a small file that anyone may look at: role, term, in step, how far.

It is told for people and never decides anything.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple


class Standing(NamedTuple):
    """What a process tells about its copy."""

    role: str  # primary or standby
    term: int
    is_in_step: bool
    frame_count: int  # durable wherever they must be
    behind_count: int  # frames that the standby lacks


def write_standing(path: Path, standing: Standing) -> None:
    """Tell it; a disk that refuses does not stop anyone."""
    unfinished = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished.write_text(json.dumps(standing._asdict()), encoding="ascii")
        unfinished.rename(path)
    except OSError:
        return


def read_standing(path: Path) -> Standing | None:
    """What was told last, or None."""
    try:
        return Standing(**json.loads(path.read_text(encoding="ascii")))
    except (OSError, ValueError, TypeError):
        return None
