"""The margin of a case in a hundred lines, from the formulas alone: decimals, loops, nothing shared.

Takes a case in its plainest spelling: factors as name -> beta, signed lots, money in dollars, kinds by ending
of the name (_BASIS adds, _PEG multiplies). What the product rounds is not rounded here: compare within units.
"""

from __future__ import annotations

from decimal import Decimal as D
from decimal import getcontext
from math import erf, exp, log, sqrt
from typing import Any

getcontext().prec = 60
GROUPS = ("historical", "stress", "extreme")


def lot_gain(instrument: dict[str, Any], moves: dict[str, D]) -> D:
    """What one lot gains when factors move."""
    if instrument["class"] == "option":
        return D(instrument["multiplier"]) * D(
            option_gain(instrument, {k: float(v) for k, v in moves.items()})
        )
    price, lot = D(instrument["price"]), D(instrument["multiplier"])
    r = sum((D(b) * moves[f] for f, b in instrument["factors"].items() if not f.endswith("_PEG")), D(0))
    spot = sum((D(b) * moves[f] for f, b in instrument["factors"].items() if f[-6:] != "_BASIS"), D(0))
    peg = D(1)
    for factor, beta in instrument["factors"].items():
        if factor.endswith("_PEG"):
            peg *= 1 + D(beta) * moves[factor]
    if instrument["class"] == "inverse":
        return lot * (1 / price - 1 / (price * (1 + r))) * price * (1 + spot)
    if instrument["class"] in ("perpetual", "cfd", "fx"):
        return lot * price * r * peg
    return lot * price * ((1 + r) * peg - 1)


def option_gain(terms: dict[str, Any], moves: dict[str, float]) -> float:
    """Black's formula before and after."""
    forward, strike, years, vol = (float(terms[k]) for k in ("forward", "strike", "years", "volatility"))

    def black(f: float, v: float) -> float:
        if v <= 0 or f <= 0:
            return max(f - strike, 0.0) if terms["option_type"] == "call" else max(strike - f, 0.0)
        d1 = (log(f / strike) + v * v * years / 2) / (v * sqrt(years))
        n1, n2 = ((1 + erf(d / sqrt(2))) / 2 for d in (d1, d1 - v * sqrt(years)))
        call = f * n1 - strike * n2
        return (call if terms["option_type"] == "call" else call - f + strike) * exp(0.0)

    shift = sum(float(b) * moves[f] for f, b in terms["factors"].items() if not f.endswith("_VOL"))
    vols = sum(float(b) * moves[f] for f, b in terms["factors"].items() if f.endswith("_VOL"))
    return black(forward * (1 + shift), vol * (1 + vols)) - black(forward, vol)


def lot_gains(case: dict[str, Any]) -> dict[str, dict[str, list[D]]]:
    """By instrument and group, the gain of a lot in every scenario."""
    found: dict[str, dict[str, list[D]]] = {}
    for instrument in case["instruments"]:
        by_group = found[instrument["id"]] = {}
        for name in GROUPS:
            group = case["scenarios"].get(name)
            if group is None:
                continue
            if "pnl_per_lot" in instrument:
                by_group[name] = [D(v) for v in instrument["pnl_per_lot"][name]]
                continue
            size = len(next(iter(group["factors"].values())))
            by_group[name] = [
                lot_gain(instrument, {f: D(v[s]) for f, v in group["factors"].items()}) for s in range(size)
            ]
    return found


def risk_of(case: dict[str, Any], outcome: dict[str, list[D]]) -> D:
    """The largest mean of the k largest losses, or zero."""
    worst = D(0)
    for name, gains in outcome.items():
        group = case["scenarios"][name]
        damping = [D(d) for d in group.get("damping", ["1"] * len(gains))]
        losses = sorted((-g * d for g, d in zip(gains, damping, strict=True)), reverse=True)[: group["tail"]]
        worst = max(worst, sum(losses, D(0)) / group["tail"])
    return worst


def outcome_of(case: dict[str, Any], lots: dict[str, D], orders: list[tuple[str, D]]) -> dict[str, list[D]]:
    """A + W: positions in full, every order only where it loses."""
    gains = lot_gains(case)
    sizes = {n: len(next(iter(gains.values()))[n]) for n in GROUPS if n in case["scenarios"]}
    return {
        name: [
            sum((lots[i] * gains[i][name][s] for i in lots), D(0))
            + sum((min(D(0), q * gains[i][name][s]) for i, q in orders), D(0))
            for s in range(size)
        ]
        for name, size in sizes.items()
    }


def charges_of(case: dict[str, Any], lots: dict[str, D], orders: list[tuple[str, D]]) -> dict[str, D]:
    """LQ, BF and CJ of the worst that orders may leave, by trying every instrument long and short for BF."""
    by_id = {i["id"]: i for i in case["instruments"]}
    size = {i: D(by_id[i]["price"]) * D(by_id[i]["multiplier"]) for i in by_id}
    high = {i: lots.get(i, D(0)) + sum((q for j, q in orders if j == i and q > 0), D(0)) for i in by_id}
    low = {i: lots.get(i, D(0)) + sum((q for j, q in orders if j == i and q < 0), D(0)) for i in by_id}
    liquidity, basis = D(0), D(0)
    for i, terms in by_id.items():
        n = max(abs(high[i]), abs(low[i])) * size[i]
        share = D("0.1") * D(terms["sigma"]) * (n / D(terms["adv"])).sqrt()
        liquidity += n * (D(terms["spread_bp"]) / 20_000 + share)
    names: dict[str, D] = {}
    for u in dict.fromkeys(t["underlying"] for t in by_id.values()):
        members = [i for i in by_id if by_id[i]["underlying"] == u]
        best = D(0)
        for sides in range(2 ** len(members)):
            ends = [(high if sides >> n & 1 else low)[i] * size[i] for n, i in enumerate(members)]
            best = max(best, min(sum(max(e, D(0)) for e in ends), sum(max(-e, D(0)) for e in ends)))
        basis += D("0.005") * best
        if any(by_id[i]["class"] == "equity" for i in members):
            equities = [i for i in members if by_id[i]["class"] == "equity"]
            up, down = (sum((e[i] * size[i] for i in equities), D(0)) for e in (high, low))
            names[u] = max(abs(up), abs(down))
    largest = sorted(names.values(), reverse=True)[:2]
    joint = D("0.05") * sum(names.values(), D(0)) + D("0.25") * sum(largest, D(0))
    return {"LQ": liquidity, "BF": basis, "CJ": joint}
