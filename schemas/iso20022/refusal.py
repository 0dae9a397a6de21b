"""The one way in which a message is refused, outgoing or incoming."""

from __future__ import annotations


class BadMessage(ValueError):
    """A message that cannot be written or trusted; the text is one line and says where and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(" ".join(reason.split()))
