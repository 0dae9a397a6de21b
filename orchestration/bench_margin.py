"""The margin model measured: the test before an order, re-marking, matching; and what others would do.

Owns: the measurements. All run in this process on one core; figures are medians of several passes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.benchmarks.margin_kernel import (
    check_orders,
    give_back,
    remark_all,
    take_orders,
    tell_exactly,
)
from engine.gateway import binary
from engine.journal.frame import ZERO_HASH, Frame
from engine.pipeline import Pipeline
from engine.risk.scenarios import ScenarioSetKept
from engine.state import State
from orchestration.bench_book import START_NS, Flow, open_market, requests_of
from schemas.codes import AccountClass, AccountStatus, InstrumentClass, ScenarioGroup
from schemas.market import EngineConfigured
from schemas.risk import Scenario

Tell = Callable[[str], None]
Words = npt.NDArray[np.int64]
GROUPS = {256: (192, 32, 32), 512: (384, 64, 64)}  # historical, stress, extreme
TAIL_PPM = (25_000, 50_000)  # what part of the historical and of the stress scenarios is tail
INSTRUMENTS, UNDERLYINGS, FACTORS, HELD = 60, 40, 40, 20
ORDERS, PIECE = 200_000, 1_000  # timed a pass; timed together, for the clock costs something
BATCH = 1_024
MILLION, BILLION = 1_000_000, 1_000_000_000


class Book(NamedTuple):
    """A state with accounts that hold something, and orders to test."""

    state: State
    accounts: Words
    instruments: Words
    lots: Words

    @property
    def orders(self) -> tuple[Words, Words, Words]:
        """As kernels take them."""
        return self.accounts, self.instruments, self.lots


def measure(account_count: int, many: int, flow: Flow | None, passes: int, tell: Tell) -> dict[str, Any]:
    """All figures, for JSON. `many` accounts are re-marked; `flow` is matched with margin on every order."""
    report: dict[str, Any] = {"accounts": account_count, "positions_each": HELD, "passes": passes}
    for count in GROUPS:
        tell(f"{count} scenarios, {account_count:,} accounts")
        book = make_book(account_count, count, 7)
        report[f"scenarios_{count}"] = {
            **_kernel_figures(book, passes),
            **_other_ways(book, passes),
            "bytes_an_account": _bytes_an_account(book),
            "remark": _remark(make_book(many, count, 8), passes, tell),
        }
    if flow is not None:
        report["matching"] = {str(count): _matching(flow, count, passes, tell) for count in (0, *GROUPS)}
    return report


# A book -----------------------------------------------------------------------------------------------------


def scenario_set(count: int, draw: np.random.Generator) -> ScenarioSetKept:
    """A set in force, its returns drawn with heavy tails."""
    kept = ScenarioSetKept(1)
    groups = [g for g, n in zip(ScenarioGroup, GROUPS[count], strict=True) for _ in range(n)]
    for number, group in enumerate(groups, 1):
        damping = 350_000 if group is ScenarioGroup.EXTREME else MILLION
        kept.scenarios.append(Scenario(
            scenario_set_id=1, scenario_no=number, scenario_group_code=group, name_packed=0,
            damping_ppm=damping,
        ))  # fmt: skip
    market = draw.standard_t(4, count) * 0.01
    for factor in range(1, FACTORS + 1):
        own = draw.standard_t(4, count) * 0.012
        moves = np.clip(0.6 * market + own, -0.9, 0.9)
        kept.returns[factor, :count] = np.round(moves * BILLION).astype(np.int64)
    historical, stress, _ = GROUPS[count]
    kept.historical_tail_count = -(-historical * TAIL_PPM[0] // MILLION)
    kept.stress_tail_count = -(-stress * TAIL_PPM[1] // MILLION)
    return kept


def make_book(account_count: int, scenario_count: int, seed: int) -> Book:
    """Accounts with positions in `HELD` of the instruments each, every one well above its margin."""
    draw = np.random.default_rng(seed)
    state = State.of(EngineConfigured(
        sequence=2, cause_sequence=1, occurred_at_ns=0, account_count=account_count,
        instrument_count=INSTRUMENTS, asset_count=UNDERLYINGS + 1, order_count=1_024, order_id_count=1_024,
        window_count=1 << 17,
    ))  # fmt: skip
    state.money_asset_id = 1
    state.risk.active = scenario_set(scenario_count, draw)
    numbers = np.arange(1, INSTRUMENTS + 1)
    rows = state.instruments[1:]
    rows["instrument_id"] = numbers
    rows["instrument_class_code"] = InstrumentClass.CFD
    rows["base_asset_id"] = 2 + (numbers - 1) % UNDERLYINGS
    rows["quote_asset_id"], rows["lot_units"], rows["tick_value_minor"] = 1, 1, 1
    rows["mark_ticks"] = draw.integers(1_000, 60_000, INSTRUMENTS)
    terms = state.instrument_risks[1:]
    terms["is_modelled"] = 1
    terms["first_factor_id"] = 1 + (numbers - 1) % FACTORS
    terms["first_beta_ppm"] = MILLION
    terms["half_spread_ppm"], terms["impact_ppm"], terms["daily_lots"] = 200, 30_000, 5_000_000
    terms["carry_ppm"], terms["basis_ppm"] = 100, 5_000
    terms["is_single_name"] = numbers % 2
    state.accounts["account_id"] = np.arange(account_count + 1)
    state.accounts["account_class_code"] = AccountClass.CUSTOMER_MARGIN
    state.accounts["account_status_code"] = AccountStatus.ACTIVE
    for account_id in range(1, account_count + 1):
        held = draw.choice(numbers, HELD, replace=False)
        lots = draw.integers(-500, 500, HELD)
        state.positions["position_lots"][account_id, held] = lots
        state.positions["cost_minor"][account_id, held] = lots * state.instruments["mark_ticks"][held]
    state.balances.amounts[1 : account_count + 1, 1] = -(10**10)
    state.tables.load()
    accounts = draw.integers(1, account_count + 1, ORDERS)
    instruments = draw.integers(1, INSTRUMENTS + 1, ORDERS)
    lots = draw.integers(1, 200, ORDERS) * draw.choice([-1, 1], ORDERS)
    return Book(state, accounts, instruments, lots)


# The kernels ------------------------------------------------------------------------------------------------


def _kernel_figures(book: Book, passes: int) -> dict[str, Any]:
    address = book.state.tables.address
    remark_all(address, len(book.state.accounts) - 1)
    orders = book.orders
    check_orders(address, *orders, 0, 1)
    take_orders(address, *orders, 0, 1)
    give_back(address, *orders, 0, 1)
    checks, takes, tells = [], [], []
    for _ in range(passes):
        checks += _pieces(lambda a, b: check_orders(address, *orders, a, b))
        takes += _pieces(
            lambda a, b: take_orders(address, *orders, a, b), lambda a, b: give_back(address, *orders, a, b)
        )
        tells += _pieces(lambda a, b: tell_exactly(address, orders[0], a, b))
    passed = check_orders(address, *orders, 0, ORDERS)
    return {
        "test_ns": _spread(checks),
        "test_and_reserve_ns": _spread(takes),
        "exact_margin_ns": _spread(tells),
        "passed": passed / ORDERS,
    }


def _pieces(run: Callable[[int, int], Any], undo: Callable[[int, int], Any] | None = None) -> Iterator[float]:
    """Nanoseconds an order, piece by piece. What is undone is not timed."""
    for first in range(0, ORDERS, PIECE):
        began = time.perf_counter_ns()
        run(first, first + PIECE)
        yield (time.perf_counter_ns() - began) / PIECE
        if undo is not None:
            undo(first, first + PIECE)


def _spread(ns: list[float]) -> dict[str, float]:
    ordered = sorted(ns)
    return {
        "median": round(statistics.median(ordered), 1),
        "p10": round(ordered[len(ordered) // 10], 1),
        "p90": round(ordered[len(ordered) * 9 // 10], 1),
    }


def _bytes_an_account(book: Book) -> dict[str, int]:
    """What the model keeps for an account: its vector, and its figures and names."""
    sizes = book.state.tables.bytes_an_account()
    return {**sizes, "total": sum(sizes.values())}


def _remark(book: Book, passes: int, tell: Tell) -> dict[str, Any]:
    """All instruments get another mark: profits per lot, then vectors, equity and margin of every account."""
    state = book.state
    count = len(state.accounts) - 1
    remark_all(state.tables.address, count)
    seconds: list[float] = []
    below = 0
    for number in range(passes):
        state.instruments["mark_ticks"][1:] += 1 if number % 2 else -1
        began = time.perf_counter()
        for instrument_id in range(1, INSTRUMENTS + 1):
            state.tables.remark(instrument_id)
        below = remark_all(state.tables.address, count)
        seconds.append(time.perf_counter() - began)
        tell(f"  {count:,} accounts re-marked in {seconds[-1]:.3f} s")
    return {"accounts": count, "seconds": statistics.median(seconds), "below_maintenance": below}


# What others would do ---------------------------------------------------------------------------------------


def _other_ways(book: Book, passes: int) -> dict[str, Any]:
    """The same scenario risk without add-ons: numpy for every order, and a batch of all accounts."""
    state = book.state
    profits, lots = _dense(book)
    vectors = lots @ profits
    historical, stress, _ = GROUPS[profits.shape[1]]
    tails = state.risk.active.historical_tail_count, state.risk.active.stress_tail_count

    def risk(vector: Words) -> float:
        losses = -vector
        worst = np.partition(losses[:historical], historical - tails[0])[historical - tails[0] :].mean()
        crash = losses[historical : historical + stress]
        return max(
            worst, np.partition(crash, stress - tails[1])[stress - tails[1] :].mean(),
            losses[historical + stress :].max(), 0.0,
        )  # fmt: skip

    each: list[float] = []
    batches: list[float] = []
    for _ in range(passes):
        began = time.perf_counter()
        for n in range(2_000):
            row = profits[book.instruments[n]]
            risk(vectors[book.accounts[n]] + np.minimum(0, book.lots[n] * row))
        each.append((time.perf_counter() - began) / 2_000 * BILLION)
        began = time.perf_counter()
        losses = -(lots @ profits)
        np.partition(losses[:, :historical], historical - tails[0], axis=1)[:, -tails[0] :].mean(axis=1)
        losses[:, historical:].max(axis=1)
        batches.append(time.perf_counter() - began)
    return {
        "numpy_an_order_ns": round(statistics.median(each)),
        "batch_of_all_accounts_ms": round(statistics.median(batches) * 1e3, 2),
    }


def _dense(book: Book) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Profits per lot and positions, as floats: what a linear algebra library is best at."""
    profits = book.state.tables.profits.astype(np.float64)
    return profits, book.state.positions["position_lots"].astype(np.float64)


# Matching with margin on every order ------------------------------------------------------------------------


class _NoJournal:
    """Keeps nothing: only deciding is timed."""

    def append(self, sections: Any, state_hash: bytes = ZERO_HASH) -> Any:
        kept = tuple(sections)
        return Frame(0, 1, 0, 0, kept, ZERO_HASH, ZERO_HASH)

    def stage(self, sections: Any, state_hash: bytes = ZERO_HASH) -> Any:
        raise NotImplementedError


def _matching(flow: Flow, scenario_count: int, passes: int, tell: Tell) -> dict[str, Any]:
    """Commands a second of the compiled pass, admission to postings, with no journal behind it."""
    rates: list[float] = []
    for _ in range(passes):
        pipeline = Pipeline(None, _NoJournal())
        open_market(pipeline, flow)
        _model(pipeline.state, scenario_count)
        batches = [
            binary.decode_request(raw, START_NS).batch for raw in requests_of(flow, 0, len(flow), BATCH)
        ]
        began = time.thread_time()
        for batch in batches:
            pipeline.decide(batch)
        rates.append(len(flow) / (time.thread_time() - began))
        tell(f"  matching with {scenario_count} scenarios: {rates[-1]:,.0f} commands/s")
    return {"commands_a_second": round(statistics.median(rates)), "best": round(max(rates))}


def _model(state: State, scenario_count: int) -> None:
    """Let every instrument of a market follow a factor, by a set of so many scenarios; none for none."""
    if scenario_count == 0:
        return
    state.risk.active = scenario_set(scenario_count, np.random.default_rng(9))
    listed = np.flatnonzero(state.instruments["instrument_id"])
    terms = state.instrument_risks
    terms["is_modelled"][listed] = 1
    terms["first_factor_id"][listed] = 1 + listed % FACTORS
    terms["first_beta_ppm"][listed] = MILLION
    terms["half_spread_ppm"][listed], terms["impact_ppm"][listed] = 200, 30_000
    terms["daily_lots"][listed], terms["is_single_name"][listed] = 5_000_000, 1
    state.tables.load()
