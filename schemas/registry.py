"""Import every domain, so that `RECORDS` is whole."""

from __future__ import annotations

from schemas import (
    external,
    financing,
    identity,
    incidents,
    ledger,
    market,
    matching,
    payments,
    reserve,
    risk,
    safekeeping,
    settlement,
)
from schemas.record import RECORDS, RecordType

DOMAINS = (
    market,
    matching,
    identity,
    risk,
    ledger,
    payments,
    reserve,
    financing,
    safekeeping,
    settlement,
    incidents,
    external,
)


def by_type_code(type_code: int) -> RecordType:
    """The journaled record of a type code. Raises KeyError when there is none."""
    return _BY_TYPE_CODE[type_code]


_BY_TYPE_CODE = {r.type_code: r for r in RECORDS.values() if r.type_code}
