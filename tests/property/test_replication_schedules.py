"""Any order of sends, losses, repeats, pauses and crashes keeps the promises of replication.

`tests/support/replication.py` holds every step to them; here the steps are drawn.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.replication.fence import MemoryFence
from engine.replication.primary import Mode, PrimarySide
from engine.replication.standby import StandbySide
from tests.support.replication import LIMITS, Cluster

STEPS = (
    *("write", "acknowledge", "deliver", "deliver") * 5,
    *("repeat", "drop", "tick", "tick", "connect", "standby", "primary") * 2,
    *("pause", "crash", "crash", "power_cut", "hang_up"),
)
Step = tuple[str, int, int]


def take(cluster: Cluster, step: Step) -> None:
    name, at, number = step
    match name:
        case "write":
            cluster.write(at, 1 + number % 3)
        case "acknowledge":
            cluster.acknowledge(at)
        case "deliver":
            cluster.deliver(number if number % 3 == 0 else 0)
        case "repeat":
            cluster.deliver(number, keep=True)
        case "drop":
            cluster.drop(number)
        case "tick":
            cluster.pass_time(number % 40)
        case "pause":
            cluster.pass_time(LIMITS.standby_silence_ns + number, only=at)
        case "connect":
            cluster.connect(at)
        case "crash":
            cluster.crash(at, number % 3)
        case "power_cut":
            cluster.power_cut(number % 2)
        case "primary":
            cluster.start_primary(at)
        case "standby":
            cluster.start_standby(at)
        case "hang_up":
            cluster.hang_up(at)
        case _:
            raise AssertionError(name)


def in_step() -> Cluster:
    """Node a reigns with b in step."""
    cluster = Cluster()
    cluster.start_primary(0)
    cluster.start_standby(1)
    cluster.connect(1)
    cluster.deliver_all()
    primary = cluster.nodes[0].primary
    assert primary is not None and primary.mode is Mode.IN_STEP
    return cluster


def heal(cluster: Cluster) -> None:
    """Let the world be good: everyone runs, nothing is lost. Then a standby comes into step."""
    for _ in range(60):
        for at in (0, 1):
            cluster.start_primary(at)
            primary = cluster.nodes[at].primary
            if primary and primary.mode is Mode.FENCED:
                cluster.crash(at, 0)  # a fenced process ends
            cluster.start_standby(at)
            standby = cluster.nodes[at].standby
            if standby and not standby.is_connected:
                cluster.connect(at)
            cluster.acknowledge(at)
        cluster.pass_time(LIMITS.pulse_ns)
        cluster.deliver_all()
    reigning = [n for n in cluster.nodes if n.primary and n.primary.mode is Mode.IN_STEP]
    assert len(reigning) == 1, [(n.identity, n.primary and n.primary.mode) for n in cluster.nodes]
    (one,) = reigning
    (other,) = (n for n in cluster.nodes if n is not one)
    assert [f.raw for f in one.journal.frames] == [f.raw for f in other.journal.frames]
    assert [f.segment for f in one.journal.frames] == [f.segment for f in other.journal.frames]
    assert not one.written


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1), st.integers(0, 60)), max_size=120))
def test_no_schedule_breaks_a_promise(steps: list[Step]) -> None:
    cluster = in_step()
    for step in steps:
        take(cluster, step)
    heal(cluster)


def long_run(seed: int, count: int = 60) -> Cluster:
    """Work, misfortunes and recoveries in turn, with every step free to fall between."""
    rng = random.Random(seed)
    cluster = in_step()
    for _ in range(count):
        at, wait = rng.randrange(2), LIMITS.standby_silence_ns + rng.randrange(60)
        story = rng.choice(("work", "work", "work", "any", "lose", "power", "pause", "recover", "recover"))
        steps: list[Step] = []
        match story:
            case "work":
                names = rng.choices(
                    ("write", "acknowledge", "deliver", "deliver", "tick"), k=rng.randrange(40)
                )
                steps = [(name, rng.randrange(2), rng.randrange(20)) for name in names]
            case "lose":
                steps = [("crash", at, rng.randrange(3)), ("pause", 1 - at, wait)]
            case "power":
                steps = [("power_cut", at, rng.randrange(3)), ("standby", at, 0), ("pause", at, wait)]
            case "pause":
                steps = [("pause", at, wait)]
            case "recover":
                steps = [(name, n, 0) for name in ("primary", "standby", "connect") for n in (at, 1 - at)]
                steps += [("deliver", 0, 0)] * rng.randrange(30)
            case _:
                steps = [(rng.choice(STEPS), at, rng.randrange(60))]
        for step in steps:
            take(cluster, step)
    heal(cluster)
    return cluster


def test_long_schedules_take_over_and_set_aside() -> None:
    runs = [long_run(seed) for seed in range(40)]
    assert sum(len({r.holder for r in c.fence.reigns}) > 1 for c in runs) > 10
    assert sum(c.set_aside_count for c in runs) > 3
    assert sum(len(c.acknowledged) for c in runs) > 250


def broken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant one bug."""
    match name:
        case "takes over without the fence":
            monkeypatch.setattr(MemoryFence, "swap", lambda self, _, new: self.reigns.append(new) or True)
        case "the primary does not wait":
            monkeypatch.setattr(PrimarySide, "is_released", lambda self, index: True)
        case "the standby answers before its sync":
            monkeypatch.setattr(StandbySide, "_sync", lambda self: None)
        case "the primary goes on alone without the fence":
            swap = PrimarySide._swap
            monkeypatch.setattr(PrimarySide, "_swap", lambda self, new: swap(self, new) or not new.standby)
        case _:
            raise AssertionError(name)


@pytest.mark.parametrize(
    "name",
    [
        "takes over without the fence",
        "the primary does not wait",
        "the standby answers before its sync",
        "the primary goes on alone without the fence",
    ],
)
def test_the_schedules_find_a_planted_bug(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(name, monkeypatch)
    with pytest.raises(AssertionError):
        for seed in range(40):
            long_run(seed)
