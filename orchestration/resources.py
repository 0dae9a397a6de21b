"""What the assets are given: the home folder, a clock, and a way to ask the engine.

Owns: the `EngineClient` protocol and the set of resources. Does not own: any of the three.
Assets take them as plain parameters, so a test hands in a fake by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from engine.config import Home
from engine.errors import EngineUnreachable
from orchestration.settings import PlatformSettings, home_from_environment
from schemas.headers import Command


class Clock(Protocol):
    """A source of the present."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01T00:00Z."""
        ...


class EngineClient(Protocol):
    """Asks the engine to decide; returns when the answer is durable."""

    def submit(self, commands: Sequence[Command]) -> Any:
        """Submit commands as one frame. Raises EngineUnreachable when no engine answers."""
        ...


class SocketEngine:
    """The engine behind the home's socket; connected on first use, so that definitions load without one."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def submit(self, commands: Sequence[Command]) -> Any:
        """Submit commands as one frame. Raises EngineUnreachable when no engine answers."""
        try:
            from engine.gateway.client import SocketClient
        except ImportError as missing:
            raise EngineUnreachable("this installation has no engine client") from missing
        return SocketClient(self._home.socket).submit(commands)


def resources_of(
    home: Home, clock: Clock, engine: EngineClient, settings: PlatformSettings | None = None
) -> Mapping[str, Any]:
    """The resources of one home, by the names that assets ask for."""
    return {
        "home": home,
        "clock": clock,
        "engine": engine,
        "settings": settings or PlatformSettings(),
    }


def resources_from_environment() -> Mapping[str, Any]:
    """The resources of `ONEBOOK_HOME`, for the web server and the daemon."""
    from engine.clock import WallClock

    home = home_from_environment()
    return resources_of(home, WallClock(), SocketEngine(home))
