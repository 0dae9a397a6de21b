"""The treasury desk's day: stock borrow and loan, repo, margin, transfers, suspense, counts, a dividend.

Owns: what the desk asks of the engine, and what counterparties, custodian and bank do with it. Does not own
the bank loan and the reserve (opening.py). Some positions were taken over with their age, so that every
ageing line of the reserve formula has something over its limit.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from engine.simulation.bank import NOSTRO_USD, Bank, Family
from engine.simulation.custodian import Custodian
from engine.simulation.floor import Floor
from engine.simulation.funding import Funding
from engine.simulation.world import DIRECTOR_ACCOUNT, LISTINGS, SECURITIES, USD, Holder, World
from schemas.codes import AccountClass, ClearingAgency, FinancingKind, SuspenseSide
from schemas.days import epoch_day_of
from schemas.financing import (
    ClearingMarginPosted,
    FinancingOpened,
    OpenFinancing,
    PostClearingMargin,
    ReduceFinancing,
    RepayBankLoan,
    ReturnClearingMargin,
)
from schemas.identity import LinkAccount
from schemas.payments import ConfirmDraft, DraftIssued, IssueDraft
from schemas.safekeeping import (
    AcknowledgeTransfer,
    ClearSuspense,
    CompleteTransfer,
    CountDifferenceFound,
    DeclareDistribution,
    DistributionDeclared,
    OpenSuspense,
    ReceiveDistribution,
    RecordCountDifference,
    ResolveCountDifference,
    SendToTransfer,
    SuspenseOpened,
    TransferSent,
)

if TYPE_CHECKING:
    from engine.journal.frame import Frame

DESK = 113  # the operator who acts for the treasury desk
LENDER, BORROWER, REPO_DEALER = 11, 12, 13  # counterparties
LENT, REPOED, MOVED, COUNTED, PAYING = (SECURITIES[n] for n in (2, 3, 4, 3, 5))
BORROW, LOAN, REPO, REVERSE_REPO = FinancingKind
TRANSFER_DAYS, SUSPENSE_DAYS, COUNT_DAYS, DISTRIBUTION_DAYS = (
    45,
    40,
    35,
    33,
)  # past every limit of Items 6 to 9
COLLATERAL_PERCENT = 102
PRICES = {x.base_asset_id: x.opening_ticks for x in LISTINGS[: len(SECURITIES)]}


class Financing:
    """What is open, by what it is for; the eve opens, the day reduces and adds."""

    def __init__(self, seed: int, floor: Floor, bank: Bank, custodian: Custodian, funding: Funding) -> None:
        self._rng = random.Random(f"{seed}:financing")
        self._floor, self._bank, self._custodian, self._funding = floor, bank, custodian, funding
        self._open: dict[str, int] = {}  # item by what it is for
        self._units: dict[str, int] = {}
        self._drafts: list[tuple[int, int]] = []  # payment and amount of those that are out

    # The eve ----------------------------------------------------------------------------------------

    def link_accounts(self, world: World, at_ns: int) -> None:
        """Owners of two accounts are one customer, and the director is the firm's own."""
        owned: dict[int, list[int]] = {}
        for holder in world.customers():
            owned.setdefault(holder.client_id, []).append(holder.account_id)
        households = sorted(accounts for accounts in owned.values() if len(accounts) > 1)
        links = [(a, number, 0) for number, accounts in enumerate(households, 1) for a in accounts]
        self._floor.submit(
            [
                LinkAccount(
                    **_head(at_ns),
                    account_id=account_id,
                    household_id=household_id,
                    is_affiliate=is_affiliate,
                )
                for account_id, household_id, is_affiliate in (*links, (DIRECTOR_ACCOUNT, 0, 1))
            ]
        )

    def open(self, world: World, day: date, at_ns: int) -> None:
        """Take up everything that the day begins with."""
        self._finance("borrow", BORROW, LENDER, LENT.asset_id, at_ns)
        self._finance("conduit", LOAN, BORROWER, LENT.asset_id, at_ns, conduit="borrow")
        self._finance("loan", LOAN, BORROWER, LENT.asset_id, at_ns)
        self._finance("repo", REPO, REPO_DEALER, REPOED.asset_id, at_ns)
        self._finance("reverse", REVERSE_REPO, REPO_DEALER, MOVED.asset_id, at_ns)
        margin = next(h for h in world.customers() if h.account_class is AccountClass.CUSTOMER_MARGIN)
        self._post_margin("occ", ClearingAgency.OCC, 0, USD, 40_000_000, at_ns)
        self._post_margin("dco", ClearingAgency.DCO, 0, REPOED.asset_id, self._some(), at_ns)
        self._post_margin("treasury", ClearingAgency.TREASURY, margin.account_id, USD, 15_000_000, at_ns)
        self._take_over(epoch_day_of(day), at_ns)

    def _finance(
        self, name: str, kind: FinancingKind, counterparty: int, asset_id: int, at_ns: int, conduit: str = ""
    ) -> None:
        units = self._units[conduit] if conduit else self._some()
        money = units * PRICES[asset_id] * COLLATERAL_PERCENT // 100
        asked = OpenFinancing(
            **_head(at_ns),
            financing_kind_code=kind,
            counterparty_id=counterparty,
            asset_id=asset_id,
            financed_units=units,
            money_asset_id=USD,
            money_units=money,
            conduit_item_id=self._open.get(conduit, 0),
            opened_epoch_day=0,
        )
        number = self._note(name, units, asked, FinancingOpened)
        if kind in (BORROW, REVERSE_REPO):
            self._custodian.receive(asset_id, units)
            self._pay(-money, f"FN{number}", Family.SECURITIES_FINANCING, at_ns)
        else:
            self._custodian.deliver(asset_id, units)
            self._pay(money, f"FN{number}", Family.SECURITIES_FINANCING, at_ns)

    def _post_margin(
        self, name: str, agency: ClearingAgency, account_id: int, asset_id: int, units: int, at_ns: int
    ) -> None:
        asked = PostClearingMargin(
            **_head(at_ns),
            clearing_agency_code=agency,
            account_class_code=AccountClass.CUSTOMER_MARGIN,
            account_id=account_id,
            asset_id=asset_id,
            margin_units=units,
            opened_epoch_day=0,
        )
        number = self._note(name, units, asked, ClearingMarginPosted)
        if asset_id == USD:
            self._pay(-units, f"CM{number}", Family.TRANSFER, at_ns)
        else:
            self._custodian.deliver(asset_id, units)

    def _take_over(self, today: int, at_ns: int) -> None:
        """Positions that were open for long before the day."""
        units = self._some()
        since = {"opened_epoch_day": today - TRANSFER_DAYS}
        for name in ("transfer", "acknowledged"):
            sent = SendToTransfer(**_head(at_ns), asset_id=MOVED.asset_id, transfer_units=units, **since)
            self._note(name, units, sent, TransferSent)
            self._custodian.deliver(MOVED.asset_id, units)
        units = self._some() // 5
        missing = RecordCountDifference(
            **_head(at_ns),
            asset_id=COUNTED.asset_id,
            missing_units=units,
            opened_epoch_day=today - COUNT_DAYS,
        )
        self._note("count", units, missing, CountDifferenceFound)
        self._custodian.deliver(COUNTED.asset_id, units)
        units = self._some() // 5
        self._note(
            "gone", units, _suspense(SuspenseSide.SHORT, MOVED.asset_id, units, today, at_ns), SuspenseOpened
        )
        self._custodian.deliver(MOVED.asset_id, units)
        money = self._rng.randint(1_000, 9_000) * 100
        number = self._note(
            "unclaimed", money, _suspense(SuspenseSide.LONG, USD, money, today, at_ns), SuspenseOpened
        )
        self._pay(money, f"SU{number}", Family.RECEIPT, at_ns)
        declared = DeclareDistribution(
            **_head(at_ns),
            asset_id=PAYING.asset_id,
            distributed_asset_id=PAYING.asset_id,
            distributed_units=1,
            per_units=50,
            opened_epoch_day=today - DISTRIBUTION_DAYS,
        )
        frame = self._floor.submit([declared])
        self._open["dividend"] = _only(frame, DistributionDeclared, "item_id")
        self._units["dividend"] = _only(frame, DistributionDeclared, "receivable_units")

    def draw(self, holders: list[Holder], at_ns: int) -> None:
        """Draw a draft to the order of each; what the engine refuses is not sent."""
        asked = [
            IssueDraft(
                sequence=0,
                received_at_ns=at_ns,
                payment_id=self._funding.payment_id(),
                account_id=holder.account_id,
                asset_id=USD,
                amount_units=self._rng.randint(100, 900) * 100,
            )
            for holder in holders
        ]
        frame = self._floor.submit(asked)
        for section in frame.sections if frame else ():
            if section.record.cls is DraftIssued:
                rows = section.rows
                self._drafts += zip(rows["payment_id"].tolist(), rows["amount_units"].tolist(), strict=True)

    # The day ----------------------------------------------------------------------------------------

    def reduce(self, loan_id: int, pledged_asset_id: int, at_ns: int) -> None:
        """A part of almost everything goes back; the bank loan by a tenth."""
        for name, is_in, asset_id in (
            ("borrow", True, LENT.asset_id),
            ("loan", False, LENT.asset_id),
            ("repo", False, REPOED.asset_id),
            ("reverse", True, MOVED.asset_id),
        ):
            self._give_back(name, asset_id, at_ns, is_in=is_in)
        repaid, released = self._rng.randint(50_000, 100_000) * 100, self._some()
        repay = RepayBankLoan(**_head(at_ns), item_id=loan_id, repaid_units=repaid, released_units=released)
        self._floor.submit([repay])
        self._pay(-repaid, f"BL{loan_id}", Family.LOAN, at_ns)
        self._custodian.receive(pledged_asset_id, released)
        occ, back = self._open["occ"], 2_500_000
        self._floor.submit([ReturnClearingMargin(**_head(at_ns), item_id=occ, returned_units=back)])
        self._pay(back, f"CM{occ}", Family.TRANSFER, at_ns)

    def _give_back(self, name: str, asset_id: int, at_ns: int, *, is_in: bool) -> None:
        """A quarter of a financing; `is_in` where securities came in."""
        number, units = self._open[name], self._units[name] // 4
        money = units * PRICES[asset_id]
        asked = ReduceFinancing(
            **_head(at_ns), item_id=number, returned_units=units, returned_money_units=money
        )
        self._floor.submit([asked])
        if is_in:
            self._custodian.deliver(asset_id, units)
        else:
            self._custodian.receive(asset_id, units)
        self._pay(money if is_in else -money, f"FN{number}", Family.SECURITIES_FINANCING, at_ns)

    def explain(self, account_id: int, at_ns: int) -> None:
        """Half of what was away or unexplained is found; a transfer is acknowledged; the bank pays drafts."""
        half = {name: units // 2 for name, units in self._units.items()}
        acknowledged, away = self._open["acknowledged"], self._open["transfer"]
        self._floor.submit(
            [
                AcknowledgeTransfer(**_head(at_ns), item_id=acknowledged),
                CompleteTransfer(**_head(at_ns), item_id=away, returned_units=half["transfer"]),
                ResolveCountDifference(
                    **_head(at_ns), item_id=self._open["count"], found_units=half["count"]
                ),
                *self._cleared({"gone": 0, "unclaimed": account_id}, half, at_ns),
                ReceiveDistribution(
                    **_head(at_ns), item_id=self._open["dividend"], received_units=half["dividend"]
                ),
            ]
        )
        for name, asset in (("transfer", MOVED), ("count", COUNTED), ("gone", MOVED), ("dividend", PAYING)):
            self._custodian.receive(asset.asset_id, half[name])
        for payment_id, amount in self._drafts:
            self._pay(-amount, f"DR{payment_id}", Family.PAYMENT, at_ns)
        paid = [ConfirmDraft(sequence=0, received_at_ns=at_ns, payment_id=p) for p, _ in self._drafts]
        self._floor.submit(paid)
        self._drafts.clear()

    def _cleared(self, accounts: dict[str, int], half: dict[str, int], at_ns: int) -> Iterator[ClearSuspense]:
        for name, account_id in accounts.items():
            yield ClearSuspense(
                **_head(at_ns), item_id=self._open[name], cleared_units=half[name], account_id=account_id
            )

    def _some(self) -> int:
        return self._rng.randint(5, 30) * 10

    def _note(self, name: str, units: int, command: Any, cls: type) -> int:
        self._open[name] = _only(self._floor.submit([command]), cls, "item_id")
        self._units[name] = units
        return self._open[name]

    def _pay(self, amount_minor: int, reference: str, family: Family, at_ns: int) -> None:
        self._bank.pay(NOSTRO_USD, amount_minor, reference, family, at_ns)


def _head(at_ns: int) -> dict[str, int]:
    return {"sequence": 0, "received_at_ns": at_ns, "operator_id": DESK}


def _suspense(side: SuspenseSide, asset_id: int, units: int, today: int, at_ns: int) -> OpenSuspense:
    return OpenSuspense(
        **_head(at_ns),
        suspense_side_code=side,
        asset_id=asset_id,
        suspense_units=units,
        opened_epoch_day=today - SUSPENSE_DAYS,
    )


def _only(frame: Frame | None, cls: type, column: str) -> int:
    """A number of the one event of a class in a frame. Raises ValueError when there is none."""
    for section in frame.sections if frame else ():
        if section.record.cls is cls:
            return int(section.rows[column][0])
    raise ValueError(f"the engine did not answer with {cls.__name__}")
