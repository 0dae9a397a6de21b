"""What has been promised so far, and whether it still holds: the plain-Python model beside the run.

Owns: the list of promised frames, what was asked for and what was answered. A frame is promised once the
journal's writer has returned it, or once a recovery has found it. Does not own: the fold of all rows at the
end (`books_model.py`). Shares no code with what decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from engine.journal.frame import Frame
from schemas.record import Role, record_of
from tests.simulator.errors import Violation
from tests.simulator.trace import Trace

STAMPED = 2  # a command's first columns, sequence and received_at_ns, are the engine's
Row = tuple[int, ...]


class Promise(NamedTuple):
    """One durable frame."""

    frame: Frame
    state_hash: bytes


class Flight(NamedTuple):
    """A frame on its way to the disk: its commands, and the state after it."""

    commands: list[Row]
    state_hash: bytes


class Answer(NamedTuple):
    """What a client was told."""

    who: str
    number: int
    first_sequence: int
    events: tuple[Any, ...]


class Oracle:
    """Knows every promise and raises Violation when one is broken."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.promises: list[Promise] = []
        self.asked: Counter[Row] = Counter()  # commands that reached an engine, with how often
        self.reigning = ""  # the process that made the last promise or may make the next one
        self._flights: dict[str, list[Flight]] = {}  # frames that are decided and not promised, in order
        self._ahead: dict[int, tuple[bytes, bytes]] = {}  # what a standby came to, before the promise
        self.answers: list[Answer] = []
        self._last_answered: dict[str, int] = {}  # client -> sequence of its newest answer
        self._sent_after: dict[tuple[str, int], int] = {}

    @property
    def last_index(self) -> int:
        """The newest promised frame."""
        return len(self.promises)

    @property
    def last_chain_hash(self) -> bytes | None:
        """Its chain hash; none before the first."""
        return self.promises[-1].frame.chain_hash if self.promises else None

    @property
    def reachable_index(self) -> int:
        """The newest frame that may be durable, and seen by readers, though nobody was told of it yet."""
        return self.last_index + len(self._flights.get(self.reigning, []))

    # What comes in ----------------------------------------------------------------------------

    def sent(self, who: str, number: int) -> None:
        """A client sends a request for the first time: it stands behind all that this client was told."""
        self._sent_after[who, number] = self._last_answered.get(who, 0)

    def reached(self, commands: Iterable[Any]) -> None:
        """Commands came to an engine: from now on the journal may hold them, once for each time they came."""
        self.asked.update(map(identity, commands))

    def decided(self, who: str, commands: Iterable[Any], state_hash: bytes) -> None:
        """A frame of these commands is on its way to the journal."""
        self._flights[who].append(Flight([identity(c) for c in commands], state_hash))

    # What is promised -------------------------------------------------------------------------

    def promised(self, who: str, frame: Frame) -> None:
        """The journal's writer says that a frame is durable."""
        if who != self.reigning:
            raise Violation(f"{who} acknowledges frame {frame.index}, and {self.reigning} reigns")
        if frame.index != self.last_index + 1:
            raise Violation(f"frame {frame.index} was written where frame {self.last_index + 1} is due")
        self._promise(frame)

    def stands_at(self, index: int) -> None:
        """The journal of a process that is about to decide ends there."""
        if index < self.last_index:
            raise Violation(f"frame {self.last_index} was acknowledged; the journal ends at frame {index}")

    def recovered(
        self, who: str, found: list[Frame], last_index: int, chain_hash: bytes, state_hash: bytes
    ) -> None:
        """A process begins to decide. `found` are the frames that it has beyond what was promised."""
        self.stands_at(last_index)
        for frame in found:
            self._promise(frame)
            self._trace.note("oracle", f"frame {frame.index} was written and not acknowledged; it stays")
        self.reigning = who
        self._flights[who] = []  # what did not reach the disk never will
        if self.promises and chain_hash != self.promises[-1].frame.chain_hash:
            raise Violation(f"frame {last_index} has another chain hash than it had")
        if self.promises and state_hash != self.promises[-1].state_hash:
            raise Violation(f"the state after frame {last_index} hashes otherwise than before the restart")

    def followed(self, frame: Frame, state_hash: bytes) -> None:
        """A standby has decided a frame again, maybe before it was promised."""
        if frame.index > self.last_index:
            self._ahead[frame.index] = frame.chain_hash, state_hash
            return
        promise = self.promises[frame.index - 1]
        if frame.chain_hash == promise.frame.chain_hash and state_hash != promise.state_hash:
            raise Violation(f"after frame {frame.index} the standby's state is not the primary's")

    def _promise(self, frame: Frame) -> None:
        flights = self._flights.get(self.reigning, [])
        held = [identity_of_row(code, row) for _, code, row in command_rows(frame)]
        if not flights or held != flights[0].commands:
            raise Violation(f"frame {frame.index} holds other commands than were being written")
        promise = Promise(frame, flights.pop(0).state_hash)
        self.promises.append(promise)
        chain_hash, state_hash = self._ahead.pop(frame.index, (b"", b""))
        if chain_hash == frame.chain_hash and state_hash != promise.state_hash:
            raise Violation(f"after frame {frame.index} the standby's state is not the primary's")

    def answered(self, answer: Answer) -> None:
        """A client is told what its request came to."""
        key = answer.who, answer.number
        if answer.first_sequence <= self._sent_after.get(key, 0):
            raise Violation(f"{answer.who} request {answer.number} was decided before it was sent")
        before = self._last_answered.get(answer.who, 0)
        self._last_answered[answer.who] = max(before, answer.first_sequence)
        self.answers.append(answer)


def identity(command: Any) -> Row:
    """What a client asked for, without what the engine stamps."""
    record = record_of(type(command))
    return (record.type_code, *(int(getattr(command, c.name)) for c in record.columns[STAMPED:]))


def identity_of_row(type_code: int, row: Row) -> Row:
    """The same of a journaled row."""
    return (type_code, *row[STAMPED:])


def command_rows(frame: Frame) -> list[tuple[int, int, Row]]:
    """Sequence, type code and columns of a frame's commands, in order."""
    return sorted(
        (row[0], section.record.type_code, row)
        for section in frame.sections
        if section.record.role is Role.COMMAND
        for row in section.rows.tolist()
    )
