"""The standby's rules: what is taken, when it is answered, when it may take over."""

from __future__ import annotations

import pytest

from engine.errors import InvariantBroken
from engine.journal.disk import Content
from engine.journal.frame import Frame
from engine.journal.segment import ORIGIN, Position, SegmentHeader
from engine.replication.fence import MemoryFence, Reign
from engine.replication.messages import Durable, Hello, Message, Pulse, Refusal, Refused, Ship, Welcome
from engine.replication.standby import StandbySide
from tests.support.replication import LIMITS, MemoryJournal

TERM = 5
IN_STEP = Reign(TERM, "a", "b")


class Telling(MemoryJournal):
    """Says in which order it is used."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def write(self, segment: SegmentHeader, raw: Content) -> Frame:
        frame = super().write(segment, raw)
        self.calls.append(f"write {frame.index}")
        return frame

    def sync(self) -> None:
        super().sync()
        self.calls.append("sync")


class Standby:
    """A standby and the journal that it copies, in a test's hands."""

    def __init__(self, *, is_welcome: bool = True, reign: Reign | None = IN_STEP) -> None:
        self.source, self.journal, self.fence = MemoryJournal(), Telling(), MemoryFence()
        for _ in range(9):
            self.source.frames.append(self.source.next_frame(TERM))
        if reign is not None:
            self.fence.reigns.append(reign)
        self.side = StandbySide("b", self.journal, self.fence, 0, LIMITS)
        self.side.connected(0)
        if is_welcome:
            self.hear(Welcome(TERM, "a", "b"))

    def hear(self, *messages: Message, now: int = 0) -> list[Message]:
        for message in messages:
            self.side.receive(message, now)
        self.side.settle(now)
        return self.side.take_messages()

    def ship(self, index: int, *, term: int = TERM, committed: int = 0) -> Ship:
        _, segment, raw = self.source.frames[index - 1]
        return Ship(term, committed, segment, raw)

    def durable(self, index: int) -> Durable:
        return Durable(TERM, "b", index, self.source.chain_hash(index))

    def applied(self) -> list[int]:
        return [f.index for f in self.side.take_frames()]


def test_it_says_who_it_is_until_it_is_welcome() -> None:
    standby = Standby(is_welcome=False)
    assert standby.side.take_messages() == [Hello("b", ORIGIN)]
    standby.side.tick(LIMITS.pulse_ns)
    assert standby.side.take_messages() == [Hello("b", ORIGIN)]
    assert standby.hear(Welcome(TERM, "a", "b")) == [Durable(TERM, "b", 0, bytes(32))]
    standby.side.tick(LIMITS.pulse_ns * 3)
    assert standby.side.take_messages() == [Durable(TERM, "b", 0, bytes(32))]


def test_a_frame_is_answered_once_it_is_synced() -> None:
    standby = Standby()
    assert standby.hear(standby.ship(1)) == [standby.durable(1)]
    assert standby.journal.calls == ["write 1", "sync"]


def test_frames_that_come_together_while_it_catches_up_share_a_sync() -> None:
    standby = Standby()
    assert standby.hear(*(standby.ship(i, committed=3) for i in (1, 2, 3))) == [standby.durable(3)]
    assert standby.journal.calls == ["write 1", "write 2", "write 3", "sync"]
    assert standby.applied() == [1, 2, 3]


def test_frames_that_somebody_waits_for_keep_the_syncs_of_the_primary() -> None:
    """Recovery of a copy must find what it would find in the original."""
    standby = Standby()
    standby.source.frames.clear()
    for sync_place in (0, 0, 1, 2, 0):  # the syncs end behind frames 1, 4 and 5
        standby.source.frames.append(standby.source.next_frame(TERM, sync_place=sync_place))
    standby.hear(*(standby.ship(i) for i in range(1, 6)))
    assert standby.journal.calls == [
        *("write 1", "sync", "write 2", "write 3", "write 4", "sync", "write 5", "sync")
    ]
    catching_up = Standby()
    catching_up.hear(*(catching_up.ship(i, committed=9) for i in range(1, 6)))
    assert catching_up.journal.calls == ["write 1", "write 2", "write 3", "write 4", "write 5", "sync"]


def test_nothing_is_decided_again_before_it_is_durable() -> None:
    standby = Standby()
    standby.side.receive(standby.ship(1), 0)
    assert standby.applied() == []
    assert standby.side.take_messages() == []
    standby.side.settle(0)
    assert standby.applied() == [1]


def test_a_frame_that_comes_twice_counts_once() -> None:
    standby = Standby()
    assert standby.hear(standby.ship(1), standby.ship(1)) == [standby.durable(1)]
    assert standby.hear(standby.ship(2), standby.ship(1), standby.ship(2)) == [standby.durable(2)]
    assert standby.applied() == [1, 2]
    assert [c for c in standby.journal.calls if c != "sync"] == ["write 1", "write 2"]


def test_after_a_gap_the_answer_tells_where_it_stands() -> None:
    standby = Standby()
    assert standby.hear(standby.ship(1), standby.ship(3)) == [standby.durable(1)]
    assert standby.hear(standby.ship(2), standby.ship(3)) == [standby.durable(3)]
    assert standby.applied() == [1, 2, 3]


def test_bytes_that_do_not_verify_are_not_taken() -> None:
    standby = Standby()
    _, segment, raw = standby.source.frames[0]
    for at in range(0, len(raw), 5):
        wrong = bytes(raw[:at]) + bytes([raw[at] ^ 4]) + bytes(raw[at + 1 :])
        assert standby.hear(Ship(TERM, 0, segment, wrong)) == [standby.durable(0)]
    assert standby.journal.calls == [] and standby.side.complaint
    assert standby.hear(standby.ship(1)) == [standby.durable(1)]


@pytest.mark.parametrize("term", [TERM - 1, TERM + 1])
def test_what_is_said_in_another_term_does_not_count(term: int) -> None:
    standby = Standby()
    assert standby.hear(standby.ship(1, term=term), Pulse(term, 7, 7, True)) == []
    assert (standby.side.primary_index, standby.journal.calls) == (0, [])
    standby.hear(now=LIMITS.standby_silence_ns + 1)
    assert standby.side.is_primary_lost(LIMITS.standby_silence_ns + 1)  # nor is it a sign of life


def test_a_frame_of_a_later_term_than_its_message_is_not_taken() -> None:
    standby = Standby()
    frame = standby.source.__class__().next_frame(TERM + 1)
    assert standby.hear(Ship(TERM, 0, frame.segment, frame.raw)) == [standby.durable(0)]


# what the fence says, who welcomes, whether it counts
WELCOMES = [
    (Reign(5, "a", ""), Welcome(5, "a", "b"), True),
    (Reign(5, "a", ""), Welcome(5, "a", "c"), False),  # meant for another
    (Reign(6, "c", ""), Welcome(5, "a", "b"), False),  # its reign is over
    (Reign(5, "c", ""), Welcome(5, "a", "b"), False),
    (None, Welcome(5, "a", "b"), False),
]


@pytest.mark.parametrize(("says", "welcome", "counts"), WELCOMES)
def test_only_who_reigns_is_followed(says: Reign | None, welcome: Welcome, counts: bool) -> None:
    standby = Standby(is_welcome=False, reign=says)
    standby.side.take_messages()
    assert bool(standby.hear(welcome)) is counts
    assert bool(standby.hear(standby.ship(1))) is counts


def test_a_welcome_of_a_lower_term_is_late() -> None:
    standby = Standby()
    standby.fence.reigns.append(Reign(7, "c", ""))
    assert standby.hear(Welcome(7, "c", "b")) == [Durable(7, "b", 0, bytes(32))]
    standby.fence.reigns.append(IN_STEP)  # even if the fence could go back
    assert standby.hear(Welcome(TERM, "a", "b")) == []
    assert standby.side.term == 7


# what the fence says, and the reign that a standby b gets from it
TAKEOVERS = [
    (None, None),
    (Reign(5, "a", ""), None),  # it was struck out: the primary may have gone on alone
    (Reign(5, "a", "c"), None),  # another standby counts
    (Reign(6, "c", ""), None),
    (Reign(5, "a", "b"), Reign(6, "b", "")),
]


@pytest.mark.parametrize(("says", "gets"), TAKEOVERS)
def test_the_fence_decides_about_a_takeover(says: Reign | None, gets: Reign | None) -> None:
    standby = Standby()
    standby.fence.reigns[:] = [says] if says else []
    standby.side.hung_up(0)
    assert standby.side.is_primary_lost(0)
    assert standby.side.take_over(0) == gets
    assert standby.fence.read() == (gets or says)
    assert not standby.side.is_primary_lost(0)  # and if not, not at once again
    assert standby.side.is_primary_lost(LIMITS.pulse_ns) is (gets is None)


def test_a_takeover_that_comes_second_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    standby = Standby()
    swap = standby.fence.swap

    def second(expected: Reign | None, new: Reign) -> bool:
        assert swap(IN_STEP, Reign(TERM, "a", ""))  # the primary strikes it out in this moment
        return swap(expected, new)

    monkeypatch.setattr(standby.fence, "swap", second)
    standby.side.hung_up(0)
    assert standby.side.take_over(0) is None
    assert standby.fence.read() == Reign(TERM, "a", "")


def test_a_standby_that_reigns_listens_to_nobody() -> None:
    standby = Standby()
    standby.hear(standby.ship(1))
    standby.side.hung_up(0)
    assert standby.side.take_over(0) == Reign(6, "b", "")
    assert standby.hear(standby.ship(2), Welcome(TERM, "a", "b"), Pulse(TERM, 2, 1, True)) == []
    assert standby.journal.last.index == 1


@pytest.mark.parametrize(
    ("elapsed", "is_lost"), [(0, False), (LIMITS.standby_silence_ns, False), (101, True)]
)
def test_silence_is_loss_and_any_word_is_life(elapsed: int, is_lost: bool) -> None:
    standby = Standby()
    standby.hear(Pulse(TERM, 0, 0, True), now=50)
    assert standby.side.is_primary_lost(50 + elapsed) is is_lost
    standby.hear(standby.ship(1), now=50 + elapsed)
    assert not standby.side.is_primary_lost(50 + elapsed)


def test_a_hang_up_is_loss_until_somebody_welcomes() -> None:
    standby = Standby()
    standby.side.hung_up(0)
    standby.side.connected(0)
    assert standby.side.is_primary_lost(0)
    standby.hear(Welcome(TERM, "a", "b"))
    assert not standby.side.is_primary_lost(0)


def test_after_silence_it_introduces_itself_again() -> None:
    standby = Standby()
    standby.side.tick(LIMITS.standby_silence_ns + 1)
    assert standby.side.take_messages() == [Hello("b", ORIGIN)]


def test_readers_are_shown_what_the_primary_committed() -> None:
    standby = Standby()
    standby.hear(standby.ship(1))
    assert standby.journal.mark == 0
    standby.hear(standby.ship(2, committed=1))
    assert standby.journal.mark == 1
    standby.hear(Pulse(TERM, 2, 2, True))
    assert standby.journal.mark == 2


def test_a_diverged_copy_is_set_aside_only_when_nobody_counts_on_it() -> None:
    refused = Refused(TERM, "b", Refusal.DIVERGED)
    standby = Standby(is_welcome=False, reign=Reign(TERM, "a", ""))
    for other in (
        refused._replace(standby="c"),
        refused._replace(reason=Refusal.BUSY),
        refused._replace(term=TERM - 1),
        refused._replace(term=TERM + 1),
    ):
        standby.hear(other)
        assert not standby.side.is_diverged
    standby.hear(refused)
    assert standby.side.is_diverged
    assert standby.hear(Welcome(TERM, "a", "b")) == []
    assert not standby.side.is_primary_lost(1_000)
    for reign in (IN_STEP, Reign(TERM, "b", "")):
        counted = Standby(is_welcome=False, reign=reign)
        with pytest.raises(InvariantBroken, match="the fence counts on b"):
            counted.hear(refused)


def test_it_begins_where_its_journal_ends() -> None:
    journal = MemoryJournal()
    journal.frames.append(journal.next_frame(3))
    side = StandbySide("b", journal, MemoryFence(), 0, LIMITS)
    side.connected(0)
    (hello,) = side.take_messages()
    assert isinstance(hello, Hello)
    assert hello.last == Position(1, 2, 3, journal.chain_hash(1))
    assert side.term == 3
