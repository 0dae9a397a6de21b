"""A printable page: one HTML file without scripts, links or anything fetched.

Owns how statements look. Does not own what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; color: #1b2430; max-width: 60rem; margin: 2.5rem auto;
  padding: 0 1.5rem }
h1 { font-size: 1.4rem; margin-bottom: .2rem } h2 { font-size: 1rem; margin: 2rem 0 .4rem }
p.lead { color: #566; margin-top: 0 }
table { border-collapse: collapse; width: 100% }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #dde }
th { text-align: left; color: #566; font-weight: 600 } td.number, th.number { text-align: right }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap } tr.total td { font-weight: 700 }
code { font-size: .85em; overflow-wrap: anywhere }
""".strip()


def page(title: str, lead: str, *sections: str) -> bytes:
    """A whole page."""
    body = "\n".join(sections)
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n<h1>{escape(title)}</h1>\n"
        f'<p class="lead">{escape(lead)}</p>\n{body}\n</html>\n'
    ).encode()


def table(
    heading: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
    totals: Sequence[int] = (),
) -> str:
    """A table; `numbers` are columns set to the right, `totals` rows set in bold, both by position."""
    if not rows:
        return f"<h2>{escape(heading)}</h2>\n<p>None.</p>"

    def cell(tag: str, position: int, text: str) -> str:
        kind = ' class="number"' if position in numbers else ""
        return f"<{tag}{kind}>{escape(text)}</{tag}>"

    head = "".join(cell("th", i, c) for i, c in enumerate(columns))
    lines = [
        ('<tr class="total">' if n in totals else "<tr>")
        + "".join(cell("td", i, c) for i, c in enumerate(row))
        + "</tr>"
        for n, row in enumerate(rows)
    ]
    return f"<h2>{escape(heading)}</h2>\n<table>\n<tr>{head}</tr>\n" + "\n".join(lines) + "\n</table>"


def facts(heading: str, pairs: Sequence[tuple[str, str]]) -> str:
    """A table of names and values."""
    lines = "\n".join(
        f"<tr><th>{escape(name)}</th><td><code>{escape(value)}</code></td></tr>" for name, value in pairs
    )
    return f"<h2>{escape(heading)}</h2>\n<table>\n{lines}\n</table>"
