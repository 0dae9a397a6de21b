"""Content as bytes that are always the same: canonical JSON and digests of what is filed.

Owns the form. Does not own any content, or the files that hold it.
"""

from __future__ import annotations

import hashlib
import json
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


def _refuse_floats(content: Any) -> None:
    if isinstance(content, float):
        raise TypeError(f"{content!r}: a filed number is an integer or a text")
    if isinstance(content, dict):
        for value in content.values():
            _refuse_floats(value)
    elif isinstance(content, list | tuple):
        for value in content:
            _refuse_floats(value)
