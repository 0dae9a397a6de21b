"""The commands of margin: what it comes to and why, and the scenario sets that it is computed from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli_shared import say, told_in_one_line

margin = typer.Typer(help="What an account must have, and why.", no_args_is_help=True)


@margin.callback()
def _group() -> None:
    """What an account must have, and why."""


@margin.command("explain")
def explain_margin(
    case: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="A portfolio as JSON; docs/margin.md has every key."),
    ],
) -> None:
    """Explain a margin line by line: risk, add-ons, contributions, liquidation prices, one more order."""
    from engine.risk.model.case import read_case
    from engine.risk.model.explain import explain
    from engine.risk.model.json_text import json_text

    with told_in_one_line():
        say(json_text(explain(read_case(case))))
