"""What lies elsewhere or cannot be explained: transfers, suspense, count differences, distributions receivable."""

from __future__ import annotations

from schemas.headers import Command, Event
from schemas.kinds import (
    AccountId,
    AskedAccountId,
    AskedItemId,
    AskedUnits,
    AssetId,
    AssetUnits,
    EpochDay,
    ItemId,
    PersonId,
    SignedUnits,
    SuspenseSideCode,
)
from schemas.record import Role, field, record


@record(table="send_to_transfer", key="sequence", role=Role.COMMAND, type_code=85)
class SendToTransfer(Command):
    """Send securities from custody to a transfer agent or issuer."""

    asset_id: AssetId = field("The security.")
    transfer_units: AskedUnits = field("How many units.")
    opened_epoch_day: EpochDay = field("Since when; zero for today, never after.")
    operator_id: PersonId = field("Who sent them.")


@record(table="acknowledge_transfer", key="sequence", role=Role.COMMAND, type_code=86)
class AcknowledgeTransfer(Command):
    """The transfer agent or issuer confirms in writing that securities are in transfer."""

    item_id: AskedItemId = field("The transfer.")
    operator_id: PersonId = field("Who has the confirmation.")


@record(table="complete_transfer", key="sequence", role=Role.COMMAND, type_code=87)
class CompleteTransfer(Command):
    """Securities came back from transfer, a part or all."""

    item_id: AskedItemId = field("The transfer.")
    returned_units: AskedUnits = field("How many units came back.")
    operator_id: PersonId = field("Who received them.")


@record(table="open_suspense", key="sequence", role=Role.COMMAND, type_code=88)
class OpenSuspense(Command):
    """Book what arrived and is nobody's, or what is gone and nobody has."""

    suspense_side_code: SuspenseSideCode = field("Whether it is here or gone.")
    asset_id: AssetId = field("The currency, security or token.")
    suspense_units: AskedUnits = field("How much.")
    opened_epoch_day: EpochDay = field("Since when; zero for today, never after.")
    operator_id: PersonId = field("Who booked it.")


@record(table="clear_suspense", key="sequence", role=Role.COMMAND, type_code=89)
class ClearSuspense(Command):
    """A suspense entry was explained, a part or all: it is an account's, or went back where it came from."""

    item_id: AskedItemId = field("The entry.")
    cleared_units: AskedUnits = field("How much.")
    account_id: AskedAccountId = field("Whose it is, or who has it; zero where it went back or came back.")
    operator_id: PersonId = field("Who explained it.")


@record(table="record_count_difference", key="sequence", role=Role.COMMAND, type_code=90)
class RecordCountDifference(Command):
    """A count found fewer units than the books say. Source: 17 CFR 240.17a-13."""

    asset_id: AssetId = field("The security.")
    missing_units: AskedUnits = field("How many were not found.")
    opened_epoch_day: EpochDay = field("Day of the count; zero for today, never after.")
    operator_id: PersonId = field("Who counted.")


@record(table="resolve_count_difference", key="sequence", role=Role.COMMAND, type_code=91)
class ResolveCountDifference(Command):
    """Missing units were found or bought in, a part or all."""

    item_id: AskedItemId = field("The difference.")
    found_units: AskedUnits = field("How many are in custody now.")
    operator_id: PersonId = field("Who resolved it.")


@record(table="declare_distribution", key="sequence", role=Role.COMMAND, type_code=92)
class DeclareDistribution(Command):
    """An issuer distributes to its holders: a stock dividend, a split, a dividend in cash."""

    asset_id: AssetId = field("The security that is held.")
    distributed_asset_id: AssetId = field("What is distributed: the security itself, another one, or money.")
    distributed_units: AskedUnits = field("So many units …")
    per_units: AskedUnits = field("… for so many held; what does not divide is dropped.")
    opened_epoch_day: EpochDay = field("Payable since when; zero for today, never after.")
    operator_id: PersonId = field("Who recorded it.")


@record(table="receive_distribution", key="sequence", role=Role.COMMAND, type_code=93)
class ReceiveDistribution(Command):
    """A distribution arrived, a part or all."""

    item_id: AskedItemId = field("The distribution.")
    received_units: AskedUnits = field("How much arrived.")
    operator_id: PersonId = field("Who recorded it.")


@record(table="transfers", key="item_id", role=Role.EVENT, type_code=195)
class TransferSent(Event):
    """Securities are in transfer. Source: 17 CFR 240.15c3-3(c)(3) and 3a, Item 9."""

    item_id: ItemId = field("Equals the event's sequence.")
    asset_id: AssetId = field("The security.")
    transfer_units: AssetUnits = field("How many units.")
    opened_epoch_day: EpochDay = field("Since when.")
    operator_id: PersonId = field("Who sent them.")


@record(table="transfer_acknowledgements", key="sequence", role=Role.EVENT, type_code=196)
class TransferAcknowledged(Event):
    """Securities are confirmed to be in transfer; Item 9 does not count them."""

    item_id: ItemId = field("The transfer.")
    operator_id: PersonId = field("Who has the confirmation.")


@record(table="transfer_returns", key="sequence", role=Role.EVENT, type_code=197)
class TransferCompleted(Event):
    """Securities came back from transfer."""

    item_id: ItemId = field("The transfer.")
    returned_units: AssetUnits = field("How many units came back.")
    open_units: SignedUnits = field("How many are still in transfer.")
    operator_id: PersonId = field("Who received them.")


@record(table="suspense_entries", key="item_id", role=Role.EVENT, type_code=198)
class SuspenseOpened(Event):
    """Something nobody can explain yet was booked. Source: 17 CFR 240.15c3-3a, Item 8."""

    item_id: ItemId = field("Equals the event's sequence.")
    suspense_side_code: SuspenseSideCode = field("Whether it is here or gone.")
    asset_id: AssetId = field("The currency, security or token.")
    suspense_units: AssetUnits = field("How much.")
    opened_epoch_day: EpochDay = field("Since when.")
    operator_id: PersonId = field("Who booked it.")


@record(table="suspense_clearings", key="sequence", role=Role.EVENT, type_code=199)
class SuspenseCleared(Event):
    """A suspense entry became less, or ended."""

    item_id: ItemId = field("The entry.")
    cleared_units: AssetUnits = field("How much.")
    account_id: AskedAccountId = field("Whose it is, or who had it; zero where it went back or came back.")
    open_units: SignedUnits = field("How much is still unexplained.")
    operator_id: PersonId = field("Who explained it.")


@record(table="count_differences", key="item_id", role=Role.EVENT, type_code=200)
class CountDifferenceFound(Event):
    """Units of the books were not found. Source: 17 CFR 240.15c3-3a, Item 7."""

    item_id: ItemId = field("Equals the event's sequence.")
    asset_id: AssetId = field("The security.")
    missing_units: AssetUnits = field("How many were not found.")
    opened_epoch_day: EpochDay = field("Day of the count.")
    operator_id: PersonId = field("Who counted.")


@record(table="count_resolutions", key="sequence", role=Role.EVENT, type_code=201)
class CountDifferenceResolved(Event):
    """Missing units are in custody."""

    item_id: ItemId = field("The difference.")
    found_units: AssetUnits = field("How many are in custody now.")
    open_units: SignedUnits = field("How many are still missing.")
    operator_id: PersonId = field("Who resolved it.")


@record(table="distributions", key="item_id", role=Role.EVENT, type_code=202)
class DistributionDeclared(Event):
    """Owners are credited with a distribution that is receivable. Source: 17 CFR 240.15c3-3a, Item 6."""

    item_id: ItemId = field("Equals the event's sequence.")
    asset_id: AssetId = field("The security that is held.")
    distributed_asset_id: AssetId = field("What is distributed.")
    distributed_units: AssetUnits = field("So many units …")
    per_units: AssetUnits = field("… for so many held.")
    receivable_units: AssetUnits = field("What all accounts are credited with, less what short ones owe.")
    opened_epoch_day: EpochDay = field("Payable since when.")
    operator_id: PersonId = field("Who recorded it.")


@record(table="distribution_credits", key="sequence", role=Role.EVENT, type_code=203)
class DistributionCredited(Event):
    """One account's part of a distribution."""

    item_id: ItemId = field("The distribution.")
    account_id: AccountId = field("Whose.")
    credited_units: SignedUnits = field("How much; negative where the account is short and owes it.")


@record(table="distribution_receipts", key="sequence", role=Role.EVENT, type_code=208)
class DistributionReceived(Event):
    """A distribution arrived."""

    item_id: ItemId = field("The distribution.")
    received_units: AssetUnits = field("How much arrived.")
    open_units: SignedUnits = field("How much is still receivable.")
    operator_id: PersonId = field("Who recorded it.")
