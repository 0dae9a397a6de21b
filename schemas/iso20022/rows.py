"""Rows that several messages share: instruments, quantities, parties, accounts."""

from __future__ import annotations

from schemas.iso20022.codecs import (
    BIC,
    COUNTRY,
    IBAN,
    ISIN,
    MONEY,
    QUANTITY,
    TOKEN_QUANTITY,
    code,
    free_text,
    reference,
)
from schemas.iso20022.message import Choice, Echo, Fields, Group, Leaf, Row

MOVEMENT = code("Movement", "DELI", "RECE")
PAYMENT = code("Payment", "APMT", "FREE")
SIDE = code("Side", "CRDT", "DBIT")


def instrument(path: str) -> Choice:
    """The security by ISIN, or a token or currency by another scheme's identifier."""
    other = (
        Leaf("Id", "other_id", reference(), "Its identifier in another scheme, such as a DTI."),
        Leaf("Tp/Prtry", "other_id_type", reference(), "Which scheme: DTI, CCY, SYMBOL."),
    )
    rows: tuple[Row, ...] = (
        Leaf("ISIN", "isin", ISIN, "The security."),
        Group("OthrId", other, "What has no ISIN.", is_optional=False),
    )
    return Choice(path, rows, "What is delivered.")


def quantity(path: str, doc: str, prefix: str = "", is_optional: bool = False) -> Choice:
    """A quantity in units, or in units of a token when 17 decimals are too few."""
    rows: tuple[Row, ...] = (
        Leaf("Unit", f"{prefix}quantity", QUANTITY, doc),
        Leaf("DgtlTknUnit", f"{prefix}token_quantity", TOKEN_QUANTITY, doc + " Of a token."),
    )
    return Choice(path, rows, doc, is_optional)


def settlement_parties() -> tuple[Row, ...]:
    """Who delivers to whom, in the books of one depository."""
    return (
        Leaf("DlvrgSttlmPties/Dpstry/Id/AnyBIC", "depository_bic", BIC, "Where it settles."),
        Leaf("DlvrgSttlmPties/Pty1/Id/AnyBIC", "deliverer_bic", BIC, "Who delivers."),
        Echo("RcvgSttlmPties/Dpstry/Id/AnyBIC", "depository_bic", BIC, "Where it settles, again."),
        Leaf("RcvgSttlmPties/Pty1/Id/AnyBIC", "receiver_bic", BIC, "Who receives."),
    )


def settlement_amount(path: str) -> Group:
    """The money against the delivery, present unless it is free of payment."""
    rows: tuple[Row, ...] = (
        Leaf("Amt", "amount", MONEY, "Money against the delivery."),
        Leaf("CdtDbtInd", "amount_side", SIDE, "CRDT when the account owner is paid, DBIT when it pays."),
    )
    return Group(path, rows, "The money; absent when free of payment.")


def amount_follows_payment(fields: Fields) -> str | None:
    """Against payment needs an amount; free of payment has none."""
    if (fields.get("payment") == "APMT") != (fields.get("amount") is not None):
        return "payment must be APMT when there is an amount, and FREE when there is none"
    return None


def account(path: str, prefix: str, doc: str) -> Choice:
    """A cash account by IBAN or by the bank's own number."""
    rows: tuple[Row, ...] = (
        Leaf("IBAN", f"{prefix}_iban", IBAN, doc + " As an IBAN."),
        Leaf("Othr/Id", f"{prefix}_account", reference(34), doc + " In the bank's own numbering."),
    )
    return Choice(path, rows, doc)


def address(path: str, prefix: str) -> tuple[Row, ...]:
    """A structured postal address: town and country always, street and post code when known."""
    return (
        Leaf(f"{path}/StrtNm", f"{prefix}_street", free_text(70), "Street and number.", is_optional=True),
        Leaf(f"{path}/PstCd", f"{prefix}_post_code", free_text(16), "Post code.", is_optional=True),
        Leaf(f"{path}/TwnNm", f"{prefix}_town", free_text(35), "Town."),
        Leaf(f"{path}/Ctry", f"{prefix}_country", COUNTRY, "Country."),
    )
