"""Run seeds: `python -m tests.simulator --seed N [--trace]`, `--seeds A..B`, with `--bug NAME` if asked."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from contextlib import ExitStack
from typing import Any

from tests.simulator.bugs import BUGS, plant
from tests.simulator.simulation import Outcome, run_seed


def main() -> int:
    """Run what the command line asks for; one line a violation. Returns 1 when there was one."""
    options = _options()
    first, last = (options.seed,) * 2 if options.seed is not None else map(int, options.seeds.split(".."))
    seeds = range(first, last + 1)
    if options.bugs:
        found = {bug: _run_bug(bug, seeds) for bug in options.bugs.split(",")}
        _say(json.dumps(found))
        return int(all(found.values()))
    with ExitStack() as planted:
        if options.bug:
            planted.enter_context(plant(options.bug))
        told = _run(seeds, options)
    _say(json.dumps(told) if options.json else _summary(told))
    return int(bool(told["violations"]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator")
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--seed", type=int)
    asked.add_argument("--seeds", help="A..B, B included")
    parser.add_argument("--trace", action="store_true", help="print every event")
    parser.add_argument("--bug", choices=sorted(BUGS), help="plant a bug by name")
    parser.add_argument("--bugs", help="several names: the first violation of each, as JSON")
    parser.add_argument("--twice-every", type=int, default=0, help="run every n-th seed twice and compare")
    parser.add_argument("--json", action="store_true", help="print the sum as JSON")
    return parser.parse_args()


def _run(seeds: range, options: argparse.Namespace) -> dict[str, Any]:
    faults: Counter[str] = Counter()
    violations: list[dict[str, Any]] = []
    frames = twice = 0
    for seed in seeds:
        outcome = run_seed(seed, _say if options.trace else None)
        if options.twice_every and seed % options.twice_every == 0:
            twice += 1
            outcome = _same(outcome, run_seed(seed))
        frames += outcome.frames
        faults += outcome.faults
        if outcome.violation:
            violations.append({"seed": seed, "violation": outcome.violation})
            if not options.json:
                bug = f" --bug {options.bug}" if options.bug else ""
                _say(f"seed {seed}: {outcome.violation}")
                _say(f"  replay: python -m tests.simulator --seed {seed}{bug} --trace")
    return {
        "seeds": len(seeds),
        "frames": frames,
        "twice": twice,
        "violations": violations,
        "faults": dict(sorted(faults.items())),
    }


def _run_bug(bug: str, seeds: range) -> dict[str, Any] | None:
    """The first seed that finds a planted bug, and what it looks like; none where no seed does."""
    with plant(bug):
        for seed in seeds:
            if violation := run_seed(seed).violation:
                return {"seed": seed, "violation": violation}
    return None


def _same(one: Outcome, other: Outcome) -> Outcome:
    if (one.digest, one.head, one.violation) == (other.digest, other.head, other.violation):
        return one
    return one._replace(violation=f"two runs differ: {one.digest} {one.head}, {other.digest} {other.head}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _summary(told: dict[str, Any]) -> str:
    lines = [f"{told['seeds']} seeds, {told['frames']} frames, {len(told['violations'])} violations"]
    lines += [f"  {count:8} {kind}" for kind, count in told["faults"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
