"""The lake made again from the journal, where a table is damaged or lost.

Owns setting the journal's tables aside and writing them anew. Does not own the tables of records from
outside, which no journal holds: they stay, and what was lost of them is read again from the archive.
"""

from __future__ import annotations

from pathlib import Path

from engine.config import Home
from engine.errors import BadInput
from engine.journal.mark import read_mark
from engine.projections.lake import BATCH_LOG, WATERMARKS, LakeWriter
from engine.projections.sync import locked, sync_folder
from schemas.record import journaled


def rebuild_lake(home: Home) -> Path:
    """Set aside what the lake holds of the journal and write it anew; returns where the former tables are.

    Raises BadInput when there is no journal to rebuild from, LakeError when a writer is at work. A rebuild
    that was cut off is done again from its beginning.
    """
    if read_mark(home.journal) is None:
        raise BadInput(f"{home.journal}: no journal to rebuild the lake from")
    aside = _set_aside(home)
    with LakeWriter(home) as writer:
        writer.catch_up()
    return aside


def _set_aside(home: Home) -> Path:
    lake = home.lake
    with locked(lake / "_locks" / "writer", wait=False):
        number = len(list(lake.glob("_aside_*"))) + 1
        aside = lake / f"_aside_{number}"
        aside.mkdir()
        # The batch log goes last: until then the writer refuses what is left.
        for name in (*(record.table for record in journaled()), WATERMARKS.table, BATCH_LOG):
            if (lake / name).exists():
                (lake / name).rename(aside / name)
        sync_folder(aside)
        sync_folder(lake)
    return aside
