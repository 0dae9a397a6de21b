"""The balances of every ledger account in every asset: the fold of all postings.

Owns the amounts. Does not own which money moves: `postings.py` and `posting_kernel.py` say that.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.errors import InvariantBroken
from engine.ledger.chart import party_count, row_count, row_offsets
from schemas.codes import LedgerAccountKind

LIMIT = 1 << 62
"""No balance goes beyond this either way, so that one more posting cannot overflow 64 bits."""


class Moved(Protocol):
    """What a posting and a transfer have in common."""

    @property
    def asset_id(self) -> int: ...  # noqa: D102
    @property
    def amount_units(self) -> int: ...  # noqa: D102
    @property
    def debit_account_kind_code(self) -> int: ...  # noqa: D102
    @property
    def debit_party_id(self) -> int: ...  # noqa: D102
    @property
    def credit_account_kind_code(self) -> int: ...  # noqa: D102
    @property
    def credit_party_id(self) -> int: ...  # noqa: D102


class Balances:
    """Debits less credits, in smallest units: `amounts[row, asset_id]`.

    Location kinds are positive, owner kinds negative; in each asset the sum over all rows is zero.
    `offsets[kind] + party` is the row, for kernels too.
    """

    def __init__(self, account_count: int, asset_count: int) -> None:
        self.account_count = account_count
        self.asset_count = asset_count
        self.offsets: npt.NDArray[np.int64] = np.array(row_offsets(account_count), dtype=np.int64)
        self.amounts: npt.NDArray[np.int64] = np.zeros(
            (row_count(account_count), asset_count + 1), dtype=np.int64
        )

    def row_of(self, kind: int, party: int) -> int:
        """The row of a ledger account. Raises InvariantBroken when the chart has none."""
        known = LedgerAccountKind(kind)
        if not 0 <= party < party_count(known, self.account_count):
            raise InvariantBroken(f"no ledger account {known.name} of party {party}")
        return int(self.offsets[known]) + party

    def balance(self, kind: int, party: int, asset_id: int) -> int:
        """Debits less credits of one ledger account in one asset."""
        if not 0 < asset_id <= self.asset_count:
            raise InvariantBroken(f"no ledger of asset {asset_id}")
        return int(self.amounts[self.row_of(kind, party), asset_id])

    def apply(self, posting: Moved) -> None:
        """Debit adds, credit subtracts. Raises InvariantBroken when an amount leaves its bounds."""
        units, asset_id = posting.amount_units, posting.asset_id
        if not 0 < units <= LIMIT:
            raise InvariantBroken(f"posting of {units} units of asset {asset_id}")
        debit = posting.debit_account_kind_code, posting.debit_party_id
        credit = posting.credit_account_kind_code, posting.credit_party_id
        debited = self.balance(*debit, asset_id) + units
        credited = self.balance(*credit, asset_id) - units
        if debited > LIMIT or credited < -LIMIT:
            raise InvariantBroken(f"balance of asset {asset_id} leaves its bounds")
        self.amounts[self.row_of(*debit), asset_id] += units
        self.amounts[self.row_of(*credit), asset_id] -= units

    def check(self) -> None:
        """Raise InvariantBroken unless the rows of each asset add up to zero."""
        totals = self.amounts.sum(axis=0)
        if totals.any():
            asset_id = int(np.flatnonzero(totals)[0])
            raise InvariantBroken(f"asset {asset_id} is out of balance by {int(totals[asset_id])}")

    def is_clear(self, kind: int, party: int) -> bool:
        """Whether a ledger account is zero in every asset."""
        return not self.amounts[self.row_of(kind, party)].any()
