"""`onebook reserve compute` on cases reckoned by hand, from stock record to requirement.

The table, with the paragraph of each case, is `support/reserve_worked_cases.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from tests.support.reserve_worked_cases import CASES, UNKNOWN, WorkedCase, write


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_worked_case(tmp_path: Path, case: WorkedCase) -> None:
    write(tmp_path, case.files)
    asked = ["--as-of", case.asked.as_of, "--method", case.asked.method, "--frequency", case.asked.frequency]
    if case.asked.is_pab:
        asked.append("--pab")
    done = CliRunner().invoke(app, ["reserve", "compute", "--case", str(tmp_path), *asked])
    assert done.exit_code == (1 if UNKNOWN in case.lines.values() else 0), done.output
    told = json.loads(done.stdout)
    due = {str(item): case.lines.get(item, 0) for item in range(1, 16)}
    assert {item: told["lines"][item] for item in due} == due
    assert {key: told[key] for key in case.told} == case.told
    assert told["lines"]["16"] == told["requirement"]
