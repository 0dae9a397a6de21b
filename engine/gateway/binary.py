"""Requests and answers as bytes, for programs that trade.

    request   OBRQ · body bytes u32 · request id u64 · session id u32 · commands u32 · body
    answer    OBAN · body bytes u32 · request id u64 · frame u64 · first sequence u64 · sections u64 · body
    refusal   OBER · body bytes u32 · request id u64 · why, in UTF-8

Little-endian. A command in a request's body is its type code (u64) and its row, columns in the order of the
declaration; sequence and received_at_ns are the gateway's and whatever is sent for them is passed over. A
section of an answer is type code u32, version u32, rows u64, length of a row u64, rows: the events that the
request's commands caused. A session id asks that its orders be cancelled when the connection ends.

Owns: the bytes. Does not own: the connection (`server.py`), what a command may say (the engine decides it).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.batch import Batch
from engine.errors import BadInput
from engine.gateway import binary_kernel
from engine.gateway.protocol import COMMANDS_PER_LINE
from engine.journal.disk import Content
from engine.journal.frame import Frame
from engine.journal.sections import IS_EVENT, Section, Sections, head_of
from engine.journal.sections_kernel import HEAD, TABLE_COLUMNS, WIDTH
from schemas.derive.layout import dtype_of, row_tuple
from schemas.record import Role, record_of
from schemas.registry import RECORDS, by_type_code

REQUEST_MAGIC, ANSWER_MAGIC, REFUSAL_MAGIC = b"OBRQ", b"OBAN", b"OBER"
_HEAD = struct.Struct("<4sIQ")
_REQUEST = struct.Struct("<4sIQII")
REQUEST_HEAD_BYTES = _REQUEST.size
_ANSWER = struct.Struct("<4sIQQQQ")
_SECTION = struct.Struct("<IIQQ")
_COMMANDS = sorted((r for r in RECORDS.values() if r.role is Role.COMMAND), key=lambda r: r.type_code)
_KINDS = np.zeros((len(_COMMANDS), TABLE_COLUMNS), dtype=np.int64)
_KINDS[:, HEAD] = [head_of(r) for r in _COMMANDS]
_KINDS[:, WIDTH] = [len(r.columns) for r in _COMMANDS]
_LARGEST_BODY = COMMANDS_PER_LINE * 8 * (1 + int(_KINDS[:, WIDTH].max()))


class BinaryRequest(NamedTuple):
    """One request as it came."""

    request_id: int
    session_id: int
    batch: Batch


class Answer(NamedTuple):
    """What the engine answered: where the commands stand in the journal and what they caused."""

    request_id: int
    frame_index: int
    first_sequence: int
    sections: tuple[Section, ...]


def request_bytes(inbound: bytes | bytearray) -> int:
    """How long the request at the beginning of `inbound` is, zero while that cannot be told.

    Raises BadInput on a header that no request has: the connection cannot be read any further.
    """
    if len(inbound) < _REQUEST.size:
        return 0
    magic, body_bytes, _, session_id, command_count = _REQUEST.unpack_from(inbound)
    if magic != REQUEST_MAGIC or body_bytes > _LARGEST_BODY or body_bytes % 8:
        raise BadInput(
            f"a request begins with OBRQ; its body is a multiple of 8 bytes, at most {_LARGEST_BODY}"
        )
    if not 0 < command_count <= COMMANDS_PER_LINE or session_id >= 1 << 31:
        raise BadInput(f"a request has 1 to {COMMANDS_PER_LINE} commands and a session_id below 2**31")
    return _REQUEST.size + body_bytes


def request_id_of(request: bytes | bytearray) -> int:
    """The id of a whole request."""
    return _HEAD.unpack_from(request)[2]


def decode_request(request: bytes, received_at_ns: int) -> BinaryRequest:
    """A whole request, stamped. Raises BadInput naming the first command that is not one."""
    _, body_bytes, request_id, session_id, command_count = _REQUEST.unpack_from(request)
    words = np.frombuffer(request, dtype=np.int64, offset=_REQUEST.size)
    room, table = np.empty(body_bytes // 8, dtype=np.int64), np.zeros(_KINDS.shape, dtype=np.int64)
    order = np.empty((command_count, 2), dtype=np.int64)
    outcome, kinds = binary_kernel.decode_commands(
        words.ctypes.data, body_bytes // 8, _KINDS, received_at_ns, room, table, order
    )
    if outcome != binary_kernel.WHOLE:
        raise BadInput(f"command {outcome + 1} of {command_count} is of no known type or length")
    return BinaryRequest(request_id, session_id, Batch.laid(table[:kinds], room, order))


def encode_request(request_id: int, commands: Sequence[Any], session_id: int = 0) -> bytes:
    """A request of declared commands."""
    body = b"".join(
        struct.pack("<q", record_of(type(c)).type_code) + np.array(row_tuple(c), dtype=np.int64).tobytes()
        for c in commands
    )
    return request_of_body(request_id, body, len(commands), session_id)


def request_of_body(request_id: int, body: bytes, command_count: int, session_id: int = 0) -> bytes:
    """A request whose commands are bytes already."""
    return _REQUEST.pack(REQUEST_MAGIC, len(body), request_id, session_id, command_count) + body


def encode_answer(request_id: int, frame: Frame, first_sequence: int, command_count: int) -> Content:
    """An answer: the events of a frame that a request's commands caused."""
    sections = Sections.of(frame.sections)  # held: its table points into it
    table = sections.table
    cuts = np.empty((len(table), 2), dtype=np.int64)
    end = first_sequence + command_count
    count, words = binary_kernel.cut_events(table, IS_EVENT, first_sequence, end, cuts)
    room = np.empty(_ANSWER.size // 8 + words, dtype=np.int64)
    binary_kernel.copy_events(table, cuts, room, _ANSWER.size // 8)
    answer = room.data.cast("B")
    _ANSWER.pack_into(answer, 0, ANSWER_MAGIC, words * 8, request_id, frame.index, first_sequence, count)
    return answer


def encode_refusal(request_id: int, reason: str) -> bytes:
    """An answer that says why nothing was decided."""
    text = reason.encode()
    return _HEAD.pack(REFUSAL_MAGIC, len(text), request_id) + text


def answer_bytes(inbound: bytes | bytearray) -> int:
    """How long the answer at the beginning of `inbound` is, zero while that cannot be told."""
    if len(inbound) < _HEAD.size:
        return 0
    magic, body_bytes, _ = _HEAD.unpack_from(inbound)
    return body_bytes + (_ANSWER.size if magic == ANSWER_MAGIC else _HEAD.size)


def decode_answer(raw: Content) -> Answer:
    """A whole answer. Raises BadInput with the engine's reason when it refused the request."""
    magic, _, request_id = _HEAD.unpack_from(raw)
    if magic != ANSWER_MAGIC:
        raise BadInput(bytes(raw[_HEAD.size :]).decode(errors="replace"))
    *_, frame_index, first_sequence, section_count = _ANSWER.unpack_from(raw)
    sections: list[Section] = []
    offset = _ANSWER.size
    for _ in range(section_count):
        type_code, _, count, row_bytes = _SECTION.unpack_from(raw, offset)
        record = by_type_code(type_code)
        offset += _SECTION.size
        rows = np.frombuffer(raw, dtype=dtype_of(record.cls), count=count, offset=offset)
        sections.append(Section(record, rows))
        offset += count * row_bytes
    return Answer(request_id, frame_index, first_sequence, tuple(sections))
