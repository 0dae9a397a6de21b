"""Files from banks, custodians and clearing houses: into the lake once, or into quarantine with a reason.

Owns the order of steps by which a crash loses nothing and a second run completes the first:
keep the bytes, append the rows, append the file's own row, take the file out of the inbox.
Does not own reading a message (`statements.py`) nor the tables (`engine.projections.external`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from engine.config import Home
from engine.errors import BadInput, MessageRefused
from engine.projections.delta_log import is_table
from engine.projections.external import append_external
from engine.projections.lake import read_table
from engine.projections.sync import sync_folder
from orchestration.lake.statements import read_file
from schemas.external import IngestedFile, QuarantinedFile
from schemas.market import AssetRegistered
from schemas.packed import unpack
from schemas.record import RECORDS, record_of

FILE_COUNT = 200  # files that one commit a table takes
NAME_LENGTH = 40  # of a sender's file name, where it becomes part of ours


class Result(Enum):
    """What became of a file."""

    INGESTED = "ingested"
    ALREADY_INGESTED = "already ingested"
    QUARANTINED = "quarantined"


class Outcome(NamedTuple):
    """What became of one file."""

    file_name: str
    file_sha256: str
    result: Result
    row_count: int  # rows that came of it; zero unless it was ingested now
    reason: str  # why it is in quarantine, or what was accepted although it breaks the standard


def ingest_file(home: Home, path: Path, now_ns: int) -> Outcome:
    """Bring one file to the lake, or to quarantine; the file itself stays where it is.

    The same bytes are read once, whatever their name. Raises BadInput when the file cannot be opened.
    """
    return _ingest(home, [path], now_ns)[0]


def ingest_inbox(home: Home, now_ns: int) -> list[Outcome]:
    """Bring every file of the inbox to the lake or to quarantine, by path; each leaves the inbox when done.

    A file whose name begins with a dot is still being written by its sender and is left alone.
    """
    paths = [p for p in sorted(home.inbox.rglob("*")) if p.is_file() and not p.name.startswith(".")]
    outcomes: list[Outcome] = []
    for first in range(0, len(paths), FILE_COUNT):
        some = paths[first : first + FILE_COUNT]
        outcomes += _ingest(home, some, now_ns)
        for path in some:
            path.unlink()
        for folder in {path.parent for path in some}:
            sync_folder(folder)
    return outcomes


def _ingest(home: Home, paths: Sequence[Path], now_ns: int) -> list[Outcome]:
    """Bring files to the lake in one commit a table."""
    known, digits = _known(home, IngestedFile), _unit_digits(home)
    outcomes: list[Outcome] = []
    rows: dict[str, list[Any]] = {}
    files: list[IngestedFile] = []
    for path in paths:
        raw, name = _bytes_of(path), path.name.encode("utf-8", "replace").decode("utf-8")
        sha256 = hashlib.sha256(raw).hexdigest()
        if sha256 in known:
            outcomes.append(Outcome(name, sha256, Result.ALREADY_INGESTED, 0, ""))
            continue
        kept = home.archive / sha256
        # Where a run before this one was cut off its rows may be there, read at its instant.
        read_at_ns = kept.stat().st_mtime_ns if kept.exists() else now_ns
        try:
            reading = read_file(raw, name, read_at_ns, digits)
        except MessageRefused as refusal:
            outcomes.append(_quarantine(home, name, raw, str(refusal), now_ns))
            continue
        _keep(kept, raw, read_at_ns)
        for table, found in reading.rows.items():
            rows.setdefault(table, []).extend(found)
        files.append(reading.ingested)
        known.add(sha256)
        outcomes.append(
            Outcome(name, sha256, Result.INGESTED, reading.ingested.row_count, reading.ingested.deviations)
        )
    for table in sorted(rows):
        append_external(home, RECORDS[table].cls, rows[table])
    append_external(home, IngestedFile, files)
    return outcomes


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error


def _quarantine(home: Home, name: str, raw: bytes, refusal: str, now_ns: int) -> Outcome:
    sha256 = hashlib.sha256(raw).hexdigest()
    reason = " ".join(refusal.split())
    kept = home.quarantine / f"{sha256}-{name[-NAME_LENGTH:]}"
    _keep(kept, raw, now_ns)
    if sha256 not in _known(home, QuarantinedFile):
        row = QuarantinedFile(
            file_sha256=sha256,
            file_name=name,
            reason=reason,
            kept_path=str(kept.relative_to(home.root)),
            ingested_at_ns=now_ns,
        )
        append_external(home, QuarantinedFile, [row])
    return Outcome(name, sha256, Result.QUARANTINED, 0, reason)


def _known(home: Home, cls: type) -> set[str]:
    """Digests of the files that a table names."""
    if not is_table(home.lake / record_of(cls).table):
        return set()
    return set(read_table(home, cls)["file_sha256"].to_list())


def _unit_digits(home: Home) -> dict[str, int]:
    """Decimals of the smallest unit of each registered asset, by ISIN and by symbol."""
    if not is_table(home.lake / record_of(AssetRegistered).table):
        return {}
    assets = read_table(home, AssetRegistered).select("isin_packed", "symbol_packed", "unit_digits").rows()
    return {unpack(packed): digits for *names, digits in assets for packed in names if packed}


def _keep(target: Path, raw: bytes, now_ns: int) -> None:
    """Write bytes under a final name that is whole or not there, dated now, durable on return."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    sync_folder(target.parent.parent)
    draft = target.parent / f".{target.name[:64]}"
    with draft.open("wb") as file:
        file.write(raw)
        file.flush()
        os.utime(file.fileno(), ns=(now_ns, now_ns))
        os.fsync(file.fileno())
    draft.rename(target)
    sync_folder(target.parent)
