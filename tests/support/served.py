"""A small world's pipeline behind a socket, served by a thread."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from engine.clock import FakeClock
from engine.gateway.server import EngineServer
from tests.support.scenario import World


@contextmanager
def served(world: World, path: Path) -> Generator[tuple[threading.Event, threading.Thread]]:
    """Serve a world at `path` while the block runs, or until the event that is given is set."""
    server = EngineServer(world.pipeline, world.journal, path, FakeClock(world.now_ns + 1))
    with serving(server) as served_by:
        yield served_by


@contextmanager
def serving(server: EngineServer) -> Generator[tuple[threading.Event, threading.Thread]]:
    """Let a thread serve while the block runs, or until the event that is given is set."""
    stop = threading.Event()
    thread = threading.Thread(target=server.run, args=(stop.is_set,))
    thread.start()
    try:
        yield stop, thread
    finally:
        stop.set()
        thread.join()
