"""What others tell us, and what products file: facts of the lake that no engine decided."""

from __future__ import annotations

from schemas.kinds import (
    AdviceTypeCode,
    Amount,
    Count,
    EntrySideCode,
    EpochDay,
    Flag,
    MinorUnits,
    Nanos,
    Sha256,
    SignedUnits,
    StatementTypeCode,
    Text,
)
from schemas.record import Role, field, record


@record(table="ingested_files", key="file_sha256", role=Role.EXTERNAL)
class IngestedFile:
    """A file from outside that was read whole into the lake; the same bytes are never read twice."""

    file_sha256: Sha256 = field("Digest of its bytes.")
    file_name: Text = field("What the sender called it.")
    message_type: Text = field("ISO 20022 message identifier.")
    message_reference: Text = field("The sender's own reference of the message.")
    row_count: Count = field("Rows that came of it.")
    deviations: Text = field("What breaks the standard and was accepted nevertheless; empty when nothing.")
    ingested_at_ns: Nanos = field("When.")


@record(table="quarantined_files", key="file_sha256", role=Role.EXTERNAL)
class QuarantinedFile:
    """A file from outside that could not be read; its bytes are kept and the reason is told."""

    file_sha256: Sha256 = field("Digest of its bytes.")
    file_name: Text = field("What the sender called it.")
    reason: Text = field("What is wrong with it, in one line.")
    kept_path: Text = field("Where its bytes are kept, relative to the home folder.")
    ingested_at_ns: Nanos = field("When.")


@record(table="bank_balances", key="balance_key", role=Role.EXTERNAL)
class BankBalance:
    """One balance of one bank statement."""

    balance_key: Text = field("File digest, statement and balance by number.")
    file_sha256: Sha256 = field("The file.")
    bank_account: Text = field("IBAN or the bank's own number.")
    statement_reference: Text = field("The statement.")
    balance_type: Text = field("OPBD, CLBD and so on.")
    currency: Text = field("ISO 4217.")
    amount: Amount = field("Positive is a credit balance.")
    balance_epoch_day: EpochDay = field("Of what day.")


@record(table="bank_statement_lines", key="line_key", role=Role.EXTERNAL)
class BankStatementLine:
    """One booked movement on one of our bank accounts, as the bank tells it."""

    line_key: Text = field("File digest, statement and entry by number.")
    file_sha256: Sha256 = field("The file.")
    statement_type_code: StatementTypeCode = field("Intraday report, statement or advice.")
    bank_account: Text = field("IBAN or the bank's own number.")
    statement_reference: Text = field("The statement.")
    entry_reference: Text = field("The bank's reference of the entry; the same in advice and statement.")
    end_to_end_reference: Text = field("The payer's reference, ours where we pay; empty when none.")
    entry_status: Text = field("BOOK, PDNG, INFO.")
    bank_transaction: Text = field("The bank's transaction code, domain/family/subfamily or its own.")
    entry_side_code: EntrySideCode = field("Credit or debit for the account owner.")
    currency: Text = field("ISO 4217.")
    amount: Amount = field("Never negative; the side tells the direction.")
    is_reversal: Flag = field("Whether it takes back an earlier entry.")
    booking_epoch_day: EpochDay = field("When the bank booked it; zero when it did not say.")
    value_epoch_day: EpochDay = field("From when it counts; zero when it did not say.")
    remittance: Text = field("What the payer wrote; account numbers of persons are masked.")


@record(table="settlement_advices", key="advice_key", role=Role.EXTERNAL)
class SettlementAdvice:
    """What the clearing house says of one of our instructions."""

    advice_key: Text = field("File digest and position.")
    file_sha256: Sha256 = field("The file.")
    advice_type_code: AdviceTypeCode = field("Status or confirmation.")
    obligation_reference: Text = field("Our reference of the obligation.")
    agent_reference: Text = field("The clearing house's own reference of the movement.")
    isin: Text = field("The security.")
    status: Text = field("SETTLED, PARTIAL, or the failing reason code.")
    settled_units: SignedUnits = field("Units delivered; zero on a status.")
    settled_minor: MinorUnits = field("Money paid; zero on a status.")
    settlement_epoch_day: EpochDay = field("When it settled or should have.")
    advised_at_ns: Nanos = field("When the message was made.")


@record(table="custody_holdings", key="holding_key", role=Role.EXTERNAL)
class CustodyHolding:
    """What the custodian says it holds for us in one security."""

    holding_key: Text = field("File digest and position.")
    file_sha256: Sha256 = field("The file.")
    safekeeping_account: Text = field("The custodian's account number.")
    isin: Text = field("The security.")
    holding_units: SignedUnits = field("Units held.")
    statement_epoch_day: EpochDay = field("As of the close of what day.")


@record(table="written_messages", key="message_reference", role=Role.EXTERNAL)
class WrittenMessage:
    """An ISO 20022 message that a product wrote."""

    message_reference: Text = field("Its identification, unique for ever.")
    message_type: Text = field("ISO 20022 message identifier.")
    subject_reference: Text = field("What it is about: an obligation or a payment.")
    path: Text = field("The file, relative to the home folder.")
    file_sha256: Sha256 = field("Digest of its bytes.")
    written_at_ns: Nanos = field("When.")


@record(table="filed_reserves", key="filing_reference", role=Role.EXTERNAL)
class FiledReserve:
    """A reserve computation as filed. Source: 17 CFR 240.15c3-3(e)(3)."""

    filing_reference: Text = field("Day and version.")
    as_of_epoch_day: EpochDay = field("The day computed for.")
    credits_minor: MinorUnits = field("Items 1 to 9.")
    debits_minor: MinorUnits = field("Items 10 to 15, before the reduction.")
    reduction_minor: MinorUnits = field("What the rule takes off the debits.")
    requirement_minor: MinorUnits = field("Item 16: what must be on deposit.")
    deposit_minor: MinorUnits = field("What is on deposit before the order.")
    due_at_ns: Nanos = field("Deadline of the deposit.")
    path: Text = field("The statement, relative to the home folder.")
    file_sha256: Sha256 = field("Digest of its bytes.")


@record(table="evidence_bundles", key="bundle_reference", role=Role.EXTERNAL)
class EvidenceBundle:
    """A signed evidence bundle of one incident."""

    bundle_reference: Text = field("Incident and digest.")
    incident_reference: Text = field("The incident.")
    path: Text = field("The folder, relative to the home folder.")
    manifest_sha256: Sha256 = field("Digest of the signed manifest.")
    document_count: Count = field("Files in it.")
    made_at_ns: Nanos = field("When.")


@record(table="lake_watermarks", key="table_name", role=Role.EXTERNAL)
class LakeWatermark:
    """How far the journal has reached the lake: everything at or below the sequence is readable."""

    table_name: Text = field("Which shard's journal; readers of every table filter by it.")
    watermark_count: Count = field("Highest sequence that is whole in every table.")
    frame_count: Count = field("Frames written so far.")
    written_at_ns: Nanos = field("When.")
