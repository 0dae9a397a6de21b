"""The primary's rules: when a frame is released, who is in step, what ends a reign."""

from __future__ import annotations

import pytest

from engine.errors import Fenced
from engine.journal.segment import ORIGIN, Position
from engine.replication.fence import MemoryFence, Reign
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
from engine.replication.primary import Mode, PrimarySide
from tests.support.replication import LIMITS, MemoryHistory, MemoryJournal

TERM = 5


class Primary:
    """A primary with its journal, in a test's hands."""

    def __init__(self, frame_count: int = 0) -> None:
        self.journal, self.fence = MemoryJournal(), MemoryFence()
        for _ in range(frame_count):
            self.journal.frames.append(self.journal.next_frame(1))
        self.journal.sync()
        self.fence.swap(None, Reign(TERM, "a", ""))
        reign = self.fence.reigns[-1]
        history = MemoryHistory(self.journal)
        self.side = PrimarySide(reign, self.fence, history, self.journal.last, LIMITS)
        self.now = 0

    def hear(self, *messages: Message) -> list[Message]:
        """Take messages; what is said to them."""
        for message in messages:
            self.side.receive(message, self.now)
        return self.side.take_messages()

    def write(self, count: int = 1) -> list[Message]:
        for _ in range(count):
            frame = self.journal.next_frame(TERM)
            self.side.send(frame.segment, frame.raw, self.now)
            self.journal.frames.append(frame)
            self.journal.sync()
        return self.side.take_messages()

    def commit(self) -> None:
        """Acknowledge the last frame."""
        assert self.side.is_released(self.journal.last.index)
        self.side.commit(self.journal.last.index)

    def durable(self, index: int, standby: str = "b", term: int = TERM) -> Durable:
        known = index <= self.journal.last.index
        return Durable(term, standby, index, self.journal.chain_hash(index) if known else bytes(32))

    def greet(self, index: int = 0, standby: str = "b") -> list[Message]:
        place = (
            ORIGIN if not index else ORIGIN._replace(index=index, chain_hash=self.journal.chain_hash(index))
        )
        return self.hear(Hello(standby, place))

    def pass_time(self, elapsed: int) -> list[Message]:
        self.now += elapsed
        self.side.tick(self.now)
        return self.side.take_messages()

    @property
    def fence_says(self) -> Reign | None:
        return self.fence.read()


def in_step(frame_count: int = 0) -> Primary:
    primary = Primary(frame_count)
    primary.greet(frame_count)
    primary.hear(primary.durable(frame_count))
    assert primary.side.mode is Mode.IN_STEP
    return primary


def ships(messages: list[Message]) -> list[int]:
    return [_index_of(m) for m in messages if isinstance(m, Ship)]


def _index_of(ship: Ship) -> int:
    return int.from_bytes(ship.raw[8:16], "little")


def test_alone_a_frame_is_released_at_once_and_nobody_is_told() -> None:
    primary = Primary()
    assert primary.write() == []
    assert primary.side.is_released(1)
    assert primary.fence_says == Reign(TERM, "a", "")


def test_a_standby_with_every_frame_comes_into_step() -> None:
    primary = Primary(3)
    assert primary.greet(3) == [Welcome(TERM, "a", "b")]
    assert primary.fence_says == Reign(TERM, "a", "")  # it has not answered in this term
    assert primary.hear(primary.durable(3)) == [Pulse(TERM, 3, 3, True)]
    assert primary.fence_says == Reign(TERM, "a", "b")


def test_in_step_a_frame_waits_for_the_standby() -> None:
    primary = in_step()
    assert ships(primary.write(2)) == [1, 2]
    assert not primary.side.is_released(1)
    primary.hear(primary.durable(1))
    assert [primary.side.is_released(i) for i in (1, 2)] == [True, False]
    primary.hear(primary.durable(2))
    assert primary.side.is_released(2)


@pytest.mark.parametrize(
    ("index", "standby", "term"),
    [(1, "b", TERM - 1), (1, "b", TERM + 1), (1, "c", TERM), (0, "b", TERM)],
)
def test_an_answer_that_does_not_count(index: int, standby: str, term: int) -> None:
    primary = in_step()
    primary.write()
    primary.hear(primary.durable(index, standby, term))
    assert not primary.side.is_released(1)


@pytest.mark.parametrize("durable", [Durable(TERM, "b", 2, bytes(32)), Durable(TERM, "b", 1, b"\1" * 32)])
def test_a_standby_with_other_frames_is_given_up(durable: Durable) -> None:
    primary = in_step()
    primary.write()
    assert primary.hear(durable) == [Refused(TERM, "b", Refusal.DIVERGED)]
    assert primary.side.take_hang_up() and not primary.side.take_hang_up()
    assert primary.fence_says == Reign(TERM, "a", "")
    assert primary.side.is_released(1)


def lose_by_hang_up(primary: Primary) -> None:
    primary.side.hung_up(primary.now)


def lose_by_silence(primary: Primary) -> None:
    primary.pass_time(LIMITS.primary_silence_ns + 1)


def lose_by_no_progress(primary: Primary) -> None:
    for _ in range(9):
        primary.hear(primary.durable(0))  # it is there, and answers no frame
        primary.pass_time(LIMITS.primary_silence_ns // 8)


@pytest.mark.parametrize("lose", [lose_by_hang_up, lose_by_silence, lose_by_no_progress])
def test_a_lost_standby_is_struck_out_before_anything_is_released(lose) -> None:  # type: ignore[no-untyped-def]
    primary = in_step()
    primary.write()
    lose(primary)
    assert primary.side.mode is Mode.ALONE
    assert primary.fence_says == Reign(TERM, "a", "")
    assert primary.side.is_released(1)


@pytest.mark.parametrize("lose", [lose_by_hang_up, lose_by_silence, lose_by_no_progress])
def test_when_the_standby_has_taken_over_nothing_is_released_ever_again(lose) -> None:  # type: ignore[no-untyped-def]
    primary = in_step()
    primary.write()
    assert primary.fence.swap(Reign(TERM, "a", "b"), Reign(TERM + 1, "b", ""))
    assert not primary.side.is_released(1)
    lose(primary)
    for _ in range(2):
        with pytest.raises(Fenced, match=r"term 5 is over: the fence says .*term=6, holder='b'"):
            primary.side.is_released(1)
        with pytest.raises(Fenced):
            primary.write()
        assert primary.hear(Hello("b", ORIGIN), primary.durable(1)) == []
        assert primary.pass_time(1_000) == []
    assert primary.side.take_hang_up()


def test_a_fence_that_cannot_be_asked_ends_the_reign(monkeypatch: pytest.MonkeyPatch) -> None:
    primary = in_step()

    def refuse(*_: object) -> bool:
        raise Fenced("the disk refuses")

    monkeypatch.setattr(primary.fence, "swap", refuse)
    primary.write()
    primary.side.hung_up(0)
    with pytest.raises(Fenced, match="the disk refuses"):
        primary.side.is_released(1)


def test_frames_without_an_answer_are_sent_again() -> None:
    primary = in_step()
    assert ships(primary.write(2)) == [1, 2]
    primary.hear(primary.durable(1))
    assert ships(primary.pass_time(LIMITS.resend_ns)) == []
    assert ships(primary.pass_time(1)) == [2]


def test_a_standby_that_was_too_slow_is_not_waited_for_again_at_once() -> None:
    primary = in_step()
    lose_by_silence(primary)
    primary.greet(0)
    primary.hear(primary.durable(0))
    assert primary.side.mode is Mode.ALONE
    for _ in range(LIMITS.rest_ns // LIMITS.pulse_ns + 1):
        primary.hear(primary.durable(0))
        primary.pass_time(LIMITS.pulse_ns)
    assert primary.side.mode is Mode.IN_STEP


def test_a_standby_catches_up_from_the_journal_and_joins_without_a_gap() -> None:
    primary = Primary(40)
    said = primary.greet(4)
    first = ships(said)
    assert first[0] == 5 and first[-1] < 40  # no more than the window
    answered, released_alone = 4, 40
    while primary.side.mode is Mode.ALONE:
        primary.write()
        assert primary.side.is_released(primary.journal.last.index)
        primary.commit()
        released_alone = primary.journal.last.index
        answered = min(answered + 3, released_alone)
        said = primary.hear(primary.durable(answered))
    assert primary.side.mode is Mode.JOINING
    assert primary.fence_says == Reign(TERM, "a", "")  # it lacks frames that were released
    primary.write()
    waiting = primary.journal.last.index
    assert primary.side.is_released(released_alone) and not primary.side.is_released(waiting)
    primary.hear(primary.durable(released_alone - 1))
    assert primary.side.mode is Mode.JOINING
    primary.hear(primary.durable(released_alone))
    assert primary.fence_says == Reign(TERM, "a", "b")
    assert not primary.side.is_released(waiting)
    primary.hear(primary.durable(waiting))
    primary.commit()


def test_a_standby_lost_while_it_joins_holds_nobody_up() -> None:
    primary = Primary(2)
    primary.greet(0)
    primary.hear(primary.durable(0))
    assert primary.side.mode is Mode.JOINING
    primary.write()
    assert not primary.side.is_released(3)
    primary.side.hung_up(0)
    assert primary.side.is_released(3)
    assert len(primary.fence.reigns) == 1


@pytest.mark.parametrize(
    "place",
    [
        Position(3, 0, 1, bytes(32)),  # ahead of this journal
        Position(1, 0, 1, b"\7" * 32),  # another first frame
        Position(0, 0, 0, b"\7" * 32),
    ],
)
def test_a_journal_that_is_no_beginning_of_this_one_is_refused(place: Position) -> None:
    primary = Primary(2)
    assert primary.hear(Hello("b", place)) == [Refused(TERM, "b", Refusal.DIVERGED)]
    assert not primary.side.has_standby and primary.side.take_hang_up()


def test_a_second_standby_is_refused_and_the_first_stays() -> None:
    primary = in_step()
    assert primary.hear(Hello("c", ORIGIN)) == [Refused(TERM, "c", Refusal.BUSY)]
    assert primary.fence_says == Reign(TERM, "a", "b")


def test_a_journal_of_a_later_term_makes_the_primary_ask_the_fence() -> None:
    primary = Primary(1)
    later = Position(1, 0, TERM + 1, bytes(32))
    assert primary.hear(Hello("c", later)) == [Refused(TERM, "c", Refusal.DIVERGED)]  # it still reigns
    assert primary.fence.swap(Reign(TERM, "a", ""), Reign(TERM + 1, "b", ""))
    assert primary.hear(Hello("c", later)) == []
    with pytest.raises(Fenced, match="is over"):
        primary.side.is_released(1)


def test_it_speaks_every_so_often() -> None:
    primary = in_step(2)
    primary.now = 1_000
    primary.hear(primary.durable(2))
    assert primary.pass_time(LIMITS.pulse_ns) == [Pulse(TERM, 2, 2, True)]
    assert primary.pass_time(LIMITS.pulse_ns - 1) == []
    assert primary.pass_time(1) == [Pulse(TERM, 2, 2, True)]


def test_what_is_shipped_is_what_was_written() -> None:
    primary = in_step()
    (said,) = primary.write()
    assert isinstance(said, Ship)
    assert (said.segment, bytes(said.raw)) == primary.journal.frames[0][1:]
    assert chain_hash_of(said.raw) == primary.journal.chain_hash(1)
