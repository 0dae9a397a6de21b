"""How a slow-lane handler speaks: it emits events, or refuses with one reason.

Owns the types of handlers and appliers. Does not own numbering, applying or posting: the pipeline
does those behind `Emit`, so that a handler reads as a ladder of checks followed by what happened.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from schemas.codes import RejectReason
from schemas.headers import Command, Event
from schemas.market import CommandRefused
from schemas.record import record_of

if TYPE_CHECKING:
    from engine.state import State


class _OwnSequence(int):
    """An int told apart by identity, so that no true value of a column can be taken for it."""


_HEADER = frozenset(("sequence", "cause_sequence", "occurred_at_ns"))

OWN_SEQUENCE = _OwnSequence(-1)
"""Stands in an event for an identifier that equals the event's own sequence."""

E = TypeVar("E", bound=Event)


class Emit(Protocol):
    """Decide one event: number it, apply it to the state, then post what it moves.

    The caller gives the event's own columns; sequence, cause and instant are filled in, and each
    column that holds OWN_SEQUENCE gets the new sequence. Returns the event as it is journaled.
    """

    def __call__(self, cls: type[E], /, **fields: int) -> E:
        """Emit one event of the class."""
        ...


Handler: TypeAlias = "Callable[[State, Any, Emit], None]"
"""Looks at the state, makes every check, then emits. Changes nothing itself."""

Applier: TypeAlias = "Callable[[State, Any], None]"
"""Changes the state by one event. Checks nothing: an event is a fact."""


def shared_columns(command: Command, event: type[Event]) -> dict[str, int]:
    """The columns that a command hands on to its event by name."""
    own = [c.name for c in record_of(event).columns if c.name not in _HEADER]
    return {name: getattr(command, name) for name in own if hasattr(command, name)}


@cache
def _type_code(cls: type[Command]) -> int:
    return record_of(cls).type_code


def refuse(emit: Emit, command: Command, reason: RejectReason) -> None:
    """Answer the command with a refusal; nothing else changes."""
    emit(
        CommandRefused,
        command_type=_type_code(type(command)),
        reject_reason_code=int(reason),
    )
