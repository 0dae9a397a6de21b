"""JSON in which a decimal is a number with every figure that it has: the standard encoder has floats only."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

_WIDE = 110


def json_text(value: Any, indent: int = 0) -> str:
    """A value as JSON, two blanks a level; what fits on a line stays on one."""
    flat = _flat(value)
    if not isinstance(value, dict | list | tuple) or len(flat) + indent <= _WIDE:
        return flat
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        rows = [
            f"{inner}{json.dumps(k, ensure_ascii=False)}: {json_text(v, indent + 2)}"
            for k, v in value.items()
        ]
        return "{\n" + ",\n".join(rows) + "\n" + " " * indent + "}"
    rows = [inner + json_text(v, indent + 2) for v in value]
    return "[\n" + ",\n".join(rows) + "\n" + " " * indent + "]"


def _flat(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k, ensure_ascii=False)}: {_flat(v)}" for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flat(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)
