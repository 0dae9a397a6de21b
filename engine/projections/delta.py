"""One Delta table a lake record: made, appended to, synced.

Owns when a commit is allowed, and how it is told apart from a repeat of itself and from a compaction beside
it. Does not own which rows a commit holds (`lake.py`, `external.py`), the log's entries (`delta_log.py`) nor
a torn tail (`repair.py`).

Every commit follows a look at the table's transaction version. Its file is durable before the log names it,
and it becomes exactly the version after those that this handle knows. deltalake makes tables, checkpoints and
snapshots for reading; it makes no commit, because it syncs nothing and does not refuse a repeated
transaction. The log is never cleaned: a lost checkpoint can be made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from engine.clock import WallClock
from engine.errors import LakeError
from engine.projections.delta_log import (
    Action,
    add_entry,
    entry_path,
    last_checkpoint,
    log_folder,
    read_entry,
)
from engine.projections.parquet import new_parquet
from engine.projections.sync import sync_file, sync_folder
from schemas.derive.arrow import arrow_schema, arrow_table_of
from schemas.record import RecordType

CHECKPOINT_COMMIT_COUNT = 50  # opening a table takes longer with every commit behind its checkpoint
REPLACED_FILE_HOURS = 1  # how long a reader may go on reading a replaced row
UNSYNCED_VERSION_COUNT = 3  # a writer and a compaction leave one unsynced each when they are killed

_APPENDED = {"delta.appendOnly": "true", "delta.enableExpiredLogCleanup": "false"}
_REPLACED = {
    "delta.enableExpiredLogCleanup": "false",
    "delta.deletedFileRetentionDuration": "interval 1 hours",
}

Operation = Literal["WRITE", "OPTIMIZE"]


class LakeTable:
    """The open Delta table of one record, for its one writer."""

    def __init__(self, folder: Path, record: RecordType, shard: str) -> None:
        """Open a table that is there. Raises LakeError when it cannot be read."""
        self.folder = folder
        self.record = record
        self.app_id = f"{shard}/{record.table}"
        found = self.snapshot()
        self._version = found.version()
        self._batch: int = found.transaction_version(self.app_id) or 0
        self._row_count: int = found.count()
        self._clock = WallClock()
        self._checkpoint_version = last_checkpoint(folder)
        self._replaced: dict[str, Any] | None = None  # the one file of a table that is replaced
        self._refusal = ""

    @classmethod
    def create(cls, folder: Path, record: RecordType, shard: str, *, replaced: bool = False) -> LakeTable:
        """Make the empty table of a record, durable, and open it.

        `replaced` marks a table whose rows each commit puts in place of the former ones.
        """
        configuration = _REPLACED if replaced else _APPENDED
        try:
            DeltaTable.create(folder, arrow_schema(record), configuration=configuration)
        except (DeltaError, OSError) as error:
            raise LakeError(f"{record.table}: cannot make the table: {one_line(error)}") from error
        made = cls(folder, record, shard)
        made.sync()
        sync_folder(folder.parent)
        return made

    @property
    def version(self) -> int:
        """The Delta version that this handle stands at."""
        return self._version

    @property
    def batch(self) -> int:
        """The highest batch number that this table has; zero when none."""
        return self._batch

    @property
    def row_count(self) -> int:
        """Rows in the table."""
        return self._row_count

    @property
    def is_checkpoint_due(self) -> bool:
        """Whether a reader has many entries to read behind the last checkpoint."""
        return self.version - self._checkpoint_version >= CHECKPOINT_COMMIT_COUNT

    @property
    def schema(self) -> pa.Schema:
        """Columns as declared."""
        return arrow_schema(self.record)

    def append(self, rows: pa.Table, batch: int) -> None:
        """Add the rows of a batch and return when they are durable.

        The caller has compared the number with `batch` before. Raises LakeError when another writer has
        committed since this handle was opened; a compaction is none.
        """
        self._write(rows, batch, [])

    def replace(self, rows: pa.Table, batch: int) -> None:
        """Put rows in place of all former ones and return when they are durable."""
        former = self.files() if self._replaced is None else [self._replaced]
        gone = [removal(file, self._clock.now_ns(), is_change=True) for file in former]
        self._row_count = 0
        added = self._write(rows, batch, gone)["add"]
        self._replaced = {"path": added["path"], "size_bytes": added["size"]}

    def swap(self, gone: Sequence[Action], made: Sequence[Action]) -> None:
        """Name other files for the same rows, durable on return. Raises LakeError if somebody else did so."""
        self._commit([*gone, *made], "OPTIMIZE", self.version + 1)

    def sync(self) -> None:
        """Make the last commits durable, whoever made them: files, log entries, and the folders."""
        for version in range(max(0, self.version + 1 - UNSYNCED_VERSION_COUNT), self.version + 1):
            for action in read_entry(self.folder, version):
                if "add" in action and (path := self.folder / action["add"]["path"]).exists():
                    sync_file(path)
            sync_file(entry_path(self.folder, version))
        sync_folder(self.folder)
        sync_folder(log_folder(self.folder))

    def snapshot(self) -> DeltaTable:
        """The table as any reader finds it now. Raises LakeError when it cannot be read."""
        try:
            return DeltaTable(self.folder)
        except (DeltaError, OSError) as error:
            raise LakeError(f"{self.record.table}: cannot be read: {one_line(error)}") from error

    def rows(self) -> pa.Table:
        """All rows, as any reader finds them now."""
        return self.snapshot().to_pyarrow_table()

    def files(self) -> list[dict[str, Any]]:
        """The files, in no order: path, size_bytes, num_records, modification_time and statistics."""
        return pa.table(self.snapshot().get_add_actions(flatten=True)).to_pylist()

    def checkpoint(self) -> None:
        """Make a durable checkpoint of the newest version."""
        table, log = self.snapshot(), log_folder(self.folder)
        try:
            table.create_checkpoint()
        except (DeltaError, OSError) as error:
            raise LakeError(f"{self.record.table}: checkpoint failed: {one_line(error)}") from error
        for path in log.glob(f"{table.version():020}.checkpoint*.parquet"):
            sync_file(path)
        sync_file(log / "_last_checkpoint")
        sync_folder(log)
        if self._replaced is not None:
            self._drop_replaced_files(table)
        self._checkpoint_version = self.version

    def _write(self, rows: pa.Table, batch: int, gone: Sequence[Action]) -> Action:
        with new_parquet(self.folder, self.schema) as file:
            file.add(rows)
            added = file.finish(is_change=True)
        self._commit([*gone, added], "WRITE", batch)
        self._batch, self._row_count = batch, self._row_count + rows.num_rows
        return added

    def _commit(self, actions: Sequence[Action], operation: Operation, number: int) -> None:
        """Make the next version, behind those that came in between and are allowed to."""
        at_ms = self._clock.now_ns() // 1_000_000
        made = {
            "timestamp": at_ms,
            "operation": operation,
            "operationParameters": {},
            "engineInfo": "onebook",
        }
        numbered = {"appId": self.app_id, "version": number, "lastUpdated": at_ms}
        while not self._refusal:
            try:
                add_entry(self.folder, self.version + 1, [{"commitInfo": made}, *actions, {"txn": numbered}])
            except FileExistsError:
                self._take_in(self.version + 1)
            except OSError as error:
                raise self._refused(f"cannot be written: {one_line(error)}") from error
            else:
                self._version += 1
                return
        raise LakeError(self._refusal)

    def _take_in(self, version: int) -> None:
        """Go on to a version that somebody else made. Raises LakeError, for good, if it changes rows."""
        if problem := self._what_is_wrong_with(version):
            raise self._refused(f"version {version} {problem}: a second writer")
        self._version = version

    def _what_is_wrong_with(self, version: int) -> str:
        """What a version does beyond naming the same rows by other files; empty if nothing."""
        for action in read_entry(self.folder, version):
            (kind, body), *_ = action.items()
            if kind == "txn" and body["appId"] == self.app_id:
                return f"is batch {body['version']}"
            if kind not in ("commitInfo", "txn", "add", "remove"):
                return f"changes the {kind}"
            if kind in ("add", "remove") and body["dataChange"]:
                return "changes rows"
        count = DeltaTable(self.folder, version=version).count()
        return "" if count == self._row_count else f"makes {count} rows of {self._row_count}"

    def _refused(self, reason: str) -> LakeError:
        self._refusal = f"{self.record.table}: {reason}"
        return LakeError(self._refusal)

    def _drop_replaced_files(self, table: DeltaTable) -> None:
        # A dry run names the files; a real one would add commits of its own to the log.
        for name in table.vacuum(
            retention_hours=REPLACED_FILE_HOURS, dry_run=True, enforce_retention_duration=False
        ):
            (self.folder / name).unlink(missing_ok=True)


def removal(file: dict[str, Any], at_ns: int, *, is_change: bool) -> Action:
    """The action that takes one of `files` out of a table."""
    told = {
        "path": file["path"],
        "deletionTimestamp": at_ns // 1_000_000,
        "dataChange": is_change,
        "extendedFileMetadata": True,
        "partitionValues": {},
        "size": file["size_bytes"],
    }
    return {"remove": told}


def one_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split())


def table_of(record: RecordType, declared: Sequence[Any]) -> pa.Table:
    """Declared objects as an Arrow table. Raises LakeError on a value that its column cannot hold."""
    try:
        made = arrow_table_of(record, declared)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise LakeError(f"{record.table}: {one_line(error)}") from error
    for column in record.columns:
        if not column.null and made.column(column.name).null_count:
            raise LakeError(f"{record.table}.{column.name} may not be null")
    return made
