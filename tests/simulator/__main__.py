"""Run seeds of the simulator: `python -m tests.simulator --seed N [--trace]` or `--seeds A..B`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from contextlib import ExitStack

from tests.simulator.bugs import BUGS, plant
from tests.simulator.simulation import Outcome, run_seed


def main() -> int:
    """Run what the command line asks for; one line a violation. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator")
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--seed", type=int)
    asked.add_argument("--seeds", help="A..B, B included")
    parser.add_argument("--trace", action="store_true", help="print every event")
    parser.add_argument("--bug", choices=sorted(BUGS), help="plant a bug by name")
    parser.add_argument("--until-found", action="store_true", help="stop at the first violation")
    parser.add_argument("--twice-every", type=int, default=0, help="run every n-th seed twice and compare")
    parser.add_argument("--json", action="store_true", help="print the sum as JSON")
    options = parser.parse_args()
    first, last = (options.seed,) * 2 if options.seed is not None else map(int, options.seeds.split(".."))
    faults: Counter[str] = Counter()
    found: list[dict[str, object]] = []
    count = frames = twice = 0
    with ExitStack() as planted:
        if options.bug:
            planted.enter_context(plant(options.bug))
        for seed in range(first, last + 1):
            outcome = run_seed(seed, _say if options.trace else None)
            if options.twice_every and seed % options.twice_every == 0:
                twice += 1
                outcome = _same(outcome, run_seed(seed))
            count, frames = count + 1, frames + outcome.frames
            faults += outcome.faults
            if outcome.violation:
                found.append({"seed": seed, "violation": outcome.violation})
                if not options.json:
                    bug = f" --bug {options.bug}" if options.bug else ""
                    _say(f"seed {seed}: {outcome.violation}")
                    _say(f"  replay: python -m tests.simulator --seed {seed}{bug} --trace")
                if options.until_found:
                    break
    told = {"seeds": count, "frames": frames, "twice": twice, "violations": found, "faults": dict(faults)}
    _say(json.dumps(told) if options.json else _summary(told))
    return 1 if found else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _same(one: Outcome, other: Outcome) -> Outcome:
    if (one.digest, one.head, one.violation) == (other.digest, other.head, other.violation):
        return one
    return one._replace(violation=f"two runs differ: {one.digest} {one.head}, {other.digest} {other.head}")


def _summary(told: dict[str, object]) -> str:
    faults = told["faults"]
    lines = [f"{told['seeds']} seeds, {told['frames']} frames, {len(told['violations'])} violations"]  # type: ignore[arg-type]
    lines += [f"  {count:8} {kind}" for kind, count in sorted(faults.items())]  # type: ignore[union-attr]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
