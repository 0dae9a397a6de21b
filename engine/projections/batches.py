"""The batch log: what each batch of the lake covers, durable before any table is touched.

Owns the file `_batches.jsonl` of the lake: one line a batch, with its range of frames and the rows each table
gets.
Does not own the tables. After a crash the last line says exactly which batch to make again.
"""

from __future__ import annotations

import json
import os
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import LakeError
from engine.projections.delta import sync_folder

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
    """The open batch log. `last` is the newest batch; `row_counts` sums the rows of all of them."""

    def __init__(self, path: Path) -> None:
        """Open or begin the log, cut a torn last line, and make what is there durable.

        Raises LakeError when a line before the last does not verify.
        """
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._path = path
        self.last = NOTHING
        self.row_counts: Counter[str] = Counter()
        self.last_numbers: dict[str, int] = {}  # table -> newest batch that gave it rows
        whole = self._read(path.read_bytes())
        os.ftruncate(self._descriptor, whole)
        os.lseek(self._descriptor, whole, os.SEEK_SET)
        os.fsync(self._descriptor)
        sync_folder(path.parent)

    def append(self, batch: Batch) -> None:
        """Write a batch and return when it is durable. Raises LakeError when it does not follow the last."""
        self._enter(batch)
        line = _line(batch)
        if os.write(self._descriptor, line) != len(line):
            raise LakeError(f"{self._path.name}: disk full")
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _read(self, content: bytes) -> int:
        whole = 0
        lines = content.splitlines(keepends=True)
        for position, line in enumerate(lines):
            batch = _parsed(line)
            if batch is None:
                if position < len(lines) - 1:
                    raise LakeError(f"{self._path.name}: line {position + 1} does not verify")
                break
            self._enter(batch)
            whole += len(line)
        return whole

    def _enter(self, batch: Batch) -> None:
        last = self.last
        if batch.number != last.number + 1 or batch.first_frame != last.last_frame + 1:
            raise LakeError(
                f"{self._path.name}: batch {batch.number} from frame {batch.first_frame} does not follow "
                f"batch {last.number} to frame {last.last_frame}"
            )
        self.last = batch
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
