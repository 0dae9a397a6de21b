"""Runs of a command file through fresh books: one to tell what happens, others to time it.

Owns: the loops around the kernel, the digest over events, the counts of trades and refusals.
Does not own: which runs there are, and the report (`matching.py`).
"""

from __future__ import annotations

import gc
import hashlib
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.benchmarks.clock_kernel import ticks_now
from engine.benchmarks.command_file import CommandFile, Words
from engine.market import words_kernel as w
from engine.market.matcher import Matcher
from engine.market.matching_kernel import run, run_timed
from engine.market.requests import Venue, event_columns, new_events
from schemas.codes import MarketAction, MarketEventKind, RejectReason
from schemas.derive.layout import Rows

PLACE_IN_BATCH = ((1 << 19) - 1) << 44  # bits of an event's kind_word that depend on how commands are batched
KEPT = 1 << 16  # events that are looked at together
LATENCY_BLOCK = 1 << 12
CALIBRATED_IN_NS = 50_000_000
EXACT_BELOW = 1 << 62


Nanos = npt.NDArray[np.float64]


class Told(NamedTuple):
    """What the commands of a file come to."""

    digest: str  # SHA-256 over all events, whatever their batches
    events: int
    trades: int
    volume_lots: int
    notional: int  # sum of price in ticks times lots
    refusals: dict[str, int]
    live_orders: int
    image: str  # SHA-256 of the books afterwards
    most_orders: int  # no more can have lived at a time


class Timed(NamedTuple):
    """One timed run: from some command to the last one."""

    cpu_ns: int
    wall_ns: int
    call_ns: Words  # (calls,)
    call_commands: Words  # (calls,)
    events: int  # of all commands, also those before
    live_orders: int
    image: str


class Replay:
    """A command file and fresh books for it."""

    def __init__(self, file: CommandFile, order_count: int) -> None:
        """Books with every instrument of the file in continuous trading, and room for so many orders."""
        self._file = file
        matcher = Matcher({i: Venue() for i in file.instrument_ids or [1]}, order_count)
        self._small_books = matcher.small_books
        self._books = matcher.books
        self._books.use_terms(file.terms)
        self._meta = self._books.meta
        self._address = file.commands.ctypes.data
        self._row_bytes = file.commands.itemsize

    def decide(self, first: int, last: int) -> int:
        """One call of the kernel. Returns the first command that was not decided, `last` nearly always."""
        full_at = self._books.make_room(last - first)
        self._meta[w.EVENT_COUNT] = 0
        is_large = bool(self._meta[w.LIVE_COUNT] > self._small_books)
        address = self._address + first * self._row_bytes
        return first + int(run(self._books.address, address, 0, last - first, full_at, is_large))

    @property
    def event_count(self) -> int:
        """Events of the last call."""
        return int(self._meta[w.EVENT_COUNT])

    def _image(self) -> str:
        return hashlib.sha256(self._books.image()).hexdigest()

    def tell(self, batch: int) -> Told:
        """Decide everything and tell what happened."""
        happened = _Happened()
        places = np.cumsum(self._file.commands["action_word"] & 0xFF == MarketAction.PLACE)
        first, most, last = 0, 0, len(self._file.commands)
        while first < last:
            live = self._books.live_count
            done = self.decide(first, min(first + batch, last))
            most = max(most, live + int(places[done - 1]) - (int(places[first - 1]) if first else 0))
            happened.add(self._books.events)
            first = done
        return happened.told(self._books.live_count, self._image(), most)

    def time(self, batch: int, timed_from: int, call_limit: int | None = None) -> Timed:
        """Decide everything; take the time from a command on. A call limit ends the run early."""
        last = len(self._file.commands)
        events = self._begin(timed_from)
        call_ns: list[int] = []
        commands: list[int] = []
        clock, decide, meta = time.perf_counter_ns, self.decide, self._meta
        first = timed_from
        with _undisturbed():
            cpu, wall = time.thread_time_ns(), clock()
            while first < last and len(call_ns) != call_limit:
                began = clock()
                done = decide(first, min(first + batch, last))
                call_ns.append(clock() - began)
                commands.append(done - first)
                events += int(meta[w.EVENT_COUNT])
                first = done
            wall, cpu = clock() - wall, time.thread_time_ns() - cpu
        return Timed(
            cpu, wall, np.array(call_ns), np.array(commands), events, self._books.live_count, self._image()
        )

    def latencies_ns(self, timed_from: int) -> Nanos:
        """Nanoseconds of each command from some one on, decided one by one inside the kernel."""
        self._begin(timed_from)
        last = len(self._file.commands)
        ticks = np.zeros(last - timed_from, dtype=np.int64)
        with _undisturbed():
            began, began_ticks = time.perf_counter_ns(), ticks_now()
            block = LATENCY_BLOCK if len(self._file.terms) == 1 else 1  # icebergs need room as they come
            for first in range(timed_from, last, block):
                stop = min(first + block, last)
                self._books.make_room(stop - first)
                self._meta[w.EVENT_COUNT] = 0
                at = ticks.ctypes.data + (first - timed_from) * ticks.itemsize
                run_timed(self._books.address, self._address, first, stop, at)
            self._meta[w.EVENT_COUNT] = 0
            while time.perf_counter_ns() - began < CALIBRATED_IN_NS:
                pass
            passed, passed_ticks = time.perf_counter_ns() - began, ticks_now() - began_ticks
        return ticks * (passed / passed_ticks)

    def _begin(self, last: int) -> int:
        """Decide what comes before the timed commands; how many events that gave."""
        first = events = 0
        while first < last:
            first = self.decide(first, min(first + LATENCY_BLOCK, last))
            events += self.event_count
        return events


class _Happened:
    """What is counted and hashed of events, in order."""

    def __init__(self) -> None:
        self._kept = new_events(KEPT)
        self._kept_count = 0
        self._digest = hashlib.sha256()
        self._events = self._trades = self._volume = self._notional = 0
        self._refusals = Counter[int]()

    def add(self, events: Rows) -> None:
        """Take over the events of one call."""
        if self._kept_count + len(events) > KEPT:
            self._fold(self._kept[: self._kept_count])
            self._kept_count = 0
        if len(events) > KEPT:
            self._fold(events.copy())
            return
        self._kept[self._kept_count : self._kept_count + len(events)] = events
        self._kept_count += len(events)

    def _fold(self, events: Rows) -> None:
        events["kind_word"] &= ~PLACE_IN_BATCH
        self._digest.update(events.tobytes())
        self._events += len(events)
        columns = event_columns(events)
        trades = events[columns["kind"] == MarketEventKind.TRADED]
        self._trades += len(trades)
        self._volume += int(trades["quantity_lots"].sum())
        self._notional += notional_of(trades["price_ticks"], trades["quantity_lots"])
        self._refusals.update(columns["reason"][columns["kind"] == MarketEventKind.REFUSED].tolist())

    def told(self, live_orders: int, image: str, most_orders: int) -> Told:
        """The figures, after the last event."""
        self._fold(self._kept[: self._kept_count])
        self._kept_count = 0
        refusals = {RejectReason(reason).name: n for reason, n in sorted(self._refusals.items())}
        return Told(
            self._digest.hexdigest(),
            self._events,
            self._trades,
            self._volume,
            self._notional,
            refusals,
            live_orders,
            image,
            most_orders,
        )


def notional_of(prices: Words, lots: Words) -> int:
    """The exact sum of price times lots, however large."""
    if not len(prices):
        return 0
    largest = int(np.abs(prices).max()) * int(lots.max()) * len(prices)
    if largest < EXACT_BELOW:
        return int(np.dot(prices, lots))
    return int(np.dot(prices.astype(object), lots.astype(object)))


@contextmanager
def _undisturbed() -> Generator[None]:
    """No garbage collection meanwhile."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
