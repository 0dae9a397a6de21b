"""Banks' statements: what becomes of every public sample, and of every way in which a file can be wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest

from schemas.codes import EntrySide, StatementType
from schemas.iso20022.masking import mask_numbers
from schemas.iso20022.refusal import BadMessage
from schemas.iso20022.statements import BankStatement, read_statement
from tests.support.shared import SHARED

FOLDER = SHARED / "iso20022" / "samples" / "bank_statements"
MIXED = "Stmt 1 opens in EUR and closes in SEK, so its sum cannot be checked"
AWAY, FROM = "Stmt 1: the closing balance is", "EUR away from opening plus entries"
PAGE = "Rpt 1 is page 2 of several"
STATED_PAGE = "Stmt 1 is page 2 of several"
NOTIFIED_PAGE = "Ntfctn 1 is page 2 of several"
UNSPLIT = "Ntfctn 1 entry 1 sums 3 transactions without their amounts"  # theirs are in another currency

# file -> lines, balances, deviations; or the reason of the refusal
SAMPLES: dict[str, tuple[int, int, tuple[str, ...]] | str] = {
    "camt052.v1.xml": (1, 0, ()),
    "camt052.v2.other-account.xml": (1, 0, ()),
    "camt052.v2.with-account-name.xml": (1, 0, ()),
    "camt052.v2.xml": (1, 0, ()),
    "camt052.v4.xml": (1, 1, (PAGE,)),
    "camt052.v6.Amt-zero.xml": (1, 1, (PAGE,)),
    "camt052.v6.xml": (1, 1, (PAGE,)),
    "camt052.v8.xml": (1, 0, ()),
    # 1.01 and 8.85 do not come to 4.04
    "camt053.v2.all-balance-types.xml": f"{AWAY} -5.820 {FROM}",
    # 18.150 and 8.850 come to 27.000, not 27.050; the decimals themselves are well
    "camt053.v2.five.decimals.xml": f"{AWAY} 0.050 {FROM}",
    "camt053.v2.minimal.ultimate.xml": (1, 4, (MIXED,)),
    "camt053.v2.minimal.xml": (1, 4, (MIXED,)),
    "camt053.v2.multi.statement.xml": (2, 4, ()),
    "camt053.v2.with-account-name.xml": (1, 1, ()),  # only a closing available balance: no sum to check
    "camt053.v2.with-party-ids.xml": (1, 4, (MIXED,)),
    "camt053.v2.wrong.xml": "there is no Stmt in the file",
    "camt053.v3.xml": (1, 4, (MIXED,)),
    "camt053.v4.xml": (1, 4, (STATED_PAGE, MIXED)),
    "camt053.v8.xml": (1, 4, (STATED_PAGE, MIXED)),
    "camt054.v2.with-account-name.xml": (1, 0, ()),
    "camt054.v2.xml": (1, 0, ()),
    "camt054.v4.xml": (1, 0, (UNSPLIT, NOTIFIED_PAGE)),
    "camt054.v8-with-UETR.xml": (1, 0, ()),
    "camt054.v8-with-financial-institution.xml": (1, 0, ()),
    "camt054.v8.xml": (1, 0, (UNSPLIT, NOTIFIED_PAGE)),
    "camt53.only-Dt-with-DtTm.xml": (0, 1, ()),
}


def read(name: str, *changes: tuple[str, str]) -> BankStatement:
    text = (FOLDER / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return read_statement(text.encode(), "digest")


def reason(name: str, *changes: tuple[str, str]) -> str:
    with pytest.raises(BadMessage) as refused:
        read(name, *changes)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_every_sample_is_judged() -> None:
    assert {path.name for path in FOLDER.glob("*.xml")} == set(SAMPLES)
    assert len(SAMPLES) == 26


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(name: str) -> None:
    expected = SAMPLES[name]
    if isinstance(expected, str):
        assert reason(name) == expected
        return
    found = read(name)
    assert (len(found.lines), len(found.balances), found.deviations) == expected


# The same files with their closing balance put right are read: only the balance was wrong.
RIGHTED = {
    "camt053.v2.all-balance-types.xml": ("4.04", "9.86"),
    "camt053.v2.five.decimals.xml": ("27.050", "27.000"),
}


@pytest.mark.parametrize("name", RIGHTED)
def test_wrong_samples_put_right_are_read(name: str) -> None:
    found = read(name, RIGHTED[name])
    assert [(line.amount, line.currency) for line in found.lines] == [(Decimal("8.85"), "EUR")]


@pytest.mark.parametrize("version", ["v3", "v4", "v8"])
def test_newer_versions_are_read(version: str) -> None:
    [line] = read(f"camt053.{version}.xml").lines
    assert line.bank_account == "NL26VAYB8060476890"
    assert line.entry_status == "BOOK"
    assert line.statement_type_code == StatementType.STATEMENT
    assert line.value_epoch_day - line.booking_epoch_day == 2
    assert line.end_to_end_reference == ("MUELL/FINP/RA12345" if version == "v8" else "")


def test_a_line_tells_what_the_bank_told() -> None:
    found = read("camt053.v2.multi.statement.xml")
    first, second = found.lines
    assert found.message_type == "camt.053.001.02"
    assert found.message_reference == "CAMT053RIB000000000001"
    assert (first.line_key, second.line_key) == ("digest:1:1", "digest:2:1")
    assert second.statement_reference == "254EURNL26VAYB8060476890"
    assert second.end_to_end_reference == "000000002"
    assert (second.entry_side_code, second.amount) == (EntrySide.DEBIT, Decimal("7.00"))
    assert second.bank_transaction == "544"
    assert (second.booking_epoch_day, second.value_epoch_day) == (16435, 16437)
    assert second.remittance == "Transaction Description 2"
    assert [(b.balance_type, b.amount) for b in found.balances][-1] == ("CLBD", Decimal("20.00"))


GOOD = "camt053.v2.multi.statement.xml"
WRONG = [
    ("camt.053.001.02", "camt.053.001.99", "camt.053.001.99 is no bank statement in a version that is read"),
    ("urn:iso:std:iso:20022:tech:xsd:camt.053.001.02", "urn:other", "the root Document in namespace"),
    ("<BkToCstmrStmt>", "<BkToCstmrAcctRpt>", "camt.053.001.02 holds BkToCstmrAcctRpt where one"),
    ("</Document>", "", "not well-formed XML"),
    ("<MsgId>CAMT053RIB000000000001</MsgId>", "", "the group header has no MsgId"),
    ("<IBAN>NL26VAYB8060476890</IBAN>", "", "Stmt 1 has no account number"),
    ('<Amt Ccy="EUR">8.85</Amt>', "", "Stmt 1 entry 1 has no amount"),
    ('Ccy="EUR">8.85', ">8.85", "Stmt 1 entry 1 has no currency"),
    ('"EUR">8.85', '"EUX">8.85', "Stmt 1 entry 1 has currency 'EUX'"),
    (">8.85<", ">8,85<", "Stmt 1 entry 1 has amount '8,85'"),
    (">8.85<", ">-8.85<", "Stmt 1 entry 1 has amount '-8.85'"),
    (">8.85<", ">8.850001<", "Stmt 1 entry 1 has amount '8.850001'"),
    (">8.85<", ">8.85E0<", "Stmt 1 entry 1 has amount '8.85E0'"),
    (">8.85<", ">NaN<", "Stmt 1 entry 1 has amount 'NaN'"),
    (">8.85<", ">٨<", "Stmt 1 entry 1 has amount '٨'"),
    (">8.85<", ">8.86<", f"{AWAY} -0.01 {FROM}"),
    ("<Sts>BOOK</Sts>", "", "Stmt 1 entry 1 has no status"),
    ("<Sts>BOOK</Sts>", "<Sts>PDNG</Sts>", f"{AWAY} 8.85 {FROM}"),
    ("<Dt>2015-01-02</Dt>", "<Dt>2015-02-30</Dt>", "Stmt 1 entry 1 has date '2015-02-30'"),
    ("<Dt>2015-01-02</Dt>", "<Dt>02.01.2015</Dt>", "Stmt 1 entry 1 has date '02.01.2015'"),
    ("<Dt>2014-12-30</Dt>", "", "Stmt 1 balance 1 has no date"),
    ("<RvslInd>false", "<RvslInd>maybe", "Stmt 1 entry 1 has reversal indicator 'maybe'"),
    ("<Document ", "<!DOCTYPE Document><Document ", "a DOCTYPE is never read"),
    ('encoding="UTF-8"', 'encoding="ISO-8859-1"', "the encoding is ISO-8859-1, not UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), WRONG)
def test_wrong_files_are_refused_with_the_reason(old: str, new: str, expected: str) -> None:
    assert reason(GOOD, (old, new)).startswith(expected)


def test_side_is_never_guessed() -> None:
    entry = '<Amt Ccy="EUR">8.85</Amt>\n                <CdtDbtInd>CRDT</CdtDbtInd>'
    for side in ("", "<CdtDbtInd>CREDIT</CdtDbtInd>"):
        found = reason(GOOD, (entry, f'<Amt Ccy="EUR">8.85</Amt>{side}'))
        assert found == "Stmt 1 entry 1 is neither credit nor debit"


def test_a_comment_inside_an_amount_cannot_cut_it() -> None:
    assert read(GOOD, (">8.85<", ">8<!-- x -->.85<")).lines[0].amount == Decimal("8.85")


def test_small_breaches_are_accepted_and_told() -> None:
    zero = '<Ntry><Amt Ccy="EUR">0</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts></Ntry>'
    found = read(
        GOOD,
        ("<Dt>2015-01-02</Dt>", "<Dt>2015-01-02+01:00</Dt>"),
        (">8.85<", "> 8.85 <"),
        ("        </Stmt>", f"{zero}</Stmt>"),
    )
    assert found.deviations == (
        "Stmt 1 entry 1 has blanks around its amount",
        "Stmt 1 entry 1 has a time zone on the date 2015-01-02+01:00",
        "Stmt 1 entry 2 has amount zero",
        "Stmt 1 entry 2 has no bank transaction code",
    )
    assert [line.amount for line in found.lines] == [Decimal("8.85"), 0, Decimal("7.00")]


def test_a_byte_order_mark_is_accepted_and_told() -> None:
    raw = b"\xef\xbb\xbf" + (FOLDER / GOOD).read_bytes()
    assert read_statement(raw, "digest").deviations == ("the file begins with a byte order mark",)


def test_amounts_finer_than_the_currency_are_told() -> None:
    found = read(GOOD, (">8.85<", ">8.855<"), (">27.00<", ">27.005<"))
    assert found.deviations[0] == "Stmt 1 entry 1 has amount 8.855, finer than the minor unit of EUR"


def test_an_entry_of_several_transactions_is_divided_when_their_amounts_tell_it() -> None:
    inner = (
        "<TxDtls><Refs><EndToEndId>OB1</EndToEndId></Refs><AmtDtls><TxAmt>"
        '<Amt Ccy="EUR">8.00</Amt></TxAmt></AmtDtls></TxDtls>'
        "<TxDtls><Refs><EndToEndId>OB2</EndToEndId></Refs><AmtDtls><TxAmt>"
        '<Amt Ccy="EUR">0.85</Amt></TxAmt></AmtDtls></TxDtls>'
    )
    text = (FOLDER / GOOD).read_text(encoding="utf-8")
    start, end = text.index("<TxDtls>"), text.index("</TxDtls>") + len("</TxDtls>")
    found = read_statement((text[:start] + inner + text[end:]).encode(), "digest").lines
    assert [(line.line_key, line.end_to_end_reference, line.amount) for line in found[:2]] == [
        ("digest:1:1/1", "OB1", Decimal("8.00")),
        ("digest:1:1/2", "OB2", Decimal("0.85")),
    ]


def test_not_provided_is_no_reference() -> None:
    assert (
        read(GOOD, ("<EndToEndId>000000001", "<EndToEndId>NOTPROVIDED")).lines[0].end_to_end_reference == ""
    )


ENCODINGS = [(name, True) for name in ("utf-16", "utf-16-le", "utf-32", "cp1252", "utf-7", "cp500")]
ENCODINGS += [(name, False) for name in ("utf-16", "utf-16-le", "utf-32", "cp1252", "cp500")]


@pytest.mark.parametrize(("encoding", "declares"), ENCODINGS)
def test_other_encodings_are_refused(encoding: str, declares: bool) -> None:
    text = (FOLDER / GOOD).read_text(encoding="utf-8").replace("Description", "Beschreibung für")
    head, body = text.split("?>", 1)
    raw = (head.replace("UTF-8", encoding) + "?>" + body if declares else body.strip()).encode(encoding)
    with pytest.raises(BadMessage, match=r"the encoding is|not well-formed XML"):
        read_statement(raw, "digest")


def test_files_are_capped_before_they_are_parsed() -> None:
    with pytest.raises(BadMessage, match="more than the 100 that are read"):
        read_statement(b"<" * 101, "digest", cap=100)
    with pytest.raises(BadMessage, match="the file is empty"):
        read_statement(b" \n", "digest")


MASKED = [
    ("rent NL56AGDH9619008421 thanks", "rent ****8421 thanks"),
    ("NL56 AGDH 9619 0084 21", "****8421"),
    ("card 4111 1111 1111 1234", "card ****1234"),
    ("account 12345678", "account ****5678"),
    ("OB1234567890 stays", "OB1234567890 stays"),
    ("invoice 2026-11", "invoice 2026-11"),
]


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_numbers_of_persons_are_masked(text: str, expected: str) -> None:
    assert mask_numbers(text) == expected


def test_remittance_is_masked_on_the_way_in() -> None:
    found = read(GOOD, ("Transaction Description 1", "for NL56AGDH9619008421"))
    assert found.lines[0].remittance == "for ****8421"
