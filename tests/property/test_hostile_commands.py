"""No command that anybody can send stops the engine: it is decided or refused, and the books balance."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.market import ConfigureEngine
from schemas.record import RecordType, Role, journaled
from tests.support.scenario import World

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
COMMANDS = [r for r in journaled() if r.role is Role.COMMAND and r.cls is not ConfigureEngine]
NUMBERS = st.one_of(
    st.integers(-2, 12),
    st.sampled_from(
        [INT64_MIN, INT64_MAX, INT64_MAX - 1, 1 << 62, (1 << 62) - 1, 1 << 53, 10_000, -(1 << 62)]
    ),
    st.integers(INT64_MIN, INT64_MAX),
)
OPENING = """
open 1 CUSTOMER_MARGIN
open 2 CUSTOMER_CASH
open 3 STREET
deposit 1 100000.00
deposit 2 100000.00
transfer 1 ACME 500
order 3 #1 SELL 20 ACME @ 101.00
order 3 #2 BUY 20 ACME @ 99.00
order 1 #1 BUY 5 ACME @ 101.00
"""


def hostile(record: RecordType) -> st.SearchStrategy[Any]:
    """Any numbers in every column."""
    columns = {c.name: NUMBERS for c in record.columns[2:]}
    return st.builds(record.cls, sequence=st.just(0), received_at_ns=st.just(1), **columns)


@settings(max_examples=150)
@given(st.lists(st.sampled_from(COMMANDS).flatmap(hostile), min_size=1, max_size=12))
def test_any_numbers_are_decided_or_refused(commands: list[Any]) -> None:
    world = World().play(OPENING)
    for command in commands:
        world.pipeline.submit([command])
        world.pipeline.state.balances.check()
    world.pipeline.submit(commands)
    world.pipeline.state.balances.check()


def test_each_command_survives_the_extremes() -> None:
    world = World().play(OPENING)
    for record in COMMANDS:
        for number in (INT64_MIN, INT64_MAX, -1, 0, 1, 1 << 62, 1 << 53):
            columns = {c.name: number for c in record.columns} | {"sequence": 0, "received_at_ns": 1}
            world.pipeline.submit([record.cls(**columns)])
            for column in record.columns[2:]:
                columns = {c.name: 1 for c in record.columns} | {"sequence": 0, "received_at_ns": 1}
                world.pipeline.submit([record.cls(**(columns | {column.name: number}))])
    world.pipeline.state.balances.check()
