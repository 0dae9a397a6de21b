"""Files that bank, clearing house and custodian send: their names, references and content.

Owns: how an actor's facts fill the fields of a message. Does not own: the messages; those are
declared in schemas/iso20022.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.simulation.obligations import Obligation
from engine.simulation.world import ASSET_BY_ID, LISTING_BY_ID
from schemas.codes import AssetClass
from schemas.days import epoch_day_of
from schemas.iso20022.camt_053 import CAMT_053
from schemas.iso20022.camt_054 import CAMT_054
from schemas.iso20022.codecs import Money, Quantity
from schemas.iso20022.parties import (
    CLEARING_HOUSE,
    CUSTODIAN,
    FIRM,
    NOSTRO_BANK,
    RESERVE_BANKS,
    SAFEKEEPING_ACCOUNT,
)
from schemas.iso20022.semt_002 import SEMT_002
from schemas.iso20022.sese_024 import SESE_024
from schemas.iso20022.sese_025 import SESE_025
from schemas.iso20022.writing import render

if TYPE_CHECKING:
    from engine.simulation.bank import BankAccount, Entry


class Letter(NamedTuple):
    """One file from outside."""

    name: str
    content: bytes


# From the bank ----------------------------------------------------------------------------------


def advice_letter(account: BankAccount, entries: Sequence[Entry], day: date, at_ns: int) -> Letter:
    """A camt.054 with the movements of one account since the last one."""
    reference = f"A{day:%Y%m%d}-{account.number}-{account.advice_number:03d}"
    notification = {
        **_report(account, reference, at_ns),
        "entries": [_entry(account, e) for e in entries],
    }
    content = render(
        CAMT_054,
        {
            "message_reference": reference,
            "created_at_ns": at_ns,
            "notifications": [notification],
        },
    )
    name = f"camt.054-{account.number}-{day:%Y%m%d}-{account.advice_number:03d}.xml"
    return Letter(name, content)


def statement_letter(account: BankAccount, day: date, at_ns: int) -> Letter:
    """A camt.053 with the day's balances and movements of one account."""
    reference = f"S{day:%Y%m%d}-{account.number}"
    balances = (("OPBD", account.opening_minor), ("CLBD", account.closing_minor))
    statement = {
        **_report(account, reference, at_ns),
        "statement_number": account.statement_number,
        "balances": [
            {
                "balance_type": kind,
                "amount": Money(account.currency, abs(minor)),
                "side": _side(minor),
                "balance_epoch_day": epoch_day_of(day),
            }
            for kind, minor in balances
        ],
        "entries": [_entry(account, e) for e in account.entries],
    }
    content = render(
        CAMT_053,
        {"message_reference": reference, "created_at_ns": at_ns, "statements": [statement]},
    )
    return Letter(f"camt.053-{account.number}-{day:%Y%m%d}.xml", content)


def _report(account: BankAccount, reference: str, at_ns: int) -> dict[str, Any]:
    return {
        "statement_reference": reference,
        "statement_created_at_ns": at_ns,
        "own_account": account.number,
        "account_currency": account.currency,
        "bank_bic": RESERVE_BANKS.get(account.reserve_bank_id, NOSTRO_BANK).bic,
    }


def _entry(account: BankAccount, entry: Entry) -> dict[str, Any]:
    domain, family, subfamily = entry.family.value
    return {
        "amount": Money(account.currency, abs(entry.amount_minor)),
        "side": _side(entry.amount_minor),
        "status": "BOOK",
        "booking_epoch_day": epoch_day_of(entry.day),
        "value_epoch_day": epoch_day_of(entry.day),
        "entry_reference": entry.entry_reference,
        "domain": domain,
        "family": family,
        "subfamily": subfamily,
        "end_to_end_reference": entry.end_to_end or None,
        "remittance": entry.remittance or None,
    }


def _side(minor: int) -> str:
    return "DBIT" if minor < 0 else "CRDT"


# From the clearing house ------------------------------------------------------------------------


def confirmation_letter(
    number: int,
    agent_reference: str,
    obligation: Obligation,
    units: int,
    minor: int,
    open_units: int,
    day: date,
    at_ns: int,
) -> Letter:
    """A sese.025: units and money settled now, and what stays open."""
    digits = ASSET_BY_ID[_asset_id(obligation)].unit_digits
    inward = obligation.money_sign < 0  # who pays receives
    is_part = open_units > 0
    is_last_part = not is_part and units < obligation.units
    fields = {
        **_movement(obligation, units, minor, agent_reference),
        "partial": "PAIN" if is_part else "PARC" if is_last_part else None,
        "settlement_epoch_day": obligation.due_epoch_day,
        "settled_at_ns": at_ns,
        "open_quantity": Quantity(open_units, digits) if is_part else None,
        "depository_bic": CLEARING_HOUSE.bic,
        "deliverer_bic": (CLEARING_HOUSE if inward else FIRM).bic,
        "receiver_bic": (FIRM if inward else CLEARING_HOUSE).bic,
    }
    return Letter(f"sese.025-{day:%Y%m%d}-{number:06d}.xml", render(SESE_025, fields))


def status_letter(
    number: int,
    agent_reference: str,
    obligation: Obligation,
    open_units: int,
    open_minor: int,
    day: date,
) -> Letter:
    """A sese.024: what is open has failed on its date."""
    fields = {
        **_movement(obligation, open_units, open_minor, agent_reference),
        "failing_reason": "CLAC" if obligation.is_inward else "LACK",
        "settlement_epoch_day": obligation.due_epoch_day,
    }
    return Letter(f"sese.024-{day:%Y%m%d}-{number:06d}.xml", render(SESE_024, fields))


def _movement(obligation: Obligation, units: int, minor: int, agent_reference: str) -> dict[str, Any]:
    currency = ASSET_BY_ID[obligation.quote_asset_id].symbol
    money = {"amount": Money(currency, minor), "amount_side": _side(obligation.money_sign)}
    return {
        "transaction_reference": obligation.reference,
        "agent_reference": agent_reference,
        "movement": "RECE" if obligation.money_sign < 0 else "DELI",
        "payment": "APMT" if minor else "FREE",
        **_instrument(_asset_id(obligation)),
        "quantity": Quantity(units, ASSET_BY_ID[_asset_id(obligation)].unit_digits),
        "safekeeping_account": SAFEKEEPING_ACCOUNT,
        **(money if minor else {}),
    }


def _instrument(asset_id: int) -> dict[str, str]:
    asset = ASSET_BY_ID[asset_id]
    if asset.isin:
        return {"isin": asset.isin}
    scheme = "CCY" if asset.asset_class is AssetClass.CURRENCY else "SYMBOL"
    return {"other_id": asset.symbol, "other_id_type": scheme}


def _asset_id(obligation: Obligation) -> int:
    """What is delivered; of money alone, a quantity of zero of what was traded."""
    return obligation.asset_id or LISTING_BY_ID[obligation.instrument_id].base_asset_id


# From the custodian -----------------------------------------------------------------------------


def holdings_letter(stated_units: Mapping[int, int], day: date) -> Letter:
    """A semt.002 of our safekeeping account: units by asset_id, none of them zero."""
    holdings = [
        {
            **_instrument(asset_id),
            "position": "LONG" if units > 0 else "SHOR",
            "quantity": Quantity(abs(units), ASSET_BY_ID[asset_id].unit_digits),
        }
        for asset_id, units in stated_units.items()
    ]
    fields = {
        "statement_reference": f"H{day:%Y%m%d}-{SAFEKEEPING_ACCOUNT}",
        "statement_epoch_day": epoch_day_of(day),
        "has_holdings": bool(holdings),
        "owner_bic": FIRM.bic,
        "custodian_bic": CUSTODIAN.bic,
        "safekeeping_account": SAFEKEEPING_ACCOUNT,
        "holdings": holdings,
    }
    return Letter(f"semt.002-{SAFEKEEPING_ACCOUNT}-{day:%Y%m%d}.xml", render(SEMT_002, fields))
