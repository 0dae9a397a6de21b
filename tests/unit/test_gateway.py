"""The gateway: hostile lines are refused whole, good ones are decided, every client gets its own answer."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput, EngineUnreachable
from engine.gateway.client import SocketClient
from engine.gateway.protocol import LINE_BYTES, decode_request, encode_request
from schemas.codes import RejectReason
from schemas.identity import ChangeAccountStatus, OpenAccount
from schemas.market import CommandRefused, ConfigureEngine, OrderAccepted, PlaceOrder
from tests.support.scenario import World
from tests.support.served import served as serving

HOSTILE = [
    (b"", "not JSON"),
    (b"[]", "not a JSON object"),
    (b"{}", "commands"),
    (b'{"commands": []}', "commands"),
    (b'{"commands": [1]}', "a command is"),
    (b'{"commands": [["Fill", {}]]}', "unknown name"),
    (b'{"commands": [[["PlaceOrder"], {}]]}', "unknown name"),
    (b'{"commands": [["PlaceOrder", {"nope": 1}]]}', "no column 'nope'"),
    (b'{"commands": [["PlaceOrder", {"account_id": "7"}]]}', "64-bit integer"),
    (b'{"commands": [["PlaceOrder", {"account_id": 1.5}]]}', "64-bit integer"),
    (b'{"commands": [["PlaceOrder", {"account_id": true}]]}', "64-bit integer"),
    (b'{"commands": [["PlaceOrder", {"account_id": 9223372036854775808}]]}', "64-bit integer"),
    (b"[" * 100_000, "not JSON"),
    (b'{"a":"' + b"x" * LINE_BYTES + b'"}', "longer than"),
    (b"\xff\xfe{}", "not JSON"),
]


@pytest.mark.parametrize(("line", "words"), HOSTILE)
def test_a_hostile_line_is_refused_whole(line: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        decode_request(line, 1)


@given(st.binary(max_size=200))
def test_any_bytes_are_commands_or_a_refusal(line: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert decode_request(line, 1)


def test_sequence_and_time_are_the_gateways_own() -> None:
    given_line = json.dumps(
        {"commands": [["OpenAccount", {"account_id": 7, "sequence": 99, "received_at_ns": 5}]]}
    )
    (command,) = decode_request(given_line.encode(), 1234)
    assert (command.sequence, command.received_at_ns, command.account_id) == (0, 1234, 7)
    assert decode_request(encode_request([command]), 1234) == [command]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[World, Path]]:
    """A configured engine behind a socket, in a thread."""
    world = World()
    path = tmp_path / ("long" * 30) / "engine.sock"
    with serving(world, path):
        yield world, path


def order(number: int) -> PlaceOrder:
    return PlaceOrder(
        sequence=0, received_at_ns=0, session_id=1, account_id=9, client_order_id=number,
        instrument_id=1, side_code=1, order_type_code=1, time_in_force_code=1, post_only_code=0,
        price_ticks=9_000, quantity_lots=1,
    )  # fmt: skip


def opened() -> OpenAccount:
    return OpenAccount(
        sequence=0, received_at_ns=0, account_id=9, client_id=1, account_class_code=6,
        max_notional_minor=10**9, rate_count=0, identity_document_id=0,
    )  # fmt: skip


def test_many_clients_share_frames_and_each_gets_its_own_answer(served: tuple[World, Path]) -> None:
    _, path = served
    with SocketClient(path) as client:
        client.submit([opened()])
    answers: dict[int, set[int]] = {}

    def trade(first: int) -> None:
        client = SocketClient(path)
        for number in range(first, first + 40):
            events = client.submit([order(number)]).events
            answers.setdefault(first, set()).update(
                e.client_order_id for e in events if isinstance(e, OrderAccepted)
            )
        client.close()

    threads = [threading.Thread(target=trade, args=(n * 100,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n * 100: set(range(n * 100, n * 100 + 40)) for n in range(1, 5)}


def test_a_bad_line_gets_one_reason_and_the_engine_goes_on(served: tuple[World, Path]) -> None:
    _, path = served
    with SocketClient(path) as client:
        assert json.loads(client.ask(b"nonsense\n")) == {"error": "a line is not JSON"}
        with pytest.raises(BadInput, match="commands: a list of 1"):
            client.submit([])
        assert client.submit([opened()]).events


def test_a_second_configuration_and_half_a_line_change_nothing(served: tuple[World, Path]) -> None:
    world, path = served
    client = SocketClient(path)
    again = ConfigureEngine(
        sequence=0, received_at_ns=0, account_count=1, instrument_count=1, asset_count=1,
        order_count=1, order_id_count=1, window_count=64,
    )  # fmt: skip
    (event,) = client.submit([again]).events
    assert isinstance(event, CommandRefused)
    assert event.reject_reason_code == RejectReason.ALREADY_EXISTS
    before = world.pipeline.state.sequence
    client._connect().sendall(b'{"commands": [["OpenAccount"')  # and hangs up in the middle
    client.close()
    change = ChangeAccountStatus(
        sequence=0, received_at_ns=0, account_id=77, account_status_code=1, operator_id=1
    )
    with SocketClient(path) as other:
        assert other.submit([change]).first_sequence == before + 1


def test_where_nobody_listens_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(EngineUnreachable, match="no engine answers"):
        SocketClient(tmp_path / "engine.sock").submit([opened()])
