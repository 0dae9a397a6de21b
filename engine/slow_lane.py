"""The slow lane: one command at a time, `decide` then `apply`, then the postings that the event asks for.

Every handler and every applier of the engine is reached from the two dictionaries here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine import financing, identity, incidents, payments, risk, safekeeping, segregation, settlement
from engine.batch import Batch
from engine.emit import OWN_SEQUENCE, refuse
from engine.errors import InvariantBroken
from engine.journal.sections import Section
from engine.ledger.postings import transfers
from engine.market import reference
from engine.risk.margin_states import margin_state
from engine.state import State
from schemas.codes import AccountClass, LedgerAccountKind, RejectReason
from schemas.ledger import Posting
from schemas.market import MarkChanged
from schemas.record import record_of
from schemas.risk import (
    AccountMarginSet,
    InstrumentRiskSet,
    MarginChanged,
    MarginModelSet,
    MarginReviewed,
    MarginStateChanged,
    ScenariosActivated,
    VectorActivated,
)

_PACKAGES = (
    reference,
    risk,
    identity,
    payments,
    segregation,
    financing,
    safekeeping,
    settlement,
    incidents,
)
HANDLERS: dict[type, Callable[..., None]] = {
    cls: handler for package in _PACKAGES for cls, handler in package.HANDLERS.items()
}
APPLIERS: dict[type, Callable[[State, Any], None]] = {
    cls: applier for package in _PACKAGES for cls, applier in package.APPLIERS.items()
}


class SlowLane:
    """Decides one command after the other and keeps their events for the frame."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._events: list[Any] = []
        self._moved: set[int] = set()

    def begin_frame(self) -> None:
        """Forget the events of the frame before."""
        self._events.clear()

    def run(self, batch: Batch, first: int, last: int) -> None:
        """Decide the commands first..last-1 of a batch."""
        for i in range(first, last):
            command = batch.command(i)
            handler = HANDLERS.get(type(command))
            if handler is None:
                raise InvariantBroken(f"{type(command).__name__} has no handler")
            self._moved.clear()
            emit = _Emitter(self, command)
            if is_bounded(command):
                handler(self._state, command, emit)
            else:
                refuse(emit, command, RejectReason.OUT_OF_RANGE)
            self._tell_margins(command)

    def sections(self) -> Sequence[Section]:
        """The events of the frame so far."""
        return Batch.of(self._events).sections() if self._events else ()

    def emit(self, command: Any, cls: type, fields: dict[str, int]) -> Any:
        """Number an event, apply it, and post what it moves."""
        event = self._write(command, cls, fields)
        applier = APPLIERS.get(cls)
        if applier is not None:
            applier(self._state, event)
        moves = list(transfers(self._state, event))
        for transfer in moves:
            self._post(command, transfer)
        if applier is not None or moves:
            self._state.tables.forget()  # whatever moved, no figure of it is used again
        if cls in (MarkChanged, InstrumentRiskSet, VectorActivated):
            self._moved.update(_exposed(self._state, event.instrument_id))
        elif cls is MarginModelSet or cls is ScenariosActivated:
            for instrument_id in self._state.listed_ids():
                self._moved.update(_exposed(self._state, instrument_id))
        elif cls is AccountMarginSet or cls is MarginReviewed:
            self._moved.add(event.account_id)
        return event

    def _post(self, command: Any, transfer: Any) -> None:
        posting = self._write(command, Posting, transfer._asdict())
        self._state.balances.apply(posting)
        for kind, party in (
            (posting.debit_account_kind_code, posting.debit_party_id),
            (posting.credit_account_kind_code, posting.credit_party_id),
        ):
            if kind == LedgerAccountKind.CLIENT:
                self._moved.add(party)

    def _write(self, command: Any, cls: type, fields: dict[str, int]) -> Any:
        self._state.sequence += 1
        sequence = self._state.sequence
        own = {k: sequence if v is OWN_SEQUENCE else int(v) for k, v in fields.items()}
        event = cls(
            sequence=sequence,
            cause_sequence=command.sequence,
            occurred_at_ns=command.received_at_ns,
            **own,
        )
        self._events.append(event)
        return event

    def _tell_margins(self, command: Any) -> None:
        """Write the margin of every account whose equity the command moved."""
        for account_id in sorted(self._moved):
            if self._state.accounts[account_id]["account_class_code"] == AccountClass.STREET:
                continue
            has, needs = self._state.margin_minor(account_id)
            self._write(
                command,
                MarginChanged,
                {"account_id": account_id, "equity_minor": has, "initial_margin_minor": needs},
            )
            self._tell_state(command, account_id, has, needs)

    def _tell_state(self, command: Any, account_id: int, has: int, needs: int) -> None:
        """Write where the account stands, if that is another place than before."""
        maintenance = self._state.maintenance_minor(account_id)
        stands = margin_state(self._state, account_id, has, needs, maintenance)
        if stands != self._state.account_margins[account_id]["margin_state_code"]:
            figures = {
                "account_id": account_id,
                "margin_state_code": int(stands),
                "equity_minor": has,
                "initial_margin_minor": needs,
                "maintenance_margin_minor": maintenance,
            }
            event = self._write(command, MarginStateChanged, figures)
            APPLIERS[MarginStateChanged](self._state, event)


def _exposed(state: State, instrument_id: int) -> list[int]:
    """The accounts that hold or have ordered an instrument."""
    held = state.positions[:, instrument_id]
    base = int(state.instruments[instrument_id]["base_asset_id"])
    ordered = held["open_buy_lots"] | held["open_sell_lots"] | held["open_loss_minor"]
    at_risk = held["position_lots"] | ordered
    return np.flatnonzero(at_risk | state.balances.amounts[: len(held), base]).tolist()


def is_bounded(command: Any) -> bool:
    """Whether each column whose kind has an upper bound lies within it.

    Handlers compute with instants and days; all else they look at themselves, and say more of what is wrong.
    """
    bounded = (c for c in record_of(type(command)).columns if c.kind.le is not None)
    return all((c.kind.ge or 0) <= getattr(command, c.name) <= (c.kind.le or 0) for c in bounded)


class _Emitter:
    def __init__(self, lane: SlowLane, command: Any) -> None:
        self._lane = lane
        self._command = command

    def __call__(self, cls: type, /, **fields: int) -> Any:
        return self._lane.emit(self._command, cls, fields)
