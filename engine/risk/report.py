"""The margin of every account for the record of a business day, and what it was computed of.

Owns: what is reported. Does not own: the figures (margin_kernel.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.emit import Emit, refuse
from engine.risk.margin_states import ordered
from schemas.codes import AccountClass, RejectReason
from schemas.risk import MarginPositionReported, MarginReported, ReportMargins

if TYPE_CHECKING:
    from engine.state import State


def report_margins(state: State, command: ReportMargins, emit: Emit) -> None:
    """Report every open account of ours, in order; the street has no margin."""
    day = command.business_epoch_day
    if day != state.business_epoch_day:
        return refuse(emit, command, RejectReason.WRONG_STATE)
    is_ours = state.accounts["account_class_code"] != AccountClass.STREET
    for account_id in np.flatnonzero((state.accounts["account_id"] != 0) & is_ours).tolist():
        equity, initial = state.margin_minor(account_id)
        emit(
            MarginReported,
            business_epoch_day=day,
            account_id=account_id,
            margin_state_code=int(state.account_margins[account_id]["margin_state_code"]),
            equity_minor=equity,
            initial_margin_minor=initial,
            maintenance_margin_minor=state.maintenance_minor(account_id),
        )
        _report_positions(state, day, account_id, emit)


def _report_positions(state: State, day: int, account_id: int, emit: Emit) -> None:
    for instrument_id in state.listed_ids():
        row = state.positions[account_id, instrument_id]
        lots = state.held_lots(account_id, instrument_id)
        if lots or row["cost_minor"] or ordered(row):
            emit(
                MarginPositionReported,
                business_epoch_day=day,
                account_id=account_id,
                instrument_id=instrument_id,
                held_lots=lots,
                cost_minor=row["cost_minor"],
                open_buy_lots=row["open_buy_lots"],
                open_sell_lots=row["open_sell_lots"],
                open_loss_minor=row["open_loss_minor"],
                mark_ticks=state.instruments[instrument_id]["mark_ticks"],
            )
