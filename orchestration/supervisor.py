"""One supervisor for every process of a running book: start in order, watch, stop all of them together.

Each process leads its own group, so that nothing it started outlives it. When one ends by itself, all end:
recovery is a new start.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NamedTuple

LOG = logging.getLogger(__name__)
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.2


class Program(NamedTuple):
    """One process: what to run, and how to tell that it is ready."""

    name: str
    command: Sequence[str]
    is_ready: Callable[[], bool]
    ready_seconds: float = 90.0


class Supervisor:
    """Owns the processes that it starts."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        """Logs of each process go to `logs`/<name>.log."""
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._environment = {**os.environ, **environment}
        self._running: list[tuple[Program, subprocess.Popen[bytes]]] = []
        self._is_stopping = False

    def start(self, program: Program) -> None:
        """Start one process and wait until it is ready. Raises RuntimeError when it ends or is late."""
        log = self._logs / f"{program.name}.log"
        with log.open("ab") as sink:
            process = subprocess.Popen(
                list(program.command),
                stdout=sink,
                stderr=sink,
                stdin=subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
        self._running.append((program, process))
        deadline = time.monotonic() + program.ready_seconds
        while not program.is_ready():
            if process.poll() is not None:
                raise RuntimeError(f"{program.name} ended with {process.returncode}; see {log}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{program.name} is not ready in time; see {log}")
            if self._is_stopping:
                raise RuntimeError("stopped")
            time.sleep(_POLL_SECONDS)

    def watch(self) -> int:
        """Wait for Ctrl-C or for a process to end. Returns 0, or the code of what ended by itself."""
        while not self._is_stopping:
            for program, process in self._running:
                if (code := process.poll()) is not None:
                    LOG.error("%s ended with %s; see %s", program.name, code, self._logs)
                    return code or 1
            time.sleep(_POLL_SECONDS)
        return 0

    def stop(self) -> None:
        """Stop every process, last started first; whatever does not heed is killed."""
        self._is_stopping = True
        for _, process in reversed(self._running):
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        for _, process in reversed(self._running):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            _signal_group(process, signal.SIGKILL)
            process.wait()
        self._running.clear()

    def stop_on_signals(self) -> None:
        """Let Ctrl-C and SIGTERM end `watch`, so that `stop` runs."""

        def on_signal(number: int, frame: FrameType | None) -> None:
            self._is_stopping = True

        signal.signal(signal.SIGINT, on_signal)
        signal.signal(signal.SIGTERM, on_signal)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
