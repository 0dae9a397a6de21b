"""Instruments, orders and executions: what is asked, what is decided, what is kept."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.headers import Command, Event
from schemas.kinds import (
    AccountId,
    AskedAccountId,
    AskedFlag,
    AskedInstrumentId,
    AskedLots,
    AskedNanos,
    AskedOrderLinkCode,
    AskedOrderTypeCode,
    AskedPostOnlyCode,
    AskedSelfTradeCode,
    AskedSideCode,
    AskedTicks,
    AskedTimeInForceCode,
    AssetClassCode,
    AssetId,
    AssetUnits,
    BasisPoints,
    ChildOrderId,
    ClientOrderId,
    Count,
    Digits,
    EpochDay,
    FeeGroupId,
    FillId,
    Flag,
    InstrumentClassCode,
    InstrumentId,
    InstrumentStateCode,
    LinkedClientOrderId,
    Lots,
    Minor,
    MinorUnits,
    OpenLots,
    OrderEndCode,
    OrderId,
    OrderTypeCode,
    Packed,
    PartnerOrderId,
    PartsPerMillion,
    PersonId,
    RecordTypeCode,
    RejectReasonCode,
    SelfTradeCode,
    SessionId,
    SideCode,
    Ticks,
    TimeInForceCode,
)
from schemas.record import Role, field, record

# Shared by what is asked and what is decided -----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """What an engine has room for; more is refused with CAPACITY_REACHED or BOOK_FULL."""

    account_count: Count = field("Highest account_id that can be opened.")
    instrument_count: Count = field("Highest instrument_id that can be listed.")
    asset_count: Count = field("Highest asset_id that can be registered.")
    order_count: Count = field("How many orders may rest at once.")
    order_id_count: Count = field("How many client order ids a day may use.")
    window_count: Count = field("How many ticks above its floor an instrument's prices may lie.")


@dataclass(frozen=True, kw_only=True)
class AssetTerms:
    """What an asset is."""

    asset_id: AssetId = field("The asset.")
    asset_class_code: AssetClassCode = field("Currency, security or token.")
    symbol_packed: Packed = field("ISO 4217 code, ticker or token symbol.")
    isin_packed: Packed = field("ISIN of a security; empty otherwise.")
    unit_digits: Digits = field("Decimal digits of the smallest unit.")


@dataclass(frozen=True, kw_only=True)
class InstrumentTerms:
    """What an instrument is and how it may be traded."""

    instrument_id: InstrumentId = field("The instrument.")
    instrument_class_code: InstrumentClassCode = field("What is traded.")
    symbol_packed: Packed = field("What the venue calls it.")
    base_asset_id: AssetId = field("What one lot delivers; for a contract, its underlying.")
    quote_asset_id: AssetId = field("The currency of price and settlement.")
    lot_units: AssetUnits = field("Smallest units of the base asset in one lot.")
    tick_value_minor: Minor = field("Quote minor units that one tick moves one lot by.")
    window_floor_ticks: AskedTicks = field("Lowest price that an order may have.")
    collar_bps: BasisPoints = field("How far from the mark a limit price may lie.")
    max_order_lots: Lots = field("Largest order.")
    margin_bps: BasisPoints = field("Initial margin as a part of the notional.")
    fee_bps: BasisPoints = field("Fee of the taker as a part of the notional, rounded up to a minor unit.")
    settlement_cycle_count: Count = field("Business days from trade to settlement.")


@dataclass(frozen=True, kw_only=True)
class BusinessDay:
    """A business day and the two that follow it, as the gateway's calendar knows them."""

    business_epoch_day: EpochDay = field("The day.")
    next_epoch_day: EpochDay = field("The business day after it: T+1.")
    second_epoch_day: EpochDay = field("The business day after that: T+2.")


@dataclass(frozen=True, kw_only=True)
class VenueRules:
    """How an instrument trades beyond its listing. Up to three bands of ticks; a step of zero is no band."""

    instrument_id: AskedInstrumentId = field("The instrument.")
    dynamic_bps: BasisPoints = field(
        "A trade further from the last one starts a volatility auction; 0: none."
    )
    static_bps: BasisPoints = field("A trade further from the reference halts the instrument; 0: none.")
    first_from_ticks: AskedTicks = field("Lowest price of the first band.")
    first_step_ticks: AskedTicks = field("Its step.")
    second_from_ticks: AskedTicks = field("Lowest price of the second band.")
    second_step_ticks: AskedTicks = field("Its step.")
    third_from_ticks: AskedTicks = field("Lowest price of the third band.")
    third_step_ticks: AskedTicks = field("Its step.")


@dataclass(frozen=True, kw_only=True)
class FeeTerms:
    """What a group of accounts pays, in millionths of the notional, rounded up to a minor unit.

    What is paid out is rounded down, so that both roundings are the house's.
    """

    fee_group_id: FeeGroupId = field("The group; zero is every account without one.")
    instrument_id: AskedInstrumentId = field("The instrument.")
    taker_ppm: PartsPerMillion = field("Of the side that takes.")
    maker_ppm: PartsPerMillion = field("Of the side that rests; in an auction of both.")


# Commands: set-up -------------------------------------------------------------------------------------------


@record(table="configure_engine", key="sequence", role=Role.COMMAND, type_code=1)
class ConfigureEngine(Capacity, Command):
    """The first command of a journal: the capacities that later commands are refused by."""


@record(table="register_asset", key="sequence", role=Role.COMMAND, type_code=2)
class RegisterAsset(AssetTerms, Command):
    """Make an asset known."""


@record(table="list_instrument", key="sequence", role=Role.COMMAND, type_code=3)
class ListInstrument(InstrumentTerms, Command):
    """Make an instrument tradable. Ticks times lots must come out in whole minor units of the quote currency."""


@record(table="change_instrument_state", key="sequence", role=Role.COMMAND, type_code=4)
class ChangeInstrumentState(Command):
    """Open, halt or close an instrument."""

    instrument_id: AskedInstrumentId = field("The instrument.")
    instrument_state_code: InstrumentStateCode = field("The state asked for.")


@record(table="set_mark", key="sequence", role=Role.COMMAND, type_code=5)
class SetMark(Command):
    """Set the price at which positions are valued and around which the collar lies."""

    instrument_id: AskedInstrumentId = field("The instrument.")
    mark_ticks: AskedTicks = field("The new mark.")


@record(table="start_business_day", key="sequence", role=Role.COMMAND, type_code=6)
class StartBusinessDay(BusinessDay, Command):
    """Begin a business day: day orders are gone and client order ids may be used anew.

    The calendar comes in with the command, so that replay needs none.
    """


# Commands: trading ------------------------------------------------------------------------------------------


@record(table="place_order", key="sequence", role=Role.COMMAND, type_code=10)
class PlaceOrder(Command):
    """Ask for an order. Its sequence becomes the order_id."""

    session_id: SessionId = field("Where it came from.")
    account_id: AskedAccountId = field("Who trades.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: AskedInstrumentId = field("What is traded.")
    side_code: AskedSideCode = field("Buy or sell.")
    order_type_code: AskedOrderTypeCode = field("Limit or market.")
    time_in_force_code: AskedTimeInForceCode = field("Day, IOC or FOK.")
    price_ticks: AskedTicks = field(
        "Limit; of a pegged order its worst price; zero for a market, stop or trailing order."
    )
    quantity_lots: AskedLots = field("How much.")
    post_only_code: AskedPostOnlyCode = field("What becomes of it where it would take.", default=0)
    self_trade_code: AskedSelfTradeCode = field(
        "What becomes of it where it meets its own group; zero: as the account is set.", default=0
    )
    is_reduce_only: AskedFlag = field("May only make the position smaller.", default=0)
    display_lots: AskedLots = field("Shown at a time; zero shows all.", default=0)
    minimum_lots: AskedLots = field("Refused unless so much is had at once.", default=0)
    stop_ticks: AskedTicks = field("Trades at or beyond it set the order off.", default=0)
    trail_ticks: AskedTicks = field("How far a trailing stop follows.", default=0)
    offset_ticks: AskedTicks = field("How far a pegged order stays behind.", default=0)
    expires_at_ns: AskedNanos = field("End of an order that is good till then.", default=0)
    linked_client_order_id: LinkedClientOrderId = field(
        "The account's other order of a link; zero for none.", default=0
    )
    order_link_code: AskedOrderLinkCode = field("How the two hang together.", default=0)


@record(table="cancel_order", key="sequence", role=Role.COMMAND, type_code=11)
class CancelOrder(Command):
    """Ask for a resting order to be taken off the book."""

    session_id: SessionId = field("Where it came from.")
    account_id: AskedAccountId = field("Whose order.")
    client_order_id: ClientOrderId = field("The client's number of the order.")


@record(table="replace_order", key="sequence", role=Role.COMMAND, type_code=12)
class ReplaceOrder(Command):
    """Ask for a resting order to change price or open quantity. Only a pure reduction keeps priority."""

    session_id: SessionId = field("Where it came from.")
    account_id: AskedAccountId = field("Whose order.")
    client_order_id: ClientOrderId = field("The client's number of the order.")
    price_ticks: AskedTicks = field("The new limit.")
    quantity_lots: AskedLots = field("The new open quantity.")
    post_only_code: AskedPostOnlyCode = field("What becomes of it where it would take.", default=0)


@record(table="cancel_orders", key="sequence", role=Role.COMMAND, type_code=13)
class CancelOrders(Command):
    """Ask for every order to be cancelled that fits; zero fits all. Never refused by a session or a limit."""

    account_id: AskedAccountId = field("Whose orders; zero for everybody's.")
    session_id: SessionId = field("Where they came from; zero for anywhere.")
    instrument_id: AskedInstrumentId = field("Of what; zero for everything.")
    side_code: AskedSideCode = field("Of one side; zero for both.")
    is_disconnect: AskedFlag = field("Because the session ended.")


@record(table="set_kill_switch", key="sequence", role=Role.COMMAND, type_code=14)
class SetKillSwitch(Command):
    """Stop all new orders, or let them in again; cancels and reductions always pass. Source: 17 CFR 240.15c3-5(c)."""

    is_stopped: AskedFlag = field("Whether new orders are refused from now on.")
    operator_id: PersonId = field("Who asked.")


# Events -----------------------------------------------------------------------------------------------------


@record(table="engine_configurations", key="sequence", role=Role.EVENT, type_code=101)
class EngineConfigured(Capacity, Event):
    """The engine's capacities are fixed for this journal."""


@record(table="assets", key="asset_id", role=Role.EVENT, type_code=102)
class AssetRegistered(AssetTerms, Event):
    """An asset is known."""


@record(table="instruments", key="instrument_id", role=Role.EVENT, type_code=103)
class InstrumentListed(InstrumentTerms, Event):
    """An instrument can be traded."""


@record(table="instrument_state_changes", key="sequence", role=Role.EVENT, type_code=104)
class InstrumentStateChanged(Event):
    """An instrument opened, halted or closed."""

    instrument_id: InstrumentId = field("The instrument.")
    instrument_state_code: InstrumentStateCode = field("The state from now on.")
    order_end_code: OrderEndCode = field("Whether it was asked for, or a price band led to it.")


@record(table="marks", key="sequence", role=Role.EVENT, type_code=105)
class MarkChanged(Event):
    """Positions in the instrument are valued at a new price."""

    instrument_id: InstrumentId = field("The instrument.")
    mark_ticks: Ticks = field("The mark from now on.")


@record(table="business_days", key="business_epoch_day", role=Role.EVENT, type_code=106)
class BusinessDayStarted(BusinessDay, Event):
    """A business day began."""

    expired_order_count: Count = field("Day orders of the day before that were taken off the book.")


@record(table="command_refusals", key="sequence", role=Role.EVENT, type_code=109)
class CommandRefused(Event):
    """A command other than a trading command was refused; nothing changed."""

    command_type: RecordTypeCode = field("Type code of the refused command.")
    reject_reason_code: RejectReasonCode = field("Why.")


@record(table="accepted_orders", key="order_id", role=Role.EVENT, type_code=110)
class OrderAccepted(Event):
    """An order passed admission and margin and went to the book."""

    order_id: OrderId = field("The order.")
    account_id: AccountId = field("Who trades.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: InstrumentId = field("What is traded.")
    side_code: SideCode = field("Buy or sell.")
    order_type_code: OrderTypeCode = field("How it is priced.")
    time_in_force_code: TimeInForceCode = field("How long it lives.")
    price_ticks: AskedTicks = field(
        "Limit as accepted: a post-only order may have been moved; zero for none."
    )
    quantity_lots: Lots = field("How much.")


@record(table="refused_orders", key="sequence", role=Role.EVENT, type_code=111)
class OrderRefused(Event):
    """A trading command was refused; book, positions and money are as before. Source: 17 CFR 240.15c3-5(c)."""

    command_type: RecordTypeCode = field("Type code of the refused command: place, cancel or replace.")
    account_id: AskedAccountId = field("Who asked.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: AskedInstrumentId = field(
        "What was to be traded; zero on cancel and replace of the unknown."
    )
    reject_reason_code: RejectReasonCode = field("The first rung of the ladder that said no.")


@record(table="cancelled_orders", key="sequence", role=Role.EVENT, type_code=112)
class OrderCancelled(Event):
    """An order ended before it was filled: its owner or its session asked, or a rule did."""

    order_id: OrderId = field("The order.")
    account_id: AccountId = field("Whose.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: InstrumentId = field("What was to be traded.")
    cancelled_lots: Lots = field("What was still open.")
    order_end_code: OrderEndCode = field("Why.")


@record(table="replaced_orders", key="sequence", role=Role.EVENT, type_code=113)
class OrderReplaced(Event):
    """A resting order changed price or open quantity."""

    order_id: OrderId = field("The order, unchanged.")
    account_id: AccountId = field("Whose.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: InstrumentId = field("What is traded.")
    price_ticks: AskedTicks = field("Limit, or the stop of a stop order, from now on; zero for none.")
    quantity_lots: Lots = field("Open from now on, before any execution that follows.")
    is_priority_kept: Flag = field("Whether it kept its place in the queue.")


@record(table="expired_orders", key="sequence", role=Role.EVENT, type_code=114)
class OrderExpired(Event):
    """What an order could not fill ended: with its time, its auction, or because it may not rest."""

    order_id: OrderId = field("The order.")
    account_id: AccountId = field("Whose.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: InstrumentId = field("What was to be traded.")
    expired_lots: Lots = field("What was still open.")
    order_end_code: OrderEndCode = field("Why.")


@record(table="fills", key="fill_id", role=Role.EVENT, type_code=115)
class Fill(Event):
    """One execution: a taker crossing one resting maker, at the maker's price; in an auction buyer and seller."""

    fill_id: FillId = field("Equals the event's sequence.")
    instrument_id: InstrumentId = field("What was traded.")
    taker_side_code: SideCode = field("Side of the taker; in an auction the buyer stands as taker.")
    price_ticks: Ticks = field("The maker's price, any improvement is the taker's; the auction's price.")
    quantity_lots: Lots = field("How much.")
    notional_minor: Minor = field("Price times quantity in quote minor units, exact.")
    taker_fee_minor: MinorUnits = field("Fee of the taker; negative is paid out; zero for the street.")
    maker_fee_minor: MinorUnits = field("Fee of the maker; negative is paid out; zero for the street.")
    is_auction: Flag = field("Whether an auction matched it.")
    taker_order_id: OrderId = field("The incoming order.")
    taker_account_id: AccountId = field("Whose.")
    maker_order_id: OrderId = field("The resting order.")
    maker_account_id: AccountId = field("Whose.")
    trade_epoch_day: EpochDay = field("Business day of the trade.")
    settlement_epoch_day: EpochDay = field("Contractual settlement date.", cite="17 CFR 240.15c6-1(a)")


@record(table="triggered_orders", key="sequence", role=Role.EVENT, type_code=116)
class OrderTriggered(Event):
    """An order that waited has its turn: a trade reached its stop, its entry ended, its auction began."""

    order_id: OrderId = field("The order.")
    account_id: AccountId = field("Whose.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: InstrumentId = field("What is traded.")
    quantity_lots: Lots = field("What is open.")
    order_end_code: OrderEndCode = field("What set it off.")


@record(table="reduced_orders", key="sequence", role=Role.EVENT, type_code=117)
class OrderReduced(Event):
    """An order shrank without a fill of its own: its other leg was filled, or a rule cut it."""

    order_id: OrderId = field("The order.")
    account_id: AccountId = field("Whose.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: InstrumentId = field("What is traded.")
    reduced_lots: Lots = field("What was taken off.")
    order_end_code: OrderEndCode = field("Why.")


@record(table="shown_orders", key="sequence", role=Role.EVENT, type_code=118)
class OrderShown(Event):
    """What others see of an order that is more than a plain one: it came to the book, moved, or shows more."""

    order_id: OrderId = field("The order.")
    account_id: AccountId = field("Whose.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: InstrumentId = field("What is traded.")
    side_code: SideCode = field("Buy or sell.")
    price_ticks: AskedTicks = field("Where it stands; zero when it waits.")
    quantity_lots: OpenLots = field("Open, shown or not.")
    shown_lots: OpenLots = field("Shown.")


@record(table="auctions", key="sequence", role=Role.EVENT, type_code=119)
class AuctionUncrossed(Event):
    """An auction found its price; its fills follow."""

    instrument_id: InstrumentId = field("What was traded.")
    price_ticks: Ticks = field("The one price: most volume, least surplus, nearest to the reference.")
    quantity_lots: Lots = field("What can trade at it.")
    surplus_lots: OpenLots = field("What is left over at it.")
    surplus_side_code: SideCode = field("On which side.")


@record(table="kill_switches", key="sequence", role=Role.EVENT, type_code=107)
class KillSwitchSet(Event):
    """New orders are refused from now on, or let in again."""

    is_stopped: Flag = field("Whether new orders are refused.")
    operator_id: PersonId = field("Who asked.")


@record(table="set_venue_rules", key="sequence", role=Role.COMMAND, type_code=7)
class SetVenueRules(VenueRules, Command):
    """Ask for an instrument's price bands and steps; only while it is closed."""


@record(table="venue_rules", key="sequence", role=Role.EVENT, type_code=108)
class VenueRulesSet(VenueRules, Event):
    """How an instrument trades from now on."""


@record(table="set_fees", key="sequence", role=Role.COMMAND, type_code=8)
class SetFees(FeeTerms, Command):
    """Ask for what a group of accounts pays on an instrument."""


@record(table="fees", key="sequence", role=Role.EVENT, type_code=123)
class FeesSet(FeeTerms, Event):
    """What a group of accounts pays on an instrument from now on."""


# State ------------------------------------------------------------------------------------------------------


@record(table="instrument_states", key="instrument_id", role=Role.STATE)
class InstrumentRow:
    """An instrument as the compiled pass sees it; row number is instrument_id. Row zero is unused."""

    instrument_id: AskedInstrumentId = field("Zero when not listed.")
    instrument_class_code: InstrumentClassCode = field("What is traded.")
    instrument_state_code: InstrumentStateCode = field("Whether it trades.")
    base_asset_id: AssetId = field("What one lot delivers.")
    quote_asset_id: AssetId = field("Currency of price and settlement.")
    lot_units: AssetUnits = field("Base units in a lot.")
    tick_value_minor: Minor = field("Quote minor units of one tick on one lot.")
    window_floor_ticks: AskedTicks = field("Lowest price of an order.")
    collar_bps: BasisPoints = field("Collar around the mark.")
    max_order_lots: Lots = field("Largest order.")
    margin_bps: BasisPoints = field("Initial margin rate.")
    fee_bps: BasisPoints = field("Taker fee rate.")
    settlement_cycle_count: Count = field("Business days to settlement.")
    settlement_epoch_day: EpochDay = field("Settlement date of a trade made today.")
    symbol_packed: Packed = field("What the venue calls it.")
    mark_ticks: AskedTicks = field("Mark; zero before the first.")


@record(table="order_states", key="order_id", role=Role.STATE)
class OrderRow:
    """An order of the business day as the pipeline knows it, in order of first use of its client order id."""

    account_id: AccountId = field("Whose.")
    client_order_id: ClientOrderId = field("The client's number.")
    order_id: OrderId = field("Ours.")
    instrument_id: InstrumentId = field("What is traded.")
    side_code: SideCode = field("Buy or sell.")
    order_type_code: OrderTypeCode = field("How it is priced.")
    self_trade_code: SelfTradeCode = field("What becomes of it where it meets its own group.")
    price_ticks: AskedTicks = field("Its limit, or the stop of a stop order; zero for none.")
    reserve_ticks: AskedTicks = field("The worst price that it may trade at.")
    reserve_minor: Minor = field(
        "What one lot comes to at that price, fee included; of a bid it is reserved."
    )
    loss_minor: Minor = field(
        "What it reserves for what it would lose as it fills: to the mark, and in fees."
    )
    open_lots: OpenLots = field("What of it lives; zero when it has ended.")
    reserved_lots: OpenLots = field("What of it counts for margin.")
    freed_lots: OpenLots = field("What the entry of an exit was filled for.")
    is_waiting: Flag = field("Whether it reserves no more than its entry was filled for.")
    is_second_leg: Flag = field("Whether it reserves only what its other leg does not.")
    is_reduce_only: Flag = field("Whether it may only reduce.")
    partner_order_id: PartnerOrderId = field("The other leg, zero for none; it may have ended.")
    child_order_id: ChildOrderId = field("The exit that waits for its end, zero for none; it may have ended.")


@record(table="fee_states", key="taker_ppm", role=Role.STATE)
class FeeRow:
    """What a group of accounts pays on an instrument."""

    is_set: Flag = field("Whether a schedule was set; the listing's taker fee counts otherwise.")
    taker_ppm: PartsPerMillion = field("Of the side that takes.")
    maker_ppm: PartsPerMillion = field("Of the side that rests.")
