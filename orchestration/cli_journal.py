"""The commands that look at a journal, and the one that repairs it. Damage is told, with exit code 1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import BadInput, JournalError
from orchestration.cli_shared import HomeOption, exit_on, home_of, say, told_in_one_line

if TYPE_CHECKING:
    from engine.journal.figures import Figures
    from engine.journal.verify import JournalReport

journal = typer.Typer(help="Look into the journal; repair it from another copy.", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


def verify_the_journal(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Verify checksums, chain, terms, sequences, times and mark of the journal, and its snapshots."""
    from engine.journal.verify import verify_journal

    with told_in_one_line():
        report = verify_journal(_folder(home), home_of(home).snapshots)
        say(json.dumps(report._asdict()) if as_json else _verified(report))
    exit_on(report.problems)


@journal.command("stat")
def stat(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Tell how many segments, frames and rows, of which records, how large, from when to when."""
    from engine.journal.figures import journal_figures

    with told_in_one_line():
        figures = journal_figures(_folder(home))
        say(_as_json(figures) if as_json else _as_text(figures))
    exit_on([figures.problem] if figures.problem else [])


@journal.command("dump")
def dump(
    home: HomeOption = None,
    first: Annotated[int, typer.Option("--from", min=1, help="First sequence.")] = 1,
    last: Annotated[
        int | None, typer.Option("--to", min=1, help="Last sequence; the end if not given.")
    ] = None,
    name: Annotated[str | None, typer.Option("--type", help="One record only, by class or table.")] = None,
    frames: Annotated[bool, typer.Option("--frames", help="A line a frame instead of a row.")] = False,
) -> None:
    """Print the journal as JSON, a line a row, in the order in which things were decided."""
    from engine.journal import dump as lines

    if frames and name is not None:
        raise typer.BadParameter("--type names rows; it does not go with --frames")
    problem = ""
    with told_in_one_line():
        folder = _folder(home)
        until = lines.END if last is None else last
        only = None if name is None else lines.record_named(name)
        told: Iterator[str] = (
            lines.frame_lines(folder, first, until) if frames else lines.row_lines(folder, first, until, only)
        )
        count = 0
        try:
            for line in told:
                typer.echo(line)
                count += 1
        except JournalError as error:
            problem = f"after {count} lines: {error}"
    exit_on([problem] if problem else [])


@journal.command("export")
def export(
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Folder to write to.")],
    home: HomeOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV instead of Parquet.")] = False,
) -> None:
    """Write the journal as files, one a record type; files of an earlier export are replaced."""
    from engine.journal.export import export_journal

    with told_in_one_line():
        told = export_journal(_folder(home), out, as_csv=as_csv)
        for file, rows in sorted(told.rows.items()):
            say(f"{rows:12,} rows  {file}")
        say(f"{told.frames:,} frames to sequence {told.last_sequence:,} in {out}")
    exit_on([told.problem] if told.problem else [])


@journal.command("repair")
def repair(
    other: Annotated[Path, typer.Option("--from", exists=True, help="Another home, or a backup.")],
    home: HomeOption = None,
) -> None:
    """Replace damaged segments by those of another copy of the same history; nothing is deleted."""
    from engine.backup.repair import repair_journal
    from engine.journal.verify import verify_journal

    with told_in_one_line():
        place = home_of(home)
        repaired = repair_journal(place, other)
        for name, changed, proof in repaired.segments:
            say(f"{name}: made whole, {changed:,} bytes differ; {proof}")
        say(
            f"the damaged segments lie in {repaired.set_aside}" if repaired.set_aside else "nothing to repair"
        )
        report = verify_journal(place.journal, place.snapshots)
        say(_verified(report))
    exit_on(report.problems)


def _folder(home: Path | None) -> Path:
    place = home_of(home)
    if not place.journal.exists():
        raise BadInput(f"{place.root} holds no journal")
    return place.journal


def _verified(report: JournalReport) -> str:
    return (
        f"{report.frames:,} frames, {report.records:,} records, sequences {report.first_sequence:,} to "
        f"{report.last_sequence:,}, {report.segments} segments, {report.snapshots} snapshots, chain head "
        f"{report.chain_head}"
    )


def _as_json(figures: Figures) -> str:
    told: dict[str, Any] = figures._asdict()
    told["records"] = [r._asdict() for r in figures.records]
    return json.dumps(told)


def _as_text(figures: Figures) -> str:
    from orchestration.products.papers import instant_text

    f = figures
    mark = "none" if f.durable_mark is None else f"{f.durable_mark:,}"
    terms = ", ".join(f"{term} from frame {frame:,}" for term, frame in f.terms.items())
    lines = [
        f"segments     {f.segments:,}, {f.segment_file_bytes:,} bytes of files",
        f"frames       {f.frames:,}, {f.frame_bytes:,} bytes; "
        f"p50 {f.frame_bytes_p50:,}, p99 {f.frame_bytes_p99:,}",
        f"rows         {f.rows:,}, sequences {f.first_sequence:,} to {f.last_sequence:,}",
        f"instants     {instant_text(f.first_at_ns)} to {instant_text(f.last_at_ns)}",
        f"terms        {terms or 'none'}",
        f"durable mark {mark}; the last whole frame is {f.end_index:,}",
        f"chain head   {f.chain_head or 'none'}",
        "",
        *(f"{r.rows:12,} rows {r.row_bytes:14,} bytes  {r.record}" for r in f.records),
    ]
    return "\n".join(lines).rstrip()
