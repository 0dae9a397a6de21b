"""The reserve's benchmark measures what it says: a case that balances, computed to its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.benchmarks import reserve as bench
from engine.benchmarks.reserve_live import RULES, DrawnBook, measure_live
from engine.projections.reserve_view import ReserveView
from engine.reserve.case_files import read_case
from engine.reserve.computation import compute
from engine.reserve.terms import Formula


def test_a_drawn_case_balances_and_gives_a_requirement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "ISSUES", 20)
    assert bench.write_case(tmp_path, 3_000, seed=7) == 300
    case = read_case(tmp_path, bench.AS_OF)
    assert len(case.claims) + len(case.locations) == 3_000
    outcome = compute(case, bench.TERMS)
    assert outcome.gaps == []
    assert outcome.requirement_minor is not None
    touched = [item for item, amount in outcome.lines.items() if amount]
    assert touched == [*range(1, 13), 16], "all that rows of a stock record can give"


def test_the_same_seed_is_the_same_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "ISSUES", 20)
    digests: list[dict[str, str]] = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        (tmp_path / name).mkdir()
        bench.write_case(tmp_path / name, 1_000, seed)
        digests.append(read_case(tmp_path / name, bench.AS_OF).digests)
    assert digests[0] == digests[1] != digests[2]


def test_a_run_tells_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "ISSUES", 20)
    report = bench.measure(tmp_path, [1_000], 7, lambda _: None)
    (size,) = report["sizes"]
    assert size["rows"] == 1_000 and size["accounts"] == 100
    assert size["seconds"] > 0 and size["scan_and_group_seconds"] > 0 and size["peak_mib"] > 10
    assert float(size["requirement"]) > 0
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_a_drawn_book_is_followed_and_has_what_a_book_has() -> None:
    book = DrawnBook(accounts=300, issues=20, seed=7)
    view = ReserveView(RULES)
    for frame in (*book.opening(), *book.events(640), book.settled(), book.mark(), book.financed()):
        view.fold(frame)
    view.update()
    figure = view.figure(Formula.CUSTOMER)
    assert figure.gaps == []
    assert [item for item, amount in figure.lines.items() if amount] == [1, 2, 3, 4, 5, 10]


def test_the_live_report_tells_its_figures() -> None:
    report = measure_live(300, 20, 1, 7, lambda _: None)
    assert (report["accounts"], report["issues"], report["passes"]) == (300, 20, 1)
    assert all(figure > 0 for figure in report.values())
    assert report["fold_us_per_event"] < report["entry_update_us"]
