"""The engine's state at one frame, so that a start need not replay the whole journal.

Owns: the file and how many are kept. Does not own: what the arrays mean. A snapshot is never the only copy:
the journal can always rebuild it, so one that does not verify is passed over. It is written beside the
journal, so it takes the disk, and the interpreter, for small pieces at a time.
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import JournalFailed
from engine.journal.disk import DISK, Content, Disk

MAGIC = b"OBSNAPSH"
SNAPSHOT_VERSION = 2  # of the file, and of which arrays there are
KEPT = 2
_PIECE_BYTES = 1 << 18  # written and summed at a time
_SYNCED_BYTES = 1 << 20
_HEADER = struct.Struct("<8sIIQQ32s32s")
_LENGTH = struct.Struct("<Q")
_HASH_BYTES = 32
_SUFFIX, _UNFINISHED = ".snapshot", ".unfinished"


class Snapshot(NamedTuple):
    """The state after frame `frame_index`; check `chain_hash` against the journal before use."""

    path: Path
    frame_index: int
    chain_hash: bytes
    state_hash: bytes
    arrays: dict[str, npt.NDArray[Any]]
    text: bytes


def write_snapshot(
    folder: Path,
    frame_index: int,
    chain_hash: bytes,
    state_hash: bytes,
    arrays: Mapping[str, npt.NDArray[Any]],
    text: bytes,
    disk: Disk = DISK,
) -> Path:
    """Write a snapshot, durable on return, then drop all but the newest two.

    Nothing is replaced in place. Raises JournalFailed when the disk refuses, ValueError on arrays of objects.
    """
    path = folder / f"{frame_index:012d}{_SUFFIX}"
    parts = _parts(frame_index, chain_hash, state_hash, arrays, text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob(f"*{_UNFINISHED}"):
            disk.unlink(unfinished)
        _write_durably(path, parts, disk)
        for old in snapshot_paths(folder)[KEPT:]:
            disk.unlink(old)
    except OSError as error:
        raise JournalFailed(f"{path}: the snapshot cannot be written: {error}") from error
    return path


def load_snapshot(folder: Path) -> Snapshot | None:
    """The newest snapshot that verifies, or None: then the journal is replayed from its beginning."""
    for path in snapshot_paths(folder):
        if (snapshot := read_snapshot(path)) is not None:
            return snapshot
    return None


def snapshot_paths(folder: Path) -> list[Path]:
    """The snapshots of a folder, newest first, verified or not."""
    return sorted(folder.glob(f"*{_SUFFIX}"), reverse=True)


def _parts(
    frame_index: int,
    chain_hash: bytes,
    state_hash: bytes,
    arrays: Mapping[str, npt.NDArray[Any]],
    text: bytes,
) -> list[Content]:
    header = (MAGIC, SNAPSHOT_VERSION, len(arrays), frame_index, len(text), chain_hash, state_hash)
    parts: list[Content] = [_HEADER.pack(*header), text]
    for name, array in arrays.items():
        encoded, (head, content) = name.encode(), _npy(array)
        length = len(head) + len(content)
        parts += [_LENGTH.pack(len(encoded)), encoded, _LENGTH.pack(length), head, content]
    return parts


def _npy(array: npt.NDArray[Any]) -> tuple[bytes, Content]:
    """An array in NumPy's format: what stands before its content, and its content in place, not copied."""
    if array.dtype.hasobject:
        raise ValueError("an array of objects cannot be kept")
    whole, head = np.ascontiguousarray(array), io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(whole))
    return head.getvalue(), whole.reshape(-1).view(np.uint8).data


def _write_durably(path: Path, parts: list[Content], disk: Disk) -> None:
    unfinished = path.with_suffix(_UNFINISHED)
    descriptor = disk.open(unfinished)
    try:
        digest, offset, synced = hashlib.sha256(), 0, 0
        for part in parts:
            for first in range(0, len(part), _PIECE_BYTES):
                piece = part[first : first + _PIECE_BYTES]
                digest.update(piece)
                disk.pwrite(descriptor, piece, offset)
                offset += len(piece)
                if offset - synced >= _SYNCED_BYTES:
                    disk.fdatasync(descriptor)
                    synced = offset
        disk.pwrite(descriptor, digest.digest(), offset)
        disk.fdatasync(descriptor)
    finally:
        disk.close(descriptor)
    disk.rename(unfinished, path)
    disk.fsync_folder(path.parent)


def read_snapshot(path: Path) -> Snapshot | None:
    """One snapshot, or None when it does not verify."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    body, digest = content[:-_HASH_BYTES], content[-_HASH_BYTES:]
    if len(body) < _HEADER.size or hashlib.sha256(body).digest() != digest:
        return None
    magic, version, count, frame_index, text_bytes, chain_hash, state_hash = _HEADER.unpack_from(body)
    if magic != MAGIC or version != SNAPSHOT_VERSION:
        return None
    stream = io.BytesIO(body)
    stream.seek(_HEADER.size)
    text = stream.read(text_bytes)
    arrays: dict[str, npt.NDArray[Any]] = {}
    for _ in range(count):
        name = _read_part(stream).decode()
        arrays[name] = np.load(io.BytesIO(_read_part(stream)), allow_pickle=False, max_header_size=1 << 20)
    return Snapshot(path, frame_index, chain_hash, state_hash, arrays, text)


def _read_part(stream: io.BytesIO) -> bytes:
    (length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
    return stream.read(length)
