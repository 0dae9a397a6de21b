"""What may be taken off an open item of one asset.

Owns the one rule of all of them: it is open, and no more goes than is.
"""

from __future__ import annotations

from engine.ledger.open_items import OpenItem
from schemas.codes import RejectReason


def why_not_close(item: OpenItem | None, units: int) -> RejectReason:
    """NONE, or why so much of it cannot be closed."""
    if item is None:
        return RejectReason.UNKNOWN_REFERENCE
    if item.is_closed:
        return RejectReason.WRONG_STATE
    return RejectReason.NONE if 0 < units <= item.open_units else RejectReason.BAD_AMOUNT
