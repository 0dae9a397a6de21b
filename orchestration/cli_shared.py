"""What the commands share: the home option, and how an end is told. No command lives here."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from engine.config import Home
from engine.errors import InvariantBroken, PlatformError
from orchestration.settings import home_from_environment

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of the book; ONEBOOK_HOME or .onebook if not given.")
]


@contextmanager
def told_in_one_line() -> Generator[None]:
    """End with one line where the outside world failed, and with another code where we did."""
    try:
        yield
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except (PlatformError, RuntimeError, OSError) as error:
        typer.echo(f"onebook: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(2) from None
    except InvariantBroken as error:
        typer.echo(f"onebook: INVARIANT BROKEN: {error}", err=True)
        raise typer.Exit(3) from None


def home_of(given: Path | None) -> Home:
    """The home that was given, or that of the environment."""
    return home_from_environment() if given is None else Home(given)


def say(line: str) -> None:
    """Print a line at once."""
    typer.echo(line)
    sys.stdout.flush()


def exit_on(problems: Iterable[str]) -> None:
    """Tell each problem; exit with code 1 when there is one."""
    found = list(problems)
    for problem in found:
        typer.echo(f"onebook: {problem}", err=True)
    if found:
        raise typer.Exit(1)
