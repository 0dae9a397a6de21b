"""The book's processes, forked from a server that has imported everything and loaded every kernel.

A start is then recovery and nothing else. Importing this module decides a few orders in memory for that.
"""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.process import BaseProcess
from pathlib import Path

from engine import processes
from engine.config import EngineSettings, Home
from schemas.market import PlaceOrder
from tests.support.scenario import World

SETTINGS = EngineSettings(snapshot_frame_count=60, segment_bytes=262_144)
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def start(home: Home, name: str) -> BaseProcess:
    """Start the engine or the lake writer of a home; what it says goes to `<name>.log` there."""
    process = _CONTEXT.Process(target=_serve, args=(str(home.root), name))
    process.start()
    return process


def _serve(root: str, name: str) -> None:
    log = os.open(Path(root) / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if name == "lake":
        processes.serve_lake(Home(Path(root)))
    else:
        processes.serve_engine(Home(Path(root)), SETTINGS)


def _load_kernels() -> None:
    world = World()
    world.play("open 9 STREET")
    for side in (1, 2):
        world.send(
            PlaceOrder, session_id=1, account_id=9, client_order_id=side, instrument_id=1, side_code=side,
            order_type_code=1, time_in_force_code=1, post_only_code=0, price_ticks=10_000, quantity_lots=1,
        )  # fmt: skip
    world.pipeline.state.hash()


_load_kernels()
