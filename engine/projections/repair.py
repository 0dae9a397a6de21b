"""Tail repair: what a power cut leaves at the end of a Delta log is found, and dropped where that is allowed.

Owns reading a table's log and Parquet footers as plain files, and removing the versions that are damaged.
Does not own who may call it: only the holder of the table's lock, at start, and only for a commit that was
never reported durable: of a batch that is unfinished, or of a compaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from engine.errors import LakeError
from engine.projections.delta_log import Action, read_entry
from engine.projections.sync import sync_folder

TAIL_VERSION_COUNT = 3  # one commit at most is under way at a cut; older ones are looked at for rot


class Damage(NamedTuple):
    """The first version of a log's tail that cannot be trusted."""

    version: int
    reason: str


def versions(folder: Path) -> list[int]:
    """Versions that the log of a table names, ascending."""
    names = (folder / "_delta_log").glob("*.json")
    return sorted(int(path.stem) for path in names if path.stem.isdigit() and len(path.stem) == 20)


def find_damage(folder: Path) -> Damage | None:
    """The first damaged version among the last ones of a table's log; None when all are whole."""
    known = versions(folder)
    first = max(0, len(known) - TAIL_VERSION_COUNT)
    removed: set[str] = set()  # by a later version; its file may be gone
    damage: Damage | None = None
    for position in range(len(known) - 1, first - 1, -1):
        version = known[position]
        actions = _actions(folder, version)
        if version != position:
            damage = Damage(position, "it is missing")
        elif actions is None:
            damage = Damage(version, "its log entry does not parse")
        elif not _is_whole(version, actions):
            damage = Damage(version, "its log entry is cut short")
        elif reason := _what_is_wrong(folder, actions, removed):
            damage = Damage(version, reason)
        else:
            removed.update(a["remove"]["path"] for a in actions if "remove" in a)
    return damage


def repair(folder: Path, *, table: str, may_drop: Callable[[int], bool]) -> Damage | None:
    """Drop a torn last version of a table; return what was dropped.

    `may_drop` is asked whether all that was reported durable stays without that version. Raises LakeError
    when it does not: no cut explains such damage, and the lake is to be rebuilt from the journal.
    """
    _drop_bad_checkpoints(folder)
    damage = find_damage(folder)
    if damage is None:
        return None
    if damage.version != versions(folder)[-1] or not may_drop(damage.version):
        raise LakeError(f"{table}: durable version {damage.version} is damaged: {damage.reason}")
    log = folder / "_delta_log"
    for path in log.glob(f"{damage.version:020}.*"):
        path.unlink()
    _drop_bad_checkpoints(folder)
    sync_folder(log)
    return damage


def is_whole_to(folder: Path, version: int, app_id: str, batch: int) -> bool:
    """Whether a table at a version has a batch and every file that it names; version -1 is no table."""
    if version < 0:
        return batch == 0
    try:
        table = DeltaTable(folder, version=version)
    except (DeltaError, OSError):
        return False
    files = pa.table(table.get_add_actions()).column("path").to_pylist()
    reached = table.transaction_version(app_id) or 0
    return reached >= batch and all((folder / name).exists() for name in files)


def _actions(folder: Path, version: int) -> list[Action] | None:
    try:
        return read_entry(folder, version) or None
    except ValueError:
        return None


def _is_whole(version: int, actions: list[Action]) -> bool:
    """Whether the entry has what stands last in it: the table's definition, or the commit's transaction."""
    names = {name for action in actions for name in action}
    return {"protocol", "metaData"} <= names if version == 0 else "txn" in names


def _what_is_wrong(folder: Path, actions: list[Action], removed: set[str]) -> str:
    for action in actions:
        added = action.get("add")
        if added is not None and added["path"] not in removed:
            reason = _what_is_wrong_with_file(folder / added["path"], int(added["size"]))
            if reason:
                return reason
    return ""


def _what_is_wrong_with_file(path: Path, size: int) -> str:
    if not path.exists():
        return f"{path.name} is missing"
    if path.stat().st_size != size:
        return f"{path.name} has {path.stat().st_size} of {size} bytes"
    return "" if _has_footer(path) else f"{path.name} has no Parquet footer"


def _has_footer(path: Path) -> bool:
    try:
        pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return False
    return True


def _drop_bad_checkpoints(folder: Path) -> None:
    """Drop checkpoints that do not read or whose version is gone. The log is whole without them."""
    log = folder / "_delta_log"
    found = list(log.glob("*.checkpoint*.parquet"))
    known = set(versions(folder))  # after those: an upkeep beside may add to both
    bad = [path for path in found if not _has_footer(path) or int(path.name.split(".")[0]) not in known]
    pointer = log / "_last_checkpoint"
    if pointer.exists() and (bad or not _points_to_checkpoint(log, pointer)):
        bad.append(pointer)
    for path in bad:
        path.unlink()
    if bad:
        sync_folder(log)


def _points_to_checkpoint(log: Path, pointer: Path) -> bool:
    try:
        version = int(json.loads(pointer.read_bytes())["version"])
    except (ValueError, KeyError, TypeError):
        return False
    return any(log.glob(f"{version:020}.checkpoint*.parquet"))
