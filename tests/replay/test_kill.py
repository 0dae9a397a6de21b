"""kill -9 of the engine and of the lake writer at random moments, with live clients, fifty times.

What was acknowledged is in the journal exactly once; what was not is there once or never, and asking again
with the same id settles it. The lake holds the journal's rows, each once.

Processes are forked from a server that has loaded everything: a start is recovery and nothing else.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from engine.config import Home
from engine.errors import EngineUnreachable
from engine.gateway.client import SocketClient
from engine.journal.reader import read_frames
from engine.journal.verify import verify_journal
from engine.projections.lake import LakeWriter, read_table
from engine.replay import recover
from schemas.codes import RejectReason
from schemas.market import OrderAccepted, OrderRefused, PlaceOrder
from schemas.record import journaled
from tests.support.small_book import open_small_book
from tests.support.warm_processes import start

ROUNDS = 50
STREET = 9


class Client:
    """Places orders one after the other and remembers what it was told."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.acknowledged: set[int] = set()
        self.sent: set[int] = set()
        self._next = 1
        self._unsure: list[int] = []

    def trade_until(self, deadline: float) -> None:
        """Send until the time is over or the engine is gone."""
        client = SocketClient(self._home.socket, timeout_seconds=5.0)
        try:
            while time.monotonic() < deadline:
                again = self._unsure[:8]
                fresh = list(range(self._next, self._next + 8 - len(again)))
                self._next += len(fresh)
                self._ask(client, again + fresh)
        except EngineUnreachable:
            pass
        finally:
            client.close()

    def _ask(self, client: SocketClient, numbers: list[int]) -> None:
        self.sent.update(numbers)
        self._unsure = sorted({*self._unsure, *numbers})
        for event in client.submit([order(n) for n in numbers]).events:
            if isinstance(event, OrderRefused):
                assert event.reject_reason_code == RejectReason.DUPLICATE_ID, event
            if isinstance(event, OrderAccepted | OrderRefused):
                self.acknowledged.add(event.client_order_id)
                self._unsure.remove(event.client_order_id)


def order(number: int) -> PlaceOrder:
    return PlaceOrder(
        sequence=0, received_at_ns=0, session_id=1, account_id=STREET, client_order_id=number,
        instrument_id=1, side_code=1 + number % 2, order_type_code=1, time_in_force_code=1,
        post_only_code=0, price_ticks=9_990 + number % 20, quantity_lots=1,
    )  # fmt: skip


def kill(process: BaseProcess) -> None:
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL, "it ended by itself"


def wait_for_engine(home: Home, engine: BaseProcess) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert engine.is_alive(), (home.root / "engine.log").read_text()[-2000:]
        client = SocketClient(home.socket, timeout_seconds=5.0)
        try:
            client.ask(b"{}\n")
            return
        except EngineUnreachable:
            time.sleep(0.02)
        finally:
            client.close()
    raise AssertionError("the engine does not answer")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "book")
    open_small_book(home, STREET)
    return home


def test_no_kill_loses_or_repeats_anything(home: Home) -> None:
    rng = random.Random(20)
    client = Client(home)
    lake = start(home, "lake")
    for round_number in range(ROUNDS):
        engine = start(home, "engine")
        try:
            wait_for_engine(home, engine)
            client.trade_until(time.monotonic() + rng.uniform(0.02, 0.5))
            if round_number % 3 == 0:
                kill(lake)
                lake = start(home, "lake")
        finally:
            kill(engine)
    kill(lake)

    assert not verify_journal(home.journal).problems
    frames = list(read_frames(home.journal))
    accepted = Counter(
        int(row["client_order_id"])
        for frame in frames
        for section in frame.sections
        if section.record.cls is OrderAccepted
        for row in section.rows
    )
    assert len(client.acknowledged) > 10 * ROUNDS
    assert client.acknowledged <= accepted.keys() <= client.sent
    assert set(accepted.values()) == {1}
    assert recover(home).state is not None

    with LakeWriter(home) as writer:
        writer.catch_up()
    for record in journaled():
        journal_rows = sorted(
            tuple(row.tolist()) for f in frames for s in f.sections if s.record is record for row in s.rows
        )
        assert sorted(read_table(home, record.cls).rows()) == journal_rows, record.table
