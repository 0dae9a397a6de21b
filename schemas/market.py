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
    AskedOrderTypeCode,
    AskedSideCode,
    AskedTicks,
    AskedTimeInForceCode,
    AssetClassCode,
    AssetId,
    AssetUnits,
    BasisPoints,
    ClientOrderId,
    Count,
    Digits,
    EpochDay,
    FillId,
    Flag,
    InstrumentClassCode,
    InstrumentId,
    InstrumentStateCode,
    Lots,
    Minor,
    NoOrderId,
    OpenLots,
    OrderId,
    OrderTypeCode,
    Packed,
    RecordTypeCode,
    RejectReasonCode,
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
    window_count: Count = field("How many ticks a book spans; a multiple of 64.")


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
    window_floor_ticks: AskedTicks = field("Lowest price that the book can hold.")
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
    is_post_only: AskedFlag = field("Refuse rather than take.")
    price_ticks: AskedTicks = field("Limit; zero for a market order.")
    quantity_lots: AskedLots = field("How much.")


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
    order_type_code: OrderTypeCode = field("Limit or market.")
    time_in_force_code: TimeInForceCode = field("Day, IOC or FOK.")
    price_ticks: AskedTicks = field("Limit; zero for a market order.")
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
    """A resting order left the book because its owner asked."""

    order_id: OrderId = field("The order.")
    account_id: AccountId = field("Whose.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: InstrumentId = field("What was to be traded.")
    cancelled_lots: Lots = field("What was still open.")


@record(table="replaced_orders", key="sequence", role=Role.EVENT, type_code=113)
class OrderReplaced(Event):
    """A resting order changed price or open quantity."""

    order_id: OrderId = field("The order, unchanged.")
    account_id: AccountId = field("Whose.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: InstrumentId = field("What is traded.")
    price_ticks: Ticks = field("Limit from now on.")
    quantity_lots: Lots = field("Open from now on, before any execution that follows.")
    is_priority_kept: Flag = field("Whether it kept its place in the queue.")


@record(table="expired_orders", key="sequence", role=Role.EVENT, type_code=114)
class OrderExpired(Event):
    """What an order could not fill ended: the rest of a market or IOC order, or a day order at day's end."""

    order_id: OrderId = field("The order.")
    account_id: AccountId = field("Whose.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: InstrumentId = field("What was to be traded.")
    expired_lots: Lots = field("What was still open.")


@record(table="fills", key="fill_id", role=Role.EVENT, type_code=115)
class Fill(Event):
    """One execution: a taker order crossing one resting maker order, at the maker's price."""

    fill_id: FillId = field("Equals the event's sequence.")
    instrument_id: InstrumentId = field("What was traded.")
    taker_side_code: SideCode = field("Side of the taker.")
    price_ticks: Ticks = field("The maker's limit; any improvement is the taker's.")
    quantity_lots: Lots = field("How much.")
    notional_minor: Minor = field("Price times quantity in quote minor units, exact.")
    taker_fee_minor: Minor = field("Fee of the taker; zero for an account of the street.")
    taker_order_id: OrderId = field("The incoming order.")
    taker_account_id: AccountId = field("Whose.")
    maker_order_id: OrderId = field("The resting order.")
    maker_account_id: AccountId = field("Whose.")
    trade_epoch_day: EpochDay = field("Business day of the trade.")
    settlement_epoch_day: EpochDay = field("Contractual settlement date.", cite="17 CFR 240.15c6-1(a)")


# State ------------------------------------------------------------------------------------------------------


@record(table="resting_orders", key="order_id", role=Role.STATE)
class RestingOrder:
    """One order on a book; a row of the order pool. Row zero is nobody."""

    order_id: NoOrderId = field("Zero when the row is free.")
    account_id: AskedAccountId = field("Whose.")
    client_order_id: ClientOrderId = field("The client's number.")
    instrument_id: AskedInstrumentId = field("Which book.")
    side_code: AskedSideCode = field("Which side.")
    price_ticks: AskedTicks = field("Limit.")
    open_lots: OpenLots = field("What is still to be filled.")
    previous_count: Count = field("Row of the order ahead in the queue; zero at the head.")
    next_count: Count = field("Row of the order behind; in a free row, the next free row.")


@record(table="book_levels", key="open_lots", role=Role.STATE)
class BookLevel:
    """The queue at one price on one side of one book."""

    head_count: Count = field("Row of the oldest order; zero when empty.")
    tail_count: Count = field("Row of the youngest order.")
    open_lots: OpenLots = field("Sum over the queue.")
    order_count: Count = field("Length of the queue.")


@record(table="crossings", key="maker_order_id", role=Role.STATE)
class Crossing:
    """One resting order that a taker met, between matching and posting."""

    maker_count: Count = field("Row of the maker; free again when nothing of it is open.")
    maker_order_id: OrderId = field("The maker.")
    maker_account_id: AccountId = field("Whose.")
    maker_client_order_id: ClientOrderId = field("The client's number of it.")
    price_ticks: Ticks = field("The maker's limit.")
    quantity_lots: Lots = field("How much was traded.")
    maker_open_lots: OpenLots = field("What the maker has left.")


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
    window_floor_ticks: AskedTicks = field("Lowest price of the book.")
    collar_bps: BasisPoints = field("Collar around the mark.")
    max_order_lots: Lots = field("Largest order.")
    margin_bps: BasisPoints = field("Initial margin rate.")
    fee_bps: BasisPoints = field("Taker fee rate.")
    settlement_cycle_count: Count = field("Business days to settlement.")
    settlement_epoch_day: EpochDay = field("Settlement date of a trade made today.")
    mark_ticks: AskedTicks = field("Mark; zero before the first.")
    best_bid_ticks: AskedTicks = field("Highest bid as an offset in the window; minus one when none.")
    best_ask_ticks: AskedTicks = field("Lowest ask as an offset in the window; minus one when none.")
