"""How fast the live reserve follows: a book drawn by a seed, its events folded, its figure kept.

Owns: the book and its events, the measurement and its report. Does not own anything that is measured.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from engine.journal.frame import ZERO_HASH, Frame
from engine.journal.sections import Section, Sections
from engine.projections.reserve_rows import stock_cells
from engine.projections.reserve_view import ReserveRules, ReserveView
from engine.reserve.case_files import CLAIMS, HOLDERS, LOCATIONS, Case
from engine.reserve.computation import Terms, compute
from engine.reserve.live import case_of_rows
from engine.reserve.terms import CENTS, Formula, Frequency, Method
from schemas.codes import AccountClass, AssetClass, FinancingKind, InstrumentClass, ObligationSide
from schemas.codes import LedgerAccountKind as Kind
from schemas.derive.layout import Rows, empty_rows
from schemas.financing import FinancingOpened
from schemas.identity import AccountOpened
from schemas.ledger import BankLoanTaken, Posting
from schemas.market import AssetRegistered, BusinessDayStarted, InstrumentListed, MarkChanged
from schemas.packed import pack
from schemas.record import record_of
from schemas.reserve import FirmCapitalRecorded
from schemas.settlement import SettlementFailed, SettlementInstructed

Tell = Callable[[str], None]

DAY = 20_728  # Friday, 2 October 2026
USD = 1
POSITIONS = 10  # an account
EVENTS = 200_000  # folded in a pass
EVENTS_A_FRAME = 64
UPDATES = 100  # of each kind in a pass
RULES = ReserveRules(Method.ALTERNATIVE, Frequency.DAILY)
TENTATIVE_NET_CAPITAL_MINOR = 900_000_000 * CENTS
_CLASSES = np.array(
    [AccountClass.CUSTOMER_CASH] * 50
    + [AccountClass.CUSTOMER_MARGIN] * 44
    + [AccountClass.PAB] * 3
    + [AccountClass.NON_CUSTOMER] * 2
    + [AccountClass.FIRM]
)


class DrawnBook:
    """A book of accounts and issues as frames; the same seed gives the same events."""

    def __init__(self, accounts: int, issues: int, seed: int) -> None:
        """Nothing is journaled yet. Accounts are 1 to `accounts`, securities 2 to `issues` + 1."""
        self.accounts, self.issues = accounts, issues
        self._chance = np.random.default_rng(seed)
        self._frames = self._sequence = 0
        self._price = self._chance.integers(10_00, 300_00, issues)

    def opening(self) -> Iterator[Frame]:
        """Everything that there is on the morning."""
        n, count = self.issues, self.accounts
        yield self.frame(BusinessDayStarted, 1, business_epoch_day=DAY)
        yield self.frame(
            FirmCapitalRecorded,
            1,
            tentative_net_capital_minor=TENTATIVE_NET_CAPITAL_MINOR,
            as_of_epoch_day=DAY,
        )
        symbols = [pack("USD"), *(pack(f"I{i}") for i in range(n))]
        kinds = [int(AssetClass.CURRENCY), *[int(AssetClass.SECURITY)] * n]
        assets = np.arange(1, n + 2)
        yield self.frame(
            AssetRegistered, n + 1, asset_id=assets, asset_class_code=kinds, symbol_packed=symbols
        )
        yield self.frame(
            InstrumentListed, n, instrument_id=assets[:-1], base_asset_id=assets[1:], quote_asset_id=USD,
            instrument_class_code=int(InstrumentClass.EQUITY), lot_units=1, tick_value_minor=1,
        )  # fmt: skip
        yield self.frame(MarkChanged, n, instrument_id=assets[:-1], mark_ticks=self._price)
        numbers = np.arange(1, count + 1)
        classes = _CLASSES[numbers % len(_CLASSES)]
        yield self.frame(AccountOpened, count, account_id=numbers, account_class_code=classes)
        held = np.repeat(numbers, POSITIONS)
        yield self.received(
            held, self._chance.integers(2, n + 2, len(held)), self._chance.integers(10, 400, len(held))
        )
        cash = self._chance.integers(100_00, 40_000_00, count)
        yield self.received(numbers, np.full(count, USD), cash)
        debtors = numbers[classes == AccountClass.CUSTOMER_MARGIN]
        yield self.posted(
            debtors, np.full(len(debtors), USD), self._chance.integers(40_000_00, 200_000_00, len(debtors))
        )
        lent = self._chance.integers(2, n + 2, n // 4)
        units = self._chance.integers(1, 200, len(lent))
        yield self.frame(
            BankLoanTaken, len(lent), bank_id=1, money_asset_id=USD, loan_units=units * 50_00,
            pledged_asset_id=lent, pledged_units=units, occurred_at_ns=(DAY - 20) * 86_400 * 10**9,
        )  # fmt: skip
        yield self.moved(lent, units)
        failed = self._chance.integers(2, n + 2, n // 4)
        units = self._chance.integers(1, 200, len(failed))
        instructed = self.frame(
            SettlementInstructed, len(failed), account_id=self._chance.integers(1, count + 1, len(failed)),
            instrument_id=failed - 1, asset_id=failed, quote_asset_id=USD,
            obligation_side_code=int(ObligationSide.RECEIVE), obligation_units=units,
            obligation_minor=units * 60_00,
            settlement_epoch_day=DAY - self._chance.integers(1, 60, len(failed)),
        )  # fmt: skip
        numbers = instructed.sections[0].rows["sequence"]
        instructed.sections[0].rows["obligation_id"] = numbers
        yield instructed
        yield self.frame(SettlementFailed, len(failed), obligation_id=numbers)
        yield self.moved(failed, units)

    def events(self, count: int) -> Iterator[Frame]:
        """A busy morning: entries of trades, half of them of days to come, a mark among a hundred."""
        for _ in range(count // EVENTS_A_FRAME):
            size = EVENTS_A_FRAME - 1
            moved = self.posted(
                self._some_accounts(size), self._some_assets(size), self._chance.integers(1, 300, size),
                DAY + self._chance.integers(0, 2, size),
            )  # fmt: skip
            marked = self.mark()
            yield moved._replace(sections=[*marked.sections, *moved.sections])

    def mark(self) -> Frame:
        """Another mark of one issue."""
        at = int(self._chance.integers(0, self.issues))
        ticks = int(self._price[at]) + int(self._chance.integers(-50, 51))
        return self.frame(MarkChanged, 1, instrument_id=at + 1, mark_ticks=ticks)

    def settled(self) -> Frame:
        """A purchase of one account: securities come, money goes."""
        (account,), (asset,) = self._some_accounts(1), self._some_assets(1)
        units = int(self._chance.integers(1, 50))
        money = units * int(self._price[asset - 2])
        rows = self._rows(Posting, 2, amount_units=[units, money], asset_id=[asset, USD], value_epoch_day=DAY)
        rows["debit_account_kind_code"] = [Kind.CUSTODY, Kind.CLIENT]
        rows["credit_account_kind_code"] = [Kind.CLIENT, Kind.NOSTRO]
        rows["debit_party_id"], rows["credit_party_id"] = [0, account], [account, 0]
        return self._framed(Posting, rows)

    def financed(self) -> Frame:
        """A stock loan out of custody."""
        units = int(self._chance.integers(1, 20))
        (asset,) = self._some_assets(1)
        opened = self.frame(
            FinancingOpened, 1, financing_kind_code=int(FinancingKind.STOCK_LOAN), counterparty_id=1,
            asset_id=asset, financed_units=units, money_asset_id=USD, money_units=units * 100_00,
            opened_epoch_day=DAY,
        )  # fmt: skip
        opened.sections[0].rows["item_id"] = opened.sections[0].rows["sequence"]
        moved = self.moved(np.array([asset]), np.array([units]))
        return moved._replace(sections=[*moved.sections, *opened.sections])

    def received(self, accounts: Any, assets: Any, units: Any) -> Frame:
        """Entries that bring assets into accounts."""
        return self.frame(
            Posting, len(accounts), asset_id=assets, amount_units=units, value_epoch_day=DAY,
            debit_account_kind_code=int(Kind.CUSTODY), credit_account_kind_code=int(Kind.CLIENT),
            credit_party_id=accounts,
        )  # fmt: skip

    def posted(self, accounts: Any, assets: Any, units: Any, value_day: Any = DAY) -> Frame:
        """Entries that take assets out of accounts."""
        return self.frame(
            Posting, len(accounts), asset_id=assets, amount_units=units, value_epoch_day=value_day,
            debit_account_kind_code=int(Kind.CLIENT), debit_party_id=accounts,
            credit_account_kind_code=int(Kind.CUSTODY),
        )  # fmt: skip

    def moved(self, assets: Any, units: Any) -> Frame:
        """Entries that take securities out of custody to where an item says that they are."""
        return self.frame(
            Posting, len(assets), asset_id=assets, amount_units=units, value_epoch_day=DAY,
            debit_account_kind_code=int(Kind.STREET_PENDING), debit_party_id=1,
            credit_account_kind_code=int(Kind.CUSTODY),
        )  # fmt: skip

    def frame(self, cls: type, count: int, **columns: Any) -> Frame:
        """A frame of rows of one class; columns left out are zero."""
        return self._framed(cls, self._rows(cls, count, **columns))

    def _rows(self, cls: type, count: int, **columns: Any) -> Rows:
        rows = empty_rows(cls, count)
        rows["sequence"] = np.arange(self._sequence + 1, self._sequence + count + 1)
        self._sequence += count
        for name, values in columns.items():
            rows[name] = values
        return rows

    def _framed(self, cls: type, rows: Rows) -> Frame:
        self._frames += 1
        sections = Sections.of([Section(record_of(cls), rows)])
        first, last = int(rows["sequence"][0]), self._sequence
        return Frame(self._frames, 1, first, last, sections, ZERO_HASH, ZERO_HASH)

    def _some_accounts(self, count: int) -> Any:
        return self._chance.integers(1, self.accounts + 1, count)

    def _some_assets(self, count: int) -> Any:
        return self._chance.integers(2, self.issues + 2, count)


def measure_live(accounts: int, issues: int, passes: int, seed: int, tell: Tell) -> dict[str, Any]:
    """The report: medians over passes, each of a book of its own that is drawn by the same seed."""
    figures: list[dict[str, float]] = []
    for number in range(passes):
        figures.append(_pass(DrawnBook(accounts, issues, seed)))
        tell(f"live, pass {number + 1}: {figures[-1]['fold_us_per_event']:.2f} us an event")
    told = {name: round(statistics.median(f[name] for f in figures), 3) for name in figures[0]}
    return {"accounts": accounts, "issues": issues, "passes": passes, **told}


def _pass(book: DrawnBook) -> dict[str, float]:
    view = ReserveView(RULES)
    opening = list(book.opening())
    began = time.process_time()
    for frame in opening:
        view.book.fold(frame)
    folded = time.process_time()
    events = sum(len(section.rows) for frame in opening for section in frame.sections)
    told = {"opening_events": float(events), "opening_us_per_event": (folded - began) / events * 1e6}
    view.update()
    _figures(view)
    told["first_figure_ms"] = (time.process_time() - folded) * 1e3
    began = time.process_time()
    whole = _whole_case(view)
    built = time.process_time()
    computed = [compute(whole, Terms(view.as_of, RULES.method, RULES.frequency, f)) for f in Formula]
    told["compute_whole_ms"] = (time.process_time() - built) * 1e3 / len(computed)
    told["rows_of_whole_ms"] = (built - began) * 1e3
    for name, make in (("entry", book.settled), ("mark", book.mark), ("financing", book.financed)):
        spent: list[float] = []
        for frame in [make() for _ in range(UPDATES)]:
            began = time.process_time()
            view.fold(frame)
            view.update()
            _figures(view)
            spent.append(time.process_time() - began)
        told[f"{name}_update_us"] = statistics.median(spent) * 1e6
    frames = list(book.events(EVENTS))
    began = time.process_time()
    for frame in frames:
        view.book.fold(frame)
    folded = time.process_time()
    told["fold_us_per_event"] = (folded - began) / (len(frames) * EVENTS_A_FRAME) * 1e6
    view.update()
    _figures(view)
    told["update_after_events_ms"] = (time.process_time() - folded) * 1e3
    began = time.process_time()
    view.figures()
    told["file_ms"] = (time.process_time() - began) * 1e3
    return told


def _figures(view: ReserveView) -> None:
    for formula in Formula:
        view.figure(formula)


def _whole_case(view: ReserveView) -> Case:
    rows, issues = view.rows, list(view.book.assets_of_issue)
    return case_of_rows(
        rows.firm(),
        accounts=[
            (a.account_id, HOLDERS.index(a.holder), *a[2:]) for a in rows.accounts(view.book.account_classes)
        ],
        claims=stock_cells([row for issue in issues for row in rows.claims(issue)], CLAIMS),
        locations=stock_cells([row for issue in issues for row in rows.locations(issue)], LOCATIONS),
        prices=rows.prices(issues),
    )
