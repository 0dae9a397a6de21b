"""Our bank: it books what really happens to our accounts and tells us in camt.054 and camt.053.

Owns: the bank's books of our accounts and its messages. Does not own: why money moves, nor what a
fault does to a booking (faults.py decides, the bank books what it is told).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import NamedTuple

from engine.simulation.letters import Letter, advice_letter, statement_letter

NOSTRO_USD = "OB-NOSTRO-USD"
NOSTRO_EUR = "OB-NOSTRO-EUR"
RESERVE_USD = "OB-RESERVE-USD"
SECOND_RESERVE_USD = "OB-RESERVE-2-USD"
PAB_RESERVE_USD = "OB-PAB-RESERVE-USD"
RESERVE_ACCOUNTS = {RESERVE_USD: 1, SECOND_RESERVE_USD: 2, PAB_RESERVE_USD: 1}  # and the bank of each
OUR_ACCOUNTS = {NOSTRO_USD: "USD", NOSTRO_EUR: "EUR", **dict.fromkeys(RESERVE_ACCOUNTS, "USD")}
NOSTRO_OF = {"USD": NOSTRO_USD, "EUR": NOSTRO_EUR}


class Family(Enum):
    """The bank's transaction codes: domain, family, subfamily of ISO 20022."""

    RECEIPT = ("PMNT", "RCDT", "ESCT")
    PAYMENT = ("PMNT", "ICDT", "ESCT")
    TRANSFER = ("PMNT", "ICDT", "BOOK")
    SETTLEMENT = ("SECU", "SETT", "TRAD")
    LOAN = ("LDAS", "FTLN", "DDWN")
    SECURITIES_FINANCING = ("SECU", "SETT", "SECL")
    CHARGE = ("ACMT", "MDOP", "CHRG")


class Entry(NamedTuple):
    """One booked movement; amount in minor units, positive is a credit to us."""

    account: str
    amount_minor: int
    end_to_end: str
    entry_reference: str
    family: Family
    day: date
    booked_at_ns: int
    remittance: str


class Distortion(Enum):
    """What the bank does wrong with one payment."""

    OMIT = "omit"
    TWICE = "twice"
    SHORT = "short"  # it books less than was paid


@dataclass
class BankAccount:
    """One of our accounts at the bank."""

    number: str
    currency: str
    reserve_bank_id: int = 0  # zero for the accounts at our own bank
    opening_minor: int = 0
    entries: list[Entry] = field(default_factory=list[Entry])  # of the current day
    advised_count: int = 0
    advice_number: int = 0
    statement_number: int = 0

    @property
    def closing_minor(self) -> int:
        """Opening balance and every entry of the day."""
        return self.opening_minor + sum(e.amount_minor for e in self.entries)


class Bank:
    """The bank with our accounts; one day at a time."""

    def __init__(self) -> None:
        self.accounts = {
            n: BankAccount(n, currency, RESERVE_ACCOUNTS.get(n, 0)) for n, currency in OUR_ACCOUNTS.items()
        }
        self.day = date.min
        self._entry_number = 0
        self._distortions: dict[str, Distortion] = {}

    def start_day(self, day: date) -> None:
        """Begin to book for a day."""
        self.day = day

    def distort(self, end_to_end: str, how: Distortion) -> None:
        """Book the payment of that reference wrongly when it comes."""
        self._distortions[end_to_end] = how

    def pay(
        self,
        account: str,
        amount_minor: int,
        end_to_end: str,
        family: Family,
        at_ns: int,
        remittance: str = "",
    ) -> str:
        """Book one payment, positive in our favour; give the last entry's reference or ''."""
        how = self._distortions.pop(end_to_end, None)
        if amount_minor == 0 or how is Distortion.OMIT:
            return ""
        if how is Distortion.SHORT:
            amount_minor -= (1 if amount_minor > 0 else -1) * max(1, abs(amount_minor) // 100)
        reference = self._book(account, amount_minor, end_to_end, family, at_ns, remittance)
        if how is Distortion.TWICE:
            reference = self._book(account, amount_minor, end_to_end, family, at_ns, remittance)
        return reference

    def _book(
        self,
        account: str,
        amount_minor: int,
        end_to_end: str,
        family: Family,
        at_ns: int,
        remittance: str,
    ) -> str:
        self._entry_number += 1
        reference = f"BK{self.day:%Y%m%d}{self._entry_number:06d}"
        self.accounts[account].entries.append(
            Entry(account, amount_minor, end_to_end, reference, family, self.day, at_ns, remittance)
        )
        return reference

    def advise(self, at_ns: int) -> Iterator[Letter]:
        """One camt.054 an account with everything booked since the last one."""
        for account in self.accounts.values():
            fresh = account.entries[account.advised_count :]
            if fresh:
                account.advice_number += 1
                account.advised_count = len(account.entries)
                yield advice_letter(account, fresh, self.day, at_ns)

    def close_day(self, at_ns: int) -> Iterator[Letter]:
        """Advise what is left, then one camt.053 an account; the next day opens where it closes."""
        yield from self.advise(at_ns)
        for account in self.accounts.values():
            account.statement_number += 1
            yield statement_letter(account, self.day, at_ns)
            account.opening_minor = account.closing_minor
            account.entries = []
            account.advised_count = account.advice_number = 0
