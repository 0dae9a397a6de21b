"""Cancel on disconnect: the orders of a session end with its connection, those of others stay."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import BadInput
from engine.gateway.client import SocketClient
from engine.gateway.protocol import decode_session_request, encode_request
from schemas.market import PlaceOrder
from tests.support.scenario import World
from tests.support.served import served as serving

OPENING = """
open 7 CUSTOMER_MARGIN
open 9 STREET
deposit 7 10000.00
order 9 #900 SELL 20 ACME @ 101.00 -> accepted
"""

Served = tuple[World, Path, threading.Event, threading.Thread]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """An open market behind a socket, in a thread."""
    world = World().play(OPENING)
    path = tmp_path / "engine.sock"
    with serving(world, path) as (stop, thread):
        yield world, path, stop, thread


def bid(client_order_id: int, session_id: int) -> PlaceOrder:
    return PlaceOrder(
        sequence=0, received_at_ns=0, session_id=session_id, account_id=7, client_order_id=client_order_id,
        instrument_id=1, side_code=1, order_type_code=1, time_in_force_code=1, price_ticks=9_000,
        quantity_lots=1,
    )  # fmt: skip


def live_sessions(world: World) -> list[int]:
    return sorted(world.pipeline.state.books.orders()["session_id"].tolist())


def wait_for(world: World, sessions: list[int]) -> None:
    deadline = time.monotonic() + 20
    while live_sessions(world) != sessions and time.monotonic() < deadline:
        time.sleep(0.02)
    assert live_sessions(world) == sessions


def test_only_the_orders_of_the_session_that_ended_are_cancelled(served: Served) -> None:
    world, path, _, _ = served
    before = live_sessions(world)
    staying, leaving = SocketClient(path), SocketClient(path)
    staying.ask(encode_request([bid(501, 21)]))
    leaving.ask(encode_request([bid(502, 22), bid(503, 22), bid(504, 23)], cancel_on_disconnect=22))
    assert live_sessions(world) == sorted([*before, 21, 22, 22, 23])
    leaving.close()
    wait_for(world, sorted([*before, 21, 23]))
    staying.close()
    time.sleep(0.1)
    assert live_sessions(world) == sorted([*before, 21, 23]), "it did not ask for it"


def test_an_engine_that_stops_cancels_what_was_asked_for(served: Served) -> None:
    world, path, stop, thread = served
    before = live_sessions(world)
    client = SocketClient(path)
    client.ask(encode_request([bid(601, 31)], cancel_on_disconnect=31))
    stop.set()
    thread.join()
    assert live_sessions(world) == before
    client.close()


@pytest.mark.parametrize("session_id", ["1", -1, True, 1 << 31, None])
def test_a_session_is_a_number(session_id: object) -> None:
    line = {"commands": [["OpenAccount", {}]], "cancel_on_disconnect": session_id}
    with pytest.raises(BadInput, match="cancel_on_disconnect"):
        decode_session_request(json.dumps(line).encode(), 1)
