"""What a message refuses before a byte is written, and what a reader refuses afterwards."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from schemas.iso20022 import check_digits, parties
from schemas.iso20022.catalogue import MESSAGES
from schemas.iso20022.codecs import Money, Quantity, reference
from schemas.iso20022.documentation import PAGE, messages_page
from schemas.iso20022.guideline import validate
from schemas.iso20022.message import DeclarationError, Leaf, message
from schemas.iso20022.reading import parse
from schemas.iso20022.refusal import BadMessage
from schemas.iso20022.writing import compose, render
from tests.support.message_samples import FIELDS
from tests.support.official import FOLDER, official_error

EVERY = pytest.mark.parametrize("identifier", MESSAGES)


@EVERY
def test_the_firms_messages_are_valid_everywhere_and_read_back(identifier: str) -> None:
    declared = MESSAGES[identifier]
    raw = render(declared, FIELDS[identifier])
    validate(declared, raw, official=FOLDER)
    assert official_error(identifier, raw) is None
    assert parse(declared, raw) == FIELDS[identifier]


@EVERY
def test_every_required_field_is_missed(identifier: str) -> None:
    for name in FIELDS[identifier]:
        fields = {k: v for k, v in FIELDS[identifier].items() if k != name}
        try:
            assert parse(MESSAGES[identifier], render(MESSAGES[identifier], fields)).get(name) in (None, [])
        except BadMessage as refused:
            assert str(refused).startswith(identifier)


PAIN = "pain.001.001.09"
SESE = "sese.023.001.11"
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (PAIN, {"message_reference": None}, "GrpHdr/MsgId (message_reference): missing"),
    (PAIN, {"message_reference": "A//B"}, "breaks pattern"),
    (PAIN, {"message_reference": " A"}, "breaks pattern"),
    (PAIN, {"message_reference": ""}, "breaks pattern"),
    (PAIN, {"message_reference": "Größe"}, "breaks pattern"),
    (PAIN, {"message_reference": "A" * 36}, "breaks maxLength 35"),
    (PAIN, {"payment_reference": "A" * 17}, "breaks maxLength 16"),
    (PAIN, {"message_reference": 7}, "7 is not text"),
    (PAIN, {"amount": Money("USD", 0)}, "breaks minExclusive 0"),
    (PAIN, {"amount": Money("USD", -5)}, "-5 is negative"),
    (PAIN, {"amount": Money("BTC", 5)}, "'BTC' is not an active ISO 4217 currency"),
    (PAIN, {"amount": Money("XAU", 5)}, "'XAU' is not an active ISO 4217 currency"),
    (PAIN, {"amount": 12.5}, "12.5 is not Money(currency, minor)"),
    (PAIN, {"amount": Money("USD", 10**18)}, "breaks"),
    (PAIN, {"firm_lei": "ONEBOOKBROKER0000076"}, "has a wrong check digit"),
    (PAIN, {"beneficiary_bank_aba": "021000022"}, "has a wrong check digit"),
    (PAIN, {"bank_bic": "FNOSUS3"}, "breaks pattern"),
    (PAIN, {"beneficiary_bank_bic": "FNOSUS30"}, "set exactly one of beneficiary_bank_bic or"),
    (PAIN, {"beneficiary_account": None}, "set exactly one of beneficiary_iban or beneficiary_account"),
    (PAIN, {"beneficiary_name": "李雷"}, "U+674E CJK UNIFIED IDEOGRAPH-674E has no spelling"),
    (PAIN, {"beneficiary_name": "A\u202eB"}, "U+202E RIGHT-TO-LEFT OVERRIDE has no spelling"),
    (PAIN, {"beneficiary_name": "A\x00B"}, "U+0000 control character has no spelling"),
    (PAIN, {"uetr": "F81D4FAE-7DEC-41D0-A765-00A0C91E6BF6"}, "breaks pattern"),
    (PAIN, {"created_at_ns": -1}, "instant -1 lies outside 1970 to 2099"),
    (PAIN, {"execution_epoch_day": 10**6}, "epoch day 1000000 lies outside 1970 to 2099"),
    (PAIN, {"beneficary_name": "x"}, "no such field: beneficary_name"),
    (SESE, {"isin": "US0378331006"}, "has a wrong check digit"),
    (SESE, {"isin": None}, "set exactly one of isin or other_id"),
    (SESE, {"quantity": Quantity(-1, 0)}, "is negative"),
    (SESE, {"quantity": 100}, "100 is not Quantity(units, digits)"),
    (SESE, {"quantity": Quantity(1, 18)}, "breaks"),
    (SESE, {"movement": "SEND"}, "'SEND' is not one of DELI, RECE"),
    (SESE, {"payment": "FREE"}, "payment must be APMT when there is an amount"),
    (SESE, {"amount": None}, "SttlmAmt/Amt (amount): missing"),
    (SESE, {"amount": None, "amount_side": None}, "payment must be APMT when there is an amount"),
]  # fmt: skip


@pytest.mark.parametrize(("identifier", "change", "expected"), REFUSED)
def test_bad_values_are_refused_before_anything_is_written(
    identifier: str, change: dict[str, Any], expected: str
) -> None:
    with pytest.raises(BadMessage) as refused:
        render(MESSAGES[identifier], {**FIELDS[identifier], **change})
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_money_is_written_with_the_decimals_of_its_currency() -> None:
    for currency, written in (("JPY", "1234500"), ("USD", "12345.00"), ("KWD", "1234.500")):
        fields = {**FIELDS[PAIN], "amount": Money(currency, 1_234_500)}
        raw = render(MESSAGES[PAIN], fields).decode()
        assert f'<InstdAmt Ccy="{currency}">{written}</InstdAmt>' in raw
        assert raw.count(f"<CtrlSum>{written}</CtrlSum>") == 2


def test_names_are_spelt_in_the_schemes_characters_and_told() -> None:
    composed = compose(MESSAGES[PAIN], {**FIELDS[PAIN], "beneficiary_name": "Jürgen Groß–Łuk & Söhne €"})
    assert b"<Nm>Jurgen Gross-Luk &amp; Sohne EUR</Nm>" in composed.raw
    assert composed.respelt == (
        "CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/Cdtr/Nm (beneficiary_name): "
        "'Jürgen Groß–Łuk & Söhne €' written as 'Jurgen Gross-Luk & Sohne EUR'",
    )


def test_tokens_keep_every_decimal() -> None:
    fields: dict[str, Any] = {**FIELDS[SESE], "token_quantity": Quantity(123_456_789_012_345_678, 18)}
    del fields["quantity"], fields["isin"]
    fields |= {"other_id": "X9J9K872S", "other_id_type": "DTI"}
    raw = render(MESSAGES[SESE], fields)
    assert b"<DgtlTknUnit>0.123456789012345678</DgtlTknUnit>" in raw
    assert official_error(SESE, raw) is None
    assert parse(MESSAGES[SESE], raw) == fields


TAMPERED = [
    ("<MsgId>MSG-1</MsgId>", "", "GrpHdr has no MsgId"),
    ("<MsgId>MSG-1</MsgId>", "<MsgId>MSG-1</MsgId><MsgId>MSG-1</MsgId>", "MsgId stands twice"),
    ("<MsgId>MSG-1</MsgId>", '<MsgId x="1">MSG-1</MsgId>', "unknown attribute x"),
    ("<MsgId>MSG-1</MsgId>", "<MsgId><b/>MSG-1</MsgId>", "MsgId must hold text only"),
    ("<NbOfTxs>1</NbOfTxs>", "<NbOfTxs>2</NbOfTxs>", "NbOfTxs is '2', not '1'"),
    (
        "<CtrlSum>12345.00</CtrlSum>",
        "<CtrlSum>12345.01</CtrlSum>",
        "CtrlSum is '12345.01', which is not amount",
    ),
    (">12345.00</InstdAmt>", ">12345.001</InstdAmt>", "12345.001 is finer than the minor unit of USD"),
    (">12345.00</InstdAmt>", "> 12345.00</InstdAmt>", "breaks pattern"),
    ('Ccy="USD"', 'Ccy="USX"', "'USX' is not an active ISO 4217 currency"),
    ("<ChrgBr>SHAR</ChrgBr>", "<ChrgBr>SHAR</ChrgBr><Purp/>", "PmtInf has no CdtTrfTxInf but Purp"),
    ("</CdtTrfTxInf>", "</CdtTrfTxInf><Purp/>", "Purp is not expected in PmtInf"),
    ("<ChrgBr>SHAR</ChrgBr>", "<ChrgBr>SHAR</ChrgBr>x", "holds text between its elements"),
    ("<FinInstnId><BICFI>FNOSUS30XXX</BICFI></FinInstnId>", "<FinInstnId/>", "FinInstnId has no BICFI"),
    ("pain.001.001.09", "pain.001.001.03", "this is pain.001.001.03, not pain.001.001.09"),
    ("<?xml", "<!DOCTYPE a><?xml", "not well-formed XML"),
]


@pytest.mark.parametrize(("old", "new", "expected"), TAMPERED)
def test_readers_refuse_what_the_table_does_not_say(old: str, new: str, expected: str) -> None:
    text = render(MESSAGES[PAIN], FIELDS[PAIN]).decode()
    assert old in text
    with pytest.raises(BadMessage) as refused:
        parse(MESSAGES[PAIN], text.replace(old, new, 1).encode())
    assert expected in str(refused.value)


def test_the_guideline_refuses_in_one_line() -> None:
    raw = render(MESSAGES[PAIN], FIELDS[PAIN]).replace(b"SHAR", b"OUR")
    with pytest.raises(BadMessage, match=r"pain.001.001.09: line 2: .*ChrgBr.*SHAR"):
        validate(MESSAGES[PAIN], raw)


def test_a_missing_official_schema_is_told(tmp_path: Any) -> None:
    with pytest.raises(BadMessage, match=r"there is no official schema pain.001.001.09.xsd"):
        validate(MESSAGES[PAIN], render(MESSAGES[PAIN], FIELDS[PAIN]), official=tmp_path)


def test_external_entities_never_reach_a_field(tmp_path: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    text = render(MESSAGES[PAIN], FIELDS[PAIN]).decode().replace("MSG-1", "&x;")
    doctype = f'<!DOCTYPE Document [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    with pytest.raises(BadMessage, match="a DOCTYPE is never read"):
        parse(MESSAGES[PAIN], text.replace("<Document", doctype + "<Document", 1).encode())


def test_declaring_an_element_or_a_field_twice_is_an_error() -> None:
    leaf = Leaf("A/B", "b", reference(), "")
    with pytest.raises(DeclarationError, match="A/B is declared in two places"):
        message("test.001.001.01", "Test", "", "", (leaf, leaf._replace(field="c")))
    with pytest.raises(DeclarationError, match="declared twice: b"):
        message("test.001.001.01", "Test", "", "", (leaf, leaf._replace(path="A/C")))


def test_rendering_changes_nothing_of_the_callers() -> None:
    for identifier, fields in FIELDS.items():
        before = copy.deepcopy(fields)
        render(MESSAGES[identifier], fields)
        assert fields == before


def test_parties_have_right_check_digits_and_test_codes() -> None:
    for party in (
        parties.FIRM,
        parties.NOSTRO_BANK,
        parties.RESERVE_BANK,
        parties.CUSTODIAN,
        parties.CLEARING_HOUSE,
    ):
        assert check_digits.is_lei(party.lei), party
        assert party.bic[7] == "0", party
        assert not party.aba or (party.aba.startswith("99") and check_digits.is_aba(party.aba)), party


KNOWN = [
    (check_digits.is_isin, "US0378331005", "US0378331006"),
    (check_digits.is_isin, "DE000BASF111", "DE000BASF112"),
    (check_digits.is_lei, "5493001KJTIIGC8Y1R12", "5493001KJTIIGC8Y1R13"),
    (check_digits.is_iban, "GB33BUKB20201555555555", "GB34BUKB20201555555555"),
    (check_digits.is_aba, "021000021", "021000022"),
]


@pytest.mark.parametrize(("holds", "good", "bad"), KNOWN)
def test_check_digits_of_published_identifiers(holds: Any, good: str, bad: str) -> None:
    assert holds(good)
    assert not holds(bad)


def test_the_page_of_messages_is_fresh() -> None:
    root = Path(__file__).resolve().parents[2]
    assert (root / PAGE).read_text(encoding="utf-8") == messages_page()
