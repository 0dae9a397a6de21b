"""Instructions and payments: what they say, that they are written once, and that a changed file is found."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.clock import FakeClock
from engine.config import Home
from engine.gateway.vault import Person, Vault
from orchestration.lake.tables import DAY_NS, lake_rows
from orchestration.products.messages import write_new, wrong_messages
from orchestration.products.payment_messages.assets import due_payments
from orchestration.products.payment_messages.payments import reserve_movement
from orchestration.products.settlement_messages.instructions import instruction
from schemas.codes import AccountClass, AssetClass, ReserveFormula
from schemas.external import WrittenMessage
from schemas.identity import AccountOpened
from schemas.iso20022.codecs import Money, Quantity
from schemas.iso20022.pacs_009 import PACS_009
from schemas.iso20022.pain_001 import PAIN_001
from schemas.iso20022.reading import parse
from schemas.iso20022.sese_023 import SESE_023
from schemas.market import AssetRegistered, BusinessDayStarted
from schemas.packed import pack
from schemas.payments import WithdrawalApproved
from schemas.reserve import ReserveDepositOrdered
from tests.support.lake_home import NOW_NS, make_home
from tests.support.published import publish

DAY = NOW_NS // DAY_NS
CLOCK = FakeClock(NOW_NS)
ADA = Person(
    name="Ada Quillfeather",
    street="Larkspur Lane",
    building="17",
    postcode="10001",
    town="Zephyrville",
    country="DE",
    iban="DE89370400440532013000",
    bank_bic="NOBKDEF0XXX",
)


def _header(sequence: int) -> dict[str, int]:
    return {"sequence": sequence, "cause_sequence": sequence, "occurred_at_ns": NOW_NS}


def _obligation(**changed: Any) -> dict[str, Any]:
    row = {
        "obligation_id": 7,
        "obligation_reference": "OB7",
        "obligation_side": "RECEIVE",
        "asset_class": "SECURITY",
        "isin": "US0378331005",
        "symbol": "AAPL",
        "obligation_units": 150,
        "asset_digits": 0,
        "currency": "USD",
        "obligation_minor": 2_550_00,
        "trade_date": date(2026, 2, 25),
        "settlement_date": date(2026, 2, 26),
    }
    return {**row, **changed}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    rows = [
        BusinessDayStarted(
            **_header(1),
            business_epoch_day=DAY,
            next_epoch_day=DAY + 1,
            second_epoch_day=DAY + 2,
            expired_order_count=0,
        ),
        AssetRegistered(
            **_header(2),
            asset_id=1,
            asset_class_code=AssetClass.CURRENCY,
            symbol_packed=pack("USD"),
            isin_packed=0,
            unit_digits=2,
        ),
        *(
            AccountOpened(
                **_header(2 + n),
                account_id=n,
                client_id=100 + n,
                account_class_code=AccountClass.CUSTOMER_CASH,
                max_notional_minor=1,
                rate_count=0,
                identity_document_id=0,
            )
            for n in (1, 2)
        ),
        *(
            WithdrawalApproved(
                **_header(4 + n), payment_id=50 + n, account_id=n, asset_id=1, amount_units=12_34
            )
            for n in (1, 2)
        ),
        _reserve_order(),
    ]
    made = make_home(tmp_path, rows[:4], rows[4:6], rows[6:])
    publish(made, "pending_payments", [{"payment_id": 51, "payment_kind": "WITHDRAWAL"}])
    return made


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, {"movement": "RECE", "amount_side": "DBIT", "isin": "US0378331005"}),
        ({"obligation_side": "DELIVER"}, {"movement": "DELI", "amount_side": "CRDT"}),
        (
            {"obligation_side": "PAY_CASH", "obligation_units": 0, "isin": "", "asset_class": "NONE"},
            {"movement": "RECE", "amount_side": "DBIT", "other_id": "AAPL", "quantity": Quantity(0, 0)},
        ),
        ({"obligation_side": "COLLECT_CASH", "obligation_units": 0}, {"amount_side": "CRDT"}),
        ({"obligation_minor": 0}, {"payment": "FREE"}),
        (
            {"isin": "", "asset_class": "TOKEN", "symbol": "ETH", "asset_digits": 18},
            {"token_quantity": Quantity(150, 18), "other_id_type": "SYMBOL"},
        ),
    ],
)
def test_an_instruction_says_what_the_obligation_says(
    home: Home, changed: dict[str, Any], said: dict[str, Any]
) -> None:
    out = instruction(_obligation(**changed))
    (written,) = write_new(home, CLOCK, "settlement_messages", [out])
    fields = parse(SESE_023, (home.root / written.path).read_bytes())
    assert {name: fields[name] for name in said} == said
    assert fields["transaction_reference"] == "OB7"
    if changed.get("obligation_minor") != 0:
        assert fields["amount"] == Money("USD", 2_550_00)


def test_a_message_is_written_once(home: Home) -> None:
    out = instruction(_obligation())
    assert len(write_new(home, CLOCK, "settlement_messages", [out])) == 1
    assert write_new(home, FakeClock(NOW_NS + 5), "settlement_messages", [out]) == []
    (row,) = lake_rows(home, WrittenMessage)
    assert (row.subject_reference, row.written_at_ns) == ("OB7", NOW_NS)
    assert wrong_messages(home, "settlement_messages", [out]) == []


def test_a_missing_a_changed_and_a_stray_message_are_found(home: Home) -> None:
    due = [instruction(_obligation()), instruction(_obligation(obligation_reference="OB8"))]
    (written,) = write_new(home, CLOCK, "settlement_messages", due[:1])
    path = home.root / written.path
    assert wrong_messages(home, "settlement_messages", due) == ["OB8: no sese.023.001.11 was written"]
    later = instruction(_obligation(obligation_units=151))
    assert "does not say what the book says" in wrong_messages(home, "settlement_messages", [later])[0]
    path.with_name("SESE023-OB9.xml").write_bytes(path.read_bytes())
    assert "not on record" in wrong_messages(home, "settlement_messages", due[:1])[0]
    path.with_name("SESE023-OB9.xml").unlink()
    path.write_bytes(path.read_bytes().replace(b"150", b"160"))
    assert "not the bytes that were written" in wrong_messages(home, "settlement_messages", due[:1])[0]


def test_payments_of_the_day(home: Home) -> None:
    Vault.open(home).put(101, ADA)
    due = due_payments(home)
    assert due.problems == []
    written = write_new(home, CLOCK, "payment_messages", due.outgoing)
    assert [w.message_reference for w in written] == ["PAIN001-WD51", "PACS009-RD60"]
    paid, moved = ((home.root / w.path).read_bytes() for w in written)
    pain, pacs = parse(PAIN_001, paid), parse(PACS_009, moved)
    assert (pain["amount"], pain["beneficiary_name"], pain["beneficiary_iban"]) == (
        Money("USD", 12_34),
        ADA.name,
        ADA.iban,
    )
    assert (pacs["amount"], pacs["debtor_account"], pacs["creditor_account"]) == (
        Money("USD", 900_00),
        "OB-NOSTRO-USD",
        "OB-RESERVE-USD",
    )
    assert wrong_messages(home, "payment_messages", due.outgoing) == []


@pytest.mark.parametrize(
    ("bank_id", "formula", "account", "bic", "whose"),
    [
        (1, ReserveFormula.CUSTOMER, "OB-RESERVE-USD", "HRBRUS30XXX", "customers"),
        (2, ReserveFormula.CUSTOMER, "OB-RESERVE-2-USD", "LKSRUS30XXX", "customers"),
        (1, ReserveFormula.PAB, "OB-PAB-RESERVE-USD", "HRBRUS30XXX", "brokers and dealers"),
    ],
)
def test_a_reserve_movement_names_the_account_of_its_formula(
    bank_id: int, formula: int, account: str, bic: str, whose: str
) -> None:
    """17 CFR 240.15c3-3(e)(1): customers' reserve and that for brokers and dealers lie apart."""
    order = _reserve_order(bank_id=bank_id, reserve_formula_code=formula)
    fields = reserve_movement(order, "USD").fields
    assert (fields["creditor_account"], fields["creditor_bank_bic"]) == (account, bic)
    assert fields["remittance"].startswith(f"Reserve for the exclusive benefit of {whose} as of ")


def test_an_unknown_reserve_bank_is_told_and_holds_up_no_other_payment(tmp_path: Path) -> None:
    asset = AssetRegistered(
        **_header(1), asset_id=1, asset_class_code=1, symbol_packed=pack("USD"), isin_packed=0, unit_digits=2
    )
    made = make_home(
        tmp_path, [asset], [_reserve_order(sequence=2, payment_id=61, bank_id=9), _reserve_order(sequence=3)]
    )
    named = [{"payment_id": n, "payment_kind": "RESERVE_DEPOSIT"} for n in (60, 61)]
    publish(made, "pending_payments", named)
    due = due_payments(made)
    assert due.problems == ["RD61: no reserve bank has the number 9"]
    assert [o.subject_reference for o in due.outgoing] == ["RD60"]


def _reserve_order(**changed: int) -> ReserveDepositOrdered:
    return ReserveDepositOrdered(
        **{
            **_header(7),
            "payment_id": 60,
            "asset_id": 1,
            "deposit_minor": 900_00,
            "withdrawal_minor": 0,
            "as_of_epoch_day": DAY,
            "preparer_operator_id": 1,
            "approver_operator_id": 2,
            **changed,
        }
    )


def test_a_name_is_in_its_message_and_in_no_other_file(home: Home) -> None:
    Vault.open(home).put(101, ADA)
    write_new(home, CLOCK, "payment_messages", due_payments(home).outgoing)
    holding = [p for p in home.root.rglob("*") if p.is_file() and b"Quillfeather" in p.read_bytes()]
    assert [p.name for p in holding] == ["PAIN001-WD51.xml"]


def test_an_unknown_beneficiary_is_told_and_holds_up_no_other_payment(home: Home) -> None:
    due = due_payments(home)
    assert due.problems == ["WD51: client 101 is not in the vault"]
    assert [o.subject_reference for o in due.outgoing] == ["RD60"]


def test_a_refused_text_is_not_repeated_in_the_error(home: Home) -> None:
    from dataclasses import replace

    from engine.errors import MessageRefused

    Vault.open(home).put(101, replace(ADA, iban="DE00370400440532013000"))
    with pytest.raises(MessageRefused) as refused:
        write_new(home, CLOCK, "payment_messages", due_payments(home).outgoing)
    assert "0532013000" not in str(refused.value) and refused.value.__cause__ is None
