"""Rows from outside: once by key, refused when they contradict, safe between processes and after a cut."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.config import Home
from engine.errors import LakeError
from engine.projections import external
from engine.projections.delta import LakeTable
from engine.projections.external import append_external
from engine.projections.lake import read_table
from schemas.external import BankBalance, CustodyHolding, LakeWatermark
from schemas.market import Fill
from tests.support.lake_journal import log_entry


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def balance(key: str, amount: str = "1.50", **other: Any) -> BankBalance:
    values: dict[str, Any] = {
        "balance_key": key,
        "file_sha256": "ab" * 32,
        "bank_account": "OB-NOSTRO-USD",
        "statement_reference": "S1",
        "balance_type": "CLBD",
        "currency": "USD",
        "amount": Decimal(amount),
        "balance_epoch_day": 20_000,
    }
    return BankBalance(**(values | other))


def keys(home: Home) -> list[str]:
    return sorted(read_table(home, BankBalance)["balance_key"].to_list())


def test_rows_are_appended_once_by_key(home: Home) -> None:
    assert append_external(home, BankBalance, [balance("a"), balance("b")]) == 2
    assert append_external(home, BankBalance, [balance("b", "1.5"), balance("c"), balance("c")]) == 1
    assert append_external(home, BankBalance, [balance("a")]) == 0
    assert append_external(home, BankBalance, []) == 0
    assert keys(home) == ["a", "b", "c"]
    assert read_table(home, BankBalance)["amount"].to_list() == [Decimal("1.50000")] * 3


@pytest.mark.parametrize("second", [balance("a", "2"), balance("a", currency="EUR")])
def test_a_key_with_other_values_refuses_the_whole_call(home: Home, second: BankBalance) -> None:
    append_external(home, BankBalance, [balance("a")])
    with pytest.raises(LakeError, match="bank_balances: balance_key 'a' is there with another"):
        append_external(home, BankBalance, [balance("z"), second])
    with pytest.raises(LakeError, match="balance_key 'y' is there with another amount"):
        append_external(home, BankBalance, [balance("y"), balance("y", "9")])
    assert keys(home) == ["a"]


@pytest.mark.parametrize(
    ("cls", "rows", "reason"),
    [
        (BankBalance, [balance("a", "0.000001")], "bank_balances: .*data loss"),
        (BankBalance, [replace(balance("a"), amount=None)], r"bank_balances\.amount may not be null"),
        (BankBalance, [balance("a", balance_epoch_day=1 << 63)], "bank_balances: .*"),
        (CustodyHolding, [balance("a")], "custody_holdings holds CustodyHolding, not BankBalance"),
        (LakeWatermark, [], "lake_watermarks is written by the lake writer only"),
        (Fill, [], "fills is written by the lake writer only"),
    ],
)
def test_what_a_table_cannot_hold_is_refused(home: Home, cls: type, rows: list[Any], reason: str) -> None:
    with pytest.raises(LakeError, match=reason):
        append_external(home, cls, rows)
    assert not list(home.lake.rglob("*.parquet"))


class Cut(Exception):
    """Stands for the end of the process."""


def cut(*_: object) -> None:
    raise Cut


@pytest.mark.parametrize("kept", [0, 100])
def test_a_torn_append_is_made_again(home: Home, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    append_external(home, BankBalance, [balance("a")])
    with monkeypatch.context() as patched, pytest.raises(Cut):
        patched.setattr(external, "_tell_durable", cut)
        append_external(home, BankBalance, [balance("b")])
    entry = log_entry(home, "bank_balances")
    entry.write_bytes(entry.read_bytes()[:kept])
    assert append_external(home, BankBalance, [balance("a"), balance("b"), balance("c")]) == 2
    assert keys(home) == ["a", "b", "c"]


def test_a_torn_creation_is_made_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched, pytest.raises(Cut):
        patched.setattr(LakeTable, "sync", cut)
        append_external(home, BankBalance, [])
    log_entry(home, "bank_balances").write_bytes(b"")
    assert append_external(home, BankBalance, [balance("a")]) == 1
    assert keys(home) == ["a"]


def test_an_unfinished_append_that_is_whole_is_kept(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    append_external(home, BankBalance, [])
    with monkeypatch.context() as patched, pytest.raises(Cut):
        patched.setattr(external, "_tell_durable", cut)
        append_external(home, BankBalance, [balance("a")])
    assert append_external(home, BankBalance, [balance("a"), balance("b")]) == 1
    assert keys(home) == ["a", "b"]


def test_damage_in_what_was_told_durable_is_refused(home: Home) -> None:
    append_external(home, BankBalance, [balance("a")])
    entry = log_entry(home, "bank_balances")
    whole = entry.read_bytes()
    entry.write_bytes(b"")
    with pytest.raises(LakeError, match="durable version 1 is damaged: its log entry does not parse"):
        append_external(home, BankBalance, [balance("b")])
    entry.unlink()
    with pytest.raises(LakeError, match="version 1 was durable and is missing"):
        append_external(home, BankBalance, [balance("b")])
    entry.write_bytes(whole)
    assert append_external(home, BankBalance, [balance("b")]) == 1


def _append_many(root: str, first: int) -> None:
    home = Home(Path(root))
    for number in range(first, first + 8):
        append_external(home, BankBalance, [balance(f"{number:03}"), balance("shared")])


def test_two_processes_append_to_one_table(home: Home) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["engine.projections.external"])
    children = [context.Process(target=_append_many, args=(str(home.root), n * 100)) for n in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    assert keys(home) == [*(f"{n:03}" for n in (*range(8), *range(100, 108))), "shared"]
