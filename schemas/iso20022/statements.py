"""Banks' statements as banks really send them: camt.052, .053 and .054, versions .01 to .08.

Owns: which deviations from the standard are accepted, and that each of them is told; which are refused.
Does not own: our own guideline for these messages, nor the lake. One pass over the file, entry by entry, so
that a large statement costs no more memory than its rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from schemas.codes import EntrySide
from schemas.external import BankBalance, BankStatementLine
from schemas.iso20022 import statement_paths as paths
from schemas.iso20022.codecs import EPOCH
from schemas.iso20022.currencies import ACTIVE, HISTORIC, minor_digits
from schemas.iso20022.intake import BYTE_CAP, BYTE_ORDER_MARK, Element, identifier_of, name_of, stream
from schemas.iso20022.masking import mask_numbers
from schemas.iso20022.refusal import BadMessage
from schemas.iso20022.statement_paths import Layout, Ways

_AMOUNT = re.compile(r"[0-9]{1,18}(\.[0-9]{0,5})?")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9:.]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")
_SIDES = {"CRDT": EntrySide.CREDIT, "DBIT": EntrySide.DEBIT}
_OPENING = ("OPBD", "PRCD")


class BankStatement(NamedTuple):
    """What one file of a bank tells."""

    message_type: str
    message_reference: str
    lines: list[BankStatementLine]
    balances: list[BankBalance]
    deviations: tuple[str, ...]  # what breaks the standard and was accepted nevertheless


class _Amount(NamedTuple):
    currency: str
    side: EntrySide
    amount: Decimal

    @property
    def signed(self) -> Decimal:
        return self.amount if self.side is EntrySide.CREDIT else -self.amount


class _Entry(NamedTuple):
    """One entry before its statement's account and reference are known."""

    part: str  # entry number, and transaction number where an entry was divided
    money: _Amount
    status: str
    reference: str
    end_to_end: str
    code: str
    is_reversal: bool
    booking_day: int
    value_day: int
    remittance: str


def read_statement(raw: bytes, file_sha256: str, cap: int = BYTE_CAP) -> BankStatement:
    """Lines and balances of a bank's file; all of it, or BadMessage with the reason in one line."""
    reader = _Reader(file_sha256)
    if raw.startswith(BYTE_ORDER_MARK):
        reader.deviations.append("the file begins with a byte order mark")
    for event, element in stream(raw, cap):
        if event == "start":
            reader.begin(element)
        else:
            reader.end(element)
    return reader.result()


class _Reader:
    """State of the one pass."""

    def __init__(self, file_sha256: str) -> None:
        self.file_sha256 = file_sha256
        self.deviations: list[str] = []
        self.lines: list[BankStatementLine] = []
        self.balances: list[BankBalance] = []
        self.identifier = ""
        self.layout: Layout | None = None
        self.namespace = ""
        self.message_reference = ""
        self.has_container = False
        self.is_one_page = True
        self.statement_count = 0
        self.entry_count = 0
        self.entries: list[_Entry] = []
        self.booked: dict[str, Decimal] = {}
        self.depth = 0

    # the pass -----------------------------------------------------------------------------------------------
    def begin(self, element: Element) -> None:
        """Take notice of an element's start: the root chooses the layout."""
        self.depth += 1
        if self.depth == 1:
            self.identifier = identifier_of(element)
            self.namespace = name_of(element).namespace
            self.layout = paths.LAYOUTS.get(self.identifier)
            if self.layout is None:
                raise BadMessage(f"{self.identifier} is no bank statement in a version that is read")
        name = name_of(element)
        if name.namespace != self.namespace and self.depth <= 4:
            raise BadMessage(f"{name.local} stands in namespace {name.namespace or 'none'}")
        if self.depth == 2 and self.layout is not None:
            if name.local != self.layout.container or self.has_container:
                raise BadMessage(
                    f"{self.identifier} holds {name.local} where one {self.layout.container} must stand"
                )
            self.has_container = True

    def end(self, element: Element) -> None:
        """Take over a finished element at the depth of a header, a statement or an entry."""
        layout = self.layout
        self.depth -= 1
        if layout is None:
            return
        local = name_of(element).local
        if self.depth == 2 and local == "GrpHdr":
            self._header(element)
        elif self.depth == 2 and local == layout.statement:
            self._statement(element, layout)
            element.clear()
        elif self.depth == 3 and local == "Ntry" and name_of(element.getparent()).local == layout.statement:
            self.entry_count += 1
            self.entries.extend(self._entry(element, layout))
            element.getparent().remove(element)

    def result(self) -> BankStatement:
        """The whole file's rows."""
        if not self.message_reference:
            raise BadMessage("the group header has no MsgId")
        if not self.statement_count:
            layout = self.layout
            raise BadMessage(f"there is no {layout.statement if layout else 'statement'} in the file")
        return BankStatement(
            self.identifier, self.message_reference, self.lines, self.balances, tuple(self.deviations)
        )

    # its parts ----------------------------------------------------------------------------------------------
    def _header(self, header: Element) -> None:
        self.message_reference = self._first(header, ("MsgId",))
        self.is_one_page = self._is_one_page(header, "MsgPgntn", "the message")

    def _is_one_page(self, element: Element, name: str, where: str) -> bool:
        number = self._first(element, (f"{name}/PgNb",))
        is_last = self._first(element, (f"{name}/LastPgInd",)) not in ("false", "0")
        if number in ("", "1") and is_last:
            return True
        self.deviations.append(f"{where} is page {number or '?'} of several")
        return False

    def _statement(self, statement: Element, layout: Layout) -> None:
        self.statement_count += 1
        where = f"{layout.statement} {self.statement_count}"
        is_whole = self._is_one_page(statement, layout.pagination, where) and self.is_one_page
        reference = self._need(statement, ("Id",), f"{where} has no Id")
        account = self._need(statement, layout.account, f"{where} has no account number")
        if self._first(statement, ("CpyDplctInd",)) == "DUPL":
            self.deviations.append(f"{where} is marked as a duplicate")
        balances = self._balances(statement, layout, where)
        for entry in self.entries:
            self.lines.append(self._line(entry, layout, account, reference))
        for number, (kind, money, day) in enumerate(balances, 1):
            self.balances.append(
                BankBalance(
                    balance_key=f"{self.file_sha256}:{self.statement_count}:{number}",
                    file_sha256=self.file_sha256,
                    bank_account=account,
                    statement_reference=reference,
                    balance_type=kind,
                    currency=money.currency,
                    amount=money.signed,
                    balance_epoch_day=day,
                )
            )
        if layout.statement == "Stmt":
            told = [(kind, money) for kind, money, _ in balances]
            self.deviations += _check_sum(where, told, self.booked, is_whole)
        self.entries, self.booked, self.entry_count = [], {}, 0

    def _balances(self, statement: Element, layout: Layout, where: str) -> list[tuple[str, _Amount, int]]:
        found: list[tuple[str, _Amount, int]] = []
        for number, balance in enumerate(self._all(statement, "Bal"), 1):
            spot = f"{where} balance {number}"
            kind = self._need(balance, layout.balance_type, f"{spot} has no type")
            day = self._day(balance, paths.BALANCE_DAY, spot)
            if not day:
                raise BadMessage(f"{spot} has no date")
            found.append((kind, self._money(balance, spot), day))
        return found

    def _entry(self, entry: Element, layout: Layout) -> list[_Entry]:
        spot = f"{layout.statement} {self.statement_count + 1} entry {self.entry_count}"
        money = self._money(entry, spot)
        if not money.amount:
            self.deviations.append(f"{spot} has amount zero")
        if not self._all(entry, "BkTxCd"):
            self.deviations.append(f"{spot} has no bank transaction code")
        status = self._need(entry, layout.status, f"{spot} has no status")
        reversal = self._first(entry, ("RvslInd",))
        if reversal not in ("", "true", "false", "1", "0"):
            raise BadMessage(f"{spot} has reversal indicator {reversal[:20]!r}")
        if status == "BOOK":
            self.booked[money.currency] = self.booked.get(money.currency, Decimal(0)) + money.signed
        whole = _Entry(
            part=str(self.entry_count),
            money=money,
            status=status,
            reference=self._first(entry, paths.ENTRY_REFERENCE),
            end_to_end="",
            code=self._code(entry),
            is_reversal=reversal in ("true", "1"),
            booking_day=self._day(entry, paths.BOOKING_DAY, spot),
            value_day=self._day(entry, paths.VALUE_DAY, spot),
            remittance="",
        )
        return self._divide(whole, self._all(entry, layout.transactions), layout, spot)

    def _divide(self, whole: _Entry, transactions: list[Element], layout: Layout, spot: str) -> list[_Entry]:
        """One row a transaction when their amounts tell the whole entry, else one row for the entry."""
        references = [_no_reference(self._first(t, paths.END_TO_END)) for t in transactions]
        texts = [self._remittance(t) for t in transactions]
        amounts = [self._part_amount(t, layout, whole.money) for t in transactions]
        told = [a for a in amounts if a is not None]
        if len(transactions) > 1 and len(told) == len(amounts) and sum(told) == whole.money.amount:
            return [
                whole._replace(
                    part=f"{whole.part}/{number}",
                    money=whole.money._replace(amount=told[number - 1]),
                    reference=self._first(t, paths.TRANSACTION_REFERENCE) or whole.reference,
                    end_to_end=references[number - 1],
                    remittance=texts[number - 1],
                )
                for number, t in enumerate(transactions, 1)
            ]
        shared = set(references)
        if len(shared) > 1:
            self.deviations.append(f"{spot} sums {len(transactions)} transactions without their amounts")
        return [
            whole._replace(
                reference=whole.reference
                or "".join(self._first(t, paths.TRANSACTION_REFERENCE) for t in transactions[:1]),
                end_to_end=shared.pop() if len(shared) == 1 else "",
                remittance=" ".join(dict.fromkeys(text for text in texts if text)),
            )
        ]

    def _part_amount(self, transaction: Element, layout: Layout, money: _Amount) -> Decimal | None:
        """The transaction's own amount when it is told in the entry's currency and direction."""
        for way in layout.transaction_amount:
            for found in self._all(transaction, way):
                text = (found.text or "").strip()
                side = self._first(transaction, ("CdtDbtInd",))
                is_same = found.get("Ccy") == money.currency and _SIDES.get(side, money.side) is money.side
                return Decimal(text) if is_same and _AMOUNT.fullmatch(text) else None
        return None

    def _line(self, entry: _Entry, layout: Layout, account: str, reference: str) -> BankStatementLine:
        return BankStatementLine(
            line_key=f"{self.file_sha256}:{self.statement_count}:{entry.part}",
            file_sha256=self.file_sha256,
            statement_type_code=int(layout.statement_type),
            bank_account=account,
            statement_reference=reference,
            entry_reference=entry.reference,
            end_to_end_reference=entry.end_to_end,
            entry_status=entry.status,
            bank_transaction=entry.code,
            entry_side_code=int(entry.money.side),
            currency=entry.money.currency,
            amount=entry.money.amount,
            is_reversal=int(entry.is_reversal),
            booking_epoch_day=entry.booking_day,
            value_epoch_day=entry.value_day,
            remittance=entry.remittance,
        )

    # values -------------------------------------------------------------------------------------------------
    def _all(self, element: Element, way: str) -> list[Element]:
        found = [element]
        for step in way.split("/"):
            tag = f"{{{self.namespace}}}{step}"
            found = [child for parent in found for child in parent if child.tag == tag]
        return found

    def _first(self, element: Element, ways: Ways) -> str:
        for way in ways:
            for found in self._all(element, way):
                if text := (found.text or "").strip():
                    return text
        return ""

    def _need(self, element: Element, ways: Ways, complaint: str) -> str:
        if not (text := self._first(element, ways)):
            raise BadMessage(complaint)
        return text

    def _money(self, element: Element, spot: str) -> _Amount:
        amounts = self._all(element, "Amt")
        if len(amounts) != 1:
            raise BadMessage(f"{spot} has {len(amounts) or 'no'} amount{'s' if amounts else ''}")
        currency = amounts[0].get("Ccy") or ""
        if currency not in ACTIVE and currency not in HISTORIC:
            raise BadMessage(
                f"{spot} has currency {currency[:10]!r}" if currency else f"{spot} has no currency"
            )
        written: str = amounts[0].text or ""
        text = written.strip()
        if not _AMOUNT.fullmatch(text):
            raise BadMessage(f"{spot} has amount {text[:40]!r}")
        if text != written:
            self.deviations.append(f"{spot} has blanks around its amount")
        digits = minor_digits(currency) if currency in ACTIVE else 2
        if text.partition(".")[2][digits:].strip("0"):
            self.deviations.append(f"{spot} has amount {text}, finer than the minor unit of {currency}")
        side = _SIDES.get(self._need(element, ("CdtDbtInd",), f"{spot} is neither credit nor debit"))
        if side is None:
            raise BadMessage(f"{spot} is neither credit nor debit")
        return _Amount(currency, side, Decimal(text.rstrip(".")))

    def _day(self, element: Element, ways: Ways, spot: str) -> int:
        text = self._first(element, ways)
        if not text:
            return 0
        found = _DAY.fullmatch(text)
        try:
            day = (date.fromisoformat(found.group(1)) - EPOCH).days if found else -1
        except ValueError:
            day = -1
        if found is None or day < 0:
            raise BadMessage(f"{spot} has date {text[:40]!r}")
        if found.group(3) and not found.group(2):
            self.deviations.append(f"{spot} has a time zone on the date {text}")
        return day

    def _code(self, entry: Element) -> str:
        domain = [text for way in paths.DOMAIN_CODE if (text := self._first(entry, (way,)))]
        if code := "/".join(domain) or self._first(entry, (paths.OWN_CODE,)):
            return code
        return ""

    def _remittance(self, transaction: Element) -> str:
        free = [mask_numbers((e.text or "").strip()) for e in self._all(transaction, paths.UNSTRUCTURED)]
        structured = [(e.text or "").strip() for e in self._all(transaction, paths.STRUCTURED)]
        return " ".join(text for text in (*free, *structured) if text)


def _no_reference(text: str) -> str:
    """Banks write NOTPROVIDED where the payer gave no reference."""
    return "" if text == "NOTPROVIDED" else text


def _check_sum(
    where: str, balances: Iterable[tuple[str, _Amount]], booked: dict[str, Decimal], is_whole: bool
) -> list[str]:
    """Opening balance plus booked entries must be the closing balance, in every currency that has both.

    A page of several holds a part of the entries only: there the sum cannot be checked. Nor can it between
    different currencies, which is told as a deviation. Raises BadMessage when a sum is wrong.
    """
    opening: dict[str, Decimal] = {}
    closing: dict[str, Decimal] = {}
    for kind, money in balances:
        if kind in _OPENING:
            opening.setdefault(money.currency, money.signed)
        elif kind == "CLBD":
            closing[money.currency] = money.signed
    deviations: list[str] = []
    if opening and closing and set(opening) != set(closing):
        opens, closes = ", ".join(sorted(opening)), ", ".join(sorted(closing))
        deviations.append(f"{where} opens in {opens} and closes in {closes}, so its sum cannot be checked")
    for currency, start in opening.items():
        if currency in closing and is_whole:
            difference = closing[currency] - start - booked.get(currency, Decimal(0))
            if difference:
                raise BadMessage(
                    f"{where}: the closing balance is {difference} {currency} away from opening plus entries"
                )
    return deviations
