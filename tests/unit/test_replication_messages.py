"""Messages between primary and standby: what is sent is what arrives, and hostile bytes are refused."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput
from engine.journal.segment import ORIGIN, Position, SegmentHeader
from engine.replication.messages import (
    MESSAGE_BYTES,
    Durable,
    Hello,
    Message,
    MessageStream,
    Pulse,
    Refusal,
    Refused,
    Ship,
    Welcome,
    decode_message,
    encode_message,
)

PLACE = Position(7, 99, 3, bytes(range(32)))
ALL: list[Message] = [
    Hello("a", ORIGIN),
    Hello("x" * 64, PLACE),
    Welcome(3, "a", "b"),
    Refused(3, "b", Refusal.DIVERGED),
    Refused(3, "b", Refusal.BUSY),
    Ship(3, 6, SegmentHeader(2, 8192, PLACE), b"frame" * 40),
    Pulse(3, 9, 8, True),
    Pulse((1 << 64) - 1, 0, 0, False),
    Durable(3, "b", 9, bytes(32)),
]


def on_the_wire(messages: list[Message]) -> bytes:
    return b"".join(part for message in messages for part in map(bytes, encode_message(message)))


@given(st.integers(1, 400))
def test_messages_arrive_as_sent_however_they_are_cut(length: int) -> None:
    stream, wire, found = MessageStream(), on_the_wire(ALL), list[Message]()
    for at in range(0, len(wire), length):
        found.extend(stream.take(wire[at : at + length]))
    assert found == ALL


HOSTILE = [
    (struct.pack("<I", 0), "0 bytes is not believed"),
    (struct.pack("<I", MESSAGE_BYTES + 1), "is not believed"),
    (b"\xff\xff\xff\xff", "is not believed"),
    (struct.pack("<IB", 1, 99), "kind 99"),
    (struct.pack("<IB", 1, 0), "kind 0"),
    (struct.pack("<IB", 1, 1), "cut off"),
    (struct.pack("<IBB", 2, 1, 0), "names nobody"),
    (struct.pack("<IBB", 2, 1, 200), "cut off"),
    (struct.pack("<IBB4s", 6, 1, 4, b"\xff\xff\xff\xff"), "names nobody"),
    (struct.pack("<IBB65s", 67, 1, 65, b"a" * 65), "names nobody"),
    (struct.pack("<IBQBsB", 12, 3, 1, 1, b"a", 9), "no known reason"),
    (struct.pack("<IBQQQ??", 27, 5, 1, 2, 3, True, True), "too long"),
    (struct.pack("<IB20s", 21, 4, bytes(20)), "cut off"),
]


@pytest.mark.parametrize(("wire", "words"), HOSTILE)
def test_hostile_bytes_are_refused(wire: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        list(MessageStream().take(wire))


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_a_message_or_refused(content: bytes) -> None:
    with contextlib.suppress(BadInput):
        decode_message(content)
