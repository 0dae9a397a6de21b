"""The balances of every ledger account in every asset: the fold of all postings.

Owns the amounts. Does not own which money moves: `postings.py` and `posting_kernel.py` say that.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.errors import InvariantBroken
from engine.ledger.chart import account_count_of, party_count, row_count, row_offsets

LIMIT = 1 << 62
"""No balance goes beyond this either way, so that one more posting cannot overflow 64 bits."""


class Moved(Protocol):
    """What a posting and a transfer have in common: an amount, a debit, a credit."""

    @property
    def asset_id(self) -> int:
        """What moved."""
        ...

    @property
    def amount_units(self) -> int:
        """How much, in smallest units."""
        ...

    @property
    def debit_account_kind_code(self) -> int:
        """Chart account debited."""
        ...

    @property
    def debit_party_id(self) -> int:
        """Whose."""
        ...

    @property
    def credit_account_kind_code(self) -> int:
        """Chart account credited."""
        ...

    @property
    def credit_party_id(self) -> int:
        """Whose."""
        ...


class Balances:
    """Debits less credits, in smallest units: `amounts[row, asset_id]`.

    Location kinds are positive, owner kinds negative; in each asset the sum over all rows is zero.
    The row of (kind, party) is `offsets[kind] + party`, in kernels too.
    """

    def __init__(self, amounts: npt.NDArray[np.int64]) -> None:
        self.amounts = amounts
        self._account_count = account_count_of(len(amounts))
        self._rows = row_offsets(self._account_count)
        self.offsets: npt.NDArray[np.int64] = np.array(self._rows, dtype=np.int64)

    @classmethod
    def of(cls, account_count: int, asset_count: int) -> Balances:
        """All zero, with a row for each party up to `account_count`, a column for each asset."""
        return cls(np.zeros((row_count(account_count), asset_count + 1), dtype=np.int64))

    def row_of(self, kind: int, party: int) -> int:
        """The row of a ledger account. Raises InvariantBroken when the chart has none."""
        is_kind = 0 <= kind < len(self._rows) and self._rows[kind] >= 0
        if not is_kind or not 0 <= party < party_count(kind, self._account_count):
            raise InvariantBroken(f"the chart has no account of kind {kind} and party {party}")
        return self._rows[kind] + party

    def balance(self, kind: int, party: int, asset_id: int) -> int:
        """Debits less credits of one ledger account in one asset."""
        return int(self.amounts[self.row_of(kind, party), self._column_of(asset_id)])

    def rows_of(self, kind: int) -> npt.NDArray[np.int64]:
        """The amounts of every party of a kind, shape (parties, assets); a view."""
        first = self.row_of(kind, 0)
        return self.amounts[first : first + party_count(kind, self._account_count)]

    def is_clear(self, kind: int, party: int) -> bool:
        """Whether a ledger account is zero in every asset."""
        return not self.amounts[self.row_of(kind, party)].any()

    def apply(self, posting: Moved) -> None:
        """Debit adds, credit subtracts. Raises InvariantBroken when an amount leaves its bounds."""
        units, column = posting.amount_units, self._column_of(posting.asset_id)
        debit = self.row_of(posting.debit_account_kind_code, posting.debit_party_id)
        credit = self.row_of(posting.credit_account_kind_code, posting.credit_party_id)
        if not 0 < units <= LIMIT:
            raise InvariantBroken(f"a posting of {units} units of asset {column}")
        debited = int(self.amounts[debit, column]) + units
        credited = int(self.amounts[credit, column]) - units
        if debited > LIMIT or credited < -LIMIT:
            raise InvariantBroken(f"a balance of asset {column} leaves its bounds")
        self.amounts[debit, column] += units
        self.amounts[credit, column] -= units

    def check(self) -> None:
        """Raise InvariantBroken unless the rows of each asset add up to zero."""
        totals = self.amounts.sum(axis=0)
        if totals.any():
            asset_id = int(np.flatnonzero(totals)[0])
            raise InvariantBroken(f"asset {asset_id} is out of balance by {int(totals[asset_id])}")

    def _column_of(self, asset_id: int) -> int:
        if not 0 < asset_id < self.amounts.shape[1]:
            raise InvariantBroken(f"the ledger has no asset {asset_id}")
        return asset_id
