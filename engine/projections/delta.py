"""One Delta table a lake record: made, appended to, synced. The engine's only door to deltalake.

Owns how a commit becomes durable on a local disk and how it is told apart from a repeat of itself.
Does not own which rows a commit holds (`lake.py`, `external.py`) nor a torn tail (`repair.py`).

deltalake neither syncs its files nor refuses a repeated transaction from a fresh handle. So every commit
follows a look at the table's transaction version, is made from a handle (never from a path), is not retried,
and is synced file by file before it returns. The log is never cleaned: a lost checkpoint can be made again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Transaction,
    write_deltalake,
)
from deltalake.exceptions import DeltaError

from engine.errors import LakeError
from schemas.derive.arrow import arrow_schema, arrow_table_of
from schemas.record import RecordType

CHECKPOINT_COMMIT_COUNT = 25  # append latency grows with every commit since the last checkpoint
REPLACED_FILE_HOURS = 1  # how long a reader may go on reading a replaced row

_APPENDED = {"delta.appendOnly": "true", "delta.enableExpiredLogCleanup": "false"}
_REPLACED = {
    "delta.enableExpiredLogCleanup": "false",
    "delta.deletedFileRetentionDuration": "interval 1 hours",
}
_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


class LakeTable:
    """The open Delta table of one record, for its one writer."""

    def __init__(self, folder: Path, record: RecordType, shard: str) -> None:
        """Open a table that is there. Raises LakeError when it cannot be read."""
        self.folder = folder
        self.record = record
        self.app_id = f"{shard}/{record.table}"
        self._table = self._opened()

    @classmethod
    def create(cls, folder: Path, record: RecordType, shard: str, *, replaced: bool = False) -> LakeTable:
        """Make the empty table of a record, durable, and open it.

        `replaced` marks a table whose rows each commit puts in place of the former ones.
        """
        configuration = _REPLACED if replaced else _APPENDED
        try:
            DeltaTable.create(folder, arrow_schema(record), configuration=configuration)
        except (DeltaError, OSError) as error:
            raise LakeError(f"{record.table}: cannot make the table: {_line(error)}") from error
        made = cls(folder, record, shard)
        made.sync_last()
        sync_folder(folder.parent)
        return made

    @property
    def version(self) -> int:
        """The Delta version that this handle stands at."""
        return self._table.version()

    @property
    def batch(self) -> int:
        """The highest batch number that this table has; zero when none."""
        return self._table.transaction_version(self.app_id) or 0

    @property
    def row_count(self) -> int:
        """Rows in the table, told by its log."""
        return self._table.count()

    def append(self, rows: pa.Table, batch: int) -> None:
        """Add the rows of a batch and return when they are durable.

        The caller has compared the number with `batch` before. Raises LakeError when another writer has
        committed since this handle was opened.
        """
        self._write(rows, batch, "append")

    def replace(self, rows: pa.Table, batch: int) -> None:
        """Put rows in place of all former ones and return when they are durable."""
        self._write(rows, batch, "overwrite")

    def sync_last(self) -> None:
        """Make the last commit durable: its Parquet files, its log entry, and their folders."""
        log = self.folder / "_delta_log"
        entry = log / f"{self.version:020}.json"
        for line in entry.read_text(encoding="utf-8").splitlines():
            added = json.loads(line).get("add")
            if added is not None:
                _sync_file(self.folder / added["path"])
        sync_folder(self.folder)
        _sync_file(entry)
        sync_folder(log)

    def rows(self) -> pa.Table:
        """All rows, as this handle sees them."""
        return self._table.to_pyarrow_table()

    def _write(self, rows: pa.Table, batch: int, mode: Literal["append", "overwrite"]) -> None:
        transaction = Transaction(self.app_id, batch)
        before = self.version
        try:
            write_deltalake(
                self._table,
                rows,
                mode=mode,
                commit_properties=CommitProperties(app_transactions=[transaction], max_commit_retries=0),
                post_commithook_properties=_NO_HOOKS,
            )
        except (DeltaError, OSError) as error:
            raise LakeError(f"{self.record.table}: commit refused: {_line(error)}") from error
        if self.version != before + 1:
            raise LakeError(f"{self.record.table}: version {before} became {self.version}: a second writer")
        self.sync_last()
        # Tables take turns, so that one batch does not pay for all checkpoints.
        if (self.version + self.record.type_code) % CHECKPOINT_COMMIT_COUNT == 0:
            self._checkpoint(mode)

    def _checkpoint(self, mode: str) -> None:
        try:
            self._table.create_checkpoint()
            if mode == "overwrite":
                self._drop_replaced_files()
        except (DeltaError, OSError) as error:
            raise LakeError(f"{self.record.table}: checkpoint failed: {_line(error)}") from error
        log = self.folder / "_delta_log"
        for path in log.glob(f"{self.version:020}.checkpoint*.parquet"):
            _sync_file(path)
        _sync_file(log / "_last_checkpoint")
        sync_folder(log)
        self._table = self._opened()

    def _drop_replaced_files(self) -> None:
        # A dry run names the files; a real one would add commits of its own to the log.
        for name in self._table.vacuum(
            retention_hours=REPLACED_FILE_HOURS, dry_run=True, enforce_retention_duration=False
        ):
            (self.folder / name).unlink(missing_ok=True)

    def _opened(self) -> DeltaTable:
        try:
            return DeltaTable(self.folder)
        except (DeltaError, OSError) as error:
            raise LakeError(f"{self.record.table}: cannot be read: {_line(error)}") from error


@contextmanager
def locked(path: Path, *, wait: bool) -> Generator[int]:
    """Hold the exclusive lock of a file and give its descriptor.

    Without `wait`, raises LakeError when another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise LakeError(f"another process writes the lake: {path.name} is locked") from None
        yield descriptor
    finally:
        os.close(descriptor)


def is_table(folder: Path) -> bool:
    """Whether a folder holds a Delta log with at least one entry."""
    return any((folder / "_delta_log").glob("*.json"))


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    _sync_file(folder)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


def table_of(record: RecordType, declared: Sequence[Any]) -> pa.Table:
    """Declared objects as an Arrow table. Raises LakeError on a value that its column cannot hold."""
    try:
        made = arrow_table_of(record, declared)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise LakeError(f"{record.table}: {_line(error)}") from error
    for column in record.columns:
        if not column.null and made.column(column.name).null_count:
            raise LakeError(f"{record.table}.{column.name} may not be null")
    return made
