"""The primary's side of replication: what is shipped, when a frame may be acknowledged, who is in step.

Owns: the rules, as a plain object. Does not own: sockets, threads, clocks (time is an argument), the disk.

    ALONE     the fence names no standby; frames are released once they are durable here
    JOINING   the standby has all that was shipped but the last few frames: new ones wait for it already
    IN_STEP   the fence names the standby; a frame is released once it is durable there too
    FENCED    the reign is over; nothing is released ever again
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from engine.errors import Fenced
from engine.journal.disk import Content
from engine.journal.frame import HEADER_BYTES, decode_header
from engine.journal.segment import Position, SegmentHeader
from engine.replication.fence import Fence, Reign
from engine.replication.limits import LIMITS, Limits
from engine.replication.messages import (
    Durable,
    Hello,
    Message,
    Pulse,
    Refusal,
    Refused,
    Ship,
    Welcome,
    chain_hash_of,
)

_HISTORY_BYTES = 256 << 10  # old frames that are read at once


class Shipped(NamedTuple):
    """A frame as it lies in its segment."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride]  nobody searches a frame as a tuple
    segment: SegmentHeader
    raw: Content


class History(Protocol):
    """What the primary's own journal holds. Every frame asked for is durable."""

    def chain_hash(self, index: int) -> bytes:
        """The chain hash of a frame; zeros for index 0."""
        ...

    def frames(self, after_index: int, until_index: int, byte_count: int) -> Sequence[Shipped]:
        """The frames after one, at least one, until `until_index` or about so many bytes."""
        ...


class Mode(enum.Enum):
    """Where the primary stands with its standby."""

    ALONE = "alone"
    JOINING = "joining"
    IN_STEP = "in step"
    FENCED = "fenced"


class _Standby:
    """What is known of the standby that is connected."""

    def __init__(self, holder: str, index: int, now_ns: int) -> None:
        self.holder = holder
        self.durable_index = index
        self.sent_index = index
        self.newest_sent_index = index
        self.heard_ns = now_ns
        self.progress_ns = now_ns  # when it last had nothing outstanding, or less than before
        self.sent_ns = now_ns
        self.has_spoken = False  # in this term, as one that was welcomed
        self.on_way: deque[tuple[int, int]] = deque()  # index and length of frames without an answer
        self.on_way_bytes = 0

    def sent(self, index: int, byte_count: int, now_ns: int) -> None:
        """Note that a frame left."""
        if not self.on_way and index > self.newest_sent_index:  # not when it is sent again
            self.progress_ns = now_ns
        self.newest_sent_index = max(self.newest_sent_index, index)
        self.on_way.append((index, byte_count))
        self.on_way_bytes += byte_count
        self.sent_index, self.sent_ns = index, now_ns

    def arrived(self, index: int, now_ns: int) -> None:
        """Note that frames to `index` are durable there."""
        self.durable_index = index
        self.sent_index = max(self.sent_index, index)
        self.progress_ns = now_ns
        while self.on_way and self.on_way[0][0] <= index:
            self.on_way_bytes -= self.on_way.popleft()[1]

    def send_again(self) -> None:
        """Forget that frames without an answer left."""
        self.on_way.clear()
        self.sent_index, self.on_way_bytes = self.durable_index, 0


class PrimarySide:
    """The rules of one reign. Not safe for threads: its owner calls it under one lock."""

    def __init__(
        self,
        reign: Reign,
        fence: Fence,
        history: History,
        last: Position,
        limits: Limits = LIMITS,
    ) -> None:
        """Begin alone, behind the journal's last frame; `reign` is what the fence says, without a standby."""
        self.reign = reign
        self.mode = Mode.ALONE
        self.last_index = last.index  # the last frame that the writer began to write
        self.committed_index = last.index
        self.why_fenced = ""
        self._fence = fence
        self._history = history
        self._limits = limits
        self._standby: _Standby | None = None
        self._joined_index = 0
        self._recent: deque[Shipped] = deque()  # the newest frames, among them all that are not committed
        self._recent_bytes = 0
        self._outbox: list[Message] = []
        self._pulse_ns = 0
        self._join_from_ns = 0  # a standby that was too slow is not waited for again at once
        self._is_hang_up_due = False

    @property
    def has_standby(self) -> bool:
        """Whether a standby was welcomed and not given up."""
        return self._standby is not None

    def take_hang_up(self) -> bool:
        """Whether the connection is to be closed once all messages are sent; asked once each time."""
        is_due, self._is_hang_up_due = self._is_hang_up_due, False
        return is_due

    @property
    def behind_count(self) -> int:
        """Frames that the standby lacks; all of them when there is none."""
        return self.last_index - (self._standby.durable_index if self._standby else 0)

    def take_messages(self) -> list[Message]:
        """What is to be sent to the standby, in order."""
        messages, self._outbox = self._outbox, []
        return messages

    # --- the writer's side -----------------------------------------------------------------------------

    def send(self, segment: SegmentHeader, raw: Content, now_ns: int) -> None:
        """Take the next frame, which is about to be written. Raises Fenced."""
        self._refuse_fenced()
        self.last_index = decode_header(bytes(raw[:HEADER_BYTES]), segment.seed).index
        self._recent.append(Shipped(self.last_index, segment, raw))
        self._recent_bytes += len(raw)
        if self._standby is not None and self._is_recent(self._standby.sent_index + 1):
            self._pump(now_ns)  # the writer does not read old frames for a standby that catches up

    def is_released(self, index: int) -> bool:
        """Whether a frame that is durable here may be acknowledged. Raises Fenced."""
        self._refuse_fenced()
        standby = self._standby
        if standby is None or self.mode is Mode.ALONE or index <= standby.durable_index:
            return True
        return self.mode is Mode.JOINING and index <= self._joined_index

    def commit(self, index: int) -> None:
        """Note that a released frame is durable here: readers may see it."""
        self.committed_index = index
        self._forget_recent()

    # --- the standby's side ----------------------------------------------------------------------------

    def hung_up(self, now_ns: int) -> None:
        """The standby's connection ended."""
        self._give_up()

    def receive(self, message: Message, now_ns: int) -> None:
        """Take one message of the connected standby."""
        if self.mode is Mode.FENCED:
            return
        match message:
            case Hello():
                self._on_hello(message, now_ns)
            case Durable():
                self._on_durable(message, now_ns)
            case _:
                return
        self._pump(now_ns)

    def tick(self, now_ns: int) -> None:
        """Let time pass: give a silent standby up, send again, tell that the primary is here."""
        standby = self._standby
        if standby is None or self.mode is Mode.FENCED:
            return
        limit = self._limits.primary_silence_ns
        is_outstanding = standby.sent_index > standby.durable_index
        if now_ns - standby.heard_ns > limit or (is_outstanding and now_ns - standby.progress_ns > limit):
            self._join_from_ns = now_ns + self._limits.rest_ns
            self._give_up()
            return
        if is_outstanding and now_ns - max(standby.progress_ns, standby.sent_ns) > self._limits.resend_ns:
            standby.send_again()
        self._pump(now_ns)
        if now_ns - self._pulse_ns >= self._limits.pulse_ns:
            self._pulse(now_ns)

    # --- rules -----------------------------------------------------------------------------------------

    def _on_hello(self, hello: Hello, now_ns: int) -> None:
        standby = self._standby
        if standby is not None and standby.holder != hello.holder:
            self._refuse(hello.holder, Refusal.BUSY)
            return
        if hello.last.term > self.reign.term and self._is_reign_over():
            return
        if hello.last.index > self.last_index or self._chain_hash(hello.last.index) != hello.last.chain_hash:
            self._give_up()
            self._refuse(hello.holder, Refusal.DIVERGED)
            return
        if standby is None:
            self._standby = _Standby(hello.holder, hello.last.index, now_ns)
        else:
            standby.heard_ns = now_ns
        self._outbox.append(Welcome(self.reign.term, self.reign.holder, hello.holder))

    def _on_durable(self, durable: Durable, now_ns: int) -> None:
        standby = self._standby
        if standby is None or durable.standby != standby.holder or durable.term != self.reign.term:
            return
        standby.heard_ns = now_ns
        standby.has_spoken = True
        if durable.index > standby.durable_index:
            if durable.index > self.last_index or self._differs(durable):
                self._give_up()
                self._refuse(durable.standby, Refusal.DIVERGED)
                return
            standby.arrived(durable.index, now_ns)
            self._forget_recent()
        if self.mode is Mode.JOINING and standby.durable_index >= self._joined_index:
            self._count_on(standby, now_ns)

    def _count_on(self, standby: _Standby, now_ns: int) -> None:
        """Name the standby in the fence: it has every frame that was released without it."""
        if self._swap(self.reign._replace(standby=standby.holder)):
            self.mode = Mode.IN_STEP
            self._pulse(now_ns)

    def _give_up(self) -> None:
        """Go on without the standby; first strike it out of the fence, or find out that it has taken over."""
        if self._standby is None or self.mode is Mode.FENCED:
            return
        self._standby = None
        self._outbox.clear()
        self._is_hang_up_due = True
        if self.mode is Mode.IN_STEP and not self._swap(self.reign._replace(standby="")):
            return
        self.mode = Mode.ALONE
        self._forget_recent()

    def _swap(self, new: Reign) -> bool:
        try:
            if self._fence.swap(self.reign, new):
                self.reign = new
                return True
            self._end(f"the reign of term {self.reign.term} is over: the fence says {self._fence.read()}")
        except Fenced as error:
            self._end(str(error))
        return False

    def _is_reign_over(self) -> bool:
        """Ask the fence; a journal of a later term was met."""
        try:
            if (found := self._fence.read()) == self.reign:
                return False
            self._end(f"the reign of term {self.reign.term} is over: the fence says {found}")
        except Fenced as error:
            self._end(str(error))
        return True

    def _end(self, why: str) -> None:
        self.mode, self.why_fenced = Mode.FENCED, why
        self._standby = None
        self._outbox.clear()
        self._is_hang_up_due = True

    def _refuse_fenced(self) -> None:
        if self.mode is Mode.FENCED:
            raise Fenced(self.why_fenced)

    def _refuse(self, holder: str, reason: Refusal) -> None:
        if self.mode is not Mode.FENCED:
            self._outbox.append(Refused(self.reign.term, holder, reason))
            self._is_hang_up_due = True

    def _pulse(self, now_ns: int) -> None:
        self._pulse_ns = now_ns
        is_in_step = self.mode is Mode.IN_STEP
        self._outbox.append(Pulse(self.reign.term, self.last_index, self.committed_index, is_in_step))

    # --- frames ----------------------------------------------------------------------------------------

    def _pump(self, now_ns: int) -> None:
        """Ship what the window lets pass; when nothing is left, new frames begin to wait for the standby."""
        standby = self._standby
        if standby is None or self.mode is Mode.FENCED:
            return
        room = self._limits.window_bytes - standby.on_way_bytes
        while standby.sent_index < self.last_index and room > 0:
            is_recent = self._is_recent(standby.sent_index + 1)
            for index, segment, raw in self._next_frames(standby.sent_index, min(room, _HISTORY_BYTES)):
                self._outbox.append(Ship(self.reign.term, self.committed_index, segment, raw))
                standby.sent(index, len(raw), now_ns)
                room -= len(raw)
            if not is_recent:
                break  # more with the next answer, so that the writer is never held up for long
        is_level = standby.has_spoken and standby.sent_index == self.last_index
        if self.mode is Mode.ALONE and is_level and now_ns >= self._join_from_ns:
            self.mode, self._joined_index = Mode.JOINING, self.last_index
            if standby.durable_index >= self._joined_index:
                self._count_on(standby, now_ns)

    def _is_recent(self, index: int) -> bool:
        return bool(self._recent) and self._recent[0].index <= index

    def _next_frames(self, after_index: int, byte_count: int) -> Sequence[Shipped]:
        if self._is_recent(after_index + 1):
            return [self._recent[after_index + 1 - self._recent[0].index]]
        return self._history.frames(after_index, self.committed_index, byte_count)

    def _forget_recent(self) -> None:
        """Keep what may be needed and cannot be read again: frames that are not committed or just sent."""
        durable = self._standby.durable_index if self._standby else self.committed_index
        while self._recent:
            index, _, raw = self._recent[0]
            is_needed = index > durable and self._recent_bytes <= self._limits.window_bytes
            if index > self.committed_index or is_needed:
                return
            self._recent.popleft()
            self._recent_bytes -= len(raw)

    def _chain_hash(self, index: int) -> bytes:
        if self._is_recent(index):
            return chain_hash_of(self._recent[index - self._recent[0].index].raw)
        return self._history.chain_hash(index)

    def _differs(self, durable: Durable) -> bool:
        """Whether the standby's chain is another, as far as that can be told at once.

        Frames that are read from the journal for it continue a chain that its greeting proved.
        """
        return self._is_recent(durable.index) and self._chain_hash(durable.index) != durable.chain_hash
