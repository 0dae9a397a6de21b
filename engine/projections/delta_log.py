"""A Delta log's entries: named, read, and added one at a time.

Owns how a version comes to be: its actions are durable under another name before they get that of the
version, and a name is given once. So an entry is whole or not there, after a power cut too, and of two
writers one is refused. Does not own what the actions say.
Source: Delta transaction log protocol, "Delta Log Entries".
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.projections.sync import sync_file, sync_folder

Action = dict[str, Any]
DRAFT = ".draft"


def log_folder(folder: Path) -> Path:
    """The folder of a table's log."""
    return folder / "_delta_log"


def is_table(folder: Path) -> bool:
    """Whether a folder holds a Delta log with at least one entry."""
    return any(log_folder(folder).glob("*.json"))


def entry_path(folder: Path, version: int) -> Path:
    """The log entry of a version."""
    return log_folder(folder) / f"{version:020}.json"


def last_checkpoint(folder: Path) -> int:
    """The version of a table's newest checkpoint; zero when it has none."""
    names = log_folder(folder).glob("*.checkpoint*.parquet")
    return max((int(path.name.split(".")[0]) for path in names), default=0)


def read_entry(folder: Path, version: int) -> list[Action]:
    """The actions of a version. Raises ValueError where they do not parse."""
    lines = entry_path(folder, version).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line]


def add_entry(folder: Path, version: int, actions: Sequence[Action]) -> None:
    """Make a version, durable on return. Raises FileExistsError when it is there, OSError on a bad disk."""
    path = entry_path(folder, version)
    draft = path.with_name(f".{version:020}-{uuid.uuid4()}{DRAFT}")
    lines = [json.dumps(action, separators=(",", ":")) for action in actions]
    try:
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
        sync_file(draft)
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)
