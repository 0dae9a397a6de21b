"""The back-test of the margin model as a paper, once a month.

Owns: the paper's content, form and place. Does not own: observations (series.py) or the test (kupiec.py).
"""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from engine.config import Home
from orchestration.products import pages
from orchestration.products.margin.assets import REPORTED
from orchestration.products.margin.book import lake_keys
from orchestration.products.margin.chart import backtest_svg
from orchestration.products.margin.kupiec import LEAST_OBSERVATIONS, LEVEL, SIGNIFICANCE, Verdict
from orchestration.products.margin.series import TOGETHER, WINDOW_DAYS, Outcome, Series, observe, outcomes
from orchestration.products.papers import money_text, readable_json, write_whole
from schemas.days import date_of

KEY = dg.AssetKey(["products", "margin_backtest"])
FORMAT_VERSION = 1

Paper = dict[str, Any]
_COLUMNS = (
    "Account", "Days", "Exceptions", "Expected", "Coverage", "p", "Shortfall said", "realised",
    "Beyond margin", "Verdict",
)  # fmt: skip


@dg.asset(
    key=KEY,
    deps=[["products", "margin_recomputation"], *REPORTED, *lake_keys(), ["lake", "business_days"]],
    group_name="products",
    kinds={"json", "html", "svg"},
    owners=["team:risk"],
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=35)),
    description="Whether losses exceeded the model's forecasts as often as the model says.",
)
def margin_backtest(home: dg.ResourceParam[Home]) -> dg.MaterializeResult:
    """Back-test the model over the reports of the last year."""
    series = observe(home)
    if not series.last_report_day:
        return dg.MaterializeResult(metadata={"verdict": "nothing was ever reported"})
    paper = make_paper(series)
    path = write_paper(home, series, paper)
    found = paper["portfolios"]
    rejected = [a["account_id"] for a in found if a["verdict"] == Verdict.REJECTED]
    metadata: dict[str, Any] = {
        "verdict": paper["verdict"],
        "observed_days": paper["observed_days"],
        "exceptions": sum(a["exceptions"] for a in found if a["account_id"] == TOGETHER),
        "accounts_rejected": ", ".join(map(str, rejected)) or "none",
        "paper": dg.MetadataValue.path(str(path.with_suffix(".html"))),
    }
    if (picture := path.with_suffix(".svg")).exists():
        encoded = b64encode(picture.read_bytes()).decode()
        metadata["plot"] = dg.MetadataValue.md(f"![back-test](data:image/svg+xml;base64,{encoded})")
    return dg.MaterializeResult(metadata=metadata)


def paper_path(home: Home, month: str) -> Path:
    """Where the paper of a month (YYYY-MM) lies; its HTML and picture lie beside it."""
    return home.root / "margin" / "backtest" / month / "backtest.json"


def make_paper(series: Series) -> Paper:
    """What the observations come to; all accounts as one portfolio stand for the book."""
    found = outcomes(series.observations)
    book = next((o for o in found if o.account_id == TOGETHER), None)
    days = {o.business_epoch_day for o in series.observations}
    return {
        "format_version": FORMAT_VERSION,
        "month": f"{date_of(series.last_report_day):%Y-%m}",
        "first_date": str(date_of(min(days))) if days else "",
        "last_date": str(date_of(max(days))) if days else "",
        "level": f"{LEVEL:.2f}",
        "significance": f"{SIGNIFICANCE:.2f}",
        "window_days": WINDOW_DAYS,
        "least_observations": LEAST_OBSERVATIONS,
        "observed_days": len(days),
        "unreported_days": series.unreported_days,
        "unmodelled_days": series.unmodelled_days,
        "verdict": str(book.verdict if book else Verdict.TOO_FEW),
        "portfolios": [_told(o) for o in found],
    }


def write_paper(home: Home, series: Series, paper: Paper) -> Path:
    """Write the paper of a month as JSON, HTML and, where there is anything to draw, a picture."""
    path = paper_path(home, paper["month"])
    seen = [o for o in series.observations if o.account_id == TOGETHER]
    picture = backtest_svg(f"Back-test of margin, {paper['month']}", seen) if seen else ""
    write_whole(path, readable_json(paper))
    write_whole(path.with_suffix(".html"), paper_html(paper, picture))
    if picture:
        write_whole(path.with_suffix(".svg"), picture.encode())
    return path


def paper_html(paper: Paper, picture: str) -> bytes:
    """The paper for people."""
    rows = [
        (
            "all together" if a["account_id"] == TOGETHER else str(a["account_id"]),
            str(a["observations"]), str(a["exceptions"]), a["expected"], a["coverage"], a["p_value"],
            money_text(a["predicted_minor"]), money_text(a["realised_minor"]), str(a["breaches"]),
            a["verdict"],
        )
        for a in paper["portfolios"]
    ]  # fmt: skip
    return pages.page(
        f"Back-test of margin, {paper['month']}",
        f"{paper['observed_days']} business days; the model at {paper['level']}: {paper['verdict']}.",
        picture or "<p>No day was observed: nothing is drawn.</p>",
        pages.table(
            "Portfolios",
            _COLUMNS,
            rows,
            numbers=range(1, 9),
        ),
        pages.facts(
            "How",
            (
                ("Test", "Kupiec (1995), proportion of failures, chi-square with one degree of freedom"),
                ("Window", f"{paper['window_days']} business days, {paper['first_date']} to"
                 f" {paper['last_date']}"),
                ("Fewest days for a verdict", str(paper["least_observations"])),
                ("Days without a report", str(paper["unreported_days"])),
                ("Days without enough scenarios", str(paper["unmodelled_days"])),
            ),
        ),
    )  # fmt: skip


def _told(o: Outcome) -> dict[str, Any]:
    """An outcome without floats: a paper's bytes are the same wherever it is made."""
    seen, p = o.observations, o.p_value
    return {
        "account_id": o.account_id,
        "observations": seen,
        "exceptions": o.exceptions,
        "expected": f"{seen * (1 - LEVEL):.2f}",
        "coverage": f"{1 - o.exceptions / seen:.4f}" if seen else "",
        "p_value": f"{p:.4f}" if p is not None else "",
        "predicted_minor": o.predicted_minor,
        "realised_minor": o.realised_minor,
        "breaches": o.breaches,
        "verdict": str(o.verdict),
    }
