"""Which copy of the book a folder is, and the beginning of a reign.

Owns: the identity of a journal's folder, who may begin to reign, setting a journal aside. An identity belongs
to the bytes: whoever loses the journal's folder, or sets it aside, comes back as somebody else.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from engine.clock import Clock
from engine.config import Home
from engine.errors import Fenced, JournalDamaged, JournalFailed
from engine.journal.disk import DISK, Disk
from engine.replication.fence import Reign

_IDENTITY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NAME_BYTES = 32


def identity_path(journal: Path) -> Path:
    """Where the identity of a journal's folder lies."""
    return journal / "copy.identity"


def read_identity(journal: Path) -> str:
    """The identity of a journal's folder, empty where it has none. Raises JournalDamaged when unreadable."""
    try:
        text = identity_path(journal).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise JournalDamaged(f"{identity_path(journal)}: cannot be read: {error}") from error
    if not _IDENTITY.fullmatch(text):
        raise JournalDamaged(f"{identity_path(journal)}: is no identity")
    return text


def identity_of(home: Home, clock: Clock, disk: Disk = DISK) -> str:
    """The identity of a home's journal, made and kept, durable on return, where it has none yet."""
    if found := read_identity(home.journal):
        return found
    origin = f"{os.uname().nodename} {home.root} {os.getpid()} {clock.now_ns()}"
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", home.root.name)[:_NAME_BYTES]
    made = f"{name}-{hashlib.sha256(origin.encode()).hexdigest()[:16]}"
    path = identity_path(home.journal)
    unfinished = path.with_suffix(".new")
    try:
        home.journal.mkdir(parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        descriptor = disk.open(unfinished)
        try:
            disk.pwrite(descriptor, made.encode(), 0)
            disk.fdatasync(descriptor)
        finally:
            disk.close(descriptor)
        disk.rename(unfinished, path)
        disk.fsync_folder(home.journal)
    except OSError as error:
        raise JournalFailed(f"{path}: cannot be written: {error}") from error
    return made


def next_reign(found: Reign | None, identity: str, is_new: bool, journal_term: int) -> Reign:
    """The reign that a starting primary asks the fence for: a new term, without a standby.

    `is_new`: the identity was made just now. Raises Fenced when another reigns, and when the register
    is empty although this copy is not new.
    """
    if found is None and not is_new:
        raise Fenced(
            f"{identity} has been with a fence before, and this one is empty: is it the fence of this book? "
            "Only if there never was another, remove copy.identity from the journal's folder"
        )
    if found is not None and found.holder != identity:
        raise Fenced(
            f"term {found.term} is the reign of {found.holder}; this is {identity}: start as standby"
        )
    return Reign(max(journal_term, found.term if found else 0) + 1, identity, "")


def set_aside(home: Home, disk: Disk = DISK) -> Path:
    """Put journal and snapshots away under a free name and return where; nothing is removed.

    The lake stays: it never holds a frame that only a primary that is over had. Nobody may use the folder.
    """
    number = 1
    while (aside := home.root / f"aside-{number:03d}").exists():
        number += 1
    try:
        aside.mkdir()
        for folder in (home.snapshots, home.journal):
            if folder.exists():
                disk.rename(folder, aside / folder.name)
        disk.fsync_folder(aside)
        disk.fsync_folder(home.root)
    except OSError as error:
        raise JournalFailed(f"{home.root}: the journal cannot be set aside: {error}") from error
    return aside
