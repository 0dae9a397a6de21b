"""Copy files so that they survive a power cut before anything names them.

Owns: the copy and its digest. Does not own: which files, or where from.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from engine.backup.manifest import chunks
from engine.journal.disk import Disk


def copy_file(source: Path, target: Path, disk: Disk) -> None:
    """Copy a whole file and sync it. Raises OSError."""
    target.unlink(missing_ok=True)
    descriptor = disk.open(target)
    try:
        offset = 0
        for piece in chunks(source):
            disk.pwrite(descriptor, piece, offset)
            offset += len(piece)
        disk.fdatasync(descriptor)
    finally:
        disk.close(descriptor)


def copy_prefix(source: Path, target: Path, prefix_bytes: int, file_bytes: int, disk: Disk) -> str:
    """Copy the first bytes of a file, fill up with written zeros, sync; returns SHA-256 in hexadecimal."""
    digest, offset = hashlib.sha256(), 0
    target.unlink(missing_ok=True)
    descriptor = disk.open(target)
    try:
        for piece in chunks(source):
            kept = max(0, min(len(piece), prefix_bytes - offset))
            filled = piece[:kept] + bytes(len(piece) - kept)
            disk.pwrite(descriptor, filled, offset)
            digest.update(filled)
            offset += len(piece)
        if offset != file_bytes:
            raise OSError(f"{source}: {offset} bytes long, not {file_bytes}")
        disk.fdatasync(descriptor)
    finally:
        disk.close(descriptor)
    return digest.hexdigest()


def blank_after(path: Path, prefix_bytes: int, disk: Disk) -> None:
    """Turn all that follows the first bytes of a file into a hole of zeros, and sync. Raises OSError."""
    file_bytes = path.stat().st_size
    os.truncate(path, prefix_bytes)
    os.truncate(path, file_bytes)
    descriptor = disk.open(path)
    try:
        disk.fdatasync(descriptor)
    finally:
        disk.close(descriptor)


def make_folder(folder: Path, disk: Disk) -> None:
    """Make a folder whose entry survives a power cut; one that is there is left as it is."""
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
        disk.fsync_folder(folder.parent)
