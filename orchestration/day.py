"""One business day through everything: played or replayed, journaled, in the lake, filed, summed up."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

from engine.clock import FakeClock
from engine.config import EngineSettings, Home
from engine.errors import BadInput
from engine.gateway.client import InProcessClient
from engine.kernel_cache import was_cold
from engine.pipeline import Pipeline
from engine.projections.lake import LakeWriter
from engine.replay import open_pipeline
from engine.segregation.standing import undecided
from orchestration.lake.tables import catch_up
from orchestration.products.reserve.orders import approve, reserve_records
from orchestration.run_day import APPROVED_ORDERS, DayResult, StepResult, materialize_day
from orchestration.settings import PlatformSettings
from orchestration.summary import Figures, book_figures
from schemas.days import date_of

MARKER = "onebook.json"
Tell = Callable[[str], None]


class Outcome(NamedTuple):
    """What a day came to."""

    result: DayResult
    figures: Figures

    @property
    def is_success(self) -> bool:
        """Whether every product materialized and every blocking check passed."""
        return self.result.is_success and not any(c.is_error for c in self.result.failed_checks())


class Stopwatch:
    """Tells each phase as it begins and how long the one before took."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Tell one line with the seconds since the start."""
        self._tell(f"[{time.monotonic() - self._began:6.1f} s] {text}")

    def step(self, step: StepResult) -> None:
        """Tell the end of a Dagster step."""
        self.say(f"{step.outcome.lower():8} {step.name} ({step.seconds:.1f} s) {step.reason}".rstrip())


def fresh_home(home: Home) -> None:
    """Empty a home for a new day. Raises BadInput on a folder with contents that is not a home."""
    if home.root.exists() and any(home.root.iterdir()):
        if not (home.root / MARKER).exists():
            raise BadInput(f"{home.root} is not a OneBook home; it is left alone")
        shutil.rmtree(home.root)
    mark_home(home)


def mark_home(home: Home) -> None:
    """Make a folder a home, readable by its owner only."""
    home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    marker = home.root / MARKER
    if not marker.exists():
        marker.write_text(json.dumps({"onebook_home": 1}) + "\n", encoding="utf-8")


@contextmanager
def empty_book(home: Home, watch: Stopwatch) -> Generator[tuple[Pipeline, FakeClock]]:
    """An engine on an empty journal, and the clock that its commands are stamped with."""
    with open_pipeline(home, EngineSettings()) as pipeline:
        if pipeline.is_configured:
            raise BadInput(f"{home.root} holds a book already; use --fresh to begin anew")
        if was_cold():
            watch.say("compiling the kernels of these sources, once (about 20 s)")
        yield pipeline, FakeClock(0)


def finish_day(home: Home, pipeline: Pipeline, clock: FakeClock, watch: Stopwatch) -> Outcome:
    """From a journaled day to its products: lake, marts, checks, filings, and a summary of them."""
    watch.say("journal to lake")
    with LakeWriter(home) as writer:
        batches = writer.catch_up()
    watch.say(f"lake holds everything to sequence {pipeline.state.sequence} ({batches} batches)")
    watch.say("Dagster: lake, checks, dbt, products")
    client = InProcessClient(pipeline, clock)
    day = date_of(pipeline.state.business_epoch_day)
    result = materialize_day(home, clock=clock, engine_client=client, progress=watch.step, day=day)
    result = _approve(home, clock, client, result, watch)
    pipeline.state.balances.check()
    watch.say("summing up")
    return Outcome(result, book_figures(home, pipeline.state, result))


def _approve(
    home: Home, clock: FakeClock, client: InProcessClient, result: DayResult, watch: Stopwatch
) -> DayResult:
    """A second person approves what was filed; only then its payment orders are written."""
    checker = PlatformSettings().approver_operator_id
    waiting = undecided(reserve_records(home))
    if not waiting:
        return result
    for order in waiting:
        approve(client, order.payment_id, checker)
        watch.say(f"operator {checker} approves reserve order {order.payment_id}")
    catch_up(home, clock)
    later = materialize_day(
        home, clock=clock, engine_client=client, progress=watch.step, job_name=APPROVED_ORDERS
    )
    return result.then(later)


def simulate_day(home: Home, *, seed: int, business_date: date, scale: float, tell: Tell) -> Outcome:
    """Play a seeded business day on an empty book and materialize everything that it asks for."""
    from engine.simulation.day import play_day  # the simulated world is no part of a running book

    watch = Stopwatch(tell)
    mark_home(home)
    with empty_book(home, watch) as (pipeline, clock):
        watch.say(f"simulating {business_date} with seed {seed}")
        play_day(
            pipeline, home, clock, seed=seed, business_date=business_date, scale=scale, progress=watch.say
        )
        return finish_day(home, pipeline, clock, watch)


def replay_lobster(home: Home, messages: Path, *, trade_date: date | None, tell: Tell) -> Outcome:
    """Run a LOBSTER message file as a business day of an empty book; its name tells the day if you do not."""
    from engine.simulation.lobster_day import play_lobster, symbol_and_day, told_by_type

    day = trade_date or symbol_and_day(messages)[1]
    watch = Stopwatch(tell)
    mark_home(home)
    with empty_book(home, watch) as (pipeline, clock):
        watch.say(f"replaying {messages.name} as {day}")
        counts = play_lobster(pipeline, home, clock, messages, day, watch.say)
        outcome = finish_day(home, pipeline, clock, watch)
        return outcome._replace(figures=outcome.figures.with_lobster(told_by_type(counts)))
