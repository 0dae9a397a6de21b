"""One trading session: makers and clients act in turn, batch after batch, until the close.

Owns: how commands are spread over the hours and batches, and what else happens between batches.
Does not own: what a maker or client asks for.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from engine.simulation.clients import Client
from engine.simulation.floor import Floor
from engine.simulation.market_makers import MarketMaker
from engine.simulation.mids import Mids
from engine.simulation.world import LISTINGS
from schemas.codes import InstrumentState
from schemas.headers import Command
from schemas.market import ChangeInstrumentState, SetMark

BATCH_COMMANDS = 512  # about this many a frame
STEPS = 8  # moves of the mids a frame
CLIENTS_A_STEP = 22
SMALLEST_BATCH_COUNT = 4


class Happening(NamedTuple):
    """Something else that happens at an instant, between two batches."""

    at_ns: int
    act: Callable[[int], None]


class Crowd(NamedTuple):
    """Everybody who trades, and the market that they look at."""

    makers: tuple[MarketMaker, ...]
    clients: tuple[Client, ...]
    mids: Mids

    def start_day(self) -> None:
        """A business day began: quotes are gone, order numbers are free."""
        for trader in (*self.makers, *self.clients):
            trader.start_day()


def marks(mids: Mids, at_ns: int) -> list[Command]:
    """Set every mark to its mid."""
    return [
        SetMark(
            sequence=0,
            received_at_ns=at_ns,
            instrument_id=listing.instrument_id,
            mark_ticks=mids.ticks(listing.instrument_id),
        )
        for listing in LISTINGS
    ]


def states(state: InstrumentState, at_ns: int) -> list[Command]:
    """Open or close every instrument."""
    return [
        ChangeInstrumentState(
            sequence=0,
            received_at_ns=at_ns,
            instrument_id=listing.instrument_id,
            instrument_state_code=state,
        )
        for listing in LISTINGS
    ]


def play_session(
    floor: Floor,
    crowd: Crowd,
    rng: random.Random,
    opens_at_ns: int,
    closes_at_ns: int,
    command_count: int,
    happenings: Sequence[Happening] = (),
) -> None:
    """Trade from open to close with about `command_count` commands, and let the rest happen."""
    waiting = sorted(happenings, key=lambda h: h.at_ns)
    batch_count = max(SMALLEST_BATCH_COUNT, round(command_count / BATCH_COMMANDS))
    length_ns = (closes_at_ns - opens_at_ns) // batch_count
    floor.submit([*marks(crowd.mids, opens_at_ns), *states(InstrumentState.OPEN, opens_at_ns)])
    floor.submit([c for maker in crowd.makers for c in maker.quote_all(opens_at_ns)])
    for number in range(batch_count):
        begins_at_ns = opens_at_ns + number * length_ns + 1
        while waiting and waiting[0].at_ns <= begins_at_ns:
            happening = waiting.pop(0)
            happening.act(max(happening.at_ns, floor.clock.now_ns()))
        floor.submit(list(_batch(crowd, rng, begins_at_ns, length_ns)))
        if (number + 1) % max(1, batch_count // 4) == 0:
            floor.progress(f"session {number + 1}/{batch_count}: {floor.watch.fill_count} fills")
    for happening in waiting:
        happening.act(max(happening.at_ns, floor.clock.now_ns()))
    floor.submit(states(InstrumentState.CLOSED, closes_at_ns))


def _batch(crowd: Crowd, rng: random.Random, begins_at_ns: int, length_ns: int) -> Iterator[Command]:
    """One batch: in each step the mids move, then makers and some clients act in a drawn order."""
    step_ns = length_ns // STEPS
    for maker in crowd.makers:
        maker.begin_batch()
    for step in range(STEPS):
        crowd.mids.step()
        actors: list[MarketMaker | Client] = list(crowd.makers)
        actors += rng.choices(crowd.clients, k=CLIENTS_A_STEP)
        rng.shuffle(actors)
        at_ns = begins_at_ns + step * step_ns
        pause_ns = step_ns // (len(actors) + 1)
        for actor in actors:
            at_ns += rng.randint(1, pause_ns)
            yield from actor.act(at_ns)
