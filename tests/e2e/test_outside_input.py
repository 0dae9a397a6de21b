"""Real input: NASDAQ order flow as a day, and bank statements as banks send them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import Home
from engine.projections.lake import read_table
from schemas.external import BankBalance, BankStatementLine, FiledReserve, IngestedFile, QuarantinedFile
from schemas.market import Fill, OrderAccepted
from tests.e2e.test_business_day import onebook
from tests.support.shared import SHARED

LOBSTER = SHARED / "data" / "lobster" / "AAPL_2012-06-21_message_10_first1000.csv"
STATEMENTS = SHARED / "iso20022" / "samples" / "bank_statements"


def test_real_order_flow_goes_through_everything(tmp_path: Path) -> None:
    home = Home(tmp_path / "book")
    told = onebook("replay", "--home", str(home.root), "--lobster", str(LOBSTER))
    assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-4000:]
    assert "replaying AAPL_2012-06-21_message_10_first1000.csv as 2012-06-21" in told.stdout
    assert "0 breaks found" in told.stdout
    rows = [line.split(",") for line in LOBSTER.read_text().splitlines()]
    placed = {int(row[2]) for row in rows if row[1] == "1"}
    executed = [row for row in rows if row[1] == "4" and int(row[2]) in placed]
    accepted = set(read_table(home, OrderAccepted)["client_order_id"].to_list())
    assert placed <= accepted
    assert read_table(home, Fill)["quantity_lots"].sum() == sum(int(row[3]) for row in executed)
    assert len(read_table(home, FiledReserve)) == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", "", "empty"),
        ("AAPL_2012-06-21_x.csv", "34200.1,1,5,10,5853350,1\n", "x.csv:1"),
        ("AAPL_2012-06-21_y.csv", "34200.1,1,5,10,5853300,1\nnonsense\n", "y.csv:2"),
        ("nameless.csv", "34200.1,1,5,10,5853300,1\n", "--date"),
    ],
)
def test_a_bad_flow_file_is_one_line(tmp_path: Path, name: str, content: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    told = onebook("replay", "--home", str(tmp_path / "book"), "--lobster", str(path))
    assert told.returncode == 2
    assert len(told.stderr.strip().splitlines()) == 1 and words in told.stderr, told.stderr


def test_real_statements_are_read_or_quarantined_with_a_reason(tmp_path: Path) -> None:
    home = Home(tmp_path / "book")
    files = sorted(STATEMENTS.glob("*.xml"))
    told = onebook("ingest", "--home", str(home.root), *map(str, files))
    lines = told.stdout.strip().splitlines()
    assert told.returncode == 1  # some are wrong on purpose
    assert len(lines) == len(files) == 26
    good, bad = read_table(home, IngestedFile), read_table(home, QuarantinedFile)
    assert (len(good), len(bad)) == (23, 3)
    rows = len(read_table(home, BankStatementLine)) + len(read_table(home, BankBalance))
    assert good["row_count"].sum() == rows > 50
    for row in bad.to_dicts():
        assert any(row["file_name"] in line and row["reason"] in line for line in lines)
        assert (home.root / row["kept_path"]).read_bytes() == (STATEMENTS / row["file_name"]).read_bytes()
    again = onebook("ingest", "--home", str(home.root), *map(str, files))
    assert again.stdout.count("already") == len(good) and again.returncode == 1
    assert len(read_table(home, IngestedFile)) == 23


def test_what_is_no_file_is_told_in_one_line(tmp_path: Path) -> None:
    told = onebook("ingest", "--home", str(tmp_path / "book"), str(tmp_path / "nothing.xml"))
    assert told.returncode == 2
    assert len(told.stderr.strip().splitlines()) == 1 and "nothing.xml" in told.stderr
