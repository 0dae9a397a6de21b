"""The beginning of a reign: who may start as what, and that a wrong start changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.clock import FakeClock
from engine.config import EngineSettings, Home
from engine.errors import BadInput, Fenced, JournalDamaged, JournalError
from engine.journal.mark import read_mark
from engine.processes import serve_engine
from engine.replication.fence import Reign
from engine.replication.identity import identity_of, identity_path, next_reign, read_identity, set_aside
from engine.replication.reigning import begin_reign, fence_of, follower_of
from engine.replication.standing import Standing, read_standing, told_text, write_standing
from tests.support.small_book import open_small_book
from tests.support.standby_pair import STREET, order, write_one_more

CLOCK = FakeClock(1_700_000_000_000_000_000)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "a")
    open_small_book(home, STREET)
    return home


@pytest.fixture
def settings(tmp_path: Path) -> EngineSettings:
    return EngineSettings(fence=tmp_path / "fence", segment_bytes=262_144)


# what the fence says, whose copy starts, the journal's term, the reign that it asks for
STARTS = [
    (None, "a", 0, Reign(1, "a", "")),
    (None, "a", 1, Reign(2, "a", "")),
    (Reign(4, "a", ""), "a", 3, Reign(5, "a", "")),
    (Reign(4, "a", "b"), "a", 4, Reign(5, "a", "")),  # its standby is no longer counted on
    (Reign(4, "a", "b"), "a", 9, Reign(10, "a", "")),
    (Reign(4, "a", "b"), "b", 4, None),
    (Reign(5, "b", ""), "a", 4, None),
]


@pytest.mark.parametrize(("says", "identity", "term", "asks_for"), STARTS)
def test_who_may_begin_to_reign(says: Reign | None, identity: str, term: int, asks_for: Reign | None) -> None:
    if asks_for is None:
        with pytest.raises(Fenced, match="start as standby"):
            next_reign(says, identity, False, term)
    else:
        assert next_reign(says, identity, says is None, term) == asks_for


def test_every_start_is_a_term_and_frames_carry_it(home: Home, settings: EngineSettings) -> None:
    for term, number in ((2, 1), (3, 2)):
        with begin_reign(home, settings, CLOCK) as (pipeline, _, _):
            assert pipeline.submit([order(number)]).term == term
        assert fence_of(settings).read() == Reign(term, read_identity(home.journal), "")


def test_a_second_start_changes_nothing(home: Home, settings: EngineSettings) -> None:
    with begin_reign(home, settings, CLOCK) as (pipeline, _, _):
        before = fence_of(settings).read()
        with (
            pytest.raises(JournalError, match="another process writes"),
            begin_reign(home, settings, CLOCK),
        ):
            raise AssertionError("two reign")
        with pytest.raises(Fenced, match="is the reign of this copy: start it as the engine"):
            follower_of(home, home.replication_socket, settings, CLOCK)
        assert fence_of(settings).read() == before
        assert pipeline.submit([order(1)]).term == 2


def test_another_copy_does_not_reign_beside(home: Home, settings: EngineSettings, tmp_path: Path) -> None:
    with begin_reign(home, settings, CLOCK):
        pass
    other = Home(tmp_path / "b")
    open_small_book(other, STREET)
    with (
        pytest.raises(Fenced, match=r"term 2 is the reign of a-.*start as standby"),
        begin_reign(other, settings, CLOCK),
    ):
        raise AssertionError("two reign")
    assert read_identity(other.journal) == ""  # a wrong start leaves nothing behind


def test_a_copy_with_a_fence_is_not_started_with_another_or_without(
    home: Home, settings: EngineSettings, tmp_path: Path
) -> None:
    with begin_reign(home, settings, CLOCK):
        pass
    shutil.move(tmp_path / "fence", tmp_path / "elsewhere")
    with pytest.raises(Fenced, match="is it the fence of this book"), begin_reign(home, settings, CLOCK):
        raise AssertionError("the fence is another")
    with pytest.raises(Fenced, match="has a fence: start it with it"):
        serve_engine(home, EngineSettings())


def test_a_reign_lost_while_it_began_writes_nothing(
    home: Home, settings: EngineSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.replication import reigning

    index = write_one_more(home, term=1)  # which may be nobody's
    before = {p.name: p.read_bytes() for p in home.journal.iterdir()}
    assert read_mark(home.journal) == index - 1
    with monkeypatch.context() as patch:
        patch.setattr(reigning.FolderFence, "swap", lambda *_: False)
        with pytest.raises(Fenced, match="another took the reign"), begin_reign(home, settings, CLOCK):
            raise AssertionError("it does not reign")
    after = {p.name: p.read_bytes() for p in home.journal.iterdir()}
    assert after.pop("copy.identity") and after == before  # the mark too: nobody is shown the last frame
    identity_path(home.journal).unlink()
    with begin_reign(home, settings, CLOCK):
        assert read_mark(home.journal) == index


def test_a_copy_that_cannot_be_recovered_leaves_the_reign_to_its_standby(
    home: Home, settings: EngineSettings
) -> None:
    fence = fence_of(settings)
    in_step = Reign(3, identity_of(home, CLOCK), "b")
    assert fence.swap(None, in_step)
    segment = home.journal / "0000000001.segment"
    content = bytearray(segment.read_bytes())
    content[5_000] ^= 1
    segment.write_bytes(content)
    with pytest.raises(JournalDamaged), begin_reign(home, settings, CLOCK):
        raise AssertionError("it is damaged")
    assert fence.read() == in_step


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"fence": None}, "needs a fence"),
        ({"state_hash_frame_count": 0}, "it compares the hashes"),
        ({"standby_silence_ms": 0}, "at least 1"),
    ],
)
def test_settings_that_cannot_work_are_told(tmp_path: Path, more: dict[str, int | None], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        fence_of(EngineSettings(**{"fence": tmp_path, **more}))  # type: ignore[arg-type]


def test_an_identity_is_made_once_and_belongs_to_the_folder(home: Home) -> None:
    made = identity_of(home, CLOCK)
    assert made.startswith("a-") and identity_of(home, FakeClock(5)) == made == read_identity(home.journal)
    place = set_aside(home)
    assert place.name == "aside-001" and read_identity(place / "journal") == made
    assert read_identity(home.journal) == ""
    home.journal.mkdir()
    assert set_aside(home).name == "aside-002"
    home.journal.mkdir()
    identity_path(home.journal).write_text("no identity\n with lines")
    with pytest.raises(JournalDamaged, match="is no identity"):
        identity_of(home, CLOCK)


@pytest.mark.parametrize(
    ("standing", "age", "text"),
    [
        (Standing("primary", 7, True, 90, 0), 0, "primary, term 7, its standby is in step"),
        (Standing("primary", 7, False, 90, 90), 1, "primary, term 7, alone"),
        (Standing("standby", 7, True, 90, 2), 2, "standby, term 7, in step, 2 frames behind"),
        (
            Standing("standby", 7, False, 90, 4_000),
            70,
            "standby, term 7, not in step: it would not take over, 4,000 frames behind "
            "(70 s ago: its process does not run)",
        ),
    ],
)
def test_a_standing_is_one_line(tmp_path: Path, standing: Standing, age: int, text: str) -> None:
    path = tmp_path / "run" / "standing.json"
    assert told_text(path, 0) == ""
    write_standing(path, standing)
    assert read_standing(path) == standing
    assert told_text(path, path.stat().st_mtime_ns + age * 1_000_000_000) == text
    path.write_text("{")
    assert told_text(path, 0) == ""
