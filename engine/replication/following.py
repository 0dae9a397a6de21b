"""The standby's shell: follows a primary over its socket until told to stop, or until it reigns.

Owns: the connection, the order of taking over, copying again after a divergence. Does not own: any rule
(standby), deciding again (applier).
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from engine.clock import Clock
from engine.config import EngineSettings, Home
from engine.errors import BadInput, Fenced, JournalDamaged
from engine.journal.replica import ReplicaJournal
from engine.local_socket import short_path
from engine.pipeline import Pipeline
from engine.replication.applier import Applier
from engine.replication.fence import Fence, Reign
from engine.replication.identity import identity_of, read_identity, set_aside
from engine.replication.limits import Limits
from engine.replication.messages import MessageStream, encode_message
from engine.replication.standby import StandbySide
from engine.replication.standing import Standing, write_standing

LOG = logging.getLogger(__name__)
_PART_BYTES = 128 << 10  # little by little, so that a busy standby still makes progress
_TURN_SECONDS = 0.02
_NS = 1_000_000_000


class Takeover(NamedTuple):
    """A standby that reigns from now on."""

    reign: Reign
    pipeline: Pipeline  # its state is that of the last frame
    frame_index: int
    finish_snapshot: Callable[[], None]


class Follower:
    """One standby process."""

    def __init__(
        self, home: Home, primary: Path, fence: Fence, settings: EngineSettings, limits: Limits, clock: Clock
    ) -> None:
        """Open the copy in `home`; `primary` is the socket to follow.

        Raises Fenced when this copy reigns, JournalDamaged when it does not verify and the fence counts
        on it, InvariantBroken when its frames decided again differ.
        """
        self._home = home
        self._primary = primary
        self._fence = fence
        self._settings = settings
        self._limits = limits
        self._clock = clock
        self._connected: socket.socket | None = None
        self._stream = MessageStream()
        self._is_closing = False
        self._folder_lock = threading.Lock()  # the preparing thread and whoever closes the replica
        self._told: Standing | None = None
        self._is_told_lost = False
        self._told_ns = 0
        self._open()
        self._preparer = threading.Thread(target=self._prepare, name="prepare", daemon=True)
        self._preparer.start()

    def run(self, is_stopping: Callable[[], bool]) -> Takeover | None:
        """Follow until told to stop (None) or until the reign is taken over."""
        try:
            while not is_stopping():
                self._turn()
                if self._side.is_diverged:
                    self._copy_again()
                elif self._side.is_primary_lost(time.monotonic_ns()) and (taken := self._take_over()):
                    return taken
            return None
        finally:
            self.close()

    def close(self) -> None:
        """Hang up and release the folder."""
        self._is_closing = True
        self._disconnect()
        self._applier.close()
        with self._folder_lock:
            self._replica.close()

    # --- one turn --------------------------------------------------------------------------------------

    def _turn(self) -> None:
        self._applier.check()
        if self._connected is None:
            self._connect()
        if self._connected is None or self._applier.is_full:
            time.sleep(_TURN_SECONDS / 4)
        else:
            self._take(self._connected)
        self._side.tick(time.monotonic_ns())
        self._send()
        self._tell()

    def _take(self, connected: socket.socket) -> None:
        """Take what came: write it, sync it, answer it, and only then have it decided again."""
        if not select.select([connected], [], [], _TURN_SECONDS)[0]:
            return
        try:
            part = connected.recv(_PART_BYTES)
            for message in self._stream.take(part):
                self._side.receive(message, time.monotonic_ns())
        except (OSError, BadInput) as error:
            LOG.warning("the primary is hung up on: %s", error)
            part = b""
        if not part:
            self._disconnect()
        self._side.settle(time.monotonic_ns())
        self._send()
        self._applier.put(self._side.take_frames())

    def _send(self) -> None:
        messages = self._side.take_messages()
        if self._connected is not None:
            try:
                for message in messages:
                    self._connected.sendall(b"".join(encode_message(message)))
            except OSError:
                self._disconnect()

    def _connect(self) -> None:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.settimeout(self._limits.primary_silence_ns / _NS)
        try:
            with short_path(self._primary) as short:
                made.connect(short)
        except OSError:
            made.close()
            return
        self._connected, self._stream = made, MessageStream()
        self._side.connected(time.monotonic_ns())

    def _disconnect(self) -> None:
        connected, self._connected = self._connected, None
        if connected is not None:
            connected.close()
            self._side.hung_up(time.monotonic_ns())

    # --- the copy --------------------------------------------------------------------------------------

    def _open(self) -> None:
        reign, identity = self._fence.read(), read_identity(self._home.journal)
        if reign is not None and identity and reign.holder == identity:
            raise Fenced(f"term {reign.term} is the reign of this copy: start it as the engine")
        size = self._settings.segment_bytes
        try:
            replica = ReplicaJournal.open(self._home.journal, segment_bytes=size)
        except JournalDamaged as damage:
            if reign is not None and identity and reign.standby == identity:
                raise
            aside = set_aside(self._home)
            LOG.error("the copy does not verify (%s); it is set aside in %s and made again", damage, aside)
            replica = ReplicaJournal.open(self._home.journal, segment_bytes=size)
        try:
            identity = identity_of(self._home, self._clock)
            self._applier = Applier(self._home, replica.last, self._settings.snapshot_frame_count)
        except BaseException:
            replica.close()
            raise
        self._replica = replica
        self._side = StandbySide(identity, replica, self._fence, time.monotonic_ns(), self._limits)
        LOG.info("%s stands by with %d frames", identity, replica.last.index)

    def _copy_again(self) -> None:
        """The journal holds a frame that nobody was told of and that the primary does not have."""
        last, marked = self._replica.last, self._replica.marked_index
        self._disconnect()
        self._applier.close()
        self._applier.finish_snapshot()
        with self._folder_lock:
            self._replica.close()
            aside = set_aside(self._home)
            LOG.warning(
                "a frame from %d to %d is not the primary's; set aside in %s", marked + 1, last.index, aside
            )
            self._open()

    def _take_over(self) -> Takeover | None:
        """Decide the last frames, then ask the fence. Raises InvariantBroken when one differs."""
        self._applier.put(self._side.take_frames())
        self._applier.drain()
        reign = self._side.take_over(time.monotonic_ns())
        if reign is None:
            if not self._is_told_lost:
                LOG.warning(
                    "the primary is lost, and the fence does not count on this copy: it cannot take over"
                )
            self._is_told_lost = True
            return None
        LOG.info("term %d: %s takes over at frame %d", reign.term, reign.holder, self._replica.last.index)
        applier = self._applier
        return Takeover(reign, applier.pipeline, applier.frame_index, applier.finish_snapshot)

    def _prepare(self) -> None:
        """Make segments ahead of need; a failure shows at the next frame."""
        while not self._is_closing:
            is_more = False
            with self._folder_lock, contextlib.suppress(Exception):
                is_more = self._replica.prepare()
            time.sleep(self._replica.pause_seconds(is_more=is_more))

    def _tell(self) -> None:
        side, now = self._side, time.monotonic_ns()
        behind = max(0, side.primary_index - self._applier.frame_index)
        standing = Standing("standby", side.term, side.is_in_step, self._replica.marked_index, behind)
        is_news = self._told is None or standing[:3] != self._told[:3]
        if is_news or now - self._told_ns > _NS:
            if is_news:
                LOG.info("term %d: %s", side.term, "in step" if side.is_in_step else "not in step")
                self._is_told_lost = self._is_told_lost and not side.is_in_step
            write_standing(self._home.standing, standing)
            self._told, self._told_ns = standing, now
