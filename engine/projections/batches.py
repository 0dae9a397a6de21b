"""The batch log: what each batch of the lake covers, durable before any table is touched.

Owns the file `_batches.jsonl` of the lake: one line a batch, with its range of frames and the rows each table
gets.
Does not own the tables. After a crash the last line says exactly which batch to make again.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import LakeError
from engine.journal.disk import DISK, Disk

if TYPE_CHECKING:
    from engine.journal.frame import Frame


class Batch(NamedTuple):
    """A range of frames that reaches every table or none, as readers see it."""

    number: int  # from 1, gap-free
    first_frame: int
    last_frame: int
    last_sequence: int
    chain_hash: str  # of the last frame, hexadecimal: names the journal that the batch was made from
    rows: dict[str, int]  # table -> rows; only tables that get any


NOTHING = Batch(0, 0, 0, 0, "", {})


def batch_of(number: int, frames: Sequence[Frame]) -> Batch:
    """The batch that frames make."""
    rows: Counter[str] = Counter()
    for frame in frames:
        for section in frame.sections:
            if len(section.rows):
                rows[section.record.table] += len(section.rows)
    last = frames[-1]
    return Batch(
        number,
        frames[0].index,
        last.index,
        last.last_sequence,
        last.chain_hash.hex(),
        dict(sorted(rows.items())),
    )


class BatchLog:
    """The open batch log. `last` is the newest batch; `row_counts` sums the rows of all of them.

    After any failure it is unusable: whether the line is there is not known before the log is read again.
    """

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        """Open or begin the log, blank a torn last line, and make what is there durable.

        Raises LakeError when a line before the last does not verify or the disk refuses.
        """
        self._path = path
        self._disk = disk
        self.last = NOTHING
        self.row_counts: Counter[str] = Counter()
        self.last_numbers: dict[str, int] = {}  # table -> newest batch that gave it rows
        self._finished_numbers: dict[str, int] = {}  # the same, without the last batch
        self._is_unusable = False
        try:
            self._descriptor = disk.open(path)
            try:
                self._end = self._recovered(path.read_bytes())
            except BaseException:
                disk.close(self._descriptor)
                raise
        except OSError as error:
            raise LakeError(f"{path.name}: cannot be opened: {error}") from error

    def number_of(self, table: str, *, finished: bool) -> int:
        """The newest batch that gave a table rows, zero when none; `finished` leaves out the last one."""
        return (self._finished_numbers if finished else self.last_numbers).get(table, 0)

    def append(self, batch: Batch) -> None:
        """Write a batch and return when it is durable.

        Raises LakeError when it does not follow the last, when another writer has written since, or when the
        disk refuses.
        """
        if self._is_unusable:
            raise LakeError(f"{self._path.name}: cannot be written any more")
        self._is_unusable = True
        if (size := self._path.stat().st_size) != self._end:
            raise LakeError(f"{self._path.name} has {size} bytes, not {self._end}: a second writer")
        self._enter(batch)
        line = _line(batch)
        try:
            self._disk.pwrite(self._descriptor, line, self._end)
            self._disk.fdatasync(self._descriptor)
        except OSError as error:
            raise LakeError(f"{self._path.name}: cannot be written: {error}") from error
        self._end += len(line)
        self._is_unusable = False

    def close(self) -> None:
        """Close the file."""
        self._is_unusable = True
        self._disk.close(self._descriptor)

    def _recovered(self, content: bytes) -> int:
        """Read all whole lines, blank what a cut left behind them, and tell where the log ends."""
        whole = self._read(content)
        # After a sync that failed the last line may be in memory only: write it again.
        last_at = content.rfind(b"\n", 0, max(0, whole - 1)) + 1
        self._disk.pwrite(self._descriptor, content[last_at:whole], last_at)
        if torn := len(content) - whole:
            self._disk.pwrite(self._descriptor, b"\n" * torn, whole)
        self._disk.fdatasync(self._descriptor)
        self._disk.fsync_folder(self._path.parent)
        return len(content)

    def _read(self, content: bytes) -> int:
        """Enter every batch; returns where the last whole line ends. Raises LakeError on a bad one before."""
        read = whole = torn_line = 0
        for position, line in enumerate(content.splitlines(keepends=True)):
            read += len(line)
            if not line.strip():
                continue
            if (batch := _parsed(line)) is None:
                torn_line = torn_line or position + 1
                continue
            if torn_line:
                raise LakeError(f"{self._path.name}: line {torn_line} does not verify")
            self._enter(batch)
            whole = read
        return whole

    def _enter(self, batch: Batch) -> None:
        last = self.last
        if batch.number != last.number + 1 or batch.first_frame != last.last_frame + 1:
            raise LakeError(
                f"{self._path.name}: batch {batch.number} from frame {batch.first_frame} does not follow "
                f"batch {last.number} to frame {last.last_frame}"
            )
        self.last = batch
        self._finished_numbers = dict(self.last_numbers)
        self.row_counts.update(batch.rows)
        self.last_numbers.update(dict.fromkeys(batch.rows, batch.number))


def _line(batch: Batch) -> bytes:
    body = batch._asdict()
    return json.dumps({"crc32": zlib.crc32(_canonical(body)), "batch": body}).encode() + b"\n"


def _canonical(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def _parsed(line: bytes) -> Batch | None:
    if not line.endswith(b"\n"):
        return None
    try:
        told = json.loads(line)
        body = told["batch"]
        return Batch(**body) if told["crc32"] == zlib.crc32(_canonical(body)) else None
    except (ValueError, KeyError, TypeError):
        return None
