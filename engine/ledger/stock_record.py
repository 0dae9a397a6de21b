"""The stock record: for each asset, who is owed it and where it is. Both sides are always equal.

Owns the two-sided view of the balances. Does not own the balances.
Source: 17 CFR 240.17a-3(a)(5).
"""

from __future__ import annotations

from typing import NamedTuple

from engine.errors import InvariantBroken
from engine.ledger.balances import Balances
from engine.ledger.chart import LOCATION_KINDS, OWNER_KINDS
from schemas.codes import LedgerAccountKind


class StockLine(NamedTuple):
    """One ledger account that is not zero in the asset."""

    kind: LedgerAccountKind
    party_id: int
    units: int  # credit on the owner side, debit on the location side


class StockRecord(NamedTuple):
    """One asset, both sides, by kind and party."""

    asset_id: int
    owners: tuple[StockLine, ...]
    locations: tuple[StockLine, ...]

    @property
    def owned_units(self) -> int:
        """What the firm owes to all owners together."""
        return sum(line.units for line in self.owners)

    @property
    def located_units(self) -> int:
        """What lies in all locations together."""
        return sum(line.units for line in self.locations)


def stock_record(balances: Balances, asset_id: int) -> StockRecord:
    """Both sides of one asset, from the balances."""
    owners = tuple(_lines(balances, asset_id, OWNER_KINDS, -1))
    locations = tuple(_lines(balances, asset_id, LOCATION_KINDS, 1))
    return StockRecord(asset_id, owners, locations)


def check_stock_record(balances: Balances) -> None:
    """Raise InvariantBroken when the two sides of an asset differ, naming it and both totals."""
    for asset_id in range(1, balances.amounts.shape[1]):
        record = stock_record(balances, asset_id)
        owned, located = record.owned_units, record.located_units
        if owned != located:
            raise InvariantBroken(f"asset {asset_id}: {owned} units owned, {located} located")


def _lines(
    balances: Balances, asset_id: int, kinds: tuple[LedgerAccountKind, ...], sign: int
) -> list[StockLine]:
    lines: list[StockLine] = []
    for kind in kinds:
        column = balances.rows_of(kind)[:, asset_id]
        for party_id in column.nonzero()[0].tolist():
            lines.append(StockLine(kind, party_id, sign * int(column[party_id])))
    return lines
