"""The properties of the margin model (P1 to P16, where they are its own), against a naive reference."""

from __future__ import annotations

import json
import random
from decimal import Decimal as D
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BadInput
from engine.risk.model.charges import (
    BASIS,
    CONCENTRATION,
    LIQUIDITY,
    Holding,
    Product,
    Rates,
    charge_lines,
    total,
)
from engine.risk.model.requirement import initial_margin, maintenance_margin
from engine.risk.model.scenario_risk import (
    Group,
    Vector,
    as_vector,
    contributions,
    diversification,
    make_group,
    portfolio_vector,
    reservation,
    scenario_risk,
)
from tests.support.margin_cases import CASES, answer
from tests.support.naive_margin import charges_of, outcome_of, risk_of

SIZES = {"historical": 7, "stress": 5, "extreme": 4}
COUNT = sum(SIZES.values())
AMOUNTS = st.integers(-(10**7), 10**7) | st.integers(-(10**25), 10**25)
VECTORS = st.lists(AMOUNTS, min_size=COUNT, max_size=COUNT).map(as_vector)
LOTS = st.integers(-1_000, 1_000)


@st.composite
def groups_of(draw: Any) -> tuple[Group, ...]:
    """All three groups or some of them, each with a tail and damping of its own."""
    found: list[Group] = []
    start = 0
    for name, size in SIZES.items():
        tail = draw(st.integers(1, size))
        damping = [Fraction(draw(st.integers(0, 1_000)), 1_000) for _ in range(size)]
        if draw(st.booleans()):
            damping = [Fraction(1)] * size
        found.append(make_group(name, start, size, tail, damping))
        start += size
    kept = draw(st.sets(st.sampled_from(range(3)), min_size=1))
    return tuple(group for n, group in enumerate(found) if n in kept)


def risk(groups: tuple[Group, ...], outcome: Vector) -> int:
    """SR."""
    return scenario_risk(groups, outcome).total


@given(groups_of(), VECTORS, VECTORS)
def test_p1_two_together_need_no_more_than_one_by_one(groups: Any, one: Vector, other: Vector) -> None:
    assert risk(groups, one + other) <= risk(groups, one) + risk(groups, other)


@given(groups_of(), VECTORS, st.lists(st.integers(0, 10**9), min_size=COUNT, max_size=COUNT))
def test_p2_who_loses_no_more_anywhere_needs_no_more(groups: Any, one: Vector, more: list[int]) -> None:
    assert risk(groups, one + as_vector(more)) <= risk(groups, one)


@given(groups_of(), VECTORS, st.integers(1, 1_000))
def test_p3_size_scales_risk(groups: Any, one: Vector, size: int) -> None:
    """Exactly but for rounding up: no more than a unit for each unit of size."""
    scaled, single = risk(groups, size * one), risk(groups, one)
    assert size * (single - 1) < scaled <= size * single or scaled == single == 0


@given(groups_of(), VECTORS, st.lists(LOTS, min_size=1, max_size=6))
def test_p4_long_and_short_of_one_instrument_are_nothing(
    groups: Any, vector: Vector, tickets: list[int]
) -> None:
    lots = sum(tickets) - sum(reversed(tickets))
    assert risk(groups, portfolio_vector({"x": lots}, {"x": vector}, COUNT)) == 0
    products = {
        "x": Product("x", "crypto", "x", Fraction(9), Fraction(1, 99), Fraction(1, 50), Fraction(10**6))
    }
    held = {"x": Holding(Fraction(lots))}
    assert maintenance_margin(0, products, held, Rates(), 10**8).total == 0


@given(groups_of(), st.lists(VECTORS, min_size=1, max_size=5))
def test_p5_p8_contributions_add_up_and_diversification_only_helps(
    groups: Any, vectors: list[Vector]
) -> None:
    parts = {f"part {n}": vector for n, vector in enumerate(vectors)}
    whole = scenario_risk(groups, sum(vectors[1:], vectors[0]))
    assert diversification(groups, whole, parts) >= 0
    shares = contributions(whole, parts)
    assert sum(shares.values()) == whole.total
    if whole.decided_by is not None:
        for name, vector in parts.items():
            weights = [whole.decided_by.damping(s) for s in whole.tail]
            exact = (
                -sum(w * int(vector[s]) for w, s in zip(weights, whole.tail, strict=True))
                / whole.decided_by.tail
            )
            assert exact - 1 < shares[name] < exact + 2
    else:
        assert set(shares.values()) == {0}


@given(groups_of(), VECTORS, VECTORS, st.lists(LOTS, max_size=5), st.data())
def test_p7_whatever_fills_is_reserved(
    groups: Any, position: Vector, vector: Vector, orders: list[int], chance: Any
) -> None:
    """Any part of any orders, filled in any order, with the rest still open."""
    reserved = risk(groups, position + reservation(((lots, vector) for lots in orders), COUNT))
    filled = [chance.draw(st.integers(min(lots, 0), max(lots, 0))) for lots in orders]
    rest = [lots - part for lots, part in zip(orders, filled, strict=True)]
    held = position + sum(filled) * vector
    assert risk(groups, held) <= reserved
    assert risk(groups, held + reservation(((lots, vector) for lots in rest), COUNT)) <= reserved


@given(groups_of(), VECTORS, st.randoms(use_true_random=False))
def test_p11_order_of_scenarios_means_nothing(groups: Any, outcome: Vector, shuffler: random.Random) -> None:
    places = list(range(COUNT))
    again: list[Group] = []
    for group in groups:
        own = list(group.scenarios)
        shuffler.shuffle(own)
        places[group.start : group.start + group.size] = own
        damping = [group.damping(s) for s in own]
        again.append(make_group(group.name, group.start, group.size, group.tail, damping))
    assert risk(tuple(again), outcome[np.array(places)]) == risk(groups, outcome)


@given(groups_of(), VECTORS, VECTORS)
def test_p15_more_extremes_never_need_less(groups: Any, outcome: Vector, more: Vector) -> None:
    extremes = [g for g in groups if g.name == "extreme"]
    if not extremes:
        return
    group = extremes[0]._replace(tail=1)
    wider = make_group(
        "extreme", 0, group.size + COUNT, 1, [*map(group.damping, group.scenarios), *[Fraction(1, 3)] * COUNT]
    )
    longer = as_vector([*(int(outcome[s]) for s in group.scenarios), *(int(v) for v in more)])
    assert scenario_risk([wider], longer).total >= scenario_risk([group], outcome).total


PRODUCTS = {
    name: Product(name, kind, under, Fraction(size), Fraction(spread, 10_000), Fraction(3, 100),
                  Fraction(adv), fee=Fraction(5, 10_000), funding=Fraction(funding, 10_000),
                  minimum=Fraction(1, 4),
                  is_name=kind == "equity", leverage_cap=Fraction(cap))
    for name, kind, under, size, spread, adv, funding, cap in (
        ("BTC", "crypto", "BTC", 1_000, 2, 50_000_000, 0, 2),
        ("PERP", "crypto", "BTC", 900, 1, 90_000_000, 3, 2),
        ("FUTURE", "crypto", "BTC", 1_100, 3, 10_000_000, -2, 2),
        ("QALD", "equity", "QALD", 184, 4, 20_000_000, 0, 5),
        ("QBRM", "equity", "QBRM", 42, 6, 4_000_000, 0, 5),
        ("QCOR", "equity", "QCOR", 99, 5, 9_000_000, 0, 5),
    )
}  # fmt: skip
HOLDINGS = st.dictionaries(
    st.sampled_from(sorted(PRODUCTS)),
    st.builds(
        Holding,
        st.fractions(-500, 500, max_denominator=4),
        st.fractions(0, 300, max_denominator=4),
        st.fractions(0, 300, max_denominator=4),
        st.fractions(0, 5_000, max_denominator=4),
    ),
    max_size=6,
)


@given(HOLDINGS, st.integers(0, 10**13), st.integers(0, 10**13), st.booleans())
def test_p12_initial_margin_is_not_below_maintenance_margin_nor_that_below_zero(
    holdings: dict[str, Holding], risk_now: int, more: int, is_retail: bool
) -> None:
    mm = maintenance_margin(risk_now, PRODUCTS, holdings, Rates(), 10**8)
    im = initial_margin(risk_now + more, PRODUCTS, holdings, Rates(), 10**8, is_retail=is_retail)
    assert im.total >= mm.total >= 0
    assert all(line.charge >= 0 for line in (*im.lines, *mm.lines))
    if is_retail:
        needed = sum(
            abs(h.worst * PRODUCTS[n].notional) / (PRODUCTS[n].leverage_cap or 1) for n, h in holdings.items()
        )
        assert im.total >= needed * 10**8


@given(HOLDINGS, st.sampled_from(sorted(PRODUCTS)))
def test_p13_a_closed_position_leaves_the_charges_of_the_rest(
    holdings: dict[str, Holding], closed: str
) -> None:
    rest = {name: holding for name, holding in holdings.items() if name != closed}
    flat = rest | {closed: Holding(Fraction(0))}
    assert charge_lines(PRODUCTS, flat, Rates(), 100) == charge_lines(PRODUCTS, rest, Rates(), 100)


@given(st.sampled_from(sorted(PRODUCTS)), st.integers(1, 10_000))
def test_p14_twice_the_size_costs_at_least_twice_to_close(name: str, lots: int) -> None:
    one, two = (
        total(charge_lines(PRODUCTS, {name: Holding(Fraction(n))}, Rates(), 10**8), LIQUIDITY)
        for n in (lots, 2 * lots)
    )
    assert two >= 2 * one - 4  # each of two terms is rounded up


@given(HOLDINGS, st.data())
def test_p16_charges_of_what_fills_are_reserved(holdings: dict[str, Holding], chance: Any) -> None:
    """Whole and partial fills, with the rest still open: no charge of IM grows."""
    filled: dict[str, Holding] = {}
    for name, (lots, bids, asks, crossing) in holdings.items():
        bought, sold, lost = (
            chance.draw(st.fractions(0, n, max_denominator=8)) for n in (bids, asks, crossing)
        )
        filled[name] = Holding(lots + bought - sold, bids - bought, asks - sold, crossing - lost)
    before = charge_lines(PRODUCTS, holdings, Rates(), 10**8)
    after = charge_lines(PRODUCTS, filled, Rates(), 10**8)
    for add_on in (LIQUIDITY, BASIS, CONCENTRATION, "FP", "MC"):
        assert total(after, add_on) <= total(before, add_on) + 4, add_on
    for retail in (False, True):
        ims = [
            initial_margin(0, PRODUCTS, h, Rates(), 10**8, is_retail=retail).total for h in (filled, holdings)
        ]
        assert ims[0] <= ims[1] + 16


def decimals(low: int, high: int, digits: int) -> st.SearchStrategy[D]:
    """Numbers with so many figures behind the point."""
    return st.integers(low * 10**digits, high * 10**digits).map(lambda n: D(n).scaleb(-digits))


FACTORS = ("BTC", "BTC_BASIS", "USDT_PEG", "INDEX", "QALD", "QBRM", "EUR", "BTC_VOL")
TRADED: list[dict[str, Any]] = [
    {"id": "coin", "class": "crypto", "factors": {"BTC": 1}, "underlying": "BTC"},
    {
        "id": "perp",
        "class": "perpetual",
        "factors": {"BTC": 1, "BTC_BASIS": 1, "USDT_PEG": 1},
        "underlying": "BTC",
    },
    {"id": "inverse", "class": "inverse", "factors": {"BTC": 1, "BTC_BASIS": "0.5"}, "underlying": "BTC"},
    {"id": "share", "class": "equity", "factors": {"INDEX": "1.2", "QALD": 1}, "underlying": "QALD"},
    {"id": "other share", "class": "equity", "factors": {"INDEX": "0.7", "QBRM": 1}, "underlying": "QBRM"},
    {"id": "pair", "class": "fx", "factors": {"EUR": 1}, "underlying": "EUR"},
]


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """A portfolio in plain spelling: every style of contract, groups present or not, orders on both sides."""
    scenarios: dict[str, Any] = {}
    for name in sorted(draw(st.sets(st.sampled_from(sorted(SIZES)), min_size=1))):
        size = draw(st.integers(1, 5))
        scenarios[name] = {
            "tail": draw(st.integers(1, size)),
            "factors": {f: [str(draw(decimals(-1, 1, 3)) * D("0.4")) for _ in range(size)] for f in FACTORS},
        }
        if name == "extreme":
            scenarios[name]["damping"] = [str(draw(decimals(0, 1, 2))) for _ in range(size)]
    instruments = [
        dict(terms, currency="USD", price=str(draw(decimals(1, 900, 2))),
             multiplier=str(draw(decimals(1, 5, 1))), spread_bp=draw(st.integers(0, 40)),
             sigma="0.03", adv=draw(st.integers(10**5, 10**8)))
        for terms in draw(st.lists(st.sampled_from(TRADED), min_size=1, unique_by=lambda t: t["id"]))
    ]  # fmt: skip
    ids = [i["id"] for i in instruments]
    lots = st.integers(-200, 200).filter(bool)
    return {
        "scenarios": scenarios,
        "instruments": instruments,
        "positions": draw(st.dictionaries(st.sampled_from(ids), lots)),
        "orders": [
            {"instrument": draw(st.sampled_from(ids)), "lots": draw(lots)}
            for _ in range(draw(st.integers(0, 3)))
        ],
        "cash": {"USD": draw(st.integers(-(10**4), 10**5))},
        "what_if": [],
        "parameters": {},
    }


@settings(max_examples=120, deadline=None)
@given(cases())
def test_the_model_is_the_naive_reference(case: dict[str, Any]) -> None:
    """Revaluation, scenario risk with and without orders, LQ, BF, CJ, MM and IM."""
    told = answer(case)
    lots = {i: D(q) for i, q in case["positions"].items()}
    orders = [(o["instrument"], D(o["lots"])) for o in case["orders"]]
    close = D("1e-5")
    held, open_too = (risk_of(case, outcome_of(case, lots, o)) for o in ([], orders))
    assert abs(told["scenario_risk"]["total"] - held) < close
    if orders:
        assert abs(told["with_orders"]["scenario_risk"]["total"] - open_too) < close
    sized = [i for i in case["instruments"] if i["class"] != "inverse"]
    if len(sized) < len(case["instruments"]):
        return  # the face of an inverse contract is not price times multiplier
    now, then = charges_of(case, lots, []), charges_of(case, lots, orders)
    for add_on in ("LQ", "BF", "CJ"):
        lines = [line for line in told["add_ons"] if line["add_on"] == add_on]
        assert abs(sum(line["MM"] for line in lines) - now[add_on]) < close, add_on
        assert abs(sum(line["IM"] for line in lines) - then[add_on]) < close, add_on
    assert abs(told["MM"] - max(held, now["CJ"]) - now["LQ"] - now["BF"]) < close
    assert abs(told["IM"] - D("1.3") * max(open_too, then["CJ"]) - then["LQ"] - then["BF"]) < close


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(-(10**6), 10**6), st.randoms(use_true_random=False))
def test_p10_p11_cash_moves_equity_alone_and_names_and_order_mean_nothing(
    case: dict[str, Any], more: int, shuffler: random.Random
) -> None:
    told = answer(case)
    richer = answer(case | {"cash": {"USD": case["cash"]["USD"] + more}})
    assert richer["equity"] == told["equity"] + more
    for key in ("scenario_risk", "IM", "MM", "contributions", "add_ons"):
        assert richer[key] == told[key]
    instruments = [i | {"id": f"new {i['id']}"} for i in case["instruments"]]
    shuffler.shuffle(instruments)
    renamed = case | {
        "instruments": instruments,
        "positions": dict(reversed([(f"new {i}", q) for i, q in case["positions"].items()])),
        "orders": [o | {"instrument": f"new {o['instrument']}"} for o in reversed(case["orders"])],
    }
    again = answer(renamed)
    for key in ("IM", "MM", "equity", "state", "diversification"):
        assert again[key] == told[key]
    assert again["scenario_risk"] == told["scenario_risk"]


@settings(max_examples=60, deadline=None)
@given(cases())
def test_p8_contributions_by_position_and_by_factor_both_add_up(case: dict[str, Any]) -> None:
    told = answer(case)
    for shares in told["contributions"].values():
        assert sum(shares.values()) == told["scenario_risk"]["total"]
    assert told["diversification"] >= 0
    if case["orders"]:
        shares = told["with_orders"]["contributions"]["by_position"]
        assert sum(shares.values()) == told["with_orders"]["scenario_risk"]["total"]


@settings(max_examples=40, deadline=None)
@given(cases(), st.data())
def test_p16_an_accepted_order_leaves_equity_above_initial_margin_however_it_fills(
    case: dict[str, Any], chance: Any
) -> None:
    order = {
        "instrument": chance.draw(st.sampled_from([i["id"] for i in case["instruments"]])),
        "lots": chance.draw(st.integers(-100, 100).filter(bool)),
    }
    (change,) = answer(case | {"what_if": order})["what_if"]
    before = answer(case)
    if not change["is_accepted"] or before["state"] not in ("free", "warn"):
        return
    part = chance.draw(st.integers(min(0, order["lots"]), max(0, order["lots"])))
    positions = dict(case["positions"])
    positions[order["instrument"]] = positions.get(order["instrument"], 0) + part
    rest = [order | {"lots": order["lots"] - part}] if part != order["lots"] else []
    after = answer(case | {"positions": positions, "orders": case["orders"] + rest})
    assert after["equity"] >= after["IM"] - D("1e-6")


def test_a_vector_of_anything_but_whole_numbers_is_refused() -> None:
    for values in ([0.5], ["1"], [True, None]):
        with pytest.raises(Exception, match="whole numbers"):
            as_vector(values)


HOSTILE: list[Any] = [
    None, True, 0, -1, 1e30, 1e-30, 0.5, -0.999, "", "x", "BTC", "-1", "nan", "USD", [], {}, [1], [[]],
    {"a": 1}, {"rate": 0}, {"lots": 1}, [{}], "none", "short", "option", "inverse", "call", 10**50,
]  # fmt: skip
KEYS = (
    "style", "lots", "side", "class", "type", "strike", "days", "forward", "tail", "damping", "factor",
    "pnl_per_lot", "paid", "entry_price", "currency", "fx", "haircuts", "own_tokens", "unit_digits", "kappa",
    "category", "names", "thresholds", "count", "basis_rate", "sigma", "adv", "oracle_confidence", "combine",
    "add_ons",
)  # fmt: skip
EXAMPLES = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(CASES.glob("*.json"))]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, k) for k in keys] + [place for k in keys for place in places(value[k])]


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(EXAMPLES), st.randoms(use_true_random=False))
def test_a_damaged_case_is_refused_or_answered_and_nothing_else(example: Any, rng: random.Random) -> None:
    case = json.loads(json.dumps(example))
    for _ in range(rng.choice((1, 1, 2, 3))):
        container, key = rng.choice(places(case))
        value = json.loads(json.dumps(rng.choice(HOSTILE)))
        if isinstance(container, dict) and rng.random() < 0.3:
            del container[key]
        elif isinstance(container, dict) and rng.random() < 0.5:
            container[rng.choice(KEYS)] = value
        else:
            container[key] = value
    try:
        told = answer(case)
    except BadInput as refused:
        assert "\n" not in str(refused)
        return
    assert sum(told["contributions"]["by_position"].values()) == told["scenario_risk"]["total"]
    assert told["IM"] >= told["MM"] >= 0
