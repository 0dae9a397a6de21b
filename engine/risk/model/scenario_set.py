"""A declared scenario set: shocks of every factor in every scenario, as whole numbers, and its file.

Owns: `ScenarioSet`, its columns, reading and writing it as Parquet, CSV or JSON. Does not own: where shocks
come from (scenario_build.py, synthetic_set.py).

One row a scenario and factor: scenario_no (from 1, without gaps), kind (historical, stress or extreme, in
that order), name, damping_ppm (the share of a loss that counts, in millionths), factor, return_ppb (the move
in billionths of the factor's level; of an interest rate, in billionths).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import BadInput
from engine.risk.model.scenario_risk import GROUP_NAMES, Group, make_group

MILLION, BILLION = 1_000_000, 1_000_000_000
COLUMNS = ("scenario_no", "kind", "name", "damping_ppm", "factor", "return_ppb")
_WHOLE = ("scenario_no", "damping_ppm", "return_ppb")


class Profile(NamedTuple):
    """How many scenarios of each kind."""

    historical: int
    stress: int
    extreme: int


PROFILES = {"full": Profile(384, 64, 64), "small": Profile(192, 32, 32)}


class Scenario(NamedTuple):
    """One scenario: returns stand in the order of the set's factors."""

    kind: str
    name: str
    damping_ppm: int
    returns_ppb: tuple[int, ...]


class ScenarioSet(NamedTuple):
    """Scenarios by kind in the order of a vector."""

    factors: tuple[str, ...]
    scenarios: tuple[Scenario, ...]

    def groups(self) -> tuple[Group, ...]:
        """The groups of its scenarios, with the tails that are usual for their sizes."""
        found: list[Group] = []
        start = 0
        for kind in GROUP_NAMES:
            members = [s for s in self.scenarios if s.kind == kind]
            if members:
                damping = [Fraction(s.damping_ppm, MILLION) for s in members]
                found.append(
                    make_group(kind, start, len(members), damping=damping, names=[s.name for s in members])
                )
                start += len(members)
        return tuple(found)

    def shocks(self) -> dict[str, tuple[Fraction, ...]]:
        """By factor, its move in every scenario."""
        return {
            factor: tuple(Fraction(s.returns_ppb[n], BILLION) for s in self.scenarios)
            for n, factor in enumerate(self.factors)
        }

    def rows(self) -> Iterator[tuple[int, str, str, int, str, int]]:
        """Its rows, in the order of `COLUMNS`."""
        for number, scenario in enumerate(self.scenarios, 1):
            for factor, move in zip(self.factors, scenario.returns_ppb, strict=True):
                yield number, scenario.kind, scenario.name, scenario.damping_ppm, factor, move

    def as_case(self) -> dict[str, Any]:
        """The same as the `scenarios` of a case."""
        found: dict[str, Any] = {}
        for group in self.groups():
            members = self.scenarios[group.start : group.start + group.size]
            found[group.name] = {
                "tail": group.tail,
                "names": list(group.names),
                "damping": [Decimal(s.damping_ppm).scaleb(-6) for s in members],
                "factors": {
                    factor: {
                        "returns": [Decimal(s.returns_ppb[n]).scaleb(-9) for s in members],
                        "may_pass_zero": True,
                    }
                    for n, factor in enumerate(self.factors)
                },
            }
        return found


def write_set(made: ScenarioSet, path: Path) -> None:
    """Write a set; the ending of the name says how: .parquet, .csv or .json."""
    if path.suffix not in _WRITERS:
        raise BadInput(f"{path.name}: expected a name that ends with {', '.join(_WRITERS)}")
    _WRITERS[path.suffix](made, path)


def _write_parquet(made: ScenarioSet, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = [pa.int64() if name in _WHOLE else pa.string() for name in COLUMNS]
    columns = zip(*made.rows(), strict=True)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    pq.write_table(pa.table(arrays, names=list(COLUMNS)), path)


def _write_csv(made: ScenarioSet, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(made.rows())


def _write_json(made: ScenarioSet, path: Path) -> None:
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in made.rows())
    path.write_text(f'{{"columns": {json.dumps(COLUMNS)}, "rows": [\n{rows}\n]}}\n', encoding="utf-8")


_WRITERS = {".parquet": _write_parquet, ".csv": _write_csv, ".json": _write_json}


def read_set(path: Path) -> ScenarioSet:
    """Read a set; what has gaps, doubles or another order is refused with its row."""
    if path.suffix == ".parquet":
        rows = _parquet_rows(path)
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file)) or [[]]
        _check_header(path, header)
    elif path.suffix == ".json":
        rows = _json_rows(path)
    else:
        raise BadInput(f"{path.name}: expected a name that ends with {', '.join(_WRITERS)}")
    return _set_of(path, rows)


def _parquet_rows(path: Path) -> list[Sequence[Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInput(f"{path.name}: not Parquet: {error}") from None
    _check_header(path, table.column_names)
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _json_rows(path: Path) -> list[Sequence[Any]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        columns, rows = document["columns"], document["rows"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path.name}: expected an object of columns and rows: {error}") from None
    _check_header(path, columns)
    return rows


def _check_header(path: Path, columns: Sequence[str]) -> None:
    if tuple(columns) != COLUMNS:
        raise BadInput(f"{path.name}: expected the columns {', '.join(COLUMNS)}, not {', '.join(columns)}")


def _set_of(path: Path, rows: Sequence[Sequence[Any]]) -> ScenarioSet:
    heads: list[tuple[str, str, int]] = []
    moves: list[dict[str, int]] = []
    for at, row in enumerate(rows, 1):
        place = f"{path.name}, row {at}"
        if len(row) != len(COLUMNS):
            raise BadInput(f"{place}: expected {len(COLUMNS)} values, not {len(row)}")
        number, kind, name, damping, factor, move = row
        number, damping, move = (
            _whole(place, column, value)
            for column, value in zip(_WHOLE, (number, damping, move), strict=True)
        )
        if number == len(heads) + 1:
            _check_head(place, heads, kind, damping)
            heads.append((kind, name, damping))
            moves.append({})
        if number != len(heads) or heads[-1] != (kind, name, damping):
            raise BadInput(
                f"{place}: scenario {number} does not follow; expected rows of one scenario together"
            )
        if factor in moves[-1]:
            raise BadInput(f"{place}: {factor} stands twice in scenario {number}")
        moves[-1][factor] = move
    if not heads:
        raise BadInput(f"{path.name}: no scenario in it")
    factors = tuple(moves[0])
    for number, by_factor in enumerate(moves, 1):
        if set(by_factor) != set(factors):
            raise BadInput(f"{path.name}: scenario {number} has other factors than scenario 1")
    return ScenarioSet(
        factors,
        tuple(
            Scenario(*head, tuple(by_factor[f] for f in factors))
            for head, by_factor in zip(heads, moves, strict=True)
        ),
    )


def _whole(place: str, column: str, value: Any) -> int:
    try:
        whole = int(value)
    except (TypeError, ValueError):
        whole = None
    if whole is None or isinstance(value, float | bool) or abs(whole) >= 1 << 63:
        raise BadInput(f"{place}, column {column}: expected a whole number of 64 bits, not {value!r}")
    return whole


def _check_head(place: str, heads: Sequence[tuple[str, str, int]], kind: str, damping: int) -> None:
    if kind not in GROUP_NAMES:
        raise BadInput(f"{place}, column kind: expected one of {', '.join(GROUP_NAMES)}, not {kind!r}")
    if heads and GROUP_NAMES.index(kind) < GROUP_NAMES.index(heads[-1][0]):
        raise BadInput(f"{place}, column kind: {kind} stands behind {heads[-1][0]}")
    if damping < 0:
        raise BadInput(f"{place}, column damping_ppm: expected zero or more, not {damping}")
