"""A small book that was really decided: frames of random orders, state hashes, snapshots on the way."""

from __future__ import annotations

import random
from pathlib import Path

from engine.config import Home
from engine.journal.writer import JournalWriter
from engine.pipeline import Pipeline
from engine.replay import take_snapshot
from schemas.market import PlaceOrder
from tests.support.journal_disk import QuickDisk
from tests.support.scenario import World

SEGMENT_BYTES = 32_768


class PlayedBook:
    """A home whose journal grows when asked."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root)
        self.writer = JournalWriter.open(self.home.journal, segment_bytes=SEGMENT_BYTES, disk=QuickDisk())
        self._random = random.Random(11)
        self._number = 0
        world = World(self.writer, hash_every=7)
        world.play("""
            open 5 CUSTOMER_CASH
            open 9 STREET
            deposit 5 100000.00
            transfer 5 ACME 500
        """)
        self.pipeline: Pipeline = world.pipeline

    def play(self, frame_count: int, *, snapshot: bool = False) -> None:
        """Append frames of ten orders each; with `snapshot`, keep the state after the last."""
        for _ in range(frame_count):
            frame = self.pipeline.submit([self.order() for _ in range(10)])
        if snapshot:
            take_snapshot(self.home, self.pipeline.state, frame)

    def close(self) -> None:
        self.writer.close()

    def order(self) -> PlaceOrder:
        """Another order of one of the two accounts."""
        self._number += 1
        return PlaceOrder(
            sequence=0, received_at_ns=self._number, session_id=1, account_id=self._random.choice((5, 9)),
            client_order_id=self._number, instrument_id=1, side_code=self._random.randint(1, 2),
            order_type_code=1, time_in_force_code=1, post_only_code=0,
            price_ticks=self._random.randint(9_990, 10_010), quantity_lots=self._random.randint(1, 5),
        )  # fmt: skip


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but locks, by its path."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.name.endswith(".lock")
    }
