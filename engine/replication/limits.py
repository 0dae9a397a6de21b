"""How long each side waits, and how much may be on its way."""

from __future__ import annotations

from typing import NamedTuple

_MS = 1_000_000


class Limits(NamedTuple):
    """Spans in nanoseconds of a clock that only moves on."""

    primary_silence_ns: int  # a standby that is silent or makes no progress for so long is given up
    standby_silence_ns: int  # a primary that is silent for so long is lost
    pulse_ns: int  # each side speaks at least so often
    resend_ns: int  # frames without an answer for so long are sent again
    rest_ns: int  # a standby that was given up as too slow is not waited for again before
    window_bytes: int  # frames on their way to a standby that is catching up

    @classmethod
    def of_silence(cls, silence_ns: int) -> Limits:
        """Limits that follow from how long a primary may be silent.

        A primary gives its standby up a little earlier than it would be given up itself: when only the way
        between the two is broken, it goes on alone and nobody takes over.
        """
        return cls(silence_ns * 3 // 4, silence_ns, silence_ns // 8, silence_ns // 4, silence_ns * 5, 4 << 20)


LIMITS = Limits.of_silence(1_000 * _MS)
