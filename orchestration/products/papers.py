"""What products write: files that are whole or not there, and texts for people.

Does not own any content, or its canonical bytes (`engine.canonical`).
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from engine.canonical import canonical_json, readable_json, sha256_of

__all__ = ["canonical_json", "instant_text", "money_text", "readable_json", "sha256_of", "write_whole"]


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
