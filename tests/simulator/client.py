"""A client: sends a request, waits, asks again with the same numbers when no answer comes.

Owns: its own requests and what it was told. Does not own: whether that is true (`oracle.py`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from engine.gateway.protocol import decode_receipt, encode_request
from tests.simulator.clock import MS
from tests.simulator.network import Network
from tests.simulator.oracle import Answer, Oracle
from tests.simulator.schedule import Schedule
from tests.simulator.trace import Trace

PATIENCE_NS = 25 * MS
Deliver = Callable[["Client", int, bytes], None]


class Client:
    """Sends its requests one after the other."""

    def __init__(
        self,
        name: str,
        requests: Iterator[list[Any]],
        schedule: Schedule,
        network: Network,
        oracle: Oracle,
        trace: Trace,
        draw: random.Random,
        ways: list[tuple[str, Deliver]],
    ) -> None:
        """`ways` are the machines that may answer, with how a request gets there."""
        self.name = name
        self.is_done = False
        self._requests = requests
        self._schedule = schedule
        self._network = network
        self._oracle = oracle
        self._trace = trace
        self._draw = draw
        self._ways = ways
        self._way = 0
        self._number = 0
        self._tries = 0
        self._line = b""
        self.is_waiting = False

    def begin(self) -> None:
        """Send the first request."""
        self._next()

    def hear(self, number: int, line: bytes) -> None:
        """An answer came; one to an earlier request, or a second one, is passed over."""
        if number != self._number or not self.is_waiting:
            return
        receipt = decode_receipt(line)
        self.is_waiting = False
        self._oracle.answered(Answer(self.name, number, receipt.first_sequence, receipt.events))
        self._trace.note(self.name, f"request {number} answered: frame {receipt.frame_index}")
        self._schedule.after(self._draw.randint(0, 3 * MS), self._next)

    def _next(self) -> None:
        commands = next(self._requests, None)
        if commands is None:
            self.is_done = True
            return
        self._number += 1
        self._tries = 0
        self._line = encode_request(commands)
        self.is_waiting = True
        self._oracle.sent(self.name, self._number)
        self._send()

    def _send(self) -> None:
        number, line = self._number, self._line
        self._tries += 1
        machine, deliver = self._ways[self._way]
        self._network.send(self.name, machine, lambda: deliver(self, number, line))

        def ask_again(tries: int = self._tries) -> None:
            if self.is_waiting and self._number == number and self._tries == tries:
                self._trace.note(self.name, f"request {number} again")
                self._way = (self._way + 1) % len(self._ways)
                self._send()

        self._schedule.after(PATIENCE_NS, ask_again)
