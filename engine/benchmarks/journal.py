"""The journal by itself: what a sync costs, what writing costs beside a plain write, how fast it is verified.

Owns: the measurements. Deciding is not measured here (`onebook bench pipeline`). The folder that is given, on
the disk to measure, is emptied again.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.journal.crc32c_kernel import sum_rows
from engine.journal.disk import DISK
from engine.journal.frame import Section, chain, frame_bytes_of
from engine.journal.reader import read_frames
from engine.journal.segment import fill_with_zeros
from engine.journal.verify import verify_journal
from engine.journal.writer import JournalWriter
from schemas.derive.layout import empty_rows
from schemas.market import OrderAccepted, PlaceOrder
from schemas.record import record_of

Tell = Callable[[str], None]
SEGMENT_BYTES = 64 << 20
SMALL_FRAMES = 2_000
ROWS = 1_000  # of each of two records in a large frame
LARGE_FRAMES = 800


def measure(folder: Path, passes: int, tell: Tell) -> dict[str, Any]:
    """All figures, for JSON: medians of the passes. Raises OSError, JournalFailed as the disk does."""
    syncs, writes = [], []
    for number in range(passes):
        syncs.append(_syncs(folder / f"sync-{number}"))
        writes.append(_writes(folder / f"write-{number}", is_kept=number == passes - 1))
        tell(f"pass {number + 1}: commit p50 {syncs[-1]['commit_us_p50']} us")
    report = {"passes": passes, "one_row_frames": _medians(syncs), "large_frames": _medians(writes)}
    report["reading"] = _reading(folder / f"write-{passes - 1}", tell)
    return report


def _sections(first: int, count: int) -> list[Section]:
    """Commands from sequence `first` on, and an event for each."""
    commands, events = empty_rows(PlaceOrder, count), empty_rows(OrderAccepted, count)
    for rows in (commands, events):
        for at, column in enumerate(rows.dtype.names or ()):
            rows[column] = np.arange(count) * 7_919 + at
    commands["sequence"] = np.arange(first, first + count)
    events["sequence"] = np.arange(first + count, first + 2 * count)
    return [Section(record_of(PlaceOrder), commands), Section(record_of(OrderAccepted), events)]


def _syncs(folder: Path) -> dict[str, float]:
    """Frames of one command one after the other, in turn with plain writes of the same size."""
    writer = JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES)
    size = frame_bytes_of(_sections(1, 1))
    plain, content = DISK.open(folder / "plain"), np.random.default_rng(7).bytes(size)
    fill_with_zeros(plain, 0, size * SMALL_FRAMES, DISK)
    DISK.fdatasync(plain)
    commits, plains = [], []
    for number in range(SMALL_FRAMES):
        sections = _sections(writer.last.last_sequence + 1, 1)
        began = time.perf_counter()
        writer.append(sections)
        between = time.perf_counter()
        DISK.pwrite(plain, content, number * size)
        DISK.fdatasync(plain)
        plains.append(time.perf_counter() - between)
        commits.append(between - began)
    DISK.close(plain)
    writer.close()
    shutil.rmtree(folder)
    return {
        "commit_us_p50": _us(commits, 50),
        "commit_us_p99": _us(commits, 99),
        "plain_us_p50": _us(plains, 50),
        "plain_us_p99": _us(plains, 99),
        "times_plain_p50": round(float(np.percentile(commits, 50) / np.percentile(plains, 50)), 2),
    }


def _us(seconds: Sequence[float], percentile: float) -> float:
    return round(float(np.percentile(seconds, percentile)) * 1e6, 1)


def _writes(folder: Path, *, is_kept: bool) -> dict[str, float]:
    """Large frames, then the same bytes written plainly, both with a sync each."""
    writer = JournalWriter.open(folder, segment_bytes=SEGMENT_BYTES)
    size = frame_bytes_of(_sections(1, ROWS))
    frames = [_sections(1 + 2 * ROWS * number, ROWS) for number in range(LARGE_FRAMES)]
    while writer.prepare():
        pass
    began = time.perf_counter()
    for sections in frames:
        writer.append(sections)
        writer.prepare()  # on the same thread: making segments is part of the price
    seconds = time.perf_counter() - began
    writer.close()
    plain, content = DISK.open(folder / "plain"), np.random.default_rng(7).bytes(size)
    fill_with_zeros(plain, 0, size * LARGE_FRAMES, DISK)
    DISK.fdatasync(plain)
    began = time.perf_counter()
    for number in range(LARGE_FRAMES):
        DISK.pwrite(plain, content, number * size)
        DISK.fdatasync(plain)
    plain_seconds = time.perf_counter() - began
    DISK.close(plain)
    (folder / "plain").unlink()
    if not is_kept:
        shutil.rmtree(folder)
    return {
        "frame_bytes": size,
        "mb_per_second": round(size * LARGE_FRAMES / 1e6 / seconds, 1),
        "plain_mb_per_second": round(size * LARGE_FRAMES / 1e6 / plain_seconds, 1),
        "rows_per_second": round(2 * ROWS * LARGE_FRAMES / seconds),
        "times_plain": round(seconds / plain_seconds, 2),
    }


def _reading(folder: Path, tell: Tell) -> dict[str, float]:
    size = frame_bytes_of(_sections(1, ROWS)) * LARGE_FRAMES
    for _ in read_frames(folder):
        break  # loads what reading needs
    began = time.perf_counter()
    for _ in read_frames(folder):
        pass
    read_seconds = time.perf_counter() - began
    began = time.perf_counter()
    report = verify_journal(folder)
    verify_seconds = time.perf_counter() - began
    tell(f"verified {report.records:,} records in {verify_seconds:.2f} s")
    (commands, _) = _sections(1, ROWS)
    words, sums = commands.rows.view(np.int64), np.empty(ROWS, dtype=np.uint32)
    width = len(words) // ROWS
    sum_seconds = _repeated(lambda: sum_rows(words.ctypes.data, ROWS, width, 0, sums), 2_000)
    chain_seconds = _repeated(lambda: chain(bytes(32), words.tobytes()), 2_000)
    shutil.rmtree(folder)
    return {
        "read_gb_per_second": round(size / 1e9 / read_seconds, 2),
        "verified_gb_per_second": round(size / 1e9 / verify_seconds, 2),
        "rows_read_per_second": round(report.records / read_seconds),
        "crc32c_gb_per_second": round(words.nbytes / 1e9 / sum_seconds, 1),
        "sha256_gb_per_second": round(words.nbytes / 1e9 / chain_seconds, 2),
    }


def _repeated(run: Callable[[], object], times: int) -> float:
    """Seconds of one run."""
    run()
    began = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - began) / times


def _medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}
