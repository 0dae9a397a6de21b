"""What a computation says beside its amounts: notes that changed something, and inputs that are missing.

Owns: the two records and how many issues a sentence names. A missing input makes its item INDETERMINATE; it
is never taken for zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

NAMED = 5  # issues or accounts that a reason names before it counts the rest
REQUIREMENT = 16


class Note(NamedTuple):
    """A note that changed an amount, by how much and on what ground. The amount is in cents, signed."""

    note: str
    item: int
    amount_minor: int
    basis: str


class Gap(NamedTuple):
    """An input that is missing, and the item that is not known without it."""

    item: int
    reason: str


def named(names: Sequence[str]) -> str:
    """A few of the names, and how many more there are."""
    told = ", ".join(names[:NAMED])
    return told if len(names) <= NAMED else f"{told} and {len(names) - NAMED} more"
