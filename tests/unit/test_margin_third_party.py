"""Portfolios as a third party writes them, who knows the formulas and not the code: a float formula a row.

Owns: that the command agrees with what anybody can compute by hand. Does not own: every spelling of a key and
every refusal (test_margin_case.py), exact units (test_margin_model.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import erf, exp, log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import CliRunner

from orchestration.cli import app

RUNNER = CliRunner()
Floats = npt.NDArray[np.float64]

MOVES: dict[str, list[float]] = {
    "BTC": [-0.2, -0.1, 0.1, 0.3],
    "BTC_BASIS": [0.01, -0.01, 0.02, 0.0],
    "BTC_VOL": [0.5, 0.2, -0.1, -0.3],
    "USDT_PEG": [-0.05, 0.0, 0.01, -0.1],
    "SPX": [-0.06, 0.01, -0.04, 0.03],
    "SAP": [-0.1, 0.05, 0.02, -0.03],
    "EURUSD": [-0.02, 0.01, 0.03, -0.01],
    "FIXING": [0.01, -0.03, -0.02, 0.02],
    "USDJPY": [0.02, -0.03, 0.01, -0.01],
}
r = {name: np.array(moves) for name, moves in MOVES.items()}
COIN = {
    "id": "BTC",
    "class": "crypto",
    "currency": "USD",
    "factors": ["BTC"],
    "price": 60_000,
    "multiplier": 1,
}
PERP = COIN | {"id": "PERP", "class": "perpetual", "factors": ["BTC", "BTC_BASIS"]}
SHARE = {"id": "SAP", "class": "equity", "currency": "EUR", "factors": {"SAP": 1, "SPX": 0.5}, "price": 100}
CALL = {
    "id": "CALL", "class": "option", "currency": "USD", "factors": ["BTC", "BTC_VOL"], "multiplier": 0.1,
    "type": "call", "F": 60_000, "K": 65_000, "T": 0.25, "vol": 0.6, "r": 0.03,
}  # fmt: skip
SPAN = [-150, -100, -50, 0, 20, 50, 80, 110, -160, -110, -60, -10, 15, 45, 400, -420]
DAMPED = [1.0] * 14 + [0.33, 0.33]


def case(**told: Any) -> dict[str, Any]:
    """A portfolio with two of four days counting; `told` replaces or adds."""
    return {
        "scenarios": {"historical": {"tail": 2, "factors": MOVES}},
        "instruments": [],
        "positions": {},
        "orders": [],
        "cash": {"USD": 100_000},
        "parameters": {"add_ons": "none"},
    } | told


def explained(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What the command prints."""
    path = folder / "case.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    done = RUNNER.invoke(app, ["margin", "explain", "--case", str(path)])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def shortfall(
    gains: Floats | Sequence[float], tail: int = 2, damping: Sequence[float] | None = None
) -> float:
    """ES of the k worst."""
    losses = -np.asarray(gains) * (1.0 if damping is None else np.asarray(damping))
    return float(np.sort(losses)[::-1][:tail].mean())


def call_value(forward: float, strike: float, years: float, vol: float, rate: float) -> float:
    """Black-76."""
    up = (log(forward / strike) + vol * vol * years / 2) / (vol * sqrt(years))
    down = up - vol * sqrt(years)
    return exp(-rate * years) * (forward * _normal(up) - strike * _normal(down))


def _normal(x: float) -> float:
    return 0.5 * (1 + erf(x / sqrt(2)))


SHARE_PRICE = 100 * (1 + r["SAP"] + 0.5 * r["SPX"])
SHARE_GAIN = SHARE_PRICE * 1.1 * (1 + r["EURUSD"]) - 110
CALL_GAIN = 0.1 * np.array([
    call_value(60_000 * (1 + move), 65_000, 0.25, 0.6 * (1 + vol), 0.03)
    - call_value(60_000, 65_000, 0.25, 0.6, 0.03)
    for move, vol in zip(MOVES["BTC"], MOVES["BTC_VOL"], strict=True)
])  # fmt: skip
RISK: list[tuple[str, dict[str, Any], float]] = [
    ("one coin", case(instruments=[COIN], positions={"BTC": 2}), shortfall(120_000 * r["BTC"])),
    ("one coin short", case(instruments=[COIN], positions={"BTC": -2}), shortfall(-120_000 * r["BTC"])),
    (
        "a coin against a perpetual is the basis",
        case(instruments=[COIN, PERP], positions={"BTC": 1, "PERP": -1}),
        shortfall(-60_000 * r["BTC_BASIS"]),
    ),
    (
        "a perpetual paid in a stablecoin",
        case(instruments=[PERP | {"currency": "USDT"}], positions={"PERP": 2}),
        shortfall(120_000 * (r["BTC"] + r["BTC_BASIS"]) * (1 + r["USDT_PEG"])),
    ),
    (
        "an inverse perpetual without basis is its face times the return",
        case(
            instruments=[COIN | {"class": "inverse_perpetual", "currency": "BTC", "multiplier": 100}],
            positions={"BTC": 30},
        ),
        shortfall(3_000 * r["BTC"]),
    ),
    (
        "a share in euros, the rate of the pair",
        case(
            instruments=[SHARE], positions={"SAP": 50}, parameters={"add_ons": "none", "fx": {"EUR/USD": 1.1}}
        ),
        shortfall(50 * SHARE_GAIN),
    ),
    (
        "a share in euros, the rate beside it",
        case(instruments=[SHARE | {"fx_rate": 1.1, "fx_factor": "FIXING"}], positions={"SAP": -50}),
        shortfall(-50 * (SHARE_PRICE * 1.1 * (1 + r["FIXING"]) - 110)),
    ),
    (
        "a share in euros, the rate beside cash",
        case(
            instruments=[SHARE], positions={"SAP": 50}, cash=[{"currency": "EUR", "amount": 900, "rate": 1.1}]
        ),
        shortfall(50 * SHARE_GAIN + 900 * 1.1 * r["EURUSD"]),
    ),
    (
        "a share in yen, the dollar first",
        case(
            instruments=[SHARE | {"currency": "JPY", "price": 15_000}],
            positions={"SAP": 5},
            fx={"USDJPY": 150},
        ),
        shortfall(5 * (15_000 * (1 + r["SAP"] + 0.5 * r["SPX"]) / (150 * (1 + r["USDJPY"])) - 100)),
    ),
    (
        "a share with its loadings",
        case(
            instruments=[SHARE | {"currency": "USD", "factors": [{"name": "SAP", "loading": 1.5}]}],
            positions={"SAP": 50},
        ),
        shortfall(5_000 * 1.5 * r["SAP"]),
    ),
    ("an option bought", case(instruments=[CALL], positions={"CALL": 3}), shortfall(3 * CALL_GAIN)),
    ("an option written", case(instruments=[CALL], positions={"CALL": -3}), shortfall(-3 * CALL_GAIN)),
    (
        "an option whose volatility is written in one word",
        case(
            scenarios={
                "historical": {"tail": 2, "factors": {"BTC": MOVES["BTC"], "BTCIV": MOVES["BTC_VOL"]}}
            },
            instruments=[CALL | {"factors": ["BTC", "BTCIV"]}],
            positions={"CALL": 3},
        ),
        shortfall(3 * CALL_GAIN),
    ),
    (
        "sixteen scenarios with two damped extremes",
        case(
            scenarios={"historical": {"tail": 1, "damping": DAMPED}},
            instruments=[{"id": "A", "pnl_per_lot": SPAN}, {"id": "B", "pnl_per_lot": SPAN[::-1]}],
            positions={"A": 10, "B": -4},
        ),
        shortfall(10 * np.array(SPAN) - 4 * np.array(SPAN[::-1]), 1, DAMPED),
    ),
    (
        "the same beside groups that have no scenarios",
        case(
            scenarios={
                "historical": {"tail": 1, "factors": {}},
                "stress": {},
                "extreme": {"damping": DAMPED},
            },
            instruments=[{"id": "A", "pnl_per_lot": SPAN}],
            positions={"A": 10},
        ),
        shortfall(10 * np.array(SPAN), 1, DAMPED),
    ),
    (
        "the largest of three groups, stress scenario by scenario",
        case(
            scenarios={
                "historical": {"tail": 2, "factors": {"BTC": MOVES["BTC"]}},
                "stress": [{"name": "flood", "factors": {"BTC": -0.3}}, {"name": "drought", "BTC": -0.1}],
                "extreme": {"up": {"BTC": 0.6, "damping": 0.35}, "down": {"BTC": -0.6, "damping": 0.35}},
            },
            instruments=[COIN],
            positions={"BTC": 1},
        ),
        max(shortfall(60_000 * r["BTC"]), 60_000 * 0.3, 60_000 * 0.6 * 0.35),
    ),
    ("euros of cash alone", case(cash={"EUR": 9_000}, fx={"EUR": 1.1}), shortfall(9_900 * r["EURUSD"])),
    ("nothing at all", case(cash={}), 0.0),
    ("no lots", case(instruments=[COIN], positions={"BTC": 0}), 0.0),
]


@pytest.mark.parametrize(("name", "document", "risk"), RISK, ids=[row[0] for row in RISK])
def test_scenario_risk_is_what_the_formula_gives(
    name: str, document: dict[str, Any], risk: float, tmp_path: Path
) -> None:
    told = explained(document, tmp_path)
    assert told["scenario_risk"]["total"] == pytest.approx(risk, rel=1e-8, abs=1e-6), name
    assert told["MM"] == pytest.approx(risk, rel=1e-8, abs=1e-6)
    assert told["IM"] == pytest.approx(1.3 * risk, rel=1e-8, abs=1e-6)
    for share in told["contributions"].values():
        assert sum(share.values()) == pytest.approx(risk, rel=1e-8, abs=1e-6)
    assert told["ignored"] == []


SIGNED = [("PERP", -2), ("PERP", 3), ("BTC", -5), ("BTC", 1)]
ORDERS: list[tuple[str, Any]] = [
    ("signed lots", [{"instrument": name, "lots": lots} for name, lots in SIGNED]),
    (
        "bids and asks",
        [{"symbol": name, "side": "bid" if q > 0 else "ask", "qty": abs(q)} for name, q in SIGNED],
    ),
    ("by id", {f"o{n}": {"instrument": name, "lots": q} for n, (name, q) in enumerate(SIGNED)}),
    ("called like the instrument", [{"id": name, "quantity": q} for name, q in SIGNED]),
    (
        "partly filled",
        [
            {"instrument": name, "side": "BUY" if q > 0 else "SELL", "lots": abs(q) + 4, "filled": 4}
            for name, q in SIGNED
        ],
    ),
]


@pytest.mark.parametrize(("name", "orders"), ORDERS, ids=[row[0] for row in ORDERS])
def test_open_orders_count_where_they_lose(name: str, orders: Any, tmp_path: Path) -> None:
    gain = {"BTC": 60_000 * r["BTC"], "PERP": 60_000 * (r["BTC"] + r["BTC_BASIS"])}
    held = gain["BTC"] - gain["PERP"]
    reserved = sum((np.minimum(0, q * gain[i]) for i, q in SIGNED), np.zeros(4))
    document = case(instruments=[COIN, PERP], positions={"BTC": 1, "PERP": -1}, orders=orders)
    told = explained(document, tmp_path)
    assert told["MM"] == pytest.approx(shortfall(held))
    assert told["IM"] == pytest.approx(1.3 * shortfall(held + reserved)), name


EQUITY: list[tuple[str, dict[str, Any], float]] = [
    (
        "haircut by currency",
        {"cash": {"EUR": 9_000}, "parameters": {"haircuts": {"EUR": 0.05}}},
        9_900 * 0.95,
    ),
    ("haircut beside the amount", {"cash": {"EUR": {"amount": 9_000, "haircut": 0.05}}}, 9_900 * 0.95),
    ("a debt has none", {"cash": {"EUR": -9_000}, "parameters": {"haircuts": {"EUR": 0.05}}}, -9_900),
    ("in euros", {"cash": {"EUR": 9_000}, "account": {"currency": "EUR"}, "fx": None}, 9_000),
    ("two rows", {"cash": [{"ccy": "USD", "amount": 5}, {"ccy": "EUR", "balance": 10}]}, 16),
]


@pytest.mark.parametrize(("name", "more", "equity"), EQUITY, ids=[row[0] for row in EQUITY])
def test_equity_is_cash_at_its_rate_less_haircuts(
    name: str, more: dict[str, Any], equity: float, tmp_path: Path
) -> None:
    assert explained(case(fx={"EUR": 1.1}) | more, tmp_path)["equity"] == pytest.approx(equity), name


STATES: list[tuple[float, str]] = [  # cash, with MM 10,000 and IM 13,000
    (15_000.01, "free"),
    (15_000, "warn"),
    (13_000, "warn"),
    (12_999.99, "no_new_risk"),
    (10_500, "no_new_risk"),
    (10_499.99, "cancel"),
    (10_000, "cancel"),
    (9_999.99, "liquidate"),
    (0, "liquidate"),
    (-0.01, "bankrupt"),
]


@pytest.mark.parametrize(("cash", "state"), STATES)
def test_states_begin_where_they_are_said_to(cash: float, state: str, tmp_path: Path) -> None:
    document = case(
        scenarios={"stress": {"tail": 1, "factors": {"BTC": [-0.1, 0.1]}}},
        instruments=[COIN | {"price": 100_000}],
        positions={"BTC": 1},
        cash={"USD": cash},
    )
    assert explained(document, tmp_path)["state"] == state


def test_contributions_and_liquidation_prices_are_those_of_a_bisection(tmp_path: Path) -> None:
    lots = {"BTC": 1.5, "PERP": -1.0, "SAP": 150.0}
    document = case(
        instruments=[COIN, PERP, SHARE],
        positions=lots,
        cash={"USD": 9_000, "EUR": 4_000},
        parameters={"add_ons": "none", "fx": {"EUR": 1.1}},
    )

    def parts(moves: dict[str, Any]) -> dict[str, Any]:
        at = {name: moves.get(name, 0.0) for name in MOVES}
        euro = 1.1 * (1 + at["EURUSD"])
        return {
            "BTC": lots["BTC"] * 60_000 * at["BTC"],
            "PERP": lots["PERP"] * 60_000 * (at["BTC"] + at["BTC_BASIS"]),
            "SAP": lots["SAP"] * (100 * (1 + at["SAP"] + 0.5 * at["SPX"]) * euro - 110),
            "cash EUR": 4_000 * (euro - 1.1),
        }

    told = explained(document, tmp_path)
    gains = parts(dict(r))
    tail = np.argsort(sum(gains.values()))[:2]
    for name, gain in gains.items():
        assert told["contributions"]["by_position"][name] == pytest.approx(-gain[tail].mean()), name
    equity, margin = told["equity"], told["MM"]
    assert equity == pytest.approx(13_400)
    for factor, found in told["liquidation_prices"].items():
        safe, gone = 0.0, -0.999 if (found["move"] or 0) < 0 else 10.0
        if equity + sum(parts({factor: gone}).values()) >= margin:
            assert found["move"] is None, factor
            continue
        for _ in range(60):
            middle = (safe + gone) / 2
            is_safe = equity + sum(parts({factor: middle}).values()) >= margin
            safe, gone = (middle, gone) if is_safe else (safe, middle)
        assert found["move"] == pytest.approx(safe, abs=1e-8), factor


def test_one_order_more_changes_what_the_formula_says(tmp_path: Path) -> None:
    document = case(
        instruments=[COIN, PERP], positions={"BTC": 1, "PERP": -1}, what_if={"id": "PERP", "lots": 1}
    )
    gain = 60_000 * (r["BTC"] + r["BTC_BASIS"])
    held = 60_000 * r["BTC"] - gain
    (change,) = explained(document, tmp_path)["what_if"]
    assert change["IM"] == pytest.approx(1.3 * shortfall(held + np.minimum(0, gain)))
    assert change["filled"]["scenario_risk"] == pytest.approx(shortfall(held + gain))


def test_of_many_instruments_the_largest_are_asked_about(tmp_path: Path) -> None:
    many = [COIN | {"id": f"C{n}"} for n in range(30)]
    document = case(instruments=many, positions={f"C{n}": n for n in range(30)})
    asked = {change["instrument"] for change in explained(document, tmp_path)["what_if"]}
    assert asked == {f"C{n}" for n in range(10, 30)}


CHARGES = {"spread_bp": 2, "sigma": 0.03, "adv": 50_000_000, "fee_bp": 5}


def test_charges_line_by_line(tmp_path: Path) -> None:
    """60,000 against 24,000: LQ and FP of both, BF on what is offset, CJ of nobody, RF of a retail client."""
    document = case(
        instruments=[COIN | CHARGES | {"underlying": "BTC"}, PERP | {"underlying": "BTC"}],
        positions={"BTC": 1, "PERP": -0.4},
        parameters={"category": "retail"},
    )
    told = explained(document, tmp_path)["requirement"]
    risk = shortfall(60_000 * r["BTC"] - 24_000 * (r["BTC"] + r["BTC_BASIS"]))
    liquidity = 60_000 * (0.0001 + 0.1 * 0.03 * sqrt(60_000 / 50e6))
    expected = {"LQ": liquidity, "BF": 0.005 * 24_000, "FP": 60_000 * 0.0005}
    for name, charge in expected.items():
        assert told["MM"][name] == told["IM"][name] == pytest.approx(charge, abs=1e-6), name
    rest = 1.3 * risk + sum(expected.values())
    assert told["IM"]["RF"] == pytest.approx(84_000 / 2 - rest, abs=1e-6)
    assert told["IM"]["total"] == pytest.approx(42_000, abs=1e-6)


def test_a_minimum_counts_for_lots_sold_as_for_lots_bought(tmp_path: Path) -> None:
    for lots in (2, -2):
        coin = COIN | {"minimum_per_lot": 90_000}
        document = case(instruments=[coin], positions={"BTC": lots}, parameters={"add_ons": ["MC"]})
        assert explained(document, tmp_path)["MM"] == 180_000
