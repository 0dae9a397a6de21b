"""One obligation as a sese.023: pure field mapping.

Owns: which field of the mart stands where. Does not own: the message's form (`schemas.iso20022.sese_023`).
"""

from __future__ import annotations

from typing import Any

from orchestration.products.messages import Outgoing
from orchestration.warehouse.marts import Row
from schemas.codes import ObligationSide
from schemas.days import epoch_day_of
from schemas.iso20022 import parties
from schemas.iso20022.codecs import Money, Quantity
from schemas.iso20022.sese_023 import SESE_023

INCOMING = {ObligationSide.RECEIVE.name, ObligationSide.PAY_CASH.name}  # we receive, and pay
UNIT_DIGITS = 17  # a security's quantity has no more decimals; a token's may


def instruction(row: Row) -> Outgoing:
    """The instruction of one row of the mart `pending_instructions`.

    An obligation of money alone has quantity zero of the instrument whose trades it is for.
    """
    is_incoming = row["obligation_side"] in INCOMING
    firm, house = parties.FIRM.bic, parties.CLEARING_HOUSE.bic
    fields: dict[str, Any] = {
        "transaction_reference": row["obligation_reference"],
        "movement": "RECE" if is_incoming else "DELI",
        "payment": "APMT" if row["obligation_minor"] else "FREE",
        "trade_epoch_day": epoch_day_of(row["trade_date"]),
        "settlement_epoch_day": epoch_day_of(row["settlement_date"]),
        "safekeeping_account": parties.SAFEKEEPING_ACCOUNT,
        "depository_bic": house,
        "deliverer_bic": house if is_incoming else firm,
        "receiver_bic": firm if is_incoming else house,
        **_instrument(row),
        **_quantity(row),
    }
    if row["obligation_minor"]:
        fields["amount"] = Money(row["currency"], int(row["obligation_minor"]))
        fields["amount_side"] = "DBIT" if is_incoming else "CRDT"
    return Outgoing(SESE_023, row["obligation_reference"], fields)


def _instrument(row: Row) -> dict[str, str]:
    if row["isin"]:
        return {"isin": row["isin"]}
    scheme = "CCY" if row["asset_class"] == "CURRENCY" else "SYMBOL"
    return {"other_id": row["symbol"], "other_id_type": scheme}


def _quantity(row: Row) -> dict[str, Quantity]:
    quantity = Quantity(int(row["obligation_units"]), int(row["asset_digits"]))
    return {"quantity" if quantity.digits <= UNIT_DIGITS else "token_quantity": quantity}
