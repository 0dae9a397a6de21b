"""The risk desk beside a running engine: a mark from anybody is enough, and it does the rest."""

from __future__ import annotations

import time
from pathlib import Path

from engine.gateway.client import SocketClient
from engine.gateway.protocol import encode_request
from schemas.market import SetMark
from schemas.risk import TakeOverAccount
from tests.support.scenario import World
from tests.support.served import served

OPENING = """
open 5 FIRM
open 7 CUSTOMER_MARGIN
open 9 STREET
deposit 7 10000.00
order 9 #1 SELL 150 ACMECFD @ 100.00
order 7 #1 BUY 150 ACMECFD @ 100.00 -> filled 150
"""


def test_the_desk_closes_out_whoever_falls_below_the_line(tmp_path: Path) -> None:
    """Nobody buys what it closes, so the house takes over."""
    world = World().play(OPENING)
    path = tmp_path / "engine.sock"
    with served(world, path):
        client = SocketClient(path)
        client.ask(encode_request([SetMark(sequence=0, received_at_ns=0, instrument_id=3, mark_ticks=5_000)]))
        deadline = time.monotonic() + 20
        while world.pipeline.state.held_lots(7, 3) and time.monotonic() < deadline:
            time.sleep(0.02)
        client.close()
    assert world.pipeline.state.held_lots(5, 3) == 150
    asked = [
        row
        for f in world.journal.frames
        for s in f.sections
        if s.record.cls is TakeOverAccount
        for row in s.rows
    ]
    assert len(asked) == 1, "what the desk asks is journaled, and asked once"
