"""A Unix socket's address may hold 107 bytes; a folder's own descriptor makes any path short enough."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def short_path(path: Path) -> Generator[str]:
    """An address of `path` to bind or connect with, good inside the block. Raises OSError with no folder."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
