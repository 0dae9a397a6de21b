"""One message of each kind as the firm, its bank, its custodian and its clearing house write them."""

from __future__ import annotations

from typing import Any

from schemas.iso20022.codecs import Money, Quantity
from schemas.iso20022.parties import (
    CLEARING_HOUSE,
    CUSTODIAN,
    FIRM,
    NOSTRO_BANK,
    RESERVE_BANK,
    SAFEKEEPING_ACCOUNT,
    nostro_account,
    reserve_account,
)

DAY = 20_600
NOON_NS = (DAY * 86_400 + 43_200) * 1_000_000_000
USD = 12_345_00

_SETTLEMENT: dict[str, Any] = {
    "transaction_reference": "OB77",
    "movement": "RECE",
    "payment": "APMT",
    "settlement_epoch_day": DAY,
    "isin": "US0378331005",
    "quantity": Quantity(100, 0),
    "safekeeping_account": SAFEKEEPING_ACCOUNT,
    "amount": Money("USD", USD),
    "amount_side": "DBIT",
}
_PARTIES = {
    "depository_bic": CLEARING_HOUSE.bic,
    "deliverer_bic": CLEARING_HOUSE.bic,
    "receiver_bic": FIRM.bic,
}
_ENTRY: dict[str, Any] = {
    "amount": Money("USD", USD),
    "side": "DBIT",
    "status": "BOOK",
    "booking_epoch_day": DAY,
    "value_epoch_day": DAY,
    "entry_reference": "BANK-1",
    "domain": "SECU",
    "family": "SETT",
    "subfamily": "TRAD",
    "end_to_end_reference": "OB77",
    "remittance": "Settlement OB77",
}
_ACCOUNT = {
    "statement_reference": "STMT-1",
    "statement_created_at_ns": NOON_NS,
    "own_account": nostro_account("USD"),
    "account_currency": "USD",
    "bank_bic": NOSTRO_BANK.bic,
    "entries": [_ENTRY],
}
_BALANCES = [
    {"balance_type": "OPBD", "amount": Money("USD", 20_000_00), "side": "CRDT", "balance_epoch_day": DAY},
    {"balance_type": "CLBD", "amount": Money("USD", 7_655_00), "side": "CRDT", "balance_epoch_day": DAY},
]
_HEADER = {"message_reference": "MSG-1", "created_at_ns": NOON_NS}

FIELDS: dict[str, dict[str, Any]] = {
    "sese.023.001.11": {**_SETTLEMENT, **_PARTIES, "trade_epoch_day": DAY - 1},
    "sese.024.001.12": {
        **_SETTLEMENT,
        "agent_reference": "CC-9",
        "failing_reason": "LACK",
        "failing_text": "Deliverer has no securities",
    },
    "sese.025.001.11": {
        **_SETTLEMENT,
        **_PARTIES,
        "agent_reference": "CC-10",
        "partial": "PAIN",
        "settled_at_ns": NOON_NS,
        "quantity": Quantity(60, 0),
        "open_quantity": Quantity(40, 0),
        "amount": Money("USD", 7_407_00),
    },
    "semt.002.001.11": {
        "statement_reference": "CUST-1",
        "statement_epoch_day": DAY,
        "has_holdings": True,
        "owner_bic": FIRM.bic,
        "custodian_bic": CUSTODIAN.bic,
        "safekeeping_account": SAFEKEEPING_ACCOUNT,
        "holdings": [
            {"isin": "US0378331005", "position": "LONG", "quantity": Quantity(100, 0)},
            {
                "other_id": "4H95J0R2X",
                "other_id_type": "DTI",
                "position": "SHOR",
                "token_quantity": Quantity(150_000_000, 8),
            },
        ],
    },
    "camt.053.001.08": {
        **_HEADER,
        "statements": [{**_ACCOUNT, "statement_number": 1, "balances": _BALANCES}],
    },
    "camt.054.001.08": {**_HEADER, "notifications": [_ACCOUNT]},
    "pain.001.001.09": {
        **_HEADER,
        "firm_name": FIRM.name,
        "firm_lei": FIRM.lei,
        "instruction_reference": "WD5",
        "execution_epoch_day": DAY,
        "firm_town": FIRM.town,
        "firm_country": FIRM.country,
        "firm_account": nostro_account("USD"),
        "bank_bic": NOSTRO_BANK.bic,
        "payment_reference": "WD5",
        "end_to_end_reference": "WD5",
        "amount": Money("USD", USD),
        "beneficiary_bank_aba": "021000021",
        "beneficiary_name": "Ann Client",
        "beneficiary_town": "Boston",
        "beneficiary_country": "US",
        "beneficiary_account": "000123456",
    },
    "pacs.009.001.08": {
        **_HEADER,
        "debtor_account": nostro_account("USD"),
        "payment_reference": "RD3",
        "end_to_end_reference": "RD3",
        "amount": Money("USD", USD),
        "settlement_epoch_day": DAY,
        "firm_bic": FIRM.bic,
        "debtor_bank_bic": NOSTRO_BANK.bic,
        "firm_lei": FIRM.lei,
        "creditor_bank_bic": RESERVE_BANK.bic,
        "creditor_account": reserve_account("USD"),
        "remittance": "Special reserve bank account for the exclusive benefit of customers",
    },
}
