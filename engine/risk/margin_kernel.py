"""Equity and initial margin of one account: the seam where the unified cross-asset model goes in.

Compiled, called on every order by the one pass. Integers only: US cents; a charge is rounded up.
`requirement` and `equity` are the whole interface; everything else may change behind them.
"""

import numpy as np

from engine.compiled_kernel import kernel
from schemas.codes import AccountClass, InstrumentClass

_CFD = int(InstrumentClass.CFD)
_PERPETUAL = int(InstrumentClass.PERPETUAL)
_CASH_ACCOUNT = int(AccountClass.CUSTOMER_CASH)
_BPS = 10_000


@kernel
def is_contract(instrument):
    """Whether a position is a claim on a price difference and never delivered."""
    return instrument.instrument_class_code == _CFD or instrument.instrument_class_code == _PERPETUAL


@kernel
def held_lots(instruments, positions, amounts, account_id, instrument_id):
    """Lots held, signed. What can be delivered is read from the ledger, which is its only record."""
    instrument = instruments[instrument_id]
    if is_contract(instrument):
        return positions[account_id, instrument_id].position_lots
    units = -amounts[account_id, instrument.base_asset_id]
    return units // instrument.lot_units


@kernel
def value_minor(instrument, lots):
    """Lots at the mark, in minor units, signed."""
    return lots * instrument.mark_ticks * instrument.tick_value_minor


@kernel
def charge_minor(instrument, lots):
    """Initial margin of an absolute number of lots, rounded up."""
    notional = value_minor(instrument, lots)
    return (notional * instrument.margin_bps + _BPS - 1) // _BPS


@kernel
def equity(instruments, positions, amounts, account_id, money_asset_id):
    """Cash plus positions at their marks, in minor units."""
    total = -amounts[account_id, money_asset_id]
    for i in range(1, len(instruments)):
        instrument = instruments[i]
        if instrument.instrument_id == 0:
            continue
        lots = held_lots(instruments, positions, amounts, account_id, i)
        total += value_minor(instrument, lots)
        if is_contract(instrument):
            total -= positions[account_id, i].cost_minor
    return total


@kernel
def requirement(instruments, positions, amounts, account_id, more_id, more_lots):
    """Initial margin of positions and open orders, with `more_lots` (signed) ordered on top.

    Each instrument is charged for the larger of what it becomes if all bids fill and if all asks fill, so
    that every partial fill is covered.
    """
    total = np.int64(0)
    for i in range(1, len(instruments)):
        instrument = instruments[i]
        if instrument.instrument_id == 0:
            continue
        lots = held_lots(instruments, positions, amounts, account_id, i)
        row = positions[account_id, i]
        bids = row.open_buy_lots
        asks = row.open_sell_lots
        if i == more_id:
            if more_lots > 0:
                bids += more_lots
            else:
                asks -= more_lots
        total += charge_minor(instrument, max(abs(lots + bids), abs(lots - asks)))
    return total


@kernel
def open_bids_minor(positions, account_id):
    """What resting bids would cost at their limits, over all instruments."""
    total = np.int64(0)
    for i in range(1, positions.shape[1]):
        total += positions[account_id, i].open_buy_minor
    return total


@kernel
def is_cash_account(account):
    """Whether the account pays in full and sells only what it has."""
    return account.account_class_code == _CASH_ACCOUNT
