"""The primary's shell: the writer's mirror on one side, the standby's socket on the other.

Owns: the socket, the lock around the rules, one thread for when the writer is idle. Does not own: any rule
(primary). Whoever holds the lock does what is due on the socket, so that a frame waits for no other thread.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from engine.errors import BadInput, Fenced
from engine.journal.disk import Content
from engine.journal.segment import SegmentHeader
from engine.local_socket import listen_at
from engine.replication.limits import LIMITS, Limits
from engine.replication.messages import MessageStream, encode_message
from engine.replication.primary import Mode, PrimarySide
from engine.replication.standing import Standing, write_standing

LOG = logging.getLogger(__name__)
_PART_BYTES = 1 << 20
_BUFFER_BYTES = 4 << 20
_NS = 1_000_000_000


class _Connection:
    """One standby's socket: what it sent and was not whole yet, what it could not take yet."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        self.socket = connected
        self.stream = MessageStream()
        self.outbound: deque[memoryview] = deque()
        self.since_ns = time.monotonic_ns()

    def flush(self) -> None:
        """Send what the socket takes. Raises OSError when the other side is gone."""
        try:
            while self.outbound:
                sent = self.socket.sendmsg(list(self.outbound)[:64])
                while sent:
                    part = self.outbound.popleft()
                    if sent < len(part):
                        self.outbound.appendleft(part[sent:])
                        break
                    sent -= len(part)
        except BlockingIOError:
            pass


class MirrorServer:
    """Mirrors a writer's frames to one standby. Once the reign is over the writer's calls raise Fenced."""

    def __init__(self, path: Path, standing: Path, limits: Limits = LIMITS) -> None:
        """Prepare to listen at `path` and to tell at `standing` how things are; `begin` starts it."""
        self._path = path
        self._standing = standing
        self._limits = limits
        self._lock = threading.Lock()
        self._side: PrimarySide | None = None
        self._listener: socket.socket | None = None
        self._connection: _Connection | None = None
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._is_closing = self._is_awaited = False
        self._failure: BaseException | None = None
        self._told: Standing | None = None
        self._told_ns = 0
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def begin(self, side: PrimarySide) -> None:
        """Mirror by these rules from now on. Raises EngineUnreachable when nobody can listen."""
        self._side = side
        self._listener = listen_at(self._path)
        self._thread.start()

    def close(self) -> None:
        """Hang up. The fence stays as it is: a standby in step takes over at once."""
        if self._is_closing:
            return
        self._is_closing = True
        os.eventfd_write(self._wake, 1)
        if self._thread.ident is not None:
            self._thread.join()
        if self._listener is not None:
            self._listener.close()
        if self._connection is not None:
            self._connection.socket.close()
        os.close(self._wake)

    def check(self) -> None:
        """Raise Fenced when the reign is over, or what ended the mirror; asked while there is no frame."""
        with self._lock:
            self._refuse_failed()

    def until(self, is_stopping: Callable[[], bool]) -> Callable[[], bool]:
        """The same question, which also raises what `check` raises."""

        def is_over() -> bool:
            self.check()
            return is_stopping()

        return is_over

    @property
    def is_in_step(self) -> bool:
        """Whether a standby has every acknowledged frame."""
        return self._side is not None and self._side.mode is Mode.IN_STEP

    # --- the writer's side -----------------------------------------------------------------------------

    def send(self, segment: SegmentHeader, raw: Content) -> None:
        """Give the standby a frame that is about to be written here."""
        with self._lock:
            side = self._refuse_failed()
            side.send(segment, raw, time.monotonic_ns())
            self._flush()
            if self._connection is not None and self._connection.outbound:
                os.eventfd_write(self._wake, 1)

    def wait(self, index: int) -> None:
        """Return when all frames to `index` are where they must be. Raises Fenced."""
        while True:
            with self._lock:
                self._is_awaited = True  # the other thread leaves the socket to this one
                side = self._refuse_failed()
                self._serve()
                if side.is_released(index):
                    side.commit(index)
                    self._is_awaited = False
                    return
                connection = self._connection
            if connection is not None:
                interest = select.POLLIN | (select.POLLOUT if connection.outbound else 0)
                _poll([(connection.socket.fileno(), interest)], self._limits.pulse_ns)

    # --- the socket ------------------------------------------------------------------------------------

    def _run(self) -> None:
        """Serve the socket while the writer has nothing to wait for."""
        try:
            while not self._is_closing:
                with self._lock:
                    if not self._is_awaited:
                        self._serve()
                    waited_for = self._interest()
                    self._tell()
                ready = _poll(waited_for, self._limits.pulse_ns // 2)
                if self._wake in ready:
                    os.eventfd_read(self._wake)
                if self._listener is not None and self._listener.fileno() in ready:
                    with self._lock:
                        self._accept(self._listener)
        except BaseException as error:
            LOG.error("the mirror ended: %r", error)
            with self._lock:
                self._failure = error

    def _interest(self) -> list[tuple[int, int]]:
        listener, connection = self._listener, self._connection
        found = [(self._wake, select.POLLIN)]
        if listener is not None:
            found.append((listener.fileno(), select.POLLIN))
        if connection is not None:
            # In step the writer takes its answers itself; a look every pulse is enough for the rest.
            interest = 0 if self.is_in_step or self._is_awaited else select.POLLIN
            found.append(
                (connection.socket.fileno(), interest | (select.POLLOUT if connection.outbound else 0))
            )
        return [(descriptor, interest) for descriptor, interest in found if interest]

    def _accept(self, listener: socket.socket) -> None:
        try:
            connected, _ = listener.accept()
        except OSError:
            return
        self._serve()  # the one before may be gone without anyone having looked
        if self._connection is None:
            self._connection = _Connection(connected)
        else:
            connected.close()  # one standby at a time

    def _serve(self) -> None:
        """Take what came, let time pass, send what is due. The caller holds the lock."""
        side, connection = self._side, self._connection
        if side is None:
            return
        before = side.mode
        if connection is not None and not self._take(side, connection):
            self._hang_up()
        now = time.monotonic_ns()
        side.tick(now)
        self._flush()
        connection = self._connection
        if (
            connection
            and not side.has_standby
            and now - connection.since_ns > self._limits.primary_silence_ns
        ):
            self._hang_up()  # it never said who it is
        if side.mode is not before:
            LOG.info("term %d: %s, at frame %d", side.reign.term, side.mode.value, side.last_index)

    def _take(self, side: PrimarySide, connection: _Connection) -> bool:
        """Give the rules every message that came; whether the connection still stands."""
        try:
            while True:
                part = connection.socket.recv(_PART_BYTES)
                if not part:
                    return False
                for message in connection.stream.take(part):
                    side.receive(message, time.monotonic_ns())
        except BlockingIOError:
            return True
        except BadInput as refusal:
            LOG.warning("a standby is hung up on: %s", refusal)
            return False
        except OSError:
            return False

    def _flush(self) -> None:
        side, connection = self._side, self._connection
        if side is None:
            return
        messages = side.take_messages()
        if connection is not None:
            for message in messages:
                connection.outbound.extend(memoryview(p).cast("B") for p in encode_message(message))
            try:
                connection.flush()
            except OSError:
                self._hang_up()
        if side.take_hang_up():
            self._hang_up()

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._side is not None:  # the fence first: whoever sees the connection end asks it
                self._side.hung_up(time.monotonic_ns())
                self._side.take_hang_up()
            connection.socket.close()

    def _refuse_failed(self) -> PrimarySide:
        side = self._side
        if self._failure is not None:
            raise self._failure
        if side is None:
            raise Fenced("the reign has not begun")
        if side.mode is Mode.FENCED:
            raise Fenced(side.why_fenced)
        return side

    def _tell(self) -> None:
        side = self._side
        if side is None:
            return
        now, is_in_step = time.monotonic_ns(), side.mode is Mode.IN_STEP
        standing = Standing("primary", side.reign.term, is_in_step, side.committed_index, side.behind_count)
        is_news = self._told is None or standing[:3] != self._told[:3]
        if is_news or now - self._told_ns > _NS:
            write_standing(self._standing, standing)
            self._told, self._told_ns = standing, now


def _poll(descriptors: list[tuple[int, int]], timeout_ns: int) -> set[int]:
    poll = select.poll()
    for descriptor, interest in descriptors:
        if descriptor >= 0:
            poll.register(descriptor, interest)
    return {descriptor for descriptor, _ in poll.poll(timeout_ns / 1_000_000)}
