"""The commands of margin: what it comes to and why, and the scenario sets that it is computed from."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from engine.config import Home
from engine.errors import BadInput
from orchestration.cli_shared import HomeOption, home_of, say, told_in_one_line
from schemas.codes import RejectReason

_COMMANDS_A_LINE = 1_000

risk = typer.Typer(help="What margin is computed from.", no_args_is_help=True)
scenarios = typer.Typer(help="Scenario sets: shocks of every risk factor.", no_args_is_help=True)
risk.add_typer(scenarios, name="scenarios")
margin = typer.Typer(help="What an account must have, and why.", no_args_is_help=True)


@scenarios.command("build")
def build_scenarios(
    prices: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="CSV or Parquet: a date, then a column of prices for each factor.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(dir_okay=False, help="The set: .parquet, .csv or .json.")] = Path(
        "scenarios.parquet"
    ),
    profile: Annotated[
        Literal["full", "small"], typer.Option(help="384 + 64 + 64 scenarios, or 192 + 32 + 32.")
    ] = "full",
    horizon: Annotated[
        list[str] | None,
        typer.Option(
            help="Days to close a position: 2, or of one factor BTC=5; again for more. 1 if not given."
        ),
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="A factor's group where its name does not tell: QALD=equity.")
    ] = None,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="The made-up set of the simulated day instead; no prices.")
    ] = False,
) -> None:
    """Build a scenario set from prices: filtered history, named stress days, moves by group."""
    from engine.risk.model.price_history import read_prices
    from engine.risk.model.scenario_build import build_set
    from engine.risk.model.scenario_set import write_set
    from engine.risk.model.synthetic_set import synthetic_set

    if (prices is None) != synthetic:
        raise typer.BadParameter("give --prices FILE, or --synthetic for the set that needs none")
    with told_in_one_line():
        if prices is None:
            made, notes = synthetic_set(profile), ("SYNTHETIC: no figure in it was observed",)
        else:
            days, by_factor = _horizons(horizon or [])
            made, notes = build_set(
                read_prices(prices), profile, days, by_factor, dict(_pair(text) for text in group or [])
            )
        write_set(made, out)
        for note in notes:
            typer.echo(note, err=True)
        told = ", ".join(f"{g.size} {g.name} (tail {g.tail})" for g in made.groups())
        say(f"{out}: {len(made.scenarios)} scenarios of {len(made.factors)} factors: {told}")


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise typer.BadParameter(f"{text!r} is not like QALD=equity")
    return name, value


def _horizons(texts: list[str]) -> tuple[float, dict[str, float]]:
    """Days for all factors, and for those that are named."""
    days, by_factor = 1.0, dict[str, float]()
    for text in texts:
        name, value = _pair(text) if "=" in text else ("", text)
        try:
            found = float(value)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is not a number of days, nor like BTC=5") from None
        if name:
            by_factor[name] = found
        else:
            days = found
    return days, by_factor


@margin.callback()
def _group() -> None:
    """What an account must have, and why."""


@margin.command("explain")
def explain_margin(
    case: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A portfolio as JSON; docs/margin.md has every key."),
    ] = None,
    account: Annotated[int | None, typer.Option(min=1, help="An account of the book instead.")] = None,
    order: Annotated[
        str | None, typer.Option(help="With --account: one order more, SYMBOL:LOTS; negative lots sell.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Explain a margin line by line: risk, add-ons, contributions, liquidation prices, one more order."""
    if (case is None) == (account is None) or (order is not None and account is None):
        raise typer.BadParameter("give --case FILE, or --account NUMBER and with it perhaps --order")
    from engine.risk.model.json_text import json_text

    with told_in_one_line():
        if case is not None:
            from engine.risk.model.case import read_case
            from engine.risk.model.explain import explain

            say(json_text(explain(read_case(case))))
        else:
            say(json_text(_of_account(home_of(home), account or 0, order)))


def _of_account(home: Home, account_id: int, order: str | None) -> dict[str, Any]:
    """The explanation of an account as the journal leaves it."""
    from engine.replay import recover
    from engine.risk.account_explanation import explain_account, explain_order, instrument_of

    state = recover(home).state
    if state is None:
        raise BadInput("the journal is empty")
    told = explain_account(state, account_id)
    if order is not None:
        symbol, _, lots = order.partition(":")
        if not lots.removeprefix("-").removeprefix("+").isdigit():
            raise BadInput(f"{order!r} is not like BTCUSD:-5")
        told["what_if"] = explain_order(state, account_id, instrument_of(state, symbol), int(lots))
    return told


@scenarios.command("load")
def load_scenarios(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A set that was built.")],
    home: HomeOption = None,
    operator: Annotated[int, typer.Option(min=1, help="Who puts it in force.")] = 1,
) -> None:
    """Put a scenario set in force: send it to the running engine, which journals it."""
    from engine.gateway.client import SocketClient
    from engine.replay import recover
    from engine.risk.loading import commands_of
    from engine.risk.model.scenario_set import read_set
    from engine.risk.option_vectors import all_vectors
    from schemas.market import CommandRefused

    place = home_of(home)
    with told_in_one_line():
        made = read_set(file)
        state = recover(place).state
        if state is None:
            raise BadInput("the journal is empty")
        set_id = max(state.risk.active.set_id, state.risk.draft.set_id) + 1
        valued = partial(all_vectors, state, at_ns=0)
        commands = list(commands_of(made, set_id, state.risk.factors, operator, 0, valued))
        with SocketClient(place.socket) as client:
            for first in range(0, len(commands), _COMMANDS_A_LINE):
                receipt = client.submit(commands[first : first + _COMMANDS_A_LINE])
                for event in receipt.events:
                    if isinstance(event, CommandRefused):
                        reason = RejectReason(event.reject_reason_code).name
                        raise BadInput(f"the engine refuses command {event.cause_sequence}: {reason}")
        say(f"set {set_id} is in force: {len(made.scenarios)} scenarios of {len(made.factors)} factors")
