"""A batch of commands in the order in which they came, held as rows of their declared layouts.

Kernels get the table of the rows, as of a frame's sections; arrays are made for whoever looks.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from itertools import groupby
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from engine.batch_kernel import number
from engine.errors import InvariantBroken
from engine.journal.sections import IS_COMMAND, Section, Sections, rows_in
from engine.journal.sections_kernel import COUNT, HEAD, TYPE_MASK, WIDTH, copy_in_order
from schemas.derive.layout import Rows, dtype_of, from_row, row_tuple
from schemas.market import (
    CancelOrder,
    CancelOrders,
    ChangeInstrumentState,
    PlaceOrder,
    ReplaceOrder,
    SetKillSwitch,
    StartBusinessDay,
)
from schemas.record import record_of
from schemas.registry import by_type_code

TRADING = tuple(
    record_of(c).type_code
    for c in (PlaceOrder, CancelOrder, ReplaceOrder, CancelOrders, SetKillSwitch, ChangeInstrumentState)
)
_TRADING = np.array(TRADING)
TURN = record_of(StartBusinessDay).type_code  # decided in the slow lane, then ends yesterday's orders


class Batch:
    """Commands as rows by type, and the order over all of them."""

    def __init__(self, sections: Sections, order: npt.NDArray[np.int64]) -> None:
        """Rows that may be written to; `order` has shape (n, 2): type code, row of a type that is there."""
        self._sections = sections
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
        records = {code: by_type_code(code) for code in tuples}
        rows = [Section(r, np.array(tuples[c], dtype=dtype_of(r.cls))) for c, r in records.items()]
        return cls(Sections.of(rows), order)

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
        joined = [Section(by_type_code(code), np.concatenate(parts)) for code, parts in rows.items()]
        return cls(Sections.of(joined), np.concatenate(orders))

    @classmethod
    def from_sections(cls, sections: Sequence[Section]) -> Self:
        """The commands of a journaled frame, in the order in which they were decided.

        Raises InvariantBroken when their sequences are not one run.
        """
        given = Sections.of(sections)  # held: its table points into it
        table = given.table
        own = table[IS_COMMAND[table[:, HEAD] & TYPE_MASK]]
        room = np.empty(int((own[:, COUNT] * own[:, WIDTH]).sum()), dtype=np.int64)
        copied, order = np.empty_like(own), np.empty((int(own[:, COUNT].sum()), 2), dtype=np.int64)
        if not len(own) or not copy_in_order(own, room, copied, order):
            raise InvariantBroken("the commands of a frame are not one run")
        return cls.laid(copied, room, order)

    @classmethod
    def laid(
        cls, table: npt.NDArray[np.int64], room: npt.NDArray[np.int64], order: npt.NDArray[np.int64]
    ) -> Self:
        """Commands whose rows lie in `room` as `table` tells."""
        return cls(Sections(table, rows_in(room, table)), order)

    @property
    def rows(self) -> dict[int, Rows]:
        """The rows by type code."""
        return {s.record.type_code: s.rows for s in self._sections}

    def __len__(self) -> int:
        """How many commands."""
        return len(self.order)

    def number(self, first_sequence: int, clock_ns: int) -> None:
        """Give sequences in order, and let time only go forward from `clock_ns`."""
        self.last_at_ns = clock_ns
        if len(self):
            self.last_at_ns, self._is_all_trading = number(
                self.order, self._sections.table, _TRADING, first_sequence, clock_ns
            )

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
        return all(head & TYPE_MASK in codes for head in self._sections.table[:, HEAD].tolist())

    def command(self, i: int) -> Any:
        """The i-th command as a declared object."""
        code, row = self.order[i]
        return from_row(by_type_code(int(code)).cls, self.rows[int(code)][row])

    def classes(self) -> list[type]:
        """The record class of each command, in order."""
        return [by_type_code(int(code)).cls for code in self.order[:, 0]]

    def sections(self) -> Sections:
        """The commands as sections of a frame."""
        return self._sections
