"""The columns that every command and every event begins with."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.kinds import CauseSequence, Nanos, Sequence
from schemas.record import field


@dataclass(frozen=True, kw_only=True)
class Command:
    """What somebody asks of the engine."""

    sequence: Sequence = field("Given by the sequencer.")
    received_at_ns: Nanos = field("Gateway clock; the engine's only notion of now.")


@dataclass(frozen=True, kw_only=True)
class Event:
    """What the engine decided."""

    sequence: Sequence = field("Given by the engine, after the commands of its frame.")
    cause_sequence: CauseSequence = field("The command that caused it.")
    occurred_at_ns: Nanos = field("The command's received_at_ns.")
