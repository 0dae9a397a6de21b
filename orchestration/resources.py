"""What the assets are given: the home folder, a clock, and a way to ask the engine.

Owns: the set of resources. Does not own: any of the three.
Assets take them as plain parameters, so a test hands in a fake by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.clock import Clock, WallClock
from engine.config import Home
from engine.gateway.client import EngineClient, SocketClient
from orchestration.settings import PlatformSettings, home_from_environment


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
    home = home_from_environment()
    return resources_of(home, WallClock(), SocketClient(home.socket))
