"""The commands that take, verify and restore backups."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli_shared import HomeOption, exit_on, home_of, say, told_in_one_line
from orchestration.settings import PlatformSettings

if TYPE_CHECKING:
    from engine.backup.restore import Restored
    from engine.backup.take import Taken

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


def backup(
    home: HomeOption = None,
    to: Annotated[Path | None, typer.Option("--to", file_okay=False, help="Backup folder.")] = None,
    verify: Annotated[
        Path | None, typer.Option("--verify", exists=True, file_okay=False, help="Verify a backup instead.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Back up journal and snapshots while the engine runs, or verify a backup."""
    if (to is None) == (verify is None):
        raise typer.BadParameter("give --to FOLDER to take a backup, or --verify FOLDER to verify one")
    if verify is not None:
        _verify(verify, as_json)
        return
    assert to is not None
    from engine.backup.take import take_backup
    from engine.clock import WallClock

    with told_in_one_line():
        with_private = PlatformSettings().backup_private
        taken = take_backup(home_of(home), to, WallClock(), with_private=with_private)
        say(json.dumps(_taken(taken)) if as_json else _taken_text(to, taken))


def restore(
    folder: Annotated[Path, typer.Option("--from", exists=True, file_okay=False, help="Backup folder.")],
    home: Annotated[Path, typer.Option("--home", file_okay=False, help="An empty or absent folder.")],
    to_sequence: Annotated[
        int | None, typer.Option("--to-sequence", min=1, help="Nothing behind this sequence.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Decide again from the first frame, not from the newest snapshot.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Restore a backup into an empty home; verify every byte and decide the journal again."""
    from engine.backup.restore import restore as restore_backup
    from engine.kernel_cache import was_cold
    from orchestration.day import mark_home

    with told_in_one_line():
        if was_cold():
            typer.echo("compiling the kernels of these sources, once", err=True)
        place = home_of(home)
        restored = restore_backup(folder, place, to_sequence=to_sequence, is_full=full)
        mark_home(place)
        say(json.dumps(restored_as_dict(restored)) if as_json else _restored_text(place.root, restored))


def restored_as_dict(restored: Restored) -> dict[str, Any]:
    """What a restore came to, for JSON."""
    decided = restored.decided
    return {
        "frames": restored.frames,
        "recovery_point_sequence": restored.last_sequence,
        "is_whole": restored.is_whole,
        "chain_head": restored.chain_head,
        "state_hash": decided.state.hash().hex(),
        "decided_from_frame": decided.from_frame,
        "frames_decided_again": decided.replayed_count,
        "state_hashes_compared": decided.compared_count,
        "has_private": restored.has_private,
        "seconds": restored.seconds,
        "recovery_seconds": round(sum(restored.seconds.values()), 3),
    }


def _verify(folder: Path, as_json: bool) -> None:
    from engine.backup.check import verify_backup

    with told_in_one_line():
        report = verify_backup(folder)
        manifest = report.manifest
        if as_json:
            told = {
                "frames": report.frames,
                "snapshots": report.snapshots,
                "last_sequence": manifest.last_sequence if manifest else 0,
                "chain_head": manifest.chain_head if manifest else "",
                "made_at_ns": manifest.made_at_ns if manifest else 0,
                "problems": report.problems,
            }
            say(json.dumps(told))
        elif manifest is not None:
            say(
                f"{len(manifest.files)} files, {report.frames:,} frames to sequence "
                f"{manifest.last_sequence:,}, {report.snapshots} snapshots, chain head {manifest.chain_head}"
            )
    exit_on(report.problems)


def _taken(taken: Taken) -> dict[str, Any]:
    manifest = taken.manifest
    return {
        "frames": manifest.last_frame,
        "last_sequence": manifest.last_sequence,
        "chain_head": manifest.chain_head,
        "made_at_ns": manifest.made_at_ns,
        "has_private": manifest.has_private,
        "files_copied": taken.copied_count,
        "bytes_copied": taken.copied_bytes,
        "files_kept": taken.kept_count,
    }


def _taken_text(to: Path, taken: Taken) -> str:
    manifest = taken.manifest
    private = "are in it: guard it like them" if manifest.has_private else "are not in it"
    return (
        f"{to}: {manifest.last_frame:,} frames to sequence {manifest.last_sequence:,}; "
        f"{taken.copied_count} files copied ({taken.copied_bytes:,} bytes), {taken.kept_count} were there\n"
        f"chain head {manifest.chain_head}\n"
        f"keys and vault {private}"
    )


def _restored_text(root: Path, restored: Restored) -> str:
    told = restored_as_dict(restored)
    steps = ", ".join(f"{step} {seconds:.3f} s" for step, seconds in restored.seconds.items())
    begin = restored.decided.from_frame
    begun = f"the snapshot of frame {begin:,}" if begin else "the first frame"
    return "\n".join(
        (
            f"{root}: {restored.frames:,} frames to sequence {restored.last_sequence:,}",
            f"decided again from {begun}: "
            f"{told['frames_decided_again']:,} frames, {told['state_hashes_compared']} state hashes equal",
            f"chain head {restored.chain_head}",
            f"state hash {told['state_hash']}",
            f"{steps}; {told['recovery_seconds']:.3f} s in all",
            f"keys and vault {'are back' if restored.has_private else 'were not in the backup'}; "
            "the lake is made by `onebook serve lake`",
        )
    )
