"""The commands of risk against a running engine: a set is built, put in force, an account explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.clock import FakeClock
from engine.config import EngineSettings, Home
from engine.gateway.server import EngineServer
from engine.replay import open_book
from engine.risk.loading import short_name
from orchestration.cli import app
from schemas.risk import SetInstrumentRisk
from tests.support.scenario import World
from tests.support.served import serving

ACCOUNT = 7
OPENING = f"""
open {ACCOUNT} CUSTOMER_MARGIN
open 9 STREET
deposit {ACCOUNT} 5000.00
transfer {ACCOUNT} ACME 20
order 9 #1 BUY 100 ACMECFD @ 100.00
order {ACCOUNT} #1 SELL 15 ACMECFD @ 100.00 -> filled 15
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Home, World]]:
    """A world whose journal is a home's, behind its socket."""
    home = Home(tmp_path / "home")
    with open_book(home, EngineSettings(segment_bytes=1 << 20)) as (_, journal):
        world = World(journal).play(OPENING)
        server = EngineServer(world.pipeline, journal, home.socket, FakeClock(world.now_ns + 1))
        with serving(server):
            yield home, world


def run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_built_set_is_put_in_force_and_explains_an_account(
    running: tuple[Home, World], tmp_path: Path
) -> None:
    home, world = running
    made = tmp_path / "set.parquet"
    run("risk", "scenarios", "build", "--synthetic", "--profile", "small", "--out", str(made))
    told = run("risk", "scenarios", "load", str(made), "--home", str(home.root))
    assert told.startswith("set 1 is in force: 256 scenarios of 11 factors")
    state = world.pipeline.state
    assert (len(state.risk.active.scenarios), len(state.risk.factors)) == (256, 11)
    world.send(SetInstrumentRisk, instrument_id=3, is_modelled=1, first_factor_id=1, first_beta_ppm=1_000_000)
    told = run(
        "margin", "explain", "--account", str(ACCOUNT), "--order", "ACMECFD:-5", "--home", str(home.root)
    )
    explained = json.loads(told)
    equity, initial = state.margin_minor(ACCOUNT)
    assert (round(explained["equity"] * 100), round(explained["IM"] * 100)) == (equity, initial)
    assert explained["scenario_risk"]["total"] > 0
    assert explained["what_if"]["IM_after"] > explained["IM"]
    again = run("risk", "scenarios", "load", str(made), "--home", str(home.root))
    assert again.startswith("set 2 is in force"), "factors keep their numbers, the set has the next"
    assert len(state.risk.factors) == 11


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--account", "66"), "account 66 was never opened"),
        (("--account", "7", "--order", "ACMECFD"), "is not like BTCUSD:-5"),
        (("--account", "7", "--order", "NONE:5"), "no instrument is listed as NONE"),
        (("--account", "7", "--order", "ACME:0"), "at least one lot"),
    ],
)
def test_a_question_that_cannot_be_answered_is_one_line(
    running: tuple[Home, World], words: tuple[str, ...], told: str
) -> None:
    home, _ = running
    result = CliRunner().invoke(app, ["margin", "explain", *words, "--home", str(home.root)])
    assert result.exit_code == 2 and told in result.output


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("QALD_BASIS", "QALDBASIS"),
        ("synthetic day 001", "SYNTHETIY001"),
        ("", ""),
        ("2020-03-12", "20200312"),
    ],
)
def test_names_are_cut_to_what_a_column_holds(text: str, short: str) -> None:
    assert short_name(text) == short
