"""The k-th system call fails, for k = 1, 2, … until a run completes: nothing acknowledged is lost.

A real process on the real file system; `strace` makes the kernel refuse a call, or kills the process in it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.append_process import COUNTS
from tests.support.appender import Appender, Ran, check, sound_chain

MOST_CALLS = 200


def _why_not() -> str:
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "-e", "inject=getppid:error=EIO:when=9", "-o", os.devnull, "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if tried.returncode == 0 else f"strace cannot trace here: {tried.stderr.strip()[:100]}"


pytestmark = pytest.mark.skipif(bool(_why_not()), reason=f"no calls can be made to fail: {_why_not()}")


@pytest.fixture(scope="module")
def appender() -> Iterator[Appender]:
    appender = Appender()
    yield appender
    appender.close()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return sound_chain(tmp_path_factory.mktemp("whole"))


def sweep(
    root: Path, appender: Appender, chain: list[str], call: str, fault: str
) -> Iterator[tuple[Path, Ran]]:
    """Runs in which the k-th call fails, up to the first in which none does; each is checked at its end."""
    for k in range(1, MOST_CALLS):
        folder = root / str(k)
        ran = appender.run(folder, f"{call}:{fault}:when={k}")
        yield folder, ran
        check(folder, ran, chain)
        shutil.rmtree(folder)
        if ran.said[-1:] == ["done"] and ran.injected < 0:
            assert len(ran.acknowledged) == len(COUNTS)
            return
    raise AssertionError(f"{call} is called more than {MOST_CALLS} times")


@pytest.mark.parametrize(
    ("call", "fault", "at_least"),
    [
        ("fdatasync", "error=EIO", 12),
        ("pwrite64", "error=EIO", 30),
        ("pwrite64", "error=ENOSPC", 30),
        ("fsync", "error=EIO", 5),
        ("rename", "error=EIO", 3),
        ("openat", "error=EMFILE", 8),
    ],
)
def test_the_first_refusal_stops_the_process(
    tmp_path: Path, appender: Appender, chain: list[str], call: str, fault: str, at_least: int
) -> None:
    assert _stops(tmp_path, appender, chain, call, fault) > at_least


def _stops(root: Path, appender: Appender, chain: list[str], call: str, fault: str) -> int:
    """A sweep in which each process stops at the first refusal; how many runs it took."""
    runs = 0
    for _, ran in sweep(root, appender, chain, call, fault):
        runs += 1
        if ran.injected < 0:
            continue
        refused = ran.calls[ran.injected]
        if "ENOSPC" in fault and "spare-" in refused and "OBSEGMNT" not in refused:
            assert "low" in ran.said and ran.said[-1] == "done"  # a segment is left, so it goes on
            continue
        assert ran.exit_code == 1 and ran.said[-1].startswith("failed "), ran.said
        assert not {f"refused {n}" for n in range(3)} & set(ran.said)
        after = [c for c in ran.calls[ran.injected + 1 :] if not c.startswith(("openat", "+++"))]
        assert not after, f"after {refused} came {after}"
    return runs


def test_a_sync_that_is_tried_again_is_found(tmp_path: Path, chain: list[str]) -> None:
    appender = Appender("retrying")
    try:
        with pytest.raises(AssertionError):
            _stops(tmp_path, appender, chain, "fdatasync", "error=EIO")
    finally:
        appender.close()


@pytest.mark.parametrize("call", ["fdatasync", "pwrite64", "rename", "fsync"])
def test_a_kill_in_any_call_leaves_a_journal_that_goes_on(
    tmp_path: Path, appender: Appender, chain: list[str], call: str
) -> None:
    killed = sum(
        ran.exit_code == -signal.SIGKILL
        for _, ran in sweep(tmp_path, appender, chain, call, "signal=SIGKILL")
    )
    assert killed >= 3
