"""Bugs to plant, by name: each a small change of the product's own code, undone when the block ends."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

BUGS: dict[str, Callable[[], AbstractContextManager[object]]] = {}


@contextmanager
def plant(name: str) -> Generator[None]:
    """Have a bug while the block runs."""
    with BUGS[name]():
        yield
