"""Which faults a seed allows, and how often each comes.

Every seed draws its own few kinds (the others never happen in it), so that each kind also meets a run that is
quiet otherwise. A plan can be stilled: then nothing more goes wrong, and all that is owed must come.
"""

from __future__ import annotations

import random

DISK_CALLS = {  # chance at each call that changes the disk
    "kill at a call": 0.002,
    "power cut at a call": 0.003,
    "power cut in a sync": 0.015,
    "write cut short by a kill": 0.008,
    "EIO on write": 0.002,
    "EIO on sync": 0.008,
}
MESSAGES = {  # chance of each message
    "message dropped": 0.04,
    "message duplicated": 0.06,
    "message delayed": 0.10,
}
EVENTS = {  # chance of each turn of the world, a few milliseconds long
    "kill": 0.01,
    "power cut": 0.015,
    "power cut of both": 0.01,
    "process paused": 0.02,
    "clock set forward": 0.02,
    "clock set back": 0.03,
    "second engine": 0.02,
    "link broken": 0.02,
    "disk full": 0.02,
    "bit flip": 0.03,
    "misdirected write": 0.02,
    "stray copy": 0.05,
    "write-back": 0.30,
}
ALL = {**DISK_CALLS, **MESSAGES, **EVENTS}
_USUAL = ("write-back",)
_ENDING = (
    *DISK_CALLS,
    "kill",
    "power cut",
    "power cut of both",
    "bit flip",
    "misdirected write",
)  # each costs a start or two
_MOST_ENDS = 12
_MOST = 0.3  # what happens more often leaves nothing else to happen


class FaultPlan:
    """The chances of one seed: many kinds now and then, or two or three kinds again and again."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        if draw.random() < 0.5:
            share = draw.choice([0.25, 0.5, 0.75])
            chosen = {kind: draw.choice([0.5, 1.0, 2.0]) for kind in ALL if draw.random() < share}
        else:
            chosen = {kind: 6.0 for kind in draw.sample(sorted(ALL), draw.choice([2, 3]))}
        chosen.update(dict.fromkeys(_USUAL, 1.0))
        self._chances = {kind: min(ALL[kind] * times, _MOST) for kind, times in chosen.items()}
        self.is_still = False
        self._ends_left = _MOST_ENDS

    def strikes(self, kind: str) -> bool:
        """Whether a fault of this kind happens here."""
        chance = 0.0 if self.is_still else self._chances.get(kind, 0.0)
        if chance == 0.0 or self._draw.random() >= chance:
            return False
        if kind in _ENDING:
            self._ends_left -= 1
            return self._ends_left >= 0
        return True

    def __str__(self) -> str:
        """The kinds that may happen."""
        return ", ".join(sorted(self._chances.keys() - set(_USUAL))) or "none"
