"""Two copies of a book, a network and a fence in memory: every step is chosen by the test.

`Cluster` holds each step to what replication promises: what was acknowledged is in the journal of whoever
reigns afterwards, and no two readers are ever shown two different frames of one index.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import Fenced, JournalDamaged
from engine.journal.disk import Content
from engine.journal.frame import (
    HEADER_BYTES,
    ZERO_HASH,
    Frame,
    decode_frame,
    decode_header,
    encode_frame,
    seal,
)
from engine.journal.segment import ORIGIN, Position, SegmentHeader
from engine.replication.fence import MemoryFence, Reign
from engine.replication.limits import Limits
from engine.replication.messages import Message, chain_hash_of, decode_message, encode_message
from engine.replication.primary import Mode, PrimarySide, Shipped
from engine.replication.standby import StandbySide
from tests.support.journal_disk import batch

LIMITS = Limits(
    primary_silence_ns=75, standby_silence_ns=100, pulse_ns=10, resend_ns=25, rest_ns=50, window_bytes=2_000
)
FRAMES_PER_SEGMENT = 7


class MemoryJournal:
    """A journal in memory: writer, history and replica at once. A crash loses what was not synced."""

    def __init__(self) -> None:
        self.frames: list[Shipped] = []
        self.synced = 0
        self.mark = 0

    @property
    def last(self) -> Position:
        if not self.frames:
            return ORIGIN
        _, segment, raw = self.frames[-1]
        header = decode_header(bytes(raw[:HEADER_BYTES]), segment.seed)
        return Position(header.index, header.last_sequence, header.term, chain_hash_of(raw))

    def next_frame(self, term: int, count: int = 1, sync_place: int = 0) -> Shipped:
        """The frame that a writer in `term` would write next, behind so many of the same sync."""
        last = self.last
        segment = self.frames[-1].segment if self.frames else SegmentHeader(1, 1 << 20, ORIGIN)
        if self.frames and last.index % FRAMES_PER_SEGMENT == 0:
            segment = SegmentHeader(segment.number + 1, 1 << 20, last)
        sections = batch(last.last_sequence + 1, count)
        frame, raw = encode_frame(last.index + 1, term, sections, ZERO_HASH, segment.seed)
        seal(frame, raw, last.chain_hash, sync_place, segment.seed)
        return Shipped(last.index + 1, segment, bytes(raw))

    def write(self, segment: SegmentHeader, raw: Content) -> Frame:
        header = decode_header(bytes(raw[:HEADER_BYTES]), segment.seed)
        if header.index != self.last.index + 1 or header.term < self.last.term:
            raise JournalDamaged(f"frame {header.index} does not follow {self.last.index}")
        frame = decode_frame(bytes(raw), header, self.last.chain_hash, segment.seed)
        self.frames.append(Shipped(frame.index, segment, raw))
        return frame

    def sync(self) -> None:
        self.synced = len(self.frames)

    def advance_mark(self, index: int) -> None:
        self.mark = max(self.mark, min(index, self.synced))

    def crash(self, kept: int = 0) -> None:
        """Lose what was not synced, but for `kept` frames that happened to reach the disk."""
        del self.frames[self.synced + kept :]
        self.sync()

    def chain_hash(self, index: int) -> bytes:
        return chain_hash_of(self.frames[index - 1].raw) if index else ZERO_HASH

    def frames_between(self, after_index: int, until_index: int) -> list[Shipped]:
        return self.frames[after_index:until_index]


class MemoryHistory:
    """The history of a `MemoryJournal`; it refuses to give what is not durable."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal

    def chain_hash(self, index: int) -> bytes:
        assert index <= self._journal.synced
        return self._journal.chain_hash(index)

    def frames(self, after_index: int, until_index: int, byte_count: int) -> Sequence[Shipped]:
        assert after_index < until_index <= self._journal.synced
        found: list[Shipped] = []
        for frame in self._journal.frames_between(after_index, until_index):
            if byte_count <= 0:
                break
            found.append(frame)
            byte_count -= len(frame.raw)
        return found


class Node:
    """One copy of the book: down, primary or standby."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.copy_number = 1
        self.journal = MemoryJournal()
        self.primary: PrimarySide | None = None
        self.standby: StandbySide | None = None
        self.written: list[int] = []  # frames that this primary wrote and did not acknowledge yet

    @property
    def identity(self) -> str:
        return f"{self.name}{self.copy_number}"


class Cluster:
    """Nodes a and b, a fence, and messages on their way."""

    def __init__(self) -> None:
        self.nodes = [Node("a"), Node("b")]
        self.fence = MemoryFence()
        self.now_ns = 0
        self.on_way: list[tuple[int, int, Message]] = []  # receiver, connection, message
        self.connection = 0  # number of the newest one
        self.acknowledged: dict[int, bytes] = {}  # index -> chain hash
        self.shown: dict[int, bytes] = {}
        self.set_aside_count = 0

    # --- processes -------------------------------------------------------------------------------------

    def start_primary(self, at: int) -> None:
        """What a primary's start does: take its reign once more, or refuse."""
        node = self.nodes[at]
        if node.primary or node.standby:
            return
        found = self.fence.read()
        if found is not None and found.holder != node.identity:
            return
        new = Reign((found.term if found else 0) + 1, node.identity, "")
        assert self.fence.swap(found, new)
        self._reign(at, new)

    def start_standby(self, at: int) -> None:
        node = self.nodes[at]
        found = self.fence.read()
        if node.primary or node.standby or (found and found.holder == node.identity):
            return
        node.standby = StandbySide(node.identity, node.journal, self.fence, self.now_ns, LIMITS)

    def connect(self, at: int) -> None:
        """Connect standby `at` to the other node, if that is a primary with nobody connected."""
        other = self.nodes[1 - at]
        standby = self.nodes[at].standby
        if standby and not standby.is_connected and other.primary and other.primary.mode is not Mode.FENCED:
            self.hang_up(at)
            self.connection += 1
            standby.connected(self.now_ns)
            self._collect()

    def hang_up(self, at: int) -> None:
        """Both sides see the connection end, whatever was on its way may still arrive late."""
        standby, primary = self.nodes[at].standby, self.nodes[1 - at].primary
        if standby:
            standby.hung_up(self.now_ns)
        if primary:
            primary.hung_up(self.now_ns)
        self._collect()

    def crash(self, at: int, kept: int) -> None:
        """One process ends; the other side is told."""
        self._end(self.nodes[at], kept)
        self.hang_up(1 - at)
        self.hang_up(at)

    def power_cut(self, kept: int) -> None:
        """Both end, and nobody is told."""
        for node in self.nodes:
            self._end(node, kept)

    def _end(self, node: Node, kept: int) -> None:
        node.primary = node.standby = None
        node.written.clear()
        node.journal.crash(kept)

    # --- the network -----------------------------------------------------------------------------------

    def deliver(self, which: int, *, keep: bool = False) -> None:
        """Let one message arrive; with `keep` it will arrive once more."""
        if not self.on_way:
            return
        which %= len(self.on_way)
        at, _, message = self.on_way[which]
        if not keep:
            del self.on_way[which]
        node = self.nodes[at]
        if node.primary:
            node.primary.receive(message, self.now_ns)
        elif node.standby:
            node.standby.receive(message, self.now_ns)
            node.standby.settle(self.now_ns)
            self._set_aside_if_diverged(node)
        self._collect()

    def drop(self, which: int) -> None:
        if self.on_way:
            del self.on_way[which % len(self.on_way)]

    def deliver_all(self) -> None:
        for _ in range(10_000):
            if not self.on_way:
                return
            self.deliver(0)
        raise AssertionError("they never stop talking")

    # --- work ------------------------------------------------------------------------------------------

    def write(self, at: int, count: int = 1) -> None:
        """A primary begins a frame: sends it, writes it, and does not sync it yet."""
        node = self.nodes[at]
        if node.primary and node.primary.mode is not Mode.FENCED:
            frame = node.journal.next_frame(node.primary.reign.term, count)
            node.primary.send(frame.segment, frame.raw, self.now_ns)
            node.journal.frames.append(frame)
            node.written.append(frame.index)
            self._collect()

    def acknowledge(self, at: int) -> None:
        """A primary syncs, and acknowledges what it may, in order."""
        node = self.nodes[at]
        if not node.primary:
            return
        node.journal.sync()
        try:
            while node.written and node.primary.is_released(node.written[0]):
                index = node.written.pop(0)
                self._show(node, index)
                chain_hash = node.journal.chain_hash(index)
                assert self.acknowledged.setdefault(index, chain_hash) == chain_hash, "acknowledged twice"
                node.primary.commit(index)
        except Fenced:
            node.written.clear()
        self._collect()

    def pass_time(self, elapsed_ns: int, *, only: int | None = None) -> None:
        """Time goes on; with `only`, the other node's process is paused."""
        self.now_ns += elapsed_ns
        for at, node in enumerate(self.nodes):
            if only in (None, at):
                self.tick(node)

    def tick(self, node: Node) -> None:
        if node.primary:
            node.primary.tick(self.now_ns)
        if node.standby:
            node.standby.tick(self.now_ns)
            if node.standby.is_primary_lost(self.now_ns):
                new = node.standby.take_over(self.now_ns)
                if new is not None:
                    self._reign(self.nodes.index(node), new)
        self._collect()

    # --- what must hold --------------------------------------------------------------------------------

    def _reign(self, at: int, reign: Reign) -> None:
        node = self.nodes[at]
        node.standby = None
        node.journal.sync()
        for index, chain_hash in self.acknowledged.items():
            assert node.journal.last.index >= index, f"{node.identity} reigns without frame {index}"
            assert node.journal.chain_hash(index) == chain_hash, f"another frame {index} was acknowledged"
        for index in range(1, node.journal.last.index + 1):
            self._show(node, index)
        node.primary = PrimarySide(reign, self.fence, MemoryHistory(node.journal), node.journal.last, LIMITS)

    def _show(self, node: Node, index: int) -> None:
        node.journal.mark = max(node.journal.mark, index)
        chain_hash = node.journal.chain_hash(index)
        assert self.shown.setdefault(index, chain_hash) == chain_hash, f"two frames {index} were shown"

    def _set_aside_if_diverged(self, node: Node) -> None:
        if node.standby and node.standby.is_diverged:
            node.copy_number += 1
            node.journal, node.standby = MemoryJournal(), None
            self.set_aside_count += 1

    def _collect(self) -> None:
        """Put what the sides say on its way; check what the standby shows."""
        for at, node in enumerate(self.nodes):
            for side in (node.primary, node.standby):
                for message in side.take_messages() if side else ():
                    again = decode_message(b"".join(encode_message(message))[4:])
                    assert again == message
                    self.on_way.append((1 - at, self.connection, again))
            if node.standby:
                node.standby.take_frames()
                for index in range(1, node.journal.mark + 1):
                    self._show(node, index)
        holders: dict[int, str] = {}
        for reign in self.fence.reigns:
            assert holders.setdefault(reign.term, reign.holder) == reign.holder
        for node, other in (self.nodes, self.nodes[::-1]):
            if node.primary and node.primary.take_hang_up() and other.standby:
                other.standby.hung_up(self.now_ns)
