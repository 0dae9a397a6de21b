"""A back-test as a picture: a day's gain or loss against what the model said could be lost, as SVG.

Owns: the drawing. Does not own: the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from orchestration.products.margin.model import MILLICENTS
from orchestration.products.margin.series import Observation
from orchestration.products.papers import money_text

_WIDTH, _HEIGHT, _LEFT, _EDGE = 860, 300, 110, 26
_GAIN, _BEYOND, _AT_RISK, _SHORTFALL = "#5b7fa6", "#c0392b", "#1b2430", "#b58900"


def backtest_svg(title: str, seen: Sequence[Observation]) -> str:
    """One bar a day, red where the loss is an exception, over the two lines that the model drew before."""
    gains = [o.gain_minor for o in seen]
    lows = [-o.forecast.value_at_risk // MILLICENTS for o in seen]
    tails = [-o.forecast.shortfall // MILLICENTS for o in seen]
    top, bottom = max(0, *gains), min(0, *gains, *lows, *tails)
    span = max(top - bottom, 1)
    step = (_WIDTH - _LEFT - _EDGE) / max(len(seen), 1)

    def y(minor: int) -> float:
        return round(_EDGE + (top - minor) * (_HEIGHT - 2 * _EDGE) / span, 1)

    def x(n: int) -> float:
        return round(_LEFT + n * step, 1)

    bars = [
        f'<rect x="{x(n)}" y="{y(max(o.gain_minor, 0))}" width="{max(round(step * 0.7, 1), 0.5)}" '
        f'height="{max(round(abs(y(o.gain_minor) - y(0)), 1), 0.5)}" '
        f'fill="{_BEYOND if o.is_exception else _GAIN}"/>'
        for n, o in enumerate(seen)
    ]
    lines = [
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="'
        + " ".join(f"{x(n)},{y(v)} {x(n + 1)},{y(v)}" for n, v in enumerate(values))
        + '"/>'
        for colour, values in ((_AT_RISK, lows), (_SHORTFALL, tails))
    ]
    scale = [
        f'<text x="{_LEFT - 8}" y="{y(v) + 4}" text-anchor="end">{escape(money_text(v))}</text>'
        for v in sorted({top, 0, bottom})
    ]
    keys = [
        f'<rect x="{_LEFT + n * 190}" y="{_HEIGHT - 14}" width="10" height="10" fill="{colour}"/>'
        f'<text x="{_LEFT + n * 190 + 15}" y="{_HEIGHT - 5}">{name}</text>'
        for n, (name, colour) in enumerate(
            (
                ("gain or loss of the day", _GAIN),
                ("exception", _BEYOND),
                ("lost one day in a hundred", _AT_RISK),
                ("shortfall", _SHORTFALL),
            )
        )
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
            f'height="{_HEIGHT}" font-family="system-ui, sans-serif" font-size="11" role="img">',
            f'<title>{escape(title)}</title><rect width="100%" height="100%" fill="white"/>',
            f'<line x1="{_LEFT}" y1="{y(0)}" x2="{_WIDTH - _EDGE}" y2="{y(0)}" stroke="#99a"/>',
            *bars, *lines, *scale, *keys,
            "</svg>",
        ]
    )  # fmt: skip
