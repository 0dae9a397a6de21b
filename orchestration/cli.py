"""The `onebook` command. Thin: parse, call one function, print. Bad input is one line and exit code 2."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand

from engine.config import EngineSettings, Home
from orchestration import cli_backup, cli_journal, cli_reserve, cli_reserve_verify, cli_risk
from orchestration.cli_shared import HomeOption, told_in_one_line
from orchestration.cli_shared import exit_on as _exit_on
from orchestration.cli_shared import home_of as _home
from orchestration.cli_shared import say as _say

app = typer.Typer(
    help="One book of record for a multi-asset broker.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
verify = typer.Typer(help="Check what cannot be argued with.", no_args_is_help=True)
serve = typer.Typer(help="One process of a running book; `onebook run` starts them all.")
bench = typer.Typer(help="Measure; never a test.", no_args_is_help=True)
app.add_typer(verify, name="verify")
app.add_typer(serve, name="serve")
app.add_typer(bench, name="bench")
app.add_typer(cli_journal.journal, name="journal")
app.add_typer(cli_risk.margin, name="margin")
app.add_typer(cli_risk.risk, name="risk")
app.add_typer(cli_reserve.reserve, name="reserve")
verify.command("journal")(cli_journal.verify_the_journal)
verify.command("reserve")(cli_reserve_verify.verify_the_reserve)
app.command("backup")(cli_backup.backup)
app.command("restore")(cli_backup.restore)

FenceOption = Annotated[
    Path | None,
    typer.Option(
        "--fence", help="Folder that says who reigns, shared with a standby; ENGINE_FENCE if not given."
    ),
]
DAY = "2026-10-06"


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date like 2026-10-06") from None


@app.command()
def day(
    home: HomeOption = None,
    seed: Annotated[int, typer.Option(help="Same seed, same day.")] = 7,
    date: Annotated[str, typer.Option(help="The business day to play.")] = DAY,
    scale: Annotated[float, typer.Option(help="How many times the usual number of orders.")] = 1.0,
    fresh: Annotated[bool, typer.Option(help="Empty the home first.")] = False,
    serve_after: Annotated[bool, typer.Option("--serve", help="Leave the book and its UI running.")] = False,
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
) -> None:
    """Play one simulated business day, materialize every product, sum up."""
    from orchestration.day import fresh_home, simulate_day

    place = _home(home)
    with told_in_one_line():
        if fresh:
            fresh_home(place)
        outcome = simulate_day(place, seed=seed, business_date=_date(date), scale=scale, tell=_say)
        _finish(outcome)
        if serve_after:
            _run(place, port)
    if not outcome.is_success:
        raise typer.Exit(1)


def _finish(outcome: Any) -> None:
    _say("")
    _say(outcome.figures.text())
    for check in outcome.result.failed_checks():
        _say(
            f"  {'FAILED' if check.is_error else 'warning'}: {check.asset} {check.name}: {check.details}"[
                :400
            ]
        )
    for step in outcome.result.steps:
        if step.outcome != "SUCCESS":
            _say(f"  {step.outcome}: {step.name} {step.reason}")


def _run(home: Home, port: int, fence: Path | None = None) -> None:
    from orchestration.running import run_book

    code = run_book(home, port, _say, fence)
    if code:
        raise typer.Exit(code)


@app.command()
def run(
    home: HomeOption = None,
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    fence: FenceOption = None,
) -> None:
    """Run engine, lake writer, live view, Dagster webserver and daemon until Ctrl-C."""
    with told_in_one_line():
        _run(_home(home), port, fence)


@app.command()
def replay(
    home: HomeOption = None,
    lobster: Annotated[Path | None, typer.Option(help="A LOBSTER message file to run as a day.")] = None,
    date: Annotated[str | None, typer.Option(help="Its business day, if its name does not tell.")] = None,
    fresh: Annotated[bool, typer.Option(help="Empty the home first; with --lobster.")] = False,
    book_out: Annotated[
        Path | None, typer.Option(help="Rebuild the venue's book instead: depth after each row; no home.")
    ] = None,
    levels: Annotated[int, typer.Option(min=1, max=1_000, help="How deep; with --book-out.")] = 10,
    book_in: Annotated[
        Path | None, typer.Option(help="Order-book file to begin with; found beside if not given.")
    ] = None,
) -> None:
    """Decide the whole journal again and require identical bytes; or run a LOBSTER file as a day."""
    if (book_out is not None and lobster is None) or (book_in is not None and book_out is None):
        raise typer.BadParameter("--book-in goes with --book-out, and --book-out with --lobster")
    for file in (lobster, book_in):
        if file is not None and not file.is_file():
            raise typer.BadParameter(f"{file} is not a file")
    with told_in_one_line():
        if lobster is None:
            _say(_replayed(_home(home)))
            return
        if book_out is not None:
            _say(_rebuilt(lobster, book_out, levels, book_in))
            return
        from orchestration.day import fresh_home, replay_lobster

        place = _home(home)
        if fresh:
            fresh_home(place)
        outcome = replay_lobster(place, lobster, trade_date=_date(date) if date else None, tell=_say)
        _finish(outcome)
    if not outcome.is_success:
        raise typer.Exit(1)


def _rebuilt(path: Path, out: Path, levels: int, book: Path | None) -> str:
    from engine.gateway.lobster_book import fresh_engine, rebuild_book
    from engine.kernel_cache import was_cold

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    if was_cold():
        tell("compiling the kernels of these sources, once")
    counts = rebuild_book(path, out, levels, fresh_engine(), book, tell)
    return f"{counts.row_count:,} rows in {out}\n{counts.text()}"


def _replayed(home: Home) -> str:
    from engine.replay import recover

    again = recover(home, use_snapshot=False)
    if again.state is None:
        return "the journal is empty"
    return (
        f"{again.frame_count:,} frames decided again to sequence {again.state.sequence:,}, "
        f"byte for byte; state hash {again.state.hash().hex()}"
    )


@app.command()
def ingest(
    files: Annotated[list[Path], typer.Argument(help="Bank, custody or clearing house files.")],
    home: HomeOption = None,
) -> None:
    """Read files from outside into the lake; what cannot be read is quarantined with its reason."""
    from engine.clock import WallClock
    from orchestration.day import mark_home
    from orchestration.lake.ingest import Result, ingest_file

    place, clock, refused = _home(home), WallClock(), 0
    with told_in_one_line():
        mark_home(place)
        for path in files:
            outcome = ingest_file(place, path, clock.now_ns())
            refused += outcome.result is Result.QUARANTINED
            _say(_told(outcome))
    if refused:
        raise typer.Exit(1)


def _told(outcome: Any) -> str:
    told = f"{outcome.file_name}: {outcome.result.value}"
    rows = f", {outcome.row_count} rows" if outcome.row_count else ""
    return f"{told}{rows}: {outcome.reason}" if outcome.reason else f"{told}{rows}"


@verify.command("evidence")
def verify_the_evidence(
    bundle: Annotated[Path, typer.Argument(help="Folder of an evidence bundle.")],
) -> None:
    """Verify an incident's evidence bundle from its folder alone."""
    from orchestration.products.incidents.verify import verify_bundle

    if not bundle.is_dir():
        raise typer.BadParameter(f"{bundle} is not a folder")
    with told_in_one_line():
        problems = verify_bundle(bundle)
    if not problems:
        _say(f"{bundle}: signature, digests and clocks verify")
    _exit_on(problems)


@app.command()
def status(home: HomeOption = None) -> None:
    """Tell where journal and lake stand, whether the engine answers, and which files wait."""
    from orchestration.running import book_status

    with told_in_one_line():
        for label, value in book_status(_home(home)):
            _say(f"{label:14} {value}")


@serve.command("engine")
def serve_engine(home: HomeOption = None, fence: FenceOption = None) -> None:
    """Decide what clients ask for over the home's socket; with a fence, mirror it to a standby."""
    from engine import processes
    from engine.logs import log_to_stderr

    log_to_stderr()
    with told_in_one_line():
        processes.serve_engine(_home(home), _settings(fence))


@serve.command("standby")
def serve_standby(
    primary: Annotated[Path, typer.Option(help="Home of the engine to follow.")],
    home: HomeOption = None,
    fence: FenceOption = None,
) -> None:
    """Follow an engine's journal with a copy of its own, and take over when it is lost."""
    from engine import processes
    from engine.logs import log_to_stderr

    log_to_stderr()
    with told_in_one_line():
        processes.serve_standby(_home(home), Home(primary), _settings(fence))


def _settings(fence: Path | None) -> EngineSettings:
    return EngineSettings() if fence is None else EngineSettings(fence=fence)


@serve.command("lake")
def serve_lake(home: HomeOption = None) -> None:
    """Bring the journal to the lake."""
    from engine import processes
    from engine.logs import log_to_stderr

    log_to_stderr()
    with told_in_one_line():
        processes.serve_lake(_home(home))


@serve.command("view")
def serve_view(home: HomeOption = None) -> None:
    """Keep the live view."""
    from engine import processes
    from engine.logs import log_to_stderr

    log_to_stderr()
    with told_in_one_line():
        processes.serve_view(_home(home))


@serve.command("reserve")
def serve_reserve(home: HomeOption = None) -> None:
    """Keep the live reserve."""
    from engine import processes
    from engine.logs import log_to_stderr
    from orchestration.warehouse.reserve_rules import reserve_rules

    log_to_stderr()
    with told_in_one_line():
        processes.serve_reserve(_home(home), reserve_rules())


@bench.command("propagation")
def bench_propagation(
    fills: Annotated[int, typer.Option(help="How many fills to follow to view and lake.")] = 100,
    products: Annotated[int, typer.Option(help="How many fills to follow to the product.")] = 3,
) -> None:
    """Send orders into a running system; tell how long until each fill shows where."""
    import json

    from orchestration.bench_propagation import measure

    with told_in_one_line():
        _say(json.dumps(measure(fills, products, _say), indent=2))


@bench.command("journal")
def bench_journal(
    passes: Annotated[int, typer.Option(min=1, help="Figures are medians of so many.")] = 5,
    folder: Annotated[
        Path | None, typer.Option(file_okay=False, help="Where to write; the disk that is measured.")
    ] = None,
) -> None:
    """Measure the journal: what a sync costs, writing beside a plain write, verifying."""
    import json
    import tempfile

    from engine.benchmarks.journal import measure

    with (
        told_in_one_line(),
        tempfile.TemporaryDirectory(prefix="onebook-bench-", dir=folder or Path()) as place,
    ):
        report = measure(Path(place), passes, lambda line: typer.echo(line, err=True))
        _say(json.dumps(report, indent=2))


@bench.command("pipeline")
def bench_pipeline(
    commands: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="A flow file; flow A, a million commands, if not given."
        ),
    ] = None,
    batch: Annotated[
        list[int] | None, typer.Option(help="Commands a frame; 1024 and 64 if not given.")
    ] = None,
    passes: Annotated[int, typer.Option(min=1, help="Passes of each; figures are medians.")] = 3,
    rate: Annotated[
        int, typer.Option(min=0, help="Commands a second offered to a process; 0 for none.")
    ] = 50_000,
    folder: Annotated[
        Path | None, typer.Option(file_okay=False, help="Where to write; the disk that is measured.")
    ] = None,
) -> None:
    """Measure the durable pipeline, from request bytes to answer bytes, and its journal's replay."""
    import json
    import tempfile

    from engine.simulation.order_flow import write_flow
    from orchestration.bench_book import read_flow
    from orchestration.bench_pipeline import measure

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    with (
        told_in_one_line(),
        tempfile.TemporaryDirectory(prefix="onebook-bench-", dir=folder or Path()) as place,
    ):
        if commands is None:
            commands = Path(place) / "flow.parquet"
            tell(write_flow(commands, "A", 1_000, 1, 1_000_000, 7).text())
        report = measure(read_flow(commands), Path(place), batch or [1_024, 64], passes, rate, tell)
        _say(json.dumps(report, indent=2))


@bench.command("margin")
def bench_margin(
    accounts: Annotated[int, typer.Option(min=1, help="Accounts that orders are tested for.")] = 2_000,
    many: Annotated[int, typer.Option(min=1, help="Accounts that are re-marked.")] = 100_000,
    passes: Annotated[int, typer.Option(min=1, help="Passes of each; figures are medians.")] = 5,
    commands: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A flow file to match; flow A if not given."),
    ] = None,
) -> None:
    """Measure margin: the test before an order, re-marking, matching with it on every order."""
    import json
    import tempfile

    from engine.simulation.order_flow import write_flow
    from orchestration.bench_book import read_flow
    from orchestration.bench_margin import measure

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    with told_in_one_line(), tempfile.TemporaryDirectory(prefix="onebook-bench-") as place:
        if commands is None:
            commands = Path(place) / "flow.parquet"
            tell(write_flow(commands, "A", 1_000, 1, 1_000_000, 7).text())
        _say(json.dumps(measure(accounts, many, read_flow(commands), passes, tell), indent=2))


@bench.command("lake")
def bench_lake(
    folder: Annotated[
        Path | None, typer.Option(help="Folder on the disk to measure; the temporary one if not given.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Runs of catching up.")] = 5,
    seconds: Annotated[float, typer.Option(min=1.0, help="How long to journal at a pace.")] = 20.0,
    rows: Annotated[int, typer.Option(min=1_000, help="The pace: rows a second.")] = 50_000,
) -> None:
    """Bring a journal to the lake: rows a second when behind, and milliseconds until a frame is readable."""
    import json

    from engine.benchmarks.lake import measure

    with told_in_one_line():
        report = measure(folder, runs, seconds, rows, lambda line: typer.echo(line, err=True))
        _say(json.dumps(report, indent=2))


@bench.command("flow")
def bench_flow(
    out: Annotated[Path, typer.Option(dir_okay=False, help="Parquet file to write.")],
    kind: Annotated[Literal["A", "B"], typer.Option(help="A: mostly moves. B: adds and cancels, like ITCH.")],
    resting: Annotated[int, typer.Option(min=1, help="Orders that rest, in total.")] = 1_000,
    instruments: Annotated[int, typer.Option(min=1, help="Instruments.")] = 1,
    commands: Annotated[int, typer.Option(min=1, help="Commands after the resting orders.")] = 3_000_000,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same commands.")] = 7,
) -> None:
    """Write a standard flow of matching commands: what rests first, then the commands to time."""
    from engine.kernel_cache import was_cold
    from engine.simulation.order_flow import write_flow

    with told_in_one_line():
        if was_cold():
            typer.echo("compiling the kernels of these sources, once", err=True)
        _say(write_flow(out, kind, resting, instruments, commands, seed).text())


bench.command("reserve")(cli_reserve.bench_reserve)


class _WithColumns(TyperCommand):
    """Ends its help with the columns of a command file, which are looked up only then."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from engine.benchmarks.command_file import columns_text

        self.epilog = columns_text()
        super().format_help(ctx, formatter)


@bench.command("matching", cls=_WithColumns)
def bench_matching(
    commands: Annotated[Path, typer.Option(help="Parquet file of commands; see below.")],
    batch: Annotated[int, typer.Option(min=1, help="Commands a call.")] = 4_096,
    passes: Annotated[int, typer.Option(min=1, help="Passes, each on fresh books.")] = 5,
    timed_from: Annotated[
        int | None, typer.Option(min=0, help="First command to time; as the file says, or 0, if not given.")
    ] = None,
    orders: Annotated[
        int | None, typer.Option(min=1, help="Room for so many orders; enough for the file if not given.")
    ] = None,
) -> None:
    """Run a file of commands through the matching engine; print rates, latencies and outcome as JSON."""
    import json

    from engine.benchmarks.matching import measure

    with told_in_one_line():
        report = measure(commands, batch, passes, timed_from, orders, lambda line: typer.echo(line, err=True))
        _say(json.dumps(report, indent=2))


if __name__ == "__main__":
    app()
