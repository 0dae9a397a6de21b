"""The two standard flows that matching engines are measured with, as files of commands.

    A  9 % limit orders good till cancelled, 3 % immediate or cancel, 6 % cancels, 82 % moves; about 2.6 % of
       the commands trade. The mix of exchange-core's own tests.
    B  50 % day limit orders, 45 % cancels, 5 % crossing immediate or cancel. Half of the targets are among
       the last hundred ids, as in an ITCH feed.

All other targets are uniform over the orders that live. A file first places the resting orders, then come the
commands that are timed. Where fewer orders live than are wanted, more are added; where more live, more are
cancelled: by as much of the mix as the difference is of the wanted number, three points at most in A and five
in B. So the number of resting orders stays where it was, whatever is filled.

Orders rest behind a mid that wanders, one tick up or down in 256 commands of its instrument. Their distances
fall off with the square, up to 600 ticks; half of them stand within 40. A move takes the order's open lots to
a new price. Every command is decided by our own matching engine as it is written, so every target lives, and
what is open of it is exact.

Owns: the draws and the mixes. Does not own: the file's format (`command_file.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from engine.benchmarks.command_file import BLOCK, COLUMNS, PREFILL, Words, write_commands
from engine.errors import BadInput, InvariantBroken
from engine.market.matcher import Matcher
from engine.market.requests import Venue
from engine.simulation import order_flow_kernel as k
from schemas.codes import TimeInForce
from schemas.derive.layout import empty_rows
from schemas.matching import MarketCommand

ACCOUNTS = 400
MOST_LOTS = 100
LOWEST_MID, HIGHEST_MID = 10_000, 30_000
DEEPEST = 600  # ticks
NEAR = 40  # ticks within which half of the orders stand, more or less
STEP_IN = 256  # commands of an instrument
PARETO_SHAPE = 1.5  # of the instruments' weights
LARGEST = 1 << 22  # resting orders
MOST_INSTRUMENTS = 100_000

FlowKind = Literal["A", "B"]


class FlowWritten(NamedTuple):
    """What stands in the file after the prefill."""

    prefill: int
    adds: int
    takes: int
    cancels: int
    moves: int
    trading: int  # commands that traded
    resting: int  # orders that live at the end

    def text(self) -> str:
        """One line for people."""
        count = self.adds + self.takes + self.cancels + self.moves
        parts = {"added": self.adds, "taking": self.takes, "cancelled": self.cancels, "moved": self.moves}
        shares = ", ".join(f"{100 * n / max(count, 1):.1f} % {name}" for name, n in parts.items())
        return (
            f"{self.prefill:,} resting orders, then {count:,} commands: {shares}; "
            f"{100 * self.trading / max(count, 1):.2f} % trade; {self.resting:,} orders rest at the end"
        )


_MIX: dict[FlowKind, dict[int, int]] = {
    "A": {
        k.M_ADD: 90_000, k.M_TAKE: 30_000, k.M_CANCEL: 60_000, k.M_LEAN: 30_000,
        k.M_MISS: 200_000, k.M_MOVE_TAKES: 2_500, k.M_LIFE: int(TimeInForce.GTC),
    },
    "B": {
        k.M_ADD: 500_000, k.M_TAKE: 50_000, k.M_CANCEL: 450_000, k.M_LEAN: 50_000, k.M_RECENT: 100,
        k.M_LIFE: int(TimeInForce.DAY),
    },
}  # fmt: skip


def write_flow(
    path: Path, kind: FlowKind, resting: int, instruments: int, commands: int, seed: int
) -> FlowWritten:
    """Write a flow; the same arguments give the same rows. Raises BadInput on an impossible size."""
    if not 1 <= resting <= LARGEST or not 1 <= instruments <= MOST_INSTRUMENTS or commands < 0:
        raise BadInput(f"1 to {LARGEST} orders rest on 1 to {MOST_INSTRUMENTS} instruments")
    flow = _Flow(kind, resting, instruments, commands, seed)
    metadata = {
        "onebook.kind": kind,
        "onebook.resting": str(resting),
        "onebook.instruments": str(instruments),
        "onebook.seed": str(seed),
        PREFILL: str(resting),
    }
    write_commands(path, flow.blocks(), metadata)
    return flow.written()


class _Flow:
    """A flow while it is written: the books, the orders that live, and the draws to come."""

    def __init__(self, kind: FlowKind, resting: int, instruments: int, commands: int, seed: int) -> None:
        self._resting, self._commands = resting, commands
        self._draw = np.random.Generator(np.random.PCG64(seed))
        self._mix = np.zeros(k.MIX, dtype=np.int64)
        self._mix[k.M_RESTING] = resting
        for at, share in _MIX[kind].items():
            self._mix[at] = share
        room = resting + resting // 2 + BLOCK
        self._matcher = Matcher({i: Venue() for i in range(1, instruments + 1)}, room)
        self._live = np.zeros((room, k.LIVE_COLUMNS), dtype=np.int64)
        self._slot_of = np.full(resting + commands + 1, -1, dtype=np.int32)
        self._counts = np.zeros(k.COUNTS, dtype=np.int64)
        self._counts[k.NEXT_ID] = 1
        self._command = empty_rows(MarketCommand, 1)
        mids = self._draw.integers(LOWEST_MID, HIGHEST_MID, instruments + 1)
        self._mids = np.column_stack([mids, mids])  # now, and where it began
        weights = self._draw.pareto(PARETO_SHAPE, instruments) + 1
        self._instruments_below = np.cumsum(weights / weights.sum())
        distances = np.arange(1, DEEPEST + 1)
        nearness = 1 / (distances + NEAR) ** 2
        self._distances_below = np.cumsum(nearness / nearness.sum())

    def blocks(self) -> Iterator[Words]:
        """The rows, block by block: resting orders, then the commands to time."""
        yield from self._part(self._resting, is_prefill=True)
        prefilled = self._counts.copy()
        yield from self._part(self._commands, is_prefill=False)
        self._counts[k.ADDS] -= prefilled[k.ADDS]

    def written(self) -> FlowWritten:
        """What the flow came to."""
        adds, takes, cancels, moves, trading = self._counts[k.ADDS :].tolist()
        return FlowWritten(self._resting, adds, takes, cancels, moves, trading, int(self._counts[k.LIVE]))

    def _part(self, count: int, *, is_prefill: bool) -> Iterator[Words]:
        books = self._matcher.books
        for first in range(0, count, BLOCK):
            draws = self._draws(min(BLOCK, count - first))
            rows = np.zeros((len(draws), len(COLUMNS)), dtype=np.int64)
            books.make_room(len(draws))
            done = k.write_rows(
                books.address, self._command.ctypes.data, self._live, self._slot_of, self._counts,
                self._mids, self._mix, draws, is_prefill, rows,
            )  # fmt: skip
            if done != len(rows):
                raise InvariantBroken(f"the matching engine refused {rows[done].tolist()} of a flow")
            yield rows

    def _draws(self, count: int) -> Words:
        draw = self._draw
        draws = np.zeros((count, k.DRAWS), dtype=np.int64)
        draws[:, k.D_ACTION] = draw.integers(0, k.MILLION, count)
        draws[:, k.D_TARGET] = draw.integers(0, 1 << 62, count)
        draws[:, k.D_IS_RECENT] = draw.integers(0, 2, count)
        draws[:, k.D_INSTRUMENT] = 1 + self._places(self._instruments_below, count)
        draws[:, k.D_SIDE] = draw.integers(0, 2, count)
        draws[:, k.D_DISTANCE] = 1 + self._places(self._distances_below, count)
        draws[:, k.D_LOTS] = draw.integers(1, MOST_LOTS + 1, count)
        draws[:, k.D_ACCOUNT] = draw.integers(1, ACCOUNTS + 1, count)
        steps = draw.integers(0, 2 * STEP_IN, count)  # one value of two in 256 is a step
        draws[:, k.D_STEP] = (steps == 1).astype(np.int64) - (steps == 0)
        draws[:, k.D_LUCK] = draw.integers(0, k.MILLION, count)
        return draws

    def _places(self, below: np.ndarray, count: int) -> Words:
        """Indexes drawn by their shares."""
        found = np.searchsorted(below, self._draw.random(count), side="right")
        return np.minimum(found, len(below) - 1)
