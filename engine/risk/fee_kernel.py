"""What an execution costs its two sides: by the account's group and the instrument.

Source of the rates: SetFees commands; without one, the listing's taker fee, and nothing for the maker.
"""

from engine.compiled_kernel import kernel

_BPS = 10_000
_MILLION = 1_000_000


@kernel
def fee_minor(fees, account, instrument, notional, is_maker):
    """Fee of one side in minor units; negative is paid out.

    Rounded up towards the house: 0.2 is 1 charged, and -1.8 is 1 paid out. `notional` is in minor units, at
    most 2**49, so that no product overflows.
    """
    row = fees[account.fee_group_id, instrument.instrument_id]
    if row.is_set != 0:
        rate = row.maker_ppm if is_maker else row.taker_ppm
        return -((-notional * rate) // _MILLION)
    if is_maker:
        return notional * 0
    return (notional * instrument.fee_bps + _BPS - 1) // _BPS


@kernel
def lot_cost_minor(fees, account, instrument, price_ticks):
    """The most that one lot may cost at a price, its fee included.

    A fee is rounded up for every fill, so only lot by lot is it sure to cover any number of fills.
    """
    value = price_ticks * instrument.tick_value_minor
    return value + largest_fee_minor(fees, account, instrument, value)


@kernel
def largest_fee_minor(fees, account, instrument, notional):
    """The most that an order of this value may have to pay."""
    taker = fee_minor(fees, account, instrument, notional, False)
    maker = fee_minor(fees, account, instrument, notional, True)
    return max(max(taker, maker), 0)
