"""One file from outside to declared rows: banks' statements, the clearing house's advices, the custodian's.

Owns: which reader a file goes to, and how messages become rows of the lake. Does not own: where the file
came from, the lake, the quarantine. All of a file is read, or MessageRefused tells why not in one line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from engine.errors import MessageRefused
from schemas.codes import AdviceType
from schemas.external import CustodyHolding, IngestedFile, SettlementAdvice
from schemas.iso20022.codecs import NANOS, Quantity
from schemas.iso20022.intake import peek_identifier
from schemas.iso20022.message import Message
from schemas.iso20022.reading import parse
from schemas.iso20022.refusal import BadMessage
from schemas.iso20022.semt_002 import SEMT_002
from schemas.iso20022.sese_024 import SESE_024
from schemas.iso20022.sese_025 import SESE_025
from schemas.iso20022.statement_paths import LAYOUTS
from schemas.iso20022.statements import read_statement
from schemas.record import record_of

DAY_NANOS = 86_400 * NANOS
UnitDigits = Mapping[str, int]  # ISIN or other identifier -> decimals of the smallest unit
Rows = dict[str, list[Any]]  # lake table -> declared objects


class Reading(NamedTuple):
    """What one file came to."""

    ingested: IngestedFile
    rows: Rows
    deviations: tuple[str, ...]  # breaches of the standard that were accepted; one line each


def read_file(raw: bytes, name: str, now_ns: int, unit_digits: UnitDigits | None = None) -> Reading:
    """Read a file of a bank, clearing house or custodian by the qualified name of its root.

    `unit_digits` tells the scale of securities and tokens; a quantity is brought to it. Where it is silent,
    the decimals as written are the scale. Raises MessageRefused.
    """
    digest = hashlib.sha256(raw).hexdigest()
    try:
        identifier = peek_identifier(raw)
        if identifier in LAYOUTS:
            found = read_statement(raw, digest)
            reference, deviations = found.message_reference, found.deviations
            rows = _by_table(found.lines, found.balances)
        elif identifier in _READERS:
            declared, to_rows = _READERS[identifier]
            fields = parse(declared, raw)
            reference, deviations = _reference_of(fields), ()
            rows = _by_table(to_rows(fields, digest, now_ns, unit_digits or {}))
        else:
            raise BadMessage(f"{identifier} is not a message that is read")
    except BadMessage as refused:
        raise MessageRefused(str(refused)) from refused
    ingested = IngestedFile(
        file_sha256=digest,
        file_name=name,
        message_type=identifier,
        message_reference=reference,
        row_count=sum(len(found) for found in rows.values()),
        deviations="; ".join(deviations),
        ingested_at_ns=now_ns,
    )
    return Reading(ingested, rows, deviations)


def _by_table(*groups: list[Any]) -> Rows:
    return {record_of(type(group[0])).table: group for group in groups if group}


def _reference_of(fields: Mapping[str, Any]) -> str:
    return fields.get("statement_reference") or fields["agent_reference"]


def _units(fields: Mapping[str, Any], unit_digits: UnitDigits) -> int:
    """Smallest units of the quantity that the message tells. Raises BadMessage when they are not whole."""
    quantity: Quantity = fields["quantity"] if "quantity" in fields else fields["token_quantity"]
    digits = unit_digits.get(_security(fields), quantity.digits)
    if digits >= quantity.digits:
        return quantity.units * 10 ** (digits - quantity.digits)
    units, rest = divmod(quantity.units, 10 ** (quantity.digits - digits))
    if rest:
        raise BadMessage(f"the quantity of {_security(fields)} is finer than its {digits} decimals")
    return units


def _security(fields: Mapping[str, Any]) -> str:
    return fields["isin"] if "isin" in fields else fields["other_id"]


def _status_rows(
    fields: Mapping[str, Any], digest: str, now_ns: int, unit_digits: UnitDigits
) -> list[SettlementAdvice]:
    """A sese.024. It carries no time of its own, so that the time of reading stands in."""
    return [
        SettlementAdvice(
            advice_key=f"{digest}:1",
            file_sha256=digest,
            advice_type_code=int(AdviceType.STATUS),
            obligation_reference=fields["transaction_reference"],
            agent_reference=fields["agent_reference"],
            isin=_security(fields),
            status=fields.get("failing_reason", "PENDING"),
            settled_units=0,
            settled_minor=0,
            settlement_epoch_day=fields["settlement_epoch_day"],
            advised_at_ns=now_ns,
        )
    ]


def _confirmation_rows(
    fields: Mapping[str, Any], digest: str, now_ns: int, unit_digits: UnitDigits
) -> list[SettlementAdvice]:
    """A sese.025: PARTIAL while a part remains open, SETTLED on the last or only one."""
    amount = fields.get("amount")
    return [
        SettlementAdvice(
            advice_key=f"{digest}:1",
            file_sha256=digest,
            advice_type_code=int(AdviceType.CONFIRMATION),
            obligation_reference=fields["transaction_reference"],
            agent_reference=fields["agent_reference"],
            isin=_security(fields),
            status="PARTIAL" if fields.get("partial") == "PAIN" else "SETTLED",
            settled_units=_units(fields, unit_digits),
            settled_minor=0 if amount is None else amount.minor,
            settlement_epoch_day=fields["settled_at_ns"] // DAY_NANOS,
            advised_at_ns=fields["settled_at_ns"],
        )
    ]


def _holding_rows(
    fields: Mapping[str, Any], digest: str, now_ns: int, unit_digits: UnitDigits
) -> list[CustodyHolding]:
    """A semt.002, one row a security; what is owed is negative."""
    seen: set[str] = set()
    rows: list[CustodyHolding] = []
    for number, holding in enumerate(fields["holdings"], 1):
        security = _security(holding)
        if security in seen:
            raise BadMessage(f"{security} stands twice in the holdings")
        seen.add(security)
        units = _units(holding, unit_digits)
        rows.append(
            CustodyHolding(
                holding_key=f"{digest}:{number}",
                file_sha256=digest,
                safekeeping_account=fields["safekeeping_account"],
                isin=security,
                holding_units=units if holding["position"] == "LONG" else -units,
                statement_epoch_day=fields["statement_epoch_day"],
            )
        )
    return rows


_ToRows = Callable[[Mapping[str, Any], str, int, UnitDigits], list[Any]]
_READERS: dict[str, tuple[Message, _ToRows]] = {
    SESE_024.identifier: (SESE_024, _status_rows),
    SESE_025.identifier: (SESE_025, _confirmation_rows),
    SEMT_002.identifier: (SEMT_002, _holding_rows),
}
