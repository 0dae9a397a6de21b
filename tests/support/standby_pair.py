"""Two homes of one book as real processes: an engine, its standby, and clients that never give up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from engine.config import Home
from engine.errors import EngineUnreachable
from engine.gateway.client import SocketClient
from engine.journal.mark import mark_path
from engine.journal.reader import read_frames
from engine.journal.writer import JournalWriter
from engine.pipeline import Pipeline
from engine.replay import recover
from engine.replication.fence import Reign
from engine.replication.standing import read_standing
from schemas.codes import RejectReason
from schemas.market import OrderAccepted, OrderRefused, PlaceOrder
from tests.support.small_book import open_small_book

STREET = 9
ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 60.0


def order(number: int) -> PlaceOrder:
    return PlaceOrder(
        sequence=0, received_at_ns=0, session_id=1, account_id=STREET, client_order_id=number,
        instrument_id=1, side_code=1 + number % 2, order_type_code=1, time_in_force_code=1,
        post_only_code=0, price_ticks=9_990 + number % 20, quantity_lots=1,
    )  # fmt: skip


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


class Client(threading.Thread):
    """Places orders one after the other at one path, and asks again with the same ids when no answer came."""

    def __init__(self, path: Path, first: int) -> None:
        super().__init__(daemon=True)
        self.acknowledged: set[int] = set()
        self.sent: set[int] = set()
        self.answered_at: list[float] = []
        self._path = path
        self._next = first
        self._unsure: list[int] = []
        self._is_stopping = False

    def run(self) -> None:
        while not self._is_stopping:
            with SocketClient(self._path, timeout_seconds=2.0) as client:
                try:
                    while not self._is_stopping:
                        self._ask(client)
                        time.sleep(0.003)  # the journals stay small
                except EngineUnreachable:
                    time.sleep(0.002)

    def stop(self) -> None:
        self._is_stopping = True
        self.join()

    def _ask(self, client: SocketClient) -> None:
        again = self._unsure[:4]
        numbers = again + list(range(self._next, self._next + 4 - len(again)))
        self._next += 4 - len(again)
        self.sent.update(numbers)
        self._unsure = sorted({*self._unsure, *numbers})
        for event in client.submit([order(n) for n in numbers]).events:
            if isinstance(event, OrderRefused):
                assert event.reject_reason_code == RejectReason.DUPLICATE_ID, event
            if isinstance(event, OrderAccepted | OrderRefused):
                self.acknowledged.add(event.client_order_id)
                self._unsure.remove(event.client_order_id)
        self.answered_at.append(time.monotonic())


class Pair:
    """Homes a and b below one folder, and the fence that they share."""

    def __init__(self, root: Path, environment: dict[str, str] | None = None) -> None:
        self.homes = Home(root / "a"), Home(root / "b")
        self.fence = root / "fence"
        self._environment = environment or {}
        self._processes: list[subprocess.Popen[bytes]] = []
        open_small_book(self.homes[0], STREET)

    def __enter__(self) -> Pair:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            kill(process)

    def engine(self, at: int) -> subprocess.Popen[bytes]:
        """Start home `at` as the engine and wait until it answers."""
        process = self.start(at, "engine")
        until(lambda: self.answers(at) or process.poll() is not None, self.log(at))
        assert process.poll() is None, self.log(at)
        return process

    def standby(self, at: int) -> subprocess.Popen[bytes]:
        """Start home `at` as the standby of the other."""
        self.homes[at].standing.unlink(missing_ok=True)
        return self.start(at, "standby", "--primary", str(self.homes[1 - at].root))

    def start(self, at: int, *words: str) -> subprocess.Popen[bytes]:
        home, command = self.homes[at], (sys.executable, "-m", "orchestration.cli", "serve")
        with home.root.with_suffix(".log").open("ab") as log:
            process = subprocess.Popen(
                [*command, *words, "--home", str(home.root), "--fence", str(self.fence)],
                stderr=log,
                stdout=log,
                cwd=ROOT,
                env={
                    **os.environ,
                    "ENGINE_SNAPSHOT_FRAME_COUNT": "60",
                    "ENGINE_SEGMENT_BYTES": "262144",
                    "ENGINE_STATE_HASH_FRAME_COUNT": "20",
                    **self._environment,
                },
            )
        self._processes.append(process)
        return process

    def log(self, at: int) -> str:
        path = self.homes[at].root.with_suffix(".log")
        return path.read_text()[-3000:] if path.exists() else ""

    def answers(self, at: int) -> bool:
        with SocketClient(self.homes[at].socket, timeout_seconds=5.0) as client:
            try:
                return b"error" in client.ask(b"{}\n")
            except (EngineUnreachable, OSError):
                return False

    def is_in_step(self, at: int) -> bool:
        """Whether the engine of home `at` says that its standby is in step."""
        standing = read_standing(self.homes[at].standing)
        return standing is not None and standing.role == "primary" and standing.is_in_step

    def wait_in_step(self, at: int) -> None:
        until(lambda: self.is_in_step(at), self.log(at) + self.log(1 - at))

    def wait_level(self) -> None:
        """Wait until both journals show the same last frame."""
        ends = [h.journal / "durable.mark" for h in self.homes]
        until(lambda: ends[0].read_bytes() == ends[1].read_bytes(), self.log(0) + self.log(1))

    def accepted(self, at: int) -> Counter[int]:
        """How often each order was accepted, by the journal of home `at`."""
        return Counter(
            int(row["client_order_id"])
            for frame in read_frames(self.homes[at].journal)
            for section in frame.sections
            if section.record.cls is OrderAccepted
            for row in section.rows
        )

    def reigns(self) -> list[Reign]:
        """Every reign that there was, in order."""
        return [Reign(**json.loads(p.read_bytes())) for p in sorted(self.fence.iterdir())]

    def segments(self, at: int) -> list[tuple[str, bytes]]:
        return [(p.name, p.read_bytes()) for p in sorted(self.homes[at].journal.glob("*.segment"))]


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9, paused or not."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def write_one_more(home: Home, term: int) -> int:
    """Leave the frame that a primary wrote and nobody had when it ended; returns its index."""
    marked = mark_path(home.journal).read_bytes()
    writer = JournalWriter.open(home.journal, segment_bytes=262_144, term=term)
    found = recover(home)
    frame = Pipeline(found.state, writer, frame_count=found.frame_count).submit([order(999_999)])
    writer.close()
    mark_path(home.journal).write_bytes(marked)
    return frame.index
