"""Hold a journal folder so that no writer runs in it.

Owns: the lock as a context, for those who change segments and do not append. The writer holds the same file.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import JournalError


@contextmanager
def without_writer(folder: Path) -> Generator[None]:
    """Keep writers out. Raises JournalError when one holds the folder, OSError."""
    lock = os.open(folder / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(f"{folder}: another process writes this journal") from None
        yield
    finally:
        os.close(lock)
