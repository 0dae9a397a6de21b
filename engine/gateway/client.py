"""How others submit commands: to an engine in this process, or to one behind its socket."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from engine.clock import Clock
from engine.errors import EngineUnreachable
from engine.gateway.protocol import LINE_BYTES, Receipt, decode_receipt, encode_request
from engine.journal.frame import Frame, Section
from engine.local_socket import short_path
from engine.pipeline import Pipeline
from schemas.derive.layout import from_row
from schemas.record import Role


class EngineClient(Protocol):
    """Submits commands and says what they caused once that is durable."""

    def submit(self, commands: Sequence[Any]) -> Receipt:
        """Decide commands in one frame; sequence and time of the commands are the gateway's."""
        ...


class InProcessClient:
    """Submits to a pipeline of this process, stamping with the clock given."""

    def __init__(self, pipeline: Pipeline, clock: Clock) -> None:
        self._pipeline = pipeline
        self._clock = clock

    def submit(self, commands: Sequence[Any]) -> Receipt:
        """Decide commands in one frame."""
        now = self._clock.now_ns()
        return receipt_of(self._pipeline.submit([replace(c, received_at_ns=now) for c in commands]))


class SocketClient:
    """Submits over the engine's Unix socket; one connection for all requests."""

    def __init__(self, path: Path, timeout_seconds: float = 30.0) -> None:
        self._path = path
        self._timeout = timeout_seconds
        self._socket: socket.socket | None = None
        self._received = b""

    def submit(self, commands: Sequence[Any]) -> Receipt:
        """Decide commands in one frame.

        Raises EngineUnreachable when no answer came: the commands may or may not have been decided, so ask
        again with the same ids. Raises BadInput when the engine refused the request.
        """
        return decode_receipt(self.ask(encode_request(commands)))

    def ask(self, line: bytes) -> bytes:
        """Send one line and wait for its answer."""
        try:
            connected = self._connect()
            connected.sendall(line)
            return self._read_line(connected)
        except OSError as error:
            self.close()
            raise EngineUnreachable(f"no engine answers at {self._path}: {error}") from error

    def __enter__(self) -> SocketClient:
        """Close when the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self.close()

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._received = None, b""

    def _connect(self) -> socket.socket:
        if self._socket is None:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            made.settimeout(self._timeout)
            try:
                with short_path(self._path) as short:
                    made.connect(short)
            except OSError:
                made.close()
                raise
            self._socket = made
        return self._socket

    def _read_line(self, connected: socket.socket) -> bytes:
        while b"\n" not in self._received:
            part = connected.recv(LINE_BYTES)
            if not part:
                raise ConnectionResetError("the engine hung up")
            self._received += part
        line, _, self._received = self._received.partition(b"\n")
        return line


def receipt_of(frame: Frame) -> Receipt:
    """All events of a frame, in order."""
    return receipt_of_sections(frame.index, frame.first_sequence, events_of(frame))


def receipt_of_sections(frame_index: int, first_sequence: int, sections: Sequence[Section]) -> Receipt:
    """Sections of events as objects, in order."""
    events = [from_row(s.record.cls, row) for s in sections for row in s.rows]
    events.sort(key=lambda e: e.sequence)
    return Receipt(frame_index, first_sequence, tuple(events))


def events_of(frame: Frame) -> list[Section]:
    """The sections of a frame that hold events."""
    return [s for s in frame.sections if s.record.role is Role.EVENT]


def events_caused(frame: Frame, first_sequence: int, command_count: int) -> list[Section]:
    """The events that some commands of a frame caused.

    Events stand in the order of the commands that caused them, so they are one stretch of each section.
    """
    bounds = first_sequence, first_sequence + command_count
    caused: list[Section] = []
    for record, rows in events_of(frame):
        first, end = np.searchsorted(rows["cause_sequence"], bounds).tolist()
        if first < end:
            caused.append(Section(record, rows[first:end]))
    return caused
