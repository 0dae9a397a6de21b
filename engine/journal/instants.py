"""When the rows of a frame happened: the time column of commands and of events, in the order of sequences.

Owns: which column is a record's time. Does not own: what may follow what (verify).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.journal.frame import Frame
from schemas.record import RecordType, Role

_TIME_COLUMNS = {Role.COMMAND: "received_at_ns", Role.EVENT: "occurred_at_ns"}


def time_column(record: RecordType) -> str:
    """The column that says when a command was received or an event occurred; empty where there is none."""
    name = _TIME_COLUMNS.get(record.role, "")
    return name if name in {c.name for c in record.columns} else ""


def instants_of(frame: Frame, role: Role) -> npt.NDArray[np.int64]:
    """The times of all commands or all events of a frame, by sequence, in nanoseconds; shape (n,)."""
    own = [s for s in frame.sections if s.record.role is role and time_column(s.record)]
    if not own:
        return np.zeros(0, dtype=np.int64)
    sequences = np.concatenate([s.rows["sequence"] for s in own])
    times = np.concatenate([s.rows[time_column(s.record)] for s in own])
    return times[np.argsort(sequences)]
