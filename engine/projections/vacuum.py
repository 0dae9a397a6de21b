"""Files that a compaction put together are removed when no version inside the retention names them any more.

Owns which files may go, and how far the log was looked through. Does not own how long the retention is
(`orchestration.settings`) nor the compaction. Log entries are never removed, so a version older than the
retention still says which rows it had; only its files are gone.

deltalake's own removal forgets what was removed more than a week ago when it makes a checkpoint. The log does
not, so this looks there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from deltalake import DeltaTable

from engine.clock import Clock
from engine.config import LEAST_RETENTION_DAYS
from engine.errors import BadInput
from engine.projections.delta_log import entry_path, read_entry
from engine.projections.sync import sync_file, sync_folder

CURSOR = "_vacuumed.json"
_DAY_MS = 86_400_000


class Vacuumed(NamedTuple):
    """What was removed of one table."""

    file_count: int
    bytes: int


def vacuum(folder: Path, clock: Clock, retention_days: int) -> Vacuumed:
    """Remove files that were taken out of a table more than `retention_days` ago.

    Raises BadInput when that is fewer than seven; nothing is removed then.
    """
    if retention_days < LEAST_RETENTION_DAYS:
        raise BadInput(f"a retention of {retention_days} days is below {LEAST_RETENTION_DAYS}")
    before_ms = clock.now_ns() // 1_000_000 - retention_days * _DAY_MS
    in_use = set(pa.table(DeltaTable(folder).get_add_actions()).column("path").to_pylist())
    version = first = _looked_through(folder)
    gone = size = 0
    while entry_path(folder, version).exists():
        removed = [action["remove"] for action in read_entry(folder, version) if "remove" in action]
        if any(one["deletionTimestamp"] >= before_ms for one in removed):
            break  # and every later one is younger
        for path in (folder / one["path"] for one in removed if one["path"] not in in_use):
            if path.exists():
                gone, size = gone + 1, size + path.stat().st_size
                path.unlink()
        version += 1
    if version > first:
        _tell_looked_through(folder, version)
    return Vacuumed(gone, size)


def _looked_through(folder: Path) -> int:
    """The first version whose removed files may still be there."""
    path = folder / CURSOR
    return int(json.loads(path.read_bytes())["next_version"]) if path.exists() else 0


def _tell_looked_through(folder: Path, version: int) -> None:
    draft = folder / f"{CURSOR}.draft"
    draft.write_text(json.dumps({"next_version": version}) + "\n", encoding="utf-8")
    sync_file(draft)
    draft.rename(folder / CURSOR)
    sync_folder(folder)
