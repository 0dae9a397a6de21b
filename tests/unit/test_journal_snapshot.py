from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest

from engine.errors import JournalFailed
from engine.journal.disk import RealDisk
from engine.journal.snapshot import load_snapshot, read_snapshot, write_snapshot
from schemas.derive.layout import empty_rows
from schemas.market import CancelOrder
from tests.support.journal_disk import FaultyDisk

CHAIN, STATE = b"c" * 32, b"s" * 32


def _write(folder: Path, frame_index: int, disk: RealDisk | None = None) -> Path:
    rows = empty_rows(CancelOrder, 3)
    rows["sequence"] = [frame_index, 2, 3]
    arrays = {"rows": rows, "grid": np.arange(6).reshape(2, 3), "none": np.zeros((0, 4), dtype=np.uint8)}
    return write_snapshot(folder, frame_index, CHAIN, STATE, arrays, b'{"a": 1}', disk or RealDisk())


def test_what_is_written_is_loaded(tmp_path: Path) -> None:
    path = _write(tmp_path / "new", 7)
    found = load_snapshot(tmp_path / "new")
    assert found is not None
    assert (found.path, found.frame_index, found.chain_hash, found.state_hash) == (path, 7, CHAIN, STATE)
    assert found.text == b'{"a": 1}'
    assert found.arrays["rows"]["sequence"].tolist() == [7, 2, 3]
    assert found.arrays["rows"].dtype == empty_rows(CancelOrder, 0).dtype
    assert found.arrays["grid"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found.arrays["none"].shape == (0, 4)
    found.arrays["grid"][0, 0] = 9  # the engine goes on in these arrays


def test_a_large_array_is_written_in_pieces_as_numpy_would(tmp_path: Path) -> None:
    grid = np.arange(1 << 18, dtype=np.int64).reshape(-1, 2)[:, ::-1]  # neither small nor in one stretch
    disk = FaultyDisk(power_cut=False)
    path = write_snapshot(tmp_path, 1, CHAIN, STATE, {"grid": grid}, b"", disk)
    stored = io.BytesIO()
    np.save(stored, np.ascontiguousarray(grid))
    assert stored.getvalue() in path.read_bytes()
    found = load_snapshot(tmp_path)
    assert found is not None and np.array_equal(found.arrays["grid"], grid)
    assert disk.calls.count("fdatasync") == 3
    with pytest.raises(ValueError, match="objects"):
        write_snapshot(tmp_path, 2, CHAIN, STATE, {"names": np.array([None])}, b"")


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for frame_index in (5, 20, 100, 3_000):
        _write(tmp_path, frame_index)
    assert sorted(int(p.stem) for p in tmp_path.iterdir()) == [100, 3_000]


def test_no_snapshot(tmp_path: Path) -> None:
    assert load_snapshot(tmp_path / "nowhere") is None


def test_any_flip_or_cut_falls_back_to_the_older(tmp_path: Path) -> None:
    _write(tmp_path, 1)
    path = _write(tmp_path, 2)
    good = path.read_bytes()
    with path.open("r+b", buffering=0) as file:  # in place: a file emptied and written anew is flushed
        for at in range(len(good)):
            for bit in range(8):
                os.pwrite(file.fileno(), bytes([good[at] ^ 1 << bit]), at)
                assert read_snapshot(path) is None
            os.pwrite(file.fileno(), good[at : at + 1], at)
        assert read_snapshot(path) is not None
        for length in reversed(range(len(good))):
            file.truncate(length)
            assert read_snapshot(path) is None
    found = load_snapshot(tmp_path)
    assert found is not None and found.frame_index == 1
    (tmp_path / "000000000001.snapshot").unlink()
    assert load_snapshot(tmp_path) is None


def test_a_failure_at_any_call_leaves_the_older(tmp_path: Path) -> None:
    whole = FaultyDisk(power_cut=False)
    _write(tmp_path / "whole", 2, whole)
    assert len(whole.calls) > 10
    for fail_at in range(1, len(whole.calls) + 1):
        folder = tmp_path / str(fail_at)
        _write(folder, 1)
        with pytest.raises(JournalFailed, match="cannot be written"):
            _write(folder, 2, FaultyDisk(fail_at, power_cut=False))
        found = load_snapshot(folder)
        assert found is not None
        assert found.frame_index == (2 if whole.calls[fail_at - 1] == "fsync_folder" else 1)
        _write(folder, 3)
        assert not list(folder.glob("*.unfinished"))


def test_a_full_disk_is_told_in_one_line(tmp_path: Path) -> None:
    class Full(RealDisk):
        def pwrite(self, descriptor: int, content: bytes | bytearray, offset: int) -> None:
            raise OSError(errno.ENOSPC, "no space is left")

    with pytest.raises(JournalFailed, match=r"^[^\n]*000000000002.snapshot[^\n]*no space is left$"):
        _write(tmp_path, 2, Full())
