"""One business day from nothing to filed products, twice with one seed, as a user would run it."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from engine.config import Home
from engine.gateway.vault import Vault
from engine.journal.verify import verify_journal
from engine.projections.lake import read_table
from engine.reserve.filing import formula_of
from engine.reserve.terms import Formula
from orchestration.products.incidents.verify import verify_bundle
from schemas.codes import AccountClass, ReserveFormula
from schemas.external import EvidenceBundle, FiledReserve, WrittenMessage
from schemas.identity import AccountOpened
from schemas.ledger import ReserveDepositOrdered
from schemas.payments import WithdrawalApproved
from schemas.settlement import SettlementInstructed
from tests.support.official import official_error

SCALE = "0.1"
SEED = "11"


def onebook(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *words], capture_output=True, text=True, check=False
    )


def play(home: Home) -> str:
    """Play the day; returns what it told."""
    told = onebook("day", "--home", str(home.root), "--seed", SEED, "--scale", SCALE)
    assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-4000:]
    return told.stdout


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Home, str]:
    """The same day in two homes, and what the first told."""
    first, second = (Home(tmp_path_factory.mktemp(n) / "book") for n in ("first", "second"))
    told = play(first)
    play(second)
    return first, second, told


def test_the_summary_tells_what_came_of_the_day(days: tuple[Home, Home, str]) -> None:
    told = days[2]
    assert "none missed, none false" in told
    assert "incident 1: verified" in told
    assert re.search(r"\n  requirement +\$[\d,]+\.\d\d; on deposit before", told)
    assert re.search(r"\n  PAB requirement +\$[\d,]+\.\d\d; on deposit before", told)
    assert re.search(r"of types +LIMIT [\d,]+, MARKET [\d,]+, .*PEGGED_MID \d+", told)
    assert re.search(r"auctions +\d+, [\d,]+ lots\n +opening auction +QALD \d+\.\d\d x \d+", told)
    assert re.search(r"volatility auction +QBRM \d+\.\d\d x \d+", told)
    assert re.search(r"fees +charged \$[\d,]+\.\d\d, paid out \$[\d,]+\.\d\d; net of taker \$", told)


def test_the_same_seed_gives_the_same_journal_reserve_and_messages(days: tuple[Home, Home, str]) -> None:
    first, second, _ = days
    assert verify_journal(first.journal) == verify_journal(second.journal)
    assert not verify_journal(first.journal).problems
    for folder in ("outbox", "reconciliation"):
        made = digests(first.root / folder)
        assert made and made == digests(second.root / folder), folder
    for folder in ("evidence", "reserve"):
        made = unsigned(first.root / folder)
        assert made and made == unsigned(second.root / folder), folder


def digests(folder: Path) -> dict[str, str]:
    """Path below the folder -> digest."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def unsigned(folder: Path) -> dict[str, str]:
    """Digests of what a seed fixes: all but the signature and the key that each home makes for itself."""
    made = digests(folder)
    return {name: digest for name, digest in made.items() if "manifest" not in name and "key" not in name}


def test_every_message_is_valid_officially_and_written_once(days: tuple[Home, Home, str]) -> None:
    home = days[0]
    written = read_table(home, WrittenMessage).to_dicts()
    assert len(written) == len({m["message_reference"] for m in written})
    for message in written:
        raw = (home.root / message["path"]).read_bytes()
        assert hashlib.sha256(raw).hexdigest() == message["file_sha256"]
        assert official_error(message["message_type"], raw) is None
    kinds = {m["message_type"] for m in written}
    assert kinds == {"sese.023.001.11", "pain.001.001.09", "pacs.009.001.08"}
    subjects = {m["subject_reference"] for m in written}
    obligations = read_table(home, SettlementInstructed)["obligation_id"].to_list()
    withdrawals = read_table(home, WithdrawalApproved)["payment_id"].to_list()
    assert any(f"OB{n}" in subjects for n in obligations)
    assert {f"WD{n}" for n in withdrawals} & subjects


@pytest.mark.parametrize("formula", Formula)
def test_the_reserve_is_filed_ordered_and_paid_once(days: tuple[Home, Home, str], formula: Formula) -> None:
    home = days[0]
    all_filed = read_table(home, FiledReserve).to_dicts()
    (filed,) = [f for f in all_filed if formula_of(f["filing_reference"]) is formula]
    credits, debits = filed["credits_minor"], filed["debits_minor"]
    assert filed["reduction_minor"] == (-(-debits * 2 // 100) if formula is Formula.CUSTOMER else 0)
    assert filed["requirement_minor"] == max(0, credits - (debits - filed["reduction_minor"])) > 0
    code = ReserveFormula.PAB if formula is Formula.PAB else ReserveFormula.CUSTOMER
    folder = (home.root / filed["path"]).parent
    payment_id = json.loads((folder / "statement.json").read_bytes())["deposit"]["payment_id"]
    ordered = read_table(home, ReserveDepositOrdered).filter(pl.col("payment_id") == payment_id).to_dicts()
    missing = max(filed["requirement_minor"] - filed["deposit_minor"], 0)
    assert [o["deposit_minor"] for o in ordered] == ([missing] if missing else [])
    for order in ordered:
        assert order["reserve_formula_code"] == code
        assert order["preparer_operator_id"] != order["approver_operator_id"]
    told = onebook("verify", "reserve", str(folder))
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("pab", [(), ("--pab",)])
def test_the_filed_inputs_compute_to_what_was_filed(
    days: tuple[Home, Home, str], pab: tuple[str, ...]
) -> None:
    home = days[0]
    formula = Formula.PAB if pab else Formula.CUSTOMER
    all_filed = read_table(home, FiledReserve).to_dicts()
    (filed,) = [f for f in all_filed if formula_of(f["filing_reference"]) is formula]
    folder = (home.root / filed["path"]).parent
    as_of = date(1970, 1, 1) + timedelta(days=filed["as_of_epoch_day"])
    how = ("--method", "alternative", "--frequency", "daily", *pab)
    told = onebook("reserve", "compute", "--case", str(folder / "inputs"), "--as-of", str(as_of), *how)
    assert told.returncode == 0, told.stderr
    computed = json.loads(told.stdout, parse_float=Decimal)
    assert computed["requirement"] * 100 == filed["requirement_minor"]
    lines = json.loads((folder / "statement.json").read_bytes())["lines"]
    assert [computed["lines"][str(line["item_number"])] * 100 for line in lines] == [
        line["amount_minor"] for line in lines
    ]


def test_evidence_verifies_and_a_changed_byte_is_found(days: tuple[Home, Home, str]) -> None:
    home = days[1]
    (bundle,) = read_table(home, EvidenceBundle).to_dicts()
    folder = home.root / bundle["path"]
    assert verify_bundle(folder) == []
    assert onebook("verify", "evidence", str(folder)).returncode == 0
    timeline = next(p for p in folder.rglob("*.json") if "timeline" in p.name)
    timeline.write_bytes(timeline.read_bytes().replace(b"1", b"2", 1))
    assert verify_bundle(folder)
    assert onebook("verify", "evidence", str(folder)).returncode == 1


def test_no_name_of_a_client_leaves_the_vault(days: tuple[Home, Home, str]) -> None:
    """Every family name that was planted is looked for in every file but the payment messages."""
    home = days[0]
    vault = Vault.open(home)
    accounts = read_table(home, AccountOpened).filter(pl.col("account_class_code") != AccountClass.STREET)
    clients = set(accounts["client_id"].to_list())
    names = {vault.get(client_id).name.encode() for client_id in clients}
    assert len(names) > 20
    allowed = {home.outbox, home.vault}
    for path in home.root.rglob("*"):
        if path.is_file() and not any(folder in path.parents for folder in allowed):
            raw = path.read_bytes()
            assert not [n for n in names if n in raw], path


def test_the_whole_journal_decided_again_is_the_same(days: tuple[Home, Home, str]) -> None:
    told = onebook("replay", "--home", str(days[0].root))
    assert told.returncode == 0 and "byte for byte" in told.stdout
    assert onebook("verify", "journal", "--home", str(days[0].root)).returncode == 0


def test_a_book_is_not_played_over(days: tuple[Home, Home, str]) -> None:
    told = onebook("day", "--home", str(days[0].root))
    assert told.returncode == 2
    assert len(told.stderr.strip().splitlines()) == 1 and "holds a book already" in told.stderr
