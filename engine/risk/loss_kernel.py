"""What open orders would lose at once if they filled at their worst prices: against the mark, and in fees.

An account reserves it for every order that may open a position, for all of its open lots: those of an exit
that awaits its entry, and of a leg whose other leg reserves the lots, too. So whatever part of whatever such
orders fills, equity falls by no more than margin does. It is counted anew when a mark moves. An order that
may only reduce reserves none: as it fills it sets free what its position asks, and a stop that protects a
position must not ask for as much as the move that it protects from.

Owns: the amount, and where it is counted. Does not own: when (engine/trading, engine/market).
"""

from engine.compiled_kernel import inner, kernel
from schemas.codes import AccountClass, Side

_BUY = int(Side.BUY)
_STREET = int(AccountClass.STREET)


@kernel
def is_street(account):
    """Whether an account clears elsewhere and is none of our business but on the book."""
    return account.account_class_code == _STREET


@inner
def lot_loss_minor(instrument, side, worst_ticks, lot_cost_minor):
    """What a lot loses from `worst_ticks` to the mark, with its fee; `lot_cost_minor` is price and fee."""
    away = worst_ticks - instrument.mark_ticks if side == _BUY else instrument.mark_ticks - worst_ticks
    fee = lot_cost_minor - worst_ticks * instrument.tick_value_minor
    return max(away, 0) * instrument.tick_value_minor + fee


@kernel
def due_loss_minor(account, instrument, order):
    """What a day's order has to reserve for it as things are; of the street, or if it only reduces, zero."""
    if is_street(account) or order.is_reduce_only != 0:
        return order.open_lots * 0
    lot = lot_loss_minor(instrument, order.side_code, order.reserve_ticks, order.reserve_minor)
    return order.open_lots * lot


@kernel
def count_loss(positions, order, minor):
    """Let an order reserve so much in the place of what it did."""
    positions[order.account_id, order.instrument_id].open_loss_minor += minor - order.loss_minor
    order.loss_minor = minor
