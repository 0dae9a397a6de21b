"""What derives from schemas/ is as fresh as if it were written now, and nothing else lies beside it."""

from __future__ import annotations

from pathlib import Path

from schemas.generate import generated_files

ROOT = Path(__file__).resolve().parents[2]


def test_every_generated_file_is_fresh() -> None:
    stale = [
        str(path)
        for path, text in generated_files().items()
        if not (ROOT / path).exists() or (ROOT / path).read_text(encoding="utf-8") != text
    ]
    assert not stale, f"run `make generate`: {stale}"


def test_no_generated_folder_holds_a_file_that_no_record_asks_for() -> None:
    wanted = set(generated_files())
    for folder in ("dbt_project/models/staging", "docs/data-model"):
        found = {p.relative_to(ROOT) for p in (ROOT / folder).rglob("*") if p.is_file()}
        assert found <= wanted, f"run `make generate`: {found - wanted}"
