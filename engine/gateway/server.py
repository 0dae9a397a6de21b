"""The engine as a process: one thread gathers what clients sent, decides it in one frame, and answers.

Whatever arrived while the frame before was being synced shares the next sync (group commit). Nothing is
answered before it is durable. The socket lies in a folder that only its owner may enter. The orders of a
session that asked for it are cancelled when its connection ends, even when the engine itself is what stops.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from engine.clock import Clock
from engine.errors import BadInput, EngineUnreachable
from engine.gateway.client import receipt_of, split_receipt
from engine.gateway.local_socket import short_path
from engine.gateway.protocol import (
    COMMANDS_PER_LINE,
    LINE_BYTES,
    decode_session_request,
    encode_error,
    encode_receipt,
)
from engine.journal.frame import Frame
from engine.pipeline import Pipeline
from schemas.market import CancelOrders

LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.2
_OUTBOUND_BYTES = 8 * LINE_BYTES  # a client that does not read its answers is hung up on


class _Request(NamedTuple):
    client: _Client | None  # nobody asks when a session ended
    commands: list[Any]


class _Client:
    """One connection: what it sent and was not yet whole, what it was not yet able to take."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.inbound = bytearray()
        self.outbound = bytearray()
        self.session_ids: set[int] = set()  # whose orders end with the connection


class EngineServer:
    """Serves one pipeline to many clients."""

    def __init__(
        self,
        pipeline: Pipeline,
        path: Path,
        clock: Clock,
        on_frame: Callable[[Frame], None] | None = None,
    ) -> None:
        """Listen at `path`; `on_frame` is told of every durable frame before its answers leave."""
        self._pipeline = pipeline
        self._clock = clock
        self._on_frame = on_frame
        self._selector = selectors.DefaultSelector()
        self._waiting: list[_Request] = []
        self._listener = _listen(path)
        self._selector.register(self._listener, selectors.EVENT_READ, None)

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Serve until told to stop. A failed journal ends it with JournalFailed, unanswered."""
        try:
            while not is_stopping():
                for key, mask in self._selector.select(0 if self._waiting else _POLL_SECONDS):
                    if key.data is None:
                        self._accept()
                    else:
                        self._serve(key.data, mask)
                self._decide()
            for key in list(self._selector.get_map().values()):
                if key.data is not None:
                    self._hang_up(key.data)
            self._decide()
        finally:
            self.close()

    def close(self) -> None:
        """Hang up on everyone."""
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    def _accept(self) -> None:
        connected, _ = self._listener.accept()
        connected.setblocking(False)
        self._selector.register(connected, selectors.EVENT_READ, _Client(connected))

    def _serve(self, client: _Client, mask: int) -> None:
        try:
            if mask & selectors.EVENT_WRITE:
                self._send(client)
            if mask & selectors.EVENT_READ:
                part = client.socket.recv(LINE_BYTES)
                if not part:
                    self._hang_up(client)
                    return
                client.inbound += part
                self._take_lines(client)
        except OSError:
            self._hang_up(client)

    def _take_lines(self, client: _Client) -> None:
        while (end := client.inbound.find(b"\n")) >= 0:
            line = bytes(client.inbound[:end])
            del client.inbound[: end + 1]
            try:
                commands, session_id = decode_session_request(line, self._clock.now_ns())
            except BadInput as refusal:
                self._answer(client, encode_error(str(refusal)))
            else:
                client.session_ids |= {session_id} - {0}
                self._waiting.append(_Request(client, commands))
        if len(client.inbound) > LINE_BYTES:
            self._answer(client, encode_error(f"a line is longer than {LINE_BYTES} bytes"))
            self._hang_up(client)

    def _decide(self) -> None:
        while self._waiting:
            batch: list[_Request] = []
            room = COMMANDS_PER_LINE
            while self._waiting and len(self._waiting[0].commands) <= room:
                room -= len(self._waiting[0].commands)
                batch.append(self._waiting.pop(0))
            frame = self._pipeline.submit([c for r in batch for c in r.commands])
            if self._on_frame is not None:
                self._on_frame(frame)
            receipts = split_receipt(receipt_of(frame), [len(r.commands) for r in batch])
            for request, receipt in zip(batch, receipts, strict=True):
                if request.client is not None:
                    self._answer(request.client, encode_receipt(receipt))

    def _answer(self, client: _Client, line: bytes) -> None:
        if client.socket.fileno() < 0:
            return  # it hung up; what it asked for was decided all the same
        client.outbound += line
        try:
            self._send(client)
        except OSError:
            self._hang_up(client)

    def _send(self, client: _Client) -> None:
        with contextlib.suppress(BlockingIOError):
            sent = client.socket.send(client.outbound)
            del client.outbound[:sent]
        if len(client.outbound) > _OUTBOUND_BYTES:
            LOG.warning("a client does not read its answers; hanging up")
            self._hang_up(client)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.outbound else 0)
        self._selector.modify(client.socket, events, client)

    def _hang_up(self, client: _Client) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(client.socket)
        client.socket.close()
        for session_id in sorted(client.session_ids):
            self._waiting.append(_Request(None, [_cancel_session(session_id, self._clock.now_ns())]))
        client.session_ids.clear()


def _cancel_session(session_id: int, received_at_ns: int) -> CancelOrders:
    return CancelOrders(
        sequence=0,
        received_at_ns=received_at_ns,
        account_id=0,
        session_id=session_id,
        instrument_id=0,
        side_code=0,
        is_disconnect=1,
    )


def _listen(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_path(path) as short:
            listener.bind(short)
    except OSError as error:
        listener.close()
        raise EngineUnreachable(f"cannot listen at {path}: {error}") from error
    listener.listen()
    listener.setblocking(False)
    return listener
