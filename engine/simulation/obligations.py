"""Settlement obligations as the clearing house knows them.

Owns: reading SettlementInstructed events out of frames. Does not own: netting; the engine did that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from engine.simulation.world import ASSET_BY_ID
from schemas.codes import ObligationSide
from schemas.settlement import SettlementInstructed

if TYPE_CHECKING:
    from engine.journal.frame import Frame


class Obligation(NamedTuple):
    """One instruction; units and money as instructed."""

    obligation_id: int
    account_id: int
    instrument_id: int
    asset_id: int
    quote_asset_id: int
    side: ObligationSide
    units: int
    minor: int
    trade_epoch_day: int
    due_epoch_day: int

    @property
    def isin(self) -> str:
        """The security; empty when a token, a currency or only money moves."""
        return ASSET_BY_ID[self.asset_id].isin if self.asset_id else ""

    @property
    def reference(self) -> str:
        """How messages and bank lines name it."""
        return f"OB{self.obligation_id}"

    @property
    def is_inward(self) -> bool:
        """Whether units come to us, so that money goes out."""
        return self.side is ObligationSide.RECEIVE

    @property
    def money_sign(self) -> int:
        """Plus one when money comes to us."""
        comes = (ObligationSide.DELIVER, ObligationSide.COLLECT_CASH)
        return 1 if self.side in comes else -1


def instructed(frame: Frame) -> Iterator[Obligation]:
    """The obligations that a frame instructed, in order."""
    for section in frame.sections:
        if section.record.cls is SettlementInstructed:
            for row in section.rows:
                yield Obligation(
                    int(row["obligation_id"]),
                    int(row["account_id"]),
                    int(row["instrument_id"]),
                    int(row["asset_id"]),
                    int(row["quote_asset_id"]),
                    ObligationSide(int(row["obligation_side_code"])),
                    int(row["obligation_units"]),
                    int(row["obligation_minor"]),
                    int(row["trade_epoch_day"]),
                    int(row["settlement_epoch_day"]),
                )
