"""Commands and their answers as lines of JSON, for operators, products and test clients.

A line is one request: `{"commands": [["PlaceOrder", {"account_id": 7, ...}], ...]}`. The gateway fills in
sequence and received_at_ns; columns that are left out are zero. The answer is one line: what was decided, or
one `error`. Every command of a request is decided in one frame, in order. A hostile line is refused whole.

`"cancel_on_disconnect": session_id` beside the commands asks that the orders of that session be cancelled
when the connection ends, however it ends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from engine.errors import BadInput
from schemas.derive.layout import row_tuple
from schemas.record import RecordType, Role, record_of
from schemas.registry import RECORDS

LINE_BYTES = 1 << 20
COMMANDS_PER_LINE = 4_096
_STAMPED = ("sequence", "received_at_ns")
_COMMANDS = {r.name: r for r in RECORDS.values() if r.role is Role.COMMAND}
_EVENTS = {r.name: r for r in RECORDS.values() if r.role is Role.EVENT}


class Receipt(NamedTuple):
    """What the engine answered: where the commands stand in the journal and what they caused."""

    frame_index: int
    first_sequence: int
    events: tuple[Any, ...]


def encode_request(commands: Sequence[Any], cancel_on_disconnect: int = 0) -> bytes:
    """A request line."""
    parts = [[record_of(type(c)).name, _columns(c)] for c in commands]
    asked = {"cancel_on_disconnect": cancel_on_disconnect} if cancel_on_disconnect else {}
    return _line({"commands": parts, **asked})


def decode_request(line: bytes, received_at_ns: int) -> list[Any]:
    """The commands of a request line, stamped. Raises BadInput on anything that is not one."""
    return decode_session_request(line, received_at_ns)[0]


def decode_session_request(line: bytes, received_at_ns: int) -> tuple[list[Any], int]:
    """The commands of a request line, and the session whose orders end with the connection; zero for none."""
    request = _parse(line)
    session_id = request.get("cancel_on_disconnect", 0)
    if not isinstance(session_id, int) or isinstance(session_id, bool) or not 0 <= session_id < 1 << 31:
        raise BadInput("cancel_on_disconnect: a session_id is expected")
    listed = request.get("commands")
    if not isinstance(listed, list) or not 0 < len(listed) <= COMMANDS_PER_LINE:
        raise BadInput(f"commands: a list of 1 to {COMMANDS_PER_LINE} is expected")
    return [_command(item, received_at_ns) for item in listed], session_id


def _command(item: Any, received_at_ns: int) -> Any:
    if not isinstance(item, list) or len(item) != 2 or not isinstance(item[1], dict):
        raise BadInput("a command is [name, {column: value}]")
    name, given = item
    record = _COMMANDS.get(name) if isinstance(name, str) else None
    if record is None:
        raise BadInput("a command has an unknown name")
    names = {c.name for c in record.columns}
    if unknown := set(given) - names:
        raise BadInput(f"{record.name} has no column {min(unknown)!r}"[:200])
    values = {n: _int64(record, n, given.get(n, 0)) for n in names}
    values |= {"sequence": 0, "received_at_ns": received_at_ns}
    return record.cls(**values)


def _int64(record: RecordType, name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -(1 << 63) <= value < 1 << 63:
        raise BadInput(f"{record.name}.{name}: a 64-bit integer is expected")
    return value


def encode_receipt(receipt: Receipt) -> bytes:
    """An answer line."""
    events = [[record_of(type(e)).name, list(row_tuple(e))] for e in receipt.events]
    return _line(
        {
            "frame_index": receipt.frame_index,
            "first_sequence": receipt.first_sequence,
            "events": events,
        }
    )


def encode_error(reason: str) -> bytes:
    """An answer line that says why nothing was decided."""
    return _line({"error": reason})


def decode_receipt(line: bytes) -> Receipt:
    """What the engine answered. Raises BadInput with the engine's reason when it refused the line."""
    answer = _parse(line)
    if "error" in answer:
        raise BadInput(str(answer["error"]))
    events = tuple(_event(name, values) for name, values in answer["events"])
    return Receipt(answer["frame_index"], answer["first_sequence"], events)


def _event(name: str, values: list[int]) -> Any:
    record = _EVENTS[name]
    return record.cls(**dict(zip([c.name for c in record.columns], values, strict=True)))


def _columns(command: Any) -> dict[str, int]:
    columns = record_of(type(command)).columns
    return {c.name: getattr(command, c.name) for c in columns if c.name not in _STAMPED}


def _parse(line: bytes) -> dict[str, Any]:
    if len(line) > LINE_BYTES:
        raise BadInput(f"a line is longer than {LINE_BYTES} bytes")
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):
        raise BadInput("a line is not JSON") from None
    if not isinstance(parsed, dict):
        raise BadInput("a line is not a JSON object")
    return parsed


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"
