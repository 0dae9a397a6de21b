"""Binary requests: decided like lines of JSON, hostile ones refused whole, each client answered in order."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput
from engine.gateway import binary
from engine.gateway.client import SocketClient, receipt_of_sections
from engine.gateway.protocol import COMMANDS_PER_LINE
from engine.local_socket import short_path
from schemas.codes import RejectReason
from schemas.market import CancelOrder, CancelOrders, OrderAccepted, OrderCancelled, PlaceOrder, SetKillSwitch
from schemas.record import record_of
from tests.support.scenario import World
from tests.support.served import served as serving

OPENING = "open 7 CUSTOMER_MARGIN\nopen 9 STREET\ndeposit 7 10000.00"
HEAD = struct.Struct("<4sIQII")
NOW = 1_234


def order(number: int, account_id: int = 9, session_id: int = 1, **more: int) -> PlaceOrder:
    columns = {"price_ticks": 9_900, "quantity_lots": 1, "side_code": 1, **more}
    return PlaceOrder(
        sequence=5, received_at_ns=6, session_id=session_id, account_id=account_id, client_order_id=number,
        instrument_id=1, order_type_code=1, time_in_force_code=1, **columns,
    )  # fmt: skip


def cancel(number: int) -> CancelOrder:
    return CancelOrder(sequence=0, received_at_ns=0, session_id=1, account_id=9, client_order_id=number)


def test_a_request_says_what_its_commands_say_with_sequence_and_time_of_the_gateway() -> None:
    commands = [order(1), cancel(1), order(2, quantity_lots=-(1 << 63)), cancel(2), order(3)]
    raw = binary.encode_request(77, commands, session_id=3)
    assert binary.request_bytes(raw) == len(raw) and binary.request_bytes(raw[:23]) == 0
    request_id, session_id, batch = binary.decode_request(raw, NOW)
    assert (request_id, session_id, len(batch)) == (77, 3, 5)
    for at, sent in enumerate(commands):
        got = batch.command(at)
        assert (got.sequence, got.received_at_ns) == (0, NOW)
        assert {c: getattr(got, c) for c in vars(got) if c not in ("sequence", "received_at_ns")} == {
            c: getattr(sent, c) for c in vars(sent) if c not in ("sequence", "received_at_ns")
        }


def body_of(*commands: Any) -> bytes:
    return binary.encode_request(1, commands)[HEAD.size :]


@pytest.mark.parametrize(
    ("magic", "body_bytes", "session_id", "count"),
    [
        (b"OBRX", 0, 0, 1), (b"OBRQ", 1 << 31, 0, 1), (b"OBRQ", 12, 0, 1), (b"OBRQ", 8, 0, 0),
        (b"OBRQ", 8, 0, COMMANDS_PER_LINE + 1), (b"OBRQ", 8, 1 << 31, 1),
    ],
)  # fmt: skip
def test_a_header_that_no_request_has(magic: bytes, body_bytes: int, session_id: int, count: int) -> None:
    with pytest.raises(BadInput, match="a request"):
        binary.request_bytes(HEAD.pack(magic, body_bytes, 1, session_id, count))


@pytest.mark.parametrize(
    ("body", "count", "first_bad"),
    [
        (body_of(order(1))[:-8], 1, 1),  # a row cut short
        (body_of(order(1), cancel(1)), 1, 2),  # more than told
        (body_of(order(1)), 2, 2),  # less than told
        (struct.pack("<q", 999), 1, 1),
        (struct.pack("<q", -1), 1, 1),
        (struct.pack("<q", record_of(OrderAccepted).type_code) + bytes(96), 1, 1),  # an event
        (b"", 1, 1),
    ],
)
def test_a_body_that_is_not_whole_commands_is_refused_whole(body: bytes, count: int, first_bad: int) -> None:
    raw = HEAD.pack(b"OBRQ", len(body), 1, 0, count) + body
    assert binary.request_bytes(raw) == len(raw)
    with pytest.raises(BadInput, match=f"command {first_bad} of {count} is of no known type or length"):
        binary.decode_request(raw, NOW)


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=60), st.integers(1, 5))
def test_any_words_are_commands_or_a_refusal(words: list[int], count: int) -> None:
    codes = [record_of(c).type_code for c in (PlaceOrder, CancelOrder, SetKillSwitch)]
    words = [codes[w % 3] if at % 6 == 0 else w for at, w in enumerate(words)]
    body = np.array(words, dtype=np.int64).tobytes()
    with contextlib.suppress(BadInput):
        assert (
            len(binary.decode_request(HEAD.pack(b"OBRQ", len(body), 1, 0, count) + body, NOW).batch) == count
        )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[World, Path]]:
    """An open market behind a socket, in a thread."""
    world = World().play(OPENING)
    path = tmp_path / "engine.sock"
    with serving(world, path):
        yield world, path
        while Connection.opened:
            Connection.opened.pop().socket.close()


class Connection:
    """One binary client."""

    opened: ClassVar[list[Connection]] = []

    def __init__(self, path: Path) -> None:
        self.opened.append(self)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(30)
        with short_path(path) as short:
            self.socket.connect(short)
        self._inbound = bytearray()

    def answer(self) -> binary.Answer:
        while not (length := binary.answer_bytes(self._inbound)) or length > len(self._inbound):
            part = self.socket.recv(1 << 16)
            if not part:
                raise ConnectionResetError
            self._inbound += part
        raw = bytes(self._inbound[:length])
        del self._inbound[:length]
        return binary.decode_answer(raw)


def events(answer: binary.Answer) -> list[str]:
    receipt = receipt_of_sections(answer.frame_index, answer.first_sequence, answer.sections)
    return [type(e).__name__ for e in receipt.events]


def test_requests_in_flight_are_answered_in_order_each_with_its_own(
    served: tuple[World, Path],
) -> None:
    _, path = served
    Connection(path)  # one that says nothing
    client, other = Connection(path), SocketClient(path)
    for number in range(1, 200):
        client.socket.sendall(binary.encode_request(number, [order(number), order(1_000 + number)]))
    assert other.submit([order(5_000)]).events  # lines of JSON beside it
    sequences: list[int] = []
    for number in range(1, 200):
        answer = client.answer()
        assert answer.request_id == number
        (section,) = answer.sections
        assert section.record.cls is OrderAccepted
        assert section.rows["client_order_id"].tolist() == [number, 1_000 + number]
        assert (section.rows["cause_sequence"] - answer.first_sequence).tolist() == [0, 1]
        sequences.append(answer.first_sequence)
    assert sequences == sorted(sequences)
    client.socket.sendall(binary.encode_request(1, [cancel(1), cancel(1)]))
    assert events(client.answer()) == ["OrderCancelled", "OrderRefused"]
    client.socket.close()
    other.close()


def test_a_bad_request_is_refused_and_the_next_is_taken(served: tuple[World, Path]) -> None:
    _, path = served
    client = Connection(path)
    body = struct.pack("<q", 999)
    good = binary.encode_request(2, [order(1)])
    client.socket.sendall(HEAD.pack(b"OBRQ", len(body), 1, 0, 1) + body + good)
    with pytest.raises(BadInput, match="command 1 of 1"):
        client.answer()
    assert events(client.answer()) == ["OrderAccepted"]
    client.socket.sendall(good[:10])
    client.socket.sendall(good[10:])  # in two pieces; its id was used
    answer = client.answer()
    assert answer.sections[0].rows["reject_reason_code"].tolist() == [RejectReason.DUPLICATE_ID]
    client.socket.sendall(b"OBRX" + bytes(40))
    with pytest.raises(BadInput, match="a request begins with OBRQ"):
        client.answer()
    with pytest.raises(ConnectionResetError):
        client.answer()


def test_orders_of_a_session_end_with_its_binary_connection(served: tuple[World, Path]) -> None:
    world, path = served
    client = Connection(path)
    client.socket.sendall(binary.encode_request(1, [order(1, session_id=4), order(2)], session_id=4))
    client.answer()
    client.socket.close()
    with SocketClient(path) as other:
        for _ in range(100):
            other.submit([cancel(77)])
            if len(world.pipeline.state.books.orders()) == 1:
                break
    assert world.pipeline.state.books.orders()["session_id"].tolist() == [1]


def test_a_low_journal_takes_cancels_only(served: tuple[World, Path]) -> None:
    world, path = served
    client, lines = Connection(path), SocketClient(path)
    client.socket.sendall(binary.encode_request(1, [order(1), order(2), order(3)]))
    client.answer()
    world.journal.is_low = True
    client.socket.sendall(binary.encode_request(2, [cancel(1), order(4)]))
    with pytest.raises(BadInput, match="only cancels are taken"):
        client.answer()
    with pytest.raises(BadInput, match="only cancels are taken"):
        lines.submit([order(5)])
    assert [type(e) for e in lines.submit([cancel(1)]).events] == [OrderCancelled]
    everything = CancelOrders(
        sequence=0,
        received_at_ns=0,
        account_id=9,
        session_id=0,
        instrument_id=0,
        side_code=0,
        is_disconnect=0,
    )
    client.socket.sendall(binary.encode_request(3, [everything]))
    assert events(client.answer()) == ["OrderCancelled", "OrderCancelled"]
    world.journal.is_low = False
    client.socket.sendall(binary.encode_request(4, [order(6)]))
    assert events(client.answer()) == ["OrderAccepted"]
    lines.close()
