"""The declaration of a record: one class says everything that any layer needs to know.

Owns: `Kind` (one meaning, one unit, one range), `record` (declares a class), `RECORDS` (all of them).
Does not own: any target format. Each target is a pure function over `RecordType` in `schemas/derive`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from enum import Enum, IntEnum
from typing import Any, NamedTuple, TypeVar, dataclass_transform, get_args, get_type_hints

import pyarrow as pa

INT64 = pa.int64()
MONEY = pa.decimal128(23, 5)


class Role(Enum):
    """What a record is to the book; decides where it is stored."""

    COMMAND = "command"  # asked of the engine; journaled and projected to the lake
    EVENT = "event"  # decided by the engine; journaled and projected to the lake
    STATE = "state"  # kept by the engine between frames; in snapshots only
    EXTERNAL = "external"  # told by others, or filed by a product; in the lake only


class Staged(NamedTuple):
    """How the staging layer undoes a machine unit that needs no reference data.

    `suffix` replaces the machine suffix in the column's name; `sql` turns `{column}` into `data_type`.
    """

    suffix: str
    data_type: str
    sql: str


class Kind(NamedTuple):
    """One meaning, one unit, one range: the type of a column in every layer."""

    doc: str
    suffix: str = ""  # the machine unit, enforced in the column's name
    ge: int | None = None
    le: int | None = None
    codes: type[IntEnum] | None = None
    arrow: pa.DataType = INT64  # every fixed-width kind is 8 signed bytes: no padding, no promotion
    staged: Staged | None = None
    prefixes: tuple[str, ...] = ()  # booleans read `is_` or `has_`


class Column(NamedTuple):
    """One column of a record."""

    name: str
    kind: Kind
    doc: str
    null: bool
    cite: str


class RecordType(NamedTuple):
    """One declared record with everything that the targets derive from."""

    cls: type
    table: str
    key: str
    role: Role
    type_code: int  # names the record in a journal frame; 0 when it is never journaled
    version: int
    domain: str
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        """The class name, which is the record's name in prose."""
        return self.cls.__name__

    @property
    def doc(self) -> str:
        """The class docstring, unwrapped to one line."""
        return " ".join((self.cls.__doc__ or "").split())

    @property
    def is_journaled(self) -> bool:
        """Whether journal frames carry this record."""
        return self.role in (Role.COMMAND, Role.EVENT)

    @property
    def is_in_lake(self) -> bool:
        """Whether the lake has a table of this record."""
        return self.role is not Role.STATE


class DeclarationError(TypeError):
    """A record class breaks a rule of declaration; raised at import."""


Registry = dict[str, RecordType]
RECORDS: Registry = {}
Declared = TypeVar("Declared", bound=type)


def field(doc: str, *, null: bool = False, cite: str = "", default: Any = dataclasses.MISSING) -> Any:
    """Declare one column: what it means here, whether it may be null, the rule that asks for it, a default."""
    return dataclasses.field(metadata={"doc": doc, "null": null, "cite": cite}, default=default)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def record(
    *,
    table: str,
    key: str,
    role: Role,
    type_code: int = 0,
    version: int = 1,
    registry: Registry | None = None,
) -> Callable[[Declared], Declared]:
    """Declare a record class and enter it in the registry.

    Raises DeclarationError when the class breaks a rule of declaration: no docstring, a reused table or type
    code, a column whose name does not carry its unit, or a journaled record with a column that is not 8 bytes.
    """
    target = RECORDS if registry is None else registry

    def declare(cls: Declared) -> Declared:
        doc = cls.__doc__
        declared: Any = dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls)
        hints = get_type_hints(declared, include_extras=True)
        columns = tuple(_column(table, f, hints[f.name]) for f in dataclasses.fields(declared))
        made = RecordType(
            declared, table, key, role, type_code, version, cls.__module__.rsplit(".", 1)[-1], columns
        )
        _refuse_bad_declaration(made, doc, target)
        target[table] = made
        return declared

    return declare


def _column(table: str, declared: dataclasses.Field[Any], hint: Any) -> Column:
    kinds = [a for a in get_args(hint)[1:] if isinstance(a, Kind)]
    if len(kinds) != 1 or "doc" not in declared.metadata:
        raise DeclarationError(f"{table}.{declared.name}: declare it with one Kind and field(doc)")
    return Column(declared.name, kinds[0], **declared.metadata)


def _refuse_bad_declaration(made: RecordType, doc: str | None, registry: Registry) -> None:
    if not doc:
        raise DeclarationError(f"{made.table}: a record needs a docstring")
    if made.table in registry:
        raise DeclarationError(f"{made.table}: declared twice")
    if made.key not in [c.name for c in made.columns]:
        raise DeclarationError(f"{made.table}: key {made.key} is not a column")
    for column in made.columns:
        kind = column.kind
        if not column.name.endswith(kind.suffix):
            raise DeclarationError(f"{made.table}.{column.name}: the name must end with {kind.suffix}")
        if kind.prefixes and not column.name.startswith(kind.prefixes):
            raise DeclarationError(f"{made.table}.{column.name}: the name must start with {kind.prefixes}")
    if made.is_journaled:
        _refuse_bad_journaled(made, registry)
    elif made.type_code:
        raise DeclarationError(f"{made.table}: only commands and events have a type code")


def _refuse_bad_journaled(made: RecordType, registry: Registry) -> None:
    if made.columns[0].name != "sequence":
        raise DeclarationError(f"{made.table}: a journaled record begins with its sequence")
    if wide := [c.name for c in made.columns if c.kind.arrow != INT64 or c.null]:
        raise DeclarationError(f"{made.table} is not fixed-width: {', '.join(wide)}")
    if not 0 < made.type_code < 1 << 16:
        raise DeclarationError(f"{made.table}: a journaled record needs a type code below 65536")
    for other in registry.values():
        if other.type_code == made.type_code:
            raise DeclarationError(f"{made.table}: type code {made.type_code} is {other.table}'s")


def journaled(registry: Registry | None = None) -> tuple[RecordType, ...]:
    """Every command and event, in the order of their type codes."""
    records = (RECORDS if registry is None else registry).values()
    return tuple(sorted((r for r in records if r.is_journaled), key=lambda r: r.type_code))


def in_lake(registry: Registry | None = None) -> tuple[RecordType, ...]:
    """Every record that has a lake table, in the order of declaration."""
    return tuple(r for r in (RECORDS if registry is None else registry).values() if r.is_in_lake)


def record_of(cls: type) -> RecordType:
    """The registered record of a declared class."""
    for known in RECORDS.values():
        if known.cls is cls:
            return known
    raise DeclarationError(f"{cls.__name__} is not a declared record")
