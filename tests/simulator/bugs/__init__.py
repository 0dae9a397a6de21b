"""Bugs to plant, by name: each a small change of the product's own code, undone when the block ends."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from tests.simulator.bugs import disk_bugs, engine_bugs, lake_bugs, recovery_bugs, standby_bugs
from tests.simulator.bugs.planting import Bug

BUGS: dict[str, Bug] = {
    **disk_bugs.BUGS,
    **recovery_bugs.BUGS,
    **engine_bugs.BUGS,
    **lake_bugs.BUGS,
    **standby_bugs.BUGS,
}


@contextmanager
def plant(name: str) -> Generator[None]:
    """Have a bug while the block runs."""
    with BUGS[name]():
        yield
