"""What the reserve formula needs of the book, folded from frames: balances, open positions, prices, accounts.

Owns: the fold, and which accounts and issues each event touches. Does not own the words of the formula
(`reserve_rows.py`) or any figure (`engine.reserve`). Balances are those of the settlement-date view: an entry
waits until its value date has come. Source: 17 CFR 240.17a-3(a)(2) and (a)(5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.ledger.postings import RESERVE_KINDS
from engine.reserve.book_case import FIRM_AMOUNTS
from schemas.codes import (
    CONTRACTS,
    AccountClass,
    AssetClass,
    ClearingAgency,
    FinancingKind,
    SuspenseSide,
)
from schemas.codes import LedgerAccountKind as Kind
from schemas.derive.layout import Rows, dtype_of
from schemas.financing import (
    BankLoanRepaid,
    ClearingMarginPosted,
    ClearingMarginReturned,
    FinancingOpened,
    FinancingReduced,
)
from schemas.identity import AccountLinked, AccountOpened
from schemas.ledger import BankLoanTaken, Posting
from schemas.market import AssetRegistered, BusinessDayStarted, InstrumentListed, MarkChanged
from schemas.packed import unpack
from schemas.payments import DraftIssued, DraftPaid
from schemas.record import record_of
from schemas.reserve import BankEquityRecorded, FirmCapitalRecorded, ReserveAccountOpened
from schemas.safekeeping import (
    CountDifferenceFound,
    CountDifferenceResolved,
    DistributionDeclared,
    DistributionReceived,
    SuspenseCleared,
    SuspenseOpened,
    TransferAcknowledged,
    TransferCompleted,
    TransferSent,
)
from schemas.settlement import SettlementConfirmed, SettlementFailed, SettlementInstructed

if TYPE_CHECKING:
    from engine.journal.frame import Frame

DAY_NS = 86_400 * 10**9
DOLLAR = "USD"
_CLIENT, _PAYABLE = int(Kind.CLIENT), int(Kind.WITHDRAWAL_PAYABLE)
_RESERVE_KINDS = frozenset(int(kind) for kind in RESERVE_KINDS.values())
_STOCK_KINDS = _RESERVE_KINDS | {int(Kind.FIRM_CAPITAL), int(Kind.FEE_INCOME), int(Kind.CUSTODY)}
POSTING = (
    "asset_id",
    "amount_units",
    "debit_account_kind_code",
    "debit_party_id",
    "credit_account_kind_code",
    "credit_party_id",
    "value_epoch_day",
)
"""What of a posting is looked at, in this order."""


class Asset(NamedTuple):
    """What an asset is to the formula."""

    asset_class_code: int
    symbol: str
    issue: str  # of a security: its ISIN, or its symbol where it has none


class Price(NamedTuple):
    """Cents of so many units."""

    minor: int
    per_units: int


@dataclass(slots=True)
class Obligation:
    """What of a netted trade is still to be delivered against payment."""

    obligation_id: int
    account_id: int
    asset_id: int
    obligation_side_code: int
    open_units: int
    open_minor: int
    settlement_epoch_day: int
    has_failed: bool = False


@dataclass(slots=True)
class Item:
    """A position that closes in parts, and what of it is open."""

    item_id: int
    item_kind: str
    asset_id: int
    open_units: int
    opened_epoch_day: int
    money_asset_id: int = 0
    open_money_units: int = 0
    conduit_item_id: int = 0
    account_id: int = 0
    account_class_code: int = 0
    acknowledged_epoch_day: int | None = None


class Draft(NamedTuple):
    """A draft that is out."""

    account_id: int
    asset_id: int
    units: int
    drawn_epoch_day: int


class Link(NamedTuple):
    """With whom an account counts as one; household 0 is none."""

    household_id: int = 0
    is_affiliate: bool = False


@dataclass
class Touched:
    """What events have touched since it was last taken."""

    securities: set[int] = field(default_factory=set[int])
    priced: set[int] = field(default_factory=set[int])  # whose price is another one
    accounts: set[int] = field(default_factory=set[int])
    has_totals: bool = False
    has_deposits: bool = False
    has_day: bool = False


class ReserveBook:
    """The book as of the last event folded, by settlement date."""

    def __init__(self) -> None:
        """Begin before the first frame."""
        self.frame_count = 0
        self.sequence = 0
        self.business_epoch_day = 0  # none yet
        self.assets: dict[int, Asset] = {}
        self.securities: set[int] = set()
        self.currencies: set[int] = set()
        self.assets_of_issue: dict[str, list[int]] = {}
        self.prices: dict[int, Price] = {}  # by asset
        self.account_classes: dict[int, int] = {}
        self.links: dict[int, Link] = {}
        self.members: defaultdict[int, set[int]] = defaultdict(set)  # accounts of a household
        # what is owed is positive here, to accounts and to other parties alike
        self.owed: defaultdict[int, dict[int, int]] = defaultdict(dict)  # security, account; no zeros
        self.securities_of: defaultdict[int, set[int]] = defaultdict(
            set
        )  # what an account has, long or short
        self.cash: defaultdict[int, dict[int, int]] = defaultdict(dict)  # account, currency
        self.payable: defaultdict[int, dict[int, int]] = defaultdict(dict)  # the same, to be paid out
        self.kept: defaultdict[int, dict[tuple[int, int], int]] = defaultdict(dict)  # asset, (kind, party)
        self.obligations: dict[int, Obligation] = {}
        self.obligations_of: defaultdict[int, dict[int, Obligation]] = defaultdict(dict)  # asset, number
        self.items: dict[int, Item] = {}
        self.items_of: defaultdict[int, dict[int, Item]] = defaultdict(dict)  # asset, number
        self.drafts: dict[int, Draft] = {}
        self.drawn: defaultdict[int, dict[int, int]] = defaultdict(dict)  # account, currency: units of drafts
        self.reserve_accounts: dict[tuple[int, int], bool] = {}  # bank, formula: whether an affiliate's
        self.bank_equities: dict[int, int] = {}  # in cents, as last recorded
        self.firm_capital: dict[str, int] = {}  # FIRM_AMOUNTS as last recorded; empty before
        self.touched = Touched()
        self.pending: defaultdict[int, list[Any]] = defaultdict(list)  # postings by value date
        self._instruments: dict[int, Any] = {}  # those that price an asset
        self._instruments_of: defaultdict[int, list[int]] = defaultdict(list)
        self._marks: dict[int, int] = {}
        self._folds: dict[int, tuple[Any, Callable[[Iterable[Any]], None]]] = {
            record_of(cls).type_code: (_POSTING_OF if cls is Posting else _row_type(cls)._make, fold)
            for cls, fold in {
                AssetRegistered: self._fold_assets,
                InstrumentListed: self._fold_instruments,
                MarkChanged: self._fold_marks,
                BusinessDayStarted: self._fold_days,
                AccountOpened: self._fold_accounts,
                AccountLinked: self._fold_links,
                Posting: self._fold_postings,
                BankLoanTaken: self._fold_bank_loans,
                ReserveAccountOpened: self._fold_reserve_accounts,
                BankEquityRecorded: self._fold_bank_equities,
                FirmCapitalRecorded: self._fold_firm_capitals,
                SettlementInstructed: self._fold_obligations,
                SettlementConfirmed: self._fold_settlements,
                SettlementFailed: self._fold_failures,
                FinancingOpened: self._fold_financings,
                ClearingMarginPosted: self._fold_margins,
                TransferSent: self._fold_transfers,
                TransferAcknowledged: self._fold_acknowledgements,
                SuspenseOpened: self._fold_suspense,
                CountDifferenceFound: self._fold_count_differences,
                DistributionDeclared: self._fold_distributions,
                FinancingReduced: self._fold_reductions,
                BankLoanRepaid: self._fold_reductions,
                ClearingMarginReturned: self._fold_reductions,
                TransferCompleted: self._fold_reductions,
                SuspenseCleared: self._fold_reductions,
                CountDifferenceResolved: self._fold_reductions,
                DistributionReceived: self._fold_reductions,
                DraftIssued: self._fold_drafts,
                DraftPaid: self._fold_draft_payments,
            }.items()
        }

    def fold(self, frame: Frame, last_sequence: int | None = None) -> None:
        """Take in the next frame, or what of it is not beyond a sequence.

        Sections ascend by type code, and what opens a position has a lower one than what reduces it: so all
        that a frame says of one position comes in its order.
        """
        for section in frame.sections:
            found = self._folds.get(section.record.type_code)
            if found is None:
                continue
            rows = section.rows
            if last_sequence is not None:
                rows = rows[rows["sequence"] <= last_sequence]
            if len(rows):
                make, fold = found
                fold(map(make, _words(rows)))
        self.frame_count = frame.index
        self.sequence = (
            frame.last_sequence if last_sequence is None else min(last_sequence, frame.last_sequence)
        )

    def take_touched(self) -> Touched:
        """What events have touched since this was last asked."""
        touched, self.touched = self.touched, Touched()
        return touched

    # What things are --------------------------------------------------------------------------------

    def _fold_assets(self, rows: Iterable[Any]) -> None:
        for row in rows:
            symbol = unpack(row.symbol_packed)
            asset = Asset(row.asset_class_code, symbol, unpack(row.isin_packed) or symbol)
            self.assets[row.asset_id] = asset
            if asset.asset_class_code == AssetClass.SECURITY:
                self.securities.add(row.asset_id)
                self.assets_of_issue.setdefault(asset.issue, []).append(row.asset_id)
            elif asset.asset_class_code == AssetClass.CURRENCY:
                self.currencies.add(row.asset_id)
                if symbol == DOLLAR:
                    self.prices[row.asset_id] = Price(1, 1)

    def _fold_instruments(self, rows: Iterable[Any]) -> None:
        for row in rows:
            quote = self.assets.get(row.quote_asset_id)
            if row.instrument_class_code in CONTRACTS or quote is None or quote.symbol != DOLLAR:
                continue
            self._instruments[row.instrument_id] = row
            self._instruments_of[row.base_asset_id].append(row.instrument_id)

    def _fold_marks(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self._marks[row.instrument_id] = row.mark_ticks
            if row.instrument_id in self._instruments:
                self._price(self._instruments[row.instrument_id].base_asset_id)

    def _price(self, asset_id: int) -> None:
        """An asset is worth what the first of its instruments that has a mark says."""
        first = min(i for i in self._instruments_of[asset_id] if i in self._marks)
        instrument = self._instruments[first]
        price = Price(self._marks[first] * instrument.tick_value_minor, instrument.lot_units)
        if price != self.prices.get(asset_id):
            self.prices[asset_id] = price
            self.touched.priced.add(asset_id)

    def _fold_days(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self.business_epoch_day = row.business_epoch_day
        self.touched.has_day = True
        for day in sorted(d for d in self.pending if d <= self.business_epoch_day):
            self._fold_postings(self.pending.pop(day))

    def _fold_accounts(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self.account_classes[row.account_id] = row.account_class_code
            self.touched.accounts.add(row.account_id)

    def _fold_links(self, rows: Iterable[Any]) -> None:
        for row in rows:
            account, before = row.account_id, self.links.get(row.account_id, Link())
            self.links[account] = Link(row.household_id, bool(row.is_affiliate))
            if before.household_id:
                self.members[before.household_id].discard(account)
                self.touched.accounts |= self.members[before.household_id]
            if row.household_id:
                self.members[row.household_id].add(account)
            self.touched.accounts.add(account)

    def _fold_reserve_accounts(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self.reserve_accounts[row.bank_id, row.reserve_formula_code] = bool(row.is_affiliate)
        self.touched.has_deposits = True

    def _fold_bank_equities(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self.bank_equities[row.bank_id] = row.equity_minor
        self.touched.has_deposits = True

    def _fold_firm_capitals(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self.firm_capital = {name: getattr(row, name) for name in FIRM_AMOUNTS}
        self.touched.has_deposits = True

    # Balances ---------------------------------------------------------------------------------------

    def _fold_postings(self, rows: Iterable[Any]) -> None:
        """Enter postings on the accounts that the formula looks at; those of a day to come wait for it."""
        today, securities, currencies = self.business_epoch_day, self.securities, self.currencies
        for posting in rows:
            asset, units, debit_kind, debit_party, credit_kind, credit_party, value_day = posting
            if value_day > today:
                self.pending[value_day].append(posting)
            elif asset in securities:
                self._move_security(asset, debit_kind, debit_party, -units)
                self._move_security(asset, credit_kind, credit_party, units)
            elif asset in currencies:
                self._move_money(asset, debit_kind, debit_party, -units)
                self._move_money(asset, credit_kind, credit_party, units)

    def _move_security(self, asset: int, kind: int, party: int, units: int) -> None:
        """`units` are positive where they are owed to the party."""
        if kind == _CLIENT:
            owners = self.owed[asset]
            if owed := owners.get(party, 0) + units:
                if party not in owners:
                    self.securities_of[party].add(asset)
                owners[party] = owed
            else:
                owners.pop(party, None)
                self.securities_of[party].discard(asset)
            self.touched.accounts.add(party)
            self.touched.securities.add(asset)
        elif kind in _STOCK_KINDS:
            kept = self.kept[asset]
            kept[kind, party] = kept.get((kind, party), 0) + units
            self.touched.securities.add(asset)
            self.touched.has_deposits |= kind in _RESERVE_KINDS

    def _move_money(self, asset: int, kind: int, party: int, units: int) -> None:
        if kind in (_CLIENT, _PAYABLE):
            balances = (self.cash if kind == _CLIENT else self.payable)[party]
            balances[asset] = balances.get(asset, 0) + units
            self.touched.accounts.add(party)
        elif kind in _RESERVE_KINDS:
            kept = self.kept[asset]
            kept[kind, party] = kept.get((kind, party), 0) + units
            self.touched.has_deposits = True

    # Positions that are open for a time -------------------------------------------------------------

    def _fold_obligations(self, rows: Iterable[Any]) -> None:
        for row in rows:
            if row.asset_id in self.securities:
                opened = Obligation(
                    row.obligation_id,
                    row.account_id,
                    row.asset_id,
                    row.obligation_side_code,
                    row.obligation_units,
                    row.obligation_minor,
                    row.settlement_epoch_day,
                )
                self.obligations[row.obligation_id] = opened
                self.obligations_of[row.asset_id][row.obligation_id] = opened
                self.touched.securities.add(row.asset_id)

    def _fold_settlements(self, rows: Iterable[Any]) -> None:
        for row in rows:
            obligation = self.obligations.get(row.obligation_id)
            if obligation is None:
                continue
            obligation.open_units, obligation.open_minor = row.open_units, row.open_minor
            self.touched.securities.add(obligation.asset_id)
            if not row.open_units:
                del self.obligations[row.obligation_id]
                del self.obligations_of[obligation.asset_id][row.obligation_id]

    def _fold_failures(self, rows: Iterable[Any]) -> None:
        for row in rows:
            obligation = self.obligations.get(row.obligation_id)
            if obligation is not None:
                obligation.has_failed = True
                self.touched.securities.add(obligation.asset_id)

    def _open(self, item: Item) -> None:
        self.items[item.item_id] = item
        self.items_of[item.asset_id][item.item_id] = item
        self._touch(item)

    def _touch(self, item: Item) -> None:
        if item.asset_id in self.securities:
            self.touched.securities.add(item.asset_id)
        self.touched.has_totals |= item.asset_id in self.currencies

    def _fold_bank_loans(self, rows: Iterable[Any]) -> None:
        for row in rows:
            opened = row.occurred_at_ns // DAY_NS
            item = Item(row.sequence, "BANK_LOAN", row.pledged_asset_id, row.pledged_units, opened)
            item.money_asset_id, item.open_money_units = row.money_asset_id, row.loan_units
            self._open(item)

    def _fold_financings(self, rows: Iterable[Any]) -> None:
        for row in rows:
            kind = FinancingKind(row.financing_kind_code).name
            item = Item(row.item_id, kind, row.asset_id, row.financed_units, row.opened_epoch_day)
            item.money_asset_id, item.open_money_units = row.money_asset_id, row.money_units
            item.conduit_item_id = row.conduit_item_id
            self._open(item)

    def _fold_margins(self, rows: Iterable[Any]) -> None:
        for row in rows:
            kind = f"MARGIN_{ClearingAgency(row.clearing_agency_code).name}"
            item = Item(row.item_id, kind, row.asset_id, row.margin_units, row.opened_epoch_day)
            item.account_id, item.account_class_code = row.account_id, row.account_class_code
            self._open(item)

    def _fold_transfers(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self._open(Item(row.item_id, "TRANSFER", row.asset_id, row.transfer_units, row.opened_epoch_day))

    def _fold_acknowledgements(self, rows: Iterable[Any]) -> None:
        for row in rows:
            item = self.items.get(row.item_id)
            if item is not None and item.acknowledged_epoch_day is None:
                item.acknowledged_epoch_day = row.occurred_at_ns // DAY_NS
                self._touch(item)

    def _fold_suspense(self, rows: Iterable[Any]) -> None:
        for row in rows:
            kind = f"SUSPENSE_{SuspenseSide(row.suspense_side_code).name}"
            self._open(Item(row.item_id, kind, row.asset_id, row.suspense_units, row.opened_epoch_day))

    def _fold_count_differences(self, rows: Iterable[Any]) -> None:
        for row in rows:
            units, opened = row.missing_units, row.opened_epoch_day
            self._open(Item(row.item_id, "COUNT_DIFFERENCE", row.asset_id, units, opened))

    def _fold_distributions(self, rows: Iterable[Any]) -> None:
        for row in rows:
            units, opened = row.receivable_units, row.opened_epoch_day
            self._open(Item(row.item_id, "DISTRIBUTION", row.distributed_asset_id, units, opened))

    def _fold_reductions(self, rows: Iterable[Any]) -> None:
        for row in rows:
            item = self.items.get(row.item_id)
            if item is None:
                continue
            item.open_units, item.open_money_units = row.open_units, getattr(row, "open_money_units", 0)
            self._touch(item)
            if not item.open_units and not item.open_money_units:
                del self.items[item.item_id]
                del self.items_of[item.asset_id][item.item_id]

    def _fold_drafts(self, rows: Iterable[Any]) -> None:
        for row in rows:
            drawn = row.occurred_at_ns // DAY_NS
            self.drafts[row.payment_id] = Draft(row.account_id, row.asset_id, row.amount_units, drawn)
            self._draw(row, row.amount_units)

    def _fold_draft_payments(self, rows: Iterable[Any]) -> None:
        for row in rows:
            del self.drafts[row.payment_id]
            self._draw(row, -row.amount_units)

    def _draw(self, row: Any, units: int) -> None:
        drawn = self.drawn[row.account_id]
        drawn[row.asset_id] = drawn.get(row.asset_id, 0) + units
        self.touched.accounts.add(row.account_id)
        self.touched.has_totals = True


FORMULA_CLASSES = (AccountClass.CUSTOMER_CASH, AccountClass.CUSTOMER_MARGIN, AccountClass.PAB)
"""Accounts whose cash a formula counts."""


@cache
def _row_type(cls: type) -> Any:
    return NamedTuple(record_of(cls).table, [(name, int) for name in dtype_of(cls).names or ()])  # type: ignore[misc]


_POSTING_OF = itemgetter(*((dtype_of(Posting).names or ()).index(name) for name in POSTING))


def _words(rows: Rows) -> list[list[int]]:
    """Rows of whole words as lists, many times faster than row by row."""
    return rows.view(np.int64).reshape(len(rows), -1).tolist()
