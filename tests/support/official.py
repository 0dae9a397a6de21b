"""The official ISO 20022 schemas as oracle: each held to the digest that its folder's README names."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from schemas.iso20022.intake import compile_schema, first_error, load
from tests.support.shared import SHARED

FOLDER: Path = SHARED / "iso20022" / "xsd"
PINNED = dict(
    re.findall(r"^\| (\S+\.xsd) \|.*\| ([0-9a-f]{24}) \|$", (FOLDER.parent / "README.md").read_text(), re.M)
)


@cache
def official_schema(identifier: str) -> Any:
    """The compiled official schema; fails when it is missing or is not the published one."""
    name = f"{identifier}.xsd"
    raw = (FOLDER / name).read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    assert found.startswith(PINNED[name]), f"{name} is not the published schema: {found}"
    return compile_schema(raw)


def official_error(identifier: str, raw: bytes) -> str | None:
    """What the official schema objects to, or None."""
    return first_error(official_schema(identifier), load(raw))
