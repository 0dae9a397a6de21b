"""The standby's side of replication: what is taken, when it is answered, when the reign may be taken over.

Owns: the rules, as a plain object. Does not own: sockets, threads, clocks (time is an argument), deciding the
frames again (applier). The disk is reached through the replica only.

A frame is answered once it is durable here. The reign changes hands only by the fence, and the fence names
this standby only while no frame is acknowledged without it.
"""

from __future__ import annotations

from typing import Protocol

from engine.errors import InvariantBroken, JournalDamaged
from engine.journal.disk import Content
from engine.journal.frame import HEADER_BYTES, Frame, FrameHeader, decode_header
from engine.journal.segment import Position, SegmentHeader
from engine.replication.fence import Fence, Reign
from engine.replication.limits import LIMITS, Limits
from engine.replication.messages import Durable, Hello, Message, Pulse, Refusal, Refused, Ship, Welcome


class Replica(Protocol):
    """The standby's own journal, written with another's frames (`engine.journal.replica`)."""

    @property
    def last(self) -> Position:
        """The last frame written."""
        ...

    def write(self, segment: SegmentHeader, raw: Content) -> Frame:
        """Write the next frame where it belongs. Raises JournalDamaged when it continues another journal."""
        ...

    def sync(self) -> None:
        """Return when all that was written survives a power cut."""
        ...

    def advance_mark(self, index: int) -> None:
        """Let readers see frames to `index`, as far as they are here."""
        ...


class StandbySide:
    """The rules of one standby. Not safe for threads."""

    def __init__(
        self, holder: str, replica: Replica, fence: Fence, now_ns: int, limits: Limits = LIMITS
    ) -> None:
        """Stand by with what the replica holds; `holder` is the identity of this copy."""
        self.holder = holder
        self.term = replica.last.term  # of the reign that is followed; no message of a lower one counts
        self.is_in_step = False  # as the primary told last
        self.is_diverged = False  # this journal is to be set aside and copied again
        self.primary_index = 0  # the last frame of the primary, as told
        self.complaint = ""  # the last frame that did not verify, if any
        self._replica = replica
        self._fence = fence
        self._limits = limits
        self.is_connected = False
        self._is_welcome = self._is_hung_up = self._is_over = False
        self._heard_ns = now_ns
        self._said_ns = now_ns
        self._next_try_ns = now_ns
        self._committed_index = 0
        self._unsynced: list[Frame] = []
        self._durable: list[Frame] = []
        self._is_answer_due = False
        self._outbox: list[Message] = []

    def take_messages(self) -> list[Message]:
        """What is to be sent to the primary, in order."""
        messages, self._outbox = self._outbox, []
        return messages

    def take_frames(self) -> list[Frame]:
        """Frames that became durable here, in order: to be decided again."""
        frames, self._durable = self._durable, []
        return frames

    # --- the connection --------------------------------------------------------------------------------

    def connected(self, now_ns: int) -> None:
        """A connection to the primary stands."""
        self.is_connected, self._is_welcome = True, False
        self._greet(now_ns)

    def hung_up(self, now_ns: int) -> None:
        """The connection ended."""
        self.is_connected = self._is_welcome = self.is_in_step = False
        self._is_hung_up = True
        self._outbox.clear()

    def receive(self, message: Message, now_ns: int) -> None:
        """Take one message.

        Raises JournalFailed when the disk refuses, InvariantBroken when the primary contradicts the fence.
        """
        if self._is_over or self.is_diverged:
            return
        match message:
            case Welcome():
                self._on_welcome(message, now_ns)
            case Refused():
                self._on_refused(message)
            case Ship() if self._is_of_reign(message.term, now_ns):
                self._on_ship(message)
            case Pulse() if self._is_of_reign(message.term, now_ns):
                self.primary_index, self.is_in_step = message.last_index, message.is_in_step
                self._committed_index = max(self._committed_index, message.committed_index)
                self._replica.advance_mark(self._committed_index)
            case _:
                pass

    def settle(self, now_ns: int) -> None:
        """No more messages wait: make durable what was written, by one sync, and answer."""
        self._sync()
        if self._is_answer_due:
            self._answer(now_ns)

    def tick(self, now_ns: int) -> None:
        """Let time pass: tell that the standby is here."""
        if self._is_over or not self.is_connected:
            return
        if self._is_welcome and now_ns - self._heard_ns > self._limits.standby_silence_ns:
            self._is_welcome = self.is_in_step = False  # it may have given us up: introduce ourselves again
        if now_ns - self._said_ns >= self._limits.pulse_ns:
            if self._is_welcome:
                self._answer(now_ns)
            else:
                self._greet(now_ns)

    # --- taking over -----------------------------------------------------------------------------------

    def is_primary_lost(self, now_ns: int) -> bool:
        """Whether it is time to try to take over. Every durable frame must then be decided again first."""
        if self._is_over or self.is_diverged or now_ns < self._next_try_ns:
            return False
        return self._is_hung_up or now_ns - self._heard_ns > self._limits.standby_silence_ns

    def take_over(self, now_ns: int) -> Reign | None:
        """Take the reign if the fence counts on this standby: the new reign, or None. Raises Fenced.

        With the reign, every frame here counts as acknowledged, and no message is taken any more.
        """
        self._next_try_ns = now_ns + self._limits.pulse_ns
        self._sync()
        found = self._fence.read()
        if found is None or found.standby != self.holder:
            return None
        new = Reign(found.term + 1, self.holder, "")
        if not self._fence.swap(found, new):
            return None
        self._is_over = True
        self._outbox.clear()
        return new

    # --- rules -----------------------------------------------------------------------------------------

    def _is_of_reign(self, term: int, now_ns: int) -> bool:
        """Whether a message is of the reign that is followed; a lower term is a primary that is over."""
        if not self._is_welcome or term != self.term:
            return False
        self._heard_ns = now_ns
        return True

    def _on_welcome(self, welcome: Welcome, now_ns: int) -> None:
        if welcome.standby != self.holder or welcome.term < self.term:
            return
        found = self._fence.read()
        if found is None or (found.term, found.holder) != (welcome.term, welcome.holder):
            return  # said by one whose reign is over
        self.term = welcome.term
        self._is_welcome, self._is_hung_up, self._heard_ns = True, False, now_ns
        self._answer(now_ns)

    def _on_refused(self, refused: Refused) -> None:
        is_ours = refused.standby == self.holder and refused.term >= self.term
        if not is_ours or refused.reason is not Refusal.DIVERGED:
            return
        found = self._fence.read()
        if found is None or found.term != refused.term:
            return  # said by one whose reign is over
        if self.holder in (found.holder, found.standby):
            raise InvariantBroken(f"the fence counts on {self.holder}, and its primary says that it diverged")
        self.is_diverged = True

    def _on_ship(self, ship: Ship) -> None:
        self._is_answer_due = True
        self._committed_index = max(self._committed_index, ship.committed_index)
        try:
            header = decode_header(bytes(ship.raw[:HEADER_BYTES]), ship.segment.seed)
            if header.index <= self._replica.last.index:
                return  # sent twice: it is durable, or will be at the next sync
            if header.index > self._replica.last.index + 1:
                return  # one got lost: the answer tells where we stand
            if header.term > ship.term:
                raise JournalDamaged(f"a frame of term {header.term} in term {ship.term}")
            if self._unsynced and ship.committed_index < header.index:
                self._sync_before(header)
            frame = self._replica.write(ship.segment, ship.raw)
        except JournalDamaged as damage:
            self.complaint = str(damage)
            return
        self.primary_index = max(self.primary_index, frame.index)
        self._unsynced.append(frame)

    def _sync_before(self, header: FrameHeader) -> None:
        """Keep frames that somebody may wait for in the syncs that the primary gave them.

        A frame says which ones were durable before it, and recovery takes it at its word. Frames of a standby
        that only catches up share whatever sync there is: what a cut would spoil there is copied again.
        """
        if self._unsynced[0].index <= header.durable_before:
            self._sync()

    def _sync(self) -> None:
        if self._unsynced:
            self._replica.sync()
            self._durable += self._unsynced
            self._unsynced.clear()
            self._replica.advance_mark(self._committed_index)

    def _answer(self, now_ns: int) -> None:
        """Tell the last frame, once it is durable."""
        self._sync()
        self._is_answer_due, self._said_ns = False, now_ns
        if self._is_welcome:
            last = self._replica.last
            self._outbox.append(Durable(self.term, self.holder, last.index, last.chain_hash))

    def _greet(self, now_ns: int) -> None:
        self._sync()
        self._said_ns = now_ns
        self._outbox.append(Hello(self.holder, self._replica.last))
