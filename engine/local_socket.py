"""Unix sockets in a folder that only its owner may enter.

A socket's address may hold 107 bytes; a folder's own descriptor makes any path short enough.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import EngineUnreachable


@contextmanager
def short_path(path: Path) -> Generator[str]:
    """An address of `path` to bind or connect with, good inside the block. Raises OSError with no folder."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listen_at(path: Path) -> socket.socket:
    """A socket that listens at `path` and does not block. Whatever stood there is replaced in one step.

    Raises EngineUnreachable when nobody can listen there.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    unnamed = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        unnamed.unlink(missing_ok=True)
        with short_path(unnamed) as short:
            listener.bind(short)
        listener.listen()
        unnamed.rename(path)
    except OSError as error:
        listener.close()
        raise EngineUnreachable(f"cannot listen at {path}: {error}") from error
    listener.setblocking(False)
    return listener
