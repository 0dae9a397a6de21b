"""Requirement against deposit over time, as SVG: what was filed last for each day of one formula.

Owns: what is drawn. Does not own: the figures, which are those of the filings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.config import Home
from engine.reserve.filing import formula_of, version_of
from engine.reserve.terms import Formula
from orchestration.lake.tables import lake_rows
from orchestration.products.plot import EDGE, HEIGHT, WIDTH, Plot
from schemas.days import date_of
from schemas.external import FiledReserve

DAYS_TOLD = 60
_LEFT = 130
_REQUIRED, _HELD, _SHORT = "#1b2430", "#5b7fa6", "#c0392b"


class DayFiled(NamedTuple):
    """What was last filed for a day: what was required, and what counted on deposit before the order."""

    epoch_day: int
    required_minor: int
    held_minor: int


def history_of(home: Home, formula: Formula) -> list[DayFiled]:
    """The last filing of each of the latest days, in order."""
    last: dict[int, FiledReserve] = {}
    for filed in lake_rows(home, FiledReserve):
        if formula_of(filed.filing_reference) is formula:
            former = last.get(filed.as_of_epoch_day)
            if former is None or version_of(filed.filing_reference) > version_of(former.filing_reference):
                last[filed.as_of_epoch_day] = filed
    days = [DayFiled(day, f.requirement_minor, f.deposit_minor) for day, f in sorted(last.items())]
    return days[-DAYS_TOLD:]


def requirement_svg(title: str, days: Sequence[DayFiled]) -> str:
    """A bar a day of what was on deposit, red where less than required, under a line of the requirement."""
    top = max((max(d.required_minor, d.held_minor) for d in days), default=0)

    def y(minor: int) -> float:
        return round(HEIGHT - EDGE - minor * (HEIGHT - 2 * EDGE) / max(top, 1), 1)

    plot = Plot(_LEFT, len(days), y)
    bars = [
        plot.bar(
            n,
            y(d.held_minor),
            round(y(0) - y(d.held_minor), 1),
            _SHORT if d.held_minor < d.required_minor else _HELD,
        )
        for n, d in enumerate(days)
    ]
    ends = [
        f'<text x="{place}" y="{HEIGHT - 10}" text-anchor="{anchor}">{date_of(day.epoch_day)}</text>'
        for place, anchor, day in (
            ((_LEFT, "start", days[0]), (WIDTH - EDGE, "end", days[-1])) if days else ()
        )
    ]
    keys = (("required", _REQUIRED), ("on deposit before", _HELD), ("less than required", _SHORT))
    required = plot.steps((d.required_minor for d in days), _REQUIRED, "2")
    return plot.svg(title, [*bars, required, *plot.scale((0, top)), *ends, *plot.key(keys, 4)])
