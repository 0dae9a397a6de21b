"""One Delta table a lake record: made, appended to, synced. With `parquet.py` the only door to deltalake.

Owns how a commit becomes durable on a local disk and how it is told apart from a repeat of itself, and from a
compaction beside it. Does not own which rows a commit holds (`lake.py`, `external.py`) nor a torn tail
(`repair.py`).

deltalake neither syncs its files nor refuses a repeated transaction from a fresh handle. So every commit
follows a look at the table's transaction version; its file is durable before the log names it; it is made
from a handle at exactly the version before, is not retried, and its log entry is synced before it returns.
The log is never cleaned: a lost checkpoint can be made again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema, Transaction
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction

from engine.errors import LakeError
from engine.projections.parquet import new_parquet
from engine.projections.sync import sync_file, sync_folder
from schemas.derive.arrow import arrow_schema, arrow_table_of
from schemas.record import RecordType

CHECKPOINT_COMMIT_COUNT = 25  # append latency grows with every commit since the last checkpoint
REPLACED_FILE_HOURS = 1  # how long a reader may go on reading a replaced row
UNSYNCED_VERSION_COUNT = 3  # a writer and a compaction leave one unsynced each when they are killed

_APPENDED = {"delta.appendOnly": "true", "delta.enableExpiredLogCleanup": "false"}
_REPLACED = {
    "delta.enableExpiredLogCleanup": "false",
    "delta.deletedFileRetentionDuration": "interval 1 hours",
}
_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)

Mode = Literal["append", "overwrite"]
Action = dict[str, Any]


class LakeTable:
    """The open Delta table of one record, for its one writer."""

    def __init__(self, folder: Path, record: RecordType, shard: str) -> None:
        """Open a table that is there. Raises LakeError when it cannot be read."""
        self.folder = folder
        self.record = record
        self.app_id = f"{shard}/{record.table}"
        self._table = self._opened()
        self._schema = Schema.from_arrow(self.schema)
        self._row_count = self.row_count  # that nobody but this handle may change
        self._checkpoint_due = False
        self._is_replaced = False
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
        return self._table.version()

    @property
    def batch(self) -> int:
        """The highest batch number that this table has; zero when none."""
        return self._table.transaction_version(self.app_id) or 0

    @property
    def row_count(self) -> int:
        """Rows in the table, told by its log."""
        return self._table.count()

    @property
    def schema(self) -> pa.Schema:
        """Columns as declared."""
        return arrow_schema(self.record)

    def append(self, rows: pa.Table, batch: int) -> None:
        """Add the rows of a batch and return when they are durable.

        The caller has compared the number with `batch` before. Raises LakeError when another writer has
        committed since this handle was opened; a compaction is none.
        """
        self._write(rows, batch, "append")

    def replace(self, rows: pa.Table, batch: int) -> None:
        """Put rows in place of all former ones and return when they are durable."""
        self._is_replaced = True
        self._write(rows, batch, "overwrite")

    def sync(self) -> None:
        """Make the last commits durable: their Parquet files, their log entries, and the folders."""
        for version in range(max(0, self.version + 1 - UNSYNCED_VERSION_COUNT), self.version + 1):
            self._sync_files(version)
            self._sync_entry(version)

    def rows(self) -> pa.Table:
        """All rows, as this handle sees them."""
        return self._table.to_pyarrow_table()

    def files(self) -> list[dict[str, Any]]:
        """The files, in no order: path, size_bytes, num_records, modification_time and statistics."""
        return pa.table(self._table.get_add_actions(flatten=True)).to_pylist()

    def swap(self, gone: Sequence[RemoveAction], made: Sequence[AddAction]) -> None:
        """Name other files for the same rows, durable on return. Raises LakeError if somebody else did so."""
        self._commit([*gone, *made], "append", self.version + 1, self._row_count)

    def tend(self) -> None:
        """Make a checkpoint when one is due."""
        if self._checkpoint_due:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Make a checkpoint of the version that this handle stands at, durable."""
        try:
            self._table.create_checkpoint()
            if self._is_replaced:
                self._drop_replaced_files()
        except (DeltaError, OSError) as error:
            raise LakeError(f"{self.record.table}: checkpoint failed: {one_line(error)}") from error
        log = self.folder / "_delta_log"
        for path in log.glob(f"{self.version:020}.checkpoint*.parquet"):
            sync_file(path)
        sync_file(log / "_last_checkpoint")
        sync_folder(log)
        version = self.version
        self._table = self._opened()
        self._take_in(version)
        self._checkpoint_due = False

    def _write(self, rows: pa.Table, batch: int, mode: Mode) -> None:
        with new_parquet(self.folder, self.schema) as file:
            file.add(rows)
            added = file.finish(is_change=True)
        kept = self._row_count if mode == "append" else 0
        self._commit([added], mode, batch, kept + rows.num_rows)
        # Tables take turns, so that one batch does not pay for all checkpoints.
        if (self.version + self.record.type_code) % CHECKPOINT_COMMIT_COUNT == 0:
            self._checkpoint_due = True

    def _commit(
        self, actions: list[AddAction | RemoveAction], mode: Mode, number: int, row_count: int
    ) -> None:
        """Commit as the version that follows, behind those that came in between and are allowed to.

        `row_count` is what the table holds after it.
        """
        if self._refusal:
            raise LakeError(self._refusal)
        properties = CommitProperties(
            app_transactions=[Transaction(self.app_id, number)], max_commit_retries=0
        )
        while True:
            before = self.version
            try:
                self._table.create_write_transaction(
                    actions,
                    mode,
                    self._schema,
                    commit_properties=properties,
                    post_commithook_properties=_NO_HOOKS,
                )
            except (DeltaError, OSError) as error:
                self._refresh(before)
                if self.version == before:
                    raise LakeError(f"{self.record.table}: commit refused: {one_line(error)}") from error
            else:
                self._row_count = row_count
                self._sync_entry(before + 1)
                self._refresh(before + 1)
                return

    def _refresh(self, known: int) -> None:
        """Go on to the newest version. What came behind `known` has to be allowed."""
        try:
            self._table.update_incremental()
        except (DeltaError, OSError) as error:
            raise self._refused(f"cannot be read: {one_line(error)}") from error
        self._take_in(known)

    def _take_in(self, known: int) -> None:
        """Refuse what others did behind a version, or make it durable: nothing built on it may outlive it."""
        for version in range(known + 1, self.version + 1):
            if problem := self._what_is_wrong_with(version):
                raise self._refused(f"version {version} {problem}: a second writer")
            self._sync_files(version)
            self._sync_entry(version)

    def _what_is_wrong_with(self, version: int) -> str:
        """What somebody else's version does beyond naming the same rows by other files; empty if nothing."""
        for action in read_entry(self.folder, version):
            (kind, body), *_ = action.items()
            if kind == "txn" and body["appId"] == self.app_id:
                return f"is batch {body['version']}"
            if kind not in ("commitInfo", "txn", "add", "remove"):
                return f"changes the {kind}"
            if kind in ("add", "remove") and body["dataChange"]:
                return "changes rows"
        return "" if self.row_count == self._row_count else "loses or adds rows"

    def _refused(self, reason: str) -> LakeError:
        self._refusal = f"{self.record.table}: {reason}"
        return LakeError(self._refusal)

    def _sync_files(self, version: int) -> None:
        for action in read_entry(self.folder, version):
            if "add" in action and (path := self.folder / action["add"]["path"]).exists():
                sync_file(path)
        sync_folder(self.folder)

    def _sync_entry(self, version: int) -> None:
        entry = entry_path(self.folder, version)
        sync_file(entry)
        sync_folder(entry.parent)

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
            raise LakeError(f"{self.record.table}: cannot be read: {one_line(error)}") from error


def is_table(folder: Path) -> bool:
    """Whether a folder holds a Delta log with at least one entry."""
    return any((folder / "_delta_log").glob("*.json"))


def entry_path(folder: Path, version: int) -> Path:
    """The log entry of a version."""
    return folder / "_delta_log" / f"{version:020}.json"


def read_entry(folder: Path, version: int) -> list[Action]:
    """The actions of a version. Raises ValueError where they do not parse."""
    lines = entry_path(folder, version).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line]


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
