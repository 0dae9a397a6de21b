"""Room for events: whatever one batch brings about has its rows, and stands in one order without gaps."""

from __future__ import annotations

import numpy as np

from engine.journal.frame import Frame
from engine.pipeline import Pipeline
from engine.replay import redo
from schemas.codes import OrderType, Side, TimeInForce
from schemas.market import PlaceOrder
from tests.support.scenario import World


def sequences_of(frame: Frame) -> list[int]:
    return sorted(int(n) for s in frame.sections for n in s.rows["sequence"])


def order(number: int, account_id: int, side: Side, lots: int, display: int = 0) -> PlaceOrder:
    return PlaceOrder(
        sequence=0, received_at_ns=0, session_id=1, account_id=account_id, client_order_id=number,
        instrument_id=1, side_code=side, order_type_code=OrderType.LIMIT, time_in_force_code=TimeInForce.DAY,
        price_ticks=10_000, quantity_lots=lots, display_lots=display,
    )  # fmt: skip


def test_icebergs_that_come_with_the_order_that_sweeps_them_have_room() -> None:
    """A thousand slices each, none of which was there when the batch began."""
    world = World().play("""
        open 7 CUSTOMER_MARGIN max=10000000000.00
        open 9 STREET
        deposit 7 1000000000.00
    """)
    frames = world.journal.frames
    world.pipeline.submit(
        [order(n, 9, Side.BUY, 1) for n in range(100, 200)]
    )  # rows of other kinds are plenty
    world.play("cancelall")
    icebergs = [order(n, 9, Side.SELL, 1_000, 1) for n in range(1, 15)]
    frame = world.pipeline.submit([*icebergs, order(1, 7, Side.BUY, 10_000), order(2, 7, Side.BUY, 4_000)])
    fills = next(s.rows for s in frame.sections if s.record.table == "fills")
    assert len(fills) == 14_000
    assert int(fills["quantity_lots"].sum()) == 14_000
    postings = next(s.rows for s in frame.sections if s.record.table == "postings")
    assert len(postings) == 2 * 14_000
    first = frame.first_sequence
    assert sequences_of(frame) == list(range(first, frame.last_sequence + 1))
    assert np.all(np.diff(fills["sequence"]) > 0)
    again = Pipeline(None, world.journal)
    for kept in frames:
        redo(again, kept)
    assert again.state.hash() == world.pipeline.state.hash()
