"""A plot of days as SVG: bars and steps over one axis, a scale of amounts, a key of colours.

Owns: the canvas, and how each part is written. Does not own: what is drawn, or where an amount lies on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from orchestration.products.papers import money_text

WIDTH, HEIGHT, EDGE = 860, 300, 26
_KEY_WIDTH = 190

Place = Callable[[int], float]


class Plot:
    """Days side by side, right of `left`; `y` says where an amount in cents lies."""

    def __init__(self, left: int, days: int, y: Place) -> None:
        """A plot without a day has its axis and nothing else."""
        self._left, self._y = left, y
        self._step = (WIDTH - left - EDGE) / max(days, 1)

    def x(self, n: int) -> float:
        """Where the n-th day begins."""
        return round(self._left + n * self._step, 1)

    def bar(self, n: int, top: float, height: float, colour: str) -> str:
        """A day's bar."""
        width = max(round(self._step * 0.7, 1), 0.5)
        return f'<rect x="{self.x(n)}" y="{top}" width="{width}" height="{height}" fill="{colour}"/>'

    def steps(self, amounts: Iterable[int], colour: str, width: str) -> str:
        """A line that holds each day's amount for the day."""
        points = " ".join(
            f"{self.x(n)},{self._y(v)} {self.x(n + 1)},{self._y(v)}" for n, v in enumerate(amounts)
        )
        return f'<polyline fill="none" stroke="{colour}" stroke-width="{width}" points="{points}"/>'

    def scale(self, amounts: Iterable[int]) -> list[str]:
        """Amounts beside the axis, each once."""
        told = {v: escape(money_text(v)) for v in sorted(set(amounts))}
        return [
            f'<text x="{self._left - 8}" y="{self._y(v) + 4}" text-anchor="end">{text}</text>'
            for v, text in told.items()
        ]

    def key(self, colours: Sequence[tuple[str, str]], top: int) -> list[str]:
        """What each colour stands for, side by side."""
        return [
            f'<rect x="{self._left + n * _KEY_WIDTH}" y="{top}" width="10" height="10" fill="{colour}"/>'
            f'<text x="{self._left + n * _KEY_WIDTH + 15}" y="{top + 9}">{name}</text>'
            for n, (name, colour) in enumerate(colours)
        ]

    def svg(self, title: str, parts: Iterable[str]) -> str:
        """The whole picture, parts over the axis in their order."""
        axis = self._y(0)
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
                f'height="{HEIGHT}" font-family="system-ui, sans-serif" font-size="11" role="img">',
                f'<title>{escape(title)}</title><rect width="100%" height="100%" fill="white"/>',
                f'<line x1="{self._left}" y1="{axis}" x2="{WIDTH - EDGE}" y2="{axis}" stroke="#99a"/>',
                *parts,
                "</svg>",
            ]
        )
