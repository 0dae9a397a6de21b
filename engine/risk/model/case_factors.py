"""The factors of a case's instrument, in any of the ways in which they are written down.

["BTC", "BTC_BASIS"]                        beta 1 each
{"SPX": 1.2, "QALD": 1}                     name: beta
{"underlying": "BTC", "basis": "BTC_BASIS"} role: name
[{"factor": "SPX", "beta": 1.2}]            one object each; "kind" where the name does not tell it
[["SPX", 1.2]]                              pairs
"""

from __future__ import annotations

from fractions import Fraction

from engine.risk.model.case_scenarios import KIND_WORDS, Scenarios
from engine.risk.model.reading import Reading
from engine.risk.model.revaluation import Exposure, Kind

_ONE = Fraction(1)
_OWN = ("resid", "idio", "own", "specific")


def read_exposures(
    row: Reading, name: str, underlying: str | None, scenarios: Scenarios, notes: list[str]
) -> list[Exposure]:
    """The factors that move an instrument; without any, the one called like it or its underlying."""
    given = row.get("factors", "factor", "risk_factors")
    betas = row.get("betas", "beta")
    found: list[Exposure] = []
    if given is None and betas is not None and betas.is_object:
        given, betas = betas, None
    if given is None:
        for own in (name, underlying):
            spelled = scenarios.spelled(own) if own is not None else []
            if spelled:
                found = [Exposure(spelled[0], _ONE, scenarios.kinds[spelled[0]])]
                break
        if not found:
            raise row.error("needs 'factors' (or 'pnl_per_lot', its profit and loss in every scenario)")
    elif given.is_text:
        found = [_exposure(given, given.text(), _ONE, scenarios)]
    elif given.is_list:
        found = [_listed(item, scenarios) for item in given.items()]
    else:
        found = [_keyed(key, value, scenarios) for key, value in given.entries()]
    if betas is not None:
        found = _with_betas(betas, name, found, notes)
    names = [e.factor for e in found]
    for factor in names:
        if names.count(factor) > 1:
            raise (given or row).error(f"{factor} stands twice")
    return found


def _exposure(
    reading: Reading, factor: str, beta: Fraction, scenarios: Scenarios, kind: Kind | None = None
) -> Exposure:
    if factor not in scenarios.shocks:
        raise reading.error(
            f"no scenario moves {factor!r}; factors are {', '.join(scenarios.shocks) or 'none'}"
        )
    known = scenarios.kinds[factor]
    return Exposure(factor, beta, known if kind is None or known is Kind.ABSOLUTE else kind)


def _listed(item: Reading, scenarios: Scenarios) -> Exposure:
    if item.is_text:
        return _exposure(item, item.text(), _ONE, scenarios)
    if item.is_list:
        if len(item.items()) != 2:
            raise item.error("expected [factor, beta]")
        factor, beta = item.items()
        return _exposure(factor, factor.text(), beta.number(), scenarios)
    return _told(item, item.need("factor", "name", "id"), scenarios)


def _told(item: Reading, factor: Reading, scenarios: Scenarios) -> Exposure:
    beta = item.get("beta", "weight", "exposure", "loading", "sensitivity", "coefficient")
    kind = _role(item.get("kind", "role", "type"))
    return _exposure(factor, factor.text(), beta.number() if beta is not None else _ONE, scenarios, kind)


def _role(word: Reading | None) -> Kind | None:
    if word is None:
        return None
    if word.word() not in KIND_WORDS:
        raise word.error(f"expected one of {', '.join(k.value for k in Kind)}, not {word.value!r}")
    return KIND_WORDS[word.word()]


def _keyed(key: str, value: Reading, scenarios: Scenarios) -> Exposure:
    if value.is_object:
        named = value.get("factor", "name", "id")
        factor = named if named is not None else Reading(key, value.path, value.source)
        return _told(value, factor, scenarios)
    if value.is_text and value.value in scenarios.shocks:
        role = KIND_WORDS.get(key.lower())
        if role is None:
            raise value.error(
                f"expected a beta of {key!r}, or one of {', '.join(sorted(KIND_WORDS))} as the key"
            )
        return _exposure(value, value.text(), _ONE, scenarios, None if role is Kind.RETURN else role)
    return _exposure(value, key, value.number(), scenarios)


def _with_betas(betas: Reading, name: str, found: list[Exposure], notes: list[str]) -> list[Exposure]:
    """Betas that stand beside the list of factors: by name, in its order, or one."""
    if betas.is_object:
        by_name = {factor: value.number() for factor, value in betas.entries()}
        for factor in by_name:
            if factor not in [e.factor for e in found]:
                raise betas.error(f"{factor} is not one of its factors")
        return [e._replace(beta=by_name.get(e.factor, e.beta)) for e in found]
    if betas.is_list:
        values = betas.numbers()
        if len(values) != len(found):
            raise betas.error(f"{len(values)} betas for {len(found)} factors")
        return [e._replace(beta=b) for e, b in zip(found, values, strict=True)]
    moved = [n for n, e in enumerate(found) if e.kind in (Kind.RETURN, Kind.ABSOLUTE, Kind.CURRENCY)]
    own = [n for n in moved if any(t in found[n].factor.lower() for t in (*_OWN, name.lower()))]
    others = [n for n in moved if n not in own] if len(moved) > 1 else moved
    if len(others) != 1:
        raise betas.error("one beta and several factors that it may belong to; give a beta for each")
    notes.append(f"{name}: beta {betas.value} is that of {found[others[0]].factor}")
    return [e._replace(beta=betas.number()) if n == others[0] else e for n, e in enumerate(found)]
