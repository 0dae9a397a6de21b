"""The margin product: recomputed to the last unit, whatever the model; a changed figure is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.products.margin import checks
from orchestration.products.margin.assets import write_record
from orchestration.products.margin.record import account_problems, figure_problems, held_problems
from tests.support.margin_book import MarginBook


@pytest.mark.parametrize("seed", range(4))
def test_every_figure_is_the_engines(tmp_path: Path, seed: int) -> None:
    with MarginBook(tmp_path, seed) as book:
        if seed:
            book.model(unmodelled=(2,) if seed == 1 else ()).parameters()
        book.trade().mark().settle().trade(20).report()
        record = write_record(book.lake())
    assert record is not None
    assert figure_problems(record) == []
    assert held_problems(record) == []
    assert account_problems(record) == []
    import json; print(json.dumps(record["accounts"], indent=0)[:3000])
