"""One trading session: a call, continuous trading batch after batch, and a closing call.

Owns: how commands are spread over the hours and batches, the phases of the session, and what else happens
between batches. Does not own: what a maker or client asks for.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from engine.simulation.business_days import MINUTE_NS
from engine.simulation.clients import Client
from engine.simulation.floor import Floor
from engine.simulation.interruptions import phase
from engine.simulation.market_makers import MarketMaker
from engine.simulation.mids import Mids
from engine.simulation.world import LISTINGS
from schemas.codes import InstrumentState, TimeInForce
from schemas.headers import Command
from schemas.market import SetMark

BATCH_COMMANDS = 512  # about this many a frame
STEPS = 8  # moves of the mids a frame
CLIENTS_A_STEP = 22
SMALLEST_BATCH_COUNT = 4
PRE_OPEN_NS = 15 * MINUTE_NS  # orders are collected so long before the opening
OPENING_AUCTION_NS = 2 * MINUTE_NS
CLOSING_AUCTION_NS = 5 * MINUTE_NS
CALL_SHARE = 0.006  # of a session's commands, in each call
SMALLEST_CALL = 60


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
    """Lead every instrument to a phase."""
    return [phase(listing.instrument_id, state, at_ns) for listing in LISTINGS]


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
    call_count = max(SMALLEST_CALL, round(command_count * CALL_SHARE))
    length_ns = (closes_at_ns - CLOSING_AUCTION_NS - opens_at_ns) // batch_count
    _open(floor, crowd, rng, opens_at_ns, call_count)
    for number in range(batch_count):
        begins_at_ns = opens_at_ns + number * length_ns + 1
        floor.submit(floor.interruptions.ending(floor.now_or(begins_at_ns)))
        while waiting and waiting[0].at_ns <= begins_at_ns:
            _let_happen(floor, waiting.pop(0))
        floor.submit(list(_batch(crowd, rng, floor.now_or(begins_at_ns), length_ns)))
        if (number + 1) % max(1, batch_count // 4) == 0:
            floor.progress(f"session {number + 1}/{batch_count}: {floor.watch.fill_count} fills")
    for happening in waiting:
        _let_happen(floor, happening)
    _close(floor, crowd, rng, closes_at_ns, call_count)


def _let_happen(floor: Floor, happening: Happening) -> None:
    happening.act(floor.now_or(happening.at_ns))


def _open(floor: Floor, crowd: Crowd, rng: random.Random, opens_at_ns: int, call_count: int) -> None:
    """Collect orders, freeze nothing, and let the opening auction trade them at one price an instrument."""
    at_ns = opens_at_ns - PRE_OPEN_NS
    floor.submit([*marks(crowd.mids, at_ns), *states(InstrumentState.PRE_OPEN, at_ns)])
    floor.submit([c for maker in crowd.makers for c in maker.quote_all(at_ns)])
    auction_at_ns = opens_at_ns - OPENING_AUCTION_NS
    floor.submit(list(_call(crowd, rng, at_ns, auction_at_ns, call_count, TimeInForce.AT_OPEN)))
    floor.submit(states(InstrumentState.OPENING_AUCTION, floor.now_or(auction_at_ns)))
    floor.submit(list(_call(crowd, rng, auction_at_ns, opens_at_ns, call_count // 4, TimeInForce.AT_OPEN)))
    floor.submit(states(InstrumentState.OPEN, floor.now_or(opens_at_ns)))


def _close(floor: Floor, crowd: Crowd, rng: random.Random, closes_at_ns: int, call_count: int) -> None:
    """Collect once more, and let the closing auction end the session."""
    at_ns = floor.now_or(closes_at_ns - CLOSING_AUCTION_NS)
    closes_at_ns = max(closes_at_ns, at_ns + CLOSING_AUCTION_NS)
    floor.submit(states(InstrumentState.CLOSING_AUCTION, at_ns))
    floor.submit([c for maker in crowd.makers for c in maker.quote_all(at_ns)])
    floor.submit(list(_call(crowd, rng, at_ns, closes_at_ns, call_count, TimeInForce.AT_CLOSE)))
    floor.submit(states(InstrumentState.CLOSED, closes_at_ns))


def _call(
    crowd: Crowd,
    rng: random.Random,
    begins_at_ns: int,
    ends_at_ns: int,
    count: int,
    auction: TimeInForce,
) -> Iterator[Command]:
    """Clients ask for what an auction shall give them, one after the other."""
    pause_ns = (ends_at_ns - begins_at_ns) // (count + 1)
    for number, client in enumerate(rng.choices(crowd.clients, k=count), start=1):
        yield from client.act_in_call(begins_at_ns + number * pause_ns, auction)


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
