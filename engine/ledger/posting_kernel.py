"""Postings of an execution, for the compiled pass. What an execution moves is said here only.

Owns the postings that a fill makes. Does not own those of slow events: see `postings.py`.
"""

import numpy as np

from engine.compiled_kernel import kernel
from schemas.codes import LedgerAccountKind, PostingReason, Side

POSTINGS_PER_FILL = 6
"""Most postings of one fill: units, money and fee of both sides."""

BROKEN = -1
"""Returned in place of a count when a balance would leave its bounds; the engine must stop."""

_LIMIT = np.int64(1 << 62)
_CLIENT = int(LedgerAccountKind.CLIENT)
_FEE_INCOME = int(LedgerAccountKind.FEE_INCOME)
_PENDING = int(LedgerAccountKind.STREET_PENDING)
_TRADE = int(PostingReason.TRADE)
_FEE = int(PostingReason.FEE)
_BUY = int(Side.BUY)


@kernel
def post(
    amounts, offsets, out, count, header, reason, asset_id, units,
    debit_kind, debit_party, credit_kind, credit_party, reference_id, value_epoch_day,
):  # fmt: skip
    """Apply one posting to `amounts` and write it to `out[count]`; return the new count, or BROKEN.

    `header` is (sequence of out[0], cause_sequence, occurred_at_ns). Nothing moves on zero units.
    """
    if count < 0 or units == 0:
        return count
    debit_row = offsets[debit_kind] + debit_party
    credit_row = offsets[credit_kind] + credit_party
    if units < 0 or units > _LIMIT:
        return BROKEN
    if amounts[debit_row, asset_id] + units > _LIMIT:
        return BROKEN
    if amounts[credit_row, asset_id] - units < -_LIMIT:
        return BROKEN
    amounts[debit_row, asset_id] += units
    amounts[credit_row, asset_id] -= units
    row = out[count]
    row.sequence = header[0] + count
    row.cause_sequence = header[1]
    row.occurred_at_ns = header[2]
    row.posting_reason_code = reason
    row.asset_id = asset_id
    row.amount_units = units
    row.debit_account_kind_code = debit_kind
    row.debit_party_id = debit_party
    row.credit_account_kind_code = credit_kind
    row.credit_party_id = credit_party
    row.reference_id = reference_id
    row.value_epoch_day = value_epoch_day
    return count + 1


@kernel
def post_fill_side(
    amounts, offsets, out, count, header, account_id, side,
    base_asset_id, units, quote_asset_id, notional_minor, fee_minor, fill_id, settlement_epoch_day,
):  # fmt: skip
    """Post one account's side of a fill: units, money, fee; return the new count, or BROKEN.

    A buyer is owed units and owes money from trade date on; the street side of both waits for
    settlement. Contracts deliver nothing: give zero `units` and zero `notional_minor` for them.
    A negative fee is paid out. Not to be called for accounts of the street.
    """
    first, second = (_PENDING, _CLIENT) if side == _BUY else (_CLIENT, _PENDING)
    count = post(
        amounts, offsets, out, count, header, _TRADE, base_asset_id, units,
        first, account_id, second, account_id, fill_id, settlement_epoch_day,
    )  # fmt: skip
    count = post(
        amounts, offsets, out, count, header, _TRADE, quote_asset_id, notional_minor,
        second, account_id, first, account_id, fill_id, settlement_epoch_day,
    )  # fmt: skip
    if fee_minor < 0:
        return post(
            amounts, offsets, out, count, header, _FEE, quote_asset_id, -fee_minor,
            _FEE_INCOME, 0, _CLIENT, account_id, fill_id, settlement_epoch_day,
        )  # fmt: skip
    return post(
        amounts, offsets, out, count, header, _FEE, quote_asset_id, fee_minor,
        _CLIENT, account_id, _FEE_INCOME, 0, fill_id, settlement_epoch_day,
    )  # fmt: skip
