"""Linked orders: entries with exits that wait for them, and two of which one is filled.

Owns: what a link says of an order. Does not own: what becomes of the other one (engine/market).
"""

from engine.compiled_kernel import kernel
from engine.market.day_orders_kernel import find_client_id
from engine.risk.account_kernel import is_contract
from engine.risk.margin_kernel import is_cash_account
from schemas.codes import OrderLink, Side

_SELL = int(Side.SELL)
_AWAIT, _OCO = int(OrderLink.AWAIT), int(OrderLink.OCO)


@kernel
def _linked(state, c):
    """The position of the order that a link names, zero when it does not live."""
    at = find_client_id(state.day, c.account_id, c.linked_client_order_id)
    return at if at != 0 and state.day.rows[at].open_lots > 0 else 0


@kernel
def linked_order_id(state, c):
    """The order that a link names, zero for none, and -1 for one that does not live."""
    if c.linked_client_order_id == 0:
        return 0
    at = _linked(state, c)
    return state.day.rows[at].order_id if at != 0 else -1


@kernel
def first_leg(state, c):
    """The position of the order that this one becomes the other leg of; zero for none."""
    return _linked(state, c) if c.order_link_code == _OCO else 0


@kernel
def is_second_leg(state, c, first_at):
    """Whether an order reserves only what its other leg does not, for only one of the two can be filled.

    Not so a bid of a cash account: the second may cost more than the first.
    """
    if first_at == 0 or state.day.rows[first_at].side_code != c.side_code:
        return False
    return c.side_code == _SELL or not is_cash_account(state.accounts[c.account_id])


@kernel
def is_waiting_exit(state, c, first_at):
    """Whether an order reserves as its entry is filled, for it takes back no more than that.

    Not so a bid of a cash account: it may cost more than its entry brought.
    """
    if c.order_link_code == _AWAIT:
        return c.side_code == _SELL or not is_cash_account(state.accounts[c.account_id])
    return is_second_leg(state, c, first_at) and state.day.rows[first_at].is_waiting != 0


@kernel
def reduces_only(state, c, first_at):
    """Whether an order gives way to others that take the position away. Exits from a contract always do."""
    if c.is_reduce_only != 0:
        return True
    return is_waiting_exit(state, c, first_at) and is_contract(state.instruments[c.instrument_id])


@kernel
def is_entry_of_linked(state, c):
    """Whether the order that waits for this entry closes no more than it opens."""
    exit_order = state.day.rows[_linked(state, c)]
    return exit_order.side_code != c.side_code and exit_order.open_lots <= c.quantity_lots
