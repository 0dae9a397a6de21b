"""A back-test as a picture: a day's gain or loss against what the model said could be lost, as SVG.

Owns: what is drawn. Does not own: the figures.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestration.products.margin.model import MILLICENTS
from orchestration.products.margin.series import Observation
from orchestration.products.plot import EDGE, HEIGHT, Plot

_LEFT = 110
_GAIN, _BEYOND, _AT_RISK, _SHORTFALL = "#5b7fa6", "#c0392b", "#1b2430", "#b58900"


def backtest_svg(title: str, seen: Sequence[Observation]) -> str:
    """One bar a day, red where the loss is an exception, over the two lines that the model drew before."""
    gains = [o.gain_minor for o in seen]
    lows = [-o.forecast.value_at_risk // MILLICENTS for o in seen]
    tails = [-o.forecast.shortfall // MILLICENTS for o in seen]
    top, bottom = max(0, *gains), min(0, *gains, *lows, *tails)
    span = max(top - bottom, 1)

    def y(minor: int) -> float:
        return round(EDGE + (top - minor) * (HEIGHT - 2 * EDGE) / span, 1)

    plot = Plot(_LEFT, len(seen), y)
    bars = [
        plot.bar(
            n,
            y(max(o.gain_minor, 0)),
            max(round(abs(y(o.gain_minor) - y(0)), 1), 0.5),
            _BEYOND if o.is_exception else _GAIN,
        )
        for n, o in enumerate(seen)
    ]
    lines = [plot.steps(lows, _AT_RISK, "1.5"), plot.steps(tails, _SHORTFALL, "1.5")]
    keys = (
        ("gain or loss of the day", _GAIN),
        ("exception", _BEYOND),
        ("lost one day in a hundred", _AT_RISK),
        ("shortfall", _SHORTFALL),
    )
    parts = [*bars, *lines, *plot.scale((top, 0, bottom)), *plot.key(keys, HEIGHT - 14)]
    return plot.svg(title, parts)
