"""Every semantic scalar, once: what a number means, its unit, its range, and how staging shows it.

A column's unit stands at the end of its name in machine layers. Staging undoes what needs no reference data
(instants, dates, codes, packed text, flags); ticks, lots, units and minor amounts keep their suffix there,
because only an instrument or an asset knows their scale.
"""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum
from typing import Annotated

import pyarrow as pa

from schemas import codes
from schemas.record import MONEY, Kind, Staged


def _code(doc: str, members: type[IntEnum]) -> Kind:
    names = " ".join(f"when {m.value} then '{m.name}'" for m in members)
    staged = Staged("", "varchar", f"case {{column}} {names} end")
    return Kind(doc, "_code", codes=members, staged=staged)


# Positions in the journal -----------------------------------------------------------------------------------
Sequence = Annotated[int, Kind("Position in the one order of all commands and events.", "sequence", ge=1)]
CauseSequence = Annotated[int, Kind("Sequence of the command that caused this.", "cause_sequence", ge=1)]

# Time -------------------------------------------------------------------------------------------------------
Nanos = Annotated[
    int,
    Kind(
        "An instant: nanoseconds since 1970-01-01T00:00Z.",
        "_at_ns",
        ge=0,
        le=1 << 62,  # the year 2116: deadlines that are added to it stay in 64 bits
        staged=Staged("_at", "timestamp_ns", "make_timestamp_ns({column})"),
    ),
]
EpochDay = Annotated[
    int,
    Kind(
        "A calendar date: days since 1970-01-01. Zero means none.",
        "_epoch_day",
        ge=0,
        le=100_000,  # the year 2243
        staged=Staged("_date", "date", "date '1970-01-01' + {column}::integer"),
    ),
]

# Amounts ----------------------------------------------------------------------------------------------------
Ticks = Annotated[int, Kind("A price in ticks of its instrument.", "_ticks", ge=1)]
AskedTicks = Annotated[int, Kind("A price as asked, unchecked; zero where the order has none.", "_ticks")]
Lots = Annotated[int, Kind("A quantity in lots of its instrument.", "_lots", ge=1)]
OpenLots = Annotated[int, Kind("A quantity in lots that may have run out.", "_lots", ge=0)]
AskedLots = Annotated[int, Kind("A quantity in lots as asked, unchecked.", "_lots")]
SignedLots = Annotated[int, Kind("A position in lots: positive is long.", "_lots")]
MinorUnits = Annotated[
    int, Kind("Money in minor units of its currency; the sign is told by the column.", "_minor")
]
Minor = Annotated[int, Kind("Money in minor units of its currency, never negative.", "_minor", ge=0)]
AssetUnits = Annotated[int, Kind("An amount in the smallest units of its asset.", "_units", ge=1)]
SignedUnits = Annotated[int, Kind("A signed amount in the smallest units of its asset.", "_units")]
AskedUnits = Annotated[int, Kind("An amount in smallest units as asked, unchecked.", "_units")]
PartsPerMillion = Annotated[int, Kind("Millionths; negative is paid out.", "_ppm", ge=-10_000, le=10_000)]
BasisPoints = Annotated[int, Kind("Hundredths of a percent.", "_bps", ge=0)]
Count = Annotated[int, Kind("A number of things.", "_count", ge=0)]
Digits = Annotated[int, Kind("How many decimal digits an asset's smallest unit has.", "_digits", ge=0, le=18)]
RatePpm = Annotated[int, Kind("A rate in millionths.", "_ppm", ge=0, le=100_000_000)]
SignedRatePpm = Annotated[int, Kind("A signed rate in millionths.", "_ppm", ge=-10_000_000, le=10_000_000)]
DampingPpm = Annotated[int, Kind("A part of a whole in millionths.", "_ppm", ge=1, le=1_000_000)]
ReturnPpb = Annotated[
    int,
    Kind(
        "A return in thousand-millionths; a price may fall below zero.", "_ppb", ge=-2 * 10**9, le=2 * 10**9
    ),
]
VectorReturnPpb = Annotated[
    int,
    Kind("A profit in thousand-millionths of what it is measured by.", "_ppb", ge=-4 * 10**9, le=4 * 10**9),
]
Word = Annotated[int, Kind("Eight bytes of a SHA-256 digest, big-endian, as a signed integer.", "_word")]
PackedWord = Annotated[int, Kind("Several small numbers in one word; the column says which.", "_word")]
ExpiryNanos = Annotated[
    int,
    Kind(
        "The end of an order: nanoseconds since 1970-01-01T00:00Z; zero for none.", "_at_ns", ge=0, le=1 << 62
    ),
]
Flag = Annotated[
    int,
    Kind(
        "Yes is 1, no is 0.",
        ge=0,
        le=1,
        staged=Staged("", "boolean", "{column} = 1"),
        prefixes=("is_", "has_"),
    ),
]
AskedFlag = Annotated[
    int,
    Kind("Yes is not 0, as asked.", staged=Staged("", "boolean", "{column} <> 0"), prefixes=("is_", "has_")),
]

# Identifiers ------------------------------------------------------------------------------------------------
AccountId = Annotated[int, Kind("A trading account: a dense number given at opening.", "account_id", ge=1)]
AskedAccountId = Annotated[int, Kind("An account as asked, unchecked.", "account_id")]
ClientId = Annotated[int, Kind("A person or firm; who that is stands in the vault only.", "client_id", ge=1)]
AssetId = Annotated[int, Kind("A thing that can be owned: currency, security, token.", "asset_id", ge=1)]
NoAssetId = Annotated[int, Kind("An asset, or zero where there is none.", "asset_id", ge=0)]
InstrumentId = Annotated[int, Kind("A contract that can be traded: a dense number.", "instrument_id", ge=1)]
NoInstrumentId = Annotated[int, Kind("An instrument, or zero where there is none.", "instrument_id", ge=0)]
AskedInstrumentId = Annotated[int, Kind("An instrument as asked, unchecked.", "instrument_id")]
ClientOrderId = Annotated[
    int, Kind("The client's own number of an order, unique in its account and day.", "client_order_id")
]
OrderId = Annotated[
    int, Kind("The engine's number of an order: the sequence of its PlaceOrder.", "order_id", ge=1)
]
NoOrderId = Annotated[int, Kind("An order, or zero where none was found.", "order_id", ge=0)]
LinkedClientOrderId = Annotated[
    int, Kind("The client's own number of another order; zero for none.", "linked_client_order_id")
]
LinkedOrderId = Annotated[int, Kind("Another order, or zero.", "linked_order_id", ge=0)]
PartnerOrderId = Annotated[int, Kind("The other leg of an order, or zero.", "partner_order_id", ge=0)]
EntryOrderId = Annotated[int, Kind("The entry order of an exit, or zero.", "entry_order_id", ge=0)]
ChildOrderId = Annotated[int, Kind("The exit that waits for an entry, or zero.", "child_order_id", ge=0)]
FillId = Annotated[int, Kind("One execution: the sequence of its Fill.", "fill_id", ge=1)]
FeeGroupId = Annotated[int, Kind("Accounts with one schedule of fees.", "fee_group_id", ge=0, le=15)]
GroupId = Annotated[
    int,
    Kind("Accounts that do not trade with one another; zero for none.", "group_id", ge=0, le=(1 << 31) - 1),
]
FactorId = Annotated[int, Kind("A risk factor: a dense number.", "factor_id", ge=1, le=64)]
NoFactorId = Annotated[int, Kind("A risk factor, or zero for none.", "factor_id", ge=0, le=64)]
ScenarioSetId = Annotated[int, Kind("A set of scenarios.", "scenario_set_id", ge=1)]
ScenarioNo = Annotated[int, Kind("A scenario's place in its set.", "scenario_no", ge=1, le=512)]
SessionId = Annotated[int, Kind("The gateway session that sent the command.", "session_id", ge=0)]
PartyId = Annotated[
    int, Kind("Whose ledger account: an account or a bank; zero for the firm itself.", "party_id", ge=0)
]
BankId = Annotated[int, Kind("A bank that holds or lends money.", "bank_id", ge=1)]
CounterpartyId = Annotated[
    int, Kind("Whom securities are borrowed from, lent to or financed with.", "counterparty_id", ge=1)
]
ItemId = Annotated[
    int,
    Kind("A position that is open for a time: the sequence of the event that opened it.", "item_id", ge=1),
]
AskedItemId = Annotated[int, Kind("An open position as named by the outside, unchecked.", "item_id")]
NoItemId = Annotated[int, Kind("An open position, or zero for none.", "item_id", ge=0)]
HouseholdId = Annotated[
    int,
    Kind("Accounts that count as one customer; zero for none.", "household_id", ge=0, le=(1 << 31) - 1),
]
ObligationId = Annotated[
    int, Kind("A settlement obligation: the sequence of its SettlementInstructed.", "obligation_id", ge=1)
]
AskedObligationId = Annotated[int, Kind("An obligation as named by the outside, unchecked.", "obligation_id")]
PaymentId = Annotated[int, Kind("A payment's number, unique for ever.", "payment_id", ge=1)]
IncidentId = Annotated[int, Kind("A data incident's number.", "incident_id", ge=1)]
PersonId = Annotated[
    int, Kind("Whoever acted for the firm: an operator's number, no name.", "operator_id", ge=0)
]
DocumentId = Annotated[int, Kind("A recorded document; its digest proves it.", "document_id", ge=1)]
NoDocumentId = Annotated[int, Kind("A recorded document, or zero where there is none.", "document_id", ge=0)]
ProviderId = Annotated[int, Kind("A service provider, or zero for the firm itself.", "provider_id", ge=0)]
RecordTypeCode = Annotated[int, Kind("The type code of a journaled record.", "_type", ge=1)]
ReferenceId = Annotated[
    int,
    Kind("The sequence of what a posting is for: a fill, an obligation, a payment.", "reference_id", ge=0),
]
Packed = Annotated[
    int,
    Kind(
        "A short identifier of A-Z and 0-9 in base 37.",
        "_packed",
        ge=0,
        staged=Staged("", "varchar", "{{ unpack_text('{column}') }}"),
    ),
]

# Codes ------------------------------------------------------------------------------------------------------
AccountClassCode = Annotated[int, _code("How customer protection treats the account.", codes.AccountClass)]
AccountStatusCode = Annotated[int, _code("Whether the account may act.", codes.AccountStatus)]
AssetClassCode = Annotated[int, _code("What kind of thing is owned.", codes.AssetClass)]
InstrumentClassCode = Annotated[int, _code("What kind of contract is traded.", codes.InstrumentClass)]
InstrumentStateCode = Annotated[int, _code("Whether the instrument trades.", codes.InstrumentState)]
SideCode = Annotated[int, _code("Buy or sell.", codes.Side)]
OrderTypeCode = Annotated[int, _code("How the order is priced.", codes.OrderType)]
TimeInForceCode = Annotated[int, _code("How long the order lives.", codes.TimeInForce)]
PostOnlyCode = Annotated[int, _code("What becomes of it where it would take.", codes.PostOnly)]
SelfTradeCode = Annotated[int, _code("What becomes of it where it meets its own.", codes.SelfTradePrevention)]
OrderLinkCode = Annotated[int, _code("How it hangs together with another.", codes.OrderLink)]
OrderEndCode = Annotated[int, _code("Why an order ended, shrank or moved.", codes.MarketEventReason)]
RejectReasonCode = Annotated[int, _code("Why the command was refused.", codes.RejectReason)]
LedgerAccountKindCode = Annotated[int, _code("Which account of the chart.", codes.LedgerAccountKind)]
FinancingKindCode = Annotated[int, _code("Who gives what for a time.", codes.FinancingKind)]
ClearingAgencyCode = Annotated[int, _code("Where margin lies.", codes.ClearingAgency)]
SuspenseSideCode = Annotated[int, _code("What cannot be explained.", codes.SuspenseSide)]
ReserveFormulaCode = Annotated[int, _code("For whose benefit.", codes.ReserveFormula)]
CapitalMethodCode = Annotated[int, _code("How net capital is reckoned.", codes.CapitalMethod)]
ControlStepCode = Annotated[int, _code("What brings securities back.", codes.ControlStep)]
PostingReasonCode = Annotated[int, _code("Why it moved.", codes.PostingReason)]
ScenarioGroupCode = Annotated[int, _code("How a scenario counts.", codes.ScenarioGroup)]
MarginStateCode = Annotated[int, _code("Where an account stands.", codes.MarginState)]
ObligationSideCode = Annotated[int, _code("What the account does against payment.", codes.ObligationSide)]
IncidentClockCode = Annotated[int, _code("Which deadline.", codes.IncidentClock)]
IncidentStatusCode = Annotated[int, _code("Where the incident stands.", codes.IncidentStatus)]
AwareSourceCode = Annotated[int, _code("Who found it first.", codes.AwareSource)]
ConclusionCode = Annotated[int, _code("What the investigation concluded.", codes.Conclusion)]
NoticeChannelCode = Annotated[int, _code("How the notice was sent.", codes.NoticeChannel)]
DocumentTypeCode = Annotated[int, _code("What the document is.", codes.DocumentType)]
EntrySideCode = Annotated[int, _code("Credit or debit for the account owner.", codes.EntrySide)]
StatementTypeCode = Annotated[int, _code("Which bank report.", codes.StatementType)]
AdviceTypeCode = Annotated[int, _code("Status or confirmation.", codes.AdviceType)]


AskedSideCode = Annotated[int, _code("Buy or sell, as asked.", codes.Side)._replace(codes=None)]
AskedOrderTypeCode = Annotated[
    int, _code("How the order is priced, as asked.", codes.OrderType)._replace(codes=None)
]
AskedTimeInForceCode = Annotated[
    int, _code("How long the order lives, as asked.", codes.TimeInForce)._replace(codes=None)
]
AskedPostOnlyCode = Annotated[
    int, _code("What becomes of it where it would take, as asked.", codes.PostOnly)._replace(codes=None)
]
AskedSelfTradeCode = Annotated[
    int,
    _code("What becomes of it where it meets its own, as asked.", codes.SelfTradePrevention)._replace(
        codes=None
    ),
]
AskedOrderLinkCode = Annotated[
    int, _code("How it hangs together with another, as asked.", codes.OrderLink)._replace(codes=None)
]
AskedNanos = Annotated[
    int,
    Kind(
        "An instant as asked, unchecked; zero for none.",
        "_at_ns",
        # the last nanosecond of 64 bits is no timestamp, and anybody may ask for it
        staged=Staged(
            "_at",
            "timestamp_ns",
            "case when {column} between 1 and 9223372036854775806 then make_timestamp_ns({column}) end",
        ),
    ),
]
AskedCode = Annotated[int, Kind("A code as asked, unchecked.", "_code")]

# Lake only: what others tell us in their own words ------------------------------------------------------------
Text = Annotated[str, Kind("Text as received.", arrow=pa.string())]
Amount = Annotated[Decimal, Kind("Money in major units as the sender wrote it.", arrow=MONEY)]
Sha256 = Annotated[str, Kind("A SHA-256 digest in lower-case hexadecimal.", "sha256", arrow=pa.string())]
