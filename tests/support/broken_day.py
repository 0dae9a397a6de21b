"""Two business days of a tiny book, with one of every fault between our records and the outside's.

Every figure is written by hand: amounts in US cents, units in whole shares. What must be found in
it stands at the end (`expected_breaks`, `EXPECTED_ITEMS`), and the warehouse is held to it.

Thursday 1 October 2026: money arrives and trades are made. Friday the 2nd: they fall due, and each
obligation meets its fate. The book is told as of Friday.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from schemas import codes, external, identity, ledger, market, payments, settlement
from schemas.codes import LedgerAccountKind as Kind
from schemas.codes import ObligationSide, PostingReason
from schemas.packed import pack

THURSDAY, FRIDAY, MONDAY, TUESDAY = 20_727, 20_728, 20_731, 20_732  # days since 1970
DAY_NS = 86_400 * 10**9
USD, EUR = 1, 2
ISINS = {asset: f"US00000000{asset:02}" for asset in range(3, 12)}
AAA, BBB, CCC, DDD, EEE, FFF, GGG, HHH, III = range(3, 12)
NAMES = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH", "III"]
EURUSD, CFD = 20, 21
CASH, MARGIN, STREET = 1, 2, 9
NOSTRO, RESERVE = "OB-NOSTRO-USD", "OB-RESERVE-USD"
PRICE = 1_000  # ten dollars a share, but for GGG at twenty


class BrokenDay:
    """Writes the rows of the two days in their order."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.sequence = 0
        self.day = THURSDAY
        self.obligations: dict[str, int] = {}
        self.entry_count = 0
        self._open_book()
        self._thursday()
        self._friday()

    def _event(self, cls: type, **fields: Any) -> Any:
        self.sequence += 1
        fields.setdefault("cause_sequence", max(self.sequence - 1, 1))
        own = {name: self.sequence for name, value in fields.items() if value == "own"}
        at = self.day * DAY_NS + self.sequence
        made = cls(sequence=self.sequence, occurred_at_ns=at, **(fields | own))
        self.rows.append(made)
        return made

    def _post(
        self,
        reason: PostingReason,
        units: int,
        debit: tuple[Kind, int],
        credit: tuple[Kind, int],
        reference: int,
        asset: int = USD,
        value_day: int | None = None,
    ) -> None:
        self._event(
            ledger.Posting,
            posting_reason_code=int(reason),
            asset_id=asset,
            amount_units=units,
            debit_account_kind_code=int(debit[0]),
            debit_party_id=debit[1],
            credit_account_kind_code=int(credit[0]),
            credit_party_id=credit[1],
            reference_id=reference,
            value_epoch_day=value_day or self.day,
        )

    def _open_book(self) -> None:
        currency, security = codes.AssetClass.CURRENCY, codes.AssetClass.SECURITY
        self._asset(USD, currency, "USD", "", 2)
        self._asset(EUR, currency, "EUR", "", 2)
        for asset, name in zip(ISINS, NAMES, strict=True):
            self._asset(asset, security, name, ISINS[asset], 0)
            self._list(asset, codes.InstrumentClass.EQUITY, name, asset, 1, 1)
            self._event(market.MarkChanged, instrument_id=asset, mark_ticks=_price(asset))
        self._list(EURUSD, codes.InstrumentClass.FX_SPOT, "EURUSD", EUR, 100_000, 1)
        self._event(market.MarkChanged, instrument_id=EURUSD, mark_ticks=108_500)
        self._list(CFD, codes.InstrumentClass.CFD, "AAACFD", AAA, 1, 1)
        for account, treatment in (
            (CASH, codes.AccountClass.CUSTOMER_CASH),
            (MARGIN, codes.AccountClass.CUSTOMER_MARGIN),
            (STREET, codes.AccountClass.STREET),
        ):
            self._event(
                identity.AccountOpened,
                account_id=account,
                client_id=account,
                account_class_code=int(treatment),
                max_notional_minor=10**12,
                rate_count=0,
                identity_document_id=0,
            )

    def _asset(self, asset: int, kind: codes.AssetClass, name: str, isin: str, digits: int) -> None:
        self._event(
            market.AssetRegistered,
            asset_id=asset,
            asset_class_code=int(kind),
            symbol_packed=pack(name),
            isin_packed=pack(isin),
            unit_digits=digits,
        )

    def _list(
        self, number: int, kind: codes.InstrumentClass, name: str, base: int, lot: int, tick: int
    ) -> None:
        self._event(
            market.InstrumentListed,
            instrument_id=number,
            instrument_class_code=int(kind),
            symbol_packed=pack(name),
            base_asset_id=base,
            quote_asset_id=USD,
            lot_units=lot,
            tick_value_minor=tick,
            window_floor_ticks=1,
            collar_bps=1_000,
            max_order_lots=10**6,
            margin_bps=5_000,
            fee_bps=0,
            settlement_cycle_count=1,
        )

    def _start(self, day: int, following: int, second: int) -> None:
        self.day = day
        self._event(
            market.BusinessDayStarted,
            business_epoch_day=day,
            next_epoch_day=following,
            second_epoch_day=second,
            expired_order_count=0,
        )

    # What happens on the first day ----------------------------------------------------------------

    def _thursday(self) -> None:
        self._start(THURSDAY, FRIDAY, MONDAY)
        capital = self._event(
            ledger.CapitalContributed, asset_id=USD, amount_units=100_000_000, operator_id=1
        )
        reference = capital.cause_sequence
        nostro, equity = (Kind.NOSTRO, 0), (Kind.FIRM_CAPITAL, 0)
        self._post(PostingReason.CAPITAL, 100_000_000, nostro, equity, reference)
        self._line(NOSTRO, 100_000_000, f"CC{reference}")
        self._deposit(1, CASH, 50_000_000)
        self._deposit(2, MARGIN, 1_000_000)
        self._transfer_in(101, HHH, 50)
        self._transfer_in(102, III, 30)
        fills = [
            *(self._fill(CASH, asset, 100) for asset in (AAA, BBB, CCC, DDD, EEE, FFF)),
            self._fill(MARGIN, GGG, 1_000),
            self._fill(CASH, HHH, 10, is_buy=False),
            self._fill(CASH, EURUSD, 1, settles=MONDAY),
            self._fill(MARGIN, CFD, 5, settles=THURSDAY),
        ]
        self._settlement_cycle(fills)

    def _fill(
        self, account: int, instrument: int, lots: int, *, is_buy: bool = True, settles: int = 0
    ) -> market.Fill:
        price = _price(instrument)
        fill = self._event(
            market.Fill,
            fill_id="own",
            instrument_id=instrument,
            taker_side_code=int(codes.Side.BUY if is_buy else codes.Side.SELL),
            price_ticks=price,
            quantity_lots=lots,
            notional_minor=lots * price,
            taker_fee_minor=0,
            taker_order_id=1,
            taker_account_id=account,
            maker_order_id=2,
            maker_account_id=STREET,
            trade_epoch_day=self.day,
            settlement_epoch_day=settles or (FRIDAY if self.day == THURSDAY else MONDAY),
        )
        if instrument == CFD:
            return fill
        street, client = (Kind.STREET_PENDING, account), (Kind.CLIENT, account)
        asset = EUR if instrument == EURUSD else instrument
        units = lots * (100_000 if instrument == EURUSD else 1)
        into, out = (street, client) if is_buy else (client, street)
        due, number = fill.settlement_epoch_day, fill.fill_id
        self._post(PostingReason.TRADE, units, into, out, number, asset, due)
        self._post(PostingReason.TRADE, fill.notional_minor, out, into, number, USD, due)
        return fill

    def _settlement_cycle(self, fills: list[market.Fill]) -> None:
        cause = self.sequence
        for fill in fills:
            is_contract = fill.instrument_id == CFD
            is_buy = fill.taker_side_code == codes.Side.BUY
            side = ObligationSide.RECEIVE if is_buy else ObligationSide.DELIVER
            units, minor, asset = fill.quantity_lots, fill.notional_minor, fill.instrument_id
            if fill.instrument_id == EURUSD:
                asset, units = EUR, 100_000
            if is_contract:
                side, asset, units, minor = ObligationSide.COLLECT_CASH, 0, 0, 5_000
                self._variation(cause, minor)
            made = self._event(
                settlement.SettlementInstructed,
                cause_sequence=cause,
                obligation_id="own",
                account_id=fill.taker_account_id,
                instrument_id=fill.instrument_id,
                asset_id=asset,
                quote_asset_id=USD,
                obligation_side_code=int(side),
                obligation_units=units,
                obligation_minor=minor,
                trade_epoch_day=self.day,
                settlement_epoch_day=fill.settlement_epoch_day,
            )
            self.obligations[_name(fill.instrument_id)] = made.obligation_id
        self._event(
            settlement.SettlementCycleCompleted,
            cause_sequence=cause,
            trade_epoch_day=self.day,
            obligation_count=len(fills),
            variation_count=1,
        )
        self._settle("AAACFD", 0, 5_000)

    def _variation(self, cause: int, gain: int) -> None:
        event = self._event(
            settlement.VariationSettled,
            cause_sequence=cause,
            account_id=MARGIN,
            instrument_id=CFD,
            position_lots=5,
            mark_ticks=2_000,
            variation_minor=gain,
        )
        street, client = (Kind.STREET_PENDING, MARGIN), (Kind.CLIENT, MARGIN)
        self._post(PostingReason.VARIATION, gain, street, client, event.sequence)

    def _deposit(self, payment: int, account: int, amount: int, *, told: int | None = None) -> None:
        """`told` is what the bank's statement shows: nothing at all when zero."""
        self._event(
            payments.DepositCredited,
            payment_id=payment,
            account_id=account,
            asset_id=USD,
            amount_units=amount,
        )
        nostro, client = (Kind.NOSTRO, 0), (Kind.CLIENT, account)
        self._post(PostingReason.DEPOSIT, amount, nostro, client, payment)
        if told != 0:
            self._line(NOSTRO, amount if told is None else told, f"DP{payment}")

    def _transfer_in(self, payment: int, asset: int, units: int) -> None:
        self._event(
            payments.SecuritiesTransferredIn,
            payment_id=payment,
            account_id=CASH,
            asset_id=asset,
            amount_units=units,
        )
        custody, client = (Kind.CUSTODY, 0), (Kind.CLIENT, CASH)
        self._post(PostingReason.SECURITIES_TRANSFER, units, custody, client, payment, asset)

    # What happens on the second day ---------------------------------------------------------------

    def _friday(self) -> None:
        self._start(FRIDAY, MONDAY, TUESDAY)
        self._settle("AAA", 100, 100_000)
        self._bank_only("BBB", 100_000)  # settled, but nobody told us
        self._settle("CCC", 100, 100_000)
        self._confirm("CCC", 100, 100_000)  # told twice
        self._bank_only("DDD", 100_000)
        self._confirm("DDD", 90, 100_000)  # told wrongly: the engine refused it
        self._fail("EEE", 100, 100_000)
        self._settle("FFF", 40, 40_000)
        self._fail("FFF", 60, 60_000)
        self._settle("GGG", 300, 600_000)
        self._settle("GGG", 700, 1_400_000)
        self._fail("HHH", 10, 10_000)
        self._advise("OB900", 70, 70_000, "SETTLED", codes.AdviceType.CONFIRMATION)
        self._deposit(3, CASH, 10_000, told=0)
        self._deposit(4, CASH, 10_000, told=9_900)
        self._deposit(5, CASH, 10_000)
        self._line(NOSTRO, 10_000, "DP5")  # once more, as another entry
        self._deposit(6, CASH, 10_000)
        self._line(NOSTRO, 10_000, "DP6", entry=self.entry_count)  # once more, as the same entry
        self._line(NOSTRO, -2_500, "NOTPROVIDED", code="ACMT/MDOP/CHRG")
        self._line(NOSTRO, 77_700, "")
        self._withdraw(7, 30_000, is_paid=False)
        self._withdraw(8, 20_000, is_paid=True)
        self._borrow(500_000, 500)
        self._reserve(9, 10_000_000)
        self._fill(CASH, AAA, 10)  # after the last cycle
        stated = {AAA: 100, BBB: 100, CCC: 100, DDD: 100, FFF: 40, GGG: 500, HHH: 57}
        for asset, units in stated.items():
            self._holding(asset, units)

    def _settle(self, name: str, units: int, minor: int) -> None:
        obligation = self._confirm(name, units, minor)
        before = [
            r
            for r in self.rows
            if isinstance(r, settlement.SettlementConfirmed)
            and r.obligation_id == obligation.obligation_id
        ]
        self._event(
            settlement.SettlementConfirmed,
            obligation_id=obligation.obligation_id,
            settled_units=units,
            settled_minor=minor,
            open_units=obligation.obligation_units - units - sum(r.settled_units for r in before),
            open_minor=obligation.obligation_minor - minor - sum(r.settled_minor for r in before),
        )
        number, account = obligation.obligation_id, obligation.account_id
        street, nostro = (Kind.STREET_PENDING, account), (Kind.NOSTRO, 0)
        reason = PostingReason.SETTLEMENT
        if units:
            self._post(reason, units, (Kind.CUSTODY, 0), street, number, obligation.asset_id)
            self._post(reason, minor, street, nostro, number)
        else:
            self._post(reason, minor, nostro, street, number)
        self._line(NOSTRO, -minor if units else minor, f"OB{number}")

    def _bank_only(self, name: str, minor: int) -> None:
        self._line(NOSTRO, -minor, f"OB{self.obligations[name]}")

    def _fail(self, name: str, units: int, minor: int) -> None:
        obligation = self._obligation(name)
        number, account = obligation.obligation_id, obligation.account_id
        self._advise(f"OB{number}", 0, 0, "LACK", codes.AdviceType.STATUS)
        self._event(
            settlement.SettlementFailed,
            obligation_id=number,
            failed_units=units,
            failed_minor=minor,
        )
        fail, street = (Kind.FAIL, account), (Kind.STREET_PENDING, account)
        is_receipt = obligation.obligation_side_code == ObligationSide.RECEIVE
        into, out = (fail, street) if is_receipt else (street, fail)
        self._post(PostingReason.FAIL, units, into, out, number, obligation.asset_id)
        self._post(PostingReason.FAIL, minor, out, into, number)

    def _confirm(self, name: str, units: int, minor: int) -> settlement.SettlementInstructed:
        obligation = self._obligation(name)
        reference, confirmation = f"OB{obligation.obligation_id}", codes.AdviceType.CONFIRMATION
        self._advise(reference, units, minor, "SETTLED", confirmation)
        return obligation

    def _obligation(self, name: str) -> settlement.SettlementInstructed:
        return next(
            r
            for r in self.rows
            if isinstance(r, settlement.SettlementInstructed)
            and r.obligation_id == self.obligations[name]
        )

    def _withdraw(self, payment: int, amount: int, *, is_paid: bool) -> None:
        fields = {
            "payment_id": payment,
            "account_id": CASH,
            "asset_id": USD,
            "amount_units": amount,
        }
        self._event(payments.WithdrawalApproved, **fields)
        client, payable = (Kind.CLIENT, CASH), (Kind.WITHDRAWAL_PAYABLE, CASH)
        self._post(PostingReason.WITHDRAWAL, amount, client, payable, payment)
        if is_paid:
            self._event(payments.WithdrawalPaid, **fields)
            self._post(PostingReason.WITHDRAWAL_PAID, amount, payable, (Kind.NOSTRO, 0), payment)
            self._line(NOSTRO, -amount, f"WD{payment}")

    def _borrow(self, money: int, units: int) -> None:
        loan = self._event(
            ledger.BankLoanTaken,
            bank_id=1,
            money_asset_id=USD,
            loan_units=money,
            pledged_asset_id=GGG,
            pledged_units=units,
        )
        number, bank = loan.sequence, (Kind.BANK_LOAN, 1)
        self._post(PostingReason.BANK_LOAN, money, (Kind.NOSTRO, 0), bank, number)
        pledged, custody = (Kind.COLLATERAL_AT_BANK, 1), (Kind.CUSTODY, 0)
        self._post(PostingReason.PLEDGE, units, pledged, custody, number, GGG)
        self._line(NOSTRO, money, f"BL{number}")

    def _reserve(self, payment: int, amount: int) -> None:
        self._event(
            ledger.ReserveDepositOrdered,
            payment_id=payment,
            asset_id=USD,
            deposit_minor=amount,
            withdrawal_minor=0,
            as_of_epoch_day=THURSDAY,
            preparer_operator_id=1,
            approver_operator_id=2,
        )
        reserve, nostro = (Kind.RESERVE_BANK, 0), (Kind.NOSTRO, 0)
        self._post(PostingReason.RESERVE_DEPOSIT, amount, reserve, nostro, payment)
        self._line(NOSTRO, -amount, f"RD{payment}")
        self._line(RESERVE, amount, f"RD{payment}")

    # What the outside tells -----------------------------------------------------------------------

    def _line(
        self, account: str, minor: int, reference: str, *, entry: int = 0, code: str = "PMNT"
    ) -> None:
        """On the statement, and on the advice before it."""
        if not entry:
            self.entry_count += 1
        side = codes.EntrySide.CREDIT if minor > 0 else codes.EntrySide.DEBIT
        for kind in (codes.StatementType.ADVICE, codes.StatementType.STATEMENT):
            self.rows.append(
                external.BankStatementLine(
                    line_key=f"{kind}:{len(self.rows)}",
                    file_sha256=f"{kind}{self.day}",
                    statement_type_code=int(kind),
                    bank_account=account,
                    statement_reference=f"{account}-{kind}-{self.day}",
                    entry_reference=f"E{entry or self.entry_count}",
                    end_to_end_reference=reference,
                    entry_status="BOOK",
                    bank_transaction=code,
                    entry_side_code=int(side),
                    currency="USD",
                    amount=Decimal(abs(minor)).scaleb(-2).quantize(Decimal("0.00001")),
                    is_reversal=0,
                    booking_epoch_day=self.day,
                    value_epoch_day=self.day,
                    remittance="",
                )
            )

    def _advise(
        self, reference: str, units: int, minor: int, status: str, kind: codes.AdviceType
    ) -> None:
        self.rows.append(
            external.SettlementAdvice(
                advice_key=f"A{len(self.rows)}",
                file_sha256=f"A{len(self.rows)}",
                advice_type_code=int(kind),
                obligation_reference=reference,
                agent_reference=f"M{len(self.rows)}",
                isin="",
                status=status,
                settled_units=units,
                settled_minor=minor,
                settlement_epoch_day=self.day,
                advised_at_ns=self.day * DAY_NS,
            )
        )

    def _holding(self, asset: int, units: int) -> None:
        self.rows.append(
            external.CustodyHolding(
                holding_key=f"H{asset}",
                file_sha256="H",
                safekeeping_account="OB-SAFE-1",
                isin=ISINS[asset],
                holding_units=units,
                statement_epoch_day=self.day,
            )
        )

    def expected_breaks(self) -> set[tuple[str, str, str]]:
        """Stage, cause and reference of every break in the two days."""
        return set(_expected_breaks(self.obligations))


EXPECTED_ITEMS = {
    # 500,000 less six purchases, plus a sale and four deposits, less a withdrawal paid
    1: 50_000_000 - 600_000 + 10_000 + 40_000 - 20_000,
    2: 500_000,  # the loan is secured by margin securities alone
    4: 100_000 + 60_000 + 100_000 + 100_000,  # EEE, the rest of FFF, and the overdue BBB and DDD
    10: 995_000,  # 10,000 less 20,000 of purchases plus 50 of variation
    12: 10_000,  # HHH
}


def _expected_breaks(obligations: dict[str, int]) -> Iterator[tuple[str, str, str]]:
    missing, twice, wrong = (f"OB{obligations[name]}" for name in ("BBB", "CCC", "DDD"))
    yield "settlement", "MISSING_THEIRS", missing
    yield "cash", "MISSING_OURS", missing
    yield "custody", "QUANTITY", ISINS[BBB]
    yield "settlement", "DUPLICATE", twice
    yield "settlement", "QUANTITY", wrong
    yield "cash", "MISSING_OURS", wrong
    yield "custody", "QUANTITY", ISINS[DDD]
    yield "settlement", "MISSING_OURS", "OB900"
    yield "cash", "MISSING_THEIRS", "DP3"
    yield "cash", "AMOUNT", "DP4"
    yield "cash", "DUPLICATE", "DP5"
    yield "cash", "DUPLICATE", "DP6"
    yield "cash", "BANK_FEE", "E16"
    yield "cash", "UNIDENTIFIED_RECEIPT", "E17"
    yield "custody", "QUANTITY", ISINS[HHH]
    yield "custody", "MISSING_THEIRS", ISINS[III]


def _price(instrument: int) -> int:
    return {GGG: 2_000, EURUSD: 108_500}.get(instrument, PRICE)


def _name(instrument: int) -> str:
    return {EURUSD: "EURUSD", CFD: "AAACFD"}.get(instrument) or NAMES[instrument - AAA]
