"""A portfolio from outside: what it may be spelled like, what is refused and how, what is told about it."""

from __future__ import annotations

import json
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.errors import BadInput
from engine.risk.model.case import read_case
from engine.risk.model.explain import explain
from orchestration.cli import app
from tests.support.margin_cases import CASES, answer, read

RUNNER = CliRunner()
PLAIN: dict[str, Any] = {
    "scenarios": {
        "historical": {"tail": 1, "factors": {"BTC": [-0.05, 0.02], "BASIS": [0.001, 0.0]}},
        "stress": {"tail": 1, "factors": {"BTC": [-0.1], "BASIS": [0.0]}, "names": ["flood"]},
    },
    "instruments": [
        {"id": "coin", "class": "crypto", "currency": "USD", "factors": ["BTC"], "price": 60_000},
        {"id": "perp", "class": "perpetual", "currency": "USD", "factors": ["BTC", "BASIS"], "price": 60_000},
    ],
    "positions": {"coin": 2, "perp": -1},
    "cash": {"USD": 50_000},
    "parameters": {"add_ons": "none"},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The plain case with one value replaced; a value of `...` takes it away."""
    document = json.loads(json.dumps(PLAIN))
    *way, last = path.split("/")
    at = document
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    key: Any = int(last) if isinstance(at, list) else last
    if value is ...:
        del at[key]
    else:
        at[key] = value
    return document


SPELLINGS: list[tuple[str, Any]] = [
    ("positions", {"coin": {"lots": 2}, "perp": {"lots": 1, "side": "short"}}),
    ("positions", [{"instrument": "coin", "lots": "2"}, {"id": "perp", "quantity": 1, "side": "sell"}]),
    ("positions", [{"id": "coin", "lots": 5}, {"id": "coin", "lots": -3}, {"id": "perp", "lots": -1}]),
    ("positions", {"coin": {"long": 3, "short": 1}, "perp": {"short": 1}}),
    ("instruments/1/factors", {"BTC": 1, "BASIS": 1}),
    ("instruments/1/factors", {"underlying": "BTC", "basis": "BASIS"}),
    ("instruments/1/factors", [{"factor": "BTC", "beta": 1}, {"name": "BASIS", "kind": "basis"}]),
    ("instruments/1/factors", [["BTC", 1], ["BASIS", "1.0"]]),
    ("instruments/1/betas", {"BTC": 1}),
    ("instruments/0/class", "Crypto Spot"),
    ("instruments/1/class", "linear-perpetual"),
    ("instruments/1", {"ID": "perp", "Class": "Perpetual", "Factors": ["BTC", "BASIS"], "markPrice": 60_000}),
    ("scenarios/stress", [{"name": "flood", "factors": {"BTC": -0.1, "BASIS": 0}}]),
    ("scenarios/stress", {"tail": 1, "scenarios": [{"BTC": -0.1, "BASIS": 0}]}),
    ("scenarios/stress", {"tail": 1, "scenarios": {"flood": {"BTC": -0.1, "BASIS": 0}}}),
    ("scenarios/stress", {"flood": {"BTC": "-0.1", "BASIS": 0, "damping": 1}}),
    ("scenarios/extreme", {"tail": 1, "factors": {"BTC": [], "BASIS": []}, "damping": []}),
    ("scenarios/extreme", {}),
    ("instruments/0", {"id": "coin", "pnl_per_lot": {"historical": [-3_000, 1_200], "stress": [-6_000]}}),
    ("instruments/0", {"id": "coin", "pnl_per_lot": [-3_000, 1_200, -6_000]}),
    ("instruments/0", {"id": "coin", "class": "anything", "pnl_per_lot": ["-3000", 1.2e3, -6_000.00]}),
    ("scenarios/stress/tail", 0.05),
    ("scenarios/stress/damping", 1),
    ("scenarios/historical/factors/BTC", {"returns": [-0.05, 0.02]}),
    ("cash", 50_000),
    ("cash", {"usd": "50000.00"}),
    ("cash", [{"currency": "USD", "amount": 50_000}]),
    ("orders", []),
    ("account", {"category": "professional", "mode": "hedging"}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), SPELLINGS, ids=lambda v: str(v)[:60])
def test_one_portfolio_in_many_spellings(path: str, value: Any) -> None:
    plain, spelled = answer(PLAIN), answer(changed(path, value) if path in _known() else _added(path, value))
    assert plain["scenario_risk"]["total"] == 6_000
    for key in ("scenario_risk", "IM", "MM", "equity", "state", "diversification"):
        assert spelled[key] == plain[key]
    assert sum(spelled["contributions"]["by_factor"].values()) == 6_000


def _known() -> set[str]:
    return {path for path, _ in SPELLINGS if not path.startswith(("orders", "account"))}


def _added(path: str, value: Any) -> dict[str, Any]:
    return PLAIN | {path: value}


REFUSED: list[tuple[str, Any, str]] = [
    ("scenarios", ..., "the document: needs 'scenarios'"),
    ("scenarios", {}, "scenarios: expected at least one of historical, stress, extreme"),
    ("scenarios/history", {"tail": 1}, "scenarios.history: expected one of historical, stress, extreme"),
    ("scenarios/stress/tail", 2, "scenarios.stress.tail: a tail of 2 does not fit 1 scenarios"),
    ("scenarios/stress/tail", 0, "scenarios.stress.tail: a tail of 0 does not fit"),
    ("scenarios/historical/factors/BTC", [-0.05], "factors.BASIS: 2 values, and scenarios.historical"),
    ("scenarios/historical/factors/BTC", [-5, 2], "BTC has a return of -500 %: returns are fractions"),
    ("scenarios/stress", {"tail": 1, "daily": {"BTC": [-0.1]}}, "stress: nothing says how many scenarios"),
    ("scenarios/stress", [{"BTC": "low"}], "scenarios.stress[0].BTC: expected a number, not 'low'"),
    ("scenarios/stress", [{"factors": {"BTC": 0}, "weight": 2}], "stress[0]: expected a name, factors and"),
    ("scenarios/stress", {"damping": [1], "a": {"BTC": 0, "damping": 1}}, "damping stands beside the"),
    ("scenarios", {"stress": {"tail": 1, "factors": {"BTC": []}}}, "scenarios: needs at least one scenario"),
    ("scenarios/stress/damping", [1, 1], "scenarios.stress.damping: 2 values"),
    ("scenarios/stress/names", ["a", "b"], "scenarios.stress.names: 2 values"),
    ("instruments", ..., "the document: needs 'instruments'"),
    ("instruments/1/id", "coin", "instruments[1]: 'coin' is the id of two instruments"),
    ("instruments/1/class", "swaption", "instruments[1].class: 'swaption' is no class that we know"),
    ("instruments/1/factors", ["BTC", "BASIN"], "instruments[1].factors[1]: no scenario moves 'BASIN'"),
    ("instruments/1/factors", ["BTC", "BTC"], "instruments[1].factors: BTC stands twice"),
    ("instruments/1/factors", ..., "instruments[1]: needs 'factors'"),
    ("instruments/1/price", ..., "instruments[1]: needs 'price'"),
    ("instruments/1/price", "60,000", "instruments[1].price: expected a number, not '60,000'"),
    ("instruments/1/price", True, "instruments[1].price: expected a number"),
    ("instruments/1/mark", 60_000, "instruments[1]: price and mark are two spellings of one key"),
    ("instruments/1/multiplier", 0, "instruments[1].multiplier: expected a number above 0"),
    ("instruments/1/currency", "EUR", "instruments[1].currency: needs the rate of EUR in USD"),
    ("instruments/0/pnl_per_lot", [1, 2], "instruments[0].pnl_per_lot: 2 values for 3 scenarios"),
    ("instruments/0/pnl_per_lot", {"historical": [1, 2]}, "instruments[0].pnl_per_lot: needs 'stress'"),
    ("instruments/1/beta", 1.2, None),  # one beta, one factor that it can belong to
    ("positions/BTC", 1, "positions.BTC: 'BTC' is not the id of any instrument"),
    ("positions/coin", "many", "positions.coin: expected a number"),
    ("positions/coin", {"lots": -2, "side": "long"}, "positions.coin: long with lots below zero"),
    ("orders", [{"instrument": "coin", "lots": 0}], "orders[0]: an order of no lots"),
    ("orders", [{"instrument": "coin", "side": "hold", "lots": 1}], "orders[0].side: expected buy or sell"),
    ("orders", [{"id": 1, "instrument": "coin", "lots": 1}] * 2, "orders: two orders have one id"),
    ("orders", {"gold": 5}, "orders.gold: expected an object, not '5'"),
    ("orders", [{"id": "gold", "lots": 5}], "orders[0]: needs 'instrument'"),
    ("orders", [{"id": "coin", "lots": 5, "filled": 6}], "orders[0].filled: the order has 5 lots"),
    ("orders", [{"id": "coin", "lots": 5, "filled": 5}], "orders[0]: an order of no lots"),
    ("cash/USD", {"amount": 1, "haircut": 2}, "cash.USD.haircut: expected a share from 0 to 1"),
    ("cash", [{"amount": 1}], "cash[0]: needs 'currency'"),
    ("instruments/1/fx_factor", "BTC", None),  # of the account's own currency there is nothing to convert
    ("instruments/1/Price", 60_000, "instruments[1]: price and Price are two spellings of one key"),
    ("parameters/fx", {"EURUSD": 1.1, "USD/EUR": 2}, "fx.USD/EUR: the rate of EUR is 1.1 elsewhere"),
    ("cash/CHF", 1, "cash.CHF: needs the rate of CHF in USD"),
    ("parameters/kappa", 0.9, "parameters.kappa: expected at least 1"),
    ("parameters/add_ons", ["LQ", "XY"], "parameters.add_ons[1]: expected one of LQ"),
    ("parameters/category", "whale", "parameters.category: expected retail or professional"),
    ("parameters/haircuts", {"USD": 1.5}, "parameters.haircuts.USD: expected a share from 0 to 1"),
    ("parameters/haircuts", {"USD": [[100, 0.1], [50, 0.2]]}, "parameters.haircuts.USD[1]: tiers go up"),
    ("parameters/thresholds", {"warm": 2}, "parameters.thresholds.warm: expected one of warn"),
    ("parameters/fx", {"EUR": {"rate": 1.1, "factor": "EUR"}}, "fx.EUR.factor: no scenario moves 'EUR'"),
    ("parameters/unit_digits", 31, "parameters.unit_digits: expected 0 to 30"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), REFUSED, ids=lambda v: str(v)[:50])
def test_what_contradicts_itself_is_refused_with_its_path(path: str, value: Any, message: str | None) -> None:
    if message is None:
        read(changed(path, value))
        return
    with pytest.raises(BadInput) as refused:
        read(changed(path, value))
    assert message in str(refused.value)
    assert str(refused.value).startswith("case.json: ")


TEXTS = [
    ('{"scenarios": ', "bad.json, line 1, column 15: "),
    ('{"cash": {"USD": NaN}}', "bad.json: NaN is not a number"),
    ('{"cash": 1, "cash": 2}', "the key 'cash' stands twice"),
    ("[]", "bad.json: the document: expected an object, not a list"),
    ('{"cash": 1e999999}', "scenarios"),
    ("[" * 100_000, "bad.json"),
    ('{"cash": ' + "9" * 5_000 + "}", "bad.json"),
    ("\xff\xfe", "bad.json: not UTF-8 text"),
]


@pytest.mark.parametrize(("text", "message"), TEXTS, ids=[t[:20] for t, _ in TEXTS])
def test_hostile_files_end_with_one_line_and_code_2(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(text.encode("latin-1"))
    done = RUNNER.invoke(app, ["margin", "explain", "--case", str(path)])
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_number_beyond_all_money_is_refused() -> None:
    with pytest.raises(BadInput, match="more figures than anything of money"):
        read(changed("cash/USD", "1e50"))


def test_the_command_prints_exact_numbers_the_same_every_time() -> None:
    path = str(CASES / "worked.json")
    first, second = (RUNNER.invoke(app, ["margin", "explain", "--case", path]) for _ in range(2))
    assert first.exit_code == 0
    assert first.stdout == second.stdout
    told = json.loads(first.stdout, parse_float=D)
    assert told["IM"] == told["requirement"]["IM"]["risk"] + sum(
        told["requirement"]["IM"][k] for k in ("LQ", "BF", "FP")
    )
    assert "E" not in first.stdout.split('"IM"')[1].split("\n")[0].replace("EUR", "")


def test_what_nobody_asks_for_is_told() -> None:
    told = answer(changed("instruments/0/isin", "US9OB0000109"))
    assert told["ignored"] == ["instruments[0].isin"]
    vector = {"id": "coin", "currency": "EUR", "pnl_per_lot": [-3_000, 1_200, -6_000]}
    assert (
        "coin: its vector is taken to be in USD, not in EUR"
        in answer(changed("instruments/0", vector))["notes"]
    )
    rows = answer(changed("scenarios/stress", [{"BTC": -0.1}, {"BTC": 0, "BASIS": 0.01}]))
    assert rows["scenario_risk"]["stress"] == 6_000
    assert rows["notes"] == [
        "not every scenario of scenarios.stress names BASIS: it does not move in the others"
    ]
    assert answer(changed("scenarios/extreme", {}))["notes"] == [
        "scenarios.extreme has no scenarios: it does not count"
    ]
    stress_only = changed("scenarios/stress/factors", {"BTC": [-0.1]})
    assert answer(stress_only)["notes"] == ["scenarios.stress does not name BASIS: it does not move there"]


def test_fractions_of_a_lot_are_exact() -> None:
    whole = answer(changed("positions", {"coin": 0.3, "perp": -0.125}))
    assert whole["scenario_risk"]["total"] == D("1050")  # 6,000 x 0.175
    assert whole["scenario_risk"]["historical"] == D("532.5")  # 3,000 x 0.3 - (3,000 - 60) x 0.125
    assert sum(whole["contributions"]["by_position"].values()) == 1_050


def test_a_tiny_price_and_many_lots_lose_no_figures() -> None:
    case = changed("instruments/0/price", 0.0000123)
    case["positions"] = {"coin": 10_000_000_000}
    assert answer(case)["scenario_risk"]["total"] == D("12300")  # 10 % of 123,000


def test_a_unit_of_a_cent_rounds_charges_up() -> None:
    case = json.loads((CASES / "worked.json").read_text(encoding="utf-8"))
    fine, coarse = answer(case | {"parameters": {"haircuts": {"EUR": 0.02}}}), answer(case)
    assert coarse["unit"] == D("0.01")
    assert fine["MM"] < coarse["MM"] < fine["MM"] + D("0.1")


FX_CASES: list[tuple[str, dict[str, Any], str]] = [
    # 1,000 euros of cash at 1.1, the euro down 2 %
    ("told", {"parameters": {"fx": {"EUR": 1.1}}}, "22"),
    ("with its factor", {"parameters": {"fx": {"EUR": {"rate": 1.1, "factor": "EURUSD"}}}}, "22"),
    ("fixed", {"parameters": {"fx": {"EUR": {"rate": 1.1, "factor": None}}}}, "0"),
    ("by an instrument", {"instruments": [{"id": "EUR/USD", "class": "fx", "price": 1.1}]}, "22"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "more", "risk"), FX_CASES, ids=[row[0] for row in FX_CASES])
def test_foreign_cash_is_an_instrument(told: str, more: dict[str, Any], risk: str) -> None:
    case = {
        "scenarios": {"historical": {"tail": 1, "factors": {"EURUSD": [-0.02, 0.01]}}},
        "instruments": [],
        "cash": {"EUR": 1_000},
    } | more
    found = answer(case)
    assert found["scenario_risk"]["total"] == D(risk), told
    assert found["equity"] == 1_100
    if D(risk):
        assert found["contributions"]["by_position"] == {"cash EUR": D(risk)}
        assert found["liquidation_prices"]["EURUSD"]["price"] is not None


def test_the_dollar_first_is_understood() -> None:
    case = {
        "scenarios": {"stress": {"tail": 1, "factors": {"USDJPY": [0.25]}}},
        "instruments": [
            {"id": "USDJPY", "class": "fx", "currency": "JPY", "factors": ["USDJPY"], "price": 150}
        ],
        "positions": {"USDJPY": 100},
        "cash": {"JPY": 15_000},
    }
    told = answer(case | {"parameters": {"add_ons": "none"}})
    # cash loses a fifth of 100 dollars; the pair gains 100 x 37.5 yen at 187.5 to the dollar
    assert told["scenario_risk"] == {"total": 0, "stress": 0}
    assert (told["decided_by"], told["tail"]) == (None, [])
    short = answer(case | {"parameters": {"add_ons": "none"}, "positions": {"USDJPY": -100}})
    assert short["contributions"]["by_position"] == {"USDJPY": 20, "cash JPY": 20}


def test_a_coin_sold_short_by_inverse_contracts_is_dollars() -> None:
    """One coin of cash against a face of 50,000 dollars: no move of the coin matters, whatever it is."""
    case = {
        "scenarios": {"stress": {"tail": 1, "factors": {"BTC": [-0.2, 0.2, 0.7]}}},
        "instruments": [{"id": "perp", "class": "inverse_perpetual", "currency": "BTC", "multiplier": 100,
                         "factors": ["BTC"], "price": 50_000}],
        "positions": {"perp": -500},
        "cash": {"BTC": 1},
        "parameters": {"add_ons": "none"},
    }  # fmt: skip
    told = answer(case)
    assert (told["scenario_risk"]["total"], told["equity"]) == (0, 50_000)
    assert answer(case | {"positions": {}})["scenario_risk"]["total"] == 10_000


def test_a_cross_rate_depends_on_the_currency_that_it_is_quoted_in() -> None:
    """EURJPY: the euro down 10 % and the yen up 10 %: 160,000 yen x (0.9 x 0.9 - 1), at 0.0067 x 1.1."""
    case = {
        "scenarios": {"stress": {"tail": 1, "factors": {"EUR": [-0.1], "JPY": [0.1]}}},
        "instruments": [{"id": "EURJPY", "class": "fx", "currency": "JPY", "multiplier": 1_000, "price": 160,
                         "factors": {"EUR": 1, "JPY": -1}, "combine": "product"}],
        "positions": {"EURJPY": 1},
        "parameters": {"fx": {"JPY": 0.0067}},
    }  # fmt: skip
    assert answer(case)["scenario_risk"]["total"] == D("224.048")
    share = dict(case["instruments"][0], **{"class": "equity"})
    told = answer(case | {"instruments": [share]})
    assert told["notes"][0] == "EURJPY: JPY moves its currency and is not counted twice"


def test_a_liquidation_price_is_the_first_that_is_below() -> None:
    case = changed("positions", {"coin": 1}) | {"parameters": {"add_ons": "none"}}
    told = answer(case)  # 50,000 of equity, 6,000 of margin: the coin may lose 44,000 of 60,000, 73.33 %
    assert told["MM"] == 6_000
    assert told["liquidation_prices"]["BTC"] == {"price": D("15999.99996"), "move": D("-0.733333334")}
    short = answer(case | {"positions": {"coin": -1}})  # the worst is now +2 %: 1,200, so it may gain 81.33 %
    assert short["liquidation_prices"]["BTC"] == {"price": D("108800.00004"), "move": D("0.813333334")}


def test_an_order_reserves_what_it_loses_from_its_limit_to_the_mark() -> None:
    order = {"id": "a", "instrument": "coin", "lots": 1, "limit_price": 61_000}
    case = changed("parameters/add_ons", ["XL"])
    plain, priced = (answer(case | {"orders": [o]}) for o in (order | {"limit_price": 59_000}, order))
    assert priced["IM"] - plain["IM"] == 1_000
    assert [line["IM"] for line in priced["add_ons"]] == [1_000]
    sold = answer(case | {"orders": [order, order | {"id": "b", "lots": -2, "limit_price": 59_500}]})
    assert sold["requirement"]["IM"]["XL"] == 2_000
    assert sold["requirement"]["MM"]["XL"] == 0


def test_linked_orders_reserve_the_worst_of_them() -> None:
    orders = [
        {"id": n, "instrument": "coin", "lots": lots, "oco": "exit"} for n, lots in (("a", 1), ("b", 3))
    ]
    linked = answer(changed("positions", {}) | {"orders": orders})
    assert linked["with_orders"]["scenario_risk"]["total"] == 18_000
    free = answer(changed("positions", {}) | {"orders": [o | {"oco": None} for o in orders]})
    assert free["with_orders"]["scenario_risk"]["total"] == 24_000


def test_options_count_at_their_premium_and_need_their_terms() -> None:
    option = {
        "id": "call", "class": "option", "option_type": "C", "factors": ["BTC"], "forward": 60_000,
        "price": 2_500, "strike": 65_000, "days": 73, "volatility": 0.5,
    }  # fmt: skip
    case = changed("instruments", [*PLAIN["instruments"], option]) | {"positions": {"call": -2}}
    assert answer(case)["equity"] == 45_000
    for key, message in (("forward", "'forward'"), ("strike", "'strike'"), ("days", "'years' to"),
                         ("option_type", "a call or a put"), ("volatility", "'volatility'")):  # fmt: skip
        broken = {k: v for k, v in option.items() if k != key}
        with pytest.raises(BadInput, match=message):
            read(case | {"instruments": [*PLAIN["instruments"], broken]})


def test_retail_accounts_close_out_at_half_of_their_initial_margin() -> None:
    case = json.loads((CASES / "retail_caps.json").read_text(encoding="utf-8"))
    case["cash"] = {"USD": 17_900}
    assert answer(case)["state"] == "liquidate"  # half of 35,950 is 17,975
    case["parameters"]["category"] = "professional"
    assert answer(case)["state"] == "free"


def test_a_case_may_name_a_set_instead_of_scenarios(tmp_path: Path) -> None:
    case = {
        "scenarios": "synthetic-small",
        "instruments": [{"id": "BTCUSD", "class": "crypto", "factors": ["BTC"], "price": 60_000}],
        "positions": {"BTCUSD": 1},
        "cash": {"USD": 100_000},
    }
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case), encoding="utf-8")
    made = tmp_path / "set.parquet"
    done = RUNNER.invoke(
        app, ["risk", "scenarios", "build", "--synthetic", "--profile", "small", "--out", str(made)]
    )
    assert done.exit_code == 0, done.output
    by_name = explain(read_case(path))
    path.write_text(json.dumps(case | {"scenarios": "set.parquet"}), encoding="utf-8")
    assert explain(read_case(path)) == by_name
    path.write_text(json.dumps(case | {"scenarios": "nowhere.parquet"}), encoding="utf-8")
    with pytest.raises(BadInput, match="the name of a set's file"):
        read_case(path)
