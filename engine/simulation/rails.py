"""The rails: what the clearing house's messages say becomes commands, and nothing else does.

Owns: reading a message into commands. Does not own: whether the engine believes it; a confirmation
that does not fit its obligation is refused there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.simulation.letters import Letter
from schemas.headers import Command
from schemas.iso20022.intake import identifier_of, load
from schemas.iso20022.reading import parse
from schemas.iso20022.sese_024 import SESE_024
from schemas.iso20022.sese_025 import SESE_025
from schemas.settlement import ConfirmSettlement, ReportSettlementFailure

PREFIX = "OB"


def told_by(letter: Letter, at_ns: int) -> Iterator[Command]:
    """The commands that a message asks for; none from a message that is not about settlement.

    Raises BadMessage when the message does not keep to its declaration, ValueError when its
    reference does not name an obligation.
    """
    identifier = identifier_of(load(letter.content))
    if identifier == SESE_025.identifier:
        fields = parse(SESE_025, letter.content)
        yield ConfirmSettlement(
            sequence=0,
            received_at_ns=at_ns,
            obligation_id=_obligation_id(fields),
            settled_units=fields["quantity"].units,
            settled_minor=fields["amount"].minor if "amount" in fields else 0,
        )
    elif identifier == SESE_024.identifier:
        fields = parse(SESE_024, letter.content)
        if "failing_reason" in fields:
            yield ReportSettlementFailure(
                sequence=0, received_at_ns=at_ns, obligation_id=_obligation_id(fields)
            )


def _obligation_id(fields: dict[str, Any]) -> int:
    reference: str = fields["transaction_reference"]
    if not reference.startswith(PREFIX):
        raise ValueError(f"{reference} does not name an obligation")
    return int(reference.removeprefix(PREFIX))
