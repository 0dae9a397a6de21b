"""Rows of a tiny book, written one by one: its reference set, its events, what the outside tells.

Nine shares, a currency pair and a contract; two customers and the street. Amounts are US cents.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from schemas import codes, external, identity, ledger, market
from schemas.codes import LedgerAccountKind as Kind
from schemas.codes import PostingReason
from schemas.packed import pack
from schemas.record import record_of

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


class BookRows:
    """Declared rows in the order of the journal, numbered as they come."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.sequence = 0
        self.day = THURSDAY
        self.entry_count = 0
        self._open_book()

    def event(self, cls: type, **fields: Any) -> Any:
        """Add an event; a field given as "own" becomes its sequence."""
        self.sequence += 1
        fields.setdefault("cause_sequence", max(self.sequence - 1, 1))
        own = {name: self.sequence for name, value in fields.items() if value == "own"}
        at = self.day * DAY_NS + self.sequence
        made = cls(sequence=self.sequence, occurred_at_ns=at, **(fields | own))
        self.rows.append(made)
        return made

    def command(self, cls: type, **fields: Any) -> Any:
        """Add a command; what a test does not tell of it is zero."""
        self.sequence += 1
        at = self.day * DAY_NS + self.sequence
        untold = {c.name: 0 for c in record_of(cls).columns}
        made = cls(**(untold | {"sequence": self.sequence, "received_at_ns": at} | fields))
        self.rows.append(made)
        return made

    def post(
        self,
        reason: PostingReason,
        units: int,
        debit: tuple[Kind, int],
        credit: tuple[Kind, int],
        reference: int,
        asset: int = USD,
        value_day: int | None = None,
    ) -> None:
        """Add a posting; it counts on the day itself unless a value day is given."""
        self.event(
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
            self.event(market.MarkChanged, instrument_id=asset, mark_ticks=price_of(asset))
        self._list(EURUSD, codes.InstrumentClass.FX_SPOT, "EURUSD", EUR, 100_000, 1)
        self.event(market.MarkChanged, instrument_id=EURUSD, mark_ticks=108_500)
        self._list(CFD, codes.InstrumentClass.CFD, "AAACFD", AAA, 1, 1)
        for account, treatment in (
            (CASH, codes.AccountClass.CUSTOMER_CASH),
            (MARGIN, codes.AccountClass.CUSTOMER_MARGIN),
            (STREET, codes.AccountClass.STREET),
        ):
            self.event(
                identity.AccountOpened,
                account_id=account,
                client_id=account,
                account_class_code=int(treatment),
                max_notional_minor=10**12,
                rate_count=0,
                identity_document_id=0,
            )

    def _asset(self, asset: int, kind: codes.AssetClass, name: str, isin: str, digits: int) -> None:
        self.event(
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
        self.event(
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

    def start(self, day: int, following: int, second: int) -> None:
        """Begin a business day."""
        self.day = day
        self.event(
            market.BusinessDayStarted,
            business_epoch_day=day,
            next_epoch_day=following,
            second_epoch_day=second,
            expired_order_count=0,
        )

    # What the outside tells -----------------------------------------------------------------------

    def line(self, account: str, minor: int, reference: str, *, entry: int = 0, code: str = "PMNT") -> None:
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

    def advise(self, reference: str, units: int, minor: int, status: str, kind: codes.AdviceType) -> None:
        """Add what the clearing house says of an obligation."""
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

    def holding(self, asset: int, units: int) -> None:
        """Add what the custodian says it holds."""
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


def price_of(instrument: int) -> int:
    """Ticks of an instrument, which are cents a lot."""
    return {GGG: 2_000, EURUSD: 108_500}.get(instrument, PRICE)


def name_of(instrument: int) -> str:
    """Symbol of an instrument."""
    return {EURUSD: "EURUSD", CFD: "AAACFD"}.get(instrument) or NAMES[instrument - AAA]
