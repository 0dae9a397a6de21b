"""What primary and standby say to each other, and its bytes.

Owns: the messages, their encoding, the refusal of hostile bytes. Does not own: what they lead to.

A message is its length (u32), its kind (u8) and its fields, little-endian. Identities are at most 64 bytes.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.errors import BadInput
from engine.journal.disk import Content
from engine.journal.frame import HASH_BYTES
from engine.journal.segment import Position, SegmentHeader

MESSAGE_BYTES = 256 << 20  # the longest message that is believed; a frame is far shorter
IDENTITY_BYTES = 64


class Refusal(enum.IntEnum):
    """Why a primary does not take a standby."""

    DIVERGED = 1  # its journal is not a beginning of the primary's
    BUSY = 2  # another standby is there


class Hello(NamedTuple):
    """Standby: who I am and the last frame that is durable here."""

    holder: str
    last: Position


class Welcome(NamedTuple):
    """Primary: your journal is a beginning of mine; what follows is said in this term."""

    term: int
    holder: str
    standby: str  # whom it is meant for


class Refused(NamedTuple):
    """Primary: you cannot follow me."""

    term: int
    standby: str
    reason: Refusal


class Ship(NamedTuple):
    """Primary: one frame, as it lies in its segment."""

    term: int
    committed_index: int  # every frame to here is durable wherever it must be
    segment: SegmentHeader
    raw: Content


class Pulse(NamedTuple):
    """Primary: I am here, and this far."""

    term: int
    last_index: int
    committed_index: int
    is_in_step: bool  # whether the fence names the standby


class Durable(NamedTuple):
    """Standby: all frames to this one are durable here; also its sign of life."""

    term: int
    standby: str
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  nobody searches a message as a tuple
    chain_hash: bytes


Message = Hello | Welcome | Refused | Ship | Pulse | Durable

_LENGTH = struct.Struct("<I")
_KIND = struct.Struct("<B")
_POSITION = struct.Struct("<QQQ32s")
_SHIP = struct.Struct("<QQQQQQQ32s")
_PULSE = struct.Struct("<QQQ?")
_DURABLE_END = struct.Struct("<Q32s")
_TERM = struct.Struct("<Q")
_HELLO, _WELCOME, _REFUSED, _SHIP_KIND, _PULSE_KIND, _DURABLE = range(1, 7)


def encode_message(message: Message) -> list[Content]:
    """The bytes of a message in parts; a frame's bytes are one of them, not copied."""
    first, rest = _encoded(message)
    length = _LENGTH.pack(len(first) + len(rest))
    return [length + first, rest] if len(rest) else [length + first]


def _encoded(message: Message) -> tuple[bytes, Content]:
    match message:
        case Ship(term, committed, segment, raw):
            fixed = _SHIP.pack(term, committed, segment.number, segment.file_bytes, *segment.before)
            return _KIND.pack(_SHIP_KIND) + fixed, raw
        case Durable(term, standby, index, chain_hash):
            fixed = _TERM.pack(term) + _identity(standby) + _DURABLE_END.pack(index, chain_hash)
            return _KIND.pack(_DURABLE) + fixed, b""
        case Pulse():
            return _KIND.pack(_PULSE_KIND) + _PULSE.pack(*message), b""
        case Hello(holder, last):
            return _KIND.pack(_HELLO) + _identity(holder) + _POSITION.pack(*last), b""
        case Welcome(term, holder, standby):
            return _KIND.pack(_WELCOME) + _TERM.pack(term) + _identity(holder) + _identity(standby), b""
        case Refused(term, standby, reason):
            return _KIND.pack(_REFUSED) + _TERM.pack(term) + _identity(standby) + _KIND.pack(reason), b""


class MessageStream:
    """Turns the bytes of one connection into messages."""

    def __init__(self) -> None:
        self._received = bytearray()

    def take(self, part: bytes) -> Iterator[Message]:
        """The messages that `part` completes. Raises BadInput when the bytes cannot be a message."""
        self._received += part
        while len(self._received) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._received)
            if not 0 < length <= MESSAGE_BYTES:
                raise BadInput(f"a message of {length} bytes is not believed")
            end = _LENGTH.size + length
            if len(self._received) < end:
                return
            with memoryview(self._received) as view:
                content = bytes(view[_LENGTH.size : end])
            del self._received[:end]
            yield decode_message(content)


def decode_message(content: bytes) -> Message:
    """A message from its bytes without the length. Raises BadInput when they cannot be one."""
    read = _Reader(content)
    decode = _DECODERS.get(read.fixed(_KIND)[0])
    if decode is None:
        raise BadInput(f"a message of kind {content[0]} is not known here")
    message = decode(read)
    if read.rest():
        raise BadInput(f"a {type(message).__name__} of {len(content)} bytes is too long")
    return message


class _Reader:
    """Fields one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def fixed(self, layout: struct.Struct) -> tuple[int, ...]:
        """Fields of a fixed length."""
        return layout.unpack(self.take(layout.size))

    def take(self, count: int) -> bytes:
        """So many bytes."""
        part = self._content[self._at : self._at + count]
        if len(part) != count:
            raise BadInput("a message is cut off")
        self._at += count
        return part

    def identity(self) -> str:
        """A short text."""
        (length,) = self.fixed(_KIND)
        try:
            text = self.take(length).decode("ascii")
        except UnicodeDecodeError:
            text = ""
        if not 0 < len(text) <= IDENTITY_BYTES:
            raise BadInput("a message names nobody")
        return text

    def position(self) -> Position:
        """A place in a journal."""
        index, sequence, term, chain_hash = _POSITION.unpack(self.take(_POSITION.size))
        return Position(index, sequence, term, chain_hash)

    def rest(self) -> bytes:
        """All that is left."""
        part = self._content[self._at :]
        self._at = len(self._content)
        return part


def _read_ship(read: _Reader) -> Ship:
    term, committed, number, file_bytes, index, sequence, before_term, chain_hash = _SHIP.unpack(
        read.take(_SHIP.size)
    )
    before = Position(index, sequence, before_term, chain_hash)
    return Ship(term, committed, SegmentHeader(number, file_bytes, before), read.rest())


def _read_pulse(read: _Reader) -> Pulse:
    term, last, committed, is_in_step = read.fixed(_PULSE)
    return Pulse(term, last, committed, bool(is_in_step))


def _read_durable(read: _Reader) -> Durable:
    (term,) = read.fixed(_TERM)
    standby = read.identity()
    index, chain_hash = _DURABLE_END.unpack(read.take(_DURABLE_END.size))
    return Durable(term, standby, index, chain_hash)


def _read_refused(read: _Reader) -> Refused:
    (term,) = read.fixed(_TERM)
    standby = read.identity()
    try:
        return Refused(term, standby, Refusal(read.fixed(_KIND)[0]))
    except ValueError as error:
        raise BadInput(f"a standby is refused for no known reason: {error}") from None


_DECODERS: dict[int, Callable[[_Reader], Message]] = {
    _HELLO: lambda read: Hello(read.identity(), read.position()),
    _WELCOME: lambda read: Welcome(read.fixed(_TERM)[0], read.identity(), read.identity()),
    _REFUSED: _read_refused,
    _SHIP_KIND: _read_ship,
    _PULSE_KIND: _read_pulse,
    _DURABLE: _read_durable,
}


def _identity(text: str) -> bytes:
    encoded = text.encode("ascii")
    return _KIND.pack(len(encoded)) + encoded


def chain_hash_of(raw: Content) -> bytes:
    """The chain hash at the end of a frame's bytes."""
    return bytes(raw[-HASH_BYTES:])
