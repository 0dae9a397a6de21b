"""The way between the two copies of a book: one connection at a time, which ends, stalls or loses messages.

Owns: connections. Does not own: what is said (`engine/replication`) or the network's own faults.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

from engine.replication.messages import Message, decode_message, encode_message
from tests.simulator.clock import MS
from tests.simulator.network import Network
from tests.simulator.plan import FaultPlan
from tests.simulator.schedule import Schedule
from tests.simulator.trace import Trace

_LENGTH_BYTES = 4
RESET_NS = MS  # how long the end of a connection takes to be seen


class LinkEnd(Protocol):
    """One copy's end of the link."""

    name: str
    connection: int

    def is_listening(self) -> bool:
        """Whether it decides, so that the other may follow it."""
        ...

    def greeted(self, connection: int) -> None:
        """A new connection stands; any former one has ended."""
        ...

    def hear(self, connection: int, message: Message) -> None:
        """A message came."""
        ...

    def hung_up(self, connection: int) -> None:
        """The connection ended."""
        ...


class Link:
    """The link of two copies."""

    def __init__(
        self, network: Network, schedule: Schedule, plan: FaultPlan, trace: Trace, draw: random.Random
    ) -> None:
        self._network = network
        self._schedule = schedule
        self._plan = plan
        self._trace = trace
        self._draw = draw
        self._count = 0
        self._broken_until = 0
        self.ends: list[LinkEnd] = []

    def other(self, end: LinkEnd) -> LinkEnd:
        """The other copy's end."""
        return self.ends[1] if end is self.ends[0] else self.ends[0]

    @property
    def is_broken(self) -> bool:
        """Whether nothing passes now."""
        return self._schedule.now_ns < self._broken_until

    def break_for(self, span_ns: int) -> None:
        """Let nothing pass for a while; nobody is told."""
        self._broken_until = self._schedule.now_ns + span_ns

    def connect(self, caller: LinkEnd) -> None:
        """Connect a standby to the copy that decides, if it can be reached."""
        called = self.other(caller)
        if self.is_broken or not called.is_listening():
            return
        self._count += 1
        called.greeted(self._count)
        caller.greeted(self._count)

    def send(self, source: LinkEnd, messages: Sequence[Message]) -> None:
        """Send messages over the connection that stands."""
        connection, target = source.connection, self.other(source)
        for message in messages:
            raw = b"".join(bytes(part) for part in encode_message(message))[_LENGTH_BYTES:]
            if self.is_broken or not connection:
                continue

            def arrive(raw: bytes = raw) -> None:
                if self.is_broken:
                    return
                if target.connection == connection:
                    target.hear(connection, decode_message(raw))
                else:  # nobody knows this connection there
                    self._schedule.after(RESET_NS, lambda: source.hung_up(connection))

            self._network.send(source.name, target.name, arrive)

    def ended(self, end: LinkEnd, *, is_seen: bool) -> None:
        """One end is gone. The other sees it, unless the power went with it."""
        connection, other = end.connection, self.other(end)
        if connection and is_seen:
            self._schedule.after(RESET_NS, lambda: other.hung_up(connection))
