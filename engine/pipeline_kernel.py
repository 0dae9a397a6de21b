"""The compiled pass: each trading command goes admit -> margin -> match -> post before the next is looked at.

One stage a line; the stages themselves are in `engine/risk`, `engine/market` and `engine/ledger`. Events are
written into preallocated rows of their declared layouts; their sequence puts them in one order.
"""

import numpy as np

from engine.blocks_kernel import WORD, BlockType, at_address, rows_of, words
from engine.compiled_kernel import inner, kernel
from engine.market.day_orders_kernel import foresee_row, foresee_slot
from engine.market.matching_kernel import has_event_room
from engine.market.words_kernel import LIVE_COUNT, SLICE_COUNT
from engine.memory_kernel import load
from engine.risk.account_kernel import foresee_account
from engine.trading.changed_orders_kernel import cancel, replace
from engine.trading.events_kernel import (
    CANCEL,
    CANCEL_ALL,
    EVENT_BLOCK,
    KIND_COUNT,
    PHASE,
    PLACE,
    REPLACE,
    STATE_BLOCK,
    SWITCH,
)
from engine.trading.market_commands_kernel import cancel_all, change_phase, switch, turn_business_day
from engine.trading.new_orders_kernel import place
from schemas.market import (
    CancelOrder,
    CancelOrders,
    ChangeInstrumentState,
    PlaceOrder,
    ReplaceOrder,
    SetKillSwitch,
    StartBusinessDay,
)

FURTHER, NEARER = 12, 6  # commands ahead that memory is asked for: slots of ids first, their rows then

COMMAND_CLASSES: dict[str, type] = {
    "places": PlaceOrder,
    "cancels": CancelOrder,
    "replaces": ReplaceOrder,
    "masses": CancelOrders,
    "switches": SetKillSwitch,
    "phases": ChangeInstrumentState,
    "turns": StartBusinessDay,
}

COMMAND_BLOCK = BlockType(
    "COMMANDS",
    **{name: rows_of(cls) for name, cls in COMMAND_CLASSES.items()},
    queue=words(2),  # (n, 2): kind, row
    packed=WORD,  # address of a MarketCommand
    most_live=WORD,  # as long as no more orders live than this
    most_slices=WORD,  # and no more slices of icebergs
)
"""The trading commands of one run, the order in which they came, and where one is packed for matching."""

_state_at = at_address(STATE_BLOCK)
_commands_at = at_address(COMMAND_BLOCK)
_events_at = at_address(EVENT_BLOCK)


@kernel
def run(state_address, command_address, event_address, trade_epoch_day, first) -> int:
    """Run the queue from `first` on. Returns the first command that was not run, for want of room."""
    state = _state_at(state_address)
    commands = _commands_at(command_address)
    events = _events_at(event_address)
    q = first
    while q < len(commands.queue) and _has_room(state, events, commands):
        _foresee(state, commands, q)
        row = commands.queue[q, 1]
        kind = commands.queue[q, 0]
        if kind == PLACE:
            place(state, commands.packed, commands.places[row], events, trade_epoch_day)
        elif kind == CANCEL:
            cancel(state, commands.packed, commands.cancels[row], events, trade_epoch_day)
        elif kind == REPLACE:
            replace(state, commands.packed, commands.replaces[row], events, trade_epoch_day)
        elif kind == CANCEL_ALL:
            cancel_all(state, commands.packed, commands.masses[row], events, trade_epoch_day)
        elif kind == SWITCH:
            switch(state, commands.packed, commands.switches[row], events, trade_epoch_day)
        elif kind == PHASE:
            change_phase(state, commands.packed, commands.phases[row], events, trade_epoch_day)
        else:
            turn_business_day(state, commands.packed, commands.turns[row], events, trade_epoch_day)
        q += 1
    return q


@inner
def _foresee(state, commands, q):
    """Ask for the memory of orders and accounts that commands to come name, so that it is there then."""
    if q + FURTHER < len(commands.queue):
        account_id, client_order_id = _order_named(commands, q + FURTHER)
        foresee_slot(state.day, account_id, client_order_id)
    if q + NEARER < len(commands.queue):
        account_id, client_order_id = _order_named(commands, q + NEARER)
        foresee_row(state.day, account_id, client_order_id)
        foresee_account(state.risk, account_id, _instrument_named(commands, q + NEARER))


@inner
def _order_named(commands, q):
    """Account and client order id of a command; of others than the common three, any."""
    kind, row = commands.queue[q, 0], commands.queue[q, 1]
    if kind == REPLACE:
        return commands.replaces[row].account_id, commands.replaces[row].client_order_id
    if kind == PLACE:
        return commands.places[row].account_id, commands.places[row].client_order_id
    if kind == CANCEL:
        return commands.cancels[row].account_id, commands.cancels[row].client_order_id
    return np.int64(0), np.int64(0)


@inner
def _instrument_named(commands, q):
    """The instrument of a new order; of other commands, none."""
    is_new = commands.queue[q, 0] == PLACE
    return commands.places[commands.queue[q, 1]].instrument_id if is_new else np.int64(0)


@inner
def _has_room(state, events, commands):
    live, slices = load(state.books, LIVE_COUNT), load(state.books, SLICE_COUNT)
    if live > commands.most_live or slices > commands.most_slices:
        return False
    counts, room = events.counts, events.room
    for kind in range(KIND_COUNT):
        if counts[kind] > room[kind]:
            return False
    return has_event_room(state.books, 0)
