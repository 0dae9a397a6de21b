"""What margin asks of a single instrument beyond its scenarios: liquidity, carry; without a model, a rate.

All in minor units, rounded up. Values stay below 2**49 minor units.
Source of the impact: Almgren, Thum, Hauptmann and Li, "Direct estimation of equity market impact" (2005), the
square-root form that most venues use.
"""

import numpy as np

from engine.compiled_kernel import inner, kernel
from engine.risk.vector_kernel import square_root

_BPS = 10_000
_MILLION = 1_000_000
_LARGEST_RATIO = 1_000_000_000_000  # a million days of volume, in millionths
_SMALL = 1 << 42  # lots of which a million times as many fit a word
_LARGEST_RATE = 1_000_000_000  # a thousand times the value


@inner
def part_up(amount, ppm):
    """So many millionths of an amount that is not negative, rounded up; no product overflows."""
    return (amount // _MILLION) * ppm + ((amount % _MILLION) * ppm + _MILLION - 1) // _MILLION


@inner
def lot_value(instrument):
    """A lot at the mark, in minor units."""
    return instrument.mark_ticks * instrument.tick_value_minor


@inner
def lot_size(instrument, terms):
    """What a lot counts as in charges, signed: its value at the mark, of an option its delta's."""
    return lot_value(instrument) if terms.reference_minor == 0 else terms.delta_minor


@inner
def lot_gross(instrument, terms):
    """What bounds a lot's profits: they are parts of it."""
    return lot_value(instrument) if terms.reference_minor == 0 else terms.reference_minor


@kernel
def charge_minor(instrument, terms, lots):
    """What an absolute number of lots asks at the mark."""
    if terms.is_modelled == 0:
        return (lots * lot_value(instrument) * instrument.margin_bps + _BPS - 1) // _BPS
    value = lots * abs(lot_size(instrument, terms))
    return liquidity_minor(terms, lots, value) + part_up(value, terms.carry_ppm)


@inner
def has_haircut(terms):
    """Whether any tier takes anything off; most instruments are spared the arithmetic."""
    return (terms.haircut_ppm | terms.second_haircut_ppm | terms.third_haircut_ppm) != 0


@kernel
def haircut_minor(terms, lots, value):
    """What of a holding of so many lots, worth `value` each, is no collateral: each tier's part of its lots.

    Tiers only grow, so the more is held the more of a lot is none.
    """
    beyond = max(lots - terms.second_from_lots, 0) if terms.second_from_lots != 0 else lots * 0
    far = max(lots - terms.third_from_lots, 0) if terms.third_from_lots != 0 else lots * 0
    total = part_up((lots - beyond) * value, terms.haircut_ppm)
    if beyond != 0:
        total += part_up((beyond - far) * value, terms.second_haircut_ppm)
        total += part_up(far * value, terms.third_haircut_ppm)
    return total


@kernel
def liquidity_minor(terms, lots, value):
    """What it costs to be rid of them: half a spread, and the impact of their part of a day's volume."""
    total = part_up(value, terms.half_spread_ppm)
    if terms.impact_ppm != 0 and terms.daily_lots > 0:
        total += part_up(value, impact_rate_ppm(terms, lots))
    return total


@kernel
def _large_ratio(terms, lots):
    whole = min(lots // terms.daily_lots, np.int64(_LARGEST_RATIO // _MILLION))
    return whole * _MILLION + (lots % terms.daily_lots) * _MILLION // terms.daily_lots


@kernel
def impact_rate_ppm(terms, lots):
    """Impact of so many lots: that of a day's volume times the root of the part of it that they are."""
    ratio = lots * _MILLION // terms.daily_lots if lots < _SMALL else _large_ratio(terms, lots)
    ratio = min(ratio, np.int64(_LARGEST_RATIO))
    root = square_root(ratio * _MILLION)  # millionths of the root
    return min(terms.impact_ppm * root // _MILLION, np.int64(_LARGEST_RATE))
