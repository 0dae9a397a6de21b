"""The rows of a frame where they lie: a table of words for kernels, and arrays for whoever looks at them.

Looking at ten arrays costs more than deciding a small frame does. So deciding, encoding, comparing and
answering hand a table on, and an array is made when somebody asks for it.

Owns: the table beside the arrays. Does not own: the memory; what it is made of is held, and where that is
written over (the trading lane's rows), so are the sections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

from engine.errors import InvariantBroken
from engine.journal.sections_kernel import HEAD, TABLE_COLUMNS, TYPE_MASK, join
from schemas.derive.layout import Rows, dtype_of
from schemas.record import RECORDS, RecordType, Role
from schemas.registry import by_type_code

Words = npt.NDArray[np.int64]

_CODES = {r.type_code: r.role for r in RECORDS.values()}
IS_COMMAND, IS_EVENT = (
    np.array([_CODES.get(c) is role for c in range(max(_CODES) + 1)]) for role in (Role.COMMAND, Role.EVENT)
)
"""By type code."""


class Section(NamedTuple):
    """Rows of one record type, shape (n,), ascending by sequence."""

    record: RecordType
    rows: Rows


class Sections(Sequence[Section]):
    """Sections that ascend by type code, none of them without rows."""

    def __init__(self, table: Words, look: Callable[[int], Rows]) -> None:
        """`table` (n, TABLE_COLUMNS); `look` gives the rows of its i-th section, and holds their memory."""
        self.table = table
        self._look = look
        self._seen: list[Section] | None = None

    @classmethod
    def of(cls, sections: Iterable[Section]) -> Sections:
        """The same sections, sorted, without empty ones.

        Raises InvariantBroken when rows are not of their record's layout, or a record type comes twice.
        """
        if isinstance(sections, Sections):
            return sections
        ordered = sorted((s for s in sections if len(s.rows)), key=lambda s: s.record.type_code)
        _refuse_other_layouts(ordered)
        rows = [np.ascontiguousarray(s.rows) for s in ordered]
        table = [
            (head_of(s.record), len(own), own.dtype.itemsize // 8, own.ctypes.data)
            for s, own in zip(ordered, rows, strict=True)
        ]
        return cls(np.array(table, dtype=np.int64).reshape(-1, TABLE_COLUMNS), rows.__getitem__)

    @classmethod
    def joined(cls, one: Sections, other: Sections) -> Sections:
        """Both together. Raises InvariantBroken when a record type is in both."""
        table = np.empty((len(one) + len(other), TABLE_COLUMNS), dtype=np.int64)
        if not join(one.table, other.table, table):
            raise InvariantBroken("a record type comes twice")

        def look(i: int) -> Rows:
            head = table[i, HEAD]
            own = one if head in one.table[:, HEAD] else other
            return own._look(int(np.flatnonzero(own.table[:, HEAD] == head)[0]))

        return cls(table, look)

    def __len__(self) -> int:
        """How many record types."""
        return len(self.table)

    def __iter__(self) -> Iterator[Section]:
        """Section after section."""
        return iter(self._sections())

    @overload
    def __getitem__(self, at: int) -> Section: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Section]: ...
    def __getitem__(self, at: int | slice) -> Section | Sequence[Section]:
        """One section, or some."""
        return self._sections()[at]

    def _sections(self) -> list[Section]:
        if self._seen is None:
            heads = self.table[:, HEAD].tolist()
            self._seen = [Section(by_type_code(h & TYPE_MASK), self._look(i)) for i, h in enumerate(heads)]
        return self._seen


def head_of(record: RecordType) -> int:
    """The first word of a record's sections: type code and version."""
    return record.type_code | record.version << 32


def rows_in(room: Words, table: Words) -> Callable[[int], Rows]:
    """What gives the rows of a table whose sections all lie in `room`."""

    def look(i: int) -> Rows:
        head, count, width, address = table[i].tolist()
        first = (address - room.ctypes.data) // 8
        return room[first : first + count * width].view(dtype_of(by_type_code(head & TYPE_MASK).cls))

    return look


def _refuse_other_layouts(sections: Sequence[Section]) -> None:
    codes = [s.record.type_code for s in sections]
    if len(set(codes)) != len(codes):
        raise InvariantBroken("a frame has one section a record type")
    for record, rows in sections:
        if rows.dtype != dtype_of(record.cls) or rows.ndim != 1:
            raise InvariantBroken(f"{record.table}: rows are not of the declared layout")
