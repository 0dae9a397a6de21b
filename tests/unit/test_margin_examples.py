"""The example cases and docs/margin.md: every number that a reader sees is the one that the code gives."""

from __future__ import annotations

import json
import re
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from engine.risk.model.case import read_case
from engine.risk.model.case_products import CAPS
from engine.risk.model.case_rows import CLASSES
from engine.risk.model.charges import ADD_ONS, Rates
from engine.risk.model.explain import explain
from engine.risk.model.json_text import json_text
from engine.risk.model.requirement import KAPPA, THRESHOLDS
from engine.risk.model.stress_episodes import EPISODES
from tests.support.margin_cases import CASES
from tests.support.naive_margin import option_gain

PAGE = (Path(__file__).parents[2] / "docs" / "margin.md").read_text(encoding="utf-8")


def told(name: str) -> dict[str, Any]:
    """What the command prints for an example."""
    return json.loads(json_text(explain(read_case(CASES / f"{name}.json"))), parse_float=D)


def test_a_hedge_is_cheap_and_its_buying_back_is_not() -> None:
    """+1 coin, -1 perpetual: 75 of basis; without the perpetual 5,000, though that reduces a position."""
    found = told("hedge")
    assert found["scenario_risk"]["total"] == 75
    assert (found["state"], found["MM"]) == ("cancel", 575)
    (change,) = found["what_if"]
    assert (change["filled"]["scenario_risk"], change["is_accepted"]) == (5_000, False)
    assert change["reason"] == "WOULD_INCREASE_RISK"


def test_a_scanning_model_is_a_configuration() -> None:
    """Ten futures less twenty calls by the worst of sixteen: the extreme down, of which a third counts."""
    found = told("scanning")
    moves = [(0.06 * thirds / 3, vol) for thirds in (0, 1, -1, 2, -2, 3, -3) for vol in (0.25, -0.25)]
    terms = {"forward": 5_000, "strike": 5_100, "years": 0.2, "volatility": 0.18, "option_type": "call",
             "factors": {"ES": 1, "ES_VOL": 1}}  # fmt: skip
    losses = [
        share * -(10 * 50 * 5_000 * move - 20 * 50 * option_gain(terms, {"ES": move, "ES_VOL": vol}))
        for move, vol, share in (*((m, v, 1.0) for m, v in moves), (0.18, 0.0, 0.33), (-0.18, 0.0, 0.33))
    ]
    assert float(found["scenario_risk"]["total"]) == pytest.approx(max(losses), abs=1e-6)
    assert found["IM"] == found["MM"] == found["scenario_risk"]["total"]
    assert abs(found["contributions"]["by_factor"]["cross"]) < D(
        "1e-6"
    )  # only the price moves in that scenario


def test_retail_leverage_caps_are_a_configuration() -> None:
    """33,000/30 + 22,000/20 + 20,000/20 + 7,500/10 + 10,000/5 + 60,000/2, beyond 1.3 times scenario risk."""
    found = told("retail_caps")
    assert found["IM"] == 1_100 + 1_100 + 1_000 + 750 + 2_000 + 30_000
    rest = D("1.3") * found["scenario_risk"]["total"]
    assert found["requirement"]["IM"]["RF"] == found["IM"] - rest


def test_the_two_name_overlay_is_a_configuration() -> None:
    """The two largest move by 30 % against the account, the others by 5 %: 12,000 + 9,000 + 1,000 + 500."""
    found = told("two_names")
    assert found["scenario_risk"]["total"] < found["MM"] == 22_500


BLOCKS = [json.loads(text, parse_float=D) for text in re.findall(r"```json\n(.*?)```", PAGE, re.S)]


def test_the_worked_example_of_the_page_is_what_the_code_gives() -> None:
    case = json.loads((CASES / "worked.json").read_text(encoding="utf-8"), parse_float=D)
    found = told("worked")
    shown = [key for block in BLOCKS for key in block if key in found]
    assert {"scenario_risk", "add_ons", "IM", "MM", "equity", "state", "contributions", "liquidation_prices",
            "what_if", "worst_scenarios", "requirement"} <= set(shown)  # fmt: skip
    for block in BLOCKS:
        source = found if set(block) <= set(found) else case
        for key, value in block.items():
            assert value == source[key], key


def test_every_default_stands_on_the_page() -> None:
    rates = Rates()
    for value in (KAPPA, *THRESHOLDS, rates.impact, rates.concentration, rates.concentration_largest):
        assert f"| {float(value):g} |" in PAGE, value
    for name, value in rates.basis.items():
        assert f"{name} {float(value):g}" in PAGE, name
    for name, cap in CAPS.items():
        assert f"{name} {cap}" in PAGE, name
    for word in (*CLASSES, *ADD_ONS):
        assert f"`{word}`" in PAGE, word
    for episode in EPISODES:
        assert episode.day.isoformat() in PAGE, episode
