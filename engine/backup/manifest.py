"""What a backup holds: every file with size and digest, and where its journal ends.

Owns: the manifest's form and its file. Does not own: making or reading the files it names.
The manifest is written last and replaced as one, so a backup folder is always that of its manifest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.errors import BadInput
from engine.journal.disk import Disk
from engine.journal.segment import Position

FORMAT = 1
NAME = "manifest.json"
SEGMENT, SNAPSHOT, PRIVATE = "segment", "snapshot", "private"
_CHUNK_BYTES = 1 << 20


class BackupDamaged(BadInput):
    """Bytes of a backup are not as they were written."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One file of a backup."""

    kind: str  # segment, snapshot or private
    path: str  # in the backup
    target: str  # in a home
    bytes: int = 0
    sha256: str = ""
    frame: int = 0  # the last frame of a segment, the frame of a snapshot
    last_sequence: int = 0  # of a segment's last frame
    term: int = 0  # of a segment's last frame
    chain_hash: str = ""  # of a segment's last frame, or of a snapshot's frame


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A backup as of one durable frame."""

    format: int
    tool_version: str
    made_at_ns: int
    last_frame: int
    last_sequence: int
    chain_head: str
    has_private: bool  # keys and vault
    files: tuple[Kept, ...]

    def of(self, kind: str) -> list[Kept]:
        """The files of a kind, in the order in which they were written."""
        return [f for f in self.files if f.kind == kind]


def position_of(segment: Kept) -> Position:
    """The last frame of a segment in a backup."""
    return Position(segment.frame, segment.last_sequence, segment.term, bytes.fromhex(segment.chain_hash))


def write_manifest(folder: Path, manifest: Manifest, disk: Disk) -> None:
    """Put a manifest in the place of the one before; durable on return. Raises OSError."""
    unfinished = folder / f"{NAME}.unfinished"
    unfinished.unlink(missing_ok=True)
    descriptor = disk.open(unfinished)
    try:
        disk.pwrite(descriptor, _text(manifest), 0)
        disk.fdatasync(descriptor)
    finally:
        disk.close(descriptor)
    disk.rename(unfinished, folder / NAME)
    disk.fsync_folder(folder)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup. Raises BadInput where there is none, BackupDamaged when it was changed."""
    try:
        content = (folder / NAME).read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{folder} holds no finished backup: {NAME} is missing") from None
    try:
        told = json.loads(content)["backup"]
        files = tuple(Kept(**f) for f in told.pop("files"))
        manifest = Manifest(**told, files=files)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupDamaged(f"{folder / NAME} is damaged: it cannot be read") from None
    if _text(manifest) != content:
        raise BackupDamaged(f"{folder / NAME} is damaged: it does not have the digest that it tells")
    if manifest.format != FORMAT:
        raise BadInput(f"{folder / NAME} has format {manifest.format}; {FORMAT} is known here")
    return manifest


def chunks(path: Path) -> Iterator[bytes]:
    """A file, a piece at a time. Raises OSError."""
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            yield piece


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. Raises OSError."""
    digest = hashlib.sha256()
    for piece in chunks(path):
        digest.update(piece)
    return digest.hexdigest()


def problem_of(folder: Path, kept: Kept) -> str:
    """What is wrong with a file of a backup; empty when it is as it was written."""
    path = folder / kept.path
    try:
        if (found := path.stat().st_size) != kept.bytes:
            return f"{kept.path}: {found} bytes long, the manifest says {kept.bytes}"
        return "" if digest_of(path) == kept.sha256 else f"{kept.path}: its digest is not the manifest's"
    except OSError as error:
        return f"{kept.path}: {error.strerror}"


def _text(manifest: Manifest) -> bytes:
    """The one way to write a manifest, so that any changed byte shows."""
    body = asdict(manifest)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return json.dumps({"sha256": digest, "backup": body}, indent=1).encode() + b"\n"
