"""Postings of an execution, for the compiled pass. What an execution moves is said here only.

Owns the postings that a fill makes. Does not own those of slow events: see `postings.py`.
"""

import numpy as np
from numba import njit

from engine.errors import InvariantBroken
from engine.ledger.chart import ACCOUNT_KINDS, FIXED_ROW_COUNT, row_offsets
from schemas.codes import LedgerAccountKind, PostingReason, Side

POSTINGS_PER_FILL = 5
"""Most postings of one fill: units and money of both sides, and the taker's fee."""

_LIMIT = np.int64(1 << 62)
_CLIENT = int(LedgerAccountKind.CLIENT)
_FEE_INCOME = int(LedgerAccountKind.FEE_INCOME)
_PENDING = int(LedgerAccountKind.STREET_PENDING)
_TRADE = int(PostingReason.TRADE)
_FEE = int(PostingReason.FEE)
_BUY = int(Side.BUY)

# A kind of account `k` begins at block k of the account rows; a firm's kind, behind all of them.
_BLOCKS = len(ACCOUNT_KINDS)
_CLIENT_BLOCK = ACCOUNT_KINDS.index(LedgerAccountKind.CLIENT)
_PENDING_BLOCK = ACCOUNT_KINDS.index(LedgerAccountKind.STREET_PENDING)
_FEE_INCOME_BEHIND = row_offsets(-1)[_FEE_INCOME]


@njit(cache=True, nogil=True)
def _row(amounts, kind, party):
    """The row of the three kinds that an execution moves; the twin of `Balances.row_of`."""
    parties = (len(amounts) - FIXED_ROW_COUNT) // _BLOCKS
    if kind == _CLIENT:
        return _CLIENT_BLOCK * parties + party
    if kind == _PENDING:
        return _PENDING_BLOCK * parties + party
    return _BLOCKS * parties + _FEE_INCOME_BEHIND + party


@njit(cache=True, nogil=True)
def _post(
    amounts, out, count, last_sequence, fill, reason, asset_id, units,
    debit_kind, debit_party, credit_kind, credit_party,
):  # fmt: skip
    """Move `units`, write the posting into `out[count]`; return how many were written: 0 or 1."""
    if units == 0:
        return 0
    debit = _row(amounts, debit_kind, debit_party)
    credit = _row(amounts, credit_kind, credit_party)
    if units < 0 or units > _LIMIT:
        raise InvariantBroken("an execution posts an amount out of bounds")
    if amounts[debit, asset_id] > _LIMIT - units or amounts[credit, asset_id] < units - _LIMIT:
        raise InvariantBroken("a balance leaves its bounds")
    amounts[debit, asset_id] += units
    amounts[credit, asset_id] -= units
    row = out[count]
    row.sequence = last_sequence + 1
    row.cause_sequence = fill.cause_sequence
    row.occurred_at_ns = fill.occurred_at_ns
    row.posting_reason_code = reason
    row.asset_id = asset_id
    row.amount_units = units
    row.debit_account_kind_code = debit_kind
    row.debit_party_id = debit_party
    row.credit_account_kind_code = credit_kind
    row.credit_party_id = credit_party
    row.reference_id = fill.fill_id
    row.value_epoch_day = fill.settlement_epoch_day
    return 1


@njit(cache=True, nogil=True)
def post_fill_side(
    amounts, out, count, last_sequence, fill, account_id, side,
    base_asset_id, quote_asset_id, units, notional_minor, fee_minor,
):  # fmt: skip
    """Post one account's side of a fill: units, money, fee. Return how many postings were made.

    They go to `out[count]` and after, numbered from `last_sequence + 1`; zero amounts make none.
    From trade date on a buyer is owed units and owes money; the street side waits for settlement.
    A contract delivers nothing: give zero units and notional. An account of the street has no
    ledger: do not call. Raises InvariantBroken when a balance leaves its bounds.
    """
    to_kind, from_kind = (_PENDING, _CLIENT) if side == _BUY else (_CLIENT, _PENDING)
    made = _post(
        amounts, out, count, last_sequence, fill, _TRADE, base_asset_id, units,
        to_kind, account_id, from_kind, account_id,
    )  # fmt: skip
    made += _post(
        amounts, out, count + made, last_sequence + made, fill, _TRADE, quote_asset_id,
        notional_minor, from_kind, account_id, to_kind, account_id,
    )  # fmt: skip
    made += _post(
        amounts, out, count + made, last_sequence + made, fill, _FEE, quote_asset_id, fee_minor,
        _CLIENT, account_id, _FEE_INCOME, 0,
    )  # fmt: skip
    return made
