"""`onebook reserve compute` on the example case of docs/reserve.md, as a shell sees it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.reserve.statement import Money, as_json
from orchestration.cli import app

EXAMPLE = Path(__file__).resolve().parents[1] / "support" / "reserve_example"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "reserve.md"


def run(
    case: Path, *more: str, method: str = "alternative", frequency: str = "daily"
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    asked = ["reserve", "compute", "--case", str(case), "--as-of", "2026-10-02", "--method", method]
    done = CliRunner().invoke(app, [*asked, "--frequency", frequency, *more])
    return done.exit_code, done.stdout, done.stderr


def told(case: Path, *more: str) -> dict[str, Any]:
    code, out, _ = run(case, *more)
    assert code == 0, out
    return json.loads(out)


def test_the_example_line_by_line() -> None:
    """Every line of the worked example, as reckoned by hand in docs/reserve.md."""
    outcome = told(EXAMPLE)
    assert outcome["lines"] == {
        "1": 570_900.50, "2": 370_000.0, "3": 306_000.0, "4": 200_000.0, "5": 0.0, "6": 15_000.0,
        "7": 5_000.0, "8": 2_500.0, "9": 0.0, "10": 1_236_000.0, "11": 61_200.0, "12": 39_200.0,
        "13": 75_000.0, "14": 0.0, "15": 20_000.0, "16": 66_628.50,
    }  # fmt: skip
    assert (outcome["total_credits"], outcome["total_debits"]) == (1_469_400.50, 1_431_400.0)
    assert outcome["reduction"] == 28_628.0
    assert outcome["requirement"] == 66_628.50 and outcome["excess_debits"] == 0.0
    assert outcome["eligible_deposit"] == 60_000.0
    assert (outcome["order"], outcome["order_amount"]) == ("DEPOSIT", 6_628.50)
    assert outcome["deposit_due"] == 6_628.50
    assert outcome["deadline"] == "2026-10-06T10:00:00-04:00"
    assert [(n["note"], n["item"], n["amount"]) for n in outcome["notes"]] == [
        ("A", "1", 12_500.0),
        ("B", "2", 20_000.0),
        ("D", "4", 4_000.0),
        ("E(4)", "10", -45_000.0),
        ("E(1)", "10", -264_000.0),
        ("E(5)", "10", -100_000.0),
    ]
    assert outcome["indeterminate"] == []


def test_the_allocation_of_the_example_covers_every_unit() -> None:
    allocation = told(EXAMPLE)["allocation"]
    assert {issue: sum(p["quantity"] for p in pairs) for issue, pairs in allocation.items()} == {
        "ACME": 14_500,
        "BOLT": 13_000,
        "UST": 500,
    }
    assert allocation["BOLT"][2] == {
        "claim": "borrow",
        "location": "customer_short",
        "quantity": 1200,
        "line": "11",
        "formula": "customer",
        "value": 61_200.0,
        "basis": "contract value of the claim, pro rata",
    }


def test_the_pab_formula_of_the_example() -> None:
    """PAB Note 2: what the loans used is the customers'; the firm's short position is left for PAB."""
    outcome = told(EXAMPLE, "--pab")
    lines = {item: amount for item, amount in outcome["lines"].items() if amount}
    assert lines == {"1": 120_000.0, "5": 50_000.0, "16": 170_000.0}
    assert outcome["reduction"] == 0.0 and outcome["formula"] == "pab"


def test_control_deficits_of_the_example() -> None:
    """(d): C1's 2,000 and of M1's 10,000 the 5,600 over 140 % of its debit, against 4,000 in the box."""
    acme, ust = told(EXAMPLE)["control_deficits"]
    assert (acme["issue"], acme["required"], acme["in_control"], acme["deficit"]) == (
        "ACME",
        7_600,
        4_000,
        3_600,
    )
    due = {i["location"]: (i["instruct_by"], i["possession_by"]) for i in acme["instructions"]}
    assert due == {
        "bank_loan": ("2026-10-06", "2026-10-08"),
        "loan": ("2026-10-06", "2026-10-14"),
        "fail_to_receive": ("2026-10-06", None),
    }
    assert (ust["issue"], ust["deficit"]) == ("UST", 200)


def test_a_missing_price_holds_the_requirement_and_is_printed(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "prices.csv").write_text("issue,price\nBOLT,50.00\nUST,100.00\n", encoding="utf-8")
    code, out, err = run(tmp_path)
    outcome = json.loads(out)
    assert code == 1
    assert outcome["requirement"] == outcome["lines"]["3"] == outcome["lines"]["16"] == "INDETERMINATE"
    assert outcome["lines"]["1"] == 570_900.50
    assert {"item": "3", "reason": "issue ACME has no price"} in outcome["indeterminate"]
    assert "INDETERMINATE: issue ACME has no price" in err


def test_an_issue_that_does_not_balance_is_named_with_its_difference(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "locations.csv").read_text(encoding="utf-8")
    (tmp_path / "locations.csv").write_text(text.replace("box,,4000", "box,,3990"), encoding="utf-8")
    code, out, err = run(tmp_path)
    assert code == 1 and json.loads(out)["requirement"] == "INDETERMINATE"
    assert "issue ACME does not balance: claims exceed locations by 10" in err


@pytest.mark.parametrize("file", ["accounts.csv", "claims.csv", "locations.csv", "prices.csv", "firm.json"])
def test_a_missing_file_is_named_in_one_line(tmp_path: Path, file: str) -> None:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    (tmp_path / file).unlink()
    code, out, err = run(tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith(f"onebook: {file} is missing") and err.count("\n") == 1


def test_arguments_that_do_not_fit_are_refused() -> None:
    code, out, err = run(EXAMPLE, frequency="monthly")
    assert (code, out) == (2, "") and "not computed monthly under the alternative method" in err
    assert run(EXAMPLE, method="other")[0] == 2


def firm(folder: Path, **facts: Any) -> dict[str, Any]:
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    (folder / "firm.json").write_text(
        json.dumps({"tentative_net_capital": 2_000_000.00} | facts), encoding="utf-8"
    )
    return told(folder)


# (e)(3)(i)(B)(1): the mean of the 12 most recently filed month ends
@pytest.mark.parametrize(
    ("totals", "state", "average"),
    [
        ([500_000_000.00] * 12, "WEEKLY", 500_000_000.0),
        ([499_999_999.99] * 12, "WEEKLY", 499_999_999.99),
        ({f"2025-{m:02}": 500_000_000 for m in range(1, 13)}, "DAILY_REQUIRED", 500_000_000.0),
        (
            [
                {"month": f"2025-{m:02}", "customer_credits": 400_000_000, "pab_credits": 100_000_000}
                for m in range(1, 13)
            ],
            "DAILY_REQUIRED",
            500_000_000.0,
        ),
        ([600_000_000.00] * 11, "WEEKLY", None),
    ],
    ids=[
        "500 million in August 2026: six months' time",
        "a cent less",
        "by month",
        "both formulas",
        "eleven reports",
    ],
)
def test_the_required_frequency_is_told(
    tmp_path: Path, totals: Any, state: str, average: float | None
) -> None:
    found = firm(tmp_path, filed_month_end_totals=totals)["frequency_required"]
    assert (found["state"], found["average_total_credits"]) == (state, average)
    assert found["is_computed_often_enough"] is True


def test_a_firm_that_reached_the_threshold_is_told_by_when_it_must_be_daily(tmp_path: Path) -> None:
    """Bare totals end with the last month whose report is due: August 2026, filed by 24 September."""
    found = firm(tmp_path, filed_month_end_totals=[500_000_000.00] * 12)["frequency_required"]
    assert found["daily_by"] == "2027-02-28"


def test_a_gap_among_the_filed_months_is_told(tmp_path: Path) -> None:
    months = {f"2025-{m:02}": 1 for m in range(1, 13) if m != 6}
    found = firm(tmp_path, filed_month_end_totals=months)["frequency_required"]
    assert found["state"] == "INDETERMINATE" and "2025-06-30" in found["reason"]


def test_the_net_capital_minimum_is_told(tmp_path: Path) -> None:
    """15c3-1(a)(1)(ii): 2 % of aggregate debit items of both formulas, $250,000 at least."""
    outcome = firm(tmp_path, net_capital=3_000_000)
    assert outcome["aggregate_debit_items"] == 1_431_400.0
    assert outcome["net_capital_minimum"]["amount"] == 250_000.0


def test_amounts_are_written_from_their_digits() -> None:
    text = as_json(
        {"a": Money(1), "b": Money(-105_000_00), "c": [Money(9_007_199_254_740_993)], "d": 'x"y', "e": {}}
    )
    assert '"a": 0.01' in text and "-105000.00" in text and "90071992547409.93" in text
    assert json.loads(text)["d"] == 'x"y' and json.loads(text)["e"] == {}


def test_the_page_tells_the_example_as_it_is() -> None:
    page = DOCS.read_text(encoding="utf-8")
    outcome = told(EXAMPLE)
    for item, amount in outcome["lines"].items():
        assert f"| {item} |" in page and f"{amount:,.2f}" in page, item
    assert f"{outcome['requirement']:,.2f}" in page and f"{outcome['order_amount']:,.2f}" in page
