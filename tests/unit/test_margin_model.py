"""Scenario risk, revaluation, charges, equity and states of the margin model: tables worked by hand."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

import pytest

from engine.errors import BadInput
from engine.risk.model.black76 import option_delta, option_value
from engine.risk.model.charges import Holding, Product, Rates, charge_lines, leverage_lines, total
from engine.risk.model.exact import as_decimal, root_ceiling, shared_out
from engine.risk.model.requirement import (
    Balance,
    Haircut,
    State,
    Tier,
    equity_of,
    initial_margin,
    maintenance_margin,
    state_of,
)
from engine.risk.model.revaluation import Currency, Exposure, Kind, Option, Style, Terms, cash_terms, revalue
from engine.risk.model.scenario_risk import (
    as_vector,
    contributions,
    default_tail,
    make_group,
    portfolio_vector,
    reservation,
    scenario_risk,
    tail_of,
    worst_scenarios,
)

# A scanning model's sixteen scenarios: price by thirds of 1,200, volatility up and down, two extremes of
# which a third counts. One future and one option by their risk arrays, as losses per contract in dollars.
#        number  price    future   call     what it is
SCAN = (
    (1, 0, 0, -160, "price unchanged, volatility up"),
    (2, 0, 0, 180, "price unchanged, volatility down"),
    (3, 400, -400, -340, "price up 1/3, volatility up"),
    (4, 400, -400, -30, "price up 1/3, volatility down"),
    (5, -400, 400, -10, "price down 1/3, volatility up"),
    (6, -400, 400, 330, "price down 1/3, volatility down"),
    (7, 800, -800, -550, "price up 2/3, volatility up"),
    (8, 800, -800, -270, "price up 2/3, volatility down"),
    (9, -800, 800, 120, "price down 2/3, volatility up"),
    (10, -800, 800, 430, "price down 2/3, volatility down"),
    (11, 1_200, -1_200, -790, "price up, volatility up"),
    (12, 1_200, -1_200, -540, "price up, volatility down"),
    (13, -1_200, 1_200, 230, "price down, volatility up"),
    (14, -1_200, 1_200, 500, "price down, volatility down"),
    (15, 3_600, -3_600, -2_900, "price up three times, a third counts"),
    (16, -3_600, 3_600, 590, "price down three times, a third counts"),
)
SPAN = make_group("extreme", 0, 16, 1, [*[1] * 14, F(33, 100), F(33, 100)], [row[4] for row in SCAN])
FUTURE, CALL = (as_vector([-row[column] for row in SCAN]) for column in (2, 3))


@pytest.mark.parametrize(
    ("futures", "calls", "expected", "scenario"),
    [
        (1, 0, 1_200, 13),  # 3,600 x 0.33 = 1,188 is less
        (0, -1, 957, 15),  # short the call: 2,900 x 0.33
        (0, 1, 500, 14),
        (-1, 2, 360, 2),  # loses where nothing moves: 2 x 180; a third down it is 2 x 330 - 400
        (1, -1, 994, 16),  # covered call: (3,600 - 590) x 0.33 = 993.3; one range down 1,200 - 230
    ],
)
def test_a_scanning_model_takes_the_worst_of_sixteen(
    futures: int, calls: int, expected: int, scenario: int
) -> None:
    outcome = portfolio_vector({"f": futures, "c": calls}, {"f": FUTURE, "c": CALL}, 16)
    found = scenario_risk([SPAN], outcome)
    assert found.total == expected
    assert found.tail == (scenario - 1,)


OUTCOME = as_vector([-90, 40, -61, 10, -30, -75, 5, -20, -10, -33])


@pytest.mark.parametrize(
    ("tail", "shortfall", "scenarios"),
    [
        (1, 90, (0,)),
        (2, 83, (0, 5)),  # 82.5, rounded up
        (3, 76, (0, 5, 2)),  # 226 / 3 = 75.33
        (4, 65, (0, 5, 2, 9)),  # 259 / 4 = 64.75
        (8, 40, (0, 5, 2, 9, 4, 7, 8, 6)),  # 314 / 8: the eighth worst gains 5, and that counts
        (10, 27, (0, 5, 2, 9, 4, 7, 8, 6, 3, 1)),  # 264 / 10
    ],
)
def test_1_2_expected_shortfall_is_the_mean_of_the_k_largest(
    tail: int, shortfall: int, scenarios: tuple[int, ...]
) -> None:
    assert tail_of(make_group("historical", 0, 10, tail), OUTCOME) == (shortfall, scenarios)


@pytest.mark.parametrize(
    ("name", "count", "tail"),
    [("historical", 384, 10), ("historical", 192, 5), ("stress", 64, 4), ("stress", 32, 2),
     ("extreme", 64, 1), ("historical", 5, 1)],
)  # fmt: skip
def test_1_2_tails_where_nobody_says(name: str, count: int, tail: int) -> None:
    assert default_tail(name, count) == tail


def test_the_worst_group_decides_and_gains_need_nothing() -> None:
    groups = [
        make_group("historical", 0, 3, 2),
        make_group("stress", 3, 2, 1, names=["flood", "fire"]),
        make_group("extreme", 5, 1, 1, [F(35, 100)]),
    ]
    found = scenario_risk(groups, as_vector([-10, -20, 5, -12, -16, -45]))
    assert (found.total, found.by_group) == (16, {"historical": 15, "stress": 16, "extreme": 16})
    assert found.decided_by is not None
    assert found.decided_by.name == "stress"  # of equal ones the first; 45 x 0.35 = 15.75
    worst = worst_scenarios(groups, as_vector([-10, -20, 5, -12, -16, -45]))
    assert [(loss, group.names[s - group.start]) for loss, s, group in worst] == [
        (20, "historical 2"), (16, "fire"), (F(63, 4), "extreme 1"),
    ]  # fmt: skip
    nothing = scenario_risk(groups, as_vector([1, 2, 3, 4, 5, 6]))
    assert (nothing.total, nothing.decided_by, nothing.tail) == (0, None, ())
    assert nothing.by_group == {"historical": -1, "stress": -4, "extreme": -2}


def test_1_4_contributions_share_what_rounding_left_over() -> None:
    groups = [make_group("historical", 0, 3, 3)]
    parts = {"a": as_vector([-1, -1, -3]), "b": as_vector([-2, 0, 0]), "c": as_vector([0, 0, -1])}
    whole = scenario_risk(groups, as_vector([-3, -1, -4]))  # 8 / 3, rounded up to 3
    assert whole.total == 3
    assert contributions(whole, parts) == {"a": 2, "b": 1, "c": 0}  # 5/3, 2/3, 1/3
    assert shared_out({"x": F(-5, 3), "y": F(5, 3)}, 0) == {"x": -2, "y": 2}


def test_1_2_open_orders_reserve_where_they_lose() -> None:
    vector = as_vector([-5, 3, 0])
    assert list(reservation([(2, vector), (-1, vector)], 3)) == [-10, -3, 0]


def test_nothing_overflows() -> None:
    huge = as_vector([2**63, -1, -(2**90)])
    assert scenario_risk([make_group("extreme", 0, 3)], huge).total == 2**90


BTC, BASIS, PEG = Exposure("BTC"), Exposure("BASIS", kind=Kind.BASIS), Exposure("PEG", kind=Kind.PEG)
EURO = Currency(F(11, 10), "EUR")
REVALUED: list[tuple[str, Terms, dict[str, str], str]] = [
    ("linear: 2 x 100 x 5 %", Terms(Style.HELD, F(100), F(2), (BTC,)), {"BTC": "0.05"}, "10"),
    ("beta: 1.2 x -4 % + 1 %", Terms(Style.HELD, F(200), F(1), (Exposure("INDEX", F(6, 5)), Exposure("OWN"))),
     {"INDEX": "-0.04", "OWN": "0.01"}, "-7.6"),
    ("two that multiply: 1.1 x 1.1",
     Terms(Style.HELD, F(100), F(1), (BTC, Exposure("ETH")), is_product=True),
     {"BTC": "0.1", "ETH": "0.1"}, "21"),
    ("foreign share: 100 (0.95 x 1.1 x 0.98 - 1.1)", Terms(Style.HELD, F(100), F(1), (BTC,), EURO),
     {"BTC": "-0.05", "EUR": "-0.02"}, "-7.59"),
    ("foreign CFD: 100 x -5 % x 1.1 x 0.98", Terms(Style.CONTRACT, F(100), F(1), (BTC,), EURO),
     {"BTC": "-0.05", "EUR": "-0.02"}, "-5.39"),
    ("foreign cash", cash_terms(EURO), {"EUR": "-0.02"}, "-0.022"),
    ("yen: 1/150, the dollar up 25 %", cash_terms(Currency(F(1, 150), "USDJPY", True)), {"USDJPY": "0.25"},
     str(F(-1, 750))),
    ("perpetual: 60,000 (-5 % - 0.1 %) 0.99",
     Terms(Style.CONTRACT, F(60_000), F(1), (BTC, BASIS), pegs=(PEG,)),
     {"BTC": "-0.05", "BASIS": "-0.001", "PEG": "-0.01"}, "-3029.4"),
    ("paid in a broken coin: 100 x 5 % x 0.5 x 0.9",
     Terms(Style.CONTRACT, F(100), F(1), (BTC,), Currency(F(1, 2)), (PEG,)),
     {"BTC": "0.05", "PEG": "-0.1"}, "2.25"),
    ("crude from 18 to -37", Terms(Style.CONTRACT, F(18), F(1_000), (Exposure("WTI", kind=Kind.ABSOLUTE),)),
     {"WTI": "-55"}, "-55000"),
    # 100 (1/50,000 - 1/40,000) = -0.0005 coins, at 40,000 each
    ("inverse: 100 dollars of face, down 20 %", Terms(Style.INVERSE, F(50_000), F(100), (BTC,),
                                                      Currency(F(50_000))), {"BTC": "-0.2"}, "-20"),
    # contract at 50,000 x 1.09 with the basis, coin at 50,000 x 1.1: 100 (1/50,000 - 1/54,500) 55,000
    ("inverse with basis", Terms(Style.INVERSE, F(50_000), F(100), (BTC, BASIS), Currency(F(50_000))),
     {"BTC": "0.1", "BASIS": "-0.01"}, str(F(100) * (F(1, 50_000) - F(1, 54_500)) * 55_000)),
    # the coin's rate of its own: 100 (1/50,000 - 1/40,000) x 49,000 x 0.8
    ("inverse, coin quoted elsewhere", Terms(Style.INVERSE, F(50_000), F(100), (BTC,),
                                             Currency(F(49_000), "BTC")), {"BTC": "-0.2"}, "-19.6"),
    ("nothing moves it", Terms(Style.HELD, F(100), F(1), (BTC,)), {"ETH": "0.5"}, "0"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "terms", "moves", "gain"), REVALUED, ids=[row[0] for row in REVALUED])
def test_1_2_full_revaluation(told: str, terms: Terms, moves: dict[str, str], gain: str) -> None:
    assert revalue(terms, {f: [F(m)] for f, m in moves.items()}, 1) == [F(gain)], told


def test_an_inverse_contract_has_no_value_at_zero() -> None:
    terms = Terms(Style.INVERSE, F(100), F(1), (Exposure("BTC", F(2)),), Currency(F(100)))
    with pytest.raises(BadInput, match="no value at a price of"):
        revalue(terms, {"BTC": [F(0), F(-1, 2)]}, 2)


def test_black_76_against_published_values() -> None:
    """F = K = 19, nine months, 10 %, volatility 28 %.

    Source: Haug, The Complete Guide to Option Pricing Formulas (2nd ed.), section 1.1.3.
    """
    assert option_value(True, 19.0, 19.0, 0.75, 0.28, 0.10) == pytest.approx(1.7011, abs=5e-5)
    assert option_value(False, 19.0, 19.0, 0.75, 0.28, 0.10) == pytest.approx(1.7011, abs=5e-5)


@pytest.mark.parametrize(
    ("is_call", "forward", "years", "volatility", "expected"),
    [(True, 110.0, 0.0, 0.2, 10.0), (False, 110.0, 0.0, 0.2, 0.0), (True, 110.0, 1.0, 0.0, 10.0),
     (False, -5.0, 1.0, 0.3, 105.0), (True, -5.0, 1.0, 0.3, 0.0)],
)  # fmt: skip
def test_black_76_where_nothing_is_uncertain(
    is_call: bool, forward: float, years: float, volatility: float, expected: float
) -> None:
    assert option_value(is_call, forward, 100.0, years, volatility, 0.0) == expected


def test_put_call_parity_delta_and_shocked_volatility() -> None:
    call, put = (option_value(c, 105.0, 100.0, 0.5, 0.3, 0.02) for c in (True, False))
    assert call - put == pytest.approx(5.0 * 2.718281828459045**-0.01)
    bumped = option_value(True, 105.001, 100.0, 0.5, 0.3, 0.02)
    assert option_delta(True, 105.0, 100.0, 0.5, 0.3, 0.02) == pytest.approx(
        (bumped - call) / 0.001, abs=1e-4
    )
    vol = Exposure("VOL", kind=Kind.VOLATILITY)
    option = Option(True, F(100), F(1, 2), F(3, 10), F(1, 50), (vol,))
    terms = Terms(Style.OPTION, F(105), F(10), (Exposure("F"),), option=option)
    (gain,) = revalue(terms, {"F": [F(-1, 10)], "VOL": [F(1, 2)]}, 1)
    assert float(gain) == pytest.approx(10 * (option_value(True, 94.5, 100.0, 0.5, 0.45, 0.02) - call))


def product(name: str = "x", kind: str = "crypto", under: str = "x", size: int = 1, **more: Any) -> Product:
    """A product of which little matters."""
    return Product(name, kind, under, F(size), **more)


def test_lq_one_million_notional_costs_524() -> None:
    """Spread 2 bp, sigma 3 %, ADV 50 m, lambda 0.1: 100 of spread and 424.26 of impact."""
    terms = product(size=1_000, spread=F(2, 10_000), deviation=F(3, 100), volume=F(50_000_000))
    (line,) = [
        x for x in charge_lines({"x": terms}, {"x": Holding(F(1_000))}, Rates(), 100) if x.add_on == "LQ"
    ]
    assert line.charge == 10_000 + 42_427
    assert root_ceiling(F(424_264, 1_000) ** 2 * 10_000) == 42_427
    assert line.inputs["notional"] == 1_000_000


BOOKS: list[tuple[str, dict[str, tuple[int, int, int]], int, int]] = [
    # lots, bids and asks of instruments of one underlying, a dollar a lot: BF at 0.5 % in cents, MM and IM
    ("one instrument", {"a": (900, 0, 0)}, 0, 0),
    ("one instrument, orders on both sides", {"a": (0, 500, 500)}, 0, 0),
    ("one instrument's orders hedge only another's", {"a": (0, 500, 500), "b": (0, 100, 0)}, 0, 50),
    ("hedge", {"a": (1_000, 0, 0), "b": (-600, 0, 0)}, 300, 300),
    ("hedge that an order completes", {"a": (1_000, 0, 0), "b": (-600, 0, 400)}, 300, 500),
    ("orders make the hedge", {"a": (0, 1_000, 0), "b": (0, 0, 800)}, 0, 400),
    ("same side", {"a": (1_000, 0, 0), "b": (600, 0, 0)}, 0, 0),
    ("two against one", {"a": (1_000, 0, 0), "b": (-600, 0, 0), "c": (-600, 0, 0)}, 500, 500),
]


@pytest.mark.parametrize(("told", "book", "now", "reserved"), BOOKS, ids=[row[0] for row in BOOKS])
def test_bf_of_what_hedges(told: str, book: dict[str, tuple[int, int, int]], now: int, reserved: int) -> None:
    products = {name: product(name, under="u") for name in book}
    holdings = {name: Holding(*map(F, row)) for name, row in book.items()}
    assert total(maintenance_margin(0, products, holdings, Rates(), 100).lines, "BF") == now, told
    assert total(initial_margin(0, products, holdings, Rates(), 100).lines, "BF") == reserved, told


def test_cj_of_two_largest_names() -> None:
    """QALD 400 + 100 by a CFD, QBRM -300, QCOR 200: 30 % of 500 and 300, 5 % of 200. An index is no name."""
    products = {
        "QALD": product("QALD", "equity", "QALD", is_name=True),
        "QALDCFD": product("QALDCFD", "equity", "QALD", is_name=True),
        "QBRM": product("QBRM", "equity", "QBRM", is_name=True),
        "QCOR": product("QCOR", "equity", "QCOR", is_name=True),
        "SPX": product("SPX", "index", "SPX"),
    }
    lots = {"QALD": 400, "QALDCFD": 100, "QBRM": -300, "QCOR": 200, "SPX": 9_000}
    holdings = {name: Holding(F(n)) for name, n in lots.items()}
    needed = maintenance_margin(240, products, holdings, Rates(), 1)
    assert total(needed.lines, "CJ") == 150 + 90 + 10
    assert needed.floored_risk == 250  # a floor under scenario risk, not on top of it
    assert maintenance_margin(260, products, holdings, Rates(), 1).floored_risk == 260


@pytest.mark.parametrize(
    ("lots", "funding", "expected"),
    [(100, 3, 30 + 50), (-100, 3, 50), (100, -3, 50), (-100, -3, 30 + 50)],  # long pays what is above zero
)
def test_fp_is_funding_that_is_paid_and_the_fee_to_close(lots: int, funding: int, expected: int) -> None:
    terms = product(size=1_000, funding=F(funding, 10_000), fee=F(5, 10_000))
    assert total(charge_lines({"x": terms}, {"x": Holding(F(lots))}, Rates(), 1), "FP") == expected


def test_rf_tops_initial_margin_up_to_the_leverage_caps() -> None:
    """30 of 900, 20 of 400, 5 of 500, 2 of 100: 30 + 20 + 100 + 50."""
    rows = {"EURUSD": (30, 900), "EURNOK": (20, -400), "QALD": (5, 500), "BTC": (2, 100), "paid": (None, 999)}
    products = {n: product(n, leverage_cap=None if cap is None else F(cap)) for n, (cap, _) in rows.items()}
    holdings = {n: Holding(F(size)) for n, (_, size) in rows.items()}
    charged = {
        rest: total(leverage_lines(products, holdings, Rates(), rest, 1), "RF") for rest in (0, 150, 500)
    }
    assert charged == {0: 200, 150: 50, 500: 0}


@pytest.mark.parametrize(
    ("amount", "counted"),
    [(-100, "-110"), (0, "0"), (500, "490"), (1_000, "980"), (3_000, "2580"), (9_000, "7080")],
)
def test_haircuts_by_tier(amount: int, counted: str) -> None:
    """2 % up to 1,000, 20 % up to 3,000, 25 % beyond; a debt counts 10 % more."""
    haircut = Haircut(
        (Tier(F(1_000), F(2, 100)), Tier(F(3_000), F(20, 100)), Tier(None, F(25, 100))), F(1, 10)
    )
    assert haircut.counted(F(amount)) == F(counted)


def test_equity_in_several_currencies_less_wrong_way_and_doubtful_prices() -> None:
    balances = [
        Balance("USD", F(1), cash=F(1_000), unrealised=F(-250), options=F(40)),
        Balance("EUR", F(11, 10), cash=F(200), haircut=Haircut((Tier(None, F(5, 100)),))),
        Balance("JPY", F(1, 150), cash=F(-15_000)),
        Balance("OBT", F(2), cash=F(300), is_own_token=True),
    ]
    doubts = [
        (product("a", size=100), Holding(F(-10)), F(1, 2)),
        (product("b", size=100), Holding(F(9)), F(3, 5)),
    ]
    found = equity_of(balances, doubts, Rates(), 100)
    assert found.by_currency == {"USD": 79_000, "EUR": 20_900, "JPY": -10_000, "OBT": 60_000}
    assert [(x.add_on, x.subject, x.charge) for x in found.lines] == [
        ("WW", "OBT", 60_000),
        ("OC", "a", 50_000),
    ]
    assert found.total == 79_000 + 20_900 - 10_000 - 50_000


STATES = [
    # equity, MM, IM, half of a retail account's IM counts, state
    (1_501, 1_000, 1_300, 0, State.FREE), (1_500, 1_000, 1_300, 0, State.WARN),
    (1_300, 1_000, 1_300, 0, State.WARN),
    (1_299, 1_000, 1_300, 0, State.NO_NEW_RISK), (1_050, 1_000, 1_300, 0, State.NO_NEW_RISK),
    (1_049, 1_000, 1_300, 0, State.CANCEL), (1_000, 1_000, 1_300, 0, State.CANCEL),
    (999, 1_000, 1_300, 0, State.LIQUIDATE), (0, 1_000, 1_300, 0, State.LIQUIDATE),
    (-1, 1_000, 1_300, 0, State.BANKRUPT),
    (0, 0, 0, 0, State.FREE), (2_000, 1_000, 4_000, 4_000, State.NO_NEW_RISK),
    (1_999, 1_000, 4_000, 4_000, State.LIQUIDATE),
]  # fmt: skip


@pytest.mark.parametrize(("equity", "mm", "im", "retail", "state"), STATES)
def test_1_2_states(equity: int, mm: int, im: int, retail: int, state: State) -> None:
    assert state_of(equity, mm, im, retail_initial=retail) is state


def test_a_kappa_below_one_is_refused() -> None:
    with pytest.raises(BadInput, match="below one"):
        initial_margin(0, {}, {}, Rates(), 1, kappa=F(99, 100))


@pytest.mark.parametrize(
    ("units", "digits", "text"),
    [
        (0, 8, "0"),
        (100, 2, "1"),
        (-5, 2, "-0.05"),
        (123_450, 3, "123.45"),
        (7, 0, "7"),
        (10**20, 2, "1" + "0" * 18),
    ],
)
def test_decimals_have_every_figure_and_no_zeros_behind(units: int, digits: int, text: str) -> None:
    assert format(as_decimal(units, digits), "f") == text
