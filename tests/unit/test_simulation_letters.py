"""Files from outside: valid by the official schemas, and they add up."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from schemas.iso20022.camt_053 import CAMT_053
from schemas.iso20022.camt_054 import CAMT_054
from schemas.iso20022.intake import identifier_of, load
from schemas.iso20022.reading import parse
from tests.support.official import official_error
from tests.support.played_day import played

SEED = 1
ACCOUNTS = ("OB-NOSTRO-USD", "OB-NOSTRO-EUR", "OB-RESERVE-USD", "OB-RESERVE-2-USD", "OB-PAB-RESERVE-USD")


def test_every_file_is_valid_by_the_official_schema() -> None:
    kinds: Counter[str] = Counter()
    for name, raw in played(SEED).inbox("").items():
        identifier = identifier_of(load(raw))
        assert official_error(identifier, raw) is None, name
        kinds[identifier] += 1
    assert set(kinds) == {
        "camt.053.001.08",
        "camt.054.001.08",
        "sese.024.001.12",
        "sese.025.001.11",
        "semt.002.001.11",
    }


def _signed(side: str, amount: Any) -> int:
    return amount.minor if side == "CRDT" else -amount.minor


def _statements(account: str) -> list[dict[str, Any]]:
    files = played(SEED).inbox(f"camt.053-{account}")
    return [s for raw in files.values() for s in parse(CAMT_053, raw)["statements"]]


def _balances(statement: dict[str, Any]) -> dict[str, int]:
    return {b["balance_type"]: _signed(b["side"], b["amount"]) for b in statement["balances"]}


@pytest.mark.parametrize("account", ACCOUNTS)
def test_opening_and_entries_come_to_closing(account: str) -> None:
    statements = _statements(account)
    assert len(statements) == 2
    for statement in statements:
        balances = _balances(statement)
        moved = sum(_signed(e["side"], e["amount"]) for e in statement["entries"])
        assert balances["OPBD"] + moved == balances["CLBD"]
    eve, day = statements
    assert _balances(eve)["OPBD"] == 0
    assert _balances(day)["OPBD"] == _balances(eve)["CLBD"]


@pytest.mark.parametrize("account", ACCOUNTS)
def test_advices_and_statements_tell_the_same_entries(account: str) -> None:
    advised = [
        entry
        for raw in played(SEED).inbox(f"camt.054-{account}").values()
        for told in parse(CAMT_054, raw)["notifications"]
        for entry in told["entries"]
    ]
    stated = [entry for statement in _statements(account) for entry in statement["entries"]]
    assert advised == stated
    references = [entry["entry_reference"] for entry in stated]
    assert len(set(references)) == len(references)
    assert stated or account != "OB-NOSTRO-USD"
