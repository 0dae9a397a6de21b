"""Who the firm deals with in messages: identifications of the firm, its banks, custodian and clearing house.

Every one of them is made up. BICs are test codes (a zero as the eighth character) and routing numbers
begin with 99, which no bank has; check digits are right, as a receiver would hold them to.
"""

from __future__ import annotations

from typing import NamedTuple


class Party(NamedTuple):
    """A legal person in a message."""

    name: str
    bic: str
    lei: str
    aba: str  # empty for who is no bank
    town: str
    country: str


FIRM = Party("OneBook Securities LLC", "ONBKUS30XXX", "ONEBOOKBROKER0000075", "", "New York", "US")
NOSTRO_BANK = Party(
    "First Nostro Bank NA", "FNOSUS30XXX", "ONEBOOKNOSTRO0000017", "990000013", "New York", "US"
)
RESERVE_BANK = Party(
    "Harbor Reserve Bank NA", "HRBRUS30XXX", "ONEBOOKRESERVE000036", "990000026", "Chicago", "US"
)
SECOND_RESERVE_BANK = Party(
    "Lakeside Reserve Bank NA", "LKSRUS30XXX", "ONEBOOKRESERVE200050", "990000042", "Detroit", "US"
)
CUSTODIAN = Party(
    "Keystone Custody Trust", "KEYCUS30XXX", "ONEBOOKCUSTODY000015", "990000039", "Boston", "US"
)
CLEARING_HOUSE = Party("Central Clearing Corp", "CCLRUS30XXX", "ONEBOOKCLEARING00027", "", "New York", "US")

SAFEKEEPING_ACCOUNT = "OB-SAFE-1"


def nostro_account(currency: str) -> str:
    """Our account at the nostro bank in a currency."""
    return f"OB-NOSTRO-{currency}"


RESERVE_BANKS = {1: RESERVE_BANK, 2: SECOND_RESERVE_BANK}
"""Where special reserve accounts lie, by the engine's number of the bank."""


def reserve_account(currency: str, bank_id: int = 1) -> str:
    """The special reserve bank account for the exclusive benefit of customers. Source: 17 CFR 240.15c3-3(e)."""
    return f"OB-RESERVE{_at(bank_id)}-{currency}"


def pab_reserve_account(currency: str, bank_id: int = 1) -> str:
    """The special reserve bank account for brokers and dealers. Source: 17 CFR 240.15c3-3(e)."""
    return f"OB-PAB-RESERVE{_at(bank_id)}-{currency}"


def _at(bank_id: int) -> str:
    return "" if bank_id == 1 else f"-{bank_id}"
