from __future__ import annotations

import time

import pytest

from engine.clock import FakeClock, WallClock


def test_wall_clock_stands_still_while_the_machine_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([100, 90, 95, 101])
    monkeypatch.setattr(time, "time_ns", lambda: next(told))
    clock = WallClock()
    assert [clock.now_ns() for _ in range(4)] == [100, 100, 100, 101]


def test_fake_clock_moves_only_when_told() -> None:
    clock = FakeClock(5)
    assert clock.now_ns() == clock.now_ns() == 5
    assert clock.advance(3) == clock.now_ns() == 8
    assert clock.set(8) == 8
    for go_back in (lambda: clock.set(7), lambda: clock.advance(-1)):
        with pytest.raises(ValueError, match="never goes back"):
            go_back()
