"""A journal decided again gives the same bytes, from its beginning and from any snapshot."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import numpy as np
import pytest

from engine.batch import Batch
from engine.config import EngineSettings, Home
from engine.errors import InvariantBroken
from engine.image import arrays_of, state_of, text_of
from engine.journal.frame import Section
from engine.journal.reader import read_frames
from engine.journal.writer import JournalWriter
from engine.pipeline import Pipeline
from engine.replay import open_pipeline, recover, redo, take_snapshot
from schemas.market import CancelOrder, PlaceOrder, ReplaceOrder
from schemas.record import Role
from tests.support.scenario import World

SEGMENT_BYTES = 1 << 20


def random_commands(rng: random.Random, count: int, start: int) -> list[object]:
    """Orders, changes and cancels of four accounts, good and bad ones."""
    commands: list[object] = []
    for i in range(count):
        account, number = rng.choice((5, 6, 7, 9)), rng.randint(1, start + i + 1)
        shared = {"sequence": 0, "received_at_ns": start + i, "session_id": 1, "account_id": account}
        price, lots = rng.randint(9_990, 10_010), rng.randint(0, 9)
        kind = rng.random()
        if kind < 0.7:
            commands.append(
                PlaceOrder(
                    **shared,
                    client_order_id=start + i + 1,
                    instrument_id=rng.randint(1, 3),
                    side_code=rng.randint(1, 2),
                    order_type_code=rng.choice((1, 1, 1, 2)),
                    time_in_force_code=rng.randint(1, 3),
                    post_only_code=int(rng.random() < 0.1),
                    price_ticks=price,
                    quantity_lots=lots,
                )
            )
        elif kind < 0.85:
            commands.append(CancelOrder(**shared, client_order_id=number))
        else:
            commands.append(
                ReplaceOrder(**shared, client_order_id=number, price_ticks=price, quantity_lots=lots)
            )
    return commands


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A journal of a set-up, 30 batches of random orders, a snapshot at batch 20, and a settlement."""
    home = Home(tmp_path / "book")
    writer = JournalWriter.open(home.journal, segment_bytes=SEGMENT_BYTES)
    world = World(writer, hash_every=1)
    world.play("""
        open 5 CUSTOMER_CASH
        open 6 CUSTOMER_MARGIN
        open 7 CUSTOMER_MARGIN
        open 9 STREET
        deposit 5 100000.00
        deposit 6 100000.00
        deposit 7 100000.00
        transfer 5 ACME 500
        transfer 6 BETA 500
    """)
    rng = random.Random(7)
    for batch in range(30):
        frame = world.pipeline.submit(random_commands(rng, 100, batch * 100))
        if batch == 20:
            take_snapshot(home, world.pipeline.state, frame)
    world.pipeline.state.balances.check()
    home.root.joinpath("hash").write_bytes(world.pipeline.state.hash())
    writer.close()
    return home


def test_the_whole_journal_and_the_tail_behind_a_snapshot_lead_to_the_same_state(home: Home) -> None:
    whole, tail = recover(home, use_snapshot=False), recover(home)
    expected = home.root.joinpath("hash").read_bytes()
    assert whole.state is not None and tail.state is not None
    assert whole.state.hash() == tail.state.hash() == expected
    assert tail.replayed_count == 9 < whole.replayed_count


def test_going_on_after_recovery_is_the_same_as_never_having_stopped(home: Home, tmp_path: Path) -> None:
    more = random_commands(random.Random(8), 200, 10_000)
    settings = EngineSettings(segment_bytes=SEGMENT_BYTES)
    whole = recover(home, use_snapshot=False).state
    assert whole is not None
    unstopped = Pipeline(whole, World().journal)
    made = [s.rows.tobytes() for s in unstopped.decide(Batch.of(more))]
    with open_pipeline(home, settings) as pipeline:
        frame = pipeline.submit(more)
        assert [s.rows.tobytes() for s in frame.sections] == made
        assert pipeline.state.hash() == whole.hash()


def test_a_frame_that_was_decided_otherwise_is_found(home: Home) -> None:
    """The journal verifies, but an event in it is not what these commands cause."""
    frames = list(read_frames(home.journal))
    pipeline = Pipeline(None, World().journal)
    for frame in frames[:-1]:
        redo(pipeline, frame)
    sections = [Section(s.record, s.rows.copy()) for s in frames[-1].sections]
    fills = next(s for s in sections if s.record.table == "fills")
    fills.rows["quantity_lots"][0] += 1
    with pytest.raises(InvariantBroken, match="fills decided again differ"):
        redo(pipeline, frames[-1]._replace(sections=tuple(sections)))


def test_a_snapshot_that_is_not_the_state_it_says_is_refused(home: Home) -> None:
    state = recover(home).state
    assert state is not None
    arrays = {k: v.copy() for k, v in arrays_of(state).items()}
    assert state_of(arrays, text_of(state), state.hash()).hash() == state.hash()
    orders = arrays["orders"]
    level = orders[["instrument_id", "side_code", "price_ticks"]]
    first = int(np.flatnonzero(level[1:] == level[:-1])[0])
    orders[[first, first + 1]] = orders[[first + 1, first]]  # two change places in one queue
    with pytest.raises(InvariantBroken):
        state_of(arrays, text_of(state), state.hash())


def test_time_only_goes_forward_and_what_is_journaled_is_what_was_used() -> None:
    world = World()
    late, early = (
        dataclasses.replace(c, received_at_ns=at)  # type: ignore[type-var]
        for c, at in zip(random_commands(random.Random(1), 2, 0), (world.now_ns + 50, 3), strict=True)
    )
    frame = world.pipeline.submit([late, early])
    times = [s.rows["received_at_ns"] for s in frame.sections if s.record.role is Role.COMMAND]
    assert set(np.concatenate(times).tolist()) == {world.now_ns + 50}
