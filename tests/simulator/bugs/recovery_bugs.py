"""Bugs of start-up: what it cuts, keeps, writes again and believes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from engine.journal import recovery, snapshot
from engine.journal.frame import FrameHeader
from engine.journal.reader import SegmentWalk
from engine.journal.segment import SegmentHeader
from tests.simulator.bugs.planting import Bug, replacing


def _truncating() -> AbstractContextManager[Any]:
    """Whatever does not verify is cut, whoever was told of it."""
    stack = ExitStack()

    def cut(walk: SegmentWalk, durable: int, damage: Exception) -> bytes:
        return walk.rest().rstrip(b"\0")

    original = recovery._recover_last
    stack.enter_context(mock.patch.object(recovery, "_torn_bytes", cut))
    stack.enter_context(
        mock.patch.object(recovery, "_recover_last", lambda walk, durable, disk: original(walk, 0, disk))
    )
    return stack


def _left_torn(original: Callable[..., bytes]) -> Callable[..., bytes]:
    def torn(walk: SegmentWalk, durable: int, damage: Exception) -> bytes:
        original(walk, durable, damage)
        return b""

    return torn


class _Content:
    """A file whose digest always fits."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read_bytes(self) -> bytes:
        body = self._path.read_bytes()[:-32]
        return body + hashlib.sha256(body).digest()


BUGS: dict[str, Bug] = {
    "truncate-at-a-bad-record": _truncating,
    "torn-tail-not-zeroed": replacing(recovery, "_torn_bytes", _left_torn),
    "frames-above-the-mark-not-written-again": replacing(
        SegmentWalk, "written", lambda original: lambda walk, offset: b""
    ),
    "torn-group-taken-for-damage": replacing(
        FrameHeader, "durable_before", lambda original: property(lambda header: header.index - 1)
    ),
    "crc-seed-without-the-segment": replacing(
        SegmentHeader, "seed", lambda original: property(lambda header: 0)
    ),
    "snapshot-not-verified": replacing(
        snapshot, "read_snapshot", lambda original: lambda path: original(_Content(path))
    ),
}
