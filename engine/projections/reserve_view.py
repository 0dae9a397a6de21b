"""The live reserve: both formulas as of the last event folded, in one small file.

Owns: how changes of the folded book reach the kept computation, what a day began with, and the file
`run/reserve.json`. Does not own the fold (`reserve_book.py`), rows (`reserve_rows.py`) or figures
(`engine.reserve`). The file is never read by the engine or by a product.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import BadInput, PlatformError
from engine.journal.reader import read_frames
from engine.projections.reserve_book import ReserveBook
from engine.projections.reserve_moves import about_to_age, contributors
from engine.projections.reserve_rows import ReserveRows, TotalRow, stock_case, stock_cells
from engine.projections.views import ViewWriter
from engine.reserve.case_files import CLAIMS, FORMULAS, HOLDERS, TOTALS
from engine.reserve.computation import Figure, reserve_balances, rule_version
from engine.reserve.eligible_deposit import Direction, ExcessDebits, deposit_order
from engine.reserve.findings import REQUIREMENT
from engine.reserve.live import LiveReserve, case_of_rows
from engine.reserve.terms import Formula, Frequency, Indeterminate, Method
from schemas.days import date_of

if TYPE_CHECKING:
    from pathlib import Path

    from engine.config import Home
    from engine.journal.frame import Frame

WRITING_NS = 1_000_000_000  # at most one file in this time


class ReserveRules(NamedTuple):
    """What the reserve is computed by and the journal does not say."""

    method: Method
    frequency: Frequency


class ReserveView:
    """Both formulas as of the last event folded."""

    def __init__(self, rules: ReserveRules) -> None:
        """Begin before the first frame."""
        self.rules = rules
        self.book = ReserveBook()
        self.rows = ReserveRows(self.book)
        self.live = LiveReserve(rules.method, rules.frequency)
        self._breaks: list[TotalRow] = []
        self._totals: list[TotalRow] = []
        self._opening: dict[Formula, dict[int, int | None]] = {}

    @property
    def frame_count(self) -> int:
        """The last frame folded."""
        return self.book.frame_count

    @property
    def as_of(self) -> date:
        """The business day; `date.min` before the first."""
        day = self.book.business_epoch_day
        return date_of(day) if day else date.min

    def fold(self, frame: Frame, last_sequence: int | None = None) -> None:
        """Take in the next frame, or what of it is not beyond a sequence."""
        self.book.fold(frame, last_sequence)
        if self.book.touched.has_day:
            self.update()
            self._opening = {formula: self._lines(formula) for formula in Formula}

    def add_breaks(self, breaks: Iterable[TotalRow]) -> None:
        """Count differences with custodian or bank as well that the book has not recorded."""
        self._breaks += breaks
        self._replace_facts()

    def update(self) -> None:
        """Bring the kept computation to the last event folded. Nothing is computed before the first day."""
        if not self.book.business_epoch_day:
            return
        rows, changes = self.rows, self.rows.changes()
        if changes.has_day:
            self.live.begin_day(self.as_of)
        if changes.issues:
            self.live.replace_issues(
                changes.issues,
                stock_case(
                    [row for issue in changes.issues for row in rows.claims(issue)],
                    [row for issue in changes.issues for row in rows.locations(issue)],
                    rows.prices(changes.issues),
                ),
            )
        if changes.accounts:
            issues = rows.issues_of_accounts(changes.accounts)
            holders = case_of_rows(
                accounts=[
                    (a.account_id, HOLDERS.index(a.holder), *a[2:]) for a in rows.accounts(changes.accounts)
                ],
                claims=stock_cells(rows.claims_of_accounts(changes.accounts), CLAIMS),
                prices=rows.prices(issues),
            )
            self.live.replace_accounts([str(a) for a in changes.accounts], holders)
        if changes.has_totals or changes.has_deposits:
            self._replace_facts()

    def figure(self, formula: Formula) -> Figure:
        """Lines and requirement as of the last update. Raises BadInput where the firm's capital is needed."""
        return self.live.figure(formula)

    def figures(self) -> dict[str, Any]:
        """Both formulas and what moves them, amounts in cents, ready for JSON. Updates first."""
        self.update()
        told: dict[str, Any] = {
            "sequence": self.book.sequence,
            "frame_count": self.book.frame_count,
            "as_of": self.as_of.isoformat() if self.book.business_epoch_day else None,
            "method": self.rules.method.value,
            "frequency": self.rules.frequency.value,
            "rule_version": rule_version(self.live.policy, self.live.matrix),
        }
        if not self.book.business_epoch_day:
            return told | {"formulas": {}}
        moves = about_to_age(self.rows, self.live, self._totals)
        formulas: dict[str, Any] = {}
        for formula in Formula:
            try:
                figure = self.figure(formula)
            except PlatformError as error:
                formulas[formula.value] = {"indeterminate": [{"item": REQUIREMENT, "reason": str(error)}]}
                continue
            formulas[formula.value] = {
                "lines": {str(item): amount for item, amount in figure.lines.items()},
                "total_credits_minor": figure.credits,
                "total_debits_minor": figure.debits,
                "reduction_minor": figure.reduction.amount_minor,
                "requirement_minor": figure.requirement,
                "excess_debits_minor": figure.excess,
                "deposit": self._deposit(formula, figure),
                "since_start_of_day": self._since_start(formula, figure),
                "contributors": [
                    c._asdict() for c in contributors(self.rows, self.live, formula, figure, self._totals)
                ],
                "about_to_age": [move._asdict() for move in moves[formula]],
                "notes": [note._asdict() for note in figure.notes],
                "indeterminate": [gap._asdict() for gap in figure.gaps],
            }
        return told | {"formulas": formulas}

    def _deposit(self, formula: Formula, figure: Figure) -> dict[str, Any]:
        """What counts on deposit, and by how much it is short of the requirement or over it."""
        held = short = over = None
        covered, reason = 0, ""
        try:
            held = sum(counted.total_minor for counted in self.live.deposits(formula))
            if figure.requirement is not None:
                order = deposit_order(
                    formula,
                    self.as_of,
                    figure.requirement,
                    reserve_balances(self.live.facts, formula),
                    customer_excess=self._customer_excess() if formula is Formula.PAB else None,
                )
                covered = order.covered_minor
                short = order.amount_minor if order.direction is Direction.DEPOSIT else 0
                over = order.amount_minor if order.direction is Direction.WITHDRAWAL else 0
        except Indeterminate as error:
            reason = str(error)
        return {
            "held_minor": held,
            "covered_minor": covered,
            "shortfall_minor": short,
            "excess_minor": over,
            "indeterminate": reason,
        }

    def _customer_excess(self) -> ExcessDebits | None:
        try:
            excess = self.figure(Formula.CUSTOMER).excess
        except PlatformError:
            return None
        return None if excess is None else ExcessDebits(Formula.CUSTOMER, self.as_of, excess)

    def _since_start(self, formula: Formula, figure: Figure) -> dict[str, int | None]:
        opening = self._opening.get(formula, {})
        return {
            str(item): None if amount is None or (before := opening.get(item)) is None else amount - before
            for item, amount in figure.lines.items()
        }

    def _lines(self, formula: Formula) -> dict[int, int | None]:
        try:
            return self.figure(formula).lines
        except PlatformError:
            return {}

    def _replace_facts(self) -> None:
        self._totals = [*self.rows.totals(), *self._breaks]
        self.live.replace_facts(
            case_of_rows(
                self.rows.firm(),
                other=[
                    (TOTALS.index(t.item), *t[1:3], None if t.formula is None else FORMULAS.index(t.formula))
                    for t in self._totals
                ],
                deposits=[
                    (
                        d.bank,
                        d.cash_minor,
                        d.bank_equity_minor,
                        d.is_affiliate,
                        d.qualified_securities_minor,
                        FORMULAS.index(d.formula),
                    )
                    for d in self.rows.deposits()
                ],
            )
        )


def reserve_writer(home: Home, rules: ReserveRules) -> ViewWriter[ReserveView]:
    """The writer of a home's live reserve."""
    return ViewWriter(home, ReserveView(rules), reserve_path(home), WRITING_NS)


def reserve_path(home: Home) -> Path:
    """Where the live reserve of a home lies."""
    return home.root / "run" / "reserve.json"


def folded(home: Home, rules: ReserveRules, last_sequence: int | None = None) -> ReserveView:
    """A home's journal folded to its durable end, or to a sequence.

    Raises JournalDamaged where it does not verify, BadInput where it does not reach the sequence.
    """
    view = ReserveView(rules)
    for frame in read_frames(home.journal):
        if last_sequence is not None and frame.first_sequence > last_sequence:
            break
        view.fold(frame, last_sequence)
    if last_sequence is not None and view.book.sequence < last_sequence:
        raise BadInput(f"the journal ends at sequence {view.book.sequence}, before {last_sequence}")
    view.update()
    return view
