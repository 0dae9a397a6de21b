"""Take a backup while the engine writes: snapshots, closed segments, the open one to a durable frame.

Owns: that a backup folder holds a whole backup at every moment, whatever stops the taking.
Does not own: the lake, which is made again from the journal; files from banks, filings and evidence, which
never change and are copied by any tool.

A backup folder:

    manifest.json                                    written last
    journal/<number>.segment                         closed segments, as they are
    open/<frame>/<number>.segment                    the segment that was written to, zeros behind the frame
    snapshots/<frame>.snapshot
    private/<made at>/keys, private/<made at>/vault  only if asked for
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from engine.backup.copying import make_folder
from engine.backup.manifest import (
    FORMAT,
    NAME,
    SEGMENT,
    Kept,
    Manifest,
    read_manifest,
    write_manifest,
)
from engine.backup.taking import TAKING, Taking
from engine.clock import Clock
from engine.config import Home
from engine.errors import BadInput
from engine.journal.disk import DISK, Disk
from engine.journal.reader import durable_index

_FOLDERS = ("journal", "open", "snapshots", "private")


class Taken(NamedTuple):
    """What a backup came to."""

    manifest: Manifest
    copied_count: int  # files
    copied_bytes: int
    kept_count: int  # files that were there already


def take_backup(
    home: Home, folder: Path, clock: Clock, *, with_private: bool = False, disk: Disk = DISK
) -> Taken:
    """Back up a book that may be written to meanwhile; what an earlier backup in the folder has is kept.

    `with_private` copies keys and vault too: whoever holds that backup can sign as the firm and read clients.
    Raises BadInput when there is nothing to back up or the folder holds another book's backup, JournalDamaged
    when what was copied does not verify, OSError.
    """
    if not home.journal.exists():
        raise BadInput(f"{home.root} holds no journal")
    make_folder(folder, disk)
    with _alone(folder):
        before = read_manifest(folder) if (folder / NAME).exists() else None
        for name in _FOLDERS:
            make_folder(folder / name, disk)
        shutil.rmtree(folder / TAKING, ignore_errors=True)
        (folder / TAKING).mkdir(mode=0o700)
        made_at_ns, taking = clock.now_ns(), Taking(home, folder, disk)
        snapshots = taking.snapshots()  # before the mark is read: none is newer than it
        until = durable_index(home.journal)
        _require_newer(home, until, before)
        files = [*taking.segments(until, before), *snapshots]
        if with_private:
            files += taking.private(made_at_ns)
        manifest = _manifest(made_at_ns, files, with_private)
        write_manifest(folder, manifest, disk)
        _drop_unnamed(folder, manifest)
    return Taken(manifest, taking.copied_count, taking.copied_bytes, taking.kept_count)


def tool_version() -> str:
    """The release that is installed."""
    try:
        return version("onebook")
    except PackageNotFoundError:
        return "not installed"


def _require_newer(home: Home, until: int, before: Manifest | None) -> None:
    if not until:
        raise BadInput(f"{home.journal} holds no frame yet")
    if before is not None and until < before.last_frame:
        raise BadInput(
            f"the folder holds a backup to frame {before.last_frame}, the journal ends at frame {until}"
        )


def _manifest(made_at_ns: int, files: list[Kept], with_private: bool) -> Manifest:
    last = [f for f in files if f.kind == SEGMENT][-1]
    return Manifest(
        format=FORMAT,
        tool_version=tool_version(),
        made_at_ns=made_at_ns,
        last_frame=last.frame,
        last_sequence=last.last_sequence,
        chain_head=last.chain_hash,
        has_private=with_private,
        files=tuple(files),
    )


def _drop_unnamed(folder: Path, manifest: Manifest) -> None:
    """Remove what only an earlier manifest named; the new one is durable already."""
    named = {folder / f.path for f in manifest.files}
    for name in _FOLDERS:
        for path in sorted((folder / name).rglob("*"), reverse=True):
            if path.is_file() and path not in named:
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
    shutil.rmtree(folder / TAKING, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """One backup at a time in a folder."""
    lock = os.open(folder / "backup.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(f"{folder}: another backup is being taken there") from None
        yield
    finally:
        os.close(lock)
