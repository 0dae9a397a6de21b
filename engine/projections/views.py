"""The live view: current figures of accounts and instruments, folded from frames, in one small file.

Owns the fold and the file `run/view.json`. Does not own any figure: each is what an event said, and the file
is made anew from the journal at every start. It is never read by the engine or by a product.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engine.clock import WallClock
from engine.config import Home
from engine.journal.reader import follow
from schemas.codes import CONTRACTS, AccountClass, AssetClass, LedgerAccountKind, Side
from schemas.derive.layout import Rows
from schemas.identity import AccountOpened
from schemas.ledger import Posting
from schemas.market import (
    AssetRegistered,
    BusinessDayStarted,
    Fill,
    InstrumentListed,
    InstrumentStateChanged,
    KillSwitchSet,
    MarkChanged,
)
from schemas.packed import unpack
from schemas.risk import MarginChanged

if TYPE_CHECKING:
    from engine.journal.frame import Frame

WRITING_NS = 40_000_000  # at most one file in this time; with the reader's polling well below 100 ms

Ints = npt.NDArray[np.int64]
Pair = tuple[int, int]


class LiveView:
    """Current figures as of the last frame folded."""

    def __init__(self) -> None:
        """Begin before the first frame."""
        self.frame_count = 0
        self.sequence = 0
        self.business_epoch_day = 0
        self.is_stopped = False  # whether the kill switch is on
        self.money_asset_id = 0  # the currency of margin: the first currency registered
        self.record_counts: Counter[str] = Counter()
        self.accounts: dict[int, dict[str, int]] = {}
        self.instruments: dict[int, dict[str, int]] = {}
        self.balances: dict[Pair, int] = {}  # (account, asset) -> smallest units owed to the client
        self.traded_lots: dict[Pair, int] = {}  # (account, instrument) -> bought less sold
        self._folds: dict[type, Callable[[Rows], None]] = {
            AssetRegistered: self._fold_assets,
            InstrumentListed: self._fold_listings,
            InstrumentStateChanged: self._fold_states,
            MarkChanged: self._fold_marks,
            KillSwitchSet: self._fold_switches,
            BusinessDayStarted: self._fold_days,
            Fill: self._fold_fills,
            AccountOpened: self._fold_accounts,
            MarginChanged: self._fold_margins,
            Posting: self._fold_postings,
        }

    def fold(self, frame: Frame) -> None:
        """Take in the next frame. Each figure depends on one record type, so sections may come in any order.

        A day begins in a frame before its fills, or in the same: `day_lots` counts by the fill's own day.
        """
        for section in frame.sections:
            self.record_counts[section.record.table] += len(section.rows)
            fold = self._folds.get(section.record.cls)
            if fold is not None:
                fold(section.rows)
        self.frame_count, self.sequence = frame.index, frame.last_sequence

    def figures(self) -> dict[str, Any]:
        """All figures, in machine units, ready for JSON."""
        return {
            "sequence": self.sequence,
            "frame_count": self.frame_count,
            "business_epoch_day": self.business_epoch_day,
            "is_stopped": self.is_stopped,
            "record_counts": dict(sorted(self.record_counts.items())),
            "instruments": [self._instrument(i) for i in sorted(self.instruments)],
            "accounts": [self._account(a) for a in sorted(self.accounts)],
        }

    def position_lots(self, account_id: int, instrument_id: int) -> int:
        """Lots held: of a contract by its fills, of anything else by the ledger.

        The street clears elsewhere and holds nothing here.
        """
        if self.accounts[account_id]["account_class_code"] == AccountClass.STREET:
            return 0
        instrument = self.instruments[instrument_id]
        if instrument["instrument_class_code"] in CONTRACTS:
            return self.traded_lots.get((account_id, instrument_id), 0)
        units = self.balances.get((account_id, instrument["base_asset_id"]), 0)
        return units // instrument["lot_units"]

    def _instrument(self, instrument_id: int) -> dict[str, Any]:
        row = self.instruments[instrument_id]
        names = (
            "instrument_class_code",
            "instrument_state_code",
            "mark_ticks",
            "last_price_ticks",
            "volume_lots",
            "fill_count",
        )
        is_today = row["day_epoch_day"] == self.business_epoch_day
        return {
            "instrument_id": instrument_id,
            "symbol": unpack(row["symbol_packed"]),
            **{name: row[name] for name in names},
            "day_lots": row["day_lots"] if is_today else 0,
        }

    def _account(self, account_id: int) -> dict[str, Any]:
        held = {i: self.position_lots(account_id, i) for i in self.instruments}
        return {
            "account_id": account_id,
            **self.accounts[account_id],
            "cash_minor": self.balances.get((account_id, self.money_asset_id), 0),
            "position_lots": {str(i): lots for i, lots in sorted(held.items()) if lots},
        }

    def _fold_assets(self, rows: Rows) -> None:
        currencies = rows["asset_id"][rows["asset_class_code"] == AssetClass.CURRENCY]
        if not self.money_asset_id and len(currencies):
            self.money_asset_id = int(currencies[0])

    def _fold_listings(self, rows: Rows) -> None:
        kept = ("instrument_class_code", "symbol_packed", "base_asset_id", "lot_units")
        for row in rows:
            figures = self._figures_of(int(row["instrument_id"]))
            figures.update({name: int(row[name]) for name in kept})

    def _fold_states(self, rows: Rows) -> None:
        for instrument_id, state in _pairs(rows, "instrument_id", "instrument_state_code"):
            self._figures_of(instrument_id)["instrument_state_code"] = state

    def _fold_marks(self, rows: Rows) -> None:
        for instrument_id, mark in _pairs(rows, "instrument_id", "mark_ticks"):
            self._figures_of(instrument_id)["mark_ticks"] = mark

    def _fold_switches(self, rows: Rows) -> None:
        self.is_stopped = bool(rows["is_stopped"][-1])

    def _fold_days(self, rows: Rows) -> None:
        self.business_epoch_day = int(rows["business_epoch_day"][-1])

    def _fold_accounts(self, rows: Rows) -> None:
        for account_id, account_class in _pairs(rows, "account_id", "account_class_code"):
            self.accounts[account_id] = {
                "account_class_code": account_class,
                "equity_minor": 0,
                "initial_margin_minor": 0,
            }

    def _fold_margins(self, rows: Rows) -> None:
        for account_id, equity in _pairs(rows, "account_id", "equity_minor"):
            self.accounts[account_id]["equity_minor"] = equity
        for account_id, margin in _pairs(rows, "account_id", "initial_margin_minor"):
            self.accounts[account_id]["initial_margin_minor"] = margin

    def _fold_postings(self, rows: Rows) -> None:
        for side, sign in (("debit", -1), ("credit", 1)):
            own = rows[rows[f"{side}_account_kind_code"] == LedgerAccountKind.CLIENT]
            _add(self.balances, own[f"{side}_party_id"], own["asset_id"], sign * own["amount_units"])

    def _fold_fills(self, rows: Rows) -> None:
        for instrument_id, price in _pairs(rows, "instrument_id", "price_ticks"):
            self._figures_of(instrument_id)["last_price_ticks"] = price
        lots: dict[Pair, int] = {}
        counts: dict[Pair, int] = {}
        days = rows["trade_epoch_day"]
        _add(lots, rows["instrument_id"], days, rows["quantity_lots"])
        _add(counts, rows["instrument_id"], days, np.ones(len(rows), dtype=np.int64))
        for (instrument_id, day), quantity in sorted(lots.items()):
            figures = self._figures_of(instrument_id)
            figures["volume_lots"] += quantity
            figures["fill_count"] += counts[instrument_id, day]
            if figures["day_epoch_day"] != day:
                figures["day_epoch_day"], figures["day_lots"] = day, 0
            figures["day_lots"] += quantity
        bought = np.where(rows["taker_side_code"] == Side.BUY, 1, -1) * rows["quantity_lots"]
        _add(self.traded_lots, rows["taker_account_id"], rows["instrument_id"], bought)
        _add(self.traded_lots, rows["maker_account_id"], rows["instrument_id"], -bought)

    def _figures_of(self, instrument_id: int) -> dict[str, int]:
        return self.instruments.setdefault(instrument_id, Counter())


class ViewWriter:
    """Follows the journal and keeps the view's file fresh."""

    def __init__(self, home: Home) -> None:
        """Prepare the writer of a home's view."""
        self._home = home
        self._clock = WallClock()
        self.view = LiveView()

    @property
    def path(self) -> Path:
        """The file."""
        return view_path(self._home)

    def run(self, stop: Callable[[], bool]) -> None:
        """Fold the journal from its start and write the file, at most 100 ms behind, until `stop`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        written_frame, written_at_ns = -1, 0

        def write_if_due() -> None:
            nonlocal written_frame, written_at_ns
            is_due = self._clock.now_ns() - written_at_ns >= WRITING_NS
            if is_due and self.view.frame_count != written_frame:
                self.write()
                written_frame, written_at_ns = self.view.frame_count, self._clock.now_ns()

        def is_to_stop() -> bool:
            write_if_due()
            return stop()

        for frame in follow(self._home.journal, 0, is_to_stop):
            self.view.fold(frame)
            write_if_due()
        if self.view.frame_count != written_frame:
            self.write()

    def write(self) -> None:
        """Put the figures in place of the former ones; a reader sees one or the other, whole."""
        told = {"written_at_ns": self._clock.now_ns(), **self.view.figures()}
        draft = self.path.with_name(f".{self.path.name}")
        draft.write_text(json.dumps(told, separators=(",", ":")), encoding="utf-8")
        draft.rename(self.path)


def view_path(home: Home) -> Path:
    """Where the live view of a home lies."""
    return home.root / "run" / "view.json"


def _pairs(rows: Rows, key: str, value: str) -> list[Pair]:
    """The last value of each key, in the order of first appearance."""
    return list(dict(zip(rows[key].tolist(), rows[value].tolist(), strict=True)).items())


def _add(sums: dict[Pair, int], first: Ints, second: Ints, amounts: Ints) -> None:
    """Add amounts to the sums of their pairs of ids; ids and days are below 2**31."""
    packed, places = np.unique(first << 32 | second, return_inverse=True)
    totals = np.zeros(len(packed), dtype=np.int64)
    np.add.at(totals, places, amounts)
    for pair, total in zip(packed.tolist(), totals.tolist(), strict=True):
        key = (pair >> 32, pair & 0xFFFFFFFF)
        sums[key] = sums.get(key, 0) + total
