"""The engine as a process: one thread gathers what clients sent, decides it in frames, and answers.

While a frame is on its way to the disk the next one is decided; whatever arrived meanwhile shares a frame,
and frames share a sync (group commit). Nothing is answered before it is durable. The socket lies in a folder
that only its owner may enter. The orders of a session that asked for it are cancelled when its connection
ends, even when the engine itself is what stops. A client speaks lines of JSON or binary requests: the first
byte tells.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from engine.batch import Batch
from engine.clock import Clock
from engine.errors import BadInput
from engine.gateway import binary
from engine.gateway.client import events_caused, receipt_of_sections
from engine.gateway.protocol import (
    COMMANDS_PER_LINE,
    LINE_BYTES,
    decode_session_request,
    encode_error,
    encode_receipt,
)
from engine.journal.committer import Committer, CommittingJournal
from engine.journal.disk import Content
from engine.journal.frame import Frame
from engine.local_socket import listen_at
from engine.pipeline import Pipeline
from engine.risk.desk import RiskDesk
from schemas.market import CancelOrder, CancelOrders, SetKillSwitch
from schemas.record import record_of

LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.2
_OUTBOUND_BYTES = 8 * LINE_BYTES  # a client that does not read its answers is hung up on
TAKEN_WHEN_LOW = frozenset(record_of(c).type_code for c in (CancelOrder, CancelOrders, SetKillSwitch))
_LOW = "the journal's disk is full: only cancels are taken"


class Snapshots(Protocol):
    """Who is told of durable frames and may ask to look at the state between two of them."""

    @property
    def is_due(self) -> bool:
        """Whether the state should be kept; deciding waits until all that was decided is durable."""
        ...

    def on_frame(self, frame: Frame) -> None:
        """A frame is durable; its answers have not left yet."""
        ...

    def keep(self) -> None:
        """The state is that after the last frame: keep it."""
        ...


class _Request(NamedTuple):
    client: _Client | None  # none when a session ended, or the risk desk asks
    binary_id: int | None  # none for a line of JSON
    batch: Batch


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
        journal: CommittingJournal,
        path: Path,
        clock: Clock,
        snapshots: Snapshots | None = None,
    ) -> None:
        """Listen at `path`. `journal` is the one that the pipeline stages its frames in."""
        self._pipeline = pipeline
        self._journal = journal
        self._clock = clock
        self._snapshots = snapshots
        self._selector = selectors.DefaultSelector()
        self._received = memoryview(bytearray(LINE_BYTES))  # one for all: taking so much anew costs more
        self._waiting: deque[_Request] = deque()
        self._deciding: deque[list[_Request]] = deque()  # a list for each frame that is not durable yet
        self._desk: RiskDesk | None = None
        self._steps: _Request | None = None  # what the desk asked and is not decided yet
        self._listener = listen_at(path)
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._committer = Committer(journal, self._wake)

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Serve until told to stop. A failed journal ends it with JournalFailed, unanswered."""
        try:
            while not is_stopping():
                for key, mask in self._selector.select(0 if self._may_decide() else _POLL_SECONDS):
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.data is None:
                        with contextlib.suppress(BlockingIOError):
                            self._woken.recv(4096)
                    else:
                        self._serve(key.data, mask)
                self._answer_durable()
                self._decide()
            for key in list(self._selector.get_map().values()):
                if key.data is not None:
                    self._hang_up(key.data)
            while self._waiting or self._deciding:
                self._decide()
                self._committer.drain()
                self._answer_durable()
        finally:
            self.close()

    def close(self) -> None:
        """Hang up on everyone."""
        self._committer.close()
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()
        self._waker.close()

    # Connections --------------------------------------------------------------------------------

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def _accept(self) -> None:
        connected, _ = self._listener.accept()
        connected.setblocking(False)
        self._selector.register(connected, selectors.EVENT_READ, _Client(connected))

    def _serve(self, client: _Client, mask: int) -> None:
        try:
            if mask & selectors.EVENT_WRITE:
                self._send(client)
            if mask & selectors.EVENT_READ:
                count = client.socket.recv_into(self._received)
                if not count:
                    self._hang_up(client)
                    return
                client.inbound += self._received[:count]
                if client.inbound.startswith(binary.REQUEST_MAGIC[:1]):
                    self._take_requests(client)
                else:
                    self._take_lines(client)
        except OSError:
            self._hang_up(client)

    def _take_lines(self, client: _Client) -> None:
        while (end := client.inbound.find(b"\n")) >= 0:
            line = bytes(client.inbound[:end])
            del client.inbound[: end + 1]
            try:
                commands, session_id = decode_session_request(line, self._clock.now_ns())
                self._take(_Request(client, None, Batch.of(commands)), session_id)
            except BadInput as refusal:
                self._answer(client, encode_error(str(refusal)))
        if len(client.inbound) > LINE_BYTES:
            self._answer(client, encode_error(f"a line is longer than {LINE_BYTES} bytes"))
            self._hang_up(client)

    def _take_requests(self, client: _Client) -> None:
        begin = 0
        view = client.inbound
        try:
            while (length := binary.request_bytes(view[begin : begin + binary.REQUEST_HEAD_BYTES])) and (
                begin + length <= len(view)
            ):
                raw = bytes(view[begin : begin + length])
                begin += length
                try:
                    request_id, session_id, batch = binary.decode_request(raw, self._clock.now_ns())
                    self._take(_Request(client, request_id, batch), session_id)
                except BadInput as refusal:
                    self._answer(client, binary.encode_refusal(binary.request_id_of(raw), str(refusal)))
        except BadInput as refusal:
            self._answer(client, binary.encode_refusal(0, str(refusal)))
            self._hang_up(client)
        del client.inbound[:begin]

    def _take(self, request: _Request, session_id: int) -> None:
        if self._journal.is_low and not request.batch.has_only(TAKEN_WHEN_LOW):
            raise BadInput(_LOW)
        if request.client is not None:
            request.client.session_ids |= {session_id} - {0}
        self._waiting.append(request)

    # Deciding and answering -----------------------------------------------------------------------

    def _may_decide(self) -> bool:
        is_due = self._snapshots is not None and self._snapshots.is_due
        return bool(self._waiting) and self._committer.has_room and not (is_due and self._deciding)

    def _decide(self) -> None:
        while self._may_decide():
            if self._snapshots is not None and self._snapshots.is_due:
                self._snapshots.keep()
            batch: list[_Request] = []
            room = COMMANDS_PER_LINE
            while self._waiting and len(self._waiting[0].batch) <= room:
                room -= len(self._waiting[0].batch)
                batch.append(self._waiting.popleft())
            self._deciding.append(batch)
            self._committer.put(self._pipeline.stage(Batch.joined([r.batch for r in batch])))
            self._look_after_accounts(batch)
        self._committer.flush()
        self._answer_durable()

    def _look_after_accounts(self, decided: list[_Request]) -> None:
        """Let the risk desk ask its next steps, once those that it asked before are decided."""
        if not self._pipeline.is_configured or self._journal.is_low:
            return
        if self._steps is not None and not any(request is self._steps for request in decided):
            return
        self._desk = self._desk or RiskDesk(self._pipeline.state)
        commands = self._desk.due(self._clock.now_ns())
        self._steps = _Request(None, None, Batch.of(commands)) if commands else None
        if self._steps is not None:
            self._waiting.append(self._steps)

    def _answer_durable(self) -> None:
        for frame in self._committer.take():
            if self._snapshots is not None:
                self._snapshots.on_frame(frame)
            first = frame.first_sequence
            for request in self._deciding.popleft():
                if request.client is not None:
                    self._answer(request.client, _encoded(request, frame, first))
                first += len(request.batch)

    def _answer(self, client: _Client, line: Content) -> None:
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
            cancel = _cancel_session(session_id, self._clock.now_ns())
            self._waiting.append(_Request(None, None, Batch.of([cancel])))
        client.session_ids.clear()


def _encoded(request: _Request, frame: Frame, first_sequence: int) -> Content:
    count = len(request.batch)
    if request.binary_id is not None:
        return binary.encode_answer(request.binary_id, frame, first_sequence, count)
    caused = events_caused(frame, first_sequence, count)
    return encode_receipt(receipt_of_sections(frame.index, first_sequence, caused))


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
