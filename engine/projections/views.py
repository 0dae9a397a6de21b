"""The live view: current figures of accounts and instruments, folded from frames, in one small file.

Owns the fold and the file `run/view.json`. Does not own any figure: each is what an event said, and the file
is made anew from the journal at every start. It is never read by the engine or by a product.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from engine.blocks_kernel import Block
from engine.clock import WallClock
from engine.config import Home
from engine.errors import InvariantBroken
from engine.journal.reader import follow
from engine.journal.sections import Sections
from engine.journal.sections_kernel import TYPE_MASK
from engine.projections.views_kernel import FOLDED_CLASSES, VIEW_BLOCK, fold
from schemas.codes import CONTRACTS, AccountClass, AssetClass
from schemas.derive.layout import Rows, empty_rows
from schemas.identity import AccountOpened
from schemas.market import (
    AssetRegistered,
    BusinessDayStarted,
    EngineConfigured,
    InstrumentListed,
    InstrumentStateChanged,
    KillSwitchSet,
    MarkChanged,
)
from schemas.packed import unpack
from schemas.record import record_of
from schemas.registry import by_type_code

if TYPE_CHECKING:
    from engine.journal.frame import Frame

WRITING_NS = 40_000_000  # at most one file in this time; with the reader's polling well below 100 ms

Words = npt.NDArray[np.int64]
Pair = tuple[int, int]

_FOLDED = {record_of(cls).type_code: name for name, cls in FOLDED_CLASSES.items()}


class _Folded(NamedTuple):
    """The figures that a kernel keeps, and its block. The capacities of the first frame tell their sizes."""

    equity_minor: Words
    initial_margin_minor: Words
    balance_units: Words
    traded_lots: Words
    last_price_ticks: Words
    volume_lots: Words
    fill_count: Words
    day_epoch_day: Words
    day_lots: Words
    block: Block

    @classmethod
    def of(cls, accounts: int, instruments: int, assets: int) -> _Folded:
        """All zero, with room for ids to these."""

        def zeros(*ids: int) -> Words:
            return np.zeros([1 + highest for highest in ids], dtype=np.int64)

        arrays = {
            "equity_minor": zeros(accounts),
            "initial_margin_minor": zeros(accounts),
            "balance_units": zeros(accounts, assets),
            "traded_lots": zeros(accounts, instruments),
            "last_price_ticks": zeros(instruments),
            "volume_lots": zeros(instruments),
            "fill_count": zeros(instruments),
            "day_epoch_day": zeros(instruments),
            "day_lots": zeros(instruments),
        }
        rows = {name: empty_rows(folded, 0) for name, folded in FOLDED_CLASSES.items()}
        return cls(**arrays, block=VIEW_BLOCK.fill(**arrays, **rows))


class LiveView:
    """Current figures as of the last frame folded."""

    def __init__(self) -> None:
        """Begin before the first frame."""
        self.frame_count = 0
        self.sequence = 0
        self.business_epoch_day = 0
        self.is_stopped = False  # whether the kill switch is on
        self.money_asset_id = 0  # the currency of margin: the first currency registered
        self.record_counts: Counter[int] = Counter()  # by type code
        self.account_classes: dict[int, int] = {}  # of the accounts that are open
        self.instruments: dict[int, dict[str, int]] = {}  # what others than fills say of them
        self._folded = _Folded.of(0, 0, 0)
        self._folds: dict[int, Callable[[Rows], None]] = {
            record_of(cls).type_code: fold
            for cls, fold in {
                EngineConfigured: self._fold_capacities,
                AssetRegistered: self._fold_assets,
                InstrumentListed: self._fold_listings,
                InstrumentStateChanged: self._fold_states,
                MarkChanged: self._fold_marks,
                KillSwitchSet: self._fold_switches,
                BusinessDayStarted: self._fold_days,
                AccountOpened: self._fold_accounts,
            }.items()
        }

    def fold(self, frame: Frame) -> None:
        """Take in the next frame. Each figure depends on one record type, so sections may come in any order.

        A day begins in a frame before its fills, or in the same: `day_lots` counts by the fill's own day.
        Raises InvariantBroken on an account, instrument or asset beyond the capacities of the first frame.
        """
        sections = Sections.of(frame.sections)
        block = self._folded.block
        pointed: list[str] = []
        for at, (head, count, _, address) in enumerate(sections.table.tolist()):
            code = head & TYPE_MASK
            self.record_counts[code] += count
            if code in _FOLDED:
                block.point(_FOLDED[code], address, count)
                pointed.append(_FOLDED[code])
            elif code in self._folds:
                self._folds[code](sections[at].rows)
        if pointed:
            if not fold(block.address):
                raise InvariantBroken(f"frame {frame.index} names what its journal has no room for")
            for name in pointed:
                block.point(name, 0, 0)
        self.frame_count, self.sequence = frame.index, frame.last_sequence

    def figures(self) -> dict[str, Any]:
        """All figures, in machine units, ready for JSON."""
        return {
            "sequence": self.sequence,
            "frame_count": self.frame_count,
            "business_epoch_day": self.business_epoch_day,
            "is_stopped": self.is_stopped,
            "record_counts": dict(
                sorted((by_type_code(code).table, count) for code, count in self.record_counts.items())
            ),
            "instruments": [self._instrument(i) for i in sorted(self.instruments)],
            "accounts": [self._account(a) for a in sorted(self.account_classes)],
        }

    def position_lots(self, account_id: int, instrument_id: int) -> int:
        """Lots held: of a contract by its fills, of anything else by the ledger.

        The street clears elsewhere and holds nothing here.
        """
        if self.account_classes[account_id] == AccountClass.STREET:
            return 0
        instrument = self.instruments[instrument_id]
        if instrument["instrument_class_code"] in CONTRACTS:
            return int(self._folded.traded_lots[account_id, instrument_id])
        units = int(self._folded.balance_units[account_id, instrument["base_asset_id"]])
        return units // instrument["lot_units"]

    def _instrument(self, instrument_id: int) -> dict[str, Any]:
        row, folded = self.instruments[instrument_id], self._folded
        is_today = folded.day_epoch_day[instrument_id] == self.business_epoch_day
        return {
            "instrument_id": instrument_id,
            "symbol": unpack(row["symbol_packed"]),
            "instrument_class_code": row["instrument_class_code"],
            "instrument_state_code": row["instrument_state_code"],
            "mark_ticks": row["mark_ticks"],
            "last_price_ticks": int(folded.last_price_ticks[instrument_id]),
            "volume_lots": int(folded.volume_lots[instrument_id]),
            "fill_count": int(folded.fill_count[instrument_id]),
            "day_lots": int(folded.day_lots[instrument_id]) if is_today else 0,
        }

    def _account(self, account_id: int) -> dict[str, Any]:
        held = {i: self.position_lots(account_id, i) for i in self.instruments}
        return {
            "account_id": account_id,
            "account_class_code": self.account_classes[account_id],
            "equity_minor": int(self._folded.equity_minor[account_id]),
            "initial_margin_minor": int(self._folded.initial_margin_minor[account_id]),
            "cash_minor": int(self._folded.balance_units[account_id, self.money_asset_id]),
            "position_lots": {str(i): lots for i, lots in sorted(held.items()) if lots},
        }

    def _fold_capacities(self, rows: Rows) -> None:
        row = rows[0]
        counts = (int(row[name]) for name in ("account_count", "instrument_count", "asset_count"))
        self._folded = _Folded.of(*counts)

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
        self.account_classes.update(_pairs(rows, "account_id", "account_class_code"))

    def _figures_of(self, instrument_id: int) -> dict[str, int]:
        return self.instruments.setdefault(instrument_id, Counter())


class View(Protocol):
    """Figures that are folded from frames."""

    @property
    def frame_count(self) -> int:
        """The last frame folded."""
        ...

    def fold(self, frame: Frame) -> None:
        """Take in the next frame."""
        ...

    def figures(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        ...


V = TypeVar("V", bound=View)


class ViewWriter(Generic[V]):
    """Follows the journal and keeps a view's file fresh."""

    def __init__(self, home: Home, view: V, path: Path, writing_ns: int = WRITING_NS) -> None:
        """Prepare the writer of a view that has folded nothing; at most one file in `writing_ns`."""
        self._home = home
        self._clock = WallClock()
        self._writing_ns = writing_ns
        self.view = view
        self.path = path

    def run(self, stop: Callable[[], bool]) -> None:
        """Fold the journal from its start and write the file when it is due and not level, until `stop`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        written_frame, written_at_ns = -1, 0

        def write_if_due() -> None:
            nonlocal written_frame, written_at_ns
            is_due = self._clock.now_ns() - written_at_ns >= self._writing_ns
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


def view_writer(home: Home) -> ViewWriter[LiveView]:
    """The writer of a home's live view: its file is less than 100 ms behind the journal."""
    return ViewWriter(home, LiveView(), view_path(home))


def view_path(home: Home) -> Path:
    """Where the live view of a home lies."""
    return home.root / "run" / "view.json"


def _pairs(rows: Rows, key: str, value: str) -> list[Pair]:
    """The last value of each key, in the order of first appearance."""
    return list(dict(zip(rows[key].tolist(), rows[value].tolist(), strict=True)).items())
