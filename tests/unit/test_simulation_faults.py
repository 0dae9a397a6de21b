"""Labelled faults: every class is there, none hides another, and the breaks are exactly the labelled ones."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.simulation.faults import Fault
from schemas.days import epoch_day_of
from tests.support.naive_breaks import breaks_of
from tests.support.played_day import Played, played

SEEDS = (1, 2, 3)


def _labelled(world: Played) -> list[tuple[str, str, str]]:
    return [(b["stage"], b["cause"], b["reference"]) for label in world.labels for b in label["breaks"]]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_class_of_fault_is_there(seed: int) -> None:
    world = played(seed)
    assert {label["fault"] for label in world.labels} == {fault.value for fault in Fault}
    assert world.day.faults == Counter(label["fault"] for label in world.labels)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_reference_carries_two_faults(seed: int) -> None:
    of_label = [{b["reference"] for b in label["breaks"]} for label in played(seed).labels]
    carried = Counter(reference for references in of_label for reference in references)
    assert max(carried.values()) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_the_labelled_breaks_follow_and_no_others(seed: int) -> None:
    world = played(seed)
    assert breaks_of(world, epoch_day_of(world.day.business_date)) == set(_labelled(world))
