"""From a line back to its rows: what each row of the files gives, and that the rows of an item sum to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.reserve.case_files import read_case
from engine.reserve.computation import Computation, Terms, compute
from engine.reserve.sources import source_rows
from engine.reserve.terms import Formula, Frequency, Method
from orchestration.cli import app
from tests.support.reserve_case import AS_OF, RICH, write

EXAMPLE = Path(__file__).resolve().parents[1] / "support" / "reserve_example"


def explained(
    folder: Path, formula: Formula = Formula.CUSTOMER
) -> tuple[Computation, list[tuple[int, str, int, str, int]]]:
    """A computation of a folder, and the rows behind its items."""
    case = read_case(folder, AS_OF)
    told = compute(case, Terms(AS_OF, Method.BASIC, Frequency.WEEKLY, formula))
    return told, source_rows(case, told).rows()


def sums(rows: list[tuple[int, str, int, str, int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for item, _, _, _, amount in rows:
        found[item] = found.get(item, 0) + amount
    return found


@pytest.mark.parametrize("formula", list(Formula))
def test_the_rows_of_the_example_sum_to_its_lines(formula: Formula) -> None:
    told, rows = explained(EXAMPLE, formula)
    assert sums(rows) == {item: amount for item, amount in told.lines.items() if amount and item != 16}


def test_rows_of_the_example() -> None:
    """Item 10: debits, a total, and what each note cut; Item 4: contract value and Note D in one row."""
    _, rows = explained(EXAMPLE)
    assert [row[1:] for row in rows if row[0] == 10] == [
        ("", 0, "E(1)", -264_000_00),
        ("", 0, "E(4)", -45_000_00),
        ("", 0, "E(5)", -100_000_00),
        ("accounts.csv", 4, "", 600_000_00),
        ("accounts.csv", 6, "", 45_000_00),
        ("other.csv", 4, "", 1_000_000_00),
    ]
    assert [row[1:] for row in rows if row[0] == 4] == [("locations.csv", 4, "", 200_000_00)]
    assert [row[1:] for row in rows if row[0] == 12] == [("claims.csv", 9, "", 39_200_00)]


def test_a_row_gives_in_proportion_to_what_it_is_reckoned_from(tmp_path: Path) -> None:
    """Two loans of a bank, 1,000 and 3,000, half of whose collateral is customers': 500 and 1,500."""
    write(
        tmp_path,
        RICH,
        claims="S,customer_margin,,100\nS,firm,,100",
        locations="S,bank_loan,,100,1000\nS,bank_loan,,100,3000",
        prices="S,50.00",
    )
    _, rows = explained(tmp_path)
    assert [row[2:] for row in rows] == [(2, "", 500_00), (3, "", 1_500_00)]


def test_identified_rows_keep_what_is_theirs(tmp_path: Path) -> None:
    """C's fail of 200 is C's; of the other fail of 300, a third is a customer's."""
    write(
        tmp_path,
        RICH,
        accounts="C,customer_cash",
        claims="S,customer_fully_paid,C,200\nS,customer_margin,,100\nS,firm,,200",
        locations="S,fail_to_receive,C,200,1800,2026-10-01\nS,fail_to_receive,,300,2400,2026-10-01",
        prices="S,10.00",
    )
    _, rows = explained(tmp_path)
    assert [row[2:] for row in rows] == [(2, "", 1_800_00), (3, "", 800_00)]


def test_an_omnibus_accounts_deficits_are_in_its_credit_and_a_cut_of_its_debit(tmp_path: Path) -> None:
    """Note E(2): of deficits of 50, 40 take A's debit and 10 are a credit; B's credit of 7 grows by 3."""
    write(
        tmp_path,
        RICH,
        accounts="A,customer_margin,,40,,,,50\nB,customer_margin,7,,,,,5,2",
        claims="S,customer_margin,A,1",
        locations="S,box,,1",
        prices="S,50.00",
    )
    told, rows = explained(tmp_path)
    assert rows == [
        (1, "accounts.csv", 2, "", 10_00),
        (1, "accounts.csv", 3, "", 10_00),
        (10, "", 0, "E(2)", -40_00),
        (10, "accounts.csv", 2, "", 40_00),
    ]
    assert (told.lines[1], told.lines[10]) == (20_00, 0)


def test_the_command_writes_them(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    asked = ["--as-of", "2026-10-02", "--method", "basic", "--frequency", "weekly", "--sources", str(out)]
    done = CliRunner().invoke(app, ["reserve", "compute", "--case", str(EXAMPLE), *asked])
    assert done.exit_code == 0, done.output
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["item,file,line,note,amount", "1,accounts.csv,2,,450000.00"]
    assert "10,,0,E(4),-45000.00" in lines
