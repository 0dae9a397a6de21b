"""One file from outside to the rows of the lake, by the name of its root."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import MessageRefused
from orchestration.lake.statements import Reading, UnitDigits, read_file
from schemas.codes import AdviceType, EntrySide, StatementType
from schemas.external import BankStatementLine, CustodyHolding, IngestedFile, SettlementAdvice
from schemas.iso20022.catalogue import MESSAGES
from schemas.iso20022.codecs import Quantity
from schemas.iso20022.writing import render
from tests.support.message_samples import DAY, FIELDS, NOON_NS
from tests.support.shared import SHARED


def written(identifier: str, **changes: Any) -> bytes:
    fields = {**FIELDS[identifier], **changes}
    return render(MESSAGES[identifier], {name: value for name, value in fields.items() if value is not None})


def read(raw: bytes, unit_digits: UnitDigits | None = None) -> Reading:
    return read_file(raw, "sent.xml", 7, unit_digits)


def test_a_file_is_known_by_its_digest_and_its_own_reference() -> None:
    raw = written("camt.053.001.08")
    assert read(raw).ingested == IngestedFile(
        file_sha256=hashlib.sha256(raw).hexdigest(),
        file_name="sent.xml",
        message_type="camt.053.001.08",
        message_reference="MSG-1",
        row_count=3,
        deviations="",
        ingested_at_ns=7,
    )


@pytest.mark.parametrize(
    ("identifier", "kind"),
    [("camt.053.001.08", StatementType.STATEMENT), ("camt.054.001.08", StatementType.ADVICE)],
)
def test_statement_and_advice_tell_a_movement_alike(identifier: str, kind: StatementType) -> None:
    raw = written(identifier)
    digest = hashlib.sha256(raw).hexdigest()
    found = read(raw)
    assert found.deviations == ()
    assert found.rows["bank_statement_lines"] == [
        BankStatementLine(
            line_key=f"{digest}:1:1",
            file_sha256=digest,
            statement_type_code=int(kind),
            bank_account="OB-NOSTRO-USD",
            statement_reference="STMT-1",
            entry_reference="BANK-1",
            end_to_end_reference="OB77",
            entry_status="BOOK",
            bank_transaction="SECU/SETT/TRAD",
            entry_side_code=int(EntrySide.DEBIT),
            currency="USD",
            amount=Decimal("12345.00"),
            is_reversal=0,
            booking_epoch_day=DAY,
            value_epoch_day=DAY,
            remittance="Settlement OB77",
        )
    ]
    balances = [(b.balance_type, b.amount) for b in found.rows.get("bank_balances", [])]
    is_statement = kind is StatementType.STATEMENT
    assert balances == ([("OPBD", Decimal(20_000)), ("CLBD", Decimal(7_655))] if is_statement else [])


def test_a_confirmation_of_a_part() -> None:
    raw = written("sese.025.001.11")
    digest = hashlib.sha256(raw).hexdigest()
    assert read(raw).rows == {
        "settlement_advices": [
            SettlementAdvice(
                advice_key=f"{digest}:1",
                file_sha256=digest,
                advice_type_code=int(AdviceType.CONFIRMATION),
                obligation_reference="OB77",
                agent_reference="CC-10",
                isin="US0378331005",
                status="PARTIAL",
                settled_units=60,
                settled_minor=7_407_00,
                settlement_epoch_day=DAY,
                advised_at_ns=NOON_NS,
            )
        ]
    }


def test_the_last_part_and_the_only_one_are_settled() -> None:
    for partial in ("PARC", None):
        [advice] = read(written("sese.025.001.11", partial=partial)).rows["settlement_advices"]
        assert advice.status == "SETTLED"


def test_a_status_tells_the_reason_of_a_failure() -> None:
    [advice] = read(written("sese.024.001.12")).rows["settlement_advices"]
    assert (advice.status, advice.settled_units, advice.settled_minor) == ("LACK", 0, 0)
    assert (advice.advice_type_code, advice.advised_at_ns) == (AdviceType.STATUS, 7)
    pending = written("sese.024.001.12", failing_reason=None, failing_text=None, pending_reason="MONY")
    assert read(pending).rows["settlement_advices"][0].status == "PENDING"


def test_holdings_with_their_sign_and_scale() -> None:
    raw = written("semt.002.001.11")
    first, second = read(raw).rows["custody_holdings"]
    assert first == CustodyHolding(
        holding_key=f"{hashlib.sha256(raw).hexdigest()}:1",
        file_sha256=hashlib.sha256(raw).hexdigest(),
        safekeeping_account="OB-SAFE-1",
        isin="US0378331005",
        holding_units=100,
        statement_epoch_day=DAY,
    )
    assert (second.isin, second.holding_units) == ("4H95J0R2X", -150_000_000)


def test_quantities_are_brought_to_the_known_scale() -> None:
    def holding(quantity: Quantity) -> bytes:
        only = {"isin": "US0378331005", "position": "LONG", "quantity": quantity}
        return written("semt.002.001.11", holdings=[only])

    known = {"US0378331005": 2}
    for quantity, units in ((Quantity(5, 0), 500), (Quantity(55, 1), 550), (Quantity(5000, 3), 500)):
        assert read(holding(quantity), known).rows["custody_holdings"][0].holding_units == units
    with pytest.raises(MessageRefused, match="finer than its 2 decimals"):
        read(holding(Quantity(5001, 3)), known)


def test_an_empty_safekeeping_account_is_no_row_but_a_read_file() -> None:
    found = read(written("semt.002.001.11", holdings=[], has_holdings=False))
    assert (found.rows, found.ingested.row_count) == ({}, 0)


def test_a_security_that_stands_twice_is_refused() -> None:
    twice = FIELDS["semt.002.001.11"]["holdings"][:1] * 2
    with pytest.raises(MessageRefused, match="US0378331005 stands twice"):
        read(written("semt.002.001.11", holdings=twice))


REFUSED = [
    (b"", "the file is empty"),
    (b"\x1f\x8b\x08\x00", "the encoding is not UTF-8"),
    (b"date;amount\n2026-11-22;5", "not well-formed XML"),
    (b"<Document/>", "the root Document in namespace none is no ISO 20022 message"),
    (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "the root html"),
    (written("pain.001.001.09"), "pain.001.001.09 is not a message that is read"),
    (written("camt.053.001.08").replace(b"7655.00", b"7655.01"), "the closing balance is 0.01 USD away"),
    (
        written("sese.025.001.11").replace(b"<SctiesTxTp>", b"<x/><SctiesTxTp>"),
        "SttlmParams has no SctiesTxTp but x",
    ),
    (written("sese.025.001.11")[:-30], "not well-formed XML"),
]


@pytest.mark.parametrize(("raw", "expected"), REFUSED)
def test_other_files_are_refused_in_one_line(raw: bytes, expected: str) -> None:
    with pytest.raises(MessageRefused) as refused:
        read(raw)
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_securities_messages_of_others_are_refused_with_the_element() -> None:
    raw = (SHARED / "iso20022" / "samples" / "securities" / "semt.002.001.11_demo.xml").read_bytes()
    with pytest.raises(MessageRefused, match="StmtGnlDtls has no StmtId but RptNb"):
        read(raw)
