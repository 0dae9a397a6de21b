"""The risk desk: asks the next step for accounts that have crossed a line, and values options anew.

It stands beside the engine like any client: what it asks is journaled and decided like everything else, and a
replay needs no desk. It owns only what it has tried; all else it reads from the state.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from engine.risk.liquidation import next_step
from engine.risk.option_vectors import reference_minor, vector_commands
from schemas.codes import AccountClass, MarginState
from schemas.market import PlaceOrder
from schemas.risk import OptionTerms, TakeOverAccount

if TYPE_CHECKING:
    from engine.state import State
    from schemas.headers import Command


REVALUE_BPS = 50
"""How far an underlying's mark may move before the vectors of its options are computed anew."""
_BPS = 10_000
_MadeOf = tuple[OptionTerms, int, int, int]  # its terms, the set, the day, and what a lot is a right to


class RiskDesk:
    """Watches one state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._tried: dict[int, set[int]] = {}
        self._asked: dict[int, tuple[int, int]] = {}  # account -> instrument and lots held when last asked
        self._given_up: set[int] = set()  # accounts whose take-over was asked; once is enough
        self._valued: dict[int, _MadeOf] = {}  # option -> what its vector was made of

    def due(self, at_ns: int) -> list[Command]:
        """Vectors of options that are due, then the next step of every account that needs one."""
        commands = self._vectors_due(at_ns)
        for account_id in self._below():
            tried = self._tried.setdefault(account_id, set())
            self._note_what_found_nobody(account_id, tried)
            step = next_step(self._state, account_id, self._house_account_id(), tried, at_ns)
            if account_id in self._given_up:
                continue
            for command in step:
                if isinstance(command, PlaceOrder):
                    held = self._state.held_lots(account_id, command.instrument_id)
                    self._asked[account_id] = command.instrument_id, held
                elif isinstance(command, TakeOverAccount):
                    self._given_up.add(account_id)
            commands += step
        return commands

    def _vectors_due(self, at_ns: int) -> list[Command]:
        """Vectors of options whose terms, set or day changed, or whose underlying moved far enough."""
        state = self._state
        commands: list[Command] = []
        for instrument_id, terms in sorted(state.risk.options.items()):
            forward, active = reference_minor(state, terms), state.risk.active
            if not (active.scenarios and forward and state.instrument_risks[instrument_id]["is_modelled"]):
                continue
            now = terms, active.set_id, state.business_epoch_day, forward
            known = self._valued.get(instrument_id)
            is_same = known is not None and known[:3] == now[:3] and instrument_id in state.risk.vectors
            if is_same and known and abs(forward - known[3]) * _BPS <= REVALUE_BPS * known[3]:
                continue
            if known != now:
                self._valued[instrument_id] = now
                commands += vector_commands(state, instrument_id, active, at_ns)
        return commands

    def _below(self) -> Iterable[int]:
        """Accounts at or below the line at which something is done."""
        codes = self._state.account_margins["margin_state_code"]
        below = np.flatnonzero(codes >= MarginState.CANCELLED).tolist()
        for account_id in set(self._tried) - set(below):
            del self._tried[account_id]
            self._asked.pop(account_id, None)
            self._given_up.discard(account_id)
        return below

    def _note_what_found_nobody(self, account_id: int, tried: set[int]) -> None:
        instrument_id, before = self._asked.pop(account_id, (0, 0))
        if instrument_id and self._state.held_lots(account_id, instrument_id) == before:
            tried.add(instrument_id)

    def _house_account_id(self) -> int:
        """The firm's first account; zero when it has none, and nobody takes anything over."""
        accounts = self._state.accounts
        is_house = (accounts["account_id"] != 0) & (accounts["account_class_code"] == AccountClass.FIRM)
        numbers = np.flatnonzero(is_house)
        return int(numbers[0]) if len(numbers) else 0
