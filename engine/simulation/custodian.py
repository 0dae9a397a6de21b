"""The custodian: it keeps our securities and tokens and tells us in semt.002 what it holds.

Owns: what is really held, and the statement of it. Does not own: who has a claim on it.
"""

from __future__ import annotations

from datetime import date

from engine.simulation.letters import Letter, holdings_letter
from engine.simulation.world import ASSET_BY_ID


class Custodian:
    """Units held for us by asset_id."""

    def __init__(self) -> None:
        self.held_units: dict[int, int] = {}
        self._misstated_units: dict[int, int] = {}
        self._left_out: set[int] = set()

    def receive(self, asset_id: int, units: int) -> None:
        """Take units into our account."""
        self.held_units[asset_id] = self.held(asset_id) + units

    def deliver(self, asset_id: int, units: int) -> None:
        """Give units out of our account. Raises ValueError when they are not there."""
        if units > self.held(asset_id):
            symbol = ASSET_BY_ID[asset_id].symbol
            raise ValueError(f"custodian holds {self.held(asset_id)} {symbol}, not {units}")
        self.held_units[asset_id] = self.held(asset_id) - units

    def held(self, asset_id: int) -> int:
        """What is really there."""
        return self.held_units.get(asset_id, 0)

    def misstate(self, asset_id: int, by_units: int) -> None:
        """State too many or too few of an asset from now on."""
        self._misstated_units[asset_id] = by_units

    def leave_out(self, asset_id: int) -> None:
        """Leave an asset out of the statement from now on."""
        self._left_out.add(asset_id)

    def stated_units(self) -> dict[int, int]:
        """What the statement says, by asset_id ascending; nothing of what is not held.

        Only securities: tokens lie in wallets, of which no statement tells.
        """
        stated = {
            asset_id: units + self._misstated_units.get(asset_id, 0)
            for asset_id, units in sorted(self.held_units.items())
            if ASSET_BY_ID[asset_id].isin and asset_id not in self._left_out
        }
        return {asset_id: units for asset_id, units in stated.items() if units}

    def statement(self, day: date) -> Letter:
        """The semt.002 as of the close of a day."""
        return holdings_letter(self.stated_units(), day)
