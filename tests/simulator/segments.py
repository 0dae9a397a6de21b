"""A segment's frames told from its bytes alone, without the journal's own reader."""

from __future__ import annotations

import struct
from typing import NamedTuple

PAGE = 4096
_FIXED, _HASH = 88, 32
_MARK = struct.Struct("<QQ")


class Extent(NamedTuple):
    """Where a frame lies in its segment."""

    frame: int
    offset: int
    length: int


def extents(content: bytes) -> list[Extent]:
    """The frames of a segment that is whole, in order."""
    found: list[Extent] = []
    at = PAGE
    while content[at : at + 4] == b"OBFR":
        (frame,) = struct.unpack_from("<Q", content, at + 8)
        (payload,) = struct.unpack_from("<Q", content, at + 40)
        found.append(Extent(frame, at, _FIXED + payload + _HASH))
        at += found[-1].length
    return found


def marked(content: bytes) -> int:
    """The frame that a durable mark names; zero when it names none."""
    if len(content) != _MARK.size:
        return 0
    index, check = _MARK.unpack(content)
    return index if index ^ check == (1 << 64) - 1 else 0
