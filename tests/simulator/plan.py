"""Which faults a seed allows, and how often each comes.

Every seed draws its own few kinds (the others never happen in it), so that each kind also meets a run that is
quiet otherwise. A plan can be stilled: then nothing more goes wrong, and all that is owed must come.
"""

from __future__ import annotations

import random

DISK_CALLS = {  # chance at each call that changes the disk
    "kill at a call": 0.006,
    "power cut at a call": 0.006,
    "write cut short by a kill": 0.02,
    "EIO on write": 0.006,
    "EIO on sync": 0.015,
}
MESSAGES = {  # chance of each message
    "message dropped": 0.08,
    "message duplicated": 0.08,
    "message delayed": 0.15,
}
EVENTS = {  # chance of each turn of the world, a few milliseconds long
    "kill": 0.03,
    "power cut": 0.03,
    "process paused": 0.04,
    "clock set forward": 0.03,
    "clock set back": 0.05,
    "disk full": 0.04,
    "bit flip": 0.10,
    "misdirected write": 0.06,
    "stray copy": 0.10,
    "write-back": 0.30,
}
ALL = {**DISK_CALLS, **MESSAGES, **EVENTS}
_USUAL = ("write-back",)


class FaultPlan:
    """The chances of one seed."""

    def __init__(self, draw: random.Random, *, kinds: tuple[str, ...] = tuple(ALL)) -> None:
        share = draw.choice([0.25, 0.5, 0.75])
        self._draw = draw
        self._chances = {
            kind: ALL[kind] * draw.choice([0.5, 1.0, 2.0])
            for kind in ALL
            if (draw.random() < share or kind in _USUAL) and kind in kinds
        }
        self.is_still = False

    def strikes(self, kind: str) -> bool:
        """Whether a fault of this kind happens here."""
        chance = 0.0 if self.is_still else self._chances.get(kind, 0.0)
        return chance > 0 and self._draw.random() < chance

    def __str__(self) -> str:
        """The kinds that may happen."""
        return ", ".join(sorted(self._chances.keys() - set(_USUAL))) or "none"
