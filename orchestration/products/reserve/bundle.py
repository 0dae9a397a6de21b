"""One computation's folder: record, drill-down and a page for people, signed as a whole and checked offline.

Owns: which files the folder holds, and what `onebook verify reserve` finds. Does not own the record
(`engine.reserve.filing`) or signing (`signed_folder.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from datetime import date
from pathlib import Path
from typing import Any

from engine.canonical import readable_json, sha256_of
from engine.config import Home
from engine.errors import PlatformError
from engine.reserve.case_files import read_case
from engine.reserve.computation import Terms, compute, rule_version
from engine.reserve.filing import FORMAT_VERSION, Record, SourceRow, contradictions, source_rows
from engine.reserve.terms import Formula, Frequency, Method
from orchestration.products.reserve.page import statement_html
from orchestration.products.signed_folder import is_in_place, put_in_place, seal, verify_folder

STATEMENT = "statement.json"
PAGE = "statement.html"
SOURCES = "sources.json"
INPUTS = "inputs"


class AlreadyFiled(PlatformError):
    """A filing of this name lies there with other bytes; a filing is never written over."""


def bundle_files(
    record: Record, sources: Sequence[SourceRow], inputs: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """The files of a computation by name, without manifest and signature.

    `inputs` are copies of input files by the name under which the record holds their digest; they lie in
    `inputs/`. Raises PlatformError when a copy is not what the record was made from.
    """
    rows = source_rows(sources)
    copies = {f"{INPUTS}/{name}": content for name, content in (inputs or {}).items()}
    if changed := _changed_inputs(record, inputs or {}):
        raise PlatformError(f"{changed[0]} is not the input that was computed from")
    return {
        STATEMENT: readable_json(record),
        PAGE: statement_html(record, rows),
        SOURCES: readable_json(rows),
        **copies,
    }


def write_bundle(home: Home, folder: Path, files: Mapping[str, bytes]) -> str:
    """Sign the files and put them in place as one folder; returns the manifest's digest.

    The same bytes may be written again; raises AlreadyFiled when others lie there.
    """
    reference = json.loads(files[STATEMENT])["filing_reference"]
    heading = {"format_version": FORMAT_VERSION, "filing_reference": reference}
    sealed = seal(home, files, heading)
    if not is_in_place(folder, sealed):
        if folder.exists():
            raise AlreadyFiled(f"{folder} holds another filing {reference}")
        put_in_place(folder, sealed)
    return sealed.manifest_sha256


def verify_bundle(path: Path, *, expected_fingerprint: str | None = None) -> list[str]:
    """What is wrong with the bundle in a folder, one line a problem; an empty list is a sound bundle.

    Bytes first: signature, manifest and every file. Then what the record says against itself, its drill-down
    and the copies of its inputs, and the formula computed again from these copies. Without
    `expected_fingerprint` the signature proves that nothing changed since signing, not who signed.
    """
    manifest, problems = verify_folder(path, FORMAT_VERSION, expected_fingerprint=expected_fingerprint)
    if problems:
        return problems
    if absent := sorted({STATEMENT, PAGE, SOURCES} - manifest["files"].keys()):
        return [f"{name}: missing" for name in absent]
    record = json.loads((path / STATEMENT).read_bytes())
    try:
        problems = contradictions(record, json.loads((path / SOURCES).read_bytes()))
    except (KeyError, TypeError, ValueError, PlatformError) as failed:
        return [f"{STATEMENT} or {SOURCES} does not have the form of a filing: {failed!r}"]
    if manifest.get("filing_reference") != record["filing_reference"]:
        problems.append("the manifest is of another filing")
    copies = [p for p in (path / INPUTS).rglob("*") if p.is_file()]
    contents = {p.relative_to(path / INPUTS).as_posix(): p.read_bytes() for p in copies}
    changed = [f"{name}: not the input that was computed from" for name in _changed_inputs(record, contents)]
    return problems + (changed or _computed_otherwise(record, path / INPUTS, contents.keys()))


def _computed_otherwise(record: Record, folder: Path, names: Set[str]) -> list[str]:
    """Items and figures that come out otherwise when the copies of the inputs are computed again.

    Nothing is told where the copies are not whole, or where this release computes by another version of the
    rule: rules that changed since do not make an old record wrong.
    """
    rule, as_of = record["rule"], date.fromisoformat(record["as_of_date"])
    if names < record["inputs"]["files"].keys() or rule["text"] != rule_version():
        return []
    terms = Terms(as_of, Method(rule["method"]), Frequency(rule["frequency"]), Formula(record["formula"]))
    told = compute(read_case(folder, as_of), terms)
    due: dict[str, int | None] = {f"item {n}": amount for n, amount in told.lines.items()}
    due["reduction_minor"] = told.reduction.amount_minor
    filed = {f"item {line['item_number']}": line["amount_minor"] for line in record["lines"]}
    filed["reduction_minor"] = record["totals"]["reduction_minor"]
    return [
        f"{name} is {filed.get(name)}, its inputs come to {amount}"
        for name, amount in due.items()
        if filed.get(name) != amount
    ]


def _changed_inputs(record: Mapping[str, Any], inputs: Mapping[str, bytes]) -> list[str]:
    due = record["inputs"]["files"]
    return [name for name, content in sorted(inputs.items()) if due.get(name) != sha256_of(content)]
