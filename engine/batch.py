"""A batch of commands in the order in which they came, held as rows of their declared layouts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.journal.frame import Section
from schemas.derive.layout import Rows, dtype_of, empty_rows, from_row, row_tuple
from schemas.market import (
    CancelOrder,
    CancelOrders,
    ChangeInstrumentState,
    PlaceOrder,
    ReplaceOrder,
    SetKillSwitch,
    StartBusinessDay,
)
from schemas.record import Role, record_of
from schemas.registry import by_type_code

TRADING = tuple(
    record_of(c).type_code
    for c in (PlaceOrder, CancelOrder, ReplaceOrder, CancelOrders, SetKillSwitch, ChangeInstrumentState)
)
TURN = record_of(StartBusinessDay).type_code  # decided in the slow lane, then ends yesterday's orders


class Batch:
    """Commands as rows by type, and the order over all of them."""

    def __init__(self, rows: dict[int, Rows], order: npt.NDArray[np.int64]) -> None:
        """Rows by type code; `order` has shape (n, 2): type code, row."""
        self.rows = rows
        self.order = order
        self.last_at_ns = 0

    @classmethod
    def of(cls, declared: Sequence[Any]) -> Batch:
        """Declared objects in the order given."""
        tuples: dict[int, list[tuple[int, ...]]] = {}
        order = np.empty((len(declared), 2), dtype=np.int64)
        for i, item in enumerate(declared):
            code = record_of(type(item)).type_code
            own = tuples.setdefault(code, [])
            order[i] = code, len(own)
            own.append(row_tuple(item))
        rows = {c: np.array(t, dtype=dtype_of(by_type_code(c).cls)) for c, t in tuples.items()}
        return cls(rows, order)

    @classmethod
    def from_sections(cls, sections: Sequence[Section]) -> Batch:
        """The commands of a journaled frame, in the order in which they were decided."""
        own = [s for s in sections if s.record.role is Role.COMMAND]
        parts = [
            np.column_stack(
                (
                    np.full(len(s.rows), s.record.type_code),
                    np.arange(len(s.rows)),
                    s.rows["sequence"],
                )
            )
            for s in own
        ]
        order = np.concatenate(parts) if parts else np.empty((0, 3), dtype=np.int64)
        order = order[np.argsort(order[:, 2], kind="stable")][:, :2].astype(np.int64)
        return cls({s.record.type_code: s.rows.copy() for s in own}, order)

    def __len__(self) -> int:
        """How many commands."""
        return len(self.order)

    def number(self, first_sequence: int, clock_ns: int) -> None:
        """Give sequences in order, and let time only go forward from `clock_ns`."""
        at_ns = np.empty(len(self), dtype=np.int64)
        for code, rows in self.rows.items():
            places = np.flatnonzero(self.order[:, 0] == code)
            at_ns[places] = rows["received_at_ns"][self.order[places, 1]]
        at_ns = np.maximum.accumulate(np.maximum(at_ns, clock_ns)) if len(self) else at_ns
        for code, rows in self.rows.items():
            places = np.flatnonzero(self.order[:, 0] == code)
            rows["sequence"][self.order[places, 1]] = first_sequence + places
            rows["received_at_ns"][self.order[places, 1]] = at_ns[places]
        self.last_at_ns = int(at_ns[-1]) if len(self) else clock_ns

    def runs(self) -> Iterator[tuple[bool, int, int]]:
        """Stretches of trading and of other commands: is_trading, first, one past the last.

        A day's turn stands alone.
        """
        is_trading = np.isin(self.order[:, 0], TRADING).astype(np.int64)
        turns = self.order[:, 0] == TURN
        kinds = np.where(turns, 2 + np.arange(len(self)), is_trading)
        first = 0
        for kind, group in groupby(kinds.tolist()):
            last = first + len(list(group))
            yield kind == 1, first, last
            first = last

    def command(self, i: int) -> Any:
        """The i-th command as a declared object."""
        code, row = self.order[i]
        return from_row(by_type_code(int(code)).cls, self.rows[int(code)][row])

    def classes(self) -> list[type]:
        """The record class of each command, in order."""
        return [by_type_code(int(code)).cls for code in self.order[:, 0]]

    def trading_rows(self, code: int) -> Rows:
        """The rows of one kind of trading command."""
        rows = self.rows.get(code)
        return empty_rows(by_type_code(code).cls, 0) if rows is None else rows

    def sections(self) -> list[Section]:
        """The commands as sections of a frame."""
        return [Section(by_type_code(c), self.rows[c]) for c in sorted(self.rows)]
