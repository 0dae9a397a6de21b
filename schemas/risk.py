"""What an account's positions and orders ask of its equity."""

from __future__ import annotations

from schemas.headers import Event
from schemas.kinds import AccountId, Minor, MinorUnits, OpenLots, SignedLots
from schemas.record import Role, field, record


@record(table="margins", key="sequence", role=Role.EVENT, type_code=130)
class MarginChanged(Event):
    """An account's margin after a command that moved it; written in the same pass as the execution."""

    account_id: AccountId = field("The account.")
    equity_minor: MinorUnits = field("Cash plus the value of positions at their marks, in US cents.")
    initial_margin_minor: Minor = field("What positions and open orders require, in US cents.")


@record(table="position_states", key="position_lots", role=Role.STATE)
class PositionRow:
    """What an account holds and has open in one instrument."""

    position_lots: SignedLots = field("Trade-date position.")
    cost_minor: MinorUnits = field("What the position cost since the last variation; contracts only.")
    open_buy_lots: OpenLots = field("Resting bids.")
    open_sell_lots: OpenLots = field("Resting asks.")
    open_buy_minor: Minor = field("What resting bids would cost at their limits, fees included.")
    reduce_buy_lots: OpenLots = field("Of the resting bids, those that may only reduce.")
    reduce_sell_lots: OpenLots = field("Of the resting asks, those that may only reduce.")
    day_net_lots: SignedLots = field("Bought less sold on the business day.")
    day_net_minor: MinorUnits = field("Paid less received for them.")
