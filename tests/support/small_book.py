"""A small book on disk: one open instrument, one account of the street."""

from __future__ import annotations

from engine.config import Home
from engine.journal.writer import JournalWriter
from tests.support.scenario import World


def open_small_book(home: Home, street_account_id: int) -> None:
    """Journal the small world and an account of the street, then close."""
    writer = JournalWriter.open(home.journal, segment_bytes=262_144)
    World(writer, order_count=100_000, order_id_count=200_000).play(f"open {street_account_id} STREET")
    writer.close()
