"""A batch of commands in the order in which they came, held as rows of their declared layouts."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.batch_kernel import number
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
_IS_TRADING = frozenset(TRADING)
TURN = record_of(StartBusinessDay).type_code  # decided in the slow lane, then ends yesterday's orders


class Batch:
    """Commands as rows by type, and the order over all of them."""

    def __init__(self, rows: dict[int, Rows], order: npt.NDArray[np.int64]) -> None:
        """Contiguous rows by type code; `order` has shape (n, 2): type code, row of a type that is there."""
        self.rows = rows
        self.order = order
        self.last_at_ns = 0
        self._is_all_trading = 0

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
    def joined(cls, batches: Sequence[Batch]) -> Batch:
        """Several batches one after the other."""
        if len(batches) == 1:
            return batches[0]
        rows: dict[int, list[Rows]] = {}
        orders: list[npt.NDArray[np.int64]] = []
        for batch in batches:
            order = batch.order.copy()
            for code, own in batch.rows.items():
                before = sum(len(part) for part in rows.setdefault(code, []))
                if before:
                    order[order[:, 0] == code, 1] += before
                rows[code].append(own)
            orders.append(order)
        return cls({code: np.concatenate(parts) for code, parts in rows.items()}, np.concatenate(orders))

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
        self.last_at_ns = clock_ns
        if len(self):
            table = np.array(
                [
                    (code, rows.ctypes.data, rows.dtype.itemsize // 8, code in _IS_TRADING)
                    for code, rows in self.rows.items()
                ],
                dtype=np.int64,
            )
            self.last_at_ns, self._is_all_trading = number(self.order, table, first_sequence, clock_ns)

    def runs(self) -> Iterator[tuple[bool, int, int]]:
        """Stretches of trading and of other commands: is_trading, first, one past the last.

        A day's turn stands alone. Only after `number`.
        """
        if self._is_all_trading:
            yield True, 0, len(self)
            return
        is_trading = np.isin(self.order[:, 0], TRADING).astype(np.int64)
        turns = self.order[:, 0] == TURN
        kinds = np.where(turns, 2 + np.arange(len(self)), is_trading)
        first = 0
        for kind, group in groupby(kinds.tolist()):
            last = first + len(list(group))
            yield kind == 1, first, last
            first = last

    def has_only(self, codes: Container[int]) -> bool:
        """Whether every command is of one of these types."""
        return all(code in codes for code in self.rows)

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
