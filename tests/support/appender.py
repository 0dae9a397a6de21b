"""Run a real appending process under a fault, hear what it says, and hold what it left to a sound run."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from engine.journal.reader import read_frames
from engine.journal.snapshot import load_snapshot
from engine.journal.verify import verify_journal
from engine.journal.writer import JournalWriter
from tests.support.append_process import SEGMENT_BYTES, append_all
from tests.support.journal_disk import QuickDisk

ROOT = Path(__file__).resolve().parents[2]
CHANGING = "pwrite64,fdatasync,fsync,rename,renameat2,unlink"  # the calls that change a disk


class Ran(NamedTuple):
    """What a process said and did."""

    said: list[str]
    exit_code: int
    calls: list[str]  # what strace saw; the failed one ends with (INJECTED)

    @property
    def acknowledged(self) -> list[str]:
        return [line for line in self.said if line.startswith("ack")]

    @property
    def injected(self) -> int:
        """Which call failed; -1 when none did."""
        return next((n for n, call in enumerate(self.calls) if call.endswith("(INJECTED)")), -1)


class Appender:
    """The warm parent whose children append."""

    def __init__(self, disk: str = "real") -> None:
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.support.append_process", disk],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        assert self._hear() == "ready"

    def run_limited(self, folder: Path, file_bytes: int) -> Ran:
        """Append in a folder, where no file may grow beyond a size."""
        resource.prlimit(int(self._begin(folder)), resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
        *said, last = self._go_on()
        return Ran(said, int(last.removeprefix("exit ")), [])

    def run(self, folder: Path, inject: str) -> Ran:
        """Append in a folder under an injection of strace."""
        pid = self._begin(folder)
        log = folder / "calls"
        words = [
            "-f",
            "-y",
            "-p",
            pid,
            "-o",
            str(log),
            "-e",
            f"trace={CHANGING},openat",
            "-e",
            f"inject={inject}",
        ]
        with subprocess.Popen(["strace", *words], stderr=subprocess.PIPE, text=True) as tracer:
            assert tracer.stderr is not None
            assert "attached" in tracer.stderr.readline()
            *said, last = self._go_on()
            tracer.wait()
        calls = [re.sub(r"^\d+ +", "", c) for c in log.read_text(errors="replace").splitlines()]
        return Ran(said, int(last.removeprefix("exit ")), calls)

    def close(self) -> None:
        self._parent.communicate()

    def _begin(self, folder: Path) -> str:
        folder.mkdir(exist_ok=True)
        self._say(str(folder) + "\n")
        return self._hear().removeprefix("pid ")

    def _go_on(self) -> list[str]:
        """Let the child run; all that it says, and how it ended."""
        self._say("\n")
        said = [self._hear()]
        while not said[-1].startswith("exit "):
            said.append(self._hear())
        return said

    def _say(self, text: str) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.write(text)
        self._parent.stdin.flush()

    def _hear(self) -> str:
        assert self._parent.stdout is not None
        return self._parent.stdout.readline().rstrip("\n")


def sound_chain(folder: Path) -> list[str]:
    """The chain of a run in which nothing fails."""
    append_all(folder, len, QuickDisk())
    return [f.chain_hash.hex() for f in read_frames(folder / "journal")]


def check(folder: Path, ran: Ran, chain: list[str]) -> None:
    """A valid prefix with all that was acknowledged, and the rest can be appended to it."""
    acknowledged = [line.split()[2] for line in ran.acknowledged]
    assert acknowledged == chain[: len(acknowledged)]
    snapshot = load_snapshot(folder / "snapshots")
    known = 0 if snapshot is None else snapshot.frame_index
    journal = folder / "journal"
    JournalWriter.open(journal, segment_bytes=SEGMENT_BYTES, known_index=known, disk=QuickDisk()).close()
    found = [f.chain_hash.hex() for f in read_frames(journal)]
    assert found == chain[: len(found)] and len(acknowledged) <= len(found) <= len(acknowledged) + 1
    append_all(folder, len, QuickDisk())
    assert [f.chain_hash.hex() for f in read_frames(journal)] == chain
    assert verify_journal(journal, folder / "snapshots").problems == ()
