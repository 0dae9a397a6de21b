"""A scenario group of a case that is written scenario by scenario, turned into one written factor by factor.

[{"name": "flood", "factors": {"BTC": -0.1}, "damping": 1}]     the group, or its `scenarios`
{"flood": {"BTC": -0.1}}                                        the same by name
"""

from __future__ import annotations

from typing import Any

from engine.risk.model.reading import Reading

FACTORS = ("factors", "returns", "shocks")
NAMES = ("names", "dates", "labels")
DAMPING = ("damping", "damping_factors")
COUNT = ("count", "scenarios")
_NAME = ("name", "date", "label")


def by_factor(name: str, group: Reading, notes: list[str]) -> dict[str, Any] | None:
    """The group with a list of moves for every factor; nothing if it is written like that already.

    A factor that a scenario does not name does not move in it, which is noted.
    """
    rows, found = _rows(name, group)
    if not rows:
        return None
    told = [row.get(*_NAME) for _, row in rows]
    shares = [row.get("damping") for _, row in rows]
    moves = [_moves(row) for _, row in rows]
    factors = list(dict.fromkeys(factor for row in moves for factor in row))
    notes += [
        f"not every scenario of {group.path} names {factor}: it does not move in the others"
        for factor in factors
        if any(factor not in row for row in moves)
    ]
    found["factors"] = {f: [row[f].value if f in row else 0 for row in moves] for f in factors}
    found["names"] = [key if said is None else said.value for (key, _), said in zip(rows, told, strict=True)]
    if any(share is not None for share in shares):
        if group.is_object and group.get(*DAMPING) is not None:
            raise group.error("damping stands beside the scenarios and in them; give one")
        found["damping"] = [1 if share is None else share.value for share in shares]
    return found


def _rows(name: str, group: Reading) -> tuple[list[tuple[str, Reading]], dict[str, Any]]:
    """Scenarios that are written one by one, with what they are called, and what else the group says."""
    if group.is_list:
        return _numbered(name, group), {}
    listed = group.get(*COUNT)
    if listed is not None and (listed.is_list or listed.is_object):
        rows = _numbered(name, listed) if listed.is_list else list(listed.entries())
        return rows, {key: value for key, value in group.value.items() if value is not listed.value}
    if any(group.get(*keys) is not None for keys in (FACTORS, NAMES, COUNT)):
        return [], {}
    named = [key for key, value in group.value.items() if _is_scenario(value)]
    rest = {key: value for key, value in group.value.items() if key not in named}
    return [(key, group.need(key)) for key in named], rest


def _is_scenario(value: Any) -> bool:
    """Whether it is one move a factor, and not the moves of many scenarios under some unknown key."""
    return isinstance(value, dict) and bool(value) and not any(isinstance(v, list) for v in value.values())


def _numbered(name: str, listed: Reading) -> list[tuple[str, Reading]]:
    return [(f"{name} {n}", row) for n, row in enumerate(listed.items(), 1)]


def _moves(row: Reading) -> dict[str, Reading]:
    """The moves of one scenario by factor: all that it says but its name and damping."""
    told = row.get(*FACTORS)
    if told is None:
        moves = {key: row.need(key) for key in row.unasked_keys()}
    elif more := row.unasked_keys():
        raise row.error(f"expected a name, factors and damping, not {more[0]!r}")
    else:
        moves = dict(told.entries())
    for move in moves.values():
        move.number()
    return moves
