"""The fence: of two that want to change it exactly one does, whatever happens in between."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from engine.errors import Fenced
from engine.replication.fence import Fence, FolderFence, MemoryFence, Reign

A = Reign(1, "a", "")
IN_STEP = Reign(1, "a", "b")
TAKEN = Reign(2, "b", "")

# what the register says, what is expected, what is wanted, whether it is done
SWAPS = [
    (None, None, A, True),
    (None, A, IN_STEP, False),
    (A, None, TAKEN, False),
    (A, A, IN_STEP, True),
    (A, IN_STEP, TAKEN, False),  # a standby that was struck out takes nothing
    (IN_STEP, IN_STEP, TAKEN, True),
    (IN_STEP, IN_STEP, A, True),
    (TAKEN, IN_STEP, A, False),  # a primary that was replaced strikes nobody out
    (TAKEN, Reign(2, "a", ""), A, False),
]


def fences(folder: Path) -> list[Fence]:
    return [MemoryFence(), FolderFence(folder / "fence")]


@pytest.mark.parametrize(("says", "expected", "wanted", "is_done"), SWAPS)
def test_a_swap_is_done_only_on_what_was_expected(
    tmp_path: Path, says: Reign | None, expected: Reign | None, wanted: Reign, is_done: bool
) -> None:
    for fence in fences(tmp_path):
        if says is not None:
            assert fence.swap(None, says)
        assert fence.read() == says
        assert fence.swap(expected, wanted) is is_done
        assert fence.read() == (wanted if is_done else says)


def test_only_a_named_standby_is_in_step() -> None:
    assert [r.is_standby_in_step for r in (A, IN_STEP, TAKEN)] == [False, True, False]


def test_another_process_sees_it_and_nothing_is_left_behind(tmp_path: Path) -> None:
    assert FolderFence(tmp_path / "new" / "fence").swap(None, A)
    assert FolderFence(tmp_path / "new" / "fence").read() == A
    assert FolderFence(tmp_path / "new" / "fence").swap(A, IN_STEP)
    assert sorted(p.name for p in (tmp_path / "new" / "fence").iterdir()) == [
        "000000000001.reign",
        "000000000002.reign",
    ]


def test_of_many_that_swap_at_once_one_wins(tmp_path: Path) -> None:
    folder, won = tmp_path / "fence", list[str]()
    assert FolderFence(folder).swap(None, A)
    for term in range(2, 22):
        expected, barrier = FolderFence(folder).read(), threading.Barrier(4)

        def contend(name: str, term: int, expected: Reign | None, barrier: threading.Barrier) -> None:
            barrier.wait()
            if FolderFence(folder).swap(expected, Reign(term, name, "")):
                won.append(name)

        threads = [threading.Thread(target=contend, args=(n, term, expected, barrier)) for n in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == term - 1
        found = FolderFence(folder).read()
        assert found is not None and found == Reign(term, won[-1], "")


def test_a_swap_that_was_paused_finds_its_place_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fence, link = FolderFence(tmp_path), os.link
    assert fence.swap(None, IN_STEP)

    def paused(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        assert FolderFence(tmp_path).swap(IN_STEP, TAKEN)  # by another process, meanwhile
        link(source, target)

    monkeypatch.setattr(os, "link", paused)
    assert not fence.swap(IN_STEP, A)
    assert fence.read() == TAKEN


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"term": 1, "holder": "a"}',
        b'{"term": 0, "holder": "a", "standby": ""}',
        b'{"term": "1", "holder": "a", "standby": ""}',
        b'{"term": 1, "holder": "", "standby": ""}',
        b'{"term": 1, "holder": "a", "standby": "a"}',
    ],
)
def test_a_register_that_cannot_be_read_is_no_empty_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "000000000007.reign").write_bytes(content)
    fence = FolderFence(tmp_path)
    with pytest.raises(Fenced, match="cannot be read"):
        fence.read()
    with pytest.raises(Fenced, match="cannot be read"):
        fence.swap(None, A)


def test_a_disk_that_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.EIO, "the disk refuses")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(Fenced, match="cannot be changed"):
        FolderFence(tmp_path).swap(None, A)
