"""Bytes that are filed: canonical JSON, digests, and files that are whole or not there.

Owns the form of what products write. Does not own any content.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def canonical_json(content: Any) -> bytes:
    """JSON with sorted keys, no blanks and UTF-8: the same content is always the same bytes.

    Integers and texts only; a float has no one form. Raises TypeError on anything else.
    """
    _refuse_floats(content)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def readable_json(content: Any) -> bytes:
    """As `canonical_json`, with line breaks for people; as reproducible."""
    _refuse_floats(content)
    return (json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


def sha256_of(content: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves the old bytes or the new ones; durable on return."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def instant_text(at_ns: int) -> str:
    """An instant for people: ISO 8601 in UTC, nanoseconds kept where there are any."""
    seconds, nanos = divmod(at_ns, 1_000_000_000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{nanos:09}Z" if nanos else f"{text}Z"


def money_text(minor: int, digits: int = 2) -> str:
    """Minor units as a decimal text, exact, with thousands separated."""
    whole, part = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole:,}.{part:0{digits}}" if digits else f"{sign}{whole:,}"


def _refuse_floats(content: Any) -> None:
    if isinstance(content, float):
        raise TypeError(f"{content!r}: a filed number is an integer or a text")
    if isinstance(content, dict):
        for value in content.values():
            _refuse_floats(value)
    elif isinstance(content, list | tuple):
        for value in content:
            _refuse_floats(value)
