"""The command that checks a filed reserve computation from its folder alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli_shared import exit_on, say, told_in_one_line


def verify_the_reserve(
    bundle: Annotated[Path, typer.Argument(help="Folder of a filed reserve computation.")],
    fingerprint: Annotated[
        str | None, typer.Option(help="The firm's key, as it told you by another way; any key if not given.")
    ] = None,
) -> None:
    """Verify a filed reserve computation offline: every byte, and every figure down to its source rows."""
    from orchestration.products.reserve.bundle import verify_bundle

    if not bundle.is_dir():
        raise typer.BadParameter(f"{bundle} is not a folder")
    with told_in_one_line():
        problems = verify_bundle(bundle, expected_fingerprint=fingerprint)
    if not problems:
        signer = "the key given" if fingerprint else "the key in the folder"
        say(f"{bundle}: signature of {signer}, digests, figures and source rows verify")
    exit_on(problems)
