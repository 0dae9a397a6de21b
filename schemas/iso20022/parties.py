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
CUSTODIAN = Party(
    "Keystone Custody Trust", "KEYCUS30XXX", "ONEBOOKCUSTODY000015", "990000039", "Boston", "US"
)
CLEARING_HOUSE = Party("Central Clearing Corp", "CCLRUS30XXX", "ONEBOOKCLEARING00027", "", "New York", "US")

SAFEKEEPING_ACCOUNT = "OB-SAFE-1"


def nostro_account(currency: str) -> str:
    """Our account at the nostro bank in a currency."""
    return f"OB-NOSTRO-{currency}"


def reserve_account(currency: str) -> str:
    """The special reserve bank account for the exclusive benefit of customers. Source: 17 CFR 240.15c3-3(e)."""
    return f"OB-RESERVE-{currency}"
