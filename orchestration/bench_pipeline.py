"""The durable pipeline measured: request bytes -> decode -> decide -> journal (fdatasync) -> answer bytes.

    in turn   requests of one size as fast as they are taken, beside a plain write and sync of the same bytes
    paced     requests at a fixed rate into an engine process over its socket: when each answer is there
    deciding  the same requests decided and nothing else: alone, and while another process keeps a core busy
    again     the journal that this wrote: read and verified, decided again, folded, recovered from a snapshot

Owns: the measurements. Each pass has a book of its own in the folder given, which is a disk worth measuring.
"""

from __future__ import annotations

import gc
import os
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.config import EngineSettings, Home
from engine.errors import EngineUnreachable
from engine.gateway import binary
from engine.journal.committer import Committer
from engine.journal.disk import DISK
from engine.journal.reader import SegmentWalk, read_frames
from engine.journal.segment import fill_with_zeros, segment_paths
from engine.journal.verify import verify_journal
from engine.journal.writer import JournalWriter
from engine.local_socket import short_path
from engine.pipeline import Pipeline
from engine.processes import SWITCH_SECONDS, segments_ahead
from engine.projections.views import LiveView
from engine.replay import open_book, open_pipeline, recover, take_snapshot
from orchestration.bench_book import START_NS, Flow, open_market, requests_of
from schemas.market import PlaceOrder
from schemas.record import Role

Tell = Callable[[str], None]
SETTINGS = EngineSettings(segment_bytes=64 << 20)
PREFILL = 20_000  # commands that only fill the book and the caches
PACED_SECONDS, TICKS_A_SECOND = 10, 1_000
PERCENTILES = {"p50": 50.0, "p99": 99.0, "p99_9": 99.9, "max": 100.0}


class Pass(NamedTuple):
    """One pass in turn."""

    seconds: float
    plain_seconds: float  # the same bytes in the same pieces, each with an fdatasync
    ack_ms: list[float]
    journal_bytes: int


def measure(
    flow: Flow, folder: Path, batches: Sequence[int], passes: int, rate: int, tell: Tell
) -> dict[str, Any]:
    """All figures, for JSON. Raises OSError, JournalFailed as the disk does."""
    sys.setswitchinterval(SWITCH_SECONDS)
    report: dict[str, Any] = {"commands": len(flow), "passes": passes, "in_turn": {}}
    for batch in batches:
        runs: list[Pass] = []
        for number in range(passes):
            home = Home(folder / f"batch-{batch}-{number}")
            runs.append(_in_turn(home, flow, batch))
            tell(f"{batch} a frame: {_timed(flow) / runs[-1].seconds:,.0f} commands/s")
            is_last = batch == batches[0] and number == passes - 1
            if not is_last:
                shutil.rmtree(home.root)
        report["in_turn"][str(batch)] = _in_turn_figures(flow, runs)
    report["deciding"] = _deciding(Home(folder / "deciding"), flow, batches[0], passes, tell)
    report["again"] = _again(Home(folder / f"batch-{batches[0]}-{passes - 1}"), tell)
    if rate:
        report["paced"] = _paced(Home(folder / "paced"), flow, rate, tell)
    return report


def _timed(flow: Flow) -> int:
    return len(flow) - min(PREFILL, len(flow) // 2)


# In turn ------------------------------------------------------------------------------------------------


@contextmanager
def _opened(home: Home, flow: Flow) -> Generator[tuple[Pipeline, JournalWriter]]:
    with open_book(home, SETTINGS) as (pipeline, journal), segments_ahead(journal):
        open_market(pipeline, flow)
        for raw in requests_of(flow, 0, len(flow) - _timed(flow), 1_024):
            pipeline.submit_batch(binary.decode_request(raw, START_NS).batch)
        yield pipeline, journal


def _in_turn(home: Home, flow: Flow, batch: int) -> Pass:
    requests = list(requests_of(flow, len(flow) - _timed(flow), len(flow), batch))
    acks: list[float] = []
    with _opened(home, flow) as (pipeline, journal):
        committer = Committer(journal, lambda: None)
        sent: list[float] = []
        answered = 0
        before = _written(home)
        with _without_garbage():
            began = time.perf_counter()
            for raw in requests:
                sent.append(time.perf_counter())
                request = binary.decode_request(raw, START_NS)
                committer.put(pipeline.stage(request.batch))
                answered += _answer(committer, sent, answered, acks)
            committer.drain()
            answered += _answer(committer, sent, answered, acks)
            seconds = time.perf_counter() - began
        committer.close()
        if answered != len(requests):
            raise EngineUnreachable(f"{answered} of {len(requests)} requests were answered")
        journal_bytes = _written(home) - before
    pieces = [journal_bytes // len(requests)] * len(requests)
    return Pass(seconds, _plain(home.root / "plain", pieces), acks, journal_bytes)


def _answer(committer: Committer, sent: list[float], answered: int, acks: list[float]) -> int:
    frames = committer.take()
    for at, frame in enumerate(frames, start=answered):
        count = frame.last_sequence - frame.first_sequence + 1  # and more: a frame is one request
        binary.encode_answer(at, frame, frame.first_sequence, count)
        acks.append((time.perf_counter() - sent[at]) * 1_000)
    return len(frames)


def _written(home: Home) -> int:
    """Bytes of frames in the journal."""
    total = 0
    for path in segment_paths(home.journal):
        with SegmentWalk(path) as walk:
            while walk.next_frame() is not None:
                pass
            total += walk.offset
    return total


def _plain(path: Path, pieces: Sequence[int]) -> float:
    """Seconds to write pieces one after the other into a file of zeros, each with an fdatasync."""
    descriptor = DISK.open(path)
    try:
        fill_with_zeros(descriptor, 0, sum(pieces), DISK)
        DISK.fdatasync(descriptor)
        content = np.random.default_rng(7).bytes(max(pieces))
        offset, began = 0, time.perf_counter()
        for piece in pieces:
            DISK.pwrite(descriptor, content[:piece], offset)
            DISK.fdatasync(descriptor)
            offset += piece
        return time.perf_counter() - began
    finally:
        os.close(descriptor)
        path.unlink()


@contextmanager
def _without_garbage() -> Generator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _in_turn_figures(flow: Flow, runs: Sequence[Pass]) -> dict[str, Any]:
    count = _timed(flow)
    return {
        "commands_per_second": round(statistics.median(count / r.seconds for r in runs)),
        "commands_per_second_best": round(max(count / r.seconds for r in runs)),
        "times_a_plain_write": round(statistics.median(r.seconds / r.plain_seconds for r in runs), 2),
        "plain_write_seconds": round(statistics.median(r.plain_seconds for r in runs), 3),
        "journal_bytes_a_command": round(runs[0].journal_bytes / count, 1),
        "ack_ms": _percentiles([ms for r in runs for ms in r.ack_ms]),
    }


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    return {name: round(float(np.percentile(values, p)), 3) for name, p in PERCENTILES.items()}


# Deciding alone -----------------------------------------------------------------------------------------


def _deciding(home: Home, flow: Flow, batch: int, passes: int, tell: Tell) -> dict[str, Any]:
    """Nanoseconds a command without a journal, alone and beside a busy process.

    Where processors are threads of one core, the second is well above the first: then so is deciding while
    the journal is hashed and written.
    """
    alone, beside = [], []
    for _ in range(passes):
        alone.append(_decided_ns(home, flow, batch))
        with _busy_process():
            beside.append(_decided_ns(home, flow, batch))
    figures = {"ns_a_command": statistics.median(alone), "beside_a_busy_process": statistics.median(beside)}
    told = {name: round(value, 1) for name, value in figures.items()}
    tell("deciding: {ns_a_command} ns a command, {beside_a_busy_process} beside another".format(**told))
    return told


def _decided_ns(home: Home, flow: Flow, batch: int) -> float:
    """The thread's processor time. The journal is told of nothing, so the book is not one to keep."""
    first = len(flow) - _timed(flow)
    requests = requests_of(flow, first, len(flow), batch)
    batches = [binary.decode_request(raw, START_NS).batch for raw in requests]
    with _opened(home, flow) as (pipeline, _), _without_garbage():
        began = time.thread_time()
        for each in batches:
            pipeline.decide(each)
        seconds = time.thread_time() - began
    shutil.rmtree(home.root)
    return seconds / _timed(flow) * 1e9


@contextmanager
def _busy_process() -> Generator[None]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


# Again --------------------------------------------------------------------------------------------------


def _again(home: Home, tell: Tell) -> dict[str, Any]:
    """What the journal of a pass takes to verify, to decide again, to fold and to recover."""
    size = _written(home)
    seconds, report = _clocked(lambda: verify_journal(home.journal))
    tell(f"verified {size / 1e9:.2f} GB in {seconds:.2f} s")
    opening, commands = _commands(home)
    events = report.records - opening.commands - commands
    replay_seconds, again = _clocked(lambda: recover(home, use_snapshot=False))
    opening_seconds, _ = _clocked(lambda: recover(home, use_snapshot=False, until_index=opening.last_index))
    tell(f"decided again in {replay_seconds:.2f} s, of which opening the market {opening_seconds:.2f} s")
    fold_seconds, _ = _clocked(lambda: _fold(home))
    state = again.state
    assert state is not None
    last = None
    for frame in read_frames(home.journal, again.frame_count - 1):
        last = frame
    assert last is not None
    take_snapshot(home, state, last)
    recovery_seconds, _ = _clocked(lambda: _recover(home))
    return {
        "journal_bytes": size,
        "records": report.records,
        "commands": commands,
        "verified_gb_per_second": round(size / 1e9 / seconds, 2),
        "opening_seconds": round(opening_seconds, 2),
        "commands_decided_again_per_second": round(commands / (replay_seconds - opening_seconds)),
        "events_folded_per_second": round(events / fold_seconds),
        "recovery_from_snapshot_seconds": round(recovery_seconds, 2),
    }


class Opening(NamedTuple):
    """The frames before the first order: room for everything, accounts, listings, deposits."""

    last_index: int
    commands: int


def _commands(home: Home) -> tuple[Opening, int]:
    """What opens the market, and how many commands come after."""
    opening, commands = Opening(0, 0), 0
    for frame in read_frames(home.journal):
        count = sum(len(s.rows) for s in frame.sections if s.record.role is Role.COMMAND)
        if commands or any(s.record.cls is PlaceOrder for s in frame.sections):
            commands += count
        else:
            opening = Opening(frame.index, opening.commands + count)
    return opening, commands


def _clocked(run: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = run()
    return time.perf_counter() - began, result


def _fold(home: Home) -> None:
    view = LiveView()
    for frame in read_frames(home.journal):
        view.fold(frame)


def _recover(home: Home) -> None:
    with open_pipeline(home, SETTINGS):
        pass


# Paced --------------------------------------------------------------------------------------------------


def _paced(home: Home, flow: Flow, rate: int, tell: Tell) -> dict[str, Any]:
    with _opened(home, flow):
        pass
    first, batch = len(flow) - _timed(flow), max(rate // TICKS_A_SECOND, 1)
    last = min(len(flow), first + rate * PACED_SECONDS)
    requests = list(requests_of(flow, first, last, batch))
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "serve", "engine", "--home", str(home.root)],
        stderr=subprocess.DEVNULL,
    )
    try:
        with _connected(home, process) as connected, _without_garbage():
            latencies, seconds = _send_paced(connected, requests, batch / rate)
    finally:
        process.terminate()
        process.wait()
    tell(f"{len(requests):,} requests of {batch} at {rate:,} commands/s")
    return {
        "offered_commands_per_second": rate,
        "commands_a_request": batch,
        "answered_commands_per_second": round((last - first) / seconds),
        "ack_ms": _percentiles(latencies),
    }


@contextmanager
def _connected(home: Home, process: subprocess.Popen[bytes]) -> Generator[socket.socket]:
    deadline = time.monotonic() + 120
    while True:
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with short_path(home.socket) as short:
                connected.connect(short)
            break
        except OSError:
            connected.close()
            if process.poll() is not None or time.monotonic() > deadline:
                raise EngineUnreachable("the engine to be measured does not start") from None
            time.sleep(0.05)
    with connected:
        yield connected


def _send_paced(
    connected: socket.socket, requests: Sequence[bytes], interval: float
) -> tuple[list[float], float]:
    """Milliseconds from when each request was due until its answer was there, and seconds in all."""
    due = [0.0] * len(requests)
    latencies = [0.0] * len(requests)
    answered = 0
    inbound = bytearray()
    began = time.perf_counter() + 0.1
    sender = threading.Thread(target=_send, args=(connected, requests, interval, began, due), daemon=True)
    sender.start()
    selector = selectors.DefaultSelector()
    selector.register(connected, selectors.EVENT_READ)
    while answered < len(requests):
        if not selector.select(30):
            raise EngineUnreachable("the engine does not answer")
        part = connected.recv(1 << 20)
        now = time.perf_counter()
        if not part:
            raise EngineUnreachable("the engine hung up")
        inbound += part
        while (length := binary.answer_bytes(inbound)) and length <= len(inbound):
            latencies[answered] = (now - due[answered]) * 1_000
            answered += 1
            del inbound[:length]
    sender.join()
    return latencies, time.perf_counter() - began


def _send(
    connected: socket.socket, requests: Sequence[bytes], interval: float, began: float, due: list[float]
) -> None:
    for at, raw in enumerate(requests):
        due[at] = began + at * interval
        if (wait := due[at] - time.perf_counter()) > 0:
            time.sleep(wait)
        connected.sendall(raw)
