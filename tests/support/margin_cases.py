"""Cases as the tests make them: plain documents in, the product's answer with exact numbers out."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.risk.model.case import Case, case_of
from engine.risk.model.explain import explain
from engine.risk.model.json_text import json_text
from engine.risk.model.reading import Reading

CASES = Path(__file__).parent / "margin_cases"


def read(document: dict[str, Any]) -> Case:
    """A case, as if a file held the document."""
    text = json.dumps(document)
    return case_of(Reading(json.loads(text, parse_float=Decimal), "", "case.json"))


def answer(document: dict[str, Any]) -> dict[str, Any]:
    """What the command prints for a document, read with exact numbers."""
    return json.loads(json_text(explain(read(document))), parse_float=Decimal)
