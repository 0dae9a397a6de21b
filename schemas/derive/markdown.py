"""RecordType -> the pages of docs/data-model, and the glossary."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from enum import IntEnum

from schemas import codes, kinds
from schemas.derive.dbt import staged_name
from schemas.record import Kind, RecordType, Role


def domain_page(domain: str, doc: str, records: Iterable[RecordType]) -> str:
    """One page: every record of a domain with its columns."""
    parts = [f"# {domain}", "", doc.strip(), ""]
    for record in records:
        parts += _record_section(record)
    return "\n".join(parts).rstrip() + "\n"


def _record_section(record: RecordType) -> list[str]:
    where = {
        Role.COMMAND: f"command {record.type_code}",
        Role.EVENT: f"event {record.type_code}",
        Role.STATE: "state, in memory and snapshots",
        Role.EXTERNAL: "lake only",
    }[record.role]
    head = [
        f"## {record.name}",
        "",
        record.doc,
        "",
        f"Table `{record.table}` · {where} · version {record.version} · key `{record.key}`",
        "",
        "| column | meaning here | kind | staged as |",
        "|---|---|---|---|",
    ]
    rows = [
        f"| `{c.name}` | {c.doc}{f' Source: {c.cite}.' if c.cite else ''} | {c.kind.doc} | `{staged_name(c)}` |"
        for c in record.columns
    ]
    return [*head, *rows, ""]


def glossary(records: Iterable[RecordType]) -> str:
    """Every word of the model: kinds, codes and records, each with its one meaning."""
    parts = ["# Glossary", "", "One word, one meaning.", "", "## Scalars", ""]
    for name, kind in _kinds():
        parts.append(f"- **{name}**{f' (`{kind.suffix}`)' if kind.suffix else ''}: {kind.doc}")
    parts += ["", "## Codes", ""]
    for name, members in inspect.getmembers(codes, _is_code):
        parts.append(f"- **{name}**: {inspect.getdoc(members)}".replace("\n", " "))
        parts += [f"    - `{m.value}` {m.name}" for m in members]
    parts += ["", "## Records", ""]
    parts += [f"- **{r.name}** (`{r.table}`): {r.doc}" for r in sorted(records, key=lambda r: r.name)]
    return "\n".join(parts) + "\n"


def _is_code(member: object) -> bool:
    return inspect.isclass(member) and issubclass(member, IntEnum) and member is not IntEnum


def _kinds() -> list[tuple[str, Kind]]:
    found: list[tuple[str, Kind]] = []
    for name, member in sorted(vars(kinds).items()):
        meta = [m for m in getattr(member, "__metadata__", ()) if isinstance(m, Kind)]
        found += [(name, m) for m in meta]
    return found
