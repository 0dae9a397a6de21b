"""Commands of more than one order: cancel what fits, the kill switch, phases of a session, the day's turn.

Owns: the order of their steps. Does not own: which orders they meet (engine/market).
"""

from engine.compiled_kernel import kernel
from engine.market.day_orders_kernel import turn_day
from engine.market.matching_kernel import decide
from engine.market.session_kernel import IS_DISCONNECT, ONE_SIDED
from engine.memory_kernel import load, store
from engine.trading.events_kernel import CANCEL_ALL, PHASE, SWITCHED, next_row
from engine.trading.packing_kernel import pack
from engine.trading.recording_kernel import record, tell_margins
from engine.trading.steps_kernel import decline, expire
from schemas.codes import MarketAction, RejectReason, Side

_SELL = int(Side.SELL)
_OK = int(RejectReason.NONE)
_UNKNOWN_CODE = int(RejectReason.UNKNOWN_CODE)
_A_MASS = int(MarketAction.MASS_CANCEL)
_A_STATE = int(MarketAction.SET_STATE)
_A_END_DAY, _A_SWITCH = int(MarketAction.END_DAY), int(MarketAction.SET_KILL_SWITCH)


@kernel
def cancel_all(state, packed, c, events, trade_epoch_day):
    """Cancel whatever fits. What cannot fit, because there is no such account or instrument, is nothing."""
    now = (c.sequence, c.received_at_ns)
    expire(state, packed, now, events, trade_epoch_day)
    side = c.side_code
    is_sound = 0 <= c.account_id < len(state.accounts) and 0 <= c.instrument_id < len(state.instruments)
    if not is_sound or side < 0 or side > _SELL or not 0 <= c.session_id <= 0x7FFFFFFF:
        decline(events, CANCEL_ALL, now, _UNKNOWN_CODE)
        tell_margins(state, events, c.sequence, c.received_at_ns, 0)
        return
    pack(
        packed, _A_MASS, side, c.instrument_id, 0, 0, 0, c.account_id, c.received_at_ns, 0, c.session_id
    )  # fmt: skip
    flags = (ONE_SIDED if side != 0 else 0) | (IS_DISCONNECT if c.is_disconnect != 0 else 0)
    store(packed, 0, load(packed, 0) | flags)
    decide(state.books, packed)
    record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    tell_margins(state, events, c.sequence, c.received_at_ns, 0)


@kernel
def switch(state, packed, c, events, trade_epoch_day):
    """Throw the kill switch, or release it."""
    expire(state, packed, (c.sequence, c.received_at_ns), events, trade_epoch_day)
    is_stopped = 1 if c.is_stopped != 0 else 0
    pack(packed, _A_SWITCH, 0, 0, 0, 0, is_stopped, 0, c.received_at_ns, 0, 0)
    decide(state.books, packed)
    i = next_row(events, SWITCHED, c.sequence, c.received_at_ns, events.switched)
    events.switched[i].is_stopped = is_stopped
    events.switched[i].operator_id = c.operator_id
    tell_margins(state, events, c.sequence, c.received_at_ns, 0)


@kernel
def change_phase(state, packed, c, events, trade_epoch_day):
    """Lead an instrument to another phase of its session; entering one may be an auction."""
    expire(state, packed, (c.sequence, c.received_at_ns), events, trade_epoch_day)
    instrument_id = c.instrument_id if 0 < c.instrument_id < len(state.instruments) else 0
    pack(
        packed, _A_STATE, 0, instrument_id, 0, 0, c.instrument_state_code, 0, c.received_at_ns, 0, 0
    )  # fmt: skip
    decide(state.books, packed)
    reason = record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    if reason != _OK:
        decline(events, PHASE, (c.sequence, c.received_at_ns), reason)
    tell_margins(state, events, c.sequence, c.received_at_ns, 0)


@kernel
def turn_business_day(state, packed, c, events, trade_epoch_day):
    """End yesterday's orders, and let the ids of all that ended be used anew."""
    expire(state, packed, (c.sequence, c.received_at_ns), events, trade_epoch_day)
    pack(packed, _A_END_DAY, 0, 0, 0, 0, 0, 0, c.received_at_ns, 0, 0)
    decide(state.books, packed)
    record(state, events, trade_epoch_day, c.sequence, c.received_at_ns)
    tell_margins(state, events, c.sequence, c.received_at_ns, 0)
    turn_day(state.day, state.books)
