"""Requirement against deposit over time, as SVG: what was filed last for each day of one formula.

Owns: the drawing. Does not own: the figures, which are those of the filings.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from engine.config import Home
from engine.reserve.filing import formula_of
from engine.reserve.terms import Formula
from orchestration.lake.tables import lake_rows
from orchestration.products.papers import money_text
from schemas.days import date_of
from schemas.external import FiledReserve

DAYS_TOLD = 60
_WIDTH, _HEIGHT, _LEFT, _EDGE = 860, 300, 130, 26
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
            if former is None or _version(filed) > _version(former):
                last[filed.as_of_epoch_day] = filed
    days = [DayFiled(day, f.requirement_minor, f.deposit_minor) for day, f in sorted(last.items())]
    return days[-DAYS_TOLD:]


def requirement_svg(title: str, days: Sequence[DayFiled]) -> str:
    """A bar a day of what was on deposit, red where less than required, under a line of the requirement."""
    top = max((max(d.required_minor, d.held_minor) for d in days), default=0)
    step = (_WIDTH - _LEFT - _EDGE) / max(len(days), 1)

    def y(minor: int) -> float:
        return round(_HEIGHT - _EDGE - minor * (_HEIGHT - 2 * _EDGE) / max(top, 1), 1)

    def x(n: int) -> float:
        return round(_LEFT + n * step, 1)

    bars = [
        f'<rect x="{x(n)}" y="{y(d.held_minor)}" width="{max(round(step * 0.7, 1), 0.5)}" '
        f'height="{round(y(0) - y(d.held_minor), 1)}" '
        f'fill="{_SHORT if d.held_minor < d.required_minor else _HELD}"/>'
        for n, d in enumerate(days)
    ]
    points = " ".join(
        f"{x(n)},{y(d.required_minor)} {x(n + 1)},{y(d.required_minor)}" for n, d in enumerate(days)
    )
    scale = [
        f'<text x="{_LEFT - 8}" y="{y(v) + 4}" text-anchor="end">{escape(money_text(v))}</text>'
        for v in sorted({0, top})
    ]
    ends = [
        f'<text x="{place}" y="{_HEIGHT - 10}" text-anchor="{anchor}">{date_of(day.epoch_day)}</text>'
        for place, anchor, day in (
            ((_LEFT, "start", days[0]), (_WIDTH - _EDGE, "end", days[-1])) if days else ()
        )
    ]
    keys = [
        f'<rect x="{_LEFT + n * 190}" y="4" width="10" height="10" fill="{colour}"/>'
        f'<text x="{_LEFT + n * 190 + 15}" y="13">{name}</text>'
        for n, (name, colour) in enumerate(
            (("required", _REQUIRED), ("on deposit before", _HELD), ("less than required", _SHORT))
        )
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
            f'height="{_HEIGHT}" font-family="system-ui, sans-serif" font-size="11" role="img">',
            f'<title>{escape(title)}</title><rect width="100%" height="100%" fill="white"/>',
            f'<line x1="{_LEFT}" y1="{y(0)}" x2="{_WIDTH - _EDGE}" y2="{y(0)}" stroke="#99a"/>',
            *bars,
            f'<polyline fill="none" stroke="{_REQUIRED}" stroke-width="2" points="{points}"/>',
            *scale, *ends, *keys,
            "</svg>",
        ]
    )  # fmt: skip


def _version(filed: FiledReserve) -> int:
    return int(filed.filing_reference.rsplit("-", 1)[1])
