"""A scenario set as the commands that put it in force.

Owns: numbers of factors, names that fit a column. Does not own: where sets come from (model/scenario_set.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict

from engine.errors import BadInput
from engine.risk.model.scenario_set import ScenarioSet
from engine.risk.scenarios import FACTOR_COUNT, SCENARIO_COUNT, ScenarioSetKept
from schemas.codes import ScenarioGroup
from schemas.headers import Command
from schemas.packed import WIDTH, pack
from schemas.risk import ActivateScenarios, AddScenario, NameFactor, Scenario, SetFactorReturn


def short_name(text: str) -> str:
    """Letters and digits of a name, as many as a column holds: of a long one its beginning and its end."""
    kept = "".join(c for c in text.upper() if c.isascii() and c.isalnum())
    return kept if len(kept) <= WIDTH else kept[: WIDTH - 4] + kept[-4:]


def factor_numbers(made: ScenarioSet, known: Mapping[int, int]) -> dict[str, int]:
    """The number of every factor of a set; new ones get the next. `known` are packed names by number.

    Raises BadInput when there is no number left, or two names come out as one.
    """
    numbers = {packed: number for number, packed in known.items()}
    found: dict[str, int] = {}
    for name in made.factors:
        packed = pack(short_name(name))
        found[name] = numbers.setdefault(packed, max(numbers.values(), default=0) + 1)
    if len(set(found.values())) != len(found):
        raise BadInput("two factors of the set have one short name")
    if max(found.values(), default=0) > FACTOR_COUNT:
        raise BadInput(f"an engine knows {FACTOR_COUNT} factors")
    return found


def commands_of(
    made: ScenarioSet,
    set_id: int,
    known: Mapping[int, int],
    operator_id: int,
    at_ns: int,
    vectors_of: Callable[[ScenarioSetKept], Iterable[Command]] = lambda prepared: (),
) -> Iterator[Command]:
    """Name what is new, prepare the set, put it in force. A factor that does not move takes no command.

    `vectors_of` gives the commands by which instruments with vectors are valued in the prepared set.
    """
    if len(made.scenarios) > SCENARIO_COUNT:
        raise BadInput(f"a set has {len(made.scenarios)} scenarios, an engine takes {SCENARIO_COUNT}")
    numbers, prepared = factor_numbers(made, known), ScenarioSetKept(set_id)
    header = {"sequence": 0, "received_at_ns": at_ns}
    for name, number in numbers.items():
        if number not in known:
            yield NameFactor(**header, factor_id=number, symbol_packed=pack(short_name(name)))
    for place, scenario in enumerate(made.scenarios, 1):
        at = {"scenario_set_id": set_id, "scenario_no": place}
        told = Scenario(
            **at, scenario_group_code=ScenarioGroup[scenario.kind.upper()],
            name_packed=pack(short_name(scenario.name)), damping_ppm=scenario.damping_ppm,
        )  # fmt: skip
        prepared.scenarios.append(told)
        yield AddScenario(**header, **asdict(told))
        for name, move in zip(made.factors, scenario.returns_ppb, strict=True):
            if move:
                prepared.returns[numbers[name], place - 1] = move
                yield SetFactorReturn(**header, **at, factor_id=numbers[name], return_ppb=move)
    yield from vectors_of(prepared)
    tails = {group.name: group.tail for group in made.groups()}
    yield ActivateScenarios(
        **header, scenario_set_id=set_id, scenario_count=len(made.scenarios), operator_id=operator_id,
        historical_tail_count=tails.get("historical", 0), stress_tail_count=tails.get("stress", 0),
    )  # fmt: skip
