"""A thousand seeds hold, every kind of fault happens in them, and every planted bug is found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from tests.simulator.bugs import BUGS
from tests.simulator.plan import ALL
from tests.simulator.simulation import run_seed

SEEDS = 1_000
BUG_SEEDS = 400
RARE = {"torn-group-taken-for-damage": "701..1000"}  # bugs that few seeds meet, and where they are looked for
PROCESSES = 2
CONSEQUENCES = (  # what faults lead to, and what no chance stands for
    "ENOSPC",
    "halt and restore",
    "journal low",
    "message overtaken",
    "several frames in one sync",
    "torn lake version",
    "torn write",
)


def _begin(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.simulator", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _told(process: subprocess.Popen[str]) -> Any:
    output, _ = process.communicate()
    assert output, f"the simulator ended with status {process.returncode} and told nothing"
    return json.loads(output)


@pytest.fixture(scope="module")
def lived() -> list[dict[str, Any]]:
    """All seeds, in two processes at once."""
    share = SEEDS // PROCESSES
    begun = [
        _begin("--seeds", f"{i * share + 1}..{(i + 1) * share}", "--twice-every", "100", "--json")
        for i in range(PROCESSES)
    ]
    return [_told(process) for process in begun]


def test_every_promise_holds_in_every_seed(lived: list[dict[str, Any]]) -> None:
    assert sum(told["seeds"] for told in lived) == SEEDS
    violations = [v for told in lived for v in told["violations"]]
    assert not violations, "\n".join(
        f"seed {v['seed']}: {v['violation']}\n  python -m tests.simulator --seed {v['seed']} --trace"
        for v in violations
    )
    assert sum(told["twice"] for told in lived) == SEEDS // 100


def test_every_kind_of_fault_happens(lived: list[dict[str, Any]]) -> None:
    faults: Counter[str] = Counter()
    for told in lived:
        faults.update(told["faults"])
    wanted = {*ALL, *CONSEQUENCES} - {"write-back"}
    assert wanted <= faults.keys(), f"never: {sorted(wanted - faults.keys())}"


def test_one_seed_is_one_run() -> None:
    one, other = run_seed(7), run_seed(7)
    assert (one.digest, one.head, one.frames) == (other.digest, other.head, other.frames)
    assert one.digest != run_seed(8).digest


def test_every_planted_bug_is_found() -> None:
    names = sorted(BUGS.keys() - RARE.keys())
    seeds = f"1..{BUG_SEEDS}"
    begun = [_begin("--bugs", ",".join(names[i::PROCESSES]), "--seeds", seeds) for i in range(PROCESSES)]
    begun += [_begin("--bugs", bug, "--seeds", wanted) for bug, wanted in RARE.items()]
    found = {bug: told for process in begun for bug, told in _told(process).items()}
    missed = sorted(bug for bug in BUGS if not found[bug])
    assert not missed, f"not found in seeds {seeds}, {RARE}: {missed}"
