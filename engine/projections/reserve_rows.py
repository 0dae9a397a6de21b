"""The folded book in the words of the reserve formula: the rows of the dbt models `int_reserve_<table>`.

Owns: which row follows from which balance, position or link, and which issues and accounts have other rows
since it was last asked. Does not own the fold (`reserve_book.py`) or any figure (`engine.reserve`). What a
row says is told in docs/ledger.md; the warehouse says it again in SQL, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from engine.ledger.postings import RESERVE_KINDS
from engine.projections.reserve_book import (
    DOLLAR,
    FORMULA_CLASSES,
    Item,
    Obligation,
    Price,
    ReserveBook,
)
from engine.reserve.case_files import CLAIMS, LOCATIONS, Case
from engine.reserve.csv_columns import PRICE_SCALE
from engine.reserve.excess_margin import COLLATERAL_PERCENT
from engine.reserve.kinds import HOLDER_SPELLINGS, Claim, Holder, Location, Total
from engine.reserve.live import case_of_rows
from engine.reserve.terms import CENTS, Formula
from schemas.codes import AccountClass, ObligationSide, ReserveFormula
from schemas.codes import LedgerAccountKind as Kind

_FIRM_KINDS = (int(Kind.FIRM_CAPITAL), int(Kind.FEE_INCOME))
_CUSTODY = int(Kind.CUSTODY)
_CLAIM_OF_HOLDER = {
    Holder.CUSTOMER_CASH: Claim.CUSTOMER_FULLY_PAID,
    Holder.CUSTOMER_MARGIN: Claim.CUSTOMER_FULLY_PAID,
    Holder.PAB: Claim.PAB,
    Holder.NONCUSTOMER: Claim.NONCUSTOMER,
    Holder.FIRM: Claim.FIRM,
}
_SHORT_OF_HOLDER = {
    Holder.CUSTOMER_CASH: Location.CUSTOMER_SHORT,
    Holder.CUSTOMER_MARGIN: Location.CUSTOMER_SHORT,
    Holder.PAB: Location.PAB_SHORT,
    Holder.NONCUSTOMER: Location.NONCUSTOMER_SHORT,
    Holder.FIRM: Location.FIRM_SHORT,
}
_CLAIM_OF_ITEM = {
    "STOCK_BORROW": Claim.BORROW,
    "REVERSE_REPO": Claim.REVERSE_REPO,
    "SUSPENSE_LONG": Claim.SUSPENSE,
}
_LOCATION_OF_ITEM = {
    "BANK_LOAN": Location.BANK_LOAN,
    "REPO": Location.REPO,
    "STOCK_LOAN": Location.LOAN,
    "TRANSFER": Location.TRANSFER,
    "COUNT_DIFFERENCE": Location.COUNT_DIFFERENCE,
    "SUSPENSE_SHORT": Location.SUSPENSE,
    "DISTRIBUTION": Location.DIVIDEND_RECEIVABLE,
    "MARGIN_TREASURY": Location.TREASURY_CLEARING,
    # at a derivatives clearing organization alike: no item counts securities there
    "MARGIN_OCC": Location.OCC,
    "MARGIN_DCO": Location.OCC,
}
_TOTAL_OF_ITEM = {
    "MARGIN_OCC": Total.OCC_MARGIN,
    "MARGIN_DCO": Total.SFP_MARGIN,
    "MARGIN_TREASURY": Total.TREASURY_MARGIN,
    "SUSPENSE_LONG": Total.SUSPENSE_SHORT,
}


class AccountRow(NamedTuple):
    """A row of `int_reserve_accounts`."""

    account_id: str
    holder: Holder
    cash_balance_minor: int
    margin_debit_minor: int
    household_id: str | None
    is_affiliate: bool


class StockRow(NamedTuple):
    """A row of `int_reserve_claims` or `int_reserve_locations`; the day is one since 1970."""

    issue: str
    kind: Claim | Location
    account_id: str | None
    quantity: int
    contract_value_minor: int | None = None
    opened_epoch_day: int | None = None


class PriceRow(NamedTuple):
    """A row of `int_reserve_prices`; the price is scaled by PRICE_SCALE."""

    issue: str
    price: int
    is_exempt: bool


class TotalRow(NamedTuple):
    """A row of `int_reserve_totals`, or of `int_reserve_breaks`, which may name no formula."""

    item: Total
    amount_minor: int | None
    opened_epoch_day: int | None
    formula: Formula | None


class DepositRow(NamedTuple):
    """A row of `int_reserve_deposits`: what lies in a special reserve bank account, and the bank's equity."""

    bank: str
    formula: Formula
    cash_minor: int
    bank_equity_minor: int | None
    is_affiliate: bool
    qualified_securities_minor: int


class Changes(NamedTuple):
    """What has other rows than before; accounts with all that share a household with one."""

    issues: set[str]
    accounts: set[int]
    has_totals: bool
    has_deposits: bool
    has_day: bool


class _Cash(NamedTuple):
    credit_minor: int
    debit_minor: int
    unknown_credits: int  # how many credits are in a currency without a price


_NOTHING = _Cash(0, 0, 0)
_HOLDER_OF_CLASS = {int(c): h for c in AccountClass if (h := HOLDER_SPELLINGS.get(c.name.lower()))}


class ReserveRows:
    """Rows of a book that is folded on. Ask for `changes` before rows."""

    def __init__(self, book: ReserveBook) -> None:
        """Begin with a book of which nothing was taken yet."""
        self.book = book
        self._margin_units: dict[int, dict[int, int]] = {}  # account, asset: what secures 140 % of its debit
        self._cash: dict[int, _Cash] = {}

    def changes(self) -> Changes:
        """What has other rows since this was last asked."""
        book, touched = self.book, self.book.take_touched()
        assets, accounts, has_totals = touched.securities, touched.accounts, touched.has_totals
        has_deposits = touched.has_deposits
        for asset_id in touched.priced:
            if asset_id in book.securities:
                assets.add(asset_id)
                has_deposits |= any(kind in RESERVE_KINDS.values() for kind, _ in book.kept[asset_id])
                accounts.update(book.owed[asset_id])
            else:
                for balances in (book.cash, book.payable):
                    accounts.update(a for a, monies in balances.items() if monies.get(asset_id))
                assets.update(i.asset_id for i in book.items.values() if i.money_asset_id == asset_id)
                has_totals = True
        if touched.has_day:
            assets.update(o.asset_id for o in book.obligations.values())
            assets.update(i.asset_id for i in book.items.values())
            has_totals = True
        for account_id in accounts:
            before, cash = self._cash.get(account_id, _NOTHING), self._cash_now(account_id)
            self._cash[account_id] = cash
            has_totals |= before.unknown_credits != cash.unknown_credits
            assets |= self._split_anew(account_id)
        for account_id in list(accounts):
            if household := book.links[account_id].household_id if account_id in book.links else 0:
                accounts |= book.members[household]
        issues = {book.assets[a].issue for a in assets if a in book.securities}
        return Changes(issues, accounts, has_totals, has_deposits, touched.has_day)

    # Accounts ---------------------------------------------------------------------------------------

    def accounts(self, accounts: Iterable[int]) -> list[AccountRow]:
        """Rows of the accounts that there are. What is owed in one currency is not set against another."""
        found: list[AccountRow] = []
        for account_id in accounts:
            holder = self._holder(account_id)
            if holder is None:
                continue
            cash = self._cash.get(account_id, _NOTHING)
            # the formula gives a cash account one balance: beside a credit, a debit stands as one on margin
            is_one = holder is Holder.CUSTOMER_CASH and not cash.credit_minor
            link = self.book.links.get(account_id)
            found.append(
                AccountRow(
                    str(account_id),
                    holder,
                    -cash.debit_minor if is_one else cash.credit_minor,
                    0 if is_one else cash.debit_minor,
                    str(link.household_id) if link and link.household_id else None,
                    link.is_affiliate if link else False,
                )
            )
        return found

    def claims_of_accounts(self, accounts: Iterable[int]) -> list[StockRow]:
        """What the accounts are owed of securities."""
        return [
            row
            for account_id in accounts
            for asset_id in self.book.securities_of.get(account_id, ())
            for row in self._claims_of_holding(account_id, asset_id)
        ]

    def _holder(self, account_id: int) -> Holder | None:
        """How the formula treats an account; None what the street clears elsewhere, and what there is not."""
        return _HOLDER_OF_CLASS.get(self.book.account_classes.get(account_id, 0))

    def _cash_now(self, account_id: int) -> _Cash:
        """Cents that are owed to the account and by it, currency by currency, without its drafts."""
        book = self.book
        if book.account_classes.get(account_id) not in FORMULA_CLASSES:
            return _NOTHING
        drawn = book.drawn.get(account_id, {})
        balances = [*book.cash.get(account_id, {}).items()]
        balances += [(a, units - drawn.get(a, 0)) for a, units in book.payable.get(account_id, {}).items()]
        credit = debit = unknown = 0
        for asset_id, owed in balances:
            price = book.prices.get(asset_id)
            if price is None:
                unknown += owed > 0
            elif owed > 0:
                credit += _up(owed, price)
            else:
                debit += _down(-owed, price)
        return _Cash(credit, debit, unknown)

    def _split_anew(self, account_id: int) -> set[int]:
        """Split a margin account's longs anew; the assets of which another part is margin now."""
        before, now = self._margin_units.get(account_id, {}), self._margin_split(account_id)
        if before == now:
            return set()
        self._margin_units[account_id] = now
        return {a for a in before.keys() | now.keys() if before.get(a) != now.get(a)}

    def _margin_split(self, account_id: int) -> dict[int, int]:
        """Units that secure 140 % of the debit, assets in the order of their numbers.

        What has no price secures nothing. Source: 17 CFR 240.15c3-3(a)(3) to (a)(5).
        """
        book = self.book
        if book.account_classes.get(account_id) != AccountClass.CUSTOMER_MARGIN:
            return {}
        room = self._cash[account_id].debit_minor * COLLATERAL_PERCENT // 100
        split: dict[int, int] = {}
        for asset_id in sorted(book.securities_of.get(account_id, ())) if room else ():
            units, price = book.owed[asset_id][account_id], book.prices.get(asset_id)
            if room <= 0:
                break
            if units <= 0 or price is None or price.minor <= 0:
                continue
            if margin := min(units, room * price.per_units // price.minor):
                split[asset_id] = margin
            room -= _up(units, price)
        return split

    # Issues -----------------------------------------------------------------------------------------

    def claims(self, issue: str) -> list[StockRow]:
        """Who is owed an issue."""
        found: list[StockRow] = []
        for asset_id in self.book.assets_of_issue.get(issue, ()):
            for account_id in self.book.owed[asset_id]:
                found += self._claims_of_holding(account_id, asset_id)
            for (kind, _), units in self.book.kept[asset_id].items():
                if units > 0 and kind in _FIRM_KINDS:  # what the firm itself is owed without an account
                    found.append(StockRow(issue, Claim.FIRM, None, units))
                elif units > 0 and kind == _CUSTODY:  # more was delivered than custody held
                    found.append(StockRow(issue, Claim.SUSPENSE, "custody overdrawn", units))
            found += [self._delivery(issue, o) for o in self._due(asset_id, ObligationSide.DELIVER)]
            for item in self.book.items_of[asset_id].values():
                if item.item_kind in _CLAIM_OF_ITEM and item.open_units > 0:
                    found.append(self._claim_of_item(issue, item))
        return found

    def locations(self, issue: str) -> list[StockRow]:
        """Where an issue is."""
        found: list[StockRow] = []
        for asset_id in self.book.assets_of_issue.get(issue, ()):
            for account_id, units in self.book.owed[asset_id].items():
                if units < 0 and (holder := self._holder_or_firm(account_id)):
                    found.append(StockRow(issue, _SHORT_OF_HOLDER[holder], str(account_id), -units))
            for (kind, _), units in self.book.kept[asset_id].items():
                if units < 0 and (kind == _CUSTODY or kind in RESERVE_KINDS.values()):
                    found.append(StockRow(issue, Location.DEPOSITORY, None, -units))
            found += [self._receipt(issue, due) for due in self._due(asset_id, ObligationSide.RECEIVE)]
            for item in self.book.items_of[asset_id].values():
                if item.item_kind in _LOCATION_OF_ITEM and item.open_units > 0:
                    found.append(self._location_of_item(issue, item))
        return found

    def deliveries(self) -> Iterator[StockRow]:
        """Fails to deliver of every issue."""
        for asset_id in list(self.book.obligations_of):
            for due in self._due(asset_id, ObligationSide.DELIVER):
                if due.has_failed:
                    yield self._delivery(self.book.assets[asset_id].issue, due)

    def opened_locations(self) -> Iterator[StockRow]:
        """Locations of every issue that have been open since a day."""
        for asset_id in list(self.book.obligations_of):
            for due in self._due(asset_id, ObligationSide.RECEIVE):
                yield self._receipt(self.book.assets[asset_id].issue, due)
        for item in self.book.items.values():
            is_located = item.item_kind in _LOCATION_OF_ITEM and item.open_units > 0
            if is_located and item.asset_id in self.book.securities:
                yield self._location_of_item(self.book.assets[item.asset_id].issue, item)

    def prices(self, issues: Iterable[str]) -> list[PriceRow]:
        """Prices of issues that have one, rounded up; no fact of the book says that a security is exempt."""
        return [
            PriceRow(issue, -(-price.minor * (PRICE_SCALE // CENTS) // price.per_units), is_exempt=False)
            for issue in issues
            for asset_id in self.book.assets_of_issue.get(issue, ())
            if (price := self.book.prices.get(asset_id)) is not None
        ]

    def issues_of_accounts(self, accounts: Iterable[int]) -> set[str]:
        """The issues of which accounts have something."""
        book = self.book
        return {book.assets[s].issue for a in accounts for s in book.securities_of.get(a, ())}

    def _holder_or_firm(self, account_id: int) -> Holder:
        return self._holder(account_id) or Holder.FIRM

    def _claims_of_holding(self, account_id: int, asset_id: int) -> Iterator[StockRow]:
        units, issue = self.book.owed[asset_id][account_id], self.book.assets[asset_id].issue
        margin = self._margin_units.get(account_id, {}).get(asset_id, 0)
        if margin > 0:
            yield StockRow(issue, Claim.CUSTOMER_MARGIN, str(account_id), margin)
        if units - margin > 0:
            claim = _CLAIM_OF_HOLDER[self._holder_or_firm(account_id)]
            yield StockRow(issue, claim, str(account_id), units - margin)

    def _due(self, asset_id: int, side: ObligationSide) -> Iterator[Obligation]:
        today = self.book.business_epoch_day
        for obligation in self.book.obligations_of[asset_id].values():
            if obligation.obligation_side_code == side and obligation.settlement_epoch_day <= today:
                yield obligation

    def _delivery(self, issue: str, due: Obligation) -> StockRow:
        """A delivery that is due and that nobody has reported failed is no debit yet."""
        claim = Claim.FAIL_TO_DELIVER if due.has_failed else Claim.SUSPENSE
        owner = str(due.account_id) if due.has_failed else f"unreported OB{due.obligation_id}"
        return StockRow(issue, claim, owner, due.open_units, due.open_minor, due.settlement_epoch_day)

    def _receipt(self, issue: str, due: Obligation) -> StockRow:
        """A receipt that is overdue counts as failed even before anybody reports it."""
        owner, since = str(due.account_id), due.settlement_epoch_day
        return StockRow(issue, Location.FAIL_TO_RECEIVE, owner, due.open_units, due.open_minor, since)

    def _claim_of_item(self, issue: str, item: Item) -> StockRow:
        price = self.book.prices.get(item.money_asset_id)
        money = None if price is None else _down(item.open_money_units, price)
        claim, owner = _CLAIM_OF_ITEM[item.item_kind], f"{item.item_kind.lower()} {item.item_id}"
        return StockRow(issue, claim, owner, item.open_units, money, self._since(item.opened_epoch_day))

    def _location_of_item(self, issue: str, item: Item) -> StockRow:
        price = self.book.prices.get(item.money_asset_id)
        money = None if price is None else _up(item.open_money_units, price)
        # what a loan passes on is identified with its borrow, a customer's margin with the customer
        if item.conduit_item_id:
            owner = f"stock_borrow {item.conduit_item_id}"
        elif item.account_id:
            owner = str(item.account_id)
        else:
            owner = f"{item.item_kind.lower()} {item.item_id}"
        # a transfer that was acknowledged is as good as sent that day
        since = item.acknowledged_epoch_day
        day = self._since(item.opened_epoch_day if since is None else since)
        return StockRow(issue, _LOCATION_OF_ITEM[item.item_kind], owner, item.open_units, money, day)

    def _since(self, epoch_day: int) -> int:
        """An event of the evening may be of the next day in UTC."""
        return min(epoch_day, self.book.business_epoch_day)

    # What has no row of the stock record ------------------------------------------------------------

    def totals(self) -> list[TotalRow]:
        """Drafts, clearing margin and suspense in money; credits rounded up, debits down."""
        book = self.book
        found: list[TotalRow] = []
        for draft in book.drafts.values():
            if draft.asset_id in book.currencies and (formula := self._formula(draft.account_id)):
                amount = _amount(draft.units, book.prices.get(draft.asset_id), is_credit=True)
                found.append(TotalRow(Total.DRAFTS, amount, self._since(draft.drawn_epoch_day), formula))
        for item in book.items.values():
            total = _TOTAL_OF_ITEM.get(item.item_kind)
            # nobody knows whose a credit in suspense is: it counts as a customer's
            code = item.account_class_code or AccountClass.CUSTOMER_CASH
            if total is not None and item.asset_id in book.currencies and code in FORMULA_CLASSES:
                is_credit = total is Total.SUSPENSE_SHORT
                amount = _amount(item.open_units, book.prices.get(item.asset_id), is_credit=is_credit)
                formula = Formula.PAB if code == AccountClass.PAB else Formula.CUSTOMER
                found.append(TotalRow(total, amount, self._since(item.opened_epoch_day), formula))
        # what is owed in a currency without a price is a credit that nobody knows
        for account_id, cash in self._cash.items():
            if cash.unknown_credits and (formula := self._formula(account_id)):
                found += [TotalRow(Total.FREE_CREDITS, None, None, formula)] * cash.unknown_credits
        return found

    def _formula(self, account_id: int) -> Formula | None:
        code = self.book.account_classes.get(account_id)
        if code not in FORMULA_CLASSES:
            return None
        return Formula.PAB if code == AccountClass.PAB else Formula.CUSTOMER

    def deposits(self) -> list[DepositRow]:
        """What lies in each special reserve account: dollars, and securities at their mark, rounded down."""
        book = self.book
        return [
            DepositRow(
                str(bank),
                Formula.CUSTOMER if code == ReserveFormula.CUSTOMER else Formula.PAB,
                sum(units for asset_id, units in held if book.assets[asset_id].symbol == DOLLAR),
                book.bank_equities.get(bank),
                is_affiliate,
                sum(
                    _down(units, price)
                    for asset_id, units in held
                    if asset_id in book.securities and (price := book.prices.get(asset_id)) is not None
                ),
            )
            for (bank, code), is_affiliate in sorted(book.reserve_accounts.items())
            for held in [self._held_in_reserve(bank, RESERVE_KINDS[ReserveFormula(code)])]
        ]

    def firm(self) -> dict[str, Decimal]:
        """The firm's capital in dollars, by the names of its file; nothing while none is recorded."""
        told = self.book.firm_capital.items()
        return {name.removesuffix("_minor"): Decimal(cents) / CENTS for name, cents in told}

    def _held_in_reserve(self, bank: int, kind: int) -> list[tuple[int, int]]:
        """Assets in a reserve account, and their units."""
        balances = ((asset_id, kept.get((kind, bank), 0)) for asset_id, kept in self.book.kept.items())
        return [(asset_id, -units) for asset_id, units in balances if units]


def stock_case(claims: Iterable[StockRow], locations: Iterable[StockRow], prices: Iterable[PriceRow]) -> Case:
    """The part of a case that some issues are."""
    return case_of_rows(
        claims=stock_cells(claims, CLAIMS), locations=stock_cells(locations, LOCATIONS), prices=prices
    )


def stock_cells(
    rows: Iterable[StockRow], words: Sequence[Claim] | Sequence[Location]
) -> list[tuple[Any, ...]]:
    """Rows with their kind as its number among the words of its file."""
    number = {word: n for n, word in enumerate(words)}
    return [(row.issue, number[row.kind], *row[2:]) for row in rows]  # type: ignore[index]


def _amount(units: int, price: Price | None, *, is_credit: bool) -> int | None:
    if price is None:
        return None
    return _up(units, price) if is_credit else _down(units, price)


def _up(units: int, price: Price) -> int:
    return -(-units * price.minor // price.per_units)


def _down(units: int, price: Price) -> int:
    return units * price.minor // price.per_units
