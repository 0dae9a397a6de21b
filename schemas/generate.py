"""Every generated file of the repository, by path. `make generate` writes them; a test compares them."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import yaml

from schemas.derive import dbt, markdown
from schemas.record import RECORDS, RecordType
from schemas.registry import DOMAINS

NOTE = "# Written by `make generate` from schemas/; edit the declaration, not this file.\n"


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def generated_files() -> dict[Path, str]:
    """Path under the repository's root -> content."""
    files: dict[Path, str] = {}
    for domain in DOMAINS:
        name = domain.__name__.rsplit(".", 1)[-1]
        own = [r for r in RECORDS.values() if r.domain == name]
        files[Path("docs/data-model") / f"{name}.md"] = markdown.domain_page(
            name, inspect.getdoc(domain) or "", own
        )
        files |= _dbt_files(name, [r for r in own if r.is_in_lake])
    files[Path("docs/glossary.md")] = markdown.glossary(RECORDS.values())
    return files


def _dbt_files(domain: str, records: list[RecordType]) -> dict[Path, str]:
    if not records:
        return {}
    folder = Path("dbt_project/models/staging") / domain
    text = yaml.dump(dbt.domain_yaml(domain, records), Dumper=_NoAliases, sort_keys=False, width=110)
    files = {folder / f"_{domain}__generated.yml": NOTE + text}
    for record in records:
        files[folder / f"stg_{record.table}.sql"] = dbt.staging_sql(record)
    return files


def write(root: Path) -> list[Path]:
    """Write every generated file below root; remove staging files that no record asks for. Returns what changed."""
    files = generated_files()
    changed: list[Path] = []
    for folder in ("dbt_project/models/staging", "docs/data-model"):
        for path in (root / folder).rglob("*"):
            if path.is_file() and path.relative_to(root) not in files:
                path.unlink()
                changed.append(path.relative_to(root))
    for path, text in files.items():
        target = root / path
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


if __name__ == "__main__":
    write(Path(__file__).resolve().parent.parent)
