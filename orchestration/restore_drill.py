"""The restore drill: a backup that nobody has restored is a hope.

Owns: the job, its schedule, and one JSON record of evidence a drill under `drills/` of the home.
Does not own: backing up and restoring (`engine.backup`). A drill changes nothing in the book; its copies lie
in the system's temporary folder.

A backup of the running book is restored into an empty place and decided again from its first frame. The state
is compared with the live book's at the same frame, decided from its newest snapshot (state hash, positions,
balances), and its balances with the sum of the lake's postings, which came another way.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import polars as pl

from engine.backup.check import verify_backup
from engine.backup.redecide import decide_again
from engine.backup.restore import restore
from engine.backup.take import take_backup, tool_version
from engine.clock import Clock
from engine.config import Home
from engine.errors import InvariantBroken, PlatformError
from engine.ledger.balances import Balances
from engine.projections.lake import read_table, watermark
from engine.state import State
from orchestration.products.papers import write_whole
from schemas.ledger import Posting

NEW_YORK = "America/New_York"


def run_drill(home: Home, clock: Clock) -> dict[str, Any]:
    """Back up, restore, decide again, compare; returns the evidence, which is on disk too.

    Nothing is raised for a difference or a failure of the outside world: `problems` of the evidence tells.
    """
    drill = _Drill(home, clock.now_ns())
    try:
        with tempfile.TemporaryDirectory(prefix="onebook-drill-") as room:
            drill.run(Path(room), clock)
    except (PlatformError, InvariantBroken, OSError) as error:
        drill.problems.append(f"{drill.step}: {error}")
    evidence = drill.evidence()
    write_whole(evidence_path(home, drill.began_at_ns), json.dumps(evidence, indent=1).encode() + b"\n")
    return evidence


def evidence_path(home: Home, began_at_ns: int) -> Path:
    """Where the evidence of a drill lies."""
    return home.root / "drills" / f"restore-{began_at_ns}.json"


class _Drill:
    """One drill, step by step."""

    def __init__(self, home: Home, began_at_ns: int) -> None:
        self.began_at_ns = began_at_ns
        self.step = "begin"
        self.problems: list[str] = []
        self._home = home
        self._told: dict[str, Any] = {}
        self._compared: dict[str, Any] = {}
        self._seconds: dict[str, float] = {}

    def run(self, room: Path, clock: Clock) -> None:
        """All steps, in a room of its own."""
        backup, place = room / "backup", Home(room / "home")
        with self._timed("backup"):
            manifest = take_backup(self._home, backup, clock).manifest
        self._told |= {"backup_made_at_ns": manifest.made_at_ns, "backup_files": len(manifest.files)}
        with self._timed("verify_backup"):
            self.problems += verify_backup(backup).problems
        with self._timed("restore"):
            restored = restore(backup, place, is_full=True)
        self._told |= {
            "frames": restored.frames,
            "recovery_point_sequence": restored.last_sequence,
            "chain_head": restored.chain_head,
            "state_hash": restored.decided.state.hash().hex(),
            "state_hashes_compared": restored.decided.compared_count,
            "restore_seconds": restored.seconds,
        }
        if not restored.is_whole:
            self.problems.append("the restored book ends before its backup")
        with self._timed("decide_live_book"):
            live = decide_again(self._home, restored.frames).state
        with self._timed("compare"):
            self._compare(restored.decided.state, live)

    def evidence(self) -> dict[str, Any]:
        """What the drill came to."""
        return {
            "drill": "restore",
            "began_at_ns": self.began_at_ns,
            "is_passed": not self.problems,
            "problems": self.problems,
            "tool_version": tool_version(),
            **self._told,
            "compared": self._compared,
            "seconds": self._seconds,
            "recovery_seconds": round(self._seconds.get("restore", 0.0), 3),
        }

    def _compare(self, restored: State, live: State) -> None:
        self._same("state_hash", 1, int(restored.hash() != live.hash()))
        self._same("positions", live.positions.size, int(np.sum(restored.positions != live.positions)))
        amounts, known = restored.balances.amounts, live.balances.amounts
        self._same("balances", known.size, int(np.sum(amounts != known)))
        restored.balances.check()
        mark = watermark(self._home)
        if mark < restored.sequence:
            self._compared["lake_balances"] = f"not compared: the lake is at sequence {mark}"
        else:
            folded = lake_balances(self._home, restored).amounts
            self._same("lake_balances", folded.size, int(np.sum(folded != amounts)))

    def _same(self, what: str, count: int, differing: int) -> None:
        self._compared[what] = {"compared": count, "differing": differing}
        if differing:
            self.problems.append(f"{what}: {differing} of {count} differ")

    @contextmanager
    def _timed(self, step: str) -> Generator[None]:
        self.step, begun = step, time.monotonic()
        yield
        self._seconds[step] = round(time.monotonic() - begun, 3)


def lake_balances(home: Home, as_of: State) -> Balances:
    """The balances that the lake's postings add up to, no further than a state."""
    rows = read_table(home, Posting).filter(pl.col("sequence") <= as_of.sequence)
    folded = Balances(np.zeros_like(as_of.balances.amounts))
    for side, sign in (("debit", 1), ("credit", -1)):
        keys = [f"{side}_account_kind_code", f"{side}_party_id", "asset_id"]
        for kind, party, asset_id, units in rows.group_by(keys).agg(pl.col("amount_units").sum()).rows():
            folded.amounts[folded.row_of(kind, party), asset_id] += sign * units
    return folded


@dg.op(name="drill", description="Back up, restore elsewhere, decide again, compare; the evidence is kept.")
def drill_op(home: dg.ResourceParam[Home], clock: dg.ResourceParam[Clock]) -> dg.Output[str]:
    """Run the drill; red when anything differs."""
    evidence = run_drill(home, clock)
    path = str(evidence_path(home, evidence["began_at_ns"]))
    if evidence["problems"]:
        raise dg.Failure("; ".join(evidence["problems"]), metadata={"evidence": path}, allow_retries=False)
    return dg.Output(path, metadata={"recovery_seconds": evidence["recovery_seconds"]})


@dg.job(name="restore_drill", description="Proves once a week that the book can be restored.")
def restore_drill() -> None:
    """The drill alone."""
    drill_op()


SCHEDULE = dg.ScheduleDefinition(
    name="weekly_restore_drill",
    job=restore_drill,
    cron_schedule="0 6 * * 0",  # Sunday, when no market is open
    execution_timezone=NEW_YORK,
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
