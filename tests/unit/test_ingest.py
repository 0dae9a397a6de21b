"""Files from outside: into the lake once, into quarantine with a reason, whole again after a cut."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from engine.config import Home
from engine.errors import BadInput
from engine.projections.lake import read_table
from orchestration.lake import ingest
from orchestration.lake.ingest import Result, ingest_file, ingest_inbox
from schemas.codes import AssetClass
from schemas.external import (
    BankBalance,
    BankStatementLine,
    IngestedFile,
    QuarantinedFile,
    SettlementAdvice,
)
from schemas.iso20022.codecs import Quantity
from schemas.iso20022.sese_024 import SESE_024
from schemas.iso20022.writing import render
from schemas.market import AssetRegistered
from schemas.packed import pack
from schemas.record import record_of
from tests.support.lake_home import make_home
from tests.support.shared import SHARED

SAMPLES = SHARED / "iso20022" / "samples" / "bank_statements"
STATEMENT = SAMPLES / "camt053.v2.multi.statement.xml"
WRONG = SAMPLES / "camt053.v2.wrong.xml"
NOW_NS = 1_767_600_000 * 1_000_000_000
LATER_NS = NOW_NS + 3_600 * 1_000_000_000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.inbox.mkdir(parents=True)
    return made


def put(home: Home, name: str, raw: bytes) -> Path:
    path = home.inbox / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return path


def status_advice(quantity: Quantity) -> bytes:
    return render(
        SESE_024,
        {
            "transaction_reference": "OB17",
            "agent_reference": "CH000001",
            "failing_reason": "LACK",
            "movement": "DELI",
            "payment": "FREE",
            "isin": "US0378331005",
            "quantity": quantity,
            "safekeeping_account": "OB-SAFE-1",
            "settlement_epoch_day": 20_458,
        },
    )


def rows_of(home: Home, cls: type) -> list[dict[str, Any]]:
    return read_table(home, cls).to_dicts()


def test_a_good_file_reaches_the_lake_and_the_archive(home: Home) -> None:
    raw = STATEMENT.read_bytes()
    put(home, "bank/one.xml", raw)
    (outcome,) = ingest_inbox(home, NOW_NS)
    sha256 = hashlib.sha256(raw).hexdigest()
    lines, balances = rows_of(home, BankStatementLine), rows_of(home, BankBalance)
    assert outcome == ("one.xml", sha256, Result.INGESTED, len(lines) + len(balances), "")
    assert lines and balances and {row["file_sha256"] for row in lines + balances} == {sha256}
    (file,) = rows_of(home, IngestedFile)
    assert (file["file_name"], file["row_count"]) == ("one.xml", len(lines) + len(balances))
    assert file["ingested_at_ns"] == NOW_NS
    assert (home.archive / sha256).read_bytes() == raw
    assert not (home.inbox / "bank/one.xml").exists()


def test_the_same_bytes_are_read_once_whatever_their_name(home: Home) -> None:
    put(home, "a.xml", STATEMENT.read_bytes())
    put(home, "b.xml", STATEMENT.read_bytes())
    assert [o.result for o in ingest_inbox(home, NOW_NS)] == [Result.INGESTED, Result.ALREADY_INGESTED]
    before = rows_of(home, BankStatementLine)
    put(home, "c.xml", STATEMENT.read_bytes())
    (again,) = ingest_inbox(home, LATER_NS)
    assert (again.result, again.row_count) == (Result.ALREADY_INGESTED, 0)
    assert rows_of(home, BankStatementLine) == before
    assert list(home.inbox.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "raw"), [("wrong.xml", WRONG.read_bytes()), ("empty.xml", b""), ("text", b"no message")]
)
def test_a_refused_file_is_kept_with_its_reason(home: Home, name: str, raw: bytes) -> None:
    put(home, name, raw)
    (outcome,) = ingest_inbox(home, NOW_NS)
    assert outcome.result is Result.QUARANTINED
    (row,) = rows_of(home, QuarantinedFile)
    assert row["reason"] == outcome.reason and row["reason"] and "\n" not in row["reason"]
    assert (home.root / row["kept_path"]).read_bytes() == raw
    assert row["kept_path"] == f"quarantine/{outcome.file_sha256}-{name}"
    assert list(home.inbox.iterdir()) == [] and not home.archive.exists()
    put(home, "again.xml", raw)
    assert ingest_inbox(home, LATER_NS)[0].result is Result.QUARANTINED
    assert rows_of(home, QuarantinedFile) == [row]


def test_files_are_read_by_path_and_one_bad_file_holds_up_no_other(home: Home) -> None:
    put(home, "2.xml", STATEMENT.read_bytes())
    put(home, "1.xml", b"no message")
    put(home, "a/0.xml", status_advice(Quantity(5, 0)))
    put(home, ".3.xml", b"half a mess")
    outcomes = ingest_inbox(home, NOW_NS)
    assert [o.file_name for o in outcomes] == ["1.xml", "2.xml", "0.xml"]
    assert [o.result.value for o in outcomes] == ["quarantined", "ingested", "ingested"]
    assert [p.name for p in home.inbox.rglob("*") if p.is_file()] == [".3.xml"]


def test_a_file_that_is_not_there_is_bad_input(home: Home) -> None:
    with pytest.raises(BadInput, match="No such file"):
        ingest_file(home, home.inbox / "none.xml", NOW_NS)


def test_units_are_those_of_the_registered_asset(tmp_path: Path) -> None:
    asset = AssetRegistered(
        sequence=1,
        cause_sequence=1,
        occurred_at_ns=1,
        asset_id=1,
        asset_class_code=AssetClass.SECURITY,
        symbol_packed=pack("AAPL"),
        isin_packed=pack("US0378331005"),
        unit_digits=3,
    )
    home = make_home(tmp_path / "home", [asset])
    assert ingest._unit_digits(home) == {"AAPL": 3, "US0378331005": 3}


class Cut(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("raw", [STATEMENT.read_bytes(), status_advice(Quantity(5, 0)), b"no message"])
def test_a_cut_at_every_step_is_completed_by_the_next_run(
    home: Home, raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Home(home.root / "expected")
    put(expected, "one.xml", raw)
    ingest_inbox(expected, NOW_NS)
    tables = (BankStatementLine, BankBalance, SettlementAdvice, IngestedFile, QuarantinedFile)
    due = {cls: rows_of(expected, cls) for cls in tables if (expected.lake / record_of(cls).table).exists()}
    assert any(due.values())
    for step in range(1, 100):
        cut_home = Home(home.root / f"cut{step}")
        put(cut_home, "one.xml", raw)
        was_cut = False
        with monkeypatch.context() as patched:
            _cut_at(patched, step)
            try:
                ingest_inbox(cut_home, NOW_NS)
            except Cut:
                was_cut = True
        ingest_inbox(cut_home, LATER_NS)
        assert list(cut_home.inbox.iterdir()) == []
        for cls, rows in due.items():
            found = rows_of(cut_home, cls)
            assert _undated(found) == _undated(rows)
        kept = [p for p in (*cut_home.archive.glob("*"), *cut_home.quarantine.glob("*"))]
        assert [p.read_bytes() for p in kept] == [raw]
        if not was_cut:
            assert step > 4, "the sweep has to reach every step"
            return
    raise AssertionError("the sweep never ended")


def _undated(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without the instant of reading, which is the second run's where the first kept nothing."""
    dates = ("ingested_at_ns", "advised_at_ns")
    return sorted(({k: v for k, v in row.items() if k not in dates} for row in rows), key=str)


def _cut_at(patched: pytest.MonkeyPatch, step: int) -> None:
    seen = 0

    def counted(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            for made in (False, True):
                seen += 1
                if seen == step:
                    raise Cut
                if not made:
                    result = real(*args, **kwargs)
            return result

        patched.setattr(owner, name, call)

    counted(ingest, "_keep")
    counted(ingest, "append_external")
    counted(Path, "rename")
    counted(Path, "unlink")
