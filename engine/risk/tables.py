"""The tables that margin is computed from in the pass: profits per lot, vectors and figures of accounts.

All of it follows from the state: scenarios, terms, marks, positions, orders, money. So none of it is kept in
snapshots or hashed. Owns: the memory behind RISK_BLOCK and when it is out of date. Does not own: the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.risk.risk_block_kernel import FIGURE_COUNT, PART_COUNT, RISK_BLOCK, VERSION
from engine.risk.scenarios import returns_of
from engine.risk.vector_kernel import fill_profits
from schemas.codes import ScenarioGroup

if TYPE_CHECKING:
    from engine.state import State

_MILLICENTS = 1_000  # in a minor unit
_ROWS = ("profits", "bid_losses", "ask_losses")


class RiskTables:
    """The tables of one state."""

    def __init__(self, state: State) -> None:
        """Lay the tables out for the scenarios in force."""
        self._state = state
        self._version = 1
        self.load()

    @property
    def address(self) -> int:
        """Where the block lies; it moves when another set is put in force."""
        return self._block.address

    @property
    def profits(self) -> npt.NDArray[np.int64]:
        """Profit per lot, shape (instruments, scenarios), in millicents; a view."""
        return self._rows["profits"]

    def bytes_an_account(self) -> dict[str, int]:
        """What is kept for each account, by what it is."""
        tables = {
            "vector": self._vectors,
            "figures": self._figures,
            "parts": self._parts,
            "underlyings": self._bases,
            "names": self._names,
        }
        return {name: table[0].nbytes for name, table in tables.items()}

    def load(self) -> None:
        """Make all tables anew: another set is in force, or another state was loaded."""
        state = self._state
        active = state.risk.active
        accounts, instruments = state.positions.shape
        count = len(active.scenarios)
        stress_from = active.count_of(ScenarioGroup.HISTORICAL)
        extreme_from = stress_from + active.count_of(ScenarioGroup.STRESS)
        dampings = [s.damping_ppm for s in active.scenarios]
        self._dampings = np.array(dampings, dtype=np.int64)
        self._returns = np.zeros((instruments, count), dtype=np.int64)
        self._rows = {name: np.zeros((instruments, count), dtype=np.int64) for name in _ROWS}
        self._ring = np.arange(instruments, dtype=np.int64)
        self._figures = np.zeros((accounts, FIGURE_COUNT), dtype=np.int64)
        self._vectors = np.zeros((accounts, count), dtype=np.int64)
        self._parts = np.zeros((accounts, instruments, PART_COUNT), dtype=np.int64)
        self._bases = np.zeros((accounts, state.capacity.asset_count + 1), dtype=np.int64)
        self._names = np.zeros((accounts, state.capacity.asset_count + 1), dtype=np.int64)
        self._block = RISK_BLOCK.fill(
            instruments=state.instruments,
            positions=state.positions,
            amounts=state.balances.amounts,
            money_asset_id=state.money_asset_id,
            terms=state.instrument_risks,
            model=state.risk.model,
            account_terms=state.account_margins,
            version=self._version,
            scenario_count=count,
            stress_from=stress_from,
            extreme_from=extreme_from,
            historical_tail=active.historical_tail_count,
            stress_tail=active.stress_tail_count,
            **self._rows,
            vectors=self._vectors,
            figures=self._figures,
            parts=self._parts,
            bases=self._bases,
            names=self._names,
            ring=self._ring,
            scratch=np.zeros(2 * count + 1, dtype=np.int64),
        )
        self._close_rings()
        for instrument_id in np.flatnonzero(state.instrument_risks["is_modelled"]).tolist():
            self._revalue(instrument_id)
        self.forget()

    def remodel(self, instrument_id: int) -> None:
        """An instrument has other terms."""
        self._close_rings()
        self._revalue(instrument_id)
        self.forget()

    def remark(self, instrument_id: int) -> None:
        """An instrument has another mark."""
        self._price(instrument_id)
        self.forget()

    def _revalue(self, instrument_id: int) -> None:
        terms = self._state.instrument_risks[instrument_id]
        given = self._state.risk.vectors.get(instrument_id)
        returns = given.returns_ppb if given else returns_of(self._state.risk.active, terms)
        self._returns[instrument_id] = returns
        self._price(instrument_id)

    def _price(self, instrument_id: int) -> None:
        """Profits per lot: parts of its value at the mark, or of what a given vector is measured by."""
        count = self._returns.shape[1]
        row = self._state.instruments[instrument_id]
        given = int(self._state.instrument_risks[instrument_id]["reference_minor"])
        value = (given or int(row["mark_ticks"]) * int(row["tick_value_minor"])) * _MILLICENTS
        if count and self._state.instrument_risks[instrument_id]["is_modelled"]:
            returns = self._returns[instrument_id].ctypes.data
            profits, bids, asks = (self._rows[name][instrument_id].ctypes.data for name in _ROWS)
            fill_profits(returns, self._dampings.ctypes.data, value, profits, bids, asks, count)

    def forget(self) -> None:
        """Figures may be out of date: each account's are made anew when they are next asked for."""
        self._version += 1
        self._block.set("version", self._version)
        self._block.set("money_asset_id", self._state.money_asset_id)

    def forget_account(self, account_id: int) -> None:
        """The figures of one account may be out of date."""
        self._figures[account_id, VERSION] = 0

    def _close_rings(self) -> None:
        """Chain the modelled instruments of each underlying, and each other one to itself."""
        instruments = self._state.instruments
        modelled = self._state.instrument_risks["is_modelled"] != 0
        self._ring[:] = np.arange(len(self._ring))
        for asset_id in set(instruments["base_asset_id"][modelled].tolist()):
            members = np.flatnonzero(modelled & (instruments["base_asset_id"] == asset_id))
            self._ring[members] = np.roll(members, -1)
