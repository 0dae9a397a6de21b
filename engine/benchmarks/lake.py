"""How fast the journal comes to the lake: rows a second when it is behind, and how old a readable frame is.

Owns: journals with the mix of a trading day, the two measurements and their report. It runs in a folder of
its own and stops everything that it started. Does not own: anything that is measured.
"""

from __future__ import annotations

import multiprocessing
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from engine.clock import WallClock
from engine.config import EngineSettings, Home
from engine.errors import PlatformError
from engine.journal.frame import Section
from engine.journal.reader import durable_index
from engine.journal.writer import JournalWriter
from engine.projections.lake import LakeWriter, watermark
from schemas.derive.layout import Rows, empty_rows
from schemas.ledger import Posting
from schemas.market import (
    CancelOrder,
    Fill,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRefused,
    OrderReplaced,
    OrderShown,
    OrderTriggered,
    PlaceOrder,
    ReplaceOrder,
)
from schemas.record import record_of
from schemas.risk import MarginChanged
from schemas.settlement import SettlementInstructed

Tell = Callable[[str], None]

# Rows that 1,000 commands of the simulated day make, to the nearest whole one.
DAY_MIX: dict[type, int] = {
    PlaceOrder: 540,
    ReplaceOrder: 308,
    CancelOrder: 152,
    OrderAccepted: 475,
    OrderReplaced: 293,
    OrderCancelled: 163,
    OrderRefused: 86,
    OrderShown: 129,
    OrderExpired: 30,
    OrderTriggered: 20,
    Fill: 267,
    Posting: 989,
    MarginChanged: 822,
    SettlementInstructed: 20,
}
FRAME_ROWS = sum(DAY_MIX.values())
CATCH_UP_ROWS = 3_000_000
READING_SECONDS = 0.02  # between two looks of the reader
LATE_SECONDS = 60.0


class Seen(NamedTuple):
    """What a reader saw: a watermark whose rows it has counted, and when."""

    sequence: int
    at_ns: int


def measure(folder: Path | None, runs: int, seconds: float, row_rate: int, tell: Tell) -> dict[str, Any]:
    """The report of both measurements; `folder` chooses the disk, the temporary one if not given.

    Raises PlatformError when a row is not readable a minute after its frame is durable, or is there twice.
    """
    with tempfile.TemporaryDirectory(prefix="onebook-lake-", dir=folder) as place:
        root = Path(place)
        return {
            "rows_per_frame_of_1000_commands": FRAME_ROWS,
            "tables": len(DAY_MIX),
            "catch_up": _catch_up(root / "behind", runs, tell),
            "paced": _paced(root / "paced", seconds, row_rate, tell),
        }


def day_frames(count: int, seed: int = 7) -> Iterator[list[Section]]:
    """Frames of 1,000 commands with the events of a trading day; values move as those of a day do."""
    chance = np.random.default_rng(seed)
    first = 1
    for _ in range(count):
        order = chance.permutation(FRAME_ROWS) + first
        sections: list[Section] = []
        begin = 0
        for cls, row_count in DAY_MIX.items():
            sequences = np.sort(order[begin : begin + row_count])
            sections.append(Section(record_of(cls), _rows(cls, sequences, chance)))
            begin += row_count
        yield sections
        first += FRAME_ROWS


def _rows(cls: type, sequences: Rows, chance: np.random.Generator) -> Rows:
    rows = empty_rows(cls, len(sequences))
    for column in record_of(cls).columns:
        name, count = column.name, len(rows)
        if name == "sequence":
            rows[name] = sequences
        elif name.endswith("_ns"):
            rows[name] = 1_790_000_000_000_000_000 + sequences // 4 * 20_000
        elif column.kind.codes is not None or column.kind.prefixes:
            rows[name] = chance.integers(0, 3, count)
        elif name.endswith("order_id"):
            rows[name] = sequences // 4
        elif name.endswith(("_ticks", "_day")):
            rows[name] = 20_000 + chance.integers(0, 40, count)
        elif name.endswith("_id"):
            rows[name] = chance.integers(1, 2_000, count)
        else:
            rows[name] = chance.integers(0, 1_000_000, count)
    return rows


def _catch_up(root: Path, runs: int, tell: Tell) -> dict[str, Any]:
    home = Home(root)
    frame_count = CATCH_UP_ROWS // FRAME_ROWS
    tell(f"journaling {frame_count * FRAME_ROWS:,} rows in {frame_count:,} frames")
    journal = JournalWriter.open(home.journal, segment_bytes=EngineSettings().segment_bytes)
    for sections in day_frames(frame_count):
        journal.append(sections)
    journal.close()
    rates: list[int] = []
    for number in range(1, runs + 1):
        shutil.rmtree(home.lake, ignore_errors=True)
        with LakeWriter(home) as writer:
            began = time.perf_counter()
            writer.catch_up()
            seconds = time.perf_counter() - began
        rates.append(round(frame_count * FRAME_ROWS / seconds))
        tell(f"run {number}: {rates[-1]:,} rows a second")
    _require_all(home, frame_count)
    return {"rows": frame_count * FRAME_ROWS, "rows_per_second": rates, "median": _median(rates)}


def _paced(root: Path, seconds: float, row_rate: int, tell: Tell) -> dict[str, Any]:
    home = Home(root)
    frame_count = 1 + max(1, round(seconds * row_rate / FRAME_ROWS))
    tell(f"pacing {frame_count:,} frames at {row_rate:,} rows a second")
    frames = list(day_frames(frame_count))
    journal = JournalWriter.open(home.journal, segment_bytes=EngineSettings().segment_bytes)
    context = multiprocessing.get_context("spawn")
    is_over = context.Event()
    receiving, sending = context.Pipe(duplex=False)
    last = frame_count * FRAME_ROWS
    children = [
        context.Process(target=_write_lake, args=(str(home.root), is_over)),
        context.Process(target=_read_lake, args=(str(home.root), last, is_over, sending)),
    ]
    try:
        journal.append(frames[0])  # the running processes have their modules and kernels
        for child in children:
            child.start()
        deadline = time.monotonic() + LATE_SECONDS
        while not receiving.poll(0.1):
            if time.monotonic() > deadline or not all(child.is_alive() for child in children):
                raise PlatformError("the lake's writer or its reader did not start")
        receiving.recv()  # the reader sees the first frame
        durable = _appended_at_pace(journal, frames[1:], row_rate)
        if not receiving.poll(LATE_SECONDS):
            raise PlatformError(f"rows are not readable {LATE_SECONDS:.0f} s after their frame is durable")
        seen: list[Seen] = receiving.recv()
    finally:
        is_over.set()
        for child in children:
            child.join(10)
            child.kill()
        journal.close()
    _require_all(home, frame_count)
    return {"rows_per_second": row_rate, "frames": len(durable), **_latencies(durable, seen)}


def _appended_at_pace(journal: JournalWriter, frames: list[list[Section]], row_rate: int) -> list[int]:
    """Append each frame when it is due; returns the instants at which they were durable."""
    clock, durable = WallClock(), []
    began = clock.now_ns()
    for number, sections in enumerate(frames):
        due = began + number * FRAME_ROWS * 1_000_000_000 // row_rate
        time.sleep(max(0, due - clock.now_ns()) / 1e9)
        journal.append(sections)
        durable.append(clock.now_ns())
    return durable


def _write_lake(root: str, is_over: Event) -> None:
    with LakeWriter(Home(Path(root))) as writer:
        writer.run(is_over.is_set)


def _read_lake(root: str, last: int, is_over: Event, seen: Connection) -> None:
    """Look again and again: the watermark, then the fills up to it. Sends what was seen at the end."""
    home, clock, told = Home(Path(root)), WallClock(), [Seen(FRAME_ROWS, 0)]
    due = DAY_MIX[Fill]
    while watermark(home) < FRAME_ROWS:
        time.sleep(READING_SECONDS)
    _fills_between(home, 0, FRAME_ROWS)
    seen.send(None)
    while told[-1].sequence < last and not is_over.is_set():
        time.sleep(READING_SECONDS)
        if (mark := watermark(home)) == told[-1].sequence:
            continue
        found = _fills_between(home, told[-1].sequence, mark)
        if found != due * ((mark - told[-1].sequence) // FRAME_ROWS):
            raise PlatformError(f"{found} fills are readable between {told[-1].sequence} and {mark}")
        told.append(Seen(mark, clock.now_ns()))
    seen.send(told[1:])


def _fills_between(home: Home, after: int, until: int) -> int:
    fills = pl.scan_delta(str(home.lake / "fills"))
    chosen = fills.filter(pl.col("sequence") <= until, pl.col("sequence") > after)
    return chosen.select(pl.len()).collect().item()


def _latencies(durable: list[int], seen: list[Seen]) -> dict[str, Any]:
    taken: list[float] = []
    sights = iter(seen)
    sight = next(sights)
    for number, at_ns in enumerate(durable, start=2):
        while sight.sequence < number * FRAME_ROWS:
            sight = next(sights)
        taken.append((sight.at_ns - at_ns) / 1e6)
    p50, p99 = np.percentile(taken, [50, 99])
    return {
        "looks": len(seen),
        "ms_from_durable_to_readable": {
            "p50": round(float(p50)),
            "p99": round(float(p99)),
            "max": round(max(taken)),
        },
    }


def _require_all(home: Home, frame_count: int) -> None:
    """Every row is in the lake once."""
    mark, due = watermark(home), frame_count * FRAME_ROWS
    found = sum(
        pl.scan_delta(str(home.lake / record_of(cls).table)).select(pl.len()).collect().item()
        for cls in DAY_MIX
    )
    if durable_index(home.journal) != frame_count or mark != due or found != due:
        raise PlatformError(f"the lake holds {found} rows to sequence {mark}, the journal {due}")


def _median(rates: list[int]) -> int:
    return round(statistics.median(rates))
