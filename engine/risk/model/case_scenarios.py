"""Scenario groups and factors of a case: sizes, tails, damping, names, and what each factor's shocks mean."""

from __future__ import annotations

import re
from collections.abc import Collection
from fractions import Fraction
from typing import NamedTuple

from engine.risk.model.case_scenario_rows import COUNT, DAMPING, FACTORS, NAMES, by_factor
from engine.risk.model.exact import ceiling
from engine.risk.model.reading import Reading
from engine.risk.model.revaluation import Kind
from engine.risk.model.scenario_risk import GROUP_NAMES, Group, make_group

KIND_WORDS = {
    "return": Kind.RETURN, "returns": Kind.RETURN, "relative": Kind.RETURN, "price": Kind.RETURN,
    "absolute": Kind.ABSOLUTE, "basis": Kind.BASIS, "peg": Kind.PEG, "stablecoin": Kind.PEG,
    "currency": Kind.CURRENCY, "fx": Kind.CURRENCY, "volatility": Kind.VOLATILITY, "vol": Kind.VOLATILITY,
    "rate": Kind.RATE, "underlying": Kind.RETURN, "index": Kind.RETURN, "residual": Kind.RETURN,
    "forward": Kind.RETURN,
}  # fmt: skip
_TAIL = ("tail", "k", "tail_count")
STABLECOINS = frozenset(("USDT", "USDC", "DAI", "FDUSD", "TUSD", "PYUSD"))
_TOKENS = {
    "basis": Kind.BASIS, "peg": Kind.PEG, "depeg": Kind.PEG, "vol": Kind.VOLATILITY, "iv": Kind.VOLATILITY,
    "vola": Kind.VOLATILITY, "volatility": Kind.VOLATILITY, "rate": Kind.RATE, "rates": Kind.RATE,
}  # fmt: skip


class Scenarios(NamedTuple):
    """Groups one after the other, and every factor's shock in every scenario."""

    groups: tuple[Group, ...]
    size: int
    shocks: dict[str, tuple[Fraction, ...]]
    kinds: dict[str, Kind]
    levels: dict[str, Fraction]  # of factors whose level is told
    names: tuple[str, ...]

    def spelled(self, text: str) -> list[str]:
        """Factors that are spelled like a text but for signs and small letters."""
        return [name for name in self.shocks if plain(name) == plain(text)]


def plain(text: str) -> str:
    """A name without signs, in capitals: EUR/USD, eur-usd and EURUSD are one."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def kind_of_name(name: str, others: Collection[str] = ()) -> Kind:
    """What a factor's name says of it, where nobody declares it: BTC_BASIS, USDT-PEG, SPX VOL.

    Written in one word, like BTCVOL, it says so only beside a factor BTC.
    """
    if plain(name) in STABLECOINS:
        return Kind.PEG
    for token in re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()):
        if token in _TOKENS:
            return _TOKENS[token]
    for word, kind in _TOKENS.items():
        stem = name.lower().removesuffix(word)
        if stem != name.lower() and stem in (other.lower() for other in others):
            return kind
    return Kind.RETURN


def read_scenarios(document: Reading, parameters: Reading, notes: list[str]) -> Scenarios:
    """Read the groups; a factor that one group does not name does not move there, which is noted."""
    given = document.need("scenarios")
    if not given.is_object:
        raise given.error("expected an object of historical, stress, extreme")
    asked = _groups(given, notes)
    sizes = _sizes(document, asked)
    empty = [name for name in asked if sizes[name] == 0]
    notes += [f"scenarios.{name} has no scenarios: it does not count" for name in empty]
    asked = {name: group for name, group in asked.items() if name not in empty}
    if not asked:
        raise given.error("needs at least one scenario")
    kinds, levels = _declared(document, parameters)
    groups: list[Group] = []
    moves: dict[str, dict[str, tuple[Fraction, ...]]] = {}
    start = 0
    for name, reading in asked.items():
        groups.append(_group(name, reading, start, sizes[name]))
        start += sizes[name]
        for factor, value in _factors(reading):
            moves.setdefault(factor, {})[name] = _moves(factor, value, kinds)
    for factor, by_group in moves.items():
        absent = [name for name in asked if name not in by_group]
        notes += [f"scenarios.{name} does not name {factor}: it does not move there" for name in absent]
    shocks = {
        factor: tuple(move for name in asked for move in by_group.get(name, (Fraction(0),) * sizes[name]))
        for factor, by_group in moves.items()
    }
    for factor in kinds:
        if factor not in shocks:
            notes.append(f"the factor {factor} is declared, and no scenario moves it")
    names = tuple(name for group in groups for name in group.names)
    known = {factor: kinds.get(factor, kind_of_name(factor, shocks)) for factor in shocks}
    free = {f for reading in asked.values() for f, value in _factors(reading) if _may_pass_zero(value)}
    _refuse_per_cent(given, {f: kind for f, kind in known.items() if f not in free}, shocks)
    return Scenarios(tuple(groups), start, shocks, known, levels, names)


def _groups(given: Reading, notes: list[str]) -> dict[str, Reading]:
    """The groups that are there, each written factor by factor."""
    asked: dict[str, Reading] = {}
    for name in GROUP_NAMES:
        group = given.get(name)
        if group is not None:
            columns = by_factor(name, group, notes)
            if columns is not None:
                given.put(name, columns)
            asked[name] = given.need(name)
    for name in given.unasked_keys():
        raise given.need(name).error(f"expected one of {', '.join(GROUP_NAMES)}, not {name!r}")
    if not asked:
        raise given.error(f"expected at least one of {', '.join(GROUP_NAMES)}")
    return asked


def _refuse_per_cent(given: Reading, kinds: dict[str, Kind], shocks: dict[str, tuple[Fraction, ...]]) -> None:
    """Refuse returns of -100 % and below: they are per cent written as fractions, or moves of a price."""
    for factor, kind in kinds.items():
        moves = shocks[factor]
        if kind not in (Kind.ABSOLUTE, Kind.RATE) and min(moves, default=Fraction(0)) < -1:
            raise given.error(
                f"{factor} has a return of {float(min(moves) * 100):g} %: returns are fractions, "
                "-0.05 is five per cent down; declare the factor absolute if they are moves of a price"
            )


def _may_pass_zero(value: Reading) -> bool:
    """Whether a factor's price may go below zero although its moves are shares of it."""
    said = value.get("may_pass_zero") if value.is_object else None
    return said is not None and said.flag()


def _factors(reading: Reading) -> list[tuple[str, Reading]]:
    factors = reading.get(*FACTORS)
    return list(factors.entries()) if factors is not None else []


def _moves(factor: str, value: Reading, kinds: dict[str, Kind]) -> tuple[Fraction, ...]:
    if not value.is_object:
        return value.numbers()
    shape = value.get("absolute", "moves")
    if shape is not None and shape.is_list:
        if kinds.setdefault(factor, Kind.ABSOLUTE) is not Kind.ABSOLUTE:
            raise value.error(f"{factor} is declared {kinds[factor].value} and moves absolutely here")
        return shape.numbers()
    word = value.get("kind", "type", "shock")
    if word is not None:
        kind = _kind(word)
        if kinds.setdefault(factor, kind) is not kind:
            raise word.error(f"{factor} is {kinds[factor].value} elsewhere")
    return value.need("returns", "values", "shocks").numbers()


def _kind(reading: Reading) -> Kind:
    word = reading.word()
    if word not in KIND_WORDS:
        raise reading.error(f"expected one of {', '.join(k.value for k in Kind)}, not {reading.value!r}")
    return KIND_WORDS[word]


def _declared(document: Reading, parameters: Reading) -> tuple[dict[str, Kind], dict[str, Fraction]]:
    """What is said of factors beside their shocks: kind and level."""
    kinds: dict[str, Kind] = {}
    levels: dict[str, Fraction] = {}
    declared = document.get("factors")
    for name, value in declared.entries() if declared is not None else ():
        if value.is_text:
            kinds[name] = _kind(value)
        elif value.is_number:
            levels[name] = value.number()
        else:
            word, level = value.get("kind", "type"), value.get("price", "level")
            if word is not None:
                kinds[name] = _kind(word)
            if level is not None:
                levels[name] = level.number()
    listed = parameters.get("absolute_factors")
    for item in listed.items() if listed is not None else ():
        kinds[item.text()] = Kind.ABSOLUTE
    by_name = parameters.get("factor_kinds")
    for name, value in by_name.entries() if by_name is not None else ():
        kinds[name] = _kind(value)
    return kinds, levels


def _group(name: str, reading: Reading, start: int, size: int) -> Group:
    damping = reading.get(*DAMPING)
    shares: list[Fraction] | None = None
    if damping is not None:
        shares = (
            [item.at_least(0) for item in damping.items()]
            if damping.is_list
            else [damping.at_least(0)] * size
        )
    names = reading.get(*NAMES)
    told = [str(item.value) for item in names.items()] if names is not None else []
    tail = reading.get(*_TAIL)
    worst: int | None = None
    if tail is not None:
        share = tail.number()
        worst = ceiling(share * size) if 0 < share < 1 else tail.integer()
        if not 1 <= worst <= size:
            raise tail.error(f"a tail of {tail.value} does not fit {size} scenarios")
    return make_group(name, start, size, worst, shares, told)


def _sizes(document: Reading, asked: dict[str, Reading]) -> dict[str, int]:
    """How many scenarios each group has: all that says so must agree; a group that says nothing has none."""
    sizes: dict[str, int] = {}
    for name, reading in asked.items():
        told: list[tuple[int, Reading]] = []
        for factor, value in _factors(reading):
            told.append((len(_moves(factor, value, {})), value))
        for value in (reading.get(*DAMPING), reading.get(*NAMES)):
            if value is not None and value.is_list:
                told.append((len(value.items()), value))
        count = reading.get(*COUNT)
        if count is not None:
            told.append((int(count.at_least(1)), count))
        for size, value in told[1:]:
            if size != told[0][0]:
                raise value.error(f"{size} values, and {told[0][1].path} has {told[0][0]}")
        if told:
            sizes[name] = told[0][0]
    unknown = [name for name in asked if name not in sizes]
    for name in unknown:
        size = _size_of_vectors(document, name, sizes if len(unknown) == 1 else None)
        if size is None and _is_bare(asked[name]):
            size = 0
        if size is None:
            raise asked[name].error("nothing says how many scenarios it has: give factors, names or count")
        sizes[name] = size
    return {name: sizes[name] for name in asked}


def _is_bare(reading: Reading) -> bool:
    """Whether nothing is said of a group, unless how many of its worst count."""
    tail = reading.get(*_TAIL)
    return not any(value for value in reading.value.values() if tail is None or value is not tail.value)


def _size_of_vectors(document: Reading, name: str, known: dict[str, int] | None) -> int | None:
    """The length of the first instrument's vector for a group, or what other groups leave of a flat one."""
    instruments = document.need("instruments")
    rows = instruments.items() if instruments.is_list else [row for _, row in instruments.entries()]
    for row in rows:
        vector = row.get("pnl_per_lot", "pnl", "scenario_pnl")
        if vector is None:
            continue
        if vector.is_object:
            part = vector.get(name)
            if part is not None:
                return len(part.items())
        elif known is not None:
            size = len(vector.items()) - sum(known.values())
            return size if size > 0 else None
    return None
