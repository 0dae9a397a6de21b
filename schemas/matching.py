"""The matching engine's own records: what the pipeline hands it, what it answers, what it keeps.

All are state: none is journaled. A column that ends with `_word` packs what its text says, so that a command,
an event and an order are one cache line of 64 bytes each.
"""

from __future__ import annotations

from schemas.kinds import (
    AskedAccountId,
    AskedInstrumentId,
    AskedLots,
    AskedOrderTypeCode,
    AskedSideCode,
    AskedTicks,
    AskedTimeInForceCode,
    ChildOrderId,
    ClientOrderId,
    Count,
    EntryOrderId,
    ExpiryNanos,
    Flag,
    LinkedOrderId,
    Nanos,
    NoOrderId,
    OpenLots,
    OrderLinkCode,
    PackedWord,
    PartnerOrderId,
    SelfTradeCode,
    SessionId,
)
from schemas.record import Role, field, record


@record(table="market_commands", key="order_id", role=Role.STATE)
class MarketCommand:
    """One command to the matching engine: a cache line."""

    action_word: PackedWord = field(
        "Bits 0-7 MarketAction, 8-15 Side, 16-23 OrderType, 24-31 TimeInForce, 32-33 PostOnly, "
        "34-36 SelfTradePrevention, 37 reduce-only, 38 one side only, 39 disconnect, 40-58 instrument_id."
    )
    order_id: NoOrderId = field("The order; unique among those that live.")
    price_ticks: AskedTicks = field(
        "Limit; a pegged order's worst price; the new state or reference of others."
    )
    quantity_lots: AskedLots = field("How much; of a replacement the new open quantity.")
    owner_word: PackedWord = field("Bits 0-31 account_id, 32-62 self-trade group.")
    received_at_ns: Nanos = field("When; decides what has expired.")
    client_order_id: ClientOrderId = field("Carried along and told in events; nothing depends on it.")
    terms_word: PackedWord = field("Bits 0-31 row of the OrderTerms, zero for none; 32-62 session_id.")


@record(table="order_terms", key="linked_order_id", role=Role.STATE)
class OrderTerms:
    """What an order has beyond side, price and quantity; row zero is no terms."""

    display_lots: AskedLots = field("Shown at a time; zero shows all.")
    minimum_lots: AskedLots = field("Refused unless so much is had at once.")
    stop_ticks: AskedTicks = field("Trades at or beyond it set the order off.")
    trail_ticks: AskedTicks = field("How far a trailing stop follows.")
    offset_ticks: AskedTicks = field("How far a pegged order stays behind what it is pegged to.")
    expires_at_ns: ExpiryNanos = field("End of a GTD order; zero otherwise.")
    linked_order_id: LinkedOrderId = field("The other order of a link; zero for none.")
    order_link_code: OrderLinkCode = field("How they hang together.")


@record(table="market_events", key="order_id", role=Role.STATE)
class MarketEvent:
    """One thing that the matching engine did: a cache line."""

    kind_word: PackedWord = field(
        "Bits 0-7 MarketEventKind, 8-19 MarketEventReason or RejectReason, 20-21 Side, 24-43 instrument_id, "
        "44-62 how many commands of the call came before the one that caused it."
    )
    order_id: NoOrderId = field("The order; of a trade the aggressing one, in an auction the buyer's.")
    other_order_id: NoOrderId = field("Of a trade the resting order; of a link or self-trade the other one.")
    price_ticks: AskedTicks = field("Where.")
    quantity_lots: AskedLots = field("How much; a state change tells the state, an uncrossing the volume.")
    open_lots: OpenLots = field(
        "What is shown afterwards: of a trade by the resting order, of an accepted or replaced order by what "
        "of it will rest unless more events of it follow."
    )
    accounts_word: PackedWord = field("Bits 0-31 account_id, 32-62 the other order's.")
    client_order_id: ClientOrderId = field("Of the order; of a trade that of the resting order.")


@record(table="resting_orders", key="order_id", role=Role.STATE)
class RestingOrder:
    """One order that lives, on a book or waiting: a cache line of the order pool. Row zero is nobody."""

    order_id: NoOrderId = field("Zero when the row is free.")
    price_ticks: AskedTicks = field("Where it stands; of an order that waits for a trade, its stop.")
    open_lots: OpenLots = field("What is shown; of an order that waits, all of it.")
    owner_word: PackedWord = field("Bits 0-31 account_id, 32-62 self-trade group.")
    links_word: PackedWord = field(
        "Bits 0-31 row ahead in the queue, 32-62 row behind; free: the next free row."
    )
    place_word: PackedWord = field("Bits 0-31 level, 32-54 book, 56 set when it outlives the day.")
    client_order_id: ClientOrderId = field("As given.")
    terms_word: PackedWord = field(
        "Bits 0-31 row of its LiveTerms, zero for a plain order; 32-62 session_id."
    )


@record(table="live_terms", key="limit_ticks", role=Role.STATE)
class LiveTerms:
    """What an order that lives has beyond a plain one; a row of the terms pool. Row zero is nobody's."""

    type_word: PackedWord = field(
        "Bits 0-7 OrderType, 8-15 TimeInForce, 16-18 SelfTradePrevention, 19 reduce-only, 20 awaits an entry, "
        "21 sells."
    )
    limit_ticks: AskedTicks = field("Its own limit, wherever it stands.")
    hidden_lots: OpenLots = field("Open and not shown.")
    display_lots: AskedLots = field("Shown at a time; zero shows all.")
    trail_ticks: AskedTicks = field("How far a trailing stop follows.")
    offset_ticks: AskedTicks = field("How far a pegged order stays behind.")
    expires_at_ns: ExpiryNanos = field("End of a GTD order.")
    filled_lots: OpenLots = field("Filled since it had terms.")
    partner_count: Count = field("Row of the other leg.")
    entry_count: Count = field("Row of the entry order that it waits for.")
    child_count: Count = field("Row of the order that waits for it.")
    follower_count: Count = field("Row of the next pegged or trailing order of the instrument, by order_id.")
    stop_ticks: AskedTicks = field("Stop of a stop order.")
    slice_count: Count = field("How many times an iceberg may show a slice.")
    spare_count: Count = field("Unused: a row is two cache lines.")
    next_count: Count = field("In a free row, the next free row.")


@record(table="book_levels", key="open_lots", role=Role.STATE)
class BookLevel:
    """The queue at one price of one book; 64 of them are a page."""

    queue_word: PackedWord = field(
        "Bits 0-31 row of the oldest order, 32-62 of the youngest; zero when empty."
    )
    open_lots: OpenLots = field("Shown by the queue.")
    count_word: PackedWord = field("Bits 0-31 orders in the queue, 32-62 pegged ones among them.")
    hidden_lots: OpenLots = field("Not shown by the queue.")


@record(table="price_nodes", key="node_word", role=Role.STATE)
class PriceNode:
    """One node of the price index, found by hashing: 64 prices, or 64 nodes of the depth below."""

    node_word: PackedWord = field(
        "Bits 0-35 prefix of the price key, 36-58 book, 59-61 depth; zero when free."
    )
    page_count: Count = field("At depth zero, the page of its levels.")
    filled_word: PackedWord = field("One bit a child that has orders.")
    spare_count: Count = field("Unused: a node is half a cache line.")


@record(table="instrument_books", key="last_ticks", role=Role.STATE)
class InstrumentBook:
    """What matching knows of an instrument: best prices of its six queues, phase, last trade, bands."""

    bid_key_word: PackedWord = field("Key of the best bid, minus one when none.")
    bid_level_count: Count = field("Its level.")
    ask_key_word: PackedWord = field("Key of the best ask, minus one when none.")
    ask_level_count: Count = field("Its level.")
    watch_word: PackedWord = field(
        "One bit a reason why the common path must look closer; see words_kernel.py."
    )
    last_ticks: AskedTicks = field("Last trade.")
    state_count: Count = field("InstrumentState; zero when not listed.")
    ratchet_ticks: AskedTicks = field("The last trade that trailing stops have followed.")
    buy_stop_key_word: PackedWord = field("Key of the first buy stop, minus one when none.")
    buy_stop_level_count: Count = field("Its level.")
    sell_stop_key_word: PackedWord = field("Key of the first sell stop, minus one when none.")
    sell_stop_level_count: Count = field("Its level.")
    parked_key_word: PackedWord = field(
        "Key of the orders that wait for something else, minus one when none."
    )
    parked_level_count: Count = field("Its level.")
    ready_key_word: PackedWord = field("Key of the orders that wait for their turn in this command.")
    ready_level_count: Count = field("Its level.")
    reference_ticks: AskedTicks = field("Reference price, where nothing was traded yet.")
    dynamic_count: Count = field("Dynamic band around the last trade in basis points; zero for none.")
    static_count: Count = field("Circuit breaker around the reference price in basis points; zero for none.")
    tick_row_count: Count = field("Row of its tick table; zero when every tick is a price.")
    pegged_count: Count = field("Row of its first pegged order.")
    trailing_count: Count = field("Row of its first trailing stop.")
    spare_a_count: Count = field("Unused: a row is three cache lines.")
    spare_b_count: Count = field("Unused.")


@record(table="book_orders", key="order_id", role=Role.STATE)
class BookOrder:
    """An order that lives, one column a meaning: how snapshots keep it and state hashes see it."""

    order_id: NoOrderId = field("The order.")
    account_id: AskedAccountId = field("Whose.")
    group_count: Count = field("Self-trade group; zero for none.")
    session_id: SessionId = field("Where it came from.")
    client_order_id: ClientOrderId = field("As given.")
    instrument_id: AskedInstrumentId = field("What is traded.")
    queue_count: Count = field("Kind of queue: 0 bids, 1 asks, 4 buy stops, 5 sell stops, 6 parked, 7 ready.")
    side_code: AskedSideCode = field("Buy or sell.")
    order_type_code: AskedOrderTypeCode = field("How it is priced.")
    time_in_force_code: AskedTimeInForceCode = field("How long it lives.")
    price_ticks: AskedTicks = field("Where it stands.")
    limit_ticks: AskedTicks = field("Its own limit.")
    open_lots: OpenLots = field("Shown, or all of an order that waits.")
    hidden_lots: OpenLots = field("Not shown.")
    display_lots: AskedLots = field("Shown at a time.")
    stop_ticks: AskedTicks = field("Stop.")
    trail_ticks: AskedTicks = field("How far a trailing stop follows.")
    offset_ticks: AskedTicks = field("How far a pegged order stays behind.")
    expires_at_ns: ExpiryNanos = field("End of a GTD order.")
    filled_lots: OpenLots = field("Filled since it had terms.")
    slice_count: Count = field("Slices of an iceberg.")
    self_trade_code: SelfTradeCode = field("What becomes of it where it meets its own.")
    is_reduce_only: Flag = field("Whether it may only reduce.")
    is_awaiting: Flag = field("Whether it waits for an entry order to name it.")
    has_terms: Flag = field("Whether it is more than a plain order.")
    partner_order_id: PartnerOrderId = field("The other leg.")
    entry_order_id: EntryOrderId = field("The order whose end it waits for.")
    child_order_id: ChildOrderId = field("The order that waits for its end.")


@record(table="book_phases", key="instrument_id", role=Role.STATE)
class BookPhase:
    """Where the session of an instrument stands; how snapshots keep it and state hashes see it."""

    instrument_id: AskedInstrumentId = field("The instrument.")
    state_count: Count = field("InstrumentState; zero when not listed.")
    last_ticks: AskedTicks = field("Last trade, or the least number for none.")
    reference_ticks: AskedTicks = field("Reference price, or the least number for none.")
    dynamic_count: Count = field("Dynamic band in basis points.")
    static_count: Count = field("Circuit breaker in basis points.")
