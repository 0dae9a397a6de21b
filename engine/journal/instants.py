"""When the rows of a frame happened: the time column of commands and of events, in the order of sequences.

Owns: which column is a record's time. Does not own: what may follow what (verify).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.journal.frame import Frame
from engine.journal.instants_kernel import NO_TIME, gather_instants
from engine.journal.sections import Sections
from schemas.record import RECORDS, Role

_TIME_COLUMNS = {Role.COMMAND: "received_at_ns", Role.EVENT: "occurred_at_ns"}


def _time_words(role: Role) -> npt.NDArray[np.int64]:
    """By type code: which word of a row says when a command was received or an event occurred."""
    words = np.full(1 + max(r.type_code for r in RECORDS.values()), NO_TIME)
    for record in RECORDS.values():
        names = [c.name for c in record.columns]
        if record.role is role and _TIME_COLUMNS[role] in names:
            words[record.type_code] = names.index(_TIME_COLUMNS[role])
    return words


_WORDS = {role: _time_words(role) for role in _TIME_COLUMNS}


def instants_of(frame: Frame, role: Role) -> npt.NDArray[np.int64]:
    """The times of all commands or all events of a frame, by sequence, in nanoseconds; shape (n,)."""
    count = frame.last_sequence - frame.first_sequence + 1
    times, is_known = np.empty(count, dtype=np.int64), np.zeros(count, dtype=np.bool_)
    gather_instants(Sections.of(frame.sections).table, _WORDS[role], frame.first_sequence, times, is_known)
    return times[is_known]
