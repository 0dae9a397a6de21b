"""How fast the matching engine decides a file of commands, and what comes of them.

Figures of what happened (events, trades, volume, notional, digest) are of the whole file, rates of its timed
part. Every pass runs on fresh books. The passes that are timed do nothing but decide; a pass beside each of
them reads every event, and both must leave the same books.

Owns: which passes there are, and the report. Does not own: the loops (`passes.py`) and the file
(`command_file.py`).
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import BadInput, InvariantBroken
from engine.kernel_cache import was_cold

if TYPE_CHECKING:
    import numpy as np

    from engine.benchmarks.command_file import CommandFile
    from engine.benchmarks.passes import Timed, Told

Tell = Callable[[str], None]

DEFAULT_BATCH = 4_096
FIRST_ROOM = 1 << 18  # orders
SINGLE_CALLS = 20_000  # commands that are decided one a call to see what a call costs
PERCENTILES = {"p50": 50.0, "p99": 99.0, "p99_9": 99.9}


def measure(
    path: Path, batch: int, passes: int, timed_from: int | None, orders: int | None, tell: Tell
) -> dict[str, Any]:
    """Run a file of commands through the engine; figures for JSON.

    `timed_from` none: from where the file says that its prefill ends. `orders` none: room for as many as the
    file can have at a time. Raises BadInput on a file that cannot be used, InvariantBroken where two passes
    differ.
    """
    from engine.benchmarks.command_file import read_commands
    from engine.market.requests import LARGEST_BATCH

    if not 1 <= batch <= LARGEST_BATCH:
        raise BadInput(f"a batch has 1 to {LARGEST_BATCH} commands")
    file = read_commands(path)
    count = len(file.commands)
    timed_from = file.prefill if timed_from is None else timed_from
    if not 0 <= timed_from < count:
        raise BadInput(f"no command is left to time from {timed_from} on: {path.name} has {count}")
    if was_cold():
        tell("compiling the kernels of these sources, once")
    began = time.perf_counter()
    from engine.benchmarks.passes import Replay

    import_seconds = time.perf_counter() - began
    began = time.perf_counter()
    Replay(file, 1).decide(0, 1)
    first_call_seconds = time.perf_counter() - began
    tell(f"{count:,} commands; {passes} passes in batches of {batch:,} from command {timed_from:,} on")
    orders = _enough_for(file) if orders is None else orders
    runs = [_checked_pass(file, orders, batch, timed_from) for _ in range(passes)]
    told, timed = runs[0][0], [timed for _, timed in runs]
    if any(other != told for other, _ in runs):
        raise InvariantBroken(f"{path.name}: passes over the same commands tell different events")
    latencies = Replay(file, orders).latencies_ns(timed_from)
    singles = Replay(file, orders).time(1, timed_from, SINGLE_CALLS)
    return {
        "file": path.name,
        "metadata": {name: text for name, text in file.metadata.items() if name.startswith("onebook.")},
        "commands": count,
        "timed_from": timed_from,
        "timed_commands": count - timed_from,
        "instruments": len(file.instrument_ids),
        "orders_capacity": orders,
        "batch": batch,
        "passes": passes,
        "operations_per_second": _rates(timed),
        "ns_per_command_in_batches": _in_batches(timed),
        "ns_of_single_commands": _percentiles(latencies),
        "us_per_call_of_one_command": _one_a_call(singles, latencies),
        "events": told.events,
        "trades": told.trades,
        "volume_lots": told.volume_lots,
        "notional": told.notional,
        "live_orders": told.live_orders,
        "refusals": told.refusals,
        "digest": told.digest,
        "peak_memory_mib": round(_peak_memory_kib() / 1024, 1),
        "kernels_were_cold": was_cold(),
        "import_seconds": round(import_seconds, 3),
        "first_call_seconds": round(first_call_seconds, 3),
        "machine": machine(),
    }


def _enough_for(file: CommandFile) -> int:
    """Room for every order that the file can have at a time."""
    from engine.benchmarks.passes import Replay
    from engine.market.books import LARGEST_ORDER_COUNT

    room = FIRST_ROOM
    while True:
        most = Replay(file, room).tell(DEFAULT_BATCH).most_orders
        if most < room or room == LARGEST_ORDER_COUNT:
            return min(most + 1, room)
        room = min(room * 8, LARGEST_ORDER_COUNT)


def _checked_pass(file: CommandFile, orders: int, batch: int, timed_from: int) -> tuple[Told, Timed]:
    """A timed pass, and one beside it that must come to the same."""
    from engine.benchmarks.passes import Replay

    timed = Replay(file, orders).time(batch, timed_from)
    told = Replay(file, orders).tell(batch)
    if (timed.events, timed.live_orders, timed.image) != (told.events, told.live_orders, told.image):
        raise InvariantBroken(f"{file.path.name}: two passes over the same commands leave different books")
    return told, timed


def _rates(timed: list[Timed]) -> dict[str, int]:
    """Commands a second, by the thread's processor time and by the clock on the wall."""
    rates: dict[str, int] = {}
    for name in ("cpu", "wall"):
        each = [int(t.call_commands.sum()) * 1e9 / getattr(t, f"{name}_ns") for t in timed]
        rates[f"{name}_median"] = round(statistics.median(each))
        rates[f"{name}_best"] = round(max(each))
    return rates


def _in_batches(timed: list[Timed]) -> dict[str, float]:
    import numpy as np

    return _percentiles(np.concatenate([t.call_ns / t.call_commands for t in timed]))


def _percentiles(nanos: np.ndarray) -> dict[str, float]:
    import numpy as np

    return {name: round(float(np.percentile(nanos, q)), 1) for name, q in PERCENTILES.items()}


def _one_a_call(singles: Timed, latencies: np.ndarray) -> dict[str, float]:
    """Microseconds of a call from Python that decides one command, and how much of it is the call's own."""
    import numpy as np

    whole = float(np.median(singles.call_ns))
    own = whole - float(np.median(latencies))
    return {"p50": round(whole / 1_000, 3), "overhead": round(own / 1_000, 3)}


def _peak_memory_kib() -> int:
    """The most memory that this process has held; the system's other figure counts its parent's too."""
    for line in _lines_of("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numba": version("numba"),
        "numpy": version("numpy"),
        "load_average": round(os.getloadavg()[0], 2),
    }


def _cpu_model() -> str:
    named = [n.partition(":")[2].strip() for n in _lines_of("/proc/cpuinfo") if n.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _lines_of(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
