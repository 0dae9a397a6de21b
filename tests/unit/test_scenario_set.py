"""Scenario sets: built from prices, made up for the simulated day, written, read, refused where broken."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.errors import BadInput
from engine.risk.model.factor_groups import factors_of
from engine.risk.model.hypothetical import extreme_scenarios, stress_scenarios
from engine.risk.model.price_history import PriceHistory, read_prices
from engine.risk.model.scenario_build import build_set
from engine.risk.model.scenario_set import PROFILES, Scenario, ScenarioSet, read_set, write_set
from engine.risk.model.synthetic_set import FACTORS, synthetic_set
from engine.simulation.world import ASSET_BY_ID, LISTINGS
from orchestration.cli import app

RUNNER = CliRunner()


def history(prices: dict[str, list[float]], first: dt.date = dt.date(2025, 1, 1)) -> PriceHistory:
    """A history of consecutive days."""
    size = len(next(iter(prices.values())))
    days = tuple(first + dt.timedelta(days=n) for n in range(size))
    return PriceHistory("prices.csv", days, {name: tuple(column) for name, column in prices.items()})


def wavy(size: int, amplitude: float) -> list[float]:
    """Prices that go up and down by the same share."""
    return [100.0 * (1 + amplitude if n % 2 else 1.0) for n in range(size)]


def test_an_even_history_is_its_own_returns() -> None:
    """Volatility never changes, so nothing is scaled: +2 % and back."""
    built = build_set(history({"BTC": wavy(400, 0.02)}), "small").made
    moves = {s.returns_ppb[0] for s in built.scenarios if s.kind == "historical"}
    assert moves == {20_000_000, -19_607_843}


@pytest.mark.parametrize(
    ("calm", "wild", "ratio"),
    [(0.001, 0.05, 3.0), (0.05, 0.001, 0.7)],  # clamped from both sides
)
def test_returns_are_scaled_to_todays_volatility_within_bounds(
    calm: float, wild: float, ratio: float
) -> None:
    prices = [*wavy(300, calm), *wavy(110, wild)]
    built = build_set(history({"BTC": prices}), "small").made
    first = next(s for s in built.scenarios if s.kind == "historical")
    at = 410 - 192
    observed = math.log(prices[at] / prices[at - 1])
    assert first.returns_ppb[0] == round(math.expm1(observed * ratio) * 1e9)


def test_the_filter_is_the_formula() -> None:
    """sigma^2 <- 0.97 sigma^2 + 0.03 r^2, from the mean square of the first sixty."""
    prices = [100.0 * math.exp(0.01 * math.sin(n * n)) for n in range(300)]
    r = [math.log(b / a) for a, b in pairwise(prices)]
    variance = [sum(x * x for x in r[:60]) / 60]
    for x in r:
        variance.append(0.97 * variance[-1] + 0.03 * x * x)
    built = build_set(history({"QALD": prices}), "small", horizon_days=4.0).made
    for n, scenario in enumerate(s for s in built.scenarios if s.kind == "historical"):
        at = 299 - 192 + n
        ratio = min(max(math.sqrt(variance[-1] / variance[at]), 0.7), 3.0)
        assert scenario.returns_ppb[0] == round(math.expm1(r[at] * 2.0 * ratio) * 1e9)


def test_a_history_that_covers_an_episode_is_used_for_it() -> None:
    """2024-08-05 is the 218th day of a history from 2024-01-01; -20 % that day, +10 % the next."""
    prices = [100.0] * 217 + [80.0] + [88.0] * 400
    built = build_set(history({"BTC": prices, "EURUSD": prices}, dt.date(2024, 1, 1)), "full")
    moves = {s.name: s.returns_ppb for s in built.made.scenarios if s.kind == "stress"}
    title = "2024-08-05 carry unwind, "
    assert moves[title + "day"] == (-200_000_000,) * 2
    assert moves[title + "mirrored"] == (250_000_000,) * 2
    assert moves[title + "two days"] == moves[title + "five days"] == (-120_000_000,) * 2
    assert moves["2020-03-12 pandemic, day (hypothetical)"] == (-390_000_000, -9_000_000)
    assert "2020-03-12 pandemic: not in the history, taken as it is written down" in built.notes
    assert not any("2024-08-05" in note for note in built.notes)


def test_a_price_that_was_below_zero_moves_in_shares_of_the_last() -> None:
    prices = [20.0] * 100 + [-40.0] + [20.0] * 100 + [25.0] * 99
    built = build_set(history({"WTI": prices}, dt.date(2020, 1, 11)), "small")
    day = next(s for s in built.made.scenarios if s.name == "2020-04-20 oil below zero, day")
    assert day.returns_ppb == (-2_400_000_000,)  # 60 of 25
    assert built.notes[0] == "WTI was at or below zero: its moves are shares of its last price"


GROUPS = [
    ("BTC", "crypto"), ("ETHUSDT", "crypto"), ("EURUSD", "fx"), ("EUR", "fx"), ("USD/JPY", "fx"),
    ("XAUUSD", "commodity"),
    ("WTI", "commodity"), ("SPX", "index"), ("QALD", "equity"), ("BTC_BASIS", "basis"), ("USDT", "peg"),
    ("USDC_PEG", "peg"), ("ES_VOL", "volatility"), ("USD_RATE", "rate"), ("CHF", "fx"), ("CAT", "equity"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "group"), GROUPS)
def test_groups_by_name(name: str, group: str) -> None:
    (factor,) = factors_of([name])
    assert factor.group == group
    assert factors_of([name], {name: "index"})[0].group == "index"


def test_exchange_rates_follow_their_currencies() -> None:
    """The franc rises by 19 %, the others fall by 1.3 %: USDCHF and EURCHF fall, EURUSD too."""
    factors = factors_of(["CHF", "USDCHF", "EURCHF", "EURUSD"])
    day = next(s for s in stress_scenarios(PROFILES["full"], factors) if s.name.startswith("2015-01-15"))
    assert day.returns_ppb == (190_000_000, -159_663_866, -170_588_236, -13_000_000)


@pytest.mark.parametrize("profile", ["full", "small"])
def test_profiles_have_their_sizes(profile: str) -> None:
    sizes = PROFILES[profile]
    factors = factors_of(["BTC", "SPX", "QALD", "EURUSD", "WTI", "USDT", "BTC_BASIS", "SPX_VOL"])
    assert len(stress_scenarios(sizes, factors)) == sizes.stress
    extremes = extreme_scenarios(sizes, factors)
    assert len(extremes) == sizes.extreme == len({s.name for s in extremes})
    by_name = {s.name: s for s in extremes}
    assert by_name["everything down, volatility up"].returns_ppb == (
        -150_000_000, -80_000_000, -150_000_000, -40_000_000, -120_000_000, 0, 0, 400_000_000,
    )  # fmt: skip
    assert by_name["crypto down by three ranges"] == Scenario(
        "extreme", "crypto down by three ranges", 350_000,
        (-450_000_000, 0, 0, 0, 0, 0, -15_000_000, 800_000_000),
    )  # fmt: skip
    assert [(g.name, g.size) for g in synthetic_set(profile).groups()] == list(sizes._asdict().items())


def test_the_synthetic_set_is_the_same_on_every_machine() -> None:
    text = json.dumps([tuple(s) for s in synthetic_set().scenarios])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "47d4e7e5f64d99bc"


def test_the_synthetic_set_has_factors_for_all_that_is_listed_and_looks_like_markets() -> None:
    made = synthetic_set()
    listed = {ASSET_BY_ID[listing.base_asset_id].symbol for listing in LISTINGS}
    assert listed <= set(made.factors)
    moves = {
        name: [s.returns_ppb[n] / 1e9 for s in made.scenarios if s.kind == "historical"]
        for n, name in enumerate(made.factors)
    }

    def deviation(name: str) -> float:
        return math.sqrt(sum(x * x for x in moves[name]) / len(moves[name]))

    def correlation(one: str, other: str) -> float:
        product = sum(a * b for a, b in zip(moves[one], moves[other], strict=True)) / len(moves[one])
        return product / deviation(one) / deviation(other)

    assert 0.02 < deviation("BTC") < 0.06
    assert 0.003 < deviation("EUR") < 0.01
    assert correlation("BTC", "ETH") > 0.6
    assert 0.2 < correlation("QALD", "QBRM") < 0.8
    assert abs(correlation("BTC", "EUR")) < 0.4
    for name in ("BTC", "QALD"):  # heavy tails: a normal law has a kurtosis of 3
        fourth = sum(x**4 for x in moves[name]) / len(moves[name])
        assert fourth / deviation(name) ** 4 > 4.5
    assert all("synthetic" in s.name for s in made.scenarios if s.kind == "historical")
    assert all("(hypothetical)" in s.name for s in made.scenarios if s.kind == "stress")
    assert FACTORS[0].name == "QALD"


SMALL = ScenarioSet(
    ("BTC", "EUR"),
    (
        Scenario("historical", "a day", 1_000_000, (-5, 7)),
        Scenario("extreme", "everything, down", 350_000, (-9, 0)),
    ),
)


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".json"])
def test_a_set_is_read_as_it_was_written(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"set{ending}"
    write_set(SMALL, path)
    assert read_set(path) == SMALL


ROWS = [
    (["1,historical,a,1000000,BTC,5", "1,historical,a,1000000,BTC,5"], "BTC stands twice in scenario 1"),
    (["1,historical,a,1000000,BTC,5", "3,stress,b,1000000,BTC,5"], "row 2: scenario 3 does not follow"),
    (["1,stress,a,1000000,BTC,5", "2,historical,b,1000000,BTC,5"], "historical stands behind stress"),
    (["1,history,a,1000000,BTC,5"], "column kind: expected one of historical, stress"),
    (["1,stress,a,1000000,BTC,0.5"], "column return_ppb: expected a whole number of 64 bits, not '0.5'"),
    (["1,stress,a,-1,BTC,5"], "column damping_ppm: expected zero or more, not -1"),
    (["1,stress,a,1000000,BTC,99999999999999999999"], "expected a whole number of 64 bits"),
    (["1,stress,a,1000000,BTC,5", "2,stress,b,1000000,EUR,5"], "scenario 2 has other factors"),
    (["1,stress,a,1000000,BTC"], "row 1: expected 6 values, not 5"),
    ([], "no scenario in it"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "message"), ROWS, ids=[m[:30] for _, m in ROWS])
def test_a_broken_set_is_refused_with_its_row(tmp_path: Path, rows: list[str], message: str) -> None:
    path = tmp_path / "set.csv"
    path.write_text(
        "\n".join(["scenario_no,kind,name,damping_ppm,factor,return_ppb", *rows]), encoding="utf-8"
    )
    with pytest.raises(BadInput, match=r"set\.csv") as refused:
        read_set(path)
    assert message in str(refused.value)


PRICES = [
    ("date,BTC\n2026-01-01,100\n2026-01-01,101\n", "line 3, column date: 2026-01-01 stands twice"),
    ("date,BTC\n01.02.2026,100\n", "line 2, column date: expected a date like 2026-09-30, not '01.02.2026'"),
    ("date,BTC\n2026-01-01,abc\n", "line 2, column BTC: expected a price, not 'abc'"),
    ("date,BTC\n2026-01-01,inf\n", "line 2, column BTC: expected a price, not 'inf'"),
    ("date,BTC,EUR\n2026-01-01,100\n", "line 2: expected 3 values, not 2"),
    ("date,BTC\n2026-01-01,\n", "line 2, column BTC: expected a price on the first date"),
    ("date\n2026-01-01\n", "expected a date and one column a factor"),
    ("date,BTC,BTC\n2026-01-01,1,2\n", "each with a name of its own"),
    ("", "nothing in it"),
    ("date,BTC\n2026-01-01,100\n", "1 dates; the profile 'full' needs 385 at least"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), PRICES, ids=[m[:40] for _, m in PRICES])
def test_broken_prices_are_refused_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(text, encoding="utf-8")
    out = tmp_path / "set.csv"
    done = RUNNER.invoke(app, ["risk", "scenarios", "build", "--prices", str(path), "--out", str(out)])
    assert done.exit_code == 2
    assert message in done.stderr
    assert not out.exists()


def test_a_closed_market_keeps_its_price(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("date,BTC,SPX\n2026-01-02,100,50\n2026-01-03,101,\n2026-01-05,102,51\n", encoding="utf-8")
    assert read_prices(path).prices["SPX"] == (50.0, 50.0, 51.0)


def test_a_history_is_read_in_any_order_of_its_dates(tmp_path: Path) -> None:
    rows = ["2026-01-02,100,50", "2026-01-03,101,", "2026-01-05,102,51"]
    read: list[Any] = []
    for name, ordered in (("oldest.csv", rows), ("newest.CSV", rows[::-1])):
        path = tmp_path / name
        path.write_text("\n".join(["date,BTC,SPX", *ordered]), encoding="utf-8")
        read.append(read_prices(path)._replace(source=""))
    assert read[0] == read[1]


@pytest.mark.parametrize("name", ["Date", "__index_level_0__"])
def test_a_data_frame_writes_its_dates_last_and_gaps_as_no_number(tmp_path: Path, name: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    days = [dt.datetime(2026, 1, day) for day in (2, 3, 5)]  # noqa: DTZ001 - a day is of no zone
    path = tmp_path / "prices.parquet"
    pq.write_table(pa.table({"SPX": [50.0, float("nan"), 51.0], name: days}), path)
    read = read_prices(path)
    assert read.dates == tuple(day.date() for day in days)
    assert read.prices == {"SPX": (50.0, 50.0, 51.0)}


def test_the_command_builds_from_parquet_what_it_builds_from_csv(tmp_path: Path) -> None:
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    start = dt.date(2025, 6, 2)
    rows = [f"{start + dt.timedelta(days=n)},{100 + n % 7},{1.1 + (n % 5) / 100}" for n in range(200)]
    path = tmp_path / "prices.csv"
    path.write_text("date,BTC,EURUSD\n" + "\n".join(rows), encoding="utf-8")
    pq.write_table(pa_csv.read_csv(path), tmp_path / "prices.parquet")
    made: list[Any] = []
    for ending in ("csv", "parquet"):
        out = tmp_path / f"{ending}.parquet"
        done = RUNNER.invoke(
            app,
            ["risk", "scenarios", "build", "--prices", str(tmp_path / f"prices.{ending}"), "--out", str(out),
             "--profile", "small", "--horizon", "2", "--horizon", "EURUSD=1", "--group", "BTC=equity"],
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        assert (
            "256 scenarios of 2 factors: 192 historical (tail 5), 32 stress (tail 2), 32 extreme"
            in done.stdout
        )
        assert "BTC is of group equity" in done.stderr
        made.append(read_set(out))
    assert made[0] == made[1]


@pytest.mark.parametrize(
    "more", [[], ["--prices", "here", "--synthetic"], ["--synthetic", "--profile", "huge"]], ids=str
)
def test_the_command_says_what_it_needs(more: list[str]) -> None:
    assert RUNNER.invoke(app, ["risk", "scenarios", "build", *more]).exit_code == 2
