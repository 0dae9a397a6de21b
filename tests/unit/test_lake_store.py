"""Delta on a local disk keeps what every store of lake tables promises."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from engine.clock import WallClock
from engine.config import Home
from engine.projections.compaction import compact
from engine.projections.delta_store import DeltaStore
from schemas.record import record_of
from tests.support.lake_journal import log_entry
from tests.support.store_promises import StorePromises


class TestDeltaStore(StorePromises):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.home = Home(tmp_path / "home")

    def new_store(self) -> DeltaStore:
        return DeltaStore(self.home)

    def kept(self, cls: type) -> list[int]:
        rows = pl.read_delta(str(self.home.lake / record_of(cls).table))
        return sorted(rows["sequence"].to_list()) if rows.height else []

    def tear(self, cls: type) -> None:
        entry = log_entry(self.home, record_of(cls).table)
        entry.write_bytes(entry.read_bytes()[:-40])

    def compact(self, cls: type) -> None:
        compact(self.home.lake / record_of(cls).table, record_of(cls), WallClock(), min_file_count=2)
