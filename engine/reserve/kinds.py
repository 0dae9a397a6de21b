"""The closed sets of a case: who is owed, where it is, what accounts there are, and which totals come alone.

Owns: the words as they stand in the files. Does not own what follows from them (`matrix.py`).
Source: 17 CFR 240.17a-3(a)(5) for claims and locations, 240.15c3-3(a)(1) and (16) for accounts.
"""

from __future__ import annotations

from enum import StrEnum

from engine.reserve.terms import Formula


class Claim(StrEnum):
    """Who is owed securities: the long side of the stock record."""

    CUSTOMER_FULLY_PAID = "customer_fully_paid"
    CUSTOMER_MARGIN = "customer_margin"
    PAB = "pab"
    NONCUSTOMER = "noncustomer"
    FIRM = "firm"
    FAIL_TO_DELIVER = "fail_to_deliver"
    BORROW = "borrow"
    REVERSE_REPO = "reverse_repo"
    SUSPENSE = "suspense"


class Location(StrEnum):
    """Where securities are: the short side of the stock record."""

    BOX = "box"
    DEPOSITORY = "depository"
    BANK_LOAN = "bank_loan"
    REPO = "repo"
    LOAN = "loan"
    FAIL_TO_RECEIVE = "fail_to_receive"
    CUSTOMER_SHORT = "customer_short"
    PAB_SHORT = "pab_short"
    NONCUSTOMER_SHORT = "noncustomer_short"
    FIRM_SHORT = "firm_short"
    TRANSFER = "transfer"
    DIVIDEND_RECEIVABLE = "dividend_receivable"
    COUNT_DIFFERENCE = "count_difference"
    SUSPENSE = "suspense"
    OCC = "occ"
    TREASURY_CLEARING = "treasury_clearing"


class Holder(StrEnum):
    """How an account is treated."""

    CUSTOMER_CASH = "customer_cash"
    CUSTOMER_MARGIN = "customer_margin"
    PAB = "pab"
    NONCUSTOMER = "noncustomer"
    FIRM = "firm"


# Other spellings of `class` that mean the same; `customer` is taken as margin, of which more notes ask.
_ALSO = {
    "cash": Holder.CUSTOMER_CASH,
    "customer": Holder.CUSTOMER_MARGIN,
    "margin": Holder.CUSTOMER_MARGIN,
    "non_customer": Holder.NONCUSTOMER,
}
HOLDER_SPELLINGS: dict[str, Holder] = {
    spelling.replace("_", joint): holder
    for joint in ("_", " ", "-")
    for spelling, holder in ({h.value: h for h in Holder} | _ALSO).items()
}

FORMULA_OF_HOLDER: dict[Holder, Formula] = {
    Holder.CUSTOMER_CASH: Formula.CUSTOMER,
    Holder.CUSTOMER_MARGIN: Formula.CUSTOMER,
    Holder.PAB: Formula.PAB,
}


class Total(StrEnum):
    """An amount that comes without a row of the stock record."""

    FREE_CREDITS = "free_credits"
    DRAFTS = "drafts"
    MARGIN_DEBITS_DIVERSIFIED = "margin_debits_diversified"
    OCC_MARGIN = "occ_margin"
    SFP_MARGIN = "sfp_margin"
    TREASURY_MARGIN = "treasury_margin"
    DIVIDENDS_RECEIVABLE = "dividends_receivable"
    COUNT_DIFFERENCES_SHORT = "count_differences_short"
    SUSPENSE_SHORT = "suspense_short"
    TRANSFERS_UNCONFIRMED = "transfers_unconfirmed"


ITEM_OF_TOTAL: dict[Total, int] = {
    Total.FREE_CREDITS: 1,
    Total.DRAFTS: 1,
    Total.DIVIDENDS_RECEIVABLE: 6,
    Total.COUNT_DIFFERENCES_SHORT: 7,
    Total.SUSPENSE_SHORT: 8,
    Total.TRANSFERS_UNCONFIRMED: 9,
    Total.MARGIN_DEBITS_DIVERSIFIED: 10,
    Total.OCC_MARGIN: 13,
    Total.SFP_MARGIN: 14,
    Total.TREASURY_MARGIN: 15,
}

CREDIT_ITEMS = range(1, 10)
DEBIT_ITEMS = range(10, 16)
