"""The commands of the reserve. An outcome that is INDETERMINATE is printed, with exit code 1."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from engine.reserve.terms import Formula, Frequency, Method
from orchestration.cli_shared import HomeOption, exit_on, home_of, say, told_in_one_line

reserve = typer.Typer(help="The customer protection reserve, 17 CFR 240.15c3-3.", no_args_is_help=True)


@reserve.command("compute")
def compute(
    case: Annotated[Path, typer.Option("--case", help="Folder of the case's files; docs/reserve.md.")],
    as_of: Annotated[str, typer.Option("--as-of", help="Day as of whose close it is computed, 2026-10-02.")],
    method: Annotated[Method, typer.Option(help="How net capital is reckoned.")],
    frequency: Annotated[Frequency, typer.Option(help="How often the formula is computed.")],
    pab: Annotated[
        bool, typer.Option("--pab", help="The formula of PAB accounts, not of customers.")
    ] = False,
    sources: Annotated[
        Path | None, typer.Option(dir_okay=False, help="CSV file to write: the rows behind each item.")
    ] = None,
) -> None:
    """Compute the reserve of a folder of CSV files; print lines, notes, allocation and deposit as JSON."""
    from engine.reserve.case_files import read_case
    from engine.reserve.computation import Terms
    from engine.reserve.computation import compute as computed
    from engine.reserve.sources import write_sources
    from engine.reserve.statement import as_json, statement

    try:
        day = dt.date.fromisoformat(as_of)
    except ValueError:
        raise typer.BadParameter(f"{as_of!r} is not a date like 2026-10-02", param_hint="--as-of") from None
    formula = Formula.PAB if pab else Formula.CUSTOMER
    with told_in_one_line():
        read = read_case(case, day)
        outcome = computed(read, Terms(day, method, frequency, formula))
        say(as_json(statement(outcome)))
        if sources is not None:
            write_sources(read, outcome, sources)
    problems = [f"INDETERMINATE: {gap.reason}" for gap in outcome.gaps]
    exit_on([] if outcome.is_determinate else problems)


@reserve.command("live")
def live(
    home: HomeOption = None,
    at_sequence: Annotated[
        int | None, typer.Option("--at-sequence", min=1, help="As of this journal sequence, not of its end.")
    ] = None,
) -> None:
    """Fold the journal and print both formulas as of its end, and what moves them, as JSON in cents."""
    import json

    from engine.projections.reserve_view import folded
    from orchestration.warehouse.reserve_rules import reserve_rules

    with told_in_one_line():
        say(json.dumps(folded(home_of(home), reserve_rules(), at_sequence).figures(), indent=2))


PaymentOption = Annotated[int, typer.Option("--payment", min=1, help="The order's number.")]
OperatorOption = Annotated[int, typer.Option("--operator", min=1, help="Who decides; nobody else's number.")]


@reserve.command("approve")
def approve(payment: PaymentOption, operator: OperatorOption, home: HomeOption = None) -> None:
    """Approve a prepared reserve order as its checker: the money moves. Its maker is refused."""
    from engine.gateway.client import SocketClient
    from orchestration.products.reserve import orders

    with told_in_one_line(), SocketClient(home_of(home).socket) as client:
        orders.approve(client, payment, operator)
        say(f"order {payment} is approved by operator {operator}")


@reserve.command("reject")
def reject(payment: PaymentOption, operator: OperatorOption, home: HomeOption = None) -> None:
    """Take a prepared reserve order back, or refuse it; nothing moves."""
    from engine.gateway.client import SocketClient
    from orchestration.products.reserve import orders

    with told_in_one_line(), SocketClient(home_of(home).socket) as client:
        orders.reject(client, payment, operator)
        say(f"order {payment} is rejected by operator {operator}")


@reserve.command("standing")
def standing(
    home: HomeOption = None,
    at: Annotated[
        str | None,
        typer.Option("--at", help="Instant to look at, 2026-10-08T10:01 in New York; now if not given."),
    ] = None,
) -> None:
    """Tell frequency and why, the next deadline, orders that wait, instructions, notices that are due."""
    from engine.reserve.deadline import NEW_YORK
    from engine.segregation.standing import reserve_standing
    from orchestration.products.reserve.assets import asset_id_of
    from orchestration.products.reserve.notices import unfiled
    from orchestration.products.reserve.orders import reserve_records
    from orchestration.products.reserve.standing_text import standing_lines

    try:
        now = dt.datetime.fromisoformat(at) if at else dt.datetime.now(NEW_YORK)
    except ValueError:
        raise typer.BadParameter(
            f"{at!r} is not an instant like 2026-10-08T10:01", param_hint="--at"
        ) from None
    with told_in_one_line():
        place, zoned = home_of(home), now if now.tzinfo else now.replace(tzinfo=NEW_YORK)
        stands = reserve_standing(reserve_records(place), zoned)
        names = {due.name for due in unfiled(place, stands.notices)}
        for line in standing_lines(stands, names, asset_id_of(place, "USD")):
            say(line)


def bench_reserve(
    rows: Annotated[
        list[int] | None, typer.Option(min=100_000, help="Rows of the stock record; 1, 3 and 10 million.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same case.")] = 7,
    folder: Annotated[
        Path | None, typer.Option(file_okay=False, help="Where to write; the temporary folder if not given.")
    ] = None,
    accounts: Annotated[int, typer.Option(min=100, help="Accounts of the book that is live.")] = 20_000,
    issues: Annotated[int, typer.Option(min=10, help="Issues of the book that is live.")] = 2_000,
    passes: Annotated[int, typer.Option(min=1, help="Figures of the live book are medians of so many.")] = 3,
    live_only: Annotated[bool, typer.Option("--live-only", help="Measure the live book alone.")] = False,
) -> None:
    """Compute the reserve of a large case from its files, and keep it live from a journal's events."""
    import json

    from engine.benchmarks.reserve import measure
    from engine.benchmarks.reserve_live import measure_live

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    with told_in_one_line():
        sizes = rows or [1_000_000, 3_000_000, 10_000_000]
        report = {} if live_only else measure(folder, sizes, seed, tell)
        say(json.dumps(report | {"live": measure_live(accounts, issues, passes, seed, tell)}, indent=2))
